// SPDX-License-Identifier: Apache-2.0
// The base of all losses of the library: every check, once, and the methods. What computes is the subclass's.

import { ActivationIdentity } from '../activations/activation-identity';
import type { IActivation, OutOption } from '../activations/iactivation';
import { NativeActivation } from '../activations/native-activation';
import { resolveActivation } from '../activations/resolve';
import {
  type ArrayInput,
  isSameShape,
  type MatrixView,
  makeMatrix,
  type TypedArray,
  toMatrix,
  toView,
} from '../array-input';
import { bufferError, describe, dtypeError, optionError, shapeError } from '../errors';
import type { AsyncCall, Result } from '../native';
import { NDArray } from '../ndarray/ndarray';
import { isArrayLike, readArguments } from '../options';
import { allocate, asFloat, type FloatDtype, type Output, outOf, outputFor } from '../outputs';
import {
  type AsyncOptions,
  bytesOf,
  type QueuedResult,
  readAsyncOptions,
  runOnEventLoop,
  runQueued,
  type Settled,
} from './async-call';
import { type BindOptions, BoundLoss, readBindOptions } from './bound-loss';
import type { ActivationInput, GradientAndScore, ILossFunction, MaskInput } from './iloss-function';

/** What the base has to know of a loss. */
export interface LossTraits {
  /** Couples a row or the batch: masks are per example only. */
  readonly coupled?: boolean;
  /** Is the batch's as a whole: no row has a share of it. */
  readonly ofBatch?: boolean;
  /** Names of the options, besides `weights`. */
  readonly options?: readonly string[];
  /** The options that plain numbers set, in order. */
  readonly numbers?: readonly string[];
  /** Takes class weights. */
  readonly weighted?: boolean;
}

/** The inputs of one call, checked. */
export interface Inputs {
  readonly z: MatrixView;
  readonly shape: readonly number[];
  readonly dtype: FloatDtype;
  readonly labels: MatrixView;
  readonly mask: MatrixView | undefined;
  readonly maskPerExample: boolean;
  readonly labelCols: number;
}

/** What a call off the event loop computes. */
export type Wanted = 'score' | 'scoreArray' | 'gradient' | 'gradientAndScore';

/** A call that is run again and again. */
export interface KeptCall {
  /** The memory that it reads and writes. */
  readonly arrays: readonly (TypedArray | undefined)[];
  /** Runs it; returns the score. */
  readonly run: () => number;
}

/** A call for another thread. */
export interface ThreadCall {
  /** The memory that it reads: what `begin` passes, in that order. */
  readonly inputs: readonly (TypedArray | undefined)[];
  /** Makes the native call, or a status where it can't be run. */
  readonly begin: () => AsyncCall | number;
  /** The score of the call that has run; throws its error. */
  readonly score: (status: Result) => number;
}

const identity = new ActivationIdentity();
const NONE: readonly MatrixView[] = [];

/** A loss with the library's checks, methods and outputs around what a subclass computes. */
export abstract class BaseLoss implements ILossFunction {
  protected readonly traits: LossTraits;
  /** Class weights, one a column, or null. A copy of what the constructor was given. */
  readonly weights: NDArray | null;
  /** What the constructor was given, by name. */
  protected readonly options: Readonly<Record<string, unknown>>;

  /** @internal */
  protected constructor(traits: LossTraits, args: readonly unknown[]) {
    const names = [...(traits.options ?? []), ...(traits.weighted ? ['weights'] : [])];
    const owner = new.target.name;
    this.traits = traits;
    this.options = readArguments(owner, args, names, traits.numbers ?? [], traits.weighted ? 'weights' : undefined);
    this.weights = this.options['weights'] === undefined ? null : readRow('weights', this.options['weights']);
  }

  name(): string {
    return `${this.constructor.name}()`;
  }

  /** The same as `name()`. */
  toString(): string {
    return this.name();
  }

