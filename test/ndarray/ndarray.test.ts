// SPDX-License-Identifier: Apache-2.0
import { inspect } from 'node:util';
import type { ArrayInput, Dtype } from '../../lib/array-input';
import { nd } from '../../lib/ndarray/nd';
import { type GemmCall, NDArray, setGemm } from '../../lib/ndarray/ndarray';
import { type Expected, errBuffer, errDtype, errOption, errRange, errShape, expectError } from '../support/errors';

const dtypes: readonly Dtype[] = [
  'float32',
  'float64',
  'int8',
  'uint8',
  'uint8c',
  'int16',
  'uint16',
  'int32',
  'uint32',
  'int64',
  'uint64',
];

/** 0, 1, 2 ... in a shape. */
const counting = (shape: number[], dtype: Dtype = 'float32') =>
  nd
    .arange(
      0,
      shape.reduce((a, b) => a * b, 1),
      1,
      dtype,
    )
    .reshape(shape);

/** The same numbers, in a view with gaps in both directions: every second element of every second row. */
function spread(array: NDArray): NDArray {
  const [rows = 0, cols = 0] = array.shape;
  const wide = nd.full([2 * rows, 2 * cols], 77, array.dtype);
  return new NDArray(wide.data, array.shape, [4 * cols, 2]).assign(array);
}

/** The same numbers in column-major order. */
const columnMajor = (array: NDArray) => array.transpose().dup().transpose();

function detached(): NDArray {
  const array = nd.zeros([2, 3]);
  structuredClone(array.data.buffer, { transfer: [array.data.buffer as ArrayBuffer] });
  return array;
}

const x = () => counting([2, 3]);
const any = (value: unknown) => value as never;

