// SPDX-License-Identifier: Apache-2.0
// A block of rows against a slab of classes: what linear_cross_entropy.cc hands to its kernels.
#ifndef SIMDLOSS_NATIVE_CLASS_SLAB_H_
#define SIMDLOSS_NATIVE_CLASS_SLAB_H_

#include <cstddef>
#include <cstdint>

#include "native/scratch.h"

namespace simdloss {

// Rows lie along the lanes, in panels of `width` rows: element (row, j) of a matrix [rows, n] in panels is at
// (row / width * n + j) * width + row % width. Values per row fill whole panels.
template <class T>
struct ClassSlab {
  size_t width = 0;
  size_t rows = 0;
  size_t depth = 0;   // columns of x
  size_t begin = 0;   // the slab's first class
  size_t cols = 0;    // its classes
  bool first = true;  // nothing to add to yet: sums of the forward pass, gradient_w in the backward pass

  const int64_t* labels = nullptr;  // [rows]
  T* exps = nullptr;                // panels [rows, cols]: e^(z - slab_max), 0 of a row's own class
  T* slab_max = nullptr;            // [rows]

  // Forward. What the slabs up to this one came to, a row's own class left out.
  const T* x = nullptr;  // panels [rows, depth]
  const T* w = nullptr;  // [depth, ...]
  size_t w_stride = 0;
  const T* bias = nullptr;    // null: none
  T* max = nullptr;           // [rows], of z
  double* sum = nullptr;      // [rows], of e^(z - max)
  T* weighted_sum = nullptr;  // panels [rows, depth]: of e^(z - max) times the column of W
  T* label_logit = nullptr;   // [rows], written for the classes of the slab

  // Backward, with `max` that of all classes.
  const T* x_columns = nullptr;  // [depth, x_stride]: x transposed
  size_t x_stride = 0;
  const T* share = nullptr;        // [rows]: e^(z - max) times it is the gradient of a logit
  const T* label_slope = nullptr;  // [rows]: that of a row's own class
  T* gradient_w = nullptr;         // [depth, ...]
  size_t gradient_w_stride = 0;
  double* bias_sums = nullptr;  // [...], added to, padded to whole vectors; null: none
};

// The kernels of one target. False when there is no memory.
template <class T>
struct LinearCrossEntropyKernels {
  size_t width;  // rows of a panel
  bool (*forward)(const ClassSlab<T>& slab, Scratch& scratch, Scratch& packing);
  bool (*backward)(const ClassSlab<T>& slab, Scratch& scratch, Scratch& packing);
};

}  // namespace simdloss

#endif  // SIMDLOSS_NATIVE_CLASS_SLAB_H_
