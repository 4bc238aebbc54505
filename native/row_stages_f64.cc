// SPDX-License-Identifier: Apache-2.0
// The double tables of kernels/row_stages-inl.h; a file per dtype halves the longest compilation.
#include "native/kernels/targets.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "native/row_stages_f64.cc"
#include "hwy/foreach_target.h"
// Must come after foreach_target.h to avoid redefinition errors.
#include "hwy/highway.h"
#include "native/kernels/dispatch_table.h"
#include "native/kernels/row_stages-inl.h"

HWY_BEFORE_NAMESPACE();
namespace simdloss {
namespace HWY_NAMESPACE {

const RowStages<double>& RowStagesF64() {
  static const RowStages<double> stages = MakeRowStages<double>();
  return stages;
}

const RowwiseStages<double>& RowwiseStagesF64() {
  static constexpr RowwiseStages<double> kStages = MakeRowwiseStages<double>();
  return kStages;
}

}  // namespace HWY_NAMESPACE
}  // namespace simdloss
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace simdloss {

template <>
const RowStages<double>& ChosenRowStages<double>() {
  return SIMDLOSS_DISPATCH(RowStagesF64)();
}

template <>
const RowwiseStages<double>& ChosenRowwiseStages<double>() {
  return SIMDLOSS_DISPATCH(RowwiseStagesF64)();
}

}  // namespace simdloss
#endif  // HWY_ONCE
