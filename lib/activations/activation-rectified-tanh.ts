// SPDX-License-Identifier: Apache-2.0
import { NativeActivation } from './native-activation';

/**
 * Tanh, 0 below 0.
 *
 * Formula: `f(z) = max(0, tanh z)`, slope 0 at 0.
 *
 * @example
 * ```ts
 * import { ActivationRectifiedTanh, nd } from 'simdloss';
 * new ActivationRectifiedTanh().getActivation(nd.array([-1, 2])); // [0, 0.964]
 * ```
 * @see ND4J `org.nd4j.linalg.activations.impl.ActivationRectifiedTanh`
 */
export class ActivationRectifiedTanh extends NativeActivation {
  /** @internal */
  readonly kernel = 'RectifiedTanh';

  /**
   * @param options none are known: an empty object, or nothing
   * @throws TypeError ERR_OPTION for an unknown option
   */
  constructor(options?: Record<string, never>) {
    super();
    NativeActivation.read({}, 'ActivationRectifiedTanh', [options]);
  }

  toString(): string {
    return 'rectifiedtanh';
  }
}
