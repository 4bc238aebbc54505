// SPDX-License-Identifier: Apache-2.0
// Calls that run a slice at a time, for where there is no other thread to run them. Each slice is whole chunks of rows
// as RunLoss and RunProgram cut them, and they are added up in the same order: the results are the same to the bit.
#ifndef SIMDLOSS_BINDING_WASM_SLICES_H_
#define SIMDLOSS_BINDING_WASM_SLICES_H_

#include <algorithm>
#include <cstddef>

#include "native/chunks.h"
#include "native/double_double.h"
#include "native/loss.h"
#include "native/program.h"

namespace simdloss {

// A matrix, or memory, without its first rows.
inline Matrix Below(Matrix matrix, size_t rows) {
  const size_t bytes = rows * matrix.row_stride * SizeOf(matrix.dtype);
  if (matrix) matrix.data = static_cast<const char*>(matrix.data) + bytes;
  return matrix;
}
inline void* Below(void* data, size_t bytes) { return data == nullptr ? data : static_cast<char*>(data) + bytes; }

class Slices {
 public:
  virtual ~Slices() = default;

  // Runs the next slice, about kElements: are there more?
  bool Step() {
    const size_t last = std::min(rows_, row_ + std::max(kElements / chunk_elements_, size_t{1}) * chunk_rows_);
    do {
      const size_t end = std::min(last, row_ + chunk_rows_);
      status = RunRows(row_, end);
      row_ = end;
    } while (status == Status::kOk && row_ < last);
    return status == Status::kOk && row_ < rows_;
  }

  Status status = Status::kOk;
  LossResult result;

 protected:
  Slices(size_t rows, size_t cols, bool whole)
      : rows_(rows),
        chunk_rows_(whole || cols == 0 ? rows : std::min(rows, RowsPerChunk(cols))),
        chunk_elements_(std::max<size_t>(chunk_rows_ * cols, 1)) {}

  // Rows begin .. end, a chunk.
  virtual Status RunRows(size_t begin, size_t end) = 0;

 private:
  // 0.1 to 1 ms, and the event loop's turn between two of them takes some 0.01.
  static constexpr size_t kElements = 4 * kChunkElements;

  const size_t rows_, chunk_rows_, chunk_elements_;
  size_t row_ = 0;
};

class LossSlices : public Slices {
 public:
  explicit LossSlices(const LossCall& call)
      : Slices(call.rows, call.cols, call.loss == LossKind::kFMeasure), call_(call) {}

 protected:
  Status RunRows(size_t begin, size_t end) override {
    LossCall part = call_;
    part.rows = end - begin;
    for (Matrix* matrix : {&part.pre_output, &part.labels, &part.mask, &part.alpha}) *matrix = Below(*matrix, begin);
    const size_t size = SizeOf(call_.dtype);
    part.gradient = Below(call_.gradient, begin * call_.gradient_stride * size);
    part.score_array = Below(call_.score_array, begin * size);
    LossResult of_part;
    const Status of_rows = RunLoss(part, &of_part);
    result.score += of_part.score;
    result.bad_row = begin + of_part.bad_row;
    return of_rows;
  }

 private:
  const LossCall call_;
};

class ProgramSlices : public Slices {
 public:
  // Column sums are taken over all rows.
  explicit ProgramSlices(const ProgramCall& call)
      : Slices(call.rows, call.cols, call.program->Count(Space::kColumnSum) != 0), call_(call) {}

 protected:
  Status RunRows(size_t begin, size_t end) override {
    const Program& program = *call_.program;
    ProgramCall part = call_;
    part.rows = end - begin;
    for (size_t i = 0; i < program.inputs.size(); ++i) {
      if (PerRow(program.inputs[i].extent)) part.inputs[i] = Below(part.inputs[i], begin);
    }
    for (size_t i = 0; i < program.outputs.size(); ++i) {
      auto& output = part.outputs[i];
      if (PerRow(program.outputs[i].extent)) {
        output.data = Below(output.data, begin * output.stride * SizeOf(call_.dtype));
      }
    }
    double sums[kMostSums] = {};
    part.sums = sums;
    const Status of_rows = RunProgram(part);
    sum_.Add(sums[0]);
    result.score = sum_.Total();
    return of_rows;
  }

 private:
  static bool PerRow(Extent extent) { return extent == Extent::kElements || extent == Extent::kRow; }

  const ProgramCall call_;
  CarriedSum sum_;
};

}  // namespace simdloss

#endif  // SIMDLOSS_BINDING_WASM_SLICES_H_
