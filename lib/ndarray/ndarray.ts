// SPDX-License-Identifier: Apache-2.0
import {
  type ArrayInput,
  allocateData,
  checkExtent,
  type Dtype,
  dtypeOf,
  extentOf,
  isContiguous,
  isDtype,
  type NestedNumbers,
  readSizes,
  readStrides,
  repeatsElements,
  rowMajorStrides,
  type Shape,
  type TypedArray,
  toView,
  type View,
} from '../array-input';
import { bufferError, dtypeError, optionError, rangeError, shapeError } from '../errors';
import {
  type BinaryOp,
  combine,
  copy,
  isBig,
  type Layout,
  map,
  multiply,
  type NumberData,
  reduce,
  toBigInt,
} from './strided';

/** An option of the reductions over axes. */
export interface ReduceOptions {
  /** Keep each reduced axis with size 1, so that the result broadcasts with the array. */
  readonly keepDims?: boolean | undefined;
}

/** Axes to reduce over, negative ones from the end, none for all; options last. */
export type ReduceArguments = number[] | [...axes: number[], options: ReduceOptions];

/** A product C = op(A) op(B) of row-major matrices; op(X) is X or X transposed. Leading dimensions are in elements. */
export interface GemmCall {
  readonly m: number;
  readonly n: number;
  readonly k: number;
  readonly a: Float32Array | Float64Array;
  readonly lda: number;
  readonly transposeA: boolean;
  readonly b: Float32Array | Float64Array;
  readonly ldb: number;
  readonly transposeB: boolean;
  readonly c: Float32Array | Float64Array;
  readonly ldc: number;
}

let gemm: ((call: GemmCall) => void) | undefined;

/** Sets what computes `mmul` of float arrays; without it, or with undefined, plain loops do. */
export function setGemm(hook: ((call: GemmCall) => void) | undefined): void {
  gemm = hook;
}

/**
 * A view of numbers in a typed array: its memory is the caller's, never a copy.
 *
 * Formula: element `(i, j, ...)` is `data[i * strides[0] + j * strides[1] + ...]`. Two arrays in one operation are
 * broadcast as NumPy does: axes are aligned at the last one, and an axis of size 1 repeats.
 *
 * Dtypes: of two arrays float64 wins over float32, and float32 over whole numbers; of two whole-number dtypes the
 * result is the smallest that holds both. A number takes the array's dtype. Whole numbers with a fraction, or divided,
 * give float32; in place that is an error. Whole numbers out of range wrap around, as they do in typed arrays.
 * Elements of int64 and uint64 are read as the nearest number: exact up to 2^53, and exact always in `data`.
 *
 * @example
 * ```ts
 * import { NDArray } from 'simdloss';
 * const memory = Float32Array.of(1, 2, 3, 4, 5, 6);
 * const x = new NDArray(memory, [2, 3]);
 * x.rows(1, 2).muli(10); // in memory: 1, 2, 3, 40, 50, 60
 * x.sum(1).toArray(); // [6, 150]
 * ```
 * @see ND4J `org.nd4j.linalg.api.ndarray.INDArray`; NumPy, "Broadcasting"
 */
export class NDArray {
  /** The caller's own typed array, or of a view of rows or columns a subarray of it: element 0 is `data[0]`. */
  readonly data: TypedArray;
  /** Sizes along the axes; `[]` of a single number. */
  readonly shape: Shape;
  /** Steps along the axes, in elements of `data`. */
  readonly strides: readonly number[];
  /** The type of the elements. */
  readonly dtype: Dtype;
  /** How many elements there are: the product of the shape. */
  readonly length: number;
  #view: View | null = null;

  /**
   * A view of the caller's memory.
   *
   * @param data any numeric typed array, at least as long as shape and strides ask
   * @param shape sizes, whole numbers from 0 on; `[data.length]` if not given
   * @param strides in elements, one an axis, from 0 on; row-major if not given. An array whose elements share memory
   * (a stride of 0) can be read, never written
   * @throws TypeError ERR_DTYPE where data is no typed array
   * @throws RangeError ERR_SHAPE for shapes or strides that cannot be, ERR_BUFFER where data is too short or detached
   */
  constructor(data: TypedArray, shape?: Shape, strides?: readonly number[]) {
    const dtype = dtypeOf(data);
    if (dtype === undefined) throw dtypeError('data', 'a typed array of numbers', data);
    const sizes = shape === undefined ? [data.length] : readSizes(shape, 'shape');
    const steps = strides === undefined ? rowMajorStrides(sizes) : readStrides(strides, sizes, 'strides');
    checkExtent(data, sizes, steps, 'data');
    this.data = data;
    this.shape = sizes;
    this.strides = steps;
    this.dtype = dtype;
    this.length = product(sizes);
  }

  /** How many axes there are. */
  get rank(): number {
    return this.shape.length;
  }

  // --- Shape ---

  /**
   * The size along an axis.
   *
   * @param axis from 0 to rank - 1, or from -rank to -1 counted from the end
   * @returns the size, from 0 on
   * @throws RangeError ERR_RANGE for an axis that is not there
   * @example
   * ```ts
   * import { nd } from 'simdloss';
   * nd.zeros([2, 3]).size(-1); // 3
   * ```
   */
  size(axis: number): number {
    return this.shape[readAxis(axis, this.rank, 'axis')] as number;
  }

  /** A copy in memory of its own, row-major, of the same dtype. */
  dup(): NDArray {
    return allocateArray(this.dtype, this.shape).assign(this);
  }

