// SPDX-License-Identifier: Apache-2.0
// Activations: f(z) and its backprop over matrices, on the chosen SIMD target.
#ifndef SIMDLOSS_NATIVE_ACTIVATION_H_
#define SIMDLOSS_NATIVE_ACTIVATION_H_

#include <cstddef>
#include <cstdint>

#include "native/matrix.h"
#include "native/status.h"

namespace simdloss {

// Name of each elementwise activation's functor (kernels/activation-inl.h). Softmax couples a row and stands apart.
#define SIMDLOSS_ACTIVATIONS(X) \
  X(Identity)                   \
  X(Cube)                       \
  X(ELU)                        \
  X(GELU)                       \
  X(GELUPrecise)                \
  X(HardSigmoid)                \
  X(HardTanH)                   \
  X(LReLU)                      \
  X(Mish)                       \
  X(PReLU)                      \
  X(RationalTanh)               \
  X(RectifiedTanh)              \
  X(ReLU)                       \
  X(SELU)                       \
  X(Sigmoid)                    \
  X(SoftPlus)                   \
  X(SoftSign)                   \
  X(Swish)                      \
  X(TanH)                       \
  X(ThresholdedReLU)

enum class ActivationKind : int32_t {
#define SIMDLOSS_X(name) k##name,
  SIMDLOSS_ACTIVATIONS(SIMDLOSS_X)
#undef SIMDLOSS_X
      kSoftmax,
  kCount,
};

// Parameters of an activation; each functor says which it reads.
struct ActivationParams {
  double p[3] = {0, 0, 0};
};

struct ActivationCall {
  ActivationKind activation = ActivationKind::kIdentity;
  ActivationParams params;
  Dtype dtype = Dtype::kFloat32;  // of input, epsilon and out
  size_t rows = 0;
  size_t cols = 0;
  Matrix input;
  Matrix epsilon;  // null: forward, out = f(input); else backprop, out = dL/dz
  Matrix alpha;    // PReLU: one slope per column (row_stride 0) or per element
  void* out = nullptr;
  size_t out_stride = 0;
};

// out may be the input or epsilon exactly; any other overlap is undefined.
Status RunActivation(const ActivationCall& call);

// PReLU's gradient of alpha: for each column the sum over the rows of epsilon z where z < 0. out: [cols] of dtype.
Status RunPReLUParameterGradient(const ActivationCall& call, void* out);

}  // namespace simdloss

#endif  // SIMDLOSS_NATIVE_ACTIVATION_H_
