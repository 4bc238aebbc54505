// SPDX-License-Identifier: Apache-2.0
// The losses that couple a row: score of each row and u = dscore/da, over either layout of rows, in float64 lanes.

#if defined(SIMDLOSS_NATIVE_KERNELS_LOSS_ROWWISE_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef SIMDLOSS_NATIVE_KERNELS_LOSS_ROWWISE_INL_H_
#undef SIMDLOSS_NATIVE_KERNELS_LOSS_ROWWISE_INL_H_
#else
#define SIMDLOSS_NATIVE_KERNELS_LOSS_ROWWISE_INL_H_
#endif

#include <algorithm>
#include <limits>
#include <type_traits>

#include "hwy/highway.h"
#include "native/kernels/math-inl.h"
#include "native/kernels/rows-inl.h"
#include "native/stages.h"

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

// A formula gets a row of each operand (narrow: a row a lane), in memory of type T: from float some need less care, as
// no square or product of two floats leaves double. Eval returns the scores; where slopes are asked for it gives
// store(step, u) those of every column, u = dscore/da.

// -y.a / (max(|y|, e) max(|a|, e)), e = 1e-5. u = -(y - a pull) / scale with pull = y.a / |a|^2, or 0 for |a| < e.
// Double vectors are first scaled by a power of two near their largest element, so that no square leaves double.
struct CosineProximity {
  static constexpr bool kNarrowOnly = false;

  template <class Source, class R, class T, class F>
  static HWY_INLINE VF64 Eval(const R& rows, const RowwiseParams&, const T* y, const T* a, double*, bool slopes,
                              F&& store) {
    const DF64 d;
    const VF64 e = hn::Set(d, 1e-5), zero = hn::Zero(d), one = hn::Set(d, 1);
    VF64 y_down = one, a_down = one;
    if constexpr (std::is_same_v<Source, double>) {
      y_down = InversePowerOfTwo(MaxOfSteps(rows, [&](auto at) SIMDLOSS_STEP { return hn::Abs(at.Load(d, y)); }));
      a_down = InversePowerOfTwo(MaxOfSteps(rows, [&](auto at) SIMDLOSS_STEP { return hn::Abs(at.Load(d, a)); }));
    }
    const auto scaled_y = [&](auto at) SIMDLOSS_STEP { return hn::Mul(at.Load(d, y), y_down); };
    const auto scaled_a = [&](auto at) SIMDLOSS_STEP { return hn::Mul(at.Load(d, a), a_down); };
    const auto sums = SumsOfSteps<3>(rows, [&](auto at, VF64* sum) SIMDLOSS_STEP {
      const VF64 v = scaled_a(at), w = scaled_y(at);
      sum[0] = hn::MulAdd(v, v, sum[0]);
      sum[1] = hn::MulAdd(w, w, sum[1]);
      sum[2] = hn::MulAdd(v, w, sum[2]);
    });
    const VF64 a_square = sums[0], y_square = sums[1], product = sums[2];
    // The norms in the scaled units, where e is e_a and e_y.
    const VF64 e_a = hn::Mul(e, a_down), e_y = hn::Mul(e, y_down);
    const VF64 a_norm = hn::Sqrt(a_square), y_norm = hn::Sqrt(y_square);
    const auto a_small = hn::Lt(a_norm, e_a);
    const VF64 a_scale = hn::IfThenElse(a_small, e_a, a_norm);
    const VF64 y_scale = hn::IfThenElse(hn::Lt(y_norm, e_y), e_y, y_norm);
    if (slopes) {
      const VF64 pull = hn::IfThenElse(a_small, zero, hn::Div(product, a_square));
      // One factor 1 / |a| of the original units: a_down / a_scale.
      const VF64 a_over = hn::Div(a_down, a_scale), y_over = hn::Div(hn::Set(d, -1), y_scale);
      ForEachStep(rows, [&](auto at) SIMDLOSS_STEP {
        VF64 across = hn::NegMulAdd(scaled_a(at), pull, scaled_y(at));
        // A single column has no direction to turn to: 0 (NaN where it is), not the rounding of a difference.
        if (rows.cols == 1) across = hn::IfThenElse(a_small, across, hn::Sub(product, product));
        store(at, hn::Mul(hn::Mul(across, y_over), a_over));
      });
    }
    return hn::Neg(hn::Div(hn::Div(product, a_scale), y_scale));
  }
};

