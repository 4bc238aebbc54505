// SPDX-License-Identifier: Apache-2.0
import { LossMAE } from '../../lib';
import { describeLoss } from '../support/describe-loss';
import { errOption } from '../support/errors';

describeLoss({
  Class: LossMAE,
  name: 'LossMAE',
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
      score: 1.625,
      scoreArray: [0.875, 0.75],
      gradient: [
        [-0.5, 0.5],
        [0.5, 0],
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
      score: -0.4375,
      scoreArray: [-0.8125, 0.375],
      gradient: [
        [-0.25, -1],
        [0.25, 0],
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
      score: 0.4375,
      scoreArray: [0.4375, 0],
      gradient: [
        [-0.25, 0.25],
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
      score: 0.6875,
      scoreArray: [0.6875, 0],
      gradient: [
        [-0.25, 0.5],
        [0, 0],
      ],
    },
    {
      title: 'sigmoid',
      activation: 'sigmoid',
      labels: [[0, 1]],
      preOutput: [[1, 2]],
      score: 0.42513075032606124,
      scoreArray: [0.42513075032606124],
      gradient: [[0.09830596662074093, -0.05249679270175326]],
    },
  ],
});
