// SPDX-License-Identifier: Apache-2.0
// Losses of one's own, from an expression.
import type { NativeActivation } from '../activations/native-activation';
import { type ArrayInput, type MatrixView, makeMatrix, type TypedArray, toMatrix, toView } from '../array-input';
import { keptIn } from '../bounded-map';
import { describe, optionError, shapeError } from '../errors';
import type { Output } from '../outputs';
import type { SameDiff } from '../samediff/samediff';
import type { SDVariable } from '../samediff/variable';
import {
  BaseLoss,
  type Inputs,
  type KeptCall,
  type LossTraits,
  leadingOf,
  type ThreadCall,
  type Wanted,
} from './base-loss';
import { GRADIENT, type LossArrays, LossExpression, SCORE, SCORE_ARRAY } from './loss-expression';

/** Options of `SameDiffLoss` and `defineLoss`. */
export interface SameDiffLossOptions {
  /** Class weights, one a column, any sign, `[c]` or `[1, c]`; of a loss with a score per output. */
  readonly weights?: ArrayInput | undefined;
  /**
   * What labels are: `outputs`, one for each output, in preOutput's shape, if not given; `rows`, a row of any width for
   * each example; `classes`, an index of a column for each example, `[n]` or `[n, 1]`, for `gather`.
   */
  readonly labels?: 'outputs' | 'rows' | 'classes' | undefined;
}

/** Expressions that are kept: one for each activation, number of columns, and columns of labels. */
const MOST_EXPRESSIONS = 64;

const NONE: readonly MatrixView[] = [];
const traits: LossTraits = { weighted: true, options: ['labels'] };

/**
 * A loss of one's own: an expression of labels and output, from which score, score array and gradient follow. It is
 * compiled to one pass of SIMD code, and does all that a built-in loss does.
 *
 * Formula: `L = sum_i m_i l_i`, or `sum_ij m_ij w_j l_ij`, of the scores `l` that `defineLoss` gives; the gradient by
 * the chain rule.
 *
 * A mask of 0 leaves a place out of the sum, with gradient 0; what the expression itself takes over all rows, as in
 * `labels.sub(layerInput.mean(0))`, includes them.
 *
 * @example
 * ```ts
 * import { Activation, nd, type SameDiff, SameDiffLoss, type SDVariable } from 'simdloss';
 * class LogCosh extends SameDiffLoss {
 *   defineLoss(_sd: SameDiff, layerInput: SDVariable, labels: SDVariable) {
 *     const e = layerInput.sub(labels).abs(); // log cosh e, without overflow
 *     return e.add(e.mul(-2).softplus()).sub(Math.LN2);
 *   }
 * }
 * new LogCosh().computeGradient(nd.array([[1, 2]]), nd.array([[1, 12]]), Activation.IDENTITY); // [[0, 1]]
 * ```
 * @see ND4J `org.nd4j.linalg.lossfunctions.SameDiffLoss`
 */
export abstract class SameDiffLoss extends BaseLoss {
  readonly #labels: 'outputs' | 'rows' | 'classes';
  readonly #weights: MatrixView | undefined;
  readonly #expressions = new Map<string, LossExpression>();
  #last: { readonly activation: NativeActivation; readonly cols: number; readonly labelCols: number } | undefined;
  #lastExpression: LossExpression | undefined;

  /**
   * @param options class weights, and what labels are
   * @throws TypeError ERR_OPTION for an unknown option, or labels of no kind; ERR_DTYPE for weights that are no array
   * @throws RangeError ERR_SHAPE for weights that are no row
   */
  constructor(options?: ArrayInput | SameDiffLossOptions);
  /** @internal A loss of the library, with options of its own. */
  constructor(options: unknown, own: LossTraits);
  constructor(options?: unknown, own = traits) {
    super(own, [options]);
    this.#labels = readLabels(this.options['labels']);
    const { weights } = this;
    this.#weights = weights === null ? undefined : makeMatrix(weights.data, 1, weights.length, 0, weights.dtype);
  }

