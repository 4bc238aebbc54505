// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include "native/chunks.h"
#include "native/loss_drivers.h"
#include "native/reader.h"
#include "native/scratch.h"
#include "native/stages.h"

namespace simdloss {
namespace {

// Rows shorter than this are multiplied by the class weights so many at a time, by weights repeated.
constexpr size_t kShortRow = 64, kShortRows = 64;

// What the kernel reads of the labels, masks and weights of a group.
template <class T>
class Targets {
 public:
  Targets(const LossCall& call, size_t most_rows)
      : call_(call),
        cols_(call.cols),
        most_(most_rows),
        labels_(call.labels, call.cols, call.dtype),
        mask_(call.mask, call.cols, call.dtype),
        weights_(call.weights, call.cols, call.dtype),
        classes_(call.labels, call.params.has_ignore, call.params.ignore_index) {}

  // Elements of T that Start needs.
  static size_t Length(const LossCall& call, size_t most_rows) {
    const size_t flat = RoundUpToPadding<T>(most_rows * call.cols);
    return kBuffers * flat + RoundUpToPadding<T>(call.cols) +
           kColumns * (RoundUpToPadding<double>(most_rows) + kMaxBlockRows) * sizeof(double) / sizeof(T);
  }

  void Start(T* memory) {
    const size_t flat = RoundUpToPadding<T>(most_ * cols_);
    for (T*& buffer : buffers_) {
      buffer = memory;
      memory += flat;
    }
    if (weights_) {
      // A row of weights, repeated for short rows.
      repeat_ = cols_ < kShortRow ? std::min(most_, kShortRows) : 1;
      T* const row = cols_ < kShortRow ? buffers_[3] : memory;
      for (size_t i = 0; i < repeat_; ++i) weights_.CopyTo(0, cols_, row + i * cols_);
      w_ = row;
    }
    memory += RoundUpToPadding<T>(cols_);
    double* column = reinterpret_cast<double*>(memory);
    const size_t column_length = RoundUpToPadding<double>(most_) + kMaxBlockRows;
    factors_ = column;
    scores_ = column += column_length;
    class_of_ = reinterpret_cast<int64_t*>(column += column_length);
    weight_of_ = reinterpret_cast<T*>(column + column_length);
  }

  void Read(size_t row, SoftmaxRows<T>* x) {
    const size_t rows = x->rows;
    const bool has_output_mask = call_.HasOutputMask(), has_row_mask = call_.mask && !has_output_mask;
    const bool ignores = call_.sparse_labels && call_.params.has_ignore;
    const bool has_factors = call_.mask || ignores;
    x->factors = has_factors ? factors_ : nullptr;
    x->scores = call_.score || call_.score_array != nullptr ? scores_ : nullptr;
    if (has_row_mask) {
      mask_.ReadColumn(row, rows, factors_);
    } else if (has_factors) {
      std::fill_n(factors_, rows, 1.0);
    }
    const T* m = nullptr;
    if (has_output_mask) {
      m = mask_.Read(row * cols_, rows * cols_, buffers_[0]);
      // A row without any output.
      for (size_t i = 0; i < rows; ++i) {
        const T* of_row = m + i * cols_;
        if (std::all_of(of_row, of_row + cols_, [](T value) { return value == 0; })) factors_[i] = 0;
      }
    }
    if (call_.sparse_labels) {
      ReadClasses(row, m, x);
    } else {
      ReadDense(row, m, x);
    }
  }

 private:
  static constexpr size_t kBuffers = 4;  // m, y, t, w
  static constexpr size_t kColumns = 4;  // factors, scores, classes, weights of the classes

  void ReadClasses(size_t row, const T* m, SoftmaxRows<T>* x) {
    classes_.CopyTo(row, x->rows, cols_, class_of_);
    x->classes = class_of_;
    x->class_weights = w_ != nullptr || m != nullptr ? weight_of_ : nullptr;
    if (x->class_weights == nullptr && x->factors == nullptr) return;
    for (size_t i = 0; i < x->rows; ++i) {
      int64_t& k = class_of_[i];
      if (k < 0) {
        factors_[i] = 0;
        weight_of_[i] = 0;
        continue;
      }
      if (x->class_weights == nullptr) continue;
      const T mask = m == nullptr ? T{1} : m[i * cols_ + static_cast<size_t>(k)];
      weight_of_[i] = mask * (w_ == nullptr ? T{1} : w_[k]);
      // A mask of 0 takes the label away, the rest of the row stays.
      if (mask == 0) {
        weight_of_[i] = 0;
        k = -1;
      }
    }
  }

