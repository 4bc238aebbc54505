// SPDX-License-Identifier: Apache-2.0
// The float tables of kernels/row_stages-inl.h; a file per dtype halves the longest compilation.
#include "native/kernels/targets.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "native/row_stages_f32.cc"
#include "hwy/foreach_target.h"
// Must come after foreach_target.h to avoid redefinition errors.
#include "hwy/highway.h"
#include "native/kernels/dispatch_table.h"
#include "native/kernels/row_stages-inl.h"

HWY_BEFORE_NAMESPACE();
namespace simdloss {
namespace HWY_NAMESPACE {

const RowStages<float>& RowStagesF32() {
  static const RowStages<float> stages = MakeRowStages<float>();
  return stages;
}

const RowwiseStages<float>& RowwiseStagesF32() {
  static constexpr RowwiseStages<float> kStages = MakeRowwiseStages<float>();
  return kStages;
}

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
const RowwiseStages<float>& ChosenRowwiseStages<float>() {
  return SIMDLOSS_DISPATCH(RowwiseStagesF32)();
}

}  // namespace simdloss
#endif  // HWY_ONCE
