// SPDX-License-Identifier: Apache-2.0
import { LossSquaredHinge } from '../../lib';
import { describeLoss } from '../support/describe-loss';
import { errOption } from '../support/errors';

describeLoss({
  Class: LossSquaredHinge,
  name: 'LossSquaredHinge',
  bad: [
    { title: 'an unknown option', args: [{ nothing: 1 }], expected: errOption('nothing') },
    { title: 'a number', args: [1], expected: errOption() },
    { title: 'weights', args: [{ weights: [1, 2] }], expected: errOption('weights') },
    { title: 'an array', args: [[1, 2]], expected: errOption() },
  ],
  forms: [[], [{}]],
  cases: [
    {
      title: 'inside and outside of the margin',
      activation: 'identity',
      labels: [
        [1, -1],
        [1, -1],
      ],
      preOutput: [
        [0.5, 0.25],
        [2, -3],
      ],
      score: 1.8125,
      scoreArray: [1.8125, 0],
      gradient: [
        [-1, 2.5],
        [0, 0],
      ],
    },
    {
      title: 'a mask multiplies once',
      activation: 'identity',
      labels: [[1, -1]],
      preOutput: [[0.5, 0.25]],
      mask: [[0.5]],
      score: 0.90625,
      scoreArray: [0.90625],
      gradient: [[-0.5, 1.25]],
    },
    {
      title: 'tanh',
      activation: 'tanh',
      labels: [[1, -1]],
      preOutput: [[0.5, 0.5]],
      score: 2.427104534068145,
      scoreArray: [2.427104534068145],
      gradient: [[-0.8460334845482675, 2.299757447315442]],
    },
  ],
});
