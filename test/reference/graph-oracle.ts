// SPDX-License-Identifier: Apache-2.0
// The operations of a graph, one after the other as they are written, in float64 over plain arrays: without a plan, and
// with nothing of what computes them in the library. `ctc` has tests of its own.
import { type Node, type Op, reachable } from '../../lib/samediff/graph';
import type { Tensor } from '../support/golden';
import { backward, forward, type Params } from './oracle';

/** The values of nodes; `bind` gives those of each input, and `moves` is added where nodes come to other values. */
export function evaluate(
  roots: readonly Node[],
  bind: (input: Node) => Tensor,
  moves: ReadonlyMap<Node, Tensor> = new Map(),
): Tensor[] {
  const values = new Map<Node, Tensor>();
  for (const node of reachable(roots)) {
    const operands = node.inputs.map((input) => values.get(input) as Tensor);
    const value = node.op === 'input' ? bind(node) : apply(node, operands);
    const move = moves.get(node);
    values.set(node, move === undefined ? value : map((a, b) => a + b, [value, move]));
  }
  return roots.map((root) => values.get(root) as Tensor);
}

// --- Operations -------------------------------------------------------------------------------------------------------
type OnNumbers = (...operands: number[]) => number;

const elementwise: Readonly<Partial<Record<Op, OnNumbers>>> = {
  neg: (a) => -a,
  abs: Math.abs,
  sign: Math.sign,
  square: (a) => a * a,
  sqrt: Math.sqrt,
  exp: Math.exp,
  expm1: Math.expm1,
  log: Math.log,
  log1p: Math.log1p,
  erf,
  floor: Math.floor,
  reciprocal: (a) => 1 / a,
  add: (a, b) => a + b,
  sub: (a, b) => a - b,
  mul: (a, b) => a * b,
  div: (a, b) => a / b,
  min: Math.min,
  max: Math.max,
  pow: (a, b) => a ** b,
  lt: (a, b) => Number(a < b),
  le: (a, b) => Number(a <= b),
  eq: (a, b) => Number(a === b),
  ne: (a, b) => Number(a !== b),
  select: (condition, then, otherwise) => (condition !== 0 ? then : otherwise),
};

const overRows: Readonly<Partial<Record<Op, (row: readonly number[]) => number[]>>> = {
  softmax: (row) => {
    const powers = row.map((z) => Math.exp(z - Math.max(...row)));
    const sum = powers.reduce((a, b) => a + b, 0);
    return powers.map((power) => power / sum);
  },
  logSoftmax: (row) => row.map((z) => z - logSumExp(row)),
  logSumExp: (row) => [logSumExp(row)],
};

const folds: Readonly<Partial<Record<Op, OnNumbers>>> = {
  sum: (a, b) => a + b,
  maximum: Math.max,
};

function apply(node: Node, operands: readonly Tensor[]): Tensor {
  const { op, attributes } = node;
  const [a, b] = operands as [Tensor, Tensor];
  const axes = attributes['axes'] as readonly number[];
  const onNumbers = elementwise[op];
  if (onNumbers !== undefined) return map(onNumbers, operands);
  const onRow = overRows[op];
  if (onRow !== undefined) return mapRows(a, onRow);
  const fold = folds[op];
  if (fold !== undefined) return reduce(a, axes, op === 'sum' ? 0 : -Infinity, fold);
  switch (op) {
    case 'number':
      return { shape: [], data: [attributes['value'] as number] };
    case 'columnIndex': {
      const shape = (attributes['shape'] as readonly number[] | undefined) ?? rowOf(a.shape);
      return { shape, data: Array.from({ length: shape.at(-1) as number }, (_, i) => i) };
    }
    case 'activation':
    case 'slope':
      return activate(node, a);
    case 'clip': {
      const { low, high } = attributes as { low: number; high: number };
      return map((x) => Math.min(Math.max(x, low), high), [a]);
    }
    case 'squeeze':
      return { shape: a.shape.filter((_, axis) => !axes.includes(axis)), data: a.data };
    case 'expandDims': {
      const shape = [...a.shape];
      for (const axis of axes) shape.splice(axis, 0, 1);
      return { shape, data: a.data };
    }
    case 'reshape':
      return { shape: fill(attributes['shape'] as readonly number[], a.data.length), data: a.data };
    case 'reshapeLike':
      return { shape: b.shape, data: a.data };
    case 'permute':
      return permute(a, axes);
    case 'broadcastLike':
      return broadcastTo(a, b === undefined ? (attributes['shape'] as readonly number[]) : b.shape);
    case 'sumLike':
      return sumTo(a, b.shape);
    case 'size':
      return { shape: [], data: [axes.reduce((product, axis) => product * (a.shape[axis] as number), 1)] };
    case 'mmul':
      return multiply(
        attributes['transposeA'] ? permute(a, [1, 0]) : a,
        attributes['transposeB'] ? permute(b, [1, 0]) : b,
      );
    case 'fit':
    case 'classIndex':
    case 'detach':
    case 'withSlope':
      return a;
    default:
      throw new Error(`the oracle has no ${op}`);
  }
}

