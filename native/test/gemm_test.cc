// SPDX-License-Identifier: Apache-2.0
// Products and column sums on every target the CPU has, against sums in a wider type.
#include "native/gemm.h"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <limits>
#include <type_traits>
#include <vector>

#include "native/test/arrays.h"
#include "native/test/test.h"
#include "native/thread_pool.h"

namespace simdloss {
namespace {

using test::Edge;
using test::GuardedArray;
using test::kDtype;
using test::Random;
using test::RandomMatrix;
using test::Wide;

struct Shape {
  size_t m, n, k;
};

// A product with leading dimensions beyond the width, and what it should come to.
template <typename T>
class Problem {
 public:
  static constexpr size_t kGuard = 67;
  static constexpr T kUntouched = static_cast<T>(-12345);

  Problem(Random& random, Shape shape, bool transpose_a, bool transpose_b, bool with_bias) {
    call.dtype = kDtype<T>;
    call.transpose_a = transpose_a;
    call.transpose_b = transpose_b;
    call.m = shape.m;
    call.n = shape.n;
    call.k = shape.k;
    call.lda = (transpose_a ? call.m : call.k) + 3;
    call.ldb = (transpose_b ? call.k : call.n) + 1;
    call.ldc = call.n + 2;
    a = RandomMatrix<T>(random, transpose_a ? call.k : call.m, transpose_a ? call.m : call.k, call.lda);
    b = RandomMatrix<T>(random, transpose_b ? call.n : call.k, transpose_b ? call.k : call.n, call.ldb);
    bias = RandomMatrix<T>(random, with_bias ? 1 : 0, call.n, call.n);
    c.resize(call.m * call.ldc + 2 * kGuard);
    call.a = a.data();
    call.b = b.data();
    call.c = c.data() + kGuard;
    call.bias = with_bias ? bias.data() : nullptr;
  }

  T A(size_t i, size_t p) const { return a[call.transpose_a ? p * call.lda + i : i * call.lda + p]; }
  T B(size_t p, size_t j) const { return b[call.transpose_b ? j * call.ldb + p : p * call.ldb + j]; }
  T C(size_t i, size_t j) const { return c[kGuard + i * call.ldc + j]; }

  void Expect() {
    expected.assign(call.m * call.n, 0);
    bound.assign(call.m * call.n, 0);
    for (size_t i = 0; i < call.m; ++i) {
      for (size_t j = 0; j < call.n; ++j) {
        Wide<T> sum = call.bias == nullptr ? 0 : bias[j];
        Wide<T> magnitude = std::fabs(sum);
        for (size_t p = 0; p < call.k; ++p) {
          const Wide<T> product = static_cast<Wide<T>>(A(i, p)) * B(p, j);
          sum += product;
          magnitude += std::fabs(product);
        }
        expected[i * call.n + j] = sum;
        bound[i * call.n + j] = magnitude * static_cast<Wide<T>>(call.k + 1) * std::numeric_limits<T>::epsilon();
      }
    }
  }

  void Clear() { c.assign(c.size(), kUntouched); }

  void CheckResult(const char* what) const {
    size_t wrong = 0;
    for (size_t i = 0; i < call.m; ++i) {
      for (size_t j = 0; j < call.n; ++j) {
        // Written so that NaN is wrong.
        wrong += !(std::fabs(C(i, j) - expected[i * call.n + j]) <= bound[i * call.n + j]);
      }
    }
    CHECK(wrong == 0, "%s %s: %zu wrong", what, Describe().text, wrong);
    CHECK(Untouched(), "%s %s: wrote outside of C", what, Describe().text);
  }

  // Is all around C as it was?
  bool Untouched() const {
    for (size_t at = 0; at < c.size(); ++at) {
      const bool before = at < kGuard, beyond = !before && (at - kGuard) / call.ldc >= call.m;
      if ((before || beyond || (at - kGuard) % call.ldc >= call.n) && c[at] != kUntouched) return false;
    }
    return true;
  }

  struct Text {
    char text[96];
  };
  Text Describe() const {
    Text t;
    std::snprintf(t.text, sizeof(t.text), "f%zu %zu x %zu x %zu%s%s%s", 8 * sizeof(T), call.m, call.n, call.k,
                  call.transpose_a ? " A'" : "", call.transpose_b ? " B'" : "", call.bias == nullptr ? "" : " bias");
    return t;
  }

