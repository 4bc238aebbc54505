// SPDX-License-Identifier: Apache-2.0
// The graph of an expression: nodes that never change, each made once, simplified as they are made.

import { describe, dtypeError, shapeError } from '../errors';
import type { ActivationKernel } from '../native';
import { onNumbers } from './numbers';
import {
  broadcast,
  countOf,
  isKnown,
  isSame,
  publicShape,
  reduced,
  type Sizes,
  spaceOf,
  UNKNOWN,
  without,
} from './shapes';

/** Functions of one element. */
export const UNARY = [
  'neg',
  'abs',
  'sign',
  'square',
  'sqrt',
  'exp',
  'expm1',
  'log',
  'log1p',
  'erf',
  'floor',
  'reciprocal',
] as const;
/** Functions of two elements; comparisons give 1 or 0. */
export const BINARY = ['add', 'sub', 'mul', 'div', 'min', 'max', 'pow', 'lt', 'le', 'eq', 'ne'] as const;

export type Unary = (typeof UNARY)[number];
export type Binary = (typeof BINARY)[number];

export type Op =
  // Leaves: an array bound by name when the graph runs, a number, the index of each column (of the last axis of `like`).
  | 'input'
  | 'number'
  | 'columnIndex'
  // Elements.
  | Unary
  | Binary
  | 'select' // (condition, then, otherwise)
  | 'activation' // { kernel, params }
  | 'slope' // its derivative
  | 'clip' // to { low, high }
  // Over the last axis.
  | 'softmax'
  | 'logSoftmax'
  | 'logSumExp' // keeps the axis
  // Over { axes }, which are kept with size 1.
  | 'sum'
  | 'maximum'
  // Shapes.
  | 'squeeze' // takes { axes } of size 1 away
  | 'expandDims' // puts { axes } of size 1 in
  | 'reshape' // { shape }
  | 'reshapeLike' // (x, like)
  | 'permute' // { axes }
  | 'broadcastLike' // (x, like), or (x) to { shape }
  | 'sumLike' // (x, like): the reverse, sums over what was repeated
  | 'size' // of { axes } of x, a number
  | 'fit' // (x, like): x, once it is seen to have the shape of `like` or, with { repeats }, to repeat to it
  // Whole matrices.
  | 'mmul' // { transposeA, transposeB }
  | 'classIndex' // (labels, like): labels, once each is seen to be a column of `like`
  | 'ctc' // (logits, labels, labelLengths, logitLengths), { blankIndex }
  | 'ctcGradient' // (... and dL/dscore)
  | 'detach' // no gradient passes
  | 'withSlope'; // (value, x, slope): a value whose derivative for x is known better than the chain rule finds it

export type Attributes = Readonly<Record<string, number | string | boolean | readonly number[]>>;

/** One operation. Inputs have smaller ids. */
export interface Node {
  readonly id: number;
  readonly op: Op;
  readonly inputs: readonly Node[];
  readonly attributes: Attributes;
  readonly shape: Sizes;
}

/** What the builder takes as an operand. */
export type Operand = Node | number;

const NONE: Attributes = Object.freeze({});
const COMMUTATIVE = new Set<Op>(['add', 'mul', 'min', 'max', 'eq', 'ne']);

/** The value of a number's node. */
export function numberOf(node: Node): number | undefined {
  return node.op === 'number' ? (node.attributes['value'] as number) : undefined;
}

const isNumber = (node: Node, value: number): boolean => numberOf(node) === value;

/** Makes nodes. The same operation on the same inputs is the same node. */
export class Graph {
  private readonly nodes = new Map<string, Node>();
  private count = 0;
  private readonly unknowns = new Map<string, number>();
  private lastUnknown = UNKNOWN;

  /** A leaf of its own, whatever its name. Sizes of -1 are each their own. */
  input(name: string, shape: Sizes): Node {
    return this.create('input', [], { name }, this.told(shape));
  }

  number(value: number): Node {
    // -0 is not 0, and NaN has no other text.
    return this.intern('number', [], { value }, [], Object.is(value, -0) ? '-0' : String(value));
  }

