// SPDX-License-Identifier: Apache-2.0
// What a caller's array is: its memory, shape, strides and dtype, read once and checked.
import { bufferError, dtypeError, shapeError } from './errors';
import { NDArray } from './ndarray/ndarray';
import { copy } from './ndarray/strided';

/**
 * The memory that arrays are read from: every numeric typed array of JavaScript, of this realm or another.
 *
 * @example
 * ```ts
 * import type { TypedArray } from 'simdloss';
 * const labels: TypedArray = Uint8Array.of(0, 1, 1);
 * ```
 * @see ECMAScript, TypedArray Objects
 */
export type TypedArray =
  | Int8Array
  | Uint8Array
  | Uint8ClampedArray
  | Int16Array
  | Uint16Array
  | Int32Array
  | Uint32Array
  | Float32Array
  | Float64Array
  | BigInt64Array
  | BigUint64Array;

/**
 * The type of an array's elements; `uint8c` is that of Uint8ClampedArray, `int64` and `uint64` those of the BigInt arrays.
 *
 * @example
 * ```ts
 * import { type Dtype, nd } from 'simdloss';
 * const dtype: Dtype = nd.array([1, 2]).dtype; // 'float32'
 * ```
 * @see ND4J `org.nd4j.linalg.api.buffer.DataType`
 */
export type Dtype =
  | 'float32'
  | 'float64'
  | 'int8'
  | 'uint8'
  | 'uint8c'
  | 'int16'
  | 'uint16'
  | 'int32'
  | 'uint32'
  | 'int64'
  | 'uint64';

/**
 * Sizes along the axes, the first one outermost: whole numbers from 0 on. `[]` is a single number's.
 *
 * @example
 * ```ts
 * import { nd, type Shape } from 'simdloss';
 * const shape: Shape = nd.zeros([2, 3]).shape;
 * ```
 * @see ND4J `INDArray.shape()`
 */
export type Shape = readonly number[];

/**
 * Numbers in arrays, nested up to 8 deep, all rows of a level equally long.
 *
 * @example
 * ```ts
 * import { nd, type NestedNumbers } from 'simdloss';
 * const rows: NestedNumbers = [[1, 2], [3, 4]];
 * nd.array(rows).shape; // [2, 2]
 * ```
 * @see NumPy `array`
 */
export type NestedNumbers = readonly number[] | readonly NestedNumbers[];

/**
 * Whatever is taken for an array: an NDArray, an object with `data` and `shape` or `dims` (and `strides`, in elements,
 * row-major if not given), a bare typed array (rank 1), or nested arrays of numbers (copied).
 *
 * @example
 * ```ts
 * import { Activation, type ArrayInput, LossMSE } from 'simdloss';
 * const labels: ArrayInput = [[1, 0]];
 * const output: ArrayInput = { data: Float32Array.of(0.5, 0.5), dims: [1, 2] };
 * new LossMSE().computeScore(labels, output, Activation.IDENTITY); // 0.25
 * ```
 * @see onnxruntime `Tensor`; scijs `ndarray`, whose `stride` and `offset` are read as well
 */
export type ArrayInput =
  | NDArray
  | { readonly data: TypedArray; readonly shape: Shape; readonly strides?: readonly number[] | undefined }
  | { readonly data: TypedArray; readonly dims: Shape; readonly strides?: readonly number[] | undefined }
  | TypedArray
  | NestedNumbers;

/** A caller's array as plain facts; `data` is the caller's own typed array, element 0 of the view is data[0]. */
export interface View {
  readonly data: TypedArray;
  readonly shape: readonly number[];
  /** In elements, none negative. */
  readonly strides: readonly number[];
  readonly dtype: Dtype;
  /** What `toMatrix` made of it, where that is no copy. */
  matrix: MatrixView | undefined;
}

/** An array as a matrix of contiguous rows, `rowStride` elements apart. */
export interface MatrixView {
  readonly data: TypedArray;
  readonly rows: number;
  readonly cols: number;
  readonly rowStride: number;
  readonly dtype: Dtype;
  /** The strides did not fold to one row stride: `data` is not the caller's. */
  readonly copied: boolean;
  /** What `bufferOf` found. */
  buffer: ArrayBufferLike | undefined;
}

