// SPDX-License-Identifier: Apache-2.0
// The errors that kernels/math-inl.h states, measured on every target against libm in a wider type.
// Float arguments are every 1009th bit pattern, all of them with SIMDLOSS_FULL=1 (an hour), double ones are random;
// both with the surroundings of special values and of the ends of the reductions.
#include "native/kernels/targets.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "native/test/math_test.cc"
#include "hwy/foreach_target.h"
// After foreach_target.h: re-included for each target.
#include "native/kernels/dispatch_table.h"
#include "native/kernels/math-inl.h"

// X(name, expression in d and x): the functions under test.
#undef SIMDLOSS_MATH_FUNCTIONS
#define SIMDLOSS_MATH_FUNCTIONS(X)                         \
  X(Exp, Exp(d, x))                                        \
  X(ExpNonPositive, ExpNonPositive(d, x))                  \
  X(ExpFrom, ExpFrom(d, x, Pow2Anchor(d, hn::Set(d, -3)))) \
  X(Expm1, Expm1(d, x))                                    \
  X(Log, Log(d, x))                                        \
  X(Log1p, Log1p(d, x))                                    \
  X(Log1pNonNegative, Log1pNonNegative(d, x))              \
  X(Log1pUnit, Log1pUnit(d, x))                            \
  X(Sigmoid, Sigmoid(d, x))                                \
  X(SigmoidExp, SigmoidWithParts(d, x).exp)                \
  X(SigmoidComplement, SigmoidWithParts(d, x).complement)  \
  X(Softplus, Softplus(d, x))                              \
  X(LogSigmoid, LogSigmoid(d, x))                          \
  X(Tanh, Tanh(d, x))                                      \
  X(TanhSlope, TanhWithParts(d, x).slope)                  \
  X(Erf, Erf(d, x))                                        \
  X(PowRoot, Pow(d, x, math::Constant(d, 0.375)))          \
  X(PowOdd, Pow(d, x, math::Constant(d, -3)))              \
  X(PowOfBase, Pow(d, math::Constant(d, 1.25), x))

HWY_BEFORE_NAMESPACE();
namespace simdloss {
namespace HWY_NAMESPACE {

// n is a multiple of the lanes of every tag.
template <class D, class F, typename T = hn::TFromD<D>>
HWY_INLINE void Apply(D d, F f, const T* in, size_t n, T* out) {
  for (size_t i = 0; i < n; i += hn::Lanes(d)) hn::StoreU(f(d, hn::LoadU(d, in + i)), d, out + i);
}

// With vectors of at most max_lanes, 0 for full ones.
template <class F, typename T>
HWY_INLINE void ApplyWithSize(F f, size_t max_lanes, const T* in, size_t n, T* out) {
  switch (max_lanes) {
    case 1:
      return Apply(hn::CappedTag<T, 1>(), f, in, n, out);
    case 2:
      return Apply(hn::CappedTag<T, 2>(), f, in, n, out);
    case 4:
      return Apply(hn::CappedTag<T, 4>(), f, in, n, out);
    case 8:
      return Apply(hn::CappedTag<T, 8>(), f, in, n, out);
    default:
      return Apply(hn::ScalableTag<T>(), f, in, n, out);
  }
}

#define SIMDLOSS_X(name, expression)                                                          \
  void name##Float(size_t max_lanes, const float* in, size_t n, float* out) {                 \
    ApplyWithSize([](auto d, auto x) HWY_ATTR { return expression; }, max_lanes, in, n, out); \
  }                                                                                           \
  void name##Double(size_t max_lanes, const double* in, size_t n, double* out) {              \
    ApplyWithSize([](auto d, auto x) HWY_ATTR { return expression; }, max_lanes, in, n, out); \
  }
SIMDLOSS_MATH_FUNCTIONS(SIMDLOSS_X)
#undef SIMDLOSS_X

}  // namespace HWY_NAMESPACE
}  // namespace simdloss
HWY_AFTER_NAMESPACE();

#if HWY_ONCE

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <cstring>
#include <limits>
#include <random>
#include <vector>

#include "native/test/test.h"