  GemmCall call;
  std::vector<T> a, b, bias, c;
  std::vector<Wide<T>> expected, bound;
};

template <typename T, class F>
void ForEachForm(Random& random, Shape shape, F&& f) {
  for (int form = 0; form < 8; ++form) {
    Problem<T> problem(random, shape, (form & 1) != 0, (form & 2) != 0, (form & 4) != 0);
    f(problem);
  }
}

// Sizes around whole tiles and vectors of every target; then ones that are packed in several blocks of each dimension,
// or that take the ways of few rows and of few columns.
template <typename T>
std::vector<Shape> Shapes() {
  std::vector<Shape> shapes;
  for (size_t m : {0, 1, 2, 3, 5, 8, 9, 11, 17}) {
    for (size_t n : {0, 1, 2, 4, 5, 8, 15, 16, 17, 24, 27, 33, 48, 51}) {
      for (size_t k : {0, 1, 2, 3, 8, 19, 51}) shapes.push_back({m, n, k});
    }
  }
  for (Shape shape : {Shape{130, 10, 256},
                      {256, 10, 128},
                      {70, 51, 1030},
                      {67, 401, 530},
                      {129, 1003, 35},
                      {1, 784, 128},
                      {4, 100, 300},
                      {9, 300, 700},
                      {100, 1, 333},
                      {77, 6, 97},
                      {20, 450, 514},
                      {66, 262, 2051}}) {
    shapes.push_back(shape);
  }
  return shapes;
}

template <typename T>
void TestProducts() {
  Random random;
  for (Shape shape : Shapes<T>()) {
    ForEachForm<T>(random, shape, [](Problem<T>& problem) {
      problem.Expect();
      test::OnEveryTarget([&](int) {
        problem.Clear();
        CHECK(Gemm(problem.call), "%s: no memory", problem.Describe().text);
        problem.CheckResult("Gemm");
      });
    });
  }
}

// The same bits on any number of threads.
template <typename T>
void TestThreads() {
  Random random;
  for (Shape shape :
       {Shape{300, 70, 100}, {129, 515, 40}, {20, 900, 130}, {2000, 10, 64}, {97, 64, 600}, {7, 270, 2100}}) {
    ForEachForm<T>(random, shape, [](Problem<T>& problem) {
      test::OnEveryTarget([&](int) {
        std::vector<T> of_one;
        for (size_t threads : {1, 2, 3, 8}) {
          SetThreadCount(threads);
          problem.Clear();
          Gemm(problem.call);
          if (of_one.empty()) of_one = problem.c;
          CHECK(std::memcmp(of_one.data(), problem.c.data(), of_one.size() * sizeof(T)) == 0, "%s on %zu threads",
                problem.Describe().text, threads);
        }
        SetThreadCount(0);
      });
    });
  }
}

// NaN and infinities come out where IEEE sums have them, and nowhere else.
template <typename T>
void TestSpecialValues() {
  const T inf = std::numeric_limits<T>::infinity();
  const T nan = std::numeric_limits<T>::quiet_NaN();
  const struct {
    T a, b, other_b;
  } rows[] = {{inf, 1, 1}, {-inf, 0, 1}, {nan, 1, 1}, {1, inf, 1}, {0, -inf, 1}, {1, nan, 0}, {inf, inf, -1}};
  Random random;
  for (Shape shape : {Shape{5, 3, 40}, {9, 13, 5}, {9, 50, 20}, {3, 60, 200}}) {
    ForEachForm<T>(random, shape, [&](Problem<T>& problem) {
      const GemmCall& call = problem.call;
      for (const auto& row : rows) {
        const Problem<T> before = problem;
        const size_t p = call.k - 1;
        problem.a[call.transpose_a ? p * call.lda + 1 : call.lda + p] = row.a;
        for (size_t j = 0; j < call.n; ++j) {
          problem.b[call.transpose_b ? j * call.ldb + p : p * call.ldb + j] = j == 2 ? row.b : row.other_b;
        }
        test::OnEveryTarget([&](int) {
          problem.Clear();
          Gemm(call);
          for (size_t i = 0; i < call.m; ++i) {
            for (size_t j = 0; j < call.n; ++j) {
              const T product = problem.A(i, p) * problem.B(p, j);
              const T got = problem.C(i, j);
              const bool same = std::isnan(product)   ? std::isnan(got)
                                : std::isinf(product) ? got == product
                                                      : std::isfinite(got);
              CHECK(same, "%s: (%zu, %zu) is %g where %g was added", problem.Describe().text, i, j,
                    static_cast<double>(got), static_cast<double>(product));
            }
          }
        });
        problem.a = before.a;
        problem.b = before.b;
      }
    });
  }
}

// Touches no byte before or beyond the operands; one that did would end the process.
template <typename T>
void TestGuarded(Edge edge) {
  Random random;
  for (Shape shape : {Shape{5, 3, 7},
                      {9, 50, 20},
                      {11, 1, 1},
                      {40, 1, 7},
                      {3, 65, 130},
                      {70, 11, 61},
                      {67, 53, 35},
                      {1, 47, 29},
                      {66, 401, 9}}) {
    ForEachForm<T>(random, shape, [&](Problem<T>& problem) {
      GemmCall call = problem.call;
      const GuardedArray<T> a(problem.a, edge), b(problem.b, edge), bias(problem.bias, edge);
      const GuardedArray<T> got(call.m * call.n, edge);
      call.ldc = call.n;
      call.a = a.data();
      call.b = b.data();
      call.c = got.data();
      if (call.bias != nullptr) call.bias = bias.data();
      test::OnEveryTarget([&](int) {
        problem.Clear();
        Gemm(problem.call);
        std::fill_n(got.data(), call.m * call.n, Problem<T>::kUntouched);
        Gemm(call);
        bool same = true;
        for (size_t i = 0; i < call.m; ++i) {
          for (size_t j = 0; j < call.n; ++j) same &= got[i * call.n + j] == problem.C(i, j);
        }
        CHECK(same, "%s: other values at other addresses", problem.Describe().text);
      });
    });
  }
  for (size_t rows : {1, 5, 40}) {
    for (size_t cols : {1, 3, 10, 133}) {
      const GuardedArray<T> x(RandomMatrix<T>(random, rows, cols, cols), edge), sums(cols, edge);
      test::OnEveryTarget([&](int) {
        ColumnSums(kDtype<T>, rows, cols, x.data(), cols, sums.data());
        CHECK(std::fabs(sums[0]) <= static_cast<T>(rows), "ColumnSums at an edge of memory");
      });
    }
  }
}

template <typename T>
void TestColumnSums() {
  const struct {
    size_t rows, cols, padding;
  } rows[] = {{0, 5, 0},    {1, 1, 0},    {3, 7, 2},    {4, 16, 0},  {17, 1, 0},   {1000, 1, 0}, {1000, 1, 4},
              {333, 10, 0}, {333, 10, 1}, {41, 129, 0}, {64, 33, 0}, {5, 1024, 0}, {9, 2051, 3}, {70, 2051, 0}};
  Random random;
  for (const auto& row : rows) {
    const size_t stride = row.cols + row.padding;
    const std::vector<T> x = RandomMatrix<T>(random, row.rows, row.cols, stride);
    test::OnEveryTarget([&](int) {
      std::vector<T> out(row.cols + 1, 7);
      ColumnSums(kDtype<T>, row.rows, row.cols, x.data(), stride, out.data());
      size_t wrong = 0;
      for (size_t j = 0; j < row.cols; ++j) {
        long double sum = 0;
        for (size_t i = 0; i < row.rows; ++i) sum += x[i * stride + j];
        // Summed in double, then rounded once.
        const long double bound =
            std::fabs(sum) * std::numeric_limits<T>::epsilon() +
            static_cast<long double>(row.rows * row.rows) * std::numeric_limits<double>::epsilon();
        wrong += !(std::fabs(out[j] - sum) <= bound);
      }
      CHECK(wrong == 0, "ColumnSums f%zu %zu x %zu: %zu wrong", 8 * sizeof(T), row.rows, row.cols, wrong);
      CHECK(out[row.cols] == 7, "ColumnSums f%zu %zu x %zu wrote past the end", 8 * sizeof(T), row.rows, row.cols);
    });
  }

  // A float sum that float arithmetic could not hold.
  const float large[] = {3e38f, 3e38f, -3e38f, -3e38f};
  test::OnEveryTarget([&](int) {
    float sum = 0;
    ColumnSums(Dtype::kFloat32, 4, 1, large, 1, &sum);
    CHECK(sum == 0, "ColumnSums of large floats is %g", sum);
  });
}

TEST(GemmProductsFloat) { TestProducts<float>(); }
TEST(GemmProductsDouble) { TestProducts<double>(); }
TEST(GemmThreadsFloat) { TestThreads<float>(); }
TEST(GemmThreadsDouble) { TestThreads<double>(); }
TEST(GemmSpecialValuesFloat) { TestSpecialValues<float>(); }
TEST(GemmSpecialValuesDouble) { TestSpecialValues<double>(); }
TEST(GemmGuarded) {
  for (const Edge edge : test::kEdges) {
    TestGuarded<float>(edge);
    TestGuarded<double>(edge);
  }
}
TEST(ColumnSumsFloat) { TestColumnSums<float>(); }
TEST(ColumnSumsDouble) { TestColumnSums<double>(); }

}  // namespace
}  // namespace simdloss
