// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <limits>

#include "native/chunks.h"
#include "native/f_measure.h"
#include "native/loss_drivers.h"
#include "native/row_block.h"
#include "native/scratch.h"

namespace simdloss {
namespace {

// What is common to all losses over blocks of rows, computed in T.
template <class T>
class RowDriver {
 public:
  RowDriver(const LossCall& call, const RowBlock<T>& block)
      : call_(call),
        block_(block),
        z_(call.pre_output, call.cols, call.dtype),
        y_(call.labels, call.label_cols, call.dtype),
        mask_(call.mask, call.cols, call.dtype),
        weights_(call.weights, call.cols, call.dtype),
        alpha_(call.alpha, call.cols, call.dtype),
        sparse_(call.labels, call.params.has_ignore, call.params.ignore_index) {}

  // `count` scratch buffers of a block or of `length`, from Buffer(0) on.
  bool Reserve(size_t count) { return Reserve(count, block_.Length()); }
  bool Reserve(size_t count, size_t length) {
    stride_ = Scratch::ArrayStride<T>(length);
    buffers_ = ThreadScratch().Arrays<T>(count, length);
    return buffers_ != nullptr;
  }
  T* Buffer(size_t i) const { return buffers_ + i * stride_; }

  bool scaled() const { return has_mask() || weighted(); }

  void LoadLogits(size_t row, size_t rows, T pad, T* to) const { block_.Load(z_, row, rows, pad, to); }

  void LoadLabels(size_t row, size_t rows, T* y) const {
    if (call_.sparse_labels) {
      block_.LoadOneHot(sparse_, row, rows, y);
    } else {
      block_.Load(y_, row, rows, T{0}, y);
    }
  }

  // The mask (1 where there is none) and live[i]: 0 for a row that is masked or ignored as a whole, else 1.
  void LoadMask(size_t row, size_t rows, T* m, double* live) const {
    if (mask_) {
      block_.Load(mask_, row, rows, T{0}, m);
    } else {
      std::fill_n(m, block_.Length(), T{1});
      block_.Pad(T{0}, m);
    }
    for (size_t i = 0; i < rows; ++i) {
      live[i] = 0;
      const bool ignored = call_.sparse_labels && sparse_[row + i] < 0;
      for (size_t j = 0; j < call_.cols; ++j) {
        T& value = m[block_.Index(i, j)];
        if (ignored) value = 0;
        if (value != 0) live[i] = 1;
      }
    }
  }

  void LoadWeights(size_t row, size_t rows, T* w) const { block_.Load(weights_, row, rows, T{0}, w); }
  bool weighted() const { return static_cast<bool>(weights_); }
  bool has_mask() const { return mask_ || (call_.sparse_labels && call_.params.has_ignore); }

  // Applies an elementwise activation to a loaded block, in place; s gets the slopes unless null.
  void Activate(size_t row, size_t rows, T* z_then_a, T* s, T* alpha) const {
    if (call_.activation == ActivationKind::kIdentity) {
      if (s != nullptr) std::fill_n(s, block_.Length(), T{1});
      return;
    }
    const auto kind = static_cast<size_t>(call_.activation);
    const auto& stages = ChosenActivationStages<T>();
    if (alpha_) block_.Load(alpha_, row, rows, T{0}, alpha);
    (s == nullptr ? stages.value : stages.value_and_slope)[kind](
        call_.activation_params, z_then_a, alpha_ ? alpha : nullptr, z_then_a, s, block_.Length());
  }

  // The mask of each row where it is per example, 1 without a mask.
  void LoadRowMask(size_t row, size_t rows, double* m) const {
    for (size_t i = 0; i < rows; ++i) m[i] = mask_ ? RowMask(row + i) : 1;
  }

  // Writes what a block came to: scores[i] factor[i] (0 where factor is 0), and the gradient times factor.
  double Finish(size_t row, size_t rows, const double* scores, const T* gradient, const double* factor) const {
    double total = 0;
    for (size_t i = 0; i < rows && scores != nullptr; ++i) {
      const double score = factor[i] == 0 ? 0 : scores[i] * factor[i];
      total += score;
      if (call_.score_array == nullptr) continue;
      if (call_.dtype == Dtype::kFloat32) {
        static_cast<float*>(call_.score_array)[row + i] = static_cast<float>(score);
      } else {
        static_cast<double*>(call_.score_array)[row + i] = score;
      }
    }
    if (gradient != nullptr) {
      if (call_.dtype == Dtype::kFloat32) {
        block_.Store(gradient, row, rows, factor, static_cast<float*>(call_.gradient), call_.gradient_stride);
      } else {
        block_.Store(gradient, row, rows, factor, static_cast<double*>(call_.gradient), call_.gradient_stride);
      }
    }
    return total;
  }

