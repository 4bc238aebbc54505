// SPDX-License-Identifier: Apache-2.0
// Expressions over the rows of a matrix, compiled by lib/samediff to a short program and interpreted over tiles: each
// instruction is a loop over a tile that stays in the first-level cache.
//
// A value has one of four shapes, relative to a matrix [rows, cols]: an element each, one a row, one a column, or a
// single scalar. What depends on scalars and columns alone is computed once, before the rows. Rows are worked through
// in blocks of a few; a block in passes: per pass, instructions on values a row, then instructions on elements (tile by
// tile), then reductions over each row, whose results the next pass can use. Sums over all rows are added at the end,
// in the order of the chunks that the rows are cut into: the same to the bit for any number of threads.
#ifndef SIMDLOSS_NATIVE_PROGRAM_H_
#define SIMDLOSS_NATIVE_PROGRAM_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <type_traits>
#include <vector>

#include "native/activation.h"
#include "native/chain.h"
#include "native/chain_code.h"
#include "native/code_memory.h"
#include "native/matrix.h"
#include "native/status.h"

// --- Operations ------------------------------------------------------------------------------------------------------

// Cheap ones are in chain.h. Comparisons give 1 or 0. Max and Min give NaN where either is NaN.
#define SIMDLOSS_COSTLY_UNARY_OPS(X) X(Exp) X(Expm1) X(Log) X(Log1p) X(Erf)
#define SIMDLOSS_COSTLY_BINARY_OPS(X) X(Pow)

namespace simdloss {

// Besides: Constant (a scalar), Expand (a value a row to the elements of the tile), Sum (of a, to kSum or kColumnSum),
// Copy, Select (b where a != 0, NaN counting as true, else c), and each elementwise activation A as "A" (its value at
// a) and "A.Slope", with PReLU's alpha from b.
enum Opcode : uint32_t {
  kOpConstant,
  kOpExpand,
  kOpSum,
  kOpCopy,
  kOpSelect,
#define SIMDLOSS_X(name) kOp##name,
  SIMDLOSS_CHEAP_UNARY_OPS(SIMDLOSS_X) SIMDLOSS_CHEAP_BINARY_OPS(SIMDLOSS_X) SIMDLOSS_COSTLY_UNARY_OPS(SIMDLOSS_X)
      SIMDLOSS_COSTLY_BINARY_OPS(SIMDLOSS_X)
#undef SIMDLOSS_X
#define SIMDLOSS_X(name) kOp##name,
          SIMDLOSS_ACTIVATIONS(SIMDLOSS_X)
#undef SIMDLOSS_X
#define SIMDLOSS_X(name) kOp##name##Slope,
              SIMDLOSS_ACTIVATIONS(SIMDLOSS_X)
#undef SIMDLOSS_X
                  kOpcodes,
};
constexpr uint32_t kFirstActivation = kOpIdentity, kFirstSlope = kOpIdentitySlope;

// "Add", "Sigmoid", "Sigmoid.Slope" ...
const char* OpcodeName(uint32_t op);

// --- Encoding --------------------------------------------------------------------------------------------------------

// Where an operand lives. An operand is space << 16 | index.
enum class Space : uint32_t {
  kNone,
  kTile,    // elements, within one pass
  kBlock,   // elements, kept from pass to pass
  kRow,     // a value a row of the block
  kColumn,  // a value a column
  kScalar,
  kInput,   // an input of elements, read where it lies if it can be
  kOutput,  // an output of elements, written in the last pass with tiles, or of a value a row
  kSum,     // a sum over all elements or all rows, by any operation
  kColumnSum,
  kSpaces,
};

// What an input or an output has of a matrix [rows, cols].
enum class Extent : uint32_t { kElements, kRow, kColumn, kSingle };

// Six numbers: opcode, destination, operands a, b, c, and the index of the first of up to three parameters: the value
// of a Constant, the parameters of an activation. Operands that the operation has not are ignored.
struct Instruction {
  uint32_t op, to, a, b, c, params;
};
constexpr size_t kInstructionNumbers = 6;

// A program is a list of whole numbers, `code`, and one of constants. The code, in this order:
// - numbers of tile, block, row, column and scalar registers, inputs, outputs, sums, column sums and passes;
// - two numbers an input: its extent, and the row, column or scalar register it goes to;
// - two numbers an output: its extent, which is not kSingle, and for kColumn the index of its column sum;
// - instructions on scalars, then on columns (which read scalars too): their number, then six numbers each;
// - for each pass: instructions on rows (of rows and scalars, to rows, outputs and sums); instructions on tiles (of
//   tiles, blocks, columns, scalars and inputs, to tiles, blocks, outputs, sums and column sums; rows by Expand alone);
//   reductions over the rows: their number, then three numbers each: 0 for the sum or 1 for the maximum, the row
//   register it goes to, and a block or an input as an operand.
// No register may be read before it is written, every output must be written, every sum may be added to any number of
// times.

constexpr size_t kMostInputs = 64, kMostOutputs = 8, kMostSums = 16, kMostRegisters = 1024;

// --- Programs --------------------------------------------------------------------------------------------------------

struct ProgramPort {
  Extent extent;
  uint32_t index;  // of the register or the column sum
};

// One instruction, its operands as slots: indices in a table of pointers that the interpreter keeps.
struct ProgramStep {
  enum Adds : uint8_t { kNothing, kSum, kColumnSum };
  uint32_t op;
  uint16_t to, a, b, c;
  Adds adds;        // what the result is added to besides
  uint16_t sum;     // which one
  bool with_slope;  // of an activation: the slope goes to c
  uint32_t params;  // of Program::params
};

// What is done at once: a chain, where there is one, or a costly instruction.
struct ProgramStage {
  std::vector<ChainStep> chain;
  ProgramStep step;
  // The chain as machine code, where there is any; by dtype.
  ChainFunction *code_f32 = nullptr, *code_f64 = nullptr;