  /** `[1, ..., c]`: 0, 1, ... along the last axis of `like`. */
  columnIndex(like: Node): Node {
    const last = like.shape.length - 1;
    const shape = like.shape.map((size, axis) => (axis === last ? size : 1));
    return isKnown(shape)
      ? this.intern('columnIndex', [], { shape }, shape)
      : this.intern('columnIndex', [like], NONE, shape);
  }

  // --- Elements ---

  neg(x: Operand): Node {
    const a = this.node(x);
    if (a.op === 'neg') return a.inputs[0] as Node;
    if (a.op === 'sub') return this.sub(a.inputs[1] as Node, a.inputs[0] as Node);
    return this.pushed(a, (v) => this.neg(v)) ?? this.unary('neg', a);
  }

  abs(x: Operand): Node {
    const a = this.node(x);
    if (a.op === 'neg') return this.abs(a.inputs[0] as Node);
    const turned = this.turned(a);
    if (turned !== undefined) return this.abs(turned);
    return a.op === 'abs' || a.op === 'square' || a.op === 'exp' ? a : this.unary('abs', a);
  }

  square(x: Operand): Node {
    const a = this.node(x);
    const inner = a.op === 'neg' || a.op === 'abs' ? (a.inputs[0] as Node) : a;
    return this.unary('square', this.turned(inner) ?? inner);
  }

  sign(x: Operand): Node {
    const a = this.node(x);
    if (a.op === 'neg') return this.neg(this.sign(a.inputs[0] as Node));
    const turned = this.turned(a);
    return turned === undefined ? this.unary('sign', a) : this.neg(this.sign(turned));
  }

  log(x: Operand): Node {
    const a = this.node(x);
    const [inner] = a.inputs;
    // In closed form, where the output underflows under the log.
    if (a.op === 'softmax') return this.logSoftmax(inner as Node);
    if (isKernel(a, 'Sigmoid')) return this.neg(this.softplus(this.neg(inner as Node)));
    return this.unary('log', a);
  }

  unary(op: Unary, x: Operand): Node {
    const a = this.node(x);
    const value = numberOf(a);
    const fold = onNumbers[op];
    if (value !== undefined && fold !== undefined) return this.number(fold(value));
    if (op === 'exp' && a.op === 'logSoftmax') return this.softmax(a.inputs[0] as Node);
    return this.intern(op, [a], NONE, a.shape);
  }

  add(x: Operand, y: Operand): Node {
    const [a, b] = this.pair(x, y);
    if (isNumber(a, 0)) return b;
    if (isNumber(b, 0)) return a;
    if (b.op === 'neg') return this.sub(a, b.inputs[0] as Node);
    if (a.op === 'neg') return this.sub(b, a.inputs[0] as Node);
    if (a === b) return this.mul(2, a);
    const [n, rest] = numberOf(b) === undefined ? [a, b] : [b, a];
    if (numberOf(n) !== undefined) {
      const moved = this.withNumber('add', rest, (m) => this.add(n, m)) ?? this.intoSelect(rest, (v) => this.add(n, v));
      if (moved !== undefined) return moved;
    }
    return this.joined(a, b) ?? this.binary('add', a, b);
  }

  sub(x: Operand, y: Operand): Node {
    const [a, b] = this.pair(x, y);
    if (isNumber(b, 0)) return a;
    if (isNumber(a, 0)) return this.neg(b);
    if (b.op === 'neg') return this.add(a, b.inputs[0] as Node);
    if (numberOf(b) !== undefined) return this.add(a, this.neg(b));
    if (isNumber(a, 1)) {
      // Where the second is near 1, the difference keeps no digit; a softmax may even be rounded to more than 1.
      const [inner] = b.inputs;
      if (isKernel(b, 'Sigmoid')) return this.sigmoid(this.neg(inner as Node));
      if (b.op === 'softmax') return this.neg(this.unary('expm1', this.logSoftmax(inner as Node)));
      if (b.op === 'exp') return this.neg(this.unary('expm1', inner as Node));
    }
    return this.binary('sub', a, b);
  }

