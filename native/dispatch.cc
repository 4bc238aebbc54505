// SPDX-License-Identifier: Apache-2.0
#include "native/dispatch.h"

#include <atomic>

#include "native/kernels/targets.h"
// After targets.h: reads its macros.
#include "hwy/detect_targets.h"
#include "hwy/x86_cpuid.h"

namespace simdloss {
namespace {

constexpr uint32_t Bit(int target) { return 1u << target; }

constexpr uint32_t kCompiled =
    ((HWY_TARGETS & HWY_SCALAR) ? Bit(kScalar) : 0) | ((HWY_TARGETS & HWY_SSE2) ? Bit(kSse2) : 0) |
    ((HWY_TARGETS & HWY_AVX2) ? Bit(kAvx2) : 0) | ((HWY_TARGETS & HWY_AVX3) ? Bit(kAvx3) : 0) |
    ((HWY_TARGETS & HWY_NEON_WITHOUT_AES) ? Bit(kNeon) : 0) | ((HWY_TARGETS & HWY_WASM) ? Bit(kWasm) : 0);

#if HWY_ARCH_X86_64
// Asked of the CPU itself: __builtin_cpu_supports is 0 for everything with the runtime library of some compilers (zig).
struct Registers {
  uint32_t eax, ebx, ecx, edx;
};

Registers Cpuid(uint32_t leaf, uint32_t subleaf) {
  uint32_t abcd[4];
  hwy::x86::Cpuid(leaf, subleaf, abcd);
  return {abcd[0], abcd[1], abcd[2], abcd[3]};
}

constexpr bool HasAll(uint32_t bits, uint32_t mask) { return (bits & mask) == mask; }

// Which vector registers the operating system saves: XCR0.
uint32_t SavedRegisters() {
  constexpr uint32_t kOsxsave = Bit(27);
  if (!HasAll(Cpuid(1, 0).ecx, kOsxsave)) return 0;
  uint32_t low, high;
  __asm__ volatile("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
  return low;
}

bool HasAvx2() {
  constexpr uint32_t kYmm = Bit(1) | Bit(2);
  constexpr uint32_t kFmaAvxF16c = Bit(12) | Bit(28) | Bit(29);
  constexpr uint32_t kBmi1Avx2Bmi2 = Bit(3) | Bit(5) | Bit(8);
  constexpr uint32_t kLzcnt = Bit(5);
  return Cpuid(0, 0).eax >= 7 && HasAll(SavedRegisters(), kYmm) && HasAll(Cpuid(1, 0).ecx, kFmaAvxF16c) &&
         HasAll(Cpuid(7, 0).ebx, kBmi1Avx2Bmi2) && HasAll(Cpuid(0x80000001u, 0).ecx, kLzcnt);
}

// Beyond AVX2.
bool HasAvx3() {
  constexpr uint32_t kZmm = Bit(5) | Bit(6) | Bit(7);
  constexpr uint32_t kFDqCdBwVl = Bit(16) | Bit(17) | Bit(28) | Bit(30) | Bit(31);
  return HasAll(SavedRegisters(), kZmm) && HasAll(Cpuid(7, 0).ebx, kFDqCdBwVl);
}
#endif

// What each target's code may use, asked of the CPU and the operating system.
uint32_t DetectTargets() {
  uint32_t targets = kCompiled;
#if HWY_ARCH_X86_64
  const bool avx2 = HasAvx2();
  const bool avx3 = avx2 && HasAvx3();
  if (!avx2) targets &= ~Bit(kAvx2);
  if (!avx3) targets &= ~Bit(kAvx3);
#endif
  return targets;
}

int Best(uint32_t targets) {
  int best = kScalar;
  for (int i = 0; i < kTargets; ++i) {
    if (targets & Bit(i)) best = i;
  }
  return best;
}

std::atomic<int>& Chosen() {
  static std::atomic<int> chosen{Best(SupportedTargets())};
  return chosen;
}

}  // namespace

const char* TargetName(int target) {
  static constexpr const char* kNames[kTargets] = {"SCALAR", "SSE2", "AVX2", "AVX3", "NEON", "WASM"};
  return kNames[target];
}

uint32_t SupportedTargets() {
  static const uint32_t targets = DetectTargets();
  return targets;
}

int ChosenTarget() { return Chosen().load(std::memory_order_relaxed); }

bool ForceTarget(int target) {
  if (target < 0 || target >= kTargets || !(SupportedTargets() & Bit(target))) return false;
  Chosen().store(target, std::memory_order_relaxed);
  return true;
}

}  // namespace simdloss
