// SPDX-License-Identifier: Apache-2.0
// Chains as machine code. The interpreter, kernels/chain-inl.h, needs as long to get to an operation as the operation
// takes; here operations follow one another, and x, y and z are registers. Elements come out the same to the bit; sums
// are of shorter stretches of floats.
#ifndef SIMDLOSS_NATIVE_CHAIN_CODE_H_
#define SIMDLOSS_NATIVE_CHAIN_CODE_H_

#include <cstddef>
#include <cstdint>
#include <vector>

#include "native/chain.h"
#include "native/lane_sums.h"

namespace simdloss {

#if defined(__x86_64__)
#define SIMDLOSS_CODE_ABI __attribute__((sysv_abi))  // of Windows too: the caller keeps what its own ABI asks for
#else
#define SIMDLOSS_CODE_ABI
#endif

// Vectors of AVX2 that a chain's code holds at a time: x, y and z of them leave four of the 16 registers.
constexpr size_t kCodeVectors = 4;
template <class T>
constexpr size_t kCodeElements = kCodeVectors * 32 / sizeof(T);

// The chain over the elements up to `bytes`, whole groups of kCodeElements and at least one: the table of slots; sums
// by their index.
using ChainFunction = void SIMDLOSS_CODE_ABI(const void* at, size_t bytes, LaneSums* sums);

// Whether chains are to run as machine code where they can. At first they are.
void UseChainCode(bool use);

// Could they, on any target of this processor?
bool CanRunChainCode();

// Do they on the target that is chosen? AVX2 and AVX3 have code.
bool UsesChainCode();

// Appends the chain's code for T, and gives where it begins.
template <class T>
size_t WriteChain(const std::vector<ChainStep>& chain, std::vector<uint8_t>* code);

}  // namespace simdloss

#endif  // SIMDLOSS_NATIVE_CHAIN_CODE_H_
