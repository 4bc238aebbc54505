// SPDX-License-Identifier: Apache-2.0
import { NativeActivation } from './native-activation';

/**
 * The cube.
 *
 * Formula: `f(z) = z^3`, slope `3 z^2`.
 *
 * @example
 * ```ts
 * import { ActivationCube, nd } from 'simdloss';
 * new ActivationCube().getActivation(nd.array([-1, 2])); // [-1, 8]
 * ```
 * @see ND4J `org.nd4j.linalg.activations.impl.ActivationCube`
 */
export class ActivationCube extends NativeActivation {
  /** @internal */
  readonly kernel = 'Cube';

  /**
   * @param options none are known: an empty object, or nothing
   * @throws TypeError ERR_OPTION for an unknown option
   */
  constructor(options?: Record<string, never>) {
    super();
    NativeActivation.read({}, 'ActivationCube', [options]);
  }

  toString(): string {
    return 'cube';
  }
}
