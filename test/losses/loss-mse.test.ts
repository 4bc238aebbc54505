// SPDX-License-Identifier: Apache-2.0
import { LossMSE } from '../../lib';
import { describeLoss } from '../support/describe-loss';
import { errOption } from '../support/errors';

describeLoss({
  Class: LossMSE,
  name: 'LossMSE',
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
      score: 1.90625,
      scoreArray: [0.78125, 1.125],
      gradient: [
        [-0.75, 1],
        [1.5, 0],
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
      score: -0.296875,
      scoreArray: [-0.859375, 0.5625],
      gradient: [
        [-0.375, -2],
        [0.75, 0],
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
      score: 0.390625,
      scoreArray: [0.390625, 0],
      gradient: [
        [-0.375, 0.5],
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
      score: 0.640625,
      scoreArray: [0.640625, 0],
      gradient: [
        [-0.375, 1],
        [0, 0],
      ],
    },
    {
      title: 'tanh',
      activation: 'tanh',
      labels: [[0.5, -1]],
      preOutput: [[1, 2]],
      score: 1.962917918864339,
      scoreArray: [1.962917918864339],
      gradient: [[0.10986283341759921, 0.138760168566721]],
    },
    {
      title: 'softmax',
      activation: 'softmax',
      labels: [[0.5, 0.25]],
      preOutput: [[1, 2]],
      score: 0.14240271141601937,
      scoreArray: [0.14240271141601937],
      gradient: [[-0.14001073098331887, 0.14001073098331887]],
    },
  ],
});
