// SPDX-License-Identifier: Apache-2.0
import { LossMSLE } from '../../lib';
import { describeLoss } from '../support/describe-loss';
import { errOption } from '../support/errors';

describeLoss({
  Class: LossMSLE,
  name: 'LossMSLE',
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
        [1, 3],
        [0.5, 4],
      ],
      preOutput: [
        [0.25, 1],
        [2, 4],
      ],
      score: 0.5909047196702828,
      scoreArray: [0.35067821271118216, 0.24022650695910072],
      gradient: [
        [-0.37600290339658843, -0.34657359027997264],
        [0.23104906018664845, 0],
      ],
    },
    {
      title: 'class weights, a negative one too',
      args: [{ weights: [0.5, -2] }],
      activation: 'identity',
      labels: [
        [1, 3],
        [0.5, 4],
      ],
      preOutput: [
        [0.25, 1],
        [2, 4],
      ],
      score: -0.30511390756261036,
      scoreArray: [-0.42522716104216074, 0.12011325347955036],
      gradient: [
        [-0.18800145169829421, Math.LN2],
        [0.11552453009332422, 0],
      ],
    },
    {
      title: 'a mask per example',
      activation: 'identity',
      labels: [
        [1, 3],
        [0.5, 4],
      ],
      preOutput: [
        [0.25, 1],
        [2, 4],
      ],
      mask: [[0.5], [0]],
      score: 0.17533910635559108,
      scoreArray: [0.17533910635559108, 0],
      gradient: [
        [-0.18800145169829421, -0.17328679513998632],
        [0, 0],
      ],
    },
    {
      title: 'a fractional mask per output counts once',
      activation: 'identity',
      labels: [
        [1, 3],
        [0.5, 4],
      ],
      preOutput: [
        [0.25, 1],
        [2, 4],
      ],
      mask: [
        [0.5, 1],
        [0, -2],
      ],
      score: 0.2954523598351414,
      scoreArray: [0.2954523598351414, 0],
      gradient: [
        [-0.18800145169829421, -0.34657359027997264],
        [0, 0],
      ],
    },
    {
      title: 'relu',
      activation: 'relu',
      labels: [[1, 0]],
      preOutput: [[3, -2]],
      score: 0.24022650695910072,
      scoreArray: [0.24022650695910072],
      gradient: [[0.17328679513998632, 0]],
    },
    {
      title: 'outputs close to labels',
      activation: 'identity',
      labels: [[1]],
      preOutput: [[1.0009765625]],
      score: 2.3830221586308353e-7,
      scoreArray: [2.3830221586308353e-7],
      gradient: [[0.00048792383544107724]],
    },
  ],
});
