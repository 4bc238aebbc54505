// SPDX-License-Identifier: Apache-2.0
import { readNumber } from '../options';
import { NativeActivation } from './native-activation';

/**
 * Exponential linear unit.
 *
 * Formula: `f(z) = z` for `z >= 0`, `alpha (e^z - 1)` below; the slope at 0 is 1.
 *
 * @example
 * ```ts
 * import { ActivationELU, nd } from 'simdloss';
 * new ActivationELU(0.5).getActivation(nd.array([-1, 2])); // [-0.316, 2]
 * ```
 * @see ND4J `org.nd4j.linalg.activations.impl.ActivationELU`; Clevert et al. 2015, "Fast and accurate deep network
 * learning by exponential linear units"
 */
export class ActivationELU extends NativeActivation {
  /** @internal */
  readonly kernel = 'ELU';
  /** @internal */
  override readonly params: readonly [number, number, number];
  /** The value that f approaches for z to -Infinity, negated. */
  readonly alpha: number;

  /**
   * @param alpha scale of the negative side, any number, 1 if not given; or an object with it
   * @throws TypeError ERR_OPTION for an unknown option
   */
  constructor(alpha?: number | { readonly alpha?: number });
  constructor(...args: unknown[]) {
    super();
    const options = NativeActivation.read({ options: ['alpha'], numbers: ['alpha'] }, 'ActivationELU', args);
    this.alpha = readNumber('alpha', options['alpha'], 1);
    this.params = [this.alpha, 0, 0];
  }

  toString(): string {
    return `elu(alpha=${this.alpha})`;
  }
}
