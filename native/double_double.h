// SPDX-License-Identifier: Apache-2.0
// Sums and products of about 106 bits, for the few numbers of a batch that everything else depends on; and the same of
// any magnitude.
#ifndef SIMDLOSS_NATIVE_DOUBLE_DOUBLE_H_
#define SIMDLOSS_NATIVE_DOUBLE_DOUBLE_H_

#include <algorithm>
#include <cmath>

namespace simdloss {

// The unevaluated sum of two doubles, low at most half an ULP of high. Dekker 1971; Knuth, TAOCP 2, 4.2.2.
// Infinities and NaN end up in high or turn into NaN: callers check for them where that matters.
struct DoubleDouble {
  double high = 0;
  double low = 0;

  constexpr DoubleDouble() = default;
  constexpr DoubleDouble(double x) : high(x) {}  // NOLINT: a double is one
  constexpr DoubleDouble(double h, double l) : high(h), low(l) {}

  constexpr double Rounded() const { return high + low; }
  constexpr bool IsZero() const { return high == 0; }
  // Exact unless it leaves the range of double.
  static constexpr DoubleDouble Product(double a, double b);
};

constexpr DoubleDouble TwoSum(double a, double b) {
  const double sum = a + b;
  const double of_b = sum - a;
  return {sum, (a - (sum - of_b)) + (b - of_b)};
}

// A sum of many numbers that carries its rounding error. Infinities and NaN stay what they are.
class CarriedSum {
 public:
  void Add(double x) {
    const DoubleDouble next = TwoSum(total_, x);
    total_ = next.high;
    error_ += next.low;
  }
  double Total() const { return std::isfinite(total_) ? total_ + error_ : total_; }

 private:
  double total_ = 0, error_ = 0;
};

// Dekker's product, which needs no FMA.
constexpr DoubleDouble TwoProduct(double a, double b) {
  constexpr double kSplitter = 134217729;  // 2^27 + 1
  const double a_big = kSplitter * a, b_big = kSplitter * b;
  const double a_high = a_big - (a_big - a), b_high = b_big - (b_big - b);
  const double a_low = a - a_high, b_low = b - b_high;
  const double product = a * b;
  return {product, ((a_high * b_high - product) + a_high * b_low + a_low * b_high) + a_low * b_low};
}

constexpr DoubleDouble DoubleDouble::Product(double a, double b) { return TwoProduct(a, b); }

constexpr DoubleDouble operator+(DoubleDouble a, DoubleDouble b) {
  const DoubleDouble s = TwoSum(a.high, b.high);
  return TwoSum(s.high, s.low + (a.low + b.low));
}

constexpr DoubleDouble operator-(DoubleDouble a) { return {-a.high, -a.low}; }
constexpr DoubleDouble operator-(DoubleDouble a, DoubleDouble b) { return a + -b; }

constexpr DoubleDouble operator*(DoubleDouble a, DoubleDouble b) {
  const DoubleDouble p = TwoProduct(a.high, b.high);
  return TwoSum(p.high, p.low + (a.high * b.low + a.low * b.high));
}

constexpr DoubleDouble operator/(DoubleDouble a, DoubleDouble b) {
  const double first = a.high / b.high;
  const DoubleDouble rest = a - b * DoubleDouble(first);
  const double second = rest.high / b.high;
  const double third = (rest - b * DoubleDouble(second)).high / b.high;
  return TwoSum(first, second) + DoubleDouble(third);
}

// fraction 2^exponent, whose fraction has a magnitude in [0.5, 1), or is 0, infinite or NaN: no sum, product or ratio
// of doubles leaves its range.
struct WideDouble {
  DoubleDouble fraction;
  int exponent = 0;

  WideDouble() = default;
  WideDouble(DoubleDouble x, int scale = 0) {  // NOLINT: a number is one
    int own = 0;
    if (std::isfinite(x.high)) std::frexp(x.high, &own);
    fraction = Scaled(x, -own);
    exponent = fraction.IsZero() ? 0 : own + scale;
  }
  WideDouble(double x) : WideDouble(DoubleDouble(x)) {}  // NOLINT: a double is one

  double Rounded() const { return std::ldexp(fraction.Rounded(), exponent); }
  bool IsZero() const { return fraction.IsZero(); }
  static WideDouble Product(double a, double b);

  static DoubleDouble Scaled(DoubleDouble x, int exponent) {
    return {std::ldexp(x.high, exponent), std::ldexp(x.low, exponent)};
  }
};

inline WideDouble operator+(WideDouble a, WideDouble b) {
  if (a.IsZero()) return b;
  if (b.IsZero()) return a;
  const int exponent = std::max(a.exponent, b.exponent);
  return {WideDouble::Scaled(a.fraction, a.exponent - exponent) + WideDouble::Scaled(b.fraction, b.exponent - exponent),
          exponent};
}

inline WideDouble operator-(WideDouble a) { return {-a.fraction, a.exponent}; }
inline WideDouble operator-(WideDouble a, WideDouble b) { return a + -b; }
inline WideDouble operator*(WideDouble a, WideDouble b) { return {a.fraction * b.fraction, a.exponent + b.exponent}; }
inline WideDouble operator/(WideDouble a, WideDouble b) { return {a.fraction / b.fraction, a.exponent - b.exponent}; }

inline WideDouble WideDouble::Product(double a, double b) { return WideDouble(a) * WideDouble(b); }

}  // namespace simdloss

#endif  // SIMDLOSS_NATIVE_DOUBLE_DOUBLE_H_
