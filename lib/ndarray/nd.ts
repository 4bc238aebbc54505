// SPDX-License-Identifier: Apache-2.0
import {
  type ArrayInput,
  type Dtype,
  dtypeOf,
  isDtype,
  readSizes,
  type Shape,
  type TypedArray,
  toView,
} from '../array-input';
import { dtypeError, optionError, rangeError } from '../errors';
import { Random, readSeed } from '../random';
import { allocateArray, NDArray } from './ndarray';
import type { NumberData } from './strided';

/** Options of `nd.rand` and `nd.randn`. */
export interface RandomOptions {
  /** A whole number from 0 on: the same seed gives the same numbers everywhere. Without it they differ each time. */
  readonly seed?: number | undefined;
  /** float32 if not given. */
  readonly dtype?: 'float32' | 'float64' | undefined;
}

/**
 * A new array of given numbers.
 *
 * Formula: `x[i, j, ...] = values[i][j]...`
 *
 * @param values nested arrays of numbers, or any array, whose elements are copied
 * @param dtype float32 for plain numbers and the array's own otherwise, if not given
 * @returns an array of memory of its own, row-major
 * @throws RangeError ERR_SHAPE for rows of different lengths; TypeError ERR_DTYPE for elements that are no numbers
 * @example
 * ```ts
 * import { nd } from 'simdloss';
 * nd.array([[1, 2], [3, 4]], 'float64').shape; // [2, 2]
 * ```
 * @see ND4J `Nd4j.create(double[][])`; NumPy `array`
 */
function array(values: ArrayInput, dtype?: Dtype): NDArray {
  const wanted = readDtype(dtype);
  // Plain numbers go through float64: every whole-number dtype then gets what the numbers say, up to 2^53.
  const view = toView(values, 'array', wanted === undefined || wanted === 'float32' ? 'float32' : 'float64');
  if (Array.isArray(values) && view.dtype === (wanted ?? 'float32')) return new NDArray(view.data, view.shape);
  return allocateArray(wanted ?? view.dtype, view.shape).assign(view);
}

/**
 * An array over the caller's own memory, never a copy; plain numbers, which have none, become float32.
 *
 * Formula: `x[i, j] = data[i * strides[0] + j * strides[1]]`
 *
 * @param data a typed array, at least as long as shape and strides ask; or an array of numbers
 * @param shape sizes; `[data.length]` if not given
 * @param options `strides` in elements, row-major if not given
 * @returns an array whose `data` is the typed array given
 * @throws RangeError ERR_SHAPE for a shape or strides that cannot be, ERR_BUFFER where data is too short;
 * TypeError ERR_DTYPE where it is no array, ERR_OPTION for an unknown option
 * @example
 * ```ts
 * import { nd } from 'simdloss';
 * const memory = new Float32Array(6);
 * nd.create(memory, [2, 3]).addi(1); // memory holds ones
 * nd.create(memory, [3, 2], { strides: [1, 3] }); // transposed
 * ```
 * @see ND4J `Nd4j.create`
 */
function create(
  data: TypedArray | readonly number[],
  shape?: Shape,
  options?: { readonly strides?: readonly number[] | undefined },
): NDArray {
  const strides = readOptions('create', options, ['strides'])['strides'] as readonly number[] | undefined;
  if (dtypeOf(data) !== undefined) return new NDArray(data as TypedArray, shape, strides);
  if (!Array.isArray(data)) throw dtypeError('create', 'a typed array, or an array of numbers', data);
  const numbers = toView(data, 'create', 'float32');
  return new NDArray(numbers.data, shape ?? numbers.shape, strides);
}

/**
 * Zeros.
 *
 * Formula: `x = 0`
 *
 * @param shape sizes, or the length of a vector
 * @param dtype float32 if not given
 * @returns a new array
 * @throws RangeError ERR_SHAPE for a shape that cannot be; TypeError ERR_DTYPE for an unknown dtype
 * @example
 * ```ts
 * import { nd } from 'simdloss';
 * nd.zeros([2, 3]).sumNumber(); // 0
 * ```
 * @see ND4J `Nd4j.zeros`
 */
function zeros(shape: Shape | number, dtype?: Dtype): NDArray {
  return allocateArray(readDtype(dtype) ?? 'float32', readShape(shape));
}

/**
 * Ones.
 *
 * Formula: `x = 1`
 *
 * @param shape sizes, or the length of a vector
 * @param dtype float32 if not given
 * @returns a new array
 * @throws RangeError ERR_SHAPE for a shape that cannot be; TypeError ERR_DTYPE for an unknown dtype
 * @example
 * ```ts
 * import { nd } from 'simdloss';
 * nd.ones([2, 3]).sumNumber(); // 6
 * ```
 * @see ND4J `Nd4j.ones`
 */
