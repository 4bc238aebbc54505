// SPDX-License-Identifier: Apache-2.0
// Chains: runs of cheap instructions of a program, which a kernel works through for a few vectors at a time. The value
// made last stays in registers, the accumulator x, and two more beside it, y and z, as long as they are read; what no
// later instruction reads from elsewhere is never stored.
#ifndef SIMDLOSS_NATIVE_CHAIN_H_
#define SIMDLOSS_NATIVE_CHAIN_H_

#include <cstddef>
#include <cstdint>

namespace simdloss {

// f(a) and f(a, b) of a few processor instructions.
#define SIMDLOSS_CHEAP_UNARY_OPS(X) X(Neg) X(Abs) X(Sign) X(Square) X(Sqrt) X(Floor) X(Reciprocal)
#define SIMDLOSS_COMMUTATIVE_OPS(X) X(Add) X(Mul) X(Eq) X(Ne)
// f(b, a) is something else. Of Min and Max: the sign of a 0.
#define SIMDLOSS_REVERSIBLE_OPS(X) X(Sub) X(Div) X(Min) X(Max) X(Lt) X(Le)
#define SIMDLOSS_CHEAP_BINARY_OPS(X) SIMDLOSS_COMMUTATIVE_OPS(X) SIMDLOSS_REVERSIBLE_OPS(X)

// What a step does with x, y, z and operands p and q.
enum ChainOp : uint32_t {
  kChainNothing,
  kChainSelect,      // x ? p : q
  kChainSelectThen,  // p ? x : q
  kChainSelectElse,  // p ? q : x
  kChainClip,        // x within scalars p and q, neither of which is 0 or NaN
// f(x); f(x, p), where p may be a scalar, f(x, y) and f(x, z)
#define SIMDLOSS_X(name) kChain##name,
  SIMDLOSS_CHEAP_UNARY_OPS(SIMDLOSS_X) SIMDLOSS_CHEAP_BINARY_OPS(SIMDLOSS_X)
#undef SIMDLOSS_X
#define SIMDLOSS_X(name) kChain##name##Scalar, kChain##name##Y, kChain##name##Z,
      SIMDLOSS_CHEAP_BINARY_OPS(SIMDLOSS_X)
#undef SIMDLOSS_X
// f(p, x), f(y, x) and f(z, x)
#define SIMDLOSS_X(name) \
  kChainReversed##name, kChainReversed##name##Scalar, kChainReversed##name##Y, kChainReversed##name##Z,
          SIMDLOSS_REVERSIBLE_OPS(SIMDLOSS_X)
#undef SIMDLOSS_X
              kChainOps,
};

// Vectors that a chain holds at a time: x, y and z of them fill 24 of AVX-512's 32 registers. Measured for Huber,
// float32, score and gradient, in cache, ns an element: 8 .19, 10 .20.
constexpr size_t kChainVectors = 8;

// Brings x there and takes its size or square, operates on it, once more with y or z, stores it, keeps it as y or z and
// adds it to a sum; each if it is to. To get to another operation costs as much as the operation on a few vectors, a
// branch that goes the same way every time costs half a cycle: few are asked of each step.
struct ChainStep {
  // Of `does`.
  static constexpr uint32_t kLoad = 1 << 0;
  static constexpr uint32_t kRecall = 1 << 1;  // y or z to x
  static constexpr uint32_t kSwap = 1 << 2;    // x and y or z
  static constexpr uint32_t kOfZ = 1 << 3;
  static constexpr uint32_t kAbs = 1 << 4;
  static constexpr uint32_t kSquare = 1 << 5;
  static constexpr uint32_t kBefore = (1 << 6) - 1;
  static constexpr uint32_t kThenAdd = 1 << 6;  // f(x, y) or f(x, z)
  static constexpr uint32_t kThenMul = 1 << 7;
  static constexpr uint32_t kThenSub = 1 << 8;
  static constexpr uint32_t kThenReversedSub = 1 << 9;
  static constexpr uint32_t kThen = kThenAdd | kThenMul | kThenSub | kThenReversedSub;
  static constexpr uint32_t kWithZ = 1 << 10;
  static constexpr uint32_t kStore = 1 << 11;
  static constexpr uint32_t kKeep = 1 << 12;  // x to y or z
  static constexpr uint32_t kInZ = 1 << 13;
  static constexpr uint32_t kAdd = 1 << 14;
  static constexpr uint32_t kEnd = 1 << 15;
  static constexpr uint32_t kAfterwards = kThen | kStore | kKeep | kAdd | kEnd;

  ChainOp op;
  uint32_t does;
  uint16_t from, p, q, to;  // slots
  uint16_t sum;
  // Of the distance of an element from the first, in bytes: 0 for a scalar, of which each vector is the first.
  size_t from_mask, p_mask, q_mask, to_mask;
};

}  // namespace simdloss

#endif  // SIMDLOSS_NATIVE_CHAIN_H_
