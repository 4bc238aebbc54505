// SPDX-License-Identifier: Apache-2.0
// The losses by name, with their options; how losses are weighted and reduced.
import { rangeError } from '../errors';
import { readFlag, readNumber } from '../options';
import {
  binaryCrossEntropy,
  classesOf,
  crossEntropy,
  gaussianNLL,
  generalizedCrossEntropy,
  huber,
  lastOf,
  logCosh,
  marginRanking,
  multiMargin,
  poly1CrossEntropy,
  sigmoidFocal,
  smoothed,
  smoothL1,
  softMargin,
  softmaxFocal,
  sumOfRow,
  times,
  tripletMargin,
  tversky,
} from './formulas';
import type { Graph, Node } from './graph';
import { readAxes } from './shapes';

/**
 * How the losses of elements or examples become one.
 *
 * | | result, of losses l and weights w |
 * |---|---|
 * | `NONE` | `w l`, as they are |
 * | `SUM` | the sum of `w l` |
 * | `MEAN_BY_WEIGHT` | the sum of `w l` over the sum of w |
 * | `MEAN_BY_NONZERO_WEIGHT_COUNT` | the sum of `w l` over the count of w that are not 0 |
 *
 * Weights are repeated to the shape of the losses before they are summed or counted; without weights all are 1. Over 0 both
 * the result and the gradient are 0.
 *
 * @example
 * ```ts
 * import { LossReduce } from 'simdloss';
 * LossReduce.SUM; // 'SUM'
 * ```
 * @see ND4J `org.nd4j.autodiff.loss.LossReduce`
 */
export const LossReduce = {
  NONE: 'NONE',
  SUM: 'SUM',
  MEAN_BY_WEIGHT: 'MEAN_BY_WEIGHT',
  MEAN_BY_NONZERO_WEIGHT_COUNT: 'MEAN_BY_NONZERO_WEIGHT_COUNT',
} as const;

/** One of the names of `LossReduce`. */
export type LossReduce = (typeof LossReduce)[keyof typeof LossReduce];

/** How an option is read: checked, or its default. */
export type Reader<Value> = (name: string, value: unknown) => Value;

/** Options by name. */
export type Values = Readonly<Record<string, unknown>>;

/** A loss of arrays. */
export interface Formula<V extends object = Values, Arrays extends readonly Node[] = readonly [y: Node, p: Node]> {
  /** What its arrays are called; labels and predictions if not given. They have the second one's shape. */
  readonly arrays?: readonly string[];
  /** Its options; a plain number, or true or false, is the first. */
  readonly options: { readonly [Name in keyof V]: Reader<V[Name]> };
  /** Predictions of `sd.loss` are logits, and this makes outputs of them. */
  readonly output?: (g: Graph, p: Node) => Node;
  /** The axis of a row, which is kept, where the loss is a row's; none where it is an element's. */
  axis?(values: V): number;
  /** The loss is a row's, and `of` gives terms that add up to it. */
  readonly isSum?: boolean;
  /** Labels mark a class in each row. */
  readonly ofClasses?: boolean;
  /** The losses, or their terms. */
  of(g: Graph, arrays: Arrays, values: V): Node;
}

// --- How options are read ---

const number =
  (fallback: number, low: number, high?: number): Reader<number> =>
  (name, value) =>
    readNumber(name, value, fallback, low, high);

const flag: Reader<boolean> = (name, value) => readFlag(name, value, false);

const real = (fallback: number): Reader<number> => number(fallback, -Number.MAX_VALUE, Number.MAX_VALUE);
const amount = (fallback: number): Reader<number> => number(fallback, 0, Number.MAX_VALUE);

/** Above 0. */
const positive =
  (fallback: number, most = Number.MAX_VALUE): Reader<number> =>
  (name, value) => {
    const read = readNumber(name, value, fallback);
    if (read > 0 && read <= most) return read;
    throw rangeError(name, `a number in (0, ${most}]`, read);
  };

const oneOrTwo: Reader<number> = (name, value) => {
  const read = readNumber(name, value, 1);
  if (read === 1 || read === 2) return read;
  throw rangeError(name, '1 or 2', read);
};

