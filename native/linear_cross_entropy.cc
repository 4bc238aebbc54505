// SPDX-License-Identifier: Apache-2.0
#include "native/linear_cross_entropy.h"

#include <algorithm>
#include <atomic>
#include <cmath>
#include <limits>
#include <type_traits>
#include <utility>

#include "native/class_slab.h"
#include "native/gemm.h"
#include "native/kernels/targets.h"
#include "native/reader.h"
#include "native/scratch.h"
#include "native/thread_pool.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "native/linear_cross_entropy.cc"
#include "hwy/foreach_target.h"
// After foreach_target.h.
#include "hwy/highway.h"
#include "native/kernels/linear_cross_entropy-inl.h"

HWY_BEFORE_NAMESPACE();
namespace simdloss {
namespace HWY_NAMESPACE {

template <class T>
LinearCrossEntropyKernels<T> MakeLinearCrossEntropyKernels() {
  return {gemm::kWidth<T>, &ForwardSlab<T>, &BackwardSlab<T>};
}

LinearCrossEntropyKernels<float> LinearCrossEntropyF32() { return MakeLinearCrossEntropyKernels<float>(); }
LinearCrossEntropyKernels<double> LinearCrossEntropyF64() { return MakeLinearCrossEntropyKernels<double>(); }

}  // namespace HWY_NAMESPACE
}  // namespace simdloss
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
#include "native/kernels/dispatch_table.h"

namespace simdloss {
namespace {

// The numbers below were measured on one core of an AMD EPYC (Zen 3: 32 KB + 512 KB of cache), float32, rows x depth x
// classes in parentheses.

// Classes are worked on in slabs whose part of W stays in the second cache beside the rows' x and sums: 64 KB was 10 %
// slower, 128 KB 5 %, 384 KB equal (1024 x 256 x 32000). Fewer columns than kLeastSlabCols make the products short.
constexpr size_t kSlabBytes = size_t{256} << 10;
constexpr size_t kLeastSlabCols = 96;
// Slabs are dealt out to threads in so many strips, by the sizes alone. Each has its own sums of all rows.
constexpr size_t kStrips = 8;
// What a block of rows may take: its exponentials above all. Every block reads W once and adds to all of its gradient:
// half as much was 19 % slower, twice as much 9 % faster (1024 x 256 x 32000). Where that holds fewer than kLeastRows
// rows they take more: little beside W.
constexpr size_t kBlockBytes = size_t{7} << 20;
constexpr size_t kLeastRows = 32;
constexpr size_t kMostRows = 240;

template <class T>
LinearCrossEntropyKernels<T> ChosenKernels() {
  if constexpr (std::is_same_v<T, float>) {
    return SIMDLOSS_DISPATCH(LinearCrossEntropyF32)();
  } else {
    return SIMDLOSS_DISPATCH(LinearCrossEntropyF64)();
  }
}

// Of the calling thread, for the block of rows.
struct BlockScratch {
  Scratch values;
  Scratch sums;
  Scratch labels;
};

BlockScratch& ThreadBlockScratch() {
  static SIMDLOSS_THREAD_LOCAL BlockScratch scratch;
  return scratch;
}

// Of a thread that works on a slab.
struct SlabScratch {
  Scratch slab;
  Scratch packing;
};

SlabScratch& ThreadSlabScratch() {
  static SIMDLOSS_THREAD_LOCAL SlabScratch scratch;
  return scratch;
}

template <class T>
class Run {
 public:
  explicit Run(const LinearCrossEntropyCall& call)
      : call_(call),
        labels_(call.labels, call.params.has_ignore, call.params.ignore_index),
        mask_(call.mask, 1, call.dtype),
        weights_(call.weights, call.cols, call.dtype),
        kernels_(ChosenKernels<T>()),
        width_(kernels_.width),
        slab_cols_(hwy::RoundUpTo(std::max(kSlabBytes / sizeof(T) / call.depth, kLeastSlabCols), width_)),
        slabs_(hwy::DivCeil(call.cols, slab_cols_)),
        strip_slabs_(hwy::DivCeil(slabs_, kStrips)),
        strips_(hwy::DivCeil(slabs_, strip_slabs_)) {
    const size_t each = call.cols + slabs_ + (strips_ + 2) * call.depth;
    const size_t most = std::clamp(kBlockBytes / sizeof(T) / each, kLeastRows, kMostRows);
    capacity_ = std::min(std::max<size_t>(most / width_, 1), hwy::DivCeil(call.rows, width_)) * width_;
  }

