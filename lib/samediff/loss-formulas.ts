// SPDX-License-Identifier: Apache-2.0
// The losses of `sd.loss` as expressions, and how losses are weighted and reduced.
import { shapeError } from '../errors';
import { readFlag, readNumber } from '../options';
import { type Graph, label, type Node, type Operand } from './graph';
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

/** A loss for given options. */
export interface Loss {
  /** Of a row along this axis, which is kept with size 1; of an element if not given. */
  readonly axis?: number;
  readonly of: (g: Graph, labels: Node, predictions: Node) => Node;
}

/** A loss of labels and predictions. */
export interface Formula {
  /** The name of its option. */
  readonly option?: string;
  /** The loss for the option's value, checked. */
  readonly loss: (option: unknown) => Loss;
}

const LAST = -1;

const plain = (of: Loss['of']): Formula => ({ loss: () => ({ of }) });

/** `f(x)` times y, 0 where y is 0 even if `f(x)` is infinite. */
const times = (g: Graph, y: Node, fx: Node): Node => g.select(g.binary('eq', y, 0), 0, g.mul(y, fx));

/** `log(q + epsilon)`; near 1 from r = 1 - q, of which nothing is lost. */
const logOf = (g: Graph, q: Node, r: Node, epsilon: number): Node =>
  g.select(g.binary('lt', q, 0.5), g.log(g.add(q, epsilon)), g.unary('log1p', g.sub(epsilon, r)));

/** Labels `y (1 - s) + s / classes`. */
const smoothed = (g: Graph, y: Node, s: number, classes: Operand): Node =>
  s === 0 ? y : g.add(g.mul(y, 1 - s), g.div(s, classes));

const readSmoothing = (option: unknown): number => readNumber('labelSmoothing', option, 0, 0, 1);

/** Sums over the last axis, which is kept. */
function sumOfRow(g: Graph, x: Node): Node {
  return g.sum(x, lastOf(x));
}

function lastOf(x: Node): number[] {
  if (x.shape.length === 0) throw shapeError(`a loss of rows of ${label(x)}`, 'an axis or more', x.shape);
  return [x.shape.length - 1];
}

/** All that take labels, predictions, weights and a reduction. */
export const formulas = {
  absoluteDifference: plain((g, y, p) => g.abs(g.sub(p, y))),

  cosineDistance: {
    option: 'dimension',
    loss: (option) => {
      const axis = readNumber('dimension', option, LAST);
      return {
        axis,
        of: (g, y, p) => g.sub(1, g.sum(g.mul(y, p), readAxes([axis], p.shape.length, 'dimension'))),
      };
    },
  },

  // Labels 0 and 1 stand for -1 and 1.
  hingeLoss: plain((g, y, p) => g.max(0, g.sub(1, g.mul(g.sub(g.mul(2, y), 1), p)))),

  huberLoss: {
    option: 'delta',
    loss: (option) => {
      const delta = readNumber('delta', option, 1, 0);
      return {
        of: (g, y, p) => {
          const e = g.sub(p, y);
          const size = g.abs(e);
          const isNear = g.binary('le', size, delta);
          return g.select(isNear, g.mul(0.5, g.square(e)), g.mul(delta, g.sub(size, delta / 2)));
        },
      };
    },
  },

  logLoss: {
    option: 'epsilon',
    loss: (option) => {
      const epsilon = readNumber('epsilon', option, 1e-7, 0);
      return {
        of: (g, y, p) => {
          const rest = g.sub(1, p);
          return g.neg(
            g.add(times(g, y, logOf(g, p, rest, epsilon)), times(g, g.sub(1, y), logOf(g, rest, p, epsilon))),
          );
        },
      };
    },
  },

  // The full loss adds Stirling's approximation of log(y!).
  logPoisson: {
    option: 'full',
    loss: (option) => {
      const full = readFlag('full', option, false);
      return {
        of: (g, y, p) => {
          const l = g.sub(g.unary('exp', p), g.mul(y, p));
          if (!full) return l;
          const stirling = g.add(g.sub(g.mul(y, g.log(y)), y), g.mul(0.5, g.log(g.mul(2 * Math.PI, y))));
          return g.add(l, g.select(g.binary('eq', y, 0), 0, stirling));
        },
      };
    },
  },

  // The mean of (d_i - d_j)^2 over pairs is twice the variance of d with c - 1 for c.
  meanPairwiseSquaredError: {
    loss: () => ({
      axis: LAST,
      of: (g, y, p) => {
        const d = g.sub(p, y);
        const count = g.sizeOf(d, lastOf(d));
        const apart = g.sub(d, g.div(sumOfRow(g, d), count));
        return g.div(g.mul(2, sumOfRow(g, g.square(apart))), g.max(1, g.sub(count, 1)));
      },
    }),
  },

  meanSquaredError: plain((g, y, p) => g.square(g.sub(p, y))),

  // softplus(p) - y p is softplus(-p) + (1 - y) p: the one without cancellation where y is near 1.
  sigmoidCrossEntropy: {
    option: 'labelSmoothing',
    loss: (option) => {
      const s = readSmoothing(option);
      return {
        of: (g, labels, p) => {
          const y = smoothed(g, labels, s, 2);
          const isPositive = g.binary('lt', 0.5, y);
          const rest = g.select(isPositive, g.sub(1, y), g.neg(y));
          return g.add(g.softplus(g.select(isPositive, g.neg(p), p)), g.mul(rest, p));
        },
      };
    },
  },

  // A logit of -Infinity has a loss where its label is not 0.
  softmaxCrossEntropy: {
    option: 'labelSmoothing',
    loss: (option) => {
      const s = readSmoothing(option);
      return {
        axis: LAST,
        of: (g, labels, p) => {
          const y = smoothed(g, labels, s, g.sizeOf(p, lastOf(p)));
          return g.neg(sumOfRow(g, times(g, y, g.logSoftmax(p))));
        },
      };
    },
  },
} as const satisfies Readonly<Record<string, Formula>>;

/** `-log softmax(logits)` at the label of each row. */
export function sparseSoftmaxCrossEntropy(g: Graph, logits: Node, labels: Node): Node {
  const { shape } = logits;
  const [last = 0] = lastOf(logits);
  if (shape.length === 2) return g.squeeze(g.neg(g.gather(g.logSoftmax(logits), labels)), [last]);
  const rows = g.reshape(logits, [-1, shape[last] as number]);
  return g.reshapeLike(sparseSoftmaxCrossEntropy(g, rows, g.reshape(labels, [-1])), labels);
}

/** `w y softplus(-p) + (1 - y) softplus(p)`. */
export function weightedCrossEntropyWithLogits(g: Graph, labels: Node, p: Node, weights: Node): Node {
  const y = g.fit(labels, p, 'labels');
  const lead = p.shape.length - weights.shape.length;
  const w = lead === p.shape.length ? weights : g.fit(g.expandDims(weights, range(lead)), p, 'weights', true);
  return g.add(g.mul(g.mul(w, y), g.softplus(g.neg(p))), g.mul(g.sub(1, y), g.softplus(p)));
}

/** `sum(x^2) / 2`. */
export function l2Loss(g: Graph, x: Node): Node {
  return g.mul(0.5, total(g, g.square(x)));
}

/** A loss with its weights, which repeat to it, as the reduction makes it one. */
export function weightedLoss(
  g: Graph,
  { axis, of }: Loss,
  labels: Node,
  predictions: Node,
  weights: Node,
  reduction: LossReduce,
): Node {
  const losses = of(g, g.fit(labels, predictions, 'labels'), predictions);
  return reduce(g, losses, weights, reduction, axis);
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
