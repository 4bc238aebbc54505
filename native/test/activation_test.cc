// SPDX-License-Identifier: Apache-2.0
// The functors of kernels/activation-inl.h on every target: kinks, NaN, infinities, and a sweep over all magnitudes
// against the textbook formulas in long double.
#include "native/kernels/targets.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "native/test/activation_test.cc"
#include "hwy/foreach_target.h"
// Must come after foreach_target.h to avoid redefinition errors.
#include "hwy/highway.h"
#include "native/kernels/activation-inl.h"
#include "native/kernels/dispatch_table.h"

HWY_BEFORE_NAMESPACE();
namespace simdloss {
namespace HWY_NAMESPACE {

// f and f' of n elements, n a multiple of every target's lanes.
template <class Functor, typename T>
void EvaluateAll(const ActivationParams& params, const T* z, T alpha, size_t n, T* value, T* slope) {
  const hn::ScalableTag<T> d;
  for (size_t i = 0; i < n; i += hn::Lanes(d)) {
    const auto result = HWY_NAMESPACE::Evaluate<Functor>(d, params, hn::LoadU(d, z + i), hn::Set(d, alpha));
    hn::StoreU(result.value, d, value + i);
    hn::StoreU(result.slope, d, slope + i);
  }
}

template <typename T>
void Evaluate(ActivationKind kind, const ActivationParams& params, const T* z, T alpha, size_t n, T* value, T* slope) {
  switch (kind) {
#define SIMDLOSS_X(name)        \
  case ActivationKind::k##name: \
    return EvaluateAll<activations::name>(params, z, alpha, n, value, slope);
    SIMDLOSS_ACTIVATIONS(SIMDLOSS_X)
#undef SIMDLOSS_X
    default:
      return;
  }
}

void EvaluateFloat(ActivationKind kind, const ActivationParams& params, const float* z, float alpha, size_t n,
                   float* value, float* slope) {
  Evaluate(kind, params, z, alpha, n, value, slope);
}

void EvaluateDouble(ActivationKind kind, const ActivationParams& params, const double* z, double alpha, size_t n,
                    double* value, double* slope) {
  Evaluate(kind, params, z, alpha, n, value, slope);
}

}  // namespace HWY_NAMESPACE
}  // namespace simdloss
HWY_AFTER_NAMESPACE();

#if HWY_ONCE

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include "native/test/test.h"

