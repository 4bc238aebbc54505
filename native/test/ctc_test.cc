// SPDX-License-Identifier: Apache-2.0
// CTC on every target the CPU has, against a plain sum over all paths.
#include "native/ctc.h"

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

using Labels = std::vector<int32_t>;

template <class T>
constexpr T kInf = std::numeric_limits<T>::infinity();

// A call on arrays of its own, with gaps between their rows.
template <class T>
struct Problem {
  static constexpr T kUntouched = static_cast<T>(-12345);

  // Every example has all steps; labels that are too short are padded with what must not be read.
  Problem(Random& random, size_t steps, size_t classes, const std::vector<Labels>& examples, size_t blank = 0) {
    call.dtype = kDtype<T>;
    call.examples = examples.size();
    call.steps = steps;
    call.classes = classes;
    call.blank = blank;
    for (const Labels& of_example : examples) call.label_cols = std::max(call.label_cols, of_example.size());
    call.logits_stride = classes + 3;
    call.gradient_stride = classes + 1;
    call.scores_stride = 2;
    logits = RandomMatrix<T>(random, call.examples * steps, classes, call.logits_stride);
    for (T& z : logits) z *= 3;
    for (const Labels& of_example : examples) {
      labels.insert(labels.end(), of_example.begin(), of_example.end());
      labels.resize(labels.size() + call.label_cols - of_example.size(), -1);
      label_lengths.push_back(static_cast<int32_t>(of_example.size()));
      logit_lengths.push_back(static_cast<int32_t>(steps));
    }
  }

  Status Run() {
    call.logits = logits.data();
    call.labels = {labels.data(), Dtype::kInt32, call.label_cols, 1};
    call.label_lengths = {label_lengths.data(), Dtype::kInt32, 1, 1};
    call.logit_lengths = {logit_lengths.data(), Dtype::kInt32, 1, 1};
    call.upstream = {upstream.empty() ? nullptr : upstream.data(), kDtype<T>, 1, 1};
    scores.assign(call.examples * call.scores_stride, kUntouched);
    gradient.assign(call.examples * call.steps * call.gradient_stride, kUntouched);
    call.scores = scores.data();
    call.gradient = gradient.data();
    return RunCtc(call, &fault);
  }

  T Score(size_t example) const { return scores[example * call.scores_stride]; }
  T* Logits(size_t example, size_t t) { return logits.data() + (example * call.steps + t) * call.logits_stride; }
  T Gradient(size_t example, size_t t, size_t k) const {
    return gradient[(example * call.steps + t) * call.gradient_stride + k];
  }

  CtcCall call;
  CtcFault fault;
  std::vector<T> logits, upstream, scores, gradient;
  Labels labels, label_lengths, logit_lengths;
};

// Score and gradient of one example from every sequence of classes there is.
template <class T>
struct AllPaths {
  using W = test::Wide<T>;

  AllPaths(Problem<T>& problem, size_t example)
      : steps(static_cast<size_t>(problem.logit_lengths[example])), classes(problem.call.classes) {
    log_p.resize(steps * classes);
    for (size_t t = 0; t < steps; ++t) {
      const T* const z = problem.Logits(example, t);
      W sum = 0;
      const W max = *std::max_element(z, z + classes);
      for (size_t k = 0; k < classes; ++k) sum += std::exp(static_cast<W>(z[k]) - max);
      for (size_t k = 0; k < classes; ++k) log_p[t * classes + k] = static_cast<W>(z[k]) - max - std::log(sum);
    }
    const int32_t* const first = problem.labels.data() + example * problem.call.label_cols;
    const Labels labels(first, first + problem.label_lengths[example]);
    const auto blank = static_cast<int32_t>(problem.call.blank);
    share.resize(steps * classes);
    Labels path(steps, 0);
    W total = 0;
    do {
      Labels merged;
      for (size_t t = 0; t < steps; ++t) {
        if (path[t] != blank && (t == 0 || path[t] != path[t - 1])) merged.push_back(path[t]);
      }
      if (merged != labels) continue;
      W log_path = 0;
      for (size_t t = 0; t < steps; ++t) log_path += log_p[t * classes + static_cast<size_t>(path[t])];
      const W p = std::exp(log_path);
      total += p;
      for (size_t t = 0; t < steps; ++t) share[t * classes + static_cast<size_t>(path[t])] += p;
    } while (Next(&path));
    score = -std::log(total);
    for (W& s : share) s /= total;
  }