  Status operator()(double* score) {
    if (!Reserve()) return Status::kOutOfMemory;
    bool first = true;
    for (size_t next = 0; next < call_.rows;) {
      next = Gather(next);
      if (rows_ == 0) break;
      if (!Forward()) return Status::kOutOfMemory;
      *score += Merge();
      if (!Backward(first)) return Status::kOutOfMemory;
      first = false;
    }
    if (first) ZeroGradientW();
    if (bias_sums_ != nullptr) std::copy_n(bias_sums_, call_.cols, static_cast<T*>(call_.gradient_bias));
    return Status::kOk;
  }

 private:
  bool Reserve() {
    BlockScratch& scratch = ThreadBlockScratch();
    // Blocks of `capacity_` values each, and the exponentials: in whole lines of the cache.
    const size_t unit = Scratch::ArrayStride<T>(capacity_);
    const size_t units = (strips_ + 2) * call_.depth + strips_ + slabs_ + 4;
    exps_ = scratch.values.Arrays<T>(1, unit * (units + call_.cols));
    const size_t sums = Scratch::ArrayStride<double>(call_.cols) + (strips_ + 1) * capacity_;
    sum_ = scratch.sums.Arrays<double>(1, sums);
    label_ = scratch.labels.Arrays<int64_t>(2, capacity_);
    if (exps_ == nullptr || sum_ == nullptr || label_ == nullptr) return false;
    T* at = exps_ + unit * call_.cols;
    const auto take = [&](size_t count) {
      T* const taken = at;
      at += unit * count;
      return taken;
    };
    weighted_sum_ = take(strips_ * call_.depth);
    x_ = take(call_.depth);
    x_columns_ = take(call_.depth);
    max_ = take(strips_);
    slab_max_ = take(slabs_);
    row_max_ = take(1);
    label_logit_ = take(1);
    share_ = take(1);
    label_slope_ = take(1);
    if (call_.gradient_bias != nullptr) {
      bias_sums_ = sum_;
      sum_ += Scratch::ArrayStride<double>(call_.cols);
      std::fill_n(bias_sums_, Scratch::ArrayStride<double>(call_.cols), 0.0);
    }
    row_weight_ = sum_ + strips_ * capacity_;
    row_ = label_ + Scratch::ArrayStride<int64_t>(capacity_);
    return true;
  }

  // Takes rows that count from `next` on until the block is full; returns the first that it has not seen.
  size_t Gather(size_t next) {
    rows_ = 0;
    for (; next < call_.rows && rows_ < capacity_; ++next) {
      T m = 1, w = 1;
      if (mask_) mask_.CopyTo(next, 1, &m);
      const int64_t label = labels_[next];
      // Checked before, but in shared memory another thread may have changed it since.
      if (m == 0 || label < 0 || static_cast<size_t>(label) >= call_.cols) {
        std::fill_n(GradientX(next), call_.depth, T{0});
        continue;
      }
      if (weights_) weights_.CopyTo(static_cast<size_t>(label), 1, &w);
      label_[rows_] = label;
      row_[rows_] = static_cast<int64_t>(next);
      row_weight_[rows_++] = static_cast<double>(m * w);
    }
    // Both forms of x transposed; rows that are not there are 0.
    const size_t padded = hwy::RoundUpTo(rows_, width_);
    for (size_t row = 0; row < padded; ++row) {
      const T* const from = row < rows_ ? static_cast<const T*>(call_.x) + row_[row] * call_.x_stride : nullptr;
      T* const panel = x_ + row / width_ * width_ * call_.depth + row % width_;
      for (size_t i = 0; i < call_.depth; ++i) {
        const T value = from == nullptr ? 0 : from[i];
        panel[i * width_] = value;
        x_columns_[i * capacity_ + row] = value;
      }
    }
    std::fill_n(max_, strips_ * capacity_, -std::numeric_limits<T>::infinity());
    std::fill_n(sum_, strips_ * capacity_, 0.0);
    return next;
  }

