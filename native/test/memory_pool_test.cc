// SPDX-License-Identifier: Apache-2.0
// The pool of shared memory: alignment, reuse, who holds an address, and what is kept.
#include "native/memory_pool.h"

#include <atomic>
#include <chrono>
#include <cstdint>
#include <cstring>
#include <limits>
#include <thread>
#include <vector>

#include "native/test/test.h"
#include "native/thread_pool.h"

namespace simdloss {
namespace {

constexpr size_t kMost = size_t{128} << 20;

TEST(MemoryPoolBlocks) {
  for (const size_t bytes : {0, 1, 63, 64, 4096, 4097, 65535, 65536, 1000000, 33554432}) {
    const Shared block = AllocateShared(bytes);
    CHECK(block != nullptr, "%zu bytes", bytes);
    CHECK(reinterpret_cast<uintptr_t>(block.get()) % 64 == 0, "%zu bytes", bytes);
    std::memset(block.get(), 1, bytes);  // a sanitizer sees a block that is too short
  }
  CHECK(AllocateShared(std::numeric_limits<size_t>::max()) == nullptr, "more than there is");
}

TEST(MemoryPoolReuse) {
  void* address = AllocateShared(100000).get();
  const Shared again = AllocateShared(99000);
  CHECK(again.get() == address, "a block of about the size is used again");
  CHECK(AllocateShared(100000).get() != address, "while it is lent, it is not");
}

TEST(MemoryPoolFind) {
  const size_t lent = CountPoolBytes().lent;
  Shared block = AllocateShared(8192);
  char* const data = static_cast<char*>(block.get());
  CHECK(FindShared(data, 8192) == block, "all of it");
  CHECK(FindShared(data + 8191, 1) == block, "its last byte");
  CHECK(FindShared(data + 1, 8192) == nullptr, "beyond its end");
  CHECK(FindShared(data - 1, 2) == nullptr, "before its beginning");
  CHECK(FindShared(&block, 1) == nullptr, "other memory");
  CHECK(FindShared(nullptr, 0) == nullptr, "none");
  Shared share = FindShared(data + 100, 1);
  block = nullptr;
  CHECK(CountPoolBytes().lent == lent + 8192, "lent while a share is left");
  CHECK(FindShared(data, 1) == share, "and found");
  share = nullptr;
  CHECK(CountPoolBytes().lent == lent, "given back with the last share");
  CHECK(FindShared(data, 1) == nullptr, "and not found any more");
}

TEST(MemoryPoolBounds) {
  {
    std::vector<Shared> many;
    for (size_t i = 0; i < 100; ++i) many.push_back(AllocateShared(5000 + 1000 * i));
    for (size_t i = 0; i < 20; ++i) many.push_back(AllocateShared(16 << 20));
  }
  // Large blocks are freed by another thread.
  for (int i = 0; i < 1000 && CountPoolBytes().idle > kMost; ++i) {
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
  CHECK(CountPoolBytes().idle <= kMost, "%zu bytes idle", CountPoolBytes().idle);
}

TEST(MemoryPoolThreads) {
  constexpr size_t kThreads = 4, kRounds = 500;
  std::atomic<size_t> wrong{0}, ended{0};
  struct Body {
    std::atomic<size_t>*wrong, *ended;
  } shared{&wrong, &ended};
  const auto body = [](void* given) {
    const Body& own = *static_cast<Body*>(given);
    for (size_t i = 0; i < kRounds; ++i) {
      const size_t bytes = 4096 * (1 + i % 7);
      const Shared block = AllocateShared(bytes);
      // A block is nobody else's: what was written stays.
      std::memset(block.get(), static_cast<int>(i), bytes);
      const auto* const last = static_cast<unsigned char*>(block.get()) + bytes - 1;
      if (FindShared(last, 1) != block || *last != static_cast<unsigned char>(i)) ++*own.wrong;
    }
    ++*own.ended;
  };
  for (size_t i = 0; i < kThreads; ++i) CHECK(StartThread(body, &shared), "thread %zu", i);
  while (ended != kThreads) std::this_thread::yield();
  CHECK(wrong == 0, "%zu wrong", wrong.load());
}

}  // namespace
}  // namespace simdloss