  computeScore(
    labels: ArrayInput,
    preOutput: ArrayInput,
    activationFn: ActivationInput,
    mask?: MaskInput,
    average = false,
    options?: OutOption,
  ): number {
    outOf(options);
    const inputs = this.check(labels, preOutput, mask, average);
    const activation = resolveActivation(activationFn);
    return this.run(inputs, activation, true, undefined, undefined) / this.divisor(inputs.z.rows, average);
  }

  computeScoreArray(
    labels: ArrayInput,
    preOutput: ArrayInput,
    activationFn: ActivationInput,
    mask?: MaskInput,
    options?: OutOption,
  ): NDArray {
    const out = outOf(options);
    const inputs = this.check(labels, preOutput, mask, false);
    const activation = resolveActivation(activationFn);
    const { rows } = inputs.z;
    const result = outputFor(out, inputs.dtype, [rows, 1], rows, 1, this.reads(inputs, activation));
    this.fillScores(result, inputs, activation);
    return result.array;
  }

  computeGradient(
    labels: ArrayInput,
    preOutput: ArrayInput,
    activationFn: ActivationInput,
    mask?: MaskInput,
    options?: OutOption,
  ): NDArray {
    const out = outOf(options);
    const inputs = this.check(labels, preOutput, mask, false);
    const activation = resolveActivation(activationFn);
    const result = this.gradientFor(out, inputs, activation);
    this.run(inputs, activation, false, result, undefined);
    return result.array;
  }

  computeGradientAndScore(
    labels: ArrayInput,
    preOutput: ArrayInput,
    activationFn: ActivationInput,
    mask?: MaskInput,
    average = false,
    options?: OutOption,
  ): GradientAndScore {
    const out = outOf(options);
    const inputs = this.check(labels, preOutput, mask, average);
    const activation = resolveActivation(activationFn);
    const result = this.gradientFor(out, inputs, activation);
    const score = this.run(inputs, activation, true, result, undefined) / this.divisor(inputs.z.rows, average);
    return { score, gradient: result.array };
  }

  /**
   * `computeScore` off the event loop.
   *
   * Calls compute one after the other in the order they were made, each on all cores but one; those that wait hold no memory.
   * The arguments' memory is copied in short slices when the call's turn comes, but for SharedArrayBuffers and large
   * results of earlier calls, which are read where they are. Leave it alone until the promise settles: a value that is
   * written meanwhile counts or does not, a buffer that is detached rejects. An activation of one's own runs on the event
   * loop.
   *
   * @param labels `y`, as the loss takes them in `computeScore`
   * @param preOutput `z`, `[n, c]`, float32 or float64; left as it is
   * @param activationFn `f`: an object, an `Activation`, or its name in any case
   * @param mask per example or per output; none if not given
   * @param average true: divided by the rows, masked ones too; false if not given
   * @param options `signal`: aborts the call
   * @returns a promise of the score, the same to the bit as `computeScore` gives
   * @throws RangeError and TypeError as `computeScore`, as a rejection; ERR_BUFFER also for memory that is detached or
   * shrunk meanwhile; the signal's reason after an abort, and nothing is written then
   * @example
   * ```ts
   * import { Activation, LossL1, nd } from 'simdloss';
   * const [labels, output] = [nd.array([[1, 2], [3, 4]]), nd.array([[1, 4], [0, 4]])];
   * const score = await new LossL1().computeScoreAsync(labels, output, Activation.IDENTITY);
   * score; // 5
   * ```
   */
  async computeScoreAsync(
    labels: ArrayInput,
    preOutput: ArrayInput,
    activationFn: ActivationInput,
    mask?: MaskInput,
    average = false,
    options?: AsyncOptions,
  ): Promise<number> {
    const { score } = await this.later('score', labels, preOutput, activationFn, mask, average, options);
    return score;
  }

