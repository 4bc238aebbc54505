// SPDX-License-Identifier: Apache-2.0
import { NativeActivation } from './native-activation';

/**
 * Rational approximation of 1.7159 tanh(2 z / 3).
 *
 * Formula: `f(z) = 1.7159 sign(z) (1 - 1 / (1 + |x| + x^2 + 1.41645 x^4))`, `x = 2 z / 3`.
 *
 * @example
 * ```ts
 * import { ActivationRationalTanh, nd } from 'simdloss';
 * new ActivationRationalTanh().getActivation(nd.array([-1, 2])); // [-0.998, 1.516]
 * ```
 * @see ND4J `org.nd4j.linalg.activations.impl.ActivationRationalTanh`
 */
export class ActivationRationalTanh extends NativeActivation {
  /** @internal */
  readonly kernel = 'RationalTanh';

  /**
   * @param options none are known: an empty object, or nothing
   * @throws TypeError ERR_OPTION for an unknown option
   */
  constructor(options?: Record<string, never>) {
    super();
    NativeActivation.read({}, 'ActivationRationalTanh', [options]);
  }

  toString(): string {
    return 'rationaltanh';
  }
}
