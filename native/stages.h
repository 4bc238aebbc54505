// SPDX-License-Identifier: Apache-2.0
// The per-target functions that the plain C++ drivers call: tables of stages, one per dtype, for the chosen target.
//
// A stage works on whole vectors: every length is a multiple of the target's lanes, pointers need no alignment.
#ifndef SIMDLOSS_NATIVE_STAGES_H_
#define SIMDLOSS_NATIVE_STAGES_H_

#include <algorithm>
#include <cstddef>
#include <cstdint>

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

// Where a loss stage takes the activated output from (kernels/loss-inl.h). What it reads is computed by a stage before
// it: shorter chains of dependent instructions than all in one, of which the processor overlaps more. Measured on AVX2,
// one stage against two or three, ns an element: Poisson + softplus 2.4 / 1.6, hinge + tanh 1.4 / 0.8 (1024 x 1000).
enum InputKind {
  kStagedInput,    // a and s, of the activation's stage
  kIdentityInput,  // a = z
  kSoftmaxInput,   // a = p, s = log p, b = 1 - p
  // The losses that need more of the activation than its value and slope.
  kSigmoidInput,        // z, and s = exp(-|z|)
  kSoftPlusInput,       // z, a and s
  kTanHInput,           // a, and s = 1 - |a|
  kRectifiedTanhInput,  // a and s
  kSoftSignInput,       // z, a and s
  kInputKinds,
};

// What it writes, or returns: the sum of the terms.
enum Outputs { kTerm, kSlope, kTermAndSlope, kSumAndSlope, kOutputKinds };

template <class T>
struct LossTile {
  const T* z;
  const T* a;
  const T* s;
  const T* b;
  const T* y;
  T* term;
  T* slope;  // may be z or a
  // kSumAndSlope: both are multiplied by m w, exactly 0 where m is; m or w may be null.
  const T* m;
  const T* w;
};

// Whole vectors; with kIdentityInput any number of elements.
template <class T>
using LossStage = double (*)(const LossParams& params, const LossTile<T>& tile, size_t count);

template <class T>
struct LossStages {
  // Null where the pair is not fused.
  LossStage<T> loss[static_cast<size_t>(LossKind::kCosineProximity)][kInputKinds][kOutputKinds];
  // s of kSigmoidInput; a and s of kTanHInput.
  void (*exp_of_logit)(const T* z, T* s, size_t count);
  void (*tanh_and_rest)(const T* z, T* a, T* s, size_t count);
  // x *= m w; exactly 0 where m is 0. m or w may be null.
  void (*scale)(const T* m, const T* w, T* x, size_t count);
  // The sum of that, without writing it; any number of elements.
  double (*scaled_sum)(const T* m, const T* w, const T* x, size_t count);
  // to = m w from, in the same way, of any number of elements.
  void (*scaled_copy)(size_t count, const T* m, const T* w, const T* from, T* to);
  // out[i] = values[(first + i) / cols]: `out` has room for a whole vector beyond count.
  void (*expand)(const T* values, size_t cols, size_t first, size_t count, T* out);
  // x *= y
  void (*multiply)(const T* y, T* x, size_t count);
  // Any number of elements past the caches; may leave them unordered until fence().
  void (*stream)(const T* from, T* to, size_t count);
  void (*fence)();
  // The sum of any number of elements, good to a few roundings of T; the same to the bit as kSumAndSlope's.
  double (*sum)(const T* x, size_t count);
};

template <class T>
const LossStages<T>& ChosenLossStages();

// --- Rows ------------------------------------------------------------------------------------------------------------

// Rows of up to this many vectors are handled a row a lane. Narrow costs two transposing copies an element, wide three
// reductions across the lanes a row and the idle lanes of its last vector.
constexpr size_t kNarrowVectors = 3;
constexpr bool IsNarrow(size_t cols, size_t lanes) { return cols <= kNarrowVectors * lanes; }

// Of cross entropy, where that is better by more, whole blocks of rows of up to this many are; its last rows, if they
// are fewer, are wide. In parts of the time of wide, AVX2: 25 columns 0.41, 32 0.62, 48 0.75; in float64 13 0.43, 16
// 0.67. From 33 columns on outputs larger than the caches lose: they are not written past them.
constexpr size_t kNarrowEntropyVectors = 4;

