// SPDX-License-Identifier: Apache-2.0
#include "native/program_chains.h"

#include <tuple>
#include <utility>

#include "native/stages.h"

namespace simdloss {
namespace {

// The steps of a chain for an operation: f(x, p), and f(p, x) that gives the same bits; each also where p is a scalar.
struct ChainOps {
  ChainOp op, of_scalar, reversed, reversed_of_scalar;
};

constexpr ChainOps ChainOpsOf(uint32_t op) {
  switch (op) {
#define SIMDLOSS_X(name) \
  case kOp##name:        \
    return {kChain##name, kChainNothing, kChainNothing, kChainNothing};
    SIMDLOSS_CHEAP_UNARY_OPS(SIMDLOSS_X)
#undef SIMDLOSS_X
#define SIMDLOSS_X(name) \
  case kOp##name:        \
    return {kChain##name, kChain##name##Scalar, kChain##name, kChain##name##Scalar};
    SIMDLOSS_COMMUTATIVE_OPS(SIMDLOSS_X)
#undef SIMDLOSS_X
#define SIMDLOSS_X(name) \
  case kOp##name:        \
    return {kChain##name, kChain##name##Scalar, kChainReversed##name, kChainReversed##name##Scalar};
    SIMDLOSS_REVERSIBLE_OPS(SIMDLOSS_X)
#undef SIMDLOSS_X
    default:
      return {};
  }
}

constexpr bool IsCheap(uint32_t op) {
  return op == kOpSum || op == kOpCopy || op == kOpSelect || ChainOpsOf(op).op != kChainNothing;
}

class StageMaker {
 public:
  explicit StageMaker(const Program& program) : program_(program), reads_(program.slots) {}

  std::vector<ProgramStage> Make(const std::vector<ProgramStep>& steps) {
    CountReads(steps);
    for (size_t i = 0; i < steps.size(); ++i) {
      if (IsCheap(steps[i].op)) {
        AddCheap(steps[i], value_reads_[i]);
      } else {
        AddCostly(steps[i]);
      }
    }
    EndChain();
    if (IsOneChain(stages_)) ShortenTiles(&stages_.front().chain);
    return std::move(stages_);
  }

 private:
  bool IsIn(Space space, uint16_t slot) const {
    const size_t first = program_.Slot(space, 0);
    return slot >= first && slot < first + program_.Count(space);
  }

  // How often later steps read what each step makes.
  void CountReads(const std::vector<ProgramStep>& steps) {
    value_reads_.resize(steps.size());
    for (size_t i = steps.size(); i-- != 0;) {
      const ProgramStep& step = steps[i];
      value_reads_[i] = std::exchange(reads_[step.to], 0);
      if (step.with_slope) reads_[step.c] = 0;
      const uint16_t operands[] = {step.a, step.b, step.c};
      for (uint32_t k = 0; k < OperandCount(step.op); ++k) ++reads_[operands[k]];
    }
  }

  size_t MaskOf(uint16_t slot) const { return IsIn(Space::kScalar, slot) ? 0 : kEvery; }

  ChainStep& Put(ChainOp op, uint16_t p = kSpare, uint16_t q = kSpare) {
    ChainStep step{};
    step.op = op;
    if (std::exchange(loads_, false)) step.does = ChainStep::kLoad;
    step.from = from_;
    step.p = p;
    step.q = q;
    step.from_mask = MaskOf(from_);
    step.p_mask = MaskOf(p);
    step.q_mask = MaskOf(q);
    chain_.push_back(step);
    return chain_.back();
  }

  // The last step does that too, or one more if it does already.
  ChainStep& PutAfter(ChainStep::Does does) {
    ChainStep& step = chain_.empty() || loads_ || (chain_.back().does & does) ? Put(kChainNothing) : chain_.back();
    step.does |= does;
    return step;
  }
  void PutStore(uint16_t slot) {
    ChainStep& step = PutAfter(ChainStep::kStore);
    step.to = slot;
    step.to_mask = kEvery;
  }
  void PutSum(uint16_t sum) { PutAfter(ChainStep::kAdd).sum = sum; }

  // What the accumulator holds is stored if it is read elsewhere too.
  void Leave() {
    if (std::exchange(is_wanted_, false)) PutStore(held_);
    held_ = kNothing;
  }

  void CountRead() {
    if (is_tile_ && --reads_left_ == 0) is_wanted_ = false;
  }

  // The accumulator as an operand.
  void Take() {
    CountRead();
    Leave();
  }

  // The result, in a slot that is read so often.
  void Hold(uint16_t slot, size_t reads) {
    held_ = slot;
    is_tile_ = IsIn(Space::kTile, slot);
    reads_left_ = reads;
    is_wanted_ = !is_tile_ || reads != 0;
  }

  void Bring(uint16_t slot) {
    if (held_ == slot) return Take();
    Leave();
    loads_ = true;
    from_ = slot;
  }

  void AddSum(const ProgramStep& step) {
    if (step.adds == ProgramStep::kColumnSum) return AddColumns(step, step.a);
    if (held_ == step.a) {
      CountRead();
    } else {
      Bring(step.a);
    }
    PutSum(step.sum);
  }

  void AddCheap(const ProgramStep& step, size_t reads) {
    if (step.op == kOpSum) return AddSum(step);
    if (step.op == kOpSelect) {
      PutSelect(step);
    } else if (OperandCount(step.op) == 2) {
      PutBinary(step);
    } else {
      Bring(step.a);
      Put(ChainOpsOf(step.op).op);
    }
    if (step.adds == ProgramStep::kSum) {
      PutSum(step.sum);
    } else {
      Hold(step.to, reads);
      if (step.adds == ProgramStep::kColumnSum) AddColumns(step, step.to);
    }
  }

  void PutSelect(const ProgramStep& step) {
    const bool is_then = held_ == step.b;
    if (held_ == step.a || (!is_then && held_ != step.c)) {
      Bring(step.a);
      Put(kChainSelect, step.b, step.c);
    } else {
      Take();
      Put(is_then ? kChainSelectThen : kChainSelectElse, step.a, is_then ? step.c : step.b);
    }
  }

  void PutBinary(const ProgramStep& step) {
    const ChainOps ops = ChainOpsOf(step.op);
    uint16_t x = step.a, p = step.b;
    // What the accumulator holds stays there; a scalar is best the other one.
    const bool is_reversed = held_ != x && (held_ == p || IsIn(Space::kScalar, x));
    if (is_reversed) std::swap(x, p);
    Bring(x);
    const bool is_scalar = IsIn(Space::kScalar, p);
    Put(is_reversed ? (is_scalar ? ops.reversed_of_scalar : ops.reversed) : (is_scalar ? ops.of_scalar : ops.op), p);
  }

  // Sums of columns are of what lies in memory.
  void AddColumns(ProgramStep step, uint16_t of) {
    EndChain();
    step.op = kOpSum;
    step.a = of;
    stages_.push_back({{}, step});
  }

  void AddCostly(ProgramStep step) {
    // A scalar is a vector over and over only within a chain.
    if (!IsIn(Space::kScalar, step.to)) {
      Spread(kSpareA, &step.a);
      Spread(kSpareB, &step.b);
    }
    EndChain();
    stages_.push_back({{}, step});
    if (step.adds == ProgramStep::kColumnSum) AddColumns(step, step.to);
    if (step.adds == ProgramStep::kSum) {
      Bring(step.to);
      PutSum(step.sum);
    }
  }

  void Spread(uint16_t spare, uint16_t* slot) {
    if (!IsIn(Space::kScalar, *slot)) return;
    Bring(*slot);
    Put(kChainNothing);
    PutStore(spare);
    *slot = spare;
  }

  void EndChain() {
    Leave();
    if (chain_.empty()) return;
    chain_.back().does |= ChainStep::kEnd;
    stages_.push_back({std::move(chain_), {}});
    chain_.clear();
  }

  // What lasts no longer than the chain needs no more than what the chain holds at a time.
  void ShortenTiles(std::vector<ChainStep>* chain) const {
    const auto shorten = [&](uint16_t slot, size_t* mask) {
      if (IsIn(Space::kTile, slot)) *mask = kChainVectors * kPadding<char> - 1;
    };
    for (ChainStep& step : *chain) {
      shorten(step.from, &step.from_mask);
      shorten(step.p, &step.p_mask);
      shorten(step.q, &step.q_mask);
      shorten(step.to, &step.to_mask);
    }
  }

  static constexpr uint16_t kNothing = 0xffff;
  static constexpr size_t kEvery = ~size_t{0};

  const Program& program_;
  std::vector<size_t> reads_;        // by slot
  std::vector<size_t> value_reads_;  // by step
  std::vector<ProgramStage> stages_;
  std::vector<ChainStep> chain_;
  bool loads_ = false;  // the next step does, from:
  uint16_t from_ = kSpare;
  uint16_t held_ = kNothing;  // the slot whose value the accumulator holds
  bool is_tile_ = false;      // which lasts no longer than it is read
  bool is_wanted_ = false;    // it is not stored, and has to be
  size_t reads_left_ = 0;
};

}  // namespace

bool IsOneChain(const std::vector<ProgramStage>& stages) { return stages.size() == 1 && !stages.front().chain.empty(); }

std::vector<ProgramStage> MakeStages(const Program& program, const std::vector<ProgramStep>& steps) {
  return StageMaker(program).Make(steps);
}

}  // namespace simdloss
