// SPDX-License-Identifier: Apache-2.0
#include "native/activation.h"

#include <algorithm>
#include <atomic>
#include <limits>

#include "native/chunks.h"
#include "native/row_block.h"
#include "native/scratch.h"
#include "native/stages.h"
#include "native/thread_pool.h"
#include "native/tile.h"

namespace simdloss {
namespace {

// Elements first .. last of the flat array.
template <class T>
void RunElementwise(const ActivationCall& call, size_t first, size_t last) {
  const auto& stages = ChosenActivationStages<T>();
  const auto& multiply = ChosenLossStages<T>().multiply;
  const auto kind = static_cast<size_t>(call.activation);
  const Reader<T> z(call.input, call.cols), epsilon(call.epsilon, call.cols), alpha(call.alpha, call.cols);
  T* const out = static_cast<T*>(call.out);
  const bool side_by_side = call.out_stride == call.cols;
  alignas(64) T z_buffer[kTile<T>], alpha_buffer[kTile<T>], epsilon_buffer[kTile<T>], a[kTile<T>], s[kTile<T>];
  for (size_t begin = first; begin < last; begin += kTile<T>) {
    const size_t count = std::min(kTile<T>, last - begin);
    const size_t padded = RoundUpToPadding<T>(count);
    // A full tile is read and written in place where it can be.
    const auto read = [&](const Reader<T>& from, T* buffer) { return from.ReadPadded(begin, count, padded, buffer); };
    const bool direct = side_by_side && count == padded && !epsilon;
    T* const value = direct ? out + begin : a;
    const T* const alphas = alpha ? read(alpha, alpha_buffer) : nullptr;
    const T* const logits = read(z, z_buffer);
    if (!epsilon) {
      stages.value[kind](call.params, logits, alphas, value, nullptr, padded);
      if (!direct) StoreRows(a, begin, count, call.cols, out, call.out_stride);
    } else {
      stages.value_and_slope[kind](call.params, logits, alphas, a, s, padded);
      multiply(read(epsilon, epsilon_buffer), s, padded);
      StoreRows(s, begin, count, call.cols, out, call.out_stride);
    }
  }
}

template <class T>
Status RunSoftmax(const ActivationCall& call, size_t first, size_t last) {
  const auto& stages = ChosenRowStages<T>();
  const auto block = RowBlock<T>::For(call.cols, stages.lanes);
  const Reader<T> z(call.input, call.cols), epsilon(call.epsilon, call.cols);
  const size_t stride = Scratch::ArrayStride<T>(block.Length());
  T* const p = ThreadScratch().Arrays<T>(2, block.Length());
  if (p == nullptr) return Status::kOutOfMemory;
  T* const v = p + stride;
  T* const out = static_cast<T*>(call.out);
  double ones[kMaxBlockRows];
  std::fill_n(ones, kMaxBlockRows, 1.0);
  for (size_t row = first; row < last; row += block.Rows()) {
    const size_t rows = std::min(block.Rows(), last - row);
    if (!epsilon && !block.Layout().narrow) {
      stages.softmax(block.Layout(), z.ReadRows(row, 1, p).data, out + row * call.out_stride, nullptr, nullptr);
      continue;
    }
    block.Load(z, row, rows, -std::numeric_limits<T>::infinity(), p);
    stages.softmax(block.Layout(), p, p, nullptr, nullptr);
    if (epsilon) {
      block.Load(epsilon, row, rows, T{0}, v);
      ChosenLossStages<T>().multiply(p, v, block.Length());
      block.Pad(T{0}, v);
      stages.softmax_jacobian(block.Layout(), p, v, v);
    }
    block.Store(epsilon ? v : p, row, rows, ones, out, call.out_stride);
  }
  return Status::kOk;
}

// Chunks of rows on all threads.
template <class T>
Status Run(const ActivationCall& call) {
  const size_t step = RowsPerChunk(call.cols);
  std::atomic<Status> status{Status::kOk};
  ForEachPiece((call.rows + step - 1) / step, [&](size_t i) {
    const size_t first = i * step, last = std::min(call.rows, first + step);
    if (call.activation == ActivationKind::kSoftmax) {
      const Status of_chunk = RunSoftmax<T>(call, first, last);
      if (of_chunk != Status::kOk) status = of_chunk;
    } else {
      RunElementwise<T>(call, first * call.cols, last * call.cols);
    }
  });
  return status;
}

template <class T>
Status RunAlphaGradient(const ActivationCall& call, T* out) {
  double* const sums = ThreadScratch().Arrays<double>(1, call.cols);
  if (sums == nullptr) return Status::kOutOfMemory;
  std::fill_n(sums, call.cols, 0.0);
  const Reader<T> z(call.input, call.cols), epsilon(call.epsilon, call.cols);
  constexpr size_t kPiece = kTile<T>;
  T z_buffer[kPiece], epsilon_buffer[kPiece];
  for (size_t row = 0; row < call.rows; ++row) {
    for (size_t col = 0; col < call.cols; col += kPiece) {
      const size_t count = std::min(kPiece, call.cols - col);
      const T* x = z.Read(row * call.cols + col, count, z_buffer);
      const T* e = epsilon.Read(row * call.cols + col, count, epsilon_buffer);
      for (size_t j = 0; j < count; ++j) sums[col + j] += x[j] < 0 ? double{e[j]} * double{x[j]} : 0.0;
    }
  }
  for (size_t j = 0; j < call.cols; ++j) out[j] = static_cast<T>(sums[j]);
  return Status::kOk;
}

bool IsValid(const ActivationCall& call) {
  return call.activation < ActivationKind::kCount && call.cols != 0 && call.input &&
         (call.dtype == Dtype::kFloat32 || call.dtype == Dtype::kFloat64) &&
         (call.activation != ActivationKind::kPReLU || call.alpha);
}

}  // namespace

Status RunActivation(const ActivationCall& call) {
  if (!IsValid(call)) return Status::kBadArgument;
  return call.dtype == Dtype::kFloat32 ? Run<float>(call) : Run<double>(call);
}

Status RunPReLUParameterGradient(const ActivationCall& call, void* out) {
  if (!IsValid(call) || !call.epsilon) return Status::kBadArgument;
  return call.dtype == Dtype::kFloat32 ? RunAlphaGradient(call, static_cast<float*>(out))
                                       : RunAlphaGradient(call, static_cast<double*>(out));
}

}  // namespace simdloss
