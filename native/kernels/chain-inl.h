// SPDX-License-Identifier: Apache-2.0
// The operations of programs, each formula once, and the loop over chains of the cheap ones.

#if defined(SIMDLOSS_NATIVE_KERNELS_CHAIN_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef SIMDLOSS_NATIVE_KERNELS_CHAIN_INL_H_
#undef SIMDLOSS_NATIVE_KERNELS_CHAIN_INL_H_
#else
#define SIMDLOSS_NATIVE_KERNELS_CHAIN_INL_H_
#endif

#include <algorithm>
#include <type_traits>
#include <utility>

#include "hwy/highway.h"
#include "native/chain.h"
#include "native/kernels/math-inl.h"
#include "native/kernels/sums-inl.h"

HWY_BEFORE_NAMESPACE();
namespace simdloss {
namespace HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

// --- Operations ------------------------------------------------------------------------------------------------------

// A namespace of their own: their names are those of Highway and of math-inl.h.
namespace ops {

#define SIMDLOSS_UNARY(name, result)     \
  struct name {                          \
    template <class D, class V>          \
    static HWY_INLINE V Eval(D d, V a) { \
      (void)d;                           \
      return result;                     \
    }                                    \
  }
#define SIMDLOSS_BINARY(name, result)         \
  struct name {                               \
    template <class D, class V>               \
    static HWY_INLINE V Eval(D d, V a, V b) { \
      (void)d;                                \
      return result;                          \
    }                                         \
  }

// x, or NaN where z is.
template <class V>
HWY_INLINE V OrNaN(V z, V x) {
  return hn::IfThenElse(hn::Eq(z, z), x, z);
}

SIMDLOSS_UNARY(Neg, hn::Neg(a));
SIMDLOSS_UNARY(Abs, hn::Abs(a));
SIMDLOSS_UNARY(Square, hn::Mul(a, a));
SIMDLOSS_UNARY(Sqrt, hn::Sqrt(a));
SIMDLOSS_UNARY(Exp, HWY_NAMESPACE::Exp(d, a));
SIMDLOSS_UNARY(Expm1, HWY_NAMESPACE::Expm1(d, a));
SIMDLOSS_UNARY(Log, HWY_NAMESPACE::Log(d, a));
SIMDLOSS_UNARY(Log1p, HWY_NAMESPACE::Log1p(d, a));
SIMDLOSS_UNARY(Erf, HWY_NAMESPACE::Erf(d, a));
SIMDLOSS_UNARY(Floor, hn::Floor(a));
SIMDLOSS_UNARY(Reciprocal, hn::Div(math::Constant(d, 1), a));
// +-0 and NaN are their own signs.
SIMDLOSS_UNARY(Sign, hn::IfThenElse(hn::Gt(hn::Abs(a), hn::Zero(d)), hn::CopySign(math::Constant(d, 1), a), a));
SIMDLOSS_BINARY(Add, hn::Add(a, b));
SIMDLOSS_BINARY(Sub, hn::Sub(a, b));
SIMDLOSS_BINARY(Mul, hn::Mul(a, b));
SIMDLOSS_BINARY(Div, hn::Div(a, b));
SIMDLOSS_BINARY(Min, OrNaN(a, math::AtMost(a, b)));
SIMDLOSS_BINARY(Max, OrNaN(a, math::AtLeast(a, b)));

// The same of x and a number that is not 0: there is no sign of a 0 that tells the two apart, and one NaN at most.
template <class F, class V>
HWY_INLINE V Limited(V limit, V x) {
  return std::is_same_v<F, Min> ? math::AtMost(limit, x) : math::AtLeast(limit, x);
}

SIMDLOSS_BINARY(Pow, HWY_NAMESPACE::Pow(d, a, b));
SIMDLOSS_BINARY(Lt, hn::IfThenElseZero(hn::Lt(a, b), math::Constant(d, 1)));
SIMDLOSS_BINARY(Le, hn::IfThenElseZero(hn::Le(a, b), math::Constant(d, 1)));
SIMDLOSS_BINARY(Eq, hn::IfThenElseZero(hn::Eq(a, b), math::Constant(d, 1)));
// hn::Ne of NaN differs by target.
SIMDLOSS_BINARY(Ne, hn::IfThenZeroElse(hn::Eq(a, b), math::Constant(d, 1)));

template <class D, class V>
HWY_INLINE V Select(D d, V condition, V then, V otherwise) {
  return hn::IfThenElse(hn::Eq(condition, hn::Zero(d)), otherwise, then);
}

#undef SIMDLOSS_UNARY
#undef SIMDLOSS_BINARY

}  // namespace ops

// --- Chains ----------------------------------------------------------------------------------------------------------

// The accumulator: vectors side by side.
template <class D, class Indices>
class Accumulator;

template <class D, size_t... k>
class Accumulator<D, std::index_sequence<k...>> {
  using T = hn::TFromD<D>;
  using V = hn::Vec<D>;
  static constexpr size_t kN = hn::MaxLanes(D());

