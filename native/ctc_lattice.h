// SPDX-License-Identifier: Apache-2.0
// What ctc.cc hands to its kernels: the states of one example, and sums over the paths through them.
//
// Blank i stands before label i, the last blank after all labels. Sums are numbers m 2^e, m in [0.75, 1.5), e whole:
// with labels that the logits all but exclude they leave the range of a double. Adding three such numbers took a sixth
// of the time of adding three logarithms (AVX2).
#ifndef SIMDLOSS_NATIVE_CTC_LATTICE_H_
#define SIMDLOSS_NATIVE_CTC_LATTICE_H_

#include <cstddef>

namespace simdloss {

// Arrays of such numbers.
struct CtcNumbers {
  double* m;
  double* e;
};

// The exponent of a 0. Products and sums of zeros have others, all of them below half of it.
constexpr double kCtcZero = -0x1p900;

// A number for each state: arrays of `stride` doubles, m of the blanks, m of the labels, e of the blanks, e of the
// labels.
struct CtcStates {
  double* memory;
  size_t stride;

  CtcNumbers Blanks() const { return {memory, memory + 2 * stride}; }
  CtcNumbers Labels() const { return {memory + stride, memory + 3 * stride}; }
};

// One step in time. Arrays hold `lanes` numbers: whole vectors of any target, more than there are labels.
struct CtcStep {
  size_t lanes;
  size_t begin, end;     // the blanks and labels that a path can be at, and all that is computed
  const double* skip;    // exponents: 0 where a label may follow the one before it at once, else kCtcZero
  CtcNumbers emissions;  // of the labels; from `lanes` on a vector of the blank's
  CtcStates from, to;    // the step that comes before in the pass, and this one; 0 around the arrays of `from`
  CtcStates alpha;       // what `to` is in the forward pass, kept for the backward pass
  CtcStates joint;       // scratch of the backward pass
};

// How much of all paths goes through each state of a step, up to a common factor.
struct CtcShares {
  double blanks;         // through any of them
  const double* labels;  // one each
  double all;            // the sum
};

struct CtcKernels {
  // Sums over the paths up to this step. Emissions come as logits in m, one of the blank, `max` the largest of all
  // classes.
  void (*forward)(const CtcStep& step, double max);
  // Sums over the paths from this step on.
  CtcShares (*backward)(const CtcStep& step);
};

}  // namespace simdloss

#endif  // SIMDLOSS_NATIVE_CTC_LATTICE_H_
