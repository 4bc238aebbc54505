// SPDX-License-Identifier: Apache-2.0
// Two layouts of rows under one set of formulas: a row along the lanes (wide), or a row a lane (narrow). Row formulas
// are written over a layout, whose reductions give each lane the result of its own row.
//
// A layout hands a formula its elements a step at a time: a vector of them, whole or the part that ends a row. A step
// loads and stores; where the memory is float and the lanes are double, it converts.

#if defined(SIMDLOSS_NATIVE_KERNELS_ROWS_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef SIMDLOSS_NATIVE_KERNELS_ROWS_INL_H_
#undef SIMDLOSS_NATIVE_KERNELS_ROWS_INL_H_
#else
#define SIMDLOSS_NATIVE_KERNELS_ROWS_INL_H_
#endif

#include <algorithm>
#include <cstdint>
#include <limits>
#include <type_traits>

#include "hwy/highway.h"
#include "native/kernels/math-inl.h"
#include "native/stages.h"

// Of a lambda that works on one step. Out of line, g++ would pass each vector, and each sum, through memory.
#undef SIMDLOSS_STEP
#define SIMDLOSS_STEP HWY_ATTR __attribute__((always_inline))

HWY_BEFORE_NAMESPACE();
namespace simdloss {
namespace HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

// --- Steps -----------------------------------------------------------------------------------------------------------

template <class D, class T>
constexpr bool kConverts = !std::is_same_v<hn::TFromD<D>, T>;

// All lanes of the vector at element `at`.
struct WholeStep {
  size_t at;

  template <class D, class T>
  HWY_INLINE hn::Vec<D> Load(D d, const T* p) const {
    if constexpr (kConverts<D, T>) {
      return hn::PromoteTo(d, hn::LoadU(hn::Rebind<T, D>(), p + at));
    } else {
      return hn::LoadU(d, p + at);
    }
  }
  template <class D, class T>
  HWY_INLINE hn::Vec<D> LoadOr(D d, hn::Vec<D>, const T* p) const {
    return Load(d, p);
  }
  template <class D, class T>
  HWY_INLINE void Store(hn::Vec<D> v, D d, T* p) const {
    if constexpr (kConverts<D, T>) {
      const hn::Rebind<T, D> to;
      hn::StoreU(math::Narrowed(to, v), to, p + at);
    } else {
      hn::StoreU(v, d, p + at);
    }
  }
  template <class D, class V>
  HWY_INLINE V Only(D, V v) const {
    return v;
  }
};

// The first `count` lanes alone: other memory is not touched, and what a load gives there is 0 or what the caller says.
struct PartStep {
  size_t at, count;

  template <class D, class T>
  HWY_INLINE hn::Vec<D> Load(D d, const T* p) const {
    return LoadOr(d, hn::Zero(d), p);
  }
  template <class D, class T>
  HWY_INLINE hn::Vec<D> LoadOr(D d, hn::Vec<D> other, const T* p) const {
    if constexpr (kConverts<D, T>) {
      const auto v = hn::PromoteTo(d, hn::LoadN(hn::Rebind<T, D>(), p + at, count));
      return hn::IfThenElse(hn::FirstN(d, count), v, other);
    } else {
      return hn::LoadNOr(other, d, p + at, count);
    }
  }
  template <class D, class T>
  HWY_INLINE void Store(hn::Vec<D> v, D d, T* p) const {
    if constexpr (kConverts<D, T>) {
      const hn::Rebind<T, D> to;
      hn::StoreN(math::Narrowed(to, v), to, p + at, count);
    } else {
      hn::StoreN(v, d, p + at, count);
    }
  }
  // v, and 0 in the lanes that hold nothing.
  template <class D, class V>
  HWY_INLINE V Only(D d, V v) const {
    return hn::IfThenElseZero(hn::FirstN(d, count), v);
  }
};

// --- Layouts ---------------------------------------------------------------------------------------------------------

// Steps between two stops at which sums are put aside.
constexpr size_t kBlockSteps = 16;

// NaN handling of hn::Max differs by target; row formulas get their NaN from the sums that follow a maximum.
template <class D>
struct WideRows {
  using V = hn::Vec<D>;
  static constexpr bool kNarrow = false;
  D d;
  size_t cols;

