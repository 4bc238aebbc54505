// SPDX-License-Identifier: Apache-2.0
import { readNumber } from '../options';
import { NativeActivation } from './native-activation';

/**
 * Leaky rectified linear unit.
 *
 * Formula: `f(z) = z` for `z >= 0`, `alpha z` below; the slope at 0 is 1.
 *
 * @example
 * ```ts
 * import { ActivationLReLU, nd } from 'simdloss';
 * new ActivationLReLU(0.1).getActivation(nd.array([-1, 2])); // [-0.1, 2]
 * ```
 * @see ND4J `org.nd4j.linalg.activations.impl.ActivationLReLU`; PyTorch `LeakyReLU`
 */
export class ActivationLReLU extends NativeActivation {
  /** @internal */
  readonly kernel = 'LReLU';
  /** @internal */
  override readonly params: readonly [number, number, number];
  /** Slope below 0. */
  readonly alpha: number;

  /**
   * @param alpha slope below 0, any number, 0.01 if not given; or an object with it
   * @throws TypeError ERR_OPTION for an unknown option
   */
  constructor(alpha?: number | { readonly alpha?: number });
  constructor(...args: unknown[]) {
    super();
    const options = NativeActivation.read({ options: ['alpha'], numbers: ['alpha'] }, 'ActivationLReLU', args);
    this.alpha = readNumber('alpha', options['alpha'], 0.01);
    this.params = [this.alpha, 0, 0];
  }

  toString(): string {
    return `leakyrelu(a=${this.alpha})`;
  }
}
