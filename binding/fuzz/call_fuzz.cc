// SPDX-License-Identifier: Apache-2.0
// The calls of calls.h with any numbers in the block, over arrays as long as the call says that it needs, or too short.
#include <algorithm>
#include <vector>

#include "binding/calls.h"
#include "binding/fuzz/input.h"

namespace simdloss {
namespace fuzz {
namespace {

using Call = Status (*)(Arguments* args);
constexpr Call kCalls[] = {
#define SIMDLOSS_X(name, function) &function,
    SIMDLOSS_CALLS(SIMDLOSS_X)
#undef SIMDLOSS_X
};
constexpr size_t kCallCount = sizeof(kCalls) / sizeof(*kCalls);

// Losses come first: they have the most to choose from.
Call Choose(uint8_t byte) { return kCalls[byte < 128 ? 0 : byte % kCallCount]; }

void FillBlock(Input* input, double* block) {
  for (int slot = 0; slot < kSlots; ++slot) block[slot] = input->Size();
  if (input->Byte() < 240) {
    // Names that there are, options that make sense, so that most calls are run.
    const auto limit = [&](Slot slot, int count) { block[slot] = static_cast<double>(input->Byte() % count); };
    limit(kSlot_loss, static_cast<int>(LossKind::kCount));
    limit(kSlot_activation, static_cast<int>(ActivationKind::kCount));
    limit(kSlot_sparse, 2);
    limit(kSlot_hasIgnore, 2);
    block[kSlot_scale] = 1 / std::max(1.0, block[kSlot_cols]);
    block[kSlot_clip] = input->Byte() % 2 == 0 ? 0 : 1e-5;
    block[kSlot_labelCols] = block[kSlot_cols];
    if (block[kSlot_loss] == static_cast<double>(LossKind::kMixtureDensity)) {
      block[kSlot_mixtures] = 1 + input->Byte() % 3;
      block[kSlot_labelCols] = 1 + input->Byte() % 3;
      block[kSlot_cols] = block[kSlot_mixtures] * (block[kSlot_labelCols] + 2);
    }
    if (block[kSlot_loss] == static_cast<double>(LossKind::kFMeasure)) limit(kSlot_cols, 3);
    for (const Slot stride : {kSlot_inputStride, kSlot_outStride}) {
      block[stride] = block[kSlot_cols] + input->Byte() % 4;
    }
  }
}

// Loops that no array bounds, as their strides are 0.
bool IsLong(const double* block) {
  const auto product = [&](std::initializer_list<Slot> slots) {
    double total = 1;
    for (const Slot slot : slots) total *= std::max(1.0, block[slot]);
    return !(total < static_cast<double>(4 * kMostElements));
  };
  return product({kSlot_rows, kSlot_cols, kSlot_steps}) || product({kSlot_rows, kSlot_labelCols, kSlot_steps}) ||
         product({kSlot_m, kSlot_n, kSlot_k});
}

}  // namespace

void FuzzCall(Input* input) {
  const Call call = Choose(input->Byte());
  double block[kSlots];
  FillBlock(input, block);
  if (IsLong(block)) return;
  // Which arrays there are, and their dtypes.
  const Dtype dtype = input->FloatDtype();
  Span spans[Arguments::kMost] = {};
  char anything = 0;
  for (Span& span : spans) {
    const uint8_t byte = input->Byte();
    if (byte % 8 == 1) continue;
    const bool any = byte % 8 == 2;  // perhaps none of the ten that there are
    span = {&anything, size_t{1} << 40, any ? byte / 8u % 12 : DtypeCode(dtype), 0, 0};
  }
  // What it would touch; then that.
  double measured[kSlots];
  std::copy(block, block + kSlots, measured);
  Arguments measure(measured, spans, true);
  call(&measure);
  std::vector<Array> arrays;
  for (Span& span : spans) {
    if (span.dtype == 0) continue;
    if (span.extent > kMostElements) return;
    const uint8_t byte = input->Byte();
    span.length = span.extent - (byte == 255 && span.extent != 0 ? 1 : 0);
    const Dtype of_array = span.dtype <= kDtypes ? static_cast<Dtype>(span.dtype - 1) : Dtype::kFloat64;
    arrays.emplace_back(of_array, span.length, byte);
    span.data = arrays.back().data();
  }
  // A gradient over the logits, an activation in place.
  for (const size_t out : {size_t{3}, size_t{5}}) {
    if (input->Byte() % 4 == 1 && spans[0].dtype == spans[out].dtype && spans[0].length == spans[out].length &&
        block[kSlot_inputStride] == block[kSlot_outStride] && (call == &CallLoss) == (out == 5) &&
        (call == &CallLoss || call == &CallActivation)) {
      spans[out].data = spans[0].data;
    }
  }
  Arguments args(block, spans);
  call(&args);
}

}  // namespace fuzz
}  // namespace simdloss