describe('a bad argument', () => {
  const rows: readonly { readonly title: string; readonly call: () => unknown; readonly expected: Expected }[] = [
    // The constructor.
    {
      title: 'no data',
      call: () => new NDArray(any(undefined)),
      expected: errDtype('data', 'typed array', 'undefined'),
    },
    { title: 'numbers as data', call: () => new NDArray(any([1, 2])), expected: errDtype('typed array', '[1, 2]') },
    { title: 'a shape that is none', call: () => new NDArray(new Float32Array(2), any(2)), expected: errShape('2') },
    { title: 'a negative size', call: () => new NDArray(new Float32Array(2), [-1]), expected: errShape('[-1]') },
    { title: 'a long shape', call: () => new NDArray(new Float32Array(2), [3]), expected: errBuffer('3', '2') },
    { title: 'a negative stride', call: () => new NDArray(new Float32Array(2), [2], [-1]), expected: errShape('[-1]') },
    { title: 'detached data', call: () => new NDArray(detached().data), expected: errBuffer('detached') },
    // Indices.
    { title: 'size of axis 2', call: () => x().size(2), expected: errRange('axis', '-2 to 1', '2') },
    { title: 'size of axis -3', call: () => x().size(-3), expected: errRange('axis', '-3') },
    { title: 'size of axis 0.5', call: () => x().size(0.5), expected: errRange('0.5') },
    { title: 'size of no axis', call: () => nd.scalar(1).size(0), expected: errRange('rank 0') },
    { title: 'one index of two', call: () => x().at(1), expected: errShape('at', '2 indices', '[1]') },
    { title: 'a row beyond', call: () => x().at(2, 0), expected: errRange('axis 0', '2') },
    { title: 'a column before', call: () => x().at(0, -4), expected: errRange('axis 1', '-4') },
    { title: 'an index of NaN', call: () => x().at(0, Number.NaN), expected: errRange('NaN') },
    { title: 'an index as text', call: () => x().at(0, any('0')), expected: errRange('"0"') },
    { title: 'a place beyond', call: () => x().getDouble(6), expected: errRange('getDouble', '-6 to 5', '6') },
    { title: 'a place to put', call: () => x().putScalar(6, 1), expected: errRange('putScalar', '6') },
    { title: 'no index', call: () => x().putScalar(any('0'), 1), expected: errRange('putScalar', '"0"') },
    { title: 'no number to put', call: () => x().putScalar(0, any('1')), expected: errDtype('putScalar', '"1"') },
    { title: 'rows beyond', call: () => x().rows(1, 3), expected: errRange('rows', '[1, 3]') },
    { title: 'rows backwards', call: () => x().rows(2, 1), expected: errRange('rows', '[2, 1]') },
    { title: 'negative rows', call: () => x().rows(-1), expected: errRange('rows', '[-1, 2]') },
    { title: 'half a row', call: () => x().rows(0, 0.5), expected: errRange('rows', '0.5') },
    { title: 'rows of a number', call: () => nd.scalar(1).rows(0), expected: errShape('rows', 'rank 1') },
    { title: 'columns beyond', call: () => x().columns(0, 4), expected: errRange('columns', '[0, 4]') },
    { title: 'columns of a vector', call: () => nd.zeros([3]).columns(0), expected: errShape('columns', 'rank 2') },
    // Shapes.
    { title: 'too small a shape', call: () => x().reshape(5), expected: errShape('reshape', '6 elements', '[5]') },
    { title: 'two open sizes', call: () => x().reshape(-1, -1), expected: errShape('reshape', '[') },
    { title: 'an open size that is broken', call: () => x().reshape(4, -1), expected: errShape('reshape', '[4, -1]') },
    { title: 'an open size beside 0', call: () => x().reshape(0, -1), expected: errShape('reshape', '[0, -1]') },
    { title: 'another row length', call: () => x().add(nd.zeros([2])), expected: errShape('add', '[2, 3]', 'got [2]') },
    { title: 'another shape', call: () => x().lt(nd.zeros([3, 2])), expected: errShape('lt', '[2, 3]', '[3, 2]') },
    { title: 'a column too long', call: () => x().mul([[1], [2], [3]]), expected: errShape('mul', '[3, 1]') },
    { title: 'growing in place', call: () => nd.zeros([3]).addi(x()), expected: errShape('addi', '[3]', '[2, 3]') },
    { title: 'growing an axis of 1', call: () => nd.zeros([1, 3]).subi(x()), expected: errShape('subi', '[1, 3]') },
    { title: 'assigning what is larger', call: () => nd.zeros([3]).assign(x()), expected: errShape('assign', '[3]') },
    // Kinds.
    { title: 'adding nothing', call: () => x().add(any(undefined)), expected: errDtype('add', 'undefined') },
    { title: 'adding a text', call: () => x().add(any('1')), expected: errDtype('add', '"1"') },
    { title: 'adding a bigint', call: () => x().addi(any(1n)), expected: errDtype('addi', '1n') },
    { title: 'an unknown dtype', call: () => x().castTo(any('float16')), expected: errDtype('castTo', 'float16') },
    { title: 'a name of Object', call: () => x().castTo(any('toString')), expected: errDtype('castTo', 'toString') },
    {
      title: 'a fraction in whole numbers',
      call: () => counting([2], 'int32').muli(0.5),
      expected: errDtype('muli', 'float32', 'int32'),
    },
    { title: 'a quotient in whole numbers', call: () => counting([2], 'int64').divi(2), expected: errDtype('divi') },
    {
      title: 'floats in whole numbers',
      call: () => counting([2], 'uint8').addi(nd.ones([2])),
      expected: errDtype('addi'),
    },
    // Reductions.
    { title: 'a sum over axis 2', call: () => x().sum(2), expected: errRange('sum', '-2 to 1', '2') },
    { title: 'an axis twice', call: () => x().sum(1, -1), expected: errRange('sum', 'once', '[1, -1]') },
    { title: 'an axis as text', call: () => x().max(any('0')), expected: errRange('max', '"0"') },
    { title: 'an unknown option', call: () => x().sum(0, any({ keep: true })), expected: errOption('sum', 'keep') },
    { title: 'no flag', call: () => x().sum(any({ keepDims: 1 })), expected: errOption('keepDims', '1') },
    { title: 'the mean of nothing', call: () => nd.zeros([0, 3]).mean(0), expected: errShape('mean', '[0, 3]') },
    { title: 'the mean of no number', call: () => nd.zeros([0]).meanNumber(), expected: errShape('meanNumber') },
    { title: 'the largest of nothing', call: () => nd.zeros([2, 0]).max(1), expected: errShape('max', '[2, 0]') },
    { title: 'the smallest of no number', call: () => nd.zeros([0]).minNumber(), expected: errShape('minNumber') },
    // Products.
    { title: 'a product of widths', call: () => x().mmul(x()), expected: errShape('mmul', '3 rows', '[2, 3]') },
    {
      title: 'a product of rank 3',
      call: () => nd.zeros([1, 2, 3]).mmul(x()),
      expected: errShape('mmul', '[1, 2, 3]'),
    },
    { title: 'a product with rank 3', call: () => x().mmul(nd.zeros([3, 1, 1])), expected: errShape('mmul') },
    { title: 'a product with a number', call: () => x().mmul(any(2)), expected: errDtype('mmul', '2') },
    // Memory.
    ...(['dup', 'neg', 'negi', 'toArray', 'toString', 'sum', 'maxNumber', 'transpose', 'reshape'] as const).map(
      (name) => ({
        title: `${name} of detached memory`,
        call: () => detached()[name](),
        expected: errBuffer('detached'),
      }),
    ),
    { title: 'an element of detached memory', call: () => detached().at(0, 0), expected: errBuffer('detached') },
    { title: 'adding detached memory', call: () => x().add(detached()), expected: errBuffer('add', 'detached') },
    { title: 'a product of detached memory', call: () => x().mmul(detached()), expected: errBuffer('detached') },
    {
      title: 'writing to a repeated row',
      call: () => new NDArray(new Float32Array(3), [2, 3], [0, 1]).addi(1),
      expected: errBuffer('addi', 'memory of their own', '[0, 1]'),
    },
    {
      title: 'assigning to overlapping rows',
      call: () => new NDArray(new Float32Array(5), [2, 3], [2, 1]).assign(0),
      expected: errBuffer('assign', '[2, 1]'),
    },
  ];
  test.each(rows)('$title', ({ call, expected }) => {
    expectError(call, expected);
  });

  test('has changed nothing', () => {
    const array = counting([3], 'int32');
    expect(() => array.addi([0.5, 1, 2])).toThrow();
    expect(() => array.subi(nd.zeros([2], 'int32'))).toThrow();
    expect(() => array.assign([1, any('2'), 3])).toThrow();
    expect(array.toArray()).toEqual([0, 1, 2]);
  });
});

