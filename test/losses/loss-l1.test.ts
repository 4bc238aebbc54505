// SPDX-License-Identifier: Apache-2.0
import { LossL1 } from '../../lib';
import { describeLoss } from '../support/describe-loss';
import { errOption } from '../support/errors';

describeLoss({
  Class: LossL1,
  name: 'LossL1',
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
      score: 3.25,
      scoreArray: [1.75, 1.5],
      gradient: [
        [-1, 1],
        [1, 0],
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
      score: -0.875,
      scoreArray: [-1.625, 0.75],
      gradient: [
        [-0.5, -2],
        [0.5, 0],
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
      score: 0.875,
      scoreArray: [0.875, 0],
      gradient: [
        [-0.5, 0.5],
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
      score: 1.375,
      scoreArray: [1.375, 0],
      gradient: [
        [-0.5, 1],
        [0, 0],
      ],
    },
    {
      title: 'sigmoid',
      activation: 'sigmoid',
      labels: [[0, 1]],
      preOutput: [[1, 2]],
      score: 0.8502615006521225,
      scoreArray: [0.8502615006521225],
      gradient: [[0.19661193324148185, -0.10499358540350652]],
    },
  ],
});
