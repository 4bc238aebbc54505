// SPDX-License-Identifier: Apache-2.0
import type { ArrayInput } from '../array-input';
import { NativeLoss, type NativeLossTraits } from './native-loss';

const traits: NativeLossTraits = { kernel: 'L1', meanOverColumns: true, weighted: true };

/**
 * Mean absolute error: the absolute error of a row divided by its columns, summed over the rows.
 *
 * Formula: `L = sum_ij m_ij w_j |y_ij - a_ij| / c`, gradient `dl/da = sign(a - y) / c`, 0 where they are equal.
 *
 * @example
 * ```ts
 * import { Activation, LossMAE, nd } from 'simdloss';
 * new LossMAE().computeScore(nd.array([[1, 2]]), nd.array([[0, 4]]), Activation.IDENTITY); // 1.5
 * ```
 * @see ND4J `org.nd4j.linalg.lossfunctions.impl.LossMAE`; PyTorch `L1Loss`, which averages over the rows too
 */
export class LossMAE extends NativeLoss {
  /**
   * @param weights class weights, one a column, any sign, `[c]` or `[1, c]`; or an object with it
   * @throws TypeError ERR_OPTION for an unknown option
   */
  constructor(weights?: ArrayInput | { readonly weights?: ArrayInput });
  constructor(...args: unknown[]) {
    super(traits, args);
  }
}
