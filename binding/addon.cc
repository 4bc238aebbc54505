// SPDX-License-Identifier: Apache-2.0
// The addon: a handful of wide exports over native/. No arithmetic, no errors but status codes: lib/ makes the errors.
#include <napi.h>

#include <limits>
#include <memory>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "binding/arguments.h"
#include "binding/async_call.h"
#include "binding/call_block.h"
#include "binding/program_call.h"
#include "binding/task.h"
#include "native/activation.h"
#include "native/ctc.h"
#include "native/dispatch.h"
#include "native/gemm.h"
#include "native/linear_cross_entropy.h"
#include "native/loss.h"
#include "native/thread_pool.h"

namespace simdloss {
namespace {

// What belongs to one environment: the main thread and every worker have their own.
class Addon : public Napi::Addon<Addon> {
 public:
  Addon(Napi::Env env, Napi::Object exports) {
    auto block = Napi::Float64Array::New(env, kSlots);
    block_reference_ = Napi::Persistent(block);
    block_ = block.Data();
    DefineAddon(exports, {
                             InstanceValue("block", block),
                             InstanceValue("slots", Slots(env)),
                             InstanceValue("losses", Losses(env)),
                             InstanceValue("activations", Activations(env)),
                             InstanceValue("dtypes", Dtypes(env)),
                             InstanceValue("opcodes", Opcodes(env)),
                             Crossing<&Addon::Loss>("loss"),
                             Crossing<&Addon::Bind>("bind"),
                             Crossing<&Addon::RunBound>("runBound"),
                             Crossing<&Addon::Async>("asyncCall"),
                             Crossing<&Addon::AsyncResult>("asyncResult"),
                             Crossing<&AsyncCall::CopyIn, 1 + AsyncCall::kMostInputs>("asyncCopyIn"),
                             Crossing<&AsyncCall::RunLater>("asyncRun"),
                             Crossing<&AsyncCall::CopyOut>("asyncCopyOut"),
                             Crossing<&AsyncCall::Take>("asyncTake"),
                             Crossing<&AsyncCall::Release>("asyncRelease"),
                             Crossing<&Addon::Activation>("activation"),
                             Crossing<&Addon::PReLUParameterGradient>("preluParameterGradient"),
                             Crossing<&Addon::Gemm>("gemm"),
                             Crossing<&Addon::ColumnSums>("columnSums"),
                             Crossing<&Addon::LinearCrossEntropy>("linearCrossEntropy"),
                             Crossing<&ProgramArguments::Create>("createProgram"),
                             Crossing<&ProgramArguments::Run, ProgramArguments::kMost>("runProgram"),
                             Crossing<&ProgramArguments::Bind, ProgramArguments::kMost>("bindProgram"),
                             Crossing<&ProgramArguments::Async, ProgramArguments::kMost>("asyncProgram"),
                             Crossing<&Addon::CtcLoss>("ctcLoss"),
                             InstanceMethod<&Addon::PoolBytes>("poolBytes"),
                             InstanceMethod<&Addon::Targets>("targets"),
                             InstanceMethod<&Addon::Target>("target"),
                             InstanceMethod<&Addon::ForceTarget>("forceTarget"),
                             InstanceMethod<&Addon::PhysicalCores>("physicalCores"),
                             InstanceMethod<&Addon::NumThreads>("numThreads"),
                             InstanceMethod<&Addon::SetNumThreads>("setNumThreads"),
                         });
  }

 private:
  static Napi::Object Slots(Napi::Env env) {
    auto object = Napi::Object::New(env);
#define SIMDLOSS_X(name) object.Set(#name, Napi::Number::New(env, kSlot_##name));
    SIMDLOSS_SLOTS(SIMDLOSS_X)
#undef SIMDLOSS_X
    return object;
  }

