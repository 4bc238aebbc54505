// SPDX-License-Identifier: Apache-2.0
// Softmax and the cross entropies that need its sums, over either layout of rows.
//
// With M = max z and e_j = exp(z_j - M), the normaliser is S = 1 + rest, where rest sums all e but one of the
// maximum's: log p = (z - M) - log1p(rest) and 1 - p keep their relative accuracy for a confident row. A row with
// +Infinity, with NaN, or of -Infinity alone is NaN.

#if defined(SIMDLOSS_NATIVE_KERNELS_SOFTMAX_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef SIMDLOSS_NATIVE_KERNELS_SOFTMAX_INL_H_
#undef SIMDLOSS_NATIVE_KERNELS_SOFTMAX_INL_H_
#else
#define SIMDLOSS_NATIVE_KERNELS_SOFTMAX_INL_H_
#endif

#include <algorithm>
#include <array>
#include <cstdint>
#include <limits>
#include <type_traits>

#include "hwy/cache_control.h"
#include "hwy/highway.h"
#include "native/kernels/loss-inl.h"
#include "native/kernels/math-inl.h"
#include "native/kernels/rows-inl.h"
#include "native/scratch.h"
#include "native/stages.h"

HWY_BEFORE_NAMESPACE();
namespace simdloss {
namespace HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

template <class T>
constexpr T kMinusInf = -std::numeric_limits<T>::infinity();

template <class V>
struct Normaliser {
  V max, rest, sum, log_sum, ties;
};

// From the maximum and the sum of exp(z - max) of all but one of it. NaN comes in by either.
template <class D, class V = hn::Vec<D>>
HWY_INLINE Normaliser<V> NormaliserOf(D d, V max, V rest, V ties) {
  const V checked = hn::Add(rest, hn::Sub(max, max));
  return {max, checked, hn::Add(checked, hn::Set(d, 1)), Log1pNonNegative(d, checked), ties};
}

// Adds an e = exp(z - max) to the sum below the maximum and to how often that one occurs.
template <class D, class V = hn::Vec<D>>
HWY_INLINE void AddBelowAndTies(D d, V z, V max, V e, V* below_and_ties) {
  const auto is_max = hn::Eq(z, max);
  below_and_ties[0] = hn::Add(below_and_ties[0], hn::IfThenZeroElse(is_max, e));
  below_and_ties[1] = hn::Add(below_and_ties[1], hn::IfThenElseZero(is_max, hn::Set(d, 1)));
}

// Writes exp(z - max) to e, which may be z.
template <class R, class T, class V = typename R::V>
HWY_INLINE Normaliser<V> Normalise(const R& rows, const T* z, T* e) {
  const auto d = rows.d;
  const V minus_inf = hn::Set(d, kMinusInf<T>);
  const V max = MaxOfSteps(rows, [&](auto at) SIMDLOSS_STEP { return at.LoadOr(d, minus_inf, z); });
  const auto sums = SumsOfSteps<2>(rows, [&](auto at, V* sum) SIMDLOSS_STEP {
    const V x = at.LoadOr(d, minus_inf, z), exp = ExpNonPositive(d, hn::Sub(x, max));
    at.Store(exp, d, e);
    AddBelowAndTies(d, x, max, exp, sum);
  });
  return NormaliserOf(d, max, hn::Add(sums[0], hn::Sub(sums[1], hn::Set(d, 1))), sums[1]);
}

template <class D, class T>
void Softmax(D d, const RowLayout& layout, const T* z, T* p, T* log_p, T* b) {
  WithRows(d, layout, [&](auto rows) HWY_ATTR {
    using V = hn::Vec<D>;
    // p may be z, log_p not: the logits are read again where log p is asked for.
    T* exps = log_p == nullptr ? p : log_p;
    const auto s = Normalise(rows, z, exps);
    const V inverse = hn::Div(hn::Set(d, 1), s.sum);
    ForEachStep(rows, [&](auto at) SIMDLOSS_STEP {
      const V e = at.Load(d, exps), x = at.Load(d, z);
      if (b != nullptr) {
        const V others = hn::IfThenElse(hn::Eq(x, s.max), s.rest, hn::Sub(s.sum, e));
        at.Store(hn::Mul(others, inverse), d, b);
      }
      if (log_p != nullptr) at.Store(hn::Sub(hn::Sub(x, s.max), s.log_sum), d, log_p);
      at.Store(hn::Div(e, s.sum), d, p);
    });
  });
}

template <class D, class T>
void SoftmaxJacobian(D d, const RowLayout& layout, const T* p, const T* v, T* g) {
  WithRows(d, layout, [&](auto rows) HWY_ATTR {
    using V = hn::Vec<D>;
    const V sum = SumOfSteps(rows, [&](auto at) SIMDLOSS_STEP { return at.Load(d, v); });
    ForEachStep(rows, [&](auto at) SIMDLOSS_STEP {
      const V q = at.Load(d, p);
      // One column is 1 whatever its logit: slope 0, even where v is infinite.
      const V slope = rows.cols == 1 ? hn::Sub(q, q) : hn::NegMulAdd(q, sum, at.Load(d, v));
      at.Store(slope, d, g);
    });
  });
}

// --- Cross entropy ---------------------------------------------------------------------------------------------------

// A group of rows goes through passes: the maxima; the exponentials, which are kept, with the sums; what follows of the
// sums, a row a lane; the slopes. Within a pass no row waits for another, between passes nothing waits: the latencies
// of the reductions and of the logarithm are hidden; 1024 x 10 took 1.13 of the time where the logarithms followed each
// block's sums at once. With t = m w y:
//   score = -sum_j t_j log p_j = log S sum t - sum_j t_j (z_j - M), slope_k = e_k share - t_k, share = sum t / S

// KLD has the slopes of cross entropy on dense labels.
enum LabelKind { kDenseLabels, kKldLabels, kClassLabels };

// Numbers of the rows of a group, one a row.
template <class T>
struct GroupSums {
  static constexpr size_t kArrays = 8;
  T *max, *min, *rest, *total, *product, *sum, *share, *factor;

