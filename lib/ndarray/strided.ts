// SPDX-License-Identifier: Apache-2.0
// Loops over strided memory: copies, elementwise operations and reductions. Plain data in, no checks.
import type { TypedArray } from '../array-input';

/** Memory whose elements are numbers: all but the BigInt arrays. */
export type NumberData = Exclude<TypedArray, BigInt64Array | BigUint64Array>;

/** Elements of a shape that goes along with it. */
export interface Layout<T extends TypedArray = TypedArray> {
  readonly data: T;
  readonly strides: readonly number[];
}

/** Is this the memory of int64 or uint64? */
export function isBig(data: TypedArray): data is BigInt64Array | BigUint64Array {
  return typeof data[0] === 'bigint'; // an empty one has nothing to convert
}

/** The nearest bigint that a conversion to an integer array would give: truncated, NaN and infinities 0. */
export function toBigInt(value: number): bigint {
  return Number.isFinite(value) ? BigInt(Math.trunc(value)) : 0n;
}

// --- Walking several operands together ---

/**
 * Steps through operands of one shape together, a run along the innermost axis at a time. Axes of size 1 are dropped,
 * and neighbours joined that every operand steps through as one.
 *
 *     const walk = new Walk(shape, [a.strides, b.strides]);
 *     while (walk.next()) ... // walk.n elements from walk.starts[k] on, walk.steps[k] apart, of operand k
 */
class Walk {
  /** The length of a run. */
  readonly n: number;
  /** Where each operand's run begins. */
  readonly starts: number[];
  /** Each operand's step along the run. */
  readonly steps: number[];
  private readonly sizes: number[] = [];
  private readonly strides: number[][];
  private readonly index: number[];
  private begun = false;
  private readonly empty: boolean;

  constructor(shape: readonly number[], operands: readonly (readonly number[])[]) {
    const { sizes } = this;
    this.strides = operands.map((): number[] => []);
    for (let axis = 0; axis < shape.length; axis++) {
      const size = shape[axis] as number;
      if (size === 1) continue;
      if (this.joins(operands, axis, size)) sizes[sizes.length - 1] = (sizes[sizes.length - 1] as number) * size;
      else sizes.push(size);
      for (let k = 0; k < operands.length; k++) {
        (this.strides[k] as number[])[sizes.length - 1] = operands[k]?.[axis] as number;
      }
    }
    const last = sizes.length - 1;
    this.n = sizes[last] ?? 1;
    this.steps = this.strides.map((list) => list[last] ?? 0);
    this.starts = operands.map(() => 0);
    this.index = new Array<number>(Math.max(last, 0)).fill(0);
    this.empty = sizes.includes(0);
  }

  /** Goes to the next run, at first to the first one; false when there is none. */
  next(): boolean {
    if (!this.begun) {
      this.begun = true;
      return !this.empty;
    }
    const { index, sizes, starts, strides } = this;
    for (let axis = index.length - 1; axis >= 0; axis--) {
      const size = sizes[axis] as number;
      const at = (index[axis] as number) + 1;
      const wraps = at === size;
      index[axis] = wraps ? 0 : at;
      for (let k = 0; k < starts.length; k++) {
        const stride = (strides[k] as number[])[axis] as number;
        starts[k] = (starts[k] as number) + (wraps ? stride - stride * size : stride);
      }
      if (!wraps) return true;
    }
    return false;
  }

  /** Does each operand step through the last axis so far and the next one as through one? */
  private joins(operands: readonly (readonly number[])[], axis: number, size: number): boolean {
    const last = this.sizes.length - 1;
    if (last < 0) return false;
    for (let k = 0; k < operands.length; k++) {
      if ((this.strides[k] as number[])[last] !== (operands[k]?.[axis] as number) * size) return false;
    }
    return true;
  }
}

// --- Copies ---

// From here on typed arrays copy faster than a loop does, for all that a subarray costs.
const LONG_RUN = 64;