  mul(x: Operand, y: Operand): Node {
    const [a, b] = this.pair(x, y);
    if (isNumber(a, 1)) return b;
    if (isNumber(b, 1)) return a;
    if (isNumber(a, -1)) return this.neg(b);
    if (isNumber(b, -1)) return this.neg(a);
    if (a.op === 'neg') return this.neg(this.mul(a.inputs[0] as Node, b));
    if (b.op === 'neg') return this.neg(this.mul(a, b.inputs[0] as Node));
    const [factor, rest] = numberOf(b) === undefined ? [a, b] : [b, a];
    if (numberOf(factor) !== undefined) {
      const moved =
        this.withNumber('mul', rest, (m) => this.mul(factor, m)) ?? this.intoSelect(rest, (v) => this.mul(factor, v));
      if (moved !== undefined) return moved;
    }
    const pushed = this.pushed(a, (v) => this.mul(v, b)) ?? this.pushed(b, (v) => this.mul(a, v));
    if (pushed !== undefined) return pushed;
    return a === b ? this.square(a) : this.binary('mul', a, b);
  }

  div(x: Operand, y: Operand): Node {
    const [a, b] = this.pair(x, y);
    if (isNumber(b, 1)) return a;
    if (isNumber(b, -1)) return this.neg(a);
    if (a.op === 'neg') return this.neg(this.div(a.inputs[0] as Node, b));
    return this.pushed(a, (v) => this.div(v, b)) ?? this.binary('div', a, b);
  }

  pow(x: Operand, y: Operand): Node {
    const [a, b] = [this.node(x), this.node(y)];
    // The slope of a power below 1 is infinite where the output underflows, but for its logarithm.
    const isProbability = a.op === 'softmax' || isKernel(a, 'Sigmoid');
    switch (numberOf(b)) {
      case 0:
        return this.broadcastLike(1, a);
      case 1:
        return a;
      case 2:
        return this.square(a);
      case 3:
        return this.mul(this.square(a), a);
      case 0.5:
        if (isProbability) break;
        return this.unary('sqrt', a);
      case -1:
        return this.unary('reciprocal', a);
    }
    return isProbability ? this.unary('exp', this.mul(b, this.log(a))) : this.binary('pow', a, b);
  }

  min(x: Operand, y: Operand): Node {
    const [a, b] = [this.node(x), this.node(y)];
    return a === b ? a : this.binary('min', a, b);
  }

  max(x: Operand, y: Operand): Node {
    const [a, b] = [this.node(x), this.node(y)];
    return a === b ? a : this.binary('max', a, b);
  }

  binary(op: Binary, x: Operand, y: Operand): Node {
    let [a, b] = this.pair(x, y);
    const [p, q] = [numberOf(a), numberOf(b)];
    const fold = onNumbers[op];
    if (p !== undefined && q !== undefined && fold !== undefined) return this.number(fold(p, q));
    const shape = this.broadcast(op, [a, b]);
    if (COMMUTATIVE.has(op) && a.id > b.id) [a, b] = [b, a];
    return this.intern(op, [a, b], NONE, shape);
  }

  /** `then` where the condition is not 0, else `otherwise`. */
  select(condition: Operand, then: Operand, otherwise: Operand): Node {
    const [c, a, b] = [this.node(condition), this.node(then), this.node(otherwise)];
    const shape = this.broadcast('where', [c, a, b]);
    const fixed = numberOf(c);
    const taken = a === b || fixed ? a : fixed === undefined ? undefined : b;
    // What is taken may have to repeat.
    if (taken !== undefined && (isSame(taken.shape, shape) || isKnown(shape))) return this.broadcastTo(taken, shape);
    return this.intern('select', [c, a, b], NONE, shape);
  }

  /** A kernel of native/activation.h, or its derivative. */
  activation(
    kernel: ActivationKernel,
    params: readonly number[],
    x: Operand,
    op: 'activation' | 'slope' = 'activation',
  ) {
    const a = this.node(x);
    if (kernel === 'Identity') return op === 'activation' ? a : this.number(1);
    if (kernel === 'SoftPlus' && op === 'slope') return this.sigmoid(a);
    return this.intern(op, [a], { kernel, params }, a.shape);
  }

