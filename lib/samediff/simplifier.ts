// SPDX-License-Identifier: Apache-2.0
// Makes nodes in the simplest form that is known, and in closed form where the plain one loses digits.
import type { ActivationKernel } from '../native';
import { type Binary, Graph, isKernel, type Maker, type Node, numberOf, type Operand, type Unary } from './graph';
import { onNumbers } from './numbers';
import { isKnown, isSame, type Sizes, spaceOf, withAxes } from './shapes';

type Rule<Operands extends readonly Node[]> = (g: Simplifier, ...operands: Operands) => Node | undefined;

const isNumber = (node: Node, value: number): boolean => numberOf(node) === value;
const first = (node: Node): Node => node.inputs[0] as Node;

/** Simpler forms of f(a); undefined where there is none. */
const unary: Readonly<Partial<Record<Unary, Rule<[a: Node]>>>> = {
  neg: (g, a) => {
    if (a.op === 'neg') return first(a);
    if (a.op === 'sub') return g.sub(a.inputs[1] as Node, first(a));
    return g.pushed(a, (v) => g.neg(v));
  },
  abs: (g, a) => {
    if (isSize(a)) return a;
    const inner = a.op === 'neg' ? first(a) : turned(g, a);
    return inner && g.abs(inner);
  },
  square: (g, a) => {
    const inner = a.op === 'neg' || a.op === 'abs' ? first(a) : turned(g, a);
    return inner && g.square(inner);
  },
  sign: (g, a) => {
    const inner = a.op === 'neg' ? first(a) : turned(g, a);
    return inner && g.neg(g.sign(inner));
  },
  // The norm of a single element, too.
  sqrt: (g, a) => (a.op === 'square' ? g.abs(first(a)) : undefined),
  exp: (g, a) => (a.op === 'logSoftmax' ? g.softmax(first(a)) : undefined),
  // In closed form, where the output underflows under the log.
  log: (g, a) => {
    if (a.op === 'softmax') return g.logSoftmax(first(a));
    if (a.op === 'exp') return first(a);
    return isKernel(a, 'Sigmoid') ? g.neg(g.softplus(g.neg(first(a)))) : undefined;
  },
};

/** Simpler forms of f(a, b). */
const binary: Readonly<Partial<Record<Binary, Rule<[a: Node, b: Node]>>>> = {
  add: (g, a, b) => {
    if (isNumber(a, 0)) return b;
    if (isNumber(b, 0)) return a;
    if (b.op === 'neg') return g.sub(a, first(b));
    if (a.op === 'neg') return g.sub(b, first(a));
    if (a === b) return g.mul(2, a);
    return g.gathered('add', a, b) ?? g.joined(a, b);
  },
  sub: (g, a, b) => {
    if (isNumber(b, 0)) return a;
    if (isNumber(a, 0)) return g.neg(b);
    if (b.op === 'neg') return g.add(a, first(b));
    if (numberOf(b) !== undefined) return g.add(a, g.neg(b));
    if (!isNumber(a, 1)) return undefined;
    // Where the second is near 1, the difference keeps no digit; a softmax may even be rounded to more than 1.
    if (isKernel(b, 'Sigmoid')) return g.sigmoid(g.neg(first(b)));
    if (b.op === 'softmax') return g.neg(g.unary('expm1', g.logSoftmax(first(b))));
    return b.op === 'exp' ? g.neg(g.unary('expm1', first(b))) : undefined;
  },
  mul: (g, a, b) => {
    if (isNumber(a, 1)) return b;
    if (isNumber(b, 1)) return a;
    if (isNumber(a, -1)) return g.neg(b);
    if (isNumber(b, -1)) return g.neg(a);
    if (a.op === 'neg') return g.neg(g.mul(first(a), b));
    if (b.op === 'neg') return g.neg(g.mul(a, first(b)));
    const simpler = g.gathered('mul', a, b) ?? signed(g, a, b) ?? signed(g, b, a);
    return simpler ?? (a === b ? g.square(a) : undefined);
  },
  div: (g, a, b) => {
    if (isNumber(b, 1)) return a;
    if (isNumber(b, -1)) return g.neg(a);
    if (a.op === 'neg') return g.neg(g.div(first(a), b));
    return numberOf(b) === undefined ? undefined : g.pushed(a, (v) => g.div(v, b));
  },
  pow: (g, a, b) => {
    // The slope of a power below 1 is infinite where the output underflows, but for its logarithm.
    const isProbability = a.op === 'softmax' || isKernel(a, 'Sigmoid');
    switch (numberOf(b)) {
      case 0:
        return g.broadcastLike(1, a);
      case 1:
        return a;
      case 2:
        return g.square(a);
      case 3:
        return g.mul(g.square(a), a);
      case 0.5:
        if (isProbability) break;
        return g.unary('sqrt', a);
      case -1:
        return g.unary('reciprocal', a);
    }
    return isProbability ? g.unary('exp', g.mul(b, g.log(a))) : undefined;
  },
  min: (_, a, b) => (a === b ? a : undefined),
  max: (_, a, b) => {
    const [number, x] = numberOf(b) === undefined ? [a, b] : [b, a];
    return a === b || (isSize(x) && (numberOf(number) ?? 1) <= 0) ? x : undefined;
  },
};

