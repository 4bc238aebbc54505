// SPDX-License-Identifier: Apache-2.0
import { ActivationSigmoid } from '../../lib';
import { describeActivation } from '../support/describe-activation';
import { errOption } from '../support/errors';

describeActivation({
  Class: ActivationSigmoid,
  name: 'ActivationSigmoid',
  bad: [
    { title: 'an unknown option', args: [{ nothing: 1 }], expected: errOption('nothing') },
    { title: 'a number', args: [1], expected: errOption() },
  ],
  value: 'SIGMOID',
  texts: [{ args: [], text: 'sigmoid' }],
  tables: [
    {
      forms: [[], [{}]],
      points: [
        [-Infinity, 0, 0],
        [-80, 1.8048513878454153e-35, 1.8048513878454153e-35],
        [-3, 0.04742587317756678, 0.04517665973091213],
        [-1, 0.2689414213699951, 0.19661193324148185],
        [-0.5, 0.37754066879814546, 0.2350037122015945],
        [0, 0.5, 0.25],
        [0.5, 0.6224593312018546, 0.2350037122015945],
        [1, 0.7310585786300049, 0.19661193324148185],
        [3, 0.9525741268224333, 0.04517665973091213],
        [80, 1, 1.8048513878454153e-35],
        [Infinity, 1, 0],
      ],
    },
  ],
});
