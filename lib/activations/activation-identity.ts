// SPDX-License-Identifier: Apache-2.0
import { NativeActivation } from './native-activation';

/**
 * The identity.
 *
 * Formula: `f(z) = z`, slope 1.
 *
 * @example
 * ```ts
 * import { ActivationIdentity, nd } from 'simdloss';
 * new ActivationIdentity().getActivation(nd.array([-1, 2])); // [-1, 2]
 * ```
 * @see ND4J `org.nd4j.linalg.activations.impl.ActivationIdentity`
 */
export class ActivationIdentity extends NativeActivation {
  /** @internal */
  readonly kernel = 'Identity';

  /**
   * @param options none are known: an empty object, or nothing
   * @throws TypeError ERR_OPTION for an unknown option
   */
  constructor(options?: Record<string, never>) {
    super();
    NativeActivation.read({}, 'ActivationIdentity', [options]);
  }

  toString(): string {
    return 'identity';
  }
}