/** Copies elements of one layout to another, converting as typed arrays do. BigInt to BigInt is exact. */
export function copy(
  to: TypedArray,
  toStrides: readonly number[],
  from: TypedArray,
  fromStrides: readonly number[],
  shape: readonly number[],
): void {
  const walk = new Walk(shape, [toStrides, fromStrides]);
  const { n, starts } = walk;
  const so = walk.steps[0] as number;
  const si = walk.steps[1] as number;
  const toBig = isBig(to);
  const fromBig = isBig(from);
  const unit = so === 1 && si === 1 && toBig === fromBig && n >= LONG_RUN;
  // BigInt to BigInt is the same loop.
  const out = to as NumberData;
  const source = from as NumberData;
  while (walk.next()) {
    let o = starts[0] as number;
    let i = starts[1] as number;
    if (unit) out.set(source.subarray(i, i + n), o);
    else if (toBig === fromBig) for (let k = 0; k < n; k++, o += so, i += si) out[o] = source[i] as number;
    else if (toBig) for (let k = 0; k < n; k++, o += so, i += si) to[o] = toBigInt(source[i] as number);
    else for (let k = 0; k < n; k++, o += so, i += si) out[o] = Number(from[i]);
  }
}

// --- Elementwise ---

/** Operations of two operands; the reversed ones are these with the operands swapped. */
export type BinaryOp = 'add' | 'sub' | 'mul' | 'div' | 'max' | 'min' | 'pow' | 'lt' | 'lte' | 'eq' | 'neq';

/**
 * out = a op b, elementwise. `out` may be `a` or `b` in the very same layout.
 * One loop for each operation: a loop that calls back is several times as slow.
 */
export function combine(
  op: BinaryOp,
  out: Layout<NumberData>,
  a: Layout<NumberData>,
  b: Layout<NumberData>,
  shape: readonly number[],
): void {
  const walk = new Walk(shape, [out.strides, a.strides, b.strides]);
  const { n, starts } = walk;
  const so = walk.steps[0] as number;
  const sa = walk.steps[1] as number;
  const sb = walk.steps[2] as number;
  const r = out.data;
  const x = a.data;
  const y = b.data;
  while (walk.next()) {
    let o = starts[0] as number;
    let i = starts[1] as number;
    let j = starts[2] as number;
    let k = n;
    switch (op) {
      case 'add':
        for (; k > 0; k--, o += so, i += sa, j += sb) r[o] = (x[i] as number) + (y[j] as number);
        break;
      case 'sub':
        for (; k > 0; k--, o += so, i += sa, j += sb) r[o] = (x[i] as number) - (y[j] as number);
        break;
      case 'mul':
        for (; k > 0; k--, o += so, i += sa, j += sb) r[o] = (x[i] as number) * (y[j] as number);
        break;
      case 'div':
        for (; k > 0; k--, o += so, i += sa, j += sb) r[o] = (x[i] as number) / (y[j] as number);
        break;
      case 'max':
        for (; k > 0; k--, o += so, i += sa, j += sb) r[o] = Math.max(x[i] as number, y[j] as number);
        break;
      case 'min':
        for (; k > 0; k--, o += so, i += sa, j += sb) r[o] = Math.min(x[i] as number, y[j] as number);
        break;
      case 'pow':
        for (; k > 0; k--, o += so, i += sa, j += sb) r[o] = (x[i] as number) ** (y[j] as number);
        break;
      case 'lt':
        for (; k > 0; k--, o += so, i += sa, j += sb) r[o] = (x[i] as number) < (y[j] as number) ? 1 : 0;
        break;
      case 'lte':
        for (; k > 0; k--, o += so, i += sa, j += sb) r[o] = (x[i] as number) <= (y[j] as number) ? 1 : 0;
        break;
      case 'eq':
        for (; k > 0; k--, o += so, i += sa, j += sb) r[o] = x[i] === y[j] ? 1 : 0;
        break;
      case 'neq':
        for (; k > 0; k--, o += so, i += sa, j += sb) r[o] = x[i] !== y[j] ? 1 : 0;
        break;
    }
  }
}

/** out = f(a), elementwise. `out` may be `a` in the very same layout. */
export function map(
  f: (x: number) => number,
  out: Layout<NumberData>,
  a: Layout<NumberData>,
  shape: readonly number[],
): void {
  const walk = new Walk(shape, [out.strides, a.strides]);
  const { n, starts } = walk;
  const so = walk.steps[0] as number;
  const sa = walk.steps[1] as number;
  const r = out.data;
  const x = a.data;
  while (walk.next()) {
    let o = starts[0] as number;
    let i = starts[1] as number;
    for (let k = n; k > 0; k--, o += so, i += sa) r[o] = f(x[i] as number);
  }
}