  /**
   * The same elements, in row-major order, in another shape: a view where the strides allow it (always, for an array
   * without gaps), else a copy.
   *
   * @param shape sizes, one array of them or one an argument; a single -1 stands for what is left
   * @returns an array of that shape
   * @throws RangeError ERR_SHAPE for another number of elements
   * @example
   * ```ts
   * import { nd } from 'simdloss';
   * nd.arange(6).reshape(2, -1); // [[0, 1, 2], [3, 4, 5]]
   * ```
   */
  reshape(...shape: number[] | [Shape]): NDArray {
    this.check('reshape');
    const sizes = this.readNewShape(Array.isArray(shape[0]) ? shape[0] : shape);
    const strides = reshapedStrides(this, sizes);
    return strides === undefined ? new NDArray(this.dup().data, sizes) : new NDArray(this.data, sizes, strides);
  }

  /**
   * A view of some rows: of the first axis.
   *
   * @param from the first row
   * @param to one beyond the last row; the number of rows if not given
   * @returns a view over the same memory
   * @throws RangeError ERR_RANGE for rows that are not there, ERR_SHAPE for rank 0
   * @example
   * ```ts
   * import { nd } from 'simdloss';
   * nd.array([[1, 2], [3, 4], [5, 6]]).rows(1, 3); // [[3, 4], [5, 6]]
   * ```
   */
  rows(from: number, to?: number): NDArray {
    return this.slice('rows', 0, from, to);
  }

  /**
   * A view of some columns: of the last axis, of at least two.
   *
   * @param from the first column
   * @param to one beyond the last column; the number of columns if not given
   * @returns a view over the same memory
   * @throws RangeError ERR_RANGE for columns that are not there, ERR_SHAPE below rank 2
   * @example
   * ```ts
   * import { nd } from 'simdloss';
   * nd.array([[1, 2, 3], [4, 5, 6]]).columns(1); // [[2, 3], [5, 6]]
   * ```
   */
  columns(from: number, to?: number): NDArray {
    if (this.rank < 2) throw shapeError('columns', 'an array of rank 2 or more', this);
    return this.slice('columns', this.rank - 1, from, to);
  }

  /** A view with the axes in reverse order. */
  transpose(): NDArray {
    this.check('transpose');
    return new NDArray(this.data, [...this.shape].reverse(), [...this.strides].reverse());
  }

  /**
   * The array in another dtype: a copy, or itself where the dtype is the same already, as in ND4J. Converts as typed
   * arrays do: towards 0, and modulo 2^bits.
   *
   * @param dtype the dtype wanted
   * @returns a copy, or this array
   * @throws TypeError ERR_DTYPE for an unknown dtype
   * @example
   * ```ts
   * import { nd } from 'simdloss';
   * nd.array([1.5, -1.5, 257]).castTo('uint8'); // [1, 255, 1]
   * ```
   */
  castTo(dtype: Dtype): NDArray {
    if (!isDtype(dtype)) throw dtypeError('castTo', 'a dtype, such as float32', dtype);
    this.check('castTo');
    return dtype === this.dtype ? this : allocateArray(dtype, this.shape).assign(this);
  }

  // --- Elements ---

  /**
   * One element.
   *
   * @param index one whole number an axis; negative ones count from the end
   * @returns the element; one of int64 or uint64 as the nearest number
   * @throws RangeError ERR_RANGE for an index out of range, ERR_SHAPE for another number of them
   * @example
   * ```ts
   * import { nd } from 'simdloss';
   * nd.array([[1, 2], [3, 4]]).at(1, -1); // 4
   * ```
   */
  at(...index: number[]): number {
    this.check('at');
    return Number(this.data[this.offsetOf('at', index)]);
  }

  /**
   * One element: `at(...index)`, or with a single index on any rank the element at that place in row-major order.
   *
   * @param index one whole number an axis, or one alone; negative ones count from the end
   * @returns the element; one of int64 or uint64 as the nearest number
   * @throws RangeError ERR_RANGE for an index out of range, ERR_SHAPE for another number of them
   * @example
   * ```ts
   * import { nd } from 'simdloss';
   * nd.array([[1, 2], [3, 4]]).getDouble(2); // 3
   * ```
   */
  getDouble(...index: number[]): number {
    this.check('getDouble');
    return Number(this.data[this.offsetOf('getDouble', this.unravel('getDouble', index))]);
  }

  /**
   * Sets one element, and returns the array.
   *
   * @param index as of `getDouble`: a place in row-major order, or an array with one index an axis
   * @param value a number, converted to the dtype
   * @returns this array
   * @throws RangeError ERR_RANGE for an index out of range, ERR_SHAPE for another number of them
   * @example
   * ```ts
   * import { nd } from 'simdloss';
   * nd.zeros([2, 2]).putScalar([0, 1], 5); // [[0, 5], [0, 0]]
   * ```
   */
  putScalar(index: number | readonly number[], value: number): this {
    this.checkWritable('putScalar');
    if (typeof value !== 'number') throw dtypeError('putScalar', 'a number', value);
    const places = typeof index === 'number' ? [index] : index;
    if (!Array.isArray(places)) throw rangeError('putScalar', 'an index, or an array of them', index);
    const offset = this.offsetOf('putScalar', this.unravel('putScalar', places));
    if (isBig(this.data)) this.data[offset] = toBigInt(value);
    else this.data[offset] = value;
    return this;
  }

