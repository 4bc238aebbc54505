// SPDX-License-Identifier: Apache-2.0
import { NativeLoss, type NativeLossTraits } from './native-loss';

const traits: NativeLossTraits = { kernel: 'MultiLabel', coupled: true };

/**
 * Multi-label ranking: every positive label should score above every other; masks are per example.
 *
 * Formula: `L = sum_i m_i sum_{p in P} sum_{q not in P} exp(a_q - a_p) / (|P| (c - |P|))`, `P` the columns where the
 * label is 1; 0 for a row where either set is empty. Taken as a product of two sums, in O(c).
 *
 * @example
 * ```ts
 * import { Activation, LossMultiLabel, nd } from 'simdloss';
 * new LossMultiLabel().computeScore(nd.array([[1, 0, 0]]), nd.array([[1, 1, 1]]), Activation.IDENTITY); // 1
 * ```
 * @see ND4J `org.nd4j.linalg.lossfunctions.impl.LossMultiLabel`; Zhang & Zhou 2006, "Multilabel neural networks with applications to functional
 * genomics and text categorization" (BP-MLL)
 */
export class LossMultiLabel extends NativeLoss {
  /**
   * @param options none are known: an empty object, or nothing
   * @throws TypeError ERR_OPTION for an unknown option
   */
  constructor(options?: Record<string, never>);
  constructor(...args: unknown[]) {
    super(traits, args);
  }
}
