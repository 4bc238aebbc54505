// SPDX-License-Identifier: Apache-2.0
// Matrix products: tiles of C in registers, fed from packed panels where packing pays. See gemm.h for the contract.
#if defined(SIMDLOSS_NATIVE_KERNELS_GEMM_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef SIMDLOSS_NATIVE_KERNELS_GEMM_INL_H_
#undef SIMDLOSS_NATIVE_KERNELS_GEMM_INL_H_
#else
#define SIMDLOSS_NATIVE_KERNELS_GEMM_INL_H_
#endif

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <utility>

#include "hwy/cache_control.h"
#include "hwy/highway.h"
#include "native/gemm.h"
#include "native/scratch.h"
#include "native/thread_pool.h"

HWY_BEFORE_NAMESPACE();
namespace simdloss {
namespace HWY_NAMESPACE {
namespace gemm {
namespace hn = hwy::HWY_NAMESPACE;

template <typename T>
using Tag = hn::ScalableTag<T>;
template <typename T>
using Vector = hn::Vec<Tag<T>>;
template <typename T>
constexpr size_t kLanes = hn::MaxLanes(Tag<T>());

// The numbers below were measured on one core of an AMD EPYC, on the sizes in parentheses: where they name AVX3 on Zen
// 4 (32 KB + 1 MB of cache, about 115 GFLOP/s in float32), each target forced in turn, else on Zen 3 (512 KB, 97
// GFLOP/s).

// WebAssembly's engines have 16 registers on x86.
constexpr bool kManyRegisters = HWY_REGISTERS >= 32 && HWY_TARGET != HWY_WASM;

// A tile of C held in registers is kRows rows by kVectors vectors, next to one row of B and one broadcast element of A.
// AVX3: 8 x 3 was up to 6 % faster than 12 x 2, 14 x 2 and 6 x 4; AVX2: 4 x 3 equalled 6 x 2 and was 3..7 % faster than
// 5 x 2 and 4 x 2 (256 x 256 x 256, 128 x 256 x 10).
constexpr size_t kRows = kManyRegisters ? 8 : 4;
constexpr size_t kVectors = 3;
template <typename T>
constexpr size_t kWidth = kVectors * hn::MaxLanes(Tag<T>());

// k of a packed block: 512 floats were up to 15 % faster than 256 on AVX2, equal on AVX3; doubles gained nothing
// (1024 x 784 x 128); half of it was 3..17 % slower.
template <typename T>
constexpr size_t kDepth = 2048 / sizeof(T);
// Rows of C that a thread computes at a time. Their block of A, next to a panel of B, stays in the second cache: packed
// in one go for all rows of A, it took 1.1 times as long (256 x 1000 x 1024).
constexpr size_t kPartRows = 64;
// Up to these rows a B with contiguous rows is read in place: 8..18 % faster (16 and 64 x 1024 x 256). Beyond, AVX2
// lost 20 % and more (32 and 64 x 1024 x 1024).
constexpr size_t kDirectRows = (HWY_MAX_BYTES >= 64 ? 8 : 4) * kRows;
// Up to these columns a transposed A is read in place: 5 % faster than packing it first (100 x 100 x 100), 1.1 times as
// slow with 128 (784 x 128 x 1024).
template <typename T>
constexpr size_t kDirectCols = 5 * kWidth<T>;

// A dot tile is kDotRows rows of A by kDotCols columns of B, one vector of partial sums each.
constexpr size_t kDotRows = 4;
constexpr size_t kDotCols = kManyRegisters ? 4 : 2;
// Dot products against outer products of one vector, in steps of one vector: adding up the lanes costs about kDotSum
// steps, and a step is kDotGain tenths as dear (128 x 1..20 x 32, 128 x 1..20 x 256).
constexpr size_t kDotSum = 5;
constexpr size_t kDotGain = kManyRegisters ? 11 : 8;
// Of a B that is read whole for each few rows of A.
constexpr size_t kDotBytes = size_t{384} << 10;
// Transposing all of B pays from k / kDotRowGain rows on (1..32 x 784 x 10, 1..32 x 784 x 128).
constexpr size_t kDotRowGain = kManyRegisters ? 10 : 24;

// The first n lanes, all of them when n is no less; the others are 0.
template <class D>
HWY_INLINE hn::Vec<D> LoadFirst(D d, const hn::TFromD<D>* from, size_t n) {
  return n >= hn::MaxLanes(d) ? hn::LoadU(d, from) : hn::LoadN(d, from, n);
}

template <class D>
HWY_INLINE void StoreFirst(hn::Vec<D> v, D d, hn::TFromD<D>* to, size_t n) {
  if (n >= hn::MaxLanes(d)) {
    hn::StoreU(v, d, to);
  } else {
    hn::StoreN(v, d, to, n);
  }
}

// Element (i, j) is data[i * row + j * col].
template <typename P>
struct View {
  P* data;
  size_t row;
  size_t col;

