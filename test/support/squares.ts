// SPDX-License-Identifier: Apache-2.0
// A loss as users write one, of NDArray operations: what the tests of losses of one's own go wrong from.
import { type GradientAndScore, type IActivation, type ILossFunction, type NDArray, nd } from '../../lib';

/** `(y - a)^2`, with masks of both kinds. */
export class Squares implements ILossFunction {
  computeScore(
    labels: NDArray,
    preOutput: NDArray,
    f: IActivation,
    mask: NDArray | null = null,
    average = false,
  ): number {
    const score = this.computeScoreArray(labels, preOutput, f, mask).sumNumber();
    return average ? score / labels.size(0) : score;
  }

  computeScoreArray(labels: NDArray, preOutput: NDArray, f: IActivation, mask: NDArray | null = null): NDArray {
    const error = f.getActivation(preOutput.dup(), true).sub(labels);
    return this.masked(error.mul(error), mask).sum(1);
  }

  computeGradient(labels: NDArray, preOutput: NDArray, f: IActivation, mask: NDArray | null = null): NDArray {
    const error = f.getActivation(preOutput.dup(), true).sub(labels);
    return this.masked(f.backprop(preOutput, error.mul(2))[0], mask);
  }

  computeGradientAndScore(
    labels: NDArray,
    preOutput: NDArray,
    f: IActivation,
    mask: NDArray | null = null,
    average = false,
  ): GradientAndScore {
    return {
      score: this.computeScore(labels, preOutput, f, mask, average),
      gradient: this.computeGradient(labels, preOutput, f, mask),
    };
  }

  name(): string {
    return `${this.constructor.name}()`;
  }

  /** 0 where the mask is, NaN too; the product with it elsewhere. */
  protected masked(values: NDArray, mask: NDArray | null): NDArray {
    if (mask === null) return values;
    const spread = nd.zeros(values.shape, values.dtype).add(mask);
    const result = values.mul(spread);
    for (let i = 0; i < result.length; i++) if (Number(spread.data[i]) === 0) result.data[i] = 0;
    return result;
  }
}
