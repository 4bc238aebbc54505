// SPDX-License-Identifier: Apache-2.0
// Elementary functions of float and double vectors of any size, without tables.
//
// Errors are in units in the last place (ULP) of the exact result, denormal results included, over every argument;
// test/math_test.cc measures and asserts them. NaN in gives NaN out, and -0 keeps its sign where the function is odd.
// Nothing relies on FMA for its accuracy. The polynomials are minimax fits of the relative error, the low coefficients
// rounded first and the others fitted again.

#if defined(SIMDLOSS_NATIVE_KERNELS_MATH_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef SIMDLOSS_NATIVE_KERNELS_MATH_INL_H_
#undef SIMDLOSS_NATIVE_KERNELS_MATH_INL_H_
#else
#define SIMDLOSS_NATIVE_KERNELS_MATH_INL_H_
#endif

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>

#include "hwy/highway.h"

// AVX-512 scales by powers of 2, splits and classifies numbers in one instruction each, denormals included.
#undef SIMDLOSS_MATH_AVX3
#if HWY_ARCH_X86 && HWY_TARGET <= HWY_AVX3
#define SIMDLOSS_MATH_AVX3 1
#else
#define SIMDLOSS_MATH_AVX3 0
#endif

HWY_BEFORE_NAMESPACE();
namespace simdloss {
namespace HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

// --- Building blocks -------------------------------------------------------------------------------------------------

namespace math {

template <class D>
constexpr bool kIsFloat = sizeof(hn::TFromD<D>) == 4;

template <class D>
constexpr int kMantissaBits = kIsFloat<D> ? 23 : 52;

template <class D>
constexpr int kExponentBias = kIsFloat<D> ? 127 : 1023;

// ln 2 in two parts: the product of the high one (15 or 40 bits) with an exponent is exact. The low one is positive.
template <class D>
constexpr double kLn2High = kIsFloat<D> ? 0x1.62e4p-1 : 0x1.62e42fefa2p-1;
template <class D>
constexpr double kLn2Low = kIsFloat<D> ? 0x1.7f7d1cp-20 : 0x1.9ef35793c7673p-41;

template <class D, class V = hn::Vec<D>>
HWY_INLINE V Constant(D d, double c) {
  return hn::Set(d, static_cast<hn::TFromD<D>>(c));
}

// The constant for float lanes or the one for double lanes.
template <class D, class V = hn::Vec<D>>
HWY_INLINE V Constant(D d, double of_float, double of_double) {
  return Constant(d, kIsFloat<D> ? of_float : of_double);
}

// Doubles as floats, Inf where they are too large for one: hn::DemoteTo gives the largest number there in scalar code.
template <class DFloat, class V>
HWY_INLINE hn::Vec<DFloat> Narrowed(DFloat to, V v) {
#if HWY_TARGET == HWY_SCALAR
  return hn::Set(to, static_cast<float>(hn::GetLane(v)));
#else
  return hn::DemoteTo(to, v);
#endif
}

// max(low, x) and min(high, x), NaN where x is NaN: x86 gives the second operand when one is NaN, WebAssembly's targets
// do the same; ARM and scalar code give the number.
#undef SIMDLOSS_MATH_SECOND_OF_NAN
#if HWY_TARGET != HWY_SCALAR && (HWY_ARCH_X86 || HWY_ARCH_WASM)
#define SIMDLOSS_MATH_SECOND_OF_NAN 1
#else
#define SIMDLOSS_MATH_SECOND_OF_NAN 0
#endif
template <class V>
HWY_INLINE V AtLeast(V low, V x) {
#if SIMDLOSS_MATH_SECOND_OF_NAN
  return hn::Max(low, x);
#else
  return hn::IfThenElse(hn::Lt(x, low), low, x);
#endif
}
template <class V>
HWY_INLINE V AtMost(V high, V x) {
#if SIMDLOSS_MATH_SECOND_OF_NAN
  return hn::Min(high, x);
#else
  return hn::IfThenElse(hn::Gt(x, high), high, x);
#endif
}

// r, whose sign is that of x or none, with -0 where x is -0.
template <class D, class V = hn::Vec<D>>
HWY_INLINE V KeepSign(D d, V r, V x) {
  return hn::OrAnd(r, hn::SignBit(d), x);
}

// Sum of c[i] x^i from x and x^2, by Horner's rule on pairs of terms or, for a long one, on fours: nearly as few
// instructions as on single terms, and latency that the processor can hide behind other iterations.
template <class D, size_t N, class V = hn::Vec<D>>
HWY_INLINE V Polynomial(D d, const double (&c)[N], V x, V x2) {
  const auto pair = [&](size_t i) HWY_ATTR {
    return i + 1 < N ? hn::MulAdd(Constant(d, c[i + 1 < N ? i + 1 : i]), x, Constant(d, c[i])) : Constant(d, c[i]);
  };
  const auto four = [&](size_t i) HWY_ATTR { return i + 2 < N ? hn::MulAdd(pair(i + 2), x2, pair(i)) : pair(i); };
  if constexpr (N <= 8) {
    size_t i = (N - 1) / 2 * 2;
    V sum = pair(i);
    for (; i != 0; i -= 2) sum = hn::MulAdd(sum, x2, pair(i - 2));
    return sum;
  } else {
    const V x4 = hn::Mul(x2, x2);
    size_t i = (N - 1) / 4 * 4;
    V sum = four(i);
    for (; i != 0; i -= 4) sum = hn::MulAdd(sum, x4, four(i - 4));
    return sum;
  }
}

// (e^r - 1 - r) / r^2 for |r| <= ln(2) / 2.
template <class D, class V = hn::Vec<D>>
HWY_INLINE V ExpTail(D d, V r, V r2) {
  if constexpr (kIsFloat<D>) {
    constexpr double kC[] = {0x1.fffffep-2, 0x1.5554a8p-3, 0x1.555796p-5, 0x1.122e26p-7, 0x1.6ac08cp-10};
    return Polynomial(d, kC, r, r2);
  } else {
    constexpr double kC[] = {0x1.0000000000005p-1,  0x1.5555555555539p-3,  0x1.55555555521acp-5,  0x1.1111111119248p-7,
                             0x1.6c16c17f260ecp-10, 0x1.a01a01746aaf6p-13, 0x1.a019a68157de4p-16, 0x1.71de88d2d9209p-19,
                             0x1.28a2d8b8e2b57p-22, 0x1.ae6bb30704a4bp-26};
    return Polynomial(d, kC, r, r2);
  }
}

// Adding 1.5 * 2^mantissa bits rounds to a whole number and leaves it in the low bits, here with kOffset.
template <int kOffset, class D, class V = hn::Vec<D>>
HWY_INLINE V Rounder(D d) {
  return Constant(d, 0x1.8p23 + kOffset, 0x1.8p52 + kOffset);
}

// x = k ln 2 + r, k whole, |r| <= ln(2) / 2, high = r + k kLn2Low without error. The low bits of `bits` hold k +
// kOffset. For |x| far below 2^mantissa bits.
template <class D, class V = hn::Vec<D>>
struct Reduced {
  V k, high;
  hn::Vec<hn::RebindToUnsigned<D>> bits;
};

template <class D, class V = hn::Vec<D>>
HWY_INLINE Reduced<D> ReduceBy(D d, V x, V rounder) {
  const V shifted = hn::MulAdd(x, Constant(d, 0x1.71547652b82fep0), rounder);
  const V k = hn::Sub(shifted, rounder);
  return {k, hn::NegMulAdd(k, Constant(d, kLn2High<D>), x), hn::BitCast(hn::RebindToUnsigned<D>(), shifted)};
}

template <int kOffset, class D, class V = hn::Vec<D>>
HWY_INLINE Reduced<D> Reduce(D d, V x) {
  return ReduceBy(d, x, Rounder<kOffset>(d));
}

// e^r - 1 less the high part of r: the sum of the two rounds little but in its last addition.
template <class D, class V = hn::Vec<D>>
HWY_INLINE V SmallTerms(D d, const Reduced<D>& x) {
  const V low = hn::Mul(x.k, Constant(d, kLn2Low<D>));
  const V r = hn::Sub(x.high, low);
  const V r2 = hn::Mul(r, r);
  return hn::MulSub(r2, ExpTail(d, r, r2), low);
}

// v 2^k, rounded once, for any k in which v 2^(k/2) is a normal number. Needs kOffset = 2 bias.
template <class D, class V = hn::Vec<D>>
HWY_INLINE V ScaleByPow2(D d, V v, const Reduced<D>& x) {
#if SIMDLOSS_MATH_AVX3
  (void)d;
  return hn::MulByFloorPow2(v, x.k);
#else
  // The shifts drop all but the biased exponents of 2^floor(k/2) and 2^ceil(k/2).
  const auto half = hn::ShiftRight<1>(x.bits);
  const auto rest = hn::Sub(x.bits, half);
  const V v_half = hn::Mul(v, hn::BitCast(d, hn::ShiftLeft<kMantissaBits<D>>(half)));
  return hn::Mul(v_half, hn::BitCast(d, hn::ShiftLeft<kMantissaBits<D>>(rest)));
#endif
}

// 2^(k + kOffset - bias) where that is a normal number.
template <class D, class V = hn::Vec<D>>
HWY_INLINE V Pow2(D d, const Reduced<D>& x) {
  return hn::BitCast(d, hn::ShiftLeft<kMantissaBits<D>>(x.bits));
}

// (e^x - 1) 2^(kOffset - bias) = 2^(k + kOffset - bias) (e^r - 1) + (2^k - 1) 2^(kOffset - bias) where that is normal.
// The large terms first: near 0, where they cancel, their sum is exact.
template <int kOffset, class D, class V = hn::Vec<D>>
HWY_INLINE V ScaledExpm1(D d, V x) {
  const Reduced<D> reduced = Reduce<kOffset>(d, x);
  const V scale = Pow2(d, reduced);
  const V whole = hn::Sub(scale, Constant(d, kOffset == kExponentBias<D> ? 1 : 0.5));
  return hn::MulAdd(scale, SmallTerms(d, reduced), hn::MulAdd(scale, reduced.high, whole));
}

// The last |x| with a finite e^(2|x|).
template <class D>
constexpr double kTanhLimit = kIsFloat<D> ? 44.36 : 354.89;

// At most the first e^x rounds to 0, from the second on it overflows.
template <class D>
constexpr double kExpLow = kIsFloat<D> ? -104 : -746;
template <class D>
constexpr double kExpHigh = kIsFloat<D> ? 89 : 710;

// e^r - 1 of x = k ln 2 + r, near enough for 1 to be added.
template <class D, class V = hn::Vec<D>>
HWY_INLINE V RestOfReduced(D d, const Reduced<D>& x) {
  const V r = hn::NegMulAdd(x.k, Constant(d, kLn2Low<D>), x.high);
  const V r2 = hn::Mul(r, r);
  return hn::MulAdd(r2, ExpTail(d, r, r2), r);
}

// e^r.
template <class D, class V = hn::Vec<D>>
HWY_INLINE V ExpOfReduced(D d, const Reduced<D>& x) {
  return hn::Add(Constant(d, 1), RestOfReduced(d, x));
}

// e^r Pow2(x), rounded once.
template <class D, class V = hn::Vec<D>>
HWY_INLINE V ScaledExpOfReduced(D d, const Reduced<D>& x) {
  const V scale = Pow2(d, x);
#if HWY_NATIVE_FMA
  return hn::MulAdd(scale, RestOfReduced(d, x), scale);
#else
  return hn::Mul(scale, ExpOfReduced(d, x));
#endif
}

// e^x for x within these limits.
template <class D, class V = hn::Vec<D>>
HWY_INLINE V ExpClamped(D d, V x) {
  const Reduced<D> reduced = Reduce<2 * kExponentBias<D>>(d, x);
  return ScaleByPow2(d, ExpOfReduced(d, reduced), reduced);
}

// log(2^e (1 + f)) for -1/4 <= f <= 1/2, e whole: e ln 2 + (f + f^2 ...), the small terms first.
template <class D, class V = hn::Vec<D>>
HWY_INLINE V LogOfParts(D d, V e, V f) {
  [[maybe_unused]] const V high = Constant(d, kLn2High<D>), low = Constant(d, kLn2Low<D>);
  if constexpr (kIsFloat<D>) {
    // (log(1 + f) - f) / f^2
    constexpr double kC[] = {-0x1.000014p-1, 0x1.5555eap-2, -0x1.ffde08p-3, 0x1.991ff6p-3,
                             -0x1.587d76p-3, 0x1.32e9ecp-3, -0x1.ef183ap-4, 0x1.bd3cbep-5};
    const V f2 = hn::Mul(f, f);
#if HWY_NATIVE_FMA
    // The nearest float of ln 2 errs by only 2^-29: its unrounded product needs no second part.
    return hn::MulAdd(e, Constant(d, 0x1.62e43p-1), hn::MulAdd(f2, Polynomial(d, kC, f, f2), f));
#else
    const V small = hn::MulAdd(f2, Polynomial(d, kC, f, f2), hn::Mul(e, low));
    return hn::MulAdd(e, high, hn::Add(f, small));
#endif
  } else {
    // With s = f / (2 + f), log(1 + f) = 2 atanh s = f - h + s (h + R), h = f^2 / 2, R = 2 s^2 / 3 + ...
    constexpr double kC[] = {0x1.5555555555771p-1, 0x1.99999998f1aa7p-2, 0x1.249249b1a4ab7p-2, 0x1.c71c01a5d4f0ap-3,
                             0x1.7474d9db75783p-3, 0x1.3853717d76d93p-3, 0x1.3ab9fd0c841aep-3};
    const V s = hn::Div(f, hn::Add(f, Constant(d, 2)));
    const V z = hn::Mul(s, s);
    const V h = hn::Mul(hn::Mul(f, f), Constant(d, 0.5));
    const V small = hn::MulAdd(s, hn::MulAdd(z, Polynomial(d, kC, z, hn::Mul(z, z)), h), hn::Mul(e, low));
    return hn::MulAdd(e, high, hn::Sub(f, hn::Sub(h, small)));
  }
}

#if SIMDLOSS_MATH_AVX3
// x times a power of 2, in [0.75, 1.5), from denormals too. 1 for 0 and Inf, NaN for x < 0.
template <class D, class V = hn::Vec<D>>
HWY_INLINE V Mantissa(D, V x) {
  constexpr auto kRange = _MM_MANT_NORM_p75_1p5;
  constexpr auto kSign = _MM_MANT_SIGN_nan;
  if constexpr (kIsFloat<D>) {
    if constexpr (sizeof(x) == 64)
      return V{_mm512_getmant_ps(x.raw, kRange, kSign)};
    else if constexpr (sizeof(x) == 32)
      return V{_mm256_getmant_ps(x.raw, kRange, kSign)};
    else
      return V{_mm_getmant_ps(x.raw, kRange, kSign)};
  } else {
    if constexpr (sizeof(x) == 64)
      return V{_mm512_getmant_pd(x.raw, kRange, kSign)};
    else if constexpr (sizeof(x) == 32)
      return V{_mm256_getmant_pd(x.raw, kRange, kSign)};
    else
      return V{_mm_getmant_pd(x.raw, kRange, kSign)};
  }
}
#endif

// r where 0 < x < Inf, else what a logarithm of x gives: -Inf of 0, Inf of Inf, NaN of x < 0 and of NaN.
template <class D, class V = hn::Vec<D>>
HWY_INLINE V WithLogSpecials(D d, V r, V x) {
#if SIMDLOSS_MATH_AVX3
  // A response for each class of x, 4 bits each from the lowest: QNaN, SNaN: x; 0: -Inf; 1: r; -Inf: NaN; Inf: Inf;
  // x < 0: NaN; x > 0: r.
  const auto table = hn::Set(hn::RebindToSigned<D>(), 0x03530422);
  (void)d;
  if constexpr (kIsFloat<D>) {
    if constexpr (sizeof(x) == 64)
      return V{_mm512_fixupimm_ps(r.raw, x.raw, table.raw, 0)};
    else if constexpr (sizeof(x) == 32)
      return V{_mm256_fixupimm_ps(r.raw, x.raw, table.raw, 0)};
    else
      return V{_mm_fixupimm_ps(r.raw, x.raw, table.raw, 0)};
  } else {
    if constexpr (sizeof(x) == 64)
      return V{_mm512_fixupimm_pd(r.raw, x.raw, table.raw, 0)};
    else if constexpr (sizeof(x) == 32)
      return V{_mm256_fixupimm_pd(r.raw, x.raw, table.raw, 0)};
    else
      return V{_mm_fixupimm_pd(r.raw, x.raw, table.raw, 0)};
  }
#else
  using T = hn::TFromD<D>;
  const V zero = hn::Zero(d), inf = hn::Set(d, std::numeric_limits<T>::infinity());
  const V not_positive = hn::IfThenElse(hn::Eq(x, zero), hn::Neg(inf), hn::Set(d, std::numeric_limits<T>::quiet_NaN()));
  return hn::IfThenElse(hn::Le(x, zero), not_positive, hn::IfThenElse(hn::Lt(x, inf), r, x));
#endif
}

// The split of a normal x = 2^e m > 0, m in [0.75, 1.5), on integers.
template <class D>
struct Split {
  using DU = hn::RebindToUnsigned<D>;
  using TU = hn::TFromD<DU>;
  using V = hn::Vec<D>;
  static constexpr int kBits = kMantissaBits<D>;
  static constexpr TU kOne = TU{kExponentBias<D>} << kBits, kThreeQuarters = kOne - (TU{1} << (kBits - 1));
  static constexpr TU kFraction = (TU{1} << kBits) - 1;

