// SPDX-License-Identifier: Apache-2.0
import type { ArrayInput } from '../array-input';
import { slots } from '../native';
import { readNumber } from '../options';
import { NativeLoss, type NativeLossTraits } from './native-loss';

const traits: NativeLossTraits = { kernel: 'BinaryXENT', weighted: true, options: ['clipEps'], numbers: ['clipEps'] };

/** Options of `LossBinaryXENT`. */
export interface BinaryCrossEntropyOptions {
  /** `a` and `1 - a` are each clamped to `[e, 1 - e]`; 0 for the exact loss. 1e-5 if not given. */
  readonly clipEps?: number;
  /** Class weights, one a column, any sign, `[c]` or `[1, c]`. */
  readonly weights?: ArrayInput;
}

/**
 * Binary cross entropy of independent outputs, labels from 0 to 1.
 *
 * Formula: `L = -sum_ij m_ij w_j (y_ij log a_ij + (1 - y_ij) log(1 - a_ij))`, gradient
 * `dl/da = (a - y) / (a (1 - a))`; `a` and `1 - a` clamped to `[clipEps, 1 - clipEps]`. With `clipEps` 0 and sigmoid it
 * is computed from the logit: finite for every finite logit, gradient `a - y`.
 *
 * @example
 * ```ts
 * import { Activation, LossBinaryXENT, nd } from 'simdloss';
 * new LossBinaryXENT({ clipEps: 0 }).computeScore(nd.array([[1]]), nd.array([[0]]), Activation.SIGMOID); // log 2
 * ```
 * @see ND4J `org.nd4j.linalg.lossfunctions.impl.LossBinaryXENT`; PyTorch `BCEWithLogitsLoss` (with sigmoid) and `BCELoss`; Keras `BinaryCrossentropy`
 */
export class LossBinaryXENT extends NativeLoss {
  /** The clamp of the outputs. */
  readonly clipEps: number;

  /**
   * @param weights class weights, one a column, any sign, `[c]` or `[1, c]`; or an object of options
   * @throws TypeError ERR_OPTION for an unknown option
   * @throws RangeError ERR_RANGE for a clip outside [0, 0.5]
   */
  constructor(weights?: ArrayInput | BinaryCrossEntropyOptions);
  /**
   * The same as numbers and arrays, in ND4J's order.
   *
   * @param clipEps the clamp of the outputs, from 0 to 0.5
   * @param weights class weights, none if not given
   */
  constructor(clipEps: number, weights?: ArrayInput);
  constructor(...args: unknown[]) {
    super(traits, args);
    this.clipEps = readNumber('clipEps', this.options['clipEps'], 1e-5, 0, 0.5);
  }

  protected override writeOptions(block: Float64Array): void {
    block[slots.clip] = this.clipEps;
  }
}