// A block of rows as the row stages see it. Wide: one row, its columns along the lanes. Narrow: as many rows as lanes,
// column j in vector j.
struct RowLayout {
  bool narrow;
  size_t cols;
};

// Rows of softmax and cross entropy, read and written in place.
template <class T>
struct SoftmaxRows {
  size_t rows, cols;
  const T* z;
  size_t z_stride;
  // Labels: one class a row, -1 for none, with a weight unless null, ...
  const int64_t* classes;
  const T* class_weights;
  // ... or, where classes is null, t = m w y and y, 0 where m is.
  const T* t;
  size_t t_stride;
  const T* y;
  size_t y_stride;
  bool kld;               // the score is KLD's
  const double* factors;  // one a row; exactly 0 takes the row out; null: all 1
  T* g;                   // may be z exactly; null: scores alone
  size_t g_stride;
  bool stream;     // write g past the caches
  double* scores;  // one a row, with room for a whole vector; null: slopes alone
  T* scratch;      // SoftmaxScratch<T>(rows, cols) elements, aligned; the first ones are then the rows' maxima

  // Leaves out the first rows, but for their factors.
  void Skip(size_t count) {
    z += count * z_stride;
    if (classes != nullptr) classes += count;
    if (t != nullptr) t += count * t_stride;
    if (y != nullptr) y += count * y_stride;
    if (g != nullptr) g += count * g_stride;
    if (scores != nullptr) scores += count;
  }
};

template <class T>
constexpr size_t SoftmaxScratch(size_t rows, size_t cols) {
  const size_t padded = RoundUpToPadding<T>(rows);
  // Eight numbers a row; narrow: z, e, t and y transposed; wide: e, shifted as g is.
  return 8 * padded +
         std::max(4 * padded * std::min(cols, kNarrowEntropyVectors * kPadding<T>),
                  rows * (RoundUpToPadding<T>(cols) + 2 * kPadding<T>)) +
         kPadding<T>;
}

// Rows of the largest block: lanes of the widest vector.
constexpr size_t kMaxBlockRows = 16;

template <class T>
struct RowStages {
  size_t lanes;
  // p = softmax(z); log_p and b = 1 - p unless null.
  void (*softmax)(const RowLayout& layout, const T* z, T* p, T* log_p, T* b);
  // g = v - p sum(v): softmax's Jacobian on v = p dL/dp. v may be g.
  void (*softmax_jacobian)(const RowLayout& layout, const T* p, const T* v, T* g);
  void (*softmax_cross_entropy)(const LossParams& params, const SoftmaxRows<T>& rows);
  // Softmax and binary cross entropy without a clip; t = m w, 0 where masked. q, r: scratch. score: one a lane.
  void (*softmax_binary_xent)(const RowLayout& layout, const T* z, const T* y, const T* t, T* q, T* r, T* g,
                              double* score);
  // The sums of x over each row.
  void (*row_sums)(const RowLayout& layout, const T* x, double* sums);
};

template <class T>
const RowStages<T>& ChosenRowStages();

struct RowwiseParams {
  size_t label_cols;
  size_t mixtures;  // MixtureDensity
};

// Rows of a loss that couples a row, in memory of type T, read and written in place.
template <class T>
struct RowwiseRows {
  size_t rows, cols;
  const T* a;
  size_t a_stride;
  const T* y;
  size_t y_stride;
  const double* factors;  // one a row; exactly 0 takes the row out; null: all 1
  T* u;                   // dscore/da times factor; may be a exactly; null: scores alone
  size_t u_stride;
  double* scores;   // one a row
  double* scratch;  // RowwiseScratch(...) elements, aligned
};

constexpr size_t RowwiseScratch(size_t cols, const RowwiseParams& params) {
  return (3 * cols + params.label_cols + 4 * params.mixtures) * kPadding<double>;
}

// Losses that couple a row, in float64 lanes whatever the dtype: their sums, products and exponentials of differences
// outgrow float32 long before the result does.
template <class T>
struct RowwiseStages {
  using Stage = void (*)(const RowwiseParams& params, const RowwiseRows<T>& rows);
  Stage cosine_proximity, multi_label, mixture_density;
};

template <class T>
const RowwiseStages<T>& ChosenRowwiseStages();

}  // namespace simdloss

#endif  // SIMDLOSS_NATIVE_STAGES_H_
