// SPDX-License-Identifier: Apache-2.0
// Reads stretches of a Matrix as T, in place where dtype and strides allow, else through a small buffer.
#ifndef SIMDLOSS_NATIVE_READER_H_
#define SIMDLOSS_NATIVE_READER_H_

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <type_traits>

#include "native/matrix.h"

namespace simdloss {

// Calls f with a typed pointer to the data.
template <class F>
inline auto WithDtype(Dtype dtype, const void* data, F&& f) {
  switch (dtype) {
    case Dtype::kFloat32:
      return f(static_cast<const float*>(data));
    case Dtype::kFloat64:
      return f(static_cast<const double*>(data));
    case Dtype::kInt8:
      return f(static_cast<const int8_t*>(data));
    case Dtype::kUint8:
      return f(static_cast<const uint8_t*>(data));
    case Dtype::kInt16:
      return f(static_cast<const int16_t*>(data));
    case Dtype::kUint16:
      return f(static_cast<const uint16_t*>(data));
    case Dtype::kInt32:
      return f(static_cast<const int32_t*>(data));
    case Dtype::kUint32:
      return f(static_cast<const uint32_t*>(data));
    case Dtype::kInt64:
      return f(static_cast<const int64_t*>(data));
    default:
      return f(static_cast<const uint64_t*>(data));
  }
}

template <class T>
constexpr Dtype DtypeOf() {
  static_assert(std::is_same_v<T, float> || std::is_same_v<T, double>);
  return std::is_same_v<T, float> ? Dtype::kFloat32 : Dtype::kFloat64;
}

// x as T, by way of float where that is asked: what a float32 call reads is rounded to float32 first, also where it is
// computed in float64.
template <class T, class U>
constexpr T Convert(U x, bool through_float) {
  return through_float ? static_cast<T>(static_cast<float>(x)) : static_cast<T>(x);
}

template <class T>
class Reader {
 public:
  Reader(const Matrix& m, size_t cols, Dtype of_call = DtypeOf<T>())
      : m_(m), cols_(cols), through_float_(of_call == Dtype::kFloat32 && DtypeOf<T>() == Dtype::kFloat64) {
    const bool one_stretch = m.col_stride == 1 ? (m.row_stride == cols || cols == 0) : false;
    // One column: consecutive rows are consecutive elements, whatever the column stride.
    in_place_ = m.dtype == DtypeOf<T>() && !through_float_ && (one_stretch || (cols == 1 && m.row_stride == 1));
    rows_in_place_ = m.dtype == DtypeOf<T>() && !through_float_ && (m.col_stride == 1 || cols == 1);
  }

  explicit operator bool() const { return static_cast<bool>(m_); }

  // The first element where all of them lie side by side in T; null elsewhere.
  const T* InPlace() const { return in_place_ ? static_cast<const T*>(m_.data) : nullptr; }

  // Elements begin .. begin + count of the matrix read row after row: a pointer into it, or buffer filled.
  const T* Read(size_t begin, size_t count, T* buffer) const {
    if (in_place_) return static_cast<const T*>(m_.data) + begin;
    CopyTo(begin, count, buffer);
    return buffer;
  }

  // The same where a stage reads `padded` elements: beyond count they are 0, and never those beyond the array.
  const T* ReadPadded(size_t begin, size_t count, size_t padded, T* buffer) const {
    if (count == padded) return Read(begin, count, buffer);
    CopyTo(begin, count, buffer);
    std::fill(buffer + count, buffer + padded, T{0});
    return buffer;
  }

  void CopyTo(size_t begin, size_t count, T* out) const {
    if (in_place_) {
      std::memcpy(out, static_cast<const T*>(m_.data) + begin, count * sizeof(T));
      return;
    }
    WithDtype(m_.dtype, m_.data, [&](auto* data) {
      size_t row = begin / cols_;
      size_t col = begin % cols_;
      while (count != 0) {
        const size_t piece = std::min(count, cols_ - col);
        const auto* from = data + row * m_.row_stride + col * m_.col_stride;
        if (m_.col_stride == 0) {
          std::fill_n(out, piece, Convert<T>(*from, through_float_));
        } else {
          for (size_t i = 0; i < piece; ++i) out[i] = Convert<T>(from[i], through_float_);
        }
        out += piece;
        count -= piece;
        ++row;
        col = 0;
      }
    });
  }