/** `b - a` of `a - b`, where b was made first: one of the two, whichever way it was written, where the sign is no matter. */
function turned(g: Simplifier, { op, inputs }: Node): Node | undefined {
  const [a, b] = inputs as [Node, Node];
  return op === 'sub' && b.id < a.id ? g.sub(b, a) : undefined;
}

/** Is nothing below 0? */
const isSize = ({ op }: Node): boolean => op === 'abs' || op === 'square' || op === 'exp';

/** The number that limits what is never below 0. */
function limitOf(node: Node): number | undefined {
  const { low, high } = node.attributes as { low: number; high: number };
  return node.op === 'clip' && isSize(first(node)) && low <= 0 && high >= 0 ? high : undefined;
}

/** `min(|x|, high) sign(x)`. */
function signed(g: Simplifier, a: Node, b: Node): Node | undefined {
  const high = limitOf(a);
  if (high === undefined || b.op !== 'sign' || first(a).op !== 'abs' || first(first(a)) !== first(b)) return undefined;
  return g.clip(first(b), -high, high);
}

/** `x == min(x, high) ? min(x, high) : high`, x no less than 0. */
function isLimited({ op, inputs }: Node, then: Node, otherwise: Node): boolean {
  const high = limitOf(then);
  if (op !== 'eq' || high === undefined || !isNumber(otherwise, high)) return false;
  return inputs.includes(then) && inputs.includes(first(then));
}

/** A builder that simplifies. Values and shapes are those of the plain one. */
export class Simplifier extends Graph {
  // --- Elements ---

  override unary(op: Unary, x: Operand): Node {
    const a = this.node(x);
    const value = numberOf(a);
    const fold = onNumbers[op];
    if (value !== undefined && fold !== undefined) return this.number(fold(value));
    return unary[op]?.(this, a) ?? super.unary(op, a);
  }

  override binary(op: Binary, x: Operand, y: Operand): Node {
    const [a, b] = this.narrowed(this.node(x), this.node(y));
    const [p, q] = [numberOf(a), numberOf(b)];
    const fold = onNumbers[op];
    if (p !== undefined && q !== undefined && fold !== undefined) return this.number(fold(p, q));
    return binary[op]?.(this, a, b) ?? super.binary(op, a, b);
  }

  override select(condition: Operand, then: Operand, otherwise: Operand): Node {
    const [c, a, b] = [this.node(condition), this.node(then), this.node(otherwise)];
    const fixed = numberOf(c);
    const taken = a === b || fixed || isLimited(c, a, b) ? a : fixed === undefined ? undefined : b;
    if (taken === undefined) return super.select(c, a, b);
    // What is taken may have to repeat.
    const shape = this.broadcast('where', [c, a, b]);
    return isSame(taken.shape, shape) || isKnown(shape) ? this.broadcastTo(taken, shape) : super.select(c, a, b);
  }

  override activation(
    kernel: ActivationKernel,
    params: readonly number[],
    x: Operand,
    op: 'activation' | 'slope' = 'activation',
  ): Node {
    if (kernel === 'Identity') return op === 'activation' ? this.node(x) : this.number(1);
    if (kernel === 'SoftPlus' && op === 'slope') return this.sigmoid(x);
    const a = this.node(x);
    const isEven = op === 'slope' && (kernel === 'Sigmoid' || kernel === 'TanH');
    return super.activation(kernel, params, isEven && a.op === 'neg' ? first(a) : a, op);
  }

  // --- Over axes ---

