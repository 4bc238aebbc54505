// SPDX-License-Identifier: Apache-2.0
// Is the gradient of a loss the derivative of its score?
import { isSameShape } from '../array-input';
import { describe, shapeError } from '../errors';
import type { ILossFunction, MaskInput } from '../losses/iloss-function';
import { readNumber } from '../options';
import { CheckError } from './check-error';
import { type CheckOptions, numbersOf, type Problem, readMask, readProblem, shapeOf } from './problem';

/** Options of `checkGradient`. */
export interface GradientCheckOptions extends CheckOptions {
  /** As the loss takes it, or what to draw: some 0, some 1, some neither; none if not given. */
  readonly mask?: MaskInput | 'example' | 'output';
  /** Between the points at which the score is taken; 2^-10 if not given. */
  readonly step?: number | undefined;
  /** The largest relative error that passes, besides what the rounding of the score explains; 1e-6 if not given. */
  readonly tolerance?: number | undefined;
}

/** An element of a gradient, and what it should be. */
export interface GradientElement {
  /** Where it is in preOutput. */
  readonly index: readonly number[];
  /** What the loss says. */
  readonly analytic: number;
  /** What the differences of the score say; at a kink the nearest of the slopes between its two sides. */
  readonly numeric: number;
  /** `abs(analytic - numeric)` over the larger of the two, or over a thousandth of the largest element where both are less. */
  readonly relativeError: number;
}

/** What `checkGradient` found. */
export interface GradientReport {
  /** True where every element is right. */
  readonly passed: boolean;
  /** The element that is furthest off, against what is allowed. */
  readonly worst: GradientElement;
  /** How many elements were compared. */
  readonly elements: number;
  /** What all elements have in common that is wrong, a sign or a factor; else empty. */
  readonly hint: string;
  /** All of it in a line or two. */
  toString(): string;
}

/**
 * Compares the gradient of a loss with differences of its score, element by element, in float64.
 *
 * Formula: `dL/dz = (8 (L(z + h) - L(z - h)) - (L(z + 2h) - L(z - 2h))) / (12 h)`, of error `h^4 L^(5) / 30`; where that
 * disagrees, once more with smaller steps, as a kink may be near.
 *
 * @param loss any loss, of one's own or built in; of every call it gets copies of the arguments
 * @param options what to check it on; without, 6 x 4 normal numbers, identity and no mask
 * @returns the worst element, and whether it passed
 * @throws CheckError, with the report, where an element is off by more than `tolerance`
 * @throws RangeError ERR_SHAPE for a gradient of another shape than preOutput's, ERR_RANGE for a step or a tolerance
 * that is not above 0
 * @throws TypeError ERR_OPTION for an unknown option
 * @example
 * ```ts
 * import { defineLoss } from 'simdloss';
 * import { checkGradient } from 'simdloss/testing';
 * const logCosh = defineLoss('LogCosh', (labels, output) => {
 *   const e = output.sub(labels).abs();
 *   return e.add(e.mul(-2).softplus()).sub(Math.LN2);
 * });
 * checkGradient(logCosh, { activation: 'tanh', mask: 'output' }).passed; // true
 * ```
 * @see PyTorch `torch.autograd.gradcheck`, which throws as well
 */
export function checkGradient(loss: ILossFunction, options: GradientCheckOptions = {}): GradientReport {
  const { problem, given, random, throws } = readProblem('checkGradient', loss, options, ['mask', 'step', 'tolerance']);
  const masked = problem.with({ mask: readMask(problem, given.mask, random) });
  const step = readNumber('step', given.step, 2 ** -10, Number.MIN_VALUE, 1);
  const tolerance = readNumber('tolerance', given.tolerance, 1e-6, Number.MIN_VALUE, 1);
  const report = compare(masked, step, tolerance);
  if (!report.passed && throws) throw new CheckError(report);
  return report;
}

