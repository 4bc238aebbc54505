// SPDX-License-Identifier: Apache-2.0
// `sd.nn`: values and slopes of all activations as the specification's, in both dtypes; softmax over any axis, layers.
import { nd, SameDiff, type SDNN, type SDVariable } from '../../lib';
import { activationNames, backward, forward } from '../reference/oracle';
import { nnRows } from '../support/activations';
import { type Expected, errDtype, errOption, errRange, errShape, expectError } from '../support/errors';
import { array, values } from '../support/library';
import { Random } from '../support/random';
import { againstOracle, literal, mismatches } from '../support/tolerance';

const dtypes = ['float32', 'float64'] as const;

describe('bad arguments', () => {
  const sd = SameDiff.create();
  const nn: SDNN = sd.nn;
  const x = sd.placeHolder('x', 'float32', [2, 3]);
  const w = sd.placeHolder('w', 'float32', [2, 4]);
  const theirs = SameDiff.create().placeHolder('theirs', 'float32', [2]);
  const rows: readonly { readonly title: string; readonly call: () => unknown; readonly expected: Expected }[] = [
    { title: 'no variable', call: () => nn.cube([1] as never), expected: errDtype('a variable', '[1]') },
    { title: 'nothing', call: () => sd.nn.tanh(undefined as never), expected: errDtype('a variable', 'undefined') },
    {
      title: 'a variable of another graph',
      call: () => sd.nn.relu(theirs),
      expected: errOption('same graph', 'theirs'),
    },
    { title: 'a name that is taken', call: () => sd.nn.gelu('x', x), expected: errOption('name', 'x') },
    { title: 'an unknown option', call: () => sd.nn.relu(x, { min: 0 } as never), expected: errOption('min') },
    {
      title: 'an option too many',
      call: () => sd.nn.elu.call(sd.nn, ...([x, 1, 2] as never)),
      expected: errOption('2'),
    },
    {
      title: 'an option that is no number',
      call: () => sd.nn.leakyRelu(x, 'a' as never),
      expected: errOption('alpha'),
    },
    { title: 'bounds in the wrong order', call: () => sd.nn.rrelu(x, 0.5, 0.25), expected: errRange('0.25') },
    {
      title: 'an alpha that does not repeat',
      call: () => sd.nn.prelu(x, w),
      expected: errShape('x [2, 3]', 'w [2, 4]'),
    },
    { title: 'an axis that is none', call: () => sd.nn.softmax(x, 2), expected: errRange('dimension', '2') },
    { title: 'weights that do not fit', call: () => sd.nn.linear(x, w), expected: errShape('x [2, 3]', 'w [2, 4]') },
  ];
  test.each(rows)('$title', ({ call, expected }) => {
    expectError(call, expected);
  });
});

describe('activations', () => {
  test('are all of them', () => {
    expect(new Set(nnRows.map(({ activation }) => activation))).toEqual(new Set(activationNames));
  });

  describe.each(nnRows)('$method', ({ of, activation, params = {}, kinks = [] }) => {
    test.each(dtypes)('%s', (dtype) => {
      const random = new Random(activation);
      const extremes = [-1000, -100, -20, 0, 20, 100, 1000].flatMap((z) => [z, z]);
      // Kinks too: there are rules for them.
      const zs = [...kinks, ...kinks, ...extremes, ...random.list(18, () => Math.fround(random.uniform(-4, 4)))];
      const z = { shape: [zs.length >> 2, 4], data: zs.slice(0, (zs.length >> 2) * 4).map(Math.fround) };
      const u = random.list(z.data.length, () => Math.fround(random.uniform(-1, 1)));
      const sd = SameDiff.create();
      const x = sd.placeHolder('x', dtype, z.shape);
      const y = of(sd, x);
      const upstream = sd.constant(array(dtype, { shape: z.shape, data: u }));
      const gradient = y.mul(upstream).gradient(x);
      const [got, slope] = sd.evaluate([y, gradient], { x: array(dtype, z) });
      // By rows: the largest of a row says how much an error counts.
      const bad = [
        { name: 'value', all: values(got as never), want: forward(activation, params, 4, z.data) },
        { name: 'slope', all: values(slope as never), want: backward(activation, params, 4, z.data, u) },
      ].flatMap(({ name, all, want }) =>
        Array.from({ length: z.shape[0] as number }, (_, i) => {
          const row = (list: readonly number[]) => list.slice(4 * i, 4 * i + 4);
          return mismatches(
            `${name} of ${row(z.data)}`,
            row(all),
            row(want).map(dtype === 'float32' ? Math.fround : Number),
            againstOracle[dtype],
          );
        }).flat(),
      );
      expect(bad).toEqual([]);
    });
  });
});