  override sum(x: Node, axes: Sizes): Node {
    if (axes.every((axis) => x.shape[axis] === 1)) return x;
    if (x.op === 'neg') return this.neg(this.sum(first(x), axes));
    // A factor that is the same everywhere, once.
    const factor = x.op === 'mul' ? x.inputs.find((input) => numberOf(input) !== undefined) : undefined;
    if (factor === undefined) return super.sum(x, axes);
    return this.mul(factor, this.sum(x.inputs.find((input) => input !== factor) as Node, axes));
  }

  override maximum(x: Node, axes: Sizes): Node {
    return axes.every((axis) => x.shape[axis] === 1) ? x : super.maximum(x, axes);
  }

  // --- Shapes ---

  override squeeze(x: Node, axes: Sizes): Node {
    if (axes.length === 0) return x;
    return undoes(x, 'expandDims', axes) ? first(x) : super.squeeze(x, axes);
  }

  override expandDims(x: Node, axes: Sizes): Node {
    if (axes.length === 0) return x;
    if (x.op === 'number') return this.broadcastTo(x, withAxes(x.shape, axes));
    return undoes(x, 'squeeze', axes) ? first(x) : super.expandDims(x, axes);
  }

  override reshape(x: Node, shape: Sizes): Node {
    if (isSame(x.shape, shape)) return x;
    return x.op === 'reshape' ? this.reshape(first(x), shape) : super.reshape(x, shape);
  }

  override permute(x: Node, axes: Sizes): Node {
    if (axes.every((axis, i) => axis === i)) return x;
    if (x.op !== 'permute') return super.permute(x, axes);
    const inner = x.attributes['axes'] as Sizes;
    return this.permute(
      first(x),
      axes.map((axis) => inner[axis] as number),
    );
  }

  override detach(x: Node): Node {
    return x.op === 'number' ? x : super.detach(x);
  }

  override later(inputs: readonly Node[], make: Maker): Node {
    return make(this, inputs);
  }

  // --- For the rules ---

  /** Two operands, each as small as it may be. */
  private narrowed(a: Node, b: Node): [Node, Node] {
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

  /** A number and `n op x` as one number and x; a number and a choice with a number as one choice. */
  gathered(op: 'add' | 'mul', a: Node, b: Node): Node | undefined {
    const [number, x] = numberOf(b) === undefined ? [a, b] : [b, a];
    if (numberOf(number) === undefined) return undefined;
    const isHeld = (input: Node) => numberOf(input) !== undefined;
    if (x.op === op) {
      const held = x.inputs.find(isHeld);
      const rest = x.inputs.find((input) => input !== held);
      const both = held && this[op](number, held);
      return both && rest && isTame(op, numberOf(both) as number) ? this[op](both, rest) : undefined;
    }
    return this.pushed(x, (v) => this[op](number, v));
  }

  /** f, which makes numbers of numbers, inside of a choice with a number. Choices within the choice stay: there may be many. */
  pushed(x: Node, f: (v: Node) => Node): Node | undefined {
    const [c, then, otherwise] = x.inputs as [Node, Node, Node];
    if (x.op !== 'select' || (then.op !== 'number' && otherwise.op !== 'number')) return undefined;
    if (then.op === 'select' || otherwise.op === 'select') return undefined;
    return this.select(c, f(then), f(otherwise));
  }

  /** `select(c, a, 0) + select(c, 0, b)`. */
  joined(a: Node, b: Node): Node | undefined {
    if (a.op !== 'select' || b.op !== 'select' || first(a) !== first(b)) return undefined;
    const [c, a1, a0] = a.inputs as [Node, Node, Node];
    const [, b1, b0] = b.inputs as [Node, Node, Node];
    const halves = (isNumber(a1, 0) && isNumber(b0, 0)) || (isNumber(a0, 0) && isNumber(b1, 0));
    return halves ? this.select(c, this.add(a1, b1), this.add(a0, b0)) : undefined;
  }
}

/** Two numbers as one must not leave the range of float32, into which what they are applied to may bring them back. */
const isTame = (op: 'add' | 'mul', number: number): boolean =>
  Math.abs(number) <= 1e30 && (op === 'add' || Math.abs(number) >= 1e-30);

const undoes = (x: Node, op: 'squeeze' | 'expandDims', axes: Sizes): boolean =>
  x.op === op && isSame(x.attributes['axes'] as Sizes, axes);