/** The share of the positive labels, or -1 for none. */
const balance: Reader<number> = (name, value) => (value === -1 ? -1 : readNumber(name, value, 0.25, 0, 1));

/** The values of options, those that are not given too. */
export function readOptions<V extends object>(options: Formula<V>['options'], given: Values): V {
  const entries = Object.entries<Reader<unknown>>(options);
  return Object.fromEntries(entries.map(([name, read]) => [name, read(name, given[name])])) as V;
}

// --- The losses ---

const formula = <V extends object, Arrays extends readonly Node[] = readonly [y: Node, p: Node]>(
  of: Formula<V, Arrays>,
): Formula<V, Arrays> => of;

const plain = (of: (g: Graph, y: Node, p: Node) => Node) =>
  formula<Record<never, never>>({ options: {}, of: (g, [y, p]) => of(g, y, p) });

const last = (): number => -1;
const sigmoid = (g: Graph, p: Node): Node => g.sigmoid(p);
const softmax = (g: Graph, p: Node): Node => g.softmax(p);
const ofSoftmax = { output: softmax, axis: last, isSum: true, ofClasses: true } as const;

/** `log(q + epsilon)`; near 1 from r = 1 - q, of which nothing is lost. */
const logOf = (g: Graph, q: Node, r: Node, epsilon: number): Node =>
  g.select(g.binary('lt', q, 0.5), g.log(g.add(q, epsilon)), g.unary('log1p', g.sub(epsilon, r)));

const softmaxCrossEntropy = (labelSmoothing: number) =>
  formula<{ labelSmoothing: number }>({
    ...ofSoftmax,
    options: { labelSmoothing: number(labelSmoothing, 0, 1) },
    of: (g, [y, a], options) => crossEntropy(g, smoothed(g, y, options.labelSmoothing, classesOf(g, a)), a),
  });

/** As `sd.loss` has it, but for the default. */
export const smoothedCrossEntropy = softmaxCrossEntropy(0.1);

/** Of the third array: a weight of the positive labels, for all or a column each. */
export const weightedBinaryCrossEntropy = formula<Record<never, never>, readonly [y: Node, a: Node, posWeight: Node]>({
  options: {},
  of: (g, [y, a, posWeight]) => binaryCrossEntropy(g, y, a, posWeight),
});

