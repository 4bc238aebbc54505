// SPDX-License-Identifier: Apache-2.0
import { NativeActivation } from './native-activation';

/**
 * Swish, also called SiLU.
 *
 * Formula: `f(z) = z sigmoid(z)`.
 *
 * @example
 * ```ts
 * import { ActivationSwish, nd } from 'simdloss';
 * new ActivationSwish().getActivation(nd.array([-1, 2])); // [-0.269, 1.762]
 * ```
 * @see ND4J `org.nd4j.linalg.activations.impl.ActivationSwish`; Ramachandran et al. 2017, "Searching for activation functions";
 * PyTorch `SiLU`
 */
export class ActivationSwish extends NativeActivation {
  /** @internal */
  readonly kernel = 'Swish';

  /**
   * @param options none are known: an empty object, or nothing
   * @throws TypeError ERR_OPTION for an unknown option
   */
  constructor(options?: Record<string, never>) {
    super();
    NativeActivation.read({}, 'ActivationSwish', [options]);
  }

  toString(): string {
    return 'swish';
  }
}
