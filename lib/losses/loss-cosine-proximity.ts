// SPDX-License-Identifier: Apache-2.0
import { NativeLoss, type NativeLossTraits } from './native-loss';

const traits: NativeLossTraits = { kernel: 'CosineProximity', coupled: true };

/**
 * Negative cosine of the angle between labels and outputs of each row; masks are per example.
 *
 * Formula: `L = -sum_i m_i (y_i . a_i) / (max(|y_i|, e) max(|a_i|, e))`, `e = 1e-5`; the gradient is its exact
 * derivative, with a constant norm below `e`.
 *
 * @example
 * ```ts
 * import { Activation, LossCosineProximity, nd } from 'simdloss';
 * new LossCosineProximity().computeScore(nd.array([[1, 0]]), nd.array([[1, 1]]), Activation.IDENTITY); // -0.7071
 * ```
 * @see ND4J `org.nd4j.linalg.lossfunctions.impl.LossCosineProximity`; Keras `CosineSimilarity`; PyTorch `CosineEmbeddingLoss`
 */
export class LossCosineProximity extends NativeLoss {
  /**
   * @param options none are known: an empty object, or nothing
   * @throws TypeError ERR_OPTION for an unknown option
   */
  constructor(options?: Record<string, never>);
  constructor(...args: unknown[]) {
    super(traits, args);
  }
}
