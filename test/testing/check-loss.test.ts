// SPDX-License-Identifier: Apache-2.0
// The check of losses: all built-in ones keep the rules, and each way to break one is told by the rules that it breaks.
import * as lib from '../../lib';
import {
  type ArrayInput,
  defineLoss,
  type GradientAndScore,
  type IActivation,
  type ILossFunction,
  LossFMeasure,
  LossMCXENT,
  LossSparseMCXENT,
  NDArray,
  nd,
  type SameDiffLoss,
  Transforms,
} from '../../lib';
import { CheckError, checkLoss, type LossCheckOptions, type LossReport, type RuleResult } from '../../lib/testing';
import { type Expected, errOption, expectError } from '../support/errors';
import { callFor, lossRows, makeProblem, pairedActivation, title } from '../support/problems';
import { Random } from '../support/random';
import { Squares } from '../support/squares';

test.each<{ what: string; options: unknown; expected: Expected }>([
  { what: 'an unknown option', options: { mask: null }, expected: errOption('checkLoss', 'masks', 'mask') },
  { what: 'masks of no kind', options: { masks: 'row' }, expected: errOption('masks', 'example', 'row') },
  { what: 'ofBatch that is no flag', options: { ofBatch: 1 }, expected: errOption('ofBatch', '1') },
  { what: 'extremes that are no numbers', options: { extremes: ['1'] }, expected: errOption('extremes', 'numbers') },
])('rejects $what', ({ options, expected }) => {
  expectError(() => checkLoss(new Squares(), options as LossCheckOptions), expected);
});

/** Outputs where exponentials of the loss itself stay finite; those of an activation do at the usual ones. */
const EXTREMES: Readonly<Record<string, readonly number[]>> = {
  LossMultiLabel: [-20, 20],
  LossMixtureDensity: [-10, 10],
};

test.each(lossRows.map((row) => ({ ...row, name: title(row.loss, row.params) })))('passes $name', (row) => {
  const random = new Random(row.loss);
  const problem = makeProblem(row, pairedActivation(row), random, {
    rows: 5,
    width: 4,
    weighted: row.weighted === true,
  });
  const { loss, activation, labels, z } = callFor(problem, 'float64');
  const ofBatch = row.loss === 'LossFMeasure';
  // An infinite score without its clip, as a probability of 0 is.
  const extremes = 'softmaxClipEps' in (row.params ?? {}) ? [-100, 100] : EXTREMES[row.loss];
  const report = checkLoss(loss, { activation, labels, preOutput: z, ofBatch, extremes });
  expect(report.rules.every(({ passed, detail }) => passed && detail === '')).toBe(true);
  expect(report.rules).toHaveLength(ofBatch ? 9 : 13);
});

const softmax = { activation: 'softmax', labels: 'oneHot' } as const;
const sigmoid = { activation: 'sigmoid', labels: 'binary' } as const;
const margin = { activation: 'tanh', labels: 'sign' } as const;
const positive = { activation: 'softplus', labels: 'positive' } as const;

/** What a loss is for, where that is not any label and output. */
const OPTIONS: Readonly<Record<string, LossCheckOptions>> = {
  LossBinaryXENT: sigmoid,
  LossDice: sigmoid,
  LossFMeasure: { ...sigmoid, shape: [6, 1], ofBatch: true },
  LossGeneralizedCrossEntropy: softmax,
  LossHinge: margin,
  LossKLD: { ...softmax, labels: 'distribution' },
  LossMAPE: { labels: 'positive' },
  LossMCXENT: softmax,
  LossMixtureDensity: { shape: [6, 8], labels: nd.randn([6, 2], { seed: 1 }), extremes: [-10, 10] },
  LossMSLE: positive,
  LossMultiLabel: { ...sigmoid, activation: 'identity', extremes: [-20, 20] },
  LossMultiMargin: { labels: 'oneHot' },
  LossNegativeLogLikelihood: softmax,
  LossPoisson: positive,
  LossPoly1CrossEntropy: softmax,
  LossSigmoidFocal: sigmoid,
  LossSmoothedCrossEntropy: softmax,
  LossSoftMargin: { labels: 'sign' },
  LossSoftmaxFocal: softmax,
  LossSparseMCXENT: { ...softmax, labels: 'classes' },
  LossSquaredHinge: margin,
  LossTversky: sigmoid,
  LossWeightedBinaryXENT: sigmoid,
};

