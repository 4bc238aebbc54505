// SPDX-License-Identifier: Apache-2.0
import { NativeActivation } from './native-activation';

/**
 * Self-normalising exponential linear unit.
 *
 * Formula: `f(z) = lambda z` above 0, `lambda alpha (e^z - 1)` below; alpha = 1.6732632423543772,
 * lambda = 1.0507009873554805; the slope at 0 is `lambda alpha`.
 *
 * @example
 * ```ts
 * import { ActivationSELU, nd } from 'simdloss';
 * new ActivationSELU().getActivation(nd.array([-1, 2])); // [-1.111, 2.101]
 * ```
 * @see ND4J `org.nd4j.linalg.activations.impl.ActivationSELU`; Klambauer et al. 2017, "Self-normalizing neural networks"
 */
export class ActivationSELU extends NativeActivation {
  /** @internal */
  readonly kernel = 'SELU';

  /**
   * @param options none are known: an empty object, or nothing
   * @throws TypeError ERR_OPTION for an unknown option
   */
  constructor(options?: Record<string, never>) {
    super();
    NativeActivation.read({}, 'ActivationSELU', [options]);
  }

  toString(): string {
    return 'selu';
  }
}
