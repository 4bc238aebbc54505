// SPDX-License-Identifier: Apache-2.0
// The elementwise losses: each formula once, for every dtype, instruction set and activation.
//
// A loss functor gets the label y and an Input, which stands for the activated output a = f(z) of the element:
//   A()       a                       B()       1 - a
//   LogA()    log a                   LogB()    log(1 - a)
//   OverA()   f'(z) / a               OverB()   f'(z) / (1 - a)
//   Chain(u)  u f'(z): dL/dz from u = dl/da
//   Margin(y) 1 - y a
// An Input whose activation can underflow under a log (sigmoid, softplus, softmax) gives the log forms in closed form.
// Functors return the loss of the element and dL/dz. What is not used costs nothing: all is inlined.
//
// Precision policy: terms and slopes in the dtype of preOutput, constants as the nearest of that dtype to the float64
// value. NaN in y or a comes out as NaN: selections are by comparison, never by Min/Max, whose NaN rule differs by
// target.

#if defined(SIMDLOSS_NATIVE_KERNELS_LOSS_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef SIMDLOSS_NATIVE_KERNELS_LOSS_INL_H_
#undef SIMDLOSS_NATIVE_KERNELS_LOSS_INL_H_
#else
#define SIMDLOSS_NATIVE_KERNELS_LOSS_INL_H_
#endif

#include <limits>
#include <type_traits>

#include "hwy/highway.h"
#include "native/kernels/activation-inl.h"
#include "native/kernels/math-inl.h"
#include "native/loss.h"

HWY_BEFORE_NAMESPACE();
namespace simdloss {
namespace HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

// --- Inputs ----------------------------------------------------------------------------------------------------------

// IDENTITY: a = z.
template <class D, class V = hn::Vec<D>>
struct IdentityInput {
  D d;
  V a;

  HWY_INLINE IdentityInput(D d_in, V z) : d(d_in), a(z) {}
  HWY_INLINE V A() const { return a; }
  HWY_INLINE V B() const { return hn::Sub(hn::Set(d, 1), a); }
  HWY_INLINE V LogA() const { return Log(d, a); }
  HWY_INLINE V LogB() const { return Log1p(d, hn::Neg(a)); }
  HWY_INLINE V OverA() const { return hn::Div(hn::Set(d, 1), a); }
  HWY_INLINE V OverB() const { return hn::Div(hn::Set(d, 1), B()); }
  HWY_INLINE V Chain(V u) const { return u; }
  HWY_INLINE V Margin(V y) const { return hn::NegMulAdd(y, a, hn::Set(d, 1)); }
};

// 1 - y a of an output that approaches +-1 without reaching it: where it is near and y is its sign, `rest` = 1 - |a| to
// the last bits, so that the kink of a hinge is not met by rounding.
template <class D, class V = hn::Vec<D>>
HWY_INLINE V SaturatingMargin(D d, V y, V a, V rest) {
  const V one = hn::Set(d, 1);
  const auto near = hn::And(hn::Eq(y, hn::CopySign(one, a)), hn::Gt(hn::Abs(a), hn::Set(d, 0.5f)));
  return hn::IfThenElse(near, rest, hn::NegMulAdd(y, a, one));
}

// Any activation, its value a and slope s computed by an earlier stage.
template <class D, class V = hn::Vec<D>>
struct StagedInput : IdentityInput<D> {
  using Base = IdentityInput<D>;
  V s;

  HWY_INLINE StagedInput(D d, V a, V slope) : Base(d, a), s(slope) {}
  HWY_INLINE V OverA() const { return hn::Div(s, this->a); }
  HWY_INLINE V OverB() const { return hn::Div(s, this->B()); }
  HWY_INLINE V Chain(V u) const { return hn::Mul(u, s); }
};

// SIGMOID from the logit and e = exp(-|z|), of an earlier stage. log a = min(z, 0) - log1p(e), log(1 - a) =
// -max(z, 0) - log1p(e), f'/f = 1 - a, f'/(1 - f) = a.
template <class D, class V = hn::Vec<D>>
struct SigmoidInput {
  D d;
  V z, e, a, b;

