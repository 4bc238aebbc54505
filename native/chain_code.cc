// SPDX-License-Identifier: Apache-2.0
#include "native/chain_code.h"

#include <atomic>
#include <iterator>
#include <map>
#include <type_traits>
#include <utility>

#include "native/assembler.h"
#include "native/dispatch.h"
#include "native/program_chains.h"

namespace simdloss {
namespace {

std::atomic<bool>& Uses() {
  static std::atomic<bool> uses{true};
  return uses;
}

// The operation of a step, and its second operand: `reversed`, it is the first.
struct Operation {
  uint32_t op = kOpCopy;
  enum From { kTile, kScalar, kY, kZ } from = kTile;
  bool reversed = false;
};

constexpr Operation OperationOf(ChainOp op) {
  switch (op) {
#define SIMDLOSS_X(name) \
  case kChain##name:     \
    return {kOp##name, Operation::kTile, false};
    SIMDLOSS_CHEAP_UNARY_OPS(SIMDLOSS_X)
#undef SIMDLOSS_X
#define SIMDLOSS_CASES(step, name, reversed)          \
  case kChain##step:                                  \
    return {kOp##name, Operation::kTile, reversed};   \
  case kChain##step##Scalar:                          \
    return {kOp##name, Operation::kScalar, reversed}; \
  case kChain##step##Y:                               \
    return {kOp##name, Operation::kY, reversed};      \
  case kChain##step##Z:                               \
    return {kOp##name, Operation::kZ, reversed};
#define SIMDLOSS_X(name) SIMDLOSS_CASES(name, name, false)
    SIMDLOSS_CHEAP_BINARY_OPS(SIMDLOSS_X)
#undef SIMDLOSS_X
#define SIMDLOSS_X(name) SIMDLOSS_CASES(Reversed##name, name, true)
    SIMDLOSS_REVERSIBLE_OPS(SIMDLOSS_X)
#undef SIMDLOSS_X
#undef SIMDLOSS_CASES
    default:
      return {};
  }
}

// Numbers that code reads.
template <class T>
struct alignas(32) CodeConstants {
  static constexpr size_t kLanes = 32 / sizeof(T);
  T sign[kLanes], one[kLanes];

  CodeConstants() {
    for (size_t i = 0; i < kLanes; ++i) {
      sign[i] = -T{0};
      one[i] = 1;
    }
  }
};

template <class T>
class ChainWriter {
  using Code = Assembler<T>;
  using Binary = typename Code::Binary;
  using Comparison = typename Code::Comparison;
  static constexpr bool kIsDouble = std::is_same_v<T, double>;
  static constexpr uint8_t kVectors = kCodeVectors;
  static constexpr int32_t kVectorBytes = 32;
  static constexpr Ymm kTemp{12}, kTemp2{13}, kTemp3{14}, kSign{15};
  static constexpr Gpr kAt = Gpr::kRdi, kBytes = Gpr::kRsi, kSums = Gpr::kRdx, kSpareGpr = Gpr::kRcx;

 public:
  explicit ChainWriter(std::vector<uint8_t>* code) : code_(code) {}

  size_t Write(const std::vector<ChainStep>& chain) {
    code_.Align(32);
    const CodeConstants<T> constants;
    const size_t sign = code_.here();
    one_ = sign + sizeof constants.sign;
    code_.Data(constants.sign, sizeof constants.sign);
    code_.Data(constants.one, sizeof constants.one);
    const size_t entry = code_.here();
    KeepPointers(chain);
    KeepSums(chain);
    code_.Load(kSign, Operand::InCode(sign));
    code_.ZeroIndex();
    const size_t start = code_.here();
    for (const ChainStep& step : chain) WriteStep(step);
    code_.Loop(start, kVectors * kVectorBytes, kBytes);
    for (const auto& [sum, first] : sums_) ForSum(sum, first, [&](Ymm r, const Operand& at) { code_.Store(r, at); });
    code_.ZeroUpper();
    code_.Return();
    return entry;
  }

 private:
  // A value: where its first vector lies, the others after it; a scalar's is all of them.
  struct Value {
    Operand first;
    bool is_scalar = false;

    Operand At(uint8_t k) const {
      Operand at = first;
      if (is_scalar) return at;
      at.reg.index += k;
      at.offset += k * kVectorBytes;
      return at;
    }
  };
  static Value InRegisters(uint8_t first) { return {Operand::Of({first})}; }
  static Ymm Of(uint8_t first, uint8_t k) { return {static_cast<uint8_t>(first + k)}; }

  // --- What lasts all of the loop ---

  // Pointers of the slots that are named first; others are read again each time.
  void KeepPointers(const std::vector<ChainStep>& chain) {
    const auto keep = [&](uint16_t slot) {
      constexpr Gpr kKept[] = {Gpr::kR8, Gpr::kR9, Gpr::kR10, Gpr::kR11};
      if (pointers_.size() == std::size(kKept) || pointers_.count(slot) != 0) return;
      const Gpr to = kKept[pointers_.size()];
      pointers_[slot] = to;
      code_.LoadPointer(to, kAt, slot);
    };
    for (const ChainStep& step : chain) {
      if (step.does & ChainStep::kLoad) keep(step.from);
      if (ReadsP(step)) keep(step.p);
      if (ReadsQ(step)) keep(step.q);
      if (step.does & ChainStep::kStore) keep(step.to);
    }
  }

  // Sums stay in registers where z is not used: a number on its way through memory takes as long as the rest of it all.
  void KeepSums(const std::vector<ChainStep>& chain) {
    uint8_t free = z_;
    for (const ChainStep& step : chain) {
      if (OperationOf(step.op).from == Operation::kZ) return;
      if (step.does & (ChainStep::kOfZ | ChainStep::kWithZ | ChainStep::kInZ)) return;
    }
    for (const ChainStep& step : chain) {
      constexpr uint8_t kEach = kIsDouble ? 2 : 1;
      if ((step.does & ChainStep::kAdd) == 0 || sums_.count(step.sum) != 0 || free + kEach > z_ + kVectors) continue;
      sums_[step.sum] = free;
      ForSum(step.sum, free, [&](Ymm r, const Operand& at) { code_.Load(r, at); });
      free += kEach;
    }
  }

  static Operand SumAt(uint16_t sum, size_t member) {
    return Operand::At(kSums, false, static_cast<int32_t>(sum * sizeof(LaneSums) + member));
  }
  template <class F>
  static void ForSum(uint16_t sum, uint8_t reg, F&& f) {
    f(Ymm{reg}, SumAt(sum, offsetof(LaneSums, total)));
    if (kIsDouble) f(Of(reg, 1), SumAt(sum, offsetof(LaneSums, error)));
  }

  // --- Steps ---

  static bool ReadsP(const ChainStep& step) {
    const Operation operation = OperationOf(step.op);
    const bool is_kept = operation.from == Operation::kY || operation.from == Operation::kZ;
    return ReadsQ(step) || (OperandCount(operation.op) == 2 && !is_kept);
  }
  static bool ReadsQ(const ChainStep& step) { return IsSelect(step.op) || step.op == kChainClip; }
  static bool IsSelect(ChainOp op) { return op == kChainSelect || op == kChainSelectThen || op == kChainSelectElse; }

  // For arrays longer than the second cache: the lines of a later round are on their way. Huber of 1024 x 1000 took
  // 0.93 of the time, of 8192 x 1000 0.9, in cache 1.01; half and twice as far, and prefetching the outputs too, gained
  // less.
  void FetchAhead(const Value& from) {
    if (!from.first.indexed) return;
    constexpr int32_t kAhead = 2048;
    for (int32_t line = 0; line < kVectors * kVectorBytes; line += 64) {
      Operand at = from.first;
      at.offset = kAhead + line;
      code_.Prefetch(at);
    }
  }

  // At most one value has to be read through the spare pointer at a time.
  Value InMemory(uint16_t slot, size_t mask) {
    const auto kept = pointers_.find(slot);
    if (kept == pointers_.end()) code_.LoadPointer(kSpareGpr, kAt, slot);
    return {Operand::At(kept == pointers_.end() ? kSpareGpr : kept->second, mask != 0, 0)};
  }

  void WriteStep(const ChainStep& step) {
    const uint32_t does = step.does;
    if (does & ChainStep::kLoad) {
      const Value from = InMemory(step.from, step.from_mask);
      for (uint8_t k = 0; k < kVectors; ++k) code_.Load(Of(x_, k), from.At(k));
      FetchAhead(from);
      lies_ = x_;
    } else if (does & ChainStep::kRecall) {
      lies_ = KeptIn((does & ChainStep::kOfZ) != 0);
    } else if (does & ChainStep::kSwap) {
      SwapWith((does & ChainStep::kOfZ) != 0);
    }
    if (does & ChainStep::kAbs) WriteUnary(kOpAbs);
    if (does & ChainStep::kSquare) WriteUnary(kOpSquare);
    WriteOperation(step);
    if (does & ChainStep::kThen) {
      const bool is_reversed = (does & ChainStep::kThenReversedSub) != 0;
      const uint32_t op = does & ChainStep::kThenAdd ? kOpAdd : does & ChainStep::kThenMul ? kOpMul : kOpSub;
      WriteBinary(op, is_reversed, InRegisters(KeptIn((does & ChainStep::kWithZ) != 0)));
    }
    if (does & ChainStep::kStore) {
      const Value to = InMemory(step.to, step.to_mask);
      for (uint8_t k = 0; k < kVectors; ++k) code_.Store(Of(lies_, k), to.At(k));
    }
    if (does & ChainStep::kKeep) Keep((does & ChainStep::kInZ) != 0);
    if (does & ChainStep::kAdd) WriteSum(step.sum);
  }

  uint8_t& KeptIn(bool z) { return z ? z_ : y_; }

  // No copies: registers change their names, and x may lie in what is y or z by name until it gets another value.
  void SwapWith(bool z) {
    Settle();
    std::swap(x_, KeptIn(z));
    lies_ = x_;
  }
  void Keep(bool z) {
    Settle();
    std::swap(x_, KeptIn(z));
    lies_ = KeptIn(z);
  }
  void Settle() {
    if (lies_ == x_) return;
    for (uint8_t k = 0; k < kVectors; ++k) code_.Load(Of(x_, k), Operand::Of(Of(lies_, k)));
    lies_ = x_;
  }

  void WriteOperation(const ChainStep& step) {
    if (step.op == kChainNothing) return;
    if (step.op == kChainClip) return WriteClip(step);
    if (IsSelect(step.op)) return WriteSelect(step);
    const Operation operation = OperationOf(step.op);
    if (OperandCount(operation.op) == 1) return WriteUnary(operation.op);
    if (operation.from == Operation::kTile) {
      const Value p = InMemory(step.p, step.p_mask);
      FetchAhead(p);
      return WriteBinary(operation.op, operation.reversed, p);
    }
    if (operation.from == Operation::kScalar) {
      code_.Load(kTemp, InMemory(step.p, 0).first);
      return WriteBinary(operation.op, operation.reversed, {Operand::Of(kTemp), true});
    }
    WriteBinary(operation.op, operation.reversed, InRegisters(KeptIn(operation.from == Operation::kZ)));
  }

  void WriteBinary(uint32_t op, bool reversed, const Value& b) {
    for (uint8_t k = 0; k < kVectors; ++k) WriteOrdered(op, reversed, k, b.At(k));
    lies_ = x_;
  }

  void WriteOrdered(uint32_t op, bool reversed, uint8_t k, Operand b) {
    const Ymm to = Of(x_, k), x = Of(lies_, k);
    if (!reversed) return WriteBinary(op, to, x, b);
    if (b.kind != Operand::Kind::kRegister) {
      code_.Load(kTemp, b);
      b = Operand::Of(kTemp);
    }
    WriteBinary(op, to, b.reg, Operand::Of(x));
  }

  // The formulas are those of kernels/chain-inl.h.
  void WriteBinary(uint32_t op, Ymm to, Ymm a, const Operand& b) {
    switch (op) {
      case kOpAdd:
        return code_.Do(Binary::kAdd, to, a, b);
      case kOpSub:
        return code_.Do(Binary::kSub, to, a, b);
      case kOpMul:
        return code_.Do(Binary::kMul, to, a, b);
      case kOpDiv:
        return code_.Do(Binary::kDiv, to, a, b);
      case kOpMin:
      case kOpMax:
        code_.Do(op == kOpMin ? Binary::kMin : Binary::kMax, kTemp2, a, b);
        code_.Compare(Comparison::kUnordered, kTemp3, a, Operand::Of(a));
        return code_.Blend(to, kTemp2, Operand::Of(a), kTemp3);
      case kOpLt:
      case kOpLe:
      case kOpEq:
      case kOpNe: {
        const Comparison how = op == kOpLt ? Comparison::kLt : op == kOpLe ? Comparison::kLe : Comparison::kEq;
        code_.Compare(how, kTemp2, a, b);
        return code_.Do(op == kOpNe ? Binary::kAndNot : Binary::kAnd, to, kTemp2, Operand::InCode(one_));
      }
    }
  }

  void WriteUnary(uint32_t op) {
    for (uint8_t k = 0; k < kVectors; ++k) WriteUnary(op, Of(x_, k), Of(lies_, k));
    lies_ = x_;
  }

  void WriteUnary(uint32_t op, Ymm to, Ymm a) {
    switch (op) {
      case kOpNeg:
        return code_.Do(Binary::kXor, to, a, Operand::Of(kSign));
      case kOpAbs:
        return code_.Do(Binary::kAndNot, to, kSign, Operand::Of(a));
      case kOpSquare:
        return code_.Do(Binary::kMul, to, a, Operand::Of(a));
      case kOpSqrt:
        return code_.Sqrt(to, a);
      case kOpFloor:
        return code_.Floor(to, a);
      case kOpReciprocal:
        code_.Load(kTemp, Operand::InCode(one_));
        return code_.Do(Binary::kDiv, to, kTemp, Operand::Of(a));
      case kOpSign:
        // |a| > 0 ? 1 with the sign of a : a
        code_.Do(Binary::kAndNot, kTemp, kSign, Operand::Of(a));
        code_.Do(Binary::kXor, kTemp2, kTemp2, Operand::Of(kTemp2));
        code_.Compare(Comparison::kGt, kTemp, kTemp, Operand::Of(kTemp2));
        code_.Do(Binary::kAnd, kTemp2, kSign, Operand::Of(a));
        code_.Do(Binary::kOr, kTemp2, kTemp2, Operand::InCode(one_));
        return code_.Blend(to, a, Operand::Of(kTemp2), kTemp);
    }
  }

  void WriteClip(const ChainStep& step) {
    code_.Load(kTemp, InMemory(step.p, 0).first);
    code_.Load(kTemp2, InMemory(step.q, 0).first);
    for (uint8_t k = 0; k < kVectors; ++k) {
      code_.Do(Binary::kMax, Of(x_, k), kTemp, Operand::Of(Of(lies_, k)));
      code_.Do(Binary::kMin, Of(x_, k), kTemp2, Operand::Of(Of(x_, k)));
    }
    lies_ = x_;
  }

  // condition != 0 ? then : otherwise, x being one of the three.
  void WriteSelect(const ChainStep& step) {
    const auto read = [&](uint16_t slot, size_t mask, uint8_t k, Ymm to) {
      code_.Load(to, InMemory(slot, mask).At(k));
      return to;
    };
    for (uint8_t k = 0; k < kVectors; ++k) {
      const Ymm x = Of(lies_, k);
      const Ymm p = read(step.p, step.p_mask, k, kTemp), q = read(step.q, step.q_mask, k, kTemp2);
      const Ymm condition = step.op == kChainSelect ? x : p;
      const Ymm then = step.op == kChainSelect ? p : step.op == kChainSelectThen ? x : q;
      const Ymm otherwise = step.op == kChainSelectElse ? x : q;
      code_.Do(Binary::kXor, kTemp3, kTemp3, Operand::Of(kTemp3));
      code_.Compare(Comparison::kEq, kTemp3, condition, Operand::Of(kTemp3));
      code_.Blend(Of(x_, k), then, Operand::Of(otherwise), kTemp3);
    }
    lies_ = x_;
  }

  // The vectors' sum, by halves, to the sum; WideSum has the formulas.
  void WriteSum(uint16_t sum) {
    const auto kept = sums_.find(sum);
    const auto member = [&](uint8_t index, size_t offset) {
      return kept == sums_.end() ? SumAt(sum, offset) : Operand::Of(Of(kept->second, index));
    };
    const Operand total = member(0, offsetof(LaneSums, total));
    code_.Do(Binary::kAdd, kTemp, Of(lies_, 0), Operand::Of(Of(lies_, 1)));
    code_.Do(Binary::kAdd, kTemp2, Of(lies_, 2), Operand::Of(Of(lies_, 3)));
    code_.Do(Binary::kAdd, kTemp, kTemp, Operand::Of(kTemp2));
    if constexpr (kIsDouble) {
      const Operand error = member(1, offsetof(LaneSums, error));
      code_.Do(Binary::kAdd, kTemp2, kTemp, total);
      code_.Do(Binary::kSub, kTemp3, kTemp2, total);  // what of v has arrived
      code_.Do(Binary::kSub, kTemp, kTemp, Operand::Of(kTemp3));
      code_.Do(Binary::kSub, kTemp3, kTemp2, Operand::Of(kTemp3));
      code_.Do(Binary::kSub, kTemp3, kTemp3, total);
      code_.Do(Binary::kSub, kTemp, kTemp, Operand::Of(kTemp3));
      code_.Do(Binary::kAdd, kTemp, kTemp, error);
      code_.Store(kTemp, error);
      code_.Store(kTemp2, total);
    } else {
      Assembler<double> wide = code_.Wide();
      code_.PromoteLower(kTemp2, kTemp);
      code_.UpperHalf(kTemp, kTemp);
      code_.PromoteLower(kTemp, kTemp);
      wide.Do(Assembler<double>::Binary::kAdd, kTemp, kTemp2, Operand::Of(kTemp));
      wide.Do(Assembler<double>::Binary::kAdd, kTemp, kTemp, total);
      wide.Store(kTemp, total);
    }
  }

  Code code_;
  size_t one_ = 0;                                   // in the code
  uint8_t x_ = 0, y_ = kVectors, z_ = 2 * kVectors;  // first registers
  uint8_t lies_ = 0;                                 // that of x's value
  std::map<uint16_t, Gpr> pointers_;                 // kept, by slot
  std::map<uint16_t, uint8_t> sums_;                 // kept, first registers by index
};

}  // namespace

bool CanRunChainCode() {
#if defined(__x86_64__)
  return (SupportedTargets() & (1u << kAvx2)) != 0 && Uses().load(std::memory_order_relaxed);
#else
  return false;
#endif
}

bool UsesChainCode() {
  const int target = ChosenTarget();
  return (target == kAvx2 || target == kAvx3) && Uses().load(std::memory_order_relaxed);
}

void UseChainCode(bool use) { Uses().store(use, std::memory_order_relaxed); }

template <class T>
size_t WriteChain(const std::vector<ChainStep>& chain, std::vector<uint8_t>* code) {
  return ChainWriter<T>(code).Write(chain);
}

template size_t WriteChain<float>(const std::vector<ChainStep>&, std::vector<uint8_t>*);
template size_t WriteChain<double>(const std::vector<ChainStep>&, std::vector<uint8_t>*);

}  // namespace simdloss
