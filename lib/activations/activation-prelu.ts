// SPDX-License-Identifier: Apache-2.0

import { type ArrayInput, type MatrixView, makeMatrix, toMatrix, toView } from '../array-input';
import { optionError, shapeError } from '../errors';
import { check, native, writeDtypes } from '../native';
import { NDArray } from '../ndarray/ndarray';
import { isArrayLike } from '../options';
import { allocate, outOf } from '../outputs';
import type { OutOption } from './iactivation';
import { NativeActivation, prepare } from './native-activation';

/**
 * Parametric rectified linear unit: a learnable slope below 0 for each column.
 *
 * Formula: `f(z) = z` for `z >= 0`, `alpha_j z` below; the slope at 0 is 1. The gradient of `alpha_j` is the sum over
 * the rows of `epsilon z` where `z < 0`.
 *
 * @example
 * ```ts
 * import { ActivationPReLU, nd } from 'simdloss';
 * const prelu = new ActivationPReLU(nd.array([0.1, 0.5]));
 * prelu.backprop(nd.array([[-2, -4]]), nd.array([[1, 1]])); // [[[0.1, 0.5]], [-2, -4]]
 * ```
 * @see ND4J `org.nd4j.linalg.activations.impl.ActivationPReLU`; He et al. 2015, "Delving deep into rectifiers"; PyTorch `PReLU`
 */
export class ActivationPReLU extends NativeActivation {
  /** @internal */
  readonly kernel = 'PReLU';
  /** The slopes, `[c]`: a view of the constructor's array where that has memory, so that updates in place count. */
  readonly alpha: NDArray;

  /**
   * @param alpha slopes below 0, one a column, `[c]` or `[1, c]`; or an object with it
   * @throws TypeError ERR_OPTION for an unknown option, or without alpha
   * @throws RangeError ERR_SHAPE for an alpha of another shape
   */
  constructor(alpha: ArrayInput | { readonly alpha: ArrayInput });
  constructor(...args: unknown[]) {
    super();
    const { alpha } = NativeActivation.read({ options: ['alpha'], array: 'alpha' }, 'ActivationPReLU', args);
    if (!isArrayLike(alpha)) throw optionError('alpha', 'an array with one slope a column', alpha);
    const view = toView(alpha, 'alpha', 'float64');
    const matrix = toMatrix(view);
    const row = view.shape.length === 1 ? view.strides[0] === 1 || view.shape[0] === 1 : matrix.rows === 1;
    if (!row) throw shapeError('alpha', '[c] or [1, c]', view.shape);
    this.alpha = new NDArray(matrix.data, [matrix.rows * matrix.cols]);
  }

  override numParams(inputSize: number): number {
    return inputSize;
  }

  override backprop(input: ArrayInput, epsilon: ArrayInput, options?: OutOption): [NDArray, NDArray | null] {
    const inputs = this.check(input);
    const slope = this.checkEpsilon(epsilon, inputs);
    const alphas = this.alphaFor(inputs.z.cols);
    // Before dL/dz: that may go to the input's own memory.
    const parameters = allocate(inputs.dtype, [inputs.z.cols], 1, inputs.z.cols);
    prepare(this, inputs.z, slope, alphas, inputs.z.cols);
    writeDtypes(inputs.z.data, slope.data, alphas.data, parameters.data);
    check(native.preluParameterGradient(inputs.z.data, slope.data, alphas.data, parameters.data));
    return [this.backward(inputs, slope, outOf(options), this, undefined), parameters.array];
  }

  /** @internal */
  override alphaFor(cols: number): MatrixView {
    const { data, length, dtype } = this.alpha;
    if (length !== cols) throw shapeError('alpha', `${cols} slopes, one a column`, length);
    return makeMatrix(data, 1, cols, 0, dtype);
  }

  toString(): string {
    return `prelu(alpha=[${Array.from(this.alpha.data as Float64Array).join(', ')}])`;
  }
}
