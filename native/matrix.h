// SPDX-License-Identifier: Apache-2.0
// A caller's array as the kernels see it: a row-major view of any dtype, read in place.
#ifndef SIMDLOSS_NATIVE_MATRIX_H_
#define SIMDLOSS_NATIVE_MATRIX_H_

#include <cstddef>
#include <cstdint>

namespace simdloss {

enum class Dtype : int32_t {
  kFloat32,
  kFloat64,
  kInt8,
  kUint8,
  kInt16,
  kUint16,
  kInt32,
  kUint32,
  kInt64,
  kUint64,
};

constexpr size_t SizeOf(Dtype dtype) {
  switch (dtype) {
    case Dtype::kInt8:
    case Dtype::kUint8:
      return 1;
    case Dtype::kInt16:
    case Dtype::kUint16:
      return 2;
    case Dtype::kFloat32:
    case Dtype::kInt32:
    case Dtype::kUint32:
      return 4;
    default:
      return 8;
  }
}

// Element (i, j) is data[i * row_stride + j * col_stride]. A stride of 0 repeats: a per-example mask has col_stride 0,
// class weights have row_stride 0. Strides count elements.
struct Matrix {
  const void* data = nullptr;
  Dtype dtype = Dtype::kFloat32;
  size_t row_stride = 0;
  size_t col_stride = 1;

  explicit operator bool() const { return data != nullptr; }
};

}  // namespace simdloss

#endif  // SIMDLOSS_NATIVE_MATRIX_H_