namespace simdloss {
namespace {

using Real = long double;
constexpr double kInf = std::numeric_limits<double>::infinity();
constexpr size_t kPadding = 16;  // lanes of the widest target

// An activation with its parameters. alpha is PReLU's.
struct Setup {
  const char* name;
  ActivationKind kind;
  ActivationParams params;
  double alpha = 0;
};

const Setup kCube{"Cube", ActivationKind::kCube, {}};
const Setup kELU{"ELU", ActivationKind::kELU, {{1}}};
const Setup kELUHalf{"ELU, alpha 0.5", ActivationKind::kELU, {{0.5}}};
const Setup kGELU{"GELU", ActivationKind::kGELU, {}};
const Setup kGELUPrecise{"GELUPrecise", ActivationKind::kGELUPrecise, {}};
const Setup kHardSigmoid{"HardSigmoid", ActivationKind::kHardSigmoid, {}};
const Setup kHardTanH{"HardTanH", ActivationKind::kHardTanH, {}};
const Setup kIdentity{"Identity", ActivationKind::kIdentity, {}};
const Setup kLReLU{"LReLU, alpha 0.25", ActivationKind::kLReLU, {{0.25}}};
const Setup kLReLUFlat{"LReLU, alpha 0", ActivationKind::kLReLU, {}};
const Setup kMish{"Mish", ActivationKind::kMish, {}};
const Setup kPReLU{"PReLU, alpha -0.125", ActivationKind::kPReLU, {}, -0.125};
const Setup kPReLUFlat{"PReLU, alpha 0", ActivationKind::kPReLU, {}};
const Setup kRationalTanh{"RationalTanh", ActivationKind::kRationalTanh, {}};
const Setup kRectifiedTanh{"RectifiedTanh", ActivationKind::kRectifiedTanh, {}};
const Setup kReLU{"ReLU", ActivationKind::kReLU, {{kInf, 0, 0}}};
const Setup kReLU6{"ReLU6", ActivationKind::kReLU, {{6, 0, 0}}};
const Setup kReLUThreshold{"ReLU, threshold 0.5", ActivationKind::kReLU, {{kInf, 0.5, 0}}};
const Setup kReLUAll{"ReLU, max 4, threshold 0.5, slope 0.25", ActivationKind::kReLU, {{4, 0.5, 0.25}}};
const Setup kReLUSlope{"ReLU, slope 0.25", ActivationKind::kReLU, {{kInf, 0, 0.25}}};
const Setup kSELU{"SELU", ActivationKind::kSELU, {}};
const Setup kSigmoid{"Sigmoid", ActivationKind::kSigmoid, {}};
const Setup kSoftPlus{"SoftPlus", ActivationKind::kSoftPlus, {}};
const Setup kSoftSign{"SoftSign", ActivationKind::kSoftSign, {}};
const Setup kSwish{"Swish", ActivationKind::kSwish, {}};
const Setup kTanH{"TanH", ActivationKind::kTanH, {}};
const Setup kThresholdedReLU{"ThresholdedReLU", ActivationKind::kThresholdedReLU, {{1}}};

const Setup* const kSetups[] = {
    &kCube,          &kELU,      &kELUHalf,   &kGELU,          &kGELUPrecise, &kHardSigmoid,    &kHardTanH,
    &kIdentity,      &kLReLU,    &kLReLUFlat, &kMish,          &kPReLU,       &kPReLUFlat,      &kRationalTanh,
    &kRectifiedTanh, &kReLU,     &kReLU6,     &kReLUThreshold, &kReLUAll,     &kReLUSlope,      &kSELU,
    &kSigmoid,       &kSoftPlus, &kSoftSign,  &kSwish,         &kTanH,        &kThresholdedReLU};

struct Point {
  double z, value, slope;
};

// Exact in both lane types.
struct PointRow {
  const Setup& setup;
  std::vector<Point> points;
};

const PointRow kKinks[] = {
    {kELU, {{0, 0, 1}, {-0.0, 0, 1}}},
    {kELUHalf, {{0, 0, 1}}},
    {kHardTanH, {{1, 1, 1}, {-1, -1, 1}, {1.5, 1, 0}, {-1.5, -1, 0}}},
    {kLReLU, {{0, 0, 1}, {-0.0, 0, 1}, {-4, -1, 0.25}}},
    {kPReLU, {{0, 0, 1}, {-0.0, 0, 1}, {-4, 0.5, -0.125}}},
    {kRectifiedTanh, {{0, 0, 0}, {-0.0, 0, 0}, {-1, 0, 0}}},
    {kReLU, {{0, 0, 0}, {-0.0, 0, 0}, {1, 1, 1}, {-1, 0, 0}}},
    {kReLU6, {{0, 0, 0}, {-0.0, 0, 0}, {3, 3, 1}, {6, 6, 0}, {7, 6, 0}, {-1, 0, 0}}},
    {kReLUThreshold, {{0.5, 0.5, 1}, {0.25, 0, 0}, {0, 0, 0}}},
    {kReLUAll, {{0.5, 0.5, 1}, {-0.5, -0.25, 0.25}, {4, 4, 0}, {5, 4, 0}, {0, -0.125, 0.25}}},
    {kReLUSlope, {{0, 0, 1}, {-0.0, 0, 1}, {-4, -1, 0.25}}},
    {kThresholdedReLU, {{1, 0, 0}, {1.5, 1.5, 1}, {0, 0, 0}, {-1, 0, 0}}},
    {kSigmoid, {{0, 0.5, 0.25}}},
    {kSwish, {{0, 0, 0.5}}},
    {kGELU, {{0, 0, 0.5}}},
    {kGELUPrecise, {{0, 0, 0.5}}},
    {kSoftSign, {{0, 0, 1}, {1, 0.5, 0.25}, {-1, -0.5, 0.25}}},
    {kTanH, {{0, 0, 1}}},
};

// The same kinks where value or slope is no binary fraction: rounded to the lane type.
const PointRow kRoundedKinks[] = {
    {kHardSigmoid, {{2.5, 1, 0.2}, {-2.5, 0, 0.2}, {2.75, 1, 0}, {-2.75, 0, 0}, {0, 0.5, 0.2}}},
    {kSELU,
     {{0, 0, 1.75809934084737678183}, {-0.0, 0, 1.75809934084737678183}, {1, 1.0507009873554805, 1.0507009873554805}}},
};

const PointRow kInfinities[] = {
    {kCube, {{-kInf, -kInf, kInf}, {kInf, kInf, kInf}}},
    {kELU, {{-kInf, -1, 0}, {kInf, kInf, 1}}},
    {kELUHalf, {{-kInf, -0.5, 0}, {kInf, kInf, 1}}},
    {kGELU, {{-kInf, 0, 0}, {kInf, kInf, 1}}},
    {kGELUPrecise, {{-kInf, 0, 0}, {kInf, kInf, 1}}},
    {kHardSigmoid, {{-kInf, 0, 0}, {kInf, 1, 0}}},
    {kHardTanH, {{-kInf, -1, 0}, {kInf, 1, 0}}},
    {kIdentity, {{-kInf, -kInf, 1}, {kInf, kInf, 1}}},
    {kLReLU, {{-kInf, -kInf, 0.25}, {kInf, kInf, 1}}},
    {kLReLUFlat, {{-kInf, 0, 0}, {kInf, kInf, 1}}},
    {kMish, {{-kInf, 0, 0}, {kInf, kInf, 1}}},
    {kPReLU, {{-kInf, kInf, -0.125}, {kInf, kInf, 1}}},
    {kPReLUFlat, {{-kInf, 0, 0}, {kInf, kInf, 1}}},
    {kRationalTanh, {{-kInf, -1.7159, 0}, {kInf, 1.7159, 0}}},
    {kRectifiedTanh, {{-kInf, 0, 0}, {kInf, 1, 0}}},
    {kReLU, {{-kInf, 0, 0}, {kInf, kInf, 1}}},
    {kReLU6, {{-kInf, 0, 0}, {kInf, 6, 0}}},
    {kReLUThreshold, {{-kInf, 0, 0}, {kInf, kInf, 1}}},
    {kReLUAll, {{-kInf, -kInf, 0.25}, {kInf, 4, 0}}},
    {kReLUSlope, {{-kInf, -kInf, 0.25}, {kInf, kInf, 1}}},
    {kSELU, {{-kInf, -1.75809934084737678183, 0}, {kInf, kInf, 1.0507009873554805}}},
    {kSigmoid, {{-kInf, 0, 0}, {kInf, 1, 0}}},
    {kSoftPlus, {{-kInf, 0, 0}, {kInf, kInf, 1}}},
    {kSoftSign, {{-kInf, -1, 0}, {kInf, 1, 0}}},
    {kSwish, {{-kInf, 0, 0}, {kInf, kInf, 1}}},
    {kTanH, {{-kInf, -1, 0}, {kInf, 1, 0}}},
    {kThresholdedReLU, {{-kInf, 0, 0}, {kInf, kInf, 1}}},
};

// --- The textbook formulas -------------------------------------------------------------------------------------------

// Not 1 / (1 + e^-z) for z < 0: long double may have the range of double.
Real Sigma(Real z) { return z < 0 ? std::exp(z) / (1 + std::exp(z)) : 1 / (1 + std::exp(-z)); }

// x y where y may have faded to 0 while x grew without bound.
Real Times(Real x, Real y) { return y == 0 ? 0 : x * y; }

struct Exact {
  Real value, slope;
};

Exact Gated(Real z, Real v, Real dv) {
  return {Times(z, Sigma(v)), Sigma(v) + Times(Times(z, Sigma(v) * Sigma(-v)), dv)};
}

// For finite z.
Exact Formula(const Setup& setup, Real z) {
  const double* p = setup.params.p;
  switch (setup.kind) {
    case ActivationKind::kCube:
      return {z * z * z, 3 * z * z};
    case ActivationKind::kELU:
      return z >= 0 ? Exact{z, 1} : Exact{p[0] * std::expm1(z), p[0] * std::exp(z)};
    case ActivationKind::kGELU:
      return Gated(z, 1.702L * z, 1.702L);
    case ActivationKind::kGELUPrecise: {
      const Real root = 2 * std::sqrt(0.636619772367581343076L);  // 2/pi
      return Gated(z, root * (z + 0.044715L * z * z * z), root * (1 + 3 * 0.044715L * z * z));
    }
    case ActivationKind::kHardSigmoid:
      return {std::clamp<Real>((z + 2.5L) / 5, 0, 1), std::abs(z) <= 2.5L ? 0.2L : 0};
    case ActivationKind::kHardTanH:
      return {std::clamp<Real>(z, -1, 1), std::abs(z) <= 1 ? 1.0L : 0};
    case ActivationKind::kLReLU:
      return z >= 0 ? Exact{z, 1} : Exact{p[0] * z, p[0]};
    case ActivationKind::kMish: {
      const Real softplus = std::log1p(std::exp(z));
      const Real sech = 1 / std::cosh(softplus);
      return {z * std::tanh(softplus), std::tanh(softplus) + Times(z, sech * sech * Sigma(z))};
    }
    case ActivationKind::kPReLU:
      return z >= 0 ? Exact{z, 1} : Exact{setup.alpha * z, setup.alpha};
    case ActivationKind::kRationalTanh: {
      const Real x = std::min<Real>(std::abs(2 * z / 3), 1e300L);
      const Real rest = x + x * x + Real{1.41645L} * x * x * x * x;
      const Real inverse = 1 / (1 + rest);
      return {std::copysign(1.7159L * (rest > 1 ? 1 - inverse : rest * inverse), z),
              1.7159L * 2 / 3 * (1 + 2 * x + 4 * 1.41645L * x * x * x) * inverse * inverse};
    }
    case ActivationKind::kReLU: {
      if (z < p[1]) return {p[2] * (z - p[1]), p[2]};
      const bool plain_kink = z == 0 && p[1] == 0 && p[2] == 0;
      return {std::min<Real>(z, p[0]), z < p[0] && !plain_kink ? 1.0L : 0};
    }
    case ActivationKind::kSELU: {
      const Real lambda = 1.0507009873554805L, alpha = 1.6732632423543772L;
      return z > 0 ? Exact{lambda * z, lambda} : Exact{lambda * alpha * std::expm1(z), lambda * alpha * std::exp(z)};
    }
    case ActivationKind::kSigmoid:
      return {Sigma(z), Sigma(z) * Sigma(-z)};
    case ActivationKind::kSoftPlus:
      return {z > 0 ? z + std::log1p(std::exp(-z)) : std::log1p(std::exp(z)), Sigma(z)};
    case ActivationKind::kSoftSign:
      return {z / (1 + std::abs(z)), 1 / (1 + std::abs(z)) / (1 + std::abs(z))};
    case ActivationKind::kSwish:
      return Gated(z, z, 1);
    case ActivationKind::kRectifiedTanh:
      if (z <= 0) return {0, 0};
      [[fallthrough]];
    case ActivationKind::kTanH: {
      const Real sech = 1 / std::cosh(z);
      return {std::tanh(z), sech * sech};
    }
    case ActivationKind::kThresholdedReLU:
      return z > p[0] ? Exact{z, 1} : Exact{0, 0};
    default:
      return {z, 1};
  }
}

// --- Evaluation on the chosen target ---------------------------------------------------------------------------------

template <typename T>
struct Results {
  std::vector<T> value, slope;
};

template <typename T>
Results<T> Evaluate(const Setup& setup, std::vector<T> z) {
  z.resize((z.size() + kPadding - 1) / kPadding * kPadding);
  Results<T> out{std::vector<T>(z.size()), std::vector<T>(z.size())};
  const T alpha = static_cast<T>(setup.alpha);
  if constexpr (sizeof(T) == 4) {
    SIMDLOSS_DISPATCH(EvaluateFloat)
    (setup.kind, setup.params, z.data(), alpha, z.size(), out.value.data(), out.slope.data());
  } else {
    SIMDLOSS_DISPATCH(EvaluateDouble)
    (setup.kind, setup.params, z.data(), alpha, z.size(), out.value.data(), out.slope.data());
  }
  return out;
}

// Equal as numbers (-0 is 0), or both NaN.
template <typename T>
bool Same(T got, double want) {
  return got == static_cast<T>(want) || (std::isnan(got) && std::isnan(want));
}

template <typename T>
void CheckPoints(const PointRow& row) {
  std::vector<T> z;
  for (const Point& point : row.points) z.push_back(static_cast<T>(point.z));
  const Results<T> got = Evaluate(row.setup, z);
  for (size_t i = 0; i < z.size(); ++i) {
    const Point& want = row.points[i];
    CHECK(Same(got.value[i], want.value), "%s f(%g) is %.17g, not %.17g", row.setup.name, want.z, double{got.value[i]},
          want.value);
    CHECK(Same(got.slope[i], want.slope), "%s f'(%g) is %.17g, not %.17g", row.setup.name, want.z, double{got.slope[i]},
          want.slope);
  }
}

template <size_t N>
void CheckRows(const PointRow (&rows)[N]) {
  test::OnEveryTarget([&](int) {
    for (const PointRow& row : rows) {
      CheckPoints<float>(row);
      CheckPoints<double>(row);
    }
  });
}

// NaN of both signs among numbers, in every lane.
template <typename T>
void CheckNaN(const Setup& setup) {
  const T nan = std::numeric_limits<T>::quiet_NaN();
  std::vector<T> z(4 * kPadding);
  for (size_t i = 0; i < z.size(); ++i) z[i] = i % 3 == 0 ? (i % 2 == 0 ? nan : -nan) : static_cast<T>(i) - 20;
  const Results<T> got = Evaluate(setup, z);
  for (size_t i = 0; i < z.size(); ++i) {
    CHECK(std::isnan(got.value[i]) == std::isnan(z[i]) && std::isnan(got.slope[i]) == std::isnan(z[i]),
          "%s at %g: %g, slope %g", setup.name, double{z[i]}, double{got.value[i]}, double{got.slope[i]});
  }
}

// All magnitudes of the type with both signs, and a fine grid where exponentials live.
template <typename T>
std::vector<T> SweepInputs() {
  std::vector<T> z{0, -T{0}};
  const int low = std::numeric_limits<T>::min_exponent - std::numeric_limits<T>::digits;
  for (int half = 2 * low; half < 2 * std::numeric_limits<T>::max_exponent; ++half) {
    const T size = static_cast<T>(std::exp2(half / 2.0L));
    z.insert(z.end(), {size, -size});
  }
  z.insert(z.end(), {std::numeric_limits<T>::max(), std::numeric_limits<T>::lowest()});
  const T wide = sizeof(T) == 4 ? 110 : 760;
  constexpr int kSteps = 2000;
  for (int i = -kSteps; i <= kSteps; ++i) {
    z.push_back(wide * static_cast<T>(i) / kSteps);
    z.push_back(8 * static_cast<T>(i) / kSteps);
  }
  return z;
}

// Units of eps times the scale of the terms that meet in a result: |f| + |z f'| for f, |f'| + |z f''| for f'.
// Below the smallest normal number a result may be flushed.
template <typename T>
double Error(T got, Real want, Real scale) {
  if (!std::isfinite(got) || !std::isfinite(static_cast<T>(want))) {
    return got == static_cast<T>(want) ? 0 : kInf;
  }
  const Real error = std::abs(got - Real{static_cast<T>(want)}) - Real{std::numeric_limits<T>::min()};
  return error <= 0 ? 0 : static_cast<double>(error / (scale * std::numeric_limits<T>::epsilon() / 2));
}

struct Expected {
  Exact exact;
  Real value_scale, slope_scale;
};

template <typename T>
std::vector<Expected> ExpectedSweep(const Setup& setup, const std::vector<T>& z) {
  std::vector<Expected> expected;
  for (const Real x : z) {
    const Exact exact = Formula(setup, x);
    const Real step = 0x1p-20L;
    // |z f''| by differences; at a kink the quiet side.
    const Real bend = std::min(std::abs(Formula(setup, x * (1 + step)).slope - exact.slope),
                               std::abs(Formula(setup, x * (1 - step)).slope - exact.slope)) /
                      step;
    expected.push_back({exact, std::abs(exact.value) + std::abs(Times(x, exact.slope)), std::abs(exact.slope) + bend});
  }
  return expected;
}

template <typename T>
void CheckSweep() {
  // Where long double, or its exponential (musl), is no wider than double, the formulas here err more than the
  // functors.
  const Real e = std::exp(Real{1});
  const double bound = sizeof(T) == 8 && e == static_cast<double>(e) ? 64 : 8;
  const std::vector<T> z = SweepInputs<T>();
  for (const Setup* setup : kSetups) {
    const std::vector<Expected> expected = ExpectedSweep(*setup, z);
    test::OnEveryTarget([&](int) {
      const Results<T> got = Evaluate(*setup, z);
      for (size_t i = 0; i < z.size(); ++i) {
        const Expected& want = expected[i];
        const double value_error = Error(got.value[i], want.exact.value, want.value_scale);
        const double slope_error = Error(got.slope[i], want.exact.slope, want.slope_scale);
        CHECK(value_error <= bound, "%s f(%.17g) is %.17g, not %.17Lg (error %g)", setup->name, double{z[i]},
              double{got.value[i]}, want.exact.value, value_error);
        CHECK(slope_error <= bound, "%s f'(%.17g) is %.17g, not %.17Lg (error %g)", setup->name, double{z[i]},
              double{got.slope[i]}, want.exact.slope, slope_error);
      }
    });
  }
}

TEST(ActivationKinks) { CheckRows(kKinks); }
TEST(ActivationRoundedKinks) { CheckRows(kRoundedKinks); }
TEST(ActivationInfinities) { CheckRows(kInfinities); }

TEST(ActivationNaN) {
  test::OnEveryTarget([](int) {
    for (const Setup* setup : kSetups) {
      CheckNaN<float>(*setup);
      CheckNaN<double>(*setup);
    }
  });
}

TEST(ActivationSweepFloat) { CheckSweep<float>(); }
TEST(ActivationSweepDouble) { CheckSweep<double>(); }

}  // namespace
}  // namespace simdloss

#endif  // HWY_ONCE
