// SPDX-License-Identifier: Apache-2.0
#include "native/loss.h"

#include <algorithm>
#include <atomic>
#include <cmath>

#include "native/chunks.h"
#include "native/loss_drivers.h"
#include "native/reader.h"
#include "native/scratch.h"
#include "native/stages.h"
#include "native/thread_pool.h"
#include "native/tile.h"

namespace simdloss {
namespace {

// Apart from ThreadScratch(), which the drivers use meanwhile.
Scratch& ChunkScratch() {
  static SIMDLOSS_THREAD_LOCAL Scratch scratch;
  return scratch;
}

Scratch& WeightScratch() {
  static SIMDLOSS_THREAD_LOCAL Scratch scratch;
  return scratch;
}

// A row of weights, and more of it over and over up to `length`.
template <class T>
void RepeatRow(const Matrix& weights, size_t cols, Dtype of_call, size_t length, T* to) {
  Reader<T>(weights, cols, of_call).CopyTo(0, cols, to);
  Repeat(cols, length, to);
}

// Makes the elementwise driver's weights: whatever column a tile begins in, its weights lie side by side.
bool RepeatWeights(const LossCall& call) {
  const size_t length = call.cols + kTile<float> + kPadding<float>;
  double* const doubles = WeightScratch().Arrays<double>(2, length);
  if (doubles == nullptr) return false;
  RepeatRow(call.weights, call.cols, call.dtype, length, doubles);
  call.repeated_weights_f64 = doubles;
  call.repeated_weights = doubles;
  if (call.dtype == Dtype::kFloat32) {
    float* const floats = reinterpret_cast<float*>(doubles + Scratch::ArrayStride<double>(length));
    RepeatRow(call.weights, call.cols, call.dtype, length, floats);
    call.repeated_weights = floats;
  }
  return true;
}

using Driver = Status (*)(const LossCall& call, RowRange range, double* score);

Driver DriverOf(const LossCall& call) {
  if (call.loss == LossKind::kFMeasure) return &RunFMeasure;
  if (!IsElementwise(call.loss)) return &RunRowwiseLoss;
  if (call.activation != ActivationKind::kSoftmax) return &RunElementwiseLoss;
  const bool kld = call.loss == LossKind::kKLD && !call.HasOutputMask() && !call.weights && !call.sparse_labels;
  return call.loss == LossKind::kCrossEntropy || kld ? &RunSoftmaxCrossEntropy : &RunSoftmaxLoss;
}

bool IsValid(const LossCall& call) {
  if (call.loss >= LossKind::kCount || call.activation >= ActivationKind::kCount) return false;
  if (call.dtype != Dtype::kFloat32 && call.dtype != Dtype::kFloat64) return false;
  if (call.cols == 0 || call.label_cols == 0) return false;
  if (call.sparse_labels && !IsElementwise(call.loss)) return false;
  if (call.loss == LossKind::kFMeasure && (call.cols > 2 || call.score_array != nullptr)) return false;
  if (call.loss == LossKind::kMixtureDensity &&
      (call.params.mixtures == 0 || call.cols / call.params.mixtures != call.label_cols + 2 ||
       call.cols % call.params.mixtures != 0)) {
    return false;
  }
  if (call.loss != LossKind::kMixtureDensity && call.label_cols != call.cols) return false;
  return true;
}

}  // namespace

Status RunLoss(const LossCall& call, LossResult* result) {
  if (!IsValid(call)) return Status::kBadArgument;
  if (call.params.clip > 0 && call.params.log_clip != call.params.log_clip) {
    call.params.log_clip = std::log(call.params.clip);
    call.params.log1m_clip = std::log1p(-call.params.clip);
  }
  call.stream = call.rows * call.cols * SizeOf(call.dtype) > kStreamBytes;
  result->score = 0;
  if (call.rows == 0) return Status::kOk;
  if (call.sparse_labels) {
    const SparseReader labels(call.labels, call.params.has_ignore, call.params.ignore_index);
    result->bad_row = labels.FirstBad(call.rows, call.cols);
    if (result->bad_row != call.rows) return Status::kBadLabel;
  }
  const Driver driver = DriverOf(call);
  if (call.weights && driver == &RunElementwiseLoss && !RepeatWeights(call)) return Status::kOutOfMemory;
  const size_t step = call.loss == LossKind::kFMeasure ? call.rows : RowsPerChunk(call.cols);
  if (call.rows <= step) return driver(call, {0, call.rows}, &result->score);

  const size_t chunks = (call.rows + step - 1) / step;
  double* const scores = ChunkScratch().Arrays<double>(1, chunks);
  if (scores == nullptr) return Status::kOutOfMemory;
  std::fill_n(scores, chunks, 0.0);
  std::atomic<Status> status{Status::kOk};
  ForEachPiece(chunks, [&](size_t i) {
    const size_t row = i * step;
    const Status of_chunk = driver(call, {row, std::min(call.rows, row + step)}, scores + i);
    if (of_chunk != Status::kOk) status = of_chunk;
  });
  for (size_t i = 0; i < chunks; ++i) result->score += scores[i];
  return status;
}

}  // namespace simdloss
