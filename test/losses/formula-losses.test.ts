// SPDX-License-Identifier: Apache-2.0
// The losses that are formulas of lib/samediff, as classes: bad options first, literal values, kinks and extremes among
// them, then golden values, differences, and what must hold between calls.
import * as lib from '../../lib';
import {
  type FocalOption,
  type LabelsOption,
  type NDArray,
  nd,
  type OptionsOf,
  type PosWeightOptions,
  type SameDiffLoss,
  type WeightsOption,
} from '../../lib';
import { checkGradient, checkLoss } from '../../lib/testing';
import { bits } from '../support/bits';
import { describeLoss, type LossSpecification } from '../support/describe-loss';
import { errOption, errRange, errShape, expectError } from '../support/errors';
import { type FormulaCase, formulaFiles, groupBy, readCases, rowsOf, type Tensor } from '../support/golden';
import { array, values } from '../support/library';
import { Random } from '../support/random';
import { formulaRow, mismatches, sameDtype } from '../support/tolerance';

const [third, half] = [1 / 3, 0.5];
const log2 = Math.LN2;
/** Of logits 0 and 1e30 sigmoid and softmax are certain; what was missed costs as much. */
const far = 2 ** 100;
const unknown = { title: 'an unknown option', args: [{ eps: 1 }], expected: errOption('eps') };
const number = (name: string, ...bad: unknown[]) =>
  bad.map((value) => ({
    title: `${name} ${value}`,
    args: [{ [name]: value }],
    expected: typeof value === 'number' ? errRange(name, String(value)) : errOption(name),
  }));
const noWeights = { title: 'weights', args: [{ weights: [1, 2] }], expected: errOption('weights') };
const noLabels = { title: 'labels of rows', args: [{ labels: 'rows' }], expected: errOption('labels', 'rows') };
const plain = { title: 'options of no kind', args: ['x'], expected: errOption('x') };

