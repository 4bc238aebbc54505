// SPDX-License-Identifier: Apache-2.0
// Programs against plain loops in double, on every target and in both dtypes: operations in every space, shapes,
// strides, in place, threads. Arrays end, or start, where nothing must be touched. And what is no program, of which
// none may be made.
#include "native/program.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <functional>
#include <limits>
#include <string>
#include <vector>

#include "native/stages.h"
#include "native/test/arrays.h"
#include "native/test/test.h"
#include "native/thread_pool.h"

namespace simdloss {
namespace {

using test::Edge;

// --- Assembler -------------------------------------------------------------------------------------------------------

constexpr uint32_t At(Space space, uint32_t index) { return static_cast<uint32_t>(space) << 16 | index; }
constexpr uint32_t Tile(uint32_t i) { return At(Space::kTile, i); }
constexpr uint32_t Block(uint32_t i) { return At(Space::kBlock, i); }
constexpr uint32_t Row(uint32_t i) { return At(Space::kRow, i); }
constexpr uint32_t Column(uint32_t i) { return At(Space::kColumn, i); }
constexpr uint32_t Scalar(uint32_t i) { return At(Space::kScalar, i); }
constexpr uint32_t Input(uint32_t i) { return At(Space::kInput, i); }
constexpr uint32_t Output(uint32_t i) { return At(Space::kOutput, i); }
constexpr uint32_t Sum(uint32_t i) { return At(Space::kSum, i); }
constexpr uint32_t ColumnSum(uint32_t i) { return At(Space::kColumnSum, i); }

uint32_t Op(const std::string& name) {
  for (uint32_t op = 0; op < kOpcodes; ++op) {
    if (name == OpcodeName(op)) return op;
  }
  CHECK(false, "no operation %s", name.c_str());
  return kOpcodes;
}

struct Line {
  Line(const std::string& name, uint32_t to, uint32_t a = 0, uint32_t b = 0, uint32_t c = 0, uint32_t params = 0)
      : in{Op(name), to, a, b, c, params} {}
  Instruction in;
};

Line Constant(uint32_t to, uint32_t index) { return Line("Constant", to, 0, 0, 0, index); }

struct ReductionLine {
  uint32_t kind, row, from;
};

struct Pass {
  std::vector<Line> rows, tiles;
  std::vector<ReductionLine> reductions;
};

struct Source {
  // Tile, block, row, column and scalar registers.
  std::vector<size_t> registers;
  std::vector<ProgramPort> inputs, outputs;
  size_t sums, column_sums;
  std::vector<double> constants;
  std::vector<Line> scalars, columns;
  std::vector<Pass> passes;

  std::vector<int32_t> Encode() const {
    std::vector<int32_t> code;
    const auto put = [&](size_t number) { code.push_back(static_cast<int32_t>(number)); };
    const auto put_lines = [&](const std::vector<Line>& lines) {
      put(lines.size());
      for (const Line& line : lines) {
        const Instruction& in = line.in;
        for (const uint32_t number : {in.op, in.to, in.a, in.b, in.c, in.params}) put(number);
      }
    };
    for (const size_t count : registers) put(count);
    for (const size_t count : {inputs.size(), outputs.size(), sums, column_sums, passes.size()}) put(count);
    for (const auto* ports : {&inputs, &outputs}) {
      for (const ProgramPort& port : *ports) {
        put(static_cast<size_t>(port.extent));
        put(port.index);
      }
    }
    put_lines(scalars);
    put_lines(columns);
    for (const Pass& pass : passes) {
      put_lines(pass.rows);
      put_lines(pass.tiles);
      put(pass.reductions.size());
      for (const ReductionLine& reduction : pass.reductions) {
        put(reduction.kind);
        put(reduction.row);
        put(reduction.from);
      }
    }
    return code;
  }

  std::unique_ptr<Program> Make() const {
    const std::vector<int32_t> code = Encode();
    return MakeProgram(code.data(), code.size(), constants.data(), constants.size());
  }
};

constexpr ProgramPort kElements{Extent::kElements, 0};

// --- Calls -----------------------------------------------------------------------------------------------------------

// A dense matrix, in memory that starts or ends with it.
template <class T>
struct Array {
  std::unique_ptr<test::GuardedArray<T>> memory;
  size_t rows, cols, stride;

