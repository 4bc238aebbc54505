// SPDX-License-Identifier: Apache-2.0
import { NativeActivation } from './native-activation';

/**
 * Piecewise linear tanh.
 *
 * Formula: `f(z) = min(1, max(-1, z))`, slope 1 up to `|z| = 1`, 0 beyond.
 *
 * @example
 * ```ts
 * import { ActivationHardTanH, nd } from 'simdloss';
 * new ActivationHardTanH().getActivation(nd.array([-3, 0.5, 2])); // [-1, 0.5, 1]
 * ```
 * @see ND4J `org.nd4j.linalg.activations.impl.ActivationHardTanH`; PyTorch `Hardtanh`
 */
export class ActivationHardTanH extends NativeActivation {
  /** @internal */
  readonly kernel = 'HardTanH';

  /**
   * @param options none are known: an empty object, or nothing
   * @throws TypeError ERR_OPTION for an unknown option
   */
  constructor(options?: Record<string, never>) {
    super();
    NativeActivation.read({}, 'ActivationHardTanH', [options]);
  }

  toString(): string {
    return 'hardtanh';
  }
}
