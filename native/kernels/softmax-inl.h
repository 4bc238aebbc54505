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

#include "hwy/highway.h"
#include "native/kernels/loss-inl.h"
#include "native/kernels/math-inl.h"
#include "native/kernels/rows-inl.h"

HWY_BEFORE_NAMESPACE();
namespace simdloss {
namespace HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

template <class V>
struct Normaliser {
  V max, rest, sum, log_sum, ties;
};

// Writes exp(z - max) to e, which may be z.
template <class R, class T, class V = typename R::V>
HWY_INLINE Normaliser<V> Normalise(const R& rows, const T* z, T* e) {
  const auto d = rows.d;
  const size_t N = hn::Lanes(d);
  const V one = hn::Set(d, 1);
  const V max = MaxOfSteps(rows, [&](size_t i) HWY_ATTR { return hn::LoadU(d, z + i * N); });
  V at_max = hn::Zero(d);
  const V below = SumOfSteps(rows, [&](size_t i) HWY_ATTR {
    const V x = hn::LoadU(d, z + i * N);
    const V exp = Exp(d, hn::Sub(x, max));
    const auto is_max = hn::Eq(x, max);
    hn::StoreU(exp, d, e + i * N);
    at_max = hn::Add(at_max, hn::IfThenElseZero(is_max, one));
    return hn::IfThenZeroElse(is_max, exp);
  });
  const V ties = rows.Sum(at_max);
  const V nan = hn::Set(d, std::numeric_limits<T>::quiet_NaN());
  const V rest = hn::IfThenElse(hn::IsFinite(max), hn::Add(below, hn::Sub(ties, one)), nan);
  return {max, rest, hn::Add(rest, one), Log1p(d, rest), ties};
}

template <class D, class T>
void Softmax(D d, const RowLayout& layout, const T* z, T* p, T* log_p, T* b) {
  WithRows(d, layout, [&](auto rows) HWY_ATTR {
    using V = hn::Vec<D>;
    const size_t N = hn::Lanes(d);
    // p may be z, log_p not: the logits are read again where log p is asked for.
    T* exps = log_p == nullptr ? p : log_p;
    const auto s = Normalise(rows, z, exps);
    const V inverse = hn::Div(hn::Set(d, 1), s.sum);
    for (size_t i = 0; i < rows.steps; ++i) {
      const V e = hn::LoadU(d, exps + i * N), x = hn::LoadU(d, z + i * N);
      if (b != nullptr) {
        const V others = hn::IfThenElse(hn::Eq(x, s.max), s.rest, hn::Sub(s.sum, e));
        hn::StoreU(hn::Mul(others, inverse), d, b + i * N);
      }
      if (log_p != nullptr) hn::StoreU(hn::Sub(hn::Sub(x, s.max), s.log_sum), d, log_p + i * N);
      hn::StoreU(hn::Div(e, s.sum), d, p + i * N);
    }
  });
}

template <class D, class T>
void SoftmaxJacobian(D d, const RowLayout& layout, const T* p, const T* v, T* g) {
  WithRows(d, layout, [&](auto rows) HWY_ATTR {
    using V = hn::Vec<D>;
    const size_t N = hn::Lanes(d);
    const V sum = SumOfSteps(rows, [&](size_t i) HWY_ATTR { return hn::LoadU(d, v + i * N); });
    for (size_t i = 0; i < rows.steps; ++i) {
      const V q = hn::LoadU(d, p + i * N);
      // One column is 1 whatever its logit: slope 0, even where v is infinite.
      const V slope = rows.cols == 1 ? hn::Sub(q, q) : hn::NegMulAdd(q, sum, hn::LoadU(d, v + i * N));
      hn::StoreU(slope, d, g + i * N);
    }
  });
}

// score = -sum_j t_j clamp(log p_j), gradient p_k sum_j t_j - t_k.
template <class D, class T>
void SoftmaxCrossEntropy(D d, const RowLayout& layout, const LossParams& params, const T* z, const T* y, const T* t,
                         T* e, T* g, double* score) {
  const LossParams p = params;  // a copy of its own: stores to g can't change it
  WithRows(d, layout, [&](auto rows) HWY_ATTR {
    using V = hn::Vec<D>;
    const size_t N = hn::Lanes(d);
    const auto s = Normalise(rows, z, e);
    const V low = hn::Set(d, static_cast<T>(p.clip > 0 ? p.log_clip : -std::numeric_limits<double>::infinity()));
    const V high = hn::Set(d, static_cast<T>(p.clip > 0 ? p.log1m_clip : 0));
    rows.StorePerRow(SumOfSteps(rows,
                                [&](size_t i) HWY_ATTR {
                                  const V log_p = hn::Sub(hn::Sub(hn::LoadU(d, z + i * N), s.max), s.log_sum);
                                  return UnlessAbsent(
                                      d, hn::LoadU(d, y + i * N), log_p,
                                      hn::Mul(hn::Neg(hn::LoadU(d, t + i * N)), ClampNumber(log_p, low, high)));
                                }),
                     score);
    if (g == nullptr) return;
    const V share = hn::Div(SumOfSteps(rows, [&](size_t i) HWY_ATTR { return hn::LoadU(d, t + i * N); }), s.sum);
    for (size_t i = 0; i < rows.steps; ++i) {
      hn::StoreU(hn::MulSub(hn::LoadU(d, e + i * N), share, hn::LoadU(d, t + i * N)), d, g + i * N);
    }
  });
}

// Binary cross entropy of softmax outputs without a clip, finite for every finite logit. For b_j = 1 - p_j,
// dlog(b_j)/dz_k = p_j p_k / b_j for k != j and -p_j for k = j. Where a lone maximum m takes all, b_m underflows, but
// p_k / b_m = r_k, the softmax without m, does not: it has a normaliser of its own, from the second largest logit.
template <class D, class T>
void SoftmaxBinaryXENT(D d, const RowLayout& layout, const T* z, const T* y, const T* t, T* p, T* r, T* g,
                       double* score) {
  WithRows(d, layout, [&](auto rows) HWY_ATTR {
    using V = hn::Vec<D>;
    const size_t N = hn::Lanes(d);
    const V one = hn::Set(d, 1), zero = hn::Zero(d), minus_inf = hn::Set(d, -std::numeric_limits<T>::infinity());
    const auto load = [&](const T* x, size_t i) HWY_ATTR { return hn::LoadU(d, x + i * N); };
    const auto s = Normalise(rows, z, p);
    const auto is_lone = [&](size_t i) HWY_ATTR { return hn::And(hn::Eq(load(z, i), s.max), hn::Eq(s.ties, one)); };
    const V second =
        MaxOfSteps(rows, [&](size_t i) HWY_ATTR { return hn::IfThenElse(is_lone(i), minus_inf, load(z, i)); });
    const V others = SumOfSteps(rows, [&](size_t i) HWY_ATTR {
      const V x = load(z, i);
      const V e = hn::IfThenZeroElse(hn::Or(is_lone(i), hn::Eq(x, minus_inf)), Exp(d, hn::Sub(x, second)));
      hn::StoreU(e, d, r + i * N);
      return e;
    });
    const V log_b_lone = hn::Sub(hn::Add(hn::Sub(second, s.max), Log(d, others)), s.log_sum);
    const auto negative = [&](size_t i) HWY_ATTR { return hn::Mul(load(t, i), hn::Sub(one, load(y, i))); };
    rows.StorePerRow(SumOfSteps(rows,
                                [&](size_t i) HWY_ATTR {
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
    const V positives = SumOfSteps(rows, [&](size_t i) HWY_ATTR { return hn::Mul(load(t, i), load(y, i)); });
    const V pulls = SumOfSteps(rows, [&](size_t i) HWY_ATTR {
      const V e = load(p, i);
      return hn::IfThenZeroElse(is_lone(i), hn::Mul(negative(i), hn::Div(e, hn::Sub(s.sum, e))));
    });
    const V lone_pull = SumOfSteps(rows, [&](size_t i) HWY_ATTR {
      return hn::IfThenElseZero(is_lone(i), hn::Mul(negative(i), hn::Div(load(p, i), s.sum)));
    });
    for (size_t i = 0; i < rows.steps; ++i) {
      const V e = load(p, i), prob = hn::Div(e, s.sum), own = negative(i);
      const auto lone = is_lone(i);
      const V own_pull = hn::IfThenZeroElse(lone, hn::Mul(own, hn::Div(e, hn::Sub(s.sum, e))));
      const V share = hn::IfThenZeroElse(lone, hn::Div(load(r, i), others));
      V slope = hn::MulSub(prob, positives, hn::Mul(load(t, i), load(y, i)));
      slope = hn::MulAdd(own, prob, slope);
      slope = hn::NegMulAdd(prob, hn::Sub(pulls, own_pull), slope);
      slope = hn::NegMulAdd(lone_pull, share, slope);
      hn::StoreU(rows.cols == 1 ? hn::Sub(prob, prob) : slope, d, g + i * N);
    }
  });
}

}  // namespace HWY_NAMESPACE
}  // namespace simdloss
HWY_AFTER_NAMESPACE();

#endif  // SIMDLOSS_NATIVE_KERNELS_SOFTMAX_INL_H_
