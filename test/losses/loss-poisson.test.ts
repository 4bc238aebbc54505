// SPDX-License-Identifier: Apache-2.0
import { LossPoisson } from '../../lib';
import { describeLoss } from '../support/describe-loss';
import { errOption } from '../support/errors';

describeLoss({
  Class: LossPoisson,
  name: 'LossPoisson',
  bad: [
    { title: 'an unknown option', args: [{ nothing: 1 }], expected: errOption('nothing') },
    { title: 'a number', args: [1], expected: errOption() },
    { title: 'weights', args: [{ weights: [1, 2] }], expected: errOption('weights') },
    { title: 'an array', args: [[1, 2]], expected: errOption() },
  ],
  forms: [[], [{}]],
  cases: [
    {
      title: 'rates, summed',
      activation: 'identity',
      labels: [
        [1, 3],
        [0, 2],
      ],
      preOutput: [
        [0.5, 2],
        [1, 4],
      ],
      score: 3.341116916640328,
      scoreArray: [1.1137056388801094, 2.227411277760219],
      gradient: [
        [-1, -0.5],
        [1, 0.5],
      ],
    },
    {
      title: 'softplus',
      activation: 'softplus',
      labels: [[1, 0]],
      preOutput: [[0.5, -2]],
      score: 1.127269934486826,
      scoreArray: [1.127269934486826],
      gradient: [[-0.01656544949942308, 0.11920292202211756]],
    },
    {
      title: 'softplus, whose log does not underflow',
      activation: 'softplus',
      labels: [[2]],
      preOutput: [[-1000]],
      score: 2000,
      scoreArray: [2000],
      gradient: [[-2]],
    },
    {
      title: 'a label of 0 at an output of 0',
      activation: 'relu',
      labels: [[0]],
      preOutput: [[-1]],
      score: 0,
      scoreArray: [0],
      gradient: [[0]],
    },
    {
      title: 'a mask per output',
      activation: 'identity',
      labels: [[1, 3]],
      preOutput: [[0.5, 1]],
      mask: [[0, 0.5]],
      score: 0.5,
      scoreArray: [0.5],
      gradient: [[0, -1]],
    },
  ],
});
