// SPDX-License-Identifier: Apache-2.0
import { NativeActivation } from './native-activation';

/**
 * Rectified linear unit bounded by 6.
 *
 * Formula: `f(z) = min(6, max(0, z))`, slope 0 at 0 and at 6.
 *
 * @example
 * ```ts
 * import { ActivationReLU6, nd } from 'simdloss';
 * new ActivationReLU6().getActivation(nd.array([-1, 2, 8])); // [0, 2, 6]
 * ```
 * @see ND4J `org.nd4j.linalg.activations.impl.ActivationReLU6`; PyTorch `ReLU6`
 */
export class ActivationReLU6 extends NativeActivation {
  /** @internal */
  readonly kernel = 'ReLU';
  /** @internal The ReLU of max 6. */
  override readonly params = [6, 0, 0] as const;

  /**
   * @param options none are known: an empty object, or nothing
   * @throws TypeError ERR_OPTION for an unknown option
   */
  constructor(options?: Record<string, never>) {
    super();
    NativeActivation.read({}, 'ActivationReLU6', [options]);
  }

  toString(): string {
    return 'relu6';
  }
}