 public:
  static constexpr size_t kElements = sizeof...(k) * kN;

  HWY_INLINE Accumulator()
      : x_{((void)k, hn::Zero(d_))...}, y_{((void)k, hn::Zero(d_))...}, z_{((void)k, hn::Zero(d_))...} {}

  HWY_INLINE void Load(const T* p) { ((x_[k] = At(p, k)), ...); }
  HWY_INLINE void Store(T* p) const { (hn::StoreU(x_[k], d_, p + k * kN), ...); }
  HWY_INLINE void Recall(bool z) { z ? ((x_[k] = z_[k]), ...) : ((x_[k] = y_[k]), ...); }
  HWY_INLINE void Keep(bool z) { z ? ((z_[k] = x_[k]), ...) : ((y_[k] = x_[k]), ...); }
  HWY_INLINE void Swap(bool z) { z ? (std::swap(x_[k], z_[k]), ...) : (std::swap(x_[k], y_[k]), ...); }

  template <class F>
  HWY_INLINE void Apply() {
    ((x_[k] = F::Eval(d_, x_[k])), ...);
  }
  template <class F>
  HWY_INLINE void Apply(const T* p) {
    ((x_[k] = F::Eval(d_, x_[k], At(p, k))), ...);
  }
  template <class F>
  HWY_INLINE void ApplyReversed(const T* p) {
    ((x_[k] = F::Eval(d_, At(p, k), x_[k])), ...);
  }
  template <class F>
  HWY_INLINE void ApplyToScalar(const T* p) {
    const V scalar = At(p, 0);
    if (ApplyLimit<F>(scalar, *p)) return;
    ((x_[k] = F::Eval(d_, x_[k], scalar)), ...);
  }
  template <class F>
  HWY_INLINE void ApplyReversedToScalar(const T* p) {
    const V scalar = At(p, 0);
    if (ApplyLimit<F>(scalar, *p)) return;
    ((x_[k] = F::Eval(d_, scalar, x_[k])), ...);
  }
  template <class F>
  HWY_INLINE void ApplyToKept(bool z) {
    z ? ((x_[k] = F::Eval(d_, x_[k], z_[k])), ...) : ((x_[k] = F::Eval(d_, x_[k], y_[k])), ...);
  }
  template <class F>
  HWY_INLINE void ApplyReversedToKept(bool z) {
    z ? ((x_[k] = F::Eval(d_, z_[k], x_[k])), ...) : ((x_[k] = F::Eval(d_, y_[k], x_[k])), ...);
  }
  HWY_INLINE void Clip(const T* p, const T* q) {
    const V low = At(p, 0), high = At(q, 0);
    ((x_[k] = ops::Limited<ops::Min>(high, ops::Limited<ops::Max>(low, x_[k]))), ...);
  }
  HWY_INLINE void Select(const T* p, const T* q) { ((x_[k] = ops::Select(d_, x_[k], At(p, k), At(q, k))), ...); }
  HWY_INLINE void SelectThen(const T* p, const T* q) { ((x_[k] = ops::Select(d_, At(p, k), x_[k], At(q, k))), ...); }
  HWY_INLINE void SelectElse(const T* p, const T* q) { ((x_[k] = ops::Select(d_, At(p, k), At(q, k), x_[k])), ...); }

  // Of the first `count` elements, where they are not all.
  HWY_INLINE void AddTo(size_t count, LaneSums* sums) const {
    WideSum<D> sum(*sums);
    if constexpr (sizeof...(k) == 1) {
      sum.Add(count < kN ? hn::IfThenElseZero(hn::FirstN(d_, count), x_[0]) : x_[0]);
    } else {
      sum.Add(Sum<0, sizeof...(k)>());
    }
    sum.Keep(sums);
  }

 private:
  HWY_INLINE V At(const T* p, size_t i) const { return hn::LoadU(d_, p + i * kN); }

  template <class F>
  HWY_INLINE bool ApplyLimit(V limit, T value) {
    if constexpr (std::is_same_v<F, ops::Min> || std::is_same_v<F, ops::Max>) {
      if (!(value < 0 || value > 0)) return false;
      ((x_[k] = ops::Limited<F>(limit, x_[k])), ...);
      return true;
    } else {
      return false;
    }
  }

  // Of vectors begin ... end, by halves.
  template <size_t kBegin, size_t kEnd>
  HWY_INLINE V Sum() const {
    if constexpr (kEnd - kBegin == 1) {
      return x_[kBegin];
    } else {
      constexpr size_t kMiddle = (kBegin + kEnd) / 2;
      return hn::Add(Sum<kBegin, kMiddle>(), Sum<kMiddle, kEnd>());
    }
  }

