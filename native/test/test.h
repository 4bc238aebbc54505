// SPDX-License-Identifier: Apache-2.0
// A small test harness. Each TEST is a function; test_main.cc runs those whose name contains its argument, all by
// default.
#ifndef SIMDLOSS_NATIVE_TEST_TEST_H_
#define SIMDLOSS_NATIVE_TEST_TEST_H_

#include <cstdint>
#include <cstdio>

#include "native/dispatch.h"

namespace simdloss {
namespace test {

// True, for the initialiser of a variable.
bool Register(const char* name, void (*body)());

// Counts a check; when it failed, true if it is one of the few to be described.
bool Report(bool passed);

// Calls f(target) with each target that this CPU supports chosen.
template <class F>
void OnEveryTarget(F&& f) {
  const int chosen = ChosenTarget();
  for (int target = 0; target < kTargets; ++target) {
    if (ForceTarget(target)) f(target);
  }
  ForceTarget(chosen);
}

}  // namespace test
}  // namespace simdloss

#define TEST(name)                                                                                 \
  static void name();                                                                              \
  [[maybe_unused]] static const bool kRegistered##name = ::simdloss::test::Register(#name, &name); \
  static void name()

// CHECK(condition, format, ...): the test goes on when the condition does not hold.
#define CHECK(condition, ...)                                                        \
  do {                                                                               \
    if (::simdloss::test::Report(static_cast<bool>(condition))) {                    \
      std::fprintf(stderr, "%s:%d: %s, target %s: ", __FILE__, __LINE__, #condition, \
                   ::simdloss::TargetName(::simdloss::ChosenTarget()));              \
      std::fprintf(stderr, __VA_ARGS__);                                             \
      std::fprintf(stderr, "\n");                                                    \
    }                                                                                \
  } while (false)

#endif  // SIMDLOSS_NATIVE_TEST_TEST_H_
