// SPDX-License-Identifier: Apache-2.0
// Reads what JavaScript passed and checks that it is as large as the call says: lib/ has checked already, but what the
// kernels may touch is decided here.
#ifndef SIMDLOSS_BINDING_ARGUMENTS_H_
#define SIMDLOSS_BINDING_ARGUMENTS_H_

#include <napi.h>

#include <cstddef>
#include <limits>

#include "binding/call_block.h"
#include "native/matrix.h"
#include "native/status.h"

namespace simdloss {

// Does [rows, cols] with these strides lie within `length` elements? Sizes come from JavaScript: nothing may overflow.
inline bool Fits(size_t length, size_t rows, size_t cols, size_t row_stride, size_t col_stride) {
  if (rows == 0 || cols == 0) return true;
  constexpr size_t kMax = std::numeric_limits<size_t>::max();
  if (row_stride != 0 && rows - 1 > kMax / 2 / row_stride) return false;
  if (col_stride != 0 && cols - 1 > kMax / 2 / col_stride) return false;
  return (rows - 1) * row_stride + (cols - 1) * col_stride < length;
}

// A size or id: a whole number that a double and a size_t both hold. False for any other.
inline bool ToSize(double value, size_t* size) {
  const bool ok = value >= 0 && value <= 9007199254740991.0;
  *size = ok ? static_cast<size_t>(value) : 0;
  return ok;
}

// The arguments of one call. Any mismatch makes ok() false, and the call is not run.
class Arguments {
 public:
  static constexpr size_t kMost = 9;

  // `values` holds kMost of them, undefined where fewer were passed.
  Arguments(napi_env env, const napi_value* values, const double* block) : env_(env), values_(values), block_(block) {
    dtypes_ = Size(kSlot_dtypes);
  }

  napi_env env() const { return env_; }

  napi_value operator[](size_t i) const { return values_[i]; }

  bool ok() const { return ok_; }

  double Number(Slot slot) const { return block_[slot]; }

  size_t Size(Slot slot) {
    size_t size;
    if (!ToSize(block_[slot], &size)) ok_ = false;
    return size;
  }

  bool Flag(Slot slot) const { return block_[slot] != 0; }

  // Is there an array in argument i?
  bool Has(size_t i) const { return DtypeCode(i) != 0; }

  // The array in argument i as [rows, cols]; a null matrix where there is none. An array keeps its type for life, so
  // lib/'s word for it holds, which saves 28 of 46 ns; its length and memory can change, and are asked here.
  Matrix Array(size_t i, size_t rows, size_t cols, size_t row_stride, size_t col_stride) {
    if (!Has(i)) return {};
    size_t length = 0;
    void* data = nullptr;
    if (napi_get_typedarray_info(env_, values_[i], nullptr, &length, &data, nullptr, nullptr) != napi_ok ||
        DtypeCode(i) > kDtypes || !Fits(length, rows, cols, row_stride, col_stride)) {
      ok_ = false;
      return {};
    }
    return {data, static_cast<Dtype>(DtypeCode(i) - 1), row_stride, col_stride};
  }

  // The output array in argument i, of `dtype`; null for undefined.
  void* Output(size_t i, Dtype dtype, size_t rows, size_t cols, size_t row_stride) {
    const Matrix m = Array(i, rows, cols, row_stride, 1);
    if (m && m.dtype != dtype) ok_ = false;
    if (row_stride < cols && rows > 1) ok_ = false;
    return const_cast<void*>(m.data);
  }

 private:
  // A hexadecimal digit an argument, the first one lowest.
  size_t DtypeCode(size_t i) const { return dtypes_ >> (4 * i) & 15; }

  napi_env env_;
  const napi_value* values_;
  const double* block_;
  size_t dtypes_ = 0;
  bool ok_ = true;
};

// Undefined for kOk: 9 ns a crossing, where returning any number takes 15.
inline napi_value ToStatus(const Arguments& args, Status status) {
  if (status == Status::kOk) return nullptr;
  return Napi::Number::New(args.env(), static_cast<int>(status));
}

}  // namespace simdloss

#endif  // SIMDLOSS_BINDING_ARGUMENTS_H_
