// SPDX-License-Identifier: Apache-2.0
// The addon: a handful of wide exports over native/. No arithmetic, no errors but status codes: lib/ makes the errors.
#include <napi.h>

#include <memory>
#include <string>
#include <utility>

#include "binding/call_block.h"
#include "binding/calls.h"
#include "binding/node/async_call.h"
#include "binding/node/node_arguments.h"
#include "binding/node/program_call.h"
#include "binding/node/stay_loaded.h"
#include "binding/node/task.h"
#include "native/chain_code.h"
#include "native/dispatch.h"
#include "native/loss.h"
#include "native/thread_pool.h"

namespace simdloss {
namespace {

// What belongs to one environment: the main thread and every worker have their own.
class Addon : public Napi::Addon<Addon> {
 public:
  Addon(Napi::Env env, Napi::Object exports) {
    StayLoaded();
    auto block = Napi::Float64Array::New(env, kSlots);
    block_reference_ = Napi::Persistent(block);
    block_ = block.Data();
    DefineNames(exports);
    DefineAddon(exports, {
                             InstanceValue("block", block),
#define SIMDLOSS_X(name, function) Crossing<&Addon::Run<&function>>(#name),
                             SIMDLOSS_CALLS(SIMDLOSS_X)
#undef SIMDLOSS_X
                                 Crossing<&Addon::Bind>("bind"),
                             Crossing<&Addon::RunBound>("runBound"),
                             Crossing<&Addon::Async>("asyncCall"),
                             Crossing<&Addon::AsyncResult>("asyncResult"),
                             Crossing<&AsyncCall::CopyIn, 1 + AsyncCall::kMostInputs>("asyncCopyIn"),
                             Crossing<&AsyncCall::RunLater>("asyncRun"),
                             Crossing<&AsyncCall::CopyOut>("asyncCopyOut"),
                             Crossing<&AsyncCall::Take>("asyncTake"),
                             Crossing<&AsyncCall::Release>("asyncRelease"),
                             Crossing<&ProgramArguments::Create>("createProgram"),
                             Crossing<&ProgramArguments::Run, ProgramArguments::kMost>("runProgram"),
                             Crossing<&ProgramArguments::Bind, ProgramArguments::kMost>("bindProgram"),
                             Crossing<&ProgramArguments::Async, ProgramArguments::kMost>("asyncProgram"),
                             InstanceMethod<&Addon::PoolBytes>("poolBytes"),
                             InstanceMethod<&Addon::Targets>("targets"),
                             InstanceMethod<&Addon::Target>("target"),
                             InstanceMethod<&Addon::ForceTarget>("forceTarget"),
                             InstanceMethod<&Addon::UsesChainCode>("usesChainCode"),
                             InstanceMethod<&Addon::UseChainCode>("useChainCode"),
                             InstanceMethod<&Addon::PhysicalCores>("physicalCores"),
                             InstanceMethod<&Addon::NumThreads>("numThreads"),
                             InstanceMethod<&Addon::SetNumThreads>("setNumThreads"),
                         });
  }

 private:
  // An object for each table of names.
  static void DefineNames(Napi::Object exports) {
    ForEachName(
        [](void* context, const char* table, const char* name, double number) {
          auto& to = *static_cast<Napi::Object*>(context);
          if (!to.Has(table)) to.Set(table, Napi::Object::New(to.Env()));
          to.Get(table).As<Napi::Object>().Set(name, Napi::Number::New(to.Env(), number));
        },
        &exports);
  }

  // What is called often crosses by plain N-API: node-addon-api would look up `this` and allocate beyond six arguments,
  // 150 ns beside the 20 ns of a call with seven.
  // `most`: how many arguments the callee has at most.
  template <napi_value (*callee)(NodeArguments*), size_t most = Arguments::kMost>
  PropertyDescriptor Crossing(const char* name) {
    const napi_callback callback = [](napi_env env, napi_callback_info info) -> napi_value {
      napi_value values[most];
      size_t count = most;
      void* addon = nullptr;
      if (napi_get_cb_info(env, info, &count, values, nullptr, &addon) != napi_ok) return nullptr;
      NodeArguments args(env, values, static_cast<Addon*>(addon)->block_);
      return callee(&args);
    };
    return napi_property_descriptor{name, nullptr, callback, nullptr, nullptr, nullptr, napi_default, this};
  }

  // A call of calls.h.
  template <Status (*call)(Arguments*)>
  static napi_value Run(NodeArguments* args) {
    return ToStatus(*args, args->ReadArrays() ? call(args) : Status::kBadArgument);
  }

  static bool Read(NodeArguments* args, LossCall* call) {
    Status status;
    return args->ReadArrays() && args->Ready(ReadLossCall(args, call), &status);
  }

