// SPDX-License-Identifier: Apache-2.0
// CTC on the native kernel: the eager forms, scores alone and with the gradient in the logits.
import { type ArrayInput, type MatrixView, makeMatrix, toMatrix, toView } from '../array-input';
import { describe, optionError, rangeError, shapeError } from '../errors';
import { check, native, Status, slots, writeDtypes } from '../native';
import type { NDArray } from '../ndarray/ndarray';
import { readInteger, readNames } from '../options';
import { asFloat, type FloatDtype, type Output, outputFor } from '../outputs';

/** Options of `ctcLoss`. */
export interface CtcLossOptions {
  /** The class that stands for no label; 0 if not given. */
  readonly blankIndex?: number | undefined;
  /** An array `[b]` that the scores are written to; a fresh one if not given. */
  readonly out?: ArrayInput | undefined;
}

/** What `ctcLossGradient` takes. */
export interface CtcLossCall {
  /** Class indices `[b, S]`, none of them the blank; beyond the length of an example nothing is read. */
  readonly labels: ArrayInput;
  /** Logits `[b, T, C]`, float32 or float64. */
  readonly logits: ArrayInput;
  /** Labels of each example, `[b]`, from 0 to S. */
  readonly labelLengths: ArrayInput;
  /** Steps of each example, `[b]`, from 0 to T. */
  readonly logitLengths: ArrayInput;
  /** The class that stands for no label; 0 if not given. */
  readonly blankIndex?: number | undefined;
  /** Factors of the scores, `[b]`; all 1 if not given. A factor of 0 leaves an example out, NaN or not. */
  readonly upstream?: ArrayInput | null | undefined;
  /** Arrays that the results are written to, fresh ones where not given; `gradient` may be the logits exactly. */
  readonly out?: { readonly [K in ResultName]?: ArrayInput | undefined } | undefined;
}

/** What `ctcLossGradient` returns. */
export interface CtcLossGradient {
  /** The scores, `[b]`, without their factors. */
  scores: NDArray;
  /** The gradient of the sum of the scores times their factors, the shape of the logits. */
  gradient: NDArray;
}

type ResultName = 'scores' | 'gradient';

const callNames = ['labels', 'logits', 'labelLengths', 'logitLengths', 'blankIndex', 'upstream', 'out'];
const resultNames = ['scores', 'gradient'];

/**
 * Connectionist temporal classification: how unlikely the labels are under the logits, whatever step each of them falls
 * on. No reduction.
 *
 * Formula: `-log sum_path prod_t p_t,path(t)`, `p = softmax(logits)`, over all paths of a class a step, blank included, that
 * become the labels once repeats are merged and blanks dropped; Infinity where there is none.
 *
 * @param labels class indices `[b, S]`, none of them the blank, any dtype; beyond the length of an example nothing is read
 * @param logits `[b, T, C]`, float32 or float64, not normalised
 * @param labelLengths labels of each example, `[b]`, from 0 to S
 * @param logitLengths steps of each example, `[b]`, from 0 to T
 * @param options `blankIndex` and `out`
 * @returns the score of each example, `[b]`
 * @throws RangeError ERR_SHAPE for shapes that do not fit together, ERR_RANGE for a length, a label or a blank out of range
 * @throws TypeError ERR_DTYPE for logits that are not float32 or float64, ERR_OPTION for an unknown option
 * @example
 * ```ts
 * import { loss, nd } from 'simdloss';
 * const logits = nd.zeros([1, 2, 3]); // two steps, each class as likely as the other
 * loss.ctcLoss([[1]], logits, [1], [2]); // log 3: of nine paths 1 1, 1 0 and 0 1
 * ```
 * @see ND4J `SDLoss.ctcLoss`; Graves et al. 2006, Connectionist Temporal Classification; PyTorch `ctc_loss`, which takes
 * log-probabilities `[T, b, C]`
 */
export function ctcLoss(
  labels: ArrayInput,
  logits: ArrayInput,
  labelLengths: ArrayInput,
  logitLengths: ArrayInput,
  options?: CtcLossOptions,
): NDArray {
  const { blankIndex, out } = readNames(options ?? {}, 'options', ['blankIndex', 'out']);
  const problem = readProblem({ labels, logits, labelLengths, logitLengths, blankIndex });
  const scores = scoresFor(out, problem, 'out');
  run(problem, undefined, scores, undefined);
  return scores.array;
}

/**
 * The scores of `ctcLoss` and, in the same pass, the gradient of `sum_i upstream_i score_i` in the logits: 0 for steps
 * beyond the length of an example, and for an example without an alignment.
 *
 * Formula: `upstream (p_tk - q_tk)`, `q_tk` the share of the paths that are at class `k` in step `t`.
 *
 * @param call `labels`, `logits`, `labelLengths` and `logitLengths`; `blankIndex`, `upstream` and `out` if wanted
 * @returns the scores `[b]` and the gradient, the shape of the logits
 * @throws RangeError, TypeError as `ctcLoss`; RangeError ERR_BUFFER for an `out` that overlaps another array
 * @example
 * ```ts
 * import { loss, nd } from 'simdloss';
 * const logits = nd.zeros([1, 1, 2]);
 * const { gradient } = loss.ctcLossGradient({ labels: [[1]], logits, labelLengths: [1], logitLengths: [1] });
 * gradient; // [[[0.5, -0.5]]]
 * ```
 * @see ND4J `CtcLoss`; Graves et al. 2006
 */
