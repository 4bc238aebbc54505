// SPDX-License-Identifier: Apache-2.0
import { ActivationRectifiedTanh } from '../../lib';
import { describeActivation } from '../support/describe-activation';
import { errOption } from '../support/errors';

describeActivation({
  Class: ActivationRectifiedTanh,
  name: 'ActivationRectifiedTanh',
  bad: [
    { title: 'an unknown option', args: [{ nothing: 1 }], expected: errOption('nothing') },
    { title: 'a number', args: [1], expected: errOption() },
  ],
  value: 'RECTIFIEDTANH',
  texts: [{ args: [], text: 'rectifiedtanh' }],
  tables: [
    {
      forms: [[], [{}]],
      points: [
        [-Infinity, 0, 0],
        [-100, 0, 0],
        [-1, 0, 0],
        [0, 0, 0],
        [0.5, 0.46211715726000974, 0.7864477329659274],
        [1, 0.7615941559557649, 0.4199743416140261],
        [3, 0.9950547536867305, 0.00986603716544019],
        [20, 1, 1.6993417021166355e-17],
        [Infinity, 1, 0],
      ],
    },
  ],
});