  // step(WholeStep or PartStep) for each step, stop() after each block of them.
  template <class F, class G>
  HWY_INLINE void ForEachStep(F&& step, G&& stop) const {
    const size_t N = hn::Lanes(d), whole = cols - cols % N;
    for (size_t i = 0; i < whole; stop()) {
      const size_t end = std::min(i + kBlockSteps * N, whole);
      for (; i < end; i += N) step(WholeStep{i});
    }
    if (whole < cols) {
      step(PartStep{whole, cols - whole});
      stop();
    }
  }
  HWY_INLINE V Max(V v) const { return hn::Set(d, hn::ReduceMax(d, v)); }
  HWY_INLINE V Min(V v) const { return hn::Set(d, hn::ReduceMin(d, v)); }
  HWY_INLINE V Sum(V v) const { return hn::Set(d, hn::ReduceSum(d, v)); }
  HWY_INLINE void StorePerRow(V v, double* out) const { out[0] = static_cast<double>(hn::GetLane(v)); }
};

template <class D>
struct NarrowRows {
  using V = hn::Vec<D>;
  static constexpr bool kNarrow = true;
  D d;
  size_t cols;

  template <class F, class G>
  HWY_INLINE void ForEachStep(F&& step, G&& stop) const {
    const size_t N = hn::Lanes(d), whole = cols * N;
    for (size_t i = 0; i < whole; stop()) {
      const size_t end = std::min(i + kBlockSteps * N, whole);
      for (; i < end; i += N) step(WholeStep{i});
    }
  }
  HWY_INLINE V Max(V v) const { return v; }
  HWY_INLINE V Min(V v) const { return v; }
  HWY_INLINE V Sum(V v) const { return v; }
  HWY_INLINE void StorePerRow(V v, double* out) const {
    if constexpr (!kConverts<hn::ScalableTag<double>, hn::TFromD<D>>) {
      hn::StoreU(v, d, out);
    } else {
#if HWY_TARGET == HWY_SCALAR
      out[0] = static_cast<double>(hn::GetLane(v));
#else
      const hn::ScalableTag<double> dd;
      hn::StoreU(hn::PromoteLowerTo(dd, v), dd, out);
      hn::StoreU(hn::PromoteUpperTo(dd, v), dd, out + hn::Lanes(dd));
#endif
    }
  }
};

template <class R, class F>
HWY_INLINE void ForEachStep(const R& rows, F&& step) {
  if constexpr (R::kNarrow) {
    const size_t N = hn::Lanes(rows.d), whole = rows.cols * N;
    for (size_t i = 0; i < whole; i += N) step(WholeStep{i});
  } else {
    rows.ForEachStep(step, []() HWY_ATTR {});
  }
}

// f(step, store) for the steps of a wide row of `out`, whose whole ones begin on aligned addresses; store(step, v)
// writes to out. Where `stream` says so whole lines go past the caches. A line of which only a part did would cost more
// than it saves: streamed rows of 1000 floats that began within lines took 1.4 times as long as cached ones.
template <class D, class T, class F>
HWY_INLINE void ForEachAlignedStep(const WideRows<D>& rows, T* out, bool stream, F&& f) {
  const D d = rows.d;
  constexpr size_t kLineBytes = 64;
  const size_t N = hn::Lanes(d), line = stream ? kLineBytes / sizeof(T) : N;
  const size_t past = reinterpret_cast<uintptr_t>(out) % (line * sizeof(T)) / sizeof(T);
  const auto store = [&](auto at, hn::Vec<D> v) SIMDLOSS_STEP { at.Store(v, d, out); };
  size_t i = 0;
  const size_t head = past == 0 ? 0 : std::min(line - past, rows.cols);
  if (head % N != 0) f(PartStep{0, head % N}, store);
  for (i = head % N; i < head; i += N) f(WholeStep{i}, store);
  if (stream) {
    const auto store_past = [&](WholeStep at, hn::Vec<D> v) HWY_ATTR { hn::Stream(v, d, out + at.at); };
    const size_t end = i + (rows.cols - i) / line * line;
    for (; i < end; i += N) f(WholeStep{i}, store_past);
  }
  for (; i + N <= rows.cols; i += N) f(WholeStep{i}, store);
  if (i < rows.cols) f(PartStep{i, rows.cols - i}, store);
}

// Calls f with the layout's rows as a type of their own.
template <class D, class F>
HWY_INLINE void WithRows(D d, const RowLayout& layout, F&& f) {
  if (layout.narrow) {
    f(NarrowRows<D>{d, layout.cols});
  } else {
    f(WideRows<D>{d, layout.cols});
  }
}

// --- Reductions ------------------------------------------------------------------------------------------------------

template <class V, size_t kCount>
struct Sums {
  V of[kCount];

