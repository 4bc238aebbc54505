// SPDX-License-Identifier: Apache-2.0
import { NativeLoss, type NativeLossTraits } from './native-loss';

const traits: NativeLossTraits = { kernel: 'Wasserstein', meanOverColumns: true };

/**
 * Wasserstein loss of a critic; labels are -1 or 1.
 *
 * Formula: `L = sum_ij m_ij y_ij a_ij / c`, gradient `dl/da = y / c`.
 *
 * @example
 * ```ts
 * import { Activation, LossWasserstein, nd } from 'simdloss';
 * new LossWasserstein().computeScore(nd.array([[1, -1]]), nd.array([[3, 1]]), Activation.IDENTITY); // 1
 * ```
 * @see ND4J `org.nd4j.linalg.lossfunctions.impl.LossWasserstein`; Arjovsky et al. 2017, "Wasserstein GAN"
 */
export class LossWasserstein extends NativeLoss {
  /**
   * @param options none are known: an empty object, or nothing
   * @throws TypeError ERR_OPTION for an unknown option
   */
  constructor(options?: Record<string, never>);
  constructor(...args: unknown[]) {
    super(traits, args);
  }
}