  HWY_INLINE SigmoidInput(D d_in, V z_in, V exp) : d(d_in), z(z_in), e(exp) {
    const auto parts = SigmoidOfExp(d, z, e);
    a = parts.value;
    b = parts.complement;
  }
  HWY_INLINE V A() const { return a; }
  HWY_INLINE V B() const { return b; }
  HWY_INLINE V LogA() const { return hn::Sub(hn::IfThenElse(hn::Lt(z, hn::Zero(d)), z, hn::Zero(d)), Log1pUnit(d, e)); }
  HWY_INLINE V LogB() const {
    return hn::Neg(hn::Add(hn::IfThenElse(hn::Lt(z, hn::Zero(d)), hn::Zero(d), z), Log1pUnit(d, e)));
  }
  HWY_INLINE V OverA() const { return b; }
  HWY_INLINE V OverB() const { return a; }
  HWY_INLINE V Chain(V u) const { return hn::Mul(u, hn::Mul(a, b)); }
  HWY_INLINE V Margin(V y) const { return SaturatingMargin(d, y, a, b); }
};

template <class In>
struct IsSigmoid : std::false_type {};
template <class D, class V>
struct IsSigmoid<SigmoidInput<D, V>> : std::true_type {};

// SOFTPLUS, staged, with z. Where e^z is below the normal numbers, log(log(1 + e^z)) = z and f'/f = 1 to the last bit.
template <class D, class V = hn::Vec<D>>
struct SoftPlusInput : StagedInput<D> {
  V z;

  HWY_INLINE SoftPlusInput(D d, V z_in, V a, V slope) : StagedInput<D>(d, a, slope), z(z_in) {}
  HWY_INLINE hn::Mask<D> Tail() const { return hn::Lt(z, hn::Set(this->d, sizeof(hn::TFromD<D>) == 4 ? -80 : -700)); }
  HWY_INLINE V LogA() const { return hn::IfThenElse(Tail(), z, Log(this->d, this->a)); }
  HWY_INLINE V OverA() const { return hn::IfThenElse(Tail(), hn::Set(this->d, 1), hn::Div(this->s, this->a)); }
};

// TANH, staged as a and 1 - |a|: f' = (1 - |a|) (1 + |a|).
template <class D, class V = hn::Vec<D>>
struct TanHInput : StagedInput<D> {
  V rest;

  HWY_INLINE TanHInput(D d, V a, V one_less_a)
      : StagedInput<D>(d, a, hn::MulAdd(one_less_a, hn::Abs(a), one_less_a)), rest(one_less_a) {}
  HWY_INLINE V Margin(V y) const { return SaturatingMargin(this->d, y, this->a, rest); }
};

// RECTIFIEDTANH, staged: 1 - |a| = f' / (1 + |a|).
template <class D, class V = hn::Vec<D>>
struct RectifiedTanhInput : StagedInput<D> {
  HWY_INLINE RectifiedTanhInput(D d, V a, V slope) : StagedInput<D>(d, a, slope) {}
  HWY_INLINE V Margin(V y) const {
    const V rest = hn::Div(this->s, hn::Add(hn::Set(this->d, 1), hn::Abs(this->a)));
    return SaturatingMargin(this->d, y, this->a, rest);
  }
};

// SOFTSIGN, staged, with z: 1 - |a| = 1 / (1 + |z|).
template <class D, class V = hn::Vec<D>>
struct SoftSignInput : StagedInput<D> {
  V rest;

  HWY_INLINE SoftSignInput(D d, V z, V a, V slope)
      : StagedInput<D>(d, a, slope), rest(hn::Div(hn::Set(d, 1), hn::Add(hn::Set(d, 1), hn::Abs(z)))) {}
  HWY_INLINE V Margin(V y) const { return SaturatingMargin(this->d, y, this->a, rest); }
};

// SOFTMAX: one output p of a row, with log p and 1 - p from the row's sums. Its "slope" is the diagonal factor p alone:
// from v = Chain(u) the row's Jacobian follows as dL/dz_k = v_k - p_k sum_j v_j.
template <class D, class V = hn::Vec<D>>
struct SoftmaxInput {
  D d;
  V p, log_p, b;

