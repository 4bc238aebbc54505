// SPDX-License-Identifier: Apache-2.0
// From checked instructions, one by one, to the stages that they are carried out in.
#ifndef SIMDLOSS_NATIVE_PROGRAM_CHAINS_H_
#define SIMDLOSS_NATIVE_PROGRAM_CHAINS_H_

#include <vector>

#include "native/program.h"

namespace simdloss {

// Slots for what is not kept: results that are only added up, and costly operands that have to be spread.
enum : uint16_t { kSpare, kSpareA, kSpareB, kSpares };

// How many operands an operation has.
uint32_t OperandCount(uint32_t op);

// Its tiles may be as short as the chain is wide: it runs over any number of elements.
bool IsOneChain(const std::vector<ProgramStage>& stages);

std::vector<ProgramStage> MakeStages(const Program& program, const std::vector<ProgramStep>& steps);

}  // namespace simdloss

#endif  // SIMDLOSS_NATIVE_PROGRAM_CHAINS_H_