  /**
   * `computeScoreArray` off the event loop; otherwise as `computeScoreAsync`.
   *
   * @param labels `y`, as the loss takes them in `computeScore`
   * @param preOutput `z`, `[n, c]`, float32 or float64; left as it is
   * @param activationFn `f`: an object, an `Activation`, or its name in any case
   * @param mask per example or per output; none if not given
   * @param options `out`: where the result goes, as in `computeScoreArray`, written when all is computed; `signal`
   * @returns a promise of `[n, 1]`: `out`, or a new array
   * @throws RangeError and TypeError as `computeScoreArray`, as a rejection; otherwise as `computeScoreAsync`
   * @example
   * ```ts
   * import { Activation, LossL1, nd } from 'simdloss';
   * const [labels, output] = [nd.array([[1, 2], [3, 4]]), nd.array([[1, 4], [0, 4]])];
   * const scores = await new LossL1().computeScoreArrayAsync(labels, output, Activation.IDENTITY);
   * scores; // [[2], [3]]
   * ```
   */
  async computeScoreArrayAsync(
    labels: ArrayInput,
    preOutput: ArrayInput,
    activationFn: ActivationInput,
    mask?: MaskInput,
    options?: AsyncOptions,
  ): Promise<NDArray> {
    const { array } = await this.later('scoreArray', labels, preOutput, activationFn, mask, false, options);
    return array as NDArray;
  }

  /**
   * `computeGradient` off the event loop; otherwise as `computeScoreAsync`.
   *
   * A new gradient of 256 KiB and more lies in memory of the library's own, which a later call reads in place, but which
   * can't be transferred to another thread: `dup()` it, or give an `out`.
   *
   * @param labels `y`, as the loss takes them in `computeScore`
   * @param preOutput `z`, `[n, c]`, float32 or float64; left as it is, unless it is `out`
   * @param activationFn `f`: an object, an `Activation`, or its name in any case
   * @param mask per example or per output; none if not given
   * @param options `out`: where the result goes, as in `computeGradient`, written when all is computed; `signal`
   * @returns a promise of the gradient: `out`, or a new array
   * @throws RangeError and TypeError as `computeGradient`, as a rejection; otherwise as `computeScoreAsync`
   * @example
   * ```ts
   * import { Activation, LossL2, nd } from 'simdloss';
   * const [labels, output] = [nd.array([[1, 2]]), nd.array([[1, 4]])];
   * const gradient = await new LossL2().computeGradientAsync(labels, output, Activation.IDENTITY);
   * gradient; // [[0, 4]]
   * ```
   */
  async computeGradientAsync(
    labels: ArrayInput,
    preOutput: ArrayInput,
    activationFn: ActivationInput,
    mask?: MaskInput,
    options?: AsyncOptions,
  ): Promise<NDArray> {
    const { array } = await this.later('gradient', labels, preOutput, activationFn, mask, false, options);
    return array as NDArray;
  }

  /**
   * `computeGradientAndScore` off the event loop, its gradient as that of `computeGradientAsync`; otherwise as
   * `computeScoreAsync`.
   *
   * @param labels `y`, as the loss takes them in `computeScore`
   * @param preOutput `z`, `[n, c]`, float32 or float64; left as it is, unless it is `out`
   * @param activationFn `f`: an object, an `Activation`, or its name in any case
   * @param mask per example or per output; none if not given
   * @param average true: the score, not the gradient, is divided by the rows; false if not given
   * @param options `out`: where the gradient goes, as in `computeGradientAndScore`, written when all is computed; `signal`
   * @returns a promise of score and gradient
   * @throws RangeError and TypeError as `computeGradientAndScore`, as a rejection; otherwise as `computeScoreAsync`
   * @example
   * ```ts
   * import { Activation, LossL2, nd } from 'simdloss';
   * const [labels, output, out] = [nd.array([[1, 2]]), nd.array([[1, 4]]), new Float32Array(2)];
   * const signal = AbortSignal.timeout(60_000);
   * const loss = new LossL2();
   * const result = await loss.computeGradientAndScoreAsync(labels, output, 'identity', null, false, { out, signal });
   * result.score; // 4
   * out; // [0, 4]
   * ```
   */
  async computeGradientAndScoreAsync(
    labels: ArrayInput,
    preOutput: ArrayInput,
    activationFn: ActivationInput,
    mask?: MaskInput,
    average = false,
    options?: AsyncOptions,
  ): Promise<GradientAndScore> {
    const settled = await this.later('gradientAndScore', labels, preOutput, activationFn, mask, average, options);
    return { score: settled.score, gradient: settled.array as NDArray };
  }

