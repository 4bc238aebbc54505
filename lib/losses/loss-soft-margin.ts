// SPDX-License-Identifier: Apache-2.0
import type { ArrayInput } from '../array-input';
import { formulas } from '../samediff/loss-formulas';
import { FormulaLoss, type WeightsOption } from './formula-loss';

/**
 * Logistic loss of a margin; labels are -1 or 1.
 *
 * Formula: `L = sum_ij m_ij w_j log(1 + e^(-y_ij a_ij))`, gradient `dl/da = -y / (1 + e^(y a))`.
 *
 * @example
 * ```ts
 * import { Activation, LossSoftMargin, nd } from 'simdloss';
 * new LossSoftMargin().computeScore(nd.array([[1, -1]]), nd.array([[0, 1000]]), Activation.IDENTITY); // 1000.6931
 * ```
 * @see PyTorch `SoftMarginLoss`; optax `sigmoid_binary_cross_entropy`, of labels 0 and 1
 */
export class LossSoftMargin extends FormulaLoss<Record<never, never>> {
  /**
   * @param weights class weights, one a column, any sign, `[c]` or `[1, c]`; or an object with it
   * @throws TypeError ERR_OPTION for an unknown option
   */
  constructor(weights?: ArrayInput | WeightsOption) {
    super(formulas.softMarginLoss, weights);
  }
}
