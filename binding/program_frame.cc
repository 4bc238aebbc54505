// SPDX-License-Identifier: Apache-2.0
#include "binding/program_frame.h"

namespace simdloss {

bool ProgramFrame::ReadInputs(Span* spans, ProgramCall* call) const {
  if (length_ != kHead + 3 * inputs() + outputs() + program_.sums()) return false;
  call->program = &program_;
  size_t dtype;
  if (!ToSize(numbers_[0], &call->rows) || !ToSize(numbers_[1], &call->cols) || !ToSize(numbers_[2], &dtype)) {
    return false;
  }
  call->dtype = static_cast<Dtype>(dtype - 1);
  for (size_t i = 0; i < inputs(); ++i) {
    Matrix& input = call->inputs[i];
    const double* const numbers = numbers_ + kHead + 3 * i;
    const auto [rows, cols] = SidesOf(program_.inputs[i].extent, *call);
    if (!ToSize(numbers[0], &dtype) || dtype - 1 >= kDtypes || !ToSize(numbers[1], &input.row_stride) ||
        !ToSize(numbers[2], &input.col_stride) ||
        !Touch(&spans[i], rows, cols, input.row_stride, input.col_stride, Span::kReads)) {
      return false;
    }
    input.dtype = static_cast<Dtype>(dtype - 1);
    input.data = spans[i].data;
  }
  return true;
}

bool ProgramFrame::ReadOutputs(Span* spans, ProgramCall* call) const {
  for (size_t i = 0; i < outputs(); ++i) {
    Span& span = spans[inputs() + i];
    auto& output = call->outputs[i];
    const auto [rows, cols] = SidesOf(program_.outputs[i].extent, *call);
    if (!ToSize(strides()[i], &output.stride) || span.dtype != DtypeCode(call->dtype) ||
        !TouchOutput(&span, rows, cols, output.stride)) {
      return false;
    }
    output.data = span.data;
  }
  call->sums = sums();
  return true;
}

}  // namespace simdloss