describe('a view', () => {
  test('is over the memory it was given', () => {
    const data = Float64Array.of(1, 2, 3, 4, 5, 6);
    const array = new NDArray(data, [2, 2], [3, 1]);
    expect(array.data).toBe(data);
    expect(array).toMatchObject({ shape: [2, 2], strides: [3, 1], dtype: 'float64', rank: 2, length: 4 });
    array.addi(10);
    expect(Array.from(data)).toEqual([11, 12, 3, 14, 15, 6]);
  });

  test('keeps its shape whatever becomes of the list it was given', () => {
    const shape = [2, 3];
    const array = new NDArray(new Float32Array(6), shape);
    shape[0] = 3;
    expect(array.shape).toEqual([2, 3]);
  });

  test('of rows and columns begins at data[0]', () => {
    const array = counting([4, 5]);
    const part = array.rows(1, 3).columns(2, 4);
    expect(part.toArray()).toEqual([
      [7, 8],
      [12, 13],
    ]);
    expect([part.data[0], part.data.buffer === array.data.buffer, part.strides]).toEqual([7, true, [5, 1]]);
    part.assign(0);
    expect(array.sumNumber()).toBe(190 - 7 - 8 - 12 - 13);
  });

  test.each([
    { title: 'the rest of the rows', view: (a: NDArray) => a.rows(1), shape: [1, 3], values: [[3, 4, 5]] },
    { title: 'the rest of the columns', view: (a: NDArray) => a.columns(2), shape: [2, 1], values: [[2], [5]] },
    { title: 'no rows', view: (a: NDArray) => a.rows(2, 2), shape: [0, 3], values: [] },
    { title: 'no columns', view: (a: NDArray) => a.columns(0, 0), shape: [2, 0], values: [[], []] },
    { title: 'elements of a vector', view: (a: NDArray) => a.reshape(6).rows(2, 4), shape: [2], values: [2, 3] },
    {
      title: 'planes',
      view: (a: NDArray) => a.reshape(2, 3, 1).rows(1, 2),
      shape: [1, 3, 1],
      values: [[[3], [4], [5]]],
    },
    {
      title: 'rows of columns',
      view: (a: NDArray) => a.transpose().rows(1, 3),
      shape: [2, 2],
      values: [
        [1, 4],
        [2, 5],
      ],
    },
    {
      title: 'columns of columns',
      view: (a: NDArray) => a.transpose().columns(1),
      shape: [3, 1],
      values: [[3], [4], [5]],
    },
  ])('of $title', ({ view, shape, values }) => {
    const got = view(x());
    expect(got.shape).toEqual(shape);
    expect(got.toArray()).toEqual(values);
  });

  test('transposes', () => {
    const array = x();
    const turned = array.transpose();
    expect(turned.toArray()).toEqual([
      [0, 3],
      [1, 4],
      [2, 5],
    ]);
    expect(turned.data).toBe(array.data);
    expect(counting([2, 3, 4]).transpose().at(3, 2, 1)).toBe(23);
    expect(counting([3]).transpose().toArray()).toEqual([0, 1, 2]);
  });

  test.each([
    { title: 'rows into planes', array: () => counting([4, 6]), to: [2, 2, 6], copies: false },
    { title: 'all into a vector', array: () => counting([4, 6]), to: [-1], copies: false },
    { title: 'an open size', array: () => counting([4, 6]), to: [3, -1, 2], copies: false },
    { title: 'axes of 1', array: () => counting([4, 6]), to: [1, 24, 1], copies: false },
    { title: 'one element', array: () => counting([1, 1]), to: [], copies: false },
    { title: 'nothing', array: () => nd.zeros([0, 3]), to: [5, 0], copies: false },
    { title: 'split rows with gaps', array: () => counting([4, 6]).columns(0, 4), to: [4, 2, 2], copies: false },
    { title: 'split columns', array: () => counting([4, 6]).transpose(), to: [3, 2, 4], copies: false },
    {
      title: 'rows with gaps beside 1',
      array: () => counting([4, 6]).columns(0, 4),
      to: [1, 4, 1, 4, 1],
      copies: false,
    },
    { title: 'joined rows with gaps', array: () => counting([4, 6]).columns(0, 4), to: [16], copies: true },
    { title: 'joined columns', array: () => counting([4, 6]).transpose(), to: [24], copies: true },
  ])('reshapes $title', ({ array, to, copies }) => {
    const from = array();
    const got = from.reshape(to);
    expect(got.dup().data).toEqual(from.dup().data);
    expect(got.shape.length).toBe(to.length);
    expect(got.data === from.data).toBe(!copies);
    expect(from.reshape(...to).shape).toEqual(got.shape);
  });
});

