// SPDX-License-Identifier: Apache-2.0

import { type ArrayInput, isSameShape, type MatrixView, toMatrix, toView } from '../array-input';
import { rangeError } from '../errors';
import { nd } from '../ndarray/nd';
import type { NDArray } from '../ndarray/ndarray';
import { readInteger, readNumber } from '../options';
import { outOf } from '../outputs';
import type { OutOption } from './iactivation';
import { NativeActivation } from './native-activation';

/** The kernel of training: a slope for each element, given with the call. */
class DrawnSlopes extends NativeActivation {
  readonly kernel = 'PReLU';

  toString(): string {
    return 'rrelu';
  }
}

const drawn = new DrawnSlopes();

/**
 * Randomised leaky rectified linear unit.
 *
 * Formula: `f(z) = z` for `z >= 0`, `s z` below. In training `s` is drawn from U(l, u) for each element, and kept for
 * the backprop of an input of the same shape; otherwise, and inside every loss, `s = (l + u) / 2`.
 *
 * @example
 * ```ts
 * import { ActivationRReLU, nd } from 'simdloss';
 * const rrelu = new ActivationRReLU({ l: 0.1, u: 0.3, seed: 7 });
 * rrelu.getActivation(nd.array([-1, 2]), false); // [-0.2, 2]
 * rrelu.getActivation(nd.array([-1, 2]), true); // the slope of -1 drawn from [0.1, 0.3)
 * ```
 * @see ND4J `org.nd4j.linalg.activations.impl.ActivationRReLU`; Xu et al. 2015, "Empirical evaluation of rectified activations in convolutional
 * network"; PyTorch `RReLU`
 */
export class ActivationRReLU extends NativeActivation {
  /** @internal */
  readonly kernel = 'LReLU';
  /** @internal */
  override readonly params: readonly [number, number, number];
  /** Lower bound of the slopes. */
  readonly l: number;
  /** Upper bound of the slopes. */
  readonly u: number;
  private readonly seed: number;
  private draws = 0;
  private slopes: NDArray | undefined;

  /**
   * @param l lower bound of the slopes, 1/8 if not given; or an object of all three
   * @param u upper bound, at least l, 1/3 if not given
   * @throws TypeError ERR_OPTION for an unknown option
   * @throws RangeError ERR_RANGE for l above u, or a seed that is no whole number from 0 on
   */
  constructor(l?: number | { readonly l?: number; readonly u?: number; readonly seed?: number }, u?: number);
  constructor(...args: unknown[]) {
    super();
    const traits = { options: ['l', 'u', 'seed'], numbers: ['l', 'u'] };
    const options = NativeActivation.read(traits, 'ActivationRReLU', args);
    this.l = readNumber('l', options['l'], 1 / 8);
    this.u = readNumber('u', options['u'], 1 / 3);
    if (!(this.l <= this.u)) throw rangeError('l', `a number up to u = ${this.u}`, this.l);
    this.seed = readInteger('seed', options['seed'], 0) ?? 0;
    this.params = [(this.l + this.u) / 2, 0, 0];
  }

  override getActivation(input: ArrayInput, training = false, options?: OutOption): NDArray {
    const inputs = this.check(input);
    if (!training) {
      this.slopes = undefined;
      return this.forward(inputs, input, outOf(options), this, undefined);
    }
    // Each pass has slopes of its own, the same in every run of the program.
    const random = nd.rand(inputs.view.shape, { seed: this.seed + this.draws, dtype: inputs.dtype });
    const slopes = random.muli(this.u - this.l).addi(this.l);
    const result = this.forward(inputs, input, outOf(options), drawn, matrixOf(slopes));
    this.draws += 1;
    this.slopes = slopes;
    return result;
  }

  override backprop(input: ArrayInput, epsilon: ArrayInput, options?: OutOption): [NDArray, NDArray | null] {
    const inputs = this.check(input);
    const slope = this.checkEpsilon(epsilon, inputs);
    const { slopes } = this;
    const kept = slopes !== undefined && slopes.dtype === inputs.dtype && isSameShape(slopes.shape, inputs.view.shape);
    const out = outOf(options);
    return kept
      ? [this.backward(inputs, slope, out, drawn, matrixOf(slopes)), null]
      : [this.backward(inputs, slope, out, this, undefined), null];
  }

  toString(): string {
    return `rrelu(l=${this.l}, u=${this.u})`;
  }
}

function matrixOf(slopes: NDArray): MatrixView {
  return toMatrix(toView(slopes, 'slopes', 'float32'));
}
