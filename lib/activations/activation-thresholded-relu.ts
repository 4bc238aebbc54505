// SPDX-License-Identifier: Apache-2.0
import { readNumber } from '../options';
import { NativeActivation } from './native-activation';

/**
 * Thresholded rectified linear unit.
 *
 * Formula: `f(z) = z` for `z > theta`, else 0; the slope at theta is 0.
 *
 * @example
 * ```ts
 * import { ActivationThresholdedReLU, nd } from 'simdloss';
 * new ActivationThresholdedReLU(0.5).getActivation(nd.array([0.25, 2])); // [0, 2]
 * ```
 * @see ND4J `org.nd4j.linalg.activations.impl.ActivationThresholdedReLU`; PyTorch `Threshold`
 */
export class ActivationThresholdedReLU extends NativeActivation {
  /** @internal */
  readonly kernel = 'ThresholdedReLU';
  /** @internal */
  override readonly params: readonly [number, number, number];
  /** Threshold. */
  readonly theta: number;

  /**
   * @param theta threshold, any number, 1 if not given; or an object with it
   * @throws TypeError ERR_OPTION for an unknown option
   */
  constructor(theta?: number | { readonly theta?: number });
  constructor(...args: unknown[]) {
    super();
    const options = NativeActivation.read(
      { options: ['theta'], numbers: ['theta'] },
      'ActivationThresholdedReLU',
      args,
    );
    this.theta = readNumber('theta', options['theta'], 1);
    this.params = [this.theta, 0, 0];
  }

  toString(): string {
    return `thresholdedrelu(theta=${this.theta})`;
  }
}
