// SPDX-License-Identifier: Apache-2.0
import type { ArrayInput } from '../array-input';
import type { NDArray } from '../ndarray/ndarray';

/** Where a result goes. */
export interface OutOption {
  /** An array of the result's shape and dtype, or a bare typed array of its length: filled and returned. */
  readonly out?: ArrayInput | undefined;
}

/**
 * An activation function and its derivative: every built-in activation, or an object of the user's own.
 *
 * Formula: `a = f(z)`, `dL/dz = dL/da * f'(z)`.
 *
 * @example
 * ```ts
 * import { type IActivation, LossMSE, nd } from 'simdloss';
 * const square: IActivation = {
 *   getActivation: (z) => z.muli(z),
 *   backprop: (z, epsilon) => [z.mul(2).muli(epsilon), null],
 *   numParams: () => 0,
 *   toString: () => 'square',
 * };
 * new LossMSE().computeScore(nd.array([[4]]), nd.array([[3]]), square); // (4 - 9)^2 = 25
 * ```
 * @see ND4J `org.nd4j.linalg.activations.IActivation`
 */
export interface IActivation {
  /**
   * The activated values, written over the input.
   *
   * Formula: `a = f(z)`.
   *
   * @param input `z`, float32 or float64, softmax over its last axis; overwritten unless `options.out` is given
   * @param training true in a pass that trains: `ActivationRReLU` draws its slopes; false if not given
   * @param options `out`: where the result goes, of input's shape and dtype, or a typed array of its length
   * @returns the input itself, or `out`; of plain numbers, which have no memory, a new array
   * @throws RangeError ERR_SHAPE for no columns, or another shape of `out` or of alpha; ERR_BUFFER for an `out` that
   * overlaps the input in part, or memory that is detached or too short
   * @throws TypeError ERR_DTYPE for what is no array, or another dtype; ERR_OPTION for an unknown option
   * @example
   * ```ts
   * import { ActivationCube, nd } from 'simdloss';
   * const z = nd.array([[-1, 2]]);
   * new ActivationCube().getActivation(z, false, { out: new Float32Array(2) }); // [[-1, 8]]
   * new ActivationCube().getActivation(z) === z; // true
   * z; // [[-1, 8]]
   * ```
   */
  getActivation(input: NDArray, training?: boolean, options?: OutOption): NDArray;
  /**
   * The gradient in the input from the gradient in the activated values; changes neither argument.
   *
   * Formula: `dL/dz = epsilon f'(z)`, `epsilon = dL/da`; softmax `p_k (epsilon_k - sum_j p_j epsilon_j)`.
   *
   * @param input `z`, float32 or float64: what `getActivation` was given, before it wrote over it
   * @param epsilon `dL/da`, the shape of input
   * @param options `out`: where dL/dz goes, of input's shape and dtype, or a typed array of its length; it may be input
   * exactly
   * @returns dL/dz, of input's shape and dtype, and the parameters' gradient, or null where there are none
   * @throws RangeError ERR_SHAPE for shapes that differ; ERR_BUFFER for an `out` that overlaps an argument otherwise, or
   * memory that is detached or too short
   * @throws TypeError ERR_DTYPE for what is no array, or another dtype; ERR_OPTION for an unknown option
   * @example
   * ```ts
   * import { ActivationCube, nd } from 'simdloss';
   * const [gradient, parameters] = new ActivationCube().backprop(nd.array([[-1, 2]]), nd.array([[1, 0.5]]));
   * gradient; // [[3, 6]]
   * parameters === null; // true
   * ```
   */
  backprop(input: NDArray, epsilon: NDArray, options?: OutOption): [NDArray, NDArray | null];
  /**
   * How many learnable parameters the activation has.
   *
   * @param inputSize columns of the input, from 1 on
   * @returns inputSize for `ActivationPReLU`, 0 for all other built-in activations
   * @example
   * ```ts
   * import { ActivationPReLU, ActivationReLU, nd } from 'simdloss';
   * new ActivationPReLU(nd.full([3], 0.25)).numParams(3); // 3
   * new ActivationReLU().numParams(3); // 0
   * ```
   */
  numParams(inputSize: number): number;
  /** The activation's name in lower case, with its parameters. */
  toString(): string;
}
