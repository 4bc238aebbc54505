// SPDX-License-Identifier: Apache-2.0
import { LossMAPE } from '../../lib';
import { describeLoss } from '../support/describe-loss';
import { errOption } from '../support/errors';

describeLoss({
  Class: LossMAPE,
  name: 'LossMAPE',
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
      score: 212.5,
      scoreArray: [62.5, 150],
      gradient: [
        [-50, 25],
        [100, 0],
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
      score: 43.75,
      scoreArray: [-31.25, 75],
      gradient: [
        [-25, -50],
        [50, 0],
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
      score: 31.25,
      scoreArray: [31.25, 0],
      gradient: [
        [-25, 12.5],
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
      score: 43.75,
      scoreArray: [43.75, 0],
      gradient: [
        [-25, 25],
        [0, 0],
      ],
    },
    {
      title: 'a label of 0 is infinite',
      activation: 'identity',
      labels: [[0, 1]],
      preOutput: [[1, 1]],
      score: Infinity,
      scoreArray: [Infinity],
      gradient: [[Infinity, 0]],
    },
  ],
});