  sigmoid(x: Operand): Node {
    return this.activation('Sigmoid', [0, 0, 0], x);
  }

  softplus(x: Operand): Node {
    return this.activation('SoftPlus', [0, 0, 0], x);
  }

  /** x within [low, high]. At the bounds the slope is 1. */
  clip(x: Node, low: number, high: number): Node {
    return this.intern('clip', [x], { low, high }, x.shape);
  }

  // --- Over axes ---

  softmax(x: Node): Node {
    return this.intern('softmax', [x], NONE, x.shape);
  }

  logSoftmax(x: Node): Node {
    return this.intern('logSoftmax', [x], NONE, x.shape);
  }

  logSumExp(x: Node): Node {
    return this.intern('logSumExp', [x], NONE, reduced(x.shape, [x.shape.length - 1]));
  }

  /** The sum over axes, which keep size 1. */
  sum(x: Node, axes: readonly number[]): Node {
    if (axes.every((axis) => x.shape[axis] === 1)) return x;
    // A factor that is the same everywhere, once.
    if (x.op === 'mul' && numberOf(x.inputs[0] as Node) !== undefined) {
      return this.mul(x.inputs[0] as Node, this.sum(x.inputs[1] as Node, axes));
    }
    if (x.op === 'mul' && numberOf(x.inputs[1] as Node) !== undefined) {
      return this.mul(x.inputs[1] as Node, this.sum(x.inputs[0] as Node, axes));
    }
    if (x.op === 'neg') return this.neg(this.sum(x.inputs[0] as Node, axes));
    return this.intern('sum', [x], { axes }, reduced(x.shape, axes));
  }

  maximum(x: Node, axes: readonly number[]): Node {
    if (axes.every((axis) => x.shape[axis] === 1)) return x;
    return this.intern('maximum', [x], { axes }, reduced(x.shape, axes));
  }

  norm2(x: Node, axes: readonly number[]): Node {
    return this.unary('sqrt', this.sum(this.square(x), axes));
  }

  /** f over the last axis, which holds the elements along the axes; the axes are kept. */
  overLast(x: Node, axes: readonly number[], f: (x: Node) => Node): Node {
    const last = x.shape.length - 1;
    if (axes.length === 1 && axes[0] === last) return f(x);
    const others = [...x.shape.keys()].filter((axis) => !axes.includes(axis));
    const order = [...others, ...axes];
    const moved = this.permute(x, order);
    const folded = axes.length === 1 ? moved : this.foldLast(moved, axes.length);
    const result = f(folded);
    if (result.shape[result.shape.length - 1] !== 1 || folded.shape[folded.shape.length - 1] === 1) {
      const whole = axes.length === 1 ? result : this.reshapeLike(result, moved);
      return this.permute(
        whole,
        order.map((_, axis) => order.indexOf(axis)),
      );
    }
    return this.expandDims(this.squeeze(result, [result.shape.length - 1]), axes);
  }

  /** The last axes as one. */
  private foldLast(x: Node, count: number): Node {
    const kept = x.shape.slice(0, x.shape.length - count);
    const size = countOf(x.shape.slice(kept.length));
    if (size !== UNKNOWN || isKnown(kept)) return this.reshape(x, [...kept, size]);
    throw shapeError(`axes of ${label(x)}`, 'sizes that are known, of several axes together', x.shape);
  }

  /** x[i, labels[i]], `[n, 1]`. */
  gather(x: Node, labels: Operand): Node {
    return this.sum(this.select(this.isClass(x, labels), x, 0), [1]);
  }

  /** 1 in the column of x that the row's label names, else 0. */
  isClass(x: Node, classes: Operand): Node {
    const labels = this.node(classes);
    if (x.shape.length !== 2) throw shapeError(`gather of ${label(x)}`, 'a matrix', x.shape);
    const column = labels.shape.length === 1 ? this.expandDims(labels, [1]) : labels;
    if (column.shape.length !== 2 || column.shape[1] !== 1) {
      throw shapeError(`labels of gather: ${label(labels)}`, '[n] or [n, 1]', labels.shape);
    }
    const checked = this.kernel('classIndex', [column, x], { name: nameOf(labels) }, column.shape);
    return this.binary('eq', this.columnIndex(x), checked);
  }