/** All that take weights and a reduction. */
export const formulas = {
  // --- Of the difference of prediction and label ---

  absoluteDifference: plain((g, y, p) => g.abs(g.sub(p, y))),

  meanSquaredError: plain((g, y, p) => g.square(g.sub(p, y))),

  huberLoss: formula<{ delta: number }>({
    options: { delta: number(1, 0) },
    of: (g, [y, p], { delta }) => huber(g, y, p, delta),
  }),

  smoothL1Loss: formula<{ beta: number }>({
    options: { beta: amount(1) },
    of: (g, [y, p], { beta }) => smoothL1(g, y, p, beta),
  }),

  logCoshLoss: plain(logCosh),

  gaussianNLLLoss: formula<{ full: boolean; epsilon: number }, readonly [y: Node, p: Node, variance: Node]>({
    arrays: ['labels', 'predictions', 'variances'],
    options: { full: flag, epsilon: positive(1e-6) },
    of: (g, [y, p, variance], { full, epsilon }) => gaussianNLL(g, y, p, variance, full, epsilon),
  }),

  // The mean of (d_i - d_j)^2 over pairs is twice the variance of d with c - 1 for c.
  meanPairwiseSquaredError: formula<Record<never, never>>({
    options: {},
    axis: last,
    of: (g, [y, p]) => {
      const d = g.sub(p, y);
      const count = classesOf(g, d);
      const apart = g.sub(d, g.div(sumOfRow(g, d), count));
      return g.div(g.mul(2, sumOfRow(g, g.square(apart))), g.max(1, g.sub(count, 1)));
    },
  }),

  // The full loss adds Stirling's approximation of log(y!).
  logPoisson: formula<{ full: boolean }>({
    options: { full: flag },
    of: (g, [y, p], { full }) => {
      const l = g.sub(g.unary('exp', p), g.mul(y, p));
      if (!full) return l;
      const stirling = g.add(g.sub(g.mul(y, g.log(y)), y), g.mul(0.5, g.log(g.mul(2 * Math.PI, y))));
      return g.add(l, g.select(g.binary('eq', y, 0), 0, stirling));
    },
  }),

  // --- Of margins ---

  // Labels 0 and 1 stand for -1 and 1.
  hingeLoss: plain((g, y, p) => g.max(0, g.sub(1, g.mul(g.sub(g.mul(2, y), 1), p)))),

  softMarginLoss: plain(softMargin),

  multiMarginLoss: formula<{ p: number; margin: number }>({
    options: { p: oneOrTwo, margin: real(1) },
    axis: last,
    ofClasses: true,
    of: (g, [y, a], { p, margin }) => multiMargin(g, y, a, p, margin),
  }),

  marginRankingLoss: formula<{ margin: number }, readonly [y: Node, x1: Node, x2: Node]>({
    arrays: ['labels', 'input1', 'input2'],
    options: { margin: real(0) },
    of: (g, [y, x1, x2], { margin }) => marginRanking(g, y, x1, x2, margin),
  }),

  tripletMarginLoss: formula<
    { margin: number; p: number; swap: boolean },
    readonly [anchor: Node, positive: Node, negative: Node]
  >({
    arrays: ['anchor', 'positive', 'negative'],
    options: { margin: amount(1), p: number(2, 1), swap: flag },
    axis: last,
    of: (g, [a, p, n], options) => tripletMargin(g, a, p, n, options.margin, options.p, options.swap),
  }),

  cosineDistance: formula<{ dimension: number }>({
    options: { dimension: number(-1, Number.NEGATIVE_INFINITY) },
    axis: ({ dimension }) => dimension,
    of: (g, [y, p], { dimension }) => g.sub(1, g.sum(g.mul(y, p), readAxes([dimension], p.shape.length, 'dimension'))),
  }),

  // --- Of probabilities, yes or no ---

  logLoss: formula<{ epsilon: number }>({
    options: { epsilon: number(1e-7, 0) },
    of: (g, [y, p], { epsilon }) => {
      const rest = g.sub(1, p);
      return g.neg(g.add(times(g, y, logOf(g, p, rest, epsilon)), times(g, g.sub(1, y), logOf(g, rest, p, epsilon))));
    },
  }),

  sigmoidCrossEntropy: formula<{ labelSmoothing: number }>({
    options: { labelSmoothing: number(0, 0, 1) },
    output: sigmoid,
    of: (g, [y, a], { labelSmoothing }) => binaryCrossEntropy(g, smoothed(g, y, labelSmoothing, 2), a),
  }),

  sigmoidFocalLoss: formula<{ alpha: number; gamma: number }>({
    options: { alpha: balance, gamma: amount(2) },
    output: sigmoid,
    of: (g, [y, a], { alpha, gamma }) => sigmoidFocal(g, y, a, alpha, gamma),
  }),

  // --- Of probabilities of classes ---

  softmaxCrossEntropy: softmaxCrossEntropy(0),

  softmaxFocalLoss: formula<{ alpha: number; gamma: number }>({
    ...ofSoftmax,
    options: { alpha: amount(0.25), gamma: amount(2) },
    of: (g, [y, a], { alpha, gamma }) => softmaxFocal(g, y, a, alpha, gamma),
  }),

  poly1CrossEntropy: formula<{ epsilon: number }>({
    ...ofSoftmax,
    options: { epsilon: real(1) },
    of: (g, [y, a], { epsilon }) => poly1CrossEntropy(g, y, a, epsilon),
  }),

  generalizedCrossEntropy: formula<{ q: number }>({
    ...ofSoftmax,
    options: { q: positive(0.7, 1) },
    of: (g, [y, a], { q }) => generalizedCrossEntropy(g, y, a, q),
  }),

  // --- Of the overlap of two sets ---

  // Half of each set's rest: the Dice coefficient.
  diceLoss: formula<{ smooth: number }>({
    options: { smooth: amount(1) },
    axis: last,
    of: (g, [y, a], { smooth }) => tversky(g, y, a, 0.5, 0.5, smooth / 2),
  }),

  tverskyLoss: formula<{ alpha: number; beta: number; smooth: number }>({
    options: { alpha: amount(0.5), beta: amount(0.5), smooth: amount(1) },
    axis: last,
    of: (g, [y, a], { alpha, beta, smooth }) => tversky(g, y, a, alpha, beta, smooth),
  }),
} as const satisfies Readonly<Record<string, Formula<Values, readonly Node[]>>>;