const MAX_RANK = 32;
const MAX_NESTING = 8;
const VECTOR_STRIDES: readonly number[] = Object.freeze([1]);

// The getters themselves: they work across realms, run no code of a caller's, and cannot be overridden.
const typedArrayPrototype: object = Object.getPrototypeOf(Uint8Array.prototype);
function typedArrayGetter<Value>(key: PropertyKey): (this: unknown) => Value {
  return Object.getOwnPropertyDescriptor(typedArrayPrototype, key)?.get as () => Value;
}
/** Undefined for all else. */
const typedArrayTag = typedArrayGetter<string | undefined>(Symbol.toStringTag);
const bufferGetter = typedArrayGetter<ArrayBuffer>('buffer');
const byteOffsetGetter = typedArrayGetter<number>('byteOffset');
/** How many elements a typed array has, whatever it says of itself. */
export const lengthOf = typedArrayGetter<number>('length');

/** Does a list of a caller's hold these numbers? */
function isSameList(kept: readonly number[], list: unknown): boolean {
  return Array.isArray(list) && isSameShape(kept, list);
}

/** Are two shapes equal, axis by axis? */
export function isSameShape(a: readonly number[], b: readonly number[]): boolean {
  if (a.length !== b.length) return false;
  for (let axis = 0; axis < a.length; axis++) if (a[axis] !== b[axis]) return false;
  return true;
}

/** The dtype of a typed array; undefined for anything else, Float16Array too. */
export function dtypeOf(value: unknown): Dtype | undefined {
  switch (typedArrayTag.call(value)) {
    case 'Float32Array':
      return 'float32';
    case 'Float64Array':
      return 'float64';
    case 'Uint8Array':
      return 'uint8';
    case 'Int32Array':
      return 'int32';
    case 'BigInt64Array':
      return 'int64';
    case 'Int8Array':
      return 'int8';
    case 'Uint8ClampedArray':
      return 'uint8c';
    case 'Int16Array':
      return 'int16';
    case 'Uint16Array':
      return 'uint16';
    case 'Uint32Array':
      return 'uint32';
    case 'BigUint64Array':
      return 'uint64';
    default:
      return undefined;
  }
}

const constructors = {
  float32: Float32Array,
  float64: Float64Array,
  int8: Int8Array,
  uint8: Uint8Array,
  uint8c: Uint8ClampedArray,
  int16: Int16Array,
  uint16: Uint16Array,
  int32: Int32Array,
  uint32: Uint32Array,
  int64: BigInt64Array,
  uint64: BigUint64Array,
} as const;

/** Is this the name of a dtype? */
export function isDtype(value: unknown): value is Dtype {
  return typeof value === 'string' && Object.hasOwn(constructors, value);
}

/** Zeros. */
export function allocateData(dtype: Dtype, length: number, name: string): TypedArray {
  try {
    return new constructors[dtype](length);
  } catch {
    throw shapeError(name, 'an array that fits in memory', `${length} elements of ${dtype}`);
  }
}

/**
 * A caller's array as plain facts. Reads each property once, in the order data, shape, dims, strides, stride, offset
 * (and type, of a Uint16Array); a getter that throws passes its error unchanged. Nested numbers become a typed array of dtype `numbersAs`.
 */
export function toView(input: unknown, name: string, numbersAs: 'float32' | 'float64'): View {
  if (typeof input !== 'object' || input === null) throw dtypeError(name, 'an array of numbers', input);
  const dtype = dtypeOf(input);
  if (dtype !== undefined) {
    const data = honest(input as TypedArray, dtype);
    const { length } = data;
    if (length === 0) checkAttached(data, name);
    return { data, shape: [length], strides: VECTOR_STRIDES, dtype, matrix: undefined };
  }
  return Array.isArray(input) ? fromNested(input, name, numbersAs) : fromObject(input as ArrayObject, name);
}

interface ArrayObject {
  readonly data?: unknown;
  readonly shape?: unknown;
  readonly dims?: unknown;
  readonly strides?: unknown;
  readonly stride?: unknown;
  readonly offset?: unknown;
  readonly type?: unknown;
}

