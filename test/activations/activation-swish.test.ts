// SPDX-License-Identifier: Apache-2.0
import { ActivationSwish } from '../../lib';
import { describeActivation } from '../support/describe-activation';
import { errOption } from '../support/errors';

describeActivation({
  Class: ActivationSwish,
  name: 'ActivationSwish',
  bad: [
    { title: 'an unknown option', args: [{ nothing: 1 }], expected: errOption('nothing') },
    { title: 'a number', args: [1], expected: errOption() },
  ],
  value: 'SWISH',
  texts: [{ args: [], text: 'swish' }],
  tables: [
    {
      forms: [[], [{}]],
      points: [
        [-Infinity, 0, 0],
        [-80, -1.4438811102763322e-33, -1.425832596397878e-33],
        [-3, -0.14227761953270035, -0.08810410601516962],
        [-1, -0.2689414213699951, 0.07232948812851327],
        [-0.5, -0.18877033439907273, 0.2600388126973482],
        [0, 0, 0.5],
        [0.5, 0.3112296656009273, 0.7399611873026518],
        [1, 0.7310585786300049, 0.9276705118714867],
        [3, 2.8577223804672998, 1.0881041060151697],
        [100, 100, 1],
        [Infinity, Infinity, 1],
      ],
    },
  ],
});
