// SPDX-License-Identifier: Apache-2.0
// The drivers of the losses and activations: every size around the vector widths, strides, in place, masks, on every
// target against the scalar one. Pages before and behind each array must not be touched, nor, which a sanitizer sees,
// anything else beyond it.
// The values themselves are tested from JavaScript, against exact ones.
#include "native/loss.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <vector>

#include "native/test/arrays.h"
#include "native/test/test.h"

namespace simdloss {
namespace {

// A whole number hashed to [0, 1).
double Uniform(uint32_t i) { return static_cast<double>((i * 2654435761u) >> 8) / (1 << 24); }

using test::Edge;
using test::GuardedArray;

// A matrix of T whose rows lie `stride` apart, in memory of its own that starts or ends with it.
template <class T>
class Rows {
 public:
  Rows(size_t rows, size_t cols, size_t stride, Edge edge)
      : size_(rows == 0 ? 0 : (rows - 1) * stride + cols), cols_(cols), stride_(stride), data_(size_, edge) {
    for (size_t i = 0; i < size_; ++i) data_[i] = kUntouched;
  }

  template <class F>
  Rows& Fill(F&& f) {
    for (size_t i = 0; i * stride_ < size_; ++i) {
      for (size_t j = 0; j < cols_; ++j) data_[i * stride_ + j] = static_cast<T>(f(i * cols_ + j));
    }
    return *this;
  }

  Matrix View(size_t col_stride = 1) const { return {data_.data(), kDtype, stride_, col_stride}; }
  T* data() { return data_.data(); }
  T At(size_t i, size_t j) const { return data_[i * stride_ + j]; }
  size_t stride() const { return stride_; }

  // Are the elements between the rows as they were made?
  bool GapsUntouched() const {
    for (size_t i = 0; i < size_; ++i) {
      if (i % stride_ >= cols_ && data_[i] != kUntouched) return false;
    }
    return true;
  }