export function ctcLossGradient(call: CtcLossCall): CtcLossGradient {
  if (typeof call !== 'object' || call === null) {
    throw optionError('call', 'an object with labels, logits, labelLengths and logitLengths', call);
  }
  const { upstream, out, ...inputs } = readNames(call, 'call', callNames);
  const outs = readNames(out ?? {}, 'out', resultNames);
  const problem = readProblem(inputs);
  const { logits, dtype, shape, inputs: reads } = problem;
  const factors =
    upstream === undefined || upstream === null ? undefined : vectorOf(upstream, 'upstream', shape[0], dtype);
  reads.push(factors);
  const scores = scoresFor(outs['scores'], problem, 'out.scores');
  reads.push(makeMatrix(scores.data, shape[0], 1, scores.rowStride, dtype));
  const { rows, cols } = logits;
  const gradient = outputFor(outs['gradient'], dtype, shape, rows, cols, reads, logits, 'out.gradient', 'logits');
  run(problem, factors, scores, gradient);
  return { scores: scores.array, gradient: gradient.array };
}

/** What both forms read, checked but for the values of labels and lengths. */
interface Problem {
  readonly logits: MatrixView;
  readonly shape: readonly [examples: number, steps: number, classes: number];
  readonly dtype: FloatDtype;
  readonly labels: MatrixView;
  readonly labelLengths: MatrixView;
  readonly logitLengths: MatrixView;
  readonly blank: number;
  /** All of these arrays, and what is read besides. */
  readonly inputs: (MatrixView | undefined)[];
}

function readProblem(given: Record<string, unknown>): Problem {
  for (const name of ['labels', 'logits', 'labelLengths', 'logitLengths']) {
    if (given[name] === undefined || given[name] === null) throw optionError(name, 'an array', given[name]);
  }
  const view = toView(given['logits'], 'logits', 'float32');
  const dtype = asFloat(view.dtype, 'logits');
  const [examples, steps, classes] = view.shape as [number, number, number];
  if (view.shape.length !== 3 || classes === 0) {
    throw shapeError('logits', '[examples, steps, classes] with a class or more', view.shape);
  }
  const labelView = toView(given['labels'], 'labels', 'float64');
  if (labelView.shape.length !== 2 || labelView.shape[0] !== examples) {
    throw shapeError('labels', `[${examples}, labels]`, labelView.shape);
  }
  const labelLengths = vectorOf(given['labelLengths'], 'labelLengths', examples, 'float64');
  const logitLengths = vectorOf(given['logitLengths'], 'logitLengths', examples, 'float64');
  const blank = readInteger('blankIndex', given['blankIndex'], 0) ?? 0;
  if (blank >= classes) throw rangeError('blankIndex', `a class index from 0 to ${classes - 1}`, blank);
  const logits = toMatrix(view);
  const labels = toMatrix(labelView);
  const inputs = [logits, labels, labelLengths, logitLengths];
  return { logits, shape: [examples, steps, classes], dtype, labels, labelLengths, logitLengths, blank, inputs };
}

/** `[examples]`, whatever the stride. */
function vectorOf(input: unknown, name: string, examples: number, numbersAs: FloatDtype): MatrixView {
  const view = toView(input, name, numbersAs);
  if (view.shape.length !== 1 || view.shape[0] !== examples) throw shapeError(name, describe([examples]), view.shape);
  return toMatrix(view);
}

function scoresFor(out: unknown, { dtype, shape: [examples], inputs }: Problem, name: string): Output {
  return outputFor(out, dtype, [examples], examples, 1, inputs, undefined, name);
}

function run(problem: Problem, upstream: MatrixView | undefined, scores: Output, gradient: Output | undefined): void {
  const { logits, labels, labelLengths, logitLengths, shape, blank } = problem;
  const { block } = native;
  [block[slots.rows], block[slots.steps], block[slots.cols]] = shape;
  block[slots.labelCols] = labels.cols;
  block[slots.blank] = blank;
  block[slots.inputStride] = logits.rowStride;
  block[slots.labelStride] = labels.rowStride;
  block[slots.labelLengthStride] = labelLengths.rowStride;
  block[slots.logitLengthStride] = logitLengths.rowStride;
  block[slots.upstreamStride] = upstream?.rowStride ?? 0;
  block[slots.scoreStride] = scores.rowStride;
  block[slots.outStride] = gradient?.rowStride ?? logits.cols;
  const arrays = [
    logits.data,
    labels.data,
    labelLengths.data,
    logitLengths.data,
    upstream?.data,
    scores.data,
    gradient?.data,
  ] as const;
  writeDtypes(...arrays);
  const status = native.ctcLoss(...arrays);
  const example = block[slots.badRow] as number;
  if (status === Status.BAD_LABEL) throw badLabel(problem, example, block[slots.badPosition] as number);
  if (status === Status.BAD_LABEL_LENGTH) throw badLength('labelLengths', labelLengths, example, labels.cols);
  if (status === Status.BAD_LOGIT_LENGTH) throw badLength('logitLengths', logitLengths, example, shape[1]);
  check(status);
}

function badLabel({ labels, shape, blank }: Problem, example: number, position: number): RangeError {
  return rangeError(
    `labels: example ${example}, position ${position}`,
    `a class index from 0 to ${shape[2] - 1} other than the blank, ${blank}`,
    labels.data[example * labels.rowStride + position],
  );
}

function badLength(name: string, lengths: MatrixView, example: number, most: number): RangeError {
  const value = lengths.data[example * lengths.rowStride];
  return rangeError(`${name}: example ${example}`, `a whole number from 0 to ${most}`, value);
}
