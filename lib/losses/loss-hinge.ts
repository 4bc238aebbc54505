// SPDX-License-Identifier: Apache-2.0
import { NativeLoss, type NativeLossTraits } from './native-loss';

const traits: NativeLossTraits = { kernel: 'Hinge' };

/**
 * Hinge loss of a support vector machine; labels are -1 or 1.
 *
 * Formula: `L = sum_ij m_ij max(0, 1 - y_ij a_ij)`, gradient `dl/da = -y` where `1 - y a > 0`, else 0.
 *
 * @example
 * ```ts
 * import { Activation, LossHinge, nd } from 'simdloss';
 * new LossHinge().computeScore(nd.array([[1, -1]]), nd.array([[0.5, 0.25]]), Activation.IDENTITY); // 0.5 + 1.25
 * ```
 * @see ND4J `org.nd4j.linalg.lossfunctions.impl.LossHinge`; Keras `Hinge`, which averages over the columns
 */
export class LossHinge extends NativeLoss {
  /**
   * @param options none are known: an empty object, or nothing
   * @throws TypeError ERR_OPTION for an unknown option
   */
  constructor(options?: Record<string, never>);
  constructor(...args: unknown[]) {
    super(traits, args);
  }
}
