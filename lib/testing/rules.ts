// SPDX-License-Identifier: Apache-2.0
// The rules of losses, one entry each.
import { describe } from '../errors';
import { NDArray } from '../ndarray/ndarray';
import type { FloatDtype } from '../outputs';
import { compare } from './check-gradient';
import { type MaskKind, maskOf, numbersOf, type Problem, shapeOf } from './problem';

/** What a loss is held to. */
export interface Terms {
  readonly problem: Problem;
  readonly masks: 'none' | MaskKind;
  readonly ofBatch: boolean;
  readonly extremes: readonly number[];
}

interface Rule {
  readonly rule: string;
  /** Every loss is held to it if not given. */
  readonly applies?: (terms: Terms) => boolean;
  /** What is wrong; empty where nothing is. */
  readonly fault: (terms: Terms) => string;
}

const DTYPES: readonly FloatDtype[] = ['float32', 'float64'];

/** How far two numbers may be apart, as a share of the largest of a field: some hundred roundings. */
const CLOSE: Readonly<Record<FloatDtype, number>> = { float32: 1e-4, float64: 1e-11 };

/** Where two lists differ, in words. */
function difference(name: string, got: readonly number[], want: readonly number[], dtype: FloatDtype): string {
  if (got.length !== want.length) return `${name}: ${got.length} numbers instead of ${want.length}`;
  const largest = want.reduce((most, value) => Math.max(most, Math.abs(value)), 1);
  for (const [i, value] of want.entries()) {
    const found = got[i] as number;
    if (!(Math.abs(found - value) <= CLOSE[dtype] * largest)) return `${name}: ${found} instead of ${value}`;
  }
  return '';
}

/** The first fault of several. */
const first = (...faults: string[]): string => faults.find((fault) => fault !== '') ?? '';
const sum = (list: readonly number[]): number => list.reduce((total, value) => total + value, 0);
const plus = (a: readonly number[], b: readonly number[]): number[] => a.map((value, i) => value + (b[i] as number));

/** Score, score array and gradient of the sum, and where those of two problems differ. */
function results(problem: Problem, ofBatch: boolean) {
  return {
    score: problem.score(),
    scoreArray: ofBatch ? [] : problem.scoreArray(),
    gradient: problem.gradientOfSum(),
  };
}
type Results = ReturnType<typeof results>;

const differences = (got: Results, want: Results, dtype: FloatDtype = 'float64'): string =>
  first(
    difference('score', [got.score], [want.score], dtype),
    difference('score array', got.scoreArray, want.scoreArray, dtype),
    difference('gradient', got.gradient, want.gradient, dtype),
  );

/** Every other row of the first axis, in memory of its own. */
function everyOther(array: NDArray): NDArray {
  const [rows = 0, ...rest] = array.shape;
  const [stride = 1, ...strides] = array.strides;
  return new NDArray(array.data, [Math.ceil(rows / 2), ...rest], [2 * stride, ...strides]).dup();
}

/** A mask per example that leaves out every other row of the first axis, from the second on. */
function alternating(problem: Problem): NDArray {
  const perRow = problem.examples / problem.rows;
  return maskOf(problem, 'example', (place) => 1 - (Math.floor(place / perRow) % 2));
}

/** Numbers of the rows of the first axis that are left out. */
function leftOut(list: readonly number[], rows: number): number[] {
  const size = list.length / rows;
  return list.filter((_, i) => Math.floor(i / size) % 2 === 1);
}
function kept(list: readonly number[], rows: number): number[] {
  const size = list.length / rows;
  return list.filter((_, i) => Math.floor(i / size) % 2 === 0);
}

function shapes({ problem, ofBatch }: Terms): string {
  const { loss, preOutput, examples } = problem;
  const faults = DTYPES.map((dtype) => {
    const call = problem.in(dtype);
    const score: unknown = call.score();
    if (typeof score !== 'number') return `score: ${describe(score)} instead of a number`;
    const gradient = loss.computeGradient(...call.arguments());
    if (gradient.dtype !== dtype) return `gradient: ${gradient.dtype} instead of ${dtype}`;
    const shape = shapeOf(gradient, 'gradient');
    if (String(shape) !== String(preOutput.shape))
      return `gradient: ${describe(shape)} instead of ${describe(preOutput.shape)}`;
    if (ofBatch) return '';
    const scores = shapeOf(loss.computeScoreArray(...call.arguments()), 'score array');
    const wanted = [[examples, 1], [examples]];
    return wanted.some((shape) => String(shape) === String(scores))
      ? ''
      : `score array: ${describe(scores)} instead of [${examples}, 1]`;
  });
  return first(...faults);
}

