// SPDX-License-Identifier: Apache-2.0
// Arrays for tests: random ones, and such that must not be left by a byte.
#ifndef SIMDLOSS_NATIVE_TEST_ARRAYS_H_
#define SIMDLOSS_NATIVE_TEST_ARRAYS_H_

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <map>
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

// Which end of an array lies at memory that nobody may touch.
enum class Edge { kStart, kEnd };
constexpr Edge kEdges[] = {Edge::kEnd, Edge::kStart};

// `size` elements, or those of a vector; where there are pages, with one of them before and behind that must not be
// touched. The tests between such pages are named so: Guarded.
template <class T>
class GuardedArray {
 public:
#if SIMDLOSS_GUARD_PAGES
  explicit GuardedArray(size_t size, Edge edge = Edge::kEnd) {
    const size_t page = static_cast<size_t>(sysconf(_SC_PAGESIZE)), bytes = size * sizeof(T);
    inside_ = (bytes + page - 1) / page * page;
    memory_ = Take(inside_, page);
    data_ = reinterpret_cast<T*>(memory_ + page + (edge == Edge::kStart ? 0 : inside_ - bytes));
  }
  ~GuardedArray() { Idle()[inside_].push_back(memory_); }
#else
  explicit GuardedArray(size_t size, Edge = Edge::kEnd) : data_(new T[size]) {}
  ~GuardedArray() { delete[] data_; }
#endif
  explicit GuardedArray(const std::vector<T>& x, Edge edge = Edge::kEnd) : GuardedArray(x.size(), edge) {
    std::copy(x.begin(), x.end(), data_);
  }
  GuardedArray(const GuardedArray&) = delete;
  GuardedArray& operator=(const GuardedArray&) = delete;

  T* data() const { return data_; }
  T& operator[](size_t i) const { return data_[i]; }

 private:
  T* data_;
#if SIMDLOSS_GUARD_PAGES
  // What was mapped is used again: the kernel takes its time for pages.
  static std::map<size_t, std::vector<char*>>& Idle() {
    static std::map<size_t, std::vector<char*>> idle;
    return idle;
  }
  static char* Take(size_t inside, size_t page) {
    std::vector<char*>& idle = Idle()[inside];
    if (idle.empty()) {
      void* const mapped = mmap(nullptr, inside + 2 * page, PROT_NONE, MAP_PRIVATE | MAP_ANON, -1, 0);
      char* const memory = static_cast<char*>(mapped);
      CHECK(mapped != MAP_FAILED && (inside == 0 || mprotect(memory + page, inside, PROT_READ | PROT_WRITE) == 0),
            "no guarded memory");
      return memory;
    }
    char* const memory = idle.back();
    idle.pop_back();
    return memory;
  }

  char* memory_;
  size_t inside_;
#endif
};

}  // namespace test
}  // namespace simdloss

#endif  // SIMDLOSS_NATIVE_TEST_ARRAYS_H_
