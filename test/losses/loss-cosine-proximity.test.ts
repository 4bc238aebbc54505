// SPDX-License-Identifier: Apache-2.0
import { LossCosineProximity } from '../../lib';
import { describeLoss } from '../support/describe-loss';
import { errOption } from '../support/errors';

describeLoss({
  Class: LossCosineProximity,
  name: 'LossCosineProximity',
  bad: [
    { title: 'an unknown option', args: [{ nothing: 1 }], expected: errOption('nothing') },
    { title: 'a number', args: [1], expected: errOption() },
    { title: 'weights', args: [{ weights: [1, 2] }], expected: errOption('weights') },
    { title: 'an array', args: [[1, 2]], expected: errOption() },
  ],
  forms: [[], [{}]],
  cases: [
    {
      title: 'angles',
      activation: 'identity',
      labels: [
        [1, 0],
        [3, 4],
      ],
      preOutput: [
        [1, 1],
        [-3, -4],
      ],
      score: 0.2928932188134525,
      scoreArray: [-Math.SQRT1_2, 1],
      gradient: [
        [-0.3535533905932738, 0.3535533905932738],
        [0, 0],
      ],
    },
    {
      title: 'tanh',
      activation: 'tanh',
      labels: [[1, 2]],
      preOutput: [[0.5, -1]],
      score: 0.5326779464431866,
      scoreArray: [0.5326779464431866],
      gradient: [[-0.6387596605203362, -0.20697546392214825]],
    },
    {
      title: 'the zero vector',
      activation: 'identity',
      labels: [[3, 4]],
      preOutput: [[0, 0]],
      score: 0,
      scoreArray: [0],
      gradient: [[-59999.99999999999, -80000]],
    },
    {
      title: 'a mask per example',
      activation: 'identity',
      labels: [
        [1, 0],
        [3, 4],
      ],
      preOutput: [
        [1, 1],
        [4, 3],
      ],
      mask: [[0.5], [0]],
      score: -0.3535533905932738,
      scoreArray: [-0.3535533905932738, 0],
      gradient: [
        [-0.1767766952966369, 0.1767766952966369],
        [0, 0],
      ],
    },
  ],
});