describe.each(dtypes)('elements of %s', (dtype) => {
  test('are read and set', () => {
    const array = counting([2, 3], dtype);
    expect([array.at(1, 2), array.at(-1, -3), array.getDouble(1, 0), array.getDouble(4), array.getDouble(-6)]).toEqual([
      5, 3, 3, 4, 0,
    ]);
    expect(array.putScalar(5, 9).putScalar([0, 1], 8).putScalar([-1, -3], 7)).toBe(array);
    expect(array.toArray()).toEqual([
      [0, 8, 2],
      [7, 4, 9],
    ]);
    expect(nd.scalar(3, dtype).toArray()).toBe(3);
    expect(nd.scalar(3, dtype).at()).toBe(3);
  });

  test('are copied', () => {
    const array = counting([2, 3], dtype);
    const copy = array.transpose().dup();
    expect(copy).toMatchObject({ dtype, shape: [3, 2], strides: [2, 1] });
    expect(copy.toArray()).toEqual([
      [0, 3],
      [1, 4],
      [2, 5],
    ]);
    copy.assign(1);
    expect(array.at(1, 2)).toBe(5);
  });

  test('are cast to every dtype', () => {
    for (const other of dtypes) {
      const array = counting([2, 2], dtype);
      const cast = array.castTo(other);
      expect([cast.dtype, cast.toArray(), cast === array]).toEqual([
        other,
        [
          [0, 1],
          [2, 3],
        ],
        other === dtype,
      ]);
    }
  });

  test('are computed with numbers', () => {
    const array = counting([3], dtype);
    const whole = dtype !== 'float32' && dtype !== 'float64';
    expect([array.add(2).dtype, array.add(2).toArray()]).toEqual([dtype, [2, 3, 4]]);
    expect([array.rsub(2).dtype, array.rsub(2).toArray()]).toEqual([dtype, [2, 1, 0]]);
    expect([array.mul(0.5).dtype, array.mul(0.5).toArray()]).toEqual([whole ? 'float32' : dtype, [0, 0.5, 1]]);
    expect([array.div(2).dtype, array.div(2).toArray()]).toEqual([whole ? 'float32' : dtype, [0, 0.5, 1]]);
    expect([array.lt(0.5).dtype, array.lt(0.5).toArray()]).toEqual([dtype, [1, 0, 0]]);
    expect(array.muli(3).addi(1).toArray()).toEqual([1, 4, 7]);
    expect(array.subi(array).toArray()).toEqual([0, 0, 0]);
  });

  test('are reduced', () => {
    const array = counting([2, 3], dtype);
    const float = dtype === 'float64' ? 'float64' : 'float32';
    const sum = array.sum(1);
    expect([sum.dtype, sum.toArray()]).toEqual([dtype === float ? dtype : 'int64', [3, 12]]);
    expect([array.mean(0).dtype, array.mean(0).toArray()]).toEqual([float, [1.5, 2.5, 3.5]]);
    expect([array.max(1).dtype, array.max(1).toArray()]).toEqual([dtype, [2, 5]]);
    expect([array.min().toArray(), array.norm1(0).toArray()]).toEqual([0, [3, 5, 7]]);
    expect([array.rows(1).columns(0, 2).norm2(1).dtype, array.rows(1).columns(0, 2).norm2Number()]).toEqual([float, 5]);
    expect([array.sumNumber(), array.meanNumber(), array.maxNumber(), array.minNumber()]).toEqual([15, 2.5, 5, 0]);
  });

  test('are multiplied as matrices', () => {
    const array = counting([2, 3], dtype);
    const product = array.mmul(array.transpose());
    expect([product.dtype, product.toArray()]).toEqual([
      dtype === 'float64' ? 'float64' : 'float32',
      [
        [5, 14],
        [14, 50],
      ],
    ]);
  });
});

describe('the dtype of two arrays', () => {
  test.each<{ a: Dtype; b: Dtype; result: Dtype }>([
    { a: 'float32', b: 'float64', result: 'float64' },
    { a: 'float64', b: 'int64', result: 'float64' },
    { a: 'float32', b: 'uint8', result: 'float32' },
    { a: 'float32', b: 'int64', result: 'float32' },
    { a: 'uint8', b: 'uint8c', result: 'uint8' },
    { a: 'int8', b: 'uint8', result: 'int16' },
    { a: 'int16', b: 'uint8', result: 'int16' },
    { a: 'uint16', b: 'int8', result: 'int32' },
    { a: 'uint32', b: 'uint8', result: 'uint32' },
    { a: 'uint32', b: 'int32', result: 'int64' },
    { a: 'int64', b: 'uint32', result: 'int64' },
    { a: 'uint64', b: 'uint8', result: 'uint64' },
    { a: 'uint64', b: 'int8', result: 'float64' },
  ])('$a and $b: $result', ({ a, b, result }) => {
    for (const [left, right] of [
      [a, b],
      [b, a],
    ] as const) {
      const got = nd.full([2], 7, left).sub(nd.full([2], 2, right));
      expect([got.dtype, got.toArray()]).toEqual([result, [5, 5]]);
    }
  });

  test('whole numbers divided are float32', () => {
    expect(nd.array([1, 3], 'int32').div(nd.array([2, 2], 'int8'))).toMatchObject({ dtype: 'float32' });
    expect(
      nd
        .array([1, 3], 'int32')
        .div(nd.array([2, 0], 'int8'))
        .toArray(),
    ).toEqual([0.5, Infinity]);
  });

  test('plain numbers take the dtype of the array beside them', () => {
    expect(nd.zeros([2], 'float64').add([0.1, 1]).toArray()).toEqual([0.1, 1]);
    expect(nd.zeros([2]).add([0.1, 1]).dtype).toBe('float32');
  });
});

describe('whole numbers', () => {
  test('wrap around, as typed arrays do', () => {
    expect(nd.array([250, 3], 'uint8').add(10).toArray()).toEqual([4, 13]);
    expect(nd.array([250, 3], 'uint8c').add(10).toArray()).toEqual([255, 13]);
    expect(nd.array([1, 2], 'uint8').neg().toArray()).toEqual([255, 254]);
    expect(nd.array([1, 2], 'int64').negi().toArray()).toEqual([-1, -2]);
  });

  test('of 64 bits are exact in memory and nearest as numbers', () => {
    const big = new NDArray(BigInt64Array.of(2n ** 53n + 1n, -1n));
    expect(big.at(0)).toBe(2 ** 53);
    expect(big.dup().data).toEqual(big.data);
    expect(nd.zeros([2], 'int64').assign(big).data).toEqual(big.data);
    expect(big.toString()).toBe('[9007199254740993, -1]');
  });

  test('take what floats they are assigned, towards 0', () => {
    const floats = [1.9, -1.9, Number.NaN, Infinity];
    expect(nd.zeros([4], 'int32').assign(floats).toArray()).toEqual([1, -1, 0, 0]);
    expect(nd.zeros([4], 'int64').assign(floats).toArray()).toEqual([1, -1, 0, 0]);
    expect(nd.array([1.5, 2.5]).castTo('int64').data).toEqual(BigInt64Array.of(1n, 2n));
  });
});

