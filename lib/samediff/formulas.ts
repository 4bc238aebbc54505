// SPDX-License-Identifier: Apache-2.0
// The maths of losses as expressions, each formula once: for the classes, for `sd.loss` and for `loss`. Labels are y;
// outputs are a, where they may be probabilities, or p. What a sigmoid or a softmax under a logarithm, a power or a
// difference from 1 comes to in closed form is the graph's to find: outputs are taken as they are.
import { shapeError } from '../errors';
import { type Graph, isKernel, label, type Node, numberOf, type Operand } from './graph';

// --- What several have in common ---

/** `f(x)` times y, 0 where y is 0 even if `f(x)` is infinite. */
export const times = (g: Graph, y: Node, fx: Node): Node => g.select(y, g.mul(y, fx), 0);

/** More than any logit costs whose sigmoid is neither 0 nor 1 yet, and far from overflow when it is weighted. */
const FAR = 1024;

/** Labels `y (1 - s) + s / classes`. */
export const smoothed = (g: Graph, y: Node, s: number, classes: Operand): Node =>
  s === 0 ? y : g.add(g.mul(y, 1 - s), g.div(s, classes));

/** Sums over the last axis, which is kept. */
export const sumOfRow = (g: Graph, x: Node): Node => g.sum(x, lastOf(x));

/** The last axis. */
export function lastOf(x: Node): number[] {
  if (x.shape.length === 0) throw shapeError(`a loss of rows of ${label(x)}`, 'an axis or more', x.shape);
  return [x.shape.length - 1];
}

/** How many elements a row has. */
export const classesOf = (g: Graph, x: Node): Node => g.sizeOf(x, lastOf(x));

/** `x^exponent` for x from 0 on, whose slope at 0 counts as 0: what underflows has none. */
const power = (g: Graph, x: Node, exponent: number): Node =>
  Number.isInteger(exponent) ? g.pow(x, exponent) : g.select(g.binary('eq', x, 0), 0, g.pow(x, exponent));

// --- Of the difference of prediction and label ---

/** `curvature d^2 / 2` up to where its slope is `steepest`, linear from there. */
function bounded(g: Graph, d: Node, curvature: number, steepest: number): Node {
  const slope = g.clip(g.mul(curvature, d), -steepest, steepest);
  // Level, it is 0 even of an infinite d.
  const l = steepest === 0 ? slope : g.mul(slope, g.sub(d, g.mul(0.5 / curvature, slope)));
  return g.withSlope(l, d, slope);
}

/** `d^2 / 2` up to delta, `delta (|d| - delta / 2)` beyond. */
export const huber = (g: Graph, y: Node, p: Node, delta: number): Node => bounded(g, g.sub(p, y), 1, delta);

/** `d^2 / (2 beta)` up to beta, `|d| - beta / 2` beyond. */
export const smoothL1 = (g: Graph, y: Node, p: Node, beta: number): Node =>
  beta === 0 ? g.abs(g.sub(p, y)) : bounded(g, g.sub(p, y), 1 / beta, 1);

/**
 * `log(cosh(d))`. With `t = tanh|d|` it is `|d| - log(1 + t)`, since `1 + t = 2 / (1 + e^(-2|d|))`, and
 * `-log(1 - t^2) / 2`: the first without overflow, the second without cancellation.
 */
export function logCosh(g: Graph, y: Node, p: Node): Node {
  const d = g.sub(p, y);
  const slope = g.activation('TanH', [0, 0, 0], d);
  const t = g.abs(slope);
  const isNear = g.binary('lt', t, 0.7);
  const log = g.unary('log1p', g.select(isNear, g.neg(g.square(t)), t));
  return g.withSlope(g.select(isNear, g.mul(-0.5, log), g.sub(g.abs(d), log)), d, slope);
}

/** `(log v + d^2 / v) / 2`, v the variance but epsilon at least; full: plus `log(2 pi) / 2`. */
export function gaussianNLL(g: Graph, y: Node, p: Node, variance: Node, full: boolean, epsilon: number): Node {
  const v = g.max(epsilon, variance);
  const l = g.mul(0.5, g.add(g.log(v), g.div(g.square(g.sub(p, y)), v)));
  return full ? g.add(l, 0.5 * Math.log(2 * Math.PI)) : l;
}

