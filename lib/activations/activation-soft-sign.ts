// SPDX-License-Identifier: Apache-2.0
import { NativeActivation } from './native-activation';

/**
 * Softsign.
 *
 * Formula: `f(z) = z / (1 + |z|)`, slope `1 / (1 + |z|)^2`.
 *
 * @example
 * ```ts
 * import { ActivationSoftSign, nd } from 'simdloss';
 * new ActivationSoftSign().getActivation(nd.array([-1, 3])); // [-0.5, 0.75]
 * ```
 * @see ND4J `org.nd4j.linalg.activations.impl.ActivationSoftSign`; PyTorch `Softsign`
 */
export class ActivationSoftSign extends NativeActivation {
  /** @internal */
  readonly kernel = 'SoftSign';

  /**
   * @param options none are known: an empty object, or nothing
   * @throws TypeError ERR_OPTION for an unknown option
   */
  constructor(options?: Record<string, never>) {
    super();
    NativeActivation.read({}, 'ActivationSoftSign', [options]);
  }

  toString(): string {
    return 'softsign';
  }
}
