// SPDX-License-Identifier: Apache-2.0
import { ActivationPReLU, nd } from '../../lib';
import { describeActivation } from '../support/describe-activation';
import { errOption, errShape } from '../support/errors';

describeActivation({
  Class: ActivationPReLU,
  name: 'ActivationPReLU',
  bad: [
    { title: 'an unknown option', args: [{ nothing: 1 }], expected: errOption('nothing') },
    { title: 'no slopes', args: [], expected: errOption('alpha') },
    { title: 'a number', args: [0.1], expected: errOption() },
    { title: 'slopes of rows', args: [[[1], [2]]], expected: errShape('alpha', '[2, 1]') },
  ],
  texts: [{ args: [[0.5, 0.25]], text: 'prelu(alpha=[0.5, 0.25])' }],
  tables: [
    {
      forms: [[[0.25]], [{ alpha: [0.25] }], [[[0.25]]], [Float64Array.of(0.25)]],
      points: [
        [-Infinity, -Infinity, 0.25],
        [-3, -0.75, 0.25],
        [-1, -0.25, 0.25],
        [-0.5, -0.125, 0.25],
        [0, 0, 1],
        [0.5, 0.5, 1],
        [1, 1, 1],
      ],
    },
  ],
});

test('a slope for each column, and the gradient of each', () => {
  const prelu = new ActivationPReLU([0.5, -0.25]);
  const z = nd.array([
    [-1, -2],
    [3, -4],
    [-5, 6],
  ]);
  expect(prelu.numParams(2)).toBe(2);
  const [dz, dalpha] = prelu.backprop(
    z,
    nd.array([
      [1, 2],
      [3, 4],
      [5, 6],
    ]),
  );
  expect(dz.toArray()).toEqual([
    [0.5, -0.5],
    [3, -1],
    [2.5, 6],
  ]);
  // sum over the rows of epsilon z where z < 0: 1 * -1 + 5 * -5, 2 * -2 + 4 * -4
  expect(dalpha?.toArray()).toEqual([-26, -20]);
  expect(prelu.getActivation(z).toArray()).toEqual([
    [-0.5, 0.5],
    [3, 1],
    [-2.5, 6],
  ]);
});

test('slopes updated in place count', () => {
  const alpha = nd.array([0.5]);
  const prelu = new ActivationPReLU(alpha);
  alpha.muli(2);
  expect(prelu.getActivation(nd.array([[-3]])).toArray()).toEqual([[-3]]);
});