  P* At(size_t i, size_t j) const { return data + i * row + j * col; }
  View From(size_t i, size_t j) const { return {At(i, j), row, col}; }
  View Transposed() const { return {data, col, row}; }
};

// c[m, n] = a[m, k] b[k, n] + bias, added to c where `accumulate`; bias.data may be null.
template <typename T>
struct Product {
  size_t m;
  size_t n;
  size_t k;
  View<const T> a;
  View<const T> b;
  View<T> c;
  View<const T> bias;
  bool accumulate = false;

  // C' = B' A'
  Product Transposed() const {
    return {n, m, k, b.Transposed(), a.Transposed(), c.Transposed(), bias.Transposed(), accumulate};
  }
};

// ---- Transposition

#if HWY_TARGET != HWY_SCALAR
// Transpose() of a square block of 16-byte vectors.
HWY_INLINE void TransposeBlock(View<const float> b, size_t stride, float* HWY_RESTRICT out) {
  const hn::Full128<float> d;
  const hn::RepartitionToWide<decltype(d)> dw;
  const auto r0 = hn::LoadU(d, b.At(0, 0));
  const auto r1 = hn::LoadU(d, b.At(0, 1));
  const auto r2 = hn::LoadU(d, b.At(0, 2));
  const auto r3 = hn::LoadU(d, b.At(0, 3));
  const auto lo01 = hn::BitCast(dw, hn::InterleaveLower(d, r0, r1));
  const auto lo23 = hn::BitCast(dw, hn::InterleaveLower(d, r2, r3));
  const auto hi01 = hn::BitCast(dw, hn::InterleaveUpper(d, r0, r1));
  const auto hi23 = hn::BitCast(dw, hn::InterleaveUpper(d, r2, r3));
  hn::StoreU(hn::BitCast(d, hn::InterleaveLower(dw, lo01, lo23)), d, out);
  hn::StoreU(hn::BitCast(d, hn::InterleaveUpper(dw, lo01, lo23)), d, out + stride);
  hn::StoreU(hn::BitCast(d, hn::InterleaveLower(dw, hi01, hi23)), d, out + 2 * stride);
  hn::StoreU(hn::BitCast(d, hn::InterleaveUpper(dw, hi01, hi23)), d, out + 3 * stride);
}

HWY_INLINE void TransposeBlock(View<const double> b, size_t stride, double* HWY_RESTRICT out) {
  const hn::Full128<double> d;
  const auto r0 = hn::LoadU(d, b.At(0, 0));
  const auto r1 = hn::LoadU(d, b.At(0, 1));
  hn::StoreU(hn::InterleaveLower(d, r0, r1), d, out);
  hn::StoreU(hn::InterleaveUpper(d, r0, r1), d, out + stride);
}
#endif

// out[p * stride + j] = b(p, j) for k x n elements; b.row is 1.
template <typename T>
HWY_INLINE void Transpose(size_t n, size_t k, View<const T> b, size_t stride, T* HWY_RESTRICT out) {
  size_t j = 0;
#if HWY_TARGET != HWY_SCALAR
  constexpr size_t kBlock = 16 / sizeof(T);
  for (; j + kBlock <= n; j += kBlock) {
    size_t p = 0;
    for (; p + kBlock <= k; p += kBlock) TransposeBlock(b.From(p, j), stride, out + p * stride + j);
    for (; p < k; ++p) {
      for (size_t i = j; i < j + kBlock; ++i) out[p * stride + i] = *b.At(p, i);
    }
  }
#endif
  for (; j < n; ++j) {
    const T* from = b.At(0, j);
    for (size_t p = 0; p < k; ++p) out[p * stride + j] = from[p];
  }
}

// ---- Tiles by outer products: for each k one column of A times one row of B

// The part of a Product that one tile computes; b.col is 1.
template <typename T>
struct TileCall {
  size_t k;
  View<const T> a;
  const T* b;
  size_t b_row;
  View<T> c;
  View<const T> bias;
  size_t width;     // columns of C, of the tile's kV vectors only the last may be partial
  bool accumulate;  // adds to C
};

template <size_t kV, typename T, size_t... kJ>
HWY_INLINE void LoadRow(Tag<T> d, const T* HWY_RESTRICT b, Vector<T>* row, std::index_sequence<kJ...>) {
  ((row[kJ] = hn::LoadU(d, b + kJ * kLanes<T>)), ...);
}

template <typename T, size_t... kJ>
HWY_INLINE void MulAddRow(Vector<T> a, const Vector<T>* b, Vector<T>* acc, std::index_sequence<kJ...>) {
  ((acc[kJ] = hn::MulAdd(a, b[kJ], acc[kJ])), ...);
}

template <size_t kV, typename T, size_t... kI>
HWY_INLINE void MulAddTile(Tag<T> d, const T* const* a, size_t at, const Vector<T>* b, Vector<T>* acc,
                           std::index_sequence<kI...>) {
  (MulAddRow<T>(hn::Set(d, a[kI][at]), b, acc + kI * kV, std::make_index_sequence<kV>()), ...);
}

// c = sums (+ c) (+ bias), for what a tile cannot simply store. c.col and bias.col are 1.
template <typename T>
HWY_INLINE void FinishRows(size_t rows, size_t cols, const T* HWY_RESTRICT sums, size_t stride, bool accumulate,
                           View<T> c, View<const T> bias) {
  const Tag<T> d;
  for (size_t i = 0; i < rows; ++i) {
    for (size_t j = 0; j < cols; j += kLanes<T>) {
      const size_t left = cols - j;
      Vector<T> sum = LoadFirst(d, sums + i * stride + j, left);
      if (accumulate) sum = hn::Add(sum, LoadFirst(d, c.At(i, j), left));
      if (bias.data != nullptr) sum = hn::Add(sum, LoadFirst(d, bias.At(i, j), left));
      StoreFirst(sum, d, c.At(i, j), left);
    }
  }
}

template <typename T>
HWY_NOINLINE void FinishTile(const TileCall<T>& call, size_t rows, const T* HWY_RESTRICT sums, size_t stride) {
  // A column of C whose elements lie side by side has the same bias for all of them.
  if (call.c.col == 1 && (call.bias.data == nullptr || call.bias.col == 1)) {
    FinishRows(rows, call.width, sums, stride, call.accumulate, call.c, call.bias);
    return;
  }
  HWY_ALIGN T turned[kWidth<T> * kRows];
  Transpose(rows, call.width, View<const T>{sums, 1, stride}, kRows, turned);
  FinishRows(call.width, rows, turned, kRows, call.accumulate, call.c.Transposed(), call.bias.Transposed());
}

template <size_t kR, size_t kV, typename T, size_t... kI, size_t... kIJ>
HWY_INLINE void RunTile(const TileCall<T>& call, std::index_sequence<kI...> rows, std::index_sequence<kIJ...>) {
  const Tag<T> d;
  const T* const a[kR] = {call.a.At(kI, 0)...};
  const T* HWY_RESTRICT b = call.b;
  Vector<T> acc[kR * kV] = {(static_cast<void>(kIJ), hn::Zero(d))...};
  const size_t b_row = call.b_row;
  const size_t a_col = call.a.col;
  constexpr size_t kN = kLanes<T>;
  const bool has_bias = call.bias.data != nullptr;
  const bool simple_bias = !has_bias || (call.bias.col == 1 && !call.accumulate);
  const bool whole = call.width == kV * kN && call.c.col == 1 && simple_bias;
  if (whole && call.accumulate) {
    // C is on its way while the sums form.
    (hwy::Prefetch(call.c.At(kI, 0)), ...);
    (hwy::Prefetch(call.c.At(kI, kV * kN - 1)), ...);
  }
  size_t at = 0;
  for (size_t p = call.k; p != 0; --p) {
    Vector<T> row[kV];
    LoadRow<kV, T>(d, b, row, std::make_index_sequence<kV>());
    MulAddTile<kV, T>(d, a, at, row, acc, rows);
    b += b_row;
    at += a_col;
  }
  const auto c = [&](size_t i, size_t j) HWY_ATTR { return call.c.At(i, j * kN); };
  if (whole && call.accumulate) {
    (hn::StoreU(hn::Add(acc[kIJ], hn::LoadU(d, c(kIJ / kV, kIJ % kV))), d, c(kIJ / kV, kIJ % kV)), ...);
  } else if (whole && has_bias) {
    const auto bias = [&](size_t i, size_t j) HWY_ATTR { return call.bias.At(i, j * kN); };
    (hn::StoreU(hn::Add(acc[kIJ], hn::LoadU(d, bias(kIJ / kV, kIJ % kV))), d, c(kIJ / kV, kIJ % kV)), ...);
  } else if (whole) {
    (hn::StoreU(acc[kIJ], d, c(kIJ / kV, kIJ % kV)), ...);
  } else {
    HWY_ALIGN T sums[kR * kV * kN];
    (hn::Store(acc[kIJ], d, sums + kIJ * kN), ...);
    FinishTile(call, kR, sums, kV * kN);
  }
}

template <size_t kR, size_t kV, typename T>
HWY_NOINLINE void Tile(const TileCall<T>& call) {
  RunTile<kR, kV, T>(call, std::make_index_sequence<kR>(), std::make_index_sequence<kR * kV>());
}

template <typename T>
using TileFunction = void (*)(const TileCall<T>&);

template <typename T, size_t... kIJ>
HWY_INLINE TileFunction<T> TileOf(size_t rows, size_t vectors, std::index_sequence<kIJ...>) {
  static constexpr TileFunction<T> kTiles[] = {&Tile<kIJ / kVectors + 1, kIJ % kVectors + 1, T>...};
  return kTiles[(rows - 1) * kVectors + vectors - 1];
}

// Rows of the next panel of A. The last two panels share what is left, since a tile of few rows waits on its own sums.
constexpr size_t PanelRows(size_t left) { return left <= kRows ? left : left < 2 * kRows ? (left + 1) / 2 : kRows; }

// ---- Packing

// Steps of k that are packed side by side: their pieces of a panel fill whole lines of the cache, which one at a time
// took 1.3 times as long, a tenth of the product (256 x 1000 x 1024).
constexpr size_t kPackSteps = 4;

// kPackSteps stretches of kSize elements, side by side.
template <size_t kSize, typename T, class D>
HWY_INLINE void CopySteps(D d, const T* HWY_RESTRICT from, size_t stride, T* HWY_RESTRICT out) {
  HWY_UNROLL(kPackSteps)
  for (size_t q = 0; q < kPackSteps; ++q) {
    for (size_t i = 0; i < kSize; i += hn::MaxLanes(d)) {
      hn::StoreU(hn::LoadU(d, from + q * stride + i), d, out + q * kSize + i);
    }
  }
}

// What a panel holds of a step of k, and the room that it takes.
struct PanelStep {
  size_t width;
  size_t room;
};

// Rows of `from`, the steps of k, as panels of up to kPanel of their elements, each with all its `k` steps one after
// the other. Packs the steps from `begin` on, before `end`. step_of(left) is the next panel's where so many elements
// are left.
template <size_t kPanel, bool kFetchAhead, typename T, class D, class F>
HWY_INLINE void PackPanels(D d, size_t length, size_t k, size_t begin, size_t end, View<const T> from,
                           T* HWY_RESTRICT out, F&& step_of) {
  for (size_t p = begin; p < end; p += kPackSteps) {
    const size_t next = std::min(p + kPackSteps, end);
    const bool fetches = kFetchAhead && p + 2 * kPackSteps <= end;
    T* panel = out;
    PanelStep step;
    for (size_t i = 0; i < length; i += step.width, panel += k * kPanel) {
      step = step_of(length - i);
      if (fetches && i * sizeof(T) % 64 == 0) {
        for (size_t q = 0; q < kPackSteps; ++q) hwy::Prefetch(from.At(p + kPackSteps + q, i));
      }
      if (step.width == kPanel && next == p + kPackSteps) {
        CopySteps<kPanel, T>(d, from.At(p, i), from.row, panel + p * kPanel);
        continue;
      }
      for (size_t q = p; q < next; ++q) {
        for (size_t r = 0; r < step.room; r += hn::MaxLanes(d)) {
          const auto some = LoadFirst(d, from.At(q, i + r), step.width - std::min(r, step.width));
          hn::StoreU(some, d, panel + q * step.room + r);
        }
      }
    }
  }
}

// Rows of A as panels: element (i, p) of a panel is at p * kRows + i. a.row is 1. Each step lies on a page of its own,
// and little of it is read: nothing but a prefetch foresees it.
template <typename T>
HWY_NOINLINE void PackA(size_t rows, size_t k, View<const T> a, T* HWY_RESTRICT out) {
  const hn::CappedTag<T, kRows> d;
  static_assert(kRows % hn::MaxLanes(d) == 0);
  PackPanels<kRows, true, T>(d, rows, k, 0, k, a.Transposed(), out,
                             [](size_t left) { return PanelStep{PanelRows(left), kRows}; });
}

// Columns of B as panels of kWidth columns, the last as many whole vectors as it needs, from step `begin` to before
// `end`. b.col is 1.
template <typename T>
HWY_NOINLINE void PackRows(size_t cols, size_t k, size_t begin, size_t end, View<const T> b, T* HWY_RESTRICT out) {
  PackPanels<kWidth<T>, false, T>(Tag<T>(), cols, k, begin, end, b, out, [](size_t left) {
    const size_t width = std::min(kWidth<T>, left);
    return PanelStep{width, hwy::RoundUpTo(width, kLanes<T>)};
  });
}

// The same where B is stored transposed: b.row is 1. Packs all steps.
template <typename T>
HWY_NOINLINE void PackColumns(size_t cols, size_t k, View<const T> b, T* HWY_RESTRICT out) {
  for (size_t j = 0; j < cols; j += kWidth<T>, out += k * kWidth<T>) {
    const size_t width = std::min(kWidth<T>, cols - j);
    const size_t padded = hwy::RoundUpTo(width, kLanes<T>);
    Transpose(width, k, b.From(0, j), padded, out);
    for (size_t i = width; i < padded; ++i) {
      for (size_t p = 0; p < k; ++p) out[p * padded + i] = 0;
    }
  }
}

// ---- Parts of C, for threads. Elements have the same bits however C is cut.

// How many multiply-adds are worth a part of their own, and how many parts there should be where the work allows it:
// two threads have 1/14 of their time to wait with 13 parts, 1/28 with 27.
constexpr size_t kLeastPartWork = size_t{1} << 18;
constexpr size_t kParts = 16;

struct PartSize {
  size_t rows;
  size_t cols;
};

// Halves parts of m x n elements, each of k steps, until there are enough of them. They stay multiples of `unit`.
inline PartSize CutFiner(PartSize part, PartSize unit, size_t m, size_t n, size_t k) {
  const auto half = [](size_t size, size_t of) { return hwy::RoundUpTo(hwy::DivCeil(size, 2), of); };
  while (hwy::DivCeil(m, part.rows) * hwy::DivCeil(n, part.cols) < kParts &&
         part.rows * part.cols * k >= 2 * kLeastPartWork) {
    if (part.rows > unit.rows && (part.rows >= part.cols || part.cols <= unit.cols)) {
      part.rows = half(part.rows, unit.rows);
    } else if (part.cols > unit.cols) {
      part.cols = half(part.cols, unit.cols);
    } else {
      break;
    }
  }
  return part;
}

// ---- Outer products

// The length of pieces of nearly the same length, a multiple of `multiple` and no longer than `longest`, which is one.
constexpr size_t EvenPiece(size_t total, size_t longest, size_t multiple) {
  return hwy::RoundUpTo(hwy::DivCeil(total, hwy::DivCeil(total, longest)), multiple);
}

// For a part of C and a block of k: its rows of A as panels, which stay in the second cache.
inline Scratch& PartScratch() {
  static SIMDLOSS_THREAD_LOCAL Scratch scratch;
  return scratch;
}

// B is packed, by all threads, then parts of C are computed from it, by all threads. What is packed at a time is
// bounded: a larger B goes through in slabs.
template <typename T>
class OuterProduct {
 public:
  OuterProduct(const Product<T>& x, bool threaded)
      : x_(x),
        threaded_(threaded),
        pack_a_(x.a.col != 1 && x.m > kDirectRows && x.n > kDirectCols<T>),
        // Rows as short as a panel's are one already.
        pack_b_(x.b.col != 1 || (x.m > kDirectRows && x.b.row > kWidth<T>)),
        // B that is read in place ends in a packed panel where its rows are no whole vectors.
        in_place_(pack_b_                ? 0
                  : x.n % kLanes<T> == 0 ? x.n
                                         : x.n / kWidth<T> * kWidth<T>),
        // Sums of blocks of k are added in order: an element's bits depend on k alone.
        depth_(EvenPiece(x.k, kDepth<T>, 1)) {}

