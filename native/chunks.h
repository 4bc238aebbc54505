// SPDX-License-Identifier: Apache-2.0
// How work over rows is cut for threads: by its size alone, so that results are the same to the bit for any number.
#ifndef SIMDLOSS_NATIVE_CHUNKS_H_
#define SIMDLOSS_NATIVE_CHUNKS_H_

#include <algorithm>
#include <cstddef>

namespace simdloss {

// Chunks are about this many elements: three float32 arrays of it fit a second-level cache. Two threads took 0.78 of
// the time of one for two chunks of cross entropy (1024 x 40), 0.65 for four (1024 x 100), 0.50 for 32 of MSE (1024 x
// 1000).
constexpr size_t kChunkElements = 32768;
// A chunk of whole tiles leaves no partial tile behind but the last one: 32 rows of any multiple of 8 columns are whole
// tiles of 256.
constexpr size_t kChunkRows = 32;

constexpr size_t RowsPerChunk(size_t cols) {
  const size_t rows = kChunkElements / cols;
  return rows < kChunkRows ? std::max<size_t>(rows, 1) : rows / kChunkRows * kChunkRows;
}

// Rows go to a kernel that works in place in groups of about so many elements, for which labels, masks and weights are
// converted and multiplied where they have to be. 1024 to 8192 are equal within 5 % (cross entropy of 10, 23, 100 and
// 1000 columns).
constexpr size_t kGroupElements = 8192;

// Whole blocks of `block` rows where more than one fits.
constexpr size_t RowsPerGroup(size_t cols, size_t block) {
  const size_t rows = kGroupElements / cols;
  return rows < block ? std::max<size_t>(rows, 1) : rows / block * block;
}

// Outputs larger than this are written past the caches: half a common last-level cache, which other data is in as well.
constexpr size_t kStreamBytes = size_t{12} << 20;

}  // namespace simdloss

#endif  // SIMDLOSS_NATIVE_CHUNKS_H_