  GroupSums(T* memory, size_t rows) {
    const size_t stride = RoundUpToPadding<T>(rows);
    for (T** array : Arrays()) {
      *array = memory;
      memory += stride;
    }
  }

  void Skip(size_t rows) {
    for (T** array : Arrays()) *array += rows;
  }

 private:
  std::array<T**, kArrays> Arrays() { return {&max, &min, &rest, &total, &product, &sum, &share, &factor}; }
};

// log p as the score takes it: within the clip.
template <class D, class T = hn::TFromD<D>, class V = hn::Vec<D>>
struct LogClip {
  V low, high;

  HWY_INLINE LogClip(D d, const LossParams& p)
      : low(hn::Set(d, p.clip > 0 ? static_cast<T>(p.log_clip) : kMinusInf<T>)),
        high(hn::Set(d, p.clip > 0 ? static_cast<T>(p.log1m_clip) : T{0})) {}
  HWY_INLINE V operator()(V log_p) const { return ClampNumber(log_p, low, high); }
};

// Dense labels: t of every column, and y, as a weight may be 0 where y is not.
template <class D, class T = hn::TFromD<D>, class V = hn::Vec<D>>
struct DenseLabels {
  static constexpr size_t kSums = 2;  // t and t (z - M)
  const T* y;
  const T* t;

  template <class At>
  HWY_INLINE void Add(D d, At at, V below_max, V* sums) const {
    const V w = at.Load(d, t);
    sums[0] = hn::Add(sums[0], w);
    sums[1] = hn::MulAdd(w, at.Only(d, below_max), sums[1]);
  }
  template <class At>
  HWY_INLINE V Slope(D d, At at, V e, V, V share) const {
    return hn::MulSub(e, share, at.Load(d, t));
  }
};

// One class: needs no sums, and e_k - S has taken the place of e_k, as p_k - 1 = (e_k - S) / S.
template <class D, class T = hn::TFromD<D>, class V = hn::Vec<D>>
struct RowClass {
  static constexpr size_t kSums = 0;

