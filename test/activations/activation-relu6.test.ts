// SPDX-License-Identifier: Apache-2.0
import { ActivationReLU6 } from '../../lib';
import { describeActivation } from '../support/describe-activation';
import { errOption } from '../support/errors';

describeActivation({
  Class: ActivationReLU6,
  name: 'ActivationReLU6',
  bad: [
    { title: 'an unknown option', args: [{ nothing: 1 }], expected: errOption('nothing') },
    { title: 'a number', args: [1], expected: errOption() },
  ],
  value: 'RELU6',
  texts: [{ args: [], text: 'relu6' }],
  tables: [
    {
      forms: [[], [{}]],
      points: [
        [-Infinity, 0, 0],
        [-1, 0, 0],
        [0, 0, 0],
        [0.5, 0.5, 1],
        [3, 3, 1],
        [6, 6, 0],
        [7, 6, 0],
        [Infinity, 6, 0],
      ],
    },
  ],
});