  ClassSlab<T> SlabAt(size_t i) const {
    ClassSlab<T> slab;
    slab.width = width_;
    slab.rows = rows_;
    slab.depth = call_.depth;
    slab.begin = i * slab_cols_;
    slab.cols = std::min(slab_cols_, call_.cols - slab.begin);
    slab.labels = label_;
    slab.exps = exps_ + slab.begin * capacity_;
    slab.slab_max = slab_max_ + i * capacity_;
    return slab;
  }

  // f(slab, its strip, is it the strip's first?) on threads, a strip on one.
  template <class F>
  void ForSlabsOf(size_t strip, F&& f) const {
    const size_t begin = strip * strip_slabs_;
    for (size_t i = begin; i < std::min(begin + strip_slabs_, slabs_); ++i) f(SlabAt(i), i == begin);
  }

  template <class F>
  void ForEach(size_t count, F&& f) const {
    ForEachPieceIf(rows_ * call_.depth * call_.cols >= kThreadedWork, count, std::forward<F>(f));
  }

  bool Forward() {
    std::atomic<bool> ok{true};
    ForEach(strips_, [&](size_t strip) {
      ForSlabsOf(strip, [&](ClassSlab<T> slab, bool first) {
        slab.first = first;
        slab.x = x_;
        slab.w = static_cast<const T*>(call_.w);
        slab.w_stride = call_.w_stride;
        slab.bias = static_cast<const T*>(call_.bias);
        slab.max = max_ + strip * capacity_;
        slab.sum = sum_ + strip * capacity_;
        slab.weighted_sum = weighted_sum_ + strip * capacity_ * call_.depth;
        slab.label_logit = label_logit_;
        if (!kernels_.forward(slab, ThreadSlabScratch().slab, ThreadSlabScratch().packing)) ok = false;
      });
    });
    return ok;
  }

  // Puts the strips' sums together. With O the sum of e^(z_j - M) over the other classes and e = e^(z_k - M) of the
  // own: p_k = e / (O + e), 1 - p_k = O / (O + e), and -log p_k = log1p(O) where k has the maximum.
  double Merge() {
    double score = 0;
    for (size_t r = 0; r < rows_; ++r) {
      T others_max = max_[r];
      for (size_t s = 1; s < strips_; ++s) others_max = std::max(others_max, max_[s * capacity_ + r]);
      const T own = label_logit_[r];
      const bool is_max = own >= others_max;
      const T max = is_max ? own : others_max;
      double others = 0;
      for (size_t s = 0; s < strips_; ++s) {
        const double sum = sum_[s * capacity_ + r];
        others +=
            sum == 0 ? 0 : sum * std::exp(static_cast<double>(max_[s * capacity_ + r]) - static_cast<double>(max));
      }
      if (!std::isfinite(max)) others = std::numeric_limits<double>::quiet_NaN();
      const double behind = static_cast<double>(max) - static_cast<double>(own);
      const double sum = others + std::exp(-behind);
      double loss = is_max ? std::log1p(others) : behind + std::log(sum);
      if (call_.params.clip > 0) {
        if (loss < -call_.params.log1m_clip) loss = -call_.params.log1m_clip;
        if (loss > -call_.params.log_clip) loss = -call_.params.log_clip;
      }
      score += row_weight_[r] * loss;
      row_max_[r] = max;
      share_[r] = static_cast<T>(row_weight_[r] / sum);
      label_slope_[r] = static_cast<T>(-row_weight_[r] * (others / sum));
    }
    // No row, no share.
    for (size_t r = rows_; r < hwy::RoundUpTo(rows_, width_); ++r) row_max_[r] = share_[r] = 0;
    return score;
  }