  // False after the last one.
  bool Next(Labels* path) const {
    for (int32_t& k : *path) {
      if (++k < static_cast<int32_t>(classes)) return true;
      k = 0;
    }
    return false;
  }

  W Slope(size_t t, size_t k) const {
    return std::isinf(score) ? 0 : std::exp(log_p[t * classes + k]) - share[t * classes + k];
  }

  size_t steps, classes;
  std::vector<W> log_p, share;
  W score;
};

// Errors in terms of T's precision: of a score relative to it or 1, of a slope relative to 1.
template <class T>
double Error(test::Wide<T> got, test::Wide<T> want) {
  if (got == want) return 0;
  const auto size = std::max<test::Wide<T>>(1, std::fabs(want));
  return static_cast<double>(std::fabs(got - want) / size / std::numeric_limits<T>::epsilon());
}

template <class T>
void TestAllPaths() {
  const struct {
    size_t steps, classes, blank;
    std::vector<Labels> examples;
  } rows[] = {{1, 1, 0, {{}}},
              {1, 2, 0, {{1}, {}}},
              {2, 2, 1, {{0}, {0, 0}, {}}},
              {3, 3, 0, {{1, 2}, {1, 1}, {2, 1, 2}, {1, 1, 1}}},
              {4, 4, 2, {{0, 1, 3}, {3, 3}, {0}, {}}},
              {6, 3, 1, {{0, 0, 2}, {2}, {0, 2, 0, 2, 0, 2}, {2, 2, 2}}},
              {5, 5, 4, {{3, 2, 1, 0}, {0, 0, 1}}},
              {3, 20, 19, {{18, 3}, {0}}},
              {2, 70, 5, {{69, 33}}}};
  Random random;
  for (const auto& row : rows) {
    Problem<T> problem(random, row.steps, row.classes, row.examples, row.blank);
    test::OnEveryTarget([&](int) {
      CHECK(problem.Run() == Status::kOk, "status");
      for (size_t i = 0; i < row.examples.size(); ++i) {
        const AllPaths<T> want(problem, i);
        CHECK(Error<T>(problem.Score(i), want.score) <= 4, "%zu x %zu, example %zu: %g, not %g", row.steps, row.classes,
              i, static_cast<double>(problem.Score(i)), static_cast<double>(want.score));
        for (size_t t = 0; t < row.steps; ++t) {
          for (size_t k = 0; k < row.classes; ++k) {
            const double error = Error<T>(problem.Gradient(i, t, k), want.Slope(t, k));
            CHECK(error <= 4, "%zu x %zu, example %zu, step %zu, class %zu: off by %g eps", row.steps, row.classes, i,
                  t, k, error);
          }
        }
      }
      for (size_t i = 0; i < problem.gradient.size(); ++i) {
        CHECK(i % problem.call.gradient_stride < row.classes || problem.gradient[i] == Problem<T>::kUntouched, "gap");
      }
      for (size_t i = 1; i < problem.scores.size(); i += 2) CHECK(problem.scores[i] == Problem<T>::kUntouched, "gap");
    });
  }
}

// --- Longer examples -------------------------------------------------------------------------------------------------

Labels RandomLabels(Random& random, size_t count, size_t classes) {
  Labels labels;
  for (size_t i = 0; i < count; ++i) {
    labels.push_back(1 + static_cast<int32_t>(std::fabs(random()) * static_cast<double>(classes - 1)));
  }
  return labels;
}

// The textbook's sums of logarithms of one example, in a wider type. The blank is class 0.
template <class T>
struct Logarithms {
  using W = test::Wide<T>;

  Logarithms(Problem<T>& problem, size_t example) : classes(problem.call.classes) {
    const auto steps = static_cast<size_t>(problem.logit_lengths[example]);
    for (size_t t = 0; t < steps; ++t)
      z.insert(z.end(), problem.Logits(example, t), problem.Logits(example, t) + classes);
    const int32_t* const labels = problem.labels.data() + example * problem.call.label_cols;
    states.push_back(0);
    for (int32_t i = 0; i < problem.label_lengths[example]; ++i) {
      states.push_back(static_cast<size_t>(labels[i]));
      states.push_back(0);
    }
  }

  static W Plus(W a, W b) {
    const W max = std::max(a, b);
    return std::isinf(max) ? max : max + std::log1p(std::exp(std::min(a, b) - max));
  }

