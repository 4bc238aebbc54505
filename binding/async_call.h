// SPDX-License-Identifier: Apache-2.0
// A loss call off the event loop. Its kernel reads and writes no memory that JavaScript can free, detach or shrink:
// inputs are copied, in pieces as small as JavaScript asks for, but for those that stay by themselves (shared memory,
// and results of earlier calls); results stay in the call until they are copied out or become an ArrayBuffer.
#ifndef SIMDLOSS_BINDING_ASYNC_CALL_H_
#define SIMDLOSS_BINDING_ASYNC_CALL_H_

#include <napi.h>

#include <array>
#include <cstddef>
#include <memory>
#include <vector>

#include "native/loss.h"
#include "native/memory_pool.h"

namespace simdloss {

class AsyncCall {
 public:
  // Takes what `call` reads from the first arguments, in the order of loss(); what it writes is the call's own memory.
  AsyncCall(const Napi::CallbackInfo& info, const LossCall& call, bool gradient, bool score_array);

  // kOutOfMemory where it can't be run; after the run, what it came to.
  Status status() const { return status_; }
  const LossResult& result() const { return result_; }

  // Runs on any thread.
  void Run();

  // The call that JavaScript holds.
  static Napi::Value Wrap(Napi::Env env, std::shared_ptr<AsyncCall> call);
  static AsyncCall& Of(const Napi::Value& wrapped);

  // asyncCopyIn(call, preOutput, labels, mask, weights, alpha, most): copies on, `most` bytes or fewer, and returns how
  // many; 0 when all is there, -1 where an array's memory is gone.
  static Napi::Value CopyIn(const Napi::CallbackInfo& info);
  // asyncRun(call): a promise for the end of the run, which is on another thread.
  static Napi::Value RunLater(const Napi::CallbackInfo& info);
  // asyncCopyOut(call, isGradient, out, rowStride, most): as asyncCopyIn, from the gradient or the score array.
  static Napi::Value CopyOut(const Napi::CallbackInfo& info);
  // asyncTake(call, isGradient): an ArrayBuffer over the result; undefined where the runtime allows none over such
  // memory.
  static Napi::Value Take(const Napi::CallbackInfo& info);
  // asyncRelease(call): lets go of all memory.
  static Napi::Value Release(const Napi::CallbackInfo& info);

 private:
  static constexpr size_t kInputs = 5;

  // Rows of elements from one memory to another, a piece at a time.
  struct Copy {
    Dtype dtype = Dtype::kFloat32;
    size_t rows = 0;
    size_t cols = 0;
    size_t stride = 0;  // of JavaScript's array; rows here follow each other
    size_t done = 0;    // elements

    size_t Bytes() const { return rows * cols * SizeOf(dtype); }
    // Copies `most` bytes or fewer; returns how many it counts.
    size_t Step(std::byte* packed, std::byte* array, bool out, size_t most);
  };

  struct Result {
    Copy copy;
    Shared memory;
  };

  // Makes `matrix` refer to memory that stays; false where there is none.
  bool Hold(const Napi::CallbackInfo& info, size_t i, Matrix* matrix, size_t rows, size_t cols);
  // Memory for [rows, cols] of the call's dtype.
  bool Reserve(Result* result, size_t rows, size_t cols);

  LossCall call_;
  LossResult result_;
  Status status_ = Status::kOk;
  std::array<Copy, kInputs> copies_;  // no rows: nothing to copy
  std::array<Shared, kInputs> inputs_;
  std::vector<Napi::ObjectReference> shared_arrays_;
  Result gradient_, scores_;
};

}  // namespace simdloss

#endif  // SIMDLOSS_BINDING_ASYNC_CALL_H_
