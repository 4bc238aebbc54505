// SPDX-License-Identifier: Apache-2.0
import { ActivationGELU } from '../../lib';
import { describeActivation } from '../support/describe-activation';
import { errOption } from '../support/errors';

describeActivation({
  Class: ActivationGELU,
  name: 'ActivationGELU',
  bad: [
    { title: 'an unknown option', args: [{ nothing: 1 }], expected: errOption('nothing') },
    { title: 'a number', args: [1], expected: errOption() },
    { title: 'a precise of text', args: [{ precise: 'yes' }], expected: errOption('precise') },
  ],
  value: 'GELU',
  texts: [
    { args: [], text: 'gelu(precise=false)' },
    { args: [{ precise: true }], text: 'gelu(precise=true)' },
  ],
  tables: [
    {
      forms: [[], [{}], [{ precise: false }]],
      points: [
        [-Infinity, 0, 0],
        [-3, -0.018071309707785966, -0.02454832390565235],
        [-1, -0.1542042340671787, -0.06777960655633405],
        [-0.5, -0.1496115633936199, 0.12077808803458573],
        [0, 0, 0.5],
        [0.5, 0.35038843660638014, 0.8792219119654142],
        [1, 0.8457957659328212, 1.067779606556334],
        [3, 2.981928690292214, 1.0245483239056523],
        [100, 100, 1],
        [Infinity, Infinity, 1],
      ],
    },
    {
      forms: [[{ precise: true }]],
      points: [
        [-Infinity, 0, 0],
        [-3, -0.003637392081773019, -0.011584166630969726],
        [-1, -0.1588080093917233, -0.08296408384578255],
        [-0.5, -0.15428599017485609, 0.1326300964653577],
        [0, 0, 0.5],
        [0.5, 0.34571400982514394, 0.8673699035346423],
        [1, 0.8411919906082767, 1.0829640838457826],
        [3, 2.996362607918227, 1.0115841666309697],
        [100, 100, 1],
        [Infinity, Infinity, 1],
      ],
    },
  ],
});
