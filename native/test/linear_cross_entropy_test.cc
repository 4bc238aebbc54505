// SPDX-License-Identifier: Apache-2.0
// Linear layer and cross entropy in one, on every target the CPU has, against the textbook's sums in a wider type.
#include "native/linear_cross_entropy.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>
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

struct Shape {
  size_t rows, depth, cols;
};

// A call on arrays of its own, with gaps between their rows.
template <class T>
struct Problem {
  static constexpr T kUntouched = static_cast<T>(-12345);

  Problem(Random& random, Shape shape, bool with_bias = true, bool weighted = false, bool masked = false) {
    call.dtype = kDtype<T>;
    call.rows = shape.rows;
    call.depth = shape.depth;
    call.cols = shape.cols;
    call.x_stride = call.depth + 3;
    call.w_stride = call.cols + 1;
    call.gradient_x_stride = call.depth + 2;
    call.gradient_w_stride = call.cols + 5;
    x = RandomMatrix<T>(random, call.rows, call.depth, call.x_stride);
    w = RandomMatrix<T>(random, call.depth, call.cols, call.w_stride);
    if (with_bias) bias = RandomMatrix<T>(random, 1, call.cols, call.cols);
    if (weighted) weights = RandomMatrix<T>(random, 1, call.cols, call.cols);
    if (masked) mask = RandomMatrix<T>(random, call.rows, 1, 1);
    for (size_t i = 0; i < mask.size(); i += 3) mask[i] = 0;
    for (size_t i = 0; i < call.rows; ++i) {
      labels.push_back(static_cast<int32_t>(std::fabs(random()) * static_cast<double>(call.cols - 1) + 0.5));
    }
    Point();
  }

  void Point() {
    call.x = x.data();
    call.w = w.data();
    call.bias = bias.empty() ? nullptr : bias.data();
    call.labels = {labels.data(), Dtype::kInt32, 1, 1};
    call.weights = {weights.empty() ? nullptr : weights.data(), kDtype<T>, 0, 1};
    call.mask = {mask.empty() ? nullptr : mask.data(), kDtype<T>, 1, 0};
  }

  // Of a row's factor: 0 for one that is left out.
  double Factor(size_t i) const {
    if (call.params.has_ignore && labels[i] == call.params.ignore_index) return 0;
    return (mask.empty() ? 1.0 : mask[i]) * (weights.empty() ? 1.0 : weights[static_cast<size_t>(labels[i])]);
  }

  Status Run() {
    gradient_x.assign(call.rows * call.gradient_x_stride, kUntouched);
    gradient_w.assign(call.depth * call.gradient_w_stride, kUntouched);
    gradient_bias.assign(bias.size(), kUntouched);
    call.gradient_x = gradient_x.data();
    call.gradient_w = gradient_w.data();
    call.gradient_bias = bias.empty() ? nullptr : gradient_bias.data();
    return RunLinearCrossEntropy(call, &result);
  }

