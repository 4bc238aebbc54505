// SPDX-License-Identifier: Apache-2.0
// A loss of one's own: ND4J's example of a Huber loss, ported line by line.
import { type GradientAndScore, type IActivation, type ILossFunction, type NDArray, Transforms } from 'simdloss';

/**
 * Quadratic for errors up to delta, linear beyond. As in the Java original its gradient is divided by the number of
 * rows; those of the built-in losses are not.
 */
export class HuberLoss implements ILossFunction {
  constructor(private readonly delta: number) {}

  computeScore(
    labels: NDArray,
    preOutput: NDArray,
    activationFn: IActivation,
    _mask?: unknown,
    average?: boolean,
  ): number {
    const output = activationFn.getActivation(preOutput.dup(), true);
    const diff = labels.sub(output);
    const absDiff = Transforms.abs(diff);

    // Huber: quadratic for |diff| <= delta, linear for |diff| > delta
    const quadratic = Transforms.min(absDiff, this.delta);
    const linear = absDiff.sub(quadratic);
    const loss = quadratic.mul(quadratic).mul(0.5).add(linear.mul(this.delta));

    const score = loss.sumNumber();
    return average ? score / labels.size(0) : score;
  }

  computeScoreArray(labels: NDArray, preOutput: NDArray, activationFn: IActivation, _mask?: unknown): NDArray {
    // Return per-example loss
    const output = activationFn.getActivation(preOutput.dup(), true);
    const diff = labels.sub(output);
    const absDiff = Transforms.abs(diff);
    const quadratic = Transforms.min(absDiff, this.delta);
    const linear = absDiff.sub(quadratic);
    return quadratic.mul(quadratic).mul(0.5).add(linear.mul(this.delta)).sum(1);
  }

  computeGradient(labels: NDArray, preOutput: NDArray, activationFn: IActivation, _mask?: unknown): NDArray {
    const output = activationFn.getActivation(preOutput.dup(), true);
    const diff = output.sub(labels);
    // Clip gradient to [-delta, delta]
    const grad = Transforms.min(Transforms.max(diff, -this.delta), this.delta);

    // Chain rule: multiply by activation gradient
    const dLda = grad.div(labels.size(0));
    const [dz] = activationFn.backprop(preOutput, dLda);
    return dz;
  }

  computeGradientAndScore(
    labels: NDArray,
    preOutput: NDArray,
    activationFn: IActivation,
    mask?: unknown,
    average?: boolean,
  ): GradientAndScore {
    return {
      score: this.computeScore(labels, preOutput, activationFn, mask, average),
      gradient: this.computeGradient(labels, preOutput, activationFn, mask),
    };
  }

  name(): string {
    return `HuberLoss(delta=${this.delta})`;
  }
}
