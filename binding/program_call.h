// SPDX-License-Identifier: Apache-2.0
// Calls of programs. Their numbers cross in a block of the call's own, the frame: rows, cols, the code of the dtype
// that is computed in; dtype code, row stride and column stride of each input; row stride of each output; the sums,
// which the call writes.
#ifndef SIMDLOSS_BINDING_PROGRAM_CALL_H_
#define SIMDLOSS_BINDING_PROGRAM_CALL_H_

#include <napi.h>

#include <cstddef>
#include <memory>

#include "binding/arguments.h"
#include "native/program.h"

namespace simdloss {

// The arguments program, frame, ...inputs, ...outputs.
class ProgramArguments {
 public:
  static constexpr size_t kMost = 2 + kMostInputs + kMostOutputs;

  // createProgram(code, constants): a program as an external, undefined where it is none.
  static napi_value Create(Arguments* args);
  // runProgram(program, frame, ...inputs, ...outputs)
  static napi_value Run(Arguments* args);
  // bindProgram(program, frame, ...inputs, ...outputs): as bind; runBound reports the first sum.
  static napi_value Bind(Arguments* args);
  // asyncProgram(program, frame, ...inputs): as asyncCall, of a program with one output at most.
  static napi_value Async(Arguments* args);

 private:
  // What JavaScript holds.
  using Handle = std::shared_ptr<const Program>;

  explicit ProgramArguments(const Arguments& args) : args_(args) {}

  // False where something does not fit together.
  bool ReadInputs(ProgramCall* call);
  bool ReadOutputs(ProgramCall* call);
  bool ReadArray(size_t i, Extent extent, Matrix* matrix, napi_typedarray_type* type) const;

  const Arguments& args_;
  const Handle* program_ = nullptr;
  double* frame_ = nullptr;
};

}  // namespace simdloss

#endif  // SIMDLOSS_BINDING_PROGRAM_CALL_H_
