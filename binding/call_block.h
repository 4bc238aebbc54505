// SPDX-License-Identifier: Apache-2.0
// The numbers of a call cross in one block that JavaScript and C++ share: writing a double to it is far cheaper than
// passing an argument. One block per environment; a call reads it at once and never keeps it.
#ifndef SIMDLOSS_BINDING_CALL_BLOCK_H_
#define SIMDLOSS_BINDING_CALL_BLOCK_H_

// Slot names; lib/native.ts reads their indices from the addon.
#define SIMDLOSS_SLOTS(X) \
  /* What to compute. */  \
  X(loss)                 \
  X(activation)           \
  X(rows)                 \
  X(cols)                 \
  X(labelCols)            \
  X(scale)                \
  X(clip)                 \
  X(beta)                 \
  X(mixtures)             \
  X(hasIgnore)            \
  X(ignoreHigh)           \
  X(ignoreLow)            \
  X(activationParam0)     \
  X(activationParam1)     \
  X(activationParam2)     \
  X(sparse)               \
  X(wantScore)            \
  /* Of async calls. */   \
  X(wantGradient)         \
  X(wantScoreArray)       \
  X(mostBytes)            \
  /* Of the arrays. */    \
  X(dtypes)               \
  /* Strides. */          \
  X(inputStride)          \
  X(labelStride)          \
  X(maskRowStride)        \
  X(maskColStride)        \
  X(alphaStride)          \
  X(outStride)            \
  /* Matrix products. */  \
  X(m)                    \
  X(n)                    \
  X(k)                    \
  X(lda)                  \
  X(ldb)                  \
  X(ldc)                  \
  X(transposeA)           \
  X(transposeB)           \
  /* Of ctcLoss. */       \
  X(steps)                \
  X(blank)                \
  X(labelLengthStride)    \
  X(logitLengthStride)    \
  X(upstreamStride)       \
  X(scoreStride)          \
  /* Results. */          \
  X(score)                \
  X(badRow)               \
  X(badPosition)

namespace simdloss {

enum Slot {
#define SIMDLOSS_X(name) kSlot_##name,
  SIMDLOSS_SLOTS(SIMDLOSS_X)
#undef SIMDLOSS_X
      kSlots,
};

}  // namespace simdloss

#endif  // SIMDLOSS_BINDING_CALL_BLOCK_H_
