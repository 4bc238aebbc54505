// SPDX-License-Identifier: Apache-2.0
import type { ArrayInput } from '../array-input';
import { NativeLoss, type NativeLossTraits } from './native-loss';

const traits: NativeLossTraits = { kernel: 'MSLE', meanOverColumns: true, weighted: true };

/**
 * Mean squared logarithmic error, for targets over several orders of magnitude; labels and outputs above -1.
 *
 * Formula: `L = sum_ij m_ij w_j log((a_ij + 1) / (y_ij + 1))^2 / c`, gradient
 * `dl/da = 2 log((a + 1) / (y + 1)) / (c (a + 1))`.
 *
 * @example
 * ```ts
 * import { Activation, LossMSLE, nd } from 'simdloss';
 * new LossMSLE().computeScore(nd.array([[1, 3]]), nd.array([[0, 1]]), Activation.IDENTITY); // (log 2)^2 = 0.4805
 * ```
 * @see ND4J `org.nd4j.linalg.lossfunctions.impl.LossMSLE`; Keras `MeanSquaredLogarithmicError`, which averages over the rows too
 */
export class LossMSLE extends NativeLoss {
  /**
   * @param weights class weights, one a column, any sign, `[c]` or `[1, c]`; or an object with it
   * @throws TypeError ERR_OPTION for an unknown option
   */
  constructor(weights?: ArrayInput | { readonly weights?: ArrayInput });
  constructor(...args: unknown[]) {
    super(traits, args);
  }
}
