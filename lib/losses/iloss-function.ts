// SPDX-License-Identifier: Apache-2.0

import type { Activation } from '../activations/activation';
import type { IActivation, OutOption } from '../activations/iactivation';
import type { ArrayInput } from '../array-input';
import type { NDArray } from '../ndarray/ndarray';

/** An activation as the losses and layers take it: an object, an enum value, or its name in any case. */
export type ActivationInput = IActivation | Activation | string;

/** A mask, per example or per output, or none. */
export type MaskInput = ArrayInput | null | undefined;

/** What `computeGradientAndScore` returns. */
export interface GradientAndScore {
  /** The score: the sum over the batch, or its mean over the rows. */
  score: number;
  /** dL/dz of the sum, the shape of preOutput. */
  gradient: NDArray;
}

/**
 * A loss function: score, score per example and gradient of the preOutput.
 *
 * Formula: `L = sum_ij m_ij w_j l(y_ij, f(z_ij))`; the gradient is dL/dz of the sum, never divided by the rows.
 *
 * @example
 * ```ts
 * import { Activation, type ILossFunction, LossMCXENT, nd } from 'simdloss';
 * const loss: ILossFunction = new LossMCXENT();
 * const { score, gradient } = loss.computeGradientAndScore(
 *   nd.array([[0, 1]]), nd.array([[1, 2]]), Activation.SOFTMAX, null, true);
 * ```
 * @see ND4J `org.nd4j.linalg.lossfunctions.ILossFunction`
 */
