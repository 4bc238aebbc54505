// SPDX-License-Identifier: Apache-2.0
import type { ArrayInput } from '../array-input';
import { NativeLoss, type NativeLossTraits } from './native-loss';

const traits: NativeLossTraits = { kernel: 'L2', meanOverColumns: true, weighted: true };

/**
 * Mean squared error: the squared error of a row divided by its columns, summed over the rows.
 *
 * Formula: `L = sum_ij m_ij w_j (y_ij - a_ij)^2 / c`, gradient `dl/da = 2 (a - y) / c`.
 *
 * @example
 * ```ts
 * import { Activation, LossMSE, nd } from 'simdloss';
 * new LossMSE().computeScore(nd.array([[1, 2]]), nd.array([[0, 4]]), Activation.IDENTITY); // 2.5
 * ```
 * @see ND4J `org.nd4j.linalg.lossfunctions.impl.LossMSE`; PyTorch `MSELoss`, which averages over the rows too
 */
export class LossMSE extends NativeLoss {
  /**
   * @param weights class weights, one a column, any sign, `[c]` or `[1, c]`; or an object with it
   * @throws TypeError ERR_OPTION for an unknown option
   */
  constructor(weights?: ArrayInput | { readonly weights?: ArrayInput });
  constructor(...args: unknown[]) {
    super(traits, args);
  }
}
