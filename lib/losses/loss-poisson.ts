// SPDX-License-Identifier: Apache-2.0
import { NativeLoss, type NativeLossTraits } from './native-loss';

const traits: NativeLossTraits = { kernel: 'Poisson' };

/**
 * Poisson loss of counts, summed (not averaged) over all outputs; outputs above 0.
 *
 * Formula: `L = sum_ij m_ij (a_ij - y_ij log a_ij)`, gradient `dl/da = 1 - y / a`; a label of 0 has no log term.
 *
 * @example
 * ```ts
 * import { Activation, LossPoisson, nd } from 'simdloss';
 * new LossPoisson().computeScore(nd.array([[2, 0]]), nd.array([[1, 3]]), Activation.IDENTITY); // 1 + 3
 * ```
 * @see ND4J `org.nd4j.linalg.lossfunctions.impl.LossPoisson`; PyTorch `PoissonNLLLoss` with `log_input=False`; Keras `Poisson`
 */
export class LossPoisson extends NativeLoss {
  /**
   * @param options none are known: an empty object, or nothing
   * @throws TypeError ERR_OPTION for an unknown option
   */
  constructor(options?: Record<string, never>);
  constructor(...args: unknown[]) {
    super(traits, args);
  }
}
