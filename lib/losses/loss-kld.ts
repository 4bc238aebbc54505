// SPDX-License-Identifier: Apache-2.0
import { NativeLoss, type NativeLossTraits } from './native-loss';

const traits: NativeLossTraits = { kernel: 'KLD' };

/**
 * Kullback-Leibler divergence of the outputs from the labels, both distributions.
 *
 * Formula: `L = sum_ij m_ij y_ij log(y_ij / a_ij)`, both clamped to [1e-5, 1] in the score; gradient
 * `dl/da = -y / a`, not clamped.
 *
 * @example
 * ```ts
 * import { Activation, LossKLD, nd } from 'simdloss';
 * new LossKLD().computeScore(nd.array([[0.5, 0.5]]), nd.array([[0, 0]]), Activation.SOFTMAX); // 0
 * ```
 * @see ND4J `org.nd4j.linalg.lossfunctions.impl.LossKLD`; PyTorch `KLDivLoss`, which takes log-probabilities; Keras `KLDivergence`
 */
export class LossKLD extends NativeLoss {
  /**
   * @param options none are known: an empty object, or nothing
   * @throws TypeError ERR_OPTION for an unknown option
   */
  constructor(options?: Record<string, never>);
  constructor(...args: unknown[]) {
    super(traits, args);
  }
}