  static Napi::Object Losses(Napi::Env env) {
    auto object = Napi::Object::New(env);
#define SIMDLOSS_X(name) object.Set(#name, Napi::Number::New(env, static_cast<int>(LossKind::k##name)));
    SIMDLOSS_ELEMENTWISE_LOSSES(SIMDLOSS_X)
    SIMDLOSS_ROWWISE_LOSSES(SIMDLOSS_X)
#undef SIMDLOSS_X
    return object;
  }

  static Napi::Object Activations(Napi::Env env) {
    auto object = Napi::Object::New(env);
#define SIMDLOSS_X(name) object.Set(#name, Napi::Number::New(env, static_cast<int>(ActivationKind::k##name)));
    SIMDLOSS_ACTIVATIONS(SIMDLOSS_X)
#undef SIMDLOSS_X
    object.Set("Softmax", Napi::Number::New(env, static_cast<int>(ActivationKind::kSoftmax)));
    return object;
  }

  static Napi::Object Dtypes(Napi::Env env) {
    auto object = Napi::Object::New(env);
#define SIMDLOSS_X(name) object.Set(#name, Napi::Number::New(env, 1 + static_cast<int>(Dtype::k##name)));
    SIMDLOSS_DTYPES(SIMDLOSS_X)
#undef SIMDLOSS_X
    return object;
  }

  static Napi::Object Opcodes(Napi::Env env) {
    auto object = Napi::Object::New(env);
    for (uint32_t op = 0; op < kOpcodes; ++op) object.Set(OpcodeName(op), Napi::Number::New(env, op));
    return object;
  }

  // What is called often crosses by plain N-API: node-addon-api would look up `this` and allocate beyond six arguments,
  // 150 ns beside the 20 ns of a call with seven.
  // `callee`: a method, or a function of the arguments alone; `most`: how many arguments it has at most.
  template <auto callee, size_t most = Arguments::kMost>
  PropertyDescriptor Crossing(const char* name) {
    const napi_callback callback = [](napi_env env, napi_callback_info info) -> napi_value {
      napi_value values[most];
      size_t count = most;
      void* addon = nullptr;
      if (napi_get_cb_info(env, info, &count, values, nullptr, &addon) != napi_ok) return nullptr;
      Arguments args(env, values, static_cast<Addon*>(addon)->block_);
      if constexpr (std::is_member_function_pointer_v<decltype(callee)>) {
        return (static_cast<Addon*>(addon)->*callee)(&args);
      } else {
        return callee(&args);
      }
    };
    return napi_property_descriptor{name, nullptr, callback, nullptr, nullptr, nullptr, napi_default, this};
  }

  // The arguments of loss() and bind(): preOutput, labels, mask, weights, alpha, gradient, scoreArray.
  // False where they do not fit together.
  static bool ReadLossCall(Arguments* arguments, LossCall* result) {
    Arguments& args = *arguments;
    LossCall& call = *result;
    call.loss = static_cast<LossKind>(args.Size(kSlot_loss));
    call.params.scale = args.Number(kSlot_scale);
    call.params.clip = args.Number(kSlot_clip);
    call.params.beta = args.Number(kSlot_beta);
    call.params.mixtures = args.Size(kSlot_mixtures);
    ReadIgnoreIndex(args, &call.params);
    call.activation = static_cast<ActivationKind>(args.Size(kSlot_activation));
    call.activation_params = ReadActivationParams(args);
    call.rows = args.Size(kSlot_rows);
    call.cols = args.Size(kSlot_cols);
    call.label_cols = args.Size(kSlot_labelCols);
    call.sparse_labels = args.Flag(kSlot_sparse);
    call.pre_output = args.Array(0, call.rows, call.cols, args.Size(kSlot_inputStride), 1);
    call.dtype = call.pre_output.dtype;
    const size_t stored_label_cols = call.sparse_labels ? 1 : call.label_cols;
    call.labels = args.Array(1, call.rows, stored_label_cols, args.Size(kSlot_labelStride), 1);
    call.mask = args.Array(2, call.rows, call.cols, args.Size(kSlot_maskRowStride), args.Size(kSlot_maskColStride));
    call.weights = args.Array(3, call.rows, call.cols, 0, 1);
    call.alpha = args.Array(4, call.rows, call.cols, args.Size(kSlot_alphaStride), 1);
    call.gradient_stride = args.Size(kSlot_outStride);
    call.gradient = args.Output(5, call.dtype, call.rows, call.cols, call.gradient_stride);
    call.score_array = args.Output(6, call.dtype, call.rows, 1, 1);
    call.score = args.Flag(kSlot_wantScore);
    const bool complete = call.rows == 0 || (call.pre_output && call.labels);
    return args.ok() && complete && (call.activation != ActivationKind::kPReLU || call.rows == 0 || call.alpha);
  }

