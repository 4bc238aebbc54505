// SPDX-License-Identifier: Apache-2.0
/// <reference lib="esnext.disposable" preserve="true" />
import { type ArrayInput, lengthOf, type TypedArray } from '../array-input';
import { bufferError, optionError } from '../errors';
import type { KeptCall } from './base-loss';
import type { ActivationInput, MaskInput } from './iloss-function';

/** What a loss is bound to. */
export interface BindOptions {
  /** As the loss takes them. */
  readonly labels: ArrayInput;
  /** A layer's output before its activation, float32 or float64. */
  readonly preOutput: ArrayInput;
  /** A built-in activation. */
  readonly activation: ActivationInput;
  /** Per example or per output; none if not given. */
  readonly mask?: MaskInput;
  /** Is the score divided by the rows? false if not given. */
  readonly average?: boolean | undefined;
  /** Filled by each run: the shape and dtype of preOutput, or preOutput itself. */
  readonly gradient?: ArrayInput | undefined;
  /** Filled by each run: `[n, 1]`, or a bare typed array of n elements. */
  readonly scoreArray?: ArrayInput | undefined;
}

const NAMES = ['labels', 'preOutput', 'activation', 'mask', 'average', 'gradient', 'scoreArray'];

/** Each property read once; unknown names are errors. */
export function readBindOptions(call: BindOptions): BindOptions & { average: boolean } {
  if (typeof call !== 'object' || call === null) throw optionError('bind', 'an object', call);
  for (const key of Object.keys(call)) {
    if (!NAMES.includes(key)) throw optionError('bind', `one of ${NAMES.join(', ')}`, key);
  }
  const { labels, preOutput, activation, mask, average, gradient, scoreArray } = call;
  return { labels, preOutput, activation, mask, average: average ?? false, gradient, scoreArray };
}

/**
 * A loss bound to its buffers by `bind()`: checked once, run many times.
 *
 * Formula: `run()` is `computeScore`, and fills the gradient and the score array that were bound.
 *
 * @example
 * ```ts
 * import { Activation, type BoundLoss, LossL1, nd } from 'simdloss';
 * const call = { labels: nd.array([[1]]), preOutput: nd.array([[3]]), activation: Activation.IDENTITY };
 * const bound: BoundLoss = new LossL1().bind(call);
 * bound.run(); // 2
 * bound.dispose();
 * ```
 * @see ONNX Runtime `IoBinding`, the same idea for a model
 */
export class BoundLoss {
  // Out of reach: native code reads memory on the word of these.
  #run: (() => number) | undefined;
  readonly #arrays: readonly TypedArray[];
  readonly #lengths: readonly number[];
  readonly #divisor: number;

  /** @internal Use `bind` of a loss. `divisor`: of the score. */
  constructor({ run, arrays }: KeptCall, divisor: number) {
    this.#run = run;
    this.#arrays = arrays.filter((array) => array !== undefined);
    this.#lengths = this.#arrays.map((array) => lengthOf.call(array));
    this.#divisor = divisor;
  }

  /**
   * Computes over what the buffers hold now.
   *
   * @returns the score
   * @throws RangeError ERR_BUFFER for a buffer that was detached or shrunk; ERR_RANGE for a class index out of range
   * @throws TypeError ERR_OPTION after `dispose()`
   * @example
   * ```ts
   * import { Activation, LossL2, nd } from 'simdloss';
   * const call = { labels: nd.array([[1]]), preOutput: nd.array([[3]]), activation: Activation.IDENTITY };
   * new LossL2().bind(call).run(); // 4
   * ```
   */
  run(): number {
    const run = this.#run;
    const arrays = this.#arrays;
    const lengths = this.#lengths;
    if (run === undefined) throw optionError('run', 'a bound loss', 'one that was disposed of');
    for (let i = 0; i < arrays.length; i++) {
      // What native code keeps is as long as it was, or not read at all.
      const length = lengthOf.call(arrays[i]);
      if (length !== lengths[i]) throw bufferError('bound buffer', `${lengths[i]} elements`, length);
    }
    return run() / this.#divisor;
  }

  /** Lets go of the buffers; `run()` is an error from now on. */
  dispose(): void {
    this.#run = undefined;
  }

  /** As `dispose`, at the end of a `using` block. */
  [Symbol.dispose](): void {
    this.dispose();
  }
}
