// SPDX-License-Identifier: Apache-2.0
// Arrays for tests: random ones, and copies at the end of memory.
#ifndef SIMDLOSS_NATIVE_TEST_ARRAYS_H_
#define SIMDLOSS_NATIVE_TEST_ARRAYS_H_

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <type_traits>
#include <vector>

#include "native/matrix.h"
#include "native/test/test.h"

#if (defined(__unix__) || defined(__APPLE__)) && !defined(__wasi__)
#define SIMDLOSS_GUARD_PAGES 1
#include <sys/mman.h>
#include <unistd.h>
#endif

namespace simdloss {
namespace test {

class Random {
 public:
  // In [-1, 1].
  double operator()() {
    state_ = state_ * 6364136223846793005u + 1442695040888963407u;
    return static_cast<double>(static_cast<int64_t>(state_) >> 11) / static_cast<double>(int64_t{1} << 52);
  }

 private:
  uint64_t state_ = 1;
};

template <typename T>
constexpr Dtype kDtype = sizeof(T) == 4 ? Dtype::kFloat32 : Dtype::kFloat64;

// Holds products of two T to more bits than T.
template <typename T>
using Wide = std::conditional_t<sizeof(T) == 4, double, long double>;

// rows x cols elements in rows of `stride`, NaN in between; exactly as long as it needs to be.
template <typename T>
std::vector<T> RandomMatrix(Random& random, size_t rows, size_t cols, size_t stride) {
  std::vector<T> x(rows == 0 ? 0 : (rows - 1) * stride + cols, std::numeric_limits<T>::quiet_NaN());
  for (size_t i = 0; i < rows; ++i) {
    for (size_t j = 0; j < cols; ++j) x[i * stride + j] = static_cast<T>(random());
  }
  return x;
}

#if SIMDLOSS_GUARD_PAGES
// Memory that ends where the next byte must not be touched.
class GuardedCopy {
 public:
  GuardedCopy() {
    const size_t page = static_cast<size_t>(sysconf(_SC_PAGESIZE));
    memory_ = static_cast<char*>(mmap(nullptr, kBytes + page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANON, -1, 0));
    CHECK(memory_ != MAP_FAILED && mprotect(memory_ + kBytes, page, PROT_NONE) == 0, "no guarded memory");
  }

  template <typename T>
  T* Of(const std::vector<T>& x) {
    T* const copy = reinterpret_cast<T*>(memory_ + kBytes) - x.size();
    std::copy(x.begin(), x.end(), copy);
    return copy;
  }

 private:
  static constexpr size_t kBytes = size_t{1} << 20;
  char* memory_;
};
#endif

}  // namespace test
}  // namespace simdloss

#endif  // SIMDLOSS_NATIVE_TEST_ARRAYS_H_