  Array(size_t r, size_t c, size_t s, Edge edge) : rows(r), cols(c), stride(s) {
    const size_t size = rows == 0 ? 0 : (rows - 1) * stride + cols;
    memory = std::make_unique<test::GuardedArray<T>>(size, edge);
    std::fill_n(data(), size, kUntouched);
  }
  T* data() const { return memory->data(); }
  T& operator()(size_t i, size_t j) const { return data()[i * stride + j]; }
  bool GapsUntouched() const {
    for (size_t i = 0; i + 1 < rows; ++i) {
      for (size_t j = cols; j < stride; ++j) {
        if (data()[i * stride + j] != kUntouched) return false;
      }
    }
    return true;
  }
  static constexpr T kUntouched = -77;
};

struct Shape {
  size_t rows, cols, gap;
  bool in_place;  // the first output is the first input
  Edge edge = Edge::kEnd;
};

Shape SidesOf(Extent extent, size_t rows, size_t cols) {
  const bool per_row = extent == Extent::kElements || extent == Extent::kRow;
  const bool per_column = extent == Extent::kElements || extent == Extent::kColumn;
  return {per_row ? rows : 1, per_column ? cols : 1, 0, false};
}

using Numbers = std::vector<double>;

struct Results {
  std::vector<Numbers> outputs;
  Numbers sums;
  bool gaps_untouched = true;
};

// What the program makes of the inputs.
template <class T>
Results Run(const Program& program, const Shape& shape, const std::vector<Numbers>& inputs) {
  std::vector<Array<T>> arrays;
  ProgramCall call;
  call.program = &program;
  call.dtype = test::kDtype<T>;
  call.rows = shape.rows;
  call.cols = shape.cols;
  for (size_t k = 0; k < inputs.size(); ++k) {
    const Shape sides = SidesOf(program.inputs[k].extent, shape.rows, shape.cols);
    Array<T> array(sides.rows, sides.cols, sides.cols + shape.gap, shape.edge);
    for (size_t i = 0; i < inputs[k].size(); ++i) {
      array(i / sides.cols, i % sides.cols) = static_cast<T>(inputs[k][i]);
    }
    call.inputs[k] = {array.data(), test::kDtype<T>, array.stride, 1};
    arrays.push_back(std::move(array));
  }
  for (size_t k = 0; k < program.outputs.size(); ++k) {
    const Shape sides = SidesOf(program.outputs[k].extent, shape.rows, shape.cols);
    if (k == 0 && shape.in_place) {
      call.outputs[k] = {arrays[0].data(), arrays[0].stride};
      continue;
    }
    Array<T> array(sides.rows, sides.cols, sides.cols + shape.gap, shape.edge);
    call.outputs[k] = {array.data(), array.stride};
    arrays.push_back(std::move(array));
  }
  Results results;
  results.sums.assign(program.sums(), -77);
  call.sums = results.sums.data();
  const Status status = RunProgram(call);
  CHECK(status == Status::kOk, "status %d", static_cast<int>(status));
  for (size_t k = 0; k < program.outputs.size(); ++k) {
    Array<T>& array = arrays[k == 0 && shape.in_place ? 0 : inputs.size() + k - (shape.in_place ? 1 : 0)];
    Numbers numbers;
    for (size_t i = 0; i < array.rows * array.cols; ++i) numbers.push_back(array(i / array.cols, i % array.cols));
    results.outputs.push_back(numbers);
  }
  for (const Array<T>& array : arrays) results.gaps_untouched = results.gaps_untouched && array.GapsUntouched();
  return results;
}

bool SameBits(double a, double b) { return std::memcmp(&a, &b, sizeof(a)) == 0 || (std::isnan(a) && std::isnan(b)); }

bool SameBits(const Numbers& a, const Numbers& b) {
  return a.size() == b.size() &&
         std::equal(a.begin(), a.end(), b.begin(), [](double x, double y) { return SameBits(x, y); });
}

// |got - want| in units of T's rounding error of |want| + scale; infinite for a wrong NaN or infinity.
template <class T>
double Error(double got, double want, double scale) {
  const double rounded = static_cast<double>(static_cast<T>(want));
  if (!std::isfinite(rounded) || !std::isfinite(got)) {
    return SameBits(got, rounded) ? 0 : std::numeric_limits<double>::infinity();
  }
  return got == want ? 0 : std::abs(got - want) / ((std::abs(want) + scale) * std::numeric_limits<T>::epsilon() / 2);
}

// --- Operations ------------------------------------------------------------------------------------------------------

double Sign(double x) { return x > 0 ? 1 : (x < 0 ? -1 : x); }
double Least(double a, double b) { return std::isnan(a) ? a : (std::isnan(b) || b < a ? b : a); }
double Most(double a, double b) { return std::isnan(a) ? a : (std::isnan(b) || b > a ? b : a); }

struct OperationRow {
  const char* name;
  double (*exact)(double a, double b, double c);
  double bound = 0.5;  // ULP
};

const OperationRow kOperations[] = {
    {"Copy", [](double a, double, double) { return a; }},
    {"Neg", [](double a, double, double) { return -a; }},
    {"Abs", [](double a, double, double) { return std::abs(a); }},
    {"Sign", [](double a, double, double) { return Sign(a); }},
    {"Square", [](double a, double, double) { return a * a; }},
    {"Sqrt", [](double a, double, double) { return std::sqrt(a); }},
    {"Exp", [](double a, double, double) { return std::exp(a); }, 1.1},
    {"Expm1", [](double a, double, double) { return std::expm1(a); }, 1.3},
    {"Log", [](double a, double, double) { return std::log(a); }, 1.5},
    {"Log1p", [](double a, double, double) { return std::log1p(a); }, 1.5},
    {"Erf", [](double a, double, double) { return std::erf(a); }, 2},
    {"Floor", [](double a, double, double) { return std::floor(a); }},
    {"Reciprocal", [](double a, double, double) { return 1 / a; }},
    {"Add", [](double a, double b, double) { return a + b; }},
    {"Sub", [](double a, double b, double) { return a - b; }},
    {"Mul", [](double a, double b, double) { return a * b; }},
    {"Div", [](double a, double b, double) { return a / b; }},
    {"Min", [](double a, double b, double) { return Least(a, b); }},
    {"Max", [](double a, double b, double) { return Most(a, b); }},
    {"Pow", [](double a, double b, double) { return std::pow(a, b); }, 0.6},
    {"Lt", [](double a, double b, double) { return a < b ? 1.0 : 0.0; }},
    {"Le", [](double a, double b, double) { return a <= b ? 1.0 : 0.0; }},
    {"Eq", [](double a, double b, double) { return a == b ? 1.0 : 0.0; }},
    {"Ne", [](double a, double b, double) { return a != b ? 1.0 : 0.0; }},
    {"Select", [](double a, double b, double c) { return a == 0 ? c : b; }},
};

// Every combination of values at which an operation may have an opinion, as three columns.
std::vector<Numbers> Corners() {
  constexpr double kInf = std::numeric_limits<double>::infinity(), kNaN = std::numeric_limits<double>::quiet_NaN();
  const double values[] = {0,   -0.0, 0.5,  -0.5, 1,    -1,    2,    -2,    3,   -3,
                           2.5, -2.5, 1e-3, 100,  1e30, -1e30, kInf, -kInf, kNaN};
  std::vector<Numbers> columns(3);
  for (const double a : values) {
    for (const double b : values) {
      columns[0].push_back(a);
      columns[1].push_back(b);
      columns[2].push_back(a == b ? 7 : a * 0.25);
    }
  }
  return columns;
}

// A program of one operation, whose operands and result are of one extent.
Source InSpace(Extent extent, const std::string& name) {
  const Line elements(name, Output(0), Input(0), Input(1), Input(2));
  const ProgramPort ports[] = {{extent, 0}, {extent, 1}, {extent, 2}};
  const std::vector<ProgramPort> inputs(ports, ports + 3);
  switch (extent) {
    case Extent::kElements:
      return {{0, 0, 0, 0, 0}, inputs, {kElements}, 0, 0, {}, {}, {}, {{{}, {elements}, {}}}};
    case Extent::kRow:
      return {{0, 0, 3, 0, 0},
              inputs,
              {{Extent::kRow, 0}},
              0,
              0,
              {},
              {},
              {},
              {{{Line(name, Output(0), Row(0), Row(1), Row(2))}, {}, {}}}};
    case Extent::kColumn:
      return {{0, 0, 0, 4, 0},
              inputs,
              {kElements},
              0,
              0,
              {},
              {},
              {Line(name, Column(3), Column(0), Column(1), Column(2))},
              {{{}, {Line("Copy", Output(0), Column(3))}, {}}}};
    default:
      return {{0, 0, 0, 0, 4},
              inputs,
              {kElements},
              0,
              0,
              {},
              {Line(name, Scalar(3), Scalar(0), Scalar(1), Scalar(2))},
              {},
              {{{}, {Line("Copy", Output(0), Scalar(3))}, {}}}};
  }
}

template <class T>
void CheckOperation(const OperationRow& row, Extent extent) {
  const auto program = InSpace(extent, row.name).Make();
  CHECK(program != nullptr, "%s is no program", row.name);
  if (program == nullptr) return;
  const std::vector<Numbers> corners = Corners();
  const size_t count = corners[0].size();
  const auto check = [&](size_t i, double got) {
    // The operands as T holds them.
    const auto operand = [&](size_t k) { return static_cast<double>(static_cast<T>(corners[k][i])); };
    const double want = row.exact(operand(0), operand(1), operand(2));
    constexpr double kTiny = std::numeric_limits<T>::min();
    CHECK(Error<T>(got, want, kTiny) <= 2 * row.bound, "%s(%g, %g, %g) is %.17g, not %.17g", row.name, operand(0),
          operand(1), operand(2), got, want);
  };
  if (extent == Extent::kSingle) {
    for (size_t i = 0; i < count; ++i) {
      const Results got = Run<T>(*program, {1, 1, 0, false}, {{corners[0][i]}, {corners[1][i]}, {corners[2][i]}});
      check(i, got.outputs[0][0]);
    }
    return;
  }
  const bool per_row = extent == Extent::kRow;
  const Results got = Run<T>(*program, {per_row ? count : 1, per_row ? 1 : count, 0, false}, corners);
  for (size_t i = 0; i < count; ++i) check(i, got.outputs[0][i]);
}

TEST(ProgramOperations) {
  test::OnEveryTarget([](int) {
    for (const OperationRow& row : kOperations) {
      for (const Extent extent : {Extent::kElements, Extent::kRow, Extent::kColumn, Extent::kSingle}) {
        CheckOperation<float>(row, extent);
        CheckOperation<double>(row, extent);
      }
    }
  });
}

// --- Chains ----------------------------------------------------------------------------------------------------------

// A random program of operations on elements, its values wherever they are best put; and the same with all of them
// stored and loaded again, each instruction a chain of its own.
struct Chains {
  static constexpr uint32_t kTiles = 4, kScalars = 2, kInputs = 3;
  std::vector<Line> together, apart;
  uint32_t sums = 0;