  /** How many elements lie along the axes. */
  sizeOf(x: Node, axes: readonly number[]): Node {
    const sizes = axes.map((axis) => x.shape[axis] as number);
    if (isKnown(sizes)) return this.number(countOf(sizes));
    return this.intern('size', [x], { axes }, []);
  }

  // --- Shapes ---

  squeeze(x: Node, axes: readonly number[]): Node {
    if (axes.length === 0) return x;
    if (x.op === 'expandDims' && isSame(x.attributes['axes'] as Sizes, axes)) return x.inputs[0] as Node;
    return this.intern('squeeze', [x], { axes }, without(x.shape, axes));
  }

  /** Puts axes of size 1 in where they will be. A number stays one: it repeats anyhow. */
  expandDims(x: Node, axes: readonly number[]): Node {
    if (axes.length === 0 || x.op === 'number') return x;
    if (x.op === 'squeeze' && isSame(x.attributes['axes'] as Sizes, axes)) return x.inputs[0] as Node;
    const shape = [...x.shape];
    for (const axis of axes) shape.splice(axis, 0, 1);
    return this.intern('expandDims', [x], { axes }, shape);
  }

  /** At most one size of the shape may be -1: what is left. */
  reshape(x: Node, shape: Sizes): Node {
    if (isSame(x.shape, shape)) return x;
    if (x.op === 'reshape') return this.reshape(x.inputs[0] as Node, shape);
    const sizes = [...shape];
    const open = sizes.indexOf(UNKNOWN);
    if (sizes.indexOf(UNKNOWN, open + 1) > open && open >= 0)
      throw shapeError('reshape', 'at most one size of -1', shape);
    if (isKnown(x.shape)) {
      const count = countOf(x.shape);
      const rest = sizes.reduce((product, size) => (size === UNKNOWN ? product : product * size), 1);
      if (open >= 0 && rest > 0 && count % rest === 0) sizes[open] = count / rest;
      if (sizes.reduce((product, size) => product * size, 1) !== count) {
        throw shapeError(`reshape of ${label(x)}`, `a shape of ${count} elements`, shape);
      }
    }
    return this.intern('reshape', [x], { shape: sizes }, this.told(sizes));
  }

  reshapeLike(x: Node, like: Node): Node {
    if (isKnown(like.shape)) return this.reshape(x, like.shape);
    return this.intern('reshapeLike', [x, like], NONE, like.shape);
  }

  permute(x: Node, axes: readonly number[]): Node {
    if (axes.every((axis, i) => axis === i)) return x;
    if (x.op === 'permute') {
      const inner = x.attributes['axes'] as Sizes;
      return this.permute(
        x.inputs[0] as Node,
        axes.map((axis) => inner[axis] as number),
      );
    }
    return this.intern(
      'permute',
      [x],
      { axes },
      axes.map((axis) => x.shape[axis] as number),
    );
  }

  broadcastLike(x: Operand, like: Node): Node {
    const a = this.node(x);
    if (isSame(a.shape, like.shape) || a === like) return a;
    return isKnown(like.shape)
      ? this.broadcastTo(a, like.shape)
      : this.intern('broadcastLike', [a, like], NONE, like.shape);
  }

  broadcastTo(x: Node, shape: Sizes): Node {
    return isSame(x.shape, shape) ? x : this.intern('broadcastLike', [x], { shape }, shape);
  }

  /** Sums a value that goes with `from` over the axes along which `like` was repeated for it. */
  sumLike(x: Node, from: Node, like: Node): Node {
    if (like === from || isSame(like.shape, from.shape)) return x;
    const lead = from.shape.length - like.shape.length;
    if (isKnown(like.shape) && isKnown(from.shape)) {
      const whole = this.broadcastLike(x, from);
      const axes = from.shape
        .map((_, axis) => axis)
        .filter((axis) => axis < lead || (like.shape[axis - lead] === 1 && from.shape[axis] !== 1));
      return this.squeeze(this.sum(whole, axes), axes.slice(0, lead));
    }
    return this.intern('sumLike', [this.broadcastLike(x, from), like], NONE, like.shape);
  }

