// SPDX-License-Identifier: Apache-2.0
import { readNumber } from '../options';
import { NativeActivation } from './native-activation';

/**
 * Rectified linear unit, with an upper bound, a threshold and a slope below it as options.
 *
 * Formula: `f(z) = max(0, z)`; with options `min(z, max)` for `z >= threshold`, `negativeSlope (z - threshold)` below.
 * Slopes at kinks: 0 at 0 of the plain form, 1 at a threshold, 0 from `max` on.
 *
 * @example
 * ```ts
 * import { ActivationReLU, nd } from 'simdloss';
 * new ActivationReLU({ max: 6, negativeSlope: 0.1 }).getActivation(nd.array([-1, 2, 8])); // [-0.1, 2, 6]
 * ```
 * @see ND4J `org.nd4j.linalg.activations.impl.ActivationReLU`; Keras `ReLU`
 */
export class ActivationReLU extends NativeActivation {
  /** @internal */
  readonly kernel = 'ReLU';
  /** @internal */
  override readonly params: readonly [number, number, number];

  /**
   * @param options `max`: upper bound, none if not given; `threshold`: where the linear part begins, 0; `negativeSlope`:
   * slope below it, 0
   * @throws TypeError ERR_OPTION for an unknown option
   */
  constructor(options?: { readonly max?: number; readonly threshold?: number; readonly negativeSlope?: number });
  constructor(...args: unknown[]) {
    super();
    const names = ['max', 'threshold', 'negativeSlope'];
    const options = NativeActivation.read({ options: names, numbers: names }, 'ActivationReLU', args);
    this.params = [
      readNumber('max', options['max'], Number.POSITIVE_INFINITY),
      readNumber('threshold', options['threshold'], 0),
      readNumber('negativeSlope', options['negativeSlope'], 0),
    ];
  }

  /** Upper bound of the outputs. */
  get max(): number {
    return this.params[0];
  }

  /** Where the linear part begins. */
  get threshold(): number {
    return this.params[1];
  }

  /** Slope below the threshold. */
  get negativeSlope(): number {
    return this.params[2];
  }

  toString(): string {
    return 'relu';
  }
}
