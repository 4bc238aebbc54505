// SPDX-License-Identifier: Apache-2.0
import type { Poly1Option } from '../samediff/loss';
import { formulas } from '../samediff/loss-formulas';
import { FormulaLoss, type LabelsOption, type OptionsOf, type WeightsOption } from './formula-loss';

/**
 * Poly-1: cross entropy, in whose expansion in `1 - a` the first term weighs more, or less.
 *
 * Formula: `L = sum_ij m_ij w_j y_ij (epsilon (1 - a_ij) - log a_ij)`; with softmax from the logits, finite for every finite one.
 *
 * @example
 * ```ts
 * import { Activation, LossPoly1CrossEntropy, nd } from 'simdloss';
 * new LossPoly1CrossEntropy(2).computeScore(nd.array([[1, 0]]), nd.array([[0, 0]]), Activation.SOFTMAX); // 1.6931: log 2 + 1
 * ```
 * @see optax `poly_loss_cross_entropy`; Leng et al., PolyLoss (2022)
 */
export class LossPoly1CrossEntropy extends FormulaLoss<{ epsilon: number }> {
  /**
   * @param epsilon the weight of `1 - a`, any finite number, 1 if not given; or an object with it, `weights`, one a column, and `labels`:
   * `outputs`, if not given, or `classes`, an index a row
   * @throws TypeError ERR_OPTION for an unknown option
   * @throws RangeError ERR_RANGE for an epsilon that is not finite
   */
  constructor(epsilon?: OptionsOf<Poly1Option, WeightsOption & LabelsOption>) {
    super(formulas.poly1CrossEntropy, epsilon);
  }

  /** The weight of `1 - a`. */
  get epsilon(): number {
    return this.values.epsilon;
  }
}
