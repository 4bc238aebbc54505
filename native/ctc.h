// SPDX-License-Identifier: Apache-2.0
// Connectionist temporal classification: scores of label sequences without an alignment, and their gradients.
#ifndef SIMDLOSS_NATIVE_CTC_H_
#define SIMDLOSS_NATIVE_CTC_H_

#include <cstddef>

#include "native/matrix.h"
#include "native/status.h"

namespace simdloss {

// score_i = -log of the sum, over all paths of a class a step that become the labels of example i once repeats are
// merged and blanks dropped, of the product of softmax(logits). Where there is no such path it is Infinity, with a
// gradient of 0; an example with NaN or +Infinity among its logits, or a step of -Infinity alone, is NaN.
struct CtcCall {
  Dtype dtype = Dtype::kFloat32;  // of logits, scores and gradient
  size_t examples = 0;
  size_t steps = 0;
  size_t classes = 0;
  size_t label_cols = 0;
  size_t blank = 0;
  const void* logits = nullptr;  // [examples * steps, classes]
  size_t logits_stride = 0;
  Matrix labels;         // [examples, label_cols]; beyond the length of an example nothing is read
  Matrix label_lengths;  // one an example
  Matrix logit_lengths;
  Matrix upstream;         // factors of the gradient, one an example; 0 leaves it out. Null: all 1
  void* scores = nullptr;  // one an example
  size_t scores_stride = 0;
  void* gradient = nullptr;  // null: scores alone; may be logits exactly. Beyond the length of an example it is 0
  size_t gradient_stride = 0;
};

// Where a call was wrong.
struct CtcFault {
  size_t example = 0;
  size_t position = 0;  // of a label
};

// Checks lengths and labels first: a call that fails for them has written nothing.
Status RunCtc(const CtcCall& call, CtcFault* fault);

}  // namespace simdloss

#endif  // SIMDLOSS_NATIVE_CTC_H_
