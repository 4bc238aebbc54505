// SPDX-License-Identifier: Apache-2.0
import type { ArrayInput, Shape } from '../array-input';
import { dtypeError, optionError, rangeError, shapeError } from '../errors';
import type { NDArray } from '../ndarray/ndarray';
import { type Binary, type Graph, label, type Node, numberOf, type Unary } from './graph';
import { print } from './print';
import type { SameDiff } from './samediff';
import { publicShape, readAxes, UNKNOWN } from './shapes';

/** An operand of an expression: a variable of the same graph, or a number. */
export type Term = SDVariable | number;

/** Arguments that may begin with a name for the result. */
export type Named<Arguments extends readonly unknown[]> = Arguments | [name: string, ...rest: Arguments];

/** What makes a node of operands. */
export type Expression<Operands extends readonly Term[]> = (
  g: Graph,
  operands: { [I in keyof Operands]: Node },
) => Node;

/** Axes to reduce over, negative ones from the end, none for all; `keepDims` keeps them with size 1. */
export type AxesArguments = readonly number[] | readonly [...axes: number[], options: { readonly keepDims?: boolean }];

/** Arrays for placeholders, by name. */
export type Placeholders = Readonly<Record<string, ArrayInput>>;

/** What a variable is. */
export type VariableType = 'PLACEHOLDER' | 'VARIABLE' | 'CONSTANT' | 'ARRAY';

/** Takes the name off. */
export function splitName<Arguments extends readonly unknown[]>(
  args: Named<Arguments>,
): [name: string | undefined, rest: Arguments] {
  return typeof args[0] === 'string'
    ? [args[0], args.slice(1) as unknown as Arguments]
    : [undefined, args as unknown as Arguments];
}

/**
 * A value of a graph: an input of it, or what follows from others.
 *
 * Methods make new variables of the same graph; nothing is computed before `eval`, `SameDiff.output` or a gradient is
 * asked for. Operands broadcast as NumPy's do. A name may stand first and be left out. Sizes that are not known yet are -1.
 *
 * @example
 * ```ts
 * import { nd, SameDiff } from 'simdloss';
 * const sd = SameDiff.create();
 * const x = sd.placeHolder('x', 'float32', [-1, 2]);
 * const y = x.mul(2).add('y', 1);
 * y.eval({ x: nd.array([[1, 2]]) }).toArray(); // [[3, 5]]
 * y.toString(); // '2 * x + 1'
 * ```
 * @see ND4J `org.nd4j.autodiff.samediff.SDVariable`
 */
export class SDVariable {
  /** The graph that it belongs to. */
  readonly sameDiff: SameDiff;
  /** @internal What it computes. */
  readonly node: Node;
  /** What it is: an input of the graph, or an `ARRAY` that follows from them. */
  readonly variableType: VariableType;
  private label: string;

  /** @internal Made by the methods of SameDiff and of other variables. */
  constructor(sameDiff: SameDiff, name: string, node: Node, variableType: VariableType) {
    this.sameDiff = sameDiff;
    this.label = name;
    this.node = node;
    this.variableType = variableType;
  }

  /** The name, unique in its graph. */
  name(): string {
    return this.label;
  }

  /**
   * Gives the variable another name.
   *
   * @param name one that no other variable of the graph has
   * @returns the variable itself
   * @throws TypeError ERR_OPTION for a name that is taken, or no text
   * @example
   * ```ts
   * import { SameDiff } from 'simdloss';
   * const sd = SameDiff.create();
   * sd.var('w', [1, 2]).square().rename('squares');
   * sd.getVariable('squares').eval(); // [1, 4]
   * ```
   */
  rename(name: string): this {
    this.sameDiff.take(name, this);
    this.sameDiff.release(this.label);
    this.label = name;
    return this;
  }

  /** Sizes along the axes, -1 for those that are known when the graph runs. */
  get shape(): Shape {
    return publicShape(this.node.shape);
  }

  /** How many axes there are. */
  get rank(): number {
    return this.node.shape.length;
  }

  /** The expression, with the names of the graph's inputs. */
  toString(): string {
    return print(this.sameDiff.expand([this.node])[0] as Node);
  }

  // --- Arithmetic ---

