// SPDX-License-Identifier: Apache-2.0
// The losses of `sd.loss` on arrays: each through a graph that is kept for the next call.
import type { ArrayInput } from '../array-input';
import { keptIn } from '../bounded-map';
import { ctcLoss } from '../losses/ctc-loss';
import { NDArray } from '../ndarray/ndarray';
import {
  type CosineDistanceOption,
  type DiceOption,
  type FocalOption,
  type GaussianNLLArguments,
  type GeneralizedCrossEntropyOption,
  type HuberOption,
  type LogLossOption,
  type LogPoissonOption,
  type LossArguments,
  type LossName,
  type MarginRankingArguments,
  type MultiMarginOption,
  type Poly1Option,
  readWeighted,
  type SmoothingOption,
  type SmoothL1Option,
  type TripletMarginArguments,
  type TverskyOption,
} from './loss';
import { SameDiff } from './samediff';
import type { SDVariable } from './variable';

/** Graphs that are kept: one for each loss, its options, and the shapes and dtypes of its arrays. */
const MOST_GRAPHS = 64;

const graphs = new Map<string, SDVariable>();

/** Arrays by the names that errors call them, and the variables that stand for them. */
type Inputs = Readonly<Record<string, ArrayInput | number>>;
type Variables<I> = { readonly [Name in keyof I]: SDVariable };

/** What `make` makes of the arrays. */
function compute<I extends Inputs>(
  key: string,
  inputs: I,
  make: (sd: SameDiff, variables: Variables<I>) => SDVariable,
) {
  const arrays = read(inputs);
  const entries = Object.entries(arrays);
  const full = entries.reduce((text, [name, { dtype, shape }]) => `${text} ${name} ${dtype} ${shape}`, key);
  const result = keptIn(graphs, full, MOST_GRAPHS, () => {
    const sd = SameDiff.create();
    const variables = entries.map(([name, { dtype, shape }]) => [name, sd.placeHolder(name, dtype, shape)]);
    return make(sd, Object.fromEntries(variables));
  });
  return result.eval(arrays);
}

/** Arrays; plain numbers take the dtype of the arrays beside them. */
function read(inputs: Inputs): Record<string, NDArray> {
  const isPlain = (input: unknown) => typeof input === 'number' || Array.isArray(input);
  const entries = Object.entries(inputs);
  const isDouble = entries.some(
    ([name, input]) => !isPlain(input) && NDArray.from(input as ArrayInput, name).dtype === 'float64',
  );
  const arrayOf = (name: string, input: ArrayInput) => NDArray.from(input, name, isDouble ? 'float64' : 'float32');
  return Object.fromEntries(
    entries.map(([name, input]) => [
      name,
      typeof input === 'number' ? arrayOf(name, [input]).reshape([]) : arrayOf(name, input),
    ]),
  );
}

/** A loss with weights and a reduction. */
function weighted(op: LossName, args: readonly unknown[]): NDArray {
  const { arrays, weights, lossReduce, values } = readWeighted<ArrayInput>(op, args);
  const inputs: Inputs = weights === null || weights === undefined ? arrays : { ...arrays, weights };
  const key = `${op} ${lossReduce} ${Object.values(values).join()}`;
  return compute(key, inputs, (sd, variables) => {
    const given = Object.keys(arrays).map((name) => variables[name]);
    const call = sd.loss[op] as (...args: unknown[]) => SDVariable;
    return call.call(sd.loss, ...given, variables['weights'], lossReduce, values);
  });
}

/**
 * `|p - y|`.
 *
 * Formula: `l = |p - y|`
 *
 * @param args labels y and predictions p, of one shape; weights, none if not given: null, a number, or an array of the
 * losses' rank that repeats to them; the reduction, `MEAN_BY_NONZERO_WEIGHT_COUNT` if not given; the option of the loss, if
 * it has one: its value, or an object with its name
 * @returns a number, of rank 0, or, of `LossReduce.NONE`, the losses; in float64 where one of the arrays is
 * @throws RangeError ERR_SHAPE for shapes that do not fit, ERR_RANGE for an option; TypeError ERR_DTYPE for no array,
 * ERR_OPTION for an unknown option or reduction
 * @example
 * ```ts
 * import { loss } from 'simdloss';
 * loss.absoluteDifference([1, 2], [2, 4]).toArray(); // 1.5
 * ```
 * @see ND4J `NDLoss.absoluteDifference`
 */
function absoluteDifference(...args: LossArguments<ArrayInput>): NDArray {
  return weighted('absoluteDifference', args);
}

/** `max(0, 1 - (2 y - 1) p)`, of labels 0 and 1; otherwise as `absoluteDifference`. */
function hingeLoss(...args: LossArguments<ArrayInput>): NDArray {
  return weighted('hingeLoss', args);
}

