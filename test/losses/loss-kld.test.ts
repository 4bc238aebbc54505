// SPDX-License-Identifier: Apache-2.0
import { LossKLD } from '../../lib';
import { describeLoss } from '../support/describe-loss';
import { errOption } from '../support/errors';

describeLoss({
  Class: LossKLD,
  name: 'LossKLD',
  bad: [
    { title: 'an unknown option', args: [{ nothing: 1 }], expected: errOption('nothing') },
    { title: 'a number', args: [1], expected: errOption() },
    { title: 'weights', args: [{ weights: [1, 2] }], expected: errOption('weights') },
    { title: 'an array', args: [[1, 2]], expected: errOption() },
  ],
  forms: [[], [{}]],
  cases: [
    {
      title: 'probabilities',
      activation: 'identity',
      labels: [[0.25, 0.75]],
      preOutput: [[0.5, 0.5]],
      score: 0.13081203594113697,
      scoreArray: [0.13081203594113697],
      gradient: [[-0.5, -1.5]],
    },
    {
      title: 'softmax',
      activation: 'softmax',
      labels: [[0.25, 0.75]],
      preOutput: [[0, 3]],
      score: 0.2362522069549337,
      scoreArray: [0.2362522069549337],
      gradient: [[-0.20257412682243323, 0.20257412682243323]],
    },
    {
      title: 'the clamp is in the score alone',
      activation: 'identity',
      labels: [[0, 1]],
      preOutput: [[0.5, 2]],
      score: -0.00010819778284410284,
      scoreArray: [-0.00010819778284410284],
      gradient: [[0, -0.5]],
    },
    {
      title: 'a mask per example',
      activation: 'identity',
      labels: [
        [0.25, 0.75],
        [0.5, 0.5],
      ],
      preOutput: [
        [0.5, 0.5],
        [0.25, 0.75],
      ],
      mask: [[0], [2]],
      score: 0.2876820724517809,
      scoreArray: [0, 0.2876820724517809],
      gradient: [
        [0, 0],
        [-4, -1.3333333333333333],
      ],
    },
  ],
});