  static void ReadIgnoreIndex(const Arguments& args, LossParams* params) {
    params->has_ignore = args.Flag(kSlot_hasIgnore);
    params->ignore_index = static_cast<int64_t>(args.Number(kSlot_ignoreHigh)) * (int64_t{1} << 32) +
                           static_cast<int64_t>(args.Number(kSlot_ignoreLow));
  }

  napi_value Report(const Arguments& args, Status status, const LossResult& result) {
    block_[kSlot_score] = result.score;
    block_[kSlot_badRow] = static_cast<double>(result.bad_row);
    return ToStatus(args, status);
  }

  napi_value Loss(Arguments* args) {
    LossCall call;
    if (!ReadLossCall(args, &call)) return ToStatus(*args, Status::kBadArgument);
    LossResult result;
    const Status status = RunLoss(call, &result);
    return Report(*args, status, result);
  }

  // The call for runBound, undefined where it would not run.
  napi_value Bind(Arguments* args) {
    auto task = std::make_unique<LossTask>();
    if (!ReadLossCall(args, &task->call)) return nullptr;
    auto bound = std::make_unique<BoundCall>(args->env(), std::move(task));
    for (size_t i = 0; i < Arguments::kMost; ++i) {
      if (args->Has(i)) bound->Hold((*args)[i]);
    }
    return BoundCall::Wrap(std::move(bound));
  }

  // lib/ has seen that every array is as long as it was.
  napi_value RunBound(Arguments* args) {
    void* bound = nullptr;
    if (napi_get_value_external(args->env(), (*args)[0], &bound) != napi_ok) {
      return ToStatus(*args, Status::kBadArgument);
    }
    LossResult result;
    const Status status = static_cast<BoundCall*>(bound)->Run(&result);
    return Report(*args, status, result);
  }

