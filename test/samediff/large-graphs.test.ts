// SPDX-License-Identifier: Apache-2.0
// Graphs of many operations: deeper than a stack, and more than one program of a region can hold. Values and gradients
// against the oracle's.
import { type NDArray, nd, SameDiff, type SDVariable } from '../../lib';
import { evaluate } from '../reference/graph-oracle';
import { values } from '../support/library';
import { againstOracle, mismatches } from '../support/tolerance';

const x0 = nd.array(
  [
    [0.5, 1, -1],
    [0.25, -2, 2],
  ],
  'float64',
);

/** What differs from the oracle's values of the same nodes, in either dtype. */
function wrong(make: (sd: SameDiff, x: SDVariable) => readonly SDVariable[], x64: NDArray = x0): string[] {
  return (['float32', 'float64'] as const).flatMap((dtype) => {
    const array = x64.castTo(dtype);
    const sd = SameDiff.create();
    const x = sd.placeHolder('x', dtype, array.shape);
    const made = make(sd, x);
    const nodes = made.map(({ node }) => node);
    const want = evaluate(sd.expand(nodes), ({ attributes: { name } }) => {
      const input = name === 'x' ? array : sd.arrayOf(String(name));
      return { shape: input.shape, data: values(input) };
    });
    const { relative, absolute } = againstOracle[dtype];
    // Errors grow with the operations that a value has behind it.
    const tolerance = { relative: 64 * relative, absolute: 64 * absolute };
    return sd.run(nodes, { x: array }).flatMap((got, i) => {
      const name = `${dtype} ${made[i]?.name()}`;
      if (String(got.shape) !== String(want[i]?.shape)) return [`${name}: [${got.shape}], not [${want[i]?.shape}]`];
      return mismatches(name, values(got), want[i]?.data ?? [], tolerance);
    });
  });
}

/** The sum of terms, by pairs. */
function sumOf(terms: readonly SDVariable[]): SDVariable {
  const half = terms.length >> 1;
  return half === 0 ? (terms[0] as SDVariable) : sumOf(terms.slice(0, half)).add(sumOf(terms.slice(half)));
}

describe('chains', () => {
  const steps: readonly {
    readonly title: string;
    readonly count: number;
    readonly step: (x: SDVariable, i: number, sd: SameDiff) => SDVariable;
  }[] = [
    { title: 'elements', count: 20_000, step: (x, i) => (i % 2 === 0 ? x.mul(0.99) : x.softplus()) },
    { title: 'paths that meet again', count: 1_000, step: (x) => x.sub(x.tanh().mul(0.001)) },
    { title: 'as many numbers', count: 3_000, step: (x, i) => x.add(1 / (i + 1)).tanh() },
    { title: 'choices', count: 1_500, step: (x, i, sd) => sd.where(1 / (i + 1), x, x.gt(2)).mul(1.001) },
    { title: 'choices of 0', count: 1_500, step: (x, i, sd) => sd.where(x, 0, x.gt(-i)).mul(0.9995) },
    { title: 'sums of rows', count: 500, step: (x) => x.sub(x.mean(1, { keepDims: true }).mul(0.001)) },
    { title: 'softmax', count: 400, step: (x, _, sd) => sd.nn.softmax(x).mul(3) },
    { title: 'sums of columns', count: 400, step: (x) => x.sub(x.sum(0).mul(0.001)) },
    { title: 'sums of all', count: 400, step: (x) => x.sub(x.sum().mul(0.001)) },
    { title: 'products of matrices', count: 1_000, step: (x) => x.mmul(x.transpose().mmul(x)).tanh() },
    { title: 'shapes', count: 2_000, step: (x, i) => (i % 2 === 0 ? x.reshape(3, 2) : x.reshape(2, 3)).mul(0.999) },
    { title: 'views', count: 2_000, step: (x) => x.transpose().softplus().mul(0.99) },
  ];
  test.each(steps)(
    'of $count: $title',
    ({ count, step }) => {
      const bad = wrong((sd, x) => {
        let y = x;
        for (let i = 0; i < count; i++) y = step(y, i, sd);
        return [y.rename('y'), y.sum().gradient(x).rename('slope')];
      });
      expect(bad).toEqual([]);
    },
    60_000,
  );

  test('of numbers that follow from sums', () => {
    const bad = wrong((_, x) => {
      let y = x.sum();
      for (let i = 0; i < 5_000; i++) y = y.mul(0.9).add(y.mul(0.05));
      return [y, y.gradient(x)];
    });
    expect(bad).toEqual([]);
  });
});

describe('more than one program holds', () => {
  const steps: readonly { readonly title: string; readonly of: (sd: SameDiff, x: SDVariable) => SDVariable[] }[] = [
    {
      title: 'numbers',
      of: (_, x) => [sumOf(Array.from({ length: 1_100 }, (_, i) => x.mul(1 / (i + 1))))],
    },
    {
      title: 'values at a time',
      of: (_, x) => {
        const terms = Array.from({ length: 1_100 }, (_, i) => x.add(1 / (i + 1)).tanh());
        return [sumOf(terms.map((term, i) => term.mul(terms[terms.length - 1 - i] as SDVariable)))];
      },
    },
    {
      title: 'values a row',
      of: (_, x) => {
        const rows = Array.from({ length: 1_100 }, (_, i) => x.add(i).abs().add(1).log().sum(1, { keepDims: true }));
        return [x.mul(sumOf(rows.map((row, i) => row.mul(rows[rows.length - 1 - i] as SDVariable)))).mul(1e-6)];
      },
    },
    {
      title: 'arrays',
      of: (sd, x) => [sumOf(Array.from({ length: 200 }, (_, i) => x.mmul(sd.constant(nd.full([3, 3], i / 128)))))],
    },
    {
      title: 'results',
      of: (_, x) => Array.from({ length: 40 }, (_, i) => x.add(i).tanh()),
    },
    {
      title: 'sums',
      of: (_, x) => Array.from({ length: 40 }, (_, i) => [x.add(i).tanh().sum(), x.sub(i).tanh().sum(0)]).flat(),
    },
    {
      title: 'sums under another',
      of: (_, x) => [sumOf(Array.from({ length: 200 }, (_, i) => x.add(i).tanh().sum())).mul(x)],
    },
  ];
  test.each(steps)('$title', ({ of }) => {
    const bad = wrong((sd, x) => {
      const made = of(sd, x);
      return [
        ...made,
        sumOf(made.map((each) => each.sum()))
          .gradient(x)
          .rename('slope'),
      ];
    });
    expect(bad).toEqual([]);
  });
});
