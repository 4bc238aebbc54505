// SPDX-License-Identifier: Apache-2.0
// Two layouts of rows under one set of formulas: a row along the lanes (wide), or a row a lane (narrow). Row formulas
// are written over a layout, whose reductions give each lane the result of its own row.

#if defined(SIMDLOSS_NATIVE_KERNELS_ROWS_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef SIMDLOSS_NATIVE_KERNELS_ROWS_INL_H_
#undef SIMDLOSS_NATIVE_KERNELS_ROWS_INL_H_
#else
#define SIMDLOSS_NATIVE_KERNELS_ROWS_INL_H_
#endif

#include <algorithm>
#include <limits>

#include "hwy/highway.h"
#include "native/stages.h"

HWY_BEFORE_NAMESPACE();
namespace simdloss {
namespace HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

// NaN handling of hn::Max differs by target; row formulas get their NaN from the sums that follow a maximum.
template <class D>
struct WideRows {
  using V = hn::Vec<D>;
  static constexpr bool kNarrow = false;
  D d;
  size_t cols, steps;

  HWY_INLINE V Max(V v) const { return hn::Set(d, hn::ReduceMax(d, v)); }
  HWY_INLINE V Sum(V v) const { return hn::Set(d, hn::ReduceSum(d, v)); }
  HWY_INLINE void StorePerRow(V v, double* out) const { out[0] = static_cast<double>(hn::GetLane(v)); }
};

template <class D>
struct NarrowRows {
  using V = hn::Vec<D>;
  static constexpr bool kNarrow = true;
  D d;
  size_t cols, steps;

  HWY_INLINE V Max(V v) const { return v; }
  HWY_INLINE V Sum(V v) const { return v; }
  HWY_INLINE void StorePerRow(V v, double* out) const {
    HWY_ALIGN hn::TFromD<D> lanes[hn::MaxLanes(d)];
    hn::Store(v, d, lanes);
    for (size_t i = 0; i < hn::Lanes(d); ++i) out[i] = static_cast<double>(lanes[i]);
  }
};

// Calls f with the layout's rows as a type of their own.
template <class D, class F>
HWY_INLINE void WithRows(D d, const RowLayout& layout, F&& f) {
  if (layout.narrow) {
    f(NarrowRows<D>{d, layout.cols, layout.steps});
  } else {
    f(WideRows<D>{d, layout.cols, layout.steps});
  }
}

// The sum over a row of f(step). Blocks of 16 are added plainly, the blocks with their rounding errors carried along: a
// few roundings of T for rows of any length. Infinities stay what they are.
template <class R, class F, class V = typename R::V>
HWY_INLINE V SumOfSteps(const R& rows, F&& f) {
  constexpr size_t kBlock = 16;
  const auto d = rows.d;
  V high = hn::Zero(d), low = hn::Zero(d);
  for (size_t begin = 0; begin < rows.steps; begin += kBlock) {
    const size_t end = std::min(begin + kBlock, rows.steps);
    V block = f(begin);
    for (size_t i = begin + 1; i < end; ++i) block = hn::Add(block, f(i));
    const V total = hn::Add(high, block);
    const V from_block = hn::Sub(total, high);
    low = hn::Add(low, hn::Add(hn::Sub(high, hn::Sub(total, from_block)), hn::Sub(block, from_block)));
    high = total;
  }
  return rows.Sum(hn::Add(high, hn::IfThenElseZero(hn::IsFinite(high), low)));
}

template <class R, class F, class V = typename R::V>
HWY_INLINE V MaxOfSteps(const R& rows, F&& f) {
  V max = hn::Set(rows.d, -std::numeric_limits<hn::TFromD<decltype(rows.d)>>::infinity());
  for (size_t i = 0; i < rows.steps; ++i) max = hn::Max(max, f(i));
  return rows.Max(max);
}

}  // namespace HWY_NAMESPACE
}  // namespace simdloss
HWY_AFTER_NAMESPACE();

#endif  // SIMDLOSS_NATIVE_KERNELS_ROWS_INL_H_
