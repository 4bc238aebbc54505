// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cmath>

#include "native/chunks.h"
#include "native/double_double.h"
#include "native/loss_drivers.h"
#include "native/reader.h"
#include "native/stages.h"
#include "native/stream_writer.h"
#include "native/tile.h"

namespace simdloss {
namespace {

// Adds up the terms of each row as the tiles go by, and writes each row's sum when it is complete.
template <class T>
class RowSums {
 public:
  RowSums(T* out, size_t cols, size_t row) : out_(out), cols_(cols), row_(row) {}

  void Add(const LossStages<T>& stages, const T* terms, size_t count) {
    if (cols_ == 1) {
      std::copy_n(terms, count, out_ + row_);
      row_ += count;
      return;
    }
    while (count != 0) {
      const size_t piece = std::min(count, cols_ - col_);
      sum_ += piece < kShort ? Plain(terms, piece) : stages.sum(terms, piece);
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
  // Fewer terms than a call of the stage takes time for; in float, as many as double adds up without a care.
  static constexpr size_t kShort = sizeof(T) == sizeof(float) ? 16 : 2;

  static double Plain(const T* terms, size_t count) {
    double sum = 0;
    for (size_t i = 0; i < count; ++i) sum += static_cast<double>(terms[i]);
    return sum;
  }

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

// The mask and the weights of each tile.
template <class T>
class Scales {
 public:
  explicit Scales(const LossCall& call)
      : cols_(call.cols),
        mask_(call.mask, call.cols, call.dtype),
        per_row_(call.mask && call.mask.col_stride == 0 && call.cols > 1),
        ignores_(call.sparse_labels && call.params.has_ignore),
        weights_(static_cast<const T*>(call.repeated_weights)) {}

  // m and w of elements begin .. begin + count, null where there are none, and padded with what changes nothing.
  void Read(const LossStages<T>& stages, size_t begin, size_t count, size_t padded) {
    w = weights_ == nullptr ? nullptr : weights_ + begin % cols_;
    m = nullptr;
    if (per_row_) {
      const size_t row = begin / cols_, rows = (begin + count - 1) / cols_ + 1 - row;
      mask_.ReadColumn(row, rows, row_masks_);
      stages.expand(row_masks_, cols_, begin % cols_, padded, buffer_);
      m = buffer_;
    } else if (mask_ && count == padded && !ignores_) {
      m = mask_.Read(begin, count, buffer_);
    } else if (mask_) {
      mask_.CopyTo(begin, count, buffer_);
      m = buffer_;
    } else if (ignores_) {
      std::fill_n(buffer_, count, T{1});
      m = buffer_;
    }
    if (m == buffer_) std::fill(buffer_ + count, buffer_ + padded, T{0});
  }

  bool any() const { return m != nullptr || w != nullptr; }

  const T* m = nullptr;
  const T* w = nullptr;

  T* buffer() { return buffer_; }

 private:
  const size_t cols_;
  const Reader<T> mask_;
  const bool per_row_, ignores_;
  const T* const weights_;
  alignas(64) T buffer_[kTile<T> + kPadding<T>];
  T row_masks_[kTile<T> + 1];
};

// Do slopes go straight to their place? Not those of calls in place, whose tile of logits may be read once more, nor
// what goes past the caches.
bool IsDirect(const LossCall& call) {
  return call.gradient != nullptr && call.gradient_stride == call.cols && !call.stream &&
         call.gradient != call.pre_output.data;
}

// One call of the stage for all tiles, where none needs a buffer and its float sum is finite. MSE, AVX-512, ns an
// element: 64 x 1000 .158 became .131, 1024 x 1000 .178 became .158. Apart from Run, whose readers take 270
// instructions to set up: 32 x 10, bound, AVX2, .149 us became .114.
template <class T>
bool RunInPlace(const LossCall& call, size_t first, size_t last, double* score) {
  const bool sums = call.score && call.score_array == nullptr;
  const bool scaled = call.sparse_labels || call.repeated_weights != nullptr;
  if (call.activation != ActivationKind::kIdentity || !sums || !IsDirect(call) || scaled) return false;
  const auto in_place = [&](const Matrix& m) { return Reader<T>(m, call.cols, call.dtype).InPlace(); };
  LossTile<T> all{};
  all.z = in_place(call.pre_output);
  all.y = in_place(call.labels);
  all.m = call.mask ? in_place(call.mask) : nullptr;
  if (all.z == nullptr || all.y == nullptr || (call.mask && all.m == nullptr)) return false;
  all.z += first;
  all.y += first;
  if (all.m != nullptr) all.m += first;
  all.slope = static_cast<T*>(call.gradient) + first;
  const auto& stage = ChosenLossStages<T>().loss[static_cast<size_t>(call.loss)][kIdentityInput][kSumAndSlope];
  const double sum = stage(call.params, all, last - first);
  if (!std::isfinite(sum)) return false;
  *score += sum;
  return true;
}

// Elements first .. last of the flat array; whole rows where row scores are asked for.
template <class T>
void Run(const LossCall& call, size_t first, size_t last, double* score);

// The score of a stretch in float64 lanes. A score is a float64 number: where float32 terms overflow, it may not.
double ScoreInDouble(LossCall call, size_t first, size_t last) {
  call.gradient = nullptr;
  call.score_array = nullptr;
  call.repeated_weights = call.repeated_weights_f64;
  double score = 0;
  Run<double>(call, first, last, &score);
  return score;
}

template <class T>
void Run(const LossCall& call, size_t first, size_t last, double* score) {
  if (RunInPlace<T>(call, first, last, score)) return;
  const auto& stages = ChosenLossStages<T>();
  const auto& activations = ChosenActivationStages<T>();
  const InputKind input = InputOf(call, stages);
  const auto& loss = stages.loss[static_cast<size_t>(call.loss)][input];
  const auto kind = static_cast<size_t>(call.activation);
  const bool slopes = call.gradient != nullptr;
  const bool terms = call.score || call.score_array != nullptr;
  const bool values_only = !slopes && (input == kStagedInput || input == kSoftPlusInput);

  const size_t cols = call.cols;
  const auto reader = [&](const Matrix& m) { return Reader<T>(m, cols, call.dtype); };
  const Reader<T> z = reader(call.pre_output), y = reader(call.labels), alpha = reader(call.alpha);
  const SparseReader sparse(call.labels, call.params.has_ignore, call.params.ignore_index);
  T* const out = static_cast<T*>(call.gradient);
  const bool direct = IsDirect(call);
  const bool stream = call.stream && call.gradient_stride == cols && slopes;
  Scales<T> scales(call);
  RowSums<T> row_sums(static_cast<T*>(call.score_array), cols, first / cols);

  alignas(64) T z_buffer[kTile<T>], y_buffer[kTile<T>], alpha_buffer[kTile<T>];
  alignas(64) T a[kTile<T>], s[kTile<T>], term[kTile<T>];
  alignas(64) T slope_buffer[kTile<T> + StreamWriter<T>::kRoom];
  StreamWriter<T> writer;
  if (stream) writer = StreamWriter<T>(stages, out + first, slope_buffer);

  CarriedSum total;  // as many additions as there are tiles
  for (size_t begin = first; begin < last; begin += kTile<T>) {
    const size_t count = std::min(kTile<T>, last - begin);
    const size_t padded = RoundUpToPadding<T>(count);
    // A full tile is read in place where it can be; a partial one is copied, so that no stage reads beyond the array.
    // Stages that keep nothing in buffers take any number of elements.
    const size_t length = input == kIdentityInput ? count : padded;
    const auto read = [&](const Reader<T>& from, T* buffer) { return from.ReadPadded(begin, count, length, buffer); };
    scales.Read(stages, begin, count, padded);

    LossTile<T> tile{};
    tile.z = read(z, z_buffer);
    tile.a = a;
    tile.s = s;
    switch (input) {
      case kIdentityInput:
        break;
      case kSigmoidInput:
        stages.exp_of_logit(tile.z, s, padded);
        break;
      case kTanHInput:
        stages.tanh_and_rest(tile.z, a, s, padded);
        break;
      default:
        (values_only ? activations.value : activations.value_and_slope)[kind](
            call.activation_params, tile.z, alpha ? read(alpha, alpha_buffer) : nullptr, a, s, padded);
        if (values_only) tile.s = a;
    }
    if (call.sparse_labels) {
      ExpandLabels(sparse, begin, count, cols, y_buffer, scales.buffer());
      std::fill(y_buffer + count, y_buffer + padded, T{0});
      tile.y = y_buffer;
    } else {
      tile.y = read(y, y_buffer);
    }
    tile.term = term;
    tile.slope = direct && count == length ? out + begin : stream ? writer.next() : slope_buffer;
    tile.m = scales.m;
    tile.w = scales.w;

    // The sum comes out of the stage itself where nobody wants the terms, and none is of padding.
    const bool sums = call.score && slopes && call.score_array == nullptr && count == length;
    double sum = loss[sums    ? kSumAndSlope
                      : terms ? (slopes ? kTermAndSlope : kTerm)
                              : kSlope](call.params, tile, length);
    if (call.score_array != nullptr) {
      if (scales.any()) stages.scale(scales.m, scales.w, term, count);
      row_sums.Add(stages, term, count);
      if (call.score) sum = stages.sum(term, count);
    } else if (terms && !sums) {
      sum = scales.any() ? stages.scaled_sum(scales.m, scales.w, term, count) : stages.sum(term, count);
    }
    if (call.score) {
      const bool overflowed = sizeof(T) == sizeof(float) && !std::isfinite(sum);
      total.Add(overflowed ? ScoreInDouble(call, begin, begin + count) : sum);
    }
    if (slopes) {
      if (scales.any() && !sums) stages.scale(scales.m, scales.w, tile.slope, count);
      if (stream) {
        writer.Write(count);
      } else if (tile.slope == slope_buffer) {
        StoreRows(slope_buffer, begin, count, cols, out, call.gradient_stride);
      }
    }
  }
  if (stream) writer.Finish();
  *score += total.Total();
}

// Rows one after another with the same mask go together, those of mask 0 at no cost, where masks are 0 and 1 and a row
// is a tile or more. A fifth of the rows masked, AVX-512, in cache: MSE 64 x 1000 took 2.2 times as long as without a
// mask, now as long.
template <class T>
void RunRows(const LossCall& call, RowRange range, double* score) {
  const size_t cols = call.cols;
  double buffer[kChunkElements / kTile<T>];
  const bool is_row_mask = call.mask && !call.HasOutputMask() && cols >= kTile<T>;
  const size_t count = is_row_mask ? range.end - range.begin : 0;
  if (is_row_mask) Reader<T>(call.mask, cols, call.dtype).ReadColumn(range.begin, count, buffer);
  const double *const masks = buffer, *const end = buffer + count;
  if (!is_row_mask || std::any_of(masks, end, [](double mask) { return mask != 0 && mask != 1; })) {
    Run<T>(call, range.begin * cols, range.end * cols, score);
    return;
  }
  LossCall plain = call;
  plain.mask = Matrix{};
  CarriedSum total;
  for (const double *from = masks, *to; from != end; from = to) {
    to = std::find_if(from, end, [&](double mask) { return mask != *from; });
    const size_t row = range.begin + (from - masks), rows = to - from;
    if (*from == 1) {
      double sum = 0;
      Run<T>(plain, row * cols, (row + rows) * cols, &sum);
      total.Add(sum);
      continue;
    }
    for (size_t i = row; i < row + rows; ++i) {
      if (call.gradient != nullptr) std::fill_n(static_cast<T*>(call.gradient) + i * call.gradient_stride, cols, T{0});
      if (call.score_array != nullptr) static_cast<T*>(call.score_array)[i] = 0;
    }
  }
  *score += total.Total();
}

}  // namespace

Status RunElementwiseLoss(const LossCall& call, RowRange range, double* score) {
  if (call.dtype == Dtype::kFloat32) {
    RunRows<float>(call, range, score);
  } else {
    RunRows<double>(call, range, score);
  }
  return Status::kOk;
}

}  // namespace simdloss