const specifications: readonly LossSpecification[] = [
  {
    Class: lib.LossHuber,
    name: 'LossHuber',
    bad: [plain, unknown, ...number('delta', -1, Number.NaN, '1')],
    forms: [[], [1], [{}], [{ delta: 1, weights: [1, 1, 1, 1, 1] }]],
    cases: [
      {
        title: 'at delta, at 0 and far from both',
        activation: 'IDENTITY',
        labels: [[0, 0, 1, 0, 0]],
        preOutput: [[1, -1, 1, far, -3]],
        score: 1 + far,
        scoreArray: [1 + far],
        gradient: [[1, -1, 0, 1, -1]],
      },
      {
        title: 'infinitely far, delta 1',
        activation: 'IDENTITY',
        labels: [[0, 0]],
        preOutput: [[Infinity, -Infinity]],
        score: Infinity,
        scoreArray: [Infinity],
        gradient: [[1, -1]],
      },
      {
        title: 'infinitely far, delta 0',
        args: [0],
        activation: 'IDENTITY',
        labels: [[0, 0, 0]],
        preOutput: [[Infinity, -Infinity, 1]],
        score: 0,
        scoreArray: [0],
        gradient: [[0, 0, 0]],
      },
      {
        title: 'delta 2, class weights',
        args: [{ delta: 2, weights: [1, 4] }],
        activation: 'IDENTITY',
        labels: [[0, 0]],
        preOutput: [[3, -1]],
        score: 6,
        scoreArray: [6],
        gradient: [[2, -4]],
      },
    ],
  },
  {
    Class: lib.LossSmoothL1,
    name: 'LossSmoothL1',
    bad: [
      plain,
      unknown,
      ...number('beta', -1, Infinity, null as never).filter(({ args }) => args[0]?.['beta'] !== null),
    ],
    forms: [[], [1], [{ beta: 1 }]],
    cases: [
      {
        title: 'beta 2',
        args: [2],
        activation: 'IDENTITY',
        labels: [[0, 0, 0]],
        preOutput: [[1, -2, 5]],
        score: 0.25 + 1 + 4,
        scoreArray: [5.25],
        gradient: [[0.5, -1, 1]],
      },
      {
        title: 'beta 0: absolute error',
        args: [{ beta: 0 }],
        activation: 'IDENTITY',
        labels: [[0, 0, 0]],
        preOutput: [[0.5, 0, -far]],
        score: 0.5 + far,
        scoreArray: [far],
        gradient: [[1, 0, -1]],
      },
    ],
  },
  {
    Class: lib.LossLogCosh,
    name: 'LossLogCosh',
    bad: [plain, unknown],
    forms: [[], [{}], [[1, 1, 1]]],
    cases: [
      {
        title: 'far from 0',
        activation: 'IDENTITY',
        labels: [[0, 0, 0]],
        preOutput: [[far, -far, 0]],
        score: 2 * far,
        scoreArray: [2 * far],
        gradient: [[1, -1, 0]],
      },
      {
        title: 'near 0, where it is half the square',
        activation: 'IDENTITY',
        labels: [[0]],
        preOutput: [[2 ** -30]],
        score: 2 ** -61,
        scoreArray: [2 ** -61],
        gradient: [[2 ** -30]],
      },
    ],
  },
  {
    Class: lib.LossSoftMargin,
    name: 'LossSoftMargin',
    bad: [plain, unknown],
    forms: [[], [{}], [{ weights: [1, 1, 1] }]],
    cases: [
      {
        title: 'certain, wrong and undecided',
        activation: 'IDENTITY',
        labels: [[1, 1, -1]],
        preOutput: [[far, -far, 0]],
        score: far + log2,
        scoreArray: [far],
        gradient: [[0, -1, half]],
      },
    ],
  },
  {
    Class: lib.LossMultiMargin,
    name: 'LossMultiMargin',
    bad: [plain, unknown, noWeights, noLabels, ...number('p', 3, 1.5, '2'), ...number('margin', Infinity, 'wide')],
    forms: [[], [1], [{ p: 1, margin: 1, labels: 'outputs' }]],
    cases: [
      {
        title: 'one class within the margin, one at its edge, one beyond the label',
        activation: 'IDENTITY',
        labels: [[0, 1, 0, 0]],
        preOutput: [[0.5, 1, 0, 3]],
        score: 3.5 / 4,
        scoreArray: [3.5 / 4],
        gradient: [[0.25, -0.5, 0, 0.25]],
      },
      {
        title: 'squared',
        args: [2],
        activation: 'IDENTITY',
        labels: [[1, 0]],
        preOutput: [[0, 1]],
        score: 2,
        scoreArray: [2],
        gradient: [[-2, 2]],
      },
      ...[1, 2].map((p) => ({
        title: `infinitely far apart, p ${p}`,
        args: [p],
        activation: 'IDENTITY',
        labels: [
          [1, 0],
          [0, 1],
        ],
        preOutput: [
          [Infinity, 0],
          [-Infinity, 0],
        ],
        score: 0,
        scoreArray: [0, 0],
        gradient: [
          [0, 0],
          [0, 0],
        ],
      })),
      {
        title: 'a label of -Infinity',
        activation: 'IDENTITY',
        labels: [[1, 0]],
        preOutput: [[-Infinity, 0]],
        score: Infinity,
        scoreArray: [Infinity],
        gradient: [[-half, half]],
      },
      {
        title: 'far apart',
        activation: 'IDENTITY',
        labels: [
          [1, 0],
          [1, 0],
        ],
        preOutput: [
          [far, 0],
          [0, far],
        ],
        score: far / 2,
        scoreArray: [0, far / 2],
        gradient: [
          [0, 0],
          [-half, half],
        ],
      },
    ],
  },
  {
    Class: lib.LossWeightedBinaryXENT,
    name: 'LossWeightedBinaryXENT',
    bad: [
      plain,
      unknown,
      ...number('posWeight', -1, Infinity, 'x'),
      { title: 'one below 0', args: [{ posWeight: [1, -2] }], expected: errRange('posWeight', '-2') },
      { title: 'two rows', args: [{ posWeight: [[1], [2]] }], expected: errShape('posWeight', '[2, 1]') },
    ],
    forms: [[2], [{ posWeight: 2 }], [{ posWeight: [2, 2, 2, 2] }], [{ posWeight: nd.array([[2, 2, 2, 2]]) }]],
    cases: [
      {
        title: 'certain and wrong',
        args: [2],
        activation: 'SIGMOID',
        labels: [[1, 0, 1, 0]],
        preOutput: [[far, -far, -far, far]],
        score: 3 * far,
        scoreArray: [3 * far],
        gradient: [[0, 0, -2, 1]],
      },
      {
        title: 'infinite logits: right, wrong, nearly right, of no weight',
        args: [{ posWeight: [2, 2, 2, 0] }],
        activation: 'SIGMOID',
        labels: [
          [1, 0, 1, 1],
          [1, 0, 1, 1],
          [0.75, 0.25, 0.5, 1],
          [1, 1, 0, 0],
        ],
        preOutput: [
          [Infinity, -Infinity, Infinity, -Infinity],
          [-Infinity, Infinity, -Infinity, 0],
          [Infinity, -Infinity, -Infinity, Infinity],
          [0, 0, 0, 0],
        ],
        score: Infinity,
        scoreArray: [0, Infinity, Infinity, 6 * log2],
        gradient: [
          [0, 0, 0, 0],
          [-2, 1, -2, 0],
          [0.25, -half, -1, 0],
          [-1, -1, half, half],
        ],
      },
      ...[
        { posWeight: 1, slopes: [0.75, -0.25, -0.75, half] },
        { posWeight: 2, slopes: [0.75, -half, -1.5, half] },
        { posWeight: [2, 1, 4, 3], slopes: [0.75, -0.25, -3, half] },
      ].map(({ posWeight, slopes }) => ({
        title: `infinite logits, soft labels, weight ${posWeight}`,
        args: [{ posWeight }],
        activation: 'SIGMOID',
        labels: [0, 1, 2, 3].map((i) =>
          [0, 1, 2, 3].map((j) => (i === j ? ([0.25, 0.25, 0.75, half][i] as number) : 0)),
        ),
        preOutput: [0, 1, 2, 3].map((i) =>
          [0, 1, 2, 3].map((j) => (i === j && (i === 0 || i === 3) ? Infinity : -Infinity)),
        ),
        score: Infinity,
        scoreArray: [Infinity, Infinity, Infinity, Infinity],
        gradient: [0, 1, 2, 3].map((i) => [0, 1, 2, 3].map((j) => (i === j ? (slopes[i] as number) : 0))),
      })),
      {
        title: 'infinite logits, soft labels, positive ones without weight',
        args: [0],
        activation: 'SIGMOID',
        labels: [
          [0.75, 0.25],
          [0.75, 0.25],
        ],
        preOutput: [
          [-Infinity, -Infinity],
          [-Infinity, Infinity],
        ],
        score: Infinity,
        scoreArray: [0, Infinity],
        gradient: [
          [0, 0],
          [0, 0.75],
        ],
      },
      {
        title: 'a weight a column, 0 too',
        args: [{ posWeight: [3, 0, 1] }],
        activation: 'SIGMOID',
        labels: [[1, 1, 0]],
        preOutput: [[0, 0, 0]],
        score: 4 * log2,
        scoreArray: [4 * log2],
        gradient: [[-1.5, 0, half]],
      },
      {
        title: 'outputs of 0 and 1',
        activation: 'IDENTITY',
        labels: [[0, 1, 0.5]],
        preOutput: [[0, 1, 0.5]],
        score: log2,
        scoreArray: [log2],
        gradient: [[1, -1, 0]],
      },
    ],
  },
  {
    Class: lib.LossSigmoidFocal,
    name: 'LossSigmoidFocal',
    bad: [plain, unknown, ...number('alpha', -0.5, 1.5, '1'), ...number('gamma', -1, Infinity)],
    forms: [[], [0.25], [{ alpha: 0.25, gamma: 2 }]],
    cases: [
      {
        title: 'undecided',
        activation: 'SIGMOID',
        labels: [[1, 0]],
        preOutput: [[0, 0]],
        score: log2 / 4,
        scoreArray: [log2 / 4],
        gradient: [[-(0.25 * (half + log2)) / 4, (0.75 * (half + log2)) / 4]],
      },
      ...[0, 0.5, 1, 2].map((gamma) => ({
        title: `infinite logits, gamma ${gamma}`,
        args: [{ alpha: 0.25, gamma }],
        activation: 'SIGMOID',
        labels: [
          [1, 0],
          [1, 0],
          [1, 0.75],
        ],
        preOutput: [
          [Infinity, -Infinity],
          [-Infinity, Infinity],
          [Infinity, Infinity],
        ],
        score: Infinity,
        scoreArray: [0, Infinity, Infinity],
        gradient: [
          [0, 0],
          [-0.25, 0.75],
          [0, 0.375 * 0.25 ** (gamma + 1)],
        ],
      })),
      ...[0, 0.5, 1, 2].flatMap((gamma) =>
        [-1, 0.25].map((alpha) => ({
          title: `infinite logits, wrong for soft labels, gamma ${gamma}, alpha ${alpha}`,
          args: [{ alpha, gamma }],
          activation: 'SIGMOID',
          labels: [[0.25], [0.75], [half], [0], [1]],
          preOutput: [[Infinity], [-Infinity], [Infinity], [Infinity], [-Infinity]],
          score: Infinity,
          scoreArray: [Infinity, Infinity, Infinity, Infinity, Infinity],
          gradient: [0.25, 0.75, half, 0, 1].map((y, i) => {
            const missed = i === 0 || i === 1 ? 0.75 : i === 2 ? half : 1;
            const share = alpha < 0 ? 1 : y * alpha + (1 - y) * (1 - alpha);
            return [share * missed ** (gamma + 1) * (i === 1 || i === 4 ? -1 : 1)];
          }),
        })),
      ),
      {
        title: 'infinite logits of classes without a share',
        args: [{ alpha: 1, gamma: 1 }],
        activation: 'SIGMOID',
        labels: [[0, 1]],
        preOutput: [[Infinity, -Infinity]],
        score: Infinity,
        scoreArray: [Infinity],
        gradient: [[0, -1]],
      },
      {
        title: 'certain and wrong',
        args: [{ alpha: 0.5, gamma: 0.5 }],
        activation: 'SIGMOID',
        labels: [[1, 0, 1, 0]],
        preOutput: [[far, -far, -far, far]],
        score: far,
        scoreArray: [far],
        gradient: [[0, 0, -half, half]],
      },
    ],
  },
  {
    Class: lib.LossSoftmaxFocal,
    name: 'LossSoftmaxFocal',
    bad: [plain, unknown, noLabels, ...number('alpha', -1), ...number('gamma', -0.5)],
    forms: [[], [0.25], [{ gamma: 2, weights: [1, 1] }]],
    cases: [
      {
        title: 'undecided, certain, wrong',
        args: [{ alpha: 1, gamma: 1 }],
        activation: 'SOFTMAX',
        labels: [
          [1, 0],
          [1, 0],
          [1, 0],
        ],
        preOutput: [
          [0, 0],
          [far, 0],
          [0, far],
        ],
        score: log2 / 2 + far,
        scoreArray: [log2 / 2, 0, far],
        gradient: [
          [-0.25 - log2 / 4, 0.25 + log2 / 4],
          [0, 0],
          [-1, 1],
        ],
      },
      ...[0, 0.5, 1, 2, 3].map((gamma) => ({
        title: `a label of -Infinity, gamma ${gamma}`,
        args: [{ alpha: half, gamma }],
        activation: 'SOFTMAX',
        labels: [
          [1, 0, 0],
          [0, 1, 0],
        ],
        preOutput: [
          [-Infinity, 0, 0],
          [-Infinity, 0, -Infinity],
        ],
        score: Infinity,
        scoreArray: [Infinity, 0],
        gradient: [
          [-half, 0.25, 0.25],
          [0, 0, 0],
        ],
      })),
    ],
  },
  {
    Class: lib.LossSmoothedCrossEntropy,
    name: 'LossSmoothedCrossEntropy',
    bad: [plain, unknown, noLabels, ...number('labelSmoothing', -0.1, 1.1)],
    forms: [[], [0.1], [{ labelSmoothing: 0.1, labels: 'outputs' }]],
    cases: [
      {
        title: 'half spread',
        args: [0.5],
        activation: 'SOFTMAX',
        labels: [
          [1, 0],
          [0, 1],
        ],
        preOutput: [
          [0, 0],
          [0, far],
        ],
        score: log2 + far / 4,
        scoreArray: [log2, far / 4],
        gradient: [
          [-0.25, 0.25],
          [-0.25, 0.25],
        ],
      },
    ],
  },
  {
    Class: lib.LossPoly1CrossEntropy,
    name: 'LossPoly1CrossEntropy',
    bad: [plain, unknown, noLabels, ...number('epsilon', Infinity, '1')],
    forms: [[], [1], [{ epsilon: 1, weights: nd.ones([2]) }]],
    cases: [
      {
        title: 'undecided, certain, wrong',
        args: [2],
        activation: 'SOFTMAX',
        labels: [
          [1, 0],
          [1, 0],
          [1, 0],
        ],
        preOutput: [
          [0, 0],
          [far, 0],
          [0, far],
        ],
        score: log2 + 1 + far,
        scoreArray: [log2 + 1, 0, far],
        gradient: [
          [-1, 1],
          [0, 0],
          [-1, 1],
        ],
      },
    ],
  },
  {
    Class: lib.LossGeneralizedCrossEntropy,
    name: 'LossGeneralizedCrossEntropy',
    bad: [plain, unknown, noLabels, ...number('q', 0, 1.5, -1)],
    forms: [[], [0.7], [{ q: 0.7 }]],
    cases: [
      {
        title: 'undecided, certain, wrong',
        args: [0.5],
        activation: 'SOFTMAX',
        labels: [
          [1, 0],
          [1, 0],
          [1, 0],
        ],
        preOutput: [
          [0, 0],
          [far, 0],
          [0, far],
        ],
        score: 2 - Math.SQRT2 + 2,
        scoreArray: [2 - Math.SQRT2, 0, 2],
        gradient: [
          [-Math.SQRT2 / 4, Math.SQRT2 / 4],
          [0, 0],
          [0, 0],
        ],
      },
    ],
  },
  {
    Class: lib.LossDice,
    name: 'LossDice',
    bad: [plain, unknown, noWeights, ...number('smooth', -1, Infinity)],
    forms: [[], [1], [{ smooth: 1 }]],
    cases: [
      {
        title: 'half found; nothing there and nothing found',
        args: [0],
        activation: 'IDENTITY',
        labels: [
          [1, 0],
          [0, 0],
        ],
        preOutput: [
          [1, 1],
          [0, 0],
        ],
        score: third,
        scoreArray: [third, 0],
        gradient: [
          [-4 / 9, 2 / 9],
          [0, 0],
        ],
      },
      {
        title: 'certain and wrong',
        activation: 'SIGMOID',
        labels: [
          [1, 0],
          [1, 0],
        ],
        preOutput: [
          [far, -far],
          [-far, far],
        ],
        score: 2 * third,
        scoreArray: [0, 2 * third],
        gradient: [
          [0, 0],
          [0, 0],
        ],
      },
    ],
  },
  {
    Class: lib.LossTversky,
    name: 'LossTversky',
    bad: [plain, unknown, noWeights, ...number('alpha', -1), ...number('beta', '1'), ...number('smooth', -1)],
    forms: [[], [0.5], [{ alpha: 0.5, beta: 0.5, smooth: 1 }]],
    cases: [
      {
        title: 'false positives count once, false negatives twice',
        args: [{ alpha: 1, beta: 2, smooth: 0 }],
        activation: 'IDENTITY',
        labels: [[1, 1, 0]],
        preOutput: [[1, 0, 1]],
        score: 0.75,
        scoreArray: [0.75],
        gradient: [[-5 / 16, -5 / 16, 1 / 16]],
      },
    ],
  },
];

