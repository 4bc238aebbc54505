// SPDX-License-Identifier: Apache-2.0
import type { MultiMarginOption } from '../samediff/loss';
import { formulas } from '../samediff/loss-formulas';
import { FormulaLoss, type LabelsOption, type OptionsOf } from './formula-loss';

/**
 * Multi-class hinge loss: how far the other classes come within a margin of the class of the label; masks are per example.
 *
 * Formula: `L = sum_i m_i sum_{j != k} max(0, margin - a_ik + a_ij)^p / c`, `k` the class of the label of row `i`.
 *
 * @example
 * ```ts
 * import { Activation, LossMultiMargin, nd } from 'simdloss';
 * new LossMultiMargin({ labels: 'classes' }).computeScore([2], nd.array([[0.5, 0, 1]]), Activation.IDENTITY); // 0.1667
 * ```
 * @see PyTorch `MultiMarginLoss`; Crammer & Singer, On the Algorithmic Implementation of Multiclass Kernel-based Vector Machines (2001)
 */
export class LossMultiMargin extends FormulaLoss<{ p: number; margin: number }> {
  /**
   * @param options `p`: the power, 1 or 2, 1 if not given; `margin`: by how much the class of the label should win, 1; `labels`: one-hot
   * `outputs`, if not given, or `classes`, an index a row. A number is p
   * @throws TypeError ERR_OPTION for an unknown option
   * @throws RangeError ERR_RANGE for another p, or a margin that is not finite
   */
  constructor(options?: OptionsOf<MultiMarginOption, LabelsOption>) {
    super(formulas.multiMarginLoss, options);
  }

  /** The power, 1 or 2. */
  get p(): number {
    return this.values.p;
  }

  /** By how much the class of the label should win. */
  get margin(): number {
    return this.values.margin;
  }
}
