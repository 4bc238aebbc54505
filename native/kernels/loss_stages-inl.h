// SPDX-License-Identifier: Apache-2.0
// The table of elementwise loss stages of one dtype. Which pairs of loss and activation are fused is said here, once.

#if defined(SIMDLOSS_NATIVE_KERNELS_LOSS_STAGES_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef SIMDLOSS_NATIVE_KERNELS_LOSS_STAGES_INL_H_
#undef SIMDLOSS_NATIVE_KERNELS_LOSS_STAGES_INL_H_
#else
#define SIMDLOSS_NATIVE_KERNELS_LOSS_STAGES_INL_H_
#endif

#include <type_traits>

#include "hwy/highway.h"
#include "native/double_double.h"
#include "native/kernels/loss-inl.h"
#include "native/kernels/rows-inl.h"
#include "native/stages.h"

HWY_BEFORE_NAMESPACE();
namespace simdloss {
namespace HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

template <InputKind kInput, class D, class T>
HWY_INLINE auto MakeInput(D d, const LossTile<T>& tile, size_t i) {
  const auto a = hn::LoadU(d, tile.a + i);
  if constexpr (kInput == kStagedInput) {
    return StagedInput<D>(d, a, hn::LoadU(d, tile.s + i));
  } else if constexpr (kInput == kIdentityInput) {
    return IdentityInput<D>(d, a);
  } else if constexpr (kInput == kSigmoidInput) {
    return SigmoidInput<D>(d, a);
  } else if constexpr (kInput == kSoftPlusInput) {
    return SoftPlusInput<D>(d, a);
  } else if constexpr (kInput == kTanHInput) {
    return TanHInput<activations::TanH, D>(d, a);
  } else if constexpr (kInput == kRectifiedTanhInput) {
    return TanHInput<activations::RectifiedTanh, D>(d, a);
  } else if constexpr (kInput == kSoftSignInput) {
    return SoftSignInput<D>(d, a);
  } else {
    return SoftmaxInput<D>{d, a, hn::LoadU(d, tile.s + i), hn::LoadU(d, tile.b + i)};
  }
}

template <class Loss, InputKind kInput, Outputs kOutputs, class T>
void Stage(const LossParams& params, const LossTile<T>& tile_in, size_t count) {
  const hn::ScalableTag<T> d;
  const size_t N = hn::Lanes(d);
  // Copies of their own: what is stored to the outputs can't change them.
  const LossParams p = params;
  const LossTile<T> tile = tile_in;
  for (size_t i = 0; i < count; i += N) {
    const auto loss = Loss::Eval(d, p, hn::LoadU(d, tile.y + i), MakeInput<kInput>(d, tile, i));
    if constexpr (kOutputs != kSlope) hn::StoreU(loss.term, d, tile.term + i);
    if constexpr (kOutputs != kTerm) hn::StoreU(loss.slope, d, tile.slope + i);
  }
}

template <class T>
void Scale(const T* m, const T* w, T* x, size_t count) {
  const hn::ScalableTag<T> d;
  const size_t N = hn::Lanes(d);
  for (size_t i = 0; i < count; i += N) {
    auto v = hn::LoadU(d, x + i);
    if (w != nullptr) v = hn::Mul(v, hn::LoadU(d, w + i));
    if (m != nullptr) {
      const auto mask = hn::LoadU(d, m + i);
      v = hn::IfThenZeroElse(hn::Eq(mask, hn::Zero(d)), hn::Mul(mask, v));
    }
    hn::StoreU(v, d, x + i);
  }
}

template <class T>
void ScaleRows(size_t rows, size_t cols, const T* m, const T* w, const T* from, size_t stride, T* to) {
  const hn::ScalableTag<T> d;
  const WideRows<decltype(d)> row{d, cols};
  for (size_t i = 0; i < rows; ++i) {
    ForEachStep(row, [&](auto at) HWY_ATTR {
      auto v = at.Load(d, from);
      if (w != nullptr) v = hn::Mul(v, at.Load(d, w));
      if (m != nullptr) {
        const auto mask = at.Load(d, m);
        v = hn::IfThenZeroElse(hn::Eq(mask, hn::Zero(d)), hn::Mul(mask, v));
      }
      at.Store(v, d, to);
    });
    from += stride;
    to += cols;
    if (m != nullptr) m += cols;
  }
}

template <class T>
void Multiply(const T* y, T* x, size_t count) {
  const hn::ScalableTag<T> d;
  const size_t N = hn::Lanes(d);
  for (size_t i = 0; i < count; i += N) hn::StoreU(hn::Mul(hn::LoadU(d, x + i), hn::LoadU(d, y + i)), d, x + i);
}

// Float32 terms: four accumulators over blocks of 16 vectors, the blocks in float64.
inline double Sum(const float* x, size_t count) {
  const hn::ScalableTag<float> d;
  const size_t N = hn::Lanes(d);
  double total = 0;
  size_t i = 0;
  while (i + 4 * N <= count) {
    auto s0 = hn::LoadU(d, x + i), s1 = hn::LoadU(d, x + i + N);
    auto s2 = hn::LoadU(d, x + i + 2 * N), s3 = hn::LoadU(d, x + i + 3 * N);
    i += 4 * N;
    for (int k = 1; k < 4 && i + 4 * N <= count; ++k, i += 4 * N) {
      s0 = hn::Add(s0, hn::LoadU(d, x + i));
      s1 = hn::Add(s1, hn::LoadU(d, x + i + N));
      s2 = hn::Add(s2, hn::LoadU(d, x + i + 2 * N));
      s3 = hn::Add(s3, hn::LoadU(d, x + i + 3 * N));
    }
    total += static_cast<double>(hn::ReduceSum(d, hn::Add(hn::Add(s0, s1), hn::Add(s2, s3))));
  }
  for (; i < count; ++i) total += static_cast<double>(x[i]);
  return total;
}

// Float64 terms have nothing wider: each lane carries its rounding errors along. Infinities stay what they are.
inline double Sum(const double* x, size_t count) {
  const hn::ScalableTag<double> d;
  const size_t N = hn::Lanes(d);
  auto high = hn::Zero(d), low = hn::Zero(d);
  size_t i = 0;
  for (; i + N <= count; i += N) {
    const auto v = hn::LoadU(d, x + i);
    const auto sum = hn::Add(high, v);
    const auto of_v = hn::Sub(sum, high);
    low = hn::Add(low, hn::Add(hn::Sub(high, hn::Sub(sum, of_v)), hn::Sub(v, of_v)));
    high = sum;
  }
  HWY_ALIGN double lanes[hn::MaxLanes(d)];
  hn::Store(high, d, lanes);
  DoubleDouble total = hn::ReduceSum(d, low);
  for (size_t k = 0; k < N; ++k) total = total + DoubleDouble(lanes[k]);
  for (; i < count; ++i) total = total + DoubleDouble(x[i]);
  double plain = hn::ReduceSum(d, high);
  for (size_t k = count / N * N; k < count; ++k) plain += x[k];
  return plain - plain == 0 ? total.Rounded() : plain;
}

// Losses with a log of the output take sigmoid and softplus in closed form: staged outputs underflow under the log.
template <class Loss>
constexpr bool kTakesLog = std::is_same_v<Loss, CrossEntropy> || std::is_same_v<Loss, BinaryXENT> ||
                           std::is_same_v<Loss, Poisson> || std::is_same_v<Loss, KLD>;

// Losses with a kink at y a = 1 take 1 - |a| of the outputs that approach +-1.
template <class Loss>
constexpr bool kTakesMargin = std::is_same_v<Loss, Hinge> || std::is_same_v<Loss, SquaredHinge>;

template <class Loss, InputKind kInput, class T>
constexpr void SetStages(LossStages<T>* stages, LossKind kind) {
  auto& row = stages->loss[static_cast<size_t>(kind)][kInput];
  row[kTerm] = &Stage<Loss, kInput, kTerm, T>;
  row[kSlope] = &Stage<Loss, kInput, kSlope, T>;
  row[kTermAndSlope] = &Stage<Loss, kInput, kTermAndSlope, T>;
}

template <class Loss, class T>
constexpr void SetLoss(LossStages<T>* stages, LossKind kind) {
  SetStages<Loss, kStagedInput>(stages, kind);
  SetStages<Loss, kIdentityInput>(stages, kind);
  SetStages<Loss, kSoftmaxInput>(stages, kind);
  if constexpr (kTakesLog<Loss> || kTakesMargin<Loss>) SetStages<Loss, kSigmoidInput>(stages, kind);
  if constexpr (kTakesLog<Loss>) SetStages<Loss, kSoftPlusInput>(stages, kind);
  if constexpr (kTakesMargin<Loss>) {
    SetStages<Loss, kTanHInput>(stages, kind);
    SetStages<Loss, kRectifiedTanhInput>(stages, kind);
    SetStages<Loss, kSoftSignInput>(stages, kind);
  }
}

template <class T>
constexpr LossStages<T> MakeLossStages() {
  LossStages<T> stages{};
#define SIMDLOSS_X(name) SetLoss<name>(&stages, LossKind::k##name);
  SIMDLOSS_ELEMENTWISE_LOSSES(SIMDLOSS_X)
#undef SIMDLOSS_X
  stages.scale = &Scale<T>;
  stages.scale_rows = &ScaleRows<T>;
  stages.multiply = &Multiply<T>;
  stages.sum = static_cast<double (*)(const T*, size_t)>(&Sum);
  return stages;
}

}  // namespace HWY_NAMESPACE
}  // namespace simdloss
HWY_AFTER_NAMESPACE();

#endif  // SIMDLOSS_NATIVE_KERNELS_LOSS_STAGES_INL_H_