  /**
   * The loss as an expression. It is asked for once for each activation and each number of columns, and kept: what it
   * reads besides counts as it is then.
   *
   * @param sd the graph, for constants and for `sd.math`, `sd.nn` and `sd.loss`
   * @param layerInput the activated output, `[-1, c]`; leading axes are folded into the first
   * @param labels `[-1, c]`; with the option `classes` `[-1, 1]`, with `rows` `[-1, d]`
   * @returns the score of each example, `[-1]` or `[-1, 1]`, or of each output, `[-1, c]`
   * @throws what its expressions throw, for shapes or options: it passes through the method that asked, unchanged
   * @example
   * ```ts
   * import { Activation, defineLoss, LossHuber, LossLogCosh, nd } from 'simdloss';
   * const [huber, logCosh] = [new LossHuber(), new LossLogCosh()]; // any loss that is an expression, inside of another
   * const both = defineLoss('both', (labels, output, sd) =>
   *   huber.defineLoss(sd, output, labels).add(logCosh.defineLoss(sd, output, labels)),
   * );
   * both.computeGradient(nd.array([[0]]), nd.array([[9]]), Activation.IDENTITY); // [[2]]
   * ```
   */
  abstract defineLoss(sd: SameDiff, layerInput: SDVariable, labels: SDVariable): SDVariable;

  protected override get sparse(): boolean {
    return this.#labels === 'classes';
  }

