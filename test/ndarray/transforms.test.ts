// SPDX-License-Identifier: Apache-2.0
import type { ArrayInput, Dtype } from '../../lib/array-input';
import { nd } from '../../lib/ndarray/nd';
import { NDArray } from '../../lib/ndarray/ndarray';
import { Transforms } from '../../lib/ndarray/transforms';
import { type Expected, errBuffer, errDtype, errShape, expectError } from '../support/errors';

const { NaN: nan } = Number;
const inf = Infinity;

/** Functions of one array: what they give in float64, and for whole numbers. */
interface Row {
  readonly name: Exclude<keyof typeof Transforms, 'pow' | 'max' | 'min' | 'clip' | 'softmax'>;
  /** Pairs of x and y. */
  readonly points: readonly (readonly [x: number, y: number])[];
  /** Keeps the dtype of whole numbers. */
  readonly whole?: true;
}

const functions: readonly Row[] = [
  {
    name: 'abs',
    whole: true,
    points: [
      [-2, 2],
      [0.5, 0.5],
      [-0, 0],
      [-inf, inf],
    ],
  },
  {
    name: 'neg',
    whole: true,
    points: [
      [2, -2],
      [-0.5, 0.5],
      [0, -0],
      [inf, -inf],
    ],
  },
  {
    name: 'sign',
    whole: true,
    points: [
      [2.5, 1],
      [-0.1, -1],
      [0, 0],
      [-0, -0],
      [-inf, -1],
    ],
  },
  {
    name: 'floor',
    whole: true,
    points: [
      [1.5, 1],
      [-1.5, -2],
      [3, 3],
      [inf, inf],
    ],
  },
  {
    name: 'ceil',
    whole: true,
    points: [
      [1.5, 2],
      [-1.5, -1],
      [-0.5, -0],
      [3, 3],
    ],
  },
  {
    name: 'round',
    whole: true,
    points: [
      [0.5, 1],
      [-0.5, -1],
      [1.5, 2],
      [2.5, 3],
      [-2.5, -3],
      [0.4, 0],
      [-0.4, -0],
      [0.49999999999999994, 0],
      [2 ** 52 + 1, 2 ** 52 + 1],
      [inf, inf],
    ],
  },
  {
    name: 'sqrt',
    points: [
      [4, 2],
      [2, Math.SQRT2],
      [-1, nan],
      [inf, inf],
    ],
  },
  {
    name: 'exp',
    points: [
      [0, 1],
      [1, Math.E],
      [-inf, 0],
      [1000, inf],
    ],
  },
  {
    name: 'expm1',
    points: [
      [0, 0],
      [1e-20, 1e-20],
      [1, 1.718281828459045],
      [-inf, -1],
    ],
  },
  {
    name: 'log',
    points: [
      [1, 0],
      [2, Math.LN2],
      [0, -inf],
      [-1, nan],
    ],
  },
  {
    name: 'log1p',
    points: [
      [0, 0],
      [1e-20, 1e-20],
      [1, Math.LN2],
      [-1, -inf],
    ],
  },
  {
    name: 'sigmoid',
    points: [
      [0, 0.5],
      [2, 0.8807970779778823],
      [-2, 0.11920292202211755],
      [1000, 1],
      [-700, Math.exp(-700)],
      [-1000, 0],
    ],
  },
  {
    name: 'tanh',
    points: [
      [0, 0],
      [2, 0.9640275800758169],
      [-1000, -1],
      [1e-20, 1e-20],
    ],
  },
  {
    name: 'softplus',
    points: [
      [0, Math.LN2],
      [1000, 1000],
      [-700, Math.exp(-700)],
      [2, 2.1269280110429727],
    ],
  },
  {
    name: 'relu',
    whole: true,
    points: [
      [2, 2],
      [-2, 0],
      [0, 0],
      [inf, inf],
    ],
  },
];

/** Equal but for roundings: Math's functions may be off by one in any engine. */
function expectNear(got: unknown, want: readonly number[], precision: number): void {
  (got as number[]).forEach((value, i) => {
    const expected = want[i] as number;
    if (!Number.isFinite(expected) || expected === 0) expect(value).toBe(expected);
    else expect(Math.abs(value / expected - 1)).toBeLessThanOrEqual(precision);
  });
  expect((got as number[]).length).toBe(want.length);
}

function detached(): Float32Array {
  const data = new Float32Array(2);
  structuredClone(data.buffer, { transfer: [data.buffer] });
  return data;
}

