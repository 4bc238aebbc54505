// SPDX-License-Identifier: Apache-2.0
// One step of the sums over the paths of an example, in float64 whatever the dtype, states along the lanes.
#if defined(SIMDLOSS_NATIVE_KERNELS_CTC_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef SIMDLOSS_NATIVE_KERNELS_CTC_INL_H_
#undef SIMDLOSS_NATIVE_KERNELS_CTC_INL_H_
#else
#define SIMDLOSS_NATIVE_KERNELS_CTC_INL_H_
#endif

#include <cstddef>
#include <limits>

#include "hwy/highway.h"
#include "native/ctc_lattice.h"
#include "native/kernels/math-inl.h"

HWY_BEFORE_NAMESPACE();
namespace simdloss {
namespace HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

namespace ctc {

// --- Numbers m 2^e ---------------------------------------------------------------------------------------------------

using D = hn::ScalableTag<double>;
using V = hn::Vec<D>;

struct Scaled {
  V m, e;
};

HWY_INLINE Scaled Load(D d, CtcNumbers from, size_t i, ptrdiff_t offset = 0) {
  return {hn::LoadU(d, from.m + i + offset), hn::LoadU(d, from.e + i + offset)};
}

HWY_INLINE void Store(Scaled x, D d, CtcNumbers to, size_t i) {
  hn::StoreU(x.m, d, to.m + i);
  hn::StoreU(x.e, d, to.e + i);
}

HWY_INLINE Scaled Normalised(D d, Scaled x) {
  const math::Split<D> split(d, x.m);
  return {split.Mantissa(), hn::Add(x.e, split.Exponent())};
}

HWY_INLINE Scaled Times(Scaled x, Scaled y) { return {hn::Mul(x.m, y.m), hn::Add(x.e, y.e)}; }

// x 2^-top as a double, for e <= top; 0 where e is 1023 or more below.
HWY_INLINE V Below(D d, Scaled x, V top) {
  const V power = hn::Max(hn::Sub(x.e, top), hn::Set(d, -1023));
  // Leaves the biased exponent in the low bits.
  const auto bits = hn::BitCast(hn::RebindToUnsigned<D>(), hn::Add(power, hn::Set(d, 0x1.8p52 + 1023)));
  return hn::Mul(x.m, hn::BitCast(d, hn::ShiftLeft<52>(bits)));
}

HWY_INLINE Scaled Plus(D d, Scaled x, Scaled y) {
  const V top = hn::Max(x.e, y.e);
  return {hn::Add(Below(d, x, top), Below(d, y, top)), top};
}

HWY_INLINE Scaled Plus(D d, Scaled x, Scaled y, Scaled z) {
  const V top = hn::Max(hn::Max(x.e, y.e), z.e);
  return {hn::Add(hn::Add(Below(d, x, top), Below(d, y, top)), Below(d, z, top)), top};
}

// e^x for any x <= 0.
HWY_INLINE Scaled ExpScaled(D d, V x) {
  // Where doubles are about as far apart as whole numbers the exponent alone is as good.
  const V near = hn::Max(x, hn::Set(d, -0x1p50));
  const auto reduced = math::Reduce<0>(d, near);
  const V beyond = hn::Round(hn::Mul(hn::Sub(x, near), hn::Set(d, 0x1.71547652b82fep0)));
  return {math::ExpOfReduced(d, reduced), hn::Add(reduced.k, hn::Max(beyond, hn::Set(d, kCtcZero)))};
}

// --- States ----------------------------------------------------------------------------------------------------------

// The sum over a state and those next to it from which a path comes to it, or, where kBackward is 1, goes to.
template <ptrdiff_t kBackward>
HWY_INLINE Scaled AtBlanks(D d, const CtcStep& step, size_t i) {
  return Plus(d, Load(d, step.from.Blanks(), i), Load(d, step.from.Labels(), i, kBackward - 1));
}

template <ptrdiff_t kBackward>
HWY_INLINE Scaled AtLabels(D d, const CtcStep& step, size_t i) {
  Scaled other_label = Load(d, step.from.Labels(), i, 2 * kBackward - 1);
  other_label.e = hn::Add(other_label.e, hn::LoadU(d, step.skip + i + kBackward));
  return Plus(d, Load(d, step.from.Labels(), i), Load(d, step.from.Blanks(), i, kBackward), other_label);
}

HWY_INLINE void Emit(D d, V logits, double max, CtcNumbers emissions, size_t i) {
  Store(ExpScaled(d, hn::Sub(logits, hn::Set(d, max))), d, emissions, i);
}

inline void Forward(const CtcStep& given, double max) {
  const CtcStep step = given;  // A copy of its own: stores can't change it.
  const D d;
  const size_t N = hn::Lanes(d), begin = step.begin / N * N;
  Emit(d, hn::Set(d, step.emissions.m[step.lanes]), max, step.emissions, step.lanes);
  // Apart from the sums, whose chains of instructions are long enough: 10 % faster.
  for (size_t i = begin; i < step.end; i += N) {
    Emit(d, hn::LoadU(d, step.emissions.m + i), max, step.emissions, i);
  }
  const Scaled blank = Load(d, step.emissions, step.lanes);
  for (size_t i = begin; i < step.end; i += N) {
    const Scaled blanks = Normalised(d, Times(AtBlanks<0>(d, step, i), blank));
    const Scaled labels = Normalised(d, Times(AtLabels<0>(d, step, i), Load(d, step.emissions, i)));
    Store(blanks, d, step.to.Blanks(), i);
    Store(labels, d, step.to.Labels(), i);
    Store(blanks, d, step.alpha.Blanks(), i);
    Store(labels, d, step.alpha.Labels(), i);
  }
}

inline CtcShares Backward(const CtcStep& given) {
  const CtcStep step = given;
  const D d;
  const size_t N = hn::Lanes(d), begin = step.begin / N * N;
  const CtcNumbers joint_blanks = step.joint.Blanks(), joint_labels = step.joint.Labels();
  const Scaled blank = Load(d, step.emissions, step.lanes);
  V top = hn::Set(d, -std::numeric_limits<double>::infinity());
  for (size_t i = begin; i < step.end; i += N) {
    const Scaled blanks = AtBlanks<1>(d, step, i), labels = AtLabels<1>(d, step, i);
    const Scaled through_blanks = Times(blanks, Load(d, step.alpha.Blanks(), i));
    const Scaled through_labels = Times(labels, Load(d, step.alpha.Labels(), i));
    top = hn::Max(top, hn::Max(through_blanks.e, through_labels.e));
    Store(through_blanks, d, joint_blanks, i);
    Store(through_labels, d, joint_labels, i);
    Store(Normalised(d, Times(blanks, blank)), d, step.to.Blanks(), i);
    Store(Normalised(d, Times(labels, Load(d, step.emissions, i))), d, step.to.Labels(), i);
  }
  top = hn::Set(d, hn::ReduceMax(d, top));
  V blanks_sum = hn::Zero(d), labels_sum = hn::Zero(d);
  for (size_t i = begin; i < step.end; i += N) {
    const V labels = Below(d, Load(d, joint_labels, i), top);
    hn::StoreU(labels, d, joint_labels.m + i);
    labels_sum = hn::Add(labels_sum, labels);
    blanks_sum = hn::Add(blanks_sum, Below(d, Load(d, joint_blanks, i), top));
  }
  const double blanks = hn::ReduceSum(d, blanks_sum);
  return {blanks, joint_labels.m, blanks + hn::ReduceSum(d, labels_sum)};
}

}  // namespace ctc
}  // namespace HWY_NAMESPACE
}  // namespace simdloss
HWY_AFTER_NAMESPACE();

#endif  // per-target toggle