  /**
   * Checks a call and its buffers once, to run it many times: `run()` allocates nothing, and reads what the buffers hold
   * by then.
   *
   * @param call `labels`, `preOutput`, `activation` and `mask` as in the other methods, of typed arrays; `average`: the
   * score is divided by the rows; `gradient`: an array of preOutput's shape and dtype that each run fills (preOutput
   * itself for a run in place), without it a run computes the score alone; `scoreArray`: one of `[n, 1]`
   * @returns the bound call
   * @throws RangeError ERR_SHAPE, ERR_BUFFER and TypeError ERR_DTYPE as the other methods; ERR_BUFFER for arrays that
   * would have to be copied
   * @throws TypeError ERR_OPTION for an unknown name, an activation that is not built in, or one that is missing
   * @example
   * ```ts
   * import { Activation, LossMSE, nd } from 'simdloss';
   * const labels = nd.array([[1, 2]]);
   * const preOutput = nd.array([[0, 4]]);
   * const gradient = nd.zeros([1, 2]);
   * const bound = new LossMSE().bind({ labels, preOutput, activation: Activation.IDENTITY, gradient });
   * bound.run(); // 2.5
   * preOutput.assign(labels);
   * bound.run(); // 0
   * ```
   */
  bind(call: BindOptions): BoundLoss {
    const { labels, preOutput, activation, mask, average, gradient, scoreArray } = readBindOptions(call);
    if (scoreArray !== undefined && this.traits.ofBatch) {
      throw optionError('scoreArray', 'a loss with a score per example', this.name());
    }
    const inputs = this.check(labels, preOutput, mask, average);
    const resolved = resolveActivation(activation);
    if (!NativeActivation.isMade(resolved)) {
      throw optionError('activation', 'a built-in activation', resolved.toString());
    }
    const { z, shape, dtype } = inputs;
    const kept = { preOutput: z, labels: inputs.labels, mask: inputs.mask };
    for (const [name, matrix] of Object.entries(kept)) {
      const given = { preOutput, labels, mask }[name as keyof typeof kept];
      if (matrix?.copied || Array.isArray(given)) {
        throw bufferError(name, 'a typed array with rows a fixed stride apart', 'an array that has to be copied');
      }
    }
    const reads = this.reads(inputs, resolved);
    const slope =
      gradient === undefined ? undefined : outputFor(gradient, dtype, shape, z.rows, z.cols, reads, z, 'gradient');
    const scores = scoreArray === undefined ? undefined : this.scoresFor(scoreArray, inputs, reads, slope);
    return new BoundLoss(this.keep(inputs, resolved, slope, scores), this.divisor(z.rows, average));
  }

  /** The memory of a bound score array, apart from everything the call reads and from its gradient. */
  private scoresFor(
    out: unknown,
    inputs: Inputs,
    reads: readonly (MatrixView | undefined)[],
    slope: Output | undefined,
  ): TypedArray {
    const { z, dtype } = inputs;
    const gradient = slope && makeMatrix(slope.data, z.rows, z.cols, slope.rowStride, dtype);
    const scores = outputFor(out, dtype, [z.rows, 1], z.rows, 1, [...reads, gradient], undefined, 'scoreArray');
    if (scores.rowStride !== 1) throw bufferError('scoreArray', 'contiguous elements', `stride ${scores.rowStride}`);
    return scores.data;
  }

  // --- What a loss computes ---

  /** The score if it is wanted, and the arrays that are given. */
  protected abstract compute(
    inputs: Inputs,
    activation: NativeActivation,
    wantScore: boolean,
    gradient: Output | undefined,
    scoreArray: TypedArray | undefined,
  ): number;