  HWY_INLINE V A() const { return p; }
  HWY_INLINE V B() const { return b; }
  HWY_INLINE V LogA() const { return log_p; }
  HWY_INLINE V LogB() const { return hn::IfThenElse(hn::Lt(p, hn::Set(d, 0.5f)), Log1p(d, hn::Neg(p)), Log(d, b)); }
  HWY_INLINE V OverA() const { return hn::Set(d, 1); }
  HWY_INLINE V OverB() const { return hn::Div(p, b); }
  HWY_INLINE V Chain(V u) const { return hn::Mul(u, p); }
  HWY_INLINE V Margin(V y) const { return SaturatingMargin(d, y, p, b); }
};

// --- Helpers ---------------------------------------------------------------------------------------------------------

template <class V>
struct TermSlope {
  V term, slope;
};

// 0 where the coefficient is 0 and x is a number: a label of 0 removes its log term, whatever the output is but NaN.
template <class D, class V = hn::Vec<D>>
HWY_INLINE V UnlessAbsent(D d, V coefficient, V a, V x) {
  return hn::IfThenZeroElse(hn::And(hn::Eq(coefficient, hn::Zero(d)), hn::Eq(a, a)), x);
}

// x within [low, high], NaN kept.
template <class V>
HWY_INLINE V ClampNumber(V x, V low, V high) {
  return hn::IfThenElse(hn::Lt(x, low), low, hn::IfThenElse(hn::Gt(x, high), high, x));
}

// -1, 0, 1 or NaN.
template <class D, class V = hn::Vec<D>>
HWY_INLINE V Sign(D d, V x) {
  return hn::IfThenElse(hn::Gt(hn::Abs(x), hn::Zero(d)), hn::CopySign(hn::Set(d, 1), x), x);
}

// --- Losses ----------------------------------------------------------------------------------------------------------

// -y log a
struct CrossEntropy {
  template <class D, class In, class V = hn::Vec<D>>
  static HWY_INLINE TermSlope<V> Eval(D d, const LossParams& p, V y, const In& in) {
    const V a = in.A(), t = hn::Neg(hn::Mul(y, hn::Set(d, static_cast<hn::TFromD<D>>(p.scale))));
    return {UnlessAbsent(d, y, a, hn::Mul(t, in.LogA())), UnlessAbsent(d, y, a, hn::Mul(t, in.OverA()))};
  }
};

// -(y log a + (1 - y) log(1 - a)), a and 1 - a each clamped to [clip, 1 - clip].
// The clamps act on the logs and ratios, whose bounds are exact where 1 - clip is not a number of the dtype.
struct BinaryXENT {
  // From the logit: log(1 + e^-|z|) + |z| (1 - y), or |z| y for z < 0. Slope a - y as (1 - y) a - y (1 - a).
  template <class D, class In, class V = hn::Vec<D>>
  static HWY_INLINE TermSlope<V> OfLogit(D d, V y, const In& in) {
    const V q = hn::Sub(hn::Set(d, 1), y), wrong = hn::IfNegativeThenElse(in.z, y, q);
    const V miss = hn::IfThenZeroElse(hn::Eq(wrong, hn::Zero(d)), hn::Mul(wrong, hn::Abs(in.z)));
    return {hn::Add(miss, Log1pUnit(d, in.e)), hn::MulSub(q, in.a, hn::Mul(y, in.b))};
  }

  template <class D, class In, class V = hn::Vec<D>>
  static HWY_INLINE TermSlope<V> Eval(D d, const LossParams& params, V y, const In& in) {
    if constexpr (IsSigmoid<In>::value) {
      // Most outputs are not at the clip, which e^-|z| tells.
      const double clip = params.clip, least = clip == 0 ? 0 : clip / (1 - clip) * (1 + 1e-6);
      const auto inside = hn::Ge(in.e, hn::Set(d, static_cast<hn::TFromD<D>>(least)));
      const TermSlope<V> of_logit = OfLogit(d, y, in);
      if (hn::AllTrue(d, inside)) return of_logit;
      const TermSlope<V> clipped = ClippedOfLogit<D, In>(d, params, y, in.z, in.e);
      return {hn::IfThenElse(inside, of_logit.term, clipped.term),
              hn::IfThenElse(inside, of_logit.slope, clipped.slope)};
    } else {
      return Clipped(d, params, y, in);
    }
  }

  // Out of line: seldom needed, and its registers are dear.
  template <class D, class In, class V = hn::Vec<D>>
  static HWY_NOINLINE TermSlope<V> ClippedOfLogit(D d, const LossParams& params, V y, V z, V e) {
    return Clipped(d, params, y, In(d, z, e));
  }