  /** x, which must have the shape of `like`, or repeat to it; errors call it by the name. */
  fit(x: Node, like: Node, name: string, repeats = false): Node {
    const [of, to] = [x.shape, like.shape];
    const fits = (certainly: boolean) =>
      of.length === to.length &&
      of.every((size, axis) => {
        const wanted = to[axis] as number;
        return (
          (size === wanted && size !== UNKNOWN) || (repeats && size === 1) || (!certainly && (size < 0 || wanted < 0))
        );
      });
    if (fits(true)) return x;
    if (fits(false)) return this.intern('fit', [x, like], { name, repeats }, repeats ? of : to);
    throw shapeError(
      name,
      `${describe(publicShape(to))}${repeats ? ', or 1 for some of its sizes' : ''}`,
      publicShape(of),
    );
  }

  // --- Whole matrices ---

  mmul(x: Operand, y: Operand, transposeA = false, transposeB = false): Node {
    const [a, b] = [this.node(x), this.node(y)];
    const what = `mmul of ${label(a)} and ${label(b)}`;
    if (a.shape.length !== 2 || b.shape.length !== 2)
      throw shapeError(what, 'two matrices', [label(a), label(b)].join(' and '));
    const [m, k] = transposeA ? [a.shape[1], a.shape[0]] : a.shape;
    const [l, n] = transposeB ? [b.shape[1], b.shape[0]] : b.shape;
    if (k !== l && (k as number) >= 0 && (l as number) >= 0)
      throw shapeError(what, `${k} rows of the second factor`, l);
    return this.intern('mmul', [a, b], { transposeA, transposeB }, [m as number, n as number]);
  }

  kernel(
    op: 'classIndex' | 'ctc' | 'ctcGradient',
    inputs: readonly Node[],
    attributes: Attributes,
    shape: Sizes,
  ): Node {
    return this.intern(op, inputs, attributes, shape);
  }

  detach(x: Node): Node {
    return x.op === 'number' ? x : this.intern('detach', [x], NONE, x.shape);
  }

  /** `value`, a function of x whose derivative is `slope`. */
  withSlope(value: Node, x: Node, slope: Operand): Node {
    return this.intern('withSlope', [value, x, this.node(slope)], NONE, value.shape);
  }

  // --- How nodes come to be ---

  /** The shape of operands together. */
  broadcast(op: string, operands: readonly Node[]): Sizes {
    const what = () => `operands of ${op}: ${operands.map(label).join(' and ')}`;
    return operands.map(({ shape }) => shape).reduce((a, b) => broadcast(a, b, what, (p, q) => this.unknown(p, q)));
  }

  /** What two unknown sizes make: the same for the same two. */
  private unknown(p: number, q: number): number {
    const key = `${Math.max(p, q)} ${Math.min(p, q)}`;
    const known = this.unknowns.get(key) ?? --this.lastUnknown;
    this.unknowns.set(key, known);
    return known;
  }

  /** A shape whose sizes of -1 can be told apart. */
  private told(shape: Sizes): Sizes {
    return shape.map((size) => (size === UNKNOWN ? --this.lastUnknown : size));
  }

  /** Two operands, each as small as it may be. */
  private pair(x: Operand, y: Operand): [Node, Node] {
    const [a, b] = [this.node(x), this.node(y)];
    if (a.op !== 'broadcastLike' && b.op !== 'broadcastLike') return [a, b];
    const shape = this.broadcast('', [a, b]);
    const narrow = (node: Node, other: Node): Node => {
      const [inner] = node.inputs;
      if (node.op !== 'broadcastLike' || inner === undefined) return node;
      const isOdd = isKnown(shape) && spaceOf(inner.shape, shape) === undefined;
      return !isOdd && isSame(this.broadcast('', [inner, other]), shape) ? inner : node;
    };
    const left = narrow(a, b);
    return [left, narrow(b, left)];
  }