describe('elementwise', () => {
  const operations = [
    { name: 'add', inPlace: 'addi', f: (a: number, b: number) => a + b },
    { name: 'sub', inPlace: 'subi', f: (a: number, b: number) => a - b },
    { name: 'mul', inPlace: 'muli', f: (a: number, b: number) => a * b },
    { name: 'div', inPlace: 'divi', f: (a: number, b: number) => a / b },
    { name: 'rsub', inPlace: 'rsubi', f: (a: number, b: number) => b - a },
    { name: 'rdiv', inPlace: 'rdivi', f: (a: number, b: number) => b / a },
  ] as const;
  const left = () =>
    nd.array(
      [
        [1, -2, 3],
        [4, 0, 0.5],
      ],
      'float64',
    );
  const right = () =>
    nd.array(
      [
        [2, 5, -1],
        [0, 0, 8],
      ],
      'float64',
    );
  const layouts = [
    { layout: 'row-major', of: (a: NDArray) => a },
    { layout: 'column-major', of: columnMajor },
    { layout: 'spread', of: spread },
  ];

  describe.each(operations)('$name, $inPlace', ({ name, inPlace, f }) => {
    test.each(layouts)('of $layout arrays', ({ of }) => {
      const expected = (left().toArray() as number[][]).map((row, i) => row.map((a, j) => f(a, right().at(i, j))));
      for (const other of layouts) {
        expect(of(left())[name](other.of(right())).toArray()).toEqual(expected);
        const array = of(left());
        expect(array[inPlace](other.of(right()))).toBe(array);
        expect(array.toArray()).toEqual(expected);
      }
    });

    test('of a number', () => {
      const expected = (left().toArray() as number[][]).map((row) => row.map((a) => f(a, 3)));
      expect(left()[name](3).toArray()).toEqual(expected);
      expect(left()[inPlace](3).toArray()).toEqual(expected);
    });
  });

  type Comparison = 'lt' | 'lte' | 'gt' | 'gte' | 'eq' | 'neq';
  test.each<{ name: Comparison; one: number[] }>([
    { name: 'lt', one: [1, 0, 0, 0, 0] },
    { name: 'lte', one: [1, 1, 0, 0, 0] },
    { name: 'gt', one: [0, 0, 1, 0, 0] },
    { name: 'gte', one: [0, 1, 1, 0, 0] },
    { name: 'eq', one: [0, 1, 0, 0, 0] },
    { name: 'neq', one: [1, 0, 1, 1, 1] },
  ])('$name', ({ name, one }) => {
    const a = nd.array([1, 2, 3, Number.NaN, 2]);
    const b = nd.array([2, 2, 2, 2, Number.NaN]);
    expect(a[name](b)).toMatchObject({ dtype: 'float32' });
    expect(a[name](b).toArray()).toEqual(one);
    expect(a[name](2).rows(0, 4).toArray()).toEqual(one.slice(0, 4));
  });

  test('a number has the precision of the array', () => {
    const tenth = nd.full([2], 0.1);
    expect([tenth.eq(0.1).toArray(), tenth.gt(0.1).toArray(), tenth.sub(0.1).toArray()]).toEqual([
      [1, 1],
      [0, 0],
      [0, 0],
    ]);
  });

  test('the sign of zero', () => {
    expect(nd.array([0, -0, 1]).neg().toArray()).toEqual([-0, 0, -1]);
  });

  const broadcasts: readonly {
    readonly title: string;
    readonly a: NDArray;
    readonly b: ArrayInput;
    readonly sum: unknown;
  }[] = [
    {
      title: 'a row',
      a: x(),
      b: [10, 20, 30],
      sum: [
        [10, 21, 32],
        [13, 24, 35],
      ],
    },
    {
      title: 'a row of rank 2',
      a: x(),
      b: [[10, 20, 30]],
      sum: [
        [10, 21, 32],
        [13, 24, 35],
      ],
    },
    {
      title: 'a column',
      a: x(),
      b: [[10], [20]],
      sum: [
        [10, 11, 12],
        [23, 24, 25],
      ],
    },
    {
      title: 'rank 0',
      a: x(),
      b: nd.scalar(1),
      sum: [
        [1, 2, 3],
        [4, 5, 6],
      ],
    },
    {
      title: 'one element',
      a: x(),
      b: [1],
      sum: [
        [1, 2, 3],
        [4, 5, 6],
      ],
    },
    {
      title: 'both ways',
      a: nd.array([[1], [2]]),
      b: [10, 20],
      sum: [
        [11, 21],
        [12, 22],
      ],
    },
    {
      title: 'planes',
      a: counting([2, 1, 2]),
      b: [[[10], [20]]],
      sum: [
        [
          [10, 11],
          [20, 21],
        ],
        [
          [12, 13],
          [22, 23],
        ],
      ],
    },
    {
      title: 'to what is larger',
      a: nd.array([1, 2]),
      b: [
        [10, 20],
        [30, 40],
      ],
      sum: [
        [11, 22],
        [31, 42],
      ],
    },
    { title: 'no rows', a: nd.zeros([0, 3]), b: [1, 2, 3], sum: [] },
    { title: 'one to none', a: nd.zeros([0]), b: [1], sum: [] },
    {
      title: 'a repeated view',
      a: new NDArray(Float32Array.of(1, 2), [3, 2], [0, 1]),
      b: [10, 20],
      sum: [
        [11, 22],
        [11, 22],
        [11, 22],
      ],
    },
    {
      title: 'an object',
      a: x(),
      b: { data: BigInt64Array.of(1n, 2n, 3n), shape: [3] },
      sum: [
        [1, 3, 5],
        [4, 6, 8],
      ],
    },
  ];
  test.each(broadcasts)('broadcasts $title', ({ a, b, sum }) => {
    expect(a.add(b).toArray()).toEqual(sum);
    const commuted = NDArray.from(b, 'b').add(a);
    expect(commuted.toArray()).toEqual(sum);
  });

  test('of random shapes and layouts, against loops', () => {
    let seed = 1;
    const random = (n: number) => {
      seed = (Math.imul(seed, 1664525) + 1013904223) >>> 0;
      return Math.floor((seed / 2 ** 32) * n);
    };
    for (let round = 0; round < 200; round++) {
      const shape = Array.from({ length: random(5) }, () => 1 + random(3));
      const operand = () => {
        const own = shape.slice(random(shape.length + 1)).map((size) => (random(3) === 0 ? 1 : size));
        const array = counting(own, 'float64').addi(round);
        return random(2) === 0 ? array : columnMajor(array);
      };
      const [a, b] = [operand(), operand()];
      const full = nd.zeros(shape, 'float64').addi(a);
      const at = (array: NDArray, index: number[]) =>
        array.at(
          ...array.shape.map((size, axis) => (size === 1 ? 0 : (index[axis + shape.length - array.rank] as number))),
        );
      const got = full.mul(b);
      for (let place = 0; place < got.length; place++) {
        const index: number[] = [];
        let rest = place;
        for (let axis = shape.length - 1; axis >= 0; axis--) {
          index.unshift(rest % (shape[axis] as number));
          rest = Math.floor(rest / (shape[axis] as number));
        }
        expect(got.getDouble(place)).toBe(at(a, index) * at(b, index));
      }
    }
  });
});

