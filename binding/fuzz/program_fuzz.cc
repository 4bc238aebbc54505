// SPDX-License-Identifier: Apache-2.0
// Programs of any code, run where they are one.
#include <vector>

#include "binding/fuzz/input.h"
#include "binding/program_frame.h"
#include "native/program.h"

namespace simdloss {
namespace fuzz {
namespace {

uint32_t Operand(Input* input) {
  const uint8_t byte = input->Byte();
  return (byte % static_cast<uint32_t>(Space::kSpaces)) << 16 | byte / 10u % 4;
}

void AddSteps(Input* input, std::vector<int32_t>* code) {
  const auto add = [&](uint32_t number) { code->push_back(static_cast<int32_t>(number)); };
  const uint32_t count = input->Byte() % 12;
  add(count);
  for (uint32_t i = 0; i < count; ++i) {
    add(input->Byte() % (kOpcodes + 1));
    for (int k = 0; k < 4; ++k) add(Operand(input));
    add(input->Byte() % 3);
  }
}

// In the order of program.h, whether it makes sense or not.
std::vector<int32_t> MakeCode(Input* input) {
  std::vector<int32_t> code;
  const auto add = [&](uint32_t most) {
    code.push_back(input->Byte() % static_cast<int>(most + 1));
    return code.back();
  };
  int32_t counts[10];
  for (int32_t& count : counts) count = add(3);
  for (int32_t i = 0; i < 2 * (counts[5] + counts[6]); ++i) add(3);
  AddSteps(input, &code);
  AddSteps(input, &code);
  for (int32_t pass = 0; pass < counts[9]; ++pass) {
    AddSteps(input, &code);
    AddSteps(input, &code);
    for (int32_t left = add(2); left > 0; --left) {
      add(1);
      add(3);
      code.push_back(static_cast<int32_t>(Operand(input)));
    }
  }
  return code;
}

std::vector<int32_t> RawCode(Input* input) {
  std::vector<int32_t> code;
  while (!input->done()) code.push_back(input->Raw<int32_t>());
  return code;
}

void Run(const Program& program, Input* input) {
  const size_t inputs = program.inputs.size(), outputs = program.outputs.size();
  std::vector<double> frame(3 + 3 * inputs + outputs + program.sums());
  const Dtype dtype = input->FloatDtype();
  frame[0] = input->Size();
  frame[1] = input->Size();
  frame[2] = DtypeCode(dtype);
  if (!(frame[0] * frame[1] < static_cast<double>(kMostElements))) return;
  for (size_t i = 0; i < inputs; ++i) {
    double* const numbers = frame.data() + 3 + 3 * i;
    const uint8_t byte = input->Byte();
    numbers[0] = byte % 4 == 1 ? byte / 4u % (kDtypes + 2) : DtypeCode(dtype);
    numbers[1] = byte % 8 == 2 ? input->Size() : frame[1];
    numbers[2] = byte % 8 == 3 ? input->Size() : 1;
  }
  for (size_t i = 0; i < outputs; ++i) frame[3 + 3 * inputs + i] = frame[1] + input->Byte() % 3;

  // What it would touch; then that.
  Span spans[ProgramFrame::kMostSpans] = {};
  char anything = 0;
  for (size_t i = 0; i < inputs + outputs; ++i) spans[i] = {&anything, size_t{1} << 40, DtypeCode(dtype), 0, 0};
  const ProgramFrame measured(program, frame.data(), frame.size());
  ProgramCall call;
  if (!measured.ReadInputs(spans, &call) || !measured.ReadOutputs(spans, &call)) return;
  std::vector<Array> arrays;
  for (size_t i = 0; i < inputs + outputs; ++i) {
    if (spans[i].extent > kMostElements) return;
    const uint8_t byte = input->Byte();
    spans[i].length = spans[i].extent - (byte == 255 && spans[i].extent != 0 ? 1 : 0);
    arrays.emplace_back(i < inputs ? call.inputs[i].dtype : dtype, spans[i].length, byte);
    spans[i].data = arrays.back().data();
  }
  ProgramCall checked;
  if (measured.ReadInputs(spans, &checked) && measured.ReadOutputs(spans, &checked)) RunProgram(checked);
}

}  // namespace

void FuzzProgram(Input* input) {
  const double constants[] = {0.5, -1, 3};
  const std::vector<int32_t> code = input->Byte() % 8 == 7 ? RawCode(input) : MakeCode(input);
  const auto program = MakeProgram(code.data(), code.size(), constants, input->Byte() % 4);
  if (program != nullptr) Run(*program, input);
}

}  // namespace fuzz
}  // namespace simdloss