  W Score() {
    size = 0;
    std::vector<W> alpha(states.size(), -kInf<W>);
    alpha[0] = 0;
    for (size_t row = 0; row < z.size(); row += classes) {
      const W max = *std::max_element(&z[row], &z[row] + classes);
      W sum = 0;
      for (size_t k = 0; k < classes; ++k) sum += std::exp(z[row + k] - max);
      size += std::log(sum);
      for (size_t s = states.size(); s-- != 0;) {
        if (s > 1 && states[s] != 0 && states[s] != states[s - 2]) alpha[s] = Plus(alpha[s], alpha[s - 2]);
        if (s > 0) alpha[s] = Plus(alpha[s], alpha[s - 1]);
        alpha[s] += z[row + states[s]] - max - std::log(sum);
      }
    }
    const W score = -(states.size() == 1 ? alpha[0] : Plus(alpha.back(), alpha[states.size() - 2]));
    size = std::max(size, score);
    return score;
  }

  // The slope at logit i of all, by differences.
  W Slope(size_t i) {
    const W h = 1e-5, at = z[i];
    z[i] = at + h;
    const W above = Score();
    z[i] = at - h;
    const W below = Score();
    z[i] = at;
    return (above - below) / (2 * h);
  }

  size_t classes;
  std::vector<W> z;
  std::vector<size_t> states;
  W size = 0;  // of what meets in the score
};

// Numbers of labels around the widths of vectors and lines; logits of any size, that leave the range of a double.
template <class T>
void TestLong() {
  const struct {
    size_t steps, classes, labels;
    double scale;
  } rows[] = {{40, 5, 6, 1},    {40, 5, 7, 1},      {40, 30, 13, 1},   {50, 30, 14, 1},
              {50, 30, 15, 1},  {64, 2, 17, 1},     {300, 9, 100, 1},  {260, 40, 128, 1},
              {500, 7, 40, 30}, {200, 6, 60, 1000}, {90, 1000, 20, 10}};
  for (const auto& row : rows) {
    Random random;
    std::vector<Labels> labels;
    for (size_t i = 0; i < 2; ++i) labels.push_back(RandomLabels(random, row.labels, row.classes));
    Problem<T> problem(random, row.steps, row.classes, labels);
    for (T& z : problem.logits) z *= static_cast<T>(row.scale);
    // Of a float64 logit z - max is a rounding of its size off.
    const double slack = sizeof(T) == 4 ? 1 : std::max(1.0, row.scale);
    struct Want {
      test::Wide<T> score, size;
      struct {
        size_t t, k;
        double slope;
      } places[5];
    } wants[2];
    for (size_t i = 0; i < 2; ++i) {
      Logarithms<T> plain(problem, i);
      wants[i].score = plain.Score();
      wants[i].size = plain.size;
      for (size_t n = 0; n < 5; ++n) {
        const size_t t = (n * 37 + i) % row.steps;
        const size_t k = n % 2 == 0 ? 0 : static_cast<size_t>(labels[i][t % row.labels]);
        wants[i].places[n] = {t, k, static_cast<double>(plain.Slope(t * row.classes + k))};
      }
    }
    test::OnEveryTarget([&](int) {
      CHECK(problem.Run() == Status::kOk, "status");
      for (size_t i = 0; i < 2; ++i) {
        // In terms of what meets in a score: the logarithms of the steps' normalisers.
        const double off = Error<T>(problem.Score(i) - wants[i].score + wants[i].size, wants[i].size);
        CHECK(off <= 4, "%zu x %zu, %zu labels: score off by %g eps", row.steps, row.classes, row.labels, off);
        for (size_t t = 0; t < row.steps; ++t) {
          test::Wide<T> sum = 0;
          for (size_t k = 0; k < row.classes; ++k) sum += problem.Gradient(i, t, k);
          const double error = Error<T>(sum, 0);
          CHECK(error <= 16, "%zu x %zu, %zu labels: slopes of step %zu sum to %g eps", row.steps, row.classes,
                row.labels, t, error);
        }
        for (const auto& place : wants[i].places) {
          const auto got = static_cast<double>(problem.Gradient(i, place.t, place.k));
          CHECK(std::fabs(got - place.slope) < (sizeof(T) == 4 ? 1e-5 : 1e-8 * slack),
                "%zu x %zu, %zu labels: slope %g, not %g", row.steps, row.classes, row.labels, got, place.slope);
        }
      }
    });
  }
}

