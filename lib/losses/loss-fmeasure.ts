// SPDX-License-Identifier: Apache-2.0

import type { OutOption } from '../activations/iactivation';
import type { ArrayInput, MatrixView } from '../array-input';
import { optionError, rangeError, shapeError } from '../errors';
import { slots } from '../native';
import type { NDArray } from '../ndarray/ndarray';
import { readNumber } from '../options';
import type { AsyncOptions } from './async-call';
import type { ActivationInput, MaskInput } from './iloss-function';
import { NativeLoss, type NativeLossTraits } from './native-loss';

const traits: NativeLossTraits = {
  kernel: 'FMeasure',
  coupled: true,
  ofBatch: true,
  options: ['beta'],
  numbers: ['beta'],
};

/**
 * One minus the F-measure of a batch, for binary labels in one column or two; masks are per example.
 *
 * Formula: `L = 1 - (1 + b^2) tp / ((1 + b^2) tp + b^2 fn + fp)`, 0 where that is 0 / 0; with `p` the output of the
 * positive class, `tp = sum m y p`, `fp = sum m (1 - y) p`, `fn = sum m y (1 - p)`. Of two columns the second is the
 * positive class; the first is not read.
 *
 * @example
 * ```ts
 * import { Activation, LossFMeasure, nd } from 'simdloss';
 * new LossFMeasure().computeScore(nd.array([[1], [0]]), nd.array([[0.9], [0.1]]), Activation.IDENTITY); // 0.1
 * ```
 * @see ND4J `org.nd4j.linalg.lossfunctions.impl.LossFMeasure`; Keras metric `FBetaScore`
 */
export class LossFMeasure extends NativeLoss {
  /** Weight of recall against precision. */
  readonly beta: number;

  /**
   * @param beta weight of recall against precision, above 0, 1 if not given; or an object with it
   * @throws TypeError ERR_OPTION for an unknown option
   * @throws RangeError ERR_RANGE for a beta that is not above 0
   */
  constructor(beta?: number | { readonly beta?: number });
  constructor(...args: unknown[]) {
    super(traits, args);
    this.beta = readNumber('beta', this.options['beta'], 1);
    if (!(this.beta > 0 && this.beta < Number.POSITIVE_INFINITY)) {
      throw rangeError('beta', 'a finite number above 0', this.beta);
    }
  }

  /**
   * Always throws, as the F-measure is of the batch and no row has a share of it; arguments as `computeScore`.
   *
   * @throws TypeError ERR_OPTION always
   */
  override computeScoreArray(
    _labels: ArrayInput,
    _preOutput: ArrayInput,
    _activationFn: ActivationInput,
    _mask?: MaskInput,
    _options?: OutOption,
  ): NDArray {
    throw optionError('computeScoreArray', 'a loss with a score per example', 'LossFMeasure');
  }

  /** Always rejects; as `computeScoreArray`. */
  override async computeScoreArrayAsync(
    labels: ArrayInput,
    preOutput: ArrayInput,
    activationFn: ActivationInput,
    mask?: MaskInput,
    options?: AsyncOptions,
  ): Promise<NDArray> {
    return this.computeScoreArray(labels, preOutput, activationFn, mask, options);
  }

  protected override labelColumns(z: MatrixView): number {
    if (z.cols > 2) throw shapeError('preOutput', 'one or two columns', [z.rows, z.cols]);
    return z.cols;
  }

  /** An average changes nothing. */
  protected override divisor(): number {
    return 1;
  }

  protected override writeOptions(block: Float64Array): void {
    block[slots.beta] = this.beta;
  }
}