  bool Run(Scratch& scratch) {
    const size_t k = std::min(x_.k, kSlabBlocks * depth_);
    const size_t cols = pack_b_ ? EvenPiece(x_.n, kSlabElements / k / kWidth<T> * kWidth<T>, kWidth<T>) : x_.n;
    if (in_place_ < x_.n) {
      packed_b_ = scratch.Arrays<T>(1, hwy::RoundUpTo(std::min(cols, x_.n - in_place_), kLanes<T>) * k);
      if (packed_b_ == nullptr) return false;
    }
    for (col_ = 0; col_ < x_.n; col_ += cols) {
      cols_ = std::min(cols, x_.n - col_);
      for (p_ = 0; p_ < x_.k; p_ += k) {
        k_ = std::min(k, x_.k - p_);
        if (in_place_ < cols_) Pack();
        Multiply();
      }
    }
    return ok_;
  }

 private:
  // Blocks of k in a slab.
  static constexpr size_t kSlabBlocks = 4;
  // Elements of B packed at a time.
  static constexpr size_t kSlabElements = size_t{512} << 10;
  static_assert(kSlabElements / (kSlabBlocks * kDepth<T>) >= kWidth<T>);
  // What a thread packs at a time: rows of B, or columns where it is stored transposed.
  static constexpr size_t kPackedRows = 64;
  static constexpr size_t kPackedCols = 4 * kWidth<T>;