// Numbers of a row, between double lanes and those of its elements: a wide row has the same number in each.
HWY_INLINE VF64 ToDouble(DF64, VF64 v) { return v; }
HWY_INLINE VF64 FromDouble(DF64, VF64 v) { return v; }
template <class D, class V = hn::Vec<D>>
HWY_INLINE VF64 ToDouble(D, V v) {
  return hn::Set(DF64(), static_cast<double>(hn::GetLane(v)));
}
template <class D>
HWY_INLINE hn::Vec<D> FromDouble(D d, VF64 v) {
  return hn::Set(d, static_cast<hn::TFromD<D>>(hn::GetLane(v)));
}

// What BP-MLL asks of a row first: the largest output of a negative, the smallest of a positive, the smallest and the
// largest of all; how many are positive, and how many NaN. In the lanes of `rows`, those of the memory: of float a
// vector holds more, and all of it is exact, counts up to 2^24.
struct LabelExtremes {
  VF64 top, bottom, least, most, positives, bad;

  template <class Rows, class T>
  HWY_INLINE LabelExtremes(const Rows& rows, const T* y, const T* a) {
    const auto d = rows.d;
    using V = typename Rows::V;
    const V one = hn::Set(d, 1), minus_inf = hn::Set(d, -std::numeric_limits<T>::infinity()), inf = hn::Neg(minus_inf);
    V of_others = minus_inf, of_positives = inf, of_all = minus_inf, below_all = inf;
    const auto counts = SumsOfSteps<2>(rows, [&](auto at, V* sum) SIMDLOSS_STEP {
      const V label = at.Load(d, y), x = at.LoadOr(d, minus_inf, a), or_inf = at.LoadOr(d, inf, a);
      const auto is_positive = hn::Eq(label, one);
      of_others = hn::Max(of_others, hn::IfThenElse(is_positive, minus_inf, x));
      of_positives = hn::Min(of_positives, hn::IfThenElse(is_positive, or_inf, inf));
      of_all = hn::Max(of_all, x);
      below_all = hn::Min(below_all, or_inf);
      sum[0] = hn::Add(sum[0], hn::IfThenElseZero(is_positive, one));
      sum[1] = hn::Add(sum[1], hn::IfThenZeroElse(hn::And(hn::Eq(label, label), hn::Eq(x, x)), one));
    });
    top = ToDouble(d, rows.Max(of_others));
    bottom = ToDouble(d, rows.Min(of_positives));
    least = ToDouble(d, rows.Min(below_all));
    most = ToDouble(d, rows.Max(of_all));
    positives = ToDouble(d, counts[0]);
    bad = ToDouble(d, counts[1]);
  }

  // Whether the outputs are so near to 0 and to each other that e^a, relative to the extremes, is a normal number of T,
  // and so is what a slope makes of it.
  template <class T>
  HWY_INLINE hn::Mask<DF64> Near() const {
    const DF64 d;
    constexpr bool kFloat = std::is_same_v<T, float>;
    const VF64 level = hn::Set(d, kFloat ? 256 : 4096), span = hn::Set(d, kFloat ? 30 : 300);
    return hn::And(hn::Lt(hn::Sub(most, least), span), hn::Lt(hn::Max(most, hn::Neg(least)), level));
  }
};