  explicit Chains(test::Random* random) {
    const auto pick = [&](size_t count) {
      return std::min(static_cast<size_t>(std::abs((*random)()) * count), count - 1);
    };
    const auto operand = [&](bool tiles) -> uint32_t {
      switch (pick(tiles ? 4 : 2)) {
        case 0:
          return Input(static_cast<uint32_t>(pick(kInputs)));
        case 1:
          return Scalar(static_cast<uint32_t>(pick(kScalars)));
        default:
          return Tile(static_cast<uint32_t>(pick(kTiles)));
      }
    };
    for (uint32_t i = 0; i < kTiles; ++i) Put({"Copy", Tile(i), operand(false)});
    for (size_t i = 0; i < 12; ++i) {
      const auto& row = kOperations[pick(std::size(kOperations))];
      const uint32_t to = pick(8) == 0 ? Sum(sums++) : Tile(static_cast<uint32_t>(pick(kTiles)));
      // The first operand is most often what was made last.
      const uint32_t last = together.back().in.to;
      const uint32_t a = pick(4) == 0 || last >= Output(0) ? operand(true) : last;
      Put(pick(2) == 0 ? Line(row.name, to, a, operand(true), operand(true))
                       : Line(row.name, to, operand(true), a, operand(true)));
      // Read on from where it is copied to.
      if (i == 5) Put({"Copy", Output(kTiles), to >= Sum(0) ? Tile(0) : to});
    }
    for (uint32_t i = 0; i < kTiles; ++i) Put({"Sum", Sum(sums++), Tile(i)});
    for (uint32_t i = 0; i < kTiles; ++i) Put({"Copy", Output(i), Tile(i)});
  }

  // Blocks last: each is stored. An activation in between ends a chain.
  void Put(const Line& line) {
    together.push_back(line);
    const auto moved = [](uint32_t operand) {
      return operand >> 16 == static_cast<uint32_t>(Space::kTile) ? Block(operand & 0xffff) : operand;
    };
    Line other = line;
    for (uint32_t* each : {&other.in.to, &other.in.a, &other.in.b, &other.in.c}) *each = moved(*each);
    apart.push_back(other);
    apart.push_back({"ReLU", Tile(0), Input(0)});
  }

