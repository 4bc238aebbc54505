// SPDX-License-Identifier: Apache-2.0
import type { MatrixView } from '../array-input';
import { describe, shapeError } from '../errors';
import { slots } from '../native';
import { readInteger } from '../options';
import { NativeLoss, type NativeLossTraits } from './native-loss';

const traits: NativeLossTraits = {
  kernel: 'MixtureDensity',
  coupled: true,
  options: ['mixtures', 'labelWidth'],
  numbers: ['mixtures', 'labelWidth'],
};

/**
 * Negative log-likelihood under a mixture of Gaussians that the network puts out; masks are per example.
 *
 * Formula: `L = -sum_i m_i log sum_k alpha_k (2 pi)^(-d/2) sigma_k^-d exp(-|y_i - mu_k|^2 / (2 sigma_k^2))`. A row of
 * preOutput is `k` logits of alpha, `k` of log sigma and `k d` of mu; labels are `[n, d]`.
 *
 * @example
 * ```ts
 * import { Activation, LossMixtureDensity, nd } from 'simdloss';
 * new LossMixtureDensity(1).computeScore(nd.array([[2]]), nd.array([[0, 0, 2]]), Activation.IDENTITY); // log(2 pi) / 2
 * ```
 * @see ND4J `org.nd4j.linalg.lossfunctions.impl.LossMixtureDensity`; Bishop 1994, "Mixture density networks"
 */
export class LossMixtureDensity extends NativeLoss {
  /** How many Gaussians, or undefined: as many as the columns hold. */
  readonly mixtures: number | undefined;
  /** Columns of the labels, or undefined: as many as they have. */
  readonly labelWidth: number | undefined;

  /**
   * @param mixtures how many Gaussians, from 1 on; taken from the columns if not given; or an object of both
   * @param labelWidth columns of the labels, from 1 on; taken from the labels if not given
   * @throws TypeError ERR_OPTION for an unknown option
   * @throws RangeError ERR_RANGE for a count that is not a whole number from 1 on
   */
  constructor(mixtures?: number | { readonly mixtures?: number; readonly labelWidth?: number }, labelWidth?: number);
  constructor(...args: unknown[]) {
    super(traits, args);
    this.mixtures = readInteger('mixtures', this.options['mixtures'], 1);
    this.labelWidth = readInteger('labelWidth', this.options['labelWidth'], 1);
  }

  protected override acceptsLabels(labels: readonly number[], preOutput: readonly number[]): boolean {
    const leading = preOutput.slice(0, -1);
    // A vector of labels is a column.
    if (labels.length === 1 && preOutput.length === 2) return labels[0] === leading[0];
    return labels.length === preOutput.length && leading.every((size, axis) => labels[axis] === size);
  }

  protected override labelShape(preOutput: readonly number[]): string {
    return `${describe(preOutput.slice(0, -1))} and an axis of labelWidth`;
  }

  protected override labelColumns(z: MatrixView, labels: MatrixView): number {
    const width = labels.cols;
    if (width === 0 || (this.labelWidth !== undefined && this.labelWidth !== width)) {
      throw shapeError('labels', `${this.labelWidth ?? 'at least 1'} columns`, [labels.rows, width]);
    }
    const mixtures = this.mixtures ?? z.cols / (width + 2);
    if (!Number.isInteger(mixtures) || mixtures * (width + 2) !== z.cols) {
      const expected = `(labelWidth + 2) * mixtures columns, labelWidth ${width}, mixtures ${this.mixtures ?? 'any'}`;
      throw shapeError('preOutput', expected, [z.rows, z.cols]);
    }
    return width;
  }

  protected override writeOptions(block: Float64Array, inputs: { z: MatrixView; labelCols: number }): void {
    block[slots.mixtures] = inputs.z.cols / (inputs.labelCols + 2);
  }
}