  template <class T>
  ChainFunction* code() const {
    return std::is_same_v<T, float> ? code_f32 : code_f64;
  }
};

struct ProgramReduction {
  enum Kind : uint32_t { kSum, kMax, kKinds } kind;
  uint16_t to, from;  // slots
};

struct ProgramPass {
  std::vector<ProgramStage> rows, tiles;
  std::vector<ProgramReduction> reductions;
  // Which ones the tiles read or write.
  std::vector<uint16_t> inputs, columns, blocks, outputs;
};

// A checked program. Immutable: threads share it.
struct Program {
  size_t registers[static_cast<size_t>(Space::kSpaces)] = {};  // by space; kSum and kColumnSum have no slots
  uint16_t first[static_cast<size_t>(Space::kSpaces)] = {};    // the slot of each space's first
  size_t slots = 0;
  std::vector<ProgramPort> inputs, outputs;
  std::vector<double> constants;
  std::vector<ActivationParams> params;
  std::vector<ProgramStage> scalars, columns;
  std::vector<ProgramPass> passes;
  CodeMemory code;  // of its chains

  size_t Count(Space space) const { return registers[static_cast<size_t>(space)]; }
  uint16_t Slot(Space space, size_t index) const {
    return static_cast<uint16_t>(first[static_cast<size_t>(space)] + index);
  }
  size_t sums() const { return Count(Space::kSum); }
};

// Null where the code is not one of a program.
std::unique_ptr<Program> MakeProgram(const int32_t* code, size_t size, const double* constants, size_t constant_count);

struct ProgramCall {
  struct Output {
    void* data = nullptr;  // of dtype
    size_t stride = 0;     // from row to row
  };

  const Program* program = nullptr;
  Dtype dtype = Dtype::kFloat32;  // of the outputs, and of what is computed
  size_t rows = 0;
  size_t cols = 0;
  std::array<Matrix, kMostInputs> inputs;
  // An output may be one of the inputs exactly.
  std::array<Output, kMostOutputs> outputs;
  double* sums = nullptr;  // program->sums() of them
};

Status RunProgram(const ProgramCall& call);

}  // namespace simdloss

#endif  // SIMDLOSS_NATIVE_PROGRAM_H_