 private:
  double RowMask(size_t row) const {
    T value;
    mask_.CopyTo(row * call_.cols, 1, &value);
    return static_cast<double>(value);
  }

  const LossCall& call_;
  RowBlock<T> block_;
  Reader<T> z_, y_, mask_, weights_, alpha_;
  SparseReader sparse_;
  T* buffers_ = nullptr;
  size_t stride_ = 0;
};

// Calls f(row, rows) for each block of the range.
template <class T, class F>
void ForEachBlock(const RowBlock<T>& block, RowRange range, F&& f) {
  for (size_t row = range.begin; row < range.end; row += block.Rows()) {
    f(row, std::min(block.Rows(), range.end - row));
  }
}

// --- Softmax ---------------------------------------------------------------------------------------------------------

template <class T>
Status RunSoftmax(const LossCall& call, RowRange range, double* score) {
  const auto& rows_stages = ChosenRowStages<T>();
  const auto& loss_stages = ChosenLossStages<T>();
  const auto block = RowBlock<T>::For(call.cols, rows_stages.lanes);
  const RowLayout layout = block.Layout();
  RowDriver<T> driver(call, block);
  if (!driver.Reserve(8)) return Status::kOutOfMemory;
  T* const z = driver.Buffer(0);
  T* const y = driver.Buffer(1);
  T* const m = driver.Buffer(2);
  T* const w = driver.Buffer(3);
  T* const p = driver.Buffer(4);
  T* const q = driver.Buffer(5);
  T* const r = driver.Buffer(6);
  T* const g = driver.Buffer(7);
  const size_t length = block.Length();
  const bool slopes = call.gradient != nullptr;
  const bool terms = call.score || call.score_array != nullptr;
  const bool exact_binary = call.loss == LossKind::kBinaryXENT && call.params.clip == 0;
  const LossStage<T> loss =
      loss_stages
          .loss[static_cast<size_t>(call.loss)][kSoftmaxInput][terms ? (slopes ? kTermAndSlope : kTerm) : kSlope];
  constexpr T kMinusInf = -std::numeric_limits<T>::infinity();
  const bool scaled = driver.scaled();

  double total = 0;
  ForEachBlock(block, range, [&](size_t row, size_t rows) {
    double live[kMaxBlockRows], scores[kMaxBlockRows] = {};
    std::fill_n(live, kMaxBlockRows, 1.0);
    driver.LoadLogits(row, rows, kMinusInf, z);
    driver.LoadLabels(row, rows, y);
    if (scaled || exact_binary) driver.LoadMask(row, rows, m, live);
    if (driver.weighted()) driver.LoadWeights(row, rows, w);
    const T* const weights = driver.weighted() ? w : nullptr;
    T* const gradient = slopes ? g : nullptr;

    if (exact_binary) {
      // A mask of 0 takes the label away.
      for (size_t i = 0; i < length && scaled; ++i) y[i] = m[i] == 0 ? T{0} : y[i];
      if (weights != nullptr) loss_stages.multiply(weights, m, length);
      rows_stages.softmax_binary_xent(layout, z, y, m, p, r, gradient, scores);
    } else {
      // p, log p in q, 1 - p in r; terms replace the logits.
      rows_stages.softmax(layout, z, p, q, r);
      const LossTile<T> tile{nullptr, p, q, r, y, z, g, nullptr, nullptr};
      loss(call.params, tile, length);
      if (terms) {
        if (scaled) loss_stages.scale(driver.has_mask() ? m : nullptr, weights, z, length);
        block.Pad(T{0}, z);
        rows_stages.row_sums(layout, z, scores);
      }
      if (slopes) {
        if (scaled) loss_stages.scale(driver.has_mask() ? m : nullptr, weights, g, length);
        block.Pad(T{0}, g);
        rows_stages.softmax_jacobian(layout, p, g, g);
      }
    }
    total += driver.Finish(row, rows, terms ? scores : nullptr, gradient, live);
  });
  *score += total;
  return Status::kOk;
}

// --- Losses that couple a row ----------------------------------------------------------------------------------------

// u = dL/da to dL/dz, in place: times the slopes, or through softmax's Jacobian. The row stages are those that the
// layout was made for.
void Backprop(const LossCall& call, const RowStages<double>& rows, const RowLayout& layout, const double* a,
              const double* s, size_t length, double* u) {
  const auto& stages = ChosenLossStages<double>();
  if (call.activation == ActivationKind::kSoftmax) {
    stages.multiply(a, u, length);
    rows.softmax_jacobian(layout, a, u, u);
  } else if (call.activation != ActivationKind::kIdentity) {
    stages.multiply(s, u, length);
  }
}

// The logits of a block in a, and its activated outputs in their place.
void LoadOutputs(const LossCall& call, const RowStages<double>& stages, const RowDriver<double>& driver,
                 const RowBlock<double>& block, size_t row, size_t rows, double* a, double* s, double* scratch) {
  const bool softmax = call.activation == ActivationKind::kSoftmax;
  driver.LoadLogits(row, rows, softmax ? -std::numeric_limits<double>::infinity() : 0, a);
  if (softmax) {
    stages.softmax(block.Layout(), a, a, nullptr, nullptr);
  } else {
    driver.Activate(row, rows, a, s, scratch);
  }
}

// Rows of T, of which the stage gets the activated outputs and writes dL/da.
template <class T>
typename RowwiseStages<T>::Stage StageOf(LossKind loss) {
  const auto& stages = ChosenRowwiseStages<T>();
  if (loss == LossKind::kMixtureDensity) return stages.mixture_density;
  return loss == LossKind::kMultiLabel ? stages.multi_label : stages.cosine_proximity;
}

// Without an activation: rows in place.
template <class T>
Status RunRowwiseInPlace(const LossCall& call, RowRange range, double* score) {
  const size_t cols = call.cols;
  // At least a block of rows: mixtures take a row a lane however wide they are.
  const size_t fits = std::max(RowsPerGroup(std::max(cols, call.label_cols), kMaxBlockRows), kMaxBlockRows);
  const size_t most = std::min(fits, range.end - range.begin);
  const RowwiseParams params{call.label_cols, call.params.mixtures};
  const size_t scratch = RowwiseScratch(cols, params), per_row = RoundUpToPadding<double>(most);
  const size_t copies = most * (cols + call.label_cols) * sizeof(T) / sizeof(double) + kPadding<double>;
  double* const memory = ThreadScratch().Arrays<double>(1, scratch + 2 * per_row + copies);
  if (memory == nullptr) return Status::kOutOfMemory;
  double* const factors = memory + scratch;
  T* const a_copy = reinterpret_cast<T*>(factors + 2 * per_row);
  const Reader<T> a(call.pre_output, cols), y(call.labels, call.label_cols), mask(call.mask, cols);
  const auto stage = StageOf<T>(call.loss);

  double total = 0;
  for (size_t row = range.begin; row < range.end; row += most) {
    RowwiseRows<T> x{};
    x.rows = std::min(most, range.end - row);
    x.cols = cols;
    const auto outputs = a.ReadRows(row, x.rows, a_copy);
    x.a = outputs.data;
    x.a_stride = outputs.stride;
    const auto labels = y.ReadRows(row, x.rows, a_copy + most * cols);
    x.y = labels.data;
    x.y_stride = labels.stride;
    x.scratch = memory;
    x.scores = factors + per_row;
    if (mask) {
      mask.ReadColumn(row, x.rows, factors);
      x.factors = factors;
    }
    if (call.gradient != nullptr) x.u = static_cast<T*>(call.gradient) + row * call.gradient_stride;
    x.u_stride = call.gradient_stride;
    stage(params, x);
    for (size_t i = 0; i < x.rows && (call.score || call.score_array != nullptr); ++i) {
      total += x.scores[i];
      if (call.score_array != nullptr) static_cast<T*>(call.score_array)[row + i] = static_cast<T>(x.scores[i]);
    }
  }
  *score += total;
  return Status::kOk;
}

// With an activation, which is computed in float64 too: a row at a time, mixtures a block of them.
Status RunActivatedRowwise(const LossCall& call, RowRange range, double* score) {
  const auto& row_stages = ChosenRowStages<double>();
  const RowBlock<double> block(call.cols, row_stages.lanes, false);
  const RowwiseParams params{call.label_cols, call.params.mixtures};
  RowDriver<double> driver(call, block);
  const size_t length = std::max(block.Length(), RoundUpToPadding<double>(call.label_cols));
  const size_t extra = RowwiseScratch(call.cols, params) / length + 1;
  if (!driver.Reserve(5 + extra, length)) return Status::kOutOfMemory;
  double* const a = driver.Buffer(0);
  double* const s = driver.Buffer(1);
  double* const y = driver.Buffer(2);
  double* const u = driver.Buffer(3);
  double* const alpha = driver.Buffer(4);
  const Reader<double> labels(call.labels, call.label_cols, call.dtype);
  const bool slopes = call.gradient != nullptr;
  const auto stage = StageOf<double>(call.loss);

  double total = 0;
  for (size_t row = range.begin; row < range.end; ++row) {
    double factor, of_row;
    driver.LoadRowMask(row, 1, &factor);
    LoadOutputs(call, row_stages, driver, block, row, 1, a, slopes ? s : nullptr, alpha);
    labels.CopyTo(row * call.label_cols, call.label_cols, y);
    RowwiseRows<double> x{};
    x.rows = 1;
    x.cols = call.cols;
    x.a = a;
    x.y = y;
    x.u = slopes ? u : nullptr;
    x.scores = &of_row;
    x.scratch = driver.Buffer(5);
    stage(params, x);
    if (slopes) Backprop(call, row_stages, block.Layout(), a, s, block.Length(), u);
    const bool terms = call.score || call.score_array != nullptr;
    total += driver.Finish(row, 1, terms ? &of_row : nullptr, x.u, &factor);
  }
  *score += total;
  return Status::kOk;
}

}  // namespace

Status RunSoftmaxLoss(const LossCall& call, RowRange range, double* score) {
  return call.dtype == Dtype::kFloat32 ? RunSoftmax<float>(call, range, score) : RunSoftmax<double>(call, range, score);
}

Status RunRowwiseLoss(const LossCall& call, RowRange range, double* score) {
  if (call.activation != ActivationKind::kIdentity) return RunActivatedRowwise(call, range, score);
  return call.dtype == Dtype::kFloat32 ? RunRowwiseInPlace<float>(call, range, score)
                                       : RunRowwiseInPlace<double>(call, range, score);
}

// p and y are the last of one or two columns.
Status RunFMeasure(const LossCall& call, RowRange range, double* score) {
  const auto& row_stages = ChosenRowStages<double>();
  const RowBlock<double> block(call.cols, row_stages.lanes, true);
  RowDriver<double> driver(call, block);
  if (!driver.Reserve(5)) return Status::kOutOfMemory;
  double* const a = driver.Buffer(0);
  double* const s = driver.Buffer(1);
  double* const y = driver.Buffer(2);
  double* const u = driver.Buffer(3);
  double* const scratch = driver.Buffer(4);
  const size_t column = call.cols - 1;
  const bool slopes = call.gradient != nullptr;

  // f(row, rows, masks) with labels and outputs of each block in y and a.
  const auto for_each_block = [&](double* slopes_of_outputs, auto&& f) {
    ForEachBlock(block, range, [&](size_t row, size_t rows) {
      double m[kMaxBlockRows];
      driver.LoadRowMask(row, rows, m);
      LoadOutputs(call, row_stages, driver, block, row, rows, a, slopes_of_outputs, scratch);
      driver.LoadLabels(row, rows, y);
      f(row, rows, m);
    });
  };
  const auto sum = [&](auto* measure) {
    for_each_block(nullptr, [&](size_t, size_t rows, const double* m) {
      for (size_t i = 0; i < rows; ++i) {
        const size_t at = block.Index(i, column);
        if (m[i] != 0) measure->Add(m[i], y[at], a[at]);
      }
    });
    measure->Finish();
  };
  const auto finish = [&](const auto& measure) {
    *score += measure.Score();
    if (!slopes) return;
    for_each_block(s, [&](size_t row, size_t rows, double* m) {
      std::fill_n(u, block.Length(), 0.0);
      for (size_t i = 0; i < rows; ++i) {
        const size_t at = block.Index(i, column);
        u[at] = measure.Slope(m[i], y[at]);
        m[i] = m[i] != 0 && !measure.nothing();
      }
      Backprop(call, row_stages, block.Layout(), a, s, block.Length(), u);
      driver.Finish(row, rows, nullptr, u, m);
    });
  };

  FMeasure<DoubleDouble> measure(call.params.beta);
  sum(&measure);
  if (measure.Fits()) {
    finish(measure);
  } else {
    FMeasure<WideDouble> wide(call.params.beta);
    sum(&wide);
    finish(wide);
  }
  return Status::kOk;
}

}  // namespace simdloss