  void ReadDense(size_t row, const T* m, SoftmaxRows<T>* x) {
    const auto y = labels_.ReadRows(row, x->rows, buffers_[1]);
    x->y = x->t = y.data;
    x->y_stride = x->t_stride = y.stride;
    if (m != nullptr) {
      // y only tells where a label is.
      Scale(m, nullptr, x->y, x->y_stride, x->rows, buffers_[1]);
      x->y = x->t = buffers_[1];
      x->y_stride = x->t_stride = cols_;
    }
    if (w_ != nullptr) {
      Scale(nullptr, w_, x->y, x->y_stride, x->rows, buffers_[2]);
      x->t = buffers_[2];
      x->t_stride = cols_;
    }
  }

  // to = m w from, side by side.
  void Scale(const T* m, const T* w, const T* from, size_t stride, size_t rows, T* to) const {
    const auto scale = ChosenLossStages<T>().scaled_copy;
    const bool flat = stride == cols_ && (w == nullptr || repeat_ > 1);
    const size_t step = flat ? (w == nullptr ? rows : repeat_) : 1;
    for (size_t row = 0; row < rows; row += step) {
      const size_t count = std::min(step, rows - row) * cols_, at = row * cols_;
      scale(count, m == nullptr ? nullptr : m + at, w, from + row * stride, to + at);
    }
  }

  const LossCall& call_;
  const size_t cols_, most_;
  const Reader<T> labels_, mask_, weights_;
  const SparseReader classes_;
  T* buffers_[kBuffers] = {};
  const T* w_ = nullptr;
  size_t repeat_ = 0;
  double* factors_ = nullptr;
  double* scores_ = nullptr;
  int64_t* class_of_ = nullptr;
  T* weight_of_ = nullptr;
};

template <class T>
Status Run(const LossCall& call, RowRange range, double* score) {
  const size_t cols = call.cols, most = std::min(RowsPerGroup(cols, kMaxBlockRows), range.end - range.begin);
  const size_t z_length = RoundUpToPadding<T>(most * cols),
               kernel_length = RoundUpToPadding<T>(SoftmaxScratch<T>(most, cols));
  T* const memory = ThreadScratch().Arrays<T>(1, z_length + kernel_length + Targets<T>::Length(call, most));
  if (memory == nullptr) return Status::kOutOfMemory;
  const Reader<T> z(call.pre_output, cols, call.dtype);
  Targets<T> targets(call, most);
  targets.Start(memory + z_length + kernel_length);
  const auto kernel = ChosenRowStages<T>().softmax_cross_entropy;
  const auto sum = ChosenLossStages<double>().sum;

  double total = 0;
  for (size_t row = range.begin; row < range.end; row += most) {
    SoftmaxRows<T> x{};
    x.rows = std::min(most, range.end - row);
    x.cols = cols;
    const auto logits = z.ReadRows(row, x.rows, memory);
    x.z = logits.data;
    x.z_stride = logits.stride;
    x.scratch = memory + z_length;
    x.stream = call.stream;
    x.kld = call.loss == LossKind::kKLD;
    if (call.gradient != nullptr) x.g = static_cast<T*>(call.gradient) + row * call.gradient_stride;
    x.g_stride = call.gradient_stride;
    targets.Read(row, &x);
    kernel(call.params, x);
    if (call.score) total += sum(x.scores, x.rows);
    for (size_t i = 0; i < x.rows && call.score_array != nullptr; ++i) {
      static_cast<T*>(call.score_array)[row + i] = static_cast<T>(x.scores[i]);
    }
  }
  *score += total;
  return Status::kOk;
}

}  // namespace

Status RunSoftmaxCrossEntropy(const LossCall& call, RowRange range, double* score) {
  return call.dtype == Dtype::kFloat32 ? Run<float>(call, range, score) : Run<double>(call, range, score);
}

}  // namespace simdloss
