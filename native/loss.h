// SPDX-License-Identifier: Apache-2.0
// Losses: score, score per row and gradient in one pass, on the chosen SIMD target.
#ifndef SIMDLOSS_NATIVE_LOSS_H_
#define SIMDLOSS_NATIVE_LOSS_H_

#include <cstddef>
#include <cstdint>
#include <limits>

#include "native/activation.h"
#include "native/matrix.h"
#include "native/status.h"

namespace simdloss {

// Formulas per element: functors of the same name in kernels/loss-inl.h. MSE, MAE, ... are these times
// LossParams::scale.
#define SIMDLOSS_ELEMENTWISE_LOSSES(X) \
  X(CrossEntropy)                      \
  X(BinaryXENT)                        \
  X(Hinge)                             \
  X(SquaredHinge)                      \
  X(L2)                                \
  X(L1)                                \
  X(MSLE)                              \
  X(MAPE)                              \
  X(Poisson)                           \
  X(KLD)                               \
  X(Wasserstein)

// Formulas per row or batch: functors of the same name in kernels/loss_rowwise-inl.h.
#define SIMDLOSS_ROWWISE_LOSSES(X) \
  X(CosineProximity)               \
  X(MultiLabel)                    \
  X(MixtureDensity)                \
  X(FMeasure)

enum class LossKind : int32_t {
#define SIMDLOSS_X(name) k##name,
  SIMDLOSS_ELEMENTWISE_LOSSES(SIMDLOSS_X) SIMDLOSS_ROWWISE_LOSSES(SIMDLOSS_X)
#undef SIMDLOSS_X
      kCount,
};

constexpr bool IsElementwise(LossKind kind) { return kind < LossKind::kCosineProximity; }

struct LossParams {
  double scale = 1;  // multiplies the loss of an element: 1 / cols for the means over columns
  double clip = 0;   // BinaryXENT: clipEps; CrossEntropy with softmax: softmaxClipEps
  // log(clip) and log(1 - clip), which RunLoss sets where they are NaN: once for a call that is run many times.
  mutable double log_clip = std::numeric_limits<double>::quiet_NaN();
  mutable double log1m_clip = std::numeric_limits<double>::quiet_NaN();
  double beta = 1;          // FMeasure
  size_t mixtures = 1;      // MixtureDensity
  bool has_ignore = false;  // sparse labels: rows labelled ignore_index count as masked
  int64_t ignore_index = 0;
};

struct LossCall {
  LossKind loss = LossKind::kL2;
  LossParams params;
  ActivationKind activation = ActivationKind::kIdentity;
  ActivationParams activation_params;
  Dtype dtype = Dtype::kFloat32;  // of pre_output, gradient and score_array
  size_t rows = 0;
  size_t cols = 0;
  size_t label_cols = 0;  // cols, but for MixtureDensity
  Matrix pre_output;
  Matrix labels;
  bool sparse_labels = false;  // labels hold one class index a row
  Matrix mask;                 // null: none
  Matrix weights;              // null: none
  Matrix alpha;                // PReLU's
  bool score = false;          // is the score asked for?

  // Does the mask tell the outputs of a row apart?
  bool HasOutputMask() const { return mask && mask.col_stride != 0 && cols > 1; }

  void* score_array = nullptr;  // [rows], or null
  void* gradient = nullptr;     // [rows, cols], or null; may be pre_output exactly
  size_t gradient_stride = 0;

  // Set by RunLoss.
  mutable bool stream = false;  // the gradient is larger than the caches
  // Of dtype: a row of weights, and a tile's length more of it over and over.
  mutable const void* repeated_weights = nullptr;
  mutable const double* repeated_weights_f64 = nullptr;
};

struct LossResult {
  double score = 0;
  size_t bad_row = 0;
};

// Checks sparse labels first: a call that fails has written nothing.
Status RunLoss(const LossCall& call, LossResult* result);

}  // namespace simdloss

#endif  // SIMDLOSS_NATIVE_LOSS_H_