  /** The elements as nested arrays of numbers; a number for rank 0. */
  toArray(): number | NestedNumbers {
    this.check('toArray');
    return nest(this, 0, 0) as number | NestedNumbers;
  }

  /** The elements in brackets, a row a line; of long arrays the first and last ones. */
  toString(): string {
    this.check('toString');
    return print(this, 0, 0, this.length > 1000);
  }

  /** What the console shows. */
  [Symbol.for('nodejs.util.inspect.custom')](): string {
    const live = this.data.length >= extentOf(this.shape, this.strides);
    return `NDArray ${this.dtype} [${this.shape.join(', ')}] ${live ? this.toString() : '(detached)'}`;
  }

  /**
   * Sets all elements, and returns the array.
   *
   * @param other a number, or an array that broadcasts to this shape; converted to this dtype
   * @returns this array
   * @throws RangeError ERR_SHAPE where it does not broadcast
   * @example
   * ```ts
   * import { nd } from 'simdloss';
   * nd.zeros([2, 2]).assign([1, 2]); // [[1, 2], [1, 2]]
   * ```
   */
  assign(other: ArrayInput | number): this {
    this.checkWritable('assign');
    const { shape } = this;
    if (typeof other === 'number') {
      copy(this.data, this.strides, Float64Array.of(other), shape.map(zero), shape);
      return this;
    }
    const source = operandOf('assign', other, this.dtype);
    this.checkBroadcasts('assign', source.shape);
    const layout = expand(source, shape);
    const safe = this.isSafeSource(layout) ? layout : pack(layout, shape, source.dtype);
    copy(this.data, this.strides, safe.data, safe.strides, shape);
    return this;
  }

  // --- Arithmetic ---

  /**
   * `this + other`, elementwise, broadcast.
   *
   * @param other a number, or an array that broadcasts with this one
   * @returns a new array of the common shape and dtype
   * @throws RangeError ERR_SHAPE for shapes that do not broadcast; TypeError ERR_DTYPE for what is no array
   * @example
   * ```ts
   * import { nd } from 'simdloss';
   * nd.array([[1, 2], [3, 4]]).add([10, 20]); // [[11, 22], [13, 24]]
   * ```
   */
  add(other: ArrayInput | number): NDArray {
    return this.binary('add', 'add', other);
  }

  /** `this - other`; otherwise as `add`. */
  sub(other: ArrayInput | number): NDArray {
    return this.binary('sub', 'sub', other);
  }

  /** `this * other`; otherwise as `add`. */
  mul(other: ArrayInput | number): NDArray {
    return this.binary('mul', 'mul', other);
  }

  /** `this / other`; otherwise as `add`. */
  div(other: ArrayInput | number): NDArray {
    return this.binary('div', 'div', other);
  }

  /** `other - this`; otherwise as `add`. */
  rsub(other: ArrayInput | number): NDArray {
    return this.binary('rsub', 'sub', other, true);
  }

  /** `other / this`; otherwise as `add`. */
  rdiv(other: ArrayInput | number): NDArray {
    return this.binary('rdiv', 'div', other, true);
  }

  /** `-this`. */
  neg(): NDArray {
    return this.binary('neg', 'mul', -1);
  }

  /**
   * `this += other`, elementwise; other is broadcast to this shape.
   *
   * @param other a number, or an array that broadcasts to this shape
   * @returns this array
   * @throws RangeError ERR_SHAPE where it does not broadcast; TypeError ERR_DTYPE where whole numbers would become fractions
   * @example
   * ```ts
   * import { nd } from 'simdloss';
   * nd.array([[1, 2], [3, 4]]).addi(1); // [[2, 3], [4, 5]]
   * ```
   */
  addi(other: ArrayInput | number): this {
    return this.binaryInPlace('addi', 'add', other);
  }

  /** `this -= other`; otherwise as `addi`. */
  subi(other: ArrayInput | number): this {
    return this.binaryInPlace('subi', 'sub', other);
  }

  /** `this *= other`; otherwise as `addi`. */
  muli(other: ArrayInput | number): this {
    return this.binaryInPlace('muli', 'mul', other);
  }

  /** `this /= other`; otherwise as `addi`. */
  divi(other: ArrayInput | number): this {
    return this.binaryInPlace('divi', 'div', other);
  }

  /** `this = other - this`; otherwise as `addi`. */
  rsubi(other: ArrayInput | number): this {
    return this.binaryInPlace('rsubi', 'sub', other, true);
  }

  /** `this = other / this`; otherwise as `addi`. */
  rdivi(other: ArrayInput | number): this {
    return this.binaryInPlace('rdivi', 'div', other, true);
  }

  /** `this = -this`. */
  negi(): this {
    return this.binaryInPlace('negi', 'mul', -1);
  }

  // --- Comparisons ---

  /**
   * 1 where `this < other`, else 0; 0 where one is NaN.
   *
   * @param other a number, or an array that broadcasts with this one
   * @returns a new array of the common shape and dtype
   * @throws RangeError ERR_SHAPE for shapes that do not broadcast; TypeError ERR_DTYPE for what is no array
   * @example
   * ```ts
   * import { nd } from 'simdloss';
   * nd.array([1, 2, 3]).lt(2); // [1, 0, 0]
   * ```
   */
  lt(other: ArrayInput | number): NDArray {
    return this.binary('lt', 'lt', other);
  }

