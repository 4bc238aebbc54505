// SPDX-License-Identifier: Apache-2.0
import type { FocalOption } from '../samediff/loss';
import { formulas } from '../samediff/loss-formulas';
import { FormulaLoss, type OptionsOf, type WeightsOption } from './formula-loss';

/**
 * Focal loss of independent outputs: binary cross entropy, in which good outputs count less; labels from 0 to 1.
 *
 * Formula: `L = sum_ij m_ij w_j A (1 - q)^gamma BCE(y_ij, a_ij)`, `q = y a + (1 - y) (1 - a)`, `A = y alpha + (1 - y) (1 - alpha)`.
 * With sigmoid it is computed from the logit: finite for every finite one.
 *
 * @example
 * ```ts
 * import { Activation, LossSigmoidFocal, nd } from 'simdloss';
 * new LossSigmoidFocal().computeScore(nd.array([[1]]), nd.array([[0]]), Activation.SIGMOID); // 0.0433: log 2 / 16
 * ```
 * @see torchvision `sigmoid_focal_loss`; Keras `BinaryFocalCrossentropy`; Lin et al., Focal Loss for Dense Object Detection (2017)
 */
export class LossSigmoidFocal extends FormulaLoss<{ alpha: number; gamma: number }> {
  /**
   * @param options `alpha`: the share of the positive labels, in [0, 1], -1 for none, 0.25 if not given; `gamma`: from 0 on, 2; `weights`, one a
   * column. A number is alpha
   * @throws TypeError ERR_OPTION for an unknown option
   * @throws RangeError ERR_RANGE for an alpha or a gamma out of range
   */
  constructor(options?: OptionsOf<FocalOption, WeightsOption>) {
    super(formulas.sigmoidFocalLoss, options);
  }

  /** The share of the positive labels, or -1 for none. */
  get alpha(): number {
    return this.values.alpha;
  }

  /** How much less a good output counts. */
  get gamma(): number {
    return this.values.gamma;
  }
}
