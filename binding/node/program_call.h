// SPDX-License-Identifier: Apache-2.0
// Calls of programs, whose numbers cross in a frame (program_frame.h).
#ifndef SIMDLOSS_BINDING_NODE_PROGRAM_CALL_H_
#define SIMDLOSS_BINDING_NODE_PROGRAM_CALL_H_

#include <napi.h>

#include <cstddef>
#include <memory>
#include <optional>

#include "binding/node/node_arguments.h"
#include "binding/program_frame.h"
#include "native/program.h"

namespace simdloss {

// The arguments program, frame, ...inputs, ...outputs.
class ProgramArguments {
 public:
  static constexpr size_t kMost = 2 + kMostInputs + kMostOutputs;

  // createProgram(code, constants): a program as an external, undefined where it is none.
  static napi_value Create(NodeArguments* args);
  // runProgram(program, frame, ...inputs, ...outputs)
  static napi_value Run(NodeArguments* args);
  // bindProgram(program, frame, ...inputs, ...outputs): as bind; runBound reports the first sum.
  static napi_value Bind(NodeArguments* args);
  // asyncProgram(program, frame, ...inputs): as asyncCall, of a program with one output at most.
  static napi_value Async(NodeArguments* args);

 private:
  // What JavaScript holds.
  using Handle = std::shared_ptr<const Program>;

  explicit ProgramArguments(const NodeArguments& args) : args_(args) {}

  // False where something does not fit together.
  bool ReadInputs(ProgramCall* call);
  bool ReadOutputs(ProgramCall* call);

  const NodeArguments& args_;
  Handle program_;
  std::optional<ProgramFrame> frame_;
  Span spans_[ProgramFrame::kMostSpans];
};

}  // namespace simdloss

#endif  // SIMDLOSS_BINDING_NODE_PROGRAM_CALL_H_
