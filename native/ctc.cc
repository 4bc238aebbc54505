// SPDX-License-Identifier: Apache-2.0
#include "native/ctc.h"

#include <algorithm>
#include <atomic>
#include <cmath>
#include <limits>

#include "native/chunks.h"
#include "native/ctc_lattice.h"
#include "native/kernels/targets.h"
#include "native/reader.h"
#include "native/scratch.h"
#include "native/stages.h"
#include "native/thread_pool.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "native/ctc.cc"
#include "hwy/foreach_target.h"
// After foreach_target.h.
#include "hwy/highway.h"
#include "native/kernels/ctc-inl.h"

HWY_BEFORE_NAMESPACE();
namespace simdloss {
namespace HWY_NAMESPACE {

CtcKernels MakeCtcKernels() { return {&ctc::Forward, &ctc::Backward}; }

}  // namespace HWY_NAMESPACE
}  // namespace simdloss
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
#include "native/kernels/dispatch_table.h"

namespace simdloss {
namespace {

// Of an example, -1 where there can be none of that length.
struct Lengths {
  int64_t labels, logits;
};

Lengths LengthsOf(const CtcCall& call, size_t example) {
  Lengths lengths;
  SparseReader(call.label_lengths, false, 0).CopyTo(example, 1, call.label_cols + 1, &lengths.labels);
  SparseReader(call.logit_lengths, false, 0).CopyTo(example, 1, call.steps + 1, &lengths.logits);
  return lengths;
}

// Reads the first `count` labels of an example; returns the position of the first that is a blank or no class.
size_t ReadLabels(const CtcCall& call, size_t example, size_t count, int64_t* labels) {
  if (count == 0) return 0;
  const size_t offset = example * call.labels.row_stride * SizeOf(call.labels.dtype);
  const Matrix row{static_cast<const char*>(call.labels.data) + offset, call.labels.dtype, call.labels.col_stride, 1};
  // The blank is the label that is left out.
  SparseReader(row, true, static_cast<int64_t>(call.blank)).CopyTo(0, count, call.classes, labels);
  return static_cast<size_t>(std::find(labels, labels + count, -1) - labels);
}

// Of the calling thread.
struct CtcScratch {
  Scratch integers, doubles, lattice, softmax;
};

CtcScratch& ThreadCtcScratch() {
  static SIMDLOSS_THREAD_LOCAL CtcScratch scratch;
  return scratch;
}

template <class T>
class Example {
 public:
  Example(const CtcCall& call, size_t index)
      : call_(call), index_(index), kernels_(SIMDLOSS_DISPATCH(MakeCtcKernels)()) {}

  Status Run() {
    const Lengths lengths = LengthsOf(call_, index_);
    // Checked before, but in shared memory another thread may have changed them since.
    if (lengths.labels < 0 || lengths.logits < 0) return Status::kBadArgument;
    count_ = static_cast<size_t>(lengths.labels);
    steps_ = static_cast<size_t>(lengths.logits);
    if (!Reserve()) return Status::kOutOfMemory;
    if (ReadLabels(call_, index_, count_, labels_) != count_) return Status::kBadArgument;
    for (size_t i = 1; i < count_; ++i) skip_[i] = labels_[i] == labels_[i - 1] ? kCtcZero : 0;

    const double log_normalisers = Forward();
    const double score = log_normalisers - LogOfPaths();
    static_cast<T*>(call_.scores)[index_ * call_.scores_stride] = static_cast<T>(score);
    if (call_.gradient == nullptr) return Status::kOk;
    double factor = 1;
    if (call_.upstream) Reader<T>(call_.upstream, 1).ReadColumn(index_, 1, &factor);
    if (factor == 0 || score == std::numeric_limits<double>::infinity()) {
      FillGradient(0, steps_, T{0});
    } else if (std::isnan(score)) {
      FillGradient(0, steps_, std::numeric_limits<T>::quiet_NaN());
    } else {
      Backward(static_cast<T>(factor));
    }
    FillGradient(steps_, call_.steps, T{0});
    return Status::kOk;
  }

 private:
  static constexpr size_t kStates = 4;          // arrays of CtcStates
  static constexpr size_t kKept = kStates + 2;  // and of a step in the history, which has the emissions besides