function bothAtOnce({ problem }: Terms): string {
  const gradient = problem.gradient();
  const faults = [false, true].map((average) => {
    const both = problem.loss.computeGradientAndScore(...problem.arguments(), average);
    return first(
      difference(`score with average ${average}`, [both.score], [problem.score(average)], 'float64'),
      difference(`gradient with average ${average}`, numbersOf(both.gradient, 'gradient'), gradient, 'float64'),
    );
  });
  return first(...faults);
}

const METHODS = ['computeScore', 'computeScoreArray', 'computeGradient', 'computeGradientAndScore'] as const;

function leavesArguments({ problem, ofBatch, masks }: Terms): string {
  const mask = masks === 'none' ? null : maskOf(problem, 'example', () => 1);
  const call = problem.with({ mask });
  const before = call.arguments();
  const faults = METHODS.filter((method) => !ofBatch || method !== 'computeScoreArray').map((method) => {
    const given = call.arguments();
    call.loss[method](...given);
    const names = ['labels', 'preOutput', '', 'mask'];
    const changed = names.filter((_, i) => {
      const [was, is] = [before[i], given[i]];
      return was instanceof NDArray && String(was.data) !== String((is as NDArray).data);
    });
    return changed.length === 0 ? '' : `${method} changes ${changed.join(' and ')}`;
  });
  return first(...faults);
}

function isDerivative({ problem }: Terms): string {
  const report = compare(problem);
  return report.passed ? '' : String(report);
}

function onesAreNone({ problem, masks, ofBatch }: Terms): string {
  return everyKind(masks, (kind) => {
    const ones = problem.with({ mask: maskOf(problem, kind, () => 1) });
    return differences(results(ones, ofBatch), results(problem, ofBatch));
  });
}

/** For each kind of mask that a loss takes: one that rejects masks per output, and says so, takes none. */
function everyKind(masks: Terms['masks'], fault: (kind: MaskKind) => string): string {
  const perExample = fault('example');
  if (perExample !== '' || masks === 'example') return perExample && `per example, ${perExample}`;
  try {
    const perOutput = fault('output');
    return perOutput && `per output, ${perOutput}`;
  } catch (error) {
    if (error instanceof RangeError) return '';
    throw error;
  }
}

function zeroLeavesOut({ problem, ofBatch }: Terms): string {
  const { labels, preOutput, rows } = problem;
  const got = results(problem.with({ mask: alternating(problem) }), ofBatch);
  const rest = problem.with({ labels: everyOther(labels), preOutput: everyOther(preOutput) });
  const out = [...leftOut(got.scoreArray, rows), ...leftOut(got.gradient, rows)].find((value) => value !== 0);
  if (out !== undefined) return `${out} instead of 0 where the mask is 0`;
  const ofKept = { ...got, scoreArray: kept(got.scoreArray, rows), gradient: kept(got.gradient, rows) };
  return differences(ofKept, results(rest, ofBatch));
}

/** 1 and 0 in turn along rows and columns; and the other way round. */
function checkered(problem: Problem, kind: MaskKind, start = 0): NDArray {
  const columns = kind === 'example' ? 1 : problem.columns;
  return maskOf(problem, kind, (place) => (start + 1 + Math.floor(place / columns) + (place % columns)) % 2);
}

/** What a mask leaves out is NaN: a row of outputs; of a single output the label, as a row's outputs may be coupled. */
function nanStaysOut({ problem, masks, ofBatch }: Terms): string {
  return everyKind(masks, (kind) => {
    const masked = problem.with({ mask: kind === 'example' ? alternating(problem) : checkered(problem, kind) });
    const name = kind === 'example' ? 'preOutput' : 'labels';
    if (String(problem[name].shape) !== String(problem.preOutput.shape)) return '';
    const array = problem[name].castTo('float64').dup();
    const { mask } = masked;
    const per = array.length / (mask as NDArray).length;
    for (let i = 0; i < array.length; i++) if (mask?.data[Math.floor(i / per)] === 0) array.data[i] = Number.NaN;
    return differences(results(masked.with({ [name]: array }), ofBatch), results(masked, ofBatch));
  });
}

