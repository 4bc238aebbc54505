// SPDX-License-Identifier: Apache-2.0
import { LossBinaryXENT } from '../../lib';
import { describeLoss } from '../support/describe-loss';
import { errOption, errRange } from '../support/errors';

describeLoss({
  Class: LossBinaryXENT,
  name: 'LossBinaryXENT',
  bad: [
    { title: 'an unknown option', args: [{ nothing: 1 }], expected: errOption('nothing') },
    { title: 'weights that are no array', args: [{ weights: 1 }], expected: errOption('weights') },
    { title: 'a clipEps below 0', args: [{ clipEps: -0.1 }], expected: errRange('clipEps', '-0.1') },
    { title: 'a clipEps above a half', args: [{ clipEps: 0.51 }], expected: errRange('clipEps', '0.51') },
    { title: 'a clipEps of text', args: [{ clipEps: '0' }], expected: errOption('clipEps') },
  ],
  forms: [[], [{}], [{ clipEps: 1e-5 }], [1e-5], [[1, 1]], [{ weights: [[1, 1]] }]],
  cases: [
    {
      title: 'sigmoid',
      activation: 'sigmoid',
      labels: [
        [1, 0],
        [0.25, 1],
      ],
      preOutput: [
        [0.5, -1],
        [2, 0],
      ],
      score: 3.107413863301247,
      scoreArray: [0.7873386716983295, 2.3200751916029176],
      gradient: [
        [-0.37754066879814546, 0.2689414213699951],
        [0.6307970779778824, -0.5],
      ],
    },
    {
      title: 'class weights',
      args: [{ weights: [0.5, 2] }],
      activation: 'sigmoid',
      labels: [
        [1, 0],
        [0.25, 1],
      ],
      preOutput: [
        [0.5, -1],
        [2, 0],
      ],
      score: 3.0633202337678758,
      scoreArray: [0.863561867126499, 2.199758366641377],
      gradient: [
        [-0.18877033439907273, 0.5378828427399902],
        [0.3153985389889412, -1],
      ],
    },
    {
      title: 'saturated and clipped: the slope of sigmoid is not',
      activation: 'sigmoid',
      labels: [[0, 1]],
      preOutput: [[20, 20]],
      score: 11.51293546502023,
      scoreArray: [11.51293546502023],
      gradient: [[0.0002061153613941849, -2.061174225684106e-9]],
    },
    {
      title: 'saturated, from the logit',
      args: [{ clipEps: 0 }],
      activation: 'sigmoid',
      labels: [
        [0, 1],
        [0, 1],
      ],
      preOutput: [
        [1000, 1000],
        [-1000, -1000],
      ],
      score: 2000,
      scoreArray: [1000, 1000],
      gradient: [
        [1, 0],
        [0, -1],
      ],
    },
    {
      title: 'probabilities',
      activation: 'identity',
      labels: [[1, 0]],
      preOutput: [[0.75, 0.125]],
      score: 0.42121346507630353,
      scoreArray: [0.42121346507630353],
      gradient: [[-1.3333333333333333, 1.1428571428571428]],
    },
    {
      title: 'softmax: both terms',
      activation: 'softmax',
      labels: [[1, 0]],
      preOutput: [[1, -1]],
      score: 0.253856022085945,
      scoreArray: [0.253856022085945],
      gradient: [[-0.23840584404423512, 0.23840584404423512]],
    },
    {
      title: 'a mask per output',
      activation: 'sigmoid',
      labels: [[1, 0]],
      preOutput: [[0.5, -1]],
      mask: [[0, 0.5]],
      score: 0.1566308437591114,
      scoreArray: [0.1566308437591114],
      gradient: [[0, 0.13447071068499755]],
    },
  ],
});

// The clip, as a number of float32 or not, and the label are subtracted before anything is rounded.
test.each([
  { z: -1.1754943508222875e-38, y: 0.4977131187915802, clipEps: 0.5, gradient: 0.0022868812084198 },
  { z: 0.19976744055747986, y: 0.4398441016674042, clipEps: 0.5, gradient: 0.0595597068400147 },
])('gradient of a label near the clip: $z, $y', ({ z, y, clipEps, gradient }) => {
  const call = [Float32Array.of(y), Float32Array.of(z), 'sigmoid'] as const;
  const [got = Number.NaN] = new LossBinaryXENT({ clipEps }).computeGradient(...call).data as Float32Array;
  expect(Math.abs(got - gradient)).toBeLessThan(4 * 2 ** -24 * gradient);
});
