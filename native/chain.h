// SPDX-License-Identifier: Apache-2.0
// Chains: runs of cheap instructions of a program, which a kernel works through for a few vectors at a time. The value
// made last stays in registers, the accumulator; what no later instruction reads from elsewhere is never stored.
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

// What a step does with the accumulator x and operands p and q.
enum ChainOp : uint32_t {
  kChainNothing,
  kChainSelect,      // x ? p : q
  kChainSelectThen,  // p ? x : q
  kChainSelectElse,  // p ? q : x
// f(x), f(x, p), and where p is a scalar
#define SIMDLOSS_X(name) kChain##name,
  SIMDLOSS_CHEAP_UNARY_OPS(SIMDLOSS_X) SIMDLOSS_CHEAP_BINARY_OPS(SIMDLOSS_X)
#undef SIMDLOSS_X
#define SIMDLOSS_X(name) kChain##name##Scalar,
      SIMDLOSS_CHEAP_BINARY_OPS(SIMDLOSS_X)
#undef SIMDLOSS_X
// f(p, x)
#define SIMDLOSS_X(name) kChainReversed##name, kChainReversed##name##Scalar,
          SIMDLOSS_REVERSIBLE_OPS(SIMDLOSS_X)
#undef SIMDLOSS_X
              kChainOps,
};

// Vectors that a chain holds at a time. Measured for Huber, float32 on AVX-512, score and gradient, in cache, ns an
// element: 4 .94, 8 .54, 12 .93, 16 .55.
constexpr size_t kChainVectors = 8;

// Loads x, operates on it, stores it and adds it to a sum; each if it is to. To get to another operation costs as much
// as the operation on a few vectors, a branch that goes the same way every time costs little.
struct ChainStep {
  enum Does : uint32_t { kLoad = 1, kStore = 2, kAdd = 4, kEnd = 8, kAfterwards = kStore | kAdd | kEnd };
  ChainOp op;
  uint32_t does;
  uint16_t from, p, q, to;  // slots
  uint16_t sum;
  // Of the distance of an element from the first, in bytes: 0 for a scalar, of which each vector is the first.
  size_t from_mask, p_mask, q_mask, to_mask;
};

}  // namespace simdloss

#endif  // SIMDLOSS_NATIVE_CHAIN_H_