// --- Elements ---------------------------------------------------------------------------------------------------------
/** By series below 3, all of whose terms have one sign, and by the continued fraction of 1 - erf above. */
function erf(x: number): number {
  if (Number.isNaN(x)) return x;
  const z = Math.abs(x);
  const scale = Math.exp(-z * z) / Math.sqrt(Math.PI);
  if (z >= 3) {
    let fraction = z;
    for (let n = 120; n > 0; n--) fraction = z + n / 2 / fraction;
    return Math.sign(x) * (1 - scale / fraction);
  }
  let [sum, term] = [0, 2 * z];
  for (let n = 1; term > sum * 2 ** -60; n++) {
    sum += term;
    term *= (2 * z * z) / (2 * n + 1);
  }
  return Math.sign(x) * scale * sum;
}

function logSumExp(row: readonly number[]): number {
  const top = Math.max(...row);
  return top + Math.log(row.reduce((sum, z) => sum + Math.exp(z - top), 0));
}

/** Kernels by the specification's names, with the names of their parameters. */
const activations: Readonly<Record<string, readonly [name: string, params?: readonly string[], fixed?: Params]>> = {
  Identity: ['IDENTITY'],
  Cube: ['CUBE'],
  ELU: ['ELU', ['alpha']],
  GELU: ['GELU'],
  GELUPrecise: ['GELU', [], { precise: true }],
  HardSigmoid: ['HARDSIGMOID'],
  HardTanH: ['HARDTANH'],
  LReLU: ['LEAKYRELU', ['alpha']],
  Mish: ['MISH'],
  RationalTanh: ['RATIONALTANH'],
  RectifiedTanh: ['RECTIFIEDTANH'],
  ReLU: ['RELU', ['max', 'threshold', 'negativeSlope']],
  SELU: ['SELU'],
  Sigmoid: ['SIGMOID'],
  SoftPlus: ['SOFTPLUS'],
  SoftSign: ['SOFTSIGN'],
  Swish: ['SWISH'],
  TanH: ['TANH'],
  ThresholdedReLU: ['THRESHOLDEDRELU', ['theta']],
};

function activate({ op, attributes }: Node, { shape, data }: Tensor): Tensor {
  const [name, names = [], fixed = {}] = activations[attributes['kernel'] as string] as (typeof activations)[string];
  const given = attributes['params'] as readonly number[];
  const params: Params = { ...fixed, ...Object.fromEntries(names.map((param, i) => [param, given[i] as number])) };
  const isValue = op === 'activation';
  return {
    shape,
    data: isValue
      ? forward(name, params, 1, data)
      : backward(
          name,
          params,
          1,
          data,
          data.map(() => 1),
        ),
  };
}

// --- Arrays -----------------------------------------------------------------------------------------------------------
const countOf = (shape: readonly number[]): number => shape.reduce((product, size) => product * size, 1);

const rowOf = (shape: readonly number[]): number[] => shape.map((size, axis) => (axis === shape.length - 1 ? size : 1));

/** The one size that is not known, from how many elements there are. */
function fill(shape: readonly number[], count: number): number[] {
  const known = countOf(shape.filter((size) => size >= 0));
  return shape.map((size) => (size < 0 ? count / known : size));
}