// --- Of margins ---

/** `log(1 + e^(-y a))`, labels -1 and 1. */
export const softMargin = (g: Graph, y: Node, a: Node): Node => g.softplus(g.neg(g.mul(y, a)));

/** The mean over a row of `max(0, margin - a_target + a_j)^p`, of the columns j but the target, whose label is 1. */
export function multiMargin(g: Graph, y: Node, a: Node, p: number, margin: number): Node {
  const target = sumOfRow(g, times(g, y, a));
  const short = g.max(0, g.add(margin, g.sub(a, target)));
  return g.div(sumOfRow(g, times(g, g.sub(1, y), g.pow(short, p))), classesOf(g, a));
}

/** `max(0, margin - y (x1 - x2))`: y is 1 where x1 should be the larger, -1 where x2. */
export const marginRanking = (g: Graph, y: Node, x1: Node, x2: Node, margin: number): Node =>
  g.max(0, g.sub(margin, g.mul(y, g.sub(x1, x2))));

/** The p-norm of a row, slope 0 where it is 0. */
function distance(g: Graph, x: Node, y: Node, p: number): Node {
  const d = g.sub(x, y);
  if (p === 2) return g.norm2(d, lastOf(d));
  const size = g.abs(d);
  if (p === Number.POSITIVE_INFINITY) return g.maximum(size, lastOf(d));
  return power(g, sumOfRow(g, g.pow(size, p)), 1 / p);
}

/**
 * `max(0, margin + |a - p| - |a - n|)` of rows: anchor, positive, negative. Swapped: with `|p - n|` if that is nearer than
 * `|a - n|`.
 */
export function tripletMargin(
  g: Graph,
  anchor: Node,
  positive: Node,
  negative: Node,
  margin: number,
  p: number,
  swap: boolean,
): Node {
  const apart = distance(g, anchor, negative, p);
  const nearest = swap ? g.min(apart, distance(g, positive, negative, p)) : apart;
  return g.max(0, g.add(margin, g.sub(distance(g, anchor, positive, p), nearest)));
}

// --- Of the probability of a class, yes or no ---

/** An output, seen from the side of its label. */
interface Side {
  /** The probability of the other side. */
  readonly wrong: Node;
  /** `-(whole - other) log(right) - other log(wrong)`; counts: whole - other is not 0. */
  cost(whole: Operand, other: Node, counts: boolean): Node;
}

function ofProbabilities(g: Graph, right: Node, wrong: Node): Side {
  return {
    wrong,
    cost: (whole, other) => g.neg(g.add(times(g, g.sub(whole, other), g.log(right)), times(g, other, g.log(wrong)))),
  };
}

/** From the logit of the other side: nothing is lost where the output is near 0 or 1. */
function ofLogit(g: Graph, x: Node): Side {
  const wrong = g.sigmoid(x);
  const right = g.softplus(x);
  return {
    // Where the slope cancels, the label is missed, and greater terms meet it.
    wrong: g.withSlope(wrong, x, g.sub(wrong, g.square(wrong))),
    // -log(right) is softplus(x), -log(wrong) that less x: 0 of an infinite x, not their difference. Infinite logits cost
    // nothing where they count for nothing; the slopes, of labels of 0 too, are those of the difference.
    cost: (whole, other, counts) => {
      const isInfinite = g.binary('eq', x, Number.POSITIVE_INFINITY);
      const weighted = g.mul(whole, right);
      const value = counts
        ? g.sub(weighted, times(g, other, g.select(isInfinite, 0, x)))
        : g.select(isInfinite, g.select(g.sub(whole, other), weighted, 0), g.sub(weighted, times(g, other, x)));
      return g.withSlope(value, g.sub(weighted, g.mul(other, x)), 1);
    },
  };
}

/** An output, seen from the side that its label is nearer to, and `pick`, which takes one of two by that. */
function nearerSide(g: Graph, y: Node, a: Node) {
  const isPositive = g.binary('lt', 0.5, y);
  const pick = (positive: Operand, negative: Operand): Node => g.select(isPositive, positive, negative);
  if (isKernel(a, 'Sigmoid')) return { pick, ...ofLogit(g, g.mul(pick(-1, 1), a.inputs[0] as Node)) };
  const rest = g.sub(1, a);
  return { pick, ...ofProbabilities(g, pick(a, rest), pick(rest, a)) };
}

