// SPDX-License-Identifier: Apache-2.0
import { NativeActivation } from './native-activation';

/**
 * Piecewise linear sigmoid.
 *
 * Formula: `f(z) = min(1, max(0, 0.2 z + 0.5))`, slope 0.2 up to `|z| = 2.5`, 0 beyond.
 *
 * @example
 * ```ts
 * import { ActivationHardSigmoid, nd } from 'simdloss';
 * new ActivationHardSigmoid().getActivation(nd.array([-3, 0, 1])); // [0, 0.5, 0.7]
 * ```
 * @see ND4J `org.nd4j.linalg.activations.impl.ActivationHardSigmoid`; Keras 2 `hard_sigmoid`
 */
export class ActivationHardSigmoid extends NativeActivation {
  /** @internal */
  readonly kernel = 'HardSigmoid';

  /**
   * @param options none are known: an empty object, or nothing
   * @throws TypeError ERR_OPTION for an unknown option
   */
  constructor(options?: Record<string, never>) {
    super();
    NativeActivation.read({}, 'ActivationHardSigmoid', [options]);
  }

  toString(): string {
    return 'hardsigmoid';
  }
}
