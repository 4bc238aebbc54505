// SPDX-License-Identifier: Apache-2.0
// The numbers of a program's call cross in a block of the call's own, the frame: rows, cols, the code of the dtype
// that is computed in; dtype code, row stride and column stride of each input; row stride of each output; the sums,
// which the call writes.
#ifndef SIMDLOSS_BINDING_PROGRAM_FRAME_H_
#define SIMDLOSS_BINDING_PROGRAM_FRAME_H_

#include <cstddef>

#include "binding/arguments.h"
#include "native/program.h"

namespace simdloss {

// What an input or output of a call is as a matrix.
struct Sides {
  size_t rows, cols;
};
inline Sides SidesOf(Extent extent, const ProgramCall& call) {
  const bool per_row = extent == Extent::kElements || extent == Extent::kRow;
  const bool per_column = extent == Extent::kElements || extent == Extent::kColumn;
  return {per_row ? call.rows : 1, per_column ? call.cols : 1};
}

class ProgramFrame {
 public:
  static constexpr size_t kMostSpans = kMostInputs + kMostOutputs;

  ProgramFrame(const Program& program, double* numbers, size_t length)
      : program_(program), numbers_(numbers), length_(length) {}

  // Spans of the inputs, their dtypes as the frame says; false where something does not fit together.
  bool ReadInputs(Span* spans, ProgramCall* call) const;
  // Then those of the outputs, whose dtypes must be the call's.
  bool ReadOutputs(Span* spans, ProgramCall* call) const;

  // Of the outputs.
  double* strides() const { return numbers_ + kHead + 3 * inputs(); }
  double* sums() const { return strides() + outputs(); }

 private:
  static constexpr size_t kHead = 3;

  size_t inputs() const { return program_.inputs.size(); }
  size_t outputs() const { return program_.outputs.size(); }

  const Program& program_;
  double* const numbers_;
  const size_t length_;
};

}  // namespace simdloss

#endif  // SIMDLOSS_BINDING_PROGRAM_FRAME_H_
