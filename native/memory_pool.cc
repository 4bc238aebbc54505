// SPDX-License-Identifier: Apache-2.0
#include "native/memory_pool.h"

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <limits>
#include <map>
#include <mutex>
#include <vector>

#include "native/thread_pool.h"

namespace simdloss {
namespace {

constexpr size_t kAlignment = 64;
// No block is smaller: a page.
constexpr size_t kSmallest = 4096;
// Kept while nobody uses them: what one call of 8192 x 1000 float32 works in, twice. The system takes 0.2 ms to make a
// fresh MiB, longer than it takes to fill one.
constexpr size_t kMostIdleBytes = size_t{128} << 20;
// Calls in flight have fewer; a search through them costs nothing.
constexpr size_t kMostIdleBlocks = 32;
// From here on blocks are given back by a thread of its own: the system takes 2 ms to take back 32 MiB, too long for
// the thread of an event loop.
constexpr size_t kLarge = size_t{1} << 20;

struct Block {
  void* allocation;
  size_t size;

  void* data() const {
    const auto address = reinterpret_cast<uintptr_t>(allocation);
    return reinterpret_cast<void*>((address + kAlignment - 1) & ~uintptr_t{kAlignment - 1});
  }
};

// Eight sizes between powers of two: calls of about a size share blocks, and an eighth is wasted at most.
size_t RoundedSize(size_t bytes) {
  size_t step = kSmallest;
  while (step <= bytes / 16) step *= 2;
  return (std::max<size_t>(bytes, 1) + step - 1) / step * step;
}

class Pool {
 public:
  Shared Allocate(size_t bytes) {
    if (bytes > std::numeric_limits<size_t>::max() / 2) return nullptr;
    const size_t size = RoundedSize(bytes);
    Block block{nullptr, size};
    const std::lock_guard<std::mutex> lock(mutex_);
    // The last one given back is the likeliest to be in a cache.
    const auto same = std::find_if(idle_.rbegin(), idle_.rend(), [&](const Block& each) { return each.size == size; });
    if (same != idle_.rend()) {
      block = *same;
      idle_.erase(std::next(same).base());
      bytes_.idle -= size;
    } else {
      block.allocation = std::malloc(size + kAlignment);
      if (block.allocation == nullptr) return nullptr;
    }
    bytes_.lent += size;
    const Shared share(block.data(), [this, block](void*) { TakeBack(block); });
    lent_.emplace(reinterpret_cast<uintptr_t>(block.data()), Lent{size, share});
    return share;
  }

  Shared Find(const void* data, size_t bytes) {
    const auto address = reinterpret_cast<uintptr_t>(data);
    const std::lock_guard<std::mutex> lock(mutex_);
    auto after = lent_.upper_bound(address);
    if (after == lent_.begin()) return nullptr;
    const auto& [begin, lent] = *--after;
    const size_t offset = address - begin;
    return offset <= lent.size && bytes <= lent.size - offset ? lent.share.lock() : nullptr;
  }

  PoolBytes Count() {
    const std::lock_guard<std::mutex> lock(mutex_);
    return bytes_;
  }

 private:
  struct Lent {
    size_t size;
    std::weak_ptr<void> share;
  };

  void TakeBack(const Block& block) {
    std::unique_lock<std::mutex> lock(mutex_);
    lent_.erase(reinterpret_cast<uintptr_t>(block.data()));
    bytes_.lent -= block.size;
    idle_.push_back(block);
    bytes_.idle += block.size;
    while (IsOver() && idle_.front().size < kLarge) FreeOldest(&lock);
    if (!IsOver() || trimming_) return;
    trimming_ = true;
    if (!StartThread([](void* pool) { static_cast<Pool*>(pool)->TrimAlone(); }, this)) Trim(&lock);
  }

  bool IsOver() const { return bytes_.idle > kMostIdleBytes || idle_.size() > kMostIdleBlocks; }

  void TrimAlone() {
    std::unique_lock<std::mutex> lock(mutex_);
    Trim(&lock);
  }

  void Trim(std::unique_lock<std::mutex>* lock) {
    while (IsOver()) FreeOldest(lock);
    trimming_ = false;
  }

  // Of a size that is no longer asked for.
  void FreeOldest(std::unique_lock<std::mutex>* lock) {
    const Block block = idle_.front();
    idle_.erase(idle_.begin());
    bytes_.idle -= block.size;
    lock->unlock();
    std::free(block.allocation);
    lock->lock();
  }

  std::mutex mutex_;
  std::map<uintptr_t, Lent> lent_;  // by address
  std::vector<Block> idle_;         // in the order they came back
  PoolBytes bytes_;
  bool trimming_ = false;
};

// Never destroyed: shares may be given back until the process's end.
Pool& SharedPool() {
  static Pool* const pool = new Pool;
  return *pool;
}

}  // namespace

Shared AllocateShared(size_t bytes) { return SharedPool().Allocate(bytes); }

Shared FindShared(const void* data, size_t bytes) { return SharedPool().Find(data, bytes); }

PoolBytes CountPoolBytes() { return SharedPool().Count(); }

}  // namespace simdloss
