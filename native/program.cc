// SPDX-License-Identifier: Apache-2.0
// From code to a checked program. What it lets pass runs without a further look.
#include "native/program.h"

#include <algorithm>
#include <utility>

#include "native/program_chains.h"

namespace simdloss {
namespace {

// --- Operations ------------------------------------------------------------------------------------------------------

struct OpcodeInfo {
  const char* name;
  uint32_t operands;
};

constexpr OpcodeInfo kOpcodeInfo[] = {{"Constant", 0},
                                      {"Expand", 1},
                                      {"Sum", 1},
                                      {"Copy", 1},
                                      {"Select", 3},
#define SIMDLOSS_X(name) {#name, 1},
                                      SIMDLOSS_CHEAP_UNARY_OPS(SIMDLOSS_X)
#undef SIMDLOSS_X
#define SIMDLOSS_X(name) {#name, 2},
                                          SIMDLOSS_CHEAP_BINARY_OPS(SIMDLOSS_X)
#undef SIMDLOSS_X
#define SIMDLOSS_X(name) {#name, 1},
                                              SIMDLOSS_COSTLY_UNARY_OPS(SIMDLOSS_X)
#undef SIMDLOSS_X
#define SIMDLOSS_X(name) {#name, 2},
                                                  SIMDLOSS_COSTLY_BINARY_OPS(SIMDLOSS_X)
#undef SIMDLOSS_X
#define SIMDLOSS_X(name) {#name, ActivationKind::k##name == ActivationKind::kPReLU ? 2 : 1},
                                                      SIMDLOSS_ACTIVATIONS(SIMDLOSS_X)
#undef SIMDLOSS_X
#define SIMDLOSS_X(name) {#name ".Slope", ActivationKind::k##name == ActivationKind::kPReLU ? 2 : 1},
                                                          SIMDLOSS_ACTIVATIONS(SIMDLOSS_X)
#undef SIMDLOSS_X
};
static_assert(sizeof(kOpcodeInfo) / sizeof(*kOpcodeInfo) == kOpcodes);

// --- Code ------------------------------------------------------------------------------------------------------------

// Sets of spaces.
constexpr uint32_t Only(Space space) { return 1u << static_cast<uint32_t>(space); }
template <class... Spaces>
constexpr uint32_t AnyOf(Spaces... spaces) {
  return (Only(spaces) | ...);
}

// Where the instructions of a section take their operands from, and put their results.
struct Section {
  uint32_t reads, writes;
  Opcode special;  // the operation that it alone has
  Extent output;   // of the outputs that it writes
};
constexpr Section kScalarSection = {Only(Space::kScalar), Only(Space::kScalar), kOpConstant, Extent::kSingle};
constexpr Section kColumnSection = {AnyOf(Space::kColumn, Space::kScalar), Only(Space::kColumn), kOpcodes,
                                    Extent::kSingle};
constexpr Section kRowSection = {AnyOf(Space::kRow, Space::kScalar), AnyOf(Space::kRow, Space::kOutput, Space::kSum),
                                 kOpcodes, Extent::kRow};
constexpr Section kTileSection = {AnyOf(Space::kTile, Space::kBlock, Space::kColumn, Space::kScalar, Space::kInput),
                                  AnyOf(Space::kTile, Space::kBlock, Space::kOutput, Space::kSum, Space::kColumnSum),
                                  kOpExpand, Extent::kElements};

// The spaces that have slots, in their order, after the spare ones.
constexpr Space kSlotSpaces[] = {Space::kInput, Space::kOutput, Space::kScalar, Space::kColumn,
                                 Space::kTile,  Space::kBlock,  Space::kRow};

// The machine code of every chain, in one piece of memory.
void WriteCode(Program* program) {
  if (!CanRunChainCode()) return;
  struct Place {
    ProgramStage* stage;
    size_t f32, f64;
  };
  std::vector<Place> places;
  std::vector<uint8_t> code;
  const auto write = [&](std::vector<ProgramStage>& stages) {
    for (ProgramStage& stage : stages) {
      if (stage.chain.empty()) continue;
      const size_t f32 = WriteChain<float>(stage.chain, &code);
      places.push_back({&stage, f32, WriteChain<double>(stage.chain, &code)});
    }
  };
  write(program->scalars);
  write(program->columns);
  for (ProgramPass& pass : program->passes) {
    write(pass.rows);
    write(pass.tiles);
  }
  program->code = CodeMemory(code);
  if (!program->code) return;
  for (const auto& [stage, f32, f64] : places) {
    stage->code_f32 = program->code.At<ChainFunction*>(f32);
    stage->code_f64 = program->code.At<ChainFunction*>(f64);
  }
}

class Parser {
 public:
  Parser(const int32_t* code, size_t size, const double* constants, size_t constant_count)
      : code_(code), size_(size), program_(std::make_unique<Program>()) {
    program_->constants.assign(constants, constants + constant_count);
  }

