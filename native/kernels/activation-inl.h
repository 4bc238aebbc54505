// SPDX-License-Identifier: Apache-2.0
// The elementwise activations: each formula once, for float and double lanes of every instruction set.
//
// Eval gives f(z) and f'(z) together, so that they share their exponential and their division; what the caller does not
// use is removed by the compiler. Above each functor: its formula, the parameters it reads, its slope at kinks and the
// identity that keeps it accurate. For all of them:
// - f(NaN) = f'(NaN) = NaN. Selections are by comparison or by math::AtLeast and AtMost: the NaN rule of Min and Max
//   differs by target.
// - at +-Inf both are the limits, and no finite z gives NaN.
// - f' keeps its relative accuracy in the tails: it is made of exp(-|z|), never of 1 - f.

#if defined(SIMDLOSS_NATIVE_KERNELS_ACTIVATION_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef SIMDLOSS_NATIVE_KERNELS_ACTIVATION_INL_H_
#undef SIMDLOSS_NATIVE_KERNELS_ACTIVATION_INL_H_
#else
#define SIMDLOSS_NATIVE_KERNELS_ACTIVATION_INL_H_
#endif

#include <limits>
#include <type_traits>

#include "hwy/highway.h"
#include "native/activation.h"
#include "native/kernels/math-inl.h"

