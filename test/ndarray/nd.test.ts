// SPDX-License-Identifier: Apache-2.0
import type { Dtype } from '../../lib/array-input';
import { nd } from '../../lib/ndarray/nd';
import { type Expected, errBuffer, errDtype, errOption, errRange, errShape, expectError } from '../support/errors';

const any = (value: unknown) => value as never;

describe('a bad argument', () => {
  const rows: readonly { readonly title: string; readonly call: () => unknown; readonly expected: Expected }[] = [
    { title: 'an array of nothing', call: () => nd.array(any(undefined)), expected: errDtype('array', 'undefined') },
    { title: 'an array of a number', call: () => nd.array(any(5)), expected: errDtype('array', '5') },
    { title: 'ragged rows', call: () => nd.array([[1], [2, 3]]), expected: errShape('array', '1', '2') },
    { title: 'an unknown dtype', call: () => nd.array([1], any('float')), expected: errDtype('dtype', 'float') },
    { title: 'over nothing', call: () => nd.create(any(null)), expected: errDtype('create', 'null') },
    { title: 'over an object', call: () => nd.create(any({ length: 2 })), expected: errDtype('create', 'an object') },
    { title: 'over too little', call: () => nd.create(new Float32Array(5), [2, 3]), expected: errBuffer('6', '5') },
    { title: 'over too few numbers', call: () => nd.create([1, 2], [2, 3]), expected: errBuffer('6', '2') },
    {
      title: 'an option',
      call: () => nd.create([1], [1], any({ stride: [1] })),
      expected: errOption('create', 'stride'),
    },
    { title: 'options', call: () => nd.create([1], [1], any([[1]])), expected: errOption('create', '0') },
    { title: 'no options', call: () => nd.create([1], [1], any('strides')), expected: errOption('create', 'strides') },
    { title: 'a negative size', call: () => nd.zeros([-1]), expected: errShape('shape', '[-1]') },
    { title: 'no shape', call: () => nd.zeros(any(undefined)), expected: errShape('shape', 'undefined') },
    {
      title: 'more than memory holds',
      call: () => nd.zeros([2 ** 50]),
      expected: errShape('memory', '1125899906842624'),
    },
    { title: 'dtype of zeros', call: () => nd.zeros([1], any(null)), expected: errDtype('dtype', 'null') },
    { title: 'value of full', call: () => nd.full([1], any('1')), expected: errDtype('value', '"1"') },
    { title: 'a scalar that is none', call: () => nd.scalar(any([1])), expected: errDtype('value', '[1]') },
    { title: 'a step of 0', call: () => nd.arange(0, 1, 0), expected: errRange('step', '0') },
    { title: 'an endless range', call: () => nd.arange(Infinity), expected: errRange('stop', 'Infinity') },
    { title: 'a start of NaN', call: () => nd.arange(Number.NaN, 1), expected: errRange('start', 'NaN') },
    { title: 'a start as text', call: () => nd.arange(any('0'), 1), expected: errDtype('start', '"0"') },
    { title: 'half a number', call: () => nd.linspace(0, 1, 2.5), expected: errShape('[2.5]') },
    { title: 'an infinite end', call: () => nd.linspace(0, Infinity, 2), expected: errRange('stop', 'Infinity') },
    { title: 'half a row', call: () => nd.eye(1.5), expected: errShape('[1.5, 1.5]') },
    {
      title: 'random whole numbers',
      call: () => nd.rand([1], any({ dtype: 'int32' })),
      expected: errDtype('rand', 'int32'),
    },
    { title: 'a seed of 1.5', call: () => nd.randn([1], { seed: 1.5 }), expected: errRange('seed', '1.5') },
    { title: 'a seed as text', call: () => nd.randn([1], any({ seed: '1' })), expected: errOption('seed', '"1"') },
    { title: 'a random option', call: () => nd.rand([1], any({ sed: 1 })), expected: errOption('rand', 'sed') },
    { title: 'a seed alone', call: () => nd.rand([1], any(7)), expected: errOption('rand', '7') },
  ];
  test.each(rows)('$title', ({ call, expected }) => {
    expectError(call, expected);
  });
});