  bool Reserve() {
    CtcScratch& scratch = ThreadCtcScratch();
    group_ = std::min(RowsPerGroup(call_.classes, kMaxBlockRows), std::max<size_t>(steps_, 1));
    kept_ = call_.gradient == nullptr ? group_ : steps_;
    lanes_ = RoundUpToPadding<double>(count_ + 1);
    stride_ = lanes_ + kPadding<double>;
    labels_ = scratch.integers.Arrays<int64_t>(1, count_ + group_);
    log_normalisers_ = scratch.doubles.Arrays<double>(1, group_ + kMaxBlockRows + call_.classes);
    history_ = scratch.lattice.Arrays<double>(kKept * kept_ + 3 * kStates + 1, stride_);
    softmax_ = scratch.softmax.Arrays<T>(1, SoftmaxScratch<T>(group_, call_.classes) + call_.classes);
    if (labels_ == nullptr || log_normalisers_ == nullptr || history_ == nullptr || softmax_ == nullptr) return false;
    no_class_ = labels_ + count_;
    std::fill_n(no_class_, group_, -1);
    sums_ = log_normalisers_ + group_ + kMaxBlockRows;
    std::fill_n(sums_, call_.classes, 0.0);
    rows_ = history_ + kKept * kept_ * stride_;
    joint_ = rows_ + 2 * kStates * stride_;
    skip_ = joint_ + kStates * stride_;
    std::fill_n(skip_, stride_, kCtcZero);
    return true;
  }

  // What is before step t in the forward pass, after step t - 1 in the backward pass. Two rows take turns.
  CtcStates Row(size_t t) const { return {rows_ + t % 2 * kStates * stride_, stride_}; }

  // All paths begin, or end, at this blank.
  void StartAt(size_t t, size_t blank) const {
    for (size_t row : {0, 1}) {
      const CtcNumbers all = Row(row).Blanks();
      std::fill_n(all.m, 2 * stride_, 1.0);
      std::fill_n(all.e, 2 * stride_, kCtcZero);
    }
    Row(t).Blanks().e[blank] = 0;
  }

  double* HistoryAt(size_t t) const { return history_ + t % kept_ * kKept * stride_; }

  CtcNumbers EmissionsAt(size_t t) const {
    double* const m = HistoryAt(t) + kStates * stride_;
    return {m, m + stride_};
  }

  CtcStep StepAt(size_t t, const CtcStates& from, const CtcStates& to) const {
    // A step passes one label at the most: those up to this step, and those left for the steps after it.
    const size_t begin = count_ - std::min(count_, steps_ - t), end = std::min(count_, t) + 1;
    const CtcStates alpha{HistoryAt(t), stride_}, joint{joint_, stride_};
    return {lanes_, begin, end, skip_, EmissionsAt(t), from, to, alpha, joint};
  }

  T* GradientAt(size_t t) const {
    return static_cast<T*>(call_.gradient) + (index_ * call_.steps + t) * call_.gradient_stride;
  }

  void FillGradient(size_t begin, size_t end, T value) const {
    for (size_t t = begin; t < end; ++t) std::fill_n(GradientAt(t), call_.classes, value);
  }

  // Leaves softmax in the gradient, and in Row(steps_) the sums over all paths of the product of e^(z - max). Returns
  // the sum of the logarithms of the steps' normalisers.
  double Forward() const {
    const auto softmax = ChosenRowStages<T>().softmax_cross_entropy;
    const auto sum = ChosenLossStages<double>().sum;
    StartAt(0, 0);
    double log_normalisers = 0;
    for (size_t begin = 0; begin < steps_; begin += group_) {
      SoftmaxRows<T> x{};
      x.rows = std::min(group_, steps_ - begin);
      x.cols = call_.classes;
      x.z = static_cast<const T*>(call_.logits) + (index_ * call_.steps + begin) * call_.logits_stride;
      x.z_stride = call_.logits_stride;
      x.classes = no_class_;  // leaves the logarithm of the normaliser of the score, of the slope softmax
      if (call_.gradient != nullptr) x.g = GradientAt(begin);
      x.g_stride = call_.gradient_stride;
      x.scores = log_normalisers_;
      x.scratch = softmax_;
      // First, as the gradient may take the place of the logits.
      for (size_t row = 0; row < x.rows; ++row) GatherLogits(x.z + row * x.z_stride, EmissionsAt(begin + row).m);
      softmax(LossParams(), x);
      log_normalisers += sum(log_normalisers_, x.rows);
      if (std::isnan(log_normalisers)) break;
      for (size_t row = 0; row < x.rows; ++row) {
        const size_t t = begin + row;
        kernels_.forward(StepAt(t, Row(t), Row(t + 1)), static_cast<double>(softmax_[row]));
      }
    }
    return log_normalisers;
  }

  void GatherLogits(const T* z, double* logits) const {
    for (size_t i = 0; i < count_; ++i) logits[i] = static_cast<double>(z[labels_[i]]);
    // Lanes without a label take any emission: no path comes back from them.
    std::fill(logits + count_, logits + lanes_ + 1, static_cast<double>(z[call_.blank]));
  }

  // All paths end at the last blank or the last label; without labels a 0 stands in its place.
  double LogOfPaths() const {
    const CtcStates row = Row(steps_);
    const CtcNumbers blanks = row.Blanks(), labels = row.Labels();
    const double blank = blanks.e[count_], label = *(labels.e + count_ - 1), top = std::max(blank, label);
    if (top <= kCtcZero / 2) return -std::numeric_limits<double>::infinity();
    constexpr double kLn2 = 0x1.62e42fefa39efp-1;
    const double m = blanks.m[count_] * std::exp2(blank - top) + *(labels.m + count_ - 1) * std::exp2(label - top);
    return std::log(m) + top * kLn2;
  }

