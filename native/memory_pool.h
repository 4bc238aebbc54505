// SPDX-License-Identifier: Apache-2.0
// Memory that outlives what JavaScript does: calls off the event loop work in it. Freed when its last share is gone,
// not when an ArrayBuffer over it is; kept for the next call of that size. One pool for the process, safe from every
// thread.
#ifndef SIMDLOSS_NATIVE_MEMORY_POOL_H_
#define SIMDLOSS_NATIVE_MEMORY_POOL_H_

#include <cstddef>
#include <memory>

namespace simdloss {

// A share in a block, which starts where the pointer points.
using Shared = std::shared_ptr<void>;

// At least `bytes` of uninitialised memory on a 64-byte boundary; null when there is none.
Shared AllocateShared(size_t bytes);

// A share in the block that holds all of these bytes; null where they lie in none.
Shared FindShared(const void* data, size_t bytes);

// What the pool has of the system's memory.
struct PoolBytes {
  size_t lent = 0;
  size_t idle = 0;
};
PoolBytes CountPoolBytes();

}  // namespace simdloss

#endif  // SIMDLOSS_NATIVE_MEMORY_POOL_H_