for (const specification of specifications) describeLoss(specification);

// --- Golden values ---

const classes: Readonly<Record<string, string>> = {
  huberLoss: 'LossHuber',
  smoothL1Loss: 'LossSmoothL1',
  logCoshLoss: 'LossLogCosh',
  softMarginLoss: 'LossSoftMargin',
  multiMarginLoss: 'LossMultiMargin',
  weightedCrossEntropyWithLogits: 'LossWeightedBinaryXENT',
  sigmoidFocalLoss: 'LossSigmoidFocal',
  softmaxFocalLoss: 'LossSoftmaxFocal',
  softmaxCrossEntropy: 'LossSmoothedCrossEntropy',
  poly1CrossEntropy: 'LossPoly1CrossEntropy',
  generalizedCrossEntropy: 'LossGeneralizedCrossEntropy',
  diceLoss: 'LossDice',
  tverskyLoss: 'LossTversky',
};

const make = (name: string, options: unknown): SameDiffLoss => {
  const found = specifications.find((each) => each.name === name) as LossSpecification;
  return new (found.Class as unknown as new (options: unknown) => SameDiffLoss)(options);
};

describe.each(formulaFiles)('%s', (file) => {
  const cases = readCases<FormulaCase>(file).filter(({ loss }) => loss in classes);

  test.each(groupBy(cases, ({ loss, activation }) => `${loss} with ${activation}`))('%s', (_, group) => {
    const bad = group.flatMap(({ id, loss: name, options, activation, arrays, losses, gradients }) => {
      const loss = make(classes[name] as string, options);
      const [y, z] = arrays as [Tensor, Tensor];
      const [, cols = 1] = z.shape;
      const isPerOutput = losses.length === z.data.length;
      const scores = isPerOutput ? rowsOf(losses, cols).map((row) => row.reduce((sum, l) => sum + l, 0)) : losses;
      const score = scores.reduce((sum, l) => sum + l, 0);
      return (['float32', 'float64'] as const).flatMap((dtype) => {
        const call = [array(dtype, y), array(dtype, z), activation] as const;
        const rounded = (list: readonly number[]) => (dtype === 'float32' ? list.map(Math.fround) : [...list]);
        const both = loss.computeGradientAndScore(...call);
        const found = values(loss.computeScoreArray(...call));
        const slopes = rowsOf(values(both.gradient), cols);
        const wanted = rowsOf(rounded(gradients[1] as number[]), cols);
        const worst = formulaRow(dtype, activation, z.data);
        return [
          ...mismatches('score', [both.score], [score], worst),
          ...rowsOf(z.data, cols).flatMap((row, i) => {
            const tolerance = formulaRow(dtype, activation, row);
            return [
              ...mismatches(`row ${i}`, [found[i] as number], rounded([scores[i] as number]), tolerance),
              ...mismatches(`slopes ${i}`, slopes[i] as number[], wanted[i] as number[], tolerance),
            ];
          }),
        ].map((text) => `${id} ${JSON.stringify(options)} ${dtype}: ${text}`);
      });
    });
    expect(bad).toEqual([]);
  });
});

