// SPDX-License-Identifier: Apache-2.0
// Scratch memory of a thread: grows to what the largest call needed, is aligned for every vector, never throws.
#ifndef SIMDLOSS_NATIVE_SCRATCH_H_
#define SIMDLOSS_NATIVE_SCRATCH_H_

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <limits>

namespace simdloss {

class Scratch {
 public:
  static constexpr size_t kAlignment = 64;

  Scratch() = default;
  Scratch(const Scratch&) = delete;
  Scratch& operator=(const Scratch&) = delete;
  ~Scratch() { std::free(allocation_); }

  // `count` arrays of `length` elements each, the arrays back to back on aligned addresses; null when there is no
  // memory.
  template <class T>
  T* Arrays(size_t count, size_t length) {
    return static_cast<T*>(Bytes(count, ArrayStride<T>(length) * sizeof(T)));
  }

  // From one array of Arrays() to the next, in elements.
  template <class T>
  static constexpr size_t ArrayStride(size_t length) {
    constexpr size_t kLanes = kAlignment / sizeof(T);
    return (length + kLanes - 1) / kLanes * kLanes;
  }

 private:
  void* Bytes(size_t count, size_t each) {
    if (each != 0 && count > (std::numeric_limits<size_t>::max() - kAlignment) / each) return nullptr;
    const size_t bytes = count * each + kAlignment;
    if (bytes > capacity_) {
      std::free(allocation_);
      allocation_ = std::malloc(bytes);
      capacity_ = allocation_ == nullptr ? 0 : bytes;
      if (allocation_ == nullptr) return nullptr;
    }
    const auto address = reinterpret_cast<uintptr_t>(allocation_);
    return reinterpret_cast<void*>((address + kAlignment - 1) & ~uintptr_t{kAlignment - 1});
  }

  void* allocation_ = nullptr;
  size_t capacity_ = 0;
};

// WASI has one thread, and no destructors at the end of it.
#if defined(__wasi__)
#define SIMDLOSS_THREAD_LOCAL
#else
#define SIMDLOSS_THREAD_LOCAL thread_local
#endif

// The calling thread's.
inline Scratch& ThreadScratch() {
  static SIMDLOSS_THREAD_LOCAL Scratch scratch;
  return scratch;
}

}  // namespace simdloss

#endif  // SIMDLOSS_NATIVE_SCRATCH_H_
