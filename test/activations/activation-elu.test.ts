// SPDX-License-Identifier: Apache-2.0
import { ActivationELU } from '../../lib';
import { describeActivation } from '../support/describe-activation';
import { errOption } from '../support/errors';

describeActivation({
  Class: ActivationELU,
  name: 'ActivationELU',
  bad: [
    { title: 'an unknown option', args: [{ nothing: 1 }], expected: errOption('nothing') },
    { title: 'an alpha of text', args: [{ alpha: '1' }], expected: errOption('alpha') },
    { title: 'two numbers', args: [1, 2], expected: errOption() },
  ],
  value: 'ELU',
  texts: [
    { args: [], text: 'elu(alpha=1)' },
    { args: [0.5], text: 'elu(alpha=0.5)' },
  ],
  tables: [
    {
      forms: [[], [{}], [1], [{ alpha: 1 }]],
      points: [
        [-Infinity, -1, 0],
        [-100, -1, 3.720075976020836e-44],
        [-3, -0.950212931632136, 0.049787068367863944],
        [-1, -0.6321205588285577, 0.36787944117144233],
        [-0.5, -0.3934693402873666, 0.6065306597126334],
        [0, 0, 1],
        [0.5, 0.5, 1],
        [1, 1, 1],
        [3, 3, 1],
        [100, 100, 1],
        [Infinity, Infinity, 1],
      ],
    },
    {
      forms: [[0.5], [{ alpha: 0.5 }]],
      points: [
        [-Infinity, -0.5, 0],
        [-100, -0.5, 1.860037988010418e-44],
        [-3, -0.475106465816068, 0.024893534183931972],
        [-1, -0.31606027941427883, 0.18393972058572117],
        [-0.5, -0.1967346701436833, 0.3032653298563167],
        [0, 0, 1],
        [0.5, 0.5, 1],
        [1, 1, 1],
        [3, 3, 1],
        [100, 100, 1],
        [Infinity, Infinity, 1],
      ],
    },
  ],
});
