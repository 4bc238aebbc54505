// SPDX-License-Identifier: Apache-2.0
#include "binding/node/async_call.h"

#include <algorithm>
#include <cstring>
#include <limits>
#include <utility>

#include "native/thread_pool.h"

namespace simdloss {
namespace {

// A row that does not follow the last one costs a cache miss and often a page walk: as long as copying this many bytes.
constexpr size_t kBytesOfMiss = 512;

#ifdef NODE_API_NO_EXTERNAL_BUFFERS_ALLOWED
// Node-API's headers then lack this; a host that has none answers so.
napi_status napi_create_external_arraybuffer(napi_env, void*, size_t, napi_finalize, void*, napi_value*) {
  return napi_no_external_buffers_allowed;
}
#endif

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

napi_value ToNumber(const NodeArguments& args, double value) { return Napi::Number::New(args.env(), value); }

}  // namespace

size_t AsyncCall::Copy::Step(void* packed, void* array, bool out, size_t most) {
  const size_t size = SizeOf(dtype), total = rows * cols;
  size_t spent = 0;
  // Rows without gaps are one long row.
  const size_t run = stride == cols ? total : cols;
  while (done < total && spent + size <= most) {
    const size_t row = done / run, col = done % run;
    const size_t count = std::min(run - col, (most - spent) / size);
    std::byte* const in_array = static_cast<std::byte*>(array) + (row * stride + col) * size;
    std::byte* const in_packed = static_cast<std::byte*>(packed) + done * size;
    std::memcpy(out ? in_array : in_packed, out ? in_packed : in_array, count * size);
    done += count;
    spent += count * size + (run == total ? 0 : kBytesOfMiss);
  }
  return spent;
}

void AsyncCall::Hold(napi_env env, size_t i, napi_value array, Matrix* matrix, size_t rows, size_t cols) {
  if (!*matrix) return;
  // What repeats is held once.
  if (matrix->row_stride == 0) rows = 1;
  if (matrix->col_stride == 0) cols = 1;
  const size_t extent = ((rows - 1) * matrix->row_stride + cols) * SizeOf(matrix->dtype);
  napi_value buffer;
  bool detachable = true;
  napi_get_typedarray_info(env, array, nullptr, nullptr, nullptr, &buffer, nullptr);
  napi_is_arraybuffer(env, buffer, &detachable);
  if (!detachable) {
    // A SharedArrayBuffer: its memory is there as long as it is, and only ever grows.
    shared_arrays_.push_back(Napi::Persistent(Napi::Object(env, array)));
    return;
  }
  inputs_[i] = FindShared(matrix->data, extent);
  if (inputs_[i] != nullptr) return;
  copies_[i] = {matrix->dtype, rows, cols, matrix->row_stride, 0};
  inputs_[i] = AllocateShared(copies_[i].Bytes());
  if (inputs_[i] == nullptr) status_ = Status::kOutOfMemory;
  matrix->data = inputs_[i].get();
  if (matrix->row_stride != 0) matrix->row_stride = cols;
}

void* AsyncCall::Reserve(Dtype dtype, size_t rows, size_t cols, size_t in_place) {
  output_copy_ = {dtype, rows, cols, 0, 0};
  const auto end = copies_.begin() + in_place;
  const auto same = std::find_if(copies_.begin(), end, [&](const Copy& copy) {
    return copy.dtype == dtype && copy.rows == rows && copy.cols == cols;
  });
  if (same != end) {
    // In place on the copy: a third of the memory, and of the time to move it, saved.
    output_ = inputs_[same - copies_.begin()];
  } else if (rows <= std::numeric_limits<size_t>::max() / SizeOf(dtype) / cols) {
    output_ = AllocateShared(output_copy_.Bytes());
  }
  if (output_ == nullptr) status_ = Status::kOutOfMemory;
  return output_.get();
}

void AsyncCall::Run() {
  const LeaveOneCore leave_one_core;
  status_ = task_->Run(&result_);
  inputs_ = {};
}

napi_value AsyncCall::Wrap(napi_env env, Handle call) {
  if (call->status_ != Status::kOk) return Napi::Number::New(env, static_cast<int>(call->status_));
  return Napi::External<Handle>::New(env, new Handle(std::move(call)),
                                     [](Napi::Env, Handle* finished) { delete finished; });
}

AsyncCall::Handle& AsyncCall::HandleOf(const NodeArguments& args) {
  void* handle = nullptr;
  napi_get_value_external(args.env(), args[0], &handle);
  return *static_cast<Handle*>(handle);
}

AsyncCall& AsyncCall::Of(const NodeArguments& args) { return *HandleOf(args); }

napi_value AsyncCall::CopyIn(NodeArguments* args) {
  AsyncCall& call = Of(*args);
  const size_t most = args->Size(kSlot_mostBytes);
  size_t spent = 0;
  for (size_t i = 0; i < kMostInputs; ++i) {
    Copy& copy = call.copies_[i];
    if (copy.rows == 0) continue;
    Span span{};
    const napi_status found =
        napi_get_typedarray_info(args->env(), (*args)[1 + i], nullptr, &span.length, &span.data, nullptr, nullptr);
    if (found != napi_ok || !Touch(&span, copy.rows, copy.cols, copy.stride, 1, Span::kReads)) {
      return ToNumber(*args, -1);
    }
    spent += copy.Step(call.inputs_[i].get(), span.data, false, most - std::min(most, spent));
  }
  return ToNumber(*args, static_cast<double>(spent));
}

napi_value AsyncCall::RunLater(NodeArguments* args) {
  const napi_env env = args->env();
  auto work = std::make_unique<Work>();
  work->call = HandleOf(*args);
  napi_value promise, name;
  if (napi_create_promise(env, &work->deferred, &promise) != napi_ok ||
      napi_create_string_utf8(env, "simdloss", NAPI_AUTO_LENGTH, &name) != napi_ok ||
      napi_create_async_work(env, nullptr, name, &Execute, &Complete, work.get(), &work->work) != napi_ok) {
    work->call->status_ = Status::kOutOfMemory;
    return nullptr;
  }
  napi_queue_async_work(env, work.release()->work);
  return promise;
}

napi_value AsyncCall::CopyOut(NodeArguments* args) {
  AsyncCall& call = Of(*args);
  Copy& copy = call.output_copy_;
  if (copy.rows == 0) return ToNumber(*args, 0);
  if (!args->ReadArrays()) return ToNumber(*args, -1);
  copy.stride = args->Size(kSlot_outStride);
  void* const out = args->Output(1, copy.dtype, copy.rows, copy.cols, copy.stride);
  const size_t most = args->Size(kSlot_mostBytes);
  if (!args->ok() || out == nullptr) return ToNumber(*args, -1);
  return ToNumber(*args, static_cast<double>(copy.Step(call.output_.get(), out, true, most)));
}

napi_value AsyncCall::Take(NodeArguments* args) {
  AsyncCall& call = Of(*args);
  if (call.output_ == nullptr) return nullptr;
  // The buffer's share, besides those of later calls that read it.
  auto share = std::make_unique<Shared>(call.output_);
  napi_value buffer;
  const napi_status made = napi_create_external_arraybuffer(
      args->env(), share->get(), call.output_copy_.Bytes(),
      [](napi_env, void*, void* hint) { delete static_cast<Shared*>(hint); }, share.get(), &buffer);
  if (made != napi_ok) return nullptr;  // Electron has no such buffers: lib/ copies.
  share.release();
  return buffer;
}

napi_value AsyncCall::Release(NodeArguments* args) {
  AsyncCall& call = Of(*args);
  call.inputs_ = {};
  call.shared_arrays_.clear();
  call.output_ = nullptr;
  return nullptr;
}

}  // namespace simdloss
