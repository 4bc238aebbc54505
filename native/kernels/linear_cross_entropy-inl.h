// SPDX-License-Identifier: Apache-2.0
// Logits, softmax and products of a block of rows against a slab of classes, all of it in the second cache.
#if defined(SIMDLOSS_NATIVE_KERNELS_LINEAR_CROSS_ENTROPY_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef SIMDLOSS_NATIVE_KERNELS_LINEAR_CROSS_ENTROPY_INL_H_
#undef SIMDLOSS_NATIVE_KERNELS_LINEAR_CROSS_ENTROPY_INL_H_
#else
#define SIMDLOSS_NATIVE_KERNELS_LINEAR_CROSS_ENTROPY_INL_H_
#endif

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <limits>

#include "hwy/highway.h"
#include "native/class_slab.h"
#include "native/kernels/gemm-inl.h"
#include "native/kernels/math-inl.h"
#include "native/kernels/rows-inl.h"
#include "native/scratch.h"

HWY_BEFORE_NAMESPACE();
namespace simdloss {
namespace HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

// The rows of a panel that are there.
template <class T>
size_t PanelHeight(const ClassSlab<T>& slab, size_t panel) {
  return std::min(slab.width, slab.rows - panel * slab.width);
}

// Calls f(row of the panel, element of the panel's matrix [width, cols]) for each row whose own class is in the slab.
template <class T, class F>
void ForEachLabel(const ClassSlab<T>& slab, size_t panel, T* z, F&& f) {
  for (size_t row = panel * slab.width, r = 0; r < PanelHeight(slab, panel); ++row, ++r) {
    const auto label = static_cast<size_t>(slab.labels[row]) - slab.begin;
    if (label < slab.cols) f(row, z[label * slab.width + r]);
  }
}

// A panel's logits to exponentials, in place, and their sums to those before. True where a maximum grew: by[r] is then
// what the older sums of row r were multiplied with.
template <class T>
bool Exponentiate(const ClassSlab<T>& slab, size_t panel, size_t lanes, T* z, T* by) {
  const hn::ScalableTag<T> d;
  using V = hn::Vec<decltype(d)>;
  const NarrowRows<decltype(d)> rows{d, slab.cols};
  const size_t first_row = panel * slab.width;
  bool grew = false;
  for (size_t r = 0; r < lanes; r += hn::Lanes(d)) {
    const auto at = [&](size_t j) HWY_ATTR { return z + j * slab.width + r; };
    T* const max = slab.max + first_row + r;
    const V before = hn::LoadU(d, max);
    const V here = MaxOfSteps(rows, [&](WholeStep step) HWY_ATTR {
      const size_t j = step.at / hn::Lanes(d);
      V logit = hn::LoadU(d, at(j));
      if (slab.bias != nullptr) {
        logit = hn::Add(logit, hn::Set(d, slab.bias[slab.begin + j]));
        hn::StoreU(logit, d, at(j));
      }
      return logit;
    });
    const V now = hn::Max(before, here);
    // All classes so far may have logits of -Infinity: that leaves e^-Infinity.
    const V shift = hn::IfThenElseZero(hn::IsFinite(now), now);
    const V sum = SumOfSteps(rows, [&](WholeStep step) HWY_ATTR {
      const size_t j = step.at / hn::Lanes(d);
      const V e = ExpNonPositive(d, hn::Sub(hn::LoadU(d, at(j)), shift));
      hn::StoreU(e, d, at(j));
      return e;
    });
    HWY_ALIGN T old_max[hn::MaxLanes(d)], sums[hn::MaxLanes(d)];
    hn::Store(before, d, old_max);
    hn::Store(sum, d, sums);
    hn::StoreU(now, d, max);
    hn::StoreU(now, d, slab.slab_max + first_row + r);
    for (size_t lane = 0; lane < hn::Lanes(d); ++lane) {
      double scale = 1;
      if (max[lane] != old_max[lane]) {
        scale = std::exp(static_cast<double>(old_max[lane]) - static_cast<double>(max[lane]));
        grew = true;
      }
      by[r + lane] = static_cast<T>(scale);
      double& total = slab.sum[first_row + r + lane];
      total = total * scale + static_cast<double>(sums[lane]);
    }
  }
  return grew;
}

template <class T>
void ScaleRows(size_t steps, size_t width, size_t lanes, const T* by, T* x) {
  const hn::ScalableTag<T> d;
  for (size_t i = 0; i < steps; ++i) {
    for (size_t r = 0; r < lanes; r += hn::Lanes(d)) {
      T* const at = x + i * width + r;
      hn::StoreU(hn::Mul(hn::LoadU(d, at), hn::LoadU(d, by + r)), d, at);
    }
  }
}

template <class T>
HWY_NOINLINE bool ForwardSlab(const ClassSlab<T>& slab, Scratch& scratch, Scratch& packing) {
  // The slab of W on its own: in W a column's elements are often a power of two apart. An odd number of lines from row
  // to row lets a column fall into all sets of a cache.
  constexpr size_t kLine = 64 / sizeof(T);
  const size_t stride = (hwy::DivCeil(slab.cols, kLine) | 1) * kLine;
  T* const w = scratch.Arrays<T>(1, slab.depth * stride);
  if (w == nullptr) return false;
  for (size_t i = 0; i < slab.depth; ++i) {
    std::copy_n(slab.w + i * slab.w_stride + slab.begin, slab.cols, w + i * stride);
  }

  const gemm::View<const T> columns{w, stride, 1}, no_bias{nullptr, 0, 1};
  HWY_ALIGN T by[gemm::kWidth<T>];
  for (size_t panel = 0; panel * slab.width < slab.rows; ++panel) {
    const size_t lanes = hwy::RoundUpTo(PanelHeight(slab, panel), gemm::kLanes<T>);
    T* const z = slab.exps + panel * slab.cols * slab.width;
    T* const weighted = slab.weighted_sum + panel * slab.depth * slab.width;
    const gemm::View<const T> x{slab.x + panel * slab.depth * slab.width, slab.width, 1}, exps{z, slab.width, 1};
    const gemm::View<T> logits{z, slab.width, 1}, sums{weighted, slab.width, 1};
    const gemm::Product<T> to_logits{slab.cols, lanes, slab.depth, columns.Transposed(), x, logits, no_bias};
    if (!gemm::RunOuterProduct(to_logits, /*threaded=*/false, packing)) return false;
    ForEachLabel(slab, panel, z, [&](size_t row, T& logit) {
      slab.label_logit[row] = slab.bias == nullptr ? logit : logit + slab.bias[slab.labels[row]];
      logit = -std::numeric_limits<T>::infinity();
    });
    if (Exponentiate(slab, panel, lanes, z, by) && !slab.first) {
      ScaleRows(slab.depth, slab.width, lanes, by, weighted);
    }
    const gemm::Product<T> to_sums{slab.depth, lanes, slab.cols, columns, exps, sums, no_bias, !slab.first};
    if (!gemm::RunOuterProduct(to_sums, /*threaded=*/false, packing)) return false;
  }
  return true;
}

template <class T>
HWY_NOINLINE bool BackwardSlab(const ClassSlab<T>& slab, Scratch& scratch, Scratch& packing) {
  const hn::ScalableTag<T> d;
  T* const slopes = scratch.Arrays<T>(1, slab.rows * slab.cols);
  if (slopes == nullptr) return false;
  HWY_ALIGN T by[gemm::kWidth<T>];
  for (size_t panel = 0; panel * slab.width < slab.rows; ++panel) {
    const size_t first_row = panel * slab.width;
    for (size_t r = 0; r < slab.width; r += hn::Lanes(d)) {
      const auto load = [&](const T* values) HWY_ATTR { return hn::LoadU(d, values + first_row + r); };
      const auto e = ExpNonPositive(d, hn::Sub(load(slab.slab_max), load(slab.max)));
      hn::Store(hn::Mul(load(slab.share), e), d, by + r);
    }
    T* const z = slab.exps + panel * slab.cols * slab.width;
    ScaleRows(slab.cols, slab.width, slab.width, by, z);
    ForEachLabel(slab, panel, z, [&](size_t row, T& slope) { slope = slab.label_slope[row]; });
    gemm::Transpose(slab.cols, PanelHeight(slab, panel), gemm::View<const T>{z, 1, slab.width}, slab.cols,
                    slopes + first_row * slab.cols);
  }
  if (slab.bias_sums != nullptr) {
    gemm::AddRows(slab.rows, slab.cols, slopes, slab.cols, slab.bias_sums + slab.begin);
  }
  const gemm::View<const T> x{slab.x_columns, slab.x_stride, 1}, g{slopes, slab.cols, 1};
  const gemm::View<T> w{slab.gradient_w + slab.begin, slab.gradient_w_stride, 1};
  const gemm::Product<T> product{slab.depth, slab.cols, slab.rows, x, g, w, {nullptr, 0, 1}, !slab.first};
  return gemm::RunOuterProduct(product, /*threaded=*/false, packing);
}

}  // namespace HWY_NAMESPACE
}  // namespace simdloss
HWY_AFTER_NAMESPACE();

#endif  // per-target toggle
