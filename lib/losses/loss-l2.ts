// SPDX-License-Identifier: Apache-2.0
import type { ArrayInput } from '../array-input';
import { NativeLoss, type NativeLossTraits } from './native-loss';

const traits: NativeLossTraits = { kernel: 'L2', weighted: true };

/**
 * Sum of squared errors.
 *
 * Formula: `L = sum_ij m_ij w_j (y_ij - a_ij)^2`, gradient `dl/da = 2 (a - y)`.
 *
 * @example
 * ```ts
 * import { Activation, LossL2, nd } from 'simdloss';
 * new LossL2().computeScore(nd.array([[1, 2]]), nd.array([[0, 4]]), Activation.IDENTITY); // 5
 * ```
 * @see ND4J `org.nd4j.linalg.lossfunctions.impl.LossL2`; PyTorch `MSELoss` with `reduction='sum'`
 */
export class LossL2 extends NativeLoss {
  /**
   * @param weights class weights, one a column, any sign, `[c]` or `[1, c]`; or an object with it
   * @throws TypeError ERR_OPTION for an unknown option
   */
  constructor(weights?: ArrayInput | { readonly weights?: ArrayInput });
  constructor(...args: unknown[]) {
    super(traits, args);
  }
}