// BP-MLL: sum over positives p and others q of exp(a_q - a_p) / (|P| |N|) = rise fall / (|P| |N|), rise = sum_q
// exp(a_q) and fall = sum_p exp(-a_p), each taken relative to its largest term: finite at any level of a.
// u_q = exp(a_q) fall / (|P| |N|), u_p = -exp(-a_p) rise / (|P| |N|).
struct MultiLabel {
  static constexpr bool kNarrowOnly = false;

  // What belongs to a row as a whole.
  struct Row : LabelExtremes {
    VF64 pairs;

    template <class Rows, class T>
    HWY_INLINE Row(const Rows& rows, const T* y, const T* a) : LabelExtremes(rows, y, a) {
      pairs = hn::Mul(positives, hn::Sub(hn::Set(DF64(), static_cast<double>(rows.cols)), positives));
    }
    // 0 where there are no pairs, NaN where there is one.
    HWY_INLINE VF64 Finish(VF64 x) const {
      const DF64 d;
      const VF64 nan = hn::Set(d, std::numeric_limits<double>::quiet_NaN()), zero = hn::Zero(d);
      return hn::IfThenElse(hn::Gt(bad, zero), nan, hn::IfThenZeroElse(hn::Eq(pairs, zero), x));
    }
  };

  // Rows that are Near: one exponential an element, relative to a power of 2, in the lanes of `rows`; it is kept in e.
  template <class Rows, class T>
  struct NearPairs {
    using D = decltype(Rows::d);
    using V = typename Rows::V;
    const D d;
    const T* const y;
    const T* const e;
    VF64 score;
    V of_positive, of_other;

    HWY_INLINE NearPairs(const Rows& rows, const Row& row, const T* y_in, const T* a, T* e_out)
        : d(rows.d), y(y_in), e(e_out) {
      const VF64 up = NearestPow2(DF64(), row.top), down = NearestPow2(DF64(), hn::Neg(row.bottom));
      const V anchor_up = Pow2Anchor(d, FromDouble(d, up)), anchor_down = Pow2Anchor(d, FromDouble(d, down));
      const auto sums = SumsOfSteps<2>(rows, [&](auto at, V* sum) SIMDLOSS_STEP {
        const V x = at.Load(d, a);
        const auto is_positive = IsPositive(at);
        const V exp = at.Only(d, ExpFrom(d, hn::IfThenElse(is_positive, hn::Neg(x), x),
                                         hn::IfThenElse(is_positive, anchor_down, anchor_up)));
        at.Store(exp, d, e_out);
        sum[0] = hn::Add(sum[0], hn::IfThenZeroElse(is_positive, exp));
        sum[1] = hn::Add(sum[1], hn::IfThenElseZero(is_positive, exp));
      });
      const VF64 rise = ToDouble(d, sums[0]), fall = ToDouble(d, sums[1]);
      // What the exponentials lack, over the pairs.
      const VF64 scale = hn::Div(Pow2(DF64(), hn::Add(up, down)), row.pairs);
      of_positive = FromDouble(d, row.Finish(hn::Neg(hn::Mul(rise, scale))));
      of_other = FromDouble(d, row.Finish(hn::Mul(fall, scale)));
      score = row.Finish(hn::Mul(rise, hn::Mul(fall, scale)));
    }
    template <class At>
    HWY_INLINE hn::Mask<D> IsPositive(At at) const {
      return hn::Eq(at.Load(d, y), hn::Set(d, 1));
    }
    template <class At>
    HWY_INLINE V Slope(At at) const {
      return hn::Mul(at.Load(d, e), hn::IfThenElse(IsPositive(at), of_positive, of_other));
    }
  };

  // Any others: the sums relative to their largest terms, and exponentials of their own for the slopes.
  template <class Rows, class T>
  struct FarPairs {
    const T* const y;
    const T* const a;
    const Row& row;
    VF64 score, per_fall, per_rise;

