// SPDX-License-Identifier: Apache-2.0
import vm from 'node:vm';
import { type Dtype, extentOf, repeatsElements, type TypedArray, toMatrix, toView } from '../lib/array-input';
import { NDArray } from '../lib/ndarray/ndarray';
import { type Expected, errBuffer, errDtype, errShape, expectError } from './support/errors';

const view = (input: unknown, numbersAs: 'float32' | 'float64' = 'float32') => toView(input, 'x', numbersAs);

/** An array over a buffer that was transferred away. */
function detached(): Float32Array {
  const data = new Float32Array(6);
  structuredClone(data.buffer, { transfer: [data.buffer] });
  return data;
}

/** An array of `length` over a resizable buffer cut down to 8 bytes; without a length it follows the buffer. */
function shrunk(length?: number): Float32Array {
  const Resizable = ArrayBuffer as unknown as new (
    size: number,
    options: object,
  ) => ArrayBuffer & { resize(size: number): void };
  const buffer = new Resizable(32, { maxByteLength: 32 });
  const data = new Float32Array(buffer, 0, length);
  buffer.resize(8);
  return data;
}

const nested = (depth: number): unknown => (depth === 0 ? 1 : [nested(depth - 1)]);
const six = () => new Float32Array(6);
const cycle: unknown[] = [];
cycle.push(cycle);

const dtypes: readonly { readonly dtype: Dtype; readonly data: TypedArray }[] = [
  { dtype: 'float32', data: Float32Array.of(0, 1) },
  { dtype: 'float64', data: Float64Array.of(0, 1) },
  { dtype: 'int8', data: Int8Array.of(0, 1) },
  { dtype: 'uint8', data: Uint8Array.of(0, 1) },
  { dtype: 'uint8c', data: Uint8ClampedArray.of(0, 1) },
  { dtype: 'int16', data: Int16Array.of(0, 1) },
  { dtype: 'uint16', data: Uint16Array.of(0, 1) },
  { dtype: 'int32', data: Int32Array.of(0, 1) },
  { dtype: 'uint32', data: Uint32Array.of(0, 1) },
  { dtype: 'int64', data: BigInt64Array.of(0n, 1n) },
  { dtype: 'uint64', data: BigUint64Array.of(0n, 1n) },
];

