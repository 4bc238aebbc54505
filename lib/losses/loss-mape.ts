// SPDX-License-Identifier: Apache-2.0
import type { ArrayInput } from '../array-input';
import { NativeLoss, type NativeLossTraits } from './native-loss';

const traits: NativeLossTraits = { kernel: 'MAPE', meanOverColumns: true, weighted: true };

/**
 * Mean absolute percentage error; a label of 0 is infinite or NaN, mask it.
 *
 * Formula: `L = sum_ij m_ij w_j 100 |(y_ij - a_ij) / y_ij| / c`, gradient `dl/da = 100 sign(a - y) / (c |y|)`.
 *
 * @example
 * ```ts
 * import { Activation, LossMAPE, nd } from 'simdloss';
 * new LossMAPE().computeScore(nd.array([[1, 2]]), nd.array([[2, 1]]), Activation.IDENTITY); // 75
 * ```
 * @see ND4J `org.nd4j.linalg.lossfunctions.impl.LossMAPE`; Keras `MeanAbsolutePercentageError`, which averages over the rows too
 */
export class LossMAPE extends NativeLoss {
  /**
   * @param weights class weights, one a column, any sign, `[c]` or `[1, c]`; or an object with it
   * @throws TypeError ERR_OPTION for an unknown option
   */
  constructor(weights?: ArrayInput | { readonly weights?: ArrayInput });
  constructor(...args: unknown[]) {
    super(traits, args);
  }
}
