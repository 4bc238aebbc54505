// SPDX-License-Identifier: Apache-2.0
// The graph of an expression: nodes that never change, each made once, as they are written; simplifier.ts makes them simpler.

import { describe, dtypeError, shapeError } from '../errors';
import type { ActivationKernel } from '../native';
import {
  broadcast,
  countOf,
  isKnown,
  isSame,
  publicShape,
  reduced,
  repeatedAxes,
  type Sizes,
  UNKNOWN,
  withAxes,
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
  | 'withSlope' // (value, x, slope): a value whose derivative for x is known better than the chain rule finds it
  | 'later' // an expression of the inputs, by what these are when it is simplified
  | 'gradient' // (x, ...outputs): of the sum of the outputs for x; expansion.ts works it out
  | 'kept'; // x, which no simplification looks into: what a gradient is for

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

const COMPARISONS: readonly Op[] = ['lt', 'le', 'eq', 'ne'];
/** Is it 1 or 0 by its operands' order? */
export const isComparison = ({ op }: Node): boolean => COMPARISONS.includes(op);

const NONE: Attributes = Object.freeze({});
const COMMUTATIVE = new Set<Op>(['add', 'mul', 'min', 'max', 'eq', 'ne']);

/** The value of a number's node. */
export function numberOf(node: Node): number | undefined {
  return node.op === 'number' ? (node.attributes['value'] as number) : undefined;
}

/** Is it this activation? */
export function isKernel(node: Node, kernel: ActivationKernel): boolean {
  return node.op === 'activation' && node.attributes['kernel'] === kernel;
}

/** What has a name that errors can call a node by. */
export interface Namer {
  name(): string;
}

const namers = new WeakMap<Node, Namer>();

/** Calls the node by a name in errors, unless it has one. */
export function setNamer(node: Node, namer: Namer): void {
  if (!namers.has(node)) namers.set(node, namer);
}

/** What was made from a node is called as that is. */
export function nameAs(node: Node, like: Node): void {
  const namer = namers.get(like);
  if (namer !== undefined) setNamer(node, namer);
}

/** An expression of nodes. */
export type Maker = (g: Graph, inputs: readonly Node[]) => Node;

const makers = new WeakMap<Node, Maker>();

/** Makes what was to be made later. */
export function makeNow(g: Graph, node: Node, inputs: readonly Node[]): Node {
  return (makers.get(node) as Maker)(g, inputs);
}

/** The nodes of a graph, and its sizes that are not known. */
interface Store {
  readonly nodes: Map<string, Node>;
  readonly unknowns: Map<string, number>;
  count: number;
  lastUnknown: number;
}

/** Makes nodes. The same operation on the same inputs is the same node. */
export class Graph {
  protected readonly store: Store;

  /** @param like a graph whose nodes are this one's too */
  constructor(like?: Graph) {
    this.store = like?.store ?? { nodes: new Map(), unknowns: new Map(), count: 0, lastUnknown: UNKNOWN };
  }

  /** A leaf of its own, whatever its name. Sizes of -1 are each their own. */
  input(name: string, shape: Sizes): Node {
    return this.create('input', [], { name }, this.told(shape));
  }

  /** A number of its own, apart from others of the same value. */
  constant(value: number): Node {
    return this.create('number', [], { value }, []);
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

  unary(op: Unary, x: Operand): Node {
    const a = this.node(x);
    return this.intern(op, [a], NONE, a.shape);
  }

  binary(op: Binary, x: Operand, y: Operand): Node {
    let [a, b] = [this.node(x), this.node(y)];
    const shape = this.broadcast(op, [a, b]);
    if (COMMUTATIVE.has(op) && a.id > b.id) [a, b] = [b, a];
    return this.intern(op, [a, b], NONE, shape);
  }

  neg(x: Operand): Node {
    return this.unary('neg', x);
  }

  abs(x: Operand): Node {
    return this.unary('abs', x);
  }

  square(x: Operand): Node {
    return this.unary('square', x);
  }

  sign(x: Operand): Node {
    return this.unary('sign', x);
  }

  log(x: Operand): Node {
    return this.unary('log', x);
  }

  add(x: Operand, y: Operand): Node {
    return this.binary('add', x, y);
  }

  sub(x: Operand, y: Operand): Node {
    return this.binary('sub', x, y);
  }

  mul(x: Operand, y: Operand): Node {
    return this.binary('mul', x, y);
  }

  div(x: Operand, y: Operand): Node {
    return this.binary('div', x, y);
  }

  pow(x: Operand, y: Operand): Node {
    return this.binary('pow', x, y);
  }

  min(x: Operand, y: Operand): Node {
    return this.binary('min', x, y);
  }

  max(x: Operand, y: Operand): Node {
    return this.binary('max', x, y);
  }

  /** `then` where the condition is not 0, else `otherwise`. */
  select(condition: Operand, then: Operand, otherwise: Operand): Node {
    const operands = [this.node(condition), this.node(then), this.node(otherwise)];
    return this.intern('select', operands, NONE, this.broadcast('where', operands));
  }

  /** A kernel of native/activation.h, or its derivative. */
  activation(
    kernel: ActivationKernel,
    params: readonly number[],
    x: Operand,
    op: 'activation' | 'slope' = 'activation',
  ): Node {
    const a = this.node(x);
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
  sum(x: Node, axes: Sizes): Node {
    return this.intern('sum', [x], { axes }, reduced(x.shape, axes));
  }

  maximum(x: Node, axes: Sizes): Node {
    return this.intern('maximum', [x], { axes }, reduced(x.shape, axes));
  }

  norm2(x: Node, axes: Sizes): Node {
    return this.unary('sqrt', this.sum(this.square(x), axes));
  }

  /** f over the last axis, which holds the elements along the axes; the axes are kept. */
  overLast(x: Node, axes: Sizes, f: (x: Node) => Node): Node {
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
  sizeOf(x: Node, axes: Sizes): Node {
    const sizes = axes.map((axis) => x.shape[axis] as number);
    if (isKnown(sizes)) return this.number(countOf(sizes));
    return this.intern('size', [x], { axes }, []);
  }

  // --- Shapes ---

  squeeze(x: Node, axes: Sizes): Node {
    return this.intern('squeeze', [x], { axes }, without(x.shape, axes));
  }

  /** Puts axes of size 1 in where they will be. */
  expandDims(x: Node, axes: Sizes): Node {
    return this.intern('expandDims', [x], { axes }, withAxes(x.shape, axes));
  }

  /** At most one size of the shape may be -1: what is left. */
  reshape(x: Node, shape: Sizes): Node {
    const sizes = [...shape];
    const open = sizes.indexOf(UNKNOWN);
    if (sizes.indexOf(UNKNOWN, open + 1) > open && open >= 0)
      throw shapeError('reshape', 'at most one size of -1', shape);
    if (isKnown(x.shape)) {
      const count = countOf(x.shape);
      const rest = sizes.reduce((product, size) => (size === UNKNOWN ? product : product * size), 1);
      if (open >= 0 && rest === 0) throw shapeError('reshape', 'sizes that tell what -1 stands for', shape);
      if (open >= 0 && count % rest === 0) sizes[open] = count / rest;
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

  permute(x: Node, axes: Sizes): Node {
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
      const axes = repeatedAxes(from.shape, like.shape);
      return this.squeeze(this.sum(this.broadcastLike(x, from), axes), axes.slice(0, lead));
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
    return this.intern('detach', [x], NONE, x.shape);
  }

  /** `value`, a function of x whose derivative is `slope`. */
  withSlope(value: Node, x: Node, slope: Operand): Node {
    return this.intern('withSlope', [value, x, this.node(slope)], NONE, value.shape);
  }

  /** What `make` makes of the inputs once they are simplified: it may look at what they are. */
  later(inputs: readonly Node[], make: Maker): Node {
    const node = this.create('later', inputs, NONE, make(this, inputs).shape);
    makers.set(node, make);
    return node;
  }

  // --- Gradients ---

  /** Of the sum of all elements of the outputs, in the shape of x. */
  gradient(outputs: readonly Node[], x: Node): Node {
    return this.intern('gradient', [x, ...outputs], NONE, x.shape);
  }

  /** x, of which nothing else is known; apart from others that are x, by the id of what it stands for. */
  kept(x: Node, id = -1): Node {
    return this.intern('kept', [x], { id }, x.shape);
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
    const known = this.store.unknowns.get(key) ?? --this.store.lastUnknown;
    this.store.unknowns.set(key, known);
    return known;
  }

  /** A shape whose sizes of -1 can be told apart. */
  private told(shape: Sizes): Sizes {
    return shape.map((size) => (size === UNKNOWN ? --this.store.lastUnknown : size));
  }

  node(x: Operand): Node {
    if (x === undefined) throw dtypeError('operand', 'a variable or a number', x);
    return typeof x === 'number' ? this.number(x) : x;
  }

  protected intern(op: Op, inputs: readonly Node[], attributes: Attributes, shape: Sizes, text?: string): Node {
    let key: string = op;
    for (const input of inputs) key += ` ${input.id}`;
    if (attributes !== NONE) key += text ?? JSON.stringify(attributes);
    let node = this.store.nodes.get(key);
    if (node === undefined) {
      node = this.create(op, inputs, attributes, shape);
      this.store.nodes.set(key, node);
    }
    return node;
  }

  private create(op: Op, inputs: readonly Node[], attributes: Attributes, shape: Sizes): Node {
    return Object.freeze({ id: this.store.count++, op, inputs, attributes, shape });
  }
}

/** A node in an error's message. */
export function label(node: Node): string {
  const name = node.op === 'number' ? String(numberOf(node)) : nameOf(node);
  return `${name} [${node.shape.map((size) => (size < 0 ? '?' : size)).join(', ')}]`;
}

function nameOf(node: Node): string {
  return node.op === 'input' ? String(node.attributes['name']) : (namers.get(node)?.name() ?? node.op);
}

/** Every node that the roots need, inputs first; not what is needed by those alone that are not `of`. */
export function reachable(roots: readonly Node[], of: (node: Node) => boolean = () => true): Node[] {
  const seen = new Set<Node>();
  const stack = [...roots];
  for (let node = stack.pop(); node !== undefined; node = stack.pop()) {
    if (seen.has(node)) continue;
    seen.add(node);
    if (of(node)) stack.push(...node.inputs);
  }
  return [...seen].sort((a, b) => a.id - b.id);
}

/**
 * The roots and what they need, operands first, each once: in the order of a recursion, whose depth a stack would limit. What is
 * known already, by its key, is left out.
 */
export function operandsFirst<Item, Key>(
  roots: readonly Item[],
  keyOf: (item: Item) => Key,
  operandsOf: (item: Item) => readonly Item[],
  isKnown: (key: Key) => boolean,
): Item[] {
  const order: Item[] = [];
  const begun = new Set<Key>();
  const done = new Set<Key>();
  const stack = [...roots].reverse();
  for (let item = stack.pop(); item !== undefined; item = stack.pop()) {
    const key = keyOf(item);
    if (done.has(key) || isKnown(key)) continue;
    if (begun.has(key)) {
      done.add(key);
      order.push(item);
      continue;
    }
    begun.add(key);
    stack.push(item);
    const operands = operandsOf(item);
    for (let i = operands.length; i-- > 0; ) stack.push(operands[i] as Item);
  }
  return order;
}
