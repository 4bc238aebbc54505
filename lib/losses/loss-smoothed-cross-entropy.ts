// SPDX-License-Identifier: Apache-2.0
import type { SmoothingOption } from '../samediff/loss';
import { smoothedCrossEntropy } from '../samediff/loss-formulas';
import { FormulaLoss, type LabelsOption, type OptionsOf, type WeightsOption } from './formula-loss';

/**
 * Cross entropy of labels that are smoothed: part of each row is spread over all classes.
 *
 * Formula: `L = -sum_ij m_ij w_j (y_ij (1 - s) + s / c) log a_ij`, `s` the smoothing; with softmax from the logits, finite for every finite one.
 *
 * @example
 * ```ts
 * import { Activation, LossSmoothedCrossEntropy, nd } from 'simdloss';
 * new LossSmoothedCrossEntropy(0.5).computeGradient(nd.array([[1, 0]]), nd.array([[0, 0]]), Activation.SOFTMAX); // [[-0.25, 0.25]]
 * ```
 * @see PyTorch `CrossEntropyLoss(label_smoothing=)`; Keras `CategoricalCrossentropy(label_smoothing=)`; Szegedy et al., Rethinking the Inception Architecture for Computer Vision (2015)
 */
export class LossSmoothedCrossEntropy extends FormulaLoss<{ labelSmoothing: number }> {
  /**
   * @param labelSmoothing how much of the labels is spread over all classes, in [0, 1], 0.1 if not given; or an object with it, `weights`, one a
   * column, and `labels`: `outputs`, if not given, or `classes`, an index a row
   * @throws TypeError ERR_OPTION for an unknown option
   * @throws RangeError ERR_RANGE for a smoothing outside [0, 1]
   */
  constructor(labelSmoothing?: OptionsOf<SmoothingOption, WeightsOption & LabelsOption>) {
    super(smoothedCrossEntropy, labelSmoothing);
  }

  /** How much of the labels is spread over all classes. */
  get labelSmoothing(): number {
    return this.values.labelSmoothing;
  }
}
