// SPDX-License-Identifier: Apache-2.0
import { LossFMeasure } from '../../lib';
import { describeLoss } from '../support/describe-loss';
import { errOption, errRange } from '../support/errors';

describeLoss({
  Class: LossFMeasure,
  name: 'LossFMeasure',
  bad: [
    { title: 'an unknown option', args: [{ nothing: 1 }], expected: errOption('nothing') },
    { title: 'weights', args: [{ weights: [1, 2] }], expected: errOption('weights') },
    { title: 'an array', args: [[1, 2]], expected: errOption() },
    { title: 'a beta of 0', args: [0], expected: errRange('beta', '0') },
    { title: 'a negative beta', args: [{ beta: -1 }], expected: errRange('beta', '-1') },
    { title: 'a beta of text', args: [{ beta: '1' }], expected: errOption('beta') },
  ],
  forms: [[], [{}], [1], [{ beta: 1 }]],
  cases: [
    {
      title: 'one column',
      activation: 'identity',
      labels: [[1], [0], [1]],
      preOutput: [[0.75], [0.25], [0.5]],
      score: 0.2857142857142857,
      gradient: [[-0.3673469387755102], [0.20408163265306123], [-0.3673469387755102]],
    },
    {
      title: 'recall counts more',
      args: [{ beta: 2 }],
      activation: 'identity',
      labels: [[1], [0], [1]],
      preOutput: [[0.75], [0.25], [0.5]],
      score: 0.34210526315789475,
      gradient: [[-0.45706371191135736], [0.06925207756232687], [-0.45706371191135736]],
    },
    {
      title: 'two columns: the second is positive',
      activation: 'softmax',
      labels: [
        [0, 1],
        [1, 0],
      ],
      preOutput: [
        [0, 1],
        [1, 0],
      ],
      score: 0.2689414213699951,
      gradient: [
        [0.12474451301287429, -0.12474451301287429],
        [-0.07186742022860756, 0.07186742022860756],
      ],
    },
    {
      title: 'a mask per example',
      activation: 'identity',
      labels: [[1], [0], [1]],
      preOutput: [[0.75], [0.25], [0.5]],
      mask: [[1], [0], [0.5]],
      score: 0.2,
      gradient: [[-0.48], [0], [-0.24]],
    },
    {
      title: 'nothing to find and nothing found',
      activation: 'identity',
      labels: [[0], [0]],
      preOutput: [[0], [0]],
      score: 0,
      gradient: [[0], [0]],
    },
  ],
});