/** `-log softmax(logits)` at the label of each row. */
export function sparseSoftmaxCrossEntropy(g: Graph, logits: Node, labels: Node): Node {
  const { shape } = logits;
  const [last = 0] = lastOf(logits);
  if (shape.length === 2) return g.squeeze(g.neg(g.gather(g.logSoftmax(logits), labels)), [last]);
  const rows = g.reshape(logits, [-1, shape[last] as number]);
  return g.reshapeLike(sparseSoftmaxCrossEntropy(g, rows, g.reshape(labels, [-1])), labels);
}

/** Binary cross entropy of logits p, with a weight of the positive labels: a number, or one a column. */
export function weightedCrossEntropyWithLogits(g: Graph, labels: Node, p: Node, weights: Node): Node {
  const y = g.fit(labels, p, 'labels');
  const lead = p.shape.length - weights.shape.length;
  const w = lead === p.shape.length ? weights : g.fit(g.expandDims(weights, range(lead)), p, 'weights', true);
  return binaryCrossEntropy(g, y, g.sigmoid(p), w);
}

/** `sum(x^2) / 2`. */
export function l2Loss(g: Graph, x: Node): Node {
  return g.mul(0.5, total(g, g.square(x)));
}

/** A loss of arrays with its weights, which repeat to it, as the reduction makes it one. */
export function weightedLoss<V extends object>(
  g: Graph,
  loss: Formula<V, readonly Node[]>,
  values: V,
  arrays: readonly Node[],
  weights: Node,
  reduction: LossReduce,
): Node {
  const like = arrays[1] as Node;
  // A third one may repeat: one variance for a row.
  const fitted = arrays.map((array, i) => g.fit(array, like, namesOf(loss)[i] as string, i > 1));
  const outputs = loss.output === undefined ? fitted : [fitted[0] as Node, loss.output(g, like)];
  const terms = loss.of(g, outputs, values);
  return reduce(g, loss.isSum === true ? sumOfRow(g, terms) : terms, weights, reduction, loss.axis?.(values));
}

/** What a loss calls its arrays. */
export function namesOf({ arrays = ['labels', 'predictions'] }: { readonly arrays?: readonly string[] }) {
  return arrays;
}

/**
 * Losses made one. Weights are a number, or repeat to the losses; of losses of rows along an axis, which they have kept,
 * weights may lack it.
 */
export function reduce(g: Graph, losses: Node, weights: Node, reduction: LossReduce, axis?: number): Node {
  const rank = losses.shape.length;
  const isLacking = axis !== undefined && weights.shape.length === rank - 1;
  const whole = isLacking ? g.expandDims(weights, readAxes([axis], rank, 'axis')) : weights;
  const w = weights.shape.length === 0 ? weights : g.fit(whole, losses, 'weights', true);
  const weighted = g.mul(w, losses);
  if (reduction === 'NONE') return weighted;
  const sum = total(g, weighted);
  if (reduction === 'SUM') return sum;
  const counted = reduction === 'MEAN_BY_WEIGHT' ? w : g.binary('ne', w, 0);
  const divisor =
    counted.shape.length === 0
      ? g.mul(counted, g.sizeOf(losses, range(rank)))
      : total(g, g.broadcastLike(counted, losses));
  return g.select(g.binary('eq', divisor, 0), 0, g.div(sum, divisor));
}

const range = (count: number): number[] => Array.from({ length: count }, (_, i) => i);

function total(g: Graph, x: Node): Node {
  const axes = range(x.shape.length);
  return g.squeeze(g.sum(x, axes), axes);
}
