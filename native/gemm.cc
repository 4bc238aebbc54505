// SPDX-License-Identifier: Apache-2.0
#include "native/gemm.h"

#include "native/kernels/targets.h"
#include "native/thread_pool.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "native/gemm.cc"
#include "hwy/foreach_target.h"
// After foreach_target.h.
#include "hwy/highway.h"
#include "native/kernels/gemm-inl.h"

HWY_BEFORE_NAMESPACE();
namespace simdloss {
namespace HWY_NAMESPACE {

bool GemmOnTarget(const GemmCall& call, bool threaded, Scratch& scratch) {
  return call.dtype == Dtype::kFloat32 ? gemm::GemmOf<float>(call, threaded, scratch)
                                       : gemm::GemmOf<double>(call, threaded, scratch);
}

void ColumnSumsOnTarget(Dtype dtype, size_t rows, size_t cols, const void* x, size_t stride, void* out) {
  if (dtype == Dtype::kFloat32) {
    gemm::ColumnSumsOf(rows, cols, static_cast<const float*>(x), stride, static_cast<float*>(out));
  } else {
    gemm::ColumnSumsOf(rows, cols, static_cast<const double*>(x), stride, static_cast<double*>(out));
  }
}

}  // namespace HWY_NAMESPACE
}  // namespace simdloss
HWY_AFTER_NAMESPACE();

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

bool Gemm(const GemmCall& call) {
  const bool threaded = ThreadCount() > 1 && call.m * call.n * call.k >= kThreadedWork;
  return SIMDLOSS_DISPATCH(GemmOnTarget)(call, threaded, PanelScratch());
}

void ColumnSums(Dtype dtype, size_t rows, size_t cols, const void* x, size_t stride, void* out) {
  SIMDLOSS_DISPATCH(ColumnSumsOnTarget)(dtype, rows, cols, x, stride, out);
}

}  // namespace simdloss
#endif  // HWY_ONCE
