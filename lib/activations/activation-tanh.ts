// SPDX-License-Identifier: Apache-2.0
import { NativeActivation } from './native-activation';

/**
 * Hyperbolic tangent.
 *
 * Formula: `f(z) = tanh z`, slope `1 / cosh(z)^2`, to full relative accuracy in the tails.
 *
 * @example
 * ```ts
 * import { ActivationTanH, nd } from 'simdloss';
 * new ActivationTanH().getActivation(nd.array([-1, 2])); // [-0.762, 0.964]
 * ```
 * @see ND4J `org.nd4j.linalg.activations.impl.ActivationTanH`; PyTorch `Tanh`
 */
export class ActivationTanH extends NativeActivation {
  /** @internal */
  readonly kernel = 'TanH';

  /**
   * @param options none are known: an empty object, or nothing
   * @throws TypeError ERR_OPTION for an unknown option
   */
  constructor(options?: Record<string, never>) {
    super();
    NativeActivation.read({}, 'ActivationTanH', [options]);
  }

  toString(): string {
    return 'tanh';
  }
}