const classes = Object.entries(lib).filter(
  ([name, value]) => /^Loss/.test(name) && typeof value === 'function' && 'computeScore' in value.prototype,
) as [string, new () => ILossFunction][];

test.each(classes)('passes %s with labels that it draws', (name, Class) => {
  const options = OPTIONS[name] ?? {};
  expect(checkLoss(new Class(), options).passed).toBe(true);
  if (options.shape === undefined) {
    for (const shape of [
      [1, 5],
      [2, 3, 4],
    ])
      expect(checkLoss(new Class(), { ...options, shape, seed: 1 }).passed).toBe(true);
  }
});

const own: readonly (LossCheckOptions & { what: string; loss: SameDiffLoss })[] = [
  { what: 'a score per output', loss: defineLoss('a', (y, a) => a.sub(y).square()), activation: 'softmax' },
  {
    what: 'class weights',
    loss: defineLoss('b', (y, a) => a.sub(y).square(), { weights: [1, -2, 0, 3] }),
    activation: 'tanh',
  },
  { what: 'a score per example', loss: defineLoss('c', (y, a) => a.sub(y).norm2(1)), shape: [5] },
  {
    what: 'class indices',
    loss: defineLoss('d', (y, a) => a.log().gather(y).neg(), { labels: 'classes' }),
    activation: 'softmax',
    labels: 'classes',
    shape: [2, 3, 4],
  },
  {
    what: 'labels of another width',
    loss: defineLoss('e', (y, a) => a.sum(1).sub(y.sum(1)).square(), { labels: 'rows' }),
    labels: nd.rand([6, 7], { seed: 1 }),
    shape: [6, 3],
  },
  {
    what: 'a score that crosses rows',
    loss: defineLoss('f', (y, a) => a.sub(a.mean(0)).sub(y).square()),
    masks: 'none',
  },
];
test.each(own)('passes a loss of one’s own: $what', ({ what: _, loss, ...options }) => {
  expect(checkLoss(loss, options).passed).toBe(true);
});

const DERIVATIVE = 'the gradient is the derivative of the score';
const SUM = 'the score is the sum of the score array';
const MEAN = 'a mean is the score divided by the rows';
const BOTH = 'gradient and score at once are the two calls';
const LEFT = 'arguments are left as they were';
const ONES = 'a mask of ones is none';
const ZERO = 'a mask of 0 leaves an example out';
const NAN = 'NaN behind a mask of 0 stays out';
const OTHER = 'any other mask multiplies';
const WHOLE = 'a mask and its complement add up to the whole';
const FINITE = 'finite at extremes';
const SINGLE = 'float32 agrees with float64';
const SHAPES = 'results have their shapes and dtypes';

type Arguments = [labels: NDArray, z: NDArray, f: IActivation, mask?: NDArray | null];

