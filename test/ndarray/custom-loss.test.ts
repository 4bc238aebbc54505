// SPDX-License-Identifier: Apache-2.0
// The custom Huber loss of ND4J's documentation, ported line by line.
import { nd } from '../../lib/ndarray/nd';
import type { NDArray } from '../../lib/ndarray/ndarray';
import { Transforms } from '../../lib/ndarray/transforms';

/** What the port needs of an activation. */
interface Activation {
  getActivation(input: NDArray, training: boolean): NDArray;
  backprop(input: NDArray, epsilon: NDArray): [NDArray, NDArray | null];
}

const identity: Activation = {
  getActivation: (input) => input,
  backprop: (_, epsilon) => [epsilon, null],
};

/** In place, as ND4J's. */
const tanh: Activation = {
  getActivation: (input) => Transforms.tanh(input, false),
  backprop: (input, epsilon) => {
    const output = Transforms.tanh(input);
    return [output.mul(output).rsub(1).mul(epsilon), null];
  },
};

class HuberLoss {
  constructor(private readonly delta: number) {}

  computeScore(labels: NDArray, preOutput: NDArray, activationFn: Activation, average: boolean): number {
    const output = activationFn.getActivation(preOutput.dup(), true);
    const diff = labels.sub(output);
    const absDiff = Transforms.abs(diff);

    const quadratic = Transforms.min(absDiff, this.delta);
    const linear = absDiff.sub(quadratic);
    const loss = quadratic.mul(quadratic).mul(0.5).add(linear.mul(this.delta));

    const score = loss.sumNumber();
    return average ? score / labels.size(0) : score;
  }

  computeScoreArray(labels: NDArray, preOutput: NDArray, activationFn: Activation): NDArray {
    const output = activationFn.getActivation(preOutput.dup(), true);
    const diff = labels.sub(output);
    const absDiff = Transforms.abs(diff);
    const quadratic = Transforms.min(absDiff, this.delta);
    const linear = absDiff.sub(quadratic);
    return quadratic.mul(quadratic).mul(0.5).add(linear.mul(this.delta)).sum(1);
  }

  computeGradient(labels: NDArray, preOutput: NDArray, activationFn: Activation): NDArray {
    const output = activationFn.getActivation(preOutput.dup(), true);
    const diff = output.sub(labels);
    const grad = Transforms.min(Transforms.max(diff, -this.delta), this.delta);

    const dLda = grad.div(labels.size(0));
    const p = activationFn.backprop(preOutput, dLda);
    return p[0];
  }
}

describe('the Huber loss', () => {
  const labels = () =>
    nd.array([
      [1, 4],
      [0, 0],
    ]);
  const preOutput = () =>
    nd.array([
      [0.5, 1],
      [-0.25, 2],
    ]);

  test.each([
    // 0.5^2 / 2 + (3 - 0.5), 0.25^2 / 2 + (2 - 0.5)
    {
      delta: 1,
      rows: [2.625, 1.53125],
      gradient: [
        [-0.25, -0.5],
        [-0.125, 0.5],
      ],
    },
    // 0.5^2 / 2 + 2 (3 - 1), 0.25^2 / 2 + 2^2 / 2
    {
      delta: 2,
      rows: [4.125, 2.03125],
      gradient: [
        [-0.25, -1],
        [-0.125, 1],
      ],
    },
  ])('with delta $delta', ({ delta, rows, gradient }) => {
    const loss = new HuberLoss(delta);
    const [first = 0, second = 0] = rows;
    expect(loss.computeScore(labels(), preOutput(), identity, false)).toBe(first + second);
    expect(loss.computeScore(labels(), preOutput(), identity, true)).toBe((first + second) / 2);
    expect(loss.computeScoreArray(labels(), preOutput(), identity)).toMatchObject({ shape: [2], dtype: 'float32' });
    expect(loss.computeScoreArray(labels(), preOutput(), identity).toArray()).toEqual(rows);
    expect(loss.computeGradient(labels(), preOutput(), identity).toArray()).toEqual(gradient);
  });

  test('has the gradient of its mean, and leaves its inputs', () => {
    const loss = new HuberLoss(0.75);
    const z = preOutput().castTo('float64');
    const y = labels().castTo('int32');
    const gradient = loss.computeGradient(y, z, tanh);
    const h = 1e-5;
    for (let i = 0; i < z.length; i++) {
      const at = (step: number) => loss.computeScore(y, z.dup().putScalar(i, z.getDouble(i) + step), tanh, true);
      expect(gradient.getDouble(i)).toBeCloseTo((at(h) - at(-h)) / (2 * h), 8);
    }
    expect([z.toArray(), y.toArray()]).toEqual([preOutput().toArray(), labels().toArray()]);
  });
});
