// SPDX-License-Identifier: Apache-2.0
import type { ArrayInput } from '../array-input';
import { optionError, rangeError } from '../errors';
import { slots } from '../native';
import { CrossEntropyLoss, type CrossEntropyOptions, crossEntropyTraits } from './cross-entropy-loss';
import type { NativeLossTraits } from './native-loss';

const traits: NativeLossTraits = { ...crossEntropyTraits, options: ['softmaxClipEps', 'ignoreIndex'] };

/** Options of `LossSparseMCXENT`. */
export interface SparseCrossEntropyOptions extends CrossEntropyOptions {
  /** Rows with this label have score 0 and gradient 0; any whole number, inside the classes too. None if not given. */
  readonly ignoreIndex?: number | bigint;
}

/**
 * Multi-class cross entropy of class indices, `[n]` or `[n, 1]`, of any dtype that holds whole numbers.
 *
 * Formula: `L = -sum_i m_i w_k log a_ik`, `k` the label of row `i`; as `LossMCXENT` on one-hot labels, which are never
 * made for a wide row.
 *
 * @example
 * ```ts
 * import { Activation, LossSparseMCXENT, nd } from 'simdloss';
 * const loss = new LossSparseMCXENT({ ignoreIndex: -1 });
 * loss.computeScore(Int32Array.of(1, -1), nd.zeros([2, 3]), Activation.SOFTMAX); // log 3: the second row is ignored
 * ```
 * @see ND4J `org.nd4j.linalg.lossfunctions.impl.LossSparseMCXENT`; PyTorch `CrossEntropyLoss` with class indices; Keras
 * `SparseCategoricalCrossentropy`
 */
export class LossSparseMCXENT extends CrossEntropyLoss {
  /** The label of rows that do not count, or undefined. */
  readonly ignoreIndex: bigint | undefined;

  /**
   * @param weights class weights, one a column, any sign, `[c]` or `[1, c]`; or an object of options
   * @throws TypeError ERR_OPTION for an unknown option
   * @throws RangeError ERR_RANGE for a clip outside [0, 0.5], or an ignoreIndex that is no 64-bit whole number
   */
  constructor(weights?: ArrayInput | SparseCrossEntropyOptions);
  /**
   * The same as numbers and arrays, in ND4J's order.
   *
   * @param softmaxClipEps the clip of the score with softmax, from 0 to 0.5
   * @param weights class weights, none if not given
   */
  constructor(softmaxClipEps: number, weights?: ArrayInput);
  constructor(...args: unknown[]) {
    super(traits, args);
    this.ignoreIndex = readIgnoreIndex(this.options['ignoreIndex']);
  }

  protected override get sparse(): boolean {
    return true;
  }

  /** @internal */
  override writeOptions(block: Float64Array): void {
    super.writeOptions(block);
    block[slots.hasIgnore] = this.ignoreIndex === undefined ? 0 : 1;
    if (this.ignoreIndex === undefined) return;
    // As two doubles that are exact: 64 bits do not fit one.
    block[slots.ignoreHigh] = Number(this.ignoreIndex >> 32n);
    block[slots.ignoreLow] = Number(this.ignoreIndex & 0xffffffffn);
  }
}

function readIgnoreIndex(value: unknown): bigint | undefined {
  if (value === undefined) return undefined;
  if (typeof value !== 'number' && typeof value !== 'bigint') throw optionError('ignoreIndex', 'a whole number', value);
  const whole = typeof value === 'bigint' ? value === BigInt.asIntN(64, value) : Number.isSafeInteger(value);
  if (!whole) throw rangeError('ignoreIndex', 'a whole number of 64 bits', value);
  return BigInt(value);
}
