// SPDX-License-Identifier: Apache-2.0
import { NativeActivation } from './native-activation';

/**
 * Softplus, a smooth ReLU.
 *
 * Formula: `f(z) = log(1 + e^z)`, slope sigmoid; stable at both ends.
 *
 * @example
 * ```ts
 * import { ActivationSoftPlus, nd } from 'simdloss';
 * new ActivationSoftPlus().getActivation(nd.array([0, 100])); // [0.693, 100]
 * ```
 * @see ND4J `org.nd4j.linalg.activations.impl.ActivationSoftPlus`; PyTorch `Softplus`
 */
export class ActivationSoftPlus extends NativeActivation {
  /** @internal */
  readonly kernel = 'SoftPlus';

  /**
   * @param options none are known: an empty object, or nothing
   * @throws TypeError ERR_OPTION for an unknown option
   */
  constructor(options?: Record<string, never>) {
    super();
    NativeActivation.read({}, 'ActivationSoftPlus', [options]);
  }

  toString(): string {
    return 'softplus';
  }
}
