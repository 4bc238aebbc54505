// SPDX-License-Identifier: Apache-2.0
// Native calls that are kept: to be run again, or on another thread.
#ifndef SIMDLOSS_BINDING_NODE_TASK_H_
#define SIMDLOSS_BINDING_NODE_TASK_H_

#include <napi.h>

#include <memory>
#include <utility>
#include <vector>

#include "native/loss.h"

namespace simdloss {

class Task {
 public:
  virtual ~Task() = default;
  virtual Status Run(LossResult* result) = 0;
};

struct LossTask : Task {
  LossCall call;
  Status Run(LossResult* result) override { return RunLoss(call, result); }
};

// A task whose arrays are held, so that their memory stays while nobody detaches it.
class BoundCall {
 public:
  BoundCall(napi_env env, std::unique_ptr<Task> task) : env_(env), task_(std::move(task)) {}

  void Hold(napi_value array) { arrays_.push_back(Napi::Persistent(Napi::Object(env_, array))); }
  Status Run(LossResult* result) { return task_->Run(result); }

  static napi_value Wrap(std::unique_ptr<BoundCall> bound) {
    const napi_env env = bound->env_;
    return Napi::External<BoundCall>::New(env, bound.release(),
                                          [](Napi::Env, BoundCall* finished) { delete finished; });
  }

 private:
  napi_env env_;
  std::unique_ptr<Task> task_;
  std::vector<Napi::ObjectReference> arrays_;
};

}  // namespace simdloss

#endif  // SIMDLOSS_BINDING_NODE_TASK_H_