  // The gradient: softmax less the share of the paths that are at each class, times `factor`.
  void Backward(T factor) const {
    const auto scale = ChosenLossStages<T>().scaled_copy;
    T* const factors = softmax_;
    std::fill_n(factors, call_.classes, factor);
    StartAt(steps_, count_);
    for (size_t t = steps_; t-- != 0;) {
      const CtcStep step = StepAt(t, Row(t + 1), Row(t));
      const CtcShares shares = kernels_.backward(step);
      T* const g = GradientAt(t);
      const double by = 1 / shares.all;
      const auto subtract = [&](size_t k, double share) {
        g[k] = static_cast<T>(static_cast<double>(g[k]) - share * by);
      };
      subtract(call_.blank, shares.blanks);
      // A label that occurs again has its sum taken at its first place, and 0 at the others.
      const size_t end = std::min(step.end, count_);
      for (size_t i = step.begin; i < end; ++i) sums_[labels_[i]] += shares.labels[i];
      for (size_t i = step.begin; i < end; ++i) {
        subtract(static_cast<size_t>(labels_[i]), sums_[labels_[i]]);
        sums_[labels_[i]] = 0;
      }
      if (factor != 1) scale(call_.classes, factors, nullptr, g, g);
    }
  }

  const CtcCall& call_;
  const size_t index_;
  const CtcKernels kernels_;
  size_t count_ = 0;  // labels
  size_t steps_ = 0;
  size_t group_ = 0;  // steps whose softmax is taken at once
  size_t kept_ = 0;   // steps in the history
  size_t lanes_ = 0;
  size_t stride_ = 0;  // of arrays of numbers: a line beyond the lanes
  int64_t* labels_ = nullptr;
  int64_t* no_class_ = nullptr;        // -1, one a step of a group
  double* log_normalisers_ = nullptr;  // one a step of a group
  double* sums_ = nullptr;             // one a class, 0 between steps
  double* history_ = nullptr;
  double* rows_ = nullptr;
  double* joint_ = nullptr;
  double* skip_ = nullptr;
  T* softmax_ = nullptr;  // its scratch
};

Status Check(const CtcCall& call, CtcFault* fault) {
  fault->example = SparseReader(call.label_lengths, false, 0).FirstBad(call.examples, call.label_cols + 1);
  if (fault->example != call.examples) return Status::kBadLabelLength;
  fault->example = SparseReader(call.logit_lengths, false, 0).FirstBad(call.examples, call.steps + 1);
  if (fault->example != call.examples) return Status::kBadLogitLength;
  int64_t* const labels = ThreadCtcScratch().integers.Arrays<int64_t>(1, call.label_cols);
  if (labels == nullptr) return Status::kOutOfMemory;
  for (fault->example = 0; fault->example < call.examples; ++fault->example) {
    const int64_t count = LengthsOf(call, fault->example).labels;
    if (count < 0) return Status::kBadArgument;
    fault->position = ReadLabels(call, fault->example, static_cast<size_t>(count), labels);
    if (fault->position != static_cast<size_t>(count)) return Status::kBadLabel;
  }
  return Status::kOk;
}

// In a step a label takes the time of so many logits: 9 ns where those took 1 (16 examples, 100 steps, 30 classes, 20
// labels).
constexpr size_t kLabelLogits = 8;

// Of one size, whatever the lengths.
size_t ExamplesPerPiece(const CtcCall& call) {
  const double work =
      static_cast<double>(call.steps) * static_cast<double>(call.classes + kLabelLogits * (call.label_cols + 1));
  return std::max<size_t>(static_cast<size_t>(static_cast<double>(kChunkElements) / std::max(work, 1.0)), 1);
}

}  // namespace

Status RunCtc(const CtcCall& call, CtcFault* fault) {
  if ((call.dtype != Dtype::kFloat32 && call.dtype != Dtype::kFloat64) || call.blank >= call.classes) {
    return Status::kBadArgument;
  }
  if (call.examples == 0) return Status::kOk;
  const Status checked = Check(call, fault);
  if (checked != Status::kOk) return checked;
  const size_t step = ExamplesPerPiece(call);
  std::atomic<Status> status{Status::kOk};
  ForEachPiece((call.examples - 1) / step + 1, [&](size_t piece) {
    const size_t end = std::min(call.examples, (piece + 1) * step);
    for (size_t i = piece * step; i < end; ++i) {
      const Status of_example =
          call.dtype == Dtype::kFloat32 ? Example<float>(call, i).Run() : Example<double>(call, i).Run();
      if (of_example != Status::kOk) status = of_example;
    }
  });
  return status;
}

}  // namespace simdloss
#endif  // HWY_ONCE
