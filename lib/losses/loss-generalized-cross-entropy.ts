// SPDX-License-Identifier: Apache-2.0
import type { GeneralizedCrossEntropyOption } from '../samediff/loss';
import { formulas } from '../samediff/loss-formulas';
import { FormulaLoss, type LabelsOption, type OptionsOf, type WeightsOption } from './formula-loss';

/**
 * Generalised cross entropy, between cross entropy and absolute error: less spoilt by labels that are wrong.
 *
 * Formula: `L = sum_ij m_ij w_j y_ij (1 - a_ij^q) / q`; with softmax from the logits, exact near `a = 1`.
 *
 * @example
 * ```ts
 * import { Activation, LossGeneralizedCrossEntropy, nd } from 'simdloss';
 * new LossGeneralizedCrossEntropy({ q: 1 }).computeScore(nd.array([[1, 0]]), nd.array([[0, 0]]), Activation.SOFTMAX); // 0.5
 * ```
 * @see Zhang & Sabuncu, Generalized Cross Entropy Loss for Training Deep Neural Networks with Noisy Labels (2018)
 */
export class LossGeneralizedCrossEntropy extends FormulaLoss<{ q: number }> {
  /**
   * @param q from 0, cross entropy, to 1, absolute error, 0 itself excluded; 0.7 if not given; or an object with it, `weights`, one a
   * column, and `labels`: `outputs`, if not given, or `classes`, an index a row
   * @throws TypeError ERR_OPTION for an unknown option
   * @throws RangeError ERR_RANGE for a q outside (0, 1]
   */
  constructor(q?: OptionsOf<GeneralizedCrossEntropyOption, WeightsOption & LabelsOption>) {
    super(formulas.generalizedCrossEntropy, q);
  }

  /** From 0, cross entropy, to 1, absolute error. */
  get q(): number {
    return this.values.q;
  }
}
