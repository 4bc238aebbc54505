// SPDX-License-Identifier: Apache-2.0
import { LossMixtureDensity } from '../../lib';
import { describeLoss } from '../support/describe-loss';
import { errOption, errRange } from '../support/errors';

describeLoss({
  Class: LossMixtureDensity,
  name: 'LossMixtureDensity',
  bad: [
    { title: 'an unknown option', args: [{ nothing: 1 }], expected: errOption('nothing') },
    { title: 'weights', args: [{ weights: [1, 2] }], expected: errOption('weights') },
    { title: 'an array', args: [[1, 2]], expected: errOption() },
    { title: 'no mixtures', args: [0], expected: errRange('mixtures', '0') },
    { title: 'half a mixture', args: [{ mixtures: 1.5 }], expected: errRange('mixtures', '1.5') },
    { title: 'labels without columns', args: [{ labelWidth: 0 }], expected: errRange('labelWidth', '0') },
  ],
  forms: [[], [{}], [1], [1, 1], [{ mixtures: 1 }], [{ mixtures: 1, labelWidth: 1 }], [{ labelWidth: 1 }]],
  cases: [
    {
      title: 'one Gaussian',
      args: [],
      activation: 'identity',
      labels: [[0.5]],
      preOutput: [[3, 0.25, -1]],
      score: 1.8512855253813854,
      scoreArray: [1.8512855253813854],
      gradient: [[0, -0.3646939843534252, -0.9097959895689501]],
    },
    {
      title: 'two Gaussians in two dimensions',
      args: [{ mixtures: 2 }],
      activation: 'identity',
      labels: [[0.5, -1]],
      preOutput: [[0, 1, -0.5, 0.5, 0, 0, 1, -1]],
      score: 2.778076179123027,
      scoreArray: [2.778076179123027],
      gradient: [
        [
          -0.07338562682562241, 0.07338562682562241, -0.4785226467339786, 1.2548598141129226, -0.46527069725008546,
          0.9305413945001709, 0.12097217899168457, 0,
        ],
      ],
    },
    {
      title: 'twenty sigma away',
      args: [],
      activation: 'identity',
      labels: [[20]],
      preOutput: [[0, 0, 0]],
      score: 200.91893853320468,
      scoreArray: [200.91893853320468],
      gradient: [[0, -399, -20]],
    },
    {
      title: 'a mask per example',
      args: [],
      activation: 'identity',
      labels: [[0.5], [1]],
      preOutput: [
        [3, 0.25, -1],
        [0, 0, 0],
      ],
      mask: [[0], [0.5]],
      score: 0.7094692666023363,
      scoreArray: [0, 0.7094692666023363],
      gradient: [
        [0, 0, 0],
        [0, 0, -0.5],
      ],
    },
  ],
});