  std::unique_ptr<Program> Make(const std::vector<Line>& lines) const {
    return Source{{kTiles, kTiles, 0, 0, kScalars},
                  std::vector<ProgramPort>(kInputs, kElements),
                  std::vector<ProgramPort>(kTiles + 1, kElements),
                  sums,
                  0,
                  {0.5, -1.25},
                  {Constant(Scalar(0), 0), Constant(Scalar(1), 1)},
                  {},
                  {{{}, lines, {}}}}
        .Make();
  }
};

// Machine code and the interpreter give the same elements, and sums of the tiles that differ by rounding.
template <class T>
void CheckCode(const Chains& chains, const Program& program, const std::vector<Numbers>& inputs, const Results& coded) {
  if (!UsesChainCode()) return;
  UseChainCode(false);
  const Results interpreted = Run<T>(program, {1, inputs[0].size(), 0, false}, inputs);
  UseChainCode(true);
  for (uint32_t i = 0; i <= Chains::kTiles; ++i) {
    CHECK(SameBits(coded.outputs[i], interpreted.outputs[i]), "output %u of code", i);
  }
  for (uint32_t i = 0; i < Chains::kTiles; ++i) {
    double size = 0;
    for (const double x : coded.outputs[i]) size += std::abs(x);
    const size_t sum = chains.sums - Chains::kTiles + i;
    // Not where floats on their way could be infinite.
    if (!(size < std::numeric_limits<float>::max() / 2)) continue;
    CHECK(std::abs(coded.sums[sum] - interpreted.sums[sum]) <= 8 * std::numeric_limits<T>::epsilon() * size,
          "sum %zu of code: %.17g, not %.17g", sum, coded.sums[sum], interpreted.sums[sum]);
  }
}

template <class T>
void CheckChains(const Chains& chains, const std::vector<Numbers>& inputs) {
  const auto together = chains.Make(chains.together), apart = chains.Make(chains.apart);
  CHECK(together != nullptr && apart != nullptr, "no program");
  if (together == nullptr || apart == nullptr) return;
  const Shape shape{1, inputs[0].size(), 0, false};
  const Results one = Run<T>(*together, shape, inputs), other = Run<T>(*apart, shape, inputs);
  for (uint32_t i = 0; i <= Chains::kTiles; ++i) CHECK(SameBits(one.outputs[i], other.outputs[i]), "output %u", i);
  CHECK(SameBits(one.sums, other.sums), "sums");
  CheckCode<T>(chains, *together, inputs, one);
}

TEST(ProgramChains) {
  const std::vector<Numbers> corners = Corners();
  std::vector<Numbers> numbers(3, Numbers(1777));
  test::Random random;
  for (Numbers& row : numbers) {
    for (double& x : row) x = random();
  }
  test::OnEveryTarget([&](int) {
    for (size_t i = 0; i < 200; ++i) {
      const Chains chains(&random);
      for (const auto& inputs : {corners, numbers}) {
        CheckChains<float>(chains, inputs);
        CheckChains<double>(chains, inputs);
      }
    }
  });
}

// --- Activations -----------------------------------------------------------------------------------------------------

// The values of an activation's stage, and its slopes.
template <class T>
std::pair<Numbers, Numbers> StageOf(uint32_t kind, const ActivationParams& params, const Numbers& z,
                                    const Numbers& alpha) {
  const size_t padded = RoundUpToPadding<T>(z.size());
  std::vector<T> x(padded), slopes_at(padded), a(padded), s(padded);
  std::copy(z.begin(), z.end(), x.begin());
  std::copy(alpha.begin(), alpha.end(), slopes_at.begin());
  ChosenActivationStages<T>().value_and_slope[kind](params, x.data(), slopes_at.data(), a.data(), s.data(), padded);
  return {Numbers(a.begin(), a.begin() + z.size()), Numbers(s.begin(), s.begin() + z.size())};
}

template <class T>
void CheckActivation(uint32_t kind) {
  const std::string name = OpcodeName(kFirstActivation + kind), slope = OpcodeName(kFirstSlope + kind);
  // Together in either order, with something in between, and one over its own operand.
  const Line value_line(name, Output(0), Input(0), Input(1)), slope_line(slope, Output(1), Input(0), Input(1));
  const Line between("Neg", Tile(0), Input(0));
  const Line copy("Copy", Tile(0), Input(0)), own(slope, Tile(0), Tile(0), Input(1)), out("Copy", Output(1), Tile(0));
  const std::vector<std::vector<Line>> orders = {{value_line, slope_line},
                                                 {slope_line, value_line},
                                                 {value_line, between, slope_line},
                                                 {value_line, copy, own, out}};
  const std::vector<Numbers> corners = Corners();
  for (const auto& lines : orders) {
    const Source source{
        {1, 0, 0, 0, 0},  {kElements, kElements}, {kElements, kElements}, 0, 0, {0.5, 0.25, 0.125}, {}, {},
        {{{}, lines, {}}}};
    const auto program = source.Make();
    CHECK(program != nullptr, "%s is no program", name.c_str());
    if (program == nullptr) return;
    const Results got = Run<T>(*program, {1, corners[0].size(), 0, false}, {corners[0], corners[1]});
    const auto [values, slopes] = StageOf<T>(kind, {{0.5, 0.25, 0.125}}, corners[0], corners[1]);
    CHECK(SameBits(got.outputs[0], values) && SameBits(got.outputs[1], slopes), "%s", name.c_str());
  }
}

// The slope of softplus comes along as the sigmoid.
template <class T>
void CheckSoftPlus() {
  const Source source{{0, 0, 0, 0, 0},
                      {kElements},
                      {kElements, kElements},
                      0,
                      0,
                      {},
                      {},
                      {},
                      {{{}, {Line("Sigmoid", Output(1), Input(0)), Line("SoftPlus", Output(0), Input(0))}, {}}}};
  const auto program = source.Make();
  const Numbers x = Corners()[0];
  const auto kind = [](ActivationKind k) { return static_cast<uint32_t>(k); };
  const Results got = Run<T>(*program, {1, x.size(), 0, false}, {x});
  CHECK(SameBits(got.outputs[0], StageOf<T>(kind(ActivationKind::kSoftPlus), {}, x, x).first), "softplus");
  CHECK(SameBits(got.outputs[1], StageOf<T>(kind(ActivationKind::kSigmoid), {}, x, x).first), "sigmoid");
}

TEST(ProgramSoftPlus) {
  test::OnEveryTarget([](int) {
    CheckSoftPlus<float>();
    CheckSoftPlus<double>();
  });
}

TEST(ProgramActivations) {
  test::OnEveryTarget([](int) {
    for (uint32_t kind = 0; kind < kFirstSlope - kFirstActivation; ++kind) {
      CheckActivation<float>(kind);
      CheckActivation<double>(kind);
    }
  });
}

// --- Whole programs --------------------------------------------------------------------------------------------------

// Element (i, j).
using Element = std::function<double(size_t i, size_t j)>;

// A program with its plain loops.
struct Example {
  const char* name;
  Source source;
  // From elements of the inputs, whatever their extent, to outputs and sums of the right sizes.
  void (*exact)(const Shape& shape, const std::vector<Element>& in, Results* want);
};

void ForEachElement(const Shape& shape, const std::function<void(size_t i, size_t j)>& f) {
  for (size_t i = 0; i < shape.rows; ++i) {
    for (size_t j = 0; j < shape.cols; ++j) f(i, j);
  }
}

// Score and gradient of e = a - b, all in one pass.
Example Huber() {
  return {"Huber",
          {{3, 0, 0, 0, 3},
           {kElements, kElements},
           {kElements},
           1,
           0,
           {0.5},
           {Constant(Scalar(0), 0), Line("Neg", Scalar(1), Scalar(0)), Line("Mul", Scalar(2), Scalar(0), Scalar(0))},
           {},
           {{{},
             {Line("Sub", Tile(0), Input(0), Input(1)), Line("Abs", Tile(2), Tile(0)),
              Line("Min", Tile(1), Tile(2), Scalar(0)), Line("Sub", Tile(2), Tile(2), Tile(1)),
              Line("Mul", Tile(2), Tile(2), Scalar(0)), Line("Mul", Tile(1), Tile(1), Tile(1)),
              Line("Mul", Tile(1), Tile(1), Scalar(0)), Line("Add", Sum(0), Tile(2), Tile(1)),
              Line("Min", Tile(1), Tile(0), Scalar(0)), Line("Max", Output(0), Tile(1), Scalar(1))},
             {}}}},
          [](const Shape& shape, const std::vector<Element>& in, Results* want) {
            ForEachElement(shape, [&](size_t i, size_t j) {
              const double e = in[0](i, j) - in[1](i, j), q = std::min(std::abs(e), 0.5);
              want->sums[0] += 0.5 * q * q + 0.5 * (std::abs(e) - q);
              want->outputs[0][i * shape.cols + j] = std::max(-0.5, std::min(e, 0.5));
            });
          }};
}

// m_i x_ij + w_j v_j, a value a row and two a column, in one pass; the sums of m, m^2 and of all.
Example Expanded() {
  return {"Expanded",
          {{2, 0, 2, 3, 1},
           {kElements, {Extent::kRow, 1}, {Extent::kColumn, 0}, {Extent::kColumn, 2}, {Extent::kSingle, 0}},
           {kElements, {Extent::kRow, 0}, {Extent::kColumn, 1}},
           3,
           2,
           {},
           {},
           {Line("Mul", Column(1), Column(0), Column(2))},
           {{{Line("Sum", Sum(0), Row(1)), Line("Square", Sum(1), Row(1)), Line("Mul", Row(0), Row(1), Scalar(0)),
              Line("Copy", Output(1), Row(0))},
             {Line("Expand", Tile(0), Row(1)), Line("Mul", Tile(1), Tile(0), Input(0)),
              Line("Add", Tile(1), Tile(1), Column(1)), Line("Copy", Output(0), Tile(1)), Line("Sum", Sum(2), Tile(1)),
              Line("Copy", ColumnSum(0), Input(0)), Line("Sum", ColumnSum(1), Tile(1)), Line("Expand", Sum(2), Row(0))},
             {}}}},
          [](const Shape& shape, const std::vector<Element>& in, Results* want) {
            const double k = in[4](0, 0);
            for (size_t i = 0; i < shape.rows; ++i) {
              const double m = in[1](i, 0);
              want->sums[0] += m;
              want->sums[1] += m * m;
              want->outputs[1][i] = k * m;
            }
            ForEachElement(shape, [&](size_t i, size_t j) {
              const double x = in[1](i, 0) * in[0](i, j) + in[2](0, j) * in[3](0, j);
              want->outputs[0][i * shape.cols + j] = x;
              want->outputs[2][j] += x;
              want->sums[2] += x + k * in[1](i, 0);
            });
          }};
}

// softmax, log sum e^x a row and sum_i softmax a column, in three passes.
Example Softmax() {
  return {"Softmax",
          {{1, 1, 3, 0, 0},
           {kElements},
           {kElements, {Extent::kRow, 0}, {Extent::kColumn, 0}},
           1,
           1,
           {},
           {},
           {},
           {{{}, {}, {{1, 0, Input(0)}}},
            {{},
             {Line("Expand", Tile(0), Row(0)), Line("Sub", Tile(0), Input(0), Tile(0)), Line("Exp", Block(0), Tile(0))},
             {{0, 1, Block(0)}}},
            {{Line("Reciprocal", Row(2), Row(1)), Line("Log", Row(1), Row(1)), Line("Add", Output(1), Row(0), Row(1)),
              Line("Add", Sum(0), Row(0), Row(1))},
             {Line("Expand", Tile(0), Row(2)), Line("Mul", Block(0), Block(0), Tile(0)),
              Line("Copy", Output(0), Block(0)), Line("Sum", ColumnSum(0), Block(0))},
             {}}}},
          [](const Shape& shape, const std::vector<Element>& in, Results* want) {
            for (size_t i = 0; i < shape.rows; ++i) {
              double sum = 0;
              for (size_t j = 0; j < shape.cols; ++j) sum += std::exp(in[0](i, j));
              want->outputs[1][i] = std::log(sum);
              want->sums[0] += std::log(sum);
              for (size_t j = 0; j < shape.cols; ++j) {
                const double p = std::exp(in[0](i, j)) / sum;
                want->outputs[0][i * shape.cols + j] = p;
                want->outputs[2][j] += p;
              }
            }
          }};
}

// x less its row's mean, and half the sum of the squares: values a row that two passes make, from a sum of the inputs.
Example Centred() {
  return {"Centred",
          {{1, 1, 2, 0, 2},
           {{kElements}, {Extent::kSingle, 0}},
           {kElements, {Extent::kRow, 0}},
           1,
           0,
           {0.5},
           {Line("Reciprocal", Scalar(0), Scalar(0)), Constant(Scalar(1), 0)},
           {},
           {{{}, {}, {{0, 0, Input(0)}}},
            {{Line("Mul", Row(0), Row(0), Scalar(0))},
             {Line("Expand", Block(0), Row(0)), Line("Sub", Block(0), Input(0), Block(0)),
              Line("Square", Tile(0), Block(0)), Line("Mul", Block(0), Tile(0), Scalar(1))},
             {{0, 1, Block(0)}}},
            {{Line("Copy", Output(1), Row(1)), Line("Sum", Sum(0), Row(1))},
             {Line("Expand", Tile(0), Row(0)), Line("Sub", Output(0), Input(0), Tile(0))},
             {}}}},
          [](const Shape& shape, const std::vector<Element>& in, Results* want) {
            for (size_t i = 0; i < shape.rows; ++i) {
              double mean = 0, squares = 0;
              for (size_t j = 0; j < shape.cols; ++j) mean += in[0](i, j) / in[1](0, 0);
              for (size_t j = 0; j < shape.cols; ++j) {
                const double x = in[0](i, j) - mean;
                want->outputs[0][i * shape.cols + j] = x;
                squares += 0.5 * x * x;
              }
              want->outputs[1][i] = squares;
              want->sums[0] += squares;
            }
          }};
}

// (a - b)^2 summed over each row: one chain, which keeps what it makes.
Example Squares() {
  return {"Squares",
          {{1, 1, 1, 0, 0},
           {kElements, kElements},
           {kElements, {Extent::kRow, 0}},
           1,
           0,
           {},
           {},
           {},
           {{{},
             {Line("Sub", Tile(0), Input(0), Input(1)), Line("Copy", Output(0), Tile(0)),
              Line("Square", Block(0), Tile(0))},
             {{0, 0, Block(0)}}},
            {{Line("Copy", Output(1), Row(0)), Line("Sum", Sum(0), Row(0))}, {}, {}}}},
          [](const Shape& shape, const std::vector<Element>& in, Results* want) {
            ForEachElement(shape, [&](size_t i, size_t j) {
              const double e = in[0](i, j) - in[1](i, j);
              want->outputs[0][i * shape.cols + j] = e;
              want->outputs[1][i] += e * e;
              want->sums[0] += e * e;
            });
          }};
}

const std::vector<Example>& Examples() {
  static const std::vector<Example> examples = {Huber(), Squares(), Expanded(), Softmax(), Centred()};
  return examples;
}

// Inputs in [-1, 1] that are exact in float; a single one is the number of columns.
std::vector<Numbers> InputsOf(const Program& program, const Shape& shape) {
  test::Random random;
  std::vector<Numbers> inputs;
  for (const ProgramPort& port : program.inputs) {
    const Shape sides = SidesOf(port.extent, shape.rows, shape.cols);
    Numbers numbers(sides.rows * sides.cols);
    for (double& x : numbers) x = std::round(random() * 1024) / 1024;
    if (port.extent == Extent::kSingle) numbers = {static_cast<double>(shape.cols)};
    inputs.push_back(numbers);
  }
  return inputs;
}

Results Exact(const Example& example, const Program& program, const Shape& shape, const std::vector<Numbers>& inputs) {
  std::vector<Element> elements;
  for (size_t k = 0; k < inputs.size(); ++k) {
    const size_t cols = SidesOf(program.inputs[k].extent, shape.rows, shape.cols).cols;
    elements.push_back([&inputs, k, cols](size_t i, size_t j) { return inputs[k][i * cols + j]; });
  }
  Results want;
  for (const ProgramPort& port : program.outputs) {
    const Shape sides = SidesOf(port.extent, shape.rows, shape.cols);
    want.outputs.emplace_back(sides.rows * sides.cols, 0.0);
  }
  want.sums.assign(program.sums(), 0.0);
  example.exact(shape, elements, &want);
  return want;
}

// Errors of a few roundings a term, of terms no larger than 1 or so.
constexpr double kBound = 16;

template <class T>
void CheckExample(const Example& example, const Program& program, const Shape& shape) {
  const std::vector<Numbers> inputs = InputsOf(program, shape);
  const Results want = Exact(example, program, shape, inputs), got = Run<T>(program, shape, inputs);
  const auto check = [&](const char* what, size_t k, double x, double y, double scale) {
    CHECK(Error<T>(x, y, scale) <= kBound, "%s %s, %zu x %zu, %s %zu is %.17g, not %.17g", example.name,
          sizeof(T) == 4 ? "float" : "double", shape.rows, shape.cols, what, k, x, y);
  };
  for (size_t k = 0; k < want.outputs.size(); ++k) {
    const double terms = program.outputs[k].extent == Extent::kElements ? 1 : static_cast<double>(shape.cols);
    const double scale = program.outputs[k].extent == Extent::kColumn ? static_cast<double>(shape.rows) : terms;
    for (size_t i = 0; i < want.outputs[k].size(); ++i) {
      check("output", k, got.outputs[k][i], want.outputs[k][i], scale);
    }
  }
  for (size_t k = 0; k < want.sums.size(); ++k) {
    check("sum", k, got.sums[k], want.sums[k], static_cast<double>(shape.rows * shape.cols));
  }
  CHECK(got.gaps_untouched, "%s, %zu x %zu + %zu", example.name, shape.rows, shape.cols, shape.gap);
}

void CheckExamples(const std::vector<Shape>& shapes) {
  for (const Example& example : Examples()) {
    const auto program = example.source.Make();
    CHECK(program != nullptr, "%s is no program", example.name);
    if (program == nullptr) continue;
    for (const Shape& shape : shapes) {
      CheckExample<float>(example, *program, shape);
      CheckExample<double>(example, *program, shape);
    }
  }
}

TEST(ProgramShapesGuarded) {
  std::vector<Shape> shapes;
  for (const size_t rows : {0, 1, 3, 10, 17, 40}) {
    for (const size_t cols : {1, 2, 3, 10, 31, 257, 1000}) {
      shapes.push_back({rows, cols, 0, false});
      shapes.push_back({rows, cols, 3, true});
      shapes.push_back({rows, cols, 0, true});
      shapes.push_back({rows, cols, 0, false, Edge::kStart});
    }
  }
  // More than a chunk, and than a block's rows.
  for (const auto& [rows, cols] : {std::pair<size_t, size_t>{2500, 1}, {1100, 3}, {3500, 10}, {70, 1000}, {2, 40000}}) {
    shapes.push_back({rows, cols, 0, false});
    shapes.push_back({rows, cols, 1, true});
  }
  test::OnEveryTarget([&](int) { CheckExamples(shapes); });
}

// Beyond the size from which outputs go past the caches.
TEST(ProgramStreams) { CheckExamples({{3300, 1000, 0, false}, {1700, 1000, 0, true}}); }

TEST(ProgramThreads) {
  const size_t threads = ThreadCount();
  for (const Example& example : Examples()) {
    const auto program = example.source.Make();
    for (const Shape& shape : {Shape{20000, 10, 0, false}, Shape{1000, 257, 0, true}, Shape{5, 60000, 0, false}}) {
      const std::vector<Numbers> inputs = InputsOf(*program, shape);
      SetThreadCount(1);
      const Results one = Run<float>(*program, shape, inputs);
      for (const size_t count : {2, 3, 8}) {
        SetThreadCount(count);
        const Results many = Run<float>(*program, shape, inputs);
        CHECK(SameBits(one.sums, many.sums), "%s, %zu threads", example.name, count);
        for (size_t k = 0; k < one.outputs.size(); ++k) {
          CHECK(SameBits(one.outputs[k], many.outputs[k]), "%s, output %zu, %zu threads", example.name, k, count);
        }
      }
    }
  }
  SetThreadCount(threads);
}

// The maximum of a row is NaN where any element is, in any lane; -Infinity is one too.
template <class T>
void CheckMaxima(size_t cols) {
  const Source source{{0, 0, 1, 0, 0},
                      {kElements},
                      {{Extent::kRow, 0}},
                      0,
                      0,
                      {},
                      {},
                      {},
                      {{{}, {}, {{1, 0, Input(0)}}}, {{Line("Copy", Output(0), Row(0))}, {}, {}}}};
  const auto program = source.Make();
  const size_t rows = cols + 2;
  Numbers x(rows * cols, -std::numeric_limits<double>::infinity());
  for (size_t j = 0; j < cols; ++j) {
    x[j * cols + j] = std::numeric_limits<double>::quiet_NaN();
    x[cols * cols + j] = -static_cast<double>(j) - 1;
  }
  const Results got = Run<T>(*program, {rows, cols, 0, false}, {x});
  for (size_t i = 0; i < cols; ++i) CHECK(std::isnan(got.outputs[0][i]), "%zu columns, row %zu", cols, i);
  CHECK(got.outputs[0][cols] == -1 && got.outputs[0][cols + 1] < -1e300, "%zu columns", cols);
}

TEST(ProgramMaxima) {
  test::OnEveryTarget([](int) {
    for (const size_t cols : {1, 2, 3, 5, 10, 23, 50, 70}) {
      CheckMaxima<float>(cols);
      CheckMaxima<double>(cols);
    }
  });
}

// Labels and masks come in any dtype, and repeat.
TEST(ProgramInputs) {
  const Source source{{0, 0, 0, 0, 0},
                      {kElements, kElements},
                      {kElements},
                      1,
                      0,
                      {},
                      {},
                      {},
                      {{{}, {Line("Mul", Output(0), Input(0), Input(1)), Line("Sum", Sum(0), Input(1))}, {}}}};
  const auto program = source.Make();
  const int8_t labels[] = {1, -2, 3, 4, -5, 6};
  const double masks[] = {2, 0.5};
  float out[6];
  double sum;
  ProgramCall call;
  call.program = program.get();
  call.rows = 2;
  call.cols = 3;
  call.inputs[0] = {labels, Dtype::kInt8, 3, 1};
  call.inputs[1] = {masks, Dtype::kFloat64, 1, 0};
  call.outputs[0] = {out, 3};
  call.sums = &sum;
  test::OnEveryTarget([&](int) {
    CHECK(RunProgram(call) == Status::kOk && sum == 7.5, "sum %g", sum);
    const float want[] = {2, -4, 6, 2, -2.5, 3};
    CHECK(std::equal(out, out + 6, want), "%g ... %g", static_cast<double>(out[0]), static_cast<double>(out[5]));
  });
}

TEST(ProgramBadCalls) {
  const Example huber = Huber();
  const auto program = huber.source.Make();
  float memory[4] = {};
  double sum;
  const auto call_with = [&](const std::function<void(ProgramCall*)>& change) {
    ProgramCall call;
    call.program = program.get();
    call.rows = call.cols = 2;
    call.inputs[0] = call.inputs[1] = {memory, Dtype::kFloat32, 2, 1};
    call.outputs[0] = {memory, 2};
    call.sums = &sum;
    change(&call);
    return RunProgram(call);
  };
  CHECK(call_with([](ProgramCall*) {}) == Status::kOk, "the call itself");
  const std::pair<const char*, std::function<void(ProgramCall*)>> changes[] = {
      {"no program", [](ProgramCall* call) { call->program = nullptr; }},
      {"a dtype that nothing is computed in", [](ProgramCall* call) { call->dtype = Dtype::kInt32; }},
      {"no columns", [](ProgramCall* call) { call->cols = 0; }},
      {"more elements than memory has", [](ProgramCall* call) { call->rows = call->cols = size_t{1} << 33; }},
      {"more columns than memory has", [](ProgramCall* call) { call->cols = ~size_t{0}; }},
      {"no input", [](ProgramCall* call) { call->inputs[1].data = nullptr; }},
      {"a column stride", [](ProgramCall* call) { call->inputs[1].col_stride = 2; }},
      {"no output", [](ProgramCall* call) { call->outputs[0].data = nullptr; }},
      {"rows that overlap", [](ProgramCall* call) { call->outputs[0].stride = 1; }},
      {"no room for the sums", [](ProgramCall* call) { call->sums = nullptr; }},
  };
  for (const auto& [name, change] : changes) CHECK(call_with(change) == Status::kBadArgument, "%s", name);
}

// --- What is no program ----------------------------------------------------------------------------------------------

// Uses every part of the encoding.
Source Everything() {
  return {{2, 2, 2, 2, 2},
          {kElements, {Extent::kRow, 0}, {Extent::kColumn, 0}, {Extent::kSingle, 0}},
          {kElements, {Extent::kRow, 0}, {Extent::kColumn, 0}},
          1,
          1,
          {0.5, 1},
          {Constant(Scalar(1), 1)},
          {Line("Mul", Column(1), Column(0), Scalar(1))},
          {{{Line("Add", Row(1), Row(0), Scalar(1))},
            {Line("Expand", Tile(0), Row(1)), Line("Mul", Block(0), Tile(0), Input(0)),
             Line("ELU", Block(1), Input(0), 0, 0, 1)},
            {{0, 1, Block(0)}, {1, 0, Input(0)}}},
           {{Line("Copy", Output(1), Row(1)), Line("Sum", Sum(0), Row(0))},
            {Line("Mul", Tile(1), Block(0), Column(1)), Line("Add", Output(0), Tile(1), Block(1)),
             Line("Sum", ColumnSum(0), Block(0))},
            {}}}};
}

// Runs what may be a program after all, where a sanitizer watches.
void RunAnyway(const Program& program) {
  const Shape shape{5, 3, 0, false};
  const std::vector<Numbers> inputs = InputsOf(program, shape);
  Run<float>(program, shape, inputs);
  Run<double>(program, shape, inputs);
}

TEST(ProgramWrongCode) {
  using Change = std::function<void(Source*)>;
  const auto tiles = [](Source* source, size_t pass) -> std::vector<Line>& { return source->passes[pass].tiles; };
  const auto rows = [](Source* source, size_t pass) -> std::vector<Line>& { return source->passes[pass].rows; };
  const std::pair<const char*, Change> changes[] = {
      {"a tile register too many", [&](Source* s) { tiles(s, 1).push_back({"Copy", Tile(2), Block(0)}); }},
      {"a tile that is not written", [&](Source* s) { tiles(s, 0).push_back({"Copy", Block(0), Tile(1)}); }},
      {"a tile of the pass before", [&](Source* s) { tiles(s, 1).push_back({"Copy", Block(0), Tile(0)}); }},
      {"a block that is not written", [&](Source* s) { tiles(s, 0)[1].in.a = Block(1); }},
      {"a row register too many", [&](Source* s) { rows(s, 0)[0].in.to = Row(2); }},
      {"a row register that is not written", [&](Source* s) { rows(s, 0)[0].in.a = Row(1); }},
      {"a column register too many", [](Source* s) { s->columns[0].in.a = Column(2); }},
      {"a scalar that is not written",
       [](Source* s) { s->scalars.insert(s->scalars.begin(), Line("Neg", Scalar(0), Scalar(1))); }},
      {"elements in a row's instruction", [&](Source* s) { rows(s, 1)[0].in.a = Input(0); }},
      {"rows in a tile's instruction", [&](Source* s) { tiles(s, 1)[0].in.a = Row(0); }},
      {"rows in a column's instruction", [](Source* s) { s->columns[0].in.a = Row(0); }},
      {"columns in a scalar's instruction", [](Source* s) { s->scalars.push_back({"Neg", Scalar(0), Column(0)}); }},
      {"an input of rows as one of elements", [&](Source* s) { tiles(s, 1)[0].in.b = Input(1); }},
      {"no operand", [&](Source* s) { tiles(s, 1)[0].in.b = 0; }},
      {"an output as an operand", [&](Source* s) { tiles(s, 1).push_back({"Copy", Tile(0), Output(0)}); }},
      {"an input as a destination", [&](Source* s) { tiles(s, 0)[0].in.to = Input(0); }},
      {"a column as a tile's destination", [&](Source* s) { tiles(s, 0)[0].in.to = Column(0); }},
      {"a space beyond all", [&](Source* s) { tiles(s, 0)[0].in.a = 10u << 16; }},
      {"an output of elements before the last pass of tiles",
       [&](Source* s) { tiles(s, 0).push_back({"Copy", Output(0), Input(0)}); }},
      {"a reduction of an input after an output of elements",
       [](Source* s) { s->passes[1].reductions.push_back({0, 0, Input(0)}); }},
      {"an output of rows from a tile", [&](Source* s) { tiles(s, 1).push_back({"Copy", Output(1), Input(0)}); }},
      {"an output of elements from rows", [&](Source* s) { rows(s, 1).push_back({"Copy", Output(0), Row(0)}); }},
      {"an output of columns from a tile", [&](Source* s) { tiles(s, 1).push_back({"Copy", Output(2), Input(0)}); }},
      {"an output of elements that is not written", [&](Source* s) { tiles(s, 1).erase(tiles(s, 1).begin() + 1); }},
      {"an output of rows that is not written", [&](Source* s) { rows(s, 1).erase(rows(s, 1).begin()); }},
      {"a single output", [](Source* s) { s->outputs[1].extent = Extent::kSingle; }},
      {"an output of a column sum that there is not", [](Source* s) { s->outputs[2].index = 1; }},
      {"an input of no extent", [](Source* s) { s->inputs[0].extent = static_cast<Extent>(4); }},
      {"an input to a row register too many", [](Source* s) { s->inputs[1].index = 2; }},
      {"an input to a column register too many", [](Source* s) { s->inputs[2].index = 2; }},
      {"an input to a scalar register too many", [](Source* s) { s->inputs[3].index = 2; }},
      {"an operation beyond all", [&](Source* s) { tiles(s, 0)[1].in.op = kOpcodes; }},
      {"a constant beyond all", [](Source* s) { s->scalars[0].in.params = 2; }},
      {"a constant among columns", [](Source* s) { s->columns.push_back(Constant(Column(1), 0)); }},
      {"a constant among tiles", [&](Source* s) { tiles(s, 0).push_back(Constant(Tile(1), 0)); }},
      {"Expand of elements", [&](Source* s) { tiles(s, 0)[0].in.a = Input(0); }},
      {"Expand among rows", [&](Source* s) { rows(s, 0).push_back({"Expand", Row(0), Row(0)}); }},
      {"Sum to a tile", [&](Source* s) { tiles(s, 1)[2].in.to = Tile(0); }},
      {"Sum to an output", [&](Source* s) { tiles(s, 1)[2].in.to = Output(0); }},
      {"a sum too many", [&](Source* s) { rows(s, 1)[1].in.to = Sum(1); }},
      {"a column sum too many", [&](Source* s) { tiles(s, 1)[2].in.to = ColumnSum(1); }},
      {"a column sum of rows", [&](Source* s) { rows(s, 1)[1].in.to = ColumnSum(0); }},
      {"a reduction of a tile", [](Source* s) { s->passes[0].reductions[0].from = Tile(0); }},
      {"a reduction of a column", [](Source* s) { s->passes[0].reductions[0].from = Column(0); }},
      {"a reduction of an input of rows", [](Source* s) { s->passes[0].reductions[0].from = Input(1); }},
      {"a reduction to a row register too many", [](Source* s) { s->passes[0].reductions[0].row = 2; }},
      {"a reduction of no kind", [](Source* s) { s->passes[0].reductions[0].kind = 2; }},
      {"no pass", [](Source* s) { s->passes.clear(); }},
      {"too many registers", [](Source* s) { s->registers[0] = kMostRegisters + 1; }},
      {"too many inputs", [](Source* s) { s->inputs.resize(kMostInputs + 1); }},
      {"too many outputs", [](Source* s) { s->outputs.resize(kMostOutputs + 1, {Extent::kColumn, 0}); }},
      {"too many sums", [](Source* s) { s->sums = kMostSums + 1; }},
      {"too many column sums", [](Source* s) { s->column_sums = kMostSums + 1; }},
  };
  const auto everything = Everything().Make();
  CHECK(everything != nullptr, "the program itself");
  if (everything != nullptr) RunAnyway(*everything);
  for (const auto& [name, change] : changes) {
    Source source = Everything();
    change(&source);
    CHECK(source.Make() == nullptr, "%s", name);
  }
  // Too short by any number, or too long.
  std::vector<int32_t> code = Everything().Encode();
  const double constants[] = {0.5, 1};
  for (size_t size = 0; size < code.size(); ++size) {
    CHECK(MakeProgram(code.data(), size, constants, 2) == nullptr, "%zu of %zu numbers", size, code.size());
  }
  code.push_back(0);
  CHECK(MakeProgram(code.data(), code.size(), constants, 2) == nullptr, "a number too many");
}

// Numbers that are not what they should be: no program, or one that does no harm.
TEST(ProgramRandomCode) {
  const std::vector<int32_t> code = Everything().Encode();
  const double constants[] = {0.5, 1};
  const auto check = [&](const std::vector<int32_t>& changed) {
    const auto program = MakeProgram(changed.data(), changed.size(), constants, 2);
    if (program != nullptr) RunAnyway(*program);
    return program == nullptr;
  };
  size_t rejected = 0, tried = 0;
  constexpr int32_t kLarge = std::numeric_limits<int32_t>::max();
  for (size_t i = 0; i < code.size(); ++i) {
    for (const int32_t number :
         {-1, 0, 1, 2, 7, 1024, 65535, 65536, 0x10001, 0x5ffff, 0x7ffff, 1 << 20, kLarge, -kLarge}) {
      std::vector<int32_t> changed = code;
      changed[i] = number;
      rejected += check(changed);
      ++tried;
    }
  }
  CHECK(rejected > tried / 2, "%zu of %zu rejected", rejected, tried);
  test::Random random;
  for (size_t i = 0; i < 20000; ++i) {
    std::vector<int32_t> changed = code;
    for (size_t k = 0; k < 1 + i % 5; ++k) {
      const size_t at = static_cast<size_t>(std::abs(random()) * static_cast<double>(code.size() - 1));
      const size_t from = static_cast<size_t>(std::abs(random()) * static_cast<double>(code.size() - 1));
      changed[at] = code[from];
    }
    check(changed);
    for (int32_t& number : changed) number = static_cast<int32_t>(random() * 2147483647.0);
    CHECK(check(changed), "a program of random numbers");
  }
}

}  // namespace
}  // namespace simdloss
