// SPDX-License-Identifier: Apache-2.0
// Which instruction set runs: chosen once by what the CPU has, changed only by ForceTarget.
#ifndef SIMDLOSS_NATIVE_DISPATCH_H_
#define SIMDLOSS_NATIVE_DISPATCH_H_

#include <cstdint>

namespace simdloss {

// Slowest first within an architecture: the best supported target is the highest one.
enum Target : int { kScalar, kSse2, kAvx2, kAvx3, kNeon, kWasm, kTargets };

// Highway's name of a target: "SCALAR", "AVX2", "AVX3" ...
const char* TargetName(int target);

// Bit i is set when target i is compiled in and the CPU can run it.
uint32_t SupportedTargets();

// The target that every kernel runs on.
int ChosenTarget();

// False, and nothing changes, when the target is not supported here.
bool ForceTarget(int target);

}  // namespace simdloss

#endif  // SIMDLOSS_NATIVE_DISPATCH_H_