  /**
   * `this + other`.
   *
   * @param args a name, which may be left out, and the other: a variable of the same graph, or a number
   * @returns a variable of the shape that both broadcast to
   * @throws RangeError ERR_SHAPE for shapes that do not broadcast, when it is made or when it runs; TypeError ERR_OPTION for a
   * name that is taken or a variable of another graph, ERR_DTYPE for neither variable nor number
   * @example
   * ```ts
   * import { SameDiff } from 'simdloss';
   * const sd = SameDiff.create();
   * const [x, row] = [sd.constant([[1], [2]]), sd.constant([10, 20])];
   * x.add('sum', row).eval(); // [[11, 21], [12, 22]]
   * ```
   */
  add(...args: Named<[other: Term]>): SDVariable {
    return this.with(args, (g, [other]) => g.add(this.node, other));
  }

  /** `this - other`; otherwise as `add`. */
  sub(...args: Named<[other: Term]>): SDVariable {
    return this.with(args, (g, [other]) => g.sub(this.node, other));
  }

  /** `this * other`, element by element; otherwise as `add`. */
  mul(...args: Named<[other: Term]>): SDVariable {
    return this.with(args, (g, [other]) => g.mul(this.node, other));
  }

  /** `this / other`; otherwise as `add`. */
  div(...args: Named<[other: Term]>): SDVariable {
    return this.with(args, (g, [other]) => g.div(this.node, other));
  }

  /** `other - this`; otherwise as `add`. */
  rsub(...args: Named<[other: Term]>): SDVariable {
    return this.with(args, (g, [other]) => g.sub(other, this.node));
  }

  /** `other / this`; otherwise as `add`. */
  rdiv(...args: Named<[other: Term]>): SDVariable {
    return this.with(args, (g, [other]) => g.div(other, this.node));
  }

  /** `this ^ other`; otherwise as `add`. */
  pow(...args: Named<[other: Term]>): SDVariable {
    return this.with(args, (g, [other]) => g.pow(this.node, other));
  }

  /** `(this - other)^2`; otherwise as `add`. */
  squaredDifference(...args: Named<[other: Term]>): SDVariable {
    return this.with(args, (g, [other]) => g.square(g.sub(this.node, other)));
  }

  /**
   * `-this`.
   *
   * @param args a name, which may be left out
   * @returns a variable of the same shape
   * @throws TypeError ERR_OPTION for a name that is taken
   * @example
   * ```ts
   * import { SameDiff } from 'simdloss';
   * SameDiff.create().constant([1, -2]).neg().eval(); // [-1, 2]
   * ```
   */
  neg(...args: Named<[]>): SDVariable {
    return this.with(args, (g) => g.neg(this.node));
  }

  // --- Functions of an element ---

  /** `|this|`; slope 0 at 0. Otherwise as `neg`. */
  abs(...args: Named<[]>): SDVariable {
    return this.with(args, (g) => g.abs(this.node));
  }

  /** -1, 0 or 1. Otherwise as `neg`. */
  sign(...args: Named<[]>): SDVariable {
    return this.with(args, (g) => g.sign(this.node));
  }

  /** `this^2`; otherwise as `neg`. */
  square(...args: Named<[]>): SDVariable {
    return this.with(args, (g) => g.square(this.node));
  }

  /** The square root, NaN below 0. Otherwise as `neg`. */
  sqrt(...args: Named<[]>): SDVariable {
    return this.unary('sqrt', args);
  }

  /** `1 / this`; otherwise as `neg`. */
  reciprocal(...args: Named<[]>): SDVariable {
    return this.unary('reciprocal', args);
  }

  /** `e^this`; otherwise as `neg`. */
  exp(...args: Named<[]>): SDVariable {
    return this.unary('exp', args);
  }

  /** `e^this - 1`, good near 0; otherwise as `neg`. */
  expm1(...args: Named<[]>): SDVariable {
    return this.unary('expm1', args);
  }

  /** The natural logarithm; of softmax and sigmoid in closed form, finite where they underflow. Otherwise as `neg`. */
  log(...args: Named<[]>): SDVariable {
    return this.with(args, (g) => g.log(this.node));
  }

  /** `log(1 + this)`, good near 0; otherwise as `neg`. */
  log1p(...args: Named<[]>): SDVariable {
    return this.unary('log1p', args);
  }

