// SPDX-License-Identifier: Apache-2.0
#include "native/program_chains.h"

#include <cmath>
#include <limits>
#include <map>
#include <numeric>
#include <tuple>
#include <utility>

#include "native/stages.h"

namespace simdloss {
namespace {

// The steps of a chain for an operation: f(x, p), and f(p, x) that gives the same bits; each also where p is a scalar,
// and where it is kept in y or z.
struct ChainOps {
  struct Of {
    ChainOp tile, scalar, y, z;
  };
  Of plain, reversed;
};

constexpr ChainOps ChainOpsOf(uint32_t op) {
  switch (op) {
#define SIMDLOSS_X(name) \
  case kOp##name:        \
    return {{kChain##name, kChainNothing, kChainNothing, kChainNothing}, {}};
    SIMDLOSS_CHEAP_UNARY_OPS(SIMDLOSS_X)
#undef SIMDLOSS_X
#define SIMDLOSS_OF(name) {kChain##name, kChain##name##Scalar, kChain##name##Y, kChain##name##Z}
#define SIMDLOSS_X(name) \
  case kOp##name:        \
    return {SIMDLOSS_OF(name), SIMDLOSS_OF(name)};
    SIMDLOSS_COMMUTATIVE_OPS(SIMDLOSS_X)
#undef SIMDLOSS_X
#define SIMDLOSS_X(name) \
  case kOp##name:        \
    return {SIMDLOSS_OF(name), SIMDLOSS_OF(Reversed##name)};
    SIMDLOSS_REVERSIBLE_OPS(SIMDLOSS_X)
#undef SIMDLOSS_X
#undef SIMDLOSS_OF
    default:
      return {};
  }
}

constexpr bool IsCheap(uint32_t op) {
  return op == kOpSum || op == kOpCopy || op == kOpSelect || ChainOpsOf(op).plain.tile != kChainNothing;
}

class StageMaker {
 public:
  explicit StageMaker(const Program& program)
      : program_(program), writes_(program.slots), readers_(program.slots), lies_(program.slots) {
    std::iota(lies_.begin(), lies_.end(), uint16_t{0});
    for (const ProgramStage& stage : program.scalars) {
      for (const ChainStep& step : stage.chain) constants_.erase(step.to);
      if (!stage.chain.empty()) continue;
      constants_.erase(stage.step.to);
      if (stage.step.op == kOpConstant) constants_[stage.step.to] = stage.step.params;
    }
  }

  std::vector<ProgramStage> Make(const std::vector<ProgramStep>& steps) {
    CountReads(steps);
    for (size_t i = 0; i < steps.size(); ++i) {
      if (IsCheap(steps[i].op)) {
        AddCheap(steps[i], values_[i]);
      } else {
        AddCostly(steps[i]);
      }
    }
    EndChain();
    if (IsOneChain(stages_)) ShortenTiles(&stages_.front().chain);
    return std::move(stages_);
  }

 private:
  static constexpr uint16_t kNothing = 0xffff;
  static constexpr size_t kEvery = ~size_t{0};

  bool IsIn(Space space, uint16_t slot) const {
    const size_t first = program_.Slot(space, 0);
    return slot >= first && slot < first + program_.Count(space);
  }

  // What later steps do with a value.
  struct Readers {
    size_t reads = 0;
    bool in_chain = true;  // all of them are of the chain that makes it, and could read it from a register
  };

  static bool EndsChain(const ProgramStep& step) { return !IsCheap(step.op) || step.adds == ProgramStep::kColumnSum; }

  void CountReads(const std::vector<ProgramStep>& steps) {
    values_.resize(steps.size());
    for (size_t i = steps.size(); i-- != 0;) {
      const ProgramStep& step = steps[i];
      if (EndsChain(step)) {
        for (Readers& readers : readers_) readers.in_chain = readers.reads == 0;
      }
      ++writes_[step.to];
      values_[i] = std::exchange(readers_[step.to], {});
      if (step.with_slope) readers_[step.c] = {};
      const uint16_t operands[] = {step.a, step.b, step.c};
      for (uint32_t k = 0; k < OperandCount(step.op); ++k) {
        Readers& readers = readers_[operands[k]];
        ++readers.reads;
        if (EndsChain(step) || step.op == kOpSelect) readers.in_chain = false;
      }
    }
  }

  size_t MaskOf(uint16_t slot) const { return IsIn(Space::kScalar, slot) ? 0 : kEvery; }

  ChainStep& Put(ChainOp op, uint16_t p = kSpare, uint16_t q = kSpare) {
    ChainStep step{};
    step.op = op;
    step.does = std::exchange(before_, 0);
    step.from = from_;
    step.p = lies_[p];
    step.q = lies_[q];
    step.from_mask = MaskOf(step.from);
    step.p_mask = MaskOf(step.p);
    step.q_mask = MaskOf(step.q);
    chain_.push_back(step);
    return chain_.back();
  }

  // The last step does that too, or one more if it does already.
  ChainStep& PutAfter(uint32_t does) {
    ChainStep& step =
        chain_.empty() || before_ != 0 || (chain_.back().does & does) ? Put(kChainNothing) : chain_.back();
    step.does |= does;
    return step;
  }
  void PutStore(uint16_t slot) {
    ChainStep& step = PutAfter(ChainStep::kStore);
    step.to = slot;
    step.to_mask = kEvery;
  }
  void PutSum(uint16_t sum) { PutAfter(ChainStep::kAdd).sum = sum; }

  // What x holds is kept or stored if it is read elsewhere too.
  void Leave() {
    if (is_wanted_) {
      if (Kept* const free = CanKeep() ? Find(kNothing) : nullptr) {
        PutAfter(ChainStep::kKeep).does |= free == &z_ ? ChainStep::kInZ : 0;
        MoveTo(free);
      } else {
        PutStore(held_);
      }
    }
    Forget();
  }

  // A value that y or z holds until it is read for the last time.
  struct Kept {
    uint16_t slot = kNothing;
    size_t reads_left = 0;
  };

  Kept* Find(uint16_t slot) { return y_.slot == slot ? &y_ : z_.slot == slot ? &z_ : nullptr; }
  bool CanKeep() const { return is_tile_ && in_chain_; }
  void MoveTo(Kept* kept) { *kept = {held_, reads_left_}; }
  void Forget() {
    is_wanted_ = false;
    held_ = kNothing;
  }

  void CountRead() {
    if (is_tile_ && --reads_left_ == 0) is_wanted_ = false;
  }
  static void CountRead(Kept* kept) {
    if (--kept->reads_left == 0) kept->slot = kNothing;
  }

  // x as an operand.
  void Take() {
    CountRead();
    Leave();
  }

  // The result, in a slot that is read so often.
  void Hold(uint16_t slot, const Readers& readers) {
    held_ = slot;
    lies_[slot] = slot;
    is_tile_ = IsIn(Space::kTile, slot);
    in_chain_ = readers.in_chain;
    reads_left_ = readers.reads;
    is_wanted_ = !is_tile_ || readers.reads != 0;
  }

  void Bring(uint16_t slot) {
    if (held_ == slot) return Take();
    if (Kept* const kept = Find(slot)) return BringKept(kept);
    Leave();
    before_ = ChainStep::kLoad;
    from_ = lies_[slot];
  }

  // x, where it is read later, takes the place of what is read for the last time.
  void BringKept(Kept* kept) {
    const uint32_t of_z = kept == &z_ ? ChainStep::kOfZ : 0;
    CountRead(kept);
    if (is_wanted_ && CanKeep() && kept->slot == kNothing) {
      if (before_ != 0) Put(kChainNothing);
      before_ = ChainStep::kSwap | of_z;
      MoveTo(kept);
      Forget();
    } else {
      Leave();
      before_ = ChainStep::kRecall | of_z;
    }
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

  void AddCheap(const ProgramStep& step, const Readers& readers) {
    if (step.op == kOpSum) return AddSum(step);
    if (step.op == kOpCopy && held_ == step.a && IsWrittenOnce(step.to)) return CopyToOutput(step);
    if (step.op == kOpSelect) {
      PutSelect(step);
    } else if (OperandCount(step.op) == 2) {
      PutBinary(step);
    } else {
      PutUnary(step);
    }
    if (step.adds == ProgramStep::kSum) {
      PutSum(step.sum);
    } else {
      Hold(step.to, readers);
      if (step.adds == ProgramStep::kColumnSum) AddColumns(step, step.to);
    }
  }

  bool IsWrittenOnce(uint16_t slot) const { return IsIn(Space::kOutput, slot) && writes_[slot] == 1; }

  // From where it is read from then on, if it is not kept.
  void CopyToOutput(const ProgramStep& step) {
    CountRead();
    PutStore(step.to);
    if (!is_tile_ || (CanKeep() && Find(kNothing) != nullptr)) return;
    if (std::exchange(is_wanted_, false)) lies_[held_] = step.to;
  }

  void PutUnary(const ProgramStep& step) {
    Bring(step.a);
    uint32_t first = 0;
    if (step.op == kOpAbs) first = ChainStep::kAbs;
    if (step.op == kOpSquare) first = ChainStep::kSquare;
    if (first != 0 && (before_ & (ChainStep::kAbs | ChainStep::kSquare)) == 0) {
      before_ |= first;
    } else {
      Put(ChainOpsOf(step.op).plain.tile);
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
    uint16_t x = step.a, p = step.b;
    // What registers hold stays there; a scalar is best the other one.
    const auto cost = [&](uint16_t slot) {
      return slot == held_ ? 0 : Find(slot) != nullptr ? 1 : IsIn(Space::kScalar, slot) ? 3 : 2;
    };
    const bool is_reversed = cost(p) < cost(x);
    if (is_reversed) std::swap(x, p);
    Bring(x);
    if (PutClip(step.op, p)) return;
    const ChainOps ops = ChainOpsOf(step.op);
    const ChainOps::Of& of = is_reversed ? ops.reversed : ops.plain;
    if (Kept* const kept = Find(p)) {
      if (const uint32_t then = ThenOf(step.op, is_reversed); then != 0 && CanGoOn()) {
        chain_.back().does |= then | (kept == &z_ ? ChainStep::kWithZ : 0);
      } else {
        Put(kept == &y_ ? of.y : of.z);
      }
      CountRead(kept);
    } else {
      Put(IsIn(Space::kScalar, p) ? of.scalar : of.tile, p);
    }
  }

  // The last step may operate once more.
  bool CanGoOn() const { return !chain_.empty() && before_ == 0 && (chain_.back().does & ChainStep::kAfterwards) == 0; }
  static uint32_t ThenOf(uint32_t op, bool is_reversed) {
    if (op == kOpSub) return is_reversed ? ChainStep::kThenReversedSub : ChainStep::kThenSub;
    return op == kOpAdd ? ChainStep::kThenAdd : op == kOpMul ? ChainStep::kThenMul : 0;
  }

  // A limit after the other one, both of them numbers.
  bool PutClip(uint32_t op, uint16_t limit) {
    if ((op != kOpMin && op != kOpMax) || !CanGoOn()) return false;
    ChainStep& last = chain_.back();
    const ChainOps::Of& other = ChainOpsOf(op == kOpMin ? kOpMax : kOpMin).plain;
    const ChainOps::Of& reversed = ChainOpsOf(op == kOpMin ? kOpMax : kOpMin).reversed;
    if (last.op != other.scalar && last.op != reversed.scalar) return false;
    const uint16_t low = op == kOpMin ? last.p : limit, high = op == kOpMin ? limit : last.p;
    if (!IsLimit(low) || !IsLimit(high) || !(Constant(low) <= Constant(high))) return false;
    last.op = kChainClip;
    last.p = low;
    last.q = high;
    last.p_mask = last.q_mask = 0;
    return true;
  }

  double Constant(uint16_t slot) const { return program_.constants[constants_.at(slot)]; }
  // Other than 0 in every dtype.
  bool IsLimit(uint16_t slot) const {
    return constants_.count(slot) != 0 && std::abs(Constant(slot)) >= std::numeric_limits<float>::min();
  }

  // Sums of columns are of what lies in memory.
  void AddColumns(ProgramStep step, uint16_t of) {
    EndChain();
    step.op = kOpSum;
    step.a = lies_[of];
    stages_.push_back({{}, step});
  }

  void AddCostly(ProgramStep step) {
    // A scalar is a vector over and over only within a chain.
    if (!IsIn(Space::kScalar, step.to)) {
      Spread(kSpareA, &step.a);
      Spread(kSpareB, &step.b);
    }
    EndChain();
    for (uint16_t* const operand : {&step.a, &step.b}) *operand = lies_[*operand];
    lies_[step.to] = step.to;
    if (step.with_slope) lies_[step.c] = step.c;
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
      if (IsIn(Space::kTile, slot)) *mask = 0;
    };
    for (ChainStep& step : *chain) {
      shorten(step.from, &step.from_mask);
      shorten(step.p, &step.p_mask);
      shorten(step.q, &step.q_mask);
      shorten(step.to, &step.to_mask);
    }
  }

  const Program& program_;
  std::map<uint16_t, uint32_t> constants_;  // of Program::constants, by slot
  std::vector<size_t> writes_;              // by slot
  std::vector<Readers> readers_;            // by slot
  std::vector<Readers> values_;             // by step
  std::vector<uint16_t> lies_;              // where a slot's value does, by slot
  std::vector<ProgramStage> stages_;
  std::vector<ChainStep> chain_;
  uint32_t before_ = 0;  // what the next step does before it operates
  uint16_t from_ = kSpare;
  uint16_t held_ = kNothing;  // the slot whose value x holds
  bool is_tile_ = false;      // which lasts no longer than it is read
  bool is_wanted_ = false;    // it is not stored, and has to be
  bool in_chain_ = false;     // y or z will do
  size_t reads_left_ = 0;
  Kept y_, z_;
};

}  // namespace

bool IsOneChain(const std::vector<ProgramStage>& stages) { return stages.size() == 1 && !stages.front().chain.empty(); }

std::vector<ProgramStage> MakeStages(const Program& program, const std::vector<ProgramStep>& steps) {
  return StageMaker(program).Make(steps);
}

}  // namespace simdloss
