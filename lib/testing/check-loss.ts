// SPDX-License-Identifier: Apache-2.0
// Does a loss keep the rules that the built-in ones keep?
import { optionError } from '../errors';
import type { ILossFunction } from '../losses/iloss-function';
import { readFlag } from '../options';
import { CheckError } from './check-error';
import { type CheckOptions, readProblem } from './problem';
import { RULES, type Terms } from './rules';

/** Options of `checkLoss`. */
export interface LossCheckOptions extends CheckOptions {
  /**
   * The masks that the loss takes: `output`, both kinds, if not given (a loss that rejects masks per output by a
   * RangeError keeps the rules too); `example`, per example alone; `none`, no rule of masks is checked.
   */
  readonly masks?: 'none' | 'example' | 'output' | undefined;
  /** Is it a score of the batch as a whole: no score array, and a mean that is the score? false if not given. */
  readonly ofBatch?: boolean | undefined;
  /** The outputs, before activation, at which all has to be finite; -1000 and 1000 if not given. */
  readonly extremes?: readonly number[] | undefined;
}

/** A rule, and what came of it. */
export interface RuleResult {
  /** What holds of a loss, in a few words. */
  readonly rule: string;
  /** True where it holds of this one. */
  readonly passed: boolean;
  /** What went wrong; empty where nothing did. */
  readonly detail: string;
}

/** What `checkLoss` found. */
export interface LossReport {
  /** True where all rules hold. */
  readonly passed: boolean;
  /** One entry for each rule that was checked. */
  readonly rules: readonly RuleResult[];
  /** A line for each rule. */
  toString(): string;
}

/**
 * Checks that a loss does what callers rely on: the score is the sum of the score array, a mean is divided by the rows,
 * the gradient is the derivative, both at once are the two calls, masks leave out what they should, arguments are left
 * as they were, all is finite at extremes, float32 agrees with float64.
 *
 * @param loss any loss, of one's own or built in; of every call it gets copies of the arguments
 * @param options what to check it on, and which rules are none of its own; without, 6 x 4 normal numbers and identity
 * @returns one entry for each rule
 * @throws CheckError, with the report, where a rule does not hold
 * @throws RangeError ERR_SHAPE for shapes without elements
 * @throws TypeError ERR_OPTION for an unknown option
 * @example
 * ```ts
 * import { defineLoss } from 'simdloss';
 * import { checkLoss } from 'simdloss/testing';
 * const squares = defineLoss('squares', (labels, output) => output.sub(labels).square());
 * checkLoss(squares, { activation: 'tanh', labels: 'sign' }).passed; // true
 * const naive = defineLoss('naive', (labels, output) => output.exp().add(1).log().sub(output.mul(labels)));
 * checkLoss(naive, { labels: 'binary', throws: false }).rules.filter(({ passed }) => !passed).length; // 1: exp(1000)
 * ```
 * @see scikit-learn `sklearn.utils.estimator_checks.check_estimator`, the same idea for estimators
 */
export function checkLoss(loss: ILossFunction, options: LossCheckOptions = {}): LossReport {
  const { problem, given, throws } = readProblem('checkLoss', loss, options, ['masks', 'ofBatch', 'extremes']);
  const terms: Terms = {
    problem,
    masks: readMasks(given.masks),
    ofBatch: readFlag('ofBatch', given.ofBatch, false),
    extremes: readExtremes(given.extremes),
  };
  const rules = RULES.filter(({ applies }) => applies?.(terms) ?? true).map(({ rule, fault }): RuleResult => {
    const detail = faultOr(() => fault(terms));
    return { rule, passed: detail === '', detail };
  });
  const kept = rules.filter(({ passed }) => passed).length;
  const report: LossReport = {
    passed: kept === rules.length,
    rules,
    toString() {
      const lines = rules.map(
        ({ rule, passed, detail }) => `  ${passed ? 'ok  ' : 'FAIL'} ${rule}${detail && `: ${detail}`}`,
      );
      return [`${problem}: ${kept} of ${rules.length} rules hold`, ...lines].join('\n');
    },
  };
  if (!report.passed && throws) throw new CheckError(report);
  return report;
}

/** What a rule says, or the error that the loss threw meanwhile. */
function faultOr(fault: () => string): string {
  try {
    return fault();
  } catch (error) {
    return `threw ${error}`;
  }
}

function readMasks(masks: unknown): 'none' | 'example' | 'output' {
  if (masks === undefined) return 'output';
  if (masks === 'none' || masks === 'example' || masks === 'output') return masks;
  throw optionError('masks', 'none, example or output', masks);
}

function readExtremes(extremes: unknown): readonly number[] {
  if (extremes === undefined) return [-1000, 1000];
  if (Array.isArray(extremes) && extremes.every((value) => typeof value === 'number')) return extremes;
  throw optionError('extremes', 'numbers', extremes);
}