  /** 1 where `this <= other`, else 0; otherwise as `lt`. */
  lte(other: ArrayInput | number): NDArray {
    return this.binary('lte', 'lte', other);
  }

  /** 1 where `this > other`, else 0; otherwise as `lt`. */
  gt(other: ArrayInput | number): NDArray {
    return this.binary('gt', 'lt', other, true);
  }

  /** 1 where `this >= other`, else 0; otherwise as `lt`. */
  gte(other: ArrayInput | number): NDArray {
    return this.binary('gte', 'lte', other, true);
  }

  /** 1 where `this == other`, else 0; otherwise as `lt`. */
  eq(other: ArrayInput | number): NDArray {
    return this.binary('eq', 'eq', other);
  }

  /** 1 where `this != other`, NaN too, else 0; otherwise as `lt`. */
  neq(other: ArrayInput | number): NDArray {
    return this.binary('neq', 'neq', other);
  }

  // --- Reductions ---

  /**
   * The sum over axes, of float32 added up in float64; of whole numbers int64. The axes are gone from the result
   * (`sum(1)` of `[n, c]` is `[n]`) unless `{ keepDims: true }` comes last.
   *
   * @param axes the axes to reduce over, negative ones from the end, none for all; then options
   * @returns a new array
   * @throws RangeError ERR_RANGE for an axis that is not there; TypeError ERR_OPTION for an unknown option
   * @example
   * ```ts
   * import { nd } from 'simdloss';
   * const x = nd.array([[1, 2], [3, 4]]);
   * x.sum(1); // [3, 7]
   * x.sum(0, { keepDims: true }); // [[4, 6]]
   * x.sum(); // 10
   * ```
   */
  sum(...axes: ReduceArguments): NDArray {
    return this.reduceOver('sum', axes, 'sum', isFloat(this.dtype) ? this.dtype : 'int64');
  }

  /** The mean over axes; otherwise as `sum`. @throws RangeError ERR_SHAPE for the mean of nothing */
  mean(...axes: ReduceArguments): NDArray {
    return this.reduceOver('mean', axes, 'sum', floatOf(this.dtype), (total, count) => total / count);
  }

  /** The largest element over axes, NaN where there is one; otherwise as `sum`. @throws RangeError ERR_SHAPE of none */
  max(...axes: ReduceArguments): NDArray {
    return this.reduceOver('max', axes, 'max', this.dtype);
  }

  /** The smallest element over axes, NaN where there is one; otherwise as `sum`. @throws RangeError ERR_SHAPE of none */
  min(...axes: ReduceArguments): NDArray {
    return this.reduceOver('min', axes, 'min', this.dtype);
  }

  /** The sum of absolute values over axes; otherwise as `sum`. */
  norm1(...axes: ReduceArguments): NDArray {
    return this.reduceOver('norm1', axes, 'sumAbs', floatOf(this.dtype));
  }

  /** The root of the sum of squares over axes, without overflow between; otherwise as `sum`. */
  norm2(...axes: ReduceArguments): NDArray {
    return this.reduceOver('norm2', axes, 'norm2', floatOf(this.dtype));
  }

  /** The sum of all elements, in float64. */
  sumNumber(): number {
    return this.reduceAll('sumNumber', 'sum');
  }

  /** The mean of all elements, in float64. @throws RangeError ERR_SHAPE for the mean of nothing */
  meanNumber(): number {
    if (this.length === 0) throw shapeError('meanNumber', 'at least one element', this);
    return this.reduceAll('meanNumber', 'sum') / this.length;
  }

  /** The largest of all elements, NaN where there is one. @throws RangeError ERR_SHAPE where there is none */
  maxNumber(): number {
    return this.reduceAll('maxNumber', 'max');
  }

  /** The smallest of all elements, NaN where there is one. @throws RangeError ERR_SHAPE where there is none */
  minNumber(): number {
    return this.reduceAll('minNumber', 'min');
  }

  /** The sum of the absolute values of all elements, in float64. */
  norm1Number(): number {
    return this.reduceAll('norm1Number', 'sumAbs');
  }

  /** The root of the sum of the squares of all elements, in float64. */
  norm2Number(): number {
    return this.reduceAll('norm2Number', 'norm2');
  }

  // --- Products ---

  /**
   * The matrix product `C_ij = sum_k A_ik B_kj`. Transposed matrices are read in place. Whole numbers are read as float32.
   *
   * @param other `[k, n]`, for this `[m, k]`; or a vector `[k]`, for a result `[m]`; a vector on the left is a row
   * @returns `[m, n]`, without the axes that vectors have not
   * @throws RangeError ERR_SHAPE for shapes that do not fit
   * @example
   * ```ts
   * import { nd } from 'simdloss';
   * nd.array([[1, 2], [3, 4]]).mmul([[1], [10]]); // [[21], [43]]
   * ```
   */
  mmul(other: ArrayInput): NDArray {
    this.check('mmul');
    const right = operandOf('mmul', other, this.dtype);
    const fits = (rank: number) => rank === 1 || rank === 2;
    const inner = this.shape[this.rank - 1];
    if (!fits(this.rank)) throw shapeError('mmul', 'matrices or vectors', this.shape);
    if (!fits(right.rank) || inner !== right.shape[0]) {
      throw shapeError('mmul', `a matrix or vector of ${inner} rows, for [${this.shape.join(', ')}]`, right.shape);
    }
    const dtype = floatOf(promote(this.dtype, right.dtype));
    const a = asMatrix(this.castTo(dtype), [1, this.length]);
    const b = asMatrix(right.castTo(dtype), [right.length, 1]);
    const c = allocateArray(dtype, [a.size(0), b.size(1)]);
    multiplyInto(a, b, c);
    return c.reshape([...this.shape.slice(0, -1), ...right.shape.slice(1)]);
  }

