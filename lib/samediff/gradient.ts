// SPDX-License-Identifier: Apache-2.0
// Reverse-mode differentiation, symbolic: gradients are nodes of the same graph, simplified, and can be differentiated again.
import { optionError } from '../errors';
import type { ActivationKernel } from '../native';
import { BINARY, type Node, numberOf, type Op, type Operand, reachable } from './graph';
import { replaced } from './remake';
import type { Simplifier } from './simplifier';

/** dL/d(each input) of a node, from u = dL/d(node); undefined where it does not depend on it. u may repeat to the node's shape. */
type Rule = (g: Simplifier, inputs: readonly Node[], u: Node, node: Node) => (Operand | undefined)[];

const TWO_OVER_ROOT_PI = 1.1283791670955126;

/** u where the condition holds, else 0. */
const where = (g: Simplifier, condition: Node, u: Node): Node => g.select(condition, u, 0);

/** So many choices within each other are looked into. */
const DEEPEST = 8;

/** f of u, linear. Where a choice lets no gradient pass, none comes of it, whatever f multiplies it with. */
function through(g: Simplifier, u: Node, f: (u: Node) => Node, depth = DEEPEST): Node {
  const [c, then, otherwise] = u.inputs as [Node, Node, Node];
  if (u.op !== 'select' || depth === 0) return f(u);
  if (numberOf(otherwise) === 0) return where(g, c, through(g, then, f, depth - 1));
  return numberOf(then) === 0 ? g.select(c, 0, through(g, otherwise, f, depth - 1)) : f(u);
}

const minus = (g: Simplifier, u: Node): Node => through(g, u, (v) => g.neg(v));
const times = (g: Simplifier, u: Node, x: Operand): Node => through(g, u, (v) => g.mul(v, x));
const over = (g: Simplifier, u: Node, x: Operand): Node => through(g, u, (v) => g.div(v, x));

// At equality the slope of a bound, a number, is 0, as relu's and hinge's; two variables share it.
function ofExtreme(g: Simplifier, a: Node, b: Node, u: Node, isFirst: Node, isSecond: Node): Node[] {
  if (numberOf(a) !== undefined || numberOf(b) !== undefined) return [where(g, isFirst, u), where(g, isSecond, u)];
  const half = where(g, g.binary('eq', a, b), times(g, u, 0.5));
  return [g.select(isFirst, u, half), g.select(isSecond, u, half)];
}

const isSumOfSquares = (x: Node): boolean => x.op === 'sum' && x.inputs[0]?.op === 'square';

const none: Rule = () => [];
const notExpanded: Rule = (_, __, ___, { op }) => {
  throw new Error(`${op} in what is differentiated`);
};