  /** The error function; otherwise as `neg`. */
  erf(...args: Named<[]>): SDVariable {
    return this.unary('erf', args);
  }

  /** The largest whole number up to it; no gradient. Otherwise as `neg`. */
  floor(...args: Named<[]>): SDVariable {
    return this.unary('floor', args);
  }

  /** `1 / (1 + e^-this)`; otherwise as `neg`. */
  sigmoid(...args: Named<[]>): SDVariable {
    return this.with(args, (g) => g.sigmoid(this.node));
  }

  /** The hyperbolic tangent; otherwise as `neg`. */
  tanh(...args: Named<[]>): SDVariable {
    return this.with(args, (g) => g.activation('TanH', [0, 0, 0], this.node));
  }

  /** `log(1 + e^this)`; otherwise as `neg`. */
  softplus(...args: Named<[]>): SDVariable {
    return this.with(args, (g) => g.softplus(this.node));
  }

  /** `max(this, 0)`; slope 0 at 0. Otherwise as `neg`. */
  relu(...args: Named<[]>): SDVariable {
    return this.with(args, (g) => g.activation('ReLU', [Number.POSITIVE_INFINITY, 0, 0], this.node));
  }

  /**
   * This within [low, high]; slope 1 at the bounds.
   *
   * @param args a name, which may be left out; low; high, no smaller
   * @returns a variable of the same shape
   * @throws RangeError ERR_RANGE for bounds in the wrong order; TypeError ERR_DTYPE for bounds that are no numbers,
   * ERR_OPTION for a name that is taken
   * @example
   * ```ts
   * import { SameDiff } from 'simdloss';
   * SameDiff.create().constant([-3, 0.5, 3]).clip(-1, 1).eval(); // [-1, 0.5, 1]
   * ```
   */
  clip(...args: Named<[low: number, high: number]>): SDVariable {
    return this.with(args, (g, bounds) => {
      const [low, high] = bounds.map((bound) => {
        const value = numberOf(bound);
        if (value === undefined) throw dtypeError('clip', 'numbers as bounds', label(bound));
        return value;
      }) as [number, number];
      if (!(low <= high)) throw rangeError('clip', 'a lower and an upper bound', `${low} and ${high}`);
      return g.clip(this.node, low, high);
    });
  }

  // --- Comparisons: 1 or 0, no gradient ---

  /** `this < other`; otherwise as `add`. */
  lt(...args: Named<[other: Term]>): SDVariable {
    return this.binary('lt', args);
  }

  /** `this <= other`; otherwise as `add`. */
  lte(...args: Named<[other: Term]>): SDVariable {
    return this.binary('le', args);
  }

  /** `this > other`; otherwise as `add`. */
  gt(...args: Named<[other: Term]>): SDVariable {
    return this.with(args, (g, [other]) => g.binary('lt', other, this.node));
  }

  /** `this >= other`; otherwise as `add`. */
  gte(...args: Named<[other: Term]>): SDVariable {
    return this.with(args, (g, [other]) => g.binary('le', other, this.node));
  }

  /** `this == other`; otherwise as `add`. */
  eq(...args: Named<[other: Term]>): SDVariable {
    return this.binary('eq', args);
  }

  /** `this != other`; otherwise as `add`. */
  neq(...args: Named<[other: Term]>): SDVariable {
    return this.binary('ne', args);
  }

  // --- Over axes ---

  /**
   * The sum over axes.
   *
   * @param args a name, which may be left out; axes, negative ones from the end, none for all; `{ keepDims: true }` keeps them
   * with size 1
   * @returns a variable without the axes
   * @throws RangeError ERR_RANGE for an axis that it lacks; TypeError ERR_OPTION for an unknown option or a name that is taken
   * @example
   * ```ts
   * import { SameDiff } from 'simdloss';
   * const x = SameDiff.create().constant([[1, 2], [3, 4]]);
   * x.sum(-1, { keepDims: true }).eval(); // [[3], [7]]
   * ```
   */
  sum(...args: Named<AxesArguments>): SDVariable {
    return this.over(args, (g, axes) => g.sum(this.node, axes));
  }

