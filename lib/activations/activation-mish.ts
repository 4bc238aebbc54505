// SPDX-License-Identifier: Apache-2.0
import { NativeActivation } from './native-activation';

/**
 * Mish, a smooth, non-monotone relative of ReLU.
 *
 * Formula: `f(z) = z tanh(log(1 + e^z))`.
 *
 * @example
 * ```ts
 * import { ActivationMish, nd } from 'simdloss';
 * new ActivationMish().getActivation(nd.array([-1, 2])); // [-0.303, 1.944]
 * ```
 * @see ND4J `org.nd4j.linalg.activations.impl.ActivationMish`; Misra 2019, "Mish: A self regularized non-monotonic activation
 * function"; PyTorch `Mish`
 */
export class ActivationMish extends NativeActivation {
  /** @internal */
  readonly kernel = 'Mish';

  /**
   * @param options none are known: an empty object, or nothing
   * @throws TypeError ERR_OPTION for an unknown option
   */
  constructor(options?: Record<string, never>) {
    super();
    NativeActivation.read({}, 'ActivationMish', [options]);
  }

  toString(): string {
    return 'mish';
  }
}
