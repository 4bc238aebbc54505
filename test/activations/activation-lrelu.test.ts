// SPDX-License-Identifier: Apache-2.0
import { ActivationLReLU } from '../../lib';
import { describeActivation } from '../support/describe-activation';
import { errOption } from '../support/errors';

describeActivation({
  Class: ActivationLReLU,
  name: 'ActivationLReLU',
  bad: [
    { title: 'an unknown option', args: [{ nothing: 1 }], expected: errOption('nothing') },
    { title: 'an alpha of text', args: [{ alpha: '1' }], expected: errOption('alpha') },
    { title: 'two numbers', args: [1, 2], expected: errOption() },
  ],
  value: 'LEAKYRELU',
  texts: [
    { args: [], text: 'leakyrelu(a=0.01)' },
    { args: [0.25], text: 'leakyrelu(a=0.25)' },
  ],
  tables: [
    {
      forms: [[], [{}], [0.01], [{ alpha: 0.01 }]],
      points: [
        [-Infinity, -Infinity, 0.01],
        [-100, -1, 0.01],
        [-3, -0.03, 0.01],
        [-1, -0.01, 0.01],
        [-0.5, -0.005, 0.01],
        [0, 0, 1],
        [0.5, 0.5, 1],
        [1, 1, 1],
        [3, 3, 1],
        [100, 100, 1],
        [Infinity, Infinity, 1],
      ],
    },
    {
      forms: [[0.25], [{ alpha: 0.25 }]],
      points: [
        [-100, -25, 0.25],
        [-3, -0.75, 0.25],
        [-1, -0.25, 0.25],
        [-0.5, -0.125, 0.25],
        [0, 0, 1],
        [0.5, 0.5, 1],
        [1, 1, 1],
        [3, 3, 1],
        [100, 100, 1],
      ],
    },
  ],
});
