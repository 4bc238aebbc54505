// SPDX-License-Identifier: Apache-2.0
import { ActivationReLU } from '../../lib';
import { describeActivation } from '../support/describe-activation';
import { errOption } from '../support/errors';

describeActivation({
  Class: ActivationReLU,
  name: 'ActivationReLU',
  bad: [
    { title: 'an unknown option', args: [{ nothing: 1 }], expected: errOption('nothing') },
    { title: 'a max of text', args: [{ max: '6' }], expected: errOption('max') },
    { title: 'four numbers', args: [6, 0, 0, 0], expected: errOption() },
  ],
  value: 'RELU',
  texts: [{ args: [], text: 'relu' }],
  tables: [
    {
      forms: [[], [{}], [{ threshold: 0, negativeSlope: 0 }]],
      points: [
        [-Infinity, 0, 0],
        [-100, 0, 0],
        [-3, 0, 0],
        [-1, 0, 0],
        [-0.5, 0, 0],
        [0, 0, 0],
        [0.5, 0.5, 1],
        [1, 1, 1],
        [3, 3, 1],
        [100, 100, 1],
        [Infinity, Infinity, 1],
      ],
    },
    {
      forms: [[{ max: 1.5, threshold: 0.5, negativeSlope: 0.25 }], [1.5, 0.5, 0.25]],
      points: [
        [-Infinity, -Infinity, 0.25],
        [-1, -0.375, 0.25],
        [0, -0.125, 0.25],
        [0.5, 0.5, 1],
        [1, 1, 1],
        [1.5, 1.5, 0],
        [2, 1.5, 0],
        [Infinity, 1.5, 0],
      ],
    },
    {
      forms: [[{ negativeSlope: 0.25 }]],
      points: [
        [-1, -0.25, 0.25],
        [0, 0, 1],
        [1, 1, 1],
      ],
    },
  ],
});

test('shows its options', () => {
  const { max, threshold, negativeSlope } = new ActivationReLU({ max: 6, threshold: 1, negativeSlope: 0.5 });
  expect([max, threshold, negativeSlope]).toEqual([6, 1, 0.5]);
});
