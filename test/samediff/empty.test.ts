// SPDX-License-Identifier: Apache-2.0
// Arrays without elements: results without any, 0 for a sum, NaN for a mean, an error for a largest one.
import { nd, SameDiff, type SDVariable } from '../../lib';
import { errShape, expectError } from '../support/errors';
import { values } from '../support/library';

interface Row {
  readonly of: readonly number[];
  readonly title: string;
  readonly make: (x: SDVariable) => SDVariable;
  readonly shape: readonly number[];
  /** What each element is. */
  readonly each?: number;
}

const rows: readonly Row[] = [
  ...[[0, 3], [2, 0], [0, 0], [2, 0, 3], [0]].flatMap((of): Row[] => [
    { of, title: 'elements', make: (x) => x.neg().exp().add(1), shape: of },
    { of, title: 'softmax', make: (x) => x.sameDiff.nn.softmax(x), shape: of },
    { of, title: 'logSoftmax', make: (x) => x.sameDiff.nn.logSoftmax(x), shape: of },
    { of, title: 'a row of each', make: (x) => x.mul(x.sum(-1, { keepDims: true })), shape: of },
    { of, title: 'transpose', make: (x) => x.transpose().tanh(), shape: [...of].reverse() },
    { of, title: 'reshape', make: (x) => x.reshape(-1).exp(), shape: [0] },
    { of, title: 'sum', make: (x) => x.sum(), shape: [], each: 0 },
    { of, title: 'norm2', make: (x) => x.norm2(), shape: [], each: 0 },
    { of, title: 'mean', make: (x) => x.mean(), shape: [], each: Number.NaN },
    { of, title: 'gradient', make: (x) => x.square().mean().gradient(x), shape: of },
    { of, title: 'gradient of softmax', make: (x) => x.sameDiff.nn.softmax(x).square().sum().gradient(x), shape: of },
  ]),
  { of: [0, 3], title: 'sum of rows', make: (x) => x.sum(1), shape: [0] },
  { of: [0, 3], title: 'max of rows', make: (x) => x.max(1), shape: [0] },
  { of: [0, 3], title: 'logSumExp of rows', make: (x) => x.logSumExp(1), shape: [0] },
  { of: [0, 3], title: 'sum of columns', make: (x) => x.sum(0), shape: [3], each: 0 },
  { of: [0, 3], title: 'mean of columns', make: (x) => x.mean(0), shape: [3], each: Number.NaN },
  { of: [0, 3], title: 'a product', make: (x) => x.transpose().mmul(x).add(1), shape: [3, 3], each: 1 },
  { of: [2, 0], title: 'sum of rows', make: (x) => x.sum(1), shape: [2], each: 0 },
  { of: [2, 0], title: 'mean of rows', make: (x) => x.mean(1).add(1), shape: [2], each: Number.NaN },
  { of: [2, 0], title: 'logSumExp of rows', make: (x) => x.logSumExp(1), shape: [2], each: -Infinity },
  { of: [2, 0], title: 'max of columns', make: (x) => x.max(0), shape: [0] },
  { of: [2, 0], title: 'a product', make: (x) => x.mmul(x.transpose()).add(1), shape: [2, 2], each: 1 },
];

describe.each(['float32', 'float64'] as const)('%s', (dtype) => {
  const variable = (shape: readonly number[]) => SameDiff.create().placeHolder('x', dtype, shape);

  test.each(rows)('$title of $of', ({ of, make, shape, each = 0 }) => {
    for (const sizes of [of, of.map(() => -1)]) {
      const got = make(variable(sizes)).eval({ x: nd.zeros([...of], dtype) });
      expect([got.dtype, got.shape]).toEqual([dtype, shape]);
      expect(values(got)).toEqual(values(nd.full([...shape], each, dtype)));
    }
  });

  test.each([
    { of: [0, 3], axes: [] },
    { of: [0, 3], axes: [0] },
    { of: [2, 0], axes: [1] },
    { of: [2, 0, 3], axes: [0, 1] },
  ])('the largest of nothing is an error: $of over $axes', ({ of, axes }) => {
    for (const reduce of ['max', 'min'] as const) {
      const largest = variable(of)[reduce](...axes);
      expectError(() => largest.eval({ x: nd.zeros(of, dtype) }), errShape('max of', 'at least one element', '0'));
    }
  });
});