HWY_BEFORE_NAMESPACE();
namespace simdloss {
namespace HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

// Activations with an exponential and a division are evaluated in two loops over a tile: Begin gives what Finish goes
// on from. Short chains of dependent instructions, of which the processor overlaps more: on AVX2 tanh in two loops took
// 0.8 of the time of one, sigmoid 0.9.
//
// f(z) and f'(z).
template <class V>
struct ValueSlope {
  V value, slope;
};

// A namespace of their own: Sigmoid is also a function of math-inl.h.
namespace activations {

using math::Constant;

// --- Helpers ---------------------------------------------------------------------------------------------------------

// x, or NaN where z is NaN: for results that do not depend on the value of z.
template <class V>
HWY_INLINE V KeepNaN(V z, V x) {
  return hn::IfThenElse(hn::Eq(z, z), x, z);
}

// z brought into the range beyond which exp(-|z|) is 0 in the lane type: no Inf * 0 in products with it.
template <class D, class V = hn::Vec<D>>
HWY_INLINE V Bounded(D d, V z) {
  return math::AtMost(Constant(d, -math::kExpLow<D>), math::AtLeast(Constant(d, math::kExpLow<D>), z));
}

// e^x and e^x - 1 for x <= 0 from one reduction and one polynomial: 2^k p + 2^k and 2^k p + (2^k - 1), p = e^r - 1.
template <class V>
struct ExpPair {
  V exp, expm1;
};

template <class D, class V = hn::Vec<D>>
HWY_INLINE ExpPair<V> ExpAndExpm1(D d, V x) {
  const auto reduced = math::Reduce<2 * math::kExponentBias<D>>(d, math::AtLeast(Constant(d, math::kExpLow<D>), x));
  const V p = hn::Add(reduced.high, math::SmallTerms(d, reduced));
  const V scale = math::ScaleByPow2(d, Constant(d, 1), reduced);
  return {hn::MulAdd(scale, p, scale), hn::MulAdd(scale, p, hn::Sub(scale, Constant(d, 1)))};
}

// z for z >= 0, alpha z below. A slope of 0 gives 0 at -Inf.
template <class D, class V = hn::Vec<D>>
HWY_INLINE ValueSlope<V> Leaky(D d, V z, V alpha) {
  const V zero = hn::Zero(d);
  const auto upper = hn::Ge(z, zero);
  const V below = hn::IfThenZeroElse(hn::Eq(alpha, zero), hn::Mul(alpha, z));
  return {KeepNaN(z, hn::IfThenElse(upper, z, below)), KeepNaN(z, hn::IfThenElse(upper, Constant(d, 1), alpha))};
}

// z sigmoid(v), where y = Bounded(z) and v = v(y) has the sign of y, w = y v'(y), |v| >= |y|.
// With s = sigmoid(v), c = sigmoid(-v) the slope is s (1 + w c); below 0, where its zero lies, s c (1 + w + e^v): the
// cancelling terms are summed before any rounded factor. w should carry the rounding error of v, which then acts as one
// of z: where the slope is flat it cancels.
template <class D, class V = hn::Vec<D>>
HWY_INLINE ValueSlope<V> Gated(D d, V z, V y, V v, V w) {
  const V one = Constant(d, 1);
  const SigmoidParts<V> s = SigmoidWithParts(d, v);
  const auto upper = hn::Ge(z, hn::Zero(d));
  const V above = hn::MulAdd(w, s.complement, one);
  const V below = hn::Mul(hn::Add(hn::Add(w, one), s.exp), s.complement);
  return {hn::Mul(hn::IfThenElse(upper, z, y), s.value), hn::Mul(hn::IfThenElse(upper, above, below), s.value)};
}

// --- Activations -----------------------------------------------------------------------------------------------------

// z^3. Overflows to +-Inf.
struct Cube {
  template <class D, class V = hn::Vec<D>>
  static HWY_INLINE ValueSlope<V> Eval(D d, const ActivationParams&, V z, V) {
    const V square = hn::Mul(z, z);
    return {hn::Mul(square, z), hn::Mul(Constant(d, 3), square)};
  }
};

// z for z >= 0, alpha (e^z - 1) below. p[0] = alpha. Slope 1 at 0.
struct ELU {
  template <class D, class V = hn::Vec<D>>
  static HWY_INLINE ValueSlope<V> Eval(D d, const ActivationParams& p, V z, V) {
    const V alpha = Constant(d, p.p[0]);
    const auto upper = hn::Ge(z, hn::Zero(d));
    const ExpPair<V> below = ExpAndExpm1(d, z);
    return {hn::IfThenElse(upper, z, hn::Mul(alpha, below.expm1)),
            hn::IfThenElse(upper, Constant(d, 1), hn::Mul(alpha, below.exp))};
  }
};

// z sigmoid(1.702 z).
struct GELU {
  template <class D, class V = hn::Vec<D>>
  static HWY_INLINE ValueSlope<V> Eval(D d, const ActivationParams&, V z, V) {
    const V y = Bounded(d, z);
    const V v = hn::Mul(Constant(d, 1.702), y);
    return Gated(d, z, y, v, v);
  }
};

// The tanh form, 0.5 z (1 + tanh(sqrt(2/pi) (z + 0.044715 z^3))) = z sigmoid(2 sqrt(2/pi) (z + 0.044715 z^3)).
struct GELUPrecise {
  template <class D, class V = hn::Vec<D>>
  static HWY_INLINE ValueSlope<V> Eval(D d, const ActivationParams&, V z, V) {
    const V y = Bounded(d, z);
    const V square = hn::Mul(y, y);
    const V linear = Constant(d, 1.59576912160573071176);   // 2 sqrt(2/pi)
    const V cubic = Constant(d, 0.0713548162726002487763);  // 2 sqrt(2/pi) 0.044715
    const V cubic_twice = Constant(d, 0.142709632545200497553);
    const V v = hn::Mul(y, hn::MulAdd(cubic, square, linear));
    return Gated(d, z, y, v, hn::MulAdd(hn::Mul(cubic_twice, y), square, v));
  }
};

// min(1, max(0, (z + 2.5) / 5)). Slope 0.2 at +-2.5.
struct HardSigmoid {
  template <class D, class V = hn::Vec<D>>
  static HWY_INLINE ValueSlope<V> Eval(D d, const ActivationParams&, V z, V) {
    const V zero = hn::Zero(d), one = Constant(d, 1), kink = Constant(d, 2.5), fifth = Constant(d, 0.2);
    const V line = hn::Mul(hn::Add(z, kink), fifth);
    return {hn::IfThenElse(hn::Gt(z, kink), one, hn::IfThenElse(hn::Lt(line, zero), zero, line)),
            KeepNaN(z, hn::IfThenElseZero(hn::Le(hn::Abs(z), kink), fifth))};
  }
};

// min(1, max(-1, z)). Slope 1 at +-1.
struct HardTanH {
  template <class D, class V = hn::Vec<D>>
  static HWY_INLINE ValueSlope<V> Eval(D d, const ActivationParams&, V z, V) {
    const V one = Constant(d, 1);
    const auto outside = hn::Gt(hn::Abs(z), one);
    return {hn::IfThenElse(outside, hn::CopySign(one, z), z), KeepNaN(z, hn::IfThenZeroElse(outside, one))};
  }
};

// z.
struct Identity {
  template <class D, class V = hn::Vec<D>>
  static HWY_INLINE ValueSlope<V> Eval(D d, const ActivationParams&, V z, V) {
    return {z, KeepNaN(z, Constant(d, 1))};
  }
};

// z for z >= 0, alpha z below. p[0] = alpha. Slope 1 at 0.
struct LReLU {
  template <class D, class V = hn::Vec<D>>
  static HWY_INLINE ValueSlope<V> Eval(D d, const ActivationParams& p, V z, V) {
    return Leaky(d, z, Constant(d, p.p[0]));
  }
};

// z tanh(softplus z). With n = e^z, tanh(softplus z) = N / D, N = n (n + 2), D = N + 2, whose slope is
// 4 n (n + 1) / D^2. For z >= 0 all is divided by powers of n, so that only e = exp(-|z|) occurs and nothing overflows:
// N = 1 + 2 e, D = N + 2 e^2, slope 4 e^2 (1 + e) / D^2. f' = (N + z slope D) / D; below -0.5, on the side of its zero,
// f' = e (4 (z + 1) + (4 z + 6) e + 4 e^2 + e^3) / D^2, so that the cancelling terms are summed first.
struct Mish {
  template <class D, class V = hn::Vec<D>>
  static HWY_INLINE ValueSlope<V> Eval(D d, const ActivationParams&, V z, V) {
    const V one = Constant(d, 1), two = Constant(d, 2), four = Constant(d, 4);
    const V y = Bounded(d, z), y4 = hn::Mul(four, y);
    const V e = ExpNonPositive(d, hn::Neg(hn::Abs(y)));
    const auto upper = hn::Ge(z, hn::Zero(d));
    const V e1 = hn::Add(e, one), e2 = hn::Add(e, two);
    const V n = hn::IfThenElse(upper, hn::MulAdd(two, e, one), hn::Mul(e, e2));
    const V q = hn::Div(one, hn::IfThenElse(upper, hn::MulAdd(hn::Mul(two, e), e1, one), hn::MulAdd(e, e2, two)));

    const V bend = hn::Mul(hn::Mul(y4, e), hn::Mul(hn::IfThenElse(upper, e, one), e1));
    const V near = hn::MulAdd(bend, q, n);
    const V cubic = hn::MulAdd(hn::MulAdd(hn::Add(e, four), e, hn::Add(y4, Constant(d, 6))), e, hn::Add(y4, four));
    const V far = hn::Mul(hn::Mul(cubic, e), q);
    return {hn::Mul(hn::Mul(hn::IfThenElse(upper, z, y), n), q),
            hn::Mul(hn::IfThenElse(hn::Lt(z, Constant(d, -0.5)), far, near), q)};
  }
};

// z for z >= 0, alpha z below, alpha by element. Slope 1 at 0.
struct PReLU {
  template <class D, class V = hn::Vec<D>>
  static HWY_INLINE ValueSlope<V> Eval(D d, const ActivationParams&, V z, V alpha) {
    return Leaky(d, z, alpha);
  }
};

// 1.7159 sign(x) (1 - 1 / D), x = 2 z / 3, D = 1 + |x| + x^2 + 1.41645 x^4. Slope 1.7159 * 2/3 at 0.
// 1 - 1/D = (D - 1) / D with D - 1 summed directly. |z| is capped where 1/D^2 has long been 0, so that D is finite.
struct RationalTanh {
  template <class D, class V = hn::Vec<D>>
  static HWY_INLINE ValueSlope<V> Eval(D d, const ActivationParams&, V z, V) {
    const V one = Constant(d, 1);
    const V y = math::AtMost(Constant(d, 0x1p31, 0x1p255), hn::Abs(z));  // the largest such powers of 2
    const V y2 = hn::Mul(y, y);
    // D - 1 in powers of |z|, its coefficients 2/3, 4/9 and 1.41645 * 16/81; then 1.7159 times its derivative.
    const V a1 = Constant(d, 0.666666666666666666667), a2 = Constant(d, 0.444444444444444444444);
    const V a4 = Constant(d, 0.279792592592592592593);
    const V n = hn::Mul(y, hn::MulAdd(y, hn::MulAdd(a4, y2, a2), a1));
    const V b0 = Constant(d, 1.14393333333333333333), b1 = Constant(d, 1.52524444444444444444);
    const V b3 = Constant(d, 1.92038443851851851852);
    const V slope = hn::MulAdd(y, hn::MulAdd(b3, y2, b1), b0);
    // (D - 1) / D and 1 / D: where one is small, the other is 1 less it, which damps its error.
    const V inverse = hn::Div(one, hn::Add(one, n)), ratio = hn::Mul(n, inverse);
    const V part = hn::IfThenElse(hn::Gt(n, one), hn::Sub(one, inverse), ratio);
    const V q = hn::IfThenElse(hn::Lt(n, Constant(d, 0.25)), hn::Sub(one, ratio), inverse);
    return {hn::CopySign(hn::Mul(Constant(d, 1.7159), part), z), hn::Mul(hn::Mul(slope, q), q)};
  }
};

// tanh z. tanh' comes from e^(2|z|) as well.
struct TanH {
  template <class D, class V = hn::Vec<D>>
  static HWY_INLINE V Begin(D d, V z) {
    return HalfExpm1OfTwice(d, z);
  }
  template <class D, class V = hn::Vec<D>>
  static HWY_INLINE ValueSlope<V> Finish(D d, V z, V begun) {
    const TanhParts<V> parts = TanhOfHalfExpm1(d, z, begun);
    return {parts.value, parts.slope};
  }
};

// max(0, tanh z). Slope 0 at 0.
struct RectifiedTanh {
  template <class D, class V = hn::Vec<D>>
  static HWY_INLINE V Begin(D d, V z) {
    return TanH::Begin(d, z);
  }
  template <class D, class V = hn::Vec<D>>
  static HWY_INLINE ValueSlope<V> Finish(D d, V z, V begun) {
    const auto lower = hn::Le(z, hn::Zero(d));
    const ValueSlope<V> tanh = TanH::Finish(d, z, begun);
    return {hn::IfThenZeroElse(lower, tanh.value), hn::IfThenZeroElse(lower, tanh.slope)};
  }
};

// min(z, max) for z >= threshold, negativeSlope (z - threshold) below; ReLU6 has max 6.
// p[0] = max (Inf: none), p[1] = threshold, p[2] = negativeSlope.
// Slope 0 for z >= max; at the threshold 0 when plain (threshold and negativeSlope 0), else that of the upper side.
struct ReLU {
  template <class D, class V = hn::Vec<D>>
  static HWY_INLINE ValueSlope<V> Eval(D d, const ActivationParams& p, V z, V) {
    const V zero = hn::Zero(d), one = Constant(d, 1);
    // No max is NaN, which no z reaches: the slope at Inf is 1.
    using Limits = std::numeric_limits<double>;
    const V max = Constant(d, p.p[0] < Limits::infinity() ? p.p[0] : Limits::quiet_NaN());
    const V threshold = Constant(d, p.p[1]), negative_slope = Constant(d, p.p[2]);
    const V kink_slope = Constant(d, p.p[1] == 0 && p.p[2] == 0 ? 0 : 1);
    const auto lower = hn::Lt(z, threshold);
    const auto capped = hn::Ge(z, max);
    const V below = hn::IfThenZeroElse(hn::Eq(negative_slope, zero), hn::Mul(negative_slope, hn::Sub(z, threshold)));
    const V above_slope = hn::IfThenZeroElse(capped, hn::IfThenElse(hn::Eq(z, threshold), kink_slope, one));
    return {KeepNaN(z, hn::IfThenElse(lower, below, hn::IfThenElse(capped, max, z))),
            KeepNaN(z, hn::IfThenElse(lower, negative_slope, above_slope))};
  }
};

// lambda z for z > 0, lambda alpha (e^z - 1) below, lambda = 1.0507009873554805, alpha = 1.6732632423543772.
// Slope lambda alpha at 0.
struct SELU {
  template <class D, class V = hn::Vec<D>>
  static HWY_INLINE ValueSlope<V> Eval(D d, const ActivationParams&, V z, V) {
    const V lambda = Constant(d, 1.0507009873554805);
    const V lambda_alpha = Constant(d, 1.75809934084737678183);
    const auto upper = hn::Gt(z, hn::Zero(d));
    const ExpPair<V> below = ExpAndExpm1(d, z);
    return {hn::IfThenElse(upper, hn::Mul(lambda, z), hn::Mul(lambda_alpha, below.expm1)),
            hn::IfThenElse(upper, lambda, hn::Mul(lambda_alpha, below.exp))};
  }
};

// 1 / (1 + e^-z). sigmoid' = sigmoid(z) sigmoid(-z), each from exp(-|z|).
struct Sigmoid {
  template <class D, class V = hn::Vec<D>>
  static HWY_INLINE V Begin(D d, V z) {
    return ExpNonPositive(d, hn::Neg(hn::Abs(z)));
  }
  template <class D, class V = hn::Vec<D>>
  static HWY_INLINE ValueSlope<V> Finish(D d, V z, V begun) {
    const SigmoidParts<V> parts = SigmoidOfExp(d, z, begun);
    return {parts.value, hn::Mul(parts.value, parts.complement)};
  }
};

// log(1 + e^z). The slope is sigmoid(z), of the same exponential.
struct SoftPlus {
  template <class D, class V = hn::Vec<D>>
  static HWY_INLINE V Begin(D d, V z) {
    return Sigmoid::Begin(d, z);
  }
  template <class D, class V = hn::Vec<D>>
  static HWY_INLINE ValueSlope<V> Finish(D d, V z, V begun) {
    return {SoftplusOfExp(d, z, begun), SigmoidOfExp(d, z, begun).value};
  }
};

// z / (1 + |z|). With q = 1 / (1 + |z|) the slope is q^2. Where q leaves the normal numbers z q is +-1 to the last bit.
struct SoftSign {
  template <class D, class V = hn::Vec<D>>
  static HWY_INLINE ValueSlope<V> Eval(D d, const ActivationParams&, V z, V) {
    const V one = Constant(d, 1);
    const V size = hn::Abs(z);
    const V q = hn::Div(one, hn::Add(one, size));
    return {hn::IfThenElse(hn::Gt(size, Constant(d, 0x1p64)), hn::CopySign(one, z), hn::Mul(z, q)), hn::Mul(q, q)};
  }
};

// z sigmoid(z).
struct Swish {
  template <class D, class V = hn::Vec<D>>
  static HWY_INLINE ValueSlope<V> Eval(D d, const ActivationParams&, V z, V) {
    const V y = Bounded(d, z);
    return Gated(d, z, y, y, y);
  }
};

// z for z > theta, else 0. p[0] = theta. Slope 0 at theta.
struct ThresholdedReLU {
  template <class D, class V = hn::Vec<D>>
  static HWY_INLINE ValueSlope<V> Eval(D d, const ActivationParams& p, V z, V) {
    const auto lower = hn::Le(z, Constant(d, p.p[0]));
    return {hn::IfThenZeroElse(lower, z), KeepNaN(z, hn::IfThenZeroElse(lower, Constant(d, 1)))};
  }
};

}  // namespace activations
template <class Activation, class = void>
constexpr bool kTwoLoops = false;
template <class Activation>
constexpr bool kTwoLoops<Activation, std::void_t<decltype(&Activation::template Begin<hn::ScalableTag<float>>)>> = true;

// Whichever way it is evaluated, at once.
template <class Activation, class D, class V = hn::Vec<D>>
HWY_INLINE ValueSlope<V> Evaluate(D d, const ActivationParams& params, V z, V alpha) {
  if constexpr (kTwoLoops<Activation>) {
    return Activation::Finish(d, z, Activation::Begin(d, z));
  } else {
    return Activation::Eval(d, params, z, alpha);
  }
}

}  // namespace HWY_NAMESPACE
}  // namespace simdloss
HWY_AFTER_NAMESPACE();

#endif  // SIMDLOSS_NATIVE_KERNELS_ACTIVATION_INL_H_