function ones(shape: Shape | number, dtype?: Dtype): NDArray {
  return full(shape, 1, dtype);
}

/**
 * One value everywhere.
 *
 * Formula: `x = value`
 *
 * @param shape sizes, or the length of a vector
 * @param value any number, converted to the dtype
 * @param dtype float32 if not given
 * @returns a new array
 * @throws RangeError ERR_SHAPE for a shape that cannot be; TypeError ERR_DTYPE for an unknown dtype or no number
 * @example
 * ```ts
 * import { nd } from 'simdloss';
 * nd.full([2], 0.5).toArray(); // [0.5, 0.5]
 * ```
 * @see ND4J `Nd4j.valueArrayOf`
 */
function full(shape: Shape | number, value: number, dtype?: Dtype): NDArray {
  return allocateArray(readDtype(dtype) ?? 'float32', readShape(shape)).assign(readNumber('value', value));
}

/**
 * A single number, of rank 0.
 *
 * Formula: `x = value`
 *
 * @param value any number, converted to the dtype
 * @param dtype float32 if not given
 * @returns a new array of shape `[]`
 * @throws TypeError ERR_DTYPE for an unknown dtype or no number
 * @example
 * ```ts
 * import { nd } from 'simdloss';
 * nd.scalar(2).mul([1, 2]).toArray(); // [2, 4]
 * ```
 * @see ND4J `Nd4j.scalar`
 */
function scalar(value: number, dtype?: Dtype): NDArray {
  return full([], value, dtype);
}

/**
 * Numbers at equal steps, the end left out.
 *
 * Formula: `x[i] = start + i step`, for `i` from 0 to `ceil((stop - start) / step) - 1`
 *
 * @param start the first number; the end, from 0 on, if it is the only argument
 * @param stop the end, left out
 * @param step any number but 0, 1 if not given
 * @param dtype float32 if not given
 * @returns a new vector
 * @throws RangeError ERR_RANGE for a step of 0, or an argument that is not finite; TypeError ERR_DTYPE
 * @example
 * ```ts
 * import { nd } from 'simdloss';
 * nd.arange(3).toArray(); // [0, 1, 2]
 * nd.arange(1, 2, 0.5).toArray(); // [1, 1.5]
 * ```
 * @see ND4J `Nd4j.arange`
 */
function arange(start: number, stop?: number, step = 1, dtype?: Dtype): NDArray {
  const first = stop === undefined ? 0 : readFinite('start', start);
  const end = stop === undefined ? readFinite('stop', start) : readFinite('stop', stop);
  if (readFinite('step', step) === 0) throw rangeError('step', 'a number other than 0', step);
  const length = Math.max(0, Math.ceil((end - first) / step));
  return generate(length, dtype, (i) => first + i * step);
}

/**
 * Numbers at equal distances, both ends included.
 *
 * Formula: `x[i] = start + i (stop - start) / (count - 1)`
 *
 * @param start the first number
 * @param stop the last number
 * @param count how many, from 0 on; a single one is start
 * @param dtype float32 if not given
 * @returns a new vector `[count]`
 * @throws RangeError ERR_SHAPE for a count that is no whole number, ERR_RANGE for an end that is not finite
 * @example
 * ```ts
 * import { nd } from 'simdloss';
 * nd.linspace(0, 1, 3).toArray(); // [0, 0.5, 1]
 * ```
 * @see ND4J `Nd4j.linspace`
 */
function linspace(start: number, stop: number, count: number, dtype?: Dtype): NDArray {
  readFinite('start', start);
  readFinite('stop', stop);
  const [length = 0] = readShape(count);
  // The last one exactly, and no overflow of stop - start.
  const at = (t: number) => (t === 1 ? stop : start * (1 - t) + stop * t);
  return generate(length, dtype, (i) => (i === 0 ? start : at(i / (length - 1))));
}

/**
 * The identity matrix.
 *
 * Formula: `x[i, j] = 1` where `i = j`, else 0
 *
 * @param rows from 0 on
 * @param columns as many as rows if not given
 * @param dtype float32 if not given
 * @returns a new matrix
 * @throws RangeError ERR_SHAPE for sizes that cannot be; TypeError ERR_DTYPE for an unknown dtype
 * @example
 * ```ts
 * import { nd } from 'simdloss';
 * nd.eye(2).toArray(); // [[1, 0], [0, 1]]
 * ```
 * @see ND4J `Nd4j.eye`
 */
function eye(rows: number, columns = rows, dtype?: Dtype): NDArray {
  const matrix = zeros([rows, columns], dtype);
  const length = Math.min(rows, columns);
  new NDArray(matrix.data, [length], [columns + 1]).assign(1);
  return matrix;
}