// --- Lengths, factors, places ----------------------------------------------------------------------------------------

// Examples of different lengths: what an example of its own gives, whatever lies beyond the lengths; 0 there.
template <class T>
void TestLengths() {
  Random random;
  constexpr size_t kSteps = 30, kClasses = 12;
  std::vector<Labels> labels;
  for (size_t count : {0, 9, 3, 6, 1}) labels.push_back(RandomLabels(random, count, kClasses));
  Problem<T> problem(random, kSteps, kClasses, labels);
  problem.logit_lengths = {30, 25, 1, 12, 0};
  for (size_t i = 0; i < labels.size(); ++i) {
    for (auto t = static_cast<size_t>(problem.logit_lengths[i]); t < kSteps; ++t) {
      std::fill_n(problem.Logits(i, t), kClasses, std::numeric_limits<T>::quiet_NaN());
    }
  }
  test::OnEveryTarget([&](int) {
    CHECK(problem.Run() == Status::kOk, "status");
    for (size_t i = 0; i < labels.size(); ++i) {
      const auto steps = static_cast<size_t>(problem.logit_lengths[i]);
      Problem<T> alone(random, steps, kClasses, {labels[i]});
      for (size_t t = 0; t < steps; ++t) std::copy_n(problem.Logits(i, t), kClasses, alone.Logits(0, t));
      CHECK(alone.Run() == Status::kOk && alone.Score(0) == problem.Score(i), "example %zu", i);
      for (size_t t = 0; t < kSteps; ++t) {
        for (size_t k = 0; k < kClasses; ++k) {
          const T want = t < steps ? alone.Gradient(0, t, k) : 0;
          CHECK(problem.Gradient(i, t, k) == want, "example %zu, step %zu, class %zu", i, t, k);
        }
      }
    }
  });
}

// Scores alone are the same; so is a gradient over the logits, or one times 2, -0.5 and 0.
template <class T>
void TestForms() {
  Random random;
  Problem<T> problem(random, 50, 40, {RandomLabels(random, 9, 40), {}, RandomLabels(random, 20, 40), {1, 1}});
  test::OnEveryTarget([&](int) {
    problem.upstream.clear();
    problem.Run();
    const Problem<T> plain = problem;

    problem.call.gradient = nullptr;
    std::fill(problem.scores.begin(), problem.scores.end(), Problem<T>::kUntouched);
    CHECK(RunCtc(problem.call, &problem.fault) == Status::kOk && problem.scores == plain.scores, "scores alone");

    std::vector<T> in_place = problem.logits;
    problem.call.logits = problem.call.gradient = in_place.data();
    problem.call.gradient_stride = problem.call.logits_stride;
    CHECK(RunCtc(problem.call, &problem.fault) == Status::kOk && problem.scores == plain.scores, "scores in place");
    for (size_t row = 0; row < 4 * 50; ++row) {
      const bool same = std::equal(&plain.gradient[row * plain.call.gradient_stride],
                                   &plain.gradient[row * plain.call.gradient_stride] + 40,
                                   &in_place[row * problem.call.logits_stride]);
      CHECK(same, "row %zu in place", row);
    }

    problem.call.gradient_stride = plain.call.gradient_stride;
    problem.upstream = {2, -0.5, 0, 1};
    problem.Logits(2, 7)[3] = std::numeric_limits<T>::quiet_NaN();
    problem.Run();
    problem.Logits(2, 7)[3] = plain.logits[(2 * 50 + 7) * plain.call.logits_stride + 3];
    for (size_t i = 0; i < 4; ++i) {
      for (size_t t = 0; t < 50; ++t) {
        for (size_t k = 0; k < 40; ++k) {
          const T got = problem.Gradient(i, t, k), want = problem.upstream[i] * plain.Gradient(i, t, k);
          CHECK(got == want, "example %zu, step %zu, class %zu: %g, not %g", i, t, k, static_cast<double>(got),
                static_cast<double>(want));
        }
      }
    }
  });
}

template <class T>
void TestThreads() {
  Random random;
  std::vector<Labels> labels;
  for (size_t i = 0; i < 37; ++i) labels.push_back(RandomLabels(random, i, 29));
  Problem<T> problem(random, 80, 29, labels);
  test::OnEveryTarget([&](int) {
    Problem<T> of_one = problem;
    for (size_t threads : {1, 2, 3, 8}) {
      SetThreadCount(threads);
      problem.Run();
      if (threads == 1) of_one = problem;
      CHECK(problem.scores == of_one.scores && problem.gradient == of_one.gradient, "%zu threads", threads);
    }
    SetThreadCount(0);
  });
}