  HWY_INLINE V operator[](size_t i) const { return of[i]; }
};

// Sums over a row: add(step, sums) adds a step's terms to sums[0 .. kCount). Blocks of steps are added plainly, the
// blocks with their rounding errors carried along: a few roundings of T for rows of any length. Infinities stay what
// they are.
template <size_t kCount, class R, class F, class V = typename R::V>
HWY_INLINE Sums<V, kCount> SumsOfSteps(const R& rows, F&& add) {
  const auto d = rows.d;
  Sums<V, kCount> sums;
  if (R::kNarrow && rows.cols <= kBlockSteps) {
    HWY_UNROLL(8)
    for (size_t k = 0; k < kCount; ++k) sums.of[k] = hn::Zero(d);
    ForEachStep(rows, [&](auto step) SIMDLOSS_STEP { add(step, sums.of); });
    return sums;
  }
  V high[kCount], low[kCount], block[kCount];
  HWY_UNROLL(8)
  for (size_t k = 0; k < kCount; ++k) high[k] = low[k] = block[k] = hn::Zero(d);
  rows.ForEachStep([&](auto step) SIMDLOSS_STEP { add(step, block); },
                   [&]() HWY_ATTR {
                     HWY_UNROLL(8)
                     for (size_t k = 0; k < kCount; ++k) {
                       const V total = hn::Add(high[k], block[k]);
                       const V of_block = hn::Sub(total, high[k]);
                       const V error = hn::Add(hn::Sub(high[k], hn::Sub(total, of_block)), hn::Sub(block[k], of_block));
                       low[k] = hn::Add(low[k], error);
                       high[k] = total;
                       block[k] = hn::Zero(d);
                     }
                   });
  HWY_UNROLL(8)
  for (size_t k = 0; k < kCount; ++k) {
    sums.of[k] = rows.Sum(hn::Add(high[k], hn::IfThenElseZero(hn::IsFinite(high[k]), low[k])));
  }
  return sums;
}

// The sum over a row of f(step).
template <class R, class F, class V = typename R::V>
HWY_INLINE V SumOfSteps(const R& rows, F&& f) {
  return SumsOfSteps<1>(rows, [&](auto step, V* sums) SIMDLOSS_STEP { sums[0] = hn::Add(sums[0], f(step)); })[0];
}

// The largest f(step); lanes that hold nothing must give -Infinity.
template <class R, class F, class V = typename R::V>
HWY_INLINE V MaxOfSteps(const R& rows, F&& f) {
  V max = hn::Set(rows.d, -std::numeric_limits<hn::TFromD<decltype(rows.d)>>::infinity());
  ForEachStep(rows, [&](auto step) SIMDLOSS_STEP { max = hn::Max(max, f(step)); });
  return rows.Max(max);
}

// --- Rows a lane -----------------------------------------------------------------------------------------------------

// Moves blocks of as many rows as lanes between memory and the narrow layout, 16 bytes of a row at a time.
template <class D>
class Transposer {
  using V = hn::Vec<D>;
  using T = hn::TFromD<D>;

 public:
  Transposer(D d, size_t cols) : d_(d), cols_(cols) {}

  // Element (i, j) of `from` to lane i of vector j of `to`; only the first `rows` rows are there, others become 0.
  template <class U>
  void Load(const U* from, size_t stride, size_t rows, T* to) const {
    LoadEach(from, stride, rows, to, [](V) HWY_ATTR {});
  }

  // The same. f sees each vector on its way, some twice.
  template <class U, class F>
  HWY_INLINE void LoadEach(const U* from, size_t stride, size_t rows, T* to, F&& f) const {
    const size_t N = hn::Lanes(d_), cols = cols_;
    if constexpr (kByColumns<U>) {
      if (rows == N && cols >= kColumns<U>) {
        const U* const far = from + kFar<U> * stride;
        ForEachColumns<U>([&](size_t j) SIMDLOSS_STEP {
          V v[kColumns<U>];
          HWY_UNROLL(4)
          for (size_t k = 0; k < kColumns<U>; ++k)
            v[k] = LoadBlocks(from + j + k * stride, far + j + k * stride, stride);
          TransposeBlocks(v);
          HWY_UNROLL(4)
          for (size_t k = 0; k < kColumns<U>; ++k) {
            hn::StoreU(v[k], d_, to + (j + k) * N);
            f(v[k]);
          }
        });
        return;
      }
    }
    LoadFew(from, stride, rows, to);
    for (size_t j = 0; j < cols; ++j) f(hn::LoadU(d_, to + j * N));
  }

