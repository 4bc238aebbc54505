// SPDX-License-Identifier: Apache-2.0
import { NativeLoss, type NativeLossTraits } from './native-loss';

const traits: NativeLossTraits = { kernel: 'SquaredHinge' };

/**
 * Squared hinge loss, a smooth form of the hinge; labels are -1 or 1.
 *
 * Formula: `L = sum_ij m_ij max(0, 1 - y_ij a_ij)^2`, gradient `dl/da = -2 y max(0, 1 - y a)`.
 *
 * @example
 * ```ts
 * import { Activation, LossSquaredHinge, nd } from 'simdloss';
 * new LossSquaredHinge().computeScore(nd.array([[1, -1]]), nd.array([[0.5, 0.25]]), Activation.IDENTITY); // 0.25 + 1.5625
 * ```
 * @see ND4J `org.nd4j.linalg.lossfunctions.impl.LossSquaredHinge`; Keras `SquaredHinge`, which averages over the columns
 */
export class LossSquaredHinge extends NativeLoss {
  /**
   * @param options none are known: an empty object, or nothing
   * @throws TypeError ERR_OPTION for an unknown option
   */
  constructor(options?: Record<string, never>);
  constructor(...args: unknown[]) {
    super(traits, args);
  }
}
