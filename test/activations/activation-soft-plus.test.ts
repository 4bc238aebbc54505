// SPDX-License-Identifier: Apache-2.0
import { ActivationSoftPlus } from '../../lib';
import { describeActivation } from '../support/describe-activation';
import { errOption } from '../support/errors';

describeActivation({
  Class: ActivationSoftPlus,
  name: 'ActivationSoftPlus',
  bad: [
    { title: 'an unknown option', args: [{ nothing: 1 }], expected: errOption('nothing') },
    { title: 'a number', args: [1], expected: errOption() },
  ],
  value: 'SOFTPLUS',
  texts: [{ args: [], text: 'softplus' }],
  tables: [
    {
      forms: [[], [{}]],
      points: [
        [-Infinity, 0, 0],
        [-80, 1.8048513878454153e-35, 1.8048513878454153e-35],
        [-3, 0.04858735157374206, 0.04742587317756678],
        [-1, 0.31326168751822286, 0.2689414213699951],
        [-0.5, 0.4740769841801067, 0.37754066879814546],
        [0, Math.LN2, 0.5],
        [0.5, 0.9740769841801067, 0.6224593312018546],
        [1, 1.3132616875182228, 0.7310585786300049],
        [3, 3.048587351573742, 0.9525741268224333],
        [100, 100, 1],
        [Infinity, Infinity, 1],
      ],
    },
  ],
});