  // Largest error of score and gradients, each in terms of T's precision and the sum of the magnitudes that met in it.
  double Error() const {
    using W = test::Wide<T>;
    const size_t n = call.rows, d = call.depth, c = call.cols;
    std::vector<W> slopes(n * c), dw(d * c), dw_size(d * c), db(c), db_size(c);
    W score = 0, score_size = 0;
    double worst = 0;
    const auto check = [&](W got, W want, W size) {
      const W off = std::fabs(got - want) / std::max<W>(size, 1e-30) / std::numeric_limits<T>::epsilon();
      const auto error = static_cast<double>(off);
      worst = std::isnan(worst) || error <= worst ? worst : error;
    };
    for (size_t i = 0; i < n; ++i) {
      const W factor = Factor(i);
      if (factor == 0) {
        for (size_t p = 0; p < d; ++p) check(gradient_x[i * call.gradient_x_stride + p], 0, 1);
        continue;
      }
      std::vector<W> z(c);
      W max = -std::numeric_limits<W>::infinity(), sum = 0;
      for (size_t j = 0; j < c; ++j) {
        z[j] = bias.empty() ? 0 : bias[j];
        for (size_t p = 0; p < d; ++p) z[j] += static_cast<W>(x[i * call.x_stride + p]) * w[p * call.w_stride + j];
        max = std::max(max, z[j]);
      }
      for (W logit : z) sum += std::exp(logit - max);
      const auto label = static_cast<size_t>(labels[i]);
      const W log_p = z[label] - max - std::log(sum);
      score -= factor * log_p;
      score_size += std::fabs(factor) * (std::fabs(log_p) + 1);
      for (size_t j = 0; j < c; ++j) {
        const W slope = factor * (std::exp(z[j] - max) / sum - (j == label ? 1 : 0));
        slopes[i * c + j] = slope;
        db[j] += slope;
        db_size[j] += std::fabs(slope);
      }
      for (size_t p = 0; p < d; ++p) {
        W dx = 0, size = 0;
        for (size_t j = 0; j < c; ++j) {
          const W term = slopes[i * c + j] * w[p * call.w_stride + j];
          dx += term;
          size += std::fabs(term);
          dw[p * c + j] += x[i * call.x_stride + p] * slopes[i * c + j];
          dw_size[p * c + j] += std::fabs(x[i * call.x_stride + p] * slopes[i * c + j]);
        }
        check(gradient_x[i * call.gradient_x_stride + p], dx, size);
      }
    }
    check(result.score, score, score_size);
    for (size_t p = 0; p < d; ++p) {
      for (size_t j = 0; j < c; ++j)
        check(gradient_w[p * call.gradient_w_stride + j], dw[p * c + j], dw_size[p * c + j]);
    }
    for (size_t j = 0; j < gradient_bias.size(); ++j) check(gradient_bias[j], db[j], db_size[j]);
    return worst;
  }

  bool OnlyGradientsWritten() const {
    const auto gaps = [](const std::vector<T>& a, size_t cols, size_t stride) {
      for (size_t i = 0; i < a.size(); ++i) {
        if (i % stride >= cols && a[i] != kUntouched) return false;
      }
      return true;
    };
    return gaps(gradient_x, call.depth, call.gradient_x_stride) && gaps(gradient_w, call.cols, call.gradient_w_stride);
  }

  LinearCrossEntropyCall call;
  LossResult result;
  std::vector<T> x, w, bias, weights, mask, gradient_x, gradient_w, gradient_bias;
  std::vector<int32_t> labels;
};

// Around whole panels, slabs and blocks of every target: one row, one class, several blocks of rows, several strips.
const Shape kShapes[] = {{1, 1, 1},    {1, 7, 1},      {3, 5, 2},       {5, 1, 70},     {11, 33, 47},   {48, 16, 96},
                         {25, 64, 97}, {70, 300, 333}, {245, 20, 1003}, {500, 3, 5000}, {61, 900, 301}, {2, 40, 20011}};

// A few roundings of the sums, whose terms are up to depth * |x| |w| apart from the logit's own rounding.
template <class T>
void TestValues() {
  Random random;
  for (Shape shape : kShapes) {
    for (int form = 0; form < 8; ++form) {
      Problem<T> problem(random, shape, (form & 1) == 0, (form & 2) != 0, (form & 4) != 0);
      if (form == 3) {
        problem.call.params.has_ignore = true;
        problem.call.params.ignore_index = problem.labels[0];
      }
      test::OnEveryTarget([&](int) {
        CHECK(problem.Run() == Status::kOk, "status");
        const double error = problem.Error();
        CHECK(error <= 8 + 2 * static_cast<double>(shape.depth), "%zu x %zu x %zu, form %d: off by %g eps", shape.rows,
              shape.depth, shape.cols, form, error);
        CHECK(problem.OnlyGradientsWritten(), "%zu x %zu x %zu wrote in gaps", shape.rows, shape.depth, shape.cols);
      });
    }
  }
}