const rules: Readonly<Record<Op, Rule>> = {
  input: none,
  number: none,
  columnIndex: none,
  // --- Elements ---
  neg: (g, _, u) => [minus(g, u)],
  abs: (g, [x], u) => [times(g, u, g.sign(x as Node))],
  sign: none,
  square: (g, [x], u) => [times(g, u, g.mul(2, x as Node))],
  // At 0, where a norm has no direction, 0.
  sqrt: (g, [x], u, y) => {
    const slope = over(g, times(g, u, 0.5), y);
    return [isSumOfSquares(x as Node) ? g.select(g.binary('eq', y, 0), 0, slope) : slope];
  },
  exp: (g, _, u, y) => [times(g, u, y)],
  expm1: (g, [x], u) => [times(g, u, g.unary('exp', x as Node))],
  log: (g, [x], u) => [over(g, u, x as Node)],
  log1p: (g, [x], u) => [over(g, u, g.add(1, x as Node))],
  erf: (g, [x], u) => [times(g, u, g.mul(TWO_OVER_ROOT_PI, g.unary('exp', g.neg(g.square(x as Node)))))],
  floor: none,
  reciprocal: (g, _, u, y) => [minus(g, times(g, u, g.square(y)))],
  add: (_, __, u) => [u, u],
  sub: (g, _, u) => [u, minus(g, u)],
  mul: (g, [a, b], u) => [times(g, u, b as Node), times(g, u, a as Node)],
  div: (g, [, b], u, y) => [over(g, u, b as Node), minus(g, over(g, times(g, u, y), b as Node))],
  min: (g, [a, b], u) =>
    ofExtreme(g, a as Node, b as Node, u, g.binary('lt', a as Node, b as Node), g.binary('lt', b as Node, a as Node)),
  max: (g, [a, b], u) =>
    ofExtreme(g, a as Node, b as Node, u, g.binary('lt', b as Node, a as Node), g.binary('lt', a as Node, b as Node)),
  pow: (g, [a, b], u, y) => [
    times(g, u, g.mul(b as Node, g.pow(a as Node, g.sub(b as Node, 1)))),
    // 0 log 0 is 0.
    g.select(g.binary('eq', a as Node, 0), 0, times(g, u, g.mul(y, g.log(a as Node)))),
  ],
  lt: none,
  le: none,
  eq: none,
  ne: none,
  select: (g, [c], u) => [undefined, where(g, c as Node, u), g.select(c as Node, 0, u)],
  activation: (g, [x], u, { attributes }) => [
    times(
      g,
      u,
      g.activation(
        attributes['kernel'] as ActivationKernel,
        attributes['params'] as readonly number[],
        x as Node,
        'slope',
      ),
    ),
  ],
  clip: (g, [x], u, y) => [where(g, g.binary('eq', x as Node, y), u)],
  slope: (g, [x], u, { attributes }) => {
    // What x is made from does not show in the expression.
    const z = x?.op === 'input' ? x : g.kept(x as Node);
    const slope = slopes[attributes['kernel'] as ActivationKernel];
    const expression = slope(g, z, attributes['params'] as readonly number[]);
    const [second] = gradients(g, [[expression, g.broadcastLike(u, z)]], [z]);
    return [second && replaced(g, second, new Map([[z, x as Node]]))];
  },
  // --- Over the last axis ---
  softmax: (g, _, u, y) => [g.mul(y, g.sub(u, overLast(g, times(g, u, y), y)))],
  logSoftmax: (g, [x], u, y) => [g.sub(u, g.mul(g.softmax(x as Node), overLast(g, g.broadcastLike(u, y), y)))],
  logSumExp: (g, [x], u) => [times(g, u, g.softmax(x as Node))],
  // --- Over axes: u repeats along them ---
  sum: (_, __, u) => [u],
  // Equal largest elements share it.
  maximum: (g, [x], u, y) => {
    const largest = g.binary('eq', x as Node, y);
    return [where(g, largest, over(g, u, g.sum(largest, y.attributes['axes'] as readonly number[])))];
  },
  // --- Shapes ---
  squeeze: (g, _, u, node) => [
    u.shape.length === 0 ? u : g.expandDims(g.broadcastLike(u, node), node.attributes['axes'] as readonly number[]),
  ],
  expandDims: (g, _, u, node) => [g.squeeze(g.broadcastLike(u, node), node.attributes['axes'] as readonly number[])],
  reshape: (g, [x], u, node) => [u.shape.length === 0 ? u : g.reshapeLike(g.broadcastLike(u, node), x as Node)],
  reshapeLike: (g, [x], u, node) => [u.shape.length === 0 ? u : g.reshapeLike(g.broadcastLike(u, node), x as Node)],
  permute: (g, _, u, node) => {
    const axes = node.attributes['axes'] as readonly number[];
    return [
      g.permute(
        g.broadcastLike(u, node),
        axes.map((_, axis) => axes.indexOf(axis)),
      ),
    ];
  },
  broadcastLike: (_, __, u) => [u],
  sumLike: (_, __, u) => [u],
  size: none,
  fit: (_, __, u) => [u],
  // --- Whole matrices ---
  mmul: (g, [a, b], u, node) => {
    const { transposeA, transposeB } = node.attributes as { transposeA: boolean; transposeB: boolean };
    const [x, y, d] = [a as Node, b as Node, g.broadcastLike(u, node)];
    return [
      transposeA ? g.mmul(y, d, transposeB, true) : g.mmul(d, y, false, !transposeB),
      transposeB ? g.mmul(d, x, true, transposeA) : g.mmul(x, d, !transposeA, false),
    ];
  },
  classIndex: none,
  ctc: (g, inputs, u, node) => [
    g.kernel('ctcGradient', [...inputs, g.broadcastLike(u, node)], node.attributes, (inputs[0] as Node).shape),
  ],
  ctcGradient: () => {
    throw optionError('gradient', 'a graph without the gradient of ctcLoss', 'its second derivative');
  },
  detach: none,
  withSlope: (g, [, , slope], u) => [undefined, times(g, u, slope as Node)],
  kept: (_, __, u) => [u],
  later: notExpanded,
  gradient: notExpanded,
};

/** The sum over the last axis, repeated. */
function overLast(g: Simplifier, x: Node, like: Node): Node {
  return g.sum(x, [like.shape.length - 1]);
}

// Derivatives of the activations in terms that can be differentiated again. For first derivatives there are kernels.
type Slope = (g: Simplifier, z: Node, params: readonly number[]) => Node;

const above = (g: Simplifier, z: Node, then: Operand, otherwise: Operand): Node =>
  g.select(g.binary('le', 0, z), then, otherwise);

// z sigmoid(w): s + z w' s(w) s(-w).
function gated(g: Simplifier, z: Node, w: Node, slope: Operand): Node {
  return g.add(g.sigmoid(w), g.mul(g.mul(z, slope), g.mul(g.sigmoid(w), g.sigmoid(g.neg(w)))));
}

