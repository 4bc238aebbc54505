// SPDX-License-Identifier: Apache-2.0
#include "binding/program_call.h"

#include <utility>

#include "binding/async_call.h"
#include "binding/task.h"

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

// What an input or output is as a matrix.
struct Sides {
  size_t rows, cols;
};
Sides SidesOf(Extent extent, size_t rows, size_t cols) {
  const bool per_row = extent == Extent::kElements || extent == Extent::kRow;
  const bool per_column = extent == Extent::kElements || extent == Extent::kColumn;
  return {per_row ? rows : 1, per_column ? cols : 1};
}

}  // namespace

napi_value ProgramArguments::Create(Arguments* args) {
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
  void *handle = nullptr, *frame = nullptr;
  size_t length = 0;
  if (napi_get_value_external(args_.env(), args_[0], &handle) != napi_ok ||
      !GetArray(args_.env(), args_[1], napi_float64_array, &frame, &length)) {
    return false;
  }
  program_ = static_cast<const Handle*>(handle);
  frame_ = static_cast<double*>(frame);
  const Program& program = **program_;
  const size_t inputs = program.inputs.size(), outputs = program.outputs.size();
  if (length != 3 + 3 * inputs + outputs + program.sums()) return false;
  call->program = &program;
  size_t dtype;
  if (!ToSize(frame_[0], &call->rows) || !ToSize(frame_[1], &call->cols) || !ToSize(frame_[2], &dtype)) return false;
  call->dtype = static_cast<Dtype>(dtype - 1);
  for (size_t i = 0; i < inputs; ++i) {
    Matrix& input = call->inputs[i];
    const double* const numbers = frame_ + 3 + 3 * i;
    if (!ToSize(numbers[0], &dtype) || dtype - 1 >= kDtypes || !ToSize(numbers[1], &input.row_stride) ||
        !ToSize(numbers[2], &input.col_stride)) {
      return false;
    }
    input.dtype = static_cast<Dtype>(dtype - 1);
    const auto [rows, cols] = SidesOf(program.inputs[i].extent, call->rows, call->cols);
    void* data = nullptr;
    if (napi_get_typedarray_info(args_.env(), args_[2 + i], nullptr, &length, &data, nullptr, nullptr) != napi_ok ||
        !Fits(length, rows, cols, input.row_stride, input.col_stride)) {
      return false;
    }
    input.data = data;
  }
  return true;
}

bool ProgramArguments::ReadOutputs(ProgramCall* call) {
  const Program& program = **program_;
  const size_t inputs = program.inputs.size(), outputs = program.outputs.size();
  const auto type = call->dtype == Dtype::kFloat32 ? napi_float32_array : napi_float64_array;
  const double* const strides = frame_ + 3 + 3 * inputs;
  for (size_t i = 0; i < outputs; ++i) {
    auto& output = call->outputs[i];
    const auto [rows, cols] = SidesOf(program.outputs[i].extent, call->rows, call->cols);
    size_t length = 0;
    if (!ToSize(strides[i], &output.stride) ||
        !GetArray(args_.env(), args_[2 + inputs + i], type, &output.data, &length) ||
        !Fits(length, rows, cols, output.stride, 1)) {
      return false;
    }
  }
  call->sums = frame_ + 3 + 3 * inputs + outputs;
  return true;
}

napi_value ProgramArguments::Run(Arguments* args) {
  ProgramArguments of_program(*args);
  ProgramCall call;
  const bool ok = of_program.ReadInputs(&call) && of_program.ReadOutputs(&call);
  return ToStatus(*args, ok ? RunProgram(call) : Status::kBadArgument);
}

napi_value ProgramArguments::Bind(Arguments* args) {
  ProgramArguments of_program(*args);
  auto task = std::make_unique<ProgramTask>();
  if (!of_program.ReadInputs(&task->call) || !of_program.ReadOutputs(&task->call)) return nullptr;
  task->program = *of_program.program_;
  task->call.sums = task->sums;
  const size_t arrays = task->program->inputs.size() + task->program->outputs.size();
  auto bound = std::make_unique<BoundCall>(args->env(), std::move(task));
  for (size_t i = 0; i < arrays; ++i) bound->Hold((*args)[2 + i]);
  return BoundCall::Wrap(std::move(bound));
}

napi_value ProgramArguments::Async(Arguments* args) {
  ProgramArguments of_program(*args);
  auto task = std::make_unique<ProgramTask>();
  ProgramCall& call = task->call;
  if (!of_program.ReadInputs(&call) || call.cols == 0 || call.program->outputs.size() > 1) {
    return ToStatus(*args, Status::kBadArgument);
  }
  task->program = *of_program.program_;
  call.sums = task->sums;
  const Program& program = *call.program;
  const auto async = std::make_shared<AsyncCall>(std::move(task));
  for (size_t i = 0; i < program.inputs.size() && call.rows != 0; ++i) {
    const auto [rows, cols] = SidesOf(program.inputs[i].extent, call.rows, call.cols);
    async->Hold(args->env(), i, (*args)[2 + i], &call.inputs[i], rows, cols);
  }
  if (!program.outputs.empty()) {
    const auto [rows, cols] = SidesOf(program.outputs[0].extent, call.rows, call.cols);
    if (rows != 0) call.outputs[0] = {async->Reserve(call.dtype, rows, cols, program.inputs.size()), cols};
  }
  return AsyncCall::Wrap(args->env(), async);
}

}  // namespace simdloss
