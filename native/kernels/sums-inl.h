// SPDX-License-Identifier: Apache-2.0
// Sums of many elements, in double whatever the lanes.

#if defined(SIMDLOSS_NATIVE_KERNELS_SUMS_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef SIMDLOSS_NATIVE_KERNELS_SUMS_INL_H_
#undef SIMDLOSS_NATIVE_KERNELS_SUMS_INL_H_
#else
#define SIMDLOSS_NATIVE_KERNELS_SUMS_INL_H_
#endif

#include <algorithm>

#include "hwy/highway.h"
#include "native/double_double.h"
#include "native/kernels/rows-inl.h"
#include "native/lane_sums.h"
#include "native/tile.h"

HWY_BEFORE_NAMESPACE();
namespace simdloss {
namespace HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

// Sums of float vectors go on in double lanes; those of double, which have nothing wider, carry their rounding errors.
// Infinities stay what they are.
template <class D>
class WideSum {
 public:
  HWY_INLINE WideSum() : total_(hn::Zero(dd_)) {}
  // One that was kept goes on.
  HWY_INLINE explicit WideSum(const LaneSums& kept) : total_(hn::Load(dd_, kept.total)) {}
  HWY_INLINE void Keep(LaneSums* kept) const { hn::Store(total_, dd_, kept->total); }
  HWY_INLINE void Add(hn::Vec<D> v) {
#if HWY_TARGET == HWY_SCALAR
    total_ = hn::Add(total_, hn::Set(dd_, static_cast<double>(hn::GetLane(v))));
#else
    total_ = hn::Add(total_, hn::Add(hn::PromoteLowerTo(dd_, v), hn::PromoteUpperTo(dd_, v)));
#endif
  }
  HWY_INLINE void Add(hn::TFromD<D> x) { single_ += static_cast<double>(x); }
  HWY_INLINE double Total() const { return hn::ReduceSum(dd_, total_) + single_; }

 private:
  const hn::ScalableTag<double> dd_;
  hn::Vec<hn::ScalableTag<double>> total_;
  double single_ = 0;
};

template <>
class WideSum<hn::ScalableTag<double>> {
  using D = hn::ScalableTag<double>;

 public:
  HWY_INLINE WideSum() : high_(hn::Zero(D())), low_(hn::Zero(D())) {}
  HWY_INLINE explicit WideSum(const LaneSums& kept)
      : high_(hn::Load(D(), kept.total)), low_(hn::Load(D(), kept.error)) {}
  HWY_INLINE void Keep(LaneSums* kept) const {
    hn::Store(high_, D(), kept->total);
    hn::Store(low_, D(), kept->error);
  }
  HWY_INLINE void Add(hn::Vec<D> v) {
    const auto sum = hn::Add(high_, v), of_v = hn::Sub(sum, high_);
    low_ = hn::Add(low_, hn::Add(hn::Sub(high_, hn::Sub(sum, of_v)), hn::Sub(v, of_v)));
    high_ = sum;
  }
  HWY_INLINE void Add(double x) { AddSingle(x); }
  HWY_INLINE double Total() {
    const D d;
    HWY_ALIGN double lanes[hn::MaxLanes(d)];
    hn::Store(high_, d, lanes);
    for (size_t k = 0; k < hn::Lanes(d); ++k) AddSingle(lanes[k]);
    error_ += hn::ReduceSum(d, low_);
    return error_ - error_ == 0 ? single_ + error_ : single_;
  }

 private:
  HWY_INLINE void AddSingle(double x) {
    const DoubleDouble next = TwoSum(single_, x);
    single_ = next.high;
    error_ += next.low;
  }

  hn::Vec<D> high_, low_;
  double single_ = 0, error_ = 0;
};

// The sum of term(i), the vector from element i on, over whole vectors. Blocks of 16 are added plainly. term is called
// in one place only: out of line, g++ would pass each vector through memory.
template <class D, class F>
HWY_INLINE void SumVectors(D d, size_t whole, F&& term, WideSum<D>* sum) {
  const size_t N = hn::Lanes(d);
  for (size_t i = 0; i < whole;) {
    const size_t end = std::min(i + kBlockSteps * N, whole);
    auto block = hn::Zero(d);
    for (; i < end; i += N) block = hn::Add(block, term(i));
    sum->Add(block);
  }
}

// The sum of term(step) over the steps of elements begin .. end; a part of a vector is a block of its own.
template <class D, class F>
HWY_INLINE double WideSumOfSteps(D d, size_t begin, size_t end, F&& term) {
  const size_t count = end - begin, whole = count - count % hn::Lanes(d);
  WideSum<D> sum;
  SumVectors(d, whole, [&](size_t i) SIMDLOSS_STEP { return term(WholeStep{begin + i}); }, &sum);
  if (whole < count) {
    const PartStep part{begin + whole, count - whole};
    sum.Add(part.Only(d, term(part)));
  }
  return sum.Total();
}

// The same tile after tile: what one call a tile gives, added up by a CarriedSum.
template <class D, class F, class T = hn::TFromD<D>>
HWY_INLINE double SumOfTiles(D d, size_t count, F&& term) {
  CarriedSum total;
  for (size_t begin = 0; begin < count; begin += kTile<T>) {
    total.Add(WideSumOfSteps(d, begin, std::min(begin + kTile<T>, count), term));
  }
  return total.Total();
}

template <class T>
double Sum(const T* x, size_t count) {
  const hn::ScalableTag<T> d;
  return WideSumOfSteps(d, 0, count, [&](auto at) SIMDLOSS_STEP { return at.Load(d, x); });
}

}  // namespace HWY_NAMESPACE
}  // namespace simdloss
HWY_AFTER_NAMESPACE();

#endif  // SIMDLOSS_NATIVE_KERNELS_SUMS_INL_H_
