// SPDX-License-Identifier: Apache-2.0
// Matrix products and column sums of a dense layer, on the chosen SIMD target.
#ifndef SIMDLOSS_NATIVE_GEMM_H_
#define SIMDLOSS_NATIVE_GEMM_H_

#include <cstddef>

#include "native/matrix.h"

namespace simdloss {

// C[m, n] = op(A) op(B) + bias, where op(X) is X, or X transposed. Row-major; leading dimensions count elements from
// one row to the next as stored. Float32 is summed in float32: the error is within k * eps * sum |a| |b|.
struct GemmCall {
  Dtype dtype = Dtype::kFloat32;  // of all four: kFloat32 or kFloat64
  bool transpose_a = false;       // A is stored [k, m]
  bool transpose_b = false;       // B is stored [n, k]
  size_t m = 0;
  size_t n = 0;
  size_t k = 0;
  const void* a = nullptr;
  size_t lda = 0;
  const void* b = nullptr;
  size_t ldb = 0;
  void* c = nullptr;  // no overlap with the operands
  size_t ldc = 0;
  const void* bias = nullptr;  // [n], added to each row; null: none
};

// Multiply-adds from which a product is worth the pool's threads: so many take 25 us on one core, and on two that are
// free and awake 1.5..1.65 times less (128 x 128 x 64, float32, either factor transposed).
constexpr size_t kThreadedWork = size_t{1} << 20;

// Computes all of C, a large one on the pool's threads. False, and C is not complete, when there is no memory for
// packing.
bool Gemm(const GemmCall& call);

// out[j] = sum over i of x[i * stride + j]. Float32 is summed in double.
void ColumnSums(Dtype dtype, size_t rows, size_t cols, const void* x, size_t stride, void* out);

}  // namespace simdloss

#endif  // SIMDLOSS_NATIVE_GEMM_H_
