// SPDX-License-Identifier: Apache-2.0
// A call off the event loop. Its kernel reads and writes no memory that JavaScript can free, detach or shrink:
// inputs are copied, in pieces as small as JavaScript asks for, but for those that stay by themselves (shared memory,
// and results of earlier calls); results stay in the call until they are copied out or become an ArrayBuffer.
#ifndef SIMDLOSS_BINDING_NODE_ASYNC_CALL_H_
#define SIMDLOSS_BINDING_NODE_ASYNC_CALL_H_

#include <napi.h>

#include <array>
#include <cstddef>
#include <memory>
#include <utility>
#include <vector>

#include "binding/node/node_arguments.h"
#include "binding/node/task.h"
#include "native/memory_pool.h"
#include "native/program.h"

namespace simdloss {

class AsyncCall {
 public:
  // What JavaScript holds.
  using Handle = std::shared_ptr<AsyncCall>;
  static constexpr size_t kMostInputs = simdloss::kMostInputs;

  explicit AsyncCall(std::unique_ptr<Task> task) : task_(std::move(task)) {}

  // Makes `matrix`, which is in `array`, the i-th input's, refer to memory that stays.
  void Hold(napi_env env, size_t i, napi_value array, Matrix* matrix, size_t rows, size_t cols);
  // Memory for the result [rows, cols], which may be the copy of one of the first `in_place` inputs; null where there
  // is none.
  void* Reserve(Dtype dtype, size_t rows, size_t cols, size_t in_place);

  // kOutOfMemory where it can't be run; after the run, what it came to.
  Status status() const { return status_; }
  const LossResult& result() const { return result_; }

  // Runs on any thread.
  void Run();

  // The call as an external, or its status where it can't be run; and the one in the first argument.
  static napi_value Wrap(napi_env env, Handle call);
  static AsyncCall& Of(const NodeArguments& args);

  // asyncCopyIn(call, ...inputs): copies on, mostBytes or fewer, and returns how many; 0 when all is there, -1 where an
  // array's memory is gone.
  static napi_value CopyIn(NodeArguments* args);
  // asyncRun(call): a promise for the end of the run, which is on another thread.
  static napi_value RunLater(NodeArguments* args);
  // asyncCopyOut(call, out): as asyncCopyIn, from the result, to rows of outStride.
  static napi_value CopyOut(NodeArguments* args);
  // asyncTake(call): an ArrayBuffer over the result; undefined where the runtime allows none over such memory.
  static napi_value Take(NodeArguments* args);
  // asyncRelease(call): lets go of all memory.
  static napi_value Release(NodeArguments* args);

 private:
  // Rows of elements from one memory to another, a piece at a time.
  struct Copy {
    Dtype dtype = Dtype::kFloat32;
    size_t rows = 0;
    size_t cols = 0;
    size_t stride = 0;  // of JavaScript's array; rows here follow each other
    size_t done = 0;    // elements

    size_t Bytes() const { return rows * cols * SizeOf(dtype); }
    // Copies `most` bytes or fewer; returns how many it counts.
    size_t Step(void* packed, void* array, bool out, size_t most);
  };

  static Handle& HandleOf(const NodeArguments& args);

  std::unique_ptr<Task> task_;
  LossResult result_;
  Status status_ = Status::kOk;
  std::array<Copy, kMostInputs> copies_;  // no rows: nothing to copy
  std::array<Shared, kMostInputs> inputs_;
  std::vector<Napi::ObjectReference> shared_arrays_;
  Copy output_copy_;  // no rows: the score alone
  Shared output_;
};

}  // namespace simdloss

#endif  // SIMDLOSS_BINDING_NODE_ASYNC_CALL_H_
