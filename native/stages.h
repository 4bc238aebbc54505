// SPDX-License-Identifier: Apache-2.0
// The per-target functions that the plain C++ drivers call: tables of stages, one per dtype, for the chosen target.
//
// A stage works on whole vectors: every length is a multiple of kPadding elements, pointers need no alignment.
#ifndef SIMDLOSS_NATIVE_STAGES_H_
#define SIMDLOSS_NATIVE_STAGES_H_

#include <cstddef>

#include "native/activation.h"
#include "native/loss.h"

namespace simdloss {

// Elements that fill the widest vector of any target.
template <class T>
constexpr size_t kPadding = 64 / sizeof(T);

template <class T>
constexpr size_t RoundUpToPadding(size_t count) {
  return (count + kPadding<T> - 1) / kPadding<T> * kPadding<T>;
}

// --- Activations -----------------------------------------------------------------------------------------------------

// a = f(z) and s = f'(z), either of which may be z; alpha is PReLU's slope per element.
template <class T>
using ActivationStage = void (*)(const ActivationParams& params, const T* z, const T* alpha, T* a, T* s, size_t count);

template <class T>
struct ActivationStages {
  ActivationStage<T> value[static_cast<size_t>(ActivationKind::kSoftmax)];
  ActivationStage<T> value_and_slope[static_cast<size_t>(ActivationKind::kSoftmax)];
};

template <class T>
const ActivationStages<T>& ChosenActivationStages();

// --- Elementwise losses ----------------------------------------------------------------------------------------------

// Where a loss stage takes the activated output from (kernels/loss-inl.h): read from a and s, or computed from a = z.
enum InputKind {
  kStagedInput,
  kIdentityInput,
  kSoftmaxInput,
  // Fused: computed from z, where the loss needs more of the activation than its value and slope.
  kSigmoidInput,
  kSoftPlusInput,
  kTanHInput,
  kRectifiedTanhInput,
  kSoftSignInput,
  kInputKinds,
};

// What it writes.
enum Outputs { kTerm, kSlope, kTermAndSlope, kOutputKinds };

template <class T>
struct LossTile {
  const T* a;  // or z
  const T* s;  // staged: the slope; softmax: log p
  const T* b;  // softmax: 1 - p
  const T* y;
  T* term;
  T* slope;  // may be a
};

template <class T>
using LossStage = void (*)(const LossParams& params, const LossTile<T>& tile, size_t count);

template <class T>
struct LossStages {
  // Null where the pair is not fused.
  LossStage<T> loss[static_cast<size_t>(LossKind::kCosineProximity)][kInputKinds][kOutputKinds];
  // x *= m w; exactly 0 where m is 0. m or w may be null.
  void (*scale)(const T* m, const T* w, T* x, size_t count);
  // x *= y
  void (*multiply)(const T* y, T* x, size_t count);
  // The sum of any number of elements, good to a few roundings of T.
  double (*sum)(const T* x, size_t count);
};

template <class T>
const LossStages<T>& ChosenLossStages();

// --- Rows ------------------------------------------------------------------------------------------------------------

// A block of rows as the row stages see it. Wide: one row, its columns along the lanes, padded to `steps` vectors.
// Narrow: as many rows as lanes, column j in vector j; steps = cols.
struct RowLayout {
  bool narrow;
  size_t cols;
  size_t steps;
};

template <class T>
struct RowStages {
  size_t lanes;
  // p = softmax(z); log_p and b = 1 - p unless null. Padding columns of z must be -Infinity.
  void (*softmax)(const RowLayout& layout, const T* z, T* p, T* log_p, T* b);
  // g = v - p sum(v): softmax's Jacobian on v = p dL/dp. v may be g.
  void (*softmax_jacobian)(const RowLayout& layout, const T* p, const T* v, T* g);
  // Softmax and cross entropy: y the labels (0 where masked), t = m w y; e is scratch. g may be null. score: one a
  // lane.
  void (*softmax_cross_entropy)(const RowLayout& layout, const LossParams& params, const T* z, const T* y, const T* t,
                                T* e, T* g, double* score);
  // Softmax and binary cross entropy without a clip; t = m w, 0 where masked or padding. q, r: scratch.
  void (*softmax_binary_xent)(const RowLayout& layout, const T* z, const T* y, const T* t, T* q, T* r, T* g,
                              double* score);
  // The sums of x over each row.
  void (*row_sums)(const RowLayout& layout, const T* x, double* sums);
};

template <class T>
const RowStages<T>& ChosenRowStages();

// Losses that couple a row, in float64 lanes whatever the dtype: their sums, products and exponentials of differences
// outgrow float32 long before the result does. u = dscore/da unless null.
struct RowwiseStages {
  void (*cosine_proximity)(const RowLayout& layout, const double* y, const double* a, double* u, double* score);
  void (*multi_label)(const RowLayout& layout, const double* y, const double* a, double* u, double* score);
  // Narrow only.
  void (*mixture_density)(const RowLayout& layout, size_t mixtures, size_t label_width, const double* y,
                          const double* a, double* scratch, double* u, double* score);
};

const RowwiseStages& ChosenRowwiseStages();

}  // namespace simdloss

#endif  // SIMDLOSS_NATIVE_STAGES_H_
