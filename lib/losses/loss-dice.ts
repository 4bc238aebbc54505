// SPDX-License-Identifier: Apache-2.0
import type { DiceOption } from '../samediff/loss';
import { formulas } from '../samediff/loss-formulas';
import { FormulaLoss } from './formula-loss';

/**
 * One less the Dice coefficient of a row of labels and outputs, both from 0 to 1; masks are per example.
 *
 * Formula: `L = sum_i m_i (1 - (2 sum_j y_ij a_ij + smooth) / (sum_j y_ij + sum_j a_ij + smooth))`, 0 where that is 0 / 0.
 *
 * @example
 * ```ts
 * import { Activation, LossDice, nd } from 'simdloss';
 * new LossDice(0).computeScore(nd.array([[1, 0]]), nd.array([[1, 1]]), Activation.IDENTITY); // 0.3333
 * ```
 * @see Keras `Dice`, of the batch; MONAI `DiceLoss`; Milletari et al., V-Net (2016)
 */
export class LossDice extends FormulaLoss<{ smooth: number }> {
  /**
   * @param smooth what is added above and below, from 0 on, 1 if not given; or an object with it
   * @throws TypeError ERR_OPTION for an unknown option
   * @throws RangeError ERR_RANGE for a smooth below 0
   */
  constructor(smooth?: DiceOption) {
    super(formulas.diceLoss, smooth);
  }

  /** What is added above and below. */
  get smooth(): number {
    return this.values.smooth;
  }
}
