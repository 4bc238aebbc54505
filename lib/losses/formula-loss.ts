// SPDX-License-Identifier: Apache-2.0
// The base of the losses that are formulas of lib/samediff: their options, and the expression.
import type { ArrayInput } from '../array-input';
import { optionError } from '../errors';
import type { Node } from '../samediff/graph';
import { type Formula, readOptions } from '../samediff/loss-formulas';
import type { SameDiff } from '../samediff/samediff';
import type { SDVariable } from '../samediff/variable';
import { SameDiffLoss } from './samediff-loss';

/** The class weights of a loss with a score per output. */
export interface WeightsOption {
  /** One a column, any sign, `[c]` or `[1, c]`. */
  readonly weights?: ArrayInput;
}

/** What the labels of a loss of classes are. */
export interface LabelsOption {
  /** `outputs`: one-hot, in preOutput's shape, if not given; `classes`: the index of a column each, `[n]` or `[n, 1]`. */
  readonly labels?: 'outputs' | 'classes';
}

/** Options of a loss's function in `sd.loss`, and of its class alone. */
export type OptionsOf<Option, More> = Option | (Exclude<Option, number> & More);

/** A loss that is a formula of labels and output: of an element or, where the formula is a row's, of an example. */
export abstract class FormulaLoss<V extends object> extends SameDiffLoss {
  private readonly formula: Formula<V, readonly Node[]>;
  /** The values of its options. */
  protected readonly values: V;

  /** @internal */
  protected constructor(formula: Formula<V, readonly Node[]>, options: unknown) {
    const numbers = Object.keys(formula.options);
    const perOutput = formula.axis === undefined || formula.isSum === true;
    super(options, {
      numbers,
      options: formula.ofClasses === true ? [...numbers, 'labels'] : numbers,
      weighted: perOutput,
      coupled: !perOutput,
    });
    this.formula = formula;
    this.values = readOptions<V>(formula.options, this.options);
    if (this.options['labels'] === 'rows') throw optionError('labels', 'outputs or classes', 'rows');
  }

  override defineLoss(sd: SameDiff, layerInput: SDVariable, labels: SDVariable): SDVariable {
    const { graph: g } = sd;
    const y = this.sparse ? g.isClass(layerInput.node, labels.node) : labels.node;
    return sd.make(
      undefined,
      this.formula.of(g, [y, layerInput.node, ...this.constantsOf(sd, layerInput)], this.values),
    );
  }

  /** What the formula takes besides. */
  protected constantsOf(_sd: SameDiff, _layerInput: SDVariable): readonly Node[] {
    return [];
  }
}
