// SPDX-License-Identifier: Apache-2.0
import type { SmoothL1Option } from '../samediff/loss';
import { formulas } from '../samediff/loss-formulas';
import { FormulaLoss, type OptionsOf, type WeightsOption } from './formula-loss';

/**
 * Smooth L1 loss: absolute error, rounded near 0; `LossHuber` divided by where it becomes linear.
 *
 * Formula: `L = sum_ij m_ij w_j l_ij`, with `d = a - y`: `l = d^2 / (2 beta)` up to `|d| = beta`, `|d| - beta / 2` beyond;
 * gradient `dl/da = d / beta` within [-1, 1]; of beta 0 the absolute error.
 *
 * @example
 * ```ts
 * import { Activation, LossSmoothL1, nd } from 'simdloss';
 * new LossSmoothL1({ beta: 2 }).computeScore(nd.array([[0, 0]]), nd.array([[1, 5]]), Activation.IDENTITY); // 4.25
 * ```
 * @see PyTorch `SmoothL1Loss`; Girshick, Fast R-CNN (2015)
 */
export class LossSmoothL1 extends FormulaLoss<{ beta: number }> {
  /**
   * @param beta where it becomes linear, from 0 on, 1 if not given; or an object with it and `weights`, one a column
   * @throws TypeError ERR_OPTION for an unknown option
   * @throws RangeError ERR_RANGE for a beta below 0
   */
  constructor(beta?: OptionsOf<SmoothL1Option, WeightsOption>) {
    super(formulas.smoothL1Loss, beta);
  }

  /** Where it becomes linear. */
  get beta(): number {
    return this.values.beta;
  }
}
