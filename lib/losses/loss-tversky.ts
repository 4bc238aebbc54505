// SPDX-License-Identifier: Apache-2.0
import type { TverskyOption } from '../samediff/loss';
import { formulas } from '../samediff/loss-formulas';
import { FormulaLoss } from './formula-loss';

/**
 * One less the Tversky index of a row of labels and outputs, both from 0 to 1; masks are per example.
 *
 * Formula: `L = sum_i m_i (1 - (tp + smooth) / (tp + alpha fp + beta fn + smooth))`, `tp = sum_j y a`, `fp = sum_j (1 - y) a`,
 * `fn = sum_j y (1 - a)`; 0 where that is 0 / 0.
 *
 * @example
 * ```ts
 * import { Activation, LossTversky, nd } from 'simdloss';
 * new LossTversky({ beta: 1, smooth: 0 }).computeScore(nd.array([[1, 0]]), nd.array([[0.5, 0]]), Activation.IDENTITY); // 0.5
 * ```
 * @see Keras `Tversky`; MONAI `TverskyLoss`; Salehi et al., Tversky loss function for image segmentation (2017)
 */
export class LossTversky extends FormulaLoss<{ alpha: number; beta: number; smooth: number }> {
  /**
   * @param options `alpha`, `beta`: the weights of false positives and of false negatives, from 0 on, 0.5 if not given, which is the Dice
   * coefficient of twice the smooth; `smooth`: what is added above and below, from 0 on, 1. A number is alpha
   * @throws TypeError ERR_OPTION for an unknown option
   * @throws RangeError ERR_RANGE for an option below 0
   */
  constructor(options?: TverskyOption) {
    super(formulas.tverskyLoss, options);
  }

  /** The weight of false positives. */
  get alpha(): number {
    return this.values.alpha;
  }

  /** The weight of false negatives. */
  get beta(): number {
    return this.values.beta;
  }

  /** What is added above and below. */
  get smooth(): number {
    return this.values.smooth;
  }
}
