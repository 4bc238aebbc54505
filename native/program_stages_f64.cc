// SPDX-License-Identifier: Apache-2.0
// The double table of kernels/program-inl.h; a file per dtype halves the longest compilation.
#include "native/kernels/targets.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "native/program_stages_f64.cc"
#include "hwy/foreach_target.h"
// Must come after foreach_target.h to avoid redefinition errors.
#include "hwy/highway.h"
#include "native/kernels/dispatch_table.h"
#include "native/kernels/program-inl.h"

HWY_BEFORE_NAMESPACE();
namespace simdloss {
namespace HWY_NAMESPACE {

const ProgramStages<double>& ProgramStagesF64() {
  static constexpr ProgramStages<double> kStages = MakeProgramStages<double>();
  return kStages;
}

}  // namespace HWY_NAMESPACE
}  // namespace simdloss
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace simdloss {

template <>
const ProgramStages<double>& ChosenProgramStages<double>() {
  return SIMDLOSS_DISPATCH(ProgramStagesF64)();
}

}  // namespace simdloss
#endif  // HWY_ONCE
