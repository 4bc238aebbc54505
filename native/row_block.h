// SPDX-License-Identifier: Apache-2.0
// Moves blocks of rows between the caller's arrays and the row stages' layout.
#ifndef SIMDLOSS_NATIVE_ROW_BLOCK_H_
#define SIMDLOSS_NATIVE_ROW_BLOCK_H_

#include <algorithm>
#include <cstddef>

#include "native/reader.h"
#include "native/stages.h"

namespace simdloss {

template <class T>
class RowBlock {
 public:
  RowBlock(size_t cols, size_t lanes, bool narrow) : cols_(cols), lanes_(lanes), narrow_(narrow) {}

  static RowBlock For(size_t cols, size_t lanes) { return RowBlock(cols, lanes, IsNarrow(cols, lanes)); }

  size_t Rows() const { return narrow_ ? lanes_ : 1; }
  // Elements of a buffer that holds a block.
  size_t Length() const { return narrow_ ? RoundUpToPadding<T>(cols_ * lanes_) : RoundUpToPadding<T>(cols_); }
  RowLayout Layout() const { return {narrow_, cols_}; }

  // `rows` rows from `row` on; padding columns become `pad`, missing rows 0.
  void Load(const Reader<T>& from, size_t row, size_t rows, T pad, T* to) const {
    if (narrow_) {
      if (rows < lanes_) std::fill_n(to, Length(), T{0});
      from.CopyTransposedTo(row, rows, lanes_, to);
    } else {
      from.CopyTo(row * cols_, cols_, to);
      Pad(pad, to);
    }
  }

  // One-hot rows; an ignored row is all 0.
  void LoadOneHot(const SparseReader& labels, size_t row, size_t rows, T* to) const {
    std::fill_n(to, Length(), T{0});
    for (size_t i = 0; i < rows; ++i) {
      const int64_t label = labels[row + i];
      // Checked before, but in shared memory another thread may have changed it since.
      if (label >= 0 && static_cast<size_t>(label) < cols_) to[Index(i, static_cast<size_t>(label))] = 1;
    }
  }

  // Sets the padding columns, which an activation may have changed.
  void Pad(T value, T* to) const {
    if (!narrow_) std::fill(to + cols_, to + Length(), value);
  }

  // Where element (i, j) of the block lies in a buffer.
  size_t Index(size_t i, size_t j) const { return narrow_ ? j * lanes_ + i : j; }

  // Row i times factor[i], or zeros where that is 0.
  template <class G>
  void Store(const T* from, size_t row, size_t rows, const double* factor, G* out, size_t stride) const {
    for (size_t i = 0; i < rows; ++i) {
      G* to = out + (row + i) * stride;
      const T* of_row = from + Index(i, 0);
      const size_t step = narrow_ ? lanes_ : 1;
      const T scale = static_cast<T>(factor[i]);
      if (scale == 0) {
        std::fill_n(to, cols_, G{0});
      } else if (scale == 1) {
        for (size_t j = 0; j < cols_; ++j) to[j] = static_cast<G>(of_row[j * step]);
      } else {
        for (size_t j = 0; j < cols_; ++j) to[j] = static_cast<G>(of_row[j * step] * scale);
      }
    }
  }

 private:
  size_t cols_, lanes_;
  bool narrow_;
};

}  // namespace simdloss

#endif  // SIMDLOSS_NATIVE_ROW_BLOCK_H_