  size_t DepthOf(size_t block) const { return std::min(depth_, k_ - block * depth_); }

  // Panels from a column of the slab on; whole panels lie before it.
  T* PackedB(size_t block, size_t col) const {
    const size_t stride = hwy::RoundUpTo(cols_ - in_place_, kLanes<T>);
    return packed_b_ + block * depth_ * stride + (col - in_place_) * DepthOf(block);
  }

  void Pack() const {
    const bool rows = x_.b.col == 1;
    const size_t blocks = hwy::DivCeil(k_, depth_);
    const size_t pieces = rows ? hwy::DivCeil(depth_, kPackedRows) : hwy::DivCeil(cols_ - in_place_, kPackedCols);
    ForEachPieceIf(threaded_, blocks * pieces, [&](size_t i) {
      if (rows) {
        PackRowsOfB(i / pieces, i % pieces * kPackedRows);
      } else {
        PackColumnsOfB(i / pieces, in_place_ + i % pieces * kPackedCols);
      }
    });
  }

  HWY_NOINLINE void PackRowsOfB(size_t block, size_t row) const {
    PackRows(cols_ - in_place_, DepthOf(block), row, std::min(row + kPackedRows, DepthOf(block)),
             x_.b.From(p_ + block * depth_, col_ + in_place_), PackedB(block, in_place_));
  }

