// SPDX-License-Identifier: Apache-2.0
// The operations of programs over a tile, and the table of them for one dtype. Each formula once: pairs and sums are
// put together from the same functors, whose results are rounded one by one.

#if defined(SIMDLOSS_NATIVE_KERNELS_PROGRAM_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef SIMDLOSS_NATIVE_KERNELS_PROGRAM_INL_H_
#undef SIMDLOSS_NATIVE_KERNELS_PROGRAM_INL_H_
#else
#define SIMDLOSS_NATIVE_KERNELS_PROGRAM_INL_H_
#endif

#include <algorithm>
#include <limits>

#include "hwy/highway.h"
#include "native/kernels/math-inl.h"
#include "native/kernels/rows-inl.h"
#include "native/kernels/sums-inl.h"
#include "native/program.h"
#include "native/stages.h"

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
#define SIMDLOSS_COMPARISON(name)                                      \
  struct name {                                                        \
    template <class D, class V>                                        \
    static HWY_INLINE V Eval(D d, V a, V b) {                          \
      return hn::IfThenElseZero(hn::name(a, b), math::Constant(d, 1)); \
    }                                                                  \
    template <class V>                                                 \
    static HWY_INLINE auto Holds(V a, V b) {                           \
      return hn::name(a, b);                                           \
    }                                                                  \
  }

// x, or NaN where z is.
template <class V>
HWY_INLINE V OrNaN(V z, V x) {
  return hn::IfThenElse(hn::Eq(z, z), x, z);
}

SIMDLOSS_UNARY(Copy, a);
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
SIMDLOSS_BINARY(Rsub, hn::Sub(b, a));
SIMDLOSS_BINARY(Mul, hn::Mul(a, b));
SIMDLOSS_BINARY(Div, hn::Div(a, b));
SIMDLOSS_BINARY(Min, OrNaN(a, math::AtMost(a, b)));
SIMDLOSS_BINARY(Max, OrNaN(a, math::AtLeast(a, b)));
SIMDLOSS_BINARY(Pow, HWY_NAMESPACE::Pow(d, a, b));
SIMDLOSS_COMPARISON(Lt);
SIMDLOSS_COMPARISON(Le);
SIMDLOSS_COMPARISON(Eq);
SIMDLOSS_COMPARISON(Ne);

struct Select {
  template <class D, class V>
  static HWY_INLINE V Eval(D d, V a, V b, V c) {
    return hn::IfThenElse(hn::Eq(a, hn::Zero(d)), c, b);
  }
};

#undef SIMDLOSS_UNARY
#undef SIMDLOSS_BINARY
#undef SIMDLOSS_COMPARISON

}  // namespace ops

// --- Operands --------------------------------------------------------------------------------------------------------

// Where an operation finds its operands: a vector of each.
template <class Tag, class T = hn::TFromD<Tag>>
struct Operands {
  using D = Tag;
  using V = hn::Vec<D>;
  D d;
  const T *a_, *b_, *c_, *e_;
  size_t i;

  HWY_INLINE V a() const { return hn::LoadU(d, a_ + i); }
  HWY_INLINE V b() const { return hn::LoadU(d, b_ + i); }
  HWY_INLINE V c() const { return hn::LoadU(d, c_ + i); }
  HWY_INLINE V e() const { return hn::LoadU(d, e_ + i); }
};

template <class F>
struct Unary {
  template <class X>
  static HWY_INLINE auto Of(const X& x) {
    return F::Eval(x.d, x.a());
  }
};

template <class F>
struct Binary {
  template <class X>
  static HWY_INLINE auto Of(const X& x) {
    return F::Eval(x.d, x.a(), x.b());
  }
};

template <class F>
struct Ternary {
  template <class X>
  static HWY_INLINE auto Of(const X& x) {
    return F::Eval(x.d, x.a(), x.b(), x.c());
  }
};

// G(First, c)
template <class First, class G>
struct Pair {
  template <class X>
  static HWY_INLINE auto Of(const X& x) {
    return G::Eval(x.d, First::Of(x), x.c());
  }
};

template <class First, class G>
struct PairOfOne {
  template <class X>
  static HWY_INLINE auto Of(const X& x) {
    return G::Eval(x.d, First::Of(x));
  }
};

template <class F>
struct SelectPair {
  template <class X>
  static HWY_INLINE auto Of(const X& x) {
    return hn::IfThenElse(F::Holds(x.a(), x.b()), x.c(), x.e());
  }
};

// --- Loops -----------------------------------------------------------------------------------------------------------

template <class Operation, class T>
void Compute(const T* a, const T* b, const T* c, const T* e, T* to, size_t count) {
  const hn::ScalableTag<T> d;
  for (size_t i = 0; i < count; i += hn::Lanes(d)) {
    hn::StoreU(Operation::Of(Operands<decltype(d)>{d, a, b, c, e, i}), d, to + i);
  }
}

template <class Operation, class T>
double ComputeSum(const T* a, const T* b, const T* c, const T* e, size_t count) {
  const hn::ScalableTag<T> d;
  WideSum<hn::ScalableTag<T>> sum;
  SumVectors(d, count, [&](size_t i) HWY_ATTR { return Operation::Of(Operands<decltype(d)>{d, a, b, c, e, i}); }, &sum);
  return sum.Total();
}