  /** The same, to be run again: the score, and the arrays that are given. */
  protected abstract keep(
    inputs: Inputs,
    activation: NativeActivation,
    gradient: Output | undefined,
    scoreArray: TypedArray | undefined,
  ): KeptCall;

  /** The same, for another thread; undefined where it has to run on the event loop. */
  protected abstract queue(inputs: Inputs, activation: NativeActivation, wanted: Wanted): ThreadCall | undefined;

  // --- What a loss may define otherwise ---

  /** Columns of the labels, whose shape is `shape` as a matrix of `rows`. */
  protected labelColumns(z: MatrixView, _labels: MatrixView): number {
    return z.cols;
  }

  /** Is this a legal shape of labels for preOutput's shape? */
  protected acceptsLabels(labels: readonly number[], preOutput: readonly number[]): boolean {
    return this.sparse ? isIndexShape(labels, leadingOf(preOutput)) : sameShape(labels, preOutput);
  }

  /** The legal label shapes, for a message. */
  protected labelShape(preOutput: readonly number[]): string {
    return this.sparse ? describeIndexShape(leadingOf(preOutput)) : `preOutput's shape ${describe(preOutput)}`;
  }

  /** Arrays of the loss's own that a call reads. */
  protected constants(_inputs: Inputs, _activation: NativeActivation): readonly MatrixView[] {
    return NONE;
  }

  /** What the score is divided by: the rows where a mean is asked. */
  protected divisor(rows: number, average: boolean): number {
    return average ? rows : 1;
  }

  /** Are labels class indices, one a row? */
  protected get sparse(): boolean {
    return false;
  }

  // --- Checks ---

  private check(labels: ArrayInput, preOutput: ArrayInput, mask: MaskInput, average: boolean): Inputs {
    if (typeof average !== 'boolean') throw optionError('average', 'true or false', average);
    const zView = toView(preOutput, 'preOutput', 'float32');
    const dtype = asFloat(zView.dtype, 'preOutput');
    const z = toMatrix(zView);
    if (z.cols === 0) throw shapeError('preOutput', 'at least one column', zView.shape);
    const shape = zView.shape;

    const labelView = toView(labels, 'labels', dtype);
    if (!this.acceptsLabels(labelView.shape, shape)) {
      throw shapeError('labels', this.labelShape(shape), labelView.shape);
    }
    const labelMatrix = this.sparse ? asColumn(toMatrix(labelView), z.rows) : toMatrix(labelView);
    const labelCols = this.labelColumns(z, labelMatrix);

    let maskMatrix: MatrixView | undefined;
    let maskPerExample = false;
    if (mask !== undefined && mask !== null) {
      const maskView = toView(mask, 'mask', dtype);
      maskPerExample = isPerExample(maskView.shape, shape, z.rows);
      if (!maskPerExample && !sameShape(maskView.shape, shape)) {
        throw shapeError('mask', `[${z.rows}, 1] per example or ${describe(shape)} per output`, maskView.shape);
      }
      if (!maskPerExample && this.traits.coupled && z.cols > 1) {
        throw shapeError('mask', `[${z.rows}, 1], as ${this.name()} takes masks per example only`, maskView.shape);
      }
      maskMatrix = maskPerExample ? asColumn(toMatrix(maskView), z.rows) : toMatrix(maskView);
    }
    if (this.weights !== null && this.weights.length !== z.cols) {
      throw shapeError('weights', `${z.cols} values, one a column of preOutput`, this.weights.length);
    }
    if (average && z.rows === 0) throw shapeError('preOutput', 'at least one row where a mean is asked', shape);
    return { z, shape, dtype, labels: labelMatrix, mask: maskMatrix, maskPerExample, labelCols };
  }

  private gradientFor(out: unknown, inputs: Inputs, activation: IActivation): Output {
    const { z, shape, dtype } = inputs;
    return outputFor(out, dtype, shape, z.rows, z.cols, this.reads(inputs, activation), z);
  }