  /** The mean over axes; otherwise as `sum`. */
  mean(...args: Named<AxesArguments>): SDVariable {
    return this.over(args, (g, axes) => g.div(g.sum(this.node, axes), g.sizeOf(this.node, axes)));
  }

  /** The largest element over axes; otherwise as `sum`. Equal ones share the gradient. */
  max(...args: Named<AxesArguments>): SDVariable {
    return this.over(args, (g, axes) => g.maximum(this.node, axes));
  }

  /** The smallest element over axes; otherwise as `max`. */
  min(...args: Named<AxesArguments>): SDVariable {
    return this.over(args, (g, axes) => g.neg(g.maximum(g.neg(this.node), axes)));
  }

  /** The sum of magnitudes over axes; otherwise as `sum`. */
  norm1(...args: Named<AxesArguments>): SDVariable {
    return this.over(args, (g, axes) => g.sum(g.abs(this.node), axes));
  }

  /** The Euclidean norm over axes; otherwise as `sum`. Slope 0 where it is 0. */
  norm2(...args: Named<AxesArguments>): SDVariable {
    return this.over(args, (g, axes) => g.norm2(this.node, axes));
  }

  /** `log(sum(e^this))` over axes, without overflow; otherwise as `sum`. */
  logSumExp(...args: Named<AxesArguments>): SDVariable {
    return this.over(args, (g, axes) => g.overLast(this.node, axes, (x) => g.logSumExp(x)));
  }

  // --- Shapes ---

  /**
   * The matrix product.
   *
   * @param args a name, which may be left out, and the other factor: `[k, n]` where this is `[m, k]`
   * @returns a variable `[m, n]`
   * @throws RangeError ERR_SHAPE for other shapes, when it is made or when it runs; TypeError as `add`
   * @example
   * ```ts
   * import { SameDiff } from 'simdloss';
   * const sd = SameDiff.create();
   * sd.constant([[1, 2]]).mmul(sd.constant([[3], [4]])).eval(); // [[11]]
   * ```
   */
  mmul(...args: Named<[other: SDVariable]>): SDVariable {
    return this.with(args, (g, [other]) => g.mmul(this.node, other));
  }

  /**
   * The axes in reverse order, or in the order given.
   *
   * @param args a name, which may be left out; each axis once, negative ones from the end, or none
   * @returns a variable of the sizes in that order
   * @throws RangeError ERR_SHAPE for axes that are not all of it once; TypeError ERR_OPTION for a name that is taken
   * @example
   * ```ts
   * import { SameDiff } from 'simdloss';
   * SameDiff.create().constant([[1, 2]]).transpose().eval(); // [[1], [2]]
   * ```
   */
  transpose(...args: Named<number[]>): SDVariable {
    const [name, given] = splitName<number[]>(args);
    const axes = given.length === 0 ? [...this.node.shape.keys()].reverse() : this.order(given);
    return this.sameDiff.make(name, this.sameDiff.graph.permute(this.node, axes));
  }

  /** The same as `transpose`. */
  permute(...args: Named<number[]>): SDVariable {
    return this.transpose(...args);
  }

  /**
   * The elements in row-major order in another shape.
   *
   * @param args a name, which may be left out; the sizes, or a list of them, one of which may be -1: what is left
   * @returns a variable of that shape
   * @throws RangeError ERR_SHAPE for a shape of another number of elements; TypeError ERR_OPTION for a name that is taken
   * @example
   * ```ts
   * import { SameDiff } from 'simdloss';
   * SameDiff.create().constant([1, 2, 3, 4]).reshape(2, -1).eval(); // [[1, 2], [3, 4]]
   * ```
   */
  reshape(...args: Named<number[] | [shape: Shape]>): SDVariable {
    const [name, given] = splitName<number[] | [shape: Shape]>(args);
    const shape = Array.isArray(given[0]) ? (given[0] as Shape) : (given as number[]);
    for (const size of shape) {
      if (!Number.isInteger(size) || size < UNKNOWN) throw shapeError('reshape', 'whole numbers from -1 on', shape);
    }
    return this.sameDiff.make(name, this.sameDiff.graph.reshape(this.node, [...shape]));
  }

