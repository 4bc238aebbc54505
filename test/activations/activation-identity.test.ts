// SPDX-License-Identifier: Apache-2.0
import { ActivationIdentity } from '../../lib';
import { describeActivation } from '../support/describe-activation';
import { errOption } from '../support/errors';

describeActivation({
  Class: ActivationIdentity,
  name: 'ActivationIdentity',
  bad: [
    { title: 'an unknown option', args: [{ nothing: 1 }], expected: errOption('nothing') },
    { title: 'a number', args: [1], expected: errOption() },
  ],
  value: 'IDENTITY',
  texts: [{ args: [], text: 'identity' }],
  tables: [
    {
      forms: [[], [{}]],
      points: [
        [-Infinity, -Infinity, 1],
        [-100, -100, 1],
        [-3, -3, 1],
        [-1, -1, 1],
        [-0.5, -0.5, 1],
        [0, 0, 1],
        [0.5, 0.5, 1],
        [1, 1, 1],
        [3, 3, 1],
        [100, 100, 1],
        [Infinity, Infinity, 1],
      ],
    },
  ],
});
