// SPDX-License-Identifier: Apache-2.0
import { ActivationCube } from '../../lib';
import { describeActivation } from '../support/describe-activation';
import { errOption } from '../support/errors';

describeActivation({
  Class: ActivationCube,
  name: 'ActivationCube',
  bad: [
    { title: 'an unknown option', args: [{ nothing: 1 }], expected: errOption('nothing') },
    { title: 'a number', args: [1], expected: errOption() },
  ],
  value: 'CUBE',
  texts: [{ args: [], text: 'cube' }],
  tables: [
    {
      forms: [[], [{}]],
      points: [
        [-Infinity, -Infinity, Infinity],
        [-100, -1000000, 30000],
        [-3, -27, 27],
        [-1, -1, 3],
        [-0.5, -0.125, 0.75],
        [0, 0, 0],
        [0.5, 0.125, 0.75],
        [1, 1, 3],
        [3, 27, 27],
        [100, 1000000, 30000],
        [Infinity, Infinity, Infinity],
      ],
    },
  ],
});
