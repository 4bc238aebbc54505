// SPDX-License-Identifier: Apache-2.0
import { LossHinge } from '../../lib';
import { describeLoss } from '../support/describe-loss';
import { errOption } from '../support/errors';

describeLoss({
  Class: LossHinge,
  name: 'LossHinge',
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
      score: 1.75,
      scoreArray: [1.75, 0],
      gradient: [
        [-1, 1],
        [0, 0],
      ],
    },
    {
      title: 'the margin itself has slope 0',
      activation: 'identity',
      labels: [[1, -1]],
      preOutput: [[1, -1]],
      score: 0,
      scoreArray: [0],
      gradient: [[0, 0]],
    },
    {
      title: 'tanh',
      activation: 'tanh',
      labels: [[1, -1]],
      preOutput: [[0.5, 0.5]],
      score: 2,
      scoreArray: [2],
      gradient: [[-0.7864477329659274, 0.7864477329659274]],
    },
    {
      title: 'a fractional mask per output',
      activation: 'identity',
      labels: [[1, -1]],
      preOutput: [[0.5, 0.25]],
      mask: [[0.5, 2]],
      score: 2.75,
      scoreArray: [2.75],
      gradient: [[-0.5, 2]],
    },
  ],
});