// sech^2 without cancellation.
function tanhSlope(g: Simplifier, z: Node): Node {
  const twice = g.mul(2, z);
  return g.mul(4, g.mul(g.sigmoid(twice), g.sigmoid(g.neg(twice))));
}

// Linear in pieces: the kernel's slope has no slope of its own.
const flat =
  (kernel: ActivationKernel): Slope =>
  (g, z, params) =>
    g.detach(g.activation(kernel, params, z, 'slope'));

const slopes: Readonly<Record<ActivationKernel, Slope>> = {
  Identity: (g) => g.number(1),
  Cube: (g, z) => g.mul(3, g.square(z)),
  ELU: (g, z, [alpha]) => above(g, z, 1, g.mul(alpha as number, g.unary('exp', z))),
  GELU: (g, z) => gated(g, z, g.mul(1.702, z), 1.702),
  // 0.5 (1 + tanh(w / 2)) is sigmoid(w), w = 2 sqrt(2 / pi) (z + 0.044715 z^3).
  GELUPrecise: (g, z) => {
    const scale = 2 * Math.sqrt(2 / Math.PI);
    const z2 = g.square(z);
    return gated(
      g,
      z,
      g.mul(scale, g.mul(z, g.add(1, g.mul(0.044715, z2)))),
      g.mul(scale, g.add(1, g.mul(3 * 0.044715, z2))),
    );
  },
  HardSigmoid: flat('HardSigmoid'),
  HardTanH: flat('HardTanH'),
  LReLU: flat('LReLU'),
  // t + z (1 - t^2) sigmoid(z), t = tanh(softplus z).
  Mish: (g, z) => {
    const p = g.softplus(z);
    return g.add(g.activation('TanH', [0, 0, 0], p), g.mul(g.mul(z, g.sigmoid(z)), tanhSlope(g, p)));
  },
  PReLU: () => {
    throw optionError('gradient', 'PReLU as an expression', 'its kernel');
  },
  // With D = 1 + x + x^2 + 1.41645 x^4 and x = 2 |z| / 3: 1.7159 (2 / 3) D' / D^2.
  RationalTanh: (g, z) => {
    const x = g.mul(2 / 3, g.abs(z));
    const x2 = g.square(x);
    const d = g.add(g.add(1, x), g.add(x2, g.mul(1.41645, g.square(x2))));
    const slope = g.add(g.add(1, g.mul(2, x)), g.mul(4 * 1.41645, g.mul(x, x2)));
    return g.div(g.mul((1.7159 * 2) / 3, slope), g.square(d));
  },
  RectifiedTanh: (g, z) => g.select(g.binary('le', z, 0), 0, tanhSlope(g, z)),
  ReLU: flat('ReLU'),
  SELU: (g, z) => g.select(g.binary('le', z, 0), g.mul(1.7580993408473768, g.unary('exp', z)), 1.0507009873554805),
  Sigmoid: (g, z) => g.mul(g.sigmoid(z), g.sigmoid(g.neg(z))),
  SoftPlus: (g, z) => g.sigmoid(z),
  SoftSign: (g, z) => g.square(g.unary('reciprocal', g.add(1, g.abs(z)))),
  Swish: (g, z) => gated(g, z, z, 1),
  TanH: tanhSlope,
  ThresholdedReLU: flat('ThresholdedReLU'),
  Softmax: () => {
    throw optionError('gradient', 'softmax as an operation', 'its kernel');
  },
};

/** Operations whose inputs repeat to the node's shape. */
const BROADCASTS = new Set<Op>([...BINARY, 'select', 'broadcastLike']);

/**
 * The gradients of `sum(upstream * output)` over pairs of output and upstream with respect to nodes, each of the
 * node's shape or of one that repeats to it; undefined where nothing depends on the node.
 */
export function gradients(
  g: Simplifier,
  outputs: readonly (readonly [output: Node, upstream: Node])[],
  wrt: readonly Node[],
): (Node | undefined)[] {
  const nodes = reachable(outputs.map(([output]) => output));
  const varying = new Set<Node>(wrt);
  for (const node of nodes)
    if (node.op !== 'detach' && node.inputs.some((input) => varying.has(input))) varying.add(node);
  const sums = new Map<Node, Node>();
  const add = (node: Node, u: Node) => {
    const sum = sums.get(node);
    sums.set(node, sum === undefined ? u : g.add(sum, u));
  };
  for (const [output, upstream] of outputs) add(output, upstream);
  for (const node of nodes.reverse()) {
    const u = sums.get(node);
    if (u === undefined || !varying.has(node)) continue;
    const parts = rules[node.op](g, node.inputs, u, node);
    node.inputs.forEach((input, i) => {
      const part = parts[i];
      if (part === undefined || !varying.has(input)) return;
      const whole = g.node(part);
      add(input, BROADCASTS.has(node.op) ? g.sumLike(whole, node, input) : whole);
    });
  }
  return wrt.map((node) => sums.get(node));
}