  // `rows` rows from `row` on, `stride` elements apart: in place, or in buffer, side by side.
  struct Rows {
    const T* data;
    size_t stride;
  };
  Rows ReadRows(size_t row, size_t rows, T* buffer) const {
    if (rows_in_place_) return {static_cast<const T*>(m_.data) + row * m_.row_stride, m_.row_stride};
    CopyTo(row * cols_, rows * cols_, buffer);
    return {buffer, cols_};
  }

  // The first column of `rows` rows from `row` on, rounded to T.
  template <class U>
  void ReadColumn(size_t row, size_t rows, U* out) const {
    WithDtype(m_.dtype, m_.data, [&](auto* data) {
      for (size_t i = 0; i < rows; ++i) {
        out[i] = static_cast<U>(Convert<T>(data[(row + i) * m_.row_stride], through_float_));
      }
    });
  }

  // rows x cols_ elements from row `begin` on with rows and columns swapped: out[j * stride + i].
  void CopyTransposedTo(size_t begin, size_t rows, size_t stride, T* out) const {
    WithDtype(m_.dtype, m_.data, [&](auto* data) {
      for (size_t i = 0; i < rows; ++i) {
        const auto* from = data + (begin + i) * m_.row_stride;
        for (size_t j = 0; j < cols_; ++j) {
          out[j * stride + i] = Convert<T>(from[j * m_.col_stride], through_float_);
        }
      }
    });
  }

 private:
  Matrix m_;
  size_t cols_;
  bool through_float_;
  bool in_place_;
  bool rows_in_place_;
};

// The class index in row i of sparse labels (checked beforehand, see CheckSparseLabels), or -1 for an ignored row.
class SparseReader {
 private:
  // First: Clang 16 loses member templates that generic lambdas use before they are defined.
  template <class T>
  bool Ignored(T value) const {
    if (!has_ignore_) return false;
    if constexpr (std::is_floating_point_v<T>) {
      return static_cast<double>(value) == static_cast<double>(ignore_);
    } else if constexpr (std::is_same_v<T, uint64_t>) {
      return ignore_ >= 0 && value == static_cast<uint64_t>(ignore_);
    } else {
      return static_cast<int64_t>(value) == ignore_;
    }
  }

  template <class T>
  static bool IsIndex(T value, size_t classes) {
    if constexpr (std::is_floating_point_v<T>) {
      // NaN fails every comparison; the cast is safe once the value is known to be in range.
      return value >= 0 && static_cast<double>(value) < static_cast<double>(classes) &&
             static_cast<T>(static_cast<uint64_t>(value)) == value;
    } else if constexpr (std::is_signed_v<T>) {
      return value >= 0 && static_cast<uint64_t>(value) < classes;
    } else {
      return static_cast<uint64_t>(value) < classes;
    }
  }

 public:
  SparseReader(const Matrix& labels, bool has_ignore, int64_t ignore)
      : m_(labels), has_ignore_(has_ignore), ignore_(ignore) {}

  int64_t operator[](size_t row) const {
    return WithDtype(m_.dtype, m_.data, [&](auto* data) -> int64_t {
      const auto value = data[row * m_.row_stride];
      return Ignored(value) ? -1 : static_cast<int64_t>(value);
    });
  }

  // The class indices of `count` rows, -1 for an ignored row. Checked before, but in shared memory another thread may
  // have changed them since: what is no index any more is -1 too.
  void CopyTo(size_t row, size_t count, size_t classes, int64_t* out) const {
    WithDtype(m_.dtype, m_.data, [&](auto* data) {
      // Copies, which stores to out can't change.
      const SparseReader reader = *this;
      const size_t rows = count, limit = classes;
      int64_t* const to = out;
      data += row * m_.row_stride;
      for (size_t i = 0; i < rows; ++i) {
        const auto value = data[i * reader.m_.row_stride];
        to[i] = IsIndex(value, limit) && !reader.Ignored(value) ? static_cast<int64_t>(value) : -1;
      }
    });
  }

  // The first row whose label is neither a class index below `classes` nor ignored; `rows` if there is none.
  size_t FirstBad(size_t rows, size_t classes) const {
    return WithDtype(m_.dtype, m_.data, [&](auto* data) {
      for (size_t i = 0; i < rows; ++i) {
        const auto value = data[i * m_.row_stride];
        if (!IsIndex(value, classes) && !Ignored(value)) return i;
      }
      return rows;
    });
  }

 private:
  Matrix m_;
  bool has_ignore_;
  int64_t ignore_;
};

}  // namespace simdloss

#endif  // SIMDLOSS_NATIVE_READER_H_
