// SPDX-License-Identifier: Apache-2.0
// The calls whose numbers are in the block and whose arrays are in spans, and the names of what they take.
#ifndef SIMDLOSS_BINDING_CALLS_H_
#define SIMDLOSS_BINDING_CALLS_H_

#include "binding/arguments.h"
#include "native/loss.h"
#include "native/status.h"

namespace simdloss {

// Name in JavaScript, function.
#define SIMDLOSS_CALLS(X)                               \
  X(loss, CallLoss)                                     \
  X(activation, CallActivation)                         \
  X(preluParameterGradient, CallPReLUParameterGradient) \
  X(gemm, CallGemm)                                     \
  X(columnSums, CallColumnSums)                         \
  X(linearCrossEntropy, CallLinearCrossEntropy)         \
  X(ctcLoss, CallCtcLoss)

#define SIMDLOSS_X(name, function) Status function(Arguments* args);
SIMDLOSS_CALLS(SIMDLOSS_X)
#undef SIMDLOSS_X

// The arguments of loss: preOutput, labels, mask, weights, alpha, gradient, scoreArray. False where something is
// missing.
bool ReadLossCall(Arguments* args, LossCall* call);

// What a loss came to, for JavaScript.
Status ReportLoss(Arguments* args, Status status, const LossResult& result);

// Calls name(table, name, number) for each number that has a name: of slots, losses, activations, dtypes, opcodes.
using NameVisitor = void (*)(void* context, const char* table, const char* name, double number);
void ForEachName(NameVisitor visit, void* context);

}  // namespace simdloss

#endif  // SIMDLOSS_BINDING_CALLS_H_
