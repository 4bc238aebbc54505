// SPDX-License-Identifier: Apache-2.0
// The drivers of the losses: they own loops, tails, masks, weights and sums; the formulas are stages (stages.h).
#ifndef SIMDLOSS_NATIVE_LOSS_DRIVERS_H_
#define SIMDLOSS_NATIVE_LOSS_DRIVERS_H_

#include <cstddef>

#include "native/loss.h"

namespace simdloss {

// What a range of rows came to. Rows are independent of each other but in FMeasure, which runs over all rows at once.
struct RowRange {
  size_t begin = 0;
  size_t end = 0;
};

// Each adds the score of the range to *score where the call asks for it.

// Elementwise losses with elementwise activations: tiles over the flat array.
Status RunElementwiseLoss(const LossCall& call, RowRange range, double* score);

// Cross entropy with softmax: rows in place.
Status RunSoftmaxCrossEntropy(const LossCall& call, RowRange range, double* score);

// Other elementwise losses with softmax: blocks of rows.
Status RunSoftmaxLoss(const LossCall& call, RowRange range, double* score);

// Losses that couple a row: blocks of rows, in float64.
Status RunRowwiseLoss(const LossCall& call, RowRange range, double* score);

// F-measure couples the batch: range must be all rows.
Status RunFMeasure(const LossCall& call, RowRange range, double* score);

}  // namespace simdloss

#endif  // SIMDLOSS_NATIVE_LOSS_DRIVERS_H_
