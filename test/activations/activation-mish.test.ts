// SPDX-License-Identifier: Apache-2.0
import { ActivationMish } from '../../lib';
import { describeActivation } from '../support/describe-activation';
import { errOption } from '../support/errors';

describeActivation({
  Class: ActivationMish,
  name: 'ActivationMish',
  bad: [
    { title: 'an unknown option', args: [{ nothing: 1 }], expected: errOption('nothing') },
    { title: 'a number', args: [1], expected: errOption() },
  ],
  value: 'MISH',
  texts: [{ args: [], text: 'mish' }],
  tables: [
    {
      forms: [[], [{}]],
      points: [
        [-Infinity, 0, 0],
        [-20, -4.122307240628761e-8, -3.916191874348969e-8],
        [-3, -0.14564746127562458, -0.09339311453232084],
        [-1, -0.3034014613741089, 0.05921675587739495],
        [-0.5, -0.22074377465173, 0.2895106779135122],
        [0, 0, 0.6],
        [0.5, 0.37524521130489513, 0.8864243753577272],
        [1, 0.8650983882673103, 1.0490362200997922],
        [3, 2.9865350049679575, 1.0211069109294437],
        [100, 100, 1],
        [Infinity, Infinity, 1],
      ],
    },
  ],
});