  const D d_;
  V x_[sizeof...(k)], y_[sizeof...(k)], z_[sizeof...(k)];
};

template <class T>
HWY_INLINE T* Shifted(T* p, size_t bytes) {
  return reinterpret_cast<T*>(reinterpret_cast<char*>(p) + bytes);
}

// A chain for the elements from i on, of which there are `count`.
template <class Accumulator, class T>
HWY_INLINE void RunChainAt(const ChainStep* step, T* const* at, size_t i, size_t count, LaneSums* sums,
                           Accumulator& x) {
  const size_t bytes = i * sizeof(T);
  for (;; ++step) {
    const uint32_t does = step->does;
    if (does & ChainStep::kBefore) {
      if (does & ChainStep::kLoad) {
        x.Load(Shifted(at[step->from], bytes & step->from_mask));
      } else if (does & ChainStep::kRecall) {
        x.Recall((does & ChainStep::kOfZ) != 0);
      } else if (does & ChainStep::kSwap) {
        x.Swap((does & ChainStep::kOfZ) != 0);
      }
      if (does & ChainStep::kAbs) x.template Apply<ops::Abs>();
      if (does & ChainStep::kSquare) x.template Apply<ops::Square>();
    }
    const T* const p = Shifted(at[step->p], bytes & step->p_mask);
    switch (step->op) {
      case kChainSelect:
        x.Select(p, Shifted(at[step->q], bytes & step->q_mask));
        break;
      case kChainSelectThen:
        x.SelectThen(p, Shifted(at[step->q], bytes & step->q_mask));
        break;
      case kChainSelectElse:
        x.SelectElse(p, Shifted(at[step->q], bytes & step->q_mask));
        break;
      case kChainClip:
        x.Clip(p, Shifted(at[step->q], bytes & step->q_mask));
        break;
#define SIMDLOSS_X(name)           \
  case kChain##name:               \
    x.template Apply<ops::name>(); \
    break;
        SIMDLOSS_CHEAP_UNARY_OPS(SIMDLOSS_X)
#undef SIMDLOSS_X
#define SIMDLOSS_CASES(step, apply, name)       \
  case kChain##step:                            \
    x.template apply<ops::name>(p);             \
    break;                                      \
  case kChain##step##Scalar:                    \
    x.template apply##ToScalar<ops::name>(p);   \
    break;                                      \
  case kChain##step##Y:                         \
    x.template apply##ToKept<ops::name>(false); \
    break;                                      \
  case kChain##step##Z:                         \
    x.template apply##ToKept<ops::name>(true);  \
    break;
#define SIMDLOSS_X(name) SIMDLOSS_CASES(name, Apply, name)
        SIMDLOSS_CHEAP_BINARY_OPS(SIMDLOSS_X)
#undef SIMDLOSS_X
#define SIMDLOSS_X(name) SIMDLOSS_CASES(Reversed##name, ApplyReversed, name)
        SIMDLOSS_REVERSIBLE_OPS(SIMDLOSS_X)
#undef SIMDLOSS_X
#undef SIMDLOSS_CASES
      case kChainNothing:
        break;
      default:
        HWY_UNREACHABLE;
    }
    if ((does & ChainStep::kAfterwards) == 0) continue;
    if (does & ChainStep::kThen) {
      const bool z = (does & ChainStep::kWithZ) != 0;
      if (does & ChainStep::kThenAdd) {
        x.template ApplyToKept<ops::Add>(z);
      } else if (does & ChainStep::kThenMul) {
        x.template ApplyToKept<ops::Mul>(z);
      } else if (does & ChainStep::kThenSub) {
        x.template ApplyToKept<ops::Sub>(z);
      } else {
        x.template ApplyReversedToKept<ops::Sub>(z);
      }
    }
    if (does & ChainStep::kStore) x.Store(Shifted(at[step->to], bytes & step->to_mask));
    if (does & ChainStep::kKeep) x.Keep((does & ChainStep::kInZ) != 0);
    if ((does & (ChainStep::kAdd | ChainStep::kEnd)) == 0) continue;
    if (does & ChainStep::kAdd) x.AddTo(count, sums + step->sum);
    if (does & ChainStep::kEnd) return;
  }
}

// The chain for elements `begin` ... `count`, in whole vectors.
template <class T>
void RunChain(const ChainStep* steps, T* const* at, size_t begin, size_t count, LaneSums* sums) {
  using D = hn::ScalableTag<T>;
  using Several = Accumulator<D, std::make_index_sequence<kChainVectors>>;
  using One = Accumulator<D, std::index_sequence<0>>;
  size_t i = begin;
  Several several;
  for (; i + Several::kElements <= count; i += Several::kElements) RunChainAt(steps, at, i, count - i, sums, several);
  One one;
  for (; i < count; i += One::kElements) RunChainAt(steps, at, i, count - i, sums, one);
}

}  // namespace HWY_NAMESPACE
}  // namespace simdloss
HWY_AFTER_NAMESPACE();

#endif  // SIMDLOSS_NATIVE_KERNELS_CHAIN_INL_H_