describe('in place', () => {
  test.each([
    {
      title: 'itself',
      other: (a: NDArray) => a,
      result: [
        [0, 2, 4],
        [6, 8, 10],
        [12, 14, 16],
      ],
    },
    {
      title: 'its transpose',
      other: (a: NDArray) => a.transpose(),
      result: [
        [0, 4, 8],
        [4, 8, 12],
        [8, 12, 16],
      ],
    },
    {
      title: 'its first row',
      other: (a: NDArray) => a.rows(0, 1),
      result: [
        [0, 2, 4],
        [3, 5, 7],
        [6, 8, 10],
      ],
    },
    {
      title: 'its last column',
      other: (a: NDArray) => a.columns(2),
      result: [
        [2, 3, 4],
        [8, 9, 10],
        [14, 15, 16],
      ],
    },
    {
      title: 'its middle element',
      other: (a: NDArray) => a.rows(1, 2).columns(1, 2),
      result: [
        [4, 5, 6],
        [7, 8, 9],
        [10, 11, 12],
      ],
    },
  ])('adds $title as it was', ({ other, result }) => {
    for (const dtype of ['float32', 'int64'] as const) {
      const array = counting([3, 3], dtype);
      expect(array.addi(other(array)).toArray()).toEqual(result);
      const again = counting([3, 3], dtype);
      expect(again.assign(again.add(other(again))).toArray()).toEqual(result);
    }
  });

  test('subtracts rows from the rows below', () => {
    const array = counting([4, 2]);
    array.rows(1).subi(array.rows(0, 3));
    expect(array.toArray()).toEqual([
      [0, 1],
      [2, 2],
      [2, 2],
      [2, 2],
    ]);
  });

  test('assigns rows to the rows below', () => {
    const array = counting([4, 2]);
    array.rows(1).assign(array.rows(0, 3));
    expect(array.toArray()).toEqual([
      [0, 1],
      [0, 1],
      [2, 3],
      [4, 5],
    ]);
  });

  test('assigns another type of number over the same memory', () => {
    const data = Float32Array.of(1, 2, 3, 4);
    const bits = new Int32Array(data.buffer);
    const expected = Array.from(bits);
    new NDArray(data).assign(bits);
    expect(Array.from(data)).toEqual(Array.from(Float32Array.from(expected)));
  });

  test('takes float64 into float32', () => {
    expect(
      nd
        .zeros([1])
        .addi(nd.array([0.1], 'float64'))
        .toArray(),
    ).toEqual([Math.fround(0.1)]);
  });

  test('a long run of a copy with gaps', () => {
    const array = counting([3, 200]);
    const part = array.columns(10, 150).dup();
    expect([part.at(2, 139), part.length]).toEqual([549, 420]);
  });
});