namespace simdloss {
namespace {

constexpr size_t kLanes = 16;  // of the widest target

template <typename T>
using Kernel = void (*)(size_t max_lanes, const T* in, size_t n, T* out);

template <typename T>
struct Function {
  const char* name;
  Kernel<T> kernels[kTargets];
};

#define SIMDLOSS_X(name, expression) {#name, SIMDLOSS_TABLE(name##Float)},
const Function<float> kFloatFunctions[] = {SIMDLOSS_MATH_FUNCTIONS(SIMDLOSS_X)};
#undef SIMDLOSS_X
#define SIMDLOSS_X(name, expression) {#name, SIMDLOSS_TABLE(name##Double)},
const Function<double> kDoubleFunctions[] = {SIMDLOSS_MATH_FUNCTIONS(SIMDLOSS_X)};
#undef SIMDLOSS_X

template <typename T>
const auto& Functions() {
  if constexpr (sizeof(T) == 4) {
    return kFloatFunctions;
  } else {
    return kDoubleFunctions;
  }
}

// --- Exact values ----------------------------------------------------------------------------------------------------

// The type of the reference: its errors are a small part of an ULP of T, except where long double is double.
template <typename T>
using Wide = std::conditional_t<sizeof(T) == 4, double, long double>;

template <typename R>
R SigmoidOf(R x) {
  return x < 0 ? std::exp(x) / (1 + std::exp(x)) : 1 / (1 + std::exp(-x));
}

template <typename R>
R SoftplusOf(R x) {
  return x < 0 ? std::log1p(std::exp(x)) : x + std::log1p(std::exp(-x));
}

// 1 - tanh^2 x = 4 e / (1 + e)^2 of e = e^(-2|x|).
template <typename R>
R TanhSlopeOf(R x) {
  const R e = std::exp(-2 * std::abs(x));
  return 4 * e / ((1 + e) * (1 + e));
}

enum class Domain { kAll, kNonPositive, kNonNegative, kUnit, kNormalTanhSlope, kNormalExp };

// A function's reference and the error in ULP that math-inl.h states.
template <typename R>
struct Row {
  const char* name;
  R (*exact)(R);
  double float_bound, double_bound;
  Domain domain = Domain::kAll;
};

template <typename R>
const Row<R> kRows[] = {
    {"Exp", [](R x) { return std::exp(x); }, 1.1, 1.1},
    {"ExpNonPositive", [](R x) { return std::exp(x); }, 1.1, 1.1, Domain::kNonPositive},
    {"ExpFrom", [](R x) { return 8 * std::exp(x); }, 1.1, 1.1, Domain::kNormalExp},
    {"Expm1", [](R x) { return std::expm1(x); }, 1.3, 1.3},
    {"Log", [](R x) { return std::log(x); }, 1.5, 1},
    {"Log1p", [](R x) { return std::log1p(x); }, 1.5, 1},
    {"Log1pNonNegative", [](R x) { return std::log1p(x); }, 1.5, 1, Domain::kNonNegative},
    {"Log1pUnit", [](R x) { return std::log1p(x); }, 1.5, 1.5, Domain::kUnit},
    {"Sigmoid", [](R x) { return SigmoidOf(x); }, 2, 2},
    {"SigmoidExp", [](R x) { return std::exp(-std::abs(x)); }, 1.1, 1.1},
    {"SigmoidComplement", [](R x) { return SigmoidOf(-x); }, 2, 2},
    {"Softplus", [](R x) { return SoftplusOf(x); }, 2, 2},
    {"LogSigmoid", [](R x) { return -SoftplusOf(-x); }, 2, 2},
    {"Tanh", [](R x) { return std::tanh(x); }, 2, 2},
    {"TanhSlope", [](R x) { return TanhSlopeOf(x); }, 4, 4, Domain::kNormalTanhSlope},
    {"Erf", [](R x) { return std::erf(x); }, 2, 2},
    {"PowRoot", [](R x) { return std::pow(x, R{0.375}); }, 0.6, 1},
    {"PowOdd", [](R x) { return std::pow(x, R{-3}); }, 0.6, 1},
    {"PowOfBase", [](R x) { return std::pow(R{1.25}, x); }, 0.6, 1},
};

template <typename T>
bool Contains(Domain domain, T x) {
  switch (domain) {
    case Domain::kNonPositive:
      return !(x > 0);
    case Domain::kNonNegative:
      return std::isnan(x) || (std::isfinite(x) && !std::signbit(x));
    case Domain::kUnit:
      return std::isnan(x) || (x >= 0 && x <= 1 && !std::signbit(x));
    case Domain::kNormalExp:
      return std::abs(x) < (sizeof(T) == 4 ? 84 : 700);
    case Domain::kNormalTanhSlope:
      // Or a slope that is 0 in any case.
      return !(std::abs(x) > (sizeof(T) == 4 ? 44.36 : 354.89)) || std::abs(x) > (sizeof(T) == 4 ? 53 : 374);
    default:
      return true;
  }
}

// |got - want| in units of the last place of a T as large as want. Infinite for a wrong NaN, infinity or sign.
template <typename T>
double UlpError(T got, Wide<T> want) {
  using R = Wide<T>;
  constexpr double kWrong = std::numeric_limits<double>::infinity();
  if (std::isnan(want) || std::isnan(got)) return std::isnan(want) == std::isnan(got) ? 0 : kWrong;
  if (std::signbit(want) != std::signbit(got)) return kWrong;
  const T rounded = static_cast<T>(want);
  if (std::isinf(rounded) || std::isinf(got)) return got == rounded ? 0 : kWrong;
  constexpr int kMinExponent = std::numeric_limits<T>::min_exponent;
  const int exponent = want == 0 ? kMinExponent : std::max(kMinExponent, std::ilogb(want) + 1);
  return static_cast<double>(std::abs(got - want) / std::ldexp(R{1}, exponent - std::numeric_limits<T>::digits));
}

// --- Arguments -------------------------------------------------------------------------------------------------------

template <typename T>
T FromBits(uint64_t bits) {
  if constexpr (sizeof(T) == 4) {
    const uint32_t low = static_cast<uint32_t>(bits);
    float x;
    std::memcpy(&x, &low, sizeof(x));
    return x;
  } else {
    double x;
    std::memcpy(&x, &bits, sizeof(x));
    return x;
  }
}

// Each value with its 50 neighbours on either side, of either sign.
template <typename T>
void AddSurroundings(std::vector<T>& x) {
  using Limits = std::numeric_limits<T>;
  std::vector<double> centres = {0,
                                 0.125,
                                 0.25,
                                 0.375,
                                 0.5,
                                 0.75,
                                 0.875,
                                 1,
                                 1.5,
                                 2,
                                 3,
                                 4,
                                 6,
                                 9,
                                 10,
                                 16,
                                 18,
                                 20,
                                 37,
                                 40,
                                 87.33654,
                                 88.02969,
                                 88.722839,
                                 89,
                                 103.27893,
                                 103.97208,
                                 104,
                                 708.39641853226,
                                 709.08956571283,
                                 709.782712893384,
                                 710,
                                 744.440071921381,
                                 745.133219101941,
                                 746,
                                 Limits::denorm_min(),
                                 Limits::min(),
                                 Limits::max(),
                                 1 / double{Limits::max()}};
  for (int k = 0; k < 12; ++k) centres.push_back((k + 0.5) * 0.69314718055994530942);
  for (int k = 1; k <= Limits::digits + 2; ++k) centres.push_back(std::ldexp(1.0, -k));
  for (const double centre : centres) {
    for (const T start : {static_cast<T>(centre), static_cast<T>(1 - centre), static_cast<T>(1 + centre)}) {
      T up = start, down = start;
      for (int i = 0; i <= 50; ++i) {
        x.insert(x.end(), {up, -up, down, -down});
        up = std::nextafter(up, Limits::infinity());
        down = std::nextafter(down, -Limits::infinity());
      }
    }
  }
  x.insert(x.end(), {Limits::infinity(), -Limits::infinity(), Limits::quiet_NaN(), -Limits::quiet_NaN()});
}

// `count` bit patterns from `begin` on, `step` apart.
void AddPatterns(uint64_t begin, uint64_t count, uint64_t step, std::vector<float>& x) {
  for (uint64_t i = 0; i < count; ++i) x.push_back(FromBits<float>(begin + i * step));
}

// Any exponent, the ranges in which the functions bend, and the ends of the logarithms' domains.
void AddRandom(std::vector<double>& x) {
  std::mt19937_64 random(20240607);
  const auto uniform = [&] { return static_cast<double>(static_cast<int64_t>(random()) >> 11) * 0x1p-52; };
  for (int i = 0; i < 200000; ++i) x.push_back(FromBits<double>(random()));
  for (const double scale : {0.0625, 0.4, 1.0, 2.0, 8.0, 40.0, 760.0}) {
    for (int i = 0; i < 60000; ++i) x.push_back(scale * uniform());
  }
  for (int i = 0; i < 100000; ++i) {
    const double small = std::exp2(27 * uniform() - 27);
    x.insert(x.end(), {small, -small, 1 + small, 1 - small, small - 1});
  }
}

// --- Tests -----------------------------------------------------------------------------------------------------------

struct Worst {
  double error = 0, at = 0, got = 0;
};

template <typename T>
void Measure(const Row<Wide<T>>& row, const Function<T>& function, const std::vector<T>& arguments, Worst* worst) {
  std::vector<T> x;
  for (const T argument : arguments) {
    if (Contains(row.domain, argument)) x.push_back(argument);
  }
  while (x.size() % kLanes != 0) x.push_back(T{0});
  std::vector<Wide<T>> want;
  for (const T argument : x) want.push_back(row.exact(argument));
  std::vector<T> got(x.size());
  for (int target = 0; target < kTargets; ++target) {
    if (!(SupportedTargets() & (1u << target))) continue;
    function.kernels[target](0, x.data(), x.size(), got.data());
    for (size_t i = 0; i < x.size(); ++i) {
      const double error = UlpError(got[i], want[i]);
      if (error > worst[target].error) worst[target] = {error, double{x[i]}, double{got[i]}};
    }
  }
}

template <typename T>
void CheckErrors(const char* name) {
  const auto has_name = [&](const auto& entry) { return std::strcmp(entry.name, name) == 0; };
  const auto& rows = kRows<Wide<T>>;
  const Row<Wide<T>>& row = *std::find_if(std::begin(rows), std::end(rows), has_name);
  const Function<T>& function = *std::find_if(std::begin(Functions<T>()), std::end(Functions<T>()), has_name);
  Worst worst[kTargets];
  std::vector<T> x;
  AddSurroundings(x);
  if constexpr (sizeof(T) == 8) {
    AddRandom(x);
  } else {
    const char* full = std::getenv("SIMDLOSS_FULL");
    const uint64_t step = full != nullptr && *full == '1' ? 1 : 1009;
    constexpr uint64_t kChunk = 1 << 16, kSpace = uint64_t{1} << 32;
    for (uint64_t begin = 0; begin < kSpace; begin += kChunk * step) {
      AddPatterns(begin, std::min(kChunk, (kSpace - begin + step - 1) / step), step, x);
      Measure(row, function, x, worst);
      x.clear();
    }
  }
  Measure(row, function, x, worst);
  // The reference itself errs where libm's long double is double, by its type or (musl on AArch64) in its functions.
  const bool exact = std::exp(1.0L) != static_cast<long double>(std::exp(1.0));
  const double slack = sizeof(T) == 8 && !exact ? 1.5 : 0;
  const double bound = (sizeof(T) == 4 ? row.float_bound : row.double_bound) + slack;
  test::OnEveryTarget([&](int target) {
    const Worst& w = worst[target];
    std::printf("%-18s %-7s %-7s %.3f ULP at %.17g\n", name, sizeof(T) == 4 ? "float" : "double", TargetName(target),
                w.error, w.at);
    CHECK(w.error <= bound, "%s of %.17g (%a) is %.17g, not %.17Lg: %g ULP, more than %g", name, w.at, w.at, w.got,
          static_cast<long double>(row.exact(w.at)), w.error, bound);
  });
}

// Vectors of every size give the same bits as full ones.
template <typename T>
void CheckSizes() {
  std::vector<T> x;
  AddSurroundings(x);
  x.resize(x.size() / kLanes * kLanes);
  std::vector<T> full(x.size()), part(x.size());
  test::OnEveryTarget([&](int target) {
    for (const Function<T>& function : Functions<T>()) {
      function.kernels[target](0, x.data(), x.size(), full.data());
      for (const size_t lanes : {1, 2, 4, 8}) {
        function.kernels[target](lanes, x.data(), x.size(), part.data());
        CHECK(std::memcmp(full.data(), part.data(), x.size() * sizeof(T)) == 0, "%s on %zu lanes", function.name,
              lanes);
      }
    }
  });
}

TEST(MathSizesFloat) { CheckSizes<float>(); }
TEST(MathSizesDouble) { CheckSizes<double>(); }

#define SIMDLOSS_X(name, expression)               \
  TEST(name##Float) { CheckErrors<float>(#name); } \
  TEST(name##Double) { CheckErrors<double>(#name); }
SIMDLOSS_MATH_FUNCTIONS(SIMDLOSS_X)
#undef SIMDLOSS_X

}  // namespace
}  // namespace simdloss

#endif  // HWY_ONCE