describe('over an axis', () => {
  const data = nd.randn([2, 3, 4], { seed: 1, dtype: 'float64' });
  const at = (i: number, j: number, k: number) => data.at(i, j, k) as number;
  const line = (axis: number, i: number, j: number, k: number): number[] =>
    Array.from({ length: data.shape[axis] as number }, (_, n) =>
      at(axis === 0 ? n : i, axis === 1 ? n : j, axis === 2 ? n : k),
    );
  const logOf = (axis: number, i: number, j: number, k: number): number =>
    at(i, j, k) - Math.log(line(axis, i, j, k).reduce((sum, z) => sum + Math.exp(z), 0));
  const indices = [0, 1].flatMap((i) => [0, 1, 2].flatMap((j) => [0, 1, 2, 3].map((k) => [i, j, k] as const)));

  test.each([0, 1, 2, -1, -2, -3])('%d', (dimension) => {
    const sd = SameDiff.create();
    const x = sd.constant(data);
    const axis = (dimension + 3) % 3;
    const wanted = indices.map(([i, j, k]) => logOf(axis, i, j, k));
    const got = [sd.nn.logSoftmax(x, dimension), sd.nn.softmax(x, dimension)].map((variable) =>
      values(variable.eval()),
    );
    expect(mismatches('logSoftmax', got[0] ?? [], wanted, literal.float64)).toEqual([]);
    expect(mismatches('softmax', got[1] ?? [], wanted.map(Math.exp), literal.float64)).toEqual([]);
  });
});

describe('beyond the activations', () => {
  const sd = SameDiff.create();
  const x = sd.constant('x', nd.array([[1, -2, 0.5]], 'float64'));
  const w = sd.var(
    'w',
    nd.array(
      [
        [1, 2],
        [3, 4],
        [5, 6],
      ],
      'float64',
    ),
  );
  const b = sd.var('b', nd.array([10, 20], 'float64'));
  const alpha = sd.var('alpha', nd.array([0.5, 0.25, 2], 'float64'));
  const far = sd.constant('far', nd.array([-1000, 0, 1000], 'float64'));
  const rows: readonly { readonly title: string; readonly of: SDVariable; readonly want: number[] }[] = [
    { title: 'linear', of: sd.nn.linear(x, w, b), want: [7.5, 17] },
    { title: 'linear without a bias', of: sd.nn.linear(x, w), want: [-2.5, -3] },
    { title: 'linear, slope for the bias', of: sd.nn.linear(x, w, b).gradient(b), want: [1, 1] },
    { title: 'linear, slope for the weights', of: sd.nn.linear(x, w, b).gradient(w), want: [1, 1, -2, -2, 0.5, 0.5] },
    { title: 'prelu, slope for alpha', of: sd.nn.prelu(x, alpha).gradient(alpha), want: [0, -2, 0] },
    { title: 'logSigmoid', of: sd.nn.logSigmoid(far), want: [-1000, -Math.LN2, 0] },
    { title: 'logSigmoid, slope', of: sd.nn.logSigmoid(far).gradient(far), want: [1, 0.5, 0] },
    { title: 'a name', of: sd.nn.tanh('named', far), want: [-1, 0, 1] },
  ];
  test.each(rows)('$title', ({ of, want }) => {
    expect(mismatches('values', values(of.eval()), want, literal.float64)).toEqual([]);
  });

  test('the name is the given one', () => {
    expect(sd.getVariable('named').eval().toArray()).toEqual([-1, 0, 1]);
  });
});