/** Each is right but for what its name says. */
const wrong = {
  sign: class extends Squares {
    override computeGradient(...given: Arguments): NDArray {
      return super.computeGradient(...given).neg();
    }
  },
  noAverage: class extends Squares {
    override computeScore(...[labels, z, f, mask = null]: Arguments): number {
      return super.computeScore(labels, z, f, mask);
    }
  },
  noMask: class extends Squares {
    protected override masked(values: NDArray): NDArray {
      return values;
    }
  },
  noMaskInGradient: class extends Squares {
    override computeGradient(...[labels, z, f]: Arguments): NDArray {
      return super.computeGradient(labels, z, f);
    }
  },
  multipliedMask: class extends Squares {
    protected override masked(values: NDArray, mask: NDArray | null): NDArray {
      return mask === null ? values : values.mul(mask);
    }
  },
  maskOfZeroAndOne: class extends Squares {
    protected override masked(values: NDArray, mask: NDArray | null): NDArray {
      return super.masked(values, mask?.neq(0) ?? null);
    }
  },
  maskPerExampleAlone: class extends Squares {
    protected override masked(values: NDArray, mask: NDArray | null): NDArray {
      // Of a mask per output the first column counts.
      return super.masked(values, mask?.columns(0, 1) ?? null);
    }
  },
  halfGradient: class extends Squares {
    override computeGradient(...given: Arguments): NDArray {
      return super.computeGradient(...given).div(2);
    }
  },
  halfArray: class extends Squares {
    override computeScore(...[labels, z, f, mask = null, average = false]: [...Arguments, average?: boolean]): number {
      return 2 * super.computeScore(labels, z, f, mask, average);
    }

    override computeScoreArray(...given: Arguments): NDArray {
      return super.computeScoreArray(...given).div(2);
    }
  },
  nan: class extends Squares {
    override computeScoreArray(...[labels, z, f, mask = null]: Arguments): NDArray {
      // exp(z) / exp(z): 1, but for where it overflows.
      const one = Transforms.exp(z).div(Transforms.exp(z));
      return super.computeScoreArray(labels, z.mul(one), f, mask);
    }
  },
  writer: class extends Squares {
    override computeGradient(labels: NDArray, z: NDArray, f: IActivation, mask: NDArray | null = null): NDArray {
      const gradient = super.computeGradient(labels, z, f, mask);
      z.subi(1);
      return gradient;
    }
  },
  maskWriter: class extends Squares {
    override computeScoreArray(...[labels, z, f, mask = null]: Arguments): NDArray {
      const scores = super.computeScoreArray(labels, z, f, mask);
      labels.addi(1);
      mask?.muli(2);
      return scores;
    }
  },
  anotherGradientAtOnce: class extends Squares {
    override computeGradientAndScore(...given: [...Arguments, average?: boolean]): GradientAndScore {
      const { score, gradient } = super.computeGradientAndScore(...given);
      return { score, gradient: given[4] ? gradient.div(given[0].size(0)) : gradient };
    }
  },
  doubles: class extends Squares {
    override computeGradient(...given: Arguments): NDArray {
      return super.computeGradient(...given).castTo('float64');
    }
  },
  row: class extends Squares {
    override computeScoreArray(...given: Arguments): NDArray {
      return super.computeScoreArray(...given).reshape(1, -1);
    }
  },
  imprecise: class extends Squares {
    override computeScoreArray(...given: Arguments): NDArray {
      const scores = super.computeScoreArray(...given);
      // A constant that float32 swallows the terms beside.
      return given[1].dtype === 'float32' ? scores.add(1e6).sub(1e6) : scores;
    }
  },
  thrower: class extends Squares {
    override computeGradient(): NDArray {
      throw new Error('not written yet');
    }
  },
};

test.each<{ name: keyof typeof wrong; breaks: readonly string[]; says?: string; options?: LossCheckOptions }>([
  { name: 'sign', breaks: [DERIVATIVE], says: 'The sign is wrong' },
  { name: 'noAverage', breaks: [MEAN], says: 'instead of' },
  { name: 'noMask', breaks: [ZERO, NAN, OTHER, WHOLE] },
  { name: 'noMask', breaks: [], options: { masks: 'none' } },
  { name: 'noMaskInGradient', breaks: [ZERO, NAN, OTHER, WHOLE], says: 'instead of 0 where the mask is 0' },
  { name: 'multipliedMask', breaks: [NAN], says: 'NaN' },
  { name: 'maskOfZeroAndOne', breaks: [OTHER] },
  { name: 'maskPerExampleAlone', breaks: [NAN], says: 'per output, score: NaN' },
  { name: 'maskPerExampleAlone', breaks: [], options: { masks: 'example' } },
  { name: 'halfGradient', breaks: [DERIVATIVE], says: 'All of it is 0.5 times' },
  { name: 'halfArray', breaks: [SUM, OTHER], says: 'score: ' },
  { name: 'nan', breaks: [FINITE], says: 'score: NaN in float32' },
  { name: 'nan', breaks: [FINITE], says: 'where an output is 1000', options: { extremes: [1000, 0] } },
  { name: 'nan', breaks: [], options: { extremes: [0] } },
  { name: 'writer', breaks: [LEFT], says: 'computeGradient changes preOutput' },
  { name: 'maskWriter', breaks: [BOTH, LEFT], says: 'computeScore changes labels and mask' },
  { name: 'anotherGradientAtOnce', breaks: [BOTH], says: 'gradient with average true' },
  { name: 'doubles', breaks: [SHAPES], says: 'float64 instead of float32' },
  { name: 'row', breaks: [SHAPES], says: '[1, 6] instead of [6, 1]' },
  { name: 'imprecise', breaks: [SINGLE] },
  { name: 'thrower', breaks: [], says: 'not written yet' },
])('$name breaks $breaks', ({ name, breaks, says, options }) => {
  const report = checkLoss(new wrong[name](), { ...options, throws: false });
  const broken = report.rules.filter(({ passed }) => !passed);
  if (name !== 'thrower') expect(broken.map(({ rule }) => rule)).toEqual(breaks);
  expect(report.passed).toBe(broken.length === 0);
  const found: RuleResult | undefined =
    says === undefined ? broken[0] : broken.find(({ detail }) => detail.includes(says));
  if (breaks.length > 0 || says !== undefined) expect(found?.detail).toContain(says ?? 'instead of');
});

