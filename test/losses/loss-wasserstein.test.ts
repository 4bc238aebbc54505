// SPDX-License-Identifier: Apache-2.0
import { LossWasserstein } from '../../lib';
import { describeLoss } from '../support/describe-loss';
import { errOption } from '../support/errors';

describeLoss({
  Class: LossWasserstein,
  name: 'LossWasserstein',
  bad: [
    { title: 'an unknown option', args: [{ nothing: 1 }], expected: errOption('nothing') },
    { title: 'a number', args: [1], expected: errOption() },
    { title: 'weights', args: [{ weights: [1, 2] }], expected: errOption('weights') },
    { title: 'an array', args: [[1, 2]], expected: errOption() },
  ],
  forms: [[], [{}]],
  cases: [
    {
      title: 'mean of products',
      activation: 'identity',
      labels: [
        [1, -1],
        [1, 1],
      ],
      preOutput: [
        [0.5, 0.25],
        [2, -3],
      ],
      score: -0.375,
      scoreArray: [0.125, -0.5],
      gradient: [
        [0.5, -0.5],
        [0.5, 0.5],
      ],
    },
    {
      title: 'tanh',
      activation: 'tanh',
      labels: [[1, -1]],
      preOutput: [[0.5, 0.25]],
      score: 0.10859924742815032,
      scoreArray: [0.10859924742815032],
      gradient: [[0.3932238664829637, -0.470007424403189]],
    },
    {
      title: 'a mask per output',
      activation: 'identity',
      labels: [[1, -1]],
      preOutput: [[0.5, 0.25]],
      mask: [[0, 2]],
      score: -0.25,
      scoreArray: [-0.25],
      gradient: [[0, -1]],
    },
  ],
});
