// SPDX-License-Identifier: Apache-2.0
// What JavaScript passed, checked to be as large as the call says: lib/ has checked already, but what the kernels may
// touch is decided here. The same for the addon and for WebAssembly.
#ifndef SIMDLOSS_BINDING_ARGUMENTS_H_
#define SIMDLOSS_BINDING_ARGUMENTS_H_

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <limits>

#include "binding/call_block.h"
#include "native/matrix.h"
#include "native/status.h"

namespace simdloss {

// Of each array, what JavaScript says of it and what a call makes of it. lib/wasm/ knows the layout.
struct Span {
  void* data;
  size_t length;   // elements
  uint32_t dtype;  // 0: no array; else 1 + Dtype
  // Set by the call.
  uint32_t uses;  // kReads, kWrites
  size_t extent;  // elements from the first that it touches to the last

  static constexpr uint32_t kReads = 1, kWrites = 2;
};

constexpr uint32_t DtypeCode(Dtype dtype) { return 1 + static_cast<uint32_t>(dtype); }

// A size or id: a whole number that a double and a size_t both hold. False for any other.
inline bool ToSize(double value, size_t* size) {
  constexpr double kMost = std::min<uint64_t>(std::numeric_limits<size_t>::max(), 9007199254740991u);
  const bool ok = value >= 0 && value <= kMost;
  *size = ok ? static_cast<size_t>(value) : 0;
  return ok;
}

// Notes that [rows, cols] with these strides is read, or written; false where it does not lie within the array.
// Sizes come from JavaScript: nothing may overflow.
inline bool Touch(Span* span, size_t rows, size_t cols, size_t row_stride, size_t col_stride, uint32_t uses) {
  span->uses = uses;
  span->extent = 0;
  if (rows == 0 || cols == 0) return true;
  constexpr size_t kMax = std::numeric_limits<size_t>::max();
  if (row_stride != 0 && rows - 1 > kMax / 2 / row_stride) return false;
  if (col_stride != 0 && cols - 1 > kMax / 2 / col_stride) return false;
  const size_t last = (rows - 1) * row_stride + (cols - 1) * col_stride;
  if (last >= span->length) return false;
  span->extent = last + 1;
  return true;
}

inline bool TouchOutput(Span* span, size_t rows, size_t cols, size_t row_stride) {
  // What lies between the rows of a copy must be what it was.
  const bool gaps = rows > 1 && row_stride != cols;
  return Touch(span, rows, cols, row_stride, 1, gaps ? Span::kReads | Span::kWrites : Span::kWrites);
}

// The arguments of one call: numbers in the block, arrays in spans. Any mismatch makes it one that is not run.
class Arguments {
 public:
  static constexpr size_t kMost = 9;

  // `measures`: nothing is run, the spans tell which memory the call would touch.
  Arguments(double* block, Span* spans, bool measures = false) : block_(block), spans_(spans), measures_(measures) {}

  double Number(Slot slot) const { return block_[slot]; }

  void Report(Slot slot, double value) { block_[slot] = value; }

  size_t Size(Slot slot) {
    size_t size;
    if (!ToSize(block_[slot], &size)) ok_ = false;
    return size;
  }

  // A whole number from least to most.
  int64_t Whole(Slot slot, double least, double most) {
    const double value = block_[slot];
    if (value >= least && value <= most) return static_cast<int64_t>(value);
    ok_ = false;
    return 0;
  }

  bool Flag(Slot slot) const { return block_[slot] != 0; }

  // Is there an array in argument i?
  bool Has(size_t i) const { return spans_[i].dtype != 0; }

  // The array in argument i as [rows, cols]; a null matrix where there is none.
  Matrix Array(size_t i, size_t rows, size_t cols, size_t row_stride, size_t col_stride) {
    if (!Has(i)) return {};
    return View(i, Touch(&spans_[i], rows, cols, row_stride, col_stride, Span::kReads), row_stride, col_stride);
  }

  // The output array in argument i, of `dtype`; null where there is none.
  void* Output(size_t i, Dtype dtype, size_t rows, size_t cols, size_t row_stride) {
    if (!Has(i)) return nullptr;
    const Matrix m = View(i, TouchOutput(&spans_[i], rows, cols, row_stride), row_stride, 1);
    if (m && m.dtype != dtype) ok_ = false;
    if (row_stride < cols && rows > 1) ok_ = false;
    return const_cast<void*>(m.data);
  }

  bool ok() const { return ok_; }

  // Is the call to be run? Where not, *status is what it came to. `complete`: it has what it needs.
  bool Ready(bool complete, Status* status) const {
    *status = ok_ && complete ? Status::kOk : Status::kBadArgument;
    return *status == Status::kOk && !measures_;
  }

 private:
  Matrix View(size_t i, bool fits, size_t row_stride, size_t col_stride) {
    const Span& span = spans_[i];
    if (!fits || span.dtype > kDtypes) {
      ok_ = false;
      return {};
    }
    return {span.data, static_cast<Dtype>(span.dtype - 1), row_stride, col_stride};
  }

  double* block_;
  Span* spans_;
  bool measures_;
  bool ok_ = true;
};

}  // namespace simdloss

#endif  // SIMDLOSS_BINDING_ARGUMENTS_H_