// --- What must hold between calls ---

type Label = (random: Random, i: number, cols: number) => number;

/** A loss for random calls; the rows of `perOutput` ones take weights and masks of every kind. */
interface Row {
  readonly name: string;
  readonly options?: Readonly<Record<string, unknown>>;
  readonly activation: string;
  readonly label: Label;
  readonly perExample?: true;
  /** Where logits are too far: softmax gives 1, but not how much it is short of 1. */
  readonly extremes?: readonly number[];
}

const [rows, cols] = [6, 5];
const real: Label = (random) => Math.fround(random.uniform(-3, 3));
const sign: Label = (random) => (random.below(2) === 0 ? 1 : -1);
const share: Label = (random) => random.pick([0, 1, 0.25, Math.fround(random.uniform())]);
/** One in each row. */
const oneHot: Label = (_, i) => Number(i % cols === (3 * Math.floor(i / cols)) % cols);

const table: readonly Row[] = [
  { name: 'LossHuber', options: { delta: 0.7 }, activation: 'IDENTITY', label: real },
  { name: 'LossSmoothL1', options: { beta: 0.7 }, activation: 'TANH', label: real },
  { name: 'LossLogCosh', activation: 'IDENTITY', label: real },
  { name: 'LossSoftMargin', activation: 'TANH', label: sign },
  { name: 'LossMultiMargin', options: { p: 2 }, activation: 'IDENTITY', label: oneHot, perExample: true },
  { name: 'LossWeightedBinaryXENT', options: { posWeight: [2, 1, 0.5, 3, 0] }, activation: 'SIGMOID', label: share },
  { name: 'LossWeightedBinaryXENT', options: { posWeight: 2 }, activation: 'SOFTMAX', label: share, extremes: [-5, 5] },
  { name: 'LossSigmoidFocal', activation: 'SIGMOID', label: share },
  {
    name: 'LossSigmoidFocal',
    options: { alpha: -1, gamma: 1.5 },
    activation: 'SOFTMAX',
    label: share,
    extremes: [-5, 5],
  },
  { name: 'LossSoftmaxFocal', options: { gamma: 0.5 }, activation: 'SOFTMAX', label: oneHot },
  { name: 'LossSmoothedCrossEntropy', activation: 'SOFTMAX', label: oneHot },
  { name: 'LossPoly1CrossEntropy', options: { epsilon: -0.5 }, activation: 'SOFTMAX', label: oneHot },
  { name: 'LossGeneralizedCrossEntropy', activation: 'SOFTMAX', label: oneHot },
  { name: 'LossDice', activation: 'SIGMOID', label: share, perExample: true },
  { name: 'LossTversky', options: { alpha: 0.3 }, activation: 'SOFTMAX', label: share, perExample: true },
];
const titled = table.map((row) => ({
  ...row,
  title: `${row.name} ${JSON.stringify(row.options ?? {})} ${row.activation}`,
}));