template <class T>
void TestThreads() {
  Random random;
  for (Shape shape : {Shape{245, 20, 1003}, {61, 90, 3001}, {500, 3, 5000}}) {
    Problem<T> problem(random, shape, true, true, true);
    test::OnEveryTarget([&](int) {
      Problem<T> of_one = problem;
      for (size_t threads : {1, 2, 3, 8}) {
        SetThreadCount(threads);
        problem.Run();
        if (threads == 1) of_one = problem;
        const auto same = [](const std::vector<T>& a, const std::vector<T>& b) {
          return std::memcmp(a.data(), b.data(), a.size() * sizeof(T)) == 0;
        };
        CHECK(problem.result.score == of_one.result.score && same(problem.gradient_x, of_one.gradient_x) &&
                  same(problem.gradient_w, of_one.gradient_w) && same(problem.gradient_bias, of_one.gradient_bias),
              "%zu x %zu x %zu on %zu threads", shape.rows, shape.depth, shape.cols, threads);
      }
      SetThreadCount(0);
    });
  }
}

// Logits far apart, infinite and NaN: a row's own class certain, impossible, or the only one that is possible.
template <class T>
void TestExtremes() {
  const T inf = std::numeric_limits<T>::infinity(), nan = std::numeric_limits<T>::quiet_NaN();
  const struct {
    T logits[3];
    double score;
    T slopes[3];  // NaN: the row is NaN
  } rows[] = {{{1000, 0, 0}, 0, {0, 0, 0}},
              {{0, 1000, 0}, 1000, {-1, 1, 0}},
              {{0, -inf, -inf}, 0, {0, 0, 0}},
              {{5, 5, -inf}, std::log(2.0), {static_cast<T>(-0.5), static_cast<T>(0.5), 0}},
              {{-inf, 0, -inf}, std::numeric_limits<double>::infinity(), {-1, 1, 0}},
              {{inf, 0, 0}, 0, {nan, nan, nan}},
              {{0, inf, 0}, 0, {nan, nan, nan}},
              {{-inf, -inf, -inf}, 0, {nan, nan, nan}},
              {{nan, 0, 0}, 0, {nan, nan, nan}},
              {{0, 0, nan}, 0, {nan, nan, nan}}};
  // As a bias, on many classes of -Infinity besides, so that they fall into different slabs.
  constexpr size_t kCols = 4001;
  const size_t at[] = {1, 2000, 4000};
  for (const auto& row : rows) {
    Random random;
    Problem<T> problem(random, {1, 1, kCols});
    problem.x[0] = 0;
    std::fill(problem.bias.begin(), problem.bias.end(), -inf);
    for (size_t i = 0; i < 3; ++i) problem.bias[at[i]] = row.logits[i];
    problem.labels[0] = 1;
    test::OnEveryTarget([&](int) {
      CHECK(problem.Run() == Status::kOk, "status");
      const bool is_nan = std::isnan(row.slopes[0]);
      const double score = problem.result.score;
      CHECK(is_nan ? std::isnan(score) : score == row.score || std::fabs(score - row.score) < 1e-6,
            "%g, %g, %g: score %g", static_cast<double>(row.logits[0]), static_cast<double>(row.logits[1]),
            static_cast<double>(row.logits[2]), score);
      for (size_t i = 0; i < 3; ++i) {
        const T got = problem.gradient_bias[at[i]];
        CHECK(is_nan ? std::isnan(got) : std::fabs(got - row.slopes[i]) < static_cast<T>(1e-6),
              "%g, %g, %g: slope %zu is %g", static_cast<double>(row.logits[0]), static_cast<double>(row.logits[1]),
              static_cast<double>(row.logits[2]), i, static_cast<double>(got));
      }
    });
  }
}