describe('a bad argument', () => {
  const any = (value: unknown) => value as never;
  const repeated = () => new NDArray(new Float32Array(2), [2, 2], [0, 1]);
  const rows: readonly { readonly title: string; readonly call: () => unknown; readonly expected: Expected }[] = [
    ...functions.flatMap(({ name, whole }) => [
      {
        title: `${name} of nothing`,
        call: () => Transforms[name](any(undefined)),
        expected: errDtype(name, 'undefined'),
      },
      { title: `${name} of texts`, call: () => Transforms[name](any(['1'])), expected: errDtype(name, '"1"') },
      {
        title: `${name} of detached memory`,
        call: () => Transforms[name](detached()),
        expected: errBuffer(name, 'detached'),
      },
      {
        title: `${name} in a repeated row`,
        call: () => Transforms[name](repeated(), false),
        expected: errBuffer(name, '[0, 1]'),
      },
      ...(whole
        ? []
        : [
            {
              title: `${name} in whole numbers`,
              call: () => Transforms[name](nd.ones([2], 'int32'), false),
              expected: errDtype(name, 'float32', 'int32'),
            },
          ]),
    ]),
    { title: 'softmax of a number', call: () => Transforms.softmax(nd.scalar(1)), expected: errShape('softmax', '[]') },
    {
      title: 'softmax in whole numbers',
      call: () => Transforms.softmax(nd.ones([2], 'int8'), false),
      expected: errDtype('softmax'),
    },
    {
      title: 'max of other shapes',
      call: () => Transforms.max([1, 2], [1, 2, 3]),
      expected: errShape('max', '[2]', '[3]'),
    },
    {
      title: 'min with nothing',
      call: () => Transforms.min([1, 2], any(undefined)),
      expected: errDtype('min', 'undefined'),
    },
    {
      title: 'pow that grows in place',
      call: () => Transforms.pow(nd.ones([2]), [[1], [2]], false),
      expected: errShape('pow', '[2]'),
    },
    {
      title: 'pow in whole numbers',
      call: () => Transforms.pow(nd.ones([2], 'int32'), 2, false),
      expected: errDtype('pow'),
    },
    { title: 'clip to texts', call: () => Transforms.clip([1], any('0'), 1), expected: errDtype('max', '"0"') },
  ];
  test.each(rows)('$title', ({ call, expected }) => {
    expectError(call, expected);
  });

  test('clip writes nothing where its upper limit is none', () => {
    const x = nd.array([-2, 3]);
    expectError(() => Transforms.clip(x, 0, any(undefined), false), errDtype('min', 'undefined'));
    expect(x.toArray()).toEqual([-2, 3]);
  });
});

describe.each(functions)('$name', ({ name, points, whole }) => {
  const xs = [...points.map(([x]) => x), nan];
  const ys = [...points.map(([, y]) => y), nan];

  test('in float64 and float32', () => {
    expectNear(Transforms[name](nd.array(xs, 'float64')).toArray(), ys, 2 ** -51);
    // Computed in float64 from the rounded argument, and rounded once.
    const single = nd.array(xs);
    const double = Transforms[name](single.castTo('float64'));
    expect(Transforms[name](single).data).toEqual(double.castTo('float32').data);
  });

  test('leaves its argument, unless told otherwise', () => {
    const x = nd.array([
      [1, 4],
      [9, 16],
    ]);
    const y = Transforms[name](x);
    expect([y === x, x.toArray()]).toEqual([
      false,
      [
        [1, 4],
        [9, 16],
      ],
    ]);
    const turned = x.transpose();
    expect(Transforms[name](turned, true).toArray()).toEqual(y.transpose().toArray());
    expect(Transforms[name](turned, false)).toBe(turned);
    expect(x.toArray()).toEqual(y.toArray());
  });

  test('of whole numbers', () => {
    for (const dtype of ['int8', 'int64'] as const) {
      const y = Transforms[name](nd.array([4, 1], dtype));
      expect(y.dtype).toBe(whole ? dtype : 'float32');
      expect(y.toArray()).toEqual(Transforms[name](nd.array([4, 1])).toArray());
    }
  });

  test('writes to a bare typed array', () => {
    const data = Float64Array.of(4, 1);
    const expected = Transforms[name](data);
    const y = Transforms[name](data, false);
    expect([y.data === data, y.toArray()]).toEqual([true, expected.toArray()]);
  });
});