  HWY_NOINLINE void PackColumnsOfB(size_t block, size_t col) const {
    PackColumns(std::min(kPackedCols, cols_ - col), DepthOf(block), x_.b.From(p_ + block * depth_, col_ + col),
                PackedB(block, col));
  }

  void Multiply() {
    const PartSize whole{EvenPiece(x_.m, kPartRows, kRows), cols_};
    const PartSize part = threaded_ ? CutFiner(whole, {kRows, kWidth<T>}, x_.m, cols_, k_) : whole;
    const size_t down = hwy::DivCeil(x_.m, part.rows);
    ForEachPieceIf(threaded_, down * hwy::DivCeil(cols_, part.cols), [&](size_t i) {
      const size_t row = i % down * part.rows, col = i / down * part.cols;
      if (!MultiplyPart(row, std::min(part.rows, x_.m - row), col, std::min(part.cols, cols_ - col))) ok_ = false;
    });
  }

  HWY_NOINLINE bool MultiplyPart(size_t row, size_t rows, size_t col, size_t cols) const {
    T* const packed_a = pack_a_ ? PartScratch().Arrays<T>(1, hwy::RoundUpTo(rows, kRows) * depth_) : nullptr;
    if (pack_a_ && packed_a == nullptr) return false;
    TileCall<T> tile;
    for (size_t block = 0; block * depth_ < k_; ++block) {
      const size_t p = p_ + block * depth_;
      tile.k = DepthOf(block);
      tile.accumulate = x_.accumulate || p != 0;
      if (pack_a_) PackA(rows, tile.k, x_.a.From(row, p), packed_a);
      // A panel of B is read by all rows while it is near.
      for (size_t j = col; j < col + cols; j += kWidth<T>) {
        tile.width = std::min(kWidth<T>, col + cols - j);
        const size_t vectors = hwy::DivCeil(tile.width, kLanes<T>);
        const bool in_place = j < in_place_;
        tile.b = in_place ? x_.b.At(p, col_ + j) : PackedB(block, j);
        tile.b_row = in_place ? x_.b.row : vectors * kLanes<T>;
        const T* panel = packed_a;
        size_t height;
        for (size_t i = row; i < row + rows; i += height, panel += kRows * tile.k) {
          height = PanelRows(row + rows - i);
          tile.a = pack_a_ ? View<const T>{panel, 1, kRows} : x_.a.From(i, p);
          tile.c = x_.c.From(i, col_ + j);
          tile.bias = x_.bias.data == nullptr || p != 0 ? View<const T>{nullptr, 0, 0} : x_.bias.From(i, col_ + j);
          TileOf<T>(height, vectors, std::make_index_sequence<kRows * kVectors>())(tile);
        }
      }
    }
    return true;
  }