  protected override acceptsLabels(labels: readonly number[], preOutput: readonly number[]): boolean {
    if (this.#labels !== 'rows') return super.acceptsLabels(labels, preOutput);
    const leading = leadingOf(preOutput);
    // A vector of labels is a column.
    const isVector = labels.length === 1 && leading.length === 1;
    return (isVector || labels.length === leading.length + 1) && leading.every((size, axis) => labels[axis] === size);
  }

  protected override labelShape(preOutput: readonly number[]): string {
    if (this.#labels !== 'rows') return super.labelShape(preOutput);
    return `${describe(leadingOf(preOutput))} and an axis of labels`;
  }

  protected override labelColumns(_z: MatrixView, labels: MatrixView): number {
    if (labels.cols === 0) throw shapeError('labels', 'at least one column', [labels.rows, 0]);
    return labels.cols;
  }

  protected override compute(
    inputs: Inputs,
    activation: NativeActivation,
    wantScore: boolean,
    gradient: Output | undefined,
    scoreArray: TypedArray | undefined,
  ): number {
    const wanted =
      (wantScore ? SCORE : 0) + (gradient === undefined ? 0 : GRADIENT) + (scoreArray === undefined ? 0 : SCORE_ARRAY);
    const arrays = this.#arrays(inputs, activation);
    return this.#compiled(inputs, activation, wanted).run(arrays, inputs.dtype, gradient, scoreArray);
  }

  protected override keep(
    inputs: Inputs,
    activation: NativeActivation,
    gradient: Output | undefined,
    scoreArray: TypedArray | undefined,
  ): KeptCall {
    const wanted = SCORE + (gradient === undefined ? 0 : GRADIENT) + (scoreArray === undefined ? 0 : SCORE_ARRAY);
    const arrays = this.#arrays(inputs, activation);
    return this.#compiled(inputs, activation, wanted).keep(arrays, inputs.dtype, gradient, scoreArray);
  }

  protected override queue(inputs: Inputs, activation: NativeActivation, wanted: Wanted): ThreadCall | undefined {
    const compiled = this.#compiled(inputs, activation, BITS[wanted]);
    return compiled.queue(this.#arrays(inputs, activation), inputs.dtype);
  }

  protected override constants({ z, labelCols }: Inputs, activation: NativeActivation): readonly MatrixView[] {
    const { constants } = this.#expression(activation, z.cols, labelCols);
    if (constants.size === 0) return NONE;
    return Array.from(constants.values(), (array) => toMatrix(toView(array, 'constant', 'float32')));
  }

  #arrays(inputs: Inputs, activation: NativeActivation): LossArrays {
    const { z, labels, mask } = inputs;
    return [z, labels, mask, this.#weights, activation.alphaFor(z.cols)];
  }

  #compiled(inputs: Inputs, activation: NativeActivation, wanted: number) {
    const { z, shape, labelCols, mask, maskPerExample } = inputs;
    const expression = this.#expression(activation, z.cols, labelCols);
    const kind = mask === undefined ? 'none' : maskPerExample ? 'example' : 'output';
    if (expression.perExample) {
      const who = `as ${this.name()} has a score per example`;
      if (kind === 'output') throw shapeError('mask', `[${z.rows}, 1], ${who}`, shape);
      if (this.#weights !== undefined) throw optionError('weights', `none, ${who}`, this.weights);
    }
    return expression.for(kind, this.#weights !== undefined, wanted, z.rows);
  }

  #definition(): typeof this.defineLoss {
    // JavaScript has no abstract methods.
    const define: unknown = this.defineLoss;
    if (typeof define !== 'function') throw optionError(this.name(), 'a method defineLoss', define);
    return this.defineLoss.bind(this);
  }

  #expression(activation: NativeActivation, cols: number, labelCols: number): LossExpression {
    const last = this.#last;
    if (last !== undefined && last.activation === activation && last.cols === cols && last.labelCols === labelCols) {
      return this.#lastExpression as LossExpression;
    }
    const key = `${activation.kernel} ${activation.params} ${cols} ${labelCols}`;
    const expression = keptIn(
      this.#expressions,
      key,
      MOST_EXPRESSIONS,
      () => new LossExpression(this.name(), this.#definition(), activation, cols, labelCols),
    );
    this.#last = { activation, cols, labelCols };
    this.#lastExpression = expression;
    return expression;
  }
}

const BITS: Readonly<Record<Wanted, number>> = {
  score: SCORE,
  scoreArray: SCORE_ARRAY,
  gradient: GRADIENT,
  gradientAndScore: SCORE + GRADIENT,
};

function readLabels(value: unknown): 'outputs' | 'rows' | 'classes' {
  if (value === undefined) return 'outputs';
  if (value === 'outputs' || value === 'rows' || value === 'classes') return value;
  throw optionError('labels', 'outputs, rows or classes', value);
}

class DefinedLoss extends SameDiffLoss {
  readonly #name: string;
  readonly #define: LossDefinition;

  constructor(name: string, define: LossDefinition, options: SameDiffLossOptions | undefined) {
    super(options);
    if (typeof name !== 'string' || name === '') throw optionError('name', 'a text', name);
    if (typeof define !== 'function') throw optionError(name, 'a function of labels and output', define);
    this.#name = name;
    this.#define = define;
  }

  override name(): string {
    return this.#name;
  }

  override defineLoss(sd: SameDiff, layerInput: SDVariable, labels: SDVariable): SDVariable {
    return this.#define(labels, layerInput, sd);
  }
}

/** A loss as an expression, as `defineLoss` takes it: `labels` and the activated `output` as `SameDiffLoss.defineLoss`. */
export type LossDefinition = (labels: SDVariable, output: SDVariable, sd: SameDiff) => SDVariable;

/**
 * A loss of one's own in one line: a `SameDiffLoss` without a class.
 *
 * @param name what `name()` returns, and what errors call it
 * @param define gives the score of each example or each output from labels and activated output; asked once for each
 * activation and number of columns
 * @param options class weights, and what labels are
 * @returns a loss with all that the built-in ones have
 * @throws TypeError ERR_OPTION for a name that is no text, a definition that is no function, or an unknown option
 * @example
 * ```ts
 * import { Activation, defineLoss, nd } from 'simdloss';
 * const huber = defineLoss('Huber', (labels, output) => {
 *   const e = output.sub(labels).abs();
 *   const q = e.clip(0, 1);
 *   return q.square().mul(0.5).add(e.sub(q));
 * });
 * huber.computeScoreArray(nd.array([[0], [0]]), nd.array([[0.5], [3]]), Activation.IDENTITY); // [[0.125], [2.5]]
 * ```
 * @see ND4J `org.nd4j.linalg.lossfunctions.SameDiffLoss`
 */
export function defineLoss(name: string, define: LossDefinition, options?: SameDiffLossOptions): SameDiffLoss {
  return new DefinedLoss(name, define, options);
}