/** The report on a problem. */
export function compare(problem: Problem, step = 2 ** -10, tolerance = 1e-6): GradientReport {
  const { preOutput, average } = problem;
  const result = problem.loss.computeGradient(...problem.arguments());
  const shape = shapeOf(result, 'gradient');
  if (!isSameShape(shape, preOutput.shape)) {
    throw shapeError(`gradient of ${problem.loss.name()}`, `preOutput's shape ${describe(preOutput.shape)}`, shape);
  }
  const analytic = numbersOf(result, 'gradient');
  const score = (i: number, z: number) => {
    const moved = preOutput.dup();
    moved.data[i] = z;
    return problem.with({ preOutput: moved }).score(average);
  };
  const base = problem.score(average);
  const largest = analytic.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
  const compared = analytic.map((value, i) => {
    const z = preOutput.data[i] as number;
    const f = (offset: number) => (offset === 0 ? base : score(i, z + offset));
    return { index: indexOf(i, shape), ...differ(f, value, step, largest, tolerance) };
  });
  const { excess, ...worst } = compared.reduce((a, b) => (b.excess > a.excess ? b : a));
  const passed = excess <= 1;
  const hint = passed ? '' : commonFault(compared, problem.examples, average);
  return {
    passed,
    worst,
    elements: compared.length,
    hint,
    toString() {
      const { index, relativeError } = worst;
      const found = `relative error ${digits(relativeError)} at [${index.join(', ')}]`;
      const told = passed ? '' : `: the loss says ${worst.analytic}, differences of its score ${worst.numeric}`;
      return `Gradient of ${problem}: ${found}, allowed ${digits(tolerance)}${told}.${hint && ` ${hint}.`}`;
    },
  };
}

/** `excess`: the error in units of what is allowed. */
type Comparison = Omit<GradientElement, 'index'> & { readonly excess: number };

/** Shares of the step to try in turn. */
const FINER = [1, 2 ** -4, 2 ** -8];

/** `f(offset)` is the score with the element moved. */
function differ(
  f: (offset: number) => number,
  analytic: number,
  step: number,
  largest: number,
  tolerance: number,
): Comparison {
  const against = (numeric: number, h: number): Comparison => {
    const error = Math.abs(analytic - numeric);
    const unit = Math.max(Math.abs(analytic), Math.abs(numeric), largest / 1000);
    // The score is known to a few roundings of its size.
    const rounding = (2 ** -50 * (1 + Math.abs(f(0)))) / h;
    const or = (value: number) => (error === 0 ? 0 : Number.isFinite(value) ? value : Number.POSITIVE_INFINITY);
    return { analytic, numeric, relativeError: or(error / unit), excess: or(error / (tolerance * unit + rounding)) };
  };
  for (const share of FINER) {
    const found = against(centralSlope(f, step * share), step * share);
    if (found.excess <= 1) return found;
  }
  const h = step * (FINER.at(-1) as number);
  return against(slopeAtKink(f, h, analytic), h);
}

/** Five points: exact for polynomials up to the fourth degree. */
function centralSlope(f: (offset: number) => number, h: number): number {
  return (8 * (f(h) - f(-h)) - (f(2 * h) - f(-2 * h))) / (12 * h);
}

/** At a kink any slope between those of its two sides is right: the one that is nearest to `wanted`. */
function slopeAtKink(f: (offset: number) => number, h: number, wanted: number): number {
  // Three points on a side: of error h^2.
  const right = (4 * f(h) - f(2 * h) - 3 * f(0)) / (2 * h);
  const left = (3 * f(0) - 4 * f(-h) + f(-2 * h)) / (2 * h);
  return Math.min(Math.max(wanted, Math.min(left, right)), Math.max(left, right));
}

/** What is wrong with all elements alike. */
function commonFault(elements: readonly GradientElement[], rows: number, average: boolean): string {
  const largest = elements.reduce((a, b) => (Math.abs(b.numeric) > Math.abs(a.numeric) ? b : a));
  const ratio = largest.analytic / largest.numeric;
  const near = (a: number, b: number) => Math.abs(a - b) <= 1e-4 * Math.abs(largest.numeric);
  if (!Number.isFinite(ratio) || !elements.every(({ analytic, numeric }) => near(analytic, ratio * numeric))) return '';
  const is = (value: number) => Math.abs(ratio - value) <= 1e-4 * Math.abs(value);
  if (ratio === 0) return 'It is 0 everywhere';
  if (is(-1)) return 'The sign is wrong';
  if (rows > 1 && is(1 / rows) && !average)
    return 'It is that of the mean over the rows: { average: true } checks that';
  if (rows > 1 && is(rows) && average) return 'It is that of the sum over the rows, not of the mean';
  return `All of it is ${digits(ratio, 7)} times what it should be`;
}

const digits = (value: number, count = 3): string => String(Number(value.toPrecision(count)));

/** The place of the i-th element. */
function indexOf(i: number, shape: readonly number[]): number[] {
  const index: number[] = [];
  let rest = i;
  for (const size of [...shape].reverse()) {
    index.unshift(rest % size);
    rest = Math.floor(rest / size);
  }
  return index;
}
