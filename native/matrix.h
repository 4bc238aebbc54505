// SPDX-License-Identifier: Apache-2.0
// A caller's array as the kernels see it: a row-major view of any dtype, read in place.
#ifndef SIMDLOSS_NATIVE_MATRIX_H_
#define SIMDLOSS_NATIVE_MATRIX_H_

#include <cstddef>
#include <cstdint>

namespace simdloss {

#define SIMDLOSS_DTYPES(X) \
  X(Float32)               \
  X(Float64)               \
  X(Int8)                  \
  X(Uint8)                 \
  X(Int16)                 \
  X(Uint16)                \
  X(Int32)                 \
  X(Uint32)                \
  X(Int64)                 \
  X(Uint64)

enum class Dtype : int32_t {
#define SIMDLOSS_X(name) k##name,
  SIMDLOSS_DTYPES(SIMDLOSS_X)
#undef SIMDLOSS_X
};

#define SIMDLOSS_X(name) +1
constexpr size_t kDtypes = SIMDLOSS_DTYPES(SIMDLOSS_X);
#undef SIMDLOSS_X

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