describe('nd', () => {
  const rows: readonly {
    readonly title: string;
    readonly make: (dtype?: Dtype) => { dtype: Dtype; shape: readonly number[]; toArray(): unknown };
    readonly values: unknown;
    readonly shape: readonly number[];
  }[] = [
    {
      title: 'array',
      make: (d) =>
        nd.array(
          [
            [1, 2],
            [3, 4],
          ],
          d,
        ),
      values: [
        [1, 2],
        [3, 4],
      ],
      shape: [2, 2],
    },
    {
      title: 'array of rank 4',
      make: (d) => nd.array([[[[1]], [[2]]]], d),
      values: [[[[1]], [[2]]]],
      shape: [1, 2, 1, 1],
    },
    { title: 'zeros', make: (d) => nd.zeros([2, 1], d), values: [[0], [0]], shape: [2, 1] },
    { title: 'zeros by length', make: (d) => nd.zeros(2, d), values: [0, 0], shape: [2] },
    { title: 'ones', make: (d) => nd.ones([1, 2], d), values: [[1, 1]], shape: [1, 2] },
    { title: 'full', make: (d) => nd.full([2], 7, d), values: [7, 7], shape: [2] },
    { title: 'scalar', make: (d) => nd.scalar(7, d), values: 7, shape: [] },
    { title: 'arange', make: (d) => nd.arange(1, 8, 3, d), values: [1, 4, 7], shape: [3] },
    { title: 'arange backwards', make: (d) => nd.arange(3, 0, -1, d), values: [3, 2, 1], shape: [3] },
    { title: 'arange of nothing', make: (d) => nd.arange(3, 0, 1, d), values: [], shape: [0] },
    { title: 'linspace', make: (d) => nd.linspace(0, 8, 3, d), values: [0, 4, 8], shape: [3] },
    { title: 'linspace of one', make: (d) => nd.linspace(3, 8, 1, d), values: [3], shape: [1] },
    { title: 'linspace of none', make: (d) => nd.linspace(3, 8, 0, d), values: [], shape: [0] },
    {
      title: 'eye',
      make: (d) => nd.eye(2, 3, d),
      values: [
        [1, 0, 0],
        [0, 1, 0],
      ],
      shape: [2, 3],
    },
    { title: 'tall eye', make: (d) => nd.eye(3, 1, d), values: [[1], [0], [0]], shape: [3, 1] },
    { title: 'no eye', make: (d) => nd.eye(0, 0, d), values: [], shape: [0, 0] },
  ];
  test.each(rows)('$title', ({ make, values, shape }) => {
    expect(make()).toMatchObject({ dtype: 'float32', shape });
    for (const dtype of ['float32', 'float64', 'int8', 'uint8', 'int32', 'int64', 'uint64'] as const) {
      expect(make(dtype)).toMatchObject({ dtype, shape });
      expect(make(dtype).toArray()).toEqual(values);
    }
  });

  test('the ends of linspace are exact', () => {
    expect(nd.linspace(0.1, 0.3, 7, 'float64').at(-1)).toBe(0.3);
    expect(nd.linspace(-1e308, 1e308, 3, 'float64').toArray()).toEqual([-1e308, 0, 1e308]);
  });

  test('plain numbers reach whole-number dtypes unrounded', () => {
    expect(nd.array([16777217], 'int32').toArray()).toEqual([16777217]);
    expect(nd.array([2 ** 53 - 1], 'int64').data).toEqual(BigInt64Array.of(2n ** 53n - 1n));
  });

  test('array copies, create does not', () => {
    const data = Float64Array.of(1, 2, 3, 4);
    expect(nd.array(data).data).not.toBe(data);
    expect(nd.array(data)).toMatchObject({ dtype: 'float64', shape: [4] });
    expect(nd.array({ data, shape: [2, 2], strides: [1, 2] }).data).toEqual(Float64Array.of(1, 3, 2, 4));
    expect(nd.create(data).data).toBe(data);
    expect(nd.create(data, [2, 2], { strides: [1, 2] })).toMatchObject({ data, shape: [2, 2], strides: [1, 2] });
    expect(nd.create([1, 2, 3, 4], [2, 2])).toMatchObject({ dtype: 'float32', shape: [2, 2] });
    expect(nd.create([1, 2]).toArray()).toEqual([1, 2]);
  });
});

describe.each(['rand', 'randn'] as const)('%s', (name) => {
  test('is the same for the same seed', () => {
    for (const dtype of ['float32', 'float64'] as const) {
      const numbers = nd[name]([50, 2], { seed: 7, dtype });
      expect(numbers).toMatchObject({ dtype, shape: [50, 2] });
      expect(nd[name]([50, 2], { seed: 7, dtype }).data).toEqual(numbers.data);
      expect(nd[name]([50, 2], { seed: 8, dtype }).data).not.toEqual(numbers.data);
      expect(nd[name]([50, 2], { dtype }).data).not.toEqual(numbers.data);
    }
  });

  test('has the moments of its distribution', () => {
    // Bounds of four deviations of the estimates, for 2^16 numbers of a fixed seed.
    const n = 1 << 16;
    const numbers = nd[name](n, { seed: 1, dtype: 'float64' });
    const [mean, variance] = name === 'rand' ? [0.5, 1 / 12] : [0, 1];
    const centred = numbers.sub(mean);
    const squares = centred.mul(centred);
    const fourth = name === 'rand' ? 1 / 80 : 3;
    expect(Math.abs(centred.meanNumber())).toBeLessThan(4 * Math.sqrt(variance / n));
    expect(Math.abs(squares.meanNumber() - variance)).toBeLessThan(4 * Math.sqrt((fourth - variance ** 2) / n));
    // Neighbours do not go together.
    const pairs = centred.rows(1).mul(centred.rows(0, n - 1));
    expect(Math.abs(pairs.meanNumber())).toBeLessThan((4 * variance) / Math.sqrt(n));
  });
});

test('randn has the tails of a normal distribution', () => {
  const n = 1 << 16;
  const numbers = nd.randn(n, { seed: 3, dtype: 'float64' });
  for (const { beyond, share } of [
    { beyond: 1, share: 0.3173105 },
    { beyond: 2, share: 0.0455003 },
    { beyond: 3, share: 0.0026998 },
  ]) {
    const count = numbers.gt(beyond).sumNumber() + numbers.lt(-beyond).sumNumber();
    expect(Math.abs(count / n - share)).toBeLessThan(4 * Math.sqrt((share * (1 - share)) / n));
  }
  expect(numbers.norm1(0).at()).toBeGreaterThan(0);
  expect(Number.isFinite(numbers.sumNumber())).toBe(true);
});