/** A mask's numbers for each example, of any sign. */
const FACTORS = [2, 0.5, -1, 1];

function othersMultiply({ problem }: Terms): string {
  const factor = (place: number) => FACTORS[place % FACTORS.length] as number;
  const got = results(problem.with({ mask: maskOf(problem, 'example', factor) }), false);
  const plain = results(problem, false);
  const times = (list: readonly number[], size: number) => list.map((value, i) => value * factor(Math.floor(i / size)));
  const scoreArray = times(plain.scoreArray, 1);
  return differences(got, { score: sum(scoreArray), scoreArray, gradient: times(plain.gradient, problem.columns) });
}

/** A mask and its complement share the whole. */
function complementsAddUp({ problem, masks }: Terms): string {
  return everyKind(masks, (kind) => {
    const [some, others] = [0, 1].map((start) =>
      results(problem.with({ mask: checkered(problem, kind, start) }), false),
    ) as [Results, Results];
    const whole = {
      score: some.score + others.score,
      scoreArray: plus(some.scoreArray, others.scoreArray),
      gradient: plus(some.gradient, others.gradient),
    };
    return differences(whole, results(problem, false));
  });
}

function finiteAtExtremes({ problem, ofBatch, extremes }: Terms): string {
  for (const dtype of DTYPES) {
    for (const one of extremes) {
      for (const rest of extremes) {
        const preOutput = problem.preOutput.dup();
        preOutput.data.fill(rest as never);
        for (let i = 0; i < preOutput.length; i += problem.columns) preOutput.data[i] = one;
        const found = results(problem.with({ preOutput }).in(dtype), ofBatch);
        const name = (['score', 'scoreArray', 'gradient'] as const).find(
          (field) => ![found[field]].flat().every(Number.isFinite),
        );
        if (name === undefined) continue;
        const value = [found[name]].flat().find((each) => !Number.isFinite(each));
        return `${name}: ${value} in ${dtype}, where an output is ${one} and the others of its row are ${rest}`;
      }
    }
  }
  return '';
}

function agreesInFloat32({ problem, ofBatch }: Terms): string {
  const single = problem.in('float32');
  return differences(results(single, ofBatch), results(single.in('float64'), ofBatch), 'float32');
}

const hasMasks = ({ masks }: Terms): boolean => masks !== 'none';
const isSum = ({ ofBatch }: Terms): boolean => !ofBatch;

export const RULES: readonly Rule[] = [
  { rule: 'results have their shapes and dtypes', fault: shapes },
  {
    rule: 'the score is the sum of the score array',
    applies: isSum,
    fault: ({ problem }) => difference('score', [problem.score()], [sum(problem.scoreArray())], 'float64'),
  },
  {
    rule: 'a mean is the score divided by the rows',
    applies: isSum,
    fault: ({ problem }) => difference('mean', [problem.score(true)], [problem.score() / problem.examples], 'float64'),
  },
  { rule: 'the gradient is the derivative of the score', fault: isDerivative },
  { rule: 'gradient and score at once are the two calls', fault: bothAtOnce },
  { rule: 'arguments are left as they were', fault: leavesArguments },
  { rule: 'a mask of ones is none', applies: hasMasks, fault: onesAreNone },
  { rule: 'a mask of 0 leaves an example out', applies: hasMasks, fault: zeroLeavesOut },
  { rule: 'NaN behind a mask of 0 stays out', applies: hasMasks, fault: nanStaysOut },
  {
    rule: 'any other mask multiplies',
    applies: (terms) => hasMasks(terms) && isSum(terms),
    fault: othersMultiply,
  },
  {
    rule: 'a mask and its complement add up to the whole',
    applies: (terms) => hasMasks(terms) && isSum(terms),
    fault: complementsAddUp,
  },
  { rule: 'finite at extremes', fault: finiteAtExtremes },
  { rule: 'float32 agrees with float64', fault: agreesInFloat32 },
];