describe.each(titled)('$title', ({ name, options, activation, label, perExample, extremes, title }) => {
  const loss = make(name, options);
  const random = new Random(title);
  const data = random.list(rows * cols, () => Math.fround(random.uniform(-2, 2)));
  const targets = random.list(rows * cols, (i) => label(random, i, cols));
  const at = (dtype: 'float32' | 'float64', list: readonly number[], n = rows) =>
    array(dtype, { shape: [n, list.length / n], data: list });
  const run = (of: SameDiffLoss, y: NDArray, z: NDArray, mask: NDArray | null) => ({
    ...of.computeGradientAndScore(y, z, activation, mask),
    scores: of.computeScoreArray(y, z, activation, mask),
  });

  test('keeps the rules of losses, and the gradient is that of the score', () => {
    const given = { activation, labels: at('float64', targets), preOutput: at('float64', data) };
    expect(checkLoss(loss, { ...given, extremes }).passed).toBe(true);
    expect(checkGradient(loss, given).passed).toBe(true);
    expect(checkGradient(loss, { ...given, mask: perExample ? 'example' : 'output' }).passed).toBe(true);
  });

  test.each(['float32', 'float64'] as const)('masks and weights in %s', (dtype) => {
    const [y, z] = [at(dtype, targets), at(dtype, data)];
    const whole = run(loss, y, z, null);
    const kept = [0, 2, 3];
    const mask = at(dtype, [1, 0, 1, 1, 0, 0]);
    const pick = (list: readonly number[]) => kept.flatMap((i) => list.slice(i * cols, (i + 1) * cols));
    const masked = run(loss, y, z, mask);
    const part = run(loss, at(dtype, pick(targets), 3), at(dtype, pick(data), 3), null);
    const sum = values(whole.scores).reduce((total, value) => total + value, 0);
    expect([
      ...mismatches('score', [masked.score], [part.score], sameDtype[dtype]),
      ...mismatches('gradient', pick(values(masked.gradient)), values(part.gradient), sameDtype[dtype]),
      ...mismatches('sum', [sum], [whole.score], sameDtype[dtype]),
    ]).toEqual([]);
    expect(values(masked.gradient.rows(4, 6)).every((value) => value === 0)).toBe(true);
    const all = run(loss, y, z, mask.mul(0).add(1));
    expect(mismatches('all', [all.score], [whole.score], sameDtype[dtype])).toEqual([]);
    const ones = nd.ones([rows, cols], dtype);
    if (perExample) return expectError(() => loss.computeScore(y, z, activation, ones), errShape('mask'));
    const weighted = make(name, { ...options, weights: nd.full([cols], 2, dtype) });
    expect([
      ...mismatches('per output', [run(loss, y, z, ones).score], [whole.score], sameDtype[dtype]),
      ...mismatches('weights', [run(weighted, y, z, null).score], [2 * whole.score], sameDtype[dtype]),
      ...mismatches(
        'both',
        values(run(weighted, y, z, ones.mul(0.5)).gradient),
        values(whole.gradient),
        sameDtype[dtype],
      ),
    ]).toEqual([]);
  });

  test.each(['float32', 'float64'] as const)('the same bits in %s, in every way', async (dtype) => {
    const [y, z] = [at(dtype, targets), at(dtype, data)];
    const whole = run(loss, y, z, null);
    const [gradient, scoreArray] = [nd.zeros([rows, cols], dtype), nd.zeros([rows, 1], dtype)];
    loss.bind({ labels: y, preOutput: z, activation, gradient, scoreArray }).run();
    expect([loss.bind({ labels: y, preOutput: z, activation, gradient }).run()]).toEqual([whole.score]);
    expect([bits(gradient), bits(scoreArray)]).toEqual([bits(whole.gradient), bits(whole.scores)]);
    const later = await loss.computeGradientAndScoreAsync(y, z, activation);
    expect(bits(later)).toEqual(bits({ score: whole.score, gradient: whole.gradient }));
    expect(bits(await loss.computeScoreArrayAsync(y, z, activation))).toEqual(bits(whole.scores));
  });
});

