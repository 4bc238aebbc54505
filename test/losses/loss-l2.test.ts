// SPDX-License-Identifier: Apache-2.0
import { LossL2 } from '../../lib';
import { describeLoss } from '../support/describe-loss';
import { errOption } from '../support/errors';

describeLoss({
  Class: LossL2,
  name: 'LossL2',
  bad: [
    { title: 'an unknown option', args: [{ nothing: 1 }], expected: errOption('nothing') },
    { title: 'a number', args: [1], expected: errOption() },
    { title: 'weights that are no array', args: [{ weights: 1 }], expected: errOption('weights') },
  ],
  forms: [[], [{}], [[1, 1]], [[[1, 1]]], [{ weights: [1, 1] }]],
  cases: [
    {
      title: 'identity',
      activation: 'identity',
      labels: [
        [1, -2],
        [0.5, 4],
      ],
      preOutput: [
        [0.25, -1],
        [2, 4],
      ],
      score: 3.8125,
      scoreArray: [1.5625, 2.25],
      gradient: [
        [-1.5, 2],
        [3, 0],
      ],
    },
    {
      title: 'class weights, a negative one too',
      args: [{ weights: [0.5, -2] }],
      activation: 'identity',
      labels: [
        [1, -2],
        [0.5, 4],
      ],
      preOutput: [
        [0.25, -1],
        [2, 4],
      ],
      score: -0.59375,
      scoreArray: [-1.71875, 1.125],
      gradient: [
        [-0.75, -4],
        [1.5, 0],
      ],
    },
    {
      title: 'a mask per example',
      activation: 'identity',
      labels: [
        [1, -2],
        [0.5, 4],
      ],
      preOutput: [
        [0.25, -1],
        [2, 4],
      ],
      mask: [[0.5], [0]],
      score: 0.78125,
      scoreArray: [0.78125, 0],
      gradient: [
        [-0.75, 1],
        [0, 0],
      ],
    },
    {
      title: 'a fractional mask per output counts once',
      activation: 'identity',
      labels: [
        [1, -2],
        [0.5, 4],
      ],
      preOutput: [
        [0.25, -1],
        [2, 4],
      ],
      mask: [
        [0.5, 1],
        [0, -2],
      ],
      score: 1.28125,
      scoreArray: [1.28125, 0],
      gradient: [
        [-0.75, 2],
        [0, 0],
      ],
    },
    {
      title: 'softmax',
      activation: 'softmax',
      labels: [[0.5, 0.25]],
      preOutput: [[1, 2]],
      score: 0.28480542283203875,
      scoreArray: [0.28480542283203875],
      gradient: [[-0.28002146196663774, 0.28002146196663774]],
    },
  ],
});
