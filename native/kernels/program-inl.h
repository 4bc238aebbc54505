// SPDX-License-Identifier: Apache-2.0
// What programs do over a tile, and the table of it for one dtype.

#if defined(SIMDLOSS_NATIVE_KERNELS_PROGRAM_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef SIMDLOSS_NATIVE_KERNELS_PROGRAM_INL_H_
#undef SIMDLOSS_NATIVE_KERNELS_PROGRAM_INL_H_
#else
#define SIMDLOSS_NATIVE_KERNELS_PROGRAM_INL_H_
#endif

#include <algorithm>
#include <limits>

#include "hwy/highway.h"
#include "native/kernels/chain-inl.h"
#include "native/kernels/rows-inl.h"
#include "native/program_stages.h"

HWY_BEFORE_NAMESPACE();
namespace simdloss {
namespace HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

// --- Costly operations -----------------------------------------------------------------------------------------------

template <class F, class T>
void ComputeUnary(const T* a, const T*, T* to, size_t count) {
  const hn::ScalableTag<T> d;
  for (size_t i = 0; i < count; i += hn::Lanes(d)) hn::StoreU(F::Eval(d, hn::LoadU(d, a + i)), d, to + i);
}

template <class F, class T>
void ComputeBinary(const T* a, const T* b, T* to, size_t count) {
  const hn::ScalableTag<T> d;
  for (size_t i = 0; i < count; i += hn::Lanes(d)) {
    hn::StoreU(F::Eval(d, hn::LoadU(d, a + i), hn::LoadU(d, b + i)), d, to + i);
  }
}

// --- Rows ------------------------------------------------------------------------------------------------------------

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

template <class T>
constexpr ProgramStages<T> MakeProgramStages() {
  ProgramStages<T> stages{};
#define SIMDLOSS_X(name) stages.compute[kOp##name] = &ComputeUnary<ops::name, T>;
  SIMDLOSS_COSTLY_UNARY_OPS(SIMDLOSS_X)
#undef SIMDLOSS_X
#define SIMDLOSS_X(name) stages.compute[kOp##name] = &ComputeBinary<ops::name, T>;
  SIMDLOSS_COSTLY_BINARY_OPS(SIMDLOSS_X)
#undef SIMDLOSS_X
  stages.chain = &RunChain<T>;
  stages.row_sums = &RowSumsOf<T>;
  stages.row_maxima = &RowMaximaOf<T>;
  stages.add_to_sums = &AddToSums<T>;
  return stages;
}

}  // namespace HWY_NAMESPACE
}  // namespace simdloss
HWY_AFTER_NAMESPACE();

#endif  // SIMDLOSS_NATIVE_KERNELS_PROGRAM_INL_H_