  template <class D, class In, class V = hn::Vec<D>>
  static HWY_INLINE TermSlope<V> Clipped(D d, const LossParams& params, V y, const In& in) {
    using T = hn::TFromD<D>;
    const double e = params.clip;
    const V clip = hn::Set(d, static_cast<T>(e));
    const V a = in.A(), b = in.B();
    // An output at the clip counts as clamped, but for a clip of 0, which nothing reaches.
    const auto a_low = e == 0 ? hn::Lt(a, clip) : hn::Le(a, clip), b_low = e == 0 ? hn::Lt(b, clip) : hn::Le(b, clip);
    const V log_low = hn::Set(d, static_cast<T>(params.log_clip));
    const V log_high = hn::Set(d, static_cast<T>(params.log1m_clip));
    const V log_a = hn::IfThenElse(a_low, log_low, hn::IfThenElse(b_low, log_high, in.LogA()));
    const V log_b = hn::IfThenElse(b_low, log_low, hn::IfThenElse(a_low, log_high, in.LogB()));
    const V q = hn::Sub(hn::Set(d, 1), y);
    const V term = hn::Neg(hn::Add(UnlessAbsent(d, y, a, hn::Mul(y, log_a)), UnlessAbsent(d, q, a, hn::Mul(q, log_b))));
    const V inside =
        hn::Sub(UnlessAbsent(d, q, a, hn::Mul(q, in.OverB())), UnlessAbsent(d, y, a, hn::Mul(y, in.OverA())));
    if (e == 0) {
      // Outputs outside [0, 1] count as 0 or 1: slope -y / 0 + (1 - y), or y and 1 - y the other way round.
      const V inf = hn::Set(d, std::numeric_limits<T>::infinity());
      const V low = hn::Sub(q, UnlessAbsent(d, y, a, hn::Mul(y, inf)));
      const V high = hn::Sub(UnlessAbsent(d, q, a, hn::Mul(q, inf)), y);
      const V outside = in.Chain(hn::IfThenElse(a_low, low, high));
      return {term, hn::IfThenElse(hn::Or(a_low, b_low), outside, inside)};
    }
    // At a clamp (a - y) / (a (1 - a)) is (e - y) / (e (1 - e)) or (1 - e - y) / (e (1 - e)); e and 1 - e are taken in
    // two parts, as y may be close.
    const double low_head = static_cast<T>(e), high_head = static_cast<T>(1 - e);
    const auto minus_y = [&](double head, double rest) HWY_ATTR {
      return hn::Add(hn::Sub(hn::Set(d, static_cast<T>(head)), y), hn::Set(d, static_cast<T>(rest)));
    };
    const V low = minus_y(low_head, e - low_head), high = minus_y(high_head, (1 - high_head) - e);
    const V steep = hn::Set(d, static_cast<T>(1 / (e * (1 - e))));
    const V outside = in.Chain(hn::Mul(hn::IfThenElse(a_low, low, high), steep));
    return {term, hn::IfThenElse(hn::Or(a_low, b_low), outside, inside)};
  }
};

// max(0, 1 - y a); slope -y where positive.
struct Hinge {
  template <class D, class In, class V = hn::Vec<D>>
  static HWY_INLINE TermSlope<V> Eval(D d, const LossParams&, V y, const In& in) {
    const V margin = in.Margin(y);
    const auto beyond = hn::Le(margin, hn::Zero(d));
    const V u = hn::IfThenElse(hn::Eq(margin, margin), hn::Neg(y), margin);
    return {hn::IfThenZeroElse(beyond, margin), in.Chain(hn::IfThenZeroElse(beyond, u))};
  }
};

// max(0, 1 - y a)^2; slope -2 y max(0, 1 - y a).
struct SquaredHinge {
  template <class D, class In, class V = hn::Vec<D>>
  static HWY_INLINE TermSlope<V> Eval(D d, const LossParams&, V y, const In& in) {
    const V margin = in.Margin(y);
    const V open = hn::IfThenZeroElse(hn::Le(margin, hn::Zero(d)), margin);
    return {hn::Mul(open, open), in.Chain(hn::Mul(y, hn::Mul(hn::Set(d, -2), open)))};
  }
};

// scale (y - a)^2: LossL2, and LossMSE with scale = 1 / c.
struct L2 {
  template <class D, class In, class V = hn::Vec<D>>
  static HWY_INLINE TermSlope<V> Eval(D d, const LossParams& p, V y, const In& in) {
    using T = hn::TFromD<D>;
    const V e = hn::Sub(in.A(), y);
    return {hn::Mul(hn::Mul(e, hn::Set(d, static_cast<T>(p.scale))), e),
            in.Chain(hn::Mul(e, hn::Set(d, static_cast<T>(2 * p.scale))))};
  }
};

// scale |y - a|: LossL1, and LossMAE with scale = 1 / c.
struct L1 {
  template <class D, class In, class V = hn::Vec<D>>
  static HWY_INLINE TermSlope<V> Eval(D d, const LossParams& p, V y, const In& in) {
    const V e = hn::Sub(in.A(), y), scale = hn::Set(d, static_cast<hn::TFromD<D>>(p.scale));
    return {hn::Mul(hn::Abs(e), scale), in.Chain(hn::Mul(Sign(d, e), scale))};
  }
};

// The largest power of two up to x, a normal number above 0.
HWY_INLINE double PowerOfTwo(double x) {
  return hwy::BitCastScalar<double>(hwy::BitCastScalar<uint64_t>(x) & (uint64_t{0x7FF} << 52));
}

// scale log((a + 1) / (y + 1))^2. The log is log1p((a - y) / (1 + y)), or minus the same with a and y swapped,
// whichever has the larger denominator below 1 + x: no cancellation for close a and y, nor near -1.
struct MSLE {
  template <class D, class In, class V = hn::Vec<D>>
  static HWY_INLINE TermSlope<V> Eval(D d, const LossParams& p, V y, const In& in) {
    using T = hn::TFromD<D>;
    const V one = hn::Set(d, 1), a = in.A();
    const V a1 = hn::Add(a, one), y1 = hn::Add(y, one), e = hn::Sub(a, y);
    const auto above = hn::Ge(hn::Abs(a1), hn::Abs(y1));
    const V magnitude = Log1p(d, hn::Div(hn::IfThenElse(above, e, hn::Neg(e)), hn::IfThenElse(above, y1, a1)));
    const V log_ratio = hn::IfThenElse(above, magnitude, hn::Neg(magnitude));
    const V scaled = hn::Mul(log_ratio, hn::Set(d, static_cast<T>(p.scale)));
    // Divided by c (a + 1): a rounding less than times 1 / c. A power of two of c goes above, so that nothing
    // overflows.
    const double power = PowerOfTwo(p.scale);
    const V above_line = hn::Mul(log_ratio, hn::Set(d, static_cast<T>(2 * power)));
    const V below_line = hn::Mul(a1, hn::Set(d, static_cast<T>(1 / p.scale * power)));
    return {hn::Mul(scaled, log_ratio), in.Chain(hn::Div(above_line, below_line))};
  }
};

// scale 100 |(y - a) / y|; y = 0 is IEEE's Inf or NaN.
struct MAPE {
  template <class D, class In, class V = hn::Vec<D>>
  static HWY_INLINE TermSlope<V> Eval(D d, const LossParams& p, V y, const In& in) {
    const V e = hn::Sub(in.A(), y), percent = hn::Set(d, static_cast<hn::TFromD<D>>(100 / (1 / p.scale)));
    return {hn::Mul(percent, hn::Abs(hn::Div(e, y))), in.Chain(hn::Div(hn::Mul(percent, Sign(d, e)), hn::Abs(y)))};
  }
};

// a - y log a
struct Poisson {
  template <class D, class In, class V = hn::Vec<D>>
  static HWY_INLINE TermSlope<V> Eval(D d, const LossParams&, V y, const In& in) {
    const V a = in.A();
    return {hn::Sub(a, UnlessAbsent(d, y, a, hn::Mul(y, in.LogA()))),
            hn::Sub(in.Chain(hn::Set(d, 1)), UnlessAbsent(d, y, a, hn::Mul(y, in.OverA())))};
  }
};

// y log(y / a), both clamped to [1e-5, 1]; slope -y / a, not clamped.
struct KLD {
  template <class D, class In, class V = hn::Vec<D>>
  static HWY_INLINE TermSlope<V> Eval(D d, const LossParams&, V y, const In& in) {
    const V low = hn::Set(d, static_cast<hn::TFromD<D>>(1e-5)), one = hn::Set(d, 1), a = in.A();
    const V y_clamped = ClampNumber(y, low, one);
    return {hn::Mul(y_clamped, Log(d, hn::Div(y_clamped, ClampNumber(a, low, one)))),
            hn::Neg(UnlessAbsent(d, y, a, hn::Mul(y, in.OverA())))};
  }
};

// scale y a, scale = 1 / c.
struct Wasserstein {
  template <class D, class In, class V = hn::Vec<D>>
  static HWY_INLINE TermSlope<V> Eval(D d, const LossParams& p, V y, const In& in) {
    const V u = hn::Mul(y, hn::Set(d, static_cast<hn::TFromD<D>>(p.scale))), a = in.A();
    return {hn::Mul(u, a), in.Chain(hn::IfThenElse(hn::Eq(a, a), u, a))};
  }
};

}  // namespace HWY_NAMESPACE
}  // namespace simdloss
HWY_AFTER_NAMESPACE();

#endif  // SIMDLOSS_NATIVE_KERNELS_LOSS_INL_H_