  std::unique_ptr<Program> Parse() {
    ReadHeader();
    ReadPorts();
    program_->scalars = ReadStages(kScalarSection);
    program_->columns = ReadStages(kColumnSection);
    for (size_t i = 0; i < pass_count_ && ok_; ++i) ReadPass();
    ok_ = ok_ && at_ == size_ && std::all_of(output_written_.begin(), output_written_.end(), [](bool b) { return b; });
    if (!ok_) return nullptr;
    WriteCode(program_.get());
    return std::move(program_);
  }

 private:
  uint32_t Next() {
    if (at_ < size_) return static_cast<uint32_t>(code_[at_++]);
    ok_ = false;
    return 0;
  }

  // A number that must be at most so large.
  uint32_t Next(size_t most) {
    const uint32_t value = Next();
    if (value <= most) return value;
    ok_ = false;
    return 0;
  }

  void ReadHeader() {
    const std::pair<Space, size_t> counts[] = {
        {Space::kTile, kMostRegisters},   {Space::kBlock, kMostRegisters},  {Space::kRow, kMostRegisters},
        {Space::kColumn, kMostRegisters}, {Space::kScalar, kMostRegisters}, {Space::kInput, kMostInputs},
        {Space::kOutput, kMostOutputs},   {Space::kSum, kMostSums},         {Space::kColumnSum, kMostSums},
    };
    for (const auto& [space, most] : counts) program_->registers[static_cast<size_t>(space)] = Next(most);
    pass_count_ = Next(size_);
    if (pass_count_ == 0) ok_ = false;
    size_t slot = kSpares;
    for (const Space space : kSlotSpaces) {
      program_->first[static_cast<size_t>(space)] = static_cast<uint16_t>(slot);
      slot += program_->Count(space);
    }
    program_->slots = slot;
    written_.resize(slot);
    output_written_.resize(program_->Count(Space::kOutput));
  }

  void ReadPorts() {
    constexpr auto kSingle = static_cast<size_t>(Extent::kSingle), kColumn = static_cast<size_t>(Extent::kColumn);
    constexpr Space kRegisters[] = {Space::kInput, Space::kRow, Space::kColumn, Space::kScalar};
    for (size_t i = 0; i < program_->Count(Space::kInput) && ok_; ++i) {
      ProgramPort port{static_cast<Extent>(Next(kSingle)), Next()};
      const Space space = kRegisters[static_cast<size_t>(port.extent)];
      if (port.extent == Extent::kElements) port.index = static_cast<uint32_t>(i);
      if (port.index < program_->Count(space)) {
        written_[program_->Slot(space, port.index)] = true;
      } else {
        ok_ = false;
      }
      program_->inputs.push_back(port);
    }
    for (size_t i = 0; i < program_->Count(Space::kOutput) && ok_; ++i) {
      const ProgramPort port{static_cast<Extent>(Next(kColumn)), Next()};
      if (port.extent == Extent::kColumn) {
        if (port.index >= program_->Count(Space::kColumnSum)) ok_ = false;
        output_written_[i] = true;
      }
      program_->outputs.push_back(port);
    }
  }