  bool Backward(bool first) {
    std::atomic<bool> ok{true};
    const size_t panels = hwy::DivCeil(rows_, width_);
    ForEach(panels + strips_, [&](size_t i) {
      if (i < panels) {
        WriteGradientX(i);
        return;
      }
      ForSlabsOf(i - panels, [&](ClassSlab<T> slab, bool) {
        slab.first = first;
        slab.max = row_max_;
        slab.x_columns = x_columns_;
        slab.x_stride = capacity_;
        slab.share = share_;
        slab.label_slope = label_slope_;
        slab.gradient_w = static_cast<T*>(call_.gradient_w);
        slab.gradient_w_stride = call_.gradient_w_stride;
        slab.bias_sums = bias_sums_;
        if (!kernels_.backward(slab, ThreadSlabScratch().slab, ThreadSlabScratch().packing)) ok = false;
      });
    });
    return ok;
  }

  // The strips' weighted sums, and the rows' own columns of W, to the gradient in x.
  void WriteGradientX(size_t panel) const {
    const T* const w = static_cast<const T*>(call_.w);
    for (size_t row = panel * width_; row < std::min(rows_, (panel + 1) * width_); ++row) {
      double by[kStrips];
      for (size_t s = 0; s < strips_; ++s) {
        const double behind = static_cast<double>(max_[s * capacity_ + row]) - static_cast<double>(row_max_[row]);
        by[s] = static_cast<double>(share_[row]) * std::exp(behind);
      }
      T* const out = GradientX(static_cast<size_t>(row_[row]));
      for (size_t i = 0; i < call_.depth; ++i) {
        double total =
            static_cast<double>(label_slope_[row]) * static_cast<double>(w[i * call_.w_stride + label_[row]]);
        const T* sums = weighted_sum_ + (panel * call_.depth + i) * width_ + row % width_;
        for (size_t s = 0; s < strips_; ++s) total += by[s] * static_cast<double>(sums[s * capacity_ * call_.depth]);
        out[i] = static_cast<T>(total);
      }
    }
  }

  T* GradientX(size_t row) const { return static_cast<T*>(call_.gradient_x) + row * call_.gradient_x_stride; }

  void ZeroGradientW() const {
    for (size_t i = 0; i < call_.depth; ++i) {
      std::fill_n(static_cast<T*>(call_.gradient_w) + i * call_.gradient_w_stride, call_.cols, T{0});
    }
  }

  const LinearCrossEntropyCall& call_;
  const SparseReader labels_;
  const Reader<T> mask_, weights_;
  const LinearCrossEntropyKernels<T> kernels_;
  const size_t width_;  // rows of a panel
  const size_t slab_cols_, slabs_, strip_slabs_, strips_;
  size_t capacity_;  // rows of a block, whole panels

  size_t rows_ = 0;  // of the block
  T* exps_ = nullptr;
  T* weighted_sum_ = nullptr;
  T *x_ = nullptr, *x_columns_ = nullptr;
  T *max_ = nullptr, *slab_max_ = nullptr, *row_max_ = nullptr;
  T *label_logit_ = nullptr, *share_ = nullptr, *label_slope_ = nullptr;
  double *sum_ = nullptr, *bias_sums_ = nullptr, *row_weight_ = nullptr;
  int64_t *label_ = nullptr, *row_ = nullptr;
};

bool IsValid(const LinearCrossEntropyCall& call) {
  return (call.dtype == Dtype::kFloat32 || call.dtype == Dtype::kFloat64) && call.depth != 0 && call.cols != 0;
}

}  // namespace

Status RunLinearCrossEntropy(const LinearCrossEntropyCall& original, LossResult* result) {
  result->score = 0;
  if (!IsValid(original)) return Status::kBadArgument;
  LinearCrossEntropyCall call = original;
  call.params.log_clip = std::log(call.params.clip);
  call.params.log1m_clip = std::log1p(-call.params.clip);
  const SparseReader labels(call.labels, call.params.has_ignore, call.params.ignore_index);
  if (call.rows != 0) {
    result->bad_row = labels.FirstBad(call.rows, call.cols);
    if (result->bad_row != call.rows) return Status::kBadLabel;
  }
  return call.dtype == Dtype::kFloat32 ? Run<float>(call)(&result->score) : Run<double>(call)(&result->score);
}

}  // namespace simdloss
#endif  // HWY_ONCE
