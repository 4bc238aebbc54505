// SPDX-License-Identifier: Apache-2.0
import { ActivationHardSigmoid } from '../../lib';
import { describeActivation } from '../support/describe-activation';
import { errOption } from '../support/errors';

describeActivation({
  Class: ActivationHardSigmoid,
  name: 'ActivationHardSigmoid',
  bad: [
    { title: 'an unknown option', args: [{ nothing: 1 }], expected: errOption('nothing') },
    { title: 'a number', args: [1], expected: errOption() },
  ],
  value: 'HARDSIGMOID',
  texts: [{ args: [], text: 'hardsigmoid' }],
  tables: [
    {
      forms: [[], [{}]],
      points: [
        [-Infinity, 0, 0],
        [-100, 0, 0],
        [-3, 0, 0],
        [-2.5, 0, 0.2],
        [-1, 0.3, 0.2],
        [-0.5, 0.4, 0.2],
        [0, 0.5, 0.2],
        [0.5, 0.6, 0.2],
        [1, 0.7, 0.2],
        [2.5, 1, 0.2],
        [3, 1, 0],
        [100, 1, 0],
        [Infinity, 1, 0],
      ],
    },
  ],
});
