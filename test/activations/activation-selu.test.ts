// SPDX-License-Identifier: Apache-2.0
import { ActivationSELU } from '../../lib';
import { describeActivation } from '../support/describe-activation';
import { errOption } from '../support/errors';

describeActivation({
  Class: ActivationSELU,
  name: 'ActivationSELU',
  bad: [
    { title: 'an unknown option', args: [{ nothing: 1 }], expected: errOption('nothing') },
    { title: 'a number', args: [1], expected: errOption() },
  ],
  value: 'SELU',
  texts: [{ args: [], text: 'selu' }],
  tables: [
    {
      forms: [[], [{}]],
      points: [
        [-Infinity, -1.7580993408473768, 0],
        [-100, -1.7580993408473768, 6.540263121344393e-44],
        [-3, -1.6705687287671118, 0.08753061208026489],
        [-1, -1.1113307378125628, 0.6467686030348141],
        [-0.5, -0.6917581878028713, 1.0663411530445055],
        [0, 0, 1.7580993408473768],
        [0.5, 0.5253504936777402, 1.0507009873554805],
        [1, 1.0507009873554805, 1.0507009873554805],
        [3, 3.1521029620664414, 1.0507009873554805],
        [100, 105.07009873554804, 1.0507009873554805],
        [Infinity, Infinity, 1.0507009873554805],
      ],
    },
  ],
});
