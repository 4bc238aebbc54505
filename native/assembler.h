// SPDX-License-Identifier: Apache-2.0
// Writes instructions of x86-64: AVX2's on whole vectors, and what a loop over memory needs besides. Encodings are
// those of Intel's Software Developer's Manual, volume 2.
#ifndef SIMDLOSS_NATIVE_ASSEMBLER_H_
#define SIMDLOSS_NATIVE_ASSEMBLER_H_

#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <type_traits>
#include <vector>

namespace simdloss {

// General registers, those that a function may change under the System V ABI.
enum class Gpr : uint8_t { kRax = 0, kRcx = 1, kRdx = 2, kRsi = 6, kRdi = 7, kR8 = 8, kR9 = 9, kR10 = 10, kR11 = 11 };

// A vector register, ymm0 ... ymm15.
struct Ymm {
  uint8_t index;
};

// Where an operand lies: a register, [base + index + offset], or an offset in the code itself.
struct Operand {
  enum class Kind : uint8_t { kRegister, kMemory, kCode } kind;
  Ymm reg{};
  Gpr base{};
  bool indexed = false;  // by rax
  int32_t offset = 0;

  static Operand Of(Ymm reg) { return {Kind::kRegister, reg}; }
  static Operand At(Gpr base, bool indexed, int32_t offset) { return {Kind::kMemory, {}, base, indexed, offset}; }
  static Operand InCode(size_t at) { return {Kind::kCode, {}, {}, false, static_cast<int32_t>(at)}; }
};

// Instructions on vectors of T.
template <class T>
class Assembler {
  static constexpr bool kDouble = std::is_same_v<T, double>;

 public:
  // to = f(a, b).
  enum class Binary : uint8_t {
    kAnd = 0x54,
    kAndNot = 0x55,  // ~a & b
    kOr = 0x56,
    kXor = 0x57,
    kAdd = 0x58,
    kMul = 0x59,
    kSub = 0x5C,
    kMin = 0x5D,  // a < b ? a : b
    kDiv = 0x5E,
    kMax = 0x5F,  // a > b ? a : b
  };
  // Ordered but for the last: false where either is NaN.
  enum class Comparison : uint8_t { kEq = 0x00, kLt = 0x11, kLe = 0x12, kGt = 0x1E, kUnordered = 0x03 };

  explicit Assembler(std::vector<uint8_t>* code) : code_(*code) {}

  // The same code's instructions on double.
  Assembler<double> Wide() { return Assembler<double>(&code_); }

  size_t here() const { return code_.size(); }
  void Align(size_t bytes) {
    while (here() % bytes != 0) Byte(0x90);
  }
  void Data(const void* data, size_t bytes) {
    const auto* const first = static_cast<const uint8_t*>(data);
    code_.insert(code_.end(), first, first + bytes);
  }

  void Load(Ymm to, const Operand& from) { Vex(k0F, kPacked, 0x10, to, kNone, from); }
  void Store(Ymm from, const Operand& to) { Vex(k0F, kPacked, 0x11, from, kNone, to); }
  void Do(Binary op, Ymm to, Ymm a, const Operand& b) { Vex(k0F, kPacked, static_cast<uint8_t>(op), to, a, b); }
  void Sqrt(Ymm to, Ymm a) { Vex(k0F, kPacked, 0x51, to, kNone, Operand::Of(a)); }
  void Compare(Comparison how, Ymm to, Ymm a, const Operand& b) {
    Vex(k0F, kPacked, 0xC2, to, a, b, {static_cast<uint8_t>(how)});
  }
  // Into the first cache; an address that is not readable is ignored.
  void Prefetch(const Operand& at) {
    constexpr uint8_t kT0 = 1 << 3;
    if (High(at.base) != 0) Byte(0x41);
    Bytes({0x0F, 0x18});
    Address(kT0, at);
  }
  void Floor(Ymm to, Ymm a) { Vex(k0F3A, k66, kDouble ? 0x09 : 0x08, to, kNone, Operand::Of(a), {0x09}); }
  // to = mask ? yes : no, by lanes.
  void Blend(Ymm to, Ymm no, const Operand& yes, Ymm mask) {
    Vex(k0F3A, k66, kDouble ? 0x4B : 0x4A, to, no, yes, {static_cast<uint8_t>(mask.index << 4)});
  }
  // The lower half of float lanes, as double.
  void PromoteLower(Ymm to, Ymm a) { Vex(k0F, kPlain, 0x5A, to, kNone, Operand::Of(a)); }
  void UpperHalf(Ymm to, Ymm a) { Vex(k0F3A, k66, 0x19, a, kNone, Operand::Of(to), {1}); }
  void ZeroUpper() { Bytes({0xC5, 0xF8, 0x77}); }