describe('toView', () => {
  const bad: readonly { readonly title: string; readonly input: unknown; readonly expected: Expected }[] = [
    // No arrays.
    { title: 'undefined', input: undefined, expected: errDtype('x: expected an array', 'got undefined') },
    { title: 'null', input: null, expected: errDtype('got null') },
    { title: 'a number', input: 5, expected: errDtype('got 5') },
    { title: 'a text', input: '5', expected: errDtype('got "5"') },
    { title: 'a function', input: () => [1], expected: errDtype('a function') },
    { title: 'an object without data', input: { shape: [2] }, expected: errDtype('data and shape') },
    { title: 'a DataView', input: new DataView(new ArrayBuffer(8)), expected: errDtype('a DataView') },
    { title: 'an ArrayBuffer', input: new ArrayBuffer(8), expected: errDtype('an ArrayBuffer') },
    { title: 'numbers as data', input: { data: [1, 2], shape: [2] }, expected: errDtype('typed array', '[1, 2]') },
    { title: 'a buffer as data', input: { data: new ArrayBuffer(8), shape: [2] }, expected: errDtype('typed array') },
    {
      title: 'a proxy of a typed array as data',
      input: { data: new Proxy(six(), {}), shape: [6] },
      expected: errDtype('typed array'),
    },
    {
      title: 'half floats as whole numbers',
      input: { data: new Uint16Array(2), dims: [2], type: 'float16' },
      expected: errDtype('float16'),
    },
    // Shapes that cannot be.
    { title: 'no shape', input: { data: six() }, expected: errShape('a shape', 'undefined') },
    { title: 'a number as shape', input: { data: six(), shape: 6 }, expected: errShape('a shape', '6') },
    { title: 'a text as shape', input: { data: six(), shape: '6' }, expected: errShape('a shape', '"6"') },
    { title: 'a negative size', input: { data: six(), shape: [2, -3] }, expected: errShape('[2, -3]') },
    { title: 'a fractional size', input: { data: six(), shape: [2, 2.5] }, expected: errShape('[2, 2.5]') },
    { title: 'a size of NaN', input: { data: six(), shape: [Number.NaN] }, expected: errShape('[NaN]') },
    { title: 'an infinite size', input: { data: six(), shape: [Infinity] }, expected: errShape('[Infinity]') },
    { title: 'a size as text', input: { data: six(), shape: ['6'] }, expected: errShape('["6"]') },
    { title: 'a size as bigint', input: { data: six(), shape: [6n] }, expected: errShape('[6n]') },
    { title: 'a hole', input: { data: six(), shape: new Array(1) }, expected: errShape('[undefined]') },
    { title: 'a size of 2^53', input: { data: six(), shape: [2 ** 53] }, expected: errShape('9007199254740992') },
    { title: 'a product of 2^60', input: { data: six(), shape: [2 ** 30, 2 ** 30] }, expected: errShape('2^53') },
    {
      title: 'such a product beside a zero',
      input: { data: six(), shape: [2 ** 30, 2 ** 30, 0] },
      expected: errShape('2^53'),
    },
    { title: 'a product of 2^53', input: { data: six(), shape: [2, 2 ** 52] }, expected: errShape('2^53') },
    {
      title: '33 axes',
      input: { data: six(), shape: new Array(33).fill(1) },
      expected: errShape('32 axes', '33 axes'),
    },
    // Strides that cannot be.
    {
      title: 'strides for other axes',
      input: { data: six(), shape: [6], strides: [1, 1] },
      expected: errShape('1 strides'),
    },
    { title: 'a negative stride', input: { data: six(), shape: [6], strides: [-1] }, expected: errShape('[-1]') },
    { title: 'a fractional stride', input: { data: six(), shape: [2], strides: [1.5] }, expected: errShape('[1.5]') },
    {
      title: 'a stride of NaN',
      input: { data: six(), shape: [2], strides: [Number.NaN] },
      expected: errShape('[NaN]'),
    },
    { title: 'strides that are none', input: { data: six(), shape: [2], strides: 1 }, expected: errShape('strides') },
    { title: 'a fractional offset', input: { data: six(), shape: [2], offset: 0.5 }, expected: errShape('offset') },
    { title: 'a negative offset', input: { data: six(), shape: [2], offset: -1 }, expected: errShape('offset') },
    // Memory that is not there.
    {
      title: 'short data',
      input: { data: six(), shape: [7] },
      expected: errBuffer('7 elements for shape [7]', 'got 6'),
    },
    { title: 'no data', input: { data: new Float32Array(0), shape: [] }, expected: errBuffer('1 elements') },
    { title: 'far strides', input: { data: six(), shape: [2, 2], strides: [5, 1] }, expected: errBuffer('at least 7') },
    {
      title: 'strides beyond every number',
      input: { data: six(), shape: [3, 3], strides: [2 ** 53 - 1, 2 ** 53 - 1] },
      expected: errBuffer('got 6'),
    },
    { title: 'an offset beyond', input: { data: six(), shape: [0], offset: 7 }, expected: errBuffer('7', '6') },
    { title: 'an offset too far', input: { data: six(), shape: [3], offset: 4 }, expected: errBuffer('3', '2') },
    { title: 'a detached array', input: detached(), expected: errBuffer('detached') },
    { title: 'detached data', input: { data: detached(), shape: [6] }, expected: errBuffer('detached') },
    { title: 'detached data of no elements', input: { data: detached(), shape: [0] }, expected: errBuffer('detached') },
    { title: 'a detached row', input: [detached()], expected: errBuffer('detached') },
    { title: 'an array cut off', input: shrunk(6), expected: errBuffer('shrunk') },
    { title: 'data cut short', input: { data: shrunk(), shape: [6] }, expected: errBuffer('6', '2') },
    // Nested numbers.
    { title: 'texts', input: ['1', '2'], expected: errDtype('numbers', '"1"') },
    { title: 'a text at last', input: [1, '2'], expected: errDtype('numbers', '"2"') },
    { title: 'booleans', input: [true], expected: errDtype('numbers', 'true') },
    { title: 'bigints', input: [1n], expected: errDtype('numbers', '1n') },
    { title: 'holes', input: new Array(3), expected: errDtype('numbers', 'undefined') },
    { title: 'billions of holes', input: new Array(2 ** 32 - 1), expected: errDtype('numbers', 'undefined') },
    { title: 'null among rows', input: [[1], null], expected: errDtype('got null') },
    { title: 'ragged rows', input: [[1, 2], [3]], expected: errShape('rows of 2 elements', 'a row of 1') },
    { title: 'ragged planes', input: [[[1], [2]], [[3]]], expected: errShape('rows of 2', 'a row of 1') },
    { title: 'a row after no elements', input: [[], [1]], expected: errShape('rows of 0', 'a row of 1') },
    { title: 'a row among numbers', input: [1, [2]], expected: errShape('equal depth') },
    { title: 'a number among rows', input: [[1], 2], expected: errShape('nested 2 deep', 'got 2') },
    {
      title: 'ragged typed rows',
      input: [Float32Array.of(1, 2), Float32Array.of(3)],
      expected: errShape('a row of 1'),
    },
    { title: 'a typed row too deep', input: [[1], [Float32Array.of(1)]], expected: errShape('equal depth') },
    { title: 'a typed plane too high', input: [[[1]], Float32Array.of(1)], expected: errShape('nested 3 deep') },
    { title: 'an array of itself', input: cycle, expected: errShape('at most 8 deep') },
    { title: 'nine levels', input: nested(9), expected: errShape('at most 8 deep') },
  ];
  test.each(bad)('rejects $title', ({ input, expected }) => {
    expectError(() => view(input), expected);
  });

  test.each(['data', 'shape', 'strides', 'offset'])('passes on what the getter of %s throws', (name) => {
    const thrown = new Error('mine');
    const input = { data: six(), shape: [6] };
    Object.defineProperty(input, name, {
      get() {
        throw thrown;
      },
    });
    expect(() => view(input)).toThrow(thrown);
  });

  test('passes on what a proxy throws', () => {
    const thrown = new Error('mine');
    const get = () => {
      throw thrown;
    };
    expect(() => view(new Proxy([], { get }))).toThrow(thrown);
    expect(() => view(new Proxy({}, { get }))).toThrow(thrown);
    expect(() => view({ data: six(), shape: new Proxy([6], { get }) })).toThrow(thrown);
  });

  test('reads each property once, in a fixed order', () => {
    const read: (string | symbol)[] = [];
    const input = new Proxy({ data: six(), dims: [2, 3] } as object, {
      get(target, name) {
        read.push(name);
        return Reflect.get(target, name);
      },
    });
    expect(view(input).shape).toEqual([2, 3]);
    expect(read).toEqual(['data', 'shape', 'dims', 'strides', 'stride', 'offset']);
  });

  test('reads each size and each number once', () => {
    let size = 1;
    const shape = Object.defineProperty([0], 0, { get: () => size++ });
    expect(view({ data: six(), shape }).shape).toEqual([1]);
    let value = 1;
    const numbers = Object.defineProperty([0, 5], 0, { get: () => value++ });
    expect(Array.from(view([numbers]).data as Float32Array)).toEqual([1, 5]);
    expect([size, value]).toEqual([2, 2]);
  });

  test('keeps the shape it checked', () => {
    const shape = [2, 3];
    const { shape: kept, strides } = view({ data: six(), shape });
    shape[0] = 1e6;
    expect([kept, strides]).toEqual([
      [2, 3],
      [3, 1],
    ]);
  });

  test.each(dtypes)('takes $dtype as it is', ({ dtype, data }) => {
    expect(view(data)).toEqual({ data, shape: [2], strides: [1], dtype });
    expect(view(data).data).toBe(data);
    const input = { data, shape: [1, 2] };
    expect(view(input)).toEqual({ data, shape: [1, 2], strides: [2, 1], dtype });
    expect(view(input).data).toBe(data);
  });

  test.each(dtypes)('takes $dtype of another realm', ({ dtype, data }) => {
    const name = Object.prototype.toString.call(data).slice(8, -1);
    const foreign = vm.runInNewContext(`new ${name}(3)`) as TypedArray;
    expect(foreign).not.toBeInstanceOf(Object.getPrototypeOf(data).constructor);
    expect(view(foreign)).toMatchObject({ shape: [3], dtype });
    expect(view(foreign).data).toBe(foreign);
  });

  test('takes arrays of numbers of another realm', () => {
    const foreign = vm.runInNewContext('[[1, 2], [3, 4]]');
    expect(view(foreign)).toMatchObject({ data: Float32Array.of(1, 2, 3, 4), shape: [2, 2] });
  });

  test('sees through a name that lies', () => {
    const data = Float64Array.of(1, 2);
    Object.defineProperty(data, Symbol.toStringTag, { value: 'Float32Array' });
    expect(view(data).dtype).toBe('float64');
    expectError(() => view({ [Symbol.toStringTag]: 'Float32Array', length: 2 }), errDtype('data and shape'));
  });

  test('takes an NDArray as it is', () => {
    const array = new NDArray(six(), [2, 2], [3, 1]);
    const { data, shape, strides, dtype } = view(array);
    expect(data).toBe(array.data);
    expect({ shape, strides, dtype }).toEqual({ shape: [2, 2], strides: [3, 1], dtype: 'float32' });
  });

  const objects: readonly {
    readonly title: string;
    readonly input: object;
    readonly shape: readonly number[];
    readonly strides: readonly number[];
  }[] = [
    { title: 'dims', input: { data: six(), dims: [2, 3] }, shape: [2, 3], strides: [3, 1] },
    { title: 'shape before dims', input: { data: six(), shape: [6], dims: [2, 3] }, shape: [6], strides: [1] },
    { title: 'no axes', input: { data: six(), shape: [] }, shape: [], strides: [] },
    { title: 'no rows', input: { data: new Float32Array(0), shape: [0, 3] }, shape: [0, 3], strides: [3, 1] },
    { title: 'minus zero', input: { data: six(), shape: [-0], strides: [-0] }, shape: [0], strides: [0] },
    { title: 'typed sizes', input: { data: six(), shape: Int32Array.of(3, 2) }, shape: [3, 2], strides: [2, 1] },
    { title: 'more data than shape', input: { data: six(), shape: [2, 2] }, shape: [2, 2], strides: [2, 1] },
    { title: 'strides', input: { data: six(), shape: [2, 2], strides: [3, 1] }, shape: [2, 2], strides: [3, 1] },
    { title: 'no strides', input: { data: six(), shape: [2], strides: undefined }, shape: [2], strides: [1] },
    { title: 'strides of 0', input: { data: six(), shape: [9, 6], strides: [0, 1] }, shape: [9, 6], strides: [0, 1] },
    {
      title: "scijs's stride",
      input: { data: six(), shape: [3, 2], stride: [1, 3], offset: 0 },
      shape: [3, 2],
      strides: [1, 3],
    },
    {
      title: 'a stride that is none',
      input: { data: six(), shape: [3, 2], stride: 2 },
      shape: [3, 2],
      strides: [2, 1],
    },
  ];
  test.each(objects)('takes an object with $title', ({ input, shape, strides }) => {
    expect(view(input)).toMatchObject({ shape, strides });
    for (const size of [...view(input).shape, ...view(input).strides]) expect(Object.is(size, -0)).toBe(false);
  });

  test('begins at an offset', () => {
    const data = Float32Array.of(0, 1, 2, 3, 4, 5);
    const { data: rest } = view({ data, shape: [2], offset: 3 });
    expect(rest[0]).toBe(3);
    expect(rest.buffer).toBe(data.buffer);
  });

  test('a whole view of an array cut short is what is left', () => {
    expect(view(shrunk()).shape).toEqual([2]);
  });

  test.each([
    { title: 'numbers', input: [1, 2, 3], shape: [3], values: [1, 2, 3] },
    {
      title: 'rows',
      input: [
        [1, 2],
        [3, 4],
        [5, 6],
      ],
      shape: [3, 2],
      values: [1, 2, 3, 4, 5, 6],
    },
    {
      title: 'rank 3',
      input: [
        [[1], [2]],
        [[3], [4]],
      ],
      shape: [2, 2, 1],
      values: [1, 2, 3, 4],
    },
    { title: 'rank 4', input: [[[[1, 2]]], [[[3, 4]]]], shape: [2, 1, 1, 2], values: [1, 2, 3, 4] },
    { title: 'rank 8', input: nested(8), shape: [1, 1, 1, 1, 1, 1, 1, 1], values: [1] },
    { title: 'nothing', input: [], shape: [0], values: [] },
    { title: 'empty rows', input: [[], []], shape: [2, 0], values: [] },
    { title: 'special values', input: [Number.NaN, -0, Infinity], shape: [3], values: [Number.NaN, -0, Infinity] },
    {
      title: 'typed rows',
      input: [Uint8Array.of(1, 2), [3, 4], BigInt64Array.of(5n, 6n)],
      shape: [3, 2],
      values: [1, 2, 3, 4, 5, 6],
    },
  ])('copies $title', ({ input, shape, values }) => {
    for (const dtype of ['float32', 'float64'] as const) {
      const got = view(input, dtype);
      expect({ shape: got.shape, dtype: got.dtype }).toEqual({ shape, dtype });
      expect(got.data).toEqual(dtype === 'float32' ? Float32Array.from(values) : Float64Array.from(values));
    }
  });
});