// --- Reductions ---

/** What is gathered: sums of x, |x| or x^2 (all in double), or an extreme (NaN if there is one). */
export type Reduction = 'sum' | 'sumAbs' | 'sumSquares' | 'max' | 'min' | 'maxAbs';

// Terms added up plainly, before the block's sum goes to the compensated total: 64 roundings at most.
const BLOCK = 64;

/**
 * Reduces `a` into `length` totals, of which the element at an index goes to the one `totalStrides` leads to: 0 along
 * reduced axes. Sums are compensated (Neumaier), so that their error does not grow with the number of terms.
 */
export function reduce(
  kind: Reduction,
  a: Layout<NumberData>,
  shape: readonly number[],
  totalStrides: readonly number[],
  length: number,
): Float64Array {
  const extreme = kind === 'max' || kind === 'min' || kind === 'maxAbs';
  const totals = new Float64Array(length);
  if (kind === 'max' || kind === 'min') totals.fill(kind === 'max' ? -Infinity : Infinity);
  const errors = new Float64Array(extreme ? 0 : length);
  const walk = new Walk(shape, [totalStrides, a.strides]);
  const { n, starts } = walk;
  const st = walk.steps[0] as number;
  const sa = walk.steps[1] as number;
  const x = a.data;
  while (walk.next()) {
    let t = starts[0] as number;
    let i = starts[1] as number;
    if (extreme) {
      for (let k = n; k > 0; k--, t += st, i += sa) totals[t] = furthest(kind, totals[t] as number, x[i] as number);
    } else if (st !== 0) {
      for (let k = n; k > 0; k--, t += st, i += sa) addTo(totals, errors, t, termOf(kind, x[i] as number));
    } else {
      for (let rest = n; rest > 0; rest -= BLOCK, i += BLOCK * sa) {
        addTo(totals, errors, t, sumOf(kind, x, i, sa, Math.min(rest, BLOCK)));
      }
    }
  }
  for (let at = 0; at < errors.length; at++) {
    // Of an infinite total the lost part is NaN.
    const error = errors[at] as number;
    if (!Number.isNaN(error)) totals[at] = (totals[at] as number) + error;
  }
  return totals;
}

/** The plain sum of a run: a function of its own, which engines compile better than a loop within loops. */
function sumOf(kind: Reduction, x: NumberData, start: number, step: number, n: number): number {
  let sum = 0;
  let i = start;
  for (let k = n; k > 0; k--, i += step) sum += termOf(kind, x[i] as number);
  return sum;
}

/** Adds a term to a total, and what the sum's rounding loses to the total's error. */
function addTo(totals: Float64Array, errors: Float64Array, at: number, term: number): void {
  const total = totals[at] as number;
  const sum = total + term;
  const lost = Math.abs(total) >= Math.abs(term) ? total - sum + term : term - sum + total;
  totals[at] = sum;
  errors[at] = (errors[at] as number) + lost;
}

function termOf(kind: Reduction, x: number): number {
  return kind === 'sum' ? x : kind === 'sumAbs' ? Math.abs(x) : x * x;
}

function furthest(kind: Reduction, total: number, x: number): number {
  if (kind === 'max') return Math.max(total, x);
  return kind === 'min' ? Math.min(total, x) : Math.max(total, Math.abs(x));
}

// --- Products ---

/**
 * C[m, n] = A[m, k] B[k, n], the terms of an element added up in double. B has contiguous rows, so that the inner loop
 * runs along them.
 */
export function multiply(
  c: Float32Array | Float64Array,
  a: Layout<NumberData>,
  b: NumberData,
  m: number,
  n: number,
  k: number,
): void {
  const [rowStride = 0, colStride = 0] = a.strides;
  const sums = new Float64Array(n);
  for (let i = 0; i < m; i++) {
    sums.fill(0);
    for (let p = 0; p < k; p++) {
      const factor = a.data[i * rowStride + p * colStride] as number;
      const row = p * n;
      for (let j = 0; j < n; j++) sums[j] = (sums[j] as number) + factor * (b[row + j] as number);
    }
    c.set(sums, i * n);
  }
}
