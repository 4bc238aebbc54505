// SPDX-License-Identifier: Apache-2.0
import type { ArrayInput } from '../array-input';
import { CrossEntropyLoss, type CrossEntropyOptions, crossEntropyTraits } from './cross-entropy-loss';

/**
 * Negative log-likelihood: the cross entropy of `LossMCXENT` under its other name.
 *
 * Formula: `L = -sum_ij m_ij w_j y_ij log a_ij`.
 *
 * @example
 * ```ts
 * import { Activation, LossNegativeLogLikelihood, nd } from 'simdloss';
 * const labels = nd.array([[0, 1]]);
 * new LossNegativeLogLikelihood().computeScore(labels, nd.array([[0, 0]]), Activation.SOFTMAX); // log 2
 * ```
 * @see ND4J `org.nd4j.linalg.lossfunctions.impl.LossNegativeLogLikelihood`
 */
export class LossNegativeLogLikelihood extends CrossEntropyLoss {
  /**
   * @param weights class weights, one a column, any sign, `[c]` or `[1, c]`; or an object of options
   * @throws TypeError ERR_OPTION for an unknown option
   * @throws RangeError ERR_RANGE for a clip outside [0, 0.5]
   */
  constructor(weights?: ArrayInput | CrossEntropyOptions);
  /**
   * The same as numbers and arrays, in ND4J's order.
   *
   * @param softmaxClipEps the clip of the score with softmax, from 0 to 0.5
   * @param weights class weights, none if not given
   */
  constructor(softmaxClipEps: number, weights?: ArrayInput);
  constructor(...args: unknown[]) {
    super(crossEntropyTraits, args);
  }
}