describe('toMatrix', () => {
  const data = Float32Array.from({ length: 24 }, (_, i) => i);
  const matrix = (shape: number[], strides?: number[]) => toMatrix(view({ data, shape, strides }));

  test.each([
    { title: 'rank 0', shape: [], rows: 1, cols: 1, rowStride: 1 },
    { title: 'rank 1', shape: [5], rows: 5, cols: 1, rowStride: 1 },
    { title: 'rank 1 with a stride', shape: [5], strides: [4], rows: 5, cols: 1, rowStride: 4 },
    { title: 'rank 2', shape: [4, 6], rows: 4, cols: 6, rowStride: 6 },
    { title: 'rows with gaps', shape: [4, 5], strides: [6, 1], rows: 4, cols: 5, rowStride: 6 },
    { title: 'a repeated row', shape: [9, 5], strides: [0, 1], rows: 9, cols: 5, rowStride: 0 },
    { title: 'one row of any stride', shape: [1, 5], strides: [99, 1], rows: 1, cols: 5, rowStride: 5 },
    { title: 'one column of any stride', shape: [4, 1], strides: [6, 99], rows: 4, cols: 1, rowStride: 6 },
    { title: 'a diagonal', shape: [4, 1], strides: [7, 1], rows: 4, cols: 1, rowStride: 7 },
    { title: 'rank 3', shape: [2, 3, 4], rows: 6, cols: 4, rowStride: 4 },
    { title: 'rank 3 with gaps', shape: [2, 2, 3], strides: [8, 4, 1], rows: 4, cols: 3, rowStride: 4 },
    { title: 'rank 4 with axes of 1', shape: [2, 1, 3, 2], strides: [12, 5, 4, 1], rows: 6, cols: 2, rowStride: 4 },
    { title: 'an outer axis alone', shape: [3, 1, 4], strides: [7, 99, 1], rows: 3, cols: 4, rowStride: 7 },
    { title: 'no rows', shape: [0, 3], strides: [9, 9], rows: 0, cols: 3, rowStride: 3 },
    { title: 'no columns', shape: [3, 0], rows: 3, cols: 0, rowStride: 0 },
  ])('folds $title', ({ shape, strides, rows, cols, rowStride }) => {
    const got = matrix(shape, strides);
    expect(got).toEqual({ data, rows, cols, rowStride, dtype: 'float32', copied: false });
    expect(got.data).toBe(data);
  });

  test.each([
    { title: 'a transposed matrix', shape: [3, 2], strides: [1, 3], values: [0, 3, 1, 4, 2, 5] },
    { title: 'columns apart', shape: [2, 2], strides: [6, 2], values: [0, 2, 6, 8] },
    { title: 'a repeated column', shape: [2, 2], strides: [6, 0], values: [0, 0, 6, 6] },
    { title: 'swapped leading axes', shape: [2, 2, 2], strides: [2, 4, 1], values: [0, 1, 4, 5, 2, 3, 6, 7] },
    { title: 'gaps between planes', shape: [2, 2, 2], strides: [5, 2, 1], values: [0, 1, 2, 3, 5, 6, 7, 8] },
  ])('copies $title', ({ shape, strides, values }) => {
    const got = matrix(shape, strides);
    const cols = shape[shape.length - 1] as number;
    expect(got).toEqual({
      data: Float32Array.from(values),
      rows: values.length / cols,
      cols,
      rowStride: cols,
      dtype: 'float32',
      copied: true,
    });
  });

  test('copies whole numbers of 64 bits exactly', () => {
    const big = BigInt64Array.of(2n ** 62n + 1n, 2n, -3n, 4n);
    const got = toMatrix(view({ data: big, shape: [2, 2], strides: [1, 2] }));
    expect(got.data).toEqual(BigInt64Array.of(2n ** 62n + 1n, -3n, 2n, 4n));
  });
});

describe('layouts', () => {
  test.each([
    { title: 'rows', shape: [2, 3], strides: [3, 1], extent: 6, repeats: false },
    { title: 'rows with gaps', shape: [2, 3], strides: [5, 1], extent: 8, repeats: false },
    { title: 'transposed', shape: [3, 2], strides: [1, 3], extent: 6, repeats: false },
    { title: 'a repeated row', shape: [2, 3], strides: [0, 1], extent: 3, repeats: true },
    { title: 'overlapping rows', shape: [2, 3], strides: [2, 1], extent: 5, repeats: true },
    { title: 'axes of 1', shape: [1, 3, 1], strides: [0, 1, 0], extent: 3, repeats: false },
    { title: 'no elements', shape: [0, 3], strides: [0, 0], extent: 0, repeats: false },
    { title: 'rank 0', shape: [], strides: [], extent: 1, repeats: false },
  ])('$title', ({ shape, strides, extent, repeats }) => {
    expect([extentOf(shape, strides), repeatsElements(shape, strides)]).toEqual([extent, repeats]);
  });
});