 private:
  static constexpr T kUntouched = -77;
  static constexpr Dtype kDtype = sizeof(T) == 4 ? Dtype::kFloat32 : Dtype::kFloat64;
  size_t size_, cols_, stride_;
  GuardedArray<T> data_;
};

struct Case {
  LossKind loss;
  ActivationKind activation;
  bool sparse;
  int mask;  // 0 none, 1 per example, 2 per output
  bool weights;
};

struct Outcome {
  double score = 0;
  std::vector<double> rows, gradient;
};

// As numbers, or NaN both.
bool Same(double a, double b) { return a == b || (std::isnan(a) && std::isnan(b)); }
bool Same(const std::vector<double>& a, const std::vector<double>& b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(), [](double x, double y) { return Same(x, y); });
}
bool Same(const Outcome& a, const Outcome& b) {
  return Same(a.score, b.score) && Same(a.rows, b.rows) && Same(a.gradient, b.gradient);
}

// One call with inputs and outputs `gap` elements wider than they need be; `in_place` writes over the logits.
template <class T>
Outcome Run(const Case& c, size_t rows, size_t cols, size_t gap, bool in_place, Edge edge = Edge::kEnd) {
  const size_t stride = cols + gap;
  const bool mixture = c.loss == LossKind::kMixtureDensity;
  const size_t label_cols = mixture ? 1 : cols;
  Rows<T> z(rows, cols, stride, edge), y(rows, c.sparse ? 1 : label_cols, (c.sparse ? 1 : label_cols) + gap, edge);
  Rows<T> g(rows, cols, stride, edge), w(1, cols, cols, edge);
  Rows<T> m(rows, c.mask == 1 ? 1 : cols, (c.mask == 1 ? 1 : cols) + gap, edge);
  GuardedArray<T> scores(rows, edge), alpha(cols, edge);
  std::fill_n(alpha.data(), cols, T{0.25});
  z.Fill([](size_t i) { return 0.05 + 0.9 * Uniform(static_cast<uint32_t>(i)); });
  const double lowest = c.loss == LossKind::kMAPE ? 1 : 0;  // a percentage of 0 is infinite
  y.Fill([&](size_t i) {
    return c.sparse ? static_cast<double>(i % cols) : lowest + std::round(Uniform(static_cast<uint32_t>(i) + 999));
  });
  m.Fill([](size_t i) { return static_cast<double>(i % 3); });
  w.Fill([](size_t i) { return 0.5 + static_cast<double>(i % 4); });

  LossCall call;
  call.loss = c.loss;
  call.activation = c.activation;
  call.activation_params.p[0] = c.activation == ActivationKind::kReLU ? 0.5 : 0.1;
  call.dtype = z.View().dtype;
  call.rows = rows;
  call.cols = cols;
  call.label_cols = label_cols;
  // Outputs beyond 1 are infinitely wrong without a clip; from sigmoid and softmax the exact loss is finite.
  const bool inside =
      c.activation == ActivationKind::kSigmoid || (c.activation == ActivationKind::kSoftmax && cols > 1);
  call.params.clip = inside ? 0 : 0.01;
  call.params.mixtures = mixture ? cols / 3 : 1;
  call.pre_output = z.View();
  call.labels = y.View();
  call.sparse_labels = c.sparse;
  call.params.has_ignore = c.sparse;
  call.params.ignore_index = 1;
  if (c.mask != 0) call.mask = m.View(c.mask == 1 ? 0 : 1);
  if (c.activation == ActivationKind::kPReLU) call.alpha = {alpha.data(), call.dtype, 0, 1};
  if (c.weights) call.weights = {w.data(), w.View().dtype, 0, 1};
  call.gradient = in_place ? z.data() : g.data();
  call.gradient_stride = stride;
  call.score = true;
  if (c.loss != LossKind::kFMeasure) call.score_array = scores.data();

  LossResult result;
  CHECK(RunLoss(call, &result) == Status::kOk, "loss %d", static_cast<int>(c.loss));
  CHECK(g.GapsUntouched() && z.GapsUntouched(), "loss %d wrote between rows", static_cast<int>(c.loss));
  Outcome outcome;
  outcome.score = result.score;
  Rows<T>& written = in_place ? z : g;
  for (size_t i = 0; i < rows; ++i) {
    if (call.score_array != nullptr) outcome.rows.push_back(static_cast<double>(scores[i]));
    for (size_t j = 0; j < cols; ++j) outcome.gradient.push_back(static_cast<double>(written.At(i, j)));
  }

  // Each output alone has the same bits.
  LossCall alone = call;
  alone.gradient = nullptr;
  alone.score_array = nullptr;
  if (in_place)
    alone.pre_output = z.Fill([](size_t i) { return 0.05 + 0.9 * Uniform(static_cast<uint32_t>(i)); }).View();
  LossResult score_alone;
  RunLoss(alone, &score_alone);
  CHECK(Same(score_alone.score, result.score), "loss %d: %g alone, %g", static_cast<int>(c.loss), score_alone.score,
        result.score);
  return outcome;
}

// Within a few roundings of the largest number of the same kind.
bool Close(const std::vector<double>& a, const std::vector<double>& b, double eps) {
  double largest = 0;
  for (double x : a) largest = std::max(largest, std::fabs(x));
  for (size_t i = 0; i < a.size(); ++i) {
    if (!(std::fabs(a[i] - b[i]) <= eps * largest)) return false;
  }
  return a.size() == b.size();
}

// Wherever the arrays lie, the bits are the same.
template <class T>
void CheckEdges(const Case& c, size_t rows, size_t cols) {
  const Outcome at_end = Run<T>(c, rows, cols, 0, false), at_start = Run<T>(c, rows, cols, 0, false, Edge::kStart);
  CHECK(Same(at_end, at_start), "loss %d activation %d %zux%zu: its place changes it", static_cast<int>(c.loss),
        static_cast<int>(c.activation), rows, cols);
}

template <class T>
void CheckCase(const Case& c, size_t rows, size_t cols) {
  const int chosen = ChosenTarget();
  ForceTarget(kScalar);
  const Outcome expected = Run<T>(c, rows, cols, 0, false);
  ForceTarget(chosen);
  const Outcome got = Run<T>(c, rows, cols, 0, false);
  // Sums differ in their order, elements in FMA or not.
  const double eps = sizeof(T) == 4 ? 4e-6 : 1e-14;
  const bool close = Close({expected.score}, {got.score}, eps * 4) && Close(expected.rows, got.rows, eps) &&
                     Close(expected.gradient, got.gradient, eps);
  CHECK(close, "loss %d activation %d sparse %d mask %d %zux%zu: %.17g, scalar %.17g", static_cast<int>(c.loss),
        static_cast<int>(c.activation), c.sparse, c.mask, rows, cols, got.score, expected.score);
  CheckEdges<T>(c, rows, cols);
  CHECK(Same(got, Run<T>(c, rows, cols, 3, false)), "loss %d %zux%zu: strides change it", static_cast<int>(c.loss),
        rows, cols);
  CHECK(Same(got, Run<T>(c, rows, cols, 0, true)), "loss %d %zux%zu: in place changes it", static_cast<int>(c.loss),
        rows, cols);
}

std::vector<Case> Cases() {
  std::vector<Case> cases;
  constexpr ActivationKind kActivations[] = {ActivationKind::kIdentity, ActivationKind::kSigmoid,
                                             ActivationKind::kTanH,     ActivationKind::kSoftPlus,
                                             ActivationKind::kELU,      ActivationKind::kSoftmax};
  for (int loss = 0; loss < static_cast<int>(LossKind::kCount); ++loss) {
    const auto kind = static_cast<LossKind>(loss);
    for (ActivationKind activation : kActivations) {
      for (int mask = 0; mask <= (IsElementwise(kind) ? 2 : 1); ++mask) {
        cases.push_back({kind, activation, false, mask, IsElementwise(kind) && mask != 1});
        if (kind == LossKind::kCrossEntropy) cases.push_back({kind, activation, true, mask, mask == 0});
      }
    }
  }
  return cases;
}

TEST(LossDriversGuarded) {
  test::OnEveryTarget([](int) {
    for (const Case& c : Cases()) {
      const bool f_measure = c.loss == LossKind::kFMeasure, mixture = c.loss == LossKind::kMixtureDensity;
      for (size_t cols : {1, 2, 3, 7, 9, 16, 17, 33, 70}) {
        if (f_measure && cols > 2) continue;
        const size_t width = mixture ? 3 * ((cols + 2) / 3) : cols;
        for (size_t rows : {0, 1, 2, 17}) {
          CheckCase<float>(c, rows, width);
          CheckCase<double>(c, rows, width);
        }
      }
    }
  });
}

// All activations, at either edge of memory.
TEST(LossActivationsGuarded) {
  test::OnEveryTarget([](int) {
    for (const Case& every : Cases()) {
      if (every.activation != ActivationKind::kIdentity) continue;
      for (int kind = 0; kind < static_cast<int>(ActivationKind::kCount); ++kind) {
        Case c = every;
        c.activation = static_cast<ActivationKind>(kind);
        for (size_t cols : {1, 9, 33}) {
          if (c.loss == LossKind::kFMeasure && cols > 2) continue;
          const size_t width = c.loss == LossKind::kMixtureDensity ? 3 * ((cols + 2) / 3) : cols;
          CheckEdges<float>(c, 3, width);
          CheckEdges<double>(c, 3, width);
        }
      }
    }
  });
}

// More than one chunk of rows, and tiles that end inside rows.
TEST(LossManyRows) {
  test::OnEveryTarget([](int) {
    for (const Case& c : {Case{LossKind::kL2, ActivationKind::kIdentity, false, 0, false},
                          Case{LossKind::kCrossEntropy, ActivationKind::kSoftmax, true, 1, true}}) {
      CheckCase<float>(c, 12001, 7);
      CheckCase<double>(c, 90, 1001);
    }
  });
}

// The terms overflow float32, the score does not overflow float64.
TEST(ScoreBeyondFloat32) {
  test::OnEveryTarget([](int) {
    for (bool in_place : {false, true}) {
      float z[5] = {1e25f, -1e25f, 3, 1e25f, 0}, g[5];
      const float y[5] = {};
      LossCall call;
      call.loss = LossKind::kL2;
      call.rows = 1;
      call.cols = call.label_cols = 5;
      call.pre_output = {z, Dtype::kFloat32, 5, 1};
      call.labels = {y, Dtype::kFloat32, 5, 1};
      call.score = true;
      call.gradient = in_place ? z : g;
      call.gradient_stride = 5;
      LossResult result;
      RunLoss(call, &result);
      const double square = double{1e25f} * double{1e25f};
      CHECK(std::fabs(result.score - 3 * square) < 1e-14 * square, "score %g", result.score);
      CHECK((in_place ? z : g)[1] == -2e25f && (in_place ? z : g)[2] == 6, "gradient %g", (in_place ? z : g)[1]);
    }
  });
}

TEST(SparseLabelsOutOfRange) {
  float z[6] = {}, g[6];
  std::memset(g, 1, sizeof(g));
  const float before = g[0];
  LossCall call;
  call.loss = LossKind::kCrossEntropy;
  call.activation = ActivationKind::kSoftmax;
  call.rows = 2;
  call.cols = call.label_cols = 3;
  call.pre_output = {z, Dtype::kFloat32, 3, 1};
  call.sparse_labels = true;
  call.gradient = g;
  call.gradient_stride = 3;
  LossResult result;
  const int64_t bad[] = {3, -1, INT64_MAX, INT64_MIN};
  for (int64_t label : bad) {
    const int64_t labels[2] = {2, label};
    call.labels = {labels, Dtype::kInt64, 1, 1};
    CHECK(RunLoss(call, &result) == Status::kBadLabel && result.bad_row == 1 && g[0] == before, "label %lld",
          static_cast<long long>(label));
  }
  const double fractions[] = {0.5, -1e-300, 3, NAN, INFINITY, -INFINITY};
  for (double label : fractions) {
    const double labels[2] = {2, label};
    call.labels = {labels, Dtype::kFloat64, 1, 1};
    CHECK(RunLoss(call, &result) == Status::kBadLabel && result.bad_row == 1 && g[0] == before, "label %g", label);
  }
  // The same label is right when it is the one to ignore, exactly, in its own dtype.
  const uint64_t huge[2] = {2, (uint64_t{1} << 62) + 1};
  call.labels = {huge, Dtype::kUint64, 1, 1};
  call.params.has_ignore = true;
  call.params.ignore_index = (int64_t{1} << 62) + 1;
  CHECK(RunLoss(call, &result) == Status::kOk && g[3] == 0, "ignored label beyond 2^53");
  call.params.ignore_index += 1;
  CHECK(RunLoss(call, &result) == Status::kBadLabel, "its neighbour");
}

// Forward, backprop, in place of either input, and PReLU's own gradient, at either edge of memory.
template <class T>
void CheckActivationCall(ActivationKind kind, size_t rows, size_t cols, size_t gap) {
  std::vector<T> want;
  for (const Edge edge : test::kEdges) {
    std::vector<T> got;
    // Where the result goes: to an array of its own, over the input, over epsilon; without epsilon it is forward.
    for (int form = 0; form < 5; ++form) {
      const size_t stride = cols + gap;
      Rows<T> z(rows, cols, stride, edge), epsilon(rows, cols, stride, edge), out(rows, cols, stride, edge);
      GuardedArray<T> alpha(cols, edge), of_alpha(cols, edge);
      const auto number = [](size_t i) { return 3 * Uniform(static_cast<uint32_t>(i)) - 1.5; };
      z.Fill(number);
      epsilon.Fill([&](size_t i) { return number(i + 777); });
      std::fill_n(alpha.data(), cols, T{0.25});
      ActivationCall call;
      call.activation = kind;
      call.params.p[0] = 0.5;
      call.dtype = z.View().dtype;
      call.rows = rows;
      call.cols = cols;
      call.input = z.View();
      if (form >= 2) call.epsilon = epsilon.View();
      if (kind == ActivationKind::kPReLU) call.alpha = {alpha.data(), call.dtype, 0, 1};
      Rows<T>& to = form == 1 || form == 3 ? z : form == 4 ? epsilon : out;
      call.out = to.data();
      call.out_stride = stride;
      if (form == 2 && kind == ActivationKind::kPReLU) {
        CHECK(RunPReLUParameterGradient(call, of_alpha.data()) == Status::kOk, "PReLU's gradient");
        got.insert(got.end(), of_alpha.data(), of_alpha.data() + cols);
      }
      CHECK(RunActivation(call) == Status::kOk, "activation %d", static_cast<int>(kind));
      CHECK(z.GapsUntouched() && epsilon.GapsUntouched() && out.GapsUntouched(), "activation %d wrote between rows",
            static_cast<int>(kind));
      for (size_t i = 0; i < rows; ++i) {
        for (size_t j = 0; j < cols; ++j) got.push_back(to.At(i, j));
      }
    }
    if (edge == Edge::kEnd) want = got;
    CHECK(got == want, "activation %d %zux%zu: its place changes it", static_cast<int>(kind), rows, cols);
  }
}

TEST(ActivationCallsGuarded) {
  test::OnEveryTarget([](int) {
    for (int kind = 0; kind < static_cast<int>(ActivationKind::kCount); ++kind) {
      for (size_t cols : {1, 2, 7, 9, 17, 33, 70}) {
        for (size_t gap : {0, 3}) {
          CheckActivationCall<float>(static_cast<ActivationKind>(kind), 5, cols, gap);
          CheckActivationCall<double>(static_cast<ActivationKind>(kind), 5, cols, gap);
        }
      }
    }
  });
}

}  // namespace
}  // namespace simdloss
