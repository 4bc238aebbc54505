// SPDX-License-Identifier: Apache-2.0
// The WebAssembly module: no imports, one thread, the calls of calls.h over a block and spans in its own memory, which
// lib/wasm/ fills. A call that `measures` tells which parts of the arrays it would touch, so that only those are
// copied.
#include <cstdlib>
#include <memory>
#include <string>

#include "binding/calls.h"
#include "binding/program_frame.h"
#include "binding/wasm/slices.h"
#include "native/dispatch.h"

#define SIMDLOSS_EXPORT(name) extern "C" __attribute__((export_name(#name)))

namespace simdloss {
namespace {

double block[kSlots];
Span spans[ProgramFrame::kMostSpans];

// Numbers as text, a line each: table, name, number.
std::string Names() {
  std::string text;
  const auto add = [](void* context, const char* table, const char* name, double number) {
    auto& to = *static_cast<std::string*>(context);
    to.append(table).append(" ").append(name).append(" ").append(std::to_string(static_cast<int>(number))).append("\n");
  };
  ForEachName(add, &text);
  for (int i = 0; i < kTargets; ++i) {
    if (SupportedTargets() >> i & 1u) add(&text, "targets", TargetName(i), i);
  }
  return text;
}

bool ReadProgramCall(const Program& program, double* numbers, size_t length, ProgramCall* call) {
  const ProgramFrame frame(program, numbers, length);
  return frame.ReadInputs(spans, call) && frame.ReadOutputs(spans, call);
}

}  // namespace

SIMDLOSS_EXPORT(block) double* Block() { return block; }
SIMDLOSS_EXPORT(spans) Span* Spans() { return spans; }
SIMDLOSS_EXPORT(names) const char* NamesText() {
  static const std::string* const text = new std::string(Names());
  return text->c_str();
}

// Null where there is no memory.
SIMDLOSS_EXPORT(allocate) void* Allocate(size_t bytes) {
  constexpr size_t kAlignment = 64;
  if (bytes > SIZE_MAX - kAlignment) return nullptr;
  return std::aligned_alloc(kAlignment, (bytes + kAlignment - 1) / kAlignment * kAlignment);
}
SIMDLOSS_EXPORT(release) void Release(void* memory) { std::free(memory); }

#define SIMDLOSS_X(name, function)                            \
  SIMDLOSS_EXPORT(name) Status Export_##name(bool measures) { \
    Arguments args(block, spans, measures);                   \
    return function(&args);                                   \
  }
SIMDLOSS_CALLS(SIMDLOSS_X)
#undef SIMDLOSS_X

// --- Programs ---

SIMDLOSS_EXPORT(createProgram)
const Program* CreateProgram(const int32_t* code, size_t size, const double* constants, size_t count) {
  return MakeProgram(code, size, constants, count).release();
}
SIMDLOSS_EXPORT(releaseProgram) void ReleaseProgram(const Program* program) { delete program; }

SIMDLOSS_EXPORT(runProgram)
Status CallProgram(const Program* program, double* frame, size_t length, bool measures) {
  ProgramCall call;
  if (!ReadProgramCall(*program, frame, length, &call)) return Status::kBadArgument;
  if (measures) return Status::kOk;
  const Status status = RunProgram(call);
  // For a bound call.
  if (program->sums() != 0) block[kSlot_score] = call.sums[0];
  return status;
}

// Lays the result of a program with one output at most out without gaps: its stride goes into the frame, its sides,
// 0 for none, to rows and cols of the block. False for others.
SIMDLOSS_EXPORT(packOutput) bool PackOutput(const Program* program, double* numbers, size_t length) {
  const ProgramFrame frame(*program, numbers, length);
  ProgramCall call;
  if (!frame.ReadInputs(spans, &call) || call.cols == 0 || program->outputs.size() > 1) return false;
  const auto [rows, cols] = program->outputs.empty() ? Sides{0, 0} : SidesOf(program->outputs[0].extent, call);
  block[kSlot_rows] = static_cast<double>(rows);
  block[kSlot_cols] = static_cast<double>(cols);
  if (cols != 0) frame.strides()[0] = static_cast<double>(cols);
  return true;
}

// --- Calls in slices ---

// A call whose arrays stay where they are until it is finished; null where it is none.
SIMDLOSS_EXPORT(beginLoss) Slices* BeginLoss() {
  Arguments args(block, spans);
  LossCall call;
  Status status;
  return args.Ready(ReadLossCall(&args, &call), &status) ? new LossSlices(call) : nullptr;
}
SIMDLOSS_EXPORT(beginProgram) Slices* BeginProgram(const Program* program, double* frame, size_t length) {
  ProgramCall call;
  return ReadProgramCall(*program, frame, length, &call) ? new ProgramSlices(call) : nullptr;
}
// Runs the next slice: are there more?
SIMDLOSS_EXPORT(step) bool Step(Slices* slices) { return slices->Step(); }
// What the call came to, as of loss.
SIMDLOSS_EXPORT(finish) Status Finish(Slices* slices) {
  const std::unique_ptr<Slices> finished(slices);
  Arguments args(block, spans);
  return ReportLoss(&args, finished->status, finished->result);
}

// --- Targets ---

SIMDLOSS_EXPORT(target) int ChosenTargetIndex() { return ChosenTarget(); }
SIMDLOSS_EXPORT(forceTarget) bool ForceTargetIndex(int target) { return ForceTarget(target); }

}  // namespace simdloss
