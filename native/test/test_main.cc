// SPDX-License-Identifier: Apache-2.0
#include <cstdio>
#include <cstring>
#include <vector>

#include "native/test/test.h"

namespace simdloss {
namespace test {
namespace {

constexpr int kMaxDescribed = 20;  // failures of one test

struct Test {
  const char* name;
  void (*body)();
};

// A function's static: tests register before main, in any order.
std::vector<Test>& Tests() {
  static std::vector<Test> tests;
  return tests;
}

int64_t checks = 0, failures = 0;  // of the running test

}  // namespace

bool Register(const char* name, void (*body)()) {
  Tests().push_back({name, body});
  return true;
}

bool Report(bool passed) {
  ++checks;
  return !passed && ++failures <= kMaxDescribed;
}

}  // namespace test
}  // namespace simdloss

int main(int argc, char** argv) {
  using namespace simdloss::test;
  const char* filter = argc > 1 ? argv[1] : "";
  int passed = 0, failed = 0;
  for (const Test& test : Tests()) {
    if (std::strstr(test.name, filter) == nullptr) continue;
    checks = failures = 0;
    test.body();
    // A test without a check can't fail: that is a mistake of the test.
    const bool ok = failures == 0 && checks != 0;
    ++(ok ? passed : failed);
    std::printf("%s %s: %lld checks, %lld failed\n", ok ? "ok  " : "FAIL", test.name, static_cast<long long>(checks),
                static_cast<long long>(failures));
    std::fflush(stdout);
  }
  std::printf("on");
  OnEveryTarget([](int target) { std::printf(" %s", simdloss::TargetName(target)); });
  std::printf("\n%d passed, %d failed\n", passed, failed);
  return failed != 0 || passed == 0;
}
