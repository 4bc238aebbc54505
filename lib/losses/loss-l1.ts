// SPDX-License-Identifier: Apache-2.0
import type { ArrayInput } from '../array-input';
import { NativeLoss, type NativeLossTraits } from './native-loss';

const traits: NativeLossTraits = { kernel: 'L1', weighted: true };

/**
 * Sum of absolute errors.
 *
 * Formula: `L = sum_ij m_ij w_j |y_ij - a_ij|`, gradient `dl/da = sign(a - y)`, 0 where they are equal.
 *
 * @example
 * ```ts
 * import { Activation, LossL1, nd } from 'simdloss';
 * new LossL1().computeScore(nd.array([[1, 2]]), nd.array([[0, 4]]), Activation.IDENTITY); // 3
 * ```
 * @see ND4J `org.nd4j.linalg.lossfunctions.impl.LossL1`; PyTorch `L1Loss` with `reduction='sum'`
 */
export class LossL1 extends NativeLoss {
  /**
   * @param weights class weights, one a column, any sign, `[c]` or `[1, c]`; or an object with it
   * @throws TypeError ERR_OPTION for an unknown option
   */
  constructor(weights?: ArrayInput | { readonly weights?: ArrayInput });
  constructor(...args: unknown[]) {
    super(traits, args);
  }
}
