// SPDX-License-Identifier: Apache-2.0
#include "native/kernels/targets.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "native/row_stages.cc"
#include "hwy/foreach_target.h"
// Must come after foreach_target.h to avoid redefinition errors.
#include "hwy/highway.h"
#include "native/kernels/dispatch_table.h"
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

const RowStages<float>& RowStagesF32() {
  static const RowStages<float> stages = MakeRowStages<float>();
  return stages;
}

const RowStages<double>& RowStagesF64() {
  static const RowStages<double> stages = MakeRowStages<double>();
  return stages;
}

template <class T>
constexpr RowwiseStages<T> kRowwiseStages = {&RunRowwise<CosineProximity, T>, &RunRowwise<MultiLabel, T>,
                                             &RunRowwise<MixtureDensity, T>};

const RowwiseStages<float>& RowwiseStagesF32() { return kRowwiseStages<float>; }
const RowwiseStages<double>& RowwiseStagesF64() { return kRowwiseStages<double>; }

}  // namespace HWY_NAMESPACE
}  // namespace simdloss
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace simdloss {

template <>
const RowStages<float>& ChosenRowStages<float>() {
  return SIMDLOSS_DISPATCH(RowStagesF32)();
}

template <>
const RowStages<double>& ChosenRowStages<double>() {
  return SIMDLOSS_DISPATCH(RowStagesF64)();
}

template <>
const RowwiseStages<float>& ChosenRowwiseStages<float>() {
  return SIMDLOSS_DISPATCH(RowwiseStagesF32)();
}

template <>
const RowwiseStages<double>& ChosenRowwiseStages<double>() {
  return SIMDLOSS_DISPATCH(RowwiseStagesF64)();
}

}  // namespace simdloss
#endif  // HWY_ONCE
