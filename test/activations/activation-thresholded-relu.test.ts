// SPDX-License-Identifier: Apache-2.0
import { ActivationThresholdedReLU } from '../../lib';
import { describeActivation } from '../support/describe-activation';
import { errOption } from '../support/errors';

describeActivation({
  Class: ActivationThresholdedReLU,
  name: 'ActivationThresholdedReLU',
  bad: [
    { title: 'an unknown option', args: [{ nothing: 1 }], expected: errOption('nothing') },
    { title: 'an theta of text', args: [{ theta: '1' }], expected: errOption('theta') },
    { title: 'two numbers', args: [1, 2], expected: errOption() },
  ],
  value: 'THRESHOLDEDRELU',
  texts: [
    { args: [], text: 'thresholdedrelu(theta=1)' },
    { args: [0.5], text: 'thresholdedrelu(theta=0.5)' },
  ],
  tables: [
    {
      forms: [[], [{}], [1], [{ theta: 1 }]],
      points: [
        [-Infinity, 0, 0],
        [-100, 0, 0],
        [-3, 0, 0],
        [-1, 0, 0],
        [-0.5, 0, 0],
        [0, 0, 0],
        [0.5, 0, 0],
        [1, 0, 0],
        [3, 3, 1],
        [100, 100, 1],
        [Infinity, Infinity, 1],
      ],
    },
    {
      forms: [[0.5], [{ theta: 0.5 }]],
      points: [
        [0.25, 0, 0],
        [0.5, 0, 0],
        [0.75, 0.75, 1],
      ],
    },
  ],
});
