// SPDX-License-Identifier: Apache-2.0
import { NativeActivation } from './native-activation';

/**
 * The logistic function.
 *
 * Formula: `f(z) = 1 / (1 + e^-z)`, slope `f(z) f(-z)`.
 *
 * @example
 * ```ts
 * import { ActivationSigmoid, nd } from 'simdloss';
 * new ActivationSigmoid().getActivation(nd.array([0, 2])); // [0.5, 0.881]
 * ```
 * @see ND4J `org.nd4j.linalg.activations.impl.ActivationSigmoid`; PyTorch `Sigmoid`
 */
export class ActivationSigmoid extends NativeActivation {
  /** @internal */
  readonly kernel = 'Sigmoid';

  /**
   * @param options none are known: an empty object, or nothing
   * @throws TypeError ERR_OPTION for an unknown option
   */
  constructor(options?: Record<string, never>) {
    super();
    NativeActivation.read({}, 'ActivationSigmoid', [options]);
  }

  toString(): string {
    return 'sigmoid';
  }
}