  // The slot of an operand that may be read in this section.
  uint16_t Source(uint32_t operand, uint32_t spaces) {
    const uint32_t space = operand >> 16, index = operand & 0xffff;
    if (space >= static_cast<uint32_t>(Space::kSpaces) || !(spaces >> space & 1) ||
        index >= program_->Count(static_cast<Space>(space))) {
      ok_ = false;
      return kSpare;
    }
    const uint16_t slot = program_->Slot(static_cast<Space>(space), index);
    if (!written_[slot]) ok_ = false;
    return slot;
  }

  void SetDestination(uint32_t operand, const Section& section, ProgramStep* step) {
    const uint32_t space = operand >> 16, index = operand & 0xffff;
    if (space >= static_cast<uint32_t>(Space::kSpaces) || !(section.writes >> space & 1) ||
        index >= program_->Count(static_cast<Space>(space))) {
      ok_ = false;
      return;
    }
    switch (static_cast<Space>(space)) {
      case Space::kSum:
        step->adds = ProgramStep::kSum;
        break;
      case Space::kColumnSum:
        step->adds = ProgramStep::kColumnSum;
        break;
      case Space::kOutput: {
        if (program_->outputs[index].extent != section.output) ok_ = false;
        elements_written_ |= section.output == Extent::kElements;
        output_written_[index] = true;
        [[fallthrough]];
      }
      default:
        step->to = program_->Slot(static_cast<Space>(space), index);
        written_[step->to] = true;
        return;
    }
    step->sum = static_cast<uint16_t>(index);
    step->to = kSpare;
  }

  ProgramStep ReadStep(const Section& section) {
    Instruction in;
    in.op = Next(kOpcodes - 1);
    in.to = Next();
    in.a = Next();
    in.b = Next();
    in.c = Next();
    in.params = Next();
    ProgramStep step{};
    step.op = in.op;
    if (!ok_) return step;
    if ((in.op == kOpConstant || in.op == kOpExpand) && in.op != section.special) ok_ = false;
    if (in.op == kOpConstant && in.params >= program_->constants.size()) ok_ = false;
    const uint32_t reads = in.op == kOpExpand ? Only(Space::kRow) : section.reads;
    const uint32_t operands = OperandCount(in.op);
    if (operands > 0) step.a = Source(in.a, reads);
    if (operands > 1) step.b = Source(in.b, reads);
    if (operands > 2) step.c = Source(in.c, reads);
    SetDestination(in.to, section, &step);
    if (in.op == kOpSum && step.adds == ProgramStep::kNothing) ok_ = false;
    step.params = in.params;
    if (in.op >= kFirstActivation) {
      step.params = static_cast<uint32_t>(program_->params.size());
      ActivationParams params;
      const auto& constants = program_->constants;
      for (size_t k = 0; k < 3 && k + in.params < constants.size(); ++k) params.p[k] = constants[k + in.params];
      program_->params.push_back(params);
    }
    return step;
  }

  // The slope of an activation; that of softplus is the sigmoid, to the bit.
  static bool IsSlope(uint32_t op, uint32_t of) {
    return of >= kFirstActivation &&
           (op == of - kFirstActivation + kFirstSlope || (of == kOpSoftPlus && op == kOpSigmoid));
  }

  // An activation's value and its slope at the same point, one after the other, are one step.
  bool Join(const ProgramStep& next, ProgramStep* last) const {
    const bool is_after = IsSlope(next.op, last->op);
    const ProgramStep &value = is_after ? *last : next, &slope = is_after ? next : *last;
    const auto& params = program_->params;
    if (!IsSlope(slope.op, value.op) || last->with_slope || value.adds != ProgramStep::kNothing ||
        slope.adds != ProgramStep::kNothing || last->to == next.to || next.a != last->a || next.b != last->b ||
        last->to == next.a || last->to == next.b ||
        !std::equal(params[value.params].p, params[value.params].p + 3, params[slope.params].p)) {
      return false;
    }
    ProgramStep both = value;
    both.with_slope = true;
    both.c = slope.to;
    *last = both;
    return true;
  }