    HWY_INLINE FarPairs(const Rows& rows, const Row& row_in, const T* y_in, const T* a_in)
        : y(y_in), a(a_in), row(row_in) {
      const DF64 d;
      const VF64 minus_inf = hn::Set(d, -std::numeric_limits<double>::infinity());
      // Elements that a row does not have are negatives of no weight.
      const auto sums = SumsOfSteps<2>(rows, [&](auto at, VF64* sum) SIMDLOSS_STEP {
        const auto is_positive = IsPositive(at);
        const VF64 x = at.LoadOr(d, minus_inf, a);
        const VF64 exp = ExpNonPositive(d, hn::IfThenElse(is_positive, hn::Sub(row.bottom, x), hn::Sub(x, row.top)));
        sum[0] = hn::Add(sum[0], hn::IfThenZeroElse(is_positive, exp));
        sum[1] = hn::Add(sum[1], hn::IfThenElseZero(is_positive, exp));
      });
      per_fall = hn::Div(sums[1], row.pairs);
      per_rise = hn::Neg(hn::Div(sums[0], row.pairs));
      score = row.Finish(Scaled(hn::Sub(row.top, row.bottom), hn::Mul(sums[0], per_fall)));
    }
    // exp(x) factor without overflow before the factor is in.
    static HWY_INLINE VF64 Scaled(VF64 x, VF64 factor) {
      const DF64 d;
      const VF64 half = Exp(d, hn::Mul(hn::Set(d, 0.5), x));
      return hn::Mul(hn::Mul(half, factor), half);
    }
    template <class At>
    HWY_INLINE hn::Mask<DF64> IsPositive(At at) const {
      return hn::Eq(at.Load(DF64(), y), hn::Set(DF64(), 1));
    }
    template <class At>
    HWY_INLINE VF64 Slope(At at) const {
      const auto is_positive = IsPositive(at);
      const VF64 x = at.Load(DF64(), a);
      const VF64 difference = hn::IfThenElse(is_positive, hn::Sub(row.top, x), hn::Sub(x, row.bottom));
      return row.Finish(Scaled(difference, hn::IfThenElse(is_positive, per_rise, per_fall)));
    }
  };

  template <class Source, class R, class T, class F>
  static HWY_INLINE VF64 Eval(const R& rows, const RowwiseParams&, const T* y, const T* a, double* scratch, bool slopes,
                              F&& store) {
    const DF64 d;
    using Memory = std::conditional_t<R::kNarrow, R, WideRows<hn::ScalableTag<T>>>;
    const Memory memory{{}, rows.cols};
    const Row row(memory, y, a);
    const auto is_near = row.template Near<T>();
    if (hn::AllTrue(d, is_near)) {
      const NearPairs near(memory, row, y, a, reinterpret_cast<T*>(scratch));
      if (slopes) ForEachStep(memory, [&](auto at) SIMDLOSS_STEP { store(at, near.Slope(at)); });
      return near.score;
    }
    const FarPairs far(rows, row, y, a);
    if constexpr (R::kNarrow) {
      // Each of the rows as if the others were not there.
      const NearPairs near(memory, row, y, a, scratch);
      if (slopes) {
        ForEachStep(rows,
                    [&](auto at) SIMDLOSS_STEP { store(at, hn::IfThenElse(is_near, near.Slope(at), far.Slope(at))); });
      }
      return hn::IfThenElse(is_near, near.score, far.score);
    } else {
      if (slopes) ForEachStep(rows, [&](auto at) SIMDLOSS_STEP { store(at, far.Slope(at)); });
      return far.score;
    }
  }
};

// Bishop 1994, through log-sum-exp; one row a lane. Columns: k logits of alpha, k of log sigma, k d of mu.
// (y - mu) / sigma is taken as two factors exp(-s / 2), so that only its square can overflow.
// scratch: 4 k vectors, of each mixture log density, square, exp(-s / 2) and alpha.
struct MixtureDensity {
  static constexpr bool kNarrowOnly = true;