// --- Borders ---------------------------------------------------------------------------------------------------------

// One example of 4 steps and 3 classes, labels 1, 2: what its logits being this everywhere or at one place makes of it.
template <class T>
void TestExtremes() {
  constexpr T nan = std::numeric_limits<T>::quiet_NaN(), inf = kInf<T>, huge = std::numeric_limits<T>::max();
  const T far = static_cast<T>(1e30);
  const struct {
    const char* title;
    T rows[4][3];
    double score;
  } rows[] = {
      {"certain", {{-far, 0, -far}, {0, -far, -far}, {-far, -far, 0}, {-far, -far, 0}}, 0},
      {"one path, far off", {{0, -far, -inf}, {0, -inf, -inf}, {0, -inf, -far}, {0, -inf, -inf}}, 2e30},
      {"one path, beyond any",
       {{0, -huge, -inf}, {0, -inf, -inf}, {0, -inf, -far}, {0, -inf, -inf}},
       sizeof(T) == 4 ? static_cast<double>(huge) : static_cast<double>(inf)},
      {"no label 2", {{0, 0, -inf}, {0, 0, -inf}, {0, 0, -inf}, {0, 0, -inf}}, static_cast<double>(inf)},
      {"far apart", {{1000, 0, 0}, {1000, 0, 0}, {1000, 0, 0}, {1000, 0, 0}}, 2000 - std::log(6.0)},
      {"NaN of no label", {{0, 0, 0}, {0, 0, nan}, {0, 0, 0}, {0, 0, 0}}, static_cast<double>(nan)},
      {"NaN of a label", {{0, nan, 0}, {0, 0, 0}, {0, 0, 0}, {0, 0, 0}}, static_cast<double>(nan)},
      {"Infinity", {{0, 0, 0}, {0, 0, 0}, {inf, 0, 0}, {0, 0, 0}}, static_cast<double>(nan)},
      {"a step without a class", {{0, 0, 0}, {0, 0, 0}, {-inf, -inf, -inf}, {0, 0, 0}}, static_cast<double>(nan)},
  };
  for (const auto& row : rows) {
    Random random;
    Problem<T> problem(random, 4, 3, {{2, 1}, {1, 2}, {1}});
    for (size_t t = 0; t < 4; ++t) std::copy_n(row.rows[t], 3, problem.Logits(1, t));
    test::OnEveryTarget([&](int) {
      CHECK(problem.Run() == Status::kOk, "status");
      const auto score = static_cast<double>(problem.Score(1));
      const bool same = std::isnan(row.score) ? std::isnan(score)
                                              : score == row.score || std::fabs(score - row.score) <=
                                                                          1e-6 * std::max(1.0, std::fabs(row.score));
      CHECK(same, "%s: %g, not %g", row.title, score, row.score);
      for (size_t t = 0; t < 4; ++t) {
        double sum = 0;
        for (size_t k = 0; k < 3; ++k) {
          const auto slope = static_cast<double>(problem.Gradient(1, t, k));
          sum += std::fabs(slope);
          CHECK(std::isnan(slope) == std::isnan(score) && !(std::fabs(slope) > 1.000001), "%s: slope %g", row.title,
                slope);
        }
        CHECK(!std::isinf(score) || sum == 0, "%s: slopes without an alignment", row.title);
        for (size_t k = 0; k < 3; ++k) {
          CHECK(std::isfinite(problem.Gradient(0, t, k)) && std::isfinite(problem.Gradient(2, t, k)), "%s: neighbours",
                row.title);
        }
      }
      CHECK(std::isfinite(problem.Score(0)) && std::isfinite(problem.Score(2)), "%s: neighbours", row.title);
    });
  }
}