  template <class At>
  HWY_INLINE void Add(D, At, V, V*) const {}
  template <class At>
  HWY_INLINE V Slope(D, At, V e, V, V share) const {
    return hn::Mul(e, share);
  }
};

template <class V>
struct Range {
  V max, min;
};

// The largest and the smallest of a row.
template <class R, class T, class V = typename R::V>
HWY_INLINE Range<V> RangeOf(const R& rows, const T* z) {
  const auto d = rows.d;
  const V minus_inf = hn::Set(d, kMinusInf<T>), inf = hn::Neg(minus_inf);
  V max = minus_inf, min = inf;
  ForEachStep(rows, [&](auto at) SIMDLOSS_STEP {
    max = hn::Max(max, at.LoadOr(d, minus_inf, z));
    min = hn::Min(min, at.LoadOr(d, inf, z));
  });
  return {max, min};
}

// exp(z - max) to e; kNormal: all are normal numbers. Gives the sums of the labels, and the rest of the normaliser.
// Meanwhile a later row, next_z, comes nearer, if this one is wide: cross entropy of 8192 x 1000 takes 0.85 of the
// time.
template <bool kNormal, class R, class T, class Labels, class V = typename R::V>
HWY_INLINE V ExponentialsOf(const R& rows, const T* z, const T* next_z, V max, const Labels& labels, T* e,
                            V* label_sums) {
  const auto d = rows.d;
  const V minus_inf = hn::Set(d, kMinusInf<T>), one = hn::Set(d, 1);
  constexpr size_t kRest = Labels::kSums;
  [[maybe_unused]] V top = hn::Zero(d);
  const auto sums = SumsOfSteps<kRest + 1>(rows, [&](auto at, V* sum) SIMDLOSS_STEP {
    const V below_max = hn::Sub(at.LoadOr(d, minus_inf, z), max);
    V exp;
    if constexpr (kNormal) {
      exp = at.Only(d, ExpNormal(d, below_max));
    } else {
      exp = ExpNonPositive(d, below_max);
    }
    at.Store(exp, d, e);
    if constexpr (!R::kNarrow) hwy::Prefetch(next_z + at.at);
    labels.Add(d, at, below_max, sum);
    if constexpr (R::kNarrow) {
      // All but the largest so far, NaN of a NaN.
      sum[kRest] = hn::Add(sum[kRest], math::AtMost(top, exp));
      top = hn::Max(top, exp);
    } else {
      sum[kRest] = hn::Add(sum[kRest], exp);
    }
  });
  for (size_t i = 0; i < Labels::kSums; ++i) label_sums[i] = sums[i];
  if constexpr (R::kNarrow) {
    return sums[kRest];
  } else {
    if (!(hn::GetLane(sums[kRest]) < 2)) return hn::Sub(sums[kRest], one);
    // A confident row: what is beside the maximum counts to its last bits.
    const auto parts = SumsOfSteps<2>(rows, [&](auto at, V* sum) SIMDLOSS_STEP {
      AddBelowAndTies(d, at.LoadOr(d, minus_inf, z), max, at.Load(d, e), sum);
    });
    return hn::Add(parts[0], hn::Sub(parts[1], one));
  }
}

template <class R, class T, class Labels, class V = typename R::V>
HWY_INLINE V Exponentials(const R& rows, const T* z, const T* next_z, Range<V> range, const Labels& labels, T* e,
                          V* label_sums) {
  const auto d = rows.d;
  const V low = hn::Set(d, static_cast<T>(kExpNormalLow<decltype(d)>));
  return hn::AllTrue(d, hn::Ge(hn::Sub(range.min, range.max), low))
             ? ExponentialsOf<true>(rows, z, next_z, range.max, labels, e, label_sums)
             : ExponentialsOf<false>(rows, z, next_z, range.max, labels, e, label_sums);
}

// -sum_j t_j log p_j term by term: for rows of which a log p leaves the clip, or is infinite.
template <class R, class T, class D, class V = typename R::V>
HWY_INLINE V ScoreByTerms(const R& rows, const LossParams& params, const T* z, const DenseLabels<D>& labels, V max,
                          V log_sum) {
  const auto d = rows.d;
  const LogClip<D> clip(d, params);
  return SumOfSteps(rows, [&](auto at) SIMDLOSS_STEP {
    const V log_p = hn::Sub(hn::Sub(at.Load(d, z), max), log_sum);
    const V term = hn::Mul(hn::Neg(at.Load(d, labels.t)), clip(log_p));
    return at.Only(d, UnlessAbsent(d, at.Load(d, labels.y), log_p, term));
  });
}

// Of a row of KLD, whose slope is that of cross entropy: sum_j y_j log(y_j / p_j), y and p = e / S within [1e-5, 1].
template <class R, class T, class D, class V = typename R::V>
HWY_INLINE V KldScore(const R& rows, const T* e, const DenseLabels<D>& labels, V sum) {
  const auto d = rows.d;
  const V low = hn::Set(d, static_cast<T>(1e-5)), most = hn::Set(d, static_cast<T>(1e5)), one = hn::Set(d, 1);
  return SumOfSteps(rows, [&](auto at) SIMDLOSS_STEP {
    const V y = ClampNumber(at.Load(d, labels.y), low, one);
    const V inverse = ClampNumber(hn::Div(sum, at.Load(d, e)), one, most);
    return at.Only(d, hn::Mul(y, LogNormal(d, hn::Mul(y, inverse))));
  });
}

// What follows of the sums: shares and scores, a row a lane. by_terms(row, max, log S), of KLD (row, S, S), gives
// the vector of scores from `row` on where one of them asks for it.
template <LabelKind kLabels, class D, class T, class F>
HWY_INLINE void FinishSums(D d, const LossParams& params, const SoftmaxRows<T>& x, const GroupSums<T>& sums,
                           F&& by_terms) {
  using V = hn::Vec<D>;
  const size_t N = hn::Lanes(d);
  const LogClip<D> clip(d, params);
  // log p must not be infinite either.
  const V least = hn::Max(clip.low, hn::Set(d, std::numeric_limits<T>::lowest())), minus_high = hn::Neg(clip.high);
  const NarrowRows<D> lanes{d, 1};
  for (size_t row = 0; row < x.rows; row += N) {
    const V max = hn::LoadU(d, sums.max + row), total = hn::LoadU(d, sums.total + row);
    const V product = hn::LoadU(d, sums.product + row);
    const Normaliser<V> s = NormaliserOf(d, max, hn::LoadU(d, sums.rest + row), hn::Set(d, 1));
    hn::StoreU(s.sum, d, sums.sum + row);
    hn::StoreU(hn::Div(total, s.sum), d, sums.share + row);
    if (x.scores == nullptr) continue;
    V score;
    if constexpr (kLabels == kKldLabels) {
      score = by_terms(row, s.sum, s.sum);
    } else if constexpr (kLabels == kDenseLabels) {
      score = hn::MulSub(total, s.log_sum, product);
      const V log_min = hn::Sub(hn::Sub(hn::LoadU(d, sums.min + row), max), s.log_sum);
      const auto plain = hn::And(hn::Ge(log_min, least), hn::Ge(s.log_sum, minus_high));
      if (!hn::AllTrue(d, plain)) score = hn::IfThenElse(plain, score, by_terms(row, max, s.log_sum));
    } else {
      score = hn::Mul(hn::Neg(total), clip(hn::Sub(product, s.log_sum)));
    }
    if (x.factors != nullptr) {
      const V factor = hn::LoadU(d, sums.factor + row);
      score = hn::IfThenZeroElse(hn::Eq(factor, hn::Zero(d)), hn::Mul(score, factor));
    }
    lanes.StorePerRow(score, x.scores + row);
  }
}

// Rows a lane: block after block, each N rows in transposed copies.
template <LabelKind kLabels, class D, class T>
HWY_INLINE void NarrowCrossEntropy(D d, const LossParams& params, const SoftmaxRows<T> x, const GroupSums<T> sums,
                                   T* scratch) {
  using V = hn::Vec<D>;
  constexpr bool kDense = kLabels != kClassLabels;
  using Labels = std::conditional_t<kDense, DenseLabels<D>, RowClass<D>>;
  const size_t N = hn::Lanes(d), group = RoundUpToPadding<T>(x.rows) * x.cols;
  const NarrowRows<D> rows{d, x.cols};
  const Transposer<D> transposer(d, x.cols);
  T* const z = scratch;
  T* const e = z + group;
  T* const t = e + group;
  const auto labels_of = [&](size_t row) HWY_ATTR {
    (void)row;
    if constexpr (kDense) {
      return Labels{t + row * x.cols, t + row * x.cols};
    } else {
      return Labels{};
    }
  };
  for (size_t row = 0; row < x.rows; row += N) {
    const size_t count = std::min(N, x.rows - row), at = row * x.cols;
    Range<V> range = {hn::Set(d, kMinusInf<T>), hn::Neg(hn::Set(d, kMinusInf<T>))};
    transposer.LoadEach(x.z + row * x.z_stride, x.z_stride, count, z + at, [&](V v) SIMDLOSS_STEP {
      range.max = hn::Max(range.max, v);
      range.min = hn::Min(range.min, v);
    });
    if constexpr (kDense) {
      transposer.LoadEach(x.t + row * x.t_stride, x.t_stride, count, t + at, [](V) SIMDLOSS_STEP {});
    }
    hn::StoreU(range.max, d, sums.max + row);
    hn::StoreU(range.min, d, sums.min + row);
  }
  for (size_t row = 0; row < x.rows; row += N) {
    const size_t at = row * x.cols;
    V label_sums[2];
    const Range<V> range = {hn::LoadU(d, sums.max + row), hn::LoadU(d, sums.min + row)};
    const V rest = Exponentials(rows, z + at, z + at, range, labels_of(row), e + at, label_sums);
    hn::StoreU(rest, d, sums.rest + row);
    if constexpr (kDense) {
      hn::StoreU(label_sums[0], d, sums.total + row);
      hn::StoreU(label_sums[1], d, sums.product + row);
    } else {
      for (size_t i = 0; i < std::min(N, x.rows - row); ++i) {
        const int64_t k = x.classes[row + i];
        sums.product[row + i] = k >= 0 ? z[at + static_cast<size_t>(k) * N + i] - sums.max[row + i] : 0;
      }
    }
  }
  FinishSums<kLabels>(d, params, x, sums, [&](size_t row, V max, V log_sum) HWY_ATTR {
    if constexpr (kDense) {
      Labels labels = labels_of(row);
      if (x.y != x.t) {
        transposer.Load(x.y + row * x.y_stride, x.y_stride, std::min(N, x.rows - row), t + group);
        labels.y = t + group;
      }
      if constexpr (kLabels == kKldLabels) return KldScore(rows, e + row * x.cols, labels, max);
      return ScoreByTerms(rows, params, z + row * x.cols, labels, max, log_sum);
    } else {
      return max;
    }
  });
  if (x.g == nullptr) return;
  for (size_t row = 0; row < x.rows && !kDense; row += N) {
    T* const of_block = e + row * x.cols;
    for (size_t i = 0; i < std::min(N, x.rows - row); ++i) {
      const int64_t k = x.classes[row + i];
      if (k >= 0) of_block[static_cast<size_t>(k) * N + i] -= sums.sum[row + i];
    }
  }
  const auto store_slopes = [&](auto has_factors) HWY_ATTR {
    for (size_t row = 0; row < x.rows; row += N) {
      T* const of_block = e + row * x.cols;
      const Labels labels = labels_of(row);
      const V sum = hn::LoadU(d, sums.sum + row), share = hn::LoadU(d, sums.share + row);
      const V factor = hn::LoadU(d, sums.factor + row);
      const auto masked = hn::Eq(factor, hn::Zero(d));
      transposer.StoreEach(std::min(N, x.rows - row), x.g + row * x.g_stride, x.g_stride, of_block,
                           [&](WholeStep at) SIMDLOSS_STEP {
                             const V slope = labels.Slope(d, at, at.Load(d, of_block), sum, share);
                             if constexpr (!decltype(has_factors)::value) return slope;
                             return hn::IfThenZeroElse(masked, hn::Mul(slope, factor));
                           });
    }
  };
  if (x.factors == nullptr) {
    store_slopes(std::false_type());
  } else {
    store_slopes(std::true_type());
  }
}

// A row along the lanes.
template <LabelKind kLabels, class D, class T>
HWY_INLINE void WideCrossEntropy(D d, const LossParams& params, const SoftmaxRows<T>& x, const GroupSums<T>& sums,
                                 T* scratch) {
  using V = hn::Vec<D>;
  constexpr bool kDense = kLabels != kClassLabels;
  using Labels = std::conditional_t<kDense, DenseLabels<D>, RowClass<D>>;
  const WideRows<D> rows{d, x.cols};
  const size_t N = hn::Lanes(d), e_stride = RoundUpToPadding<T>(x.cols) + 2 * kPadding<T>;
  // Rows of several vectors are written in aligned steps, with e aligned alike.
  const bool aligned = x.g != nullptr && x.cols >= 8 * N;
  const auto g_of = [&](size_t row) { return x.g + row * x.g_stride; };
  const auto z_of = [&](size_t row) { return x.z + row * x.z_stride; };
  // In the next group of rows; of the last rows of an array, where there is no matter what.
  const auto next_z_of = [&](size_t row) { return z_of(row + x.rows); };
  const auto e_of = [&](size_t row) {
    const size_t shift = aligned ? reinterpret_cast<uintptr_t>(g_of(row)) % Scratch::kAlignment / sizeof(T) : 0;
    return scratch + row * e_stride + shift;
  };
  const auto labels_of = [&](size_t row) HWY_ATTR {
    (void)row;
    if constexpr (kDense) {
      return Labels{x.y + row * x.y_stride, x.t + row * x.t_stride};
    } else {
      return Labels{};
    }
  };
  for (size_t row = 0; row < x.rows; ++row) {
    // A line that two rows share is written through the caches: here by the time that it is.
    if (x.stream) hwy::Prefetch(g_of(row) + x.cols - 1);
    const Range<V> range = RangeOf(rows, z_of(row));
    sums.max[row] = hn::ReduceMax(d, range.max);
    sums.min[row] = hn::ReduceMin(d, range.min);
  }
  for (size_t row = 0; row < x.rows; ++row) {
    const T max = sums.max[row];
    const Range<V> range = {hn::Set(d, max), hn::Set(d, sums.min[row])};
    V label_sums[2];
    sums.rest[row] =
        hn::GetLane(Exponentials(rows, z_of(row), next_z_of(row), range, labels_of(row), e_of(row), label_sums));
    if constexpr (kDense) {
      sums.total[row] = hn::GetLane(label_sums[0]);
      sums.product[row] = hn::GetLane(label_sums[1]);
    } else {
      sums.product[row] = x.classes[row] >= 0 ? z_of(row)[x.classes[row]] - max : 0;
    }
  }
  FinishSums<kLabels>(d, params, x, sums, [&](size_t row, V max, V log_sum) HWY_ATTR {
    HWY_ALIGN T lanes[3][hn::MaxLanes(d)] = {};
    hn::Store(max, d, lanes[0]);
    hn::Store(log_sum, d, lanes[1]);
    for (size_t i = 0; i < std::min(N, x.rows - row); ++i) {
      const V first = hn::Set(d, lanes[0][i]), second = hn::Set(d, lanes[1][i]);
      if constexpr (kLabels == kKldLabels) {
        lanes[2][i] = hn::GetLane(KldScore(rows, e_of(row + i), labels_of(row + i), first));
      } else if constexpr (kDense) {
        lanes[2][i] = hn::GetLane(ScoreByTerms(rows, params, z_of(row + i), labels_of(row + i), first, second));
      }
    }
    return hn::Load(d, lanes[2]);
  });
  if (x.g == nullptr) return;
  for (size_t row = 0; row < x.rows; ++row) {
    T* const g = g_of(row);
    if (sums.factor[row] == 0) {
      std::fill_n(g, x.cols, T{0});
      continue;
    }
    T* const e = e_of(row);
    const Labels labels = labels_of(row);
    if constexpr (!kDense) {
      if (x.classes[row] >= 0) e[x.classes[row]] -= sums.sum[row];
    }
    const V sum = hn::Set(d, sums.sum[row]), share = hn::Set(d, sums.share[row]), factor = hn::Set(d, sums.factor[row]);
    const auto slope = [&](auto at)
                           SIMDLOSS_STEP { return hn::Mul(labels.Slope(d, at, at.Load(d, e), sum, share), factor); };
    if (aligned) {
      ForEachAlignedStep(rows, g, x.stream, [&](auto at, auto store) SIMDLOSS_STEP { store(at, slope(at)); });
    } else {
      ForEachStep(rows, [&](auto at) SIMDLOSS_STEP { at.Store(slope(at), d, g); });
    }
  }
  if (x.stream) hwy::FlushStream();
}

template <class D, class T>
void SoftmaxCrossEntropyRows(D d, const LossParams& params_in, const SoftmaxRows<T>& x_in) {
  // Copies of their own: stores to the slopes can't change them.
  const LossParams params = params_in;
  SoftmaxRows<T> x = x_in;
  GroupSums<T> sums(x.scratch, x.rows);
  const size_t padded = RoundUpToPadding<T>(x.rows);
  T* const scratch = x.scratch + GroupSums<T>::kArrays * padded;
  const NarrowRows<D> columns{d, padded / hn::Lanes(d)};
  ForEachStep(columns, [&](auto at) SIMDLOSS_STEP {
    for (T* array : {sums.factor, sums.total}) at.Store(hn::Set(d, 1), d, array);
  });
  // Of rows that are not there, so that they ask for nothing.
  for (T* array : {sums.max, sums.min, sums.product}) std::fill(array + x.rows, array + padded, T{0});
  std::fill(sums.rest + x.rows, sums.rest + padded, T{1});
  for (size_t i = 0; i < x.rows && x.factors != nullptr; ++i) sums.factor[i] = static_cast<T>(x.factors[i]);
  if (x.class_weights != nullptr) std::copy_n(x.class_weights, x.rows, sums.total);
  const size_t N = hn::Lanes(d), rows = x.rows;
  const size_t whole = x.cols <= kNarrowEntropyVectors * N ? rows - rows % N : 0;
  const size_t narrow = IsNarrow(x.cols, N) ? rows : whole;
  const auto run = [&](auto kind) HWY_ATTR {
    if (narrow != 0) {
      x.rows = narrow;
      NarrowCrossEntropy<decltype(kind)::value>(d, params, x, sums, scratch);
      if (narrow == rows) return;
      x.Skip(narrow);
      x.rows = rows - narrow;
      sums.Skip(narrow);
    }
    WideCrossEntropy<decltype(kind)::value>(d, params, x, sums, scratch);
  };
  if (x.classes != nullptr) {
    run(std::integral_constant<LabelKind, kClassLabels>());
  } else if (x.kld) {
    run(std::integral_constant<LabelKind, kKldLabels>());
  } else {
    run(std::integral_constant<LabelKind, kDenseLabels>());
  }
}

// Binary cross entropy of softmax outputs without a clip, finite for every finite logit. For b_j = 1 - p_j,
// dlog(b_j)/dz_k = p_j p_k / b_j for k != j and -p_j for k = j. Where a lone maximum m takes all, b_m underflows, but
// p_k / b_m = r_k, the softmax without m, does not: it has a normaliser of its own, from the second largest logit.
template <class D, class T>
void SoftmaxBinaryXENT(D d, const RowLayout& layout, const T* z, const T* y, const T* t, T* p, T* r, T* g,
                       double* score) {
  WithRows(d, layout, [&](auto rows) HWY_ATTR {
    using V = hn::Vec<D>;
    const V one = hn::Set(d, 1), zero = hn::Zero(d), minus_inf = hn::Set(d, -std::numeric_limits<T>::infinity());
    // Elements that a row does not have are classes that cannot be, without a weight.
    const auto load = [&](const T* x, auto at) HWY_ATTR { return x == z ? at.LoadOr(d, minus_inf, x) : at.Load(d, x); };
    const auto s = Normalise(rows, z, p);
    const auto is_lone = [&](auto i) SIMDLOSS_STEP { return hn::And(hn::Eq(load(z, i), s.max), hn::Eq(s.ties, one)); };
    const V second =
        MaxOfSteps(rows, [&](auto i) SIMDLOSS_STEP { return hn::IfThenElse(is_lone(i), minus_inf, load(z, i)); });
    const V others = SumOfSteps(rows, [&](auto i) SIMDLOSS_STEP {
      const V x = load(z, i);
      const V e = hn::IfThenZeroElse(hn::Or(is_lone(i), hn::Eq(x, minus_inf)), Exp(d, hn::Sub(x, second)));
      i.Store(e, d, r);
      return e;
    });
    const V log_b_lone = hn::Sub(hn::Add(hn::Sub(second, s.max), Log(d, others)), s.log_sum);
    const auto negative = [&](auto i) SIMDLOSS_STEP { return hn::Mul(load(t, i), hn::Sub(one, load(y, i))); };
    rows.StorePerRow(SumOfSteps(rows,
                                [&](auto i) SIMDLOSS_STEP {
                                  const V x = load(z, i), q = load(y, i), w = load(t, i), e = load(p, i);
                                  const V log_p = hn::Sub(hn::Sub(x, s.max), s.log_sum);
                                  const V log_b =
                                      hn::IfThenElse(is_lone(i), log_b_lone, Log1p(d, hn::Neg(hn::Div(e, s.sum))));
                                  const V rest = hn::Sub(one, q);
                                  const V loss = hn::Add(UnlessAbsent(d, q, log_p, hn::Mul(q, log_p)),
                                                         UnlessAbsent(d, rest, log_p, hn::Mul(rest, log_b)));
                                  return hn::IfThenZeroElse(hn::Eq(w, zero), hn::Mul(hn::Neg(w), loss));
                                }),
                     score);
    if (g == nullptr) return;
    // Sums of t y, of t (1 - y) p / b away from the lone maximum, and t (1 - y) p at it.
    const V positives = SumOfSteps(rows, [&](auto i) SIMDLOSS_STEP { return hn::Mul(load(t, i), load(y, i)); });
    const V pulls = SumOfSteps(rows, [&](auto i) SIMDLOSS_STEP {
      const V e = load(p, i);
      return hn::IfThenZeroElse(is_lone(i), hn::Mul(negative(i), hn::Div(e, hn::Sub(s.sum, e))));
    });
    const V lone_pull = SumOfSteps(rows, [&](auto i) SIMDLOSS_STEP {
      return hn::IfThenElseZero(is_lone(i), hn::Mul(negative(i), hn::Div(load(p, i), s.sum)));
    });
    ForEachStep(rows, [&](auto i) SIMDLOSS_STEP {
      const V e = load(p, i), prob = hn::Div(e, s.sum), own = negative(i);
      const auto lone = is_lone(i);
      const V own_pull = hn::IfThenZeroElse(lone, hn::Mul(own, hn::Div(e, hn::Sub(s.sum, e))));
      const V share = hn::IfThenZeroElse(lone, hn::Div(load(r, i), others));
      V slope = hn::MulSub(prob, positives, hn::Mul(load(t, i), load(y, i)));
      slope = hn::MulAdd(own, prob, slope);
      slope = hn::NegMulAdd(prob, hn::Sub(pulls, own_pull), slope);
      slope = hn::NegMulAdd(lone_pull, share, slope);
      i.Store(rows.cols == 1 ? hn::Sub(prob, prob) : slope, d, g);
    });
  });
}

}  // namespace HWY_NAMESPACE
}  // namespace simdloss
HWY_AFTER_NAMESPACE();

#endif  // SIMDLOSS_NATIVE_KERNELS_SOFTMAX_INL_H_
