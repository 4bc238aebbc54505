// SPDX-License-Identifier: Apache-2.0
// The tables of the kernels that take whole rows.
#if defined(SIMDLOSS_NATIVE_KERNELS_ROW_STAGES_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef SIMDLOSS_NATIVE_KERNELS_ROW_STAGES_INL_H_
#undef SIMDLOSS_NATIVE_KERNELS_ROW_STAGES_INL_H_
#else
#define SIMDLOSS_NATIVE_KERNELS_ROW_STAGES_INL_H_
#endif

#include <cstddef>

#include "hwy/highway.h"
#include "native/kernels/loss_rowwise-inl.h"
#include "native/kernels/softmax-inl.h"
#include "native/stages.h"

HWY_BEFORE_NAMESPACE();
namespace simdloss {
namespace HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

template <class T>
void RowSums(const RowLayout& layout, const T* x, double* sums) {
  const hn::ScalableTag<T> d;
  WithRows(d, layout, [&](auto rows) HWY_ATTR {
    rows.StorePerRow(SumOfSteps(rows, [&](auto at) HWY_ATTR { return at.Load(d, x); }), sums);
  });
}

// One instance of a row kernel for the lanes of T.
template <class T>
struct RowKernels {
  using D = hn::ScalableTag<T>;

  static void Softmax(const RowLayout& layout, const T* z, T* p, T* log_p, T* b) {
    HWY_NAMESPACE::Softmax(D(), layout, z, p, log_p, b);
  }
  static void Jacobian(const RowLayout& layout, const T* p, const T* v, T* g) { SoftmaxJacobian(D(), layout, p, v, g); }
  static void CrossEntropy(const LossParams& params, const SoftmaxRows<T>& rows) {
    SoftmaxCrossEntropyRows(D(), params, rows);
  }
  static void BinaryXENT(const RowLayout& layout, const T* z, const T* y, const T* t, T* q, T* r, T* g, double* score) {
    SoftmaxBinaryXENT(D(), layout, z, y, t, q, r, g, score);
  }
};

template <class T>
RowStages<T> MakeRowStages() {
  using K = RowKernels<T>;
  return {hn::Lanes(hn::ScalableTag<T>()), &K::Softmax, &K::Jacobian, &K::CrossEntropy, &K::BinaryXENT, &RowSums<T>};
}

template <class T>
constexpr RowwiseStages<T> MakeRowwiseStages() {
  return {&RunRowwise<CosineProximity, T>, &RunRowwise<MultiLabel, T>, &RunRowwise<MixtureDensity, T>};
}

}  // namespace HWY_NAMESPACE
}  // namespace simdloss
HWY_AFTER_NAMESPACE();

#endif  // per-target toggle