  // --- Shared ---

  /** @internal A view of any array a caller may pass; itself if it is one. */
  static from(input: ArrayInput, name: string, numbersAs: 'float32' | 'float64' = 'float32'): NDArray {
    if (NDArray.isMade(input)) {
      input.check(name);
      return input;
    }
    const { data, shape, strides } = toView(input, name, numbersAs);
    return new NDArray(data, shape, strides);
  }

  /** @internal Was this made by the constructor? An object that only has the prototype was not. */
  static isMade(input: unknown): input is NDArray {
    return typeof input === 'object' && input !== null && #view in input;
  }

  /** @internal What `toView` found when it last read an array, null if it did not; undefined for all else. */
  static keptView(input: object): View | null | undefined {
    return #view in input ? input.#view : undefined;
  }

  /** @internal Keeps what `toView` found, which holds until another shape or other memory is set. */
  static keepView(input: object, view: View): void {
    if (#view in input) input.#view = view;
  }

  /** @internal `this op other`, or `other op this`, in a new array. */
  binary(name: string, op: BinaryOp, other: ArrayInput | number, swapped = false): NDArray {
    this.check(name);
    const right = typeof other === 'number' ? other : operandOf(name, other, this.dtype);
    const shape = typeof right === 'number' ? this.shape : broadcastShape(name, this.shape, right.shape);
    const result = allocateArray(resultDtype(op, this.dtype, right), shape);
    run(op, result, this, right, swapped);
    return result;
  }

  /** @internal The same in this memory. */
  binaryInPlace(name: string, op: BinaryOp, other: ArrayInput | number, swapped = false): this {
    this.checkWritable(name);
    const given = typeof other === 'number' ? other : operandOf(name, other, this.dtype);
    if (typeof given !== 'number') this.checkBroadcasts(name, given.shape);
    this.checkHolds(name, resultDtype(op, this.dtype, given));
    const aliased = typeof given !== 'number' && !this.isSafeSource(expand(given, this.shape));
    run(op, this, this, aliased ? given.dup() : given, swapped);
    return this;
  }

  /** @internal `f` of each element, in a new array or in this one; `toFloat`: whole numbers give float32. */
  map(name: string, f: (x: number) => number, toFloat: boolean, dup: boolean): NDArray {
    const dtype = toFloat ? floatOf(this.dtype) : this.dtype;
    if (dup) {
      this.check(name);
    } else {
      this.checkWritable(name);
      this.checkHolds(name, dtype);
    }
    const result = dup ? allocateArray(dtype, this.shape) : this;
    store(result, (out) => map(f, out, asNumbers(this, this.shape), this.shape));
    return result;
  }

  /** @internal `assign` of float results, which whole numbers cannot hold. */
  assignFloats(name: string, result: NDArray): this {
    this.checkHolds(name, result.dtype);
    return this.assign(result);
  }

  /** @internal Throws where the memory is gone. */
  check(name: string): void {
    checkExtent(this.data, this.shape, this.strides, name);
  }

  private checkWritable(name: string): void {
    this.check(name);
    if (repeatsElements(this.shape, this.strides)) {
      throw bufferError(
        name,
        'an array whose elements have memory of their own',
        `strides [${this.strides.join(', ')}]`,
      );
    }
  }

  /** Throws where a result would lose its fraction in this dtype. */
  private checkHolds(name: string, dtype: Dtype): void {
    if (isFloat(dtype) && !isFloat(this.dtype)) {
      throw dtypeError(name, `an array that holds ${dtype} results`, `one of ${this.dtype}`);
    }
  }

  private checkBroadcasts(name: string, shape: Shape): void {
    const mine = this.shape;
    const shift = mine.length - shape.length;
    const fits = shift >= 0 && shape.every((size, axis) => size === 1 || size === mine[axis + shift]);
    if (!fits) throw shapeError(name, `a shape that broadcasts to [${mine.join(', ')}]`, shape);
  }

  /** Can an operand be read while this is written? It has other memory, or each element is written after it is read. */
  private isSafeSource(operand: Layout): boolean {
    const { data } = operand;
    if (data.buffer !== this.data.buffer) return true;
    const sameStart = data.byteOffset === this.data.byteOffset && dtypeOf(data) === this.dtype;
    const { shape } = this;
    if (sameStart && shape.every((size, axis) => size <= 1 || operand.strides[axis] === this.strides[axis]))
      return true;
    const end = (layout: Layout) =>
      layout.data.byteOffset + extentOf(shape, layout.strides) * layout.data.BYTES_PER_ELEMENT;
    return end(operand) <= this.data.byteOffset || end(this) <= data.byteOffset;
  }

  private slice(name: string, axis: number, from: number, to: number | undefined): NDArray {
    this.check(name);
    const size = this.shape[axis];
    if (size === undefined) throw shapeError(name, 'an array of rank 1 or more', this);
    const end = to ?? size;
    const legal = Number.isSafeInteger(from) && Number.isSafeInteger(end) && 0 <= from && from <= end && end <= size;
    if (!legal) throw rangeError(name, `a range within 0 and ${size}`, [from, end]);
    const shape = this.shape.map((other, k) => (k === axis ? end - from : other));
    const extent = extentOf(shape, this.strides);
    const begin = extent === 0 ? 0 : from * (this.strides[axis] as number);
    return new NDArray(this.data.subarray(begin, begin + extent), shape, this.strides);
  }

  private readNewShape(shape: readonly number[]): number[] {
    const open = shape.indexOf(-1);
    const sizes = readSizes(open < 0 ? shape : shape.map((size, axis) => (axis === open ? 1 : size)), 'reshape');
    const known = product(sizes);
    if (open >= 0) sizes[open] = known === 0 ? 0 : Math.floor(this.length / known);
    if (product(sizes) !== this.length) {
      throw shapeError('reshape', `a shape of ${this.length} elements, as [${this.shape.join(', ')}]`, shape);
    }
    return sizes;
  }

  private offsetOf(name: string, index: readonly number[]): number {
    const { shape, strides } = this;
    if (index.length !== shape.length) throw shapeError(name, `${shape.length} indices, one an axis`, index);
    let offset = 0;
    for (let axis = 0; axis < shape.length; axis++) {
      const size = shape[axis] as number;
      const i = index[axis] as number;
      if (!Number.isSafeInteger(i) || i < -size || i >= size) {
        throw rangeError(name, `an index from ${-size} to ${size - 1} on axis ${axis}`, i);
      }
      offset += (i < 0 ? i + size : i) * (strides[axis] as number);
    }
    return offset;
  }

  /** A single place in row-major order as one index an axis; indices as they are. */
  private unravel(name: string, index: readonly number[]): readonly number[] {
    if (index.length !== 1 || this.rank === 1) return index;
    let rest = index[0] as number;
    const { length } = this;
    if (!Number.isSafeInteger(rest) || rest < -length || rest >= length) {
      throw rangeError(name, `a place from ${-length} to ${length - 1}`, rest);
    }
    if (rest < 0) rest += length;
    const places = new Array<number>(this.rank);
    for (let axis = this.rank - 1; axis >= 0; axis--) {
      const size = this.shape[axis] as number;
      places[axis] = rest % size;
      rest = Math.floor(rest / size);
    }
    return places;
  }

  private reduceAll(name: string, kind: Total): number {
    this.check(name);
    const strides = this.shape.map(zero);
    if (this.length === 0 && isExtreme(kind)) throw shapeError(name, 'at least one element', this);
    const [total = 0] = totalsOf(kind, this, strides, 1);
    return total;
  }

  private reduceOver(
    name: string,
    args: ReduceArguments,
    kind: Total,
    dtype: Dtype,
    finish?: (total: number, count: number) => number,
  ): NDArray {
    this.check(name);
    const { reduced, keepDims } = readReduceArguments(name, args, this.rank);
    const { shape } = this;
    const kept = shape.map((size, axis) => (reduced[axis] ? 1 : size));
    const length = product(kept);
    const count = product(shape.map((size, axis) => (reduced[axis] ? size : 1)));
    if (count === 0 && length > 0 && (isExtreme(kind) || name === 'mean')) {
      throw shapeError(name, 'at least one element along the reduced axes', this);
    }
    const strides = rowMajorStrides(kept).map((stride, axis) => (reduced[axis] ? 0 : stride));
    const totals = totalsOf(kind, this, strides, length);
    if (finish !== undefined) for (let i = 0; i < length; i++) totals[i] = finish(totals[i] as number, count);
    return new NDArray(totals, keepDims ? kept : kept.filter((_, axis) => !reduced[axis])).castTo(dtype);
  }
}

// --- Dtypes ---

type FloatDtype = 'float32' | 'float64';

function isFloat(dtype: Dtype): dtype is FloatDtype {
  return dtype === 'float32' || dtype === 'float64';
}

function floatOf(dtype: Dtype): FloatDtype {
  return dtype === 'float64' ? dtype : 'float32';
}

/** Bits of the value: a sign is one more. */
const valueBits: Readonly<Record<string, number>> = {
  int8: 7,
  uint8: 8,
  uint8c: 8,
  int16: 15,
  uint16: 16,
  int32: 31,
  uint32: 32,
  int64: 63,
  uint64: 64,
};

/** The dtype of two arrays' result. */
function promote(a: Dtype, b: Dtype): Dtype {
  if (a === b) return a;
  if (a === 'float64' || b === 'float64') return 'float64';
  if (isFloat(a) || isFloat(b)) return 'float32';
  const signed = a.startsWith('i') || b.startsWith('i');
  const bits = Math.max(valueBits[a] as number, valueBits[b] as number);
  // Nothing whole holds both uint64 and a sign.
  if (signed) return bits < 8 ? 'int8' : bits < 16 ? 'int16' : bits < 32 ? 'int32' : bits < 64 ? 'int64' : 'float64';
  return bits === 8 ? 'uint8' : bits === 16 ? 'uint16' : bits === 32 ? 'uint32' : 'uint64';
}

/** The dtype of `a op b`; of comparisons too, whose result is 0 or 1. */
function resultDtype(op: BinaryOp, a: Dtype, b: NDArray | number): Dtype {
  const compares = op === 'lt' || op === 'lte' || op === 'eq' || op === 'neq';
  const whole = typeof b !== 'number' || compares || Number.isInteger(b);
  const dtype = typeof b === 'number' ? a : promote(a, b.dtype);
  return whole && op !== 'div' && op !== 'pow' ? dtype : floatOf(dtype);
}

// --- Operands ---

function operandOf(name: string, input: ArrayInput, dtype: Dtype): NDArray {
  return NDArray.from(input, name, floatOf(dtype));
}

/** Zeros. */
export function allocateArray(dtype: Dtype, shape: Shape): NDArray {
  return new NDArray(allocateData(dtype, product(shape), 'shape'), shape);
}

function broadcastShape(name: string, a: Shape, b: Shape): number[] {
  const rank = Math.max(a.length, b.length);
  const shape = new Array<number>(rank);
  for (let axis = 0; axis < rank; axis++) {
    const m = a[axis - rank + a.length] ?? 1;
    const n = b[axis - rank + b.length] ?? 1;
    if (m !== n && m !== 1 && n !== 1) {
      throw shapeError(name, `a shape that broadcasts with [${a.join(', ')}]`, b);
    }
    shape[axis] = m === 1 ? n : m;
  }
  return shape;
}

/** An array's strides along the axes of a shape it broadcasts to: 0 where it repeats. */
function expand(array: NDArray, shape: Shape): Layout {
  const shift = shape.length - array.rank;
  const strides = shape.map((_, axis) =>
    (array.shape[axis - shift] ?? 1) === 1 ? 0 : (array.strides[axis - shift] ?? 0),
  );
  return { data: array.data, strides };
}

/** The same, as numbers: BigInts are converted, in a copy. */
function asNumbers(array: NDArray, shape: Shape): Layout<NumberData> {
  const layout = expand(array, shape);
  return isBig(layout.data) ? pack(layout, shape, 'float64') : (layout as Layout<NumberData>);
}

function pack(layout: Layout, shape: Shape, dtype: Dtype): Layout<NumberData> {
  const strides = rowMajorStrides(shape);
  const data = allocateData(dtype, product(shape), 'shape') as NumberData;
  copy(data, strides, layout.data, layout.strides, shape);
  return { data, strides };
}

/** Lets `compute` write numbers to an array, by way of a copy where it holds BigInts. */
function store(result: NDArray, compute: (out: Layout<NumberData>) => void): void {
  const { data, strides, shape } = result;
  if (!isBig(data)) {
    compute({ data, strides });
    return;
  }
  const out = { data: new Float64Array(result.length), strides: rowMajorStrides(shape) };
  compute(out);
  copy(data, strides, out.data, out.strides, shape);
}

function run(op: BinaryOp, result: NDArray, left: NDArray, right: NDArray | number, swapped: boolean): void {
  const { shape } = result;
  const a = asNumbers(left, shape);
  const b = typeof right === 'number' ? repeated(right, left.dtype, shape) : asNumbers(right, shape);
  store(result, (out) => (swapped ? combine(op, out, b, a, shape) : combine(op, out, a, b, shape)));
}

/** A number beside an array: in the array's precision, so that `x.eq(0.1)` holds where x was set to 0.1. */
function repeated(value: number, dtype: Dtype, shape: Shape): Layout<NumberData> {
  return { data: Float64Array.of(dtype === 'float32' ? Math.fround(value) : value), strides: shape.map(zero) };
}

// --- Reductions ---

function isExtreme(kind: Total): boolean {
  return kind === 'max' || kind === 'min';
}

function readReduceArguments(
  name: string,
  args: ReduceArguments,
  rank: number,
): { reduced: readonly boolean[]; keepDims: boolean } {
  const axes = [...args];
  let keepDims = false;
  const options = axes[axes.length - 1];
  if (typeof options === 'object' && options !== null) {
    axes.pop();
    for (const key of Object.keys(options)) {
      if (key !== 'keepDims') throw optionError(name, 'the option keepDims', key);
    }
    const { keepDims: value = false } = options;
    if (typeof value !== 'boolean') throw optionError(`${name}: keepDims`, 'true or false', value);
    keepDims = value;
  }
  const reduced = new Array<boolean>(rank).fill(axes.length === 0);
  for (const value of axes as number[]) {
    const axis = readAxis(value, rank, name);
    if (reduced[axis]) throw rangeError(name, 'each axis once', axes);
    reduced[axis] = true;
  }
  return { reduced, keepDims };
}

function readAxis(axis: number, rank: number, name: string): number {
  if (!Number.isSafeInteger(axis) || axis < -rank || axis >= rank) {
    throw rangeError(name, rank === 0 ? 'no axis, as rank 0 has none' : `an axis from ${-rank} to ${rank - 1}`, axis);
  }
  return axis < 0 ? axis + rank : axis;
}

type Total = 'sum' | 'sumAbs' | 'norm2' | 'max' | 'min';

/** `length` totals of an array's elements: the element at an index goes to the one that `strides` leads to. */
function totalsOf(kind: Total, array: NDArray, strides: readonly number[], length: number): Float64Array {
  const { shape } = array;
  const x = asNumbers(array, shape);
  if (kind !== 'norm2') return reduce(kind, x, shape, strides, length);
  const norms = reduce('sumSquares', x, shape, strides, length).map(Math.sqrt);
  const safe = (norm: number) => norm > 1e-140 && norm < Number.POSITIVE_INFINITY;
  if (array.dtype !== 'float64' || norms.every(safe)) return norms;
  // Squares overflowed or vanished: ||x|| = s ||x / s||, s the largest.
  const scales = reduce('maxAbs', x, shape, strides, length).map((s) => (s > 0 && s < Infinity ? s : 1));
  const scaled = { data: new Float64Array(array.length), strides: rowMajorStrides(shape) };
  combine('div', scaled, x, { data: scales, strides }, shape);
  const squares = reduce('sumSquares', scaled, shape, strides, length);
  return squares.map((square, i) => Math.sqrt(square) * (scales[i] as number));
}

// --- Products ---

function asMatrix(array: NDArray, shape: Shape): NDArray {
  return array.rank === 2 ? array : array.reshape(shape);
}

/** How a matrix product reads a matrix: by rows, or transposed; a copy where it cannot be read in place. */
function inPlace(matrix: NDArray): { matrix: NDArray; ld: number; transposed: boolean } {
  const [rows = 0, cols = 0] = matrix.shape;
  const [down = 0, across = 0] = matrix.strides;
  if ((across === 1 || cols <= 1) && (down >= cols || rows <= 1)) {
    return { matrix, ld: rows <= 1 ? Math.max(cols, 1) : down, transposed: false };
  }
  if ((down === 1 || rows <= 1) && (across >= rows || cols <= 1)) {
    return { matrix, ld: cols <= 1 ? Math.max(rows, 1) : across, transposed: true };
  }
  return { matrix: matrix.dup(), ld: cols, transposed: false };
}

/** c = a b, of matrices of one dtype; c has no gaps. */
export function multiplyInto(left: NDArray, right: NDArray, c: NDArray): void {
  const [m = 0, k = 0] = left.shape;
  const n = right.shape[1] as number;
  const out = c.data as Float32Array | Float64Array;
  if (m === 0 || k === 0 || n === 0) {
    out.fill(0, 0, c.length);
    return;
  }
  const [a, b] = [inPlace(left), inPlace(right)];
  if (gemm === undefined) {
    const rows = isContiguous(b.matrix.shape, b.matrix.strides) ? b.matrix : b.matrix.dup();
    const { data, strides } = a.matrix;
    multiply(out, { data: data as NumberData, strides }, rows.data as NumberData, m, n, k);
    return;
  }
  gemm({
    m,
    n,
    k,
    a: a.matrix.data as Float32Array,
    lda: a.ld,
    transposeA: a.transposed,
    b: b.matrix.data as Float32Array,
    ldb: b.ld,
    transposeB: b.transposed,
    c: out,
    ldc: n,
  });
}

// --- Shapes ---

function zero(): number {
  return 0;
}

function product(sizes: readonly number[]): number {
  let length = 1;
  for (const size of sizes) length *= size;
  return length;
}

/** The strides of a view in another shape of as many elements; undefined where only a copy has it. */
function reshapedStrides(array: NDArray, shape: readonly number[]): number[] | undefined {
  if (array.length === 0 || isContiguous(array.shape, array.strides)) return rowMajorStrides(shape);
  const sizes: number[] = [];
  const steps: number[] = [];
  array.shape.forEach((size, axis) => {
    if (size === 1) return;
    sizes.push(size);
    steps.push(array.strides[axis] as number);
  });
  // Groups of old and new axes with the same number of elements; the old ones must step as one.
  const strides = new Array<number>(shape.length).fill(1);
  let old = 0;
  let axis = 0;
  while (axis < shape.length && old < sizes.length) {
    let oldEnd = old + 1;
    let newEnd = axis + 1;
    let oldLength = sizes[old] as number;
    let newLength = shape[axis] as number;
    while (oldLength !== newLength) {
      if (newLength < oldLength) newLength *= shape[newEnd++] as number;
      else oldLength *= sizes[oldEnd++] as number;
    }
    for (let k = old; k < oldEnd - 1; k++) {
      if (steps[k] !== (sizes[k + 1] as number) * (steps[k + 1] as number)) return undefined;
    }
    let stride = steps[oldEnd - 1] as number;
    for (let k = newEnd - 1; k >= axis; k--) {
      strides[k] = stride;
      stride *= shape[k] as number;
    }
    old = oldEnd;
    axis = newEnd;
  }
  return strides;
}

// --- Text ---

function nest(array: NDArray, axis: number, offset: number): unknown {
  if (axis === array.rank) return Number(array.data[offset]);
  const stride = array.strides[axis] as number;
  const list = new Array<unknown>(array.shape[axis] as number);
  for (let i = 0; i < list.length; i++) list[i] = nest(array, axis + 1, offset + i * stride);
  return list;
}

const EDGE = 3;

function print(array: NDArray, axis: number, offset: number, short: boolean): string {
  if (axis === array.rank) return printElement(array.data[offset], array.dtype);
  const size = array.size(axis);
  const stride = array.strides[axis] as number;
  const items: string[] = [];
  for (let i = 0; i < size; i++) {
    if (short && size > 2 * EDGE && i === EDGE) {
      items.push('...');
      i = size - EDGE;
    }
    items.push(print(array, axis + 1, offset + i * stride, short));
  }
  return `[${items.join(axis === array.rank - 1 ? ', ' : `,\n${' '.repeat(axis + 1)}`)}]`;
}

/** As many digits as tell the element from its neighbours in its dtype. */
function printElement(value: number | bigint | undefined, dtype: Dtype): string {
  if (Object.is(value, -0)) return '-0';
  if (typeof value !== 'number' || dtype !== 'float32') return String(value);
  let digits = 6;
  while (digits < 9 && Math.fround(Number(value.toPrecision(digits))) !== value) digits++;
  return String(Number(value.toPrecision(digits)));
}
