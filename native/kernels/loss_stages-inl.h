// SPDX-License-Identifier: Apache-2.0
// The table of elementwise loss stages of one dtype. Which pairs of loss and activation are fused is said here, once.

#if defined(SIMDLOSS_NATIVE_KERNELS_LOSS_STAGES_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef SIMDLOSS_NATIVE_KERNELS_LOSS_STAGES_INL_H_
#undef SIMDLOSS_NATIVE_KERNELS_LOSS_STAGES_INL_H_
#else
#define SIMDLOSS_NATIVE_KERNELS_LOSS_STAGES_INL_H_
#endif

#include <algorithm>
#include <type_traits>

#include "hwy/cache_control.h"
#include "hwy/highway.h"
#include "native/kernels/loss-inl.h"
#include "native/kernels/rows-inl.h"
#include "native/kernels/sums-inl.h"
#include "native/stages.h"
#include "native/tile.h"

HWY_BEFORE_NAMESPACE();
namespace simdloss {
namespace HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

// Of what earlier stages left in buffers, whole vectors are there.
template <InputKind kInput, class D, class At, class T>
HWY_INLINE auto MakeInput(D d, At at, const LossTile<T>& tile) {
  const auto load = [&](const T* x) HWY_ATTR { return hn::LoadU(d, x + at.at); };
  if constexpr (kInput == kStagedInput) {
    return StagedInput<D>(d, load(tile.a), load(tile.s));
  } else if constexpr (kInput == kIdentityInput) {
    return IdentityInput<D>(d, at.Load(d, tile.z));
  } else if constexpr (kInput == kSigmoidInput) {
    return SigmoidInput<D>(d, at.Load(d, tile.z), load(tile.s));
  } else if constexpr (kInput == kSoftPlusInput) {
    return SoftPlusInput<D>(d, at.Load(d, tile.z), load(tile.a), load(tile.s));
  } else if constexpr (kInput == kTanHInput) {
    return TanHInput<D>(d, load(tile.a), load(tile.s));
  } else if constexpr (kInput == kRectifiedTanhInput) {
    return RectifiedTanhInput<D>(d, load(tile.a), load(tile.s));
  } else if constexpr (kInput == kSoftSignInput) {
    return SoftSignInput<D>(d, at.Load(d, tile.z), load(tile.a), load(tile.s));
  } else {
    return SoftmaxInput<D>{d, load(tile.a), load(tile.s), load(tile.b)};
  }
}

// m w x.
template <class D, class At, class T, class V = hn::Vec<D>>
HWY_INLINE V Scaled(D d, At at, const T* m, const T* w, V x) {
  if (w != nullptr) x = hn::Mul(x, at.Load(d, w));
  if (m != nullptr) {
    const V mask = at.Load(d, m);
    x = hn::IfThenZeroElse(hn::Eq(mask, hn::Zero(d)), hn::Mul(mask, x));
  }
  return x;
}

// --- Stages ----------------------------------------------------------------------------------------------------------

template <class Loss, InputKind kInput, Outputs kOutputs, bool kScaled, class T>
HWY_INLINE double RunStage(const LossParams& params, const LossTile<T>& tile_in, size_t count) {
  const hn::ScalableTag<T> d;
  // Copies of their own: what is stored to the outputs can't change them.
  const LossParams p = params;
  const LossTile<T> tile = tile_in;
  const auto eval = [&](auto at) SIMDLOSS_STEP {
    auto loss = Loss::Eval(d, p, at.Load(d, tile.y), MakeInput<kInput>(d, at, tile));
    if constexpr (kScaled) {
      loss.term = Scaled(d, at, tile.m, tile.w, loss.term);
      loss.slope = Scaled(d, at, tile.m, tile.w, loss.slope);
    }
    if constexpr (kOutputs == kTerm || kOutputs == kTermAndSlope) at.Store(loss.term, d, tile.term);
    if constexpr (kOutputs != kTerm) at.Store(loss.slope, d, tile.slope);
    return loss.term;
  };
  if constexpr (kInput == kIdentityInput) {
    // Nothing is in a buffer, so any number of elements will do.
    if constexpr (kOutputs == kSumAndSlope) return SumOfTiles(d, count, eval);
    ForEachStep(WideRows<decltype(d)>{d, count}, eval);
  } else {
    const auto eval_whole = [&](size_t i) SIMDLOSS_STEP { return eval(WholeStep{i}); };
    if constexpr (kOutputs == kSumAndSlope) {
      WideSum<hn::ScalableTag<T>> sum;
      SumVectors(d, count, eval_whole, &sum);
      return sum.Total();
    }
    for (size_t i = 0; i < count; i += hn::Lanes(d)) eval_whole(i);
  }
  return 0;
}

// MSE and its like have a loop of their own where nothing scales: 9 instructions a vector instead of 17, .9 of the time
// in cache. With an activation it would be .95 to 1, for twice the code.
template <class Loss, InputKind kInput, Outputs kOutputs, class T>
double Stage(const LossParams& params, const LossTile<T>& tile, size_t count) {
  constexpr bool kScales = kOutputs == kSumAndSlope;
  if constexpr (kScales && kInput == kIdentityInput) {
    if (tile.m == nullptr && tile.w == nullptr) return RunStage<Loss, kInput, kOutputs, false>(params, tile, count);
  }
  return RunStage<Loss, kInput, kOutputs, kScales>(params, tile, count);
}

template <class T>
void ExpOfLogit(const T* z, T* s, size_t count) {
  const hn::ScalableTag<T> d;
  for (size_t i = 0; i < count; i += hn::Lanes(d)) {
    hn::StoreU(activations::Sigmoid::Begin(d, hn::LoadU(d, z + i)), d, s + i);
  }
}

template <class T>
void TanhAndRest(const T* z, T* a, T* s, size_t count) {
  const hn::ScalableTag<T> d;
  // Two short loops, as with the losses.
  for (size_t i = 0; i < count; i += hn::Lanes(d))
    hn::StoreU(activations::TanH::Begin(d, hn::LoadU(d, z + i)), d, s + i);
  for (size_t i = 0; i < count; i += hn::Lanes(d)) {
    const auto parts = TanhOfHalfExpm1(d, hn::LoadU(d, z + i), hn::LoadU(d, s + i));
    hn::StoreU(parts.value, d, a + i);
    hn::StoreU(parts.rest, d, s + i);
  }
}

template <class T>
void Scale(const T* m, const T* w, T* x, size_t count) {
  const hn::ScalableTag<T> d;
  ForEachStep(WideRows<decltype(d)>{d, count},
              [&](auto at) SIMDLOSS_STEP { at.Store(Scaled(d, at, m, w, at.Load(d, x)), d, x); });
}

template <class T>
double ScaledSum(const T* m, const T* w, const T* x, size_t count) {
  const hn::ScalableTag<T> d;
  return WideSumOfSteps(d, 0, count, [&](auto at) SIMDLOSS_STEP { return Scaled(d, at, m, w, at.Load(d, x)); });
}

template <class T>
void Expand(const T* values, size_t cols, size_t first, size_t count, T* out) {
  const hn::ScalableTag<T> d;
  const size_t N = hn::Lanes(d);
  const T* value = values + first / cols;
  size_t left = cols - first % cols;
  // A vector may run into the next row, which then overwrites it.
  for (size_t i = 0; i < count; left = cols, ++value) {
    const size_t end = std::min(i + left, count);
    const auto v = hn::Set(d, *value);
    for (size_t at = i; at < end; at += N) hn::StoreU(v, d, out + at);
    i = end;
  }
}

template <class T>
void Stream(const T* from, T* to, size_t count) {
  const hn::ScalableTag<T> d;
  ForEachAlignedStep(WideRows<decltype(d)>{d, count}, to, true,
                     [&](auto at, auto store) HWY_ATTR { store(at, at.Load(d, from)); });
}

inline void Fence() { hwy::FlushStream(); }

template <class T>
void ScaledCopy(size_t count, const T* m, const T* w, const T* from, T* to) {
  const hn::ScalableTag<T> d;
  ForEachStep(WideRows<decltype(d)>{d, count},
              [&](auto at) SIMDLOSS_STEP { at.Store(Scaled(d, at, m, w, at.Load(d, from)), d, to); });
}

template <class T>
void Multiply(const T* y, T* x, size_t count) {
  const hn::ScalableTag<T> d;
  const size_t N = hn::Lanes(d);
  for (size_t i = 0; i < count; i += N) hn::StoreU(hn::Mul(hn::LoadU(d, x + i), hn::LoadU(d, y + i)), d, x + i);
}

// --- Which pairs take more than value and slope ----------------------------------------------------------------------

// Losses with a log of the output take sigmoid and softplus in closed form: outputs underflow under the log.
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
  if constexpr (kInput != kSoftmaxInput) row[kSumAndSlope] = &Stage<Loss, kInput, kSumAndSlope, T>;
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
  stages.exp_of_logit = &ExpOfLogit<T>;
  stages.tanh_and_rest = &TanhAndRest<T>;
  stages.scale = &Scale<T>;
  stages.scaled_sum = &ScaledSum<T>;
  stages.scaled_copy = &ScaledCopy<T>;
  stages.expand = &Expand<T>;
  stages.multiply = &Multiply<T>;
  stages.stream = &Stream<T>;
  stages.fence = &Fence;
  stages.sum = &Sum<T>;
  return stages;
}

}  // namespace HWY_NAMESPACE
}  // namespace simdloss
HWY_AFTER_NAMESPACE();

#endif  // SIMDLOSS_NATIVE_KERNELS_LOSS_STAGES_INL_H_
