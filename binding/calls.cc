// SPDX-License-Identifier: Apache-2.0
#include "binding/calls.h"

#include <cstring>
#include <limits>

#include "native/activation.h"
#include "native/ctc.h"
#include "native/gemm.h"
#include "native/linear_cross_entropy.h"
#include "native/program.h"

namespace simdloss {
namespace {

void ReadIgnoreIndex(Arguments* args, LossParams* params) {
  params->has_ignore = args->Flag(kSlot_hasIgnore);
  params->ignore_index = args->Whole(kSlot_ignoreHigh, -0x1p31, 0x1p31 - 1) * (int64_t{1} << 32) +
                         args->Whole(kSlot_ignoreLow, 0, 0x1p32 - 1);
}

ActivationParams ReadActivationParams(const Arguments& args) {
  return {
      {args.Number(kSlot_activationParam0), args.Number(kSlot_activationParam1), args.Number(kSlot_activationParam2)}};
}

ActivationCall ReadActivationCall(Arguments* args) {
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

bool IsFloat(Dtype dtype) { return dtype == Dtype::kFloat32 || dtype == Dtype::kFloat64; }

}  // namespace

bool ReadLossCall(Arguments* args, LossCall* result) {
  LossCall& call = *result;
  call.loss = static_cast<LossKind>(args->Size(kSlot_loss));
  call.params.scale = args->Number(kSlot_scale);
  call.params.clip = args->Number(kSlot_clip);
  call.params.beta = args->Number(kSlot_beta);
  call.params.mixtures = args->Size(kSlot_mixtures);
  ReadIgnoreIndex(args, &call.params);
  call.activation = static_cast<ActivationKind>(args->Size(kSlot_activation));
  call.activation_params = ReadActivationParams(*args);
  call.rows = args->Size(kSlot_rows);
  call.cols = args->Size(kSlot_cols);
  call.label_cols = args->Size(kSlot_labelCols);
  call.sparse_labels = args->Flag(kSlot_sparse);
  call.pre_output = args->Array(0, call.rows, call.cols, args->Size(kSlot_inputStride), 1);
  call.dtype = call.pre_output.dtype;
  const size_t stored_label_cols = call.sparse_labels ? 1 : call.label_cols;
  call.labels = args->Array(1, call.rows, stored_label_cols, args->Size(kSlot_labelStride), 1);
  call.mask = args->Array(2, call.rows, call.cols, args->Size(kSlot_maskRowStride), args->Size(kSlot_maskColStride));
  call.weights = args->Array(3, call.rows, call.cols, 0, 1);
  call.alpha = args->Array(4, call.rows, call.cols, args->Size(kSlot_alphaStride), 1);
  call.gradient_stride = args->Size(kSlot_outStride);
  call.gradient = args->Output(5, call.dtype, call.rows, call.cols, call.gradient_stride);
  call.score_array = args->Output(6, call.dtype, call.rows, 1, 1);
  call.score = args->Flag(kSlot_wantScore);
  const bool complete = call.rows == 0 || (call.pre_output && call.labels);
  return complete && (call.activation != ActivationKind::kPReLU || call.rows == 0 || call.alpha);
}

Status ReportLoss(Arguments* args, Status status, const LossResult& result) {
  args->Report(kSlot_score, result.score);
  args->Report(kSlot_badRow, static_cast<double>(result.bad_row));
  return status;
}

Status CallLoss(Arguments* args) {
  LossCall call;
  Status status;
  if (!args->Ready(ReadLossCall(args, &call), &status)) return status;
  LossResult result;
  status = RunLoss(call, &result);
  return ReportLoss(args, status, result);
}

// activation(input, epsilon, alpha, out): forward without epsilon, else backprop.
Status CallActivation(Arguments* args) {
  ActivationCall call = ReadActivationCall(args);
  call.out = args->Output(3, call.dtype, call.rows, call.cols, call.out_stride);
  Status status;
  if (!args->Ready(call.rows == 0 || call.out != nullptr, &status)) return status;
  return call.rows == 0 ? Status::kOk : RunActivation(call);
}

// preluParameterGradient(input, epsilon, alpha, out[cols])
Status CallPReLUParameterGradient(Arguments* args) {
  const ActivationCall call = ReadActivationCall(args);
  void* const out = args->Output(3, call.dtype, 1, call.cols, call.cols);
  Status status;
  if (!args->Ready(out != nullptr, &status)) return status;
  if (call.rows != 0) return RunPReLUParameterGradient(call, out);
  // No memory behind the other arrays.
  std::memset(out, 0, call.cols * SizeOf(call.dtype));
  return Status::kOk;
}

// gemm(a, b, c, bias): c = op(a) op(b) + bias
Status CallGemm(Arguments* args) {
  GemmCall call{};
  call.transpose_a = args->Flag(kSlot_transposeA);
  call.transpose_b = args->Flag(kSlot_transposeB);
  call.m = args->Size(kSlot_m);
  call.n = args->Size(kSlot_n);
  call.k = args->Size(kSlot_k);
  call.lda = args->Size(kSlot_lda);
  call.ldb = args->Size(kSlot_ldb);
  call.ldc = args->Size(kSlot_ldc);
  const Matrix a =
      call.transpose_a ? args->Array(0, call.k, call.m, call.lda, 1) : args->Array(0, call.m, call.k, call.lda, 1);
  const Matrix b =
      call.transpose_b ? args->Array(1, call.n, call.k, call.ldb, 1) : args->Array(1, call.k, call.n, call.ldb, 1);
  call.dtype = a.dtype;
  call.a = a.data;
  call.b = b.data;
  call.c = args->Output(2, a.dtype, call.m, call.n, call.ldc);
  const Matrix bias = args->Array(3, 1, call.n, call.n, 1);
  call.bias = bias.data;
  const bool empty = call.m == 0 || call.n == 0;
  const bool inputs = call.k == 0 || (a && b && b.dtype == a.dtype);
  const bool complete =
      IsFloat(a.dtype) && (!bias || bias.dtype == a.dtype) && (empty || (inputs && call.c != nullptr));
  Status status;
  if (!args->Ready(complete, &status)) return status;
  return empty || Gemm(call) ? Status::kOk : Status::kOutOfMemory;
}

// columnSums(x, out)
Status CallColumnSums(Arguments* args) {
  const size_t rows = args->Size(kSlot_rows), cols = args->Size(kSlot_cols), stride = args->Size(kSlot_inputStride);
  const Matrix x = args->Array(0, rows, cols, stride, 1);
  void* const out = args->Output(1, x.dtype, 1, cols, cols);
  Status status;
  if (!args->Ready(out != nullptr && (rows == 0 || x) && IsFloat(x.dtype), &status)) return status;
  ColumnSums(x.dtype, rows, cols, x.data, stride, out);
  return Status::kOk;
}

// linearCrossEntropy(x, w, bias, labels, mask, weights, gradientX, gradientW, gradientBias)
Status CallLinearCrossEntropy(Arguments* args) {
  LinearCrossEntropyCall call;
  call.params.clip = args->Number(kSlot_clip);
  ReadIgnoreIndex(args, &call.params);
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
  const bool complete = rows && w && call.gradient_w != nullptr && (!bias || bias.dtype == call.dtype) &&
                        static_cast<bool>(bias) == (call.gradient_bias != nullptr);
  Status status;
  if (!args->Ready(complete, &status)) return status;
  LossResult result;
  status = RunLinearCrossEntropy(call, &result);
  return ReportLoss(args, status, result);
}

// ctcLoss(logits, labels, labelLengths, logitLengths, upstream, scores, gradient)
Status CallCtcLoss(Arguments* args) {
  CtcCall call;
  call.examples = args->Size(kSlot_rows);
  call.steps = args->Size(kSlot_steps);
  call.classes = args->Size(kSlot_cols);
  call.label_cols = args->Size(kSlot_labelCols);
  call.blank = args->Size(kSlot_blank);
  call.logits_stride = args->Size(kSlot_inputStride);
  call.scores_stride = args->Size(kSlot_scoreStride);
  call.gradient_stride = args->Size(kSlot_outStride);
  if (call.steps != 0 && call.examples > std::numeric_limits<size_t>::max() / call.steps) return Status::kBadArgument;
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
  Status status;
  if (!args->Ready(call.examples == 0 || inputs, &status)) return status;
  CtcFault fault;
  status = RunCtc(call, &fault);
  args->Report(kSlot_badRow, static_cast<double>(fault.example));
  args->Report(kSlot_badPosition, static_cast<double>(fault.position));
  return status;
}

void ForEachName(NameVisitor visit, void* context) {
#define SIMDLOSS_X(name) visit(context, "slots", #name, kSlot_##name);
  SIMDLOSS_SLOTS(SIMDLOSS_X)
#undef SIMDLOSS_X
#define SIMDLOSS_X(name) visit(context, "losses", #name, static_cast<int>(LossKind::k##name));
  SIMDLOSS_ELEMENTWISE_LOSSES(SIMDLOSS_X)
  SIMDLOSS_ROWWISE_LOSSES(SIMDLOSS_X)
#undef SIMDLOSS_X
#define SIMDLOSS_X(name) visit(context, "activations", #name, static_cast<int>(ActivationKind::k##name));
  SIMDLOSS_ACTIVATIONS(SIMDLOSS_X)
  SIMDLOSS_X(Softmax)
#undef SIMDLOSS_X
#define SIMDLOSS_X(name) visit(context, "dtypes", #name, DtypeCode(Dtype::k##name));
  SIMDLOSS_DTYPES(SIMDLOSS_X)
#undef SIMDLOSS_X
  for (uint32_t op = 0; op < kOpcodes; ++op) visit(context, "opcodes", OpcodeName(op), op);
}

}  // namespace simdloss