  private fillScores(result: Output, inputs: Inputs, activation: IActivation): void {
    if (result.rowStride === 1) {
      this.run(inputs, activation, false, undefined, result.data);
      return;
    }
    const { rows } = inputs.z;
    const scores = allocate(inputs.dtype, [rows, 1], rows, 1);
    this.run(inputs, activation, false, undefined, scores.data);
    result.array.assign(scores.array);
  }

  /** Everything that a call reads, for the overlap check. */
  private reads(inputs: Inputs, activation: IActivation): (MatrixView | undefined)[] {
    const known = NativeActivation.isMade(activation) ? activation : identity;
    return [inputs.z, inputs.labels, inputs.mask, known.alphaFor(inputs.z.cols), ...this.constants(inputs, known)];
  }

  // --- The call ---

  private run(
    inputs: Inputs,
    activation: IActivation,
    wantScore: boolean,
    gradient: Output | undefined,
    scoreArray: TypedArray | undefined,
  ): number {
    return NativeActivation.isMade(activation)
      ? this.compute(inputs, activation, wantScore, gradient, scoreArray)
      : this.runCustom(inputs, activation, wantScore, gradient, scoreArray);
  }

  /** The call off the event loop: checked now, run in its turn. */
  private later(
    wanted: Wanted,
    labels: ArrayInput,
    preOutput: ArrayInput,
    activationFn: ActivationInput,
    mask: MaskInput,
    average: boolean,
    options: AsyncOptions | undefined,
  ): Promise<Settled> {
    const { out, signal } = readAsyncOptions(options);
    const inputs = this.check(labels, preOutput, mask, average);
    const activation = resolveActivation(activationFn);
    const reads = this.reads(inputs, activation);
    const { z, dtype } = inputs;
    const wantScore = wanted === 'score' || wanted === 'gradientAndScore';
    const isGradient = wanted === 'gradient' || wanted === 'gradientAndScore';
    let result: QueuedResult | undefined;
    if (wanted !== 'score') {
      const cols = isGradient ? z.cols : 1;
      const shape = isGradient ? inputs.shape : [z.rows, 1];
      const given = out !== undefined && out !== null;
      const inPlace = isGradient ? z : undefined;
      const output = given ? outputFor(out, dtype, shape, z.rows, cols, reads, inPlace) : undefined;
      result = { dtype, shape, rows: z.rows, cols, out: output };
    }
    const divisor = this.divisor(z.rows, average);
    const call = NativeActivation.isMade(activation) ? this.queue(inputs, activation, wanted) : undefined;
    if (call === undefined) {
      return runOnEventLoop(() => {
        const output = result && (result.out ?? allocate(dtype, result.shape, result.rows, result.cols));
        if (output !== undefined && !isGradient) this.fillScores(output, inputs, activation);
        const score = wanted === 'scoreArray' ? 0 : this.run(inputs, activation, wantScore, output, undefined);
        return { score: score / divisor, array: output?.array };
      }, signal);
    }
    const bytes = reads.reduce((sum, matrix) => sum + bytesOf(matrix), 0);
    const score = (status: Result) => call.score(status) / divisor;
    return runQueued({ ...call, bytes, score, result }, signal);
  }

  /** A user's own activation: its outputs through the loss with identity, and its backprop. */
  private runCustom(
    inputs: Inputs,
    activation: IActivation,
    wantScore: boolean,
    gradient: Output | undefined,
    scoreArray: TypedArray | undefined,
  ): number {
    const { z, shape } = inputs;
    const logits = () => new NDArray(z.data, shape, stridesOf(shape, z)).dup();
    const outputs = activation.getActivation(logits(), true);
    const view = toView(outputs, 'activation output', inputs.dtype);
    if (!sameShape(view.shape, shape)) throw shapeError('activation output', describe(shape), view.shape);
    if (view.dtype !== inputs.dtype) throw dtypeError('activation output', inputs.dtype, view.dtype);
    const activated: Inputs = { ...inputs, z: toMatrix(view) };
    if (gradient === undefined) return this.compute(activated, identity, wantScore, undefined, scoreArray);
    const slope = allocate(activated.dtype, shape, z.rows, z.cols);
    const score = this.compute(activated, identity, wantScore, slope, scoreArray);
    const gradients: unknown = activation.backprop(logits(), slope.array);
    if (!Array.isArray(gradients)) throw dtypeError('activation.backprop', 'an array [dL/dz, dL/dparams]', gradients);
    const backpropagated = gradients[0] as NDArray;
    const result = toView(backpropagated, 'activation gradient', inputs.dtype);
    if (!sameShape(result.shape, shape)) throw shapeError('activation gradient', describe(shape), result.shape);
    gradient.array.assign(backpropagated);
    return score;
  }
}

