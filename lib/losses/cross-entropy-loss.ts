// SPDX-License-Identifier: Apache-2.0
import type { ArrayInput } from '../array-input';
import { slots } from '../native';
import { readNumber } from '../options';
import { NativeLoss, type NativeLossTraits } from './native-loss';

/** Options of the multi-class cross entropies. */
export interface CrossEntropyOptions {
  /** With softmax, the log-probability is clamped to `[log e, log(1 - e)]` in the score; 0 for the exact score. 1e-10 if not given. */
  readonly softmaxClipEps?: number;
  /** Class weights, one a column, any sign, `[c]` or `[1, c]`. */
  readonly weights?: ArrayInput;
}

/** @internal The traits that the cross entropies share. */
export const crossEntropyTraits: NativeLossTraits = {
  kernel: 'CrossEntropy',
  weighted: true,
  options: ['softmaxClipEps'],
  numbers: ['softmaxClipEps'],
};

/** What the cross entropies share: the clip of the score. */
export abstract class CrossEntropyLoss extends NativeLoss {
  /** The clip of the score with softmax. */
  readonly softmaxClipEps: number;

  /** @internal */
  protected constructor(traits: NativeLossTraits, args: readonly unknown[]) {
    super(traits, args);
    this.softmaxClipEps = readNumber('softmaxClipEps', this.options['softmaxClipEps'], 1e-10, 0, 0.5);
  }

  protected override writeOptions(block: Float64Array): void {
    block[slots.clip] = this.softmaxClipEps;
  }
}