/** `-(w y log a + (1 - y) log(1 - a))`. */
export const binaryCrossEntropy = (g: Graph, labels: Node, outputs: Node, posWeight: Operand = 1): Node =>
  g.later([labels, outputs, g.node(posWeight)], (now, [y, a, weight]) =>
    crossEntropyOf(now, y as Node, a as Node, weight as Node),
  );

function crossEntropyOf(g: Graph, y: Node, a: Node, posWeight: Node): Node {
  const { pick, cost } = nearerSide(g, y, a);
  const negative = g.sub(1, y);
  const weight = numberOf(posWeight);
  if (weight === 1) return cost(1, pick(negative, y), true);
  const positive = g.mul(posWeight, y);
  return cost(g.add(positive, negative), pick(negative, positive), weight !== undefined && weight > 0);
}

/** `focus` times `cost`. The slope of the focus is 0 where the cost is infinite. */
function focusedOn(g: Graph, focus: Node, cost: Node): Node {
  const finite = g.withSlope(g.min(cost, FAR), cost, 1);
  return g.withSlope(g.mul(focus, cost), g.mul(focus, finite), 1);
}

/** `alpha_y (1 - a_y)^gamma` times binary cross entropy; `a_y = y a + (1 - y) (1 - a)`, and alpha_y so of alpha. */
export const sigmoidFocal = (g: Graph, labels: Node, outputs: Node, alpha: number, gamma: number): Node =>
  g.later([labels, outputs], (now, [y, a]) => focalOf(now, y as Node, a as Node, alpha, gamma));

function focalOf(g: Graph, y: Node, a: Node, alpha: number, gamma: number): Node {
  const { wrong, cost, pick } = nearerSide(g, y, a);
  // How far the label is from its side.
  const rest = pick(g.sub(1, y), y);
  const missed = g.add(g.mul(wrong, g.sub(1, g.mul(2, rest))), rest);
  const focused = focusedOn(g, power(g, missed, gamma), cost(1, rest, true));
  if (alpha < 0) return focused;
  const share = g.add(g.mul(2 * alpha - 1, y), 1 - alpha);
  return alpha * (1 - alpha) === 0 ? times(g, share, focused) : g.mul(share, focused);
}

// --- Of the probabilities of classes: a term of each, whose sum over the row is the loss ---

/** `-y log a`. */
export const crossEntropy = (g: Graph, y: Node, a: Node): Node => g.neg(times(g, y, g.log(a)));

/** `-alpha y (1 - a)^gamma log a`. */
export function softmaxFocal(g: Graph, y: Node, a: Node, alpha: number, gamma: number): Node {
  const focused = focusedOn(g, power(g, g.sub(1, a), gamma), g.neg(g.log(a)));
  return g.mul(alpha, times(g, y, focused));
}

/** `y (epsilon (1 - a) - log a)`: cross entropy with the first term of its expansion in `1 - a` weighted anew. */
export const poly1CrossEntropy = (g: Graph, y: Node, a: Node, epsilon: number): Node =>
  times(g, y, g.sub(g.mul(epsilon, g.sub(1, a)), g.log(a)));

/** `y (1 - a^q) / q`: between cross entropy, q to 0, and absolute error, q = 1. */
export const generalizedCrossEntropy = (g: Graph, y: Node, a: Node, q: number): Node =>
  g.mul(1 / q, g.mul(y, g.sub(1, g.pow(a, q))));

// --- Of the overlap of two sets ---

/** `(alpha fp + beta fn) / (tp + alpha fp + beta fn + smooth)` of a row: what the Tversky index is short of 1. */
export function tversky(g: Graph, y: Node, a: Node, alpha: number, beta: number, smooth: number): Node {
  const [no, b] = [g.sub(1, y), g.sub(1, a)];
  const missed = sumOfRow(g, g.add(g.mul(alpha, g.mul(no, a)), g.mul(beta, g.mul(y, b))));
  const whole = g.add(missed, g.add(sumOfRow(g, g.mul(y, a)), smooth));
  const share = g.div(missed, whole);
  return smooth > 0 ? share : g.select(g.binary('eq', whole, 0), 0, share);
}