  D d;
  hn::Vec<DU> bits;  // e + bias over the fraction of m less that of 0.75

  HWY_INLINE Split(D d_in, V x) : d(d_in), bits(hn::Add(hn::BitCast(DU(), x), hn::Set(DU(), kOne - kThreeQuarters))) {}

  // e less an offset, by magic = 2^mantissa bits + bias + offset instead of a conversion, slow for 64-bit integers.
  HWY_INLINE V Exponent(V magic) const {
    const auto power = hn::BitCast(DU(), Constant(d, 0x1p23, 0x1p52));
    return hn::Sub(hn::BitCast(d, hn::Or(hn::ShiftRight<kBits>(bits), power)), magic);
  }
  HWY_INLINE V Exponent() const { return Exponent(Magic(d, 0, 0)); }
  static HWY_INLINE V Magic(D d, int offset_float, int offset_double) {
    return Constant(d, 0x1p23 + kExponentBias<D> + offset_float, 0x1p52 + kExponentBias<D> + offset_double);
  }

  HWY_INLINE V Mantissa() const {
    return hn::BitCast(d, hn::Add(hn::And(bits, hn::Set(DU(), kFraction)), hn::Set(DU(), kThreeQuarters)));
  }

  // 2^(2 - e): 2^-e itself can be denormal.
  HWY_INLINE V FourOverPower() const {
    constexpr TU kFour = TU{2 * kExponentBias<D> + 2} << kBits;
    return hn::BitCast(d, hn::Sub(hn::Set(DU(), kFour), hn::AndNot(hn::Set(DU(), kFraction), bits)));
  }
};

// base + log(1 + e) for 0 <= e <= 1 and base = 0 or >= -log e: e, the largest term, is added last.
template <class D, class V = hn::Vec<D>>
HWY_INLINE V AddLog1pUnit(D d, V base, V e) {
  const V e2 = hn::Mul(e, e);
  if constexpr (kIsFloat<D>) {
    // (log(1 + e) - e + e^2 / 2) / e^3
    constexpr double kC[] = {0x1.55527ep-2, -0x1.ff7d56p-3, 0x1.94f9a2p-3, -0x1.3eda66p-3,
                             0x1.c38b7ep-4, -0x1.f2f7aep-5, 0x1.66490cp-6, -0x1.e1c5fcp-9};
    const V h = hn::NegMulAdd(e2, Constant(d, 0.5), base);
    return hn::Add(e, hn::MulAdd(e2, hn::Mul(e, Polynomial(d, kC, e, e2)), h));
  } else {
    // As in LogOfParts, with a longer polynomial instead of a reduction.
    constexpr double kC[] = {0x1.5555555555535p-1, 0x1.99999999a0780p-2, 0x1.249249208a49bp-2, 0x1.c71c741d8c493p-3,
                             0x1.745cb3d96988ap-3, 0x1.3b1dde8292cb1p-3, 0x1.10679fff20fd5p-3, 0x1.efda5b9c0a14ap-4,
                             0x1.55a920b0b9896p-4, 0x1.5c7f379bc6990p-3};
    const V s = hn::Div(e, hn::Add(e, Constant(d, 2)));
    const V z = hn::Mul(s, s);
    const V h = hn::Mul(e2, Constant(d, 0.5));
    const V tail = hn::NegMulAdd(s, hn::MulAdd(z, Polynomial(d, kC, z, hn::Mul(z, z)), h), h);
    return hn::Add(e, hn::Sub(base, tail));
  }
}

}  // namespace math

// --- Exponentials ----------------------------------------------------------------------------------------------------

// e^x.
//
// Lanes: float, double. Error: 1.1 ULP. Range: all.
template <class D, class V = hn::Vec<D>>
HWY_INLINE V Exp(D d, V x) {
  const V low = math::Constant(d, math::kExpLow<D>), high = math::Constant(d, math::kExpHigh<D>);
  return math::ExpClamped(d, math::AtMost(high, math::AtLeast(low, x)));
}

// e^x of an x known not to be positive: fewer instructions.
//
// Lanes: float, double. Error: 1.1 ULP. Range: x <= 0, NaN.
template <class D, class V = hn::Vec<D>>
HWY_INLINE V ExpNonPositive(D d, V x) {
  const V bounded = math::AtLeast(math::Constant(d, math::kExpLow<D>), x);
#if SIMDLOSS_MATH_AVX3
  return math::ExpClamped(d, bounded);
#else
  // 2^k may be denormal, 2^(k + up) is not; 2^-up rounds, once, what becomes so.
  constexpr int kUp = math::kIsFloat<D> ? 64 : 512;
  const auto reduced = math::Reduce<math::kExponentBias<D> + kUp>(d, bounded);
  return hn::Mul(math::ScaledExpOfReduced(d, reduced), math::Constant(d, 0x1p-64, 0x1p-512));
#endif
}

// From here to 0 e^x is a normal number.
template <class D>
constexpr double kExpNormalLow = math::kIsFloat<D> ? -87 : -708;

// e^x of an x known to lie there: fewer still, and to the bit what ExpNonPositive gives.
//
// Lanes: float, double. Error: 1.1 ULP. Range: kExpNormalLow <= x <= 0, NaN.
template <class D, class V = hn::Vec<D>>
HWY_INLINE V ExpNormal(D d, V x) {
  const auto reduced = math::Reduce<math::kExponentBias<D>>(d, x);
#if SIMDLOSS_MATH_AVX3
  return math::ScaleByPow2(d, math::ExpOfReduced(d, reduced), reduced);
#else
  return math::ScaledExpOfReduced(d, reduced);
#endif
}

// The whole number next to x / ln 2.
template <class D, class V = hn::Vec<D>>
HWY_INLINE V NearestPow2(D d, V x) {
  return math::Reduce<0>(d, x).k;
}

// 2^p of a whole p.
//
// Lanes: float, double. Error: none. Range: normal results.
template <class D, class V = hn::Vec<D>>
HWY_INLINE V Pow2(D d, V p) {
  const auto bits = hn::BitCast(hn::RebindToUnsigned<D>(), hn::Add(p, math::Rounder<math::kExponentBias<D>>(d)));
  return hn::BitCast(d, hn::ShiftLeft<math::kMantissaBits<D>>(bits));
}

// e^x 2^-p of a whole p: exponentials at any level come near 1, and no difference of two levels has been rounded.
// `anchor` is Pow2Anchor of p.
//
// Lanes: float, double. Error: 1.1 ULP. Range: |x| <= 256 of float, 4096 of double, normal results.
template <class D, class V = hn::Vec<D>>
HWY_INLINE V Pow2Anchor(D d, V p) {
  return hn::Sub(math::Rounder<math::kExponentBias<D>>(d), p);
}
template <class D, class V = hn::Vec<D>>
HWY_INLINE V ExpFrom(D d, V x, V anchor) {
  const auto reduced = math::ReduceBy(d, x, anchor);
  return math::ScaledExpOfReduced(d, reduced);
}

// e^x - 1 = 2^k (e^r - 1) + (2^k - 1).
//
// Lanes: float, double. Error: 1.3 ULP. Range: all.
template <class D, class V = hn::Vec<D>>
HWY_INLINE V Expm1(D d, V x) {
  // By halves: 2^k itself overflows for the last arguments with a finite result.
  const V low = math::Constant(d, -20, -40), high = math::Constant(d, math::kExpHigh<D>);
  const V half = math::ScaledExpm1<math::kExponentBias<D> - 1>(d, math::AtMost(high, math::AtLeast(low, x)));
  return math::KeepSign(d, hn::Add(half, half), x);
}

// --- Logarithms ------------------------------------------------------------------------------------------------------

// log x.
//
// Lanes: float, double. Error: 1.5 ULP, of double 1. Range: all; -Inf of +-0, NaN below.
template <class D, class V = hn::Vec<D>>
HWY_INLINE V Log(D d, V x) {
#if SIMDLOSS_MATH_AVX3
  // The exponents of 0 and Inf are -Inf and Inf: no special cases.
  const V m = math::Mantissa(d, x);
  return math::LogOfParts(d, hn::Sub(hn::GetExponent(x), hn::GetExponent(m)), hn::Sub(m, math::Constant(d, 1)));
#else
  using Split = math::Split<D>;
  const auto tiny = hn::Lt(x, hn::Set(d, std::numeric_limits<hn::TFromD<D>>::min()));
  const Split split(d, hn::IfThenElse(tiny, hn::Mul(x, math::Constant(d, 0x1p24, 0x1p54)), x));
  const V e = split.Exponent(hn::IfThenElse(tiny, Split::Magic(d, 24, 54), Split::Magic(d, 0, 0)));
  const V f = hn::Sub(split.Mantissa(), math::Constant(d, 1));
  return math::WithLogSpecials(d, math::LogOfParts(d, e, f), x);
#endif
}

// log x of a normal number: no special cases.
//
// Lanes: float, double. Error: 1.5 ULP, of double 1. Range: normal x > 0, NaN.
template <class D, class V = hn::Vec<D>>
HWY_INLINE V LogNormal(D d, V x) {
#if SIMDLOSS_MATH_AVX3
  return Log(d, x);
#else
  const math::Split<D> split(d, x);
  const V log = math::LogOfParts(d, split.Exponent(), hn::Sub(split.Mantissa(), math::Constant(d, 1)));
  return hn::IfThenElse(hn::Eq(x, x), log, x);
#endif
}

// log(1 + x) = e ln 2 + log(1 + f), e the exponent of the rounded 1 + x, but f = 2^-e x + (2^-e - 1): one rounding,
// none for e = 0.
//
// Lanes: float, double. Error: 1.5 ULP, of double 1. Range: x >= 0 but Inf, NaN.
template <class D, class V = hn::Vec<D>>
HWY_INLINE V Log1pNonNegative(D d, V x) {
  const V one = math::Constant(d, 1);
  const math::Split<D> split(d, hn::Add(one, x));
  const V scale = split.FourOverPower(), quarter = math::Constant(d, 0.25);
  const V f = hn::MulAdd(hn::Mul(x, scale), quarter, hn::MulSub(scale, quarter, one));
  return math::LogOfParts(d, split.Exponent(), f);
}

// The same.
//
// Lanes: float, double. Error: 1.5 ULP, of double 1. Range: all; -Inf of -1, NaN below.
template <class D, class V = hn::Vec<D>>
HWY_INLINE V Log1p(D d, V x) {
  const V u = hn::Add(math::Constant(d, 1), x);
  return math::KeepSign(d, math::WithLogSpecials(d, Log1pNonNegative(d, x), u), x);
}

// --- Logistic functions ----------------------------------------------------------------------------------------------

// log(1 + x) of an x known to lie in [0, 1], such as e^-|z|: no reduction, no special cases.
//
// Lanes: float, double. Error: 1.5 ULP. Range: 0 <= x <= 1, NaN.
template <class D, class V = hn::Vec<D>>
HWY_INLINE V Log1pUnit(D d, V x) {
  return math::AddLog1pUnit(d, hn::Zero(d), x);
}

template <class V>
struct SigmoidParts {
  V exp, value, complement;
};

// From e = e^-|z|: sigmoid z and sigmoid -z = 1 - sigmoid z, each with the same relative accuracy: r = e / (1 + e) has
// three roundings; e - e r and 1 - r, equal to r and 1 / (1 + e), damp the last two.
//
// Lanes: float, double. Error: 2 ULP each. Range: all.
template <class D, class V = hn::Vec<D>>
HWY_INLINE SigmoidParts<V> SigmoidOfExp(D d, V z, V e) {
  const V one = math::Constant(d, 1);
  const V ratio = hn::Div(e, hn::Add(one, e));
  const V value_scale = hn::IfNegativeThenElse(z, e, one), complement_scale = hn::IfNegativeThenElse(z, one, e);
  return {e, hn::NegMulAdd(value_scale, ratio, value_scale), hn::NegMulAdd(complement_scale, ratio, complement_scale)};
}

template <class D, class V = hn::Vec<D>>
HWY_INLINE SigmoidParts<V> SigmoidWithParts(D d, V z) {
  return SigmoidOfExp(d, z, ExpNonPositive(d, hn::Neg(hn::Abs(z))));
}

// 1 / (1 + e^-x).
//
// Lanes: float, double. Error: 2 ULP. Range: all.
template <class D, class V = hn::Vec<D>>
HWY_INLINE V Sigmoid(D d, V x) {
  return SigmoidWithParts(d, x).value;
}

// log(1 + e^x) = max(x, 0) + log(1 + e^-|x|).
//
// Lanes: float, double. Error: 2 ULP. Range: all.
template <class D, class V = hn::Vec<D>>
HWY_INLINE V SoftplusOfExp(D d, V x, V e) {
  return math::AddLog1pUnit(d, hn::Max(hn::Zero(d), x), e);
}

template <class D, class V = hn::Vec<D>>
HWY_INLINE V Softplus(D d, V x) {
  return SoftplusOfExp(d, x, ExpNonPositive(d, hn::Neg(hn::Abs(x))));
}

// log(sigmoid x) = -log(1 + e^-x).
//
// Lanes: float, double. Error: 2 ULP. Range: all.
template <class D, class V = hn::Vec<D>>
HWY_INLINE V LogSigmoid(D d, V x) {
  const V e = ExpNonPositive(d, hn::Neg(hn::Abs(x)));
  return hn::Neg(math::AddLog1pUnit(d, hn::Max(hn::Zero(d), hn::Neg(x)), e));
}

template <class V>
struct TanhParts {
  V value, rest, slope;
};

// tanh x, 1 - |tanh x| and 1 - tanh^2 x. With h = (e^(2|x|) - 1) / 2 and q = 1 / (1 + h), they are +-h q = +-(1 - q), q
// and q (1 + h q). For small h the roundings of h q weigh most: h - h (h q) damps them, for large ones 1 - q does.
//
// Lanes: float, double. Error: 2 ULP, of the others 4. Range: all; rests and slopes below the normal numbers are 0.
template <class D, class V = hn::Vec<D>>
HWY_INLINE TanhParts<V> TanhOfHalfExpm1(D d, V x, V h) {
  const V one = math::Constant(d, 1);
  const V q = hn::Div(one, hn::Add(h, one));
  const V value = hn::IfThenElse(hn::Lt(h, one), hn::NegMulAdd(h, hn::Mul(h, q), h), hn::Sub(one, q));
  const V rest = hn::IfThenZeroElse(hn::Gt(hn::Abs(x), math::Constant(d, math::kTanhLimit<D>)), q);
  return {hn::CopySign(value, x), rest, hn::MulAdd(rest, value, rest)};
}

// h for it.
template <class D, class V = hn::Vec<D>>
HWY_INLINE V HalfExpm1OfTwice(D d, V x) {
  const V clamped = math::AtMost(math::Constant(d, math::kTanhLimit<D>), hn::Abs(x));
  return math::ScaledExpm1<math::kExponentBias<D> - 1>(d, hn::Add(clamped, clamped));
}

template <class D, class V = hn::Vec<D>>
HWY_INLINE TanhParts<V> TanhWithParts(D d, V x) {
  return TanhOfHalfExpm1(d, x, HalfExpm1OfTwice(d, x));
}

// tanh x.
//
// Lanes: float, double. Error: 2 ULP. Range: all.
template <class D, class V = hn::Vec<D>>
HWY_INLINE V Tanh(D d, V x) {
  return TanhWithParts(d, x).value;
}

// --- Error function --------------------------------------------------------------------------------------------------

// erf x: x + x P(x^2) for small |x|, else 1 - e^-Q(|x|), Q a fit of -log(1 - erf x).
//
// Lanes: float, double. Error: 2 ULP. Range: all.
template <class D, class V = hn::Vec<D>>
HWY_INLINE V Erf(D d, V x) {
  const V size = math::AtMost(math::Constant(d, 4, 6), hn::Abs(x));
  const V z = hn::Mul(size, size), z2 = hn::Mul(z, z);
  V p, q;
  if constexpr (math::kIsFloat<D>) {
    constexpr double kSmall[] = {0x1.06eba6p-3,  -0x1.8126ecp-2, 0x1.ce1b86p-4,
                                 -0x1.b69b8ep-6, 0x1.479c18p-8,  -0x1.3ba5acp-11};
    constexpr double kLarge[] = {-0x1.18285p-13, -0x1.20c06ap0,  -0x1.460270p-1, -0x1.ab5330p-4,
                                 0x1.6f54f0p-6,  -0x1.954f80p-9, 0x1.a583fp-13};
    p = math::Polynomial(d, kSmall, z, z2);
    q = math::Polynomial(d, kLarge, size, z);
  } else {
    constexpr double kSmall[] = {0x1.06eba8214db68p-3,   -0x1.812746b0379bdp-2,  0x1.ce2f21a040d17p-4,
                                 -0x1.b82ce311fa97ap-6,  0x1.565bccf92b9f3p-8,   -0x1.c02db03de63d1p-11,
                                 0x1.f9a2baaa483d8p-14,  -0x1.f4ca4d815de27p-17, 0x1.b97fd47ea2fb4p-20,
                                 -0x1.5c072a9b09beep-23, 0x1.d71b26c9c1d41p-27,  -0x1.abae8b6be9982p-31};
    constexpr double kLarge[] = {-0x1.0df845de4d6e1p-21, -0x1.20dd1fd3a14b7p0,   -0x1.45f62756787d0p-1,
                                 -0x1.a4ac5c6331139p-4,  0x1.37229388895cap-6,   0x1.ae93b5c10f1b9p-12,
                                 -0x1.f640f4d030ea3p-10, 0x1.940a4cce2f2e0p-11,  -0x1.1b398c68cf02cp-13,
                                 -0x1.5400537841f34p-16, 0x1.7ee3f38c6e9c8p-16,  -0x1.22d10152303dap-17,
                                 0x1.1ea3d6b877bf5p-19,  -0x1.90d2495e86f0ap-22, 0x1.8ec2189c1be6cp-25,
                                 -0x1.0e59d8468379cp-28, 0x1.c1ac6d1623119p-33,  -0x1.5acddb1ff27a4p-38};
    p = math::Polynomial(d, kSmall, z, z2);
    q = math::Polynomial(d, kLarge, size, z);
  }
  const auto small = hn::Lt(size, math::Constant(d, 0.875, 1));
  // Both parts are wanted without their sign, which CopySign gives.
  return hn::CopySign(hn::IfThenElse(small, hn::MulAdd(size, p, size), math::ScaledExpm1<math::kExponentBias<D>>(d, q)),
                      x);
}

// --- Powers ----------------------------------------------------------------------------------------------------------

namespace math {

// x^y = +-e^(y log |x|) of numbers that have many bits less than double: what y log |x| loses does not show.
template <class D, class V = hn::Vec<D>>
HWY_INLINE V PowOfShort(D d, V x, V y) {
  const V zero = hn::Zero(d), one = Constant(d, 1), half = hn::Mul(y, Constant(d, 0.5));
  const V size = hn::Abs(x);
  // 1^Inf is 1, and so are x^0 and 1^y, of a NaN too.
  const auto is_one = hn::Or(hn::Eq(y, zero), hn::Or(hn::Eq(x, one), hn::And(hn::Eq(size, one), hn::Eq(half, y))));
  const auto whole = hn::Eq(hn::Floor(y), y), odd = hn::And(whole, hn::Ne(hn::Floor(half), half));
  const V power = Exp(d, hn::Mul(y, Log(d, size)));
  const V sign = hn::And(hn::SignBit(d), x);
  const V inf = hn::Set(d, std::numeric_limits<hn::TFromD<D>>::infinity());
  const auto none = hn::AndNot(whole, hn::And(hn::Lt(x, zero), hn::Lt(size, inf)));
  const V result = hn::Or(power, hn::IfThenElseZero(odd, sign));
  return hn::IfThenElse(is_one, one, hn::IfThenElse(none, hn::NaN(d), result));
}

}  // namespace math

// x^y, as C's pow.
//
// Lanes: float, by way of double lanes, and double, by way of the C library. Error: 0.6 ULP, of double 1. Range: all.
template <class D, class V = hn::Vec<D>>
HWY_INLINE V Pow(D d, V x, V y) {
  using T = hn::TFromD<D>;
  constexpr size_t kLanes = hn::MaxLanes(D());
  HWY_ALIGN T base[kLanes], exponent[kLanes];
  hn::Store(x, d, base);
  hn::Store(y, d, exponent);
  if constexpr (math::kIsFloat<D>) {
    const hn::CappedTag<double, kLanes> wide;
    const hn::Rebind<T, decltype(wide)> narrow;
    for (size_t i = 0; i < hn::Lanes(d); i += hn::Lanes(wide)) {
      const auto power = math::PowOfShort(wide, hn::PromoteTo(wide, hn::LoadU(narrow, base + i)),
                                          hn::PromoteTo(wide, hn::LoadU(narrow, exponent + i)));
      hn::StoreU(math::Narrowed(narrow, power), narrow, base + i);
    }
  } else {
    for (size_t i = 0; i < hn::Lanes(d); ++i) base[i] = std::pow(base[i], exponent[i]);
  }
  return hn::Load(d, base);
}

}  // namespace HWY_NAMESPACE
}  // namespace simdloss
HWY_AFTER_NAMESPACE();

#endif  // SIMDLOSS_NATIVE_KERNELS_MATH_INL_H_
