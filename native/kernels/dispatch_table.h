// SPDX-License-Identifier: Apache-2.0
// SIMDLOSS_TABLE(fn) in a HWY_ONCE section: fn of every compiled target, indexed by Target (dispatch.h), null
// elsewhere.
#ifndef SIMDLOSS_NATIVE_KERNELS_DISPATCH_TABLE_H_
#define SIMDLOSS_NATIVE_KERNELS_DISPATCH_TABLE_H_

#include "hwy/highway.h"
#include "native/dispatch.h"

#if HWY_TARGETS & HWY_SCALAR
#define SIMDLOSS_SCALAR(fn) &N_SCALAR::fn
#else
#define SIMDLOSS_SCALAR(fn) nullptr
#endif
#if HWY_TARGETS & HWY_SSE2
#define SIMDLOSS_SSE2(fn) &N_SSE2::fn
#else
#define SIMDLOSS_SSE2(fn) nullptr
#endif
#if HWY_TARGETS & HWY_AVX2
#define SIMDLOSS_AVX2(fn) &N_AVX2::fn
#else
#define SIMDLOSS_AVX2(fn) nullptr
#endif
#if HWY_TARGETS & HWY_AVX3
#define SIMDLOSS_AVX3(fn) &N_AVX3::fn
#else
#define SIMDLOSS_AVX3(fn) nullptr
#endif
#if HWY_TARGETS & HWY_NEON_WITHOUT_AES
#define SIMDLOSS_NEON(fn) &N_NEON_WITHOUT_AES::fn
#else
#define SIMDLOSS_NEON(fn) nullptr
#endif
#if HWY_TARGETS & HWY_WASM
#define SIMDLOSS_WASM(fn) &N_WASM::fn
#else
#define SIMDLOSS_WASM(fn) nullptr
#endif

#define SIMDLOSS_TABLE(fn) \
  {SIMDLOSS_SCALAR(fn), SIMDLOSS_SSE2(fn), SIMDLOSS_AVX2(fn), SIMDLOSS_AVX3(fn), SIMDLOSS_NEON(fn), SIMDLOSS_WASM(fn)}

// Calls fn of the chosen target.
#define SIMDLOSS_DISPATCH(fn)                                                    \
  ([]() -> decltype(&HWY_NAMESPACE::fn) {                                        \
    static constexpr decltype(&HWY_NAMESPACE::fn) kTable[] = SIMDLOSS_TABLE(fn); \
    return kTable[::simdloss::ChosenTarget()];                                   \
  }())

#endif  // SIMDLOSS_NATIVE_KERNELS_DISPATCH_TABLE_H_
