// SPDX-License-Identifier: Apache-2.0
// A dense layer, softmax and cross entropy of class indices in one: score and gradients without the logits of the
// batch.
#ifndef SIMDLOSS_NATIVE_LINEAR_CROSS_ENTROPY_H_
#define SIMDLOSS_NATIVE_LINEAR_CROSS_ENTROPY_H_

#include <cstddef>
#include <cstdint>

#include "native/loss.h"
#include "native/matrix.h"
#include "native/status.h"

namespace simdloss {

// L = sum over i of m_i w_k -log softmax(x_i W + b)_k, k the label of row i. Rows of a mask of 0 and ignored ones are
// left out: what x holds there reaches nothing.
struct LinearCrossEntropyCall {
  LossParams params;              // clip, has_ignore, ignore_index
  Dtype dtype = Dtype::kFloat32;  // of x, w, bias and the gradients
  size_t rows = 0;
  size_t depth = 0;  // columns of x
  size_t cols = 0;   // classes
  const void* x = nullptr;
  size_t x_stride = 0;
  const void* w = nullptr;  // [depth, cols]
  size_t w_stride = 0;
  const void* bias = nullptr;  // [cols]; null: none
  Matrix labels;               // one class index a row
  Matrix mask;                 // one value a row; null: none
  Matrix weights;              // one value a class; null: none
  void* gradient_x = nullptr;
  size_t gradient_x_stride = 0;
  void* gradient_w = nullptr;
  size_t gradient_w_stride = 0;
  void* gradient_bias = nullptr;  // [cols]; null: none
};

// Checks the labels first: a call that fails for them has written nothing. Every gradient is written, in the same bits
// for any number of threads.
Status RunLinearCrossEntropy(const LinearCrossEntropyCall& call, LossResult* result);

}  // namespace simdloss

#endif  // SIMDLOSS_NATIVE_LINEAR_CROSS_ENTROPY_H_
