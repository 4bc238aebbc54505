// SPDX-License-Identifier: Apache-2.0
import { ActivationHardTanH } from '../../lib';
import { describeActivation } from '../support/describe-activation';
import { errOption } from '../support/errors';

describeActivation({
  Class: ActivationHardTanH,
  name: 'ActivationHardTanH',
  bad: [
    { title: 'an unknown option', args: [{ nothing: 1 }], expected: errOption('nothing') },
    { title: 'a number', args: [1], expected: errOption() },
  ],
  value: 'HARDTANH',
  texts: [{ args: [], text: 'hardtanh' }],
  tables: [
    {
      forms: [[], [{}]],
      points: [
        [-Infinity, -1, 0],
        [-100, -1, 0],
        [-3, -1, 0],
        [-1, -1, 1],
        [-0.5, -0.5, 1],
        [0, 0, 1],
        [0.5, 0.5, 1],
        [1, 1, 1],
        [3, 1, 0],
        [100, 1, 0],
        [Infinity, 1, 0],
      ],
    },
  ],
});
