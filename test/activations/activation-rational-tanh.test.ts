// SPDX-License-Identifier: Apache-2.0
import { ActivationRationalTanh } from '../../lib';
import { describeActivation } from '../support/describe-activation';
import { errOption } from '../support/errors';

describeActivation({
  Class: ActivationRationalTanh,
  name: 'ActivationRationalTanh',
  bad: [
    { title: 'an unknown option', args: [{ nothing: 1 }], expected: errOption('nothing') },
    { title: 'a number', args: [1], expected: errOption() },
  ],
  value: 'RATIONALTANH',
  texts: [{ args: [], text: 'rationaltanh' }],
  tables: [
    {
      forms: [[], [{}]],
      points: [
        [-Infinity, -1.7159, 0],
        [-100, -1.7158999386823177, 2.4525080462869298e-9],
        [-3, -1.6580539146147415, 0.06542753830858153],
        [-1, -0.9982215768406182, 0.8028734415060007],
        [-0.5, -0.5421787813686358, 1.0043794509788626],
        [0, 0, 1.1439333333333332],
        [0.5, 0.5421787813686358, 1.0043794509788626],
        [1, 0.9982215768406182, 0.8028734415060007],
        [3, 1.6580539146147415, 0.06542753830858153],
        [100, 1.7158999386823177, 2.4525080462869298e-9],
        [Infinity, 1.7159, 0],
      ],
    },
  ],
});