/** `e^2 / 2` for `e = |p - y|` up to delta, `delta e - delta^2 / 2` beyond; otherwise as `absoluteDifference`. */
function huberLoss(...args: LossArguments<ArrayInput, HuberOption>): NDArray {
  return weighted('huberLoss', args);
}

/** `e^2 / (2 beta)` for `e = |p - y|` up to beta, `e - beta / 2` beyond; otherwise as `absoluteDifference`. */
function smoothL1Loss(...args: LossArguments<ArrayInput, SmoothL1Option>): NDArray {
  return weighted('smoothL1Loss', args);
}

/** `log(cosh(p - y))`; otherwise as `absoluteDifference`. */
function logCoshLoss(...args: LossArguments<ArrayInput>): NDArray {
  return weighted('logCoshLoss', args);
}

/** `(log v + (p - y)^2 / v) / 2`, v the variance; otherwise as `absoluteDifference`. */
function gaussianNLLLoss(...args: GaussianNLLArguments<ArrayInput>): NDArray {
  return weighted('gaussianNLLLoss', args);
}

/** `log(1 + e^(-y p))`, of labels -1 and 1; otherwise as `absoluteDifference`. */
function softMarginLoss(...args: LossArguments<ArrayInput>): NDArray {
  return weighted('softMarginLoss', args);
}

/** `max(0, margin - y (x1 - x2))`, of labels -1 and 1 and two inputs; otherwise as `absoluteDifference`. */
function marginRankingLoss(...args: MarginRankingArguments<ArrayInput>): NDArray {
  return weighted('marginRankingLoss', args);
}

/** `-y log(p + epsilon) - (1 - y) log(1 - p + epsilon)`, `0 log 0 = 0`; otherwise as `absoluteDifference`. */
function logLoss(...args: LossArguments<ArrayInput, LogLossOption>): NDArray {
  return weighted('logLoss', args);
}

/** `e^p - y p`; full: plus `y log y - y + log(2 pi y) / 2`, nothing where y is 0. Otherwise as `absoluteDifference`. */
function logPoisson(...args: LossArguments<ArrayInput, LogPoissonOption>): NDArray {
  return weighted('logPoisson', args);
}

/** `(p - y)^2`; otherwise as `absoluteDifference`. */
function meanSquaredError(...args: LossArguments<ArrayInput>): NDArray {
  return weighted('meanSquaredError', args);
}

/** The cross entropy of the sigmoid of logits p; otherwise as `absoluteDifference`. */
function sigmoidCrossEntropy(...args: LossArguments<ArrayInput, SmoothingOption>): NDArray {
  return weighted('sigmoidCrossEntropy', args);
}

/** The cross entropy of the sigmoid of logits p, less where the output is good; otherwise as `absoluteDifference`. */
function sigmoidFocalLoss(...args: LossArguments<ArrayInput, FocalOption>): NDArray {
  return weighted('sigmoidFocalLoss', args);
}

/** `1 - sum(y p)` along an axis, which is kept; otherwise as `absoluteDifference`. */
function cosineDistance(...args: LossArguments<ArrayInput, CosineDistanceOption>): NDArray {
  return weighted('cosineDistance', args);
}

/** The mean of `(d_i - d_j)^2` over the pairs of a row of `d = p - y`; otherwise as `absoluteDifference`. */
function meanPairwiseSquaredError(...args: LossArguments<ArrayInput>): NDArray {
  return weighted('meanPairwiseSquaredError', args);
}

/** The cross entropy of the softmax of a row of logits p; otherwise as `absoluteDifference`. */
function softmaxCrossEntropy(...args: LossArguments<ArrayInput, SmoothingOption>): NDArray {
  return weighted('softmaxCrossEntropy', args);
}

/** `-alpha sum(y (1 - a)^gamma log a)`, a the softmax of logits p; otherwise as `absoluteDifference`. */
function softmaxFocalLoss(...args: LossArguments<ArrayInput, FocalOption>): NDArray {
  return weighted('softmaxFocalLoss', args);
}

/** `sum(y (epsilon (1 - a) - log a))`, a the softmax of logits p; otherwise as `absoluteDifference`. */
function poly1CrossEntropy(...args: LossArguments<ArrayInput, Poly1Option>): NDArray {
  return weighted('poly1CrossEntropy', args);
}

/** `sum(y (1 - a^q) / q)`, a the softmax of logits p; otherwise as `absoluteDifference`. */
function generalizedCrossEntropy(...args: LossArguments<ArrayInput, GeneralizedCrossEntropyOption>): NDArray {
  return weighted('generalizedCrossEntropy', args);
}

/** `max(0, margin - p_k + p_j)^p` over the classes j but the label's, k, by their number; otherwise as `absoluteDifference`. */
function multiMarginLoss(...args: LossArguments<ArrayInput, MultiMarginOption>): NDArray {
  return weighted('multiMarginLoss', args);
}

