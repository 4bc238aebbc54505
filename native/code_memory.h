// SPDX-License-Identifier: Apache-2.0
#ifndef SIMDLOSS_NATIVE_CODE_MEMORY_H_
#define SIMDLOSS_NATIVE_CODE_MEMORY_H_

#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

namespace simdloss {

// Pages of machine code, which nothing can write to any more.
class CodeMemory {
 public:
  CodeMemory() = default;
  // A copy of the code; empty where the system grants no such pages.
  explicit CodeMemory(const std::vector<uint8_t>& code);
  CodeMemory(CodeMemory&& other) noexcept
      : pages_(std::exchange(other.pages_, nullptr)), bytes_(std::exchange(other.bytes_, 0)) {}
  CodeMemory& operator=(CodeMemory&& other) noexcept {
    std::swap(pages_, other.pages_);
    std::swap(bytes_, other.bytes_);
    return *this;
  }
  ~CodeMemory();

  explicit operator bool() const { return pages_ != nullptr; }
  // What begins so far from the start.
  template <class Function>
  Function At(size_t offset) const {
    return reinterpret_cast<Function>(reinterpret_cast<uintptr_t>(pages_) + offset);
  }

 private:
  void* pages_ = nullptr;
  size_t bytes_ = 0;
};

}  // namespace simdloss

#endif  // SIMDLOSS_NATIVE_CODE_MEMORY_H_
