// SPDX-License-Identifier: Apache-2.0
// Reads what JavaScript passed and checks that it is as large as the call says: lib/ has checked already, but what the
// kernels may touch is decided here.
#ifndef SIMDLOSS_BINDING_ARGUMENTS_H_
#define SIMDLOSS_BINDING_ARGUMENTS_H_

#include <napi.h>

#include <cstddef>
#include <limits>
#include <optional>

#include "binding/call_block.h"
#include "native/matrix.h"

namespace simdloss {

struct TypedArray {
  Dtype dtype;
  size_t length;
  void* data;
};

inline std::optional<TypedArray> ReadTypedArray(napi_env env, napi_value value) {
  napi_typedarray_type type;
  TypedArray array{};
  if (napi_get_typedarray_info(env, value, &type, &array.length, &array.data, nullptr, nullptr) != napi_ok) {
    return std::nullopt;
  }
  switch (type) {
    case napi_float32_array:
      array.dtype = Dtype::kFloat32;
      break;
    case napi_float64_array:
      array.dtype = Dtype::kFloat64;
      break;
    case napi_int8_array:
      array.dtype = Dtype::kInt8;
      break;
    case napi_uint8_array:
    case napi_uint8_clamped_array:
      array.dtype = Dtype::kUint8;
      break;
    case napi_int16_array:
      array.dtype = Dtype::kInt16;
      break;
    case napi_uint16_array:
      array.dtype = Dtype::kUint16;
      break;
    case napi_int32_array:
      array.dtype = Dtype::kInt32;
      break;
    case napi_uint32_array:
      array.dtype = Dtype::kUint32;
      break;
    case napi_bigint64_array:
      array.dtype = Dtype::kInt64;
      break;
    case napi_biguint64_array:
      array.dtype = Dtype::kUint64;
      break;
    default:
      return std::nullopt;
  }
  return array;
}

// Does [rows, cols] with these strides lie within `length` elements? Sizes come from JavaScript: nothing may overflow.
inline bool Fits(size_t length, size_t rows, size_t cols, size_t row_stride, size_t col_stride) {
  if (rows == 0 || cols == 0) return true;
  constexpr size_t kMax = std::numeric_limits<size_t>::max();
  if (row_stride != 0 && rows - 1 > kMax / 2 / row_stride) return false;
  if (col_stride != 0 && cols - 1 > kMax / 2 / col_stride) return false;
  return (rows - 1) * row_stride + (cols - 1) * col_stride < length;
}

// The arguments of one call. Any mismatch makes ok() false, and the call is not run.
class Arguments {
 public:
  Arguments(const Napi::CallbackInfo& info, const double* block) : info_(info), block_(block) {}

  bool ok() const { return ok_; }

  double Number(Slot slot) const { return block_[slot]; }

  // A size or id: a whole number that a double and a size_t both hold.
  size_t Size(Slot slot) {
    const double value = block_[slot];
    if (!(value >= 0 && value <= 9007199254740991.0)) {
      ok_ = false;
      return 0;
    }
    return static_cast<size_t>(value);
  }

  bool Flag(Slot slot) const { return block_[slot] != 0; }

  // The array in argument i as [rows, cols]; a null matrix for undefined.
  Matrix Array(size_t i, size_t rows, size_t cols, size_t row_stride, size_t col_stride) {
    if (IsAbsent(i)) return {};
    const auto array = ReadTypedArray(info_.Env(), info_[i]);
    if (!array || !Fits(array->length, rows, cols, row_stride, col_stride)) {
      ok_ = false;
      return {};
    }
    return {array->data, array->dtype, row_stride, col_stride};
  }

  // The output array in argument i, of `dtype`; null for undefined.
  void* Output(size_t i, Dtype dtype, size_t rows, size_t cols, size_t row_stride) {
    const Matrix m = Array(i, rows, cols, row_stride, 1);
    if (m && m.dtype != dtype) ok_ = false;
    if (row_stride < cols && rows > 1) ok_ = false;
    return const_cast<void*>(m.data);
  }

 private:
  bool IsAbsent(size_t i) const { return info_[i].IsUndefined(); }

  const Napi::CallbackInfo& info_;
  const double* block_;
  bool ok_ = true;
};

}  // namespace simdloss

#endif  // SIMDLOSS_BINDING_ARGUMENTS_H_