/**
 * Uniform random numbers, by xoshiro128**.
 *
 * Formula: `x ~ U[0, 1)`, multiples of 2^-24 (float32) or 2^-53 (float64)
 *
 * @param shape sizes, or the length of a vector
 * @param options `seed`, a whole number from 0 on; `dtype`, float32 or float64
 * @returns a new array, the same for the same seed, shape and dtype on every machine
 * @throws RangeError ERR_SHAPE for a shape that cannot be, ERR_RANGE for such a seed; TypeError ERR_DTYPE, ERR_OPTION
 * @example
 * ```ts
 * import { nd } from 'simdloss';
 * nd.rand([2, 3], { seed: 7 });
 * ```
 * @see ND4J `Nd4j.rand`; Blackman and Vigna 2018, "Scrambled linear pseudorandom number generators"
 */
function rand(shape: Shape | number, options?: RandomOptions): NDArray {
  return draw(shape, options, 'rand', (random, dtype) => (dtype === 'float32' ? random.float32() : random.float64()));
}

/**
 * Normal random numbers, by Box and Muller's method over xoshiro128**.
 *
 * Formula: `x ~ N(0, 1)`, in pairs `sqrt(-2 log u) cos(2 pi v)`, `sqrt(-2 log u) sin(2 pi v)`
 *
 * @param shape sizes, or the length of a vector
 * @param options `seed`, a whole number from 0 on; `dtype`, float32 or float64
 * @returns a new array, the same for the same seed and shape
 * @throws RangeError ERR_SHAPE for a shape that cannot be, ERR_RANGE for such a seed; TypeError ERR_DTYPE, ERR_OPTION
 * @example
 * ```ts
 * import { nd } from 'simdloss';
 * nd.randn([256, 10], { seed: 7 }).muli(0.1);
 * ```
 * @see ND4J `Nd4j.randn`; Box and Muller 1958, "A note on the generation of random normal deviates"
 */
function randn(shape: Shape | number, options?: RandomOptions): NDArray {
  return draw(shape, options, 'randn', (random) => random.normal());
}

/**
 * Makes arrays.
 *
 * Formula: of each function, in its own description
 *
 * @example
 * ```ts
 * import { nd } from 'simdloss';
 * const x = nd.randn([32, 256], { seed: 1 });
 * const w = nd.zeros([256, 10]);
 * x.mmul(w).shape; // [32, 10]
 * ```
 * @see ND4J `org.nd4j.linalg.factory.Nd4j`
 */
export const nd = { array, create, zeros, ones, full, scalar, arange, linspace, eye, rand, randn } as const;

// --- Arguments ---

function draw(
  shape: Shape | number,
  options: RandomOptions | undefined,
  name: string,
  next: (random: Random, dtype: Dtype) => number,
): NDArray {
  const given = readOptions(name, options, ['seed', 'dtype']);
  const dtype = readDtype(given['dtype']) ?? 'float32';
  if (dtype !== 'float32' && dtype !== 'float64') throw dtypeError(name, 'float32 or float64', dtype);
  const random = new Random(readSeed(given['seed']));
  const result = allocateArray(dtype, readShape(shape));
  const data = result.data as NumberData;
  for (let i = 0; i < data.length; i++) data[i] = next(random, dtype);
  return result;
}

function generate(length: number, dtype: Dtype | undefined, at: (i: number) => number): NDArray {
  const wanted = readDtype(dtype) ?? 'float32';
  const direct = wanted !== 'int64' && wanted !== 'uint64';
  const result = allocateArray(direct ? wanted : 'float64', [length]);
  const data = result.data as NumberData;
  for (let i = 0; i < length; i++) data[i] = at(i);
  return direct ? result : result.castTo(wanted);
}

function readDtype(dtype: unknown): Dtype | undefined {
  if (dtype !== undefined && !isDtype(dtype)) throw dtypeError('dtype', 'a dtype, such as float32', dtype);
  return dtype;
}

function readShape(shape: unknown): number[] {
  return readSizes(typeof shape === 'number' ? [shape] : shape, 'shape');
}

function readNumber(name: string, value: unknown): number {
  if (typeof value !== 'number') throw dtypeError(name, 'a number', value);
  return value;
}

function readFinite(name: string, value: unknown): number {
  if (!Number.isFinite(readNumber(name, value))) throw rangeError(name, 'a finite number', value);
  return value as number;
}

/** The options by name, once each. */
function readOptions(owner: string, options: unknown, names: readonly string[]): Record<string, unknown> {
  if (options === undefined || options === null) return {};
  if (typeof options !== 'object') throw optionError(owner, 'an object of options', options);
  for (const key of Object.keys(options)) {
    if (!names.includes(key)) throw optionError(owner, `options among ${names.join(', ')}`, key);
  }
  return { ...options };
}
