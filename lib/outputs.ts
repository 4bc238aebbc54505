// SPDX-License-Identifier: Apache-2.0
// Results: fresh arrays, or the caller's `out`, checked before anything is computed.
import {
  bufferOf,
  type Dtype,
  isSameShape,
  type MatrixView,
  makeMatrix,
  repeatsElements,
  toMatrix,
  toView,
  type View,
} from './array-input';
import { bufferError, describe, dtypeError, optionError, shapeError } from './errors';
import { NDArray } from './ndarray/ndarray';

/** The dtypes that are computed in. */
export type FloatDtype = 'float32' | 'float64';

/** A result to be filled: rows of `cols` elements, `rowStride` apart. */
export interface Output {
  readonly data: Float32Array | Float64Array;
  readonly rowStride: number;
  /** What the caller gets back. */
  readonly array: NDArray;
}

/** A fresh array of zeros. */
export function allocate(dtype: FloatDtype, shape: readonly number[], rows: number, cols: number): Output {
  try {
    const data = dtype === 'float32' ? new Float32Array(rows * cols) : new Float64Array(rows * cols);
    return { data, rowStride: cols, array: new NDArray(data, shape) };
  } catch {
    throw shapeError('result', 'a size that there is memory for', shape);
  }
}

/** Narrows to the dtypes that are computed in. */
export function asFloat(dtype: Dtype, name: string): FloatDtype {
  if (dtype !== 'float32' && dtype !== 'float64') throw dtypeError(name, 'float32 or float64', dtype);
  return dtype;
}

/** Reads `out` from call options, whose only name it is. */
export function outOf(options: unknown): unknown {
  if (options === undefined || options === null) return undefined;
  if (typeof options !== 'object') throw optionError('options', 'an object', options);
  let out: unknown;
  for (const key of Object.keys(options)) {
    if (key !== 'out') throw optionError('options', 'the name out', key);
    out = (options as Record<string, unknown>)[key];
  }
  return out;
}

/**
 * The output of a call: the caller's `out` where given. It may be `inPlace` exactly; any other overlap with an input
 * is an error.
 */
export function outputFor(
  out: unknown,
  dtype: FloatDtype,
  shape: readonly number[],
  rows: number,
  cols: number,
  inputs: readonly (MatrixView | undefined)[],
  inPlace?: MatrixView,
  name = 'out',
  inPlaceName = 'preOutput',
): Output {
  if (out === undefined || out === null) return allocate(dtype, shape, rows, cols);
  const view = toView(out, name, dtype);
  if (Array.isArray(out)) throw dtypeError(name, 'an NDArray or a typed array', 'an array of numbers');
  if (view.dtype !== dtype) throw dtypeError(name, dtype, view.dtype);
  let output: MatrixView;
  if (ArrayBuffer.isView(out)) {
    const { length } = view.data;
    if (length !== rows * cols) {
      throw (length < rows * cols ? bufferError : shapeError)(name, `${rows * cols} elements`, length);
    }
    output = makeMatrix(view.data, rows, cols, cols, dtype);
  } else {
    if (!isSameShape(view.shape, shape)) throw shapeError(name, `shape ${describe(shape)}`, view.shape);
    checkWritable(view, name);
    output = toMatrix(view);
    if (output.copied) {
      throw bufferError(name, 'contiguous rows a fixed stride apart', `strides ${describe(view.strides)}`);
    }
  }
  for (const input of inputs) {
    if (input === undefined || !overlaps(output, input)) continue;
    const same = input === inPlace && !input.copied && isSame(output, input);
    if (same) continue;
    const places = `memory of its own${inPlace === undefined ? '' : `, or ${inPlaceName} exactly`}`;
    throw bufferError(name, places, 'memory that overlaps an input');
  }
  const data = output.data as Float32Array | Float64Array;
  const array = NDArray.isMade(out)
    ? out
    : new NDArray(data, shape, ArrayBuffer.isView(out) ? undefined : view.strides);
  return { data, rowStride: output.rowStride, array };
}

/** As outputFor, one of several outputs of a call by its name in `outs`. */
export type NamedOutput<Name extends string> = (
  name: Name,
  shape: readonly number[],
  rows: number,
  cols: number,
) => Output;

/** For a call with several outputs: each has memory of its own, apart from the inputs' and the others'. */
export function namedOutputs<Name extends string>(
  outs: Readonly<Record<string, unknown>>,
  dtype: FloatDtype,
  inputs: readonly (MatrixView | undefined)[],
): NamedOutput<Name> {
  const taken = [...inputs];
  return (name, shape, rows, cols) => {
    const output = outputFor(outs[name], dtype, shape, rows, cols, taken, undefined, `out.${name}`);
    taken.push(makeMatrix(output.data, rows, cols, output.rowStride, dtype));
    return output;
  };
}

/** An output vector `[length]`, without gaps. */
export function vectorOutput<Name extends string>(output: NamedOutput<Name>, name: Name, length: number): Output {
  const made = output(name, [length], length, 1);
  if (made.rowStride !== 1) throw bufferError(`out.${name}`, 'contiguous elements', `stride ${made.rowStride}`);
  return made;
}

/** A view that repeats elements can be read, but not written. */
export function checkWritable(view: View, name: string): void {
  if (!repeatsElements(view.shape, view.strides)) return;
  throw bufferError(name, 'elements with memory of their own', `strides ${describe(view.strides)}`);
}

function isSame(a: MatrixView, b: MatrixView): boolean {
  return (
    bufferOf(a) === bufferOf(b) &&
    a.data.byteOffset === b.data.byteOffset &&
    a.dtype === b.dtype &&
    (a.rowStride === b.rowStride || a.rows <= 1)
  );
}

/** Do two matrices share an element's memory? Interleaved columns of one wider array do not. */
export function overlaps(a: MatrixView, b: MatrixView): boolean {
  if (bufferOf(a) !== bufferOf(b) || a.rows * a.cols === 0 || b.rows * b.cols === 0) return false;
  const aBegin = a.data.byteOffset;
  const bBegin = b.data.byteOffset;
  const aSize = a.data.BYTES_PER_ELEMENT;
  const bSize = b.data.BYTES_PER_ELEMENT;
  const aEnd = aBegin + ((a.rows - 1) * a.rowStride + a.cols) * aSize;
  const bEnd = bBegin + ((b.rows - 1) * b.rowStride + b.cols) * bSize;
  if (aEnd <= bBegin || bEnd <= aBegin) return false;
  const stride = a.rowStride * aSize;
  if (stride !== b.rowStride * bSize || stride === 0) return true;
  // The columns as intervals of one period: they meet directly or across the period's end.
  const distance = (((bBegin - aBegin) % stride) + stride) % stride;
  return distance < a.cols * aSize || distance + b.cols * bSize > stride;
}
