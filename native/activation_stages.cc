// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include "native/kernels/targets.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "native/activation_stages.cc"
#include "hwy/foreach_target.h"
// Must come after foreach_target.h to avoid redefinition errors.
#include "hwy/highway.h"
#include "native/kernels/activation-inl.h"
#include "native/kernels/dispatch_table.h"
#include "native/stages.h"
#include "native/tile.h"

HWY_BEFORE_NAMESPACE();
namespace simdloss {
namespace HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

template <class Activation, class T, bool kSlope>
void Stage(const ActivationParams& params, const T* z, const T* alpha, T* a, T* s, size_t count) {
  const hn::ScalableTag<T> d;
  const size_t N = hn::Lanes(d);
  if constexpr (kTwoLoops<Activation>) {
    HWY_ALIGN T begun[kTile<T>];
    for (size_t i = 0; i < count;) {
      const size_t size = std::min(kTile<T>, count - i);
      for (size_t j = 0; j < size; j += N) hn::Store(Activation::Begin(d, hn::LoadU(d, z + i + j)), d, begun + j);
      for (size_t j = 0; j < size; j += N, i += N) {
        const auto f = Activation::Finish(d, hn::LoadU(d, z + i), hn::Load(d, begun + j));
        hn::StoreU(f.value, d, a + i);
        if constexpr (kSlope) hn::StoreU(f.slope, d, s + i);
      }
    }
  } else {
    const ActivationParams p = params;
    for (size_t i = 0; i < count; i += N) {
      const auto x = hn::LoadU(d, z + i);
      const auto f = Activation::Eval(d, p, x, alpha == nullptr ? x : hn::LoadU(d, alpha + i));
      hn::StoreU(f.value, d, a + i);
      if constexpr (kSlope) hn::StoreU(f.slope, d, s + i);
    }
  }
}

template <class T>
constexpr ActivationStages<T> kActivationStages = {
#define SIMDLOSS_X(name) &Stage<activations::name, T, false>,
    {SIMDLOSS_ACTIVATIONS(SIMDLOSS_X)},
#undef SIMDLOSS_X
#define SIMDLOSS_X(name) &Stage<activations::name, T, true>,
    {SIMDLOSS_ACTIVATIONS(SIMDLOSS_X)},
#undef SIMDLOSS_X
};

const ActivationStages<float>& ActivationStagesF32() { return kActivationStages<float>; }
const ActivationStages<double>& ActivationStagesF64() { return kActivationStages<double>; }

}  // namespace HWY_NAMESPACE
}  // namespace simdloss
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace simdloss {

template <>
const ActivationStages<float>& ChosenActivationStages<float>() {
  return SIMDLOSS_DISPATCH(ActivationStagesF32)();
}

template <>
const ActivationStages<double>& ChosenActivationStages<double>() {
  return SIMDLOSS_DISPATCH(ActivationStagesF64)();
}

}  // namespace simdloss
#endif  // HWY_ONCE