export interface ILossFunction {
  /**
   * The loss of the whole batch.
   *
   * Formula: `L = sum_ij m_ij w_j l(y_ij, f(z_ij))`, divided by `n` when `average`.
   *
   * @param labels `y`, `[n, c]`, any numeric dtype; class indices `[n]` or `[n, 1]` of `LossSparseMCXENT`, `[n, d]` of
   * `LossMixtureDensity`
   * @param preOutput `z`, the layer's output before its activation, `[n, c]`, float32 or float64; left as it is. Leading
   * axes are folded into rows, a vector is a column
   * @param activationFn `f`: an object, an `Activation`, or its name in any case
   * @param mask per example, `[n]` or `[n, 1]`, or per output, preOutput's shape, any numeric dtype; 0 leaves a place out
   * even if it is NaN, any other value multiplies. None if not given
   * @param average true: divided by the rows, masked ones too; false if not given, as gradients are those of the sum
   * @param options none that a number has: `out` is left alone
   * @returns the score, a float64 number
   * @throws RangeError ERR_SHAPE for shapes that do not fit together, or a mean over no rows; ERR_RANGE for a label that
   * is no class; ERR_BUFFER for memory that is detached or too short
   * @throws TypeError ERR_DTYPE for what is no array, or a preOutput of whole numbers; ERR_OPTION for an unknown name
   * @example
   * ```ts
   * import { Activation, LossL1, nd } from 'simdloss';
   * const [labels, output] = [nd.array([[1, 2], [3, 4]]), nd.array([[1, 4], [0, 4]])];
   * new LossL1().computeScore(labels, output, Activation.IDENTITY); // 5
   * new LossL1().computeScore(labels, output, Activation.IDENTITY, null, true); // 2.5
   * new LossL1().computeScore(labels, output, Activation.IDENTITY, [1, 0]); // 2: the first row alone
   * ```
   */
  computeScore(
    labels: ArrayInput,
    preOutput: ArrayInput,
    activationFn: ActivationInput,
    mask?: MaskInput,
    average?: boolean,
    options?: OutOption,
  ): number;
  /**
   * Each row's share of the score, never averaged over the rows.
   *
   * Formula: `L_i = sum_j m_ij w_j l(y_ij, f(z_ij))`.
   *
   * @param labels `y`, as the loss takes them in `computeScore`
   * @param preOutput `z`, `[n, c]`, float32 or float64; left as it is
   * @param activationFn `f`: an object, an `Activation`, or its name in any case
   * @param mask per example or per output; none if not given
   * @param options `out`: where the result goes, `[n, 1]` of preOutput's dtype, or a typed array of length n
   * @returns `[n, 1]` of preOutput's dtype: `out`, or a new array
   * @throws RangeError ERR_SHAPE for shapes that do not fit together; ERR_RANGE for a label that is no class; ERR_BUFFER
   * for an `out` that overlaps an input, or memory that is detached or too short
   * @throws TypeError ERR_DTYPE for what is no array, or another dtype; ERR_OPTION for an unknown name
   * @example
   * ```ts
   * import { Activation, LossL1, nd } from 'simdloss';
   * const [labels, output] = [nd.array([[1, 2], [3, 4]]), nd.array([[1, 4], [0, 4]])];
   * new LossL1().computeScoreArray(labels, output, Activation.IDENTITY); // [[2], [3]]
   * ```
   */
  computeScoreArray(
    labels: ArrayInput,
    preOutput: ArrayInput,
    activationFn: ActivationInput,
    mask?: MaskInput,
    options?: OutOption,
  ): NDArray;
  /**
   * The gradient of the score in the preOutput.
   *
   * Formula: `dL/dz_ij = m_ij w_j dl/da_ij f'(z_ij)` of the sum, never divided by `n`; softmax through its Jacobian.
   *
   * @param labels `y`, as the loss takes them in `computeScore`
   * @param preOutput `z`, `[n, c]`, float32 or float64; left as it is, unless it is `out`
   * @param activationFn `f`: an object, an `Activation`, or its name in any case
   * @param mask per example or per output; none if not given
   * @param options `out`: where the result goes, of preOutput's shape and dtype, or a typed array of its length; it may be
   * preOutput exactly
   * @returns preOutput's shape and dtype: `out`, or a new array
   * @throws RangeError ERR_SHAPE for shapes that do not fit together; ERR_RANGE for a label that is no class; ERR_BUFFER
   * for an `out` that overlaps an input otherwise, or memory that is detached or too short
   * @throws TypeError ERR_DTYPE for what is no array, or another dtype; ERR_OPTION for an unknown name
   * @example
   * ```ts
   * import { Activation, LossL2, nd } from 'simdloss';
   * new LossL2().computeGradient(nd.array([[1, 2]]), nd.array([[1, 4]]), Activation.IDENTITY); // [[0, 4]]
   * ```
   */
  computeGradient(
    labels: ArrayInput,
    preOutput: ArrayInput,
    activationFn: ActivationInput,
    mask?: MaskInput,
    options?: OutOption,
  ): NDArray;
  /**
   * Score and gradient at once, each row read once: the same to the bit as the two calls.
   *
   * Formula: `L = sum_ij m_ij w_j l(y_ij, f(z_ij))`, divided by `n` when `average`; `dL/dz` of the sum, always.
   *
   * @param labels `y`, as the loss takes them in `computeScore`
   * @param preOutput `z`, `[n, c]`, float32 or float64; left as it is, unless it is `out`
   * @param activationFn `f`: an object, an `Activation`, or its name in any case
   * @param mask per example or per output; none if not given
   * @param average true: the score, not the gradient, is divided by the rows; false if not given
   * @param options `out`: where the gradient goes, of preOutput's shape and dtype, or a typed array of its length; it may
   * be preOutput exactly
   * @returns `score`, a float64 number, and `gradient`, of preOutput's shape and dtype
   * @throws RangeError ERR_SHAPE for shapes that do not fit together, or a mean over no rows; ERR_RANGE for a label that
   * is no class; ERR_BUFFER for an `out` that overlaps an input otherwise, or memory that is detached or too short
   * @throws TypeError ERR_DTYPE for what is no array, or another dtype; ERR_OPTION for an unknown name
   * @example
   * ```ts
   * import { Activation, LossL2, nd } from 'simdloss';
   * const [labels, output] = [nd.array([[1, 2], [3, 4]]), nd.array([[1, 4], [0, 4]])];
   * const result = new LossL2().computeGradientAndScore(labels, output, Activation.IDENTITY, null, true);
   * result.score; // 6.5
   * result.gradient; // [[0, 4], [-6, 0]]
   * ```
   */
  computeGradientAndScore(
    labels: ArrayInput,
    preOutput: ArrayInput,
    activationFn: ActivationInput,
    mask?: MaskInput,
    average?: boolean,
    options?: OutOption,
  ): GradientAndScore;
  /** The class's name with brackets, as in `LossMSE()`. */
  name(): string;
}
