// SPDX-License-Identifier: Apache-2.0
import { LossMultiLabel } from '../../lib';
import { describeLoss } from '../support/describe-loss';
import { errOption } from '../support/errors';

describeLoss({
  Class: LossMultiLabel,
  name: 'LossMultiLabel',
  bad: [
    { title: 'an unknown option', args: [{ nothing: 1 }], expected: errOption('nothing') },
    { title: 'a number', args: [1], expected: errOption() },
    { title: 'weights', args: [{ weights: [1, 2] }], expected: errOption('weights') },
    { title: 'an array', args: [[1, 2]], expected: errOption() },
  ],
  forms: [[], [{}]],
  cases: [
    {
      title: 'pairs of a positive and a negative',
      activation: 'identity',
      labels: [
        [1, 0, 0],
        [1, 1, 0],
      ],
      preOutput: [
        [0.5, 0.25, -1],
        [0, 1, 2],
      ],
      score: 5.554634435304765,
      scoreArray: [0.5009654716099173, 5.0536689636948475],
      gradient: [
        [-0.5009654716099173, 0.38940039153570244, 0.11156508007421491],
        [-3.694528049465325, -1.3591409142295225, 5.0536689636948475],
      ],
    },
    {
      title: 'rows without a pair',
      activation: 'identity',
      labels: [
        [1, 1],
        [0, 0],
      ],
      preOutput: [
        [0.5, 0.25],
        [1, 2],
      ],
      score: 0,
      scoreArray: [0, 0],
      gradient: [
        [0, 0],
        [0, 0],
      ],
    },
    {
      title: 'a high level of outputs',
      activation: 'identity',
      labels: [[1, 0]],
      preOutput: [[10000, 10000.5]],
      score: 1.6487212707001282,
      scoreArray: [1.6487212707001282],
      gradient: [[-1.6487212707001282, 1.6487212707001282]],
    },
    {
      title: 'sigmoid and a mask per example',
      activation: 'sigmoid',
      labels: [[1, 0]],
      preOutput: [[0.5, -0.5]],
      mask: [[0.5]],
      score: 0.3913841020683975,
      scoreArray: [0.3913841020683975],
      gradient: [[-0.09197671688276117, 0.09197671688276117]],
    },
  ],
});