/** `max(0, margin + |a - p| - |a - n|)` of rows; otherwise as `absoluteDifference`. */
function tripletMarginLoss(...args: TripletMarginArguments<ArrayInput>): NDArray {
  return weighted('tripletMarginLoss', args);
}

/** `1 - (2 sum(y p) + smooth) / (sum y + sum p + smooth)` of a row; otherwise as `absoluteDifference`. */
function diceLoss(...args: LossArguments<ArrayInput, DiceOption>): NDArray {
  return weighted('diceLoss', args);
}

/** `1 - (tp + smooth) / (tp + alpha fp + beta fn + smooth)` of a row; otherwise as `absoluteDifference`. */
function tverskyLoss(...args: LossArguments<ArrayInput, TverskyOption>): NDArray {
  return weighted('tverskyLoss', args);
}

/**
 * `sum(x^2) / 2`.
 *
 * @param x an array of any shape
 * @returns a number, of rank 0
 * @throws TypeError ERR_DTYPE for no array
 * @example
 * ```ts
 * import { loss } from 'simdloss';
 * loss.l2Loss([3, 4]).toArray(); // 12.5
 * ```
 * @see ND4J `NDLoss.l2Loss`
 */
function l2Loss(x: ArrayInput): NDArray {
  return compute('l2Loss', { x }, (sd, variables) => sd.loss.l2Loss(variables.x));
}

/**
 * `-log softmax(logits)` at the label of each row.
 *
 * @param logits `[n, c]`, or of another rank
 * @param labels class indices, without the last axis
 * @returns a loss for each row, the shape of the labels
 * @throws RangeError ERR_SHAPE for shapes that do not fit, ERR_RANGE for a label that is no class; TypeError ERR_DTYPE
 * @example
 * ```ts
 * import { loss } from 'simdloss';
 * loss.sparseSoftmaxCrossEntropy([[0, 0]], [1]).toArray(); // [0.6931]
 * ```
 * @see ND4J `NDLoss.sparseSoftmaxCrossEntropy`
 */
function sparseSoftmaxCrossEntropy(logits: ArrayInput, labels: ArrayInput): NDArray {
  return compute('sparseSoftmaxCrossEntropy', { logits, labels }, (sd, variables) =>
    sd.loss.sparseSoftmaxCrossEntropy(variables.logits, variables.labels),
  );
}

/**
 * `w y softplus(-p) + (1 - y) softplus(p)`: the cross entropy of sigmoid, with a weight on the positive labels.
 *
 * @param labels y
 * @param logits p, of the same shape
 * @param weights w, a number or one a column
 * @returns a loss for each element
 * @throws RangeError ERR_SHAPE for shapes that do not fit; TypeError ERR_DTYPE for no array
 * @example
 * ```ts
 * import { loss } from 'simdloss';
 * loss.weightedCrossEntropyWithLogits([0, 1], [0, 0], 2).toArray(); // [0.6931, 1.3863]
 * ```
 * @see ND4J `WeightedCrossEntropyLoss`; TensorFlow `weighted_cross_entropy_with_logits`
 */
function weightedCrossEntropyWithLogits(labels: ArrayInput, logits: ArrayInput, weights: ArrayInput | number): NDArray {
  return compute('weightedCrossEntropyWithLogits', { labels, logits, weights }, (sd, variables) =>
    sd.loss.weightedCrossEntropyWithLogits(variables.labels, variables.logits, variables.weights),
  );
}

/**
 * The losses of `sd.loss` on arrays.
 *
 * Formula: of each function, in its own description
 *
 * @example
 * ```ts
 * import { loss, LossReduce } from 'simdloss';
 * loss.meanSquaredError([[1, 2]], [[3, 5]], null, LossReduce.SUM).toArray(); // 13
 * ```
 * @see ND4J `org.nd4j.linalg.factory.ops.NDLoss`
 */
export const loss = {
  absoluteDifference,
  cosineDistance,
  ctcLoss,
  diceLoss,
  gaussianNLLLoss,
  generalizedCrossEntropy,
  hingeLoss,
  huberLoss,
  l2Loss,
  logCoshLoss,
  logLoss,
  logPoisson,
  marginRankingLoss,
  meanPairwiseSquaredError,
  meanSquaredError,
  multiMarginLoss,
  poly1CrossEntropy,
  sigmoidCrossEntropy,
  sigmoidFocalLoss,
  smoothL1Loss,
  softMarginLoss,
  softmaxCrossEntropy,
  softmaxFocalLoss,
  sparseSoftmaxCrossEntropy,
  tripletMarginLoss,
  tverskyLoss,
  weightedCrossEntropyWithLogits,
} as const;
