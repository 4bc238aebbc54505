// SPDX-License-Identifier: Apache-2.0
// The losses that couple a row: score of each row and u = dscore/da, over either layout of rows, in float64 lanes.
// Padding columns hold y = 0 and a neutral a (see NeutralOutput in loss_rows.cc).

#if defined(SIMDLOSS_NATIVE_KERNELS_LOSS_ROWWISE_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef SIMDLOSS_NATIVE_KERNELS_LOSS_ROWWISE_INL_H_
#undef SIMDLOSS_NATIVE_KERNELS_LOSS_ROWWISE_INL_H_
#else
#define SIMDLOSS_NATIVE_KERNELS_LOSS_ROWWISE_INL_H_
#endif

#include "hwy/highway.h"
#include "native/kernels/math-inl.h"
#include "native/kernels/rows-inl.h"

HWY_BEFORE_NAMESPACE();
namespace simdloss {
namespace HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

using DF64 = hn::ScalableTag<double>;
using VF64 = hn::Vec<DF64>;

// 2^-k with 2^k the power of two at |x| (at most 2^1022, whose inverse is a normal number), or 1 where x is 0, Inf or
// NaN.
HWY_INLINE VF64 InversePowerOfTwo(VF64 x) {
  const DF64 d;
  const hn::RebindToUnsigned<DF64> du;
  const VF64 bounded = hn::Min(x, hn::Set(d, 0x1p1022));
  const auto exponent = hn::And(hn::BitCast(du, bounded), hn::Set(du, 0x7FF0000000000000ull));
  const auto inverse = hn::BitCast(d, hn::Sub(hn::Set(du, 0x7FE0000000000000ull), exponent));
  const auto ordinary = hn::And(hn::IsFinite(x), hn::Gt(hn::BitCast(d, exponent), hn::Zero(d)));
  return hn::IfThenElse(ordinary, inverse, hn::Set(d, 1));
}

// -y.a / (max(|y|, e) max(|a|, e)), e = 1e-5. u = -(y - a pull) / scale with pull = y.a / |a|^2, or 0 for |a| < e.
// Both vectors are first scaled by a power of two near their largest element, so that no square leaves float64.
inline void CosineProximity(const RowLayout& layout, const double* y, const double* a, double* u, double* score) {
  const DF64 d;
  WithRows(d, layout, [&](auto rows) HWY_ATTR {
    const size_t N = hn::Lanes(d);
    const VF64 e = hn::Set(d, 1e-5), zero = hn::Zero(d);
    const auto y_at = [&](size_t i) HWY_ATTR { return hn::LoadU(d, y + i * N); };
    const auto a_at = [&](size_t i) HWY_ATTR { return hn::LoadU(d, a + i * N); };
    const VF64 y_down = InversePowerOfTwo(MaxOfSteps(rows, [&](size_t i) HWY_ATTR { return hn::Abs(y_at(i)); }));
    const VF64 a_down = InversePowerOfTwo(MaxOfSteps(rows, [&](size_t i) HWY_ATTR { return hn::Abs(a_at(i)); }));
    VF64 a_square, y_square;
    const auto scaled_y = [&](size_t i) HWY_ATTR { return hn::Mul(y_at(i), y_down); };
    const auto scaled_a = [&](size_t i) HWY_ATTR { return hn::Mul(a_at(i), a_down); };
    a_square = SumOfSteps(rows, [&](size_t i) HWY_ATTR {
      const VF64 v = scaled_a(i);
      return hn::Mul(v, v);
    });
    y_square = SumOfSteps(rows, [&](size_t i) HWY_ATTR {
      const VF64 v = scaled_y(i);
      return hn::Mul(v, v);
    });
    const VF64 product = SumOfSteps(rows, [&](size_t i) HWY_ATTR { return hn::Mul(scaled_a(i), scaled_y(i)); });
    // The norms in the scaled units, where e is e_a and e_y.
    const VF64 e_a = hn::Mul(e, a_down), e_y = hn::Mul(e, y_down);
    const VF64 a_norm = hn::Sqrt(a_square), y_norm = hn::Sqrt(y_square);
    const auto a_small = hn::Lt(a_norm, e_a);
    const VF64 a_scale = hn::IfThenElse(a_small, e_a, a_norm);
    const VF64 y_scale = hn::IfThenElse(hn::Lt(y_norm, e_y), e_y, y_norm);
    rows.StorePerRow(hn::Neg(hn::Div(hn::Div(product, a_scale), y_scale)), score);
    if (u == nullptr) return;
    const VF64 pull = hn::IfThenElse(a_small, zero, hn::Div(product, a_square));
    for (size_t i = 0; i < rows.steps; ++i) {
      VF64 across = hn::NegMulAdd(scaled_a(i), pull, scaled_y(i));
      // A single column has no direction to turn to: 0 (NaN where it is), not the rounding of a difference.
      if (rows.cols == 1) across = hn::IfThenElse(a_small, across, hn::Sub(product, product));
      // One factor 1 / |a| of the original units: a_down / a_scale.
      hn::StoreU(hn::Neg(hn::Mul(hn::Div(hn::Div(across, a_scale), y_scale), a_down)), d, u + i * N);
    }
  });
}

// BP-MLL: sum over positives p and others q of exp(a_q - a_p) / (|P| |N|) = rise fall / (|P| |N|), rise = sum_q
// exp(a_q) and fall = sum_p exp(-a_p), each taken relative to its largest term: finite at any level of a.
inline void MultiLabel(const RowLayout& layout, const double* y, const double* a, double* u, double* score) {
  const DF64 d;
  WithRows(d, layout, [&](auto rows) HWY_ATTR {
    const size_t N = hn::Lanes(d);
    const VF64 one = hn::Set(d, 1), zero = hn::Zero(d),
               minus_inf = hn::Set(d, -std::numeric_limits<double>::infinity());
    const auto y_at = [&](size_t i) HWY_ATTR { return hn::LoadU(d, y + i * N); };
    const auto a_at = [&](size_t i) HWY_ATTR { return hn::LoadU(d, a + i * N); };
    const auto positive = [&](size_t i) HWY_ATTR { return hn::Eq(y_at(i), one); };
    const VF64 positives = SumOfSteps(rows, [&](size_t i) HWY_ATTR { return hn::IfThenElseZero(positive(i), one); });
    const VF64 pairs = hn::Mul(positives, hn::Sub(hn::Set(d, static_cast<double>(rows.cols)), positives));
    const VF64 bad = SumOfSteps(rows, [&](size_t i) HWY_ATTR {
      return hn::IfThenZeroElse(hn::And(hn::Eq(y_at(i), y_at(i)), hn::Eq(a_at(i), a_at(i))), one);
    });
    const VF64 top =
        MaxOfSteps(rows, [&](size_t i) HWY_ATTR { return hn::IfThenElse(positive(i), minus_inf, a_at(i)); });
    const VF64 bottom = hn::Neg(
        MaxOfSteps(rows, [&](size_t i) HWY_ATTR { return hn::IfThenElse(positive(i), hn::Neg(a_at(i)), minus_inf); }));
    const VF64 rise = SumOfSteps(
        rows, [&](size_t i) HWY_ATTR { return hn::IfThenZeroElse(positive(i), Exp(d, hn::Sub(a_at(i), top))); });
    const VF64 fall = SumOfSteps(
        rows, [&](size_t i) HWY_ATTR { return hn::IfThenElseZero(positive(i), Exp(d, hn::Sub(bottom, a_at(i)))); });
    const auto empty = hn::Eq(pairs, zero);
    const VF64 nan = hn::Set(d, std::numeric_limits<double>::quiet_NaN());
    const auto finish = [&](VF64 x)
                            HWY_ATTR { return hn::IfThenElse(hn::Gt(bad, zero), nan, hn::IfThenZeroElse(empty, x)); };
    // exp(x) factor without overflow before the factor is in.
    const auto scaled_exp = [&](VF64 x, VF64 factor) HWY_ATTR {
      const VF64 half = Exp(d, hn::Mul(hn::Set(d, 0.5), x));
      return hn::Mul(hn::Mul(half, factor), half);
    };
    rows.StorePerRow(finish(scaled_exp(hn::Sub(top, bottom), hn::Div(hn::Mul(rise, fall), pairs))), score);
    if (u == nullptr) return;
    const VF64 per_fall = hn::Div(fall, pairs), per_rise = hn::Div(rise, pairs);
    for (size_t i = 0; i < rows.steps; ++i) {
      const auto is_positive = positive(i);
      const VF64 difference = hn::IfThenElse(is_positive, hn::Sub(top, a_at(i)), hn::Sub(a_at(i), bottom));
      const VF64 slope = scaled_exp(difference, hn::IfThenElse(is_positive, hn::Neg(per_rise), per_fall));
      hn::StoreU(finish(slope), d, u + i * N);
    }
  });
}

// Bishop 1994, through log-sum-exp; one row a lane. Columns: k logits of alpha, k of log sigma, k d of mu.
// (y - mu) / sigma is taken as two factors exp(-s / 2), so that only its square can overflow.
// scratch: 2 k vectors, log alpha and the squares, then the shares.
inline void MixtureDensity(const RowLayout&, size_t k, size_t label_width, const double* y, const double* a,
                           double* scratch, double* u, double* score) {
  const DF64 d;
  const size_t N = hn::Lanes(d);
  const VF64 zero = hn::Zero(d), one = hn::Set(d, 1), half = hn::Set(d, 0.5);
  const VF64 width = hn::Set(d, static_cast<double>(label_width));
  const VF64 minus_inf = hn::Set(d, -std::numeric_limits<double>::infinity());
  const NarrowRows<DF64> mixtures{d, k, k};
  const double* log_sigma = a + k * N;
  const double* mu = a + 2 * k * N;
  double* squares = scratch;
  double* logs = scratch + k * N;

  const VF64 alpha_max = MaxOfSteps(mixtures, [&](size_t i) HWY_ATTR { return hn::LoadU(d, a + i * N); });
  const VF64 alpha_sum =
      SumOfSteps(mixtures, [&](size_t i) HWY_ATTR { return Exp(d, hn::Sub(hn::LoadU(d, a + i * N), alpha_max)); });
  const VF64 log_alpha_sum = Log(d, alpha_sum);
  const VF64 log_2pi = hn::Set(d, 1.8378770664093454836);

  // (y_j - mu_ij) / sigma_i; a difference of 0 is 0 for any sigma.
  const auto standardised = [&](size_t i, size_t j, VF64 root) HWY_ATTR {
    const VF64 difference = hn::Sub(hn::LoadU(d, y + j * N), hn::LoadU(d, mu + (i * label_width + j) * N));
    return hn::IfThenZeroElse(hn::Eq(difference, zero), hn::Mul(hn::Mul(difference, root), root));
  };
  const auto root_of_precision = [&](size_t i) HWY_ATTR {
    return Exp(d, hn::Mul(hn::Neg(half), hn::LoadU(d, log_sigma + i * N)));
  };

  VF64 top = minus_inf;
  for (size_t i = 0; i < k; ++i) {
    const VF64 root = root_of_precision(i);
    VF64 square = zero;
    for (size_t j = 0; j < label_width; ++j) {
      const VF64 x = standardised(i, j, root);
      square = hn::MulAdd(x, x, square);
    }
    const VF64 log_alpha = hn::Sub(hn::Sub(hn::LoadU(d, a + i * N), alpha_max), log_alpha_sum);
    const VF64 log_scale = hn::Mul(width, hn::MulAdd(half, log_2pi, hn::LoadU(d, log_sigma + i * N)));
    const VF64 log_density = hn::Sub(hn::Sub(log_alpha, log_scale), hn::Mul(half, square));
    hn::StoreU(square, d, squares + i * N);
    hn::StoreU(log_density, d, logs + i * N);
    top = hn::Max(top, log_density);
  }
  // Where every density underflows (top = -Inf), the largest ones share equally and the score is +Inf.
  const auto share_of = [&](size_t i) HWY_ATTR {
    const VF64 x = hn::LoadU(d, logs + i * N);
    return hn::IfThenElse(hn::Eq(x, top), one, Exp(d, hn::Sub(x, top)));
  };
  const VF64 total = SumOfSteps(mixtures, share_of);
  mixtures.StorePerRow(hn::Neg(hn::Add(top, Log(d, total))), score);
  if (u == nullptr) return;
  for (size_t i = 0; i < k; ++i) {
    const VF64 share = hn::Div(share_of(i), total);
    const VF64 alpha = hn::Div(Exp(d, hn::Sub(hn::LoadU(d, a + i * N), alpha_max)), alpha_sum);
    // A share of 0 ends its mixture's pull, however far its mean is.
    const auto none = hn::Eq(share, zero);
    const VF64 root = root_of_precision(i);
    hn::StoreU(hn::Sub(alpha, share), d, u + i * N);
    const VF64 excess = hn::Sub(hn::LoadU(d, squares + i * N), width);
    hn::StoreU(hn::IfThenZeroElse(none, hn::Mul(hn::Neg(share), excess)), d, u + (k + i) * N);
    for (size_t j = 0; j < label_width; ++j) {
      const VF64 pull = hn::Mul(hn::Mul(hn::Mul(standardised(i, j, root), root), root), hn::Neg(share));
      hn::StoreU(hn::IfThenZeroElse(hn::Or(none, hn::Eq(standardised(i, j, root), zero)), pull), d,
                 u + (2 * k + i * label_width + j) * N);
    }
  }
}

}  // namespace HWY_NAMESPACE
}  // namespace simdloss
HWY_AFTER_NAMESPACE();

#endif  // SIMDLOSS_NATIVE_KERNELS_LOSS_ROWWISE_INL_H_