/** A copy of values, one a column, `[c]`. */
export function readRow(name: string, value: unknown): NDArray {
  if (!isArrayLike(value)) throw optionError(name, 'an array with one value a column', value);
  const view = toView(value, name, 'float64');
  const { rows, cols, ...matrix } = toMatrix(view);
  if (view.shape.length !== 1 && rows !== 1) throw shapeError(name, '[c] or [1, c]', view.shape);
  return new NDArray(matrix.data, [rows * cols], [view.shape.length === 1 ? matrix.rowStride : 1]).dup();
}

function sameShape(a: readonly number[], b: readonly number[]): boolean {
  // A vector [n] is the column [n, 1].
  if (a.length === 1 && b.length === 2) return a[0] === b[0] && b[1] === 1;
  if (a.length === 2 && b.length === 1) return a[0] === b[0] && a[1] === 1;
  return isSameShape(a, b);
}

/** `[n]`, `[n, 1]`, or preOutput's leading axes, with or without a last axis of 1. */
export function isPerExample(shape: readonly number[], preOutput: readonly number[], rows: number): boolean {
  if (shape[0] === rows && (shape.length === 1 || (shape.length === 2 && shape[1] === 1))) return true;
  const leading = preOutput.length - 1;
  if (shape.length !== leading && !(shape.length === leading + 1 && shape[leading] === 1)) return false;
  for (let axis = 0; axis < leading; axis++) if (shape[axis] !== preOutput[axis]) return false;
  return leading > 0;
}

/** Values, one a row, as a column of `rows`; a stored shape of leading axes folds to it. */
export function asColumn(matrix: MatrixView, rows: number): MatrixView {
  if (matrix.cols === 1 && matrix.rows === rows) return matrix;
  // [b, t] without a last axis: rows b with t contiguous columns, or copied to that.
  if (matrix.rowStride === matrix.cols || matrix.rows <= 1) {
    return makeMatrix(matrix.data, rows, 1, 1, matrix.dtype, matrix.copied);
  }
  const packed = new NDArray(matrix.data, [matrix.rows, matrix.cols], [matrix.rowStride, 1]).dup();
  return makeMatrix(packed.data, rows, 1, 1, matrix.dtype, true);
}

/** Strides over `matrix.data` for `shape`, whose leading axes the matrix folds. */
function stridesOf(shape: readonly number[], matrix: MatrixView): number[] {
  const strides = new Array<number>(shape.length);
  let stride = shape.length === 1 ? matrix.rowStride : 1;
  for (let axis = shape.length - 1; axis >= 0; axis--) {
    strides[axis] = stride;
    stride = axis === shape.length - 1 && shape.length > 1 ? matrix.rowStride : stride * (shape[axis] ?? 1);
  }
  return strides;
}

/** The axes of rows. */
export const leadingOf = (preOutput: readonly number[]): readonly number[] =>
  preOutput.length === 1 ? preOutput : preOutput.slice(0, -1);

/** Is this a legal shape of class indices for rows along the axes `leading`? */
export function isIndexShape(shape: readonly number[], leading: readonly number[]): boolean {
  const withAxis = shape.length === leading.length + 1 && shape[leading.length] === 1;
  return (shape.length === leading.length || withAxis) && leading.every((size, axis) => shape[axis] === size);
}

/** The legal shapes, for a message. */
export function describeIndexShape(leading: readonly number[]): string {
  return `class indices ${describe(leading)} or ${describe([...leading, 1])}`;
}
