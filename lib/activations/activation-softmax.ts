// SPDX-License-Identifier: Apache-2.0
import { NativeActivation } from './native-activation';

/**
 * Softmax over the last axis.
 *
 * Formula: `p_k = e^(z_k) / sum_j e^(z_j)`; backprop is `p_k (u_k - sum_j p_j u_j)`. A logit of -Infinity is p = 0.
 *
 * @example
 * ```ts
 * import { ActivationSoftmax, nd } from 'simdloss';
 * new ActivationSoftmax().getActivation(nd.array([[0, 0, -Infinity]])); // [[0.5, 0.5, 0]]
 * ```
 * @see ND4J `org.nd4j.linalg.activations.impl.ActivationSoftmax`; PyTorch `Softmax` with `dim=-1`
 */
export class ActivationSoftmax extends NativeActivation {
  /** @internal */
  readonly kernel = 'Softmax';

  /**
   * @param options none are known: an empty object, or nothing
   * @throws TypeError ERR_OPTION for an unknown option
   */
  constructor(options?: Record<string, never>) {
    super();
    NativeActivation.read({}, 'ActivationSoftmax', [options]);
  }

  toString(): string {
    return 'softmax';
  }
}
