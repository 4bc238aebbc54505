// SPDX-License-Identifier: Apache-2.0
#include "native/gemm.h"

#include "native/kernels/targets.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "native/gemm.cc"
#include "hwy/foreach_target.h"
// After foreach_target.h.
#include "hwy/highway.h"
#include "native/kernels/gemm-inl.h"

#if HWY_ONCE
#include "native/kernels/dispatch_table.h"

namespace simdloss {
namespace {

// Apart from ThreadScratch(): callers keep their own arrays there across a product.
Scratch& PanelScratch() {
  static SIMDLOSS_THREAD_LOCAL Scratch scratch;
  return scratch;
}

}  // namespace

bool GemmRows(const GemmCall& call, size_t begin, size_t end) {
  if (begin >= end || call.n == 0) return true;
  return SIMDLOSS_DISPATCH(GemmRowsOnTarget)(call, begin, end, PanelScratch());
}

bool Gemm(const GemmCall& call) { return GemmRows(call, 0, call.m); }

void ColumnSums(Dtype dtype, size_t rows, size_t cols, const void* x, size_t stride, void* out) {
  SIMDLOSS_DISPATCH(ColumnSumsOnTarget)(dtype, rows, cols, x, stride, out);
}

}  // namespace simdloss
#endif  // HWY_ONCE
