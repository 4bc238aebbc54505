// SPDX-License-Identifier: Apache-2.0
import type { FocalOption } from '../samediff/loss';
import { formulas } from '../samediff/loss-formulas';
import { FormulaLoss, type LabelsOption, type OptionsOf, type WeightsOption } from './formula-loss';

/**
 * Focal loss of exclusive classes: cross entropy, in which good outputs count less.
 *
 * Formula: `L = -sum_ij m_ij w_j alpha y_ij (1 - a_ij)^gamma log a_ij`; with softmax from the logits, finite for every finite one.
 *
 * @example
 * ```ts
 * import { Activation, LossSoftmaxFocal, nd } from 'simdloss';
 * new LossSoftmaxFocal().computeScore(nd.array([[1, 0]]), nd.array([[0, 0]]), Activation.SOFTMAX); // 0.0433: log 2 / 16
 * ```
 * @see Keras `CategoricalFocalCrossentropy`; Lin et al., Focal Loss for Dense Object Detection (2017)
 */
export class LossSoftmaxFocal extends FormulaLoss<{ alpha: number; gamma: number }> {
  /**
   * @param options `alpha`: a factor, from 0 on, 0.25 if not given; `gamma`: from 0 on, 2; `weights`, one a column: an alpha for each class;
   * `labels`: `outputs`, if not given, or `classes`, an index a row. A number is alpha
   * @throws TypeError ERR_OPTION for an unknown option
   * @throws RangeError ERR_RANGE for an alpha or a gamma below 0
   */
  constructor(options?: OptionsOf<FocalOption, WeightsOption & LabelsOption>) {
    super(formulas.softmaxFocalLoss, options);
  }

  /** A factor of all classes. */
  get alpha(): number {
    return this.values.alpha;
  }

  /** How much less a good output counts. */
  get gamma(): number {
    return this.values.gamma;
  }
}
