// SPDX-License-Identifier: Apache-2.0
import { ActivationRReLU, LossL2, nd } from '../../lib';
import { describeActivation } from '../support/describe-activation';
import { errOption, errRange } from '../support/errors';
import { values } from '../support/library';

describeActivation({
  Class: ActivationRReLU,
  name: 'ActivationRReLU',
  bad: [
    { title: 'an unknown option', args: [{ nothing: 1 }], expected: errOption('nothing') },
    { title: 'bounds in the wrong order', args: [0.5, 0.25], expected: errRange('l', '0.5') },
    { title: 'a seed that is no whole number', args: [{ seed: 0.5 }], expected: errRange('seed', '0.5') },
    { title: 'three numbers', args: [0.1, 0.2, 3], expected: errOption() },
  ],
  value: 'RRELU',
  texts: [{ args: [0.25, 0.5], text: 'rrelu(l=0.25, u=0.5)' }],
  tables: [
    {
      forms: [[], [{}], [1 / 8, 1 / 3], [{ l: 1 / 8, u: 1 / 3 }]],
      points: [
        [-3, -0.6875, 0.22916666666666666],
        [-1, -0.22916666666666666, 0.22916666666666666],
        [-0.5, -0.11458333333333333, 0.22916666666666666],
        [0, 0, 1],
        [0.5, 0.5, 1],
        [1, 1, 1],
      ],
    },
    {
      forms: [[0.25, 0.5], [{ l: 0.25, u: 0.5, seed: 7 }]],
      points: [
        [-Infinity, -Infinity, 0.375],
        [-3, -1.125, 0.375],
        [-1, -0.375, 0.375],
        [0, 0, 1],
        [1, 1, 1],
        [Infinity, Infinity, 1],
      ],
    },
  ],
});

describe('training', () => {
  const z = nd.full([20, 50], -1);
  const ones = nd.ones([20, 50]);
  const draw = (rrelu: ActivationRReLU): number[] => values(rrelu.getActivation(z.dup(), true));

  test('draws a slope for each element, within the bounds', () => {
    const slopes = draw(new ActivationRReLU({ l: 0.25, u: 0.5, seed: 1 })).map((value) => -value);
    expect(Math.min(...slopes)).toBeGreaterThanOrEqual(0.25);
    expect(Math.max(...slopes)).toBeLessThanOrEqual(0.5);
    // 1000 draws: within five standard errors of the mean, 0.125 / sqrt(3000).
    const mean = slopes.reduce((total, slope) => total + slope, 0) / slopes.length;
    expect(Math.abs(mean - 0.375)).toBeLessThan(5 * 0.0023);
    expect(new Set(slopes).size).toBeGreaterThan(900);
  });

  test('keeps the slopes for backprop of that shape, until the next pass', () => {
    const rrelu = new ActivationRReLU({ l: 0.25, u: 0.5, seed: 1 });
    const slopes = draw(rrelu).map((value) => -value);
    expect(values(rrelu.backprop(z, ones)[0])).toEqual(slopes);
    expect(values(rrelu.backprop(nd.array([[-1]]), nd.array([[1]]))[0])).toEqual([0.375]);
    rrelu.getActivation(z.dup(), false);
    expect(values(rrelu.backprop(z, ones)[0])).toEqual(new Array(1000).fill(0.375));
  });

  test('draws the same from the same seed, and anew in every pass', () => {
    const [first, second] = [new ActivationRReLU({ seed: 3 }), new ActivationRReLU({ seed: 3 })];
    const passes = [draw(first), draw(first)];
    expect([draw(second), draw(second)]).toEqual(passes);
    expect(passes[1]).not.toEqual(passes[0]);
    expect(draw(new ActivationRReLU({ seed: 4 }))).not.toEqual(passes[0]);
  });

  test('losses take the mean slope', () => {
    const rrelu = new ActivationRReLU({ l: 0.25, u: 0.5, seed: 1 });
    rrelu.getActivation(nd.full([1, 1], -1), true);
    const { score, gradient } = new LossL2().computeGradientAndScore([[0]], nd.array([[-2]]), rrelu);
    expect([score, values(gradient)]).toEqual([0.5625, [2 * -0.75 * 0.375]]);
  });
});