  // The other way round.
  template <class U>
  void Store(const T* from, size_t rows, U* to, size_t stride) const {
    StoreEach(rows, to, stride, from, [&](WholeStep at) SIMDLOSS_STEP { return at.Load(d_, from); });
  }

  // The same of the vectors f(step), which it may ask for twice; `buffer` takes them, unless it is const and they are
  // there.
  template <class U, class Buffer, class F>
  HWY_INLINE void StoreEach(size_t rows, U* to, size_t stride, Buffer* buffer, F&& f) const {
    const size_t N = hn::Lanes(d_), cols = cols_;
    if constexpr (kByColumns<U>) {
      if (rows == N && cols >= kColumns<U>) {
        U* const far = to + kFar<U> * stride;
        ForEachColumns<U>([&](size_t j) SIMDLOSS_STEP {
          V v[kColumns<U>];
          HWY_UNROLL(4)
          for (size_t k = 0; k < kColumns<U>; ++k) v[k] = f(WholeStep{(j + k) * N});
          TransposeBlocks(v);
          HWY_UNROLL(4)
          for (size_t k = 0; k < kColumns<U>; ++k) StoreBlocks(v[k], to + j + k * stride, far + j + k * stride, stride);
        });
        return;
      }
    }
    if constexpr (!std::is_const_v<Buffer>) {
      for (size_t j = 0; j < cols; ++j) hn::StoreU(f(WholeStep{j * N}), d_, buffer + j * N);
    }
    StoreFew(buffer, rows, to, stride);
  }

 private:
  template <class U>
  static constexpr bool kByColumns = !kConverts<D, U> && HWY_TARGET != HWY_SCALAR;
  template <class U>
  static constexpr size_t kColumns = 16 / sizeof(U);
  // Rows from one block of a vector to the next, where there is one.
  template <class U>
  static constexpr size_t kFar = hn::MaxLanes(D()) > kColumns<U> ? kColumns<U> : 0;

  // f(j) for kColumns columns from j on, again and again; the last ones may be done twice.
  template <class U, class F>
  HWY_INLINE void ForEachColumns(F&& f) const {
    const size_t last = cols_ - kColumns<U>;
    for (size_t j = 0;; j = std::min(j + kColumns<U>, last)) {
      f(j);
      if (j == last) return;
    }
  }

  // Of any rows and columns.
  template <class U>
  void LoadFew(const U* from, size_t stride, size_t rows, T* to) const {
    const size_t N = hn::Lanes(d_), cols = cols_;
    if (rows != N) {
      std::fill_n(to, N * cols, T{0});
    } else if constexpr (kByColumns<U>) {
      if (stride == cols && LoadInterleaved(from, to)) return;
    }
    for (size_t i = 0; i < rows; ++i) {
      for (size_t j = 0; j < cols; ++j) to[j * N + i] = static_cast<T>(from[i * stride + j]);
    }
  }

  template <class U>
  void StoreFew(const T* from, size_t rows, U* to, size_t stride) const {
    const size_t N = hn::Lanes(d_), cols = cols_;
    if constexpr (kByColumns<U>) {
      if (rows == N && stride == cols && StoreInterleaved(from, to)) return;
    }
    for (size_t i = 0; i < rows; ++i) {
      for (size_t j = 0; j < cols; ++j) to[i * stride + j] = static_cast<U>(from[j * N + i]);
    }
  }

#if HWY_TARGET != HWY_SCALAR
  using Block = hn::BlockDFromD<D>;

  // Columns of which a full vector of rows lies back to back.
  bool LoadInterleaved(const T* from, T* to) const {
    const size_t N = hn::Lanes(d_);
    V a, b, c;
    switch (cols_) {
      case 1:
        hn::StoreU(hn::LoadU(d_, from), d_, to);
        return true;
      case 2:
        hn::LoadInterleaved2(d_, from, a, b);
        hn::StoreU(a, d_, to);
        hn::StoreU(b, d_, to + N);
        return true;
      case 3:
        hn::LoadInterleaved3(d_, from, a, b, c);
        hn::StoreU(a, d_, to);
        hn::StoreU(b, d_, to + N);
        hn::StoreU(c, d_, to + 2 * N);
        return true;
      default:
        return false;
    }
  }