test('every rule is broken by one of them', () => {
  const all = Object.values(wrong).flatMap((Class) => checkLoss(new Class(), { throws: false }).rules);
  const broken = new Set(all.filter(({ passed }) => !passed).map(({ rule }) => rule));
  expect([...broken].sort()).toEqual([...new Set(all.map(({ rule }) => rule))].sort());
  expect(broken.has(ONES)).toBe(true);
});

test('throws, with the report, a line for each rule', () => {
  let thrown: unknown;
  try {
    checkLoss(new wrong.noAverage());
  } catch (error) {
    thrown = error;
  }
  expect(thrown).toBeInstanceOf(CheckError);
  const { report, message } = thrown as CheckError;
  expect((report as LossReport).rules).toHaveLength(13);
  const lines = message.split('\n');
  expect(lines).toHaveLength(14);
  expect(lines[0]).toMatch(/with identity, float64 \[6, 4\]: 12 of 13 rules hold$/);
  expect(lines.filter((line) => line.startsWith('  FAIL'))).toEqual([expect.stringContaining(`${MEAN}: mean: `)]);
});

test('losses that are of the batch, or take no masks per output, or have a gradient of the mean', () => {
  const options: LossCheckOptions = { activation: 'sigmoid', labels: 'binary', shape: [8, 1] };
  expect(checkLoss(new LossFMeasure(), { ...options, ofBatch: true }).passed).toBe(true);
  expect(checkLoss(new LossFMeasure(), { ...options, throws: false }).passed).toBe(false);
  const byExample = defineLoss('byExample', (labels, output) => output.sub(labels).square().sum(1));
  expect(checkLoss(byExample).passed).toBe(true);
  class Mean extends Squares {
    override computeGradient(...given: Arguments): NDArray {
      return super.computeGradient(...given).div(given[0].size(0));
    }
  }
  expect(checkLoss(new Mean(), { average: true }).passed).toBe(true);
  expect(checkLoss(new Mean(), { throws: false }).passed).toBe(false);
});

test('an unstable formula in float32 is told from a stable one', () => {
  const stable = defineLoss('stable', (labels, output) => output.softplus().sub(output.mul(labels)));
  const naive = defineLoss('naive', (labels, output) => output.exp().add(1).log().sub(output.mul(labels)));
  const passed = [stable, naive].map((loss) => checkLoss(loss, { labels: 'binary', throws: false }).passed);
  expect(passed).toEqual([true, false]);
});

test('arguments of the caller are left alone', () => {
  const given: readonly ArrayInput[] = [
    nd.randn([4, 2], { seed: 1 }),
    { data: Float64Array.of(1, 2, 3, 4), shape: [2, 2] },
  ];
  for (const preOutput of given) {
    const copy = new NDArray((preOutput as NDArray).data, (preOutput as NDArray).shape).dup().toArray();
    checkLoss(new wrong.writer(), { preOutput, labels: 'sign', throws: false });
    expect(new NDArray((preOutput as NDArray).data, (preOutput as NDArray).shape).toArray()).toEqual(copy);
  }
});

test('class indices keep their dtype', () => {
  const labels = BigInt64Array.of(0n, 2n, 1n);
  const loss: ILossFunction = new LossSparseMCXENT();
  expect(checkLoss(loss, { labels, shape: [3, 3], activation: 'softmax' }).passed).toBe(true);
  expect(checkLoss(new LossMCXENT(), { labels: nd.eye(3), activation: 'softmax' }).passed).toBe(true);
});