template <class T>
void TestClip() {
  Random random;
  Problem<T> problem(random, {2, 1, 2});
  problem.x = {0, 0, 0, 0, 0};
  problem.Point();
  problem.bias = {0, 50};
  problem.labels = {0, 1};
  problem.Point();
  problem.call.params.clip = 1e-10;
  test::OnEveryTarget([&](int) {
    problem.Run();
    const double want = -std::log(1e-10) - std::log1p(-1e-10);
    CHECK(std::fabs(problem.result.score - want) < 1e-6, "score %g, clipped %g", problem.result.score, want);
  });
}

// A bad label: its row, and nothing written. Nothing to do: zeros.
void TestEdges() {
  Random random;
  Problem<float> problem(random, {5, 4, 3});
  problem.labels[3] = 3;
  CHECK(problem.Run() == Status::kBadLabel && problem.result.bad_row == 3, "bad row %zu", problem.result.bad_row);
  for (float value : problem.gradient_w) CHECK(value == Problem<float>::kUntouched, "%g", static_cast<double>(value));
  problem.call.params.has_ignore = true;
  problem.call.params.ignore_index = 3;
  problem.labels.assign(5, 3);
  std::fill(problem.x.begin(), problem.x.end(), std::numeric_limits<float>::quiet_NaN());
  CHECK(problem.Run() == Status::kOk && problem.result.score == 0 && problem.Error() == 0, "all rows ignored");
  Problem<float> none(random, {0, 4, 3});
  CHECK(none.Run() == Status::kOk && none.result.score == 0 && none.Error() == 0, "no rows");
}

// Touches no byte before or beyond operands and gradients; the process would end.
template <class T>
void TestGuarded(Edge edge) {
  Random random;
  for (Shape shape : {Shape{5, 3, 7}, {49, 50, 97}, {1, 65, 333}, {70, 11, 1003}}) {
    Problem<T> problem(random, shape, true, true, true);
    const GuardedArray<T> x(problem.x, edge), w(problem.w, edge), bias(problem.bias, edge);
    const GuardedArray<T> weights(problem.weights, edge), mask(problem.mask, edge);
    const GuardedArray<int32_t> labels(problem.labels, edge);
    const GuardedArray<T> gx(shape.rows * shape.depth, edge), gw(shape.depth * shape.cols, edge), gb(shape.cols, edge);
    test::OnEveryTarget([&](int) {
      problem.Run();
      LinearCrossEntropyCall call = problem.call;
      call.x = x.data();
      call.w = w.data();
      call.bias = bias.data();
      call.labels.data = labels.data();
      call.weights.data = weights.data();
      call.mask.data = mask.data();
      call.gradient_x_stride = call.depth;
      call.gradient_w_stride = call.cols;
      call.gradient_x = gx.data();
      call.gradient_w = gw.data();
      call.gradient_bias = gb.data();
      LossResult result;
      CHECK(RunLinearCrossEntropy(call, &result) == Status::kOk && result.score == problem.result.score, "score");
      CHECK(gx[call.depth - 1] == problem.gradient_x[call.depth - 1], "gradient in x");
      CHECK(gw[call.cols - 1] == problem.gradient_w[call.cols - 1], "gradient in W");
    });
  }
}

TEST(LinearCrossEntropyValuesFloat) { TestValues<float>(); }
TEST(LinearCrossEntropyValuesDouble) { TestValues<double>(); }
TEST(LinearCrossEntropyThreadsFloat) { TestThreads<float>(); }
TEST(LinearCrossEntropyThreadsDouble) { TestThreads<double>(); }
TEST(LinearCrossEntropyExtremesFloat) { TestExtremes<float>(); }
TEST(LinearCrossEntropyExtremesDouble) { TestExtremes<double>(); }
TEST(LinearCrossEntropyClipFloat) { TestClip<float>(); }
TEST(LinearCrossEntropyClipDouble) { TestClip<double>(); }
TEST(LinearCrossEntropyEdges) { TestEdges(); }
TEST(LinearCrossEntropyGuarded) {
  for (const Edge edge : test::kEdges) {
    TestGuarded<float>(edge);
    TestGuarded<double>(edge);
  }
}

}  // namespace
}  // namespace simdloss
