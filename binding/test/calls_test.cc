// SPDX-License-Identifier: Apache-2.0
// What checks a call's numbers and arrays before anything is touched: calls that libFuzzer found to be wrong, and its
// corpus, which reaches every branch that it knows of: under sanitizers, as what went wrong was undefined.
#include "binding/calls.h"

#include <cmath>
#include <fstream>
#include <functional>
#include <initializer_list>
#include <string>
#include <vector>

#include "binding/fuzz/input.h"
#include "native/test/test.h"

namespace simdloss {
namespace {

constexpr size_t kRows = 40, kCols = 3, kSpans = Arguments::kMost;

// A call of [40, 3] arrays of float64, none of which is there yet.
struct Call {
  double block[kSlots] = {};
  double arrays[kSpans][kRows * kCols] = {};
  Span spans[kSpans] = {};

  Call() {
    block[kSlot_rows] = kRows;
    for (const Slot cols : {kSlot_cols, kSlot_labelCols, kSlot_inputStride, kSlot_labelStride, kSlot_outStride}) {
      block[cols] = kCols;
    }
    block[kSlot_scale] = block[kSlot_wantScore] = 1;
  }
  Call& With(std::initializer_list<size_t> arguments) {
    for (const size_t i : arguments) spans[i] = {arrays[i], kRows * kCols, DtypeCode(Dtype::kFloat64), 0, 0};
    return *this;
  }
  Call& Set(Slot slot, double value) {
    block[slot] = value;
    return *this;
  }
  Call& Set(LossKind loss) { return Set(kSlot_loss, static_cast<double>(loss)); }
};

using Function = Status (*)(Arguments* args);

TEST(CallsThatAreNone) {
  constexpr LossKind kCrossEntropy = LossKind::kCrossEntropy;
  const struct {
    const char* title;
    Function function;
    std::function<void(Call*)> make;
  } kBad[] = {
      {"nothing at all", &CallLoss, [](Call*) {}},
      {"labels missing", &CallLoss, [](Call* c) { c->Set(LossKind::kL2).With({0, 5}); }},
      {"logits too short", &CallLoss, [](Call* c) { c->Set(LossKind::kL2).With({0, 1, 5}).spans[0].length--; }},
      {"a gradient too short", &CallLoss, [](Call* c) { c->Set(LossKind::kL2).With({0, 1, 5}).spans[5].length--; }},
      {"an index to ignore that is NaN", &CallLoss,
       [](Call* c) { c->Set(kCrossEntropy).Set(kSlot_hasIgnore, 1).Set(kSlot_ignoreHigh, NAN).With({0, 1}); }},
      {"an index to ignore beyond 64 bits", &CallLoss,
       [](Call* c) { c->Set(kCrossEntropy).Set(kSlot_hasIgnore, 1).Set(kSlot_ignoreHigh, 1e300).With({0, 1}); }},
      {"classes for a loss that takes none, over each row", &CallLoss,
       [](Call* c) { c->Set(LossKind::kCosineProximity).Set(kSlot_sparse, 1).Set(kSlot_labelStride, 1).With({0, 1}); }},
      {"classes for F-measure", &CallLoss,
       [](Call* c) { c->Set(LossKind::kFMeasure).Set(kSlot_sparse, 1).Set(kSlot_labelStride, 1).With({0, 1}); }},
      {"sums of no array", &CallColumnSums, [](Call* c) { c->With({1}); }},
      {"sums that go nowhere", &CallColumnSums, [](Call* c) { c->With({0}); }},
      {"a product of nothing", &CallGemm,
       [](Call* c) { c->Set(kSlot_m, 2).Set(kSlot_n, 2).Set(kSlot_k, 2).Set(kSlot_ldc, 2).With({2}); }},
  };
  for (const auto& bad : kBad) {
    Call call;
    bad.make(&call);
    Arguments args(call.block, call.spans);
    const Status status = bad.function(&args);
    CHECK(status == Status::kBadArgument, "%s: status %d", bad.title, static_cast<int>(status));
  }
}

// Scores alone, with a mask and without: no pointer is formed to the gradient that is not there.
TEST(CallsForScores) {
  test::OnEveryTarget([](int) {
    for (int loss = 0; loss < static_cast<int>(LossKind::kCount); ++loss) {
      for (const bool masked : {false, true}) {
        if (static_cast<LossKind>(loss) == LossKind::kFMeasure) continue;
        Call call;
        call.Set(static_cast<LossKind>(loss)).Set(kSlot_mixtures, 1).With({0, 1, 6});
        if (static_cast<LossKind>(loss) == LossKind::kMixtureDensity) call.Set(kSlot_labelCols, 1);
        if (masked) call.Set(kSlot_maskRowStride, 1).With({2});
        for (double& x : call.arrays[0]) x = 0.5;
        for (double& x : call.arrays[1]) x = 1;
        Arguments args(call.block, call.spans);
        CHECK(CallLoss(&args) == Status::kOk && (!masked || call.block[kSlot_score] == 0), "loss %d: %g", loss,
              call.block[kSlot_score]);
      }
    }
  });
}

// A line of the corpus is a comment, or the bytes of one input in hexadecimal.
TEST(CallsOfTheCorpus) {
  std::ifstream lines(SIMDLOSS_FUZZ_CORPUS);
  size_t count = 0;
  for (std::string line; std::getline(lines, line); ++count) {
    if (line[0] == '#') continue;
    std::vector<uint8_t> bytes;
    for (size_t i = 0; i + 1 < line.size(); i += 2) {
      bytes.push_back(static_cast<uint8_t>(std::stoi(line.substr(i, 2), nullptr, 16)));
    }
    fuzz::FuzzOne(bytes.data(), bytes.size());
  }
  CHECK(count > 100, "%zu inputs in " SIMDLOSS_FUZZ_CORPUS, count);
}

}  // namespace
}  // namespace simdloss
