// SPDX-License-Identifier: Apache-2.0
import { Activation, ActivationSoftmax, nd } from '../../lib';
import { errOption, errShape, expectError } from '../support/errors';
import { values } from '../support/library';
import { literal, mismatches } from '../support/tolerance';

const forward = (row: readonly number[]): number[] =>
  values(new ActivationSoftmax().getActivation(nd.array([row], 'float64')));

test.each([
  { title: 'an unknown option', call: () => new ActivationSoftmax({ axis: 1 } as never), expected: errOption('axis') },
  { title: 'a number', call: () => new ActivationSoftmax(1 as never), expected: errOption() },
  {
    title: 'no columns',
    call: () => new ActivationSoftmax().getActivation(nd.zeros([2, 0])),
    expected: errShape('input', '[2, 0]'),
  },
  {
    title: 'epsilon of another shape',
    call: () => new ActivationSoftmax().backprop(nd.zeros([2, 3]), nd.zeros([3, 2])),
    expected: errShape('epsilon', '[2, 3]', '[3, 2]'),
  },
])('rejects $title', ({ call, expected }) => {
  expectError(call, expected);
});

test('has its names', () => {
  expect(String(new ActivationSoftmax())).toBe('softmax');
  expect(Activation.SOFTMAX.getActivationFunction()).toBeInstanceOf(ActivationSoftmax);
});

test.each([
  { z: [1, 2, 3], p: [0.09003057317038046, 0.24472847105479764, 0.6652409557748219] },
  { z: [0.5, -0.5], p: [0.7310585786300049, 0.2689414213699951] },
  { z: [1e4, 1e4 - 1], p: [0.7310585786300049, 0.2689414213699951] },
  { z: [7], p: [1] },
  { z: [1000, -1000], p: [1, 0] },
  { z: [-Infinity, 0, 0], p: [0, 0.5, 0.5] },
  { z: [Infinity, 0], p: [Number.NaN, Number.NaN] },
  { z: [-Infinity, -Infinity], p: [Number.NaN, Number.NaN] },
  { z: [Number.NaN, 0], p: [Number.NaN, Number.NaN] },
])('the probabilities of $z', ({ z, p }) => {
  expect(mismatches('p', forward(z), p, literal.float64)).toEqual([]);
});

test('the Jacobian couples a row', () => {
  const [dz, parameters] = new ActivationSoftmax().backprop(
    nd.array([[1, 2, 3]], 'float64'),
    nd.array([[1, -1, 0.5]], 'float64'),
  );
  const want = [0.07401210131275805, -0.28827119202505525, 0.21425909071229718];
  expect(mismatches('dz', values(dz), want, literal.float64)).toEqual([]);
  expect(parameters).toBeNull();
});

test('one column has gradient 0', () => {
  expect(values(new ActivationSoftmax().backprop(nd.array([[3]]), nd.array([[5]]))[0])).toEqual([0]);
});

test('rows are alone with NaN and infinities', () => {
  const z = nd.array([
    [0, 0],
    [Number.NaN, 0],
    [0, 0],
  ]);
  expect(values(new ActivationSoftmax().getActivation(z))).toEqual([0.5, 0.5, Number.NaN, Number.NaN, 0.5, 0.5]);
});