  /**
   * The element of each row at the index of a class, `[n, 1]`.
   *
   * @param args a name, which may be left out, and `labels`: `[n]` or `[n, 1]`, class indices
   * @returns `x[i, labels[i]]`
   * @throws RangeError ERR_SHAPE for what is no matrix, or labels of another shape; ERR_RANGE when it runs, for a label that
   * is no column
   * @example
   * ```ts
   * import { SameDiff } from 'simdloss';
   * const sd = SameDiff.create();
   * sd.constant([[1, 2], [3, 4]]).gather(sd.constant([1, 0])).eval(); // [[2], [3]]
   * ```
   */
  gather(...args: Named<[labels: SDVariable]>): SDVariable {
    return this.with(args, (g, [labels]) => g.gather(this.node, labels));
  }

  // --- Values and gradients ---

  /**
   * Computes the variable.
   *
   * @param placeholders an array for each placeholder that it depends on
   * @returns its value
   * @throws RangeError ERR_SHAPE for arrays that do not fit, and TypeError ERR_OPTION for one that is missing
   * @example
   * ```ts
   * import { nd, SameDiff } from 'simdloss';
   * const sd = SameDiff.create();
   * sd.placeHolder('x', 'float32', [-1]).exp().sum().eval({ x: [0, 0] }).toArray(); // 2
   * ```
   */
  eval(placeholders?: Placeholders): NDArray {
    return this.sameDiff.evaluate([this], placeholders)[0] as NDArray;
  }

  /**
   * The array of a parameter or constant: its own, not a copy; otherwise as `SameDiff.arrayOf`.
   *
   * @returns the array
   * @throws TypeError ERR_OPTION for another variable
   */
  getArr(): NDArray {
    return this.sameDiff.arrayOf(this);
  }

  /**
   * The gradient of the sum of this variable's elements, as an expression of the same graph.
   *
   * @param wrt the variable to differentiate for: any that this one is made from
   * @returns a variable of its shape, which can be printed, computed, and differentiated again
   * @throws TypeError ERR_OPTION for a variable of another graph, or an operation without a gradient; ERR_DTYPE for no variable
   * @example
   * ```ts
   * import { SameDiff } from 'simdloss';
   * const sd = SameDiff.create();
   * const [x, y] = [sd.placeHolder('x', 'float64', [3]), sd.placeHolder('y', 'float64', [3])];
   * x.sub(y).square().gradient(x).toString(); // '2 * (x - y)'
   * ```
   */
  gradient(wrt: SDVariable): SDVariable {
    const { sameDiff: sd, node } = this;
    return sd.make(undefined, sd.gradientsOf([node], [sd.own(wrt, 'gradient').node])[0] as Node);
  }

  // --- How they are made ---

  private unary(op: Unary, args: Named<[]>): SDVariable {
    return this.with(args, (g) => g.unary(op, this.node));
  }

  private binary(op: Binary, args: Named<[other: Term]>): SDVariable {
    return this.with(args, (g, [other]) => g.binary(op, this.node, other));
  }

  private with<Arguments extends readonly Term[]>(args: Named<Arguments>, make: Expression<Arguments>): SDVariable {
    return this.sameDiff.express(...splitName<Arguments>(args), make);
  }

  private over(args: Named<AxesArguments>, make: (g: Graph, axes: readonly number[]) => Node): SDVariable {
    const [name, given] = splitName<AxesArguments>(args);
    const last = given[given.length - 1];
    const options = typeof last === 'object' ? last : undefined;
    for (const key of Object.keys(options ?? {})) {
      if (key !== 'keepDims') throw optionError('options', 'the name keepDims', key);
    }
    const axes = readAxes(options === undefined ? given : given.slice(0, -1), this.rank, 'axes');
    const { graph } = this.sameDiff;
    const kept = make(graph, axes);
    return this.sameDiff.make(name, options?.keepDims === true ? kept : graph.squeeze(kept, axes));
  }

  private order(axes: readonly number[]): number[] {
    const order = axes.map((axis) => (Number.isInteger(axis) && axis < 0 ? axis + this.rank : axis));
    const isOrder = order.length === this.rank && new Set(order).size === this.rank;
    if (!isOrder || order.some((axis) => !Number.isInteger(axis) || !(axis in this.node.shape))) {
      throw shapeError('axes', `each of the ${this.rank} axes once`, axes);
    }
    return order;
  }
}
