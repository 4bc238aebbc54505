// SPDX-License-Identifier: Apache-2.0
import { ActivationTanH } from '../../lib';
import { describeActivation } from '../support/describe-activation';
import { errOption } from '../support/errors';

describeActivation({
  Class: ActivationTanH,
  name: 'ActivationTanH',
  bad: [
    { title: 'an unknown option', args: [{ nothing: 1 }], expected: errOption('nothing') },
    { title: 'a number', args: [1], expected: errOption() },
  ],
  value: 'TANH',
  texts: [{ args: [], text: 'tanh' }],
  tables: [
    {
      forms: [[], [{}]],
      points: [
        [-Infinity, -1, 0],
        [-40, -1, 7.219405551381661e-35],
        [-3, -0.9950547536867305, 0.00986603716544019],
        [-1, -0.7615941559557649, 0.4199743416140261],
        [-0.5, -0.46211715726000974, 0.7864477329659274],
        [0, 0, 1],
        [0.5, 0.46211715726000974, 0.7864477329659274],
        [1, 0.7615941559557649, 0.4199743416140261],
        [3, 0.9950547536867305, 0.00986603716544019],
        [40, 1, 7.219405551381661e-35],
        [Infinity, 1, 0],
      ],
    },
  ],
});
