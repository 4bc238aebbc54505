// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cmath>

#include "native/double_double.h"
#include "native/loss_drivers.h"
#include "native/reader.h"
#include "native/stages.h"
#include "native/tile.h"

namespace simdloss {
namespace {

// Adds up the terms of each row as the tiles go by, and writes each row's sum when it is complete.
template <class T>
class RowSums {
 public:
  RowSums(T* out, size_t cols, size_t row) : out_(out), cols_(cols), row_(row) {}

  void Add(const LossStages<T>& stages, const T* terms, size_t count) {
    while (count != 0) {
      const size_t piece = std::min(count, cols_ - col_);
      sum_ += stages.sum(terms, piece);
      terms += piece;
      count -= piece;
      col_ += piece;
      if (col_ == cols_) {
        out_[row_++] = static_cast<T>(sum_);
        sum_ = 0;
        col_ = 0;
      }
    }
  }

 private:
  T* out_;
  size_t cols_, row_, col_ = 0;
  double sum_ = 0;
};

// One-hot rows of sparse labels, and 0 in `mask` (if there is one) for the ignored ones.
template <class T>
void ExpandLabels(const SparseReader& labels, size_t begin, size_t count, size_t cols, T* y, T* mask) {
  size_t row = begin / cols, col = begin % cols;
  std::fill_n(y, count, T{0});
  for (size_t i = 0; i < count;) {
    const size_t piece = std::min(count - i, cols - col);
    const int64_t label = labels[row];
    const auto k = static_cast<size_t>(label);
    if (label >= 0 && k >= col && k < col + piece) y[i + k - col] = 1;
    if (label < 0) std::fill_n(mask + i, piece, T{0});
    i += piece;
    ++row;
    col = 0;
  }
}

// How the loss takes the activation: fused where it has stages for that.
template <class T>
InputKind InputOf(const LossCall& call, const LossStages<T>& stages) {
  const InputKind fused = [&] {
    switch (call.activation) {
      case ActivationKind::kIdentity:
        return kIdentityInput;
      case ActivationKind::kSigmoid:
        return kSigmoidInput;
      case ActivationKind::kSoftPlus:
        return kSoftPlusInput;
      case ActivationKind::kTanH:
        return kTanHInput;
      case ActivationKind::kRectifiedTanh:
        return kRectifiedTanhInput;
      case ActivationKind::kSoftSign:
        return kSoftSignInput;
      default:
        return kStagedInput;
    }
  }();
  return stages.loss[static_cast<size_t>(call.loss)][fused][kTerm] == nullptr ? kStagedInput : fused;
}

// Elements first .. last of the flat array; whole rows where row scores are asked for.
template <class T>
void Run(const LossCall& call, size_t first, size_t last, double* score);

// The score of a stretch in float64 lanes. A score is a float64 number: where float32 terms overflow, it may not.
double ScoreInDouble(LossCall call, size_t first, size_t last) {
  call.gradient = nullptr;
  call.score_array = nullptr;
  double score = 0;
  Run<double>(call, first, last, &score);
  return score;
}

template <class T>
void Run(const LossCall& call, size_t first, size_t last, double* score) {
  const auto& stages = ChosenLossStages<T>();
  const InputKind input = InputOf(call, stages);
  const bool terms = call.score || call.score_array != nullptr;
  const bool slopes = call.gradient != nullptr;
  const LossStage<T> loss =
      stages.loss[static_cast<size_t>(call.loss)][input][terms ? (slopes ? kTermAndSlope : kTerm) : kSlope];
  const auto& activations = ChosenActivationStages<T>();
  const auto kind = static_cast<size_t>(call.activation);
  const ActivationStage<T> activation = input != kStagedInput ? nullptr
                                        : slopes              ? activations.value_and_slope[kind]
                                                              : activations.value[kind];

  const size_t cols = call.cols;
  const auto reader = [&](const Matrix& m) { return Reader<T>(m, cols, call.dtype); };
  const Reader<T> z = reader(call.pre_output), y = reader(call.labels), mask = reader(call.mask),
                  weights = reader(call.weights), alpha = reader(call.alpha);
  const SparseReader sparse(call.labels, call.params.has_ignore, call.params.ignore_index);
  const bool ignores = call.sparse_labels && call.params.has_ignore;
  T* const out = static_cast<T*>(call.gradient);
  // Slopes go straight to their place, but for calls in place: their tile of logits may be read once more.
  const bool direct = call.gradient_stride == cols && call.gradient != call.pre_output.data;
  RowSums<T> row_sums(static_cast<T*>(call.score_array), cols, first / cols);

  alignas(64) T z_buffer[kTile<T>], y_buffer[kTile<T>], m_buffer[kTile<T>], w_buffer[kTile<T>], alpha_buffer[kTile<T>];
  alignas(64) T a[kTile<T>], s[kTile<T>], term[kTile<T>], slope_buffer[kTile<T>];

  // Carries its rounding error: as many additions as there are tiles.
  double total = 0, error = 0;
  for (size_t begin = first; begin < last; begin += kTile<T>) {
    const size_t count = std::min(kTile<T>, last - begin);
    const size_t padded = RoundUpToPadding<T>(count);
    // A full tile is read in place where it can be; a partial one is copied, so that no stage reads beyond the array.
    const auto read = [&](const Reader<T>& from, T* buffer) -> const T* {
      if (count == padded) return from.Read(begin, count, buffer);
      from.CopyTo(begin, count, buffer);
      std::fill(buffer + count, buffer + padded, T{0});
      return buffer;
    };
    const T* m = nullptr;
    if (ignores) {
      if (mask) {
        mask.CopyTo(begin, count, m_buffer);
      } else {
        std::fill_n(m_buffer, count, T{1});
      }
      std::fill(m_buffer + count, m_buffer + padded, T{0});
      m = m_buffer;
    } else if (mask) {
      m = read(mask, m_buffer);
    }
    const T* w = weights ? read(weights, w_buffer) : nullptr;

    LossTile<T> tile{};
    const T* logits = read(z, z_buffer);
    tile.a = logits;
    if (activation != nullptr) {
      activation(call.activation_params, logits, alpha ? read(alpha, alpha_buffer) : nullptr, a, s, padded);
      tile.a = a;
      tile.s = slopes ? s : a;
    }
    if (call.sparse_labels) {
      ExpandLabels(sparse, begin, count, cols, y_buffer, m_buffer);
      std::fill(y_buffer + count, y_buffer + padded, T{0});
      tile.y = y_buffer;
    } else {
      tile.y = read(y, y_buffer);
    }
    tile.term = term;
    tile.slope = direct && count == padded ? out + begin : slope_buffer;
    loss(call.params, tile, padded);

    if (terms) {
      if (m != nullptr || w != nullptr) stages.scale(m, w, term, padded);
      if (call.score) {
        const double sum = stages.sum(term, count);
        const bool overflowed = sizeof(T) == sizeof(float) && !std::isfinite(sum);
        const DoubleDouble next = TwoSum(total, overflowed ? ScoreInDouble(call, begin, begin + count) : sum);
        total = next.high;
        error += next.low;
      }
      if (call.score_array != nullptr) row_sums.Add(stages, term, count);
    }
    if (slopes) {
      if (m != nullptr || w != nullptr) stages.scale(m, w, tile.slope, padded);
      if (tile.slope == slope_buffer) StoreRows(slope_buffer, begin, count, cols, out, call.gradient_stride);
    }
  }
  *score += std::isfinite(total) ? total + error : total;
}

}  // namespace

Status RunElementwiseLoss(const LossCall& call, RowRange range, double* score) {
  if (call.dtype == Dtype::kFloat32) {
    Run<float>(call, range.begin * call.cols, range.end * call.cols, score);
  } else {
    Run<double>(call, range.begin * call.cols, range.end * call.cols, score);
  }
  return Status::kOk;
}

}  // namespace simdloss
