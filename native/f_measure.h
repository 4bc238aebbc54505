// SPDX-License-Identifier: Apache-2.0
// What F-measure makes of a batch: 1 - N / D, N = (1 + b^2) tp, D = N + b^2 fn + fp, so 1 - N / D = (b^2 fn + fp) / D.
// Every gradient hangs on the sums: they and what follows of them are taken in numbers of type N, DoubleDouble or,
// where that does not reach, WideDouble.
#ifndef SIMDLOSS_NATIVE_F_MEASURE_H_
#define SIMDLOSS_NATIVE_F_MEASURE_H_

#include <cmath>

#include "native/double_double.h"

namespace simdloss {

template <class N>
class FMeasure {
 public:
  explicit FMeasure(double beta) : beta2_(N::Product(beta, beta)) {}

  // An example: mask, label and output.
  void Add(double m, double y, double p) {
    const N hit = N::Product(m, y), miss = N(m) - hit;
    positives_ = positives_ + hit;
    tp_ = tp_ + hit * N(p);
    fp_ = fp_ + miss * N(p);
    fn_ = fn_ + hit * N(TwoSum(1, -p));
  }

  // After all of them.
  void Finish() {
    // (1 + b^2) tp + b^2 fn + fp, in which large outputs of positives would cancel.
    denominator_ = beta2_ * positives_ + tp_ + fp_;
    nothing_ = tp_.IsZero() && denominator_.IsZero();
    if (nothing_) return;
    // dL/dp_i = -m_i ((1 + b^2) y_i / D - N / D^2) = m_i (1 + b^2) (tp - y_i D) / D^2: a part of positives and one of
    // others.
    const N factor = (N(1) + beta2_) / denominator_;
    of_positive_ = -(factor * ((beta2_ * positives_ + fp_) / denominator_));
    of_other_ = factor * (tp_ / denominator_);
  }

  // Of a DoubleDouble: did all sums and products, down to D^2, stay where they are exact to 106 bits?
  bool Fits() const {
    const double size = std::fabs(denominator_.Rounded());
    return size > 0x1p-400 && size < 0x1p400 && std::isfinite(fn_.Rounded());
  }

  // No positive, found or not: score and gradient are 0.
  bool nothing() const { return nothing_; }
  double Score() const { return nothing_ ? 0 : ((beta2_ * fn_ + fp_) / denominator_).Rounded(); }
  double Slope(double m, double y) const {
    return (N(m) * (of_positive_ * N(y) + of_other_ * N(TwoSum(1, -y)))).Rounded();
  }

 private:
  N beta2_, positives_, tp_, fp_, fn_, denominator_, of_positive_, of_other_;
  bool nothing_ = false;
};

}  // namespace simdloss

#endif  // SIMDLOSS_NATIVE_F_MEASURE_H_