  template <class Source, class R, class F>
  static HWY_INLINE VF64 Eval(const R&, const RowwiseParams& params, const double* y, const double* a, double* scratch,
                              bool slopes, F&& store) {
    const DF64 d;
    const size_t N = hn::Lanes(d), k = params.mixtures, label_width = params.label_cols;
    const VF64 zero = hn::Zero(d), one = hn::Set(d, 1), half = hn::Set(d, 0.5);
    const VF64 width = hn::Set(d, static_cast<double>(label_width));
    const VF64 minus_inf = hn::Set(d, -std::numeric_limits<double>::infinity());
    const NarrowRows<DF64> mixtures{d, k};
    const double* log_sigma = a + k * N;
    const double* mu = a + 2 * k * N;
    double* const logs = scratch;
    double* const squares = logs + k * N;
    double* const roots = squares + k * N;
    double* const alphas = roots + k * N;

    const VF64 alpha_max = MaxOfSteps(mixtures, [&](auto at) SIMDLOSS_STEP { return at.Load(d, a); });
    const VF64 alpha_sum = SumOfSteps(mixtures, [&](auto at) SIMDLOSS_STEP {
      const VF64 exp = Exp(d, hn::Sub(at.Load(d, a), alpha_max));
      at.Store(exp, d, alphas);
      return exp;
    });
    const VF64 log_alpha_sum = Log(d, alpha_sum);
    const VF64 log_2pi = hn::Set(d, 1.8378770664093454836);

    // (y_j - mu_ij) / sigma_i; a difference of 0 is 0 for any sigma.
    const auto standardised = [&](const double* mu_i, size_t j, VF64 root) HWY_ATTR {
      const VF64 difference = hn::Sub(hn::LoadU(d, y + j * N), hn::LoadU(d, mu_i + j * N));
      return hn::IfThenZeroElse(hn::Eq(difference, zero), hn::Mul(hn::Mul(difference, root), root));
    };

    VF64 top = minus_inf;
    ForEachStep(mixtures, [&](auto at) SIMDLOSS_STEP {
      const VF64 root = Exp(d, hn::Mul(hn::Neg(half), at.Load(d, log_sigma)));
      VF64 square = zero;
      for (size_t j = 0; j < label_width; ++j) {
        const VF64 x = standardised(mu + at.at * label_width, j, root);
        square = hn::MulAdd(x, x, square);
      }
      const VF64 log_alpha = hn::Sub(hn::Sub(at.Load(d, a), alpha_max), log_alpha_sum);
      const VF64 log_scale = hn::Mul(width, hn::MulAdd(half, log_2pi, at.Load(d, log_sigma)));
      const VF64 log_density = hn::Sub(hn::Sub(log_alpha, log_scale), hn::Mul(half, square));
      at.Store(square, d, squares);
      at.Store(root, d, roots);
      at.Store(log_density, d, logs);
      top = hn::Max(top, log_density);
    });
    // Where every density underflows (top = -Inf), the largest ones share equally and the score is +Inf.
    const VF64 total = SumOfSteps(mixtures, [&](auto at) SIMDLOSS_STEP {
      const VF64 x = at.Load(d, logs);
      const VF64 share = hn::IfThenElse(hn::Eq(x, top), one, Exp(d, hn::Sub(x, top)));
      at.Store(share, d, logs);
      return share;
    });
    if (slopes) {
      ForEachStep(mixtures, [&](auto at) SIMDLOSS_STEP {
        const VF64 share = hn::Div(at.Load(d, logs), total);
        const VF64 alpha = hn::Div(at.Load(d, alphas), alpha_sum);
        // A share of 0 ends its mixture's pull, however far its mean is.
        const auto none = hn::Eq(share, zero);
        const VF64 root = at.Load(d, roots);
        store(at, hn::Sub(alpha, share));
        const VF64 excess = hn::Sub(at.Load(d, squares), width);
        store(WholeStep{k * N + at.at}, hn::IfThenZeroElse(none, hn::Mul(hn::Neg(share), excess)));
        for (size_t j = 0; j < label_width; ++j) {
          const VF64 x = standardised(mu + at.at * label_width, j, root);
          const VF64 pull = hn::Mul(hn::Mul(hn::Mul(x, root), root), hn::Neg(share));
          store(WholeStep{2 * k * N + at.at * label_width + j * N},
                hn::IfThenZeroElse(hn::Or(none, hn::Eq(x, zero)), pull));
        }
      });
    }
    return hn::Neg(hn::Add(top, Log(d, total)));
  }
};