// f(rows, out) for each row, or vector of rows, of `rows` of them: f stores what it makes of them from *out on.
template <class T, class F>
HWY_INLINE void ForEachRow(const T* x, size_t stride, size_t rows, size_t cols, F&& f) {
  using D = hn::ScalableTag<T>;
  const D d;
  const size_t N = hn::Lanes(d);
  if (!IsNarrow(cols, N)) {
    for (size_t i = 0; i < rows; ++i) f(WideRows<D>{d, cols}, x + i * stride, i);
    return;
  }
  HWY_ALIGN T transposed[kNarrowVectors * hn::MaxLanes(d) * hn::MaxLanes(d)];
  const Transposer<D> transposer(d, cols);
  for (size_t i = 0; i < rows; i += N) {
    transposer.Load(x + i * stride, stride, std::min(N, rows - i), transposed);
    f(NarrowRows<D>{d, cols}, transposed, i);
  }
}

// One number a row from a vector of them, or from one whose lanes all hold it.
template <class R, class T, class V = typename R::V>
HWY_INLINE void StoreRowValues(const R& rows, V v, T* out) {
  if constexpr (R::kNarrow) {
    hn::StoreU(v, rows.d, out);
  } else {
    *out = hn::GetLane(v);
  }
}

// `out` has room for a whole vector.
template <class T>
void RowSumsOf(const T* x, size_t stride, size_t rows, size_t cols, T* out) {
  ForEachRow(x, stride, rows, cols, [&](auto layout, const T* row, size_t i) HWY_ATTR {
    StoreRowValues(layout, SumOfSteps(layout, [&](auto at) HWY_ATTR { return at.Load(layout.d, row); }), out + i);
  });
}

template <class T>
void RowMaximaOf(const T* x, size_t stride, size_t rows, size_t cols, T* out) {
  ForEachRow(x, stride, rows, cols, [&](auto layout, const T* row, size_t i) HWY_ATTR {
    const auto d = layout.d;
    const auto low = hn::Set(d, -std::numeric_limits<T>::infinity());
    auto max = low;
    ForEachStep(layout, [&](auto at) SIMDLOSS_STEP { max = ops::Max::Eval(d, max, at.LoadOr(d, low, row)); });
    // A vector that holds a NaN: hn::Max may drop it.
    const bool ordered = hn::AllTrue(d, hn::Eq(max, max));
    StoreRowValues(layout, layout.kNarrow || ordered ? layout.Max(max) : hn::NaN(d), out + i);
  });
}

template <class T>
void AddToSums(const T* x, size_t count, double* sums) {
  const hn::ScalableTag<double> d;
  const size_t N = hn::Lanes(d), whole = count - count % N;
  for (size_t i = 0; i < whole; i += N) {
    hn::StoreU(hn::Add(hn::LoadU(d, sums + i), WholeStep{i}.Load(d, x)), d, sums + i);
  }
  for (size_t i = whole; i < count; ++i) sums[i] += static_cast<double>(x[i]);
}

// --- Table -----------------------------------------------------------------------------------------------------------

template <class Operation, class T>
constexpr void SetStep(ProgramStages<T>* stages, Opcode op) {
  stages->compute[op] = &Compute<Operation, T>;
}

template <class Operation, class T>
constexpr void SetCheapStep(ProgramStages<T>* stages, Opcode op) {
  SetStep<Operation>(stages, op);
  stages->sum[op] = &ComputeSum<Operation, T>;
}

template <class T>
constexpr ProgramStages<T> MakeProgramStages() {
  ProgramStages<T> stages{};
#define SIMDLOSS_X(name) SetStep<Unary<ops::name>>(&stages, kOp##name);
  SIMDLOSS_UNARY_OPS(SIMDLOSS_X)
#undef SIMDLOSS_X
#define SIMDLOSS_X(name) SetStep<Binary<ops::name>>(&stages, kOp##name);
  SIMDLOSS_BINARY_OPS(SIMDLOSS_X)
#undef SIMDLOSS_X
#define SIMDLOSS_X(name) SetStep<Ternary<ops::name>>(&stages, kOp##name);
  SIMDLOSS_TERNARY_OPS(SIMDLOSS_X)
#undef SIMDLOSS_X
#define SIMDLOSS_X(first, second) SetCheapStep<Pair<Binary<ops::first>, ops::second>>(&stages, kOp##first##second);
  SIMDLOSS_BINARY_PAIRS(SIMDLOSS_X)
#undef SIMDLOSS_X
#define SIMDLOSS_X(first, second) SetCheapStep<Pair<Unary<ops::first>, ops::second>>(&stages, kOp##first##second);
  SIMDLOSS_UNARY_PAIRS(SIMDLOSS_X)
#undef SIMDLOSS_X
#define SIMDLOSS_X(first, second) SetCheapStep<PairOfOne<Binary<ops::first>, ops::second>>(&stages, kOp##first##second);
  SIMDLOSS_PAIRS_OF_ONE(SIMDLOSS_X)
#undef SIMDLOSS_X
#define SIMDLOSS_X(first, second) SetCheapStep<SelectPair<ops::first>>(&stages, kOp##first##second);
  SIMDLOSS_SELECT_PAIRS(SIMDLOSS_X)
#undef SIMDLOSS_X
  stages.row_sums = &RowSumsOf<T>;
  stages.row_maxima = &RowMaximaOf<T>;
  stages.add_to_sums = &AddToSums<T>;
  return stages;
}

}  // namespace HWY_NAMESPACE
}  // namespace simdloss
HWY_AFTER_NAMESPACE();

#endif  // SIMDLOSS_NATIVE_KERNELS_PROGRAM_INL_H_