  // bind(...): the call for runBound, undefined where it would not run.
  static napi_value Bind(NodeArguments* args) {
    auto task = std::make_unique<LossTask>();
    if (!Read(args, &task->call)) return nullptr;
    auto bound = std::make_unique<BoundCall>(args->env(), std::move(task));
    for (size_t i = 0; i < Arguments::kMost; ++i) {
      if (args->Has(i)) bound->Hold((*args)[i]);
    }
    return BoundCall::Wrap(std::move(bound));
  }

  // lib/ has seen that every array is as long as it was.
  static napi_value RunBound(NodeArguments* args) {
    void* bound = nullptr;
    if (napi_get_value_external(args->env(), (*args)[0], &bound) != napi_ok) {
      return ToStatus(*args, Status::kBadArgument);
    }
    LossResult result;
    const Status status = static_cast<BoundCall*>(bound)->Run(&result);
    return ToStatus(*args, ReportLoss(args, status, result));
  }

  // asyncCall(preOutput, labels, mask, weights, alpha): a call, or the status of one that can't be.
  static napi_value Async(NodeArguments* args) {
    auto task = std::make_unique<LossTask>();
    LossCall& call = task->call;
    if (!Read(args, &call)) return ToStatus(*args, Status::kBadArgument);
    const auto async = std::make_shared<AsyncCall>(std::move(task));
    const size_t rows = call.rows, cols = call.cols;
    if (rows != 0) {
      const auto hold = [&](size_t i, Matrix* matrix, size_t columns) {
        async->Hold(args->env(), i, (*args)[i], matrix, rows, columns);
      };
      hold(0, &call.pre_output, cols);
      hold(1, &call.labels, call.sparse_labels ? 1 : call.label_cols);
      hold(2, &call.mask, cols);
      hold(3, &call.weights, cols);
      hold(4, &call.alpha, cols);
      if (args->Flag(kSlot_wantGradient)) {
        call.gradient = async->Reserve(call.dtype, rows, cols, 1);
        call.gradient_stride = cols;
      } else if (args->Flag(kSlot_wantScoreArray)) {
        call.score_array = async->Reserve(call.dtype, rows, 1, 0);
      }
    }
    return AsyncCall::Wrap(args->env(), async);
  }

  // asyncResult(call): what its run came to, as loss() does.
  static napi_value AsyncResult(NodeArguments* args) {
    const AsyncCall& call = AsyncCall::Of(*args);
    return ToStatus(*args, ReportLoss(args, call.status(), call.result()));
  }

  // What asynchronous calls and their results hold of the system's memory.
  Napi::Value PoolBytes(const Napi::CallbackInfo& info) {
    const auto bytes = CountPoolBytes();
    return Napi::Number::New(info.Env(), static_cast<double>(bytes.lent + bytes.idle));
  }

  // The names of the targets that run here, slowest first.
  Napi::Value Targets(const Napi::CallbackInfo& info) {
    auto names = Napi::Array::New(info.Env());
    for (int i = 0; i < kTargets; ++i) {
      if (SupportedTargets() >> i & 1u) names.Set(names.Length(), Napi::String::New(info.Env(), TargetName(i)));
    }
    return names;
  }

  Napi::Value Target(const Napi::CallbackInfo& info) {
    return Napi::String::New(info.Env(), TargetName(ChosenTarget()));
  }

  // forceTarget(name): is it supported?
  Napi::Value ForceTarget(const Napi::CallbackInfo& info) {
    const std::string name = info[0].ToString();
    bool forced = false;
    for (int i = 0; i < kTargets && !forced; ++i) forced = name == TargetName(i) && simdloss::ForceTarget(i);
    return Napi::Boolean::New(info.Env(), forced);
  }

  Napi::Value UsesChainCode(const Napi::CallbackInfo& info) {
    return Napi::Boolean::New(info.Env(), simdloss::UsesChainCode());
  }

  void UseChainCode(const Napi::CallbackInfo& info) { simdloss::UseChainCode(info[0].ToBoolean()); }

  Napi::Value PhysicalCores(const Napi::CallbackInfo& info) {
    return Napi::Number::New(info.Env(), static_cast<double>(simdloss::PhysicalCores()));
  }

  Napi::Value NumThreads(const Napi::CallbackInfo& info) {
    return Napi::Number::New(info.Env(), static_cast<double>(ThreadCount()));
  }

  // setNumThreads(count), for every environment.
  void SetNumThreads(const Napi::CallbackInfo& info) {
    SetThreadCount(static_cast<size_t>(info[0].ToNumber().Int64Value()));
  }

  double* block_ = nullptr;
  Napi::Reference<Napi::Float64Array> block_reference_;
};

}  // namespace
}  // namespace simdloss

using SimdlossAddon = simdloss::Addon;
NODE_API_NAMED_ADDON(simdloss, SimdlossAddon)
