// SPDX-License-Identifier: Apache-2.0
#include "native/gemm.h"

#include <algorithm>
#include <atomic>

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

bool GemmPartOnTarget(const GemmCall& call, const GemmPart& part, Scratch& scratch) {
  return call.dtype == Dtype::kFloat32 ? gemm::GemmPartOf<float>(call, part, scratch)
                                       : gemm::GemmPartOf<double>(call, part, scratch);
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

// The largest part of a product that a thread takes: each packs its rows of A and columns of B anew. On one core of an
// AMD EPYC (Zen 3) that took 0..5 % more time than the whole at once, 13 (float32) and 20 % for 256 x 1000 x 1024 with
// A transposed, where parts of half the rows and columns took 60 % more. Products that make fewer than kParts of them
// are cut finer, but not below kLeastPartWork multiply-adds.
constexpr size_t kPartRows = 128;
constexpr size_t kPartCols = 256;
constexpr size_t kParts = 8;
constexpr size_t kLeastPartWork = size_t{1} << 18;

// How C is cut, by its size alone.
struct Grid {
  explicit Grid(const GemmCall& call) : rows(std::min(kPartRows, call.m)), cols(std::min(kPartCols, call.n)) {
    for (;;) {
      down = (call.m + rows - 1) / rows;
      across = (call.n + cols - 1) / cols;
      if (down * across >= kParts || rows * cols * call.k < 2 * kLeastPartWork) return;
      size_t& longer = rows > cols ? rows : cols;
      longer = (longer + 1) / 2;
    }
  }

  size_t rows;  // of a part
  size_t cols;
  size_t down;  // parts
  size_t across;
};

// Apart from ThreadScratch(): callers keep their own arrays there across a product.
Scratch& PanelScratch() {
  static SIMDLOSS_THREAD_LOCAL Scratch scratch;
  return scratch;
}

}  // namespace

bool RunGemmPart(const GemmCall& call, const GemmPart& part) {
  if (part.rows == 0 || part.cols == 0) return true;
  return SIMDLOSS_DISPATCH(GemmPartOnTarget)(call, part, PanelScratch());
}

bool Gemm(const GemmCall& call) {
  const GemmPart whole{0, call.m, 0, call.n};
  if (ThreadCount() <= 1 || call.m * call.n * call.k < kThreadedWork) return RunGemmPart(call, whole);
  const Grid grid(call);
  std::atomic<bool> ok{true};
  ForEachPiece(grid.down * grid.across, [&](size_t i) {
    GemmPart part{i / grid.across * grid.rows, grid.rows, i % grid.across * grid.cols, grid.cols};
    part.rows = std::min(part.rows, call.m - part.row);
    part.cols = std::min(part.cols, call.n - part.col);
    if (!RunGemmPart(call, part)) ok = false;
  });
  return ok;
}

void ColumnSums(Dtype dtype, size_t rows, size_t cols, const void* x, size_t stride, void* out) {
  SIMDLOSS_DISPATCH(ColumnSumsOnTarget)(dtype, rows, cols, x, stride, out);
}

}  // namespace simdloss
#endif  // HWY_ONCE