  // to = table[slot] of pointers.
  void LoadPointer(Gpr to, Gpr table, size_t slot) {
    Bytes({static_cast<uint8_t>(0x48 | (High(to) << 2) | High(table)), 0x8B,
           static_cast<uint8_t>(0x80 | Low(to) << 3 | Low(table))});
    Word(static_cast<int32_t>(slot * 8));
  }
  void ZeroIndex() { Bytes({0x31, 0xC0}); }
  // Adds to the index, and goes back as long as it is below `end`.
  void Loop(size_t start, int32_t step, Gpr end) {
    Bytes({0x48, 0x05});
    Word(step);
    Bytes({static_cast<uint8_t>(0x48 | (High(end) << 2)), 0x39, static_cast<uint8_t>(0xC0 | Low(end) << 3)});
    Bytes({0x0F, 0x82});
    Word(static_cast<int32_t>(start) - static_cast<int32_t>(here() + 4));
  }
  void Return() { Byte(0xC3); }

 private:
  enum Map : uint8_t { k0F = 1, k0F3A = 3 };
  enum Prefix : uint8_t { kPlain = 0, k66 = 1, kPacked = kDouble ? k66 : kPlain };
  static constexpr Ymm kNone{0};  // encoded as no register

  static uint8_t High(Gpr reg) { return static_cast<uint8_t>(reg) >> 3; }
  static uint8_t Low(Gpr reg) { return static_cast<uint8_t>(reg) & 7; }

  // What comes after the operation: immediates are at most one byte.
  void Vex(Map map, Prefix prefix, uint8_t op, Ymm reg, Ymm a, const Operand& b,
           std::initializer_list<uint8_t> immediate = {}) {
    const bool is_register = b.kind == Operand::Kind::kRegister;
    const uint8_t high_b = is_register ? b.reg.index >> 3 : b.kind == Operand::Kind::kMemory ? High(b.base) : 0;
    // The index, rax, needs no bit. Bits of registers are inverted.
    Bytes({0xC4, static_cast<uint8_t>((~(reg.index >> 3) & 1) << 7 | 1 << 6 | (~high_b & 1) << 5 | map),
           static_cast<uint8_t>((~a.index & 15) << 3 | 1 << 2 | prefix), op});
    const uint8_t middle = static_cast<uint8_t>((reg.index & 7) << 3);
    if (is_register) {
      Byte(static_cast<uint8_t>(0xC0 | middle | (b.reg.index & 7)));
    } else if (b.kind == Operand::Kind::kCode) {
      Byte(static_cast<uint8_t>(middle | 5));
      Word(b.offset - static_cast<int32_t>(here() + 4 + immediate.size()));
    } else {
      Address(middle, b);
    }
    Bytes(immediate);
  }

  // [base + index + offset], with the bits in the middle of its first byte.
  void Address(uint8_t middle, const Operand& at) {
    const bool is_short = at.offset >= -128 && at.offset < 128;
    Byte(static_cast<uint8_t>((is_short ? 0x40 : 0x80) | middle | (at.indexed ? 4 : Low(at.base))));
    if (at.indexed) Byte(Low(at.base));
    is_short ? Byte(static_cast<uint8_t>(at.offset)) : Word(at.offset);
  }

  void Byte(uint8_t byte) { code_.push_back(byte); }
  void Bytes(std::initializer_list<uint8_t> bytes) { code_.insert(code_.end(), bytes); }
  void Word(int32_t word) {
    for (int i = 0; i < 4; ++i) Byte(static_cast<uint8_t>(static_cast<uint32_t>(word) >> (8 * i)));
  }

  std::vector<uint8_t>& code_;
};

}  // namespace simdloss

#endif  // SIMDLOSS_NATIVE_ASSEMBLER_H_