  const Product<T>& x_;
  const bool threaded_;
  const bool pack_a_;
  const bool pack_b_;
  const size_t in_place_;  // columns of B that are not packed
  const size_t depth_;     // of a block of k
  T* packed_b_ = nullptr;
  std::atomic<bool> ok_{true};
  // The slab.
  size_t col_ = 0, cols_ = 0;
  size_t p_ = 0, k_ = 0;
};

template <typename T>
HWY_NOINLINE bool RunOuterProduct(const Product<T>& x, bool threaded, Scratch& scratch) {
  return OuterProduct<T>(x, threaded).Run(scratch);
}

// ---- Tiles by dot products: for few columns, where a vector of C would be mostly padding

template <typename T>
struct DotCall {
  size_t k;
  View<const T> a;  // col 1
  View<const T> b;  // row 1
  View<T> c;
  View<const T> bias;
};

#if HWY_TARGET != HWY_SCALAR
// out[0] and out[1] = the sums of the even and of the odd lanes.
template <class D, class V = hn::Vec<D>>
HWY_INLINE void SumBlocks(D d, V v, hn::TFromD<D>* out) {
  if constexpr (hn::MaxLanes(d) == 2) {
    hn::StoreU(v, d, out);
  } else {
    const hn::Half<D> half;
    SumBlocks(half, hn::Add(hn::LowerHalf(half, v), hn::UpperHalf(half, v)), out);
  }
}
#endif

// out[0] and out[1] = the sums of the lanes of a and of b, added in the same order: any two sums may be paired.
template <class D, class V = hn::Vec<D>>
HWY_INLINE void SumLanes(D d, V a, V b, hn::TFromD<D>* out) {
#if HWY_TARGET == HWY_SCALAR
  hn::StoreU(a, d, out);
  hn::StoreU(b, d, out + 1);
#else
  const auto pairs = hn::Add(hn::InterleaveLower(d, a, b), hn::InterleaveUpper(d, a, b));
  SumBlocks(d, pairs, out);
#endif
}

template <size_t kR, size_t kS, typename T, size_t... kI, size_t... kJ, size_t... kIJ>
HWY_INLINE void RunDot(const DotCall<T>& call, std::index_sequence<kI...>, std::index_sequence<kJ...>,
                       std::index_sequence<kIJ...>) {
  const Tag<T> d;
  constexpr size_t kN = kLanes<T>;
  const T* const a[kR] = {call.a.At(kI, 0)...};
  const T* const b[kS] = {call.b.At(0, kJ)...};
  Vector<T> acc[kR * kS] = {(static_cast<void>(kIJ), hn::Zero(d))...};
  size_t p = 0;
  for (; p + kN <= call.k; p += kN) {
    const Vector<T> row[kS] = {hn::LoadU(d, b[kJ] + p)...};
    (MulAddRow<T>(hn::LoadU(d, a[kI] + p), row, acc + kI * kS, std::make_index_sequence<kS>()), ...);
  }
  if (p < call.k) {
    const size_t left = call.k - p;
    const Vector<T> row[kS] = {hn::LoadN(d, b[kJ] + p, left)...};
    (MulAddRow<T>(hn::LoadN(d, a[kI] + p, left), row, acc + kI * kS, std::make_index_sequence<kS>()), ...);
  }
  constexpr size_t kCount = kR * kS;
  T sums[kCount + 1];
  ((kIJ % 2 == 0 ? SumLanes(d, acc[kIJ], acc[std::min(kIJ + 1, kCount - 1)], sums + kIJ) : void()), ...);
  for (size_t i = 0; i < kR; ++i) {
    for (size_t j = 0; j < kS; ++j) {
      const T sum = sums[i * kS + j];
      *call.c.At(i, j) = call.bias.data == nullptr ? sum : sum + *call.bias.At(i, j);
    }
  }
}

template <size_t kR, size_t kS, typename T>
HWY_NOINLINE void Dot(const DotCall<T>& call) {
  RunDot<kR, kS, T>(call, std::make_index_sequence<kR>(), std::make_index_sequence<kS>(),
                    std::make_index_sequence<kR * kS>());
}

template <typename T, size_t... kIJ>
HWY_INLINE auto DotOf(size_t rows, size_t cols, std::index_sequence<kIJ...>) {
  static constexpr void (*kDots[])(const DotCall<T>&) = {&Dot<kIJ / kDotCols + 1, kIJ % kDotCols + 1, T>...};
  return kDots[(rows - 1) * kDotCols + cols - 1];
}

// x.a.col is 1, x.n small.
template <typename T>
HWY_NOINLINE void DotRows(const Product<T>& x, size_t row, size_t rows) {
  DotCall<T> dot;
  dot.k = x.k;
  for (size_t i = row; i < row + rows; i += kDotRows) {
    for (size_t j = 0; j < x.n; j += kDotCols) {
      dot.a = x.a.From(i, 0);
      dot.b = x.b.From(0, j);
      dot.c = x.c.From(i, j);
      dot.bias = x.bias.data == nullptr ? x.bias : x.bias.From(i, j);
      DotOf<T>(std::min(kDotRows, row + rows - i), std::min(kDotCols, x.n - j),
               std::make_index_sequence<kDotRows * kDotCols>())(dot);
    }
  }
}

template <typename T>
HWY_NOINLINE bool DotProduct(Product<T> x, bool threaded, Scratch& scratch) {
  if (x.b.row != 1) {
    T* const packed = scratch.Arrays<T>(1, x.n * x.k);
    if (packed == nullptr) return false;
    Transpose(x.k, x.n, x.b.Transposed(), x.k, packed);
    x.b = {packed, 1, x.k};
  }
  const size_t rows = threaded ? CutFiner({kPartRows, x.n}, {kDotRows, x.n}, x.m, x.n, x.k).rows : x.m;
  ForEachPieceIf(threaded, hwy::DivCeil(x.m, rows),
                 [&](size_t i) { DotRows(x, i * rows, std::min(rows, x.m - i * rows)); });
  return true;
}

// ---- Which way

enum class Way { kOuter, kTransposedOuter, kDot, kTransposedDot };

template <typename T>
Way WayOf(const GemmCall& call) {
  const size_t m = call.m, n = call.n, k = call.k;
  if (call.transpose_a) {
    // C' = B' A' has rows of A for its vectors: nothing to transpose when B is transposed too, and fewer idle lanes
    // when n fills less than 5/6 of its vectors (256 x 2..100 x 128).
    const bool idle = n * 6 < hwy::RoundUpTo(n, kLanes<T>) * 5;
    return call.transpose_b || idle ? Way::kTransposedOuter : Way::kOuter;
  }
  const size_t dot_steps = k / kLanes<T> + kDotSum;
  if (n < 2 * kLanes<T> && n * k * sizeof(T) <= kDotBytes &&
      n * dot_steps * 10 < k * hwy::DivCeil(n, kLanes<T>) * kDotGain) {
    return Way::kDot;
  }
  if (call.transpose_b && m < n && m * kDotRowGain <= k) return Way::kTransposedDot;
  return Way::kOuter;
}

template <typename T>
bool GemmOf(const GemmCall& call, bool threaded, Scratch& scratch) {
  Product<T> x;
  x.m = call.m;
  x.n = call.n;
  x.k = call.k;
  x.a = {static_cast<const T*>(call.a), call.lda, 1};
  if (call.transpose_a) x.a = x.a.Transposed();
  x.b = {static_cast<const T*>(call.b), call.ldb, 1};
  if (call.transpose_b) x.b = x.b.Transposed();
  x.c = {static_cast<T*>(call.c), call.ldc, 1};
  x.bias = {static_cast<const T*>(call.bias), 0, 1};

  if (x.m == 0 || x.n == 0) return true;
  if (x.k == 0) {
    for (size_t i = 0; i < x.m; ++i) {
      for (size_t j = 0; j < x.n; ++j) *x.c.At(i, j) = x.bias.data == nullptr ? 0 : *x.bias.At(i, j);
    }
    return true;
  }

  switch (WayOf<T>(call)) {
    case Way::kDot:
      return DotProduct(x, threaded, scratch);
    case Way::kTransposedDot:
      return DotProduct(x.Transposed(), threaded, scratch);
    case Way::kTransposedOuter:
      return RunOuterProduct(x.Transposed(), threaded, scratch);
    default:
      return RunOuterProduct(x, threaded, scratch);
  }
}

// ---- Column sums

// sums[j] += the sum over i of x[i * stride + j]. sums is padded to whole vectors.
template <typename T>
HWY_INLINE void AddRows(size_t rows, size_t cols, const T* HWY_RESTRICT x, size_t stride, double* HWY_RESTRICT sums) {
  const Tag<double> d;
  const hn::Rebind<T, decltype(d)> dt;
  constexpr size_t kN = hn::MaxLanes(d);
  const auto load = [&](const T* from, size_t count) HWY_ATTR {
    const auto v = LoadFirst(dt, from, count);
    if constexpr (sizeof(T) == sizeof(double)) {
      return v;
    } else {
      return hn::PromoteTo(d, v);
    }
  };
  size_t i = 0;
  for (; i + 4 <= rows; i += 4) {
    const T* from = x + i * stride;
    for (size_t j = 0; j < cols; j += kN) {
      const size_t left = cols - j;
      const auto s01 = hn::Add(load(from + j, left), load(from + stride + j, left));
      const auto s23 = hn::Add(load(from + 2 * stride + j, left), load(from + 3 * stride + j, left));
      hn::Store(hn::Add(hn::Load(d, sums + j), hn::Add(s01, s23)), d, sums + j);
    }
  }
  for (; i < rows; ++i) {
    for (size_t j = 0; j < cols; j += kN) {
      hn::Store(hn::Add(hn::Load(d, sums + j), load(x + i * stride + j, cols - j)), d, sums + j);
    }
  }
}

template <typename T>
void ColumnSumsOf(size_t rows, size_t cols, const T* x, size_t stride, T* out) {
  // The sums stay in the first cache while the rows pass in stretches: 1024 columns ran up to 1.4 times as fast as
  // 512 (4096 x 4096), 2048 no faster than that.
  constexpr size_t kCols = 1024;
  HWY_ALIGN double sums[kCols];
  for (size_t j0 = 0; j0 < cols; j0 += kCols) {
    const size_t n = std::min(kCols, cols - j0);
    // Short rows that follow one another are taken `fold` at a time as one long row: 4 times as fast (10000 x 1).
    const size_t fold = stride == n ? std::max<size_t>(std::min(kCols / 8 / n, rows / 16), 1) : 1;
    const size_t long_rows = rows / fold;
    std::fill(sums, sums + std::min(kCols, n * fold + hn::MaxLanes(Tag<double>())), 0.0);
    AddRows(long_rows, n * fold, x + j0, stride * fold, sums);
    for (size_t f = 1; f < fold; ++f) {
      for (size_t j = 0; j < n; ++j) sums[j] += sums[f * n + j];
    }
    AddRows(rows % fold, n, x + long_rows * fold * stride + j0, stride, sums);
    for (size_t j = 0; j < n; ++j) out[j0 + j] = static_cast<T>(sums[j]);
  }
}

}  // namespace gemm

}  // namespace HWY_NAMESPACE
}  // namespace simdloss
HWY_AFTER_NAMESPACE();

#endif  // per-target toggle