describe('reductions', () => {
  const cube = () => counting([2, 3, 4]);
  test.each([
    { title: 'no axis', axes: [], shape: [], values: 276 },
    {
      title: 'the first',
      axes: [0],
      shape: [3, 4],
      values: [
        [12, 14, 16, 18],
        [20, 22, 24, 26],
        [28, 30, 32, 34],
      ],
    },
    {
      title: 'the middle',
      axes: [1],
      shape: [2, 4],
      values: [
        [12, 15, 18, 21],
        [48, 51, 54, 57],
      ],
    },
    {
      title: 'the last',
      axes: [-1],
      shape: [2, 3],
      values: [
        [6, 22, 38],
        [54, 70, 86],
      ],
    },
    { title: 'two', axes: [2, 0], shape: [3], values: [60, 92, 124] },
    { title: 'all', axes: [0, 1, 2], shape: [], values: 276 },
  ])('sum over $title', ({ axes, shape, values }) => {
    for (const array of [cube(), columnMajor(cube())]) {
      expect(array.sum(...axes).toArray()).toEqual(values);
      expect(array.sum(...axes).shape).toEqual(shape);
      const kept = array.sum(...axes, { keepDims: true });
      expect(kept.shape).toEqual(
        [2, 3, 4].map((size, axis) => (axes.length === 0 || axes.includes(axis) || axes.includes(axis - 3) ? 1 : size)),
      );
      expect(kept.reshape(shape).toArray()).toEqual(values);
    }
  });

  test('without the axes kept', () => {
    expect(cube().sum(0, { keepDims: false }).shape).toEqual([3, 4]);
    expect(cube().sum({}).shape).toEqual([]);
  });

  test('of no rows', () => {
    expect(nd.zeros([0, 2]).sum(0).toArray()).toEqual([0, 0]);
    expect(nd.zeros([0, 2]).norm2(0).toArray()).toEqual([0, 0]);
    expect(nd.zeros([0, 2]).mean(1).toArray()).toEqual([]);
    expect(nd.zeros([0]).sumNumber()).toBe(0);
  });

  test('NaN is the largest and the smallest', () => {
    const array = nd.array([
      [1, Number.NaN],
      [2, 3],
    ]);
    expect([array.max(1).toArray(), array.min(1).toArray(), array.maxNumber()]).toEqual([
      [Number.NaN, 3],
      [Number.NaN, 2],
      Number.NaN,
    ]);
    expect(nd.full([3], -Infinity).maxNumber()).toBe(-Infinity);
  });

  test('infinities', () => {
    expect(nd.array([1, Infinity, 2]).sumNumber()).toBe(Infinity);
    expect(nd.array([-Infinity, Infinity]).sumNumber()).toBeNaN();
    expect(nd.array([1, -Infinity]).norm2Number()).toBe(Infinity);
  });

  test('a sum of float32 is added up in float64', () => {
    const n = 1 << 20;
    const array = nd.full([n], 0.1);
    expect(array.sumNumber()).toBe(Math.fround(0.1) * n);
    expect(
      array
        .reshape(n / 8, 8)
        .sum(0)
        .at(3),
    ).toBe(Math.fround((Math.fround(0.1) * n) / 8));
  });

  test('a sum of float64 keeps what cancels', () => {
    const terms = nd.array([1e16, 1, -1e16], 'float64');
    const columns = nd.array([[1e16], [1], [-1e16]], 'float64');
    // 1e16 + 1 is lost within a block of terms, but not across rows.
    expect(
      columns
        .mul([[1, 1]])
        .sum(0)
        .toArray(),
    ).toEqual([1, 1]);
    expect(terms.norm1Number()).toBe(2e16);
    const n = 1e6;
    const exact = 0.1 * n;
    expect(Math.abs(nd.full([n], 0.1, 'float64').sumNumber() - exact)).toBeLessThan(1e-13 * exact);
  });

  test.each([
    { title: 'plain', values: [3, -4], norm: 5 },
    { title: 'huge', values: [3e200, 4e200], norm: 5e200 },
    { title: 'tiny', values: [3e-200, 4e-200], norm: 5e-200 },
    { title: 'zero', values: [0, 0], norm: 0 },
    { title: 'NaN', values: [Number.NaN, 1], norm: Number.NaN },
    { title: 'infinite', values: [-Infinity, 1], norm: Infinity },
  ])('norm2 of $title numbers', ({ values, norm }) => {
    const array = nd.array([values, values], 'float64');
    const got = array.rows(1).norm2Number();
    // One rounding of the scaled terms more than a plain sum has.
    expect(Math.abs(got - norm) <= 2 ** -52 * norm || Object.is(got, norm)).toBe(true);
    expect(array.norm2(1).toArray()).toEqual([got, got]);
  });
});