function fromObject(input: ArrayObject, name: string): View {
  const given = input.data as TypedArray;
  const dtype = dtypeOf(given);
  if (dtype === undefined) throw notAnArray(input, given, name);
  let data = honest(given, dtype);
  const sizes = input.shape ?? input.dims;
  const steps = input.strides ?? listed(input.stride);
  const kept = NDArray.keptView(input);
  if (kept && kept.data === data && isSameList(kept.shape, sizes) && isSameList(kept.strides, steps)) {
    checkExtent(data, kept.shape, kept.strides, name);
    return kept;
  }
  const offset = input.offset;
  // onnxruntime keeps half floats in a Uint16Array: its numbers are not what they seem.
  if (dtype === 'uint16' && isHalf(input.type)) throw dtypeError(name, 'a dtype of JavaScript', 'float16');
  const shape = readSizes(sizes, name);
  const strides = steps === undefined ? rowMajorStrides(shape) : readStrides(steps, shape, name);
  if (typeof offset === 'number' && offset !== 0) data = skip(data, offset, name);
  checkExtent(data, shape, strides, name);
  const view = { data, shape, strides, dtype, matrix: undefined };
  if (kept !== undefined) NDArray.keepView(input, view);
  return view;
}

/** The array; of a subclass whose length lies, the same memory as a plain one. */
function honest(data: TypedArray, dtype: Dtype): TypedArray {
  const length = lengthOf.call(data);
  return data.length === length
    ? data
    : new constructors[dtype](bufferGetter.call(data), byteOffsetGetter.call(data), length);
}

/** scijs's name for strides; with any other kind of value it is no such thing. */
function listed(stride: unknown): readonly unknown[] | undefined {
  return Array.isArray(stride) ? stride : undefined;
}

function isHalf(type: unknown): boolean {
  return type === 'float16' || type === 'bfloat16';
}

function notAnArray(input: object, data: unknown, name: string): TypeError {
  if (data === undefined) return dtypeError(name, 'an array of numbers, or an object with data and shape', input);
  return dtypeError(name, 'a typed array of numbers as data', data);
}

function skip(data: TypedArray, offset: number, name: string): TypedArray {
  if (!Number.isSafeInteger(offset) || offset < 0) {
    throw shapeError(name, 'an offset that is a whole number from 0 on', offset);
  }
  if (offset > data.length) throw bufferError(name, `at least ${offset} elements before the first`, data.length);
  return data.subarray(offset);
}

/** Sizes or strides: an array, or a typed one, as some libraries keep them in an Int32Array. */
function asList(value: unknown, name: string, what: string): readonly number[] {
  if (!Array.isArray(value) && dtypeOf(value) === undefined)
    throw shapeError(name, `${what}: an array of numbers`, value);
  return value as readonly number[];
}

/** A copy of a shape, checked: whole numbers from 0 on, whose product is a safe integer. */
export function readSizes(sizes: unknown, name: string): number[] {
  const list = asList(sizes, name, 'a shape');
  const rank = list.length;
  if (!(Number.isSafeInteger(rank) && rank >= 0 && rank <= MAX_RANK)) {
    throw shapeError(name, `a shape of at most ${MAX_RANK} axes`, `${rank} axes`);
  }
  const shape = new Array<number>(rank);
  let length = 1;
  for (let axis = 0; axis < rank; axis++) {
    const size = list[axis] as number;
    if (!Number.isSafeInteger(size) || size < 0) throw shapeError(name, 'a shape of whole numbers from 0 on', sizes);
    // Without a zero, so that the order of the axes does not matter.
    length *= size === 0 ? 1 : size;
    shape[axis] = size + 0; // -0 is 0
  }
  if (length > Number.MAX_SAFE_INTEGER) throw shapeError(name, 'a shape of at most 2^53 elements', sizes);
  return shape;
}

/** A copy of strides, checked: one whole number from 0 on for each axis. */
export function readStrides(steps: unknown, shape: readonly number[], name: string): number[] {
  const list = asList(steps, name, 'strides');
  const rank = shape.length;
  if (list.length !== rank) throw shapeError(name, `${rank} strides, one an axis`, steps);
  const strides = new Array<number>(rank);
  for (let axis = 0; axis < rank; axis++) {
    const stride = list[axis] as number;
    if (!Number.isSafeInteger(stride) || stride < 0) {
      throw shapeError(name, 'strides that are whole numbers from 0 on', steps);
    }
    strides[axis] = stride + 0;
  }
  return strides;
}