  node(x: Operand): Node {
    if (x === undefined) throw dtypeError('operand', 'a variable or a number', x);
    return typeof x === 'number' ? this.number(x) : x;
  }

  /** `b - a` of `a - b`, where b was made first: one of the two, whichever way it was written, where the sign is no matter. */
  private turned(x: Node): Node | undefined {
    const [a, b] = x.inputs as [Node, Node];
    return x.op === 'sub' && b.id < a.id ? this.binary('sub', b, a) : undefined;
  }

  /** `f(n) op x` of `n op x`: one number in place of two. */
  private withNumber(op: 'add' | 'mul', x: Node, f: (n: Node) => Node): Node | undefined {
    if (x.op !== op) return undefined;
    const n = x.inputs.find((input) => numberOf(input) !== undefined);
    const other = x.inputs.find((input) => input !== n);
    if (n === undefined || other === undefined) return undefined;
    return this[op](f(n), other);
  }

  /** A number's operation inside of a select, one of whose sides is a number. */
  private intoSelect(x: Node, f: (v: Node) => Node): Node | undefined {
    const [c, then, otherwise] = x.inputs as [Node, Node, Node];
    if (x.op !== 'select' || (numberOf(then) === undefined && numberOf(otherwise) === undefined)) return undefined;
    return this.select(c, f(then), f(otherwise));
  }

  /** f inside of `select(c, v, 0)`: what is not selected is 0, whatever f multiplies it with. */
  private pushed(a: Node, f: (v: Node) => Node): Node | undefined {
    if (a.op !== 'select') return undefined;
    const [c, then, otherwise] = a.inputs as [Node, Node, Node];
    if (isNumber(otherwise, 0)) return this.select(c, f(then), otherwise);
    return isNumber(then, 0) ? this.select(c, then, f(otherwise)) : undefined;
  }

  /** `select(c, a, 0) + select(c, 0, b)`. */
  private joined(a: Node, b: Node): Node | undefined {
    if (a.op !== 'select' || b.op !== 'select' || a.inputs[0] !== b.inputs[0]) return undefined;
    const [c, a1, a0] = a.inputs as [Node, Node, Node];
    const [, b1, b0] = b.inputs as [Node, Node, Node];
    const halves = (isNumber(a1, 0) && isNumber(b0, 0)) || (isNumber(a0, 0) && isNumber(b1, 0));
    return halves ? this.select(c, this.add(a1, b1), this.add(a0, b0)) : undefined;
  }

  private intern(op: Op, inputs: readonly Node[], attributes: Attributes, shape: Sizes, text?: string): Node {
    let key: string = op;
    for (const input of inputs) key += ` ${input.id}`;
    if (attributes !== NONE) key += text ?? JSON.stringify(attributes);
    let node = this.nodes.get(key);
    if (node === undefined) {
      node = this.create(op, inputs, attributes, shape);
      this.nodes.set(key, node);
    }
    return node;
  }

  private create(op: Op, inputs: readonly Node[], attributes: Attributes, shape: Sizes): Node {
    return Object.freeze({ id: this.count++, op, inputs, attributes, shape });
  }
}

/** Is it this activation? */
export function isKernel(node: Node, kernel: ActivationKernel): boolean {
  return node.op === 'activation' && node.attributes['kernel'] === kernel;
}

/** A node in an error's message. */
export function label(node: Node): string {
  const name = node.op === 'number' ? String(numberOf(node)) : nameOf(node);
  return `${name} [${node.shape.map((size) => (size < 0 ? '?' : size)).join(', ')}]`;
}

function nameOf(node: Node): string {
  return node.op === 'input' ? String(node.attributes['name']) : node.op;
}

/** Every node that the roots need, inputs first. */
export function reachable(roots: readonly Node[]): Node[] {
  const seen = new Set<Node>();
  const stack = [...roots];
  for (let node = stack.pop(); node !== undefined; node = stack.pop()) {
    if (seen.has(node)) continue;
    seen.add(node);
    stack.push(...node.inputs);
  }
  return [...seen].sort((a, b) => a.id - b.id);
}
