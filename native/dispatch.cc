// SPDX-License-Identifier: Apache-2.0
#include "native/dispatch.h"

#include <atomic>

#include "native/kernels/targets.h"
// After targets.h: reads its macros.
#include "hwy/detect_targets.h"

namespace simdloss {
namespace {

constexpr uint32_t Bit(int target) { return 1u << target; }

constexpr uint32_t kCompiled =
    ((HWY_TARGETS & HWY_SCALAR) ? Bit(kScalar) : 0) | ((HWY_TARGETS & HWY_SSE2) ? Bit(kSse2) : 0) |
    ((HWY_TARGETS & HWY_AVX2) ? Bit(kAvx2) : 0) | ((HWY_TARGETS & HWY_AVX3) ? Bit(kAvx3) : 0) |
    ((HWY_TARGETS & HWY_NEON_WITHOUT_AES) ? Bit(kNeon) : 0) | ((HWY_TARGETS & HWY_WASM) ? Bit(kWasm) : 0);

// What each target's code may use, asked of the CPU and the operating system.
uint32_t DetectTargets() {
  uint32_t targets = kCompiled;
#if HWY_ARCH_X86_64
  __builtin_cpu_init();
  const bool avx2 = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") && __builtin_cpu_supports("bmi") &&
                    __builtin_cpu_supports("bmi2") && __builtin_cpu_supports("f16c") && __builtin_cpu_supports("lzcnt");
  const bool avx3 = avx2 && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
                    __builtin_cpu_supports("avx512cd") && __builtin_cpu_supports("avx512dq") &&
                    __builtin_cpu_supports("avx512vl");
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