describe('class indices are one-hot labels', () => {
  const indices = Int32Array.of(2, 0, 1);
  const hot = nd.array([
    [0, 0, 1],
    [1, 0, 0],
    [0, 1, 0],
  ]);
  const z = nd.randn([3, 3], { seed: 1 });
  const ofClasses = Object.entries(classes).filter(([name]) => /softmax|poly|generalized|multi/.test(name));

  test.each(ofClasses)('%s', (_, name) => {
    const [sparse, dense] = [make(name, { labels: 'classes' }), make(name, {})];
    expectError(() => sparse.computeScore([0, 1, 3], z, 'softmax'), errRange('labels: row 2', '3'));
    expectError(() => dense.computeScore(indices, z, 'softmax'), errShape('labels'));
    const call = [z, 'softmax'] as const;
    expect(bits(sparse.computeGradientAndScore(indices, ...call))).toEqual(
      bits(dense.computeGradientAndScore(hot, ...call)),
    );
  });
});

test('a weight of the positive labels for each column', () => {
  const loss = new lib.LossWeightedBinaryXENT({ posWeight: [1, 2] });
  expect(values(loss.posWeight as NDArray)).toEqual([1, 2]);
  expectError(() => loss.computeScore(nd.ones([1, 3]), nd.ones([1, 3]), 'sigmoid'), errShape('posWeight', '3', '2'));
});

