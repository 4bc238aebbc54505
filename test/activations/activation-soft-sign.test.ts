// SPDX-License-Identifier: Apache-2.0
import { ActivationSoftSign } from '../../lib';
import { describeActivation } from '../support/describe-activation';
import { errOption } from '../support/errors';

describeActivation({
  Class: ActivationSoftSign,
  name: 'ActivationSoftSign',
  bad: [
    { title: 'an unknown option', args: [{ nothing: 1 }], expected: errOption('nothing') },
    { title: 'a number', args: [1], expected: errOption() },
  ],
  value: 'SOFTSIGN',
  texts: [{ args: [], text: 'softsign' }],
  tables: [
    {
      forms: [[], [{}]],
      points: [
        [-Infinity, -1, 0],
        [-100, -0.9900990099009901, 9.802960494069208e-5],
        [-3, -0.75, 0.0625],
        [-1, -0.5, 0.25],
        [-0.5, -0.3333333333333333, 0.4444444444444444],
        [0, 0, 1],
        [0.5, 0.3333333333333333, 0.4444444444444444],
        [1, 0.5, 0.25],
        [3, 0.75, 0.0625],
        [100, 0.9900990099009901, 9.802960494069208e-5],
        [Infinity, 1, 0],
      ],
    },
  ],
});