/** Aligned at the last axis; a size of 1 repeats. */
function broadcast(shapes: readonly (readonly number[])[]): number[] {
  const rank = Math.max(0, ...shapes.map(({ length }) => length));
  return Array.from({ length: rank }, (_, axis) => {
    const sizes = shapes.map((shape) => shape[axis - rank + shape.length] ?? 1);
    const size = sizes.find((each) => each !== 1) ?? 1;
    if (sizes.some((each) => each !== 1 && each !== size)) throw new Error(`[${shapes.join('] [')}] do not broadcast`);
    return size;
  });
}

/** The indices of each element, in row-major order. */
function* indicesOf(shape: readonly number[]): Generator<number[]> {
  const count = countOf(shape);
  const indices = shape.map(() => 0);
  for (let i = 0; i < count; i++) {
    yield indices;
    for (let axis = shape.length - 1; axis >= 0 && ++(indices[axis] as number) === shape[axis]; axis--)
      indices[axis] = 0;
  }
}

/** The place of an element in an array that repeats. */
function offset(shape: readonly number[], indices: readonly number[]): number {
  const lead = indices.length - shape.length;
  return shape.reduce((at, size, axis) => at * size + (size === 1 ? 0 : (indices[axis + lead] as number)), 0);
}

function map(f: OnNumbers, operands: readonly Tensor[]): Tensor {
  const shape = broadcast(operands.map((operand) => operand.shape));
  const data: number[] = [];
  for (const indices of indicesOf(shape)) {
    data.push(f(...operands.map((operand) => operand.data[offset(operand.shape, indices)] as number)));
  }
  return { shape, data };
}

function mapRows({ shape, data }: Tensor, f: (row: readonly number[]) => number[]): Tensor {
  const cols = shape.at(-1) as number;
  const rows = Array.from({ length: countOf(shape.slice(0, -1)) }, (_, i) => f(data.slice(i * cols, (i + 1) * cols)));
  return { shape: [...shape.slice(0, -1), f(data.slice(0, cols)).length], data: rows.flat() };
}

/** Over axes, which keep size 1. */
function reduce({ shape, data }: Tensor, axes: readonly number[], start: number, fold: OnNumbers): Tensor {
  const kept = shape.map((size, axis) => (axes.includes(axis) ? 1 : size));
  const result = Array.from({ length: countOf(kept) }, () => start);
  let i = 0;
  for (const indices of indicesOf(shape)) {
    const at = offset(kept, indices);
    result[at] = fold(result[at] as number, data[i++] as number);
  }
  return { shape: kept, data: result };
}

function permute({ shape, data }: Tensor, axes: readonly number[]): Tensor {
  const permuted = axes.map((axis) => shape[axis] as number);
  const result: number[] = [];
  for (const indices of indicesOf(permuted)) {
    const source = shape.map((_, axis) => indices[axes.indexOf(axis)] as number);
    result.push(data[offset(shape, source)] as number);
  }
  return { shape: permuted, data: result };
}

const broadcastTo = (x: Tensor, shape: readonly number[]): Tensor =>
  map((a) => a, [x, { shape, data: Array.from({ length: countOf(shape) }, () => 0) }]);

/** The reverse of `broadcastTo`. */
function sumTo(x: Tensor, shape: readonly number[]): Tensor {
  const lead = x.shape.length - shape.length;
  const axes = x.shape.map((_, axis) => axis).filter((axis) => axis < lead || shape[axis - lead] === 1);
  return { shape, data: reduce(x, axes, 0, (a, b) => a + b).data };
}

function multiply(a: Tensor, b: Tensor): Tensor {
  const [rows, inner] = a.shape as [number, number];
  const cols = b.shape[1] as number;
  const data = Array.from({ length: rows * cols }, (_, at) => {
    const [row, col] = [Math.floor(at / cols), at % cols];
    let sum = 0;
    for (let k = 0; k < inner; k++) sum += (a.data[row * inner + k] as number) * (b.data[k * cols + col] as number);
    return sum;
  });
  return { shape: [rows, cols], data };
}