  // Expand writes a vector too many, for which only tiles have room.
  void SplitExpand(std::vector<ProgramStep>* steps) const {
    ProgramStep& expand = steps->back();
    const size_t tile = program_->Slot(Space::kTile, 0);
    const bool has_room =
        expand.to == kSpare || (expand.to >= tile && expand.to < tile + program_->Count(Space::kTile));
    if (expand.op != kOpExpand || has_room) return;
    ProgramStep copy{};
    copy.op = kOpCopy;
    copy.to = expand.to;
    copy.a = expand.to = kSpare;
    steps->push_back(copy);
  }

  std::vector<ProgramStep> ReadSteps(const Section& section) {
    std::vector<ProgramStep> steps;
    for (size_t count = Next(size_ / kInstructionNumbers); count != 0 && ok_; --count) {
      const ProgramStep step = ReadStep(section);
      if (!ok_) break;
      if (steps.empty() || !Join(step, &steps.back())) steps.push_back(step);
      SplitExpand(&steps);
    }
    return steps;
  }

  std::vector<ProgramStage> ReadStages(const Section& section) { return MakeStages(*program_, ReadSteps(section)); }

  void ReadPass() {
    ProgramPass pass;
    // Tiles do not outlive a pass.
    const auto tiles = written_.begin() + program_->Slot(Space::kTile, 0);
    std::fill_n(tiles, program_->Count(Space::kTile), false);
    pass.rows = ReadStages(kRowSection);
    // An output may lie where an input does: no tile is read after the pass that writes it.
    const bool is_late = elements_written_;
    const std::vector<ProgramStep> steps = ReadSteps(kTileSection);
    if (is_late && !steps.empty()) ok_ = false;
    pass.tiles = MakeStages(*program_, steps);
    for (size_t count = Next(size_ / 3); count != 0 && ok_; --count) {
      ProgramReduction reduction;
      reduction.kind = static_cast<ProgramReduction::Kind>(Next(ProgramReduction::kKinds - 1));
      const uint32_t to = Next();
      reduction.from = Source(Next(), elements_written_ ? Only(Space::kBlock) : AnyOf(Space::kBlock, Space::kInput));
      if (to >= program_->Count(Space::kRow)) ok_ = false;
      if (!ok_) return;
      reduction.to = program_->Slot(Space::kRow, to);
      written_[reduction.to] = true;
      pass.reductions.push_back(reduction);
    }
    if (!ok_) return;
    pass.inputs = Used(steps, Space::kInput);
    pass.columns = Used(steps, Space::kColumn);
    pass.blocks = Used(steps, Space::kBlock);
    pass.outputs = Used(steps, Space::kOutput);
    program_->passes.push_back(std::move(pass));
  }

  // Indices of the registers of a space that the tiles' steps read or write.
  std::vector<uint16_t> Used(const std::vector<ProgramStep>& steps, Space space) const {
    std::vector<uint16_t> used;
    const size_t first = program_->Slot(space, 0), count = program_->Count(space);
    for (const ProgramStep& step : steps) {
      for (const size_t slot : {step.to, step.a, step.b, step.c}) {
        if (slot >= first && slot < first + count) used.push_back(static_cast<uint16_t>(slot - first));
      }
    }
    std::sort(used.begin(), used.end());
    used.erase(std::unique(used.begin(), used.end()), used.end());
    return used;
  }

  const int32_t* code_;
  const size_t size_;
  size_t at_ = 0;
  bool ok_ = true;
  bool elements_written_ = false;
  size_t pass_count_ = 0;
  std::unique_ptr<Program> program_;
  std::vector<bool> written_;  // by slot
  std::vector<bool> output_written_;
};

}  // namespace

const char* OpcodeName(uint32_t op) { return kOpcodeInfo[op].name; }

uint32_t OperandCount(uint32_t op) { return kOpcodeInfo[op].operands; }

std::unique_ptr<Program> MakeProgram(const int32_t* code, size_t size, const double* constants, size_t constant_count) {
  return Parser(code, size, constants, constant_count).Parse();
}

}  // namespace simdloss