describe('of two arrays', () => {
  const rows: readonly {
    readonly title: string;
    readonly call: (x: ArrayInput, dup?: boolean) => NDArray;
    readonly x: number[];
    readonly y: number[];
  }[] = [
    { title: 'max with a number', call: (x, dup) => Transforms.max(x, 0, dup), x: [-1, 2, nan], y: [0, 2, nan] },
    {
      title: 'max with an array',
      call: (x, dup) => Transforms.max(x, [0, 3, nan], dup),
      x: [-1, 2, 3],
      y: [0, 3, nan],
    },
    { title: 'min with a number', call: (x, dup) => Transforms.min(x, 0, dup), x: [-1, 2, nan], y: [-1, 0, nan] },
    {
      title: 'min with an array',
      call: (x, dup) => Transforms.min(x, [0, 3, nan], dup),
      x: [-1, 2, 3],
      y: [-1, 2, nan],
    },
    { title: 'min with one element', call: (x, dup) => Transforms.min(x, nd.scalar(1), dup), x: [0, 2], y: [0, 1] },
    { title: 'pow with a number', call: (x, dup) => Transforms.pow(x, 3, dup), x: [2, -2, 0.5], y: [8, -8, 0.125] },
    { title: 'pow with an array', call: (x, dup) => Transforms.pow(x, [0, 1, -1], dup), x: [2, 3, 4], y: [1, 3, 0.25] },
    { title: 'clip', call: (x, dup) => Transforms.clip(x, -1, 1, dup), x: [-2, 0.5, 3, nan], y: [-1, 0.5, 1, nan] },
    { title: 'clip to arrays', call: (x, dup) => Transforms.clip(x, [0, 1], [1, 2], dup), x: [-2, 3], y: [0, 2] },
    { title: 'clip to nothing', call: (x, dup) => Transforms.clip(x, 1, 0, dup), x: [-2, 3], y: [0, 0] },
  ];
  test.each(rows)('$title', ({ call, x, y }) => {
    for (const dtype of ['float32', 'float64'] as const) {
      const array = nd.array(x, dtype);
      const result = call(array);
      expect([result.dtype, result.toArray(), array.toArray()]).toEqual([dtype, y, x]);
      expect(call(array, false)).toBe(array);
      expect(array.toArray()).toEqual(y);
    }
    expect(call(x).toArray()).toEqual(y);
  });

  test.each<{ title: string; call: (x: NDArray) => NDArray; dtype: Dtype }>([
    { title: 'max with a whole number', call: (x) => Transforms.max(x, 2), dtype: 'int32' },
    { title: 'max with a fraction', call: (x) => Transforms.max(x, 0.5), dtype: 'float32' },
    { title: 'min with float64', call: (x) => Transforms.min(x, nd.ones([2], 'float64')), dtype: 'float64' },
    { title: 'pow', call: (x) => Transforms.pow(x, 2), dtype: 'float32' },
  ])('whole numbers: $title', ({ call, dtype }) => {
    expect(call(nd.array([1, 2], 'int32')).dtype).toBe(dtype);
  });

  test('a row beside rows', () => {
    expect(
      Transforms.max(
        [
          [1, 2],
          [3, 0],
        ],
        [2, 1],
      ).toArray(),
    ).toEqual([
      [2, 2],
      [3, 1],
    ]);
  });
});

describe('softmax', () => {
  const third = 1 / 3;
  test.each([
    {
      title: 'equal logits',
      x: [
        [5, 5],
        [-5, -5],
      ],
      y: [
        [0.5, 0.5],
        [0.5, 0.5],
      ],
    },
    { title: 'a vector', x: [1, 1, 1], y: [third, third, third] },
    {
      title: 'extreme logits',
      x: [
        [1000, 0],
        [0, -1000],
      ],
      y: [
        [1, 0],
        [1, 0],
      ],
    },
    { title: 'minus infinity', x: [[0, 0, -inf]], y: [[0.5, 0.5, 0]] },
    {
      title: 'infinity',
      x: [
        [0, inf],
        [0, 0],
      ],
      y: [
        [nan, nan],
        [0.5, 0.5],
      ],
    },
    { title: 'minus infinity alone', x: [[-inf, -inf]], y: [[nan, nan]] },
    {
      title: 'NaN',
      x: [
        [nan, 0],
        [0, 0],
      ],
      y: [
        [nan, nan],
        [0.5, 0.5],
      ],
    },
    { title: 'no columns', x: [[], []], y: [[], []] },
    { title: 'no rows', x: nd.zeros([0, 3]), y: nd.zeros([0, 3]) },
    { title: 'rank 3', x: [[[0, 0]], [[Math.log(3), 0]]], y: [[[0.5, 0.5]], [[0.75, 0.25]]] },
  ])('of $title', ({ x, y }) => {
    for (const dtype of ['float32', 'float64'] as const) {
      const array = nd.array(x as ArrayInput, dtype);
      const expected = nd.array(y as ArrayInput, dtype);
      const near = (got: NDArray) => got.sub(expected).norm1Number() <= 2 ** (dtype === 'float32' ? -23 : -52);
      const special = (got: NDArray) => got.neq(got).toArray();
      const result = Transforms.softmax(array);
      expect([result.dtype, result.shape, special(result)]).toEqual([dtype, array.shape, special(expected)]);
      expect(near(result) || Number.isNaN(expected.sumNumber())).toBe(true);
      expect(Transforms.softmax(array, false)).toBe(array);
      expect(array.data).toEqual(result.data);
    }
  });

  test('of transposed logits, in place', () => {
    const data = Float64Array.of(0, 1000, 0, 0);
    Transforms.softmax(new NDArray(data, [2, 2], [1, 2]), false);
    expect(Array.from(data)).toEqual([0.5, 1, 0.5, 0]);
  });

  test('of whole numbers', () => {
    expect(Transforms.softmax(nd.array([0, 0], 'int64'))).toMatchObject({
      dtype: 'float32',
      data: Float32Array.of(0.5, 0.5),
    });
  });
});