  // asyncCall(preOutput, labels, mask, weights, alpha): a call, or the status of one that can't be.
  napi_value Async(Arguments* args) {
    auto task = std::make_unique<LossTask>();
    LossCall& call = task->call;
    if (!ReadLossCall(args, &call)) return ToStatus(*args, Status::kBadArgument);
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
  napi_value AsyncResult(Arguments* args) {
    const AsyncCall& call = AsyncCall::Of(*args);
    return Report(*args, call.status(), call.result());
  }

  static ActivationParams ReadActivationParams(const Arguments& args) {
    return {{args.Number(kSlot_activationParam0), args.Number(kSlot_activationParam1),
             args.Number(kSlot_activationParam2)}};
  }

  static ActivationCall ReadActivationCall(Arguments* args) {
    ActivationCall call;
    call.activation = static_cast<ActivationKind>(args->Size(kSlot_activation));
    call.params = ReadActivationParams(*args);
    call.rows = args->Size(kSlot_rows);
    call.cols = args->Size(kSlot_cols);
    call.input = args->Array(0, call.rows, call.cols, args->Size(kSlot_inputStride), 1);
    call.dtype = call.input.dtype;
    call.epsilon = args->Array(1, call.rows, call.cols, args->Size(kSlot_labelStride), 1);
    call.alpha = args->Array(2, call.rows, call.cols, args->Size(kSlot_alphaStride), 1);
    call.out_stride = args->Size(kSlot_outStride);
    return call;
  }

  // activation(input, epsilon, alpha, out): forward without epsilon, else backprop.
  napi_value Activation(Arguments* args) {
    ActivationCall call = ReadActivationCall(args);
    call.out = args->Output(3, call.dtype, call.rows, call.cols, call.out_stride);
    if (!args->ok() || (call.rows != 0 && call.out == nullptr)) return ToStatus(*args, Status::kBadArgument);
    return ToStatus(*args, call.rows == 0 ? Status::kOk : RunActivation(call));
  }

  // preluParameterGradient(input, epsilon, alpha, out[cols])
  napi_value PReLUParameterGradient(Arguments* args) {
    const ActivationCall call = ReadActivationCall(args);
    void* const out = args->Output(3, call.dtype, 1, call.cols, call.cols);
    if (!args->ok() || out == nullptr) return ToStatus(*args, Status::kBadArgument);
    // No rows, no memory behind the arrays: out is 0 as it came.
    return ToStatus(*args, call.rows == 0 ? Status::kOk : RunPReLUParameterGradient(call, out));
  }

  // gemm(a, b, c, bias): c = op(a) op(b) + bias
  napi_value Gemm(Arguments* arguments) {
    Arguments& args = *arguments;
    GemmCall call{};
    call.transpose_a = args.Flag(kSlot_transposeA);
    call.transpose_b = args.Flag(kSlot_transposeB);
    call.m = args.Size(kSlot_m);
    call.n = args.Size(kSlot_n);
    call.k = args.Size(kSlot_k);
    call.lda = args.Size(kSlot_lda);
    call.ldb = args.Size(kSlot_ldb);
    call.ldc = args.Size(kSlot_ldc);
    const Matrix a =
        call.transpose_a ? args.Array(0, call.k, call.m, call.lda, 1) : args.Array(0, call.m, call.k, call.lda, 1);
    const Matrix b =
        call.transpose_b ? args.Array(1, call.n, call.k, call.ldb, 1) : args.Array(1, call.k, call.n, call.ldb, 1);
    call.dtype = a.dtype;
    call.a = a.data;
    call.b = b.data;
    call.c = args.Output(2, a.dtype, call.m, call.n, call.ldc);
    const Matrix bias = args.Array(3, 1, call.n, call.n, 1);
    call.bias = bias.data;
    const bool empty = call.m == 0 || call.n == 0;
    const bool inputs = call.k == 0 || (a && b && b.dtype == a.dtype);
    if (!args.ok() || (bias && bias.dtype != a.dtype) || (!empty && (!inputs || call.c == nullptr)) ||
        (a.dtype != Dtype::kFloat32 && a.dtype != Dtype::kFloat64)) {
      return ToStatus(args, Status::kBadArgument);
    }
    return ToStatus(args, empty || simdloss::Gemm(call) ? Status::kOk : Status::kOutOfMemory);
  }

  // columnSums(x, out)
  napi_value ColumnSums(Arguments* args) {
    const size_t rows = args->Size(kSlot_rows), cols = args->Size(kSlot_cols), stride = args->Size(kSlot_inputStride);
    const Matrix x = args->Array(0, rows, cols, stride, 1);
    void* const out = args->Output(1, x.dtype, 1, cols, cols);
    if (!args->ok() || out == nullptr || (x.dtype != Dtype::kFloat32 && x.dtype != Dtype::kFloat64)) {
      return ToStatus(*args, Status::kBadArgument);
    }
    simdloss::ColumnSums(x.dtype, rows, cols, x.data, stride, out);
    return nullptr;
  }

  // linearCrossEntropy(x, w, bias, labels, mask, weights, gradientX, gradientW, gradientBias)
  napi_value LinearCrossEntropy(Arguments* args) {
    LinearCrossEntropyCall call;
    call.params.clip = args->Number(kSlot_clip);
    ReadIgnoreIndex(*args, &call.params);
    call.rows = args->Size(kSlot_m);
    call.cols = args->Size(kSlot_n);
    call.depth = args->Size(kSlot_k);
    call.x_stride = args->Size(kSlot_lda);
    call.w_stride = args->Size(kSlot_ldb);
    const Matrix x = args->Array(0, call.rows, call.depth, call.x_stride, 1);
    const Matrix w = args->Array(1, call.depth, call.cols, call.w_stride, 1);
    const Matrix bias = args->Array(2, 1, call.cols, call.cols, 1);
    call.dtype = w.dtype;
    call.x = x.data;
    call.w = w.data;
    call.bias = bias.data;
    call.labels = args->Array(3, call.rows, 1, args->Size(kSlot_labelStride), 1);
    call.mask = args->Array(4, call.rows, 1, args->Size(kSlot_maskRowStride), 0);
    call.weights = args->Array(5, 1, call.cols, 0, 1);
    call.gradient_x_stride = args->Size(kSlot_outStride);
    call.gradient_w_stride = args->Size(kSlot_ldc);
    call.gradient_x = args->Output(6, call.dtype, call.rows, call.depth, call.gradient_x_stride);
    call.gradient_w = args->Output(7, call.dtype, call.depth, call.cols, call.gradient_w_stride);
    call.gradient_bias = args->Output(8, call.dtype, 1, call.cols, call.cols);
    const bool rows = call.rows == 0 || (x && x.dtype == call.dtype && call.labels && call.gradient_x != nullptr);
    const bool ok = args->ok() && rows && w && call.gradient_w != nullptr && (!bias || bias.dtype == call.dtype) &&
                    static_cast<bool>(bias) == (call.gradient_bias != nullptr);
    if (!ok) return ToStatus(*args, Status::kBadArgument);
    LossResult result;
    const Status status = RunLinearCrossEntropy(call, &result);
    return Report(*args, status, result);
  }

  // ctcLoss(logits, labels, labelLengths, logitLengths, upstream, scores, gradient)
  napi_value CtcLoss(Arguments* args) {
    CtcCall call;
    call.examples = args->Size(kSlot_rows);
    call.steps = args->Size(kSlot_steps);
    call.classes = args->Size(kSlot_cols);
    call.label_cols = args->Size(kSlot_labelCols);
    call.blank = args->Size(kSlot_blank);
    call.logits_stride = args->Size(kSlot_inputStride);
    call.scores_stride = args->Size(kSlot_scoreStride);
    call.gradient_stride = args->Size(kSlot_outStride);
    if (call.steps != 0 && call.examples > std::numeric_limits<size_t>::max() / call.steps) {
      return ToStatus(*args, Status::kBadArgument);
    }
    const size_t rows = call.examples * call.steps;
    const Matrix logits = args->Array(0, rows, call.classes, call.logits_stride, 1);
    call.dtype = logits.dtype;
    call.logits = logits.data;
    call.labels = args->Array(1, call.examples, call.label_cols, args->Size(kSlot_labelStride), 1);
    call.label_lengths = args->Array(2, call.examples, 1, args->Size(kSlot_labelLengthStride), 1);
    call.logit_lengths = args->Array(3, call.examples, 1, args->Size(kSlot_logitLengthStride), 1);
    call.upstream = args->Array(4, call.examples, 1, args->Size(kSlot_upstreamStride), 1);
    call.scores = args->Output(5, call.dtype, call.examples, 1, call.scores_stride);
    call.gradient = args->Output(6, call.dtype, rows, call.classes, call.gradient_stride);
    const bool inputs = (rows == 0 || logits) && (call.label_cols == 0 || call.labels) && call.label_lengths &&
                        call.logit_lengths && call.scores != nullptr;
    if (!args->ok() || (call.examples != 0 && !inputs)) return ToStatus(*args, Status::kBadArgument);
    CtcFault fault;
    const Status status = RunCtc(call, &fault);
    block_[kSlot_badRow] = static_cast<double>(fault.example);
    block_[kSlot_badPosition] = static_cast<double>(fault.position);
    return ToStatus(*args, status);
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