describe('mmul', () => {
  const a = () =>
    nd.array([
      [1, 2, 3],
      [4, 5, 6],
    ]);
  const b = () =>
    nd.array([
      [1, -1],
      [0, 2],
      [3, 0],
    ]);
  const product = [
    [10, 3],
    [22, 6],
  ];

  test.each([
    { title: 'rows', of: (m: NDArray) => m },
    { title: 'columns', of: columnMajor },
    { title: 'rows with gaps', of: spread },
    {
      title: 'part of rows',
      of: (m: NDArray) =>
        nd
          .zeros([9, 9])
          .rows(2, 2 + m.size(0))
          .columns(1, 1 + m.size(1))
          .assign(m),
    },
  ])('of $title', ({ of }) => {
    for (const other of [(m: NDArray) => m, columnMajor, spread]) {
      expect(of(a()).mmul(other(b())).toArray()).toEqual(product);
      expect(other(a()).mmul(of(b())).toArray()).toEqual(product);
    }
  });

  test.each([
    {
      title: 'a matrix and a vector',
      left: [
        [1, 2],
        [3, 4],
      ],
      right: [5, 6],
      values: [17, 39],
    },
    {
      title: 'a vector and a matrix',
      left: [5, 6],
      right: [
        [1, 2],
        [3, 4],
      ],
      values: [23, 34],
    },
    { title: 'vectors', left: [1, 2, 3], right: [4, 5, 6], values: 32 },
    {
      title: 'column and row',
      left: [[1], [2]],
      right: [[3, 4]],
      values: [
        [3, 4],
        [6, 8],
      ],
    },
    {
      title: 'no terms',
      left: [[], []],
      right: nd.zeros([0, 2]),
      values: [
        [0, 0],
        [0, 0],
      ],
    },
    { title: 'no rows', left: nd.zeros([0, 2]), right: [[1], [2]], values: [] },
    { title: 'NaN times 0', left: [[0, 1]], right: [[Number.NaN], [2]], values: [[Number.NaN]] },
  ])('of $title', ({ left, right, values }) => {
    expect(
      nd
        .array(left as ArrayInput)
        .mmul(right as ArrayInput)
        .toArray(),
    ).toEqual(values);
  });

  test('of vectors apart', () => {
    const apart = new NDArray(Float32Array.of(1, 9, 2, 9, 3), [3], [2]);
    expect([apart.mmul(apart).toArray(), a().mmul(apart).toArray(), apart.mmul(b()).toArray()]).toEqual([
      14,
      [14, 32],
      [10, 3],
    ]);
    expect(new NDArray(Float32Array.of(2), [3], [0]).mmul([1, 2, 3]).toArray()).toBe(12);
  });

  test('of two dtypes', () => {
    expect(a().mmul(b().castTo('float64'))).toMatchObject({ dtype: 'float64' });
    expect(nd.eye(2, 2, 'int8').mmul(a().castTo('int32')).toArray()).toEqual(a().toArray());
    expect(nd.eye(2, 2, 'int8').mmul(a().castTo('int32')).dtype).toBe('float32');
  });

  describe('by a hook', () => {
    const calls: GemmCall[] = [];
    /** The product that a call describes, by its definition. */
    function compute(call: GemmCall): void {
      calls.push(call);
      const { m, n, k, lda, ldb, ldc, transposeA, transposeB, c } = call;
      for (let i = 0; i < m; i++) {
        for (let j = 0; j < n; j++) {
          let sum = 0;
          for (let p = 0; p < k; p++) {
            const left = call.a[transposeA ? p * lda + i : i * lda + p] as number;
            sum += left * (call.b[transposeB ? j * ldb + p : p * ldb + j] as number);
          }
          c[i * ldc + j] = sum;
        }
      }
    }
    beforeEach(() => {
      calls.length = 0;
      setGemm(compute);
    });
    afterEach(() => setGemm(undefined));

    const wide = () => nd.zeros([4, 8]).rows(1, 3).columns(2, 5).assign(a());
    test.each([
      { title: 'rows', left: a, right: b, ld: [3, 2], transposed: [false, false], copied: [false, false] },
      {
        title: 'columns',
        left: () => columnMajor(a()),
        right: () => columnMajor(b()),
        ld: [2, 3],
        transposed: [true, true],
        copied: [false, false],
      },
      {
        title: 'part of rows',
        left: wide,
        right: () => wide().transpose(),
        ld: [8, 8],
        transposed: [false, true],
        copied: [false, false],
      },
      {
        title: 'what it cannot read',
        left: () => spread(a()),
        right: b,
        ld: [3, 2],
        transposed: [false, false],
        copied: [true, false],
      },
      {
        title: 'a repeated row',
        left: () => new NDArray(Float32Array.of(1, 2, 3), [2, 3], [0, 1]),
        right: b,
        ld: [3, 2],
        transposed: [false, false],
        copied: [true, false],
      },
      {
        title: 'one row',
        left: () => a().rows(0, 1),
        right: b,
        ld: [3, 2],
        transposed: [false, false],
        copied: [false, false],
      },
      {
        title: 'a vector apart',
        left: () => new NDArray(Float32Array.of(1, 0, 2, 0, 3), [3], [2]),
        right: b,
        ld: [2, 2],
        transposed: [true, false],
        copied: [false, false],
      },
    ])('reads $title in place', ({ left, right, ld, transposed, copied }) => {
      const [l, r] = [left(), right()];
      const got = l.mmul(r);
      const [call] = calls as [GemmCall];
      expect([call.lda, call.ldb]).toEqual(ld);
      expect([call.transposeA, call.transposeB]).toEqual(transposed);
      expect([call.a !== l.data, call.b !== r.data]).toEqual(copied);
      // What the hook reads is there.
      const extent = (rows: number, cols: number, stride: number) => (rows - 1) * stride + cols;
      const { m, n, k } = call;
      expect(call.a.length).toBeGreaterThanOrEqual(call.transposeA ? extent(k, m, call.lda) : extent(m, k, call.lda));
      expect(call.b.length).toBeGreaterThanOrEqual(call.transposeB ? extent(n, k, call.ldb) : extent(k, n, call.ldb));
      setGemm(undefined);
      expect(got.toArray()).toEqual(l.mmul(r).toArray());
    });

    test('is not asked for nothing', () => {
      expect(
        nd
          .zeros([2, 0])
          .mmul(nd.zeros([0, 2]))
          .toArray(),
      ).toEqual([
        [0, 0],
        [0, 0],
      ]);
      expect(nd.zeros([0, 2]).mmul(nd.zeros([2, 2])).shape).toEqual([0, 2]);
      expect(calls).toEqual([]);
    });
  });
});

describe('text', () => {
  test.each([
    { title: 'a number', array: () => nd.scalar(0.1), text: '0.1' },
    { title: 'a vector', array: () => nd.array([1, -0, 0.1, Number.NaN]), text: '[1, -0, 0.1, NaN]' },
    {
      title: 'rows',
      array: () =>
        nd.array([
          [1, 2],
          [3, 4],
        ]),
      text: '[[1, 2],\n [3, 4]]',
    },
    { title: 'planes', array: () => counting([2, 1, 2]), text: '[[[0, 1]],\n [[2, 3]]]' },
    { title: 'nothing', array: () => nd.zeros([0]), text: '[]' },
    { title: 'float64', array: () => nd.array([0.1, 1 / 3], 'float64'), text: '[0.1, 0.3333333333333333]' },
    { title: 'float32', array: () => nd.array([1 / 3, 16777217, 1e-45]), text: '[0.33333334, 16777216, 1.4013e-45]' },
    { title: 'a long vector', array: () => counting([2000]), text: '[0, 1, 2, ..., 1997, 1998, 1999]' },
    { title: 'a view', array: () => counting([2, 2]).transpose(), text: '[[0, 2],\n [1, 3]]' },
  ])('of $title', ({ array, text }) => {
    expect(String(array())).toBe(text);
    expect(inspect(array())).toBe(`NDArray ${array().dtype} [${array().shape.join(', ')}] ${text}`);
  });

  test('of detached memory', () => {
    expect(inspect(detached())).toBe('NDArray float32 [2, 3] (detached)');
  });

  test('of many long rows', () => {
    const lines = String(counting([100, 100])).split('\n');
    expect(lines.length).toBe(7);
    expect(lines[0]).toBe('[[0, 1, 2, ..., 97, 98, 99],');
    expect(lines[3]).toBe(' ...,');
  });
});