// What is rejected has written nothing.
void TestFaults() {
  Random random;
  const auto make = [&] { return Problem<float>(random, 5, 4, {{1, 2}, {3}, {2, 2, 1}}); };
  const auto check = [](Problem<float> problem, Status want, size_t example, size_t position, int line) {
    const Status status = problem.Run();
    CHECK(status == want && problem.fault.example == example && problem.fault.position == position,
          "line %d: status %d, example %zu, position %zu", line, static_cast<int>(status), problem.fault.example,
          problem.fault.position);
    const auto untouched = [](float x) { return x == Problem<float>::kUntouched; };
    CHECK(std::all_of(problem.scores.begin(), problem.scores.end(), untouched) &&
              std::all_of(problem.gradient.begin(), problem.gradient.end(), untouched),
          "line %d: written", line);
  };
  Problem<float> problem = make();
  problem.label_lengths[1] = 4;
  check(problem, Status::kBadLabelLength, 1, 0, __LINE__);
  problem.label_lengths[1] = -1;
  check(problem, Status::kBadLabelLength, 1, 0, __LINE__);
  problem.label_lengths[1] = 2;  // what follows label 3 is padding
  check(problem, Status::kBadLabel, 1, 1, __LINE__);
  problem = make();
  problem.logit_lengths[2] = 6;
  check(problem, Status::kBadLogitLength, 2, 0, __LINE__);
  problem = make();
  problem.labels[8] = 4;
  check(problem, Status::kBadLabel, 2, 2, __LINE__);
  problem.labels[7] = 0;  // the blank
  check(problem, Status::kBadLabel, 2, 1, __LINE__);
  problem = make();
  problem.call.blank = 4;
  check(problem, Status::kBadArgument, 0, 0, __LINE__);
}

// No examples, no steps, no room for an alignment.
void TestNothing() {
  Random random;
  Problem<double> none(random, 3, 2, {});
  CHECK(none.Run() == Status::kOk, "no examples");
  Problem<double> problem(random, 0, 2, {{}, {1}});
  test::OnEveryTarget([&](int) {
    CHECK(problem.Run() == Status::kOk && problem.Score(0) == 0 && problem.Score(1) == kInf<double>, "no steps: %g, %g",
          problem.Score(0), problem.Score(1));
  });
}

// Touches no byte before or beyond its inputs and results; the process would end.
template <class T>
void TestGuarded(Edge edge) {
  Random random;
  for (size_t classes : {2, 5, 31, 257}) {
    Problem<T> problem(random, 9, classes, {RandomLabels(random, 4, classes), RandomLabels(random, 3, classes)});
    problem.label_lengths[1] = 4;
    problem.labels.back() = 1;
    problem.call.logits_stride = problem.call.gradient_stride = classes;
    problem.call.scores_stride = 1;
    problem.logits = RandomMatrix<T>(random, 2 * 9, classes, classes);
    const GuardedArray<T> logits(problem.logits, edge), scores(2, edge), gradient(2 * 9 * classes, edge);
    const GuardedArray<int32_t> labels(problem.labels, edge), label_lengths(problem.label_lengths, edge);
    const GuardedArray<int32_t> logit_lengths(problem.logit_lengths, edge);
    test::OnEveryTarget([&](int) {
      problem.Run();
      CtcCall call = problem.call;
      call.logits = logits.data();
      call.labels.data = labels.data();
      call.label_lengths.data = label_lengths.data();
      call.logit_lengths.data = logit_lengths.data();
      call.scores = scores.data();
      call.gradient = gradient.data();
      CtcFault fault;
      CHECK(RunCtc(call, &fault) == Status::kOk && scores[1] == problem.Score(1), "score");
      CHECK(std::equal(problem.gradient.begin(), problem.gradient.end(), gradient.data()), "gradient");
    });
  }
}

TEST(CtcAllPathsFloat) { TestAllPaths<float>(); }
TEST(CtcAllPathsDouble) { TestAllPaths<double>(); }
TEST(CtcLongFloat) { TestLong<float>(); }
TEST(CtcLongDouble) { TestLong<double>(); }
TEST(CtcLengthsFloat) { TestLengths<float>(); }
TEST(CtcLengthsDouble) { TestLengths<double>(); }
TEST(CtcFormsFloat) { TestForms<float>(); }
TEST(CtcFormsDouble) { TestForms<double>(); }
TEST(CtcThreadsFloat) { TestThreads<float>(); }
TEST(CtcThreadsDouble) { TestThreads<double>(); }
TEST(CtcExtremesFloat) { TestExtremes<float>(); }
TEST(CtcExtremesDouble) { TestExtremes<double>(); }
TEST(CtcFaults) { TestFaults(); }
TEST(CtcNothing) { TestNothing(); }
TEST(CtcGuarded) {
  for (const Edge edge : test::kEdges) {
    TestGuarded<float>(edge);
    TestGuarded<double>(edge);
  }
}

}  // namespace
}  // namespace simdloss
