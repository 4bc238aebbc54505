// SPDX-License-Identifier: Apache-2.0
#include "binding/async_call.h"

#include <algorithm>
#include <cstring>
#include <limits>
#include <utility>

#include "binding/arguments.h"
#include "native/thread_pool.h"

namespace simdloss {
namespace {

// A row that does not follow the last one costs a cache miss and often a page walk: as long as copying this many bytes.
constexpr size_t kBytesOfMiss = 512;

// Work of libuv's threads, and the promise for it. Holds the call: it is there until the work is done, whatever happens
// to JavaScript; an environment that ends waits for its work.
struct Work {
  std::shared_ptr<AsyncCall> call;
  napi_deferred deferred = nullptr;
  napi_async_work work = nullptr;
};

void Execute(napi_env, void* data) { static_cast<Work*>(data)->call->Run(); }

void Complete(napi_env env, napi_status, void* data) {
  const std::unique_ptr<Work> finished(static_cast<Work*>(data));
  napi_value undefined;
  // In an environment that ends, nothing of this works, and nobody waits for it.
  if (napi_get_undefined(env, &undefined) == napi_ok) napi_resolve_deferred(env, finished->deferred, undefined);
  napi_delete_async_work(env, finished->work);
}

// Nothing here converts values: that fails in a worker that is being terminated.
size_t SizeArgument(const Napi::Value& value) {
  return static_cast<size_t>(std::max<int64_t>(value.As<Napi::Number>().Int64Value(), 0));
}

}  // namespace

size_t AsyncCall::Copy::Step(std::byte* packed, std::byte* array, bool out, size_t most) {
  const size_t size = SizeOf(dtype), total = rows * cols;
  size_t spent = 0;
  // Rows without gaps are one long row.
  const size_t run = stride == cols ? total : cols;
  while (done < total && spent + size <= most) {
    const size_t row = done / run, col = done % run;
    const size_t count = std::min(run - col, (most - spent) / size);
    std::byte* const in_array = array + (row * stride + col) * size;
    std::byte* const in_packed = packed + done * size;
    std::memcpy(out ? in_array : in_packed, out ? in_packed : in_array, count * size);
    done += count;
    spent += count * size + (run == total ? 0 : kBytesOfMiss);
  }
  return spent;
}

AsyncCall::AsyncCall(const Napi::CallbackInfo& info, const LossCall& call, bool gradient, bool score_array)
    : call_(call) {
  if (call_.rows == 0) return;
  const size_t rows = call_.rows, cols = call_.cols;
  const size_t label_cols = call_.sparse_labels ? 1 : call_.label_cols;
  bool ok = Hold(info, 0, &call_.pre_output, rows, cols) && Hold(info, 1, &call_.labels, rows, label_cols) &&
            Hold(info, 2, &call_.mask, rows, cols) && Hold(info, 3, &call_.weights, rows, cols) &&
            Hold(info, 4, &call_.alpha, rows, cols);
  if (ok && gradient) {
    const Copy& logits = copies_[0];
    if (logits.rows == rows) {
      // In place on the copy: a third of the memory, and of the time to move it, saved.
      gradient_.copy = {call_.dtype, rows, cols, 0, 0};
      gradient_.memory = inputs_[0];
    } else {
      ok = Reserve(&gradient_, rows, cols);
    }
    call_.gradient = gradient_.memory.get();
    call_.gradient_stride = cols;
  }
  if (ok && score_array) {
    ok = Reserve(&scores_, rows, 1);
    call_.score_array = scores_.memory.get();
  }
  if (!ok) status_ = Status::kOutOfMemory;
}

bool AsyncCall::Hold(const Napi::CallbackInfo& info, size_t i, Matrix* matrix, size_t rows, size_t cols) {
  if (!*matrix) return true;
  // What repeats is held once.
  if (matrix->row_stride == 0) rows = 1;
  if (matrix->col_stride == 0) cols = 1;
  const size_t extent = ((rows - 1) * matrix->row_stride + cols) * SizeOf(matrix->dtype);
  napi_value buffer;
  bool detachable = true;
  napi_get_typedarray_info(info.Env(), info[i], nullptr, nullptr, nullptr, &buffer, nullptr);
  napi_is_arraybuffer(info.Env(), buffer, &detachable);
  if (!detachable) {
    // A SharedArrayBuffer: its memory is there as long as it is, and only ever grows.
    shared_arrays_.push_back(Napi::Persistent(info[i].As<Napi::Object>()));
    return true;
  }
  inputs_[i] = FindShared(matrix->data, extent);
  if (inputs_[i] != nullptr) return true;
  copies_[i] = {matrix->dtype, rows, cols, matrix->row_stride, 0};
  inputs_[i] = AllocateShared(copies_[i].Bytes());
  matrix->data = inputs_[i].get();
  if (matrix->row_stride != 0) matrix->row_stride = cols;
  return inputs_[i] != nullptr;
}

bool AsyncCall::Reserve(Result* result, size_t rows, size_t cols) {
  const size_t size = SizeOf(call_.dtype);
  if (rows > std::numeric_limits<size_t>::max() / size / cols) return false;
  result->copy = {call_.dtype, rows, cols, 0, 0};
  result->memory = AllocateShared(result->copy.Bytes());
  return result->memory != nullptr;
}

void AsyncCall::Run() {
  const LeaveOneCore leave_one_core;
  status_ = RunLoss(call_, &result_);
  inputs_ = {};
}

Napi::Value AsyncCall::Wrap(Napi::Env env, std::shared_ptr<AsyncCall> call) {
  using Handle = std::shared_ptr<AsyncCall>;
  return Napi::External<Handle>::New(env, new Handle(std::move(call)),
                                     [](Napi::Env, Handle* finished) { delete finished; });
}

AsyncCall& AsyncCall::Of(const Napi::Value& wrapped) {
  return **wrapped.As<Napi::External<std::shared_ptr<AsyncCall>>>().Data();
}

Napi::Value AsyncCall::CopyIn(const Napi::CallbackInfo& info) {
  AsyncCall& call = Of(info[0]);
  const size_t most = SizeArgument(info[1 + kInputs]);
  size_t spent = 0;
  for (size_t i = 0; i < kInputs; ++i) {
    Copy& copy = call.copies_[i];
    if (copy.rows == 0) continue;
    const auto array = ReadTypedArray(info.Env(), info[1 + i]);
    if (!array || array->dtype != copy.dtype || !Fits(array->length, copy.rows, copy.cols, copy.stride, 1)) {
      return Napi::Number::New(info.Env(), -1);
    }
    spent += copy.Step(static_cast<std::byte*>(call.inputs_[i].get()), static_cast<std::byte*>(array->data), false,
                       most - std::min(most, spent));
  }
  return Napi::Number::New(info.Env(), static_cast<double>(spent));
}

Napi::Value AsyncCall::RunLater(const Napi::CallbackInfo& info) {
  const napi_env env = info.Env();
  auto work = std::make_unique<Work>();
  work->call = *info[0].As<Napi::External<std::shared_ptr<AsyncCall>>>().Data();
  napi_value promise;
  const Napi::String name = Napi::String::New(env, "simdloss");
  if (napi_create_promise(env, &work->deferred, &promise) != napi_ok ||
      napi_create_async_work(env, nullptr, name, &Execute, &Complete, work.get(), &work->work) != napi_ok) {
    work->call->status_ = Status::kOutOfMemory;
    return info.Env().Undefined();
  }
  napi_queue_async_work(env, work.release()->work);
  return Napi::Value(env, promise);
}

Napi::Value AsyncCall::CopyOut(const Napi::CallbackInfo& info) {
  AsyncCall& call = Of(info[0]);
  Result& result = info[1].As<Napi::Boolean>() ? call.gradient_ : call.scores_;
  Copy& copy = result.copy;
  const auto array = ReadTypedArray(info.Env(), info[2]);
  copy.stride = SizeArgument(info[3]);
  if (copy.rows == 0) return Napi::Number::New(info.Env(), 0);
  if (!array || array->dtype != copy.dtype || !Fits(array->length, copy.rows, copy.cols, copy.stride, 1)) {
    return Napi::Number::New(info.Env(), -1);
  }
  const size_t spent = copy.Step(static_cast<std::byte*>(result.memory.get()), static_cast<std::byte*>(array->data),
                                 true, SizeArgument(info[4]));
  return Napi::Number::New(info.Env(), static_cast<double>(spent));
}

Napi::Value AsyncCall::Take(const Napi::CallbackInfo& info) {
  AsyncCall& call = Of(info[0]);
  const Result& result = info[1].As<Napi::Boolean>() ? call.gradient_ : call.scores_;
  if (result.memory == nullptr) return info.Env().Undefined();
  // The buffer's share, besides those of later calls that read it.
  auto share = std::make_unique<Shared>(result.memory);
  napi_value buffer;
  const napi_status made = napi_create_external_arraybuffer(
      info.Env(), share->get(), result.copy.Bytes(),
      [](napi_env, void*, void* hint) { delete static_cast<Shared*>(hint); }, share.get(), &buffer);
  if (made != napi_ok) return info.Env().Undefined();
  share.release();
  return Napi::Value(info.Env(), buffer);
}

Napi::Value AsyncCall::Release(const Napi::CallbackInfo& info) {
  AsyncCall& call = Of(info[0]);
  call.inputs_ = {};
  call.shared_arrays_.clear();
  call.gradient_.memory = nullptr;
  call.scores_.memory = nullptr;
  return info.Env().Undefined();
}

}  // namespace simdloss
