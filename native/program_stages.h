// SPDX-License-Identifier: Apache-2.0
// The per-target functions that programs are carried out with, as in stages.h.
#ifndef SIMDLOSS_NATIVE_PROGRAM_STAGES_H_
#define SIMDLOSS_NATIVE_PROGRAM_STAGES_H_

#include <cstddef>

#include "native/chain.h"
#include "native/lane_sums.h"
#include "native/program.h"

namespace simdloss {

template <class T>
struct ProgramStages {
  // By opcode: `to`, which may be an operand, of whole vectors. Of the costly operations.
  void (*compute[kFirstActivation])(const T* a, const T* b, T* to, size_t count);
  // A chain for elements `begin` ... `count`, worked through in whole vectors; the table of slots; sums by their index.
  void (*chain)(const ChainStep* steps, T* const* at, size_t begin, size_t count, LaneSums* sums);
  // Over each row; `out` has room for a whole vector. The maximum is NaN where any element is.
  void (*row_sums)(const T* x, size_t stride, size_t rows, size_t cols, T* out);
  void (*row_maxima)(const T* x, size_t stride, size_t rows, size_t cols, T* out);
  // sums[i] += x[i], of any number.
  void (*add_to_sums)(const T* x, size_t count, double* sums);
};

template <class T>
const ProgramStages<T>& ChosenProgramStages();

}  // namespace simdloss

#endif  // SIMDLOSS_NATIVE_PROGRAM_STAGES_H_