test('options have types, those of the functions and of the classes alone', () => {
  const both: OptionsOf<FocalOption, WeightsOption & LabelsOption> = { gamma: 1, weights: [1, 2], labels: 'classes' };
  const posWeight: PosWeightOptions = { posWeight: 3, weights: [1, 2] };
  expect(new lib.LossSoftmaxFocal(both).computeScore([0], nd.zeros([1, 2]), 'softmax')).toBeCloseTo(log2 / 8);
  expect(new lib.LossWeightedBinaryXENT(posWeight).posWeight).toBe(3);
});

test('what the options were', () => {
  const [focal, tversky] = [new lib.LossSigmoidFocal({ gamma: 1 }), new lib.LossTversky({ smooth: 2 })];
  expect([focal.alpha, focal.gamma, new lib.LossSoftmaxFocal(0.5).gamma]).toEqual([0.25, 1, 2]);
  expect([tversky.alpha, tversky.beta, tversky.smooth, new lib.LossDice(3).smooth]).toEqual([0.5, 0.5, 2, 3]);
  expect([new lib.LossHuber(2).delta, new lib.LossSmoothL1(2).beta]).toEqual([2, 2]);
  expect([new lib.LossMultiMargin({ p: 2 }).p, new lib.LossMultiMargin({ margin: 3 }).margin]).toEqual([2, 3]);
  expect([new lib.LossSmoothedCrossEntropy().labelSmoothing, new lib.LossPoly1CrossEntropy().epsilon]).toEqual([
    0.1, 1,
  ]);
  expect(new lib.LossGeneralizedCrossEntropy().q).toBe(0.7);
});

test('one inside of another', () => {
  const [huber, hinge] = [new lib.LossHuber(), new lib.LossSoftMargin()];
  const both = lib.defineLoss('both', (y, output, sd) =>
    huber.defineLoss(sd, output, y).add(hinge.defineLoss(sd, output, y)),
  );
  const call = [nd.array([[1, -1]]), nd.array([[3, 0.5]]), 'identity'] as const;
  const sum = huber.computeScore(...call) + hinge.computeScore(...call);
  expect(mismatches('score', [both.computeScore(...call)], [sum], sameDtype.float32)).toEqual([]);
});
