// SPDX-License-Identifier: Apache-2.0
import type { ArrayInput } from '../array-input';
import { formulas } from '../samediff/loss-formulas';
import { FormulaLoss, type WeightsOption } from './formula-loss';

/**
 * Logarithm of the hyperbolic cosine of the error: about half its square near 0, its size less log 2 far from it.
 *
 * Formula: `L = sum_ij m_ij w_j log(cosh(a_ij - y_ij))`, gradient `dl/da = tanh(a - y)`; exact near 0, finite far from it.
 *
 * @example
 * ```ts
 * import { Activation, LossLogCosh, nd } from 'simdloss';
 * new LossLogCosh().computeGradient(nd.array([[0, 0]]), nd.array([[0, 1e6]]), Activation.IDENTITY); // [[0, 1]]
 * ```
 * @see Keras `LogCosh`; optax `log_cosh`
 */
export class LossLogCosh extends FormulaLoss<Record<never, never>> {
  /**
   * @param weights class weights, one a column, any sign, `[c]` or `[1, c]`; or an object with it
   * @throws TypeError ERR_OPTION for an unknown option
   */
  constructor(weights?: ArrayInput | WeightsOption) {
    super(formulas.logCoshLoss, weights);
  }
}