/** The strides of an array without gaps. */
export function rowMajorStrides(shape: readonly number[]): number[] {
  const strides = new Array<number>(shape.length);
  let stride = 1;
  for (let axis = shape.length - 1; axis >= 0; axis--) {
    strides[axis] = stride;
    stride *= shape[axis] as number;
  }
  return strides;
}

/** Are the elements in row-major order, without gaps? */
export function isContiguous(shape: readonly number[], strides: readonly number[]): boolean {
  let stride = 1;
  for (let axis = shape.length - 1; axis >= 0; axis--) {
    const size = shape[axis] as number;
    if (size !== 1 && strides[axis] !== stride) return false;
    stride *= size;
  }
  return true;
}

/** One more than the index of the last element; 0 when there is none. */
export function extentOf(shape: readonly number[], strides: readonly number[]): number {
  let extent = 1;
  for (let axis = 0; axis < shape.length; axis++) {
    const size = shape[axis] as number;
    if (size === 0) return 0;
    extent += (size - 1) * (strides[axis] as number);
  }
  return extent;
}

/** Throws unless the memory is there, and holds every element. */
export function checkExtent(
  data: TypedArray,
  shape: readonly number[],
  strides: readonly number[],
  name: string,
): void {
  const { length } = data;
  if (length === 0) checkAttached(data, name);
  const extent = extentOf(shape, strides);
  if (length < extent) throw bufferError(name, `at least ${extent} elements for shape [${shape.join(', ')}]`, length);
}

/** An array without elements is legal; one whose buffer was detached, or shrunk away from under it, is not. */
function checkAttached(data: TypedArray, name: string): void {
  try {
    // Throws for those two alone, and works for a typed array of any realm and dtype.
    Uint8Array.prototype.at.call(data as Uint8Array, 0);
  } catch {
    throw bufferError(name, 'memory', 'a buffer that was detached or shrunk');
  }
}

/**
 * Does an index of the view lead to memory that another index leads to as well? Such a view can be read, never written.
 * Overlapping rows count as that even where gaps keep their elements apart.
 */
export function repeatsElements(shape: readonly number[], strides: readonly number[]): boolean {
  if (isContiguous(shape, strides) || shape.includes(0)) return false;
  // From the smallest stride on, each must step over all that the smaller ones reach.
  const axes = shape.map((size, axis) => ({ size, stride: strides[axis] as number })).filter(({ size }) => size > 1);
  axes.sort((a, b) => a.stride - b.stride);
  let reach = 0;
  for (const { size, stride } of axes) {
    if (stride <= reach) return true;
    reach += (size - 1) * stride;
  }
  return false;
}

/**
 * A view as a matrix: leading axes folded, columns contiguous. Rank 1 is a column, rank 0 one element. Copies only
 * where the strides do not fold to one row stride, as those of a transposed array.
 */
export function toMatrix(view: View): MatrixView {
  view.matrix ??= fold(view);
  if (view.matrix !== undefined) return view.matrix;
  const { data, shape, strides, dtype } = view;
  const cols = shape[shape.length - 1] as number;
  const rows = shape.reduce((product, size) => product * size, 1) / cols;
  const packed = allocateData(dtype, rows * cols, 'array');
  copy(packed, rowMajorStrides(shape), data, strides, shape);
  return makeMatrix(packed, rows, cols, cols, dtype, true);
}

/** A view as a matrix in place; undefined where the strides do not fold to one row stride. */
function fold({ data, shape, strides, dtype }: View): MatrixView | undefined {
  const last = shape.length - 1;
  if (last === 0) return makeMatrix(data, shape[0] as number, 1, strides[0] as number, dtype);
  if (last < 0) return makeMatrix(data, 1, 1, 1, dtype);
  const cols = shape[last] as number;
  let rows = 1;
  let rowStride = cols; // where there is but one row
  let folds = (strides[last] as number) === 1 || cols <= 1;
  for (let axis = last - 1; axis >= 0; axis--) {
    const size = shape[axis] as number;
    const stride = strides[axis] as number;
    if (size === 1) continue;
    if (rows === 1) rowStride = stride;
    else if (stride !== rowStride * rows) folds = false;
    rows *= size;
  }
  if (rows === 0 || cols === 0) return makeMatrix(data, rows, cols, cols, dtype);
  return folds ? makeMatrix(data, rows, cols, rowStride, dtype) : undefined;
}