template <class Formula, class T>
HWY_INLINE void RunWideRowwise(const RowwiseParams& params, const RowwiseRows<T>& x) {
  const DF64 d;
  const WideRows<DF64> rows{d, x.cols};
  for (size_t row = 0; row < x.rows; ++row) {
    T* const u = x.u == nullptr ? nullptr : x.u + row * x.u_stride;
    const double factor = x.factors == nullptr ? 1 : x.factors[row];
    if (factor == 0) {
      x.scores[row] = 0;
      if (u != nullptr) std::fill_n(u, x.cols, T{0});
      continue;
    }
    const VF64 score = Formula::template Eval<T>(
        rows, params, x.y + row * x.y_stride, x.a + row * x.a_stride, x.scratch, u != nullptr,
        [&](auto at, auto slope) SIMDLOSS_STEP {
          const hn::DFromV<decltype(slope)> lanes;
          at.Store(hn::Mul(slope, hn::Set(lanes, static_cast<hn::TFromD<decltype(lanes)>>(factor))), lanes, u);
        });
    x.scores[row] = hn::GetLane(score) * factor;
  }
}

// A group of rows of type T through a formula.
template <class Formula, class T>
void RunRowwise(const RowwiseParams& params_in, const RowwiseRows<T>& x_in) {
  const DF64 d;
  // Copies of their own: stores to the slopes can't change them.
  const RowwiseParams params = params_in;
  const RowwiseRows<T> x = x_in;
  const size_t N = hn::Lanes(d);
  if constexpr (!Formula::kNarrowOnly) {
    if (!IsNarrow(x.cols, N)) {
      RunWideRowwise<Formula>(params, x);
      return;
    }
  }
  const NarrowRows<DF64> rows{d, x.cols};
  const Transposer<DF64> outputs(d, x.cols), labels(d, params.label_cols);
  double* const a = x.scratch;
  double* const u = a + x.cols * N;
  double* const y = u + x.cols * N;
  double* const rest = y + params.label_cols * N;
  HWY_ALIGN double factors[hn::MaxLanes(d)];
  HWY_ALIGN double scores[hn::MaxLanes(d)];
  std::fill_n(factors, N, 1.0);
  for (size_t row = 0; row < x.rows; row += N) {
    const size_t count = std::min(N, x.rows - row);
    outputs.Load(x.a + row * x.a_stride, x.a_stride, count, a);
    labels.Load(x.y + row * x.y_stride, x.y_stride, count, y);
    if (x.factors != nullptr) std::copy_n(x.factors + row, count, factors);
    const VF64 factor = hn::Load(d, factors);
    const auto masked = hn::Eq(factor, hn::Zero(d));
    const VF64 score = Formula::template Eval<T>(
        rows, params, y, a, rest, x.u != nullptr,
        [&](auto at, VF64 slope) SIMDLOSS_STEP { at.Store(hn::IfThenZeroElse(masked, hn::Mul(slope, factor)), d, u); });
    hn::Store(hn::IfThenZeroElse(masked, hn::Mul(score, factor)), d, scores);
    std::copy_n(scores, count, x.scores + row);
    if (x.u != nullptr) outputs.Store(u, count, x.u + row * x.u_stride, x.u_stride);
  }
}

}  // namespace HWY_NAMESPACE
}  // namespace simdloss
HWY_AFTER_NAMESPACE();

#endif  // SIMDLOSS_NATIVE_KERNELS_LOSS_ROWWISE_INL_H_
