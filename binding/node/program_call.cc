// SPDX-License-Identifier: Apache-2.0
#include "binding/node/program_call.h"

#include <utility>

#include "binding/node/async_call.h"
#include "binding/node/task.h"

namespace simdloss {
namespace {

struct ProgramTask : Task {
  std::shared_ptr<const Program> program;
  ProgramCall call;
  double sums[kMostSums] = {};

  Status Run(LossResult* result) override {
    const Status status = RunProgram(call);
    result->score = sums[0];
    return status;
  }
};

// The array's memory and length; false for anything else than an array of that type.
bool GetArray(napi_env env, napi_value value, napi_typedarray_type type, void** data, size_t* length) {
  napi_typedarray_type found;
  return napi_get_typedarray_info(env, value, &found, length, data, nullptr, nullptr) == napi_ok && found == type;
}

}  // namespace

napi_value ProgramArguments::Create(NodeArguments* args) {
  void *code = nullptr, *constants = nullptr;
  size_t size = 0, count = 0;
  const napi_env env = args->env();
  if (!GetArray(env, (*args)[0], napi_int32_array, &code, &size) ||
      !GetArray(env, (*args)[1], napi_float64_array, &constants, &count)) {
    return nullptr;
  }
  Handle program = MakeProgram(static_cast<int32_t*>(code), size, static_cast<double*>(constants), count);
  if (program == nullptr) return nullptr;
  return Napi::External<Handle>::New(env, new Handle(std::move(program)),
                                     [](Napi::Env, Handle* finished) { delete finished; });
}

bool ProgramArguments::ReadInputs(ProgramCall* call) {
  const napi_env env = args_.env();
  void *handle = nullptr, *numbers = nullptr;
  size_t length = 0;
  if (napi_get_value_external(env, args_[0], &handle) != napi_ok ||
      !GetArray(env, args_[1], napi_float64_array, &numbers, &length)) {
    return false;
  }
  program_ = *static_cast<const Handle*>(handle);
  frame_.emplace(*program_, static_cast<double*>(numbers), length);
  for (size_t i = 0; i < program_->inputs.size(); ++i) {
    Span& span = spans_[i];
    if (napi_get_typedarray_info(env, args_[2 + i], nullptr, &span.length, &span.data, nullptr, nullptr) != napi_ok) {
      return false;
    }
  }
  return frame_->ReadInputs(spans_, call);
}

bool ProgramArguments::ReadOutputs(ProgramCall* call) {
  const auto type = call->dtype == Dtype::kFloat32 ? napi_float32_array : napi_float64_array;
  const size_t inputs = program_->inputs.size();
  for (size_t i = inputs; i < inputs + program_->outputs.size(); ++i) {
    Span& span = spans_[i];
    if (!GetArray(args_.env(), args_[2 + i], type, &span.data, &span.length)) return false;
    span.dtype = DtypeCode(call->dtype);
  }
  return frame_->ReadOutputs(spans_, call);
}

napi_value ProgramArguments::Run(NodeArguments* args) {
  ProgramArguments of_program(*args);
  ProgramCall call;
  const bool ok = of_program.ReadInputs(&call) && of_program.ReadOutputs(&call);
  return ToStatus(*args, ok ? RunProgram(call) : Status::kBadArgument);
}

napi_value ProgramArguments::Bind(NodeArguments* args) {
  ProgramArguments of_program(*args);
  auto task = std::make_unique<ProgramTask>();
  if (!of_program.ReadInputs(&task->call) || !of_program.ReadOutputs(&task->call)) return nullptr;
  task->program = of_program.program_;
  task->call.sums = task->sums;
  const size_t arrays = task->program->inputs.size() + task->program->outputs.size();
  auto bound = std::make_unique<BoundCall>(args->env(), std::move(task));
  for (size_t i = 0; i < arrays; ++i) bound->Hold((*args)[2 + i]);
  return BoundCall::Wrap(std::move(bound));
}

napi_value ProgramArguments::Async(NodeArguments* args) {
  ProgramArguments of_program(*args);
  auto task = std::make_unique<ProgramTask>();
  ProgramCall& call = task->call;
  if (!of_program.ReadInputs(&call) || call.cols == 0 || call.program->outputs.size() > 1) {
    return ToStatus(*args, Status::kBadArgument);
  }
  task->program = of_program.program_;
  call.sums = task->sums;
  const Program& program = *call.program;
  const auto async = std::make_shared<AsyncCall>(std::move(task));
  for (size_t i = 0; i < program.inputs.size() && call.rows != 0; ++i) {
    const auto [rows, cols] = SidesOf(program.inputs[i].extent, call);
    async->Hold(args->env(), i, (*args)[2 + i], &call.inputs[i], rows, cols);
  }
  if (!program.outputs.empty()) {
    const auto [rows, cols] = SidesOf(program.outputs[0].extent, call);
    if (rows != 0) call.outputs[0] = {async->Reserve(call.dtype, rows, cols, program.inputs.size()), cols};
  }
  return AsyncCall::Wrap(args->env(), async);
}

}  // namespace simdloss