/** Rows of `cols` elements, `rowStride` apart, in `data`. */
export function makeMatrix(
  data: TypedArray,
  rows: number,
  cols: number,
  rowStride: number,
  dtype: Dtype,
  copied = false,
): MatrixView {
  return { data, rows, cols, rowStride, dtype, copied, buffer: undefined };
}

/** The buffer of a matrix, asked once: the getter takes 18 ns. */
export function bufferOf(matrix: MatrixView): ArrayBufferLike {
  matrix.buffer ??= matrix.data.buffer;
  return matrix.buffer;
}

// --- Nested numbers ---

function fromNested(input: readonly unknown[], name: string, dtype: 'float32' | 'float64'): View {
  // The first element of each level tells the shape. It is kept, as nothing of a caller's is read twice.
  const shape: number[] = [];
  const firsts: unknown[] = [];
  let level: unknown = input;
  while (Array.isArray(level)) {
    if (shape.length === MAX_NESTING) throw shapeError(name, `arrays nested at most ${MAX_NESTING} deep`, input);
    const size = level.length;
    const first: unknown = size === 0 ? undefined : level[0];
    shape.push(size);
    firsts.push(first);
    level = first;
  }
  const inner = dtypeOf(level);
  if (inner !== undefined) {
    checkAttachedRow(level as TypedArray, name);
    shape.push((level as TypedArray).length);
  } else if (level !== undefined || shape[shape.length - 1] !== 0) {
    checkNumber(level, name);
  }
  let length = 1;
  for (const size of shape) length *= size;
  const data = allocateData(dtype, length, name) as Float32Array | Float64Array;
  fill({ data, at: 0, shape, firsts, name }, input, 0, true);
  return { data, shape, strides: rowMajorStrides(shape), dtype, matrix: undefined };
}

interface Filling {
  readonly data: Float32Array | Float64Array;
  at: number;
  readonly shape: readonly number[];
  readonly firsts: readonly unknown[];
  readonly name: string;
}

/** Appends one array of level `depth`; `first`: it is the one whose element 0 was read already. */
function fill(filling: Filling, array: readonly unknown[], depth: number, first: boolean): void {
  const { data, shape, firsts, name } = filling;
  const size = shape[depth] as number;
  if (depth === shape.length - 1) {
    let { at } = filling;
    for (let i = 0; i < size; i++) {
      const value = first && i === 0 ? firsts[depth] : array[i];
      if (typeof value !== 'number') checkNumber(value, name);
      data[at++] = value as number;
    }
    filling.at = at;
    return;
  }
  const inner = shape[depth + 1] as number;
  for (let i = 0; i < size; i++) {
    const row = first && i === 0 ? firsts[depth] : array[i];
    if (dtypeOf(row) !== undefined) {
      checkAttachedRow(row as TypedArray, name);
      if (depth + 2 !== shape.length) throw shapeError(name, `arrays nested ${shape.length} deep`, row);
      if ((row as TypedArray).length !== inner) throw ragged(name, inner, (row as TypedArray).length);
      fillTyped(filling, row as TypedArray);
      continue;
    }
    if (!Array.isArray(row)) {
      if (typeof row === 'number') throw shapeError(name, `arrays nested ${shape.length} deep`, row);
      throw dtypeError(name, 'an array of numbers', row);
    }
    const isFirst = first && i === 0;
    if (!isFirst && row.length !== inner) throw ragged(name, inner, row.length);
    fill(filling, row, depth + 1, isFirst);
  }
}

function fillTyped(filling: Filling, row: TypedArray): void {
  for (let i = 0; i < row.length; i++) filling.data[filling.at++] = Number(row[i]);
}

function checkAttachedRow(row: TypedArray, name: string): void {
  if (row.length === 0) checkAttached(row, name);
}

function checkNumber(value: unknown, name: string): void {
  if (typeof value === 'number') return;
  if (Array.isArray(value) || dtypeOf(value) !== undefined) throw shapeError(name, 'rows of equal depth', value);
  throw dtypeError(name, 'numbers', value);
}

function ragged(name: string, expected: number, got: number): RangeError {
  return shapeError(name, `rows of ${expected} elements`, `a row of ${got}`);
}
