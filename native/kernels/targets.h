// SPDX-License-Identifier: Apache-2.0
// Which instruction sets the kernels are compiled for. Include before any Highway header.
#ifndef SIMDLOSS_NATIVE_KERNELS_TARGETS_H_
#define SIMDLOSS_NATIVE_KERNELS_TARGETS_H_

// The scalar target is always built: tests compare against it, odd machines run it.
#define HWY_COMPILE_ALL_ATTAINABLE
// EMU128 would take the place of SCALAR with some compilers; one name everywhere.
#define HWY_BROKEN_EMU128 1
// x86: SSE2, AVX2, AVX3. For this arithmetic the newer AVX-512 targets compile to the same instructions as AVX3,
// SSSE3 and SSE4 hardly differ from SSE2. ARM: the NEON every AArch64 has.
#define HWY_DISABLED_TARGETS                                                                                  \
  (HWY_AVX10_2 | HWY_AVX3_SPR | HWY_AVX3_ZEN4 | HWY_AVX3_DL | HWY_SSE4 | HWY_SSSE3 | HWY_ALL_SVE | HWY_NEON | \
   HWY_NEON_BF16)

#endif  // SIMDLOSS_NATIVE_KERNELS_TARGETS_H_
