// SPDX-License-Identifier: Apache-2.0
import type { HuberOption } from '../samediff/loss';
import { formulas } from '../samediff/loss-formulas';
import { FormulaLoss, type OptionsOf, type WeightsOption } from './formula-loss';

/**
 * Huber loss: squared error near 0, absolute error far from it.
 *
 * Formula: `L = sum_ij m_ij w_j l_ij`, with `d = a - y`: `l = d^2 / 2` up to `|d| = delta`, `delta (|d| - delta / 2)` beyond;
 * gradient `dl/da = d` within [-delta, delta].
 *
 * @example
 * ```ts
 * import { Activation, LossHuber, nd } from 'simdloss';
 * new LossHuber(2).computeGradient(nd.array([[0, 0]]), nd.array([[1, 5]]), Activation.IDENTITY); // [[1, 2]]
 * ```
 * @see ND4J `sd.loss.huberLoss`; PyTorch `HuberLoss`; Keras `Huber`; Huber, Robust Estimation of a Location Parameter (1964)
 */
export class LossHuber extends FormulaLoss<{ delta: number }> {
  /**
   * @param delta where it becomes linear, from 0 on, 1 if not given; or an object with it and `weights`, one a column
   * @throws TypeError ERR_OPTION for an unknown option
   * @throws RangeError ERR_RANGE for a delta below 0
   */
  constructor(delta?: OptionsOf<HuberOption, WeightsOption>) {
    super(formulas.huberLoss, delta);
  }

  /** Where it becomes linear. */
  get delta(): number {
    return this.values.delta;
  }
}