  bool StoreInterleaved(const T* from, T* to) const {
    const size_t N = hn::Lanes(d_);
    switch (cols_) {
      case 1:
        hn::StoreU(hn::LoadU(d_, from), d_, to);
        return true;
      case 2:
        hn::StoreInterleaved2(hn::LoadU(d_, from), hn::LoadU(d_, from + N), d_, to);
        return true;
      case 3:
        hn::StoreInterleaved3(hn::LoadU(d_, from), hn::LoadU(d_, from + N), hn::LoadU(d_, from + 2 * N), d_, to);
        return true;
      default:
        return false;
    }
  }

  // 16 bytes of each of the rows that are kFar apart, one a block of the vector; `far` is the second of them.
  HWY_INLINE V LoadBlocks(const T* from, const T* far, size_t stride) const {
    const Block b;
    if constexpr (hn::MaxLanes(D()) * sizeof(T) == 16) {
      return hn::LoadU(d_, from);
    } else if constexpr (hn::MaxLanes(D()) * sizeof(T) == 32) {
      return hn::Combine(d_, hn::LoadU(b, far), hn::LoadU(b, from));
    } else {
      const hn::Half<D> half;
      const size_t skip = 2 * kFar<T> * stride;
      return hn::Combine(d_, hn::Combine(half, hn::LoadU(b, far + skip), hn::LoadU(b, from + skip)),
                         hn::Combine(half, hn::LoadU(b, far), hn::LoadU(b, from)));
    }
  }

  HWY_INLINE void StoreBlocks(V v, T* to, T* far, size_t stride) const {
    const Block b;
    if constexpr (hn::MaxLanes(D()) * sizeof(T) == 16) {
      hn::StoreU(v, d_, to);
    } else if constexpr (hn::MaxLanes(D()) * sizeof(T) == 32) {
      hn::StoreU(hn::LowerHalf(b, v), b, to);
      hn::StoreU(hn::UpperHalf(b, v), b, far);
    } else {
      const hn::Half<D> half;
      const auto low = hn::LowerHalf(half, v), high = hn::UpperHalf(half, v);
      const size_t skip = 2 * kFar<T> * stride;
      hn::StoreU(hn::LowerHalf(b, low), b, to);
      hn::StoreU(hn::UpperHalf(b, low), b, far);
      hn::StoreU(hn::LowerHalf(b, high), b, to + skip);
      hn::StoreU(hn::UpperHalf(b, high), b, far + skip);
    }
  }

  // Four vectors (of float; two of double) whose blocks are 4 x 4 (2 x 2) matrices, each transposed.
  HWY_INLINE void TransposeBlocks(V* v) const {
    if constexpr (sizeof(T) == 4) {
      const hn::RepartitionToWide<D> wide;
      const auto low01 = hn::BitCast(wide, hn::InterleaveLower(d_, v[0], v[1]));
      const auto low23 = hn::BitCast(wide, hn::InterleaveLower(d_, v[2], v[3]));
      const auto high01 = hn::BitCast(wide, hn::InterleaveUpper(d_, v[0], v[1]));
      const auto high23 = hn::BitCast(wide, hn::InterleaveUpper(d_, v[2], v[3]));
      v[0] = hn::BitCast(d_, hn::InterleaveLower(wide, low01, low23));
      v[1] = hn::BitCast(d_, hn::InterleaveUpper(wide, low01, low23));
      v[2] = hn::BitCast(d_, hn::InterleaveLower(wide, high01, high23));
      v[3] = hn::BitCast(d_, hn::InterleaveUpper(wide, high01, high23));
    } else {
      const V low = hn::InterleaveLower(d_, v[0], v[1]);
      v[1] = hn::InterleaveUpper(d_, v[0], v[1]);
      v[0] = low;
    }
  }
#endif

  D d_;
  size_t cols_;
};

}  // namespace HWY_NAMESPACE
}  // namespace simdloss
HWY_AFTER_NAMESPACE();

#endif  // SIMDLOSS_NATIVE_KERNELS_ROWS_INL_H_
