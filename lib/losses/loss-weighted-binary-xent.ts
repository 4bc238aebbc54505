// SPDX-License-Identifier: Apache-2.0
import type { ArrayInput } from '../array-input';
import { rangeError, shapeError } from '../errors';
import { NDArray } from '../ndarray/ndarray';
import { readNumber } from '../options';
import type { Node } from '../samediff/graph';
import { type Formula, type Reader, weightedBinaryCrossEntropy } from '../samediff/loss-formulas';
import type { SameDiff } from '../samediff/samediff';
import type { SDVariable } from '../samediff/variable';
import { readRow } from './base-loss';
import { FormulaLoss, type WeightsOption } from './formula-loss';

/** Options of `LossWeightedBinaryXENT`. */
export interface PosWeightOptions extends WeightsOption {
  /** The weight of the positive labels, from 0 on: a number for all, or one a column, `[c]` or `[1, c]`. 1 if not given. */
  readonly posWeight?: number | ArrayInput;
}

interface Values {
  posWeight: number | NDArray;
}

const readPosWeight: Reader<number | NDArray> = (name, value) => {
  if (value === undefined || typeof value === 'number') return readNumber(name, value, 1, 0, Number.MAX_VALUE);
  const row = readRow(name, value);
  for (let j = 0; j < row.length; j++) {
    const weight = row.getDouble(j);
    if (!(weight >= 0 && weight < Number.POSITIVE_INFINITY)) throw rangeError(name, 'finite numbers from 0 on', weight);
  }
  return row;
};

const formula: Formula<Values, readonly [y: Node, a: Node, posWeight: Node]> = {
  ...weightedBinaryCrossEntropy,
  options: { posWeight: readPosWeight },
};

/**
 * Binary cross entropy of independent outputs, whose positive labels weigh more, or less; labels from 0 to 1.
 *
 * Formula: `L = -sum_ij m_ij w_j (p_j y_ij log a_ij + (1 - y_ij) log(1 - a_ij))`, `p` the weight of the positive labels;
 * with sigmoid computed from the logit: finite for every finite one.
 *
 * @example
 * ```ts
 * import { Activation, LossWeightedBinaryXENT, nd } from 'simdloss';
 * const loss = new LossWeightedBinaryXENT({ posWeight: [3, 1] });
 * loss.computeGradient(nd.array([[1, 1]]), nd.array([[0, 0]]), Activation.SIGMOID); // [[-1.5, -0.5]]
 * ```
 * @see PyTorch `BCEWithLogitsLoss(pos_weight=)`; TensorFlow `weighted_cross_entropy_with_logits`
 */
export class LossWeightedBinaryXENT extends FormulaLoss<Values> {
  /**
   * @param posWeight the weight of the positive labels, finite and from 0 on, 1 if not given; or an object with it, where it
   * may be one a column, and with `weights`, one a column
   * @throws TypeError ERR_OPTION for an unknown option
   * @throws RangeError ERR_RANGE for a weight of the positive labels below 0, ERR_SHAPE for some that are no row
   */
  constructor(posWeight?: number | PosWeightOptions) {
    super(formula, posWeight);
  }

  /** The weight of the positive labels: a number, or an array `[c]`. */
  get posWeight(): number | NDArray {
    return this.values.posWeight;
  }

  protected override constantsOf(sd: SameDiff, layerInput: SDVariable): readonly Node[] {
    const { posWeight } = this;
    const columns = layerInput.shape[1];
    if (posWeight instanceof NDArray && posWeight.length !== columns) {
      throw shapeError('posWeight', `${columns} values, one a column of preOutput`, posWeight.length);
    }
    return [sd.constant(posWeight).node];
  }
}
