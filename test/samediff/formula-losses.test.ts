// SPDX-License-Identifier: Apache-2.0
// The functions of `sd.loss` and `loss` that ND4J lacks: what they reject, golden values and gradients, reductions.
import {
  type CosineDistanceOption,
  type CtcOption,
  type DiceOption,
  type FocalOption,
  type GaussianNLLArguments,
  type GaussianNLLOption,
  type GeneralizedCrossEntropyOption,
  type HuberOption,
  type LogLossOption,
  type LogPoissonOption,
  type LossArguments,
  LossReduce,
  loss,
  type MarginRankingArguments,
  type MarginRankingOption,
  type MultiMarginOption,
  type NDArray,
  nd,
  type Poly1Option,
  SameDiff,
  type SDLoss,
  type SDVariable,
  type SmoothingOption,
  type SmoothL1Option,
  type TripletMarginArguments,
  type TripletMarginOption,
  type TverskyOption,
  type WeightedArguments,
} from '../../lib';
import { bits } from '../support/bits';
import { errOption, errRange, errShape, expectError } from '../support/errors';
import {
  type FloatDtype,
  type FormulaCase,
  formulaFiles,
  groupBy,
  readCases,
  rowsOf,
  type Tensor,
} from '../support/golden';
import { array, values } from '../support/library';
import { formulaRow, largest, mismatches, sameDtype } from '../support/tolerance';

type Name = Exclude<keyof typeof loss, 'ctcLoss' | 'l2Loss' | 'sparseSoftmaxCrossEntropy'>;

const eager = loss as unknown as Readonly<Record<string, (...args: unknown[]) => NDArray>>;
const call = (sd: SDLoss, name: string, args: readonly unknown[]): SDVariable =>
  (sd[name as Name] as (...args: unknown[]) => SDVariable).apply(sd, [...args]);

/** The activation of the logits that a function takes. */
const ofLogits: Readonly<Record<string, string>> = {
  weightedCrossEntropyWithLogits: 'SIGMOID',
  sigmoidFocalLoss: 'SIGMOID',
  softmaxCrossEntropy: 'SOFTMAX',
  softmaxFocalLoss: 'SOFTMAX',
  poly1CrossEntropy: 'SOFTMAX',
  generalizedCrossEntropy: 'SOFTMAX',
};

describe('rejects', () => {
  const two = nd.ones([2, 3]);
  const other = nd.ones([2, 2]);
  test.each([
    { what: 'labels of another shape', op: 'logCoshLoss', args: [other, two], expected: errShape('labels') },
    {
      what: 'variances of another shape',
      op: 'gaussianNLLLoss',
      args: [two, two, other],
      expected: errShape('variances'),
    },
    {
      what: 'an input of another shape',
      op: 'marginRankingLoss',
      args: [two, two, other],
      expected: errShape('input2'),
    },
    {
      what: 'an anchor of another shape',
      op: 'tripletMarginLoss',
      args: [other, two, two],
      expected: errShape('anchor'),
    },
    { what: 'rows without an axis', op: 'diceLoss', args: [1, 1].map(() => two.sum()), expected: errShape('an axis') },
    { what: 'weights of another shape', op: 'softMarginLoss', args: [two, two, other], expected: errShape('weights') },
    { what: 'a beta below 0', op: 'smoothL1Loss', args: [two, two, null, -1], expected: errRange('beta', '-1') },
    {
      what: 'no epsilon',
      op: 'gaussianNLLLoss',
      args: [two, two, two, null, { epsilon: 0 }],
      expected: errRange('epsilon'),
    },
    { what: 'a number for a flag', op: 'gaussianNLLLoss', args: [two, two, two, null, 1], expected: errOption('full') },
    {
      what: 'a norm below 1',
      op: 'tripletMarginLoss',
      args: [two, two, two, null, { p: 0.5 }],
      expected: errRange('p', '0.5'),
    },
    { what: 'no flag', op: 'tripletMarginLoss', args: [two, two, two, null, { swap: 1 }], expected: errOption('swap') },
    { what: 'an alpha above 1', op: 'sigmoidFocalLoss', args: [two, two, null, 2], expected: errRange('alpha', '2') },
    {
      what: 'a power of 3',
      op: 'multiMarginLoss',
      args: [two, two, null, { p: 3 }],
      expected: errRange('p', '1 or 2'),
    },
    { what: 'a q of 0', op: 'generalizedCrossEntropy', args: [two, two, null, 0], expected: errRange('q', '(0, 1]') },
    {
      what: 'an unknown option',
      op: 'tverskyLoss',
      args: [two, two, null, { eps: 1 }],
      expected: errOption('eps', 'smooth'),
    },
    {
      what: 'an unknown reduction',
      op: 'poly1CrossEntropy',
      args: [two, two, null, 'MEAN'],
      expected: errOption('MEAN'),
    },
    { what: 'two options', op: 'diceLoss', args: [two, two, null, 'SUM', 1, 2], expected: errOption('diceLoss', '2') },
  ])('$what: $op', ({ op, args, expected }) => {
    expectError(() => eager[op]?.(...args), expected);
    expectError(() => {
      const sd = SameDiff.create();
      const terms = args.map((arg) =>
        typeof arg === 'object' && arg !== null && 'shape' in arg ? sd.constant(arg) : arg,
      );
      call(sd.loss, op, terms).eval();
    }, expected);
  });
});

/** Each function's first option: as it is, and with its name. */
const options = {
  cosineDistance: [0, { dimension: 0 }] satisfies CosineDistanceOption[],
  diceLoss: [2, { smooth: 2 }] satisfies DiceOption[],
  gaussianNLLLoss: [true, { full: true }] satisfies GaussianNLLOption[],
  generalizedCrossEntropy: [0.5, { q: 0.5 }] satisfies GeneralizedCrossEntropyOption[],
  huberLoss: [0.5, { delta: 0.5 }] satisfies HuberOption[],
  logLoss: [0.5, { epsilon: 0.5 }] satisfies LogLossOption[],
  logPoisson: [true, { full: true }] satisfies LogPoissonOption[],
  marginRankingLoss: [0.5, { margin: 0.5 }] satisfies MarginRankingOption[],
  multiMarginLoss: [2, { p: 2 }] satisfies MultiMarginOption[],
  poly1CrossEntropy: [-0.5, { epsilon: -0.5 }] satisfies Poly1Option[],
  sigmoidCrossEntropy: [0.5, { labelSmoothing: 0.5 }] satisfies SmoothingOption[],
  sigmoidFocalLoss: [0.5, { alpha: 0.5 }] satisfies FocalOption[],
  smoothL1Loss: [0.5, { beta: 0.5 }] satisfies SmoothL1Option[],
  softmaxCrossEntropy: [0.5, { labelSmoothing: 0.5 }] satisfies SmoothingOption[],
  softmaxFocalLoss: [0.5, { alpha: 0.5 }] satisfies FocalOption[],
  tripletMarginLoss: [3, { margin: 3 }] satisfies TripletMarginOption[],
  tverskyLoss: [0.25, { alpha: 0.25 }] satisfies TverskyOption[],
};

test.each(Object.entries(options))('the first option of %s, with its name and without', (name, [value, named]) => {
  const p = nd.rand([3, 4], { seed: 1 });
  const two = [nd.eye(4).rows(0, 3), p];
  const arrays = /NLL|Ranking|triplet/.test(name) ? [...two, p.add(0.5)] : two;
  const run = (...rest: unknown[]) => values(eager[name]?.(...arrays, ...rest) as NDArray);
  expect(run(null, named)).toEqual(run(null, value));
  expect(run(undefined, undefined, named)).toEqual(run(null, value));
  expect(run(null, LossReduce.MEAN_BY_NONZERO_WEIGHT_COUNT, value)).toEqual(run(null, value));
  expect(run(null, value)).not.toEqual(run());
});

test('calls have types', () => {
  const [y, p] = [nd.array([[1, -1]]), nd.array([[0.5, 2]])];
  const two: LossArguments<NDArray, HuberOption> = [y, p, null, 2];
  const ranking: MarginRankingArguments<NDArray> = [y, p, y, null, LossReduce.SUM, 1];
  const triplet: TripletMarginArguments<NDArray> = [p, p, y, 2, { swap: true }];
  const normal: GaussianNLLArguments<NDArray> = [y, p, p, null, true];
  const any: WeightedArguments<[y: NDArray, p: NDArray], NDArray> = [y, p];
  expect(values(loss.huberLoss(...two))).toEqual([(0.125 + 4) / 2]);
  expect(values(loss.marginRankingLoss(...ranking))).toEqual([1.5 + 4]);
  expect(values(loss.tripletMarginLoss(...triplet))).toEqual([0]);
  expect(values(loss.gaussianNLLLoss(...normal))).toHaveLength(1);
  expect(values(loss.absoluteDifference(...any))).toEqual([1.75]);
  expect(values(loss.hingeLoss([[1, 0]], [[0.5, 2]], null, 'SUM'))).toEqual([3.5]);
  const blank: CtcOption = { blankIndex: 1 };
  const sd = SameDiff.create();
  const logits = sd.constant(nd.zeros([1, 2, 3], 'float64'));
  const ctc = sd.loss.ctcLoss(sd.constant([[0]]), logits, sd.constant([1]), sd.constant([2]), blank);
  expect(ctc.eval().getDouble(0)).toBeCloseTo(Math.log(3));
});

/** The graph of a golden case; arrays by name. */
function build({ loss: name, options, activation, arrays }: FormulaCase, dtype: FloatDtype) {
  const sd = SameDiff.create();
  const given = Object.fromEntries(arrays.map((tensor, i) => [`x${i}`, array(dtype, tensor)]));
  const terms = arrays.map(({ shape }, i) => sd.placeHolder(`x${i}`, dtype, [-1, shape[1] as number]));
  const outputs = [...terms];
  if (ofLogits[name] === undefined && activation !== 'IDENTITY') {
    const p = terms[1] as SDVariable;
    outputs[1] = { SIGMOID: sd.nn.sigmoid, SOFTMAX: sd.nn.softmax, TANH: sd.nn.tanh }[activation]?.call(
      sd.nn,
      p,
    ) as SDVariable;
  }
  const { posWeight } = options;
  const rest =
    name === 'weightedCrossEntropyWithLogits'
      ? [Array.isArray(posWeight) ? sd.constant(nd.array(posWeight, dtype)) : (posWeight ?? 1)]
      : [null, LossReduce.NONE, options];
  return {
    sd,
    given,
    args: [...arrays.keys()].map((i) => given[`x${i}`]),
    rest,
    l: call(sd.loss, name, [...outputs, ...rest]),
  };
}

/** What a case gives that it should not. */
function faultsOf(golden: FormulaCase, dtype: FloatDtype): string[] {
  const { id, loss: name, options, activation, arrays, losses, gradients } = golden;
  const { sd, given, l, args, rest } = build(golden, dtype);
  const [, { shape, data }] = arrays as [Tensor, Tensor];
  const cols = shape[1] as number;
  const rounded = (list: readonly number[]) => (dtype === 'float32' ? list.map(Math.fround) : list);
  const got = values(l.eval(given));
  const want =
    got.length === losses.length ? losses : rowsOf(losses, cols).map((row) => row.reduce((a, b) => a + b, 0));
  const ofRow = rowsOf(data, cols).map((row) => formulaRow(dtype, activation, row));
  const rows = (field: string, found: readonly number[], wanted: readonly number[], scale = 0) =>
    ofRow.flatMap(({ relative, absolute }, i) => {
      const tolerance = { relative, absolute: absolute + relative * scale };
      const width = wanted.length / ofRow.length;
      const part = (list: readonly number[]) => list.slice(i * width, (i + 1) * width);
      return mismatches(
        `${id} ${JSON.stringify(options)} ${dtype} ${field} ${i}`,
        part(found),
        part(wanted),
        tolerance,
      );
    });
  const slopes = gradients.flatMap((slope, i) =>
    slope === null
      ? []
      : rows(`slope ${i}`, values(sd.calculateGradients(given, `x${i}`)[`x${i}`] as NDArray), rounded(slope)),
  );
  const isEager = (ofLogits[name] !== undefined || activation === 'IDENTITY') && !Array.isArray(options['posWeight']);
  if (isEager) expect(bits(eager[name]?.(...args, ...rest))).toEqual(bits(l.eval(given)));
  // A difference of distances has their error.
  const ofDistances = name === 'tripletMarginLoss' ? largest(data) : 0;
  return [...rows('losses', got, rounded(want), ofDistances), ...slopes];
}

describe.each(formulaFiles)('%s', (file) => {
  const cases = readCases<FormulaCase>(file).filter(
    ({ loss: name, activation }) => ofLogits[name] === undefined || ofLogits[name] === activation,
  );
  test.each(groupBy(cases, ({ loss: name }) => name))('%s', (_, group) => {
    expect(group.flatMap((golden) => [...faultsOf(golden, 'float32'), ...faultsOf(golden, 'float64')])).toEqual([]);
  });
});

describe('reductions', () => {
  const names = [
    'smoothL1Loss',
    'sigmoidFocalLoss',
    'softmaxFocalLoss',
    'diceLoss',
    'tripletMarginLoss',
    'gaussianNLLLoss',
  ];
  test.each(names)('%s', (name) => {
    const [y, p] = [nd.rand([3, 4], { seed: 1 }), nd.randn([3, 4], { seed: 2 })];
    const third = /triplet|NLL/.test(name) ? [nd.rand([3, 4], { seed: 3 }).add(0.5)] : [];
    const run = (...rest: unknown[]): NDArray => eager[name]?.(y, p, ...third, ...rest) as NDArray;
    const losses = values(run(null, 'NONE'));
    const weights = nd.array([[2], [0], [1]]);
    const weighted = losses.map((l, i) => l * ([2, 0, 1][Math.floor((3 * i) / losses.length)] as number));
    const sum = (list: readonly number[]) => list.reduce((a, b) => a + b, 0);
    expect(
      [
        mismatches('sum', values(run(null, 'SUM')), [sum(losses)], sameDtype.float32),
        mismatches('mean', values(run(null)), [sum(losses) / losses.length], sameDtype.float32),
        mismatches('none', values(run(weights, 'NONE')), weighted, sameDtype.float32),
        mismatches(
          'by weight',
          values(run(weights, 'MEAN_BY_WEIGHT')),
          [sum(weighted) / losses.length],
          sameDtype.float32,
        ),
        mismatches('by count', values(run(weights)), [(1.5 * sum(weighted)) / losses.length], sameDtype.float32),
      ].flat(),
    ).toEqual([]);
  });

  test('one variance a row', () => {
    const [y, p] = [nd.zeros([2, 3]), nd.ones([2, 3])];
    const narrow = loss.gaussianNLLLoss(y, p, nd.array([[1], [4]]), null, 'NONE', true);
    const wide = loss.gaussianNLLLoss(
      y,
      p,
      nd.array([
        [1, 1, 1],
        [4, 4, 4],
      ]),
      null,
      'NONE',
      { full: true },
    );
    expect(bits(narrow)).toEqual(bits(wide));
  });

  test('the gradient for labels of a cross entropy', () => {
    const sd = SameDiff.create();
    const y = sd.var('y', nd.array([[0.25, 0.5, 0]], 'float64'));
    const p = sd.constant('p', nd.array([[2, 1, -3]], 'float64'));
    sd.loss.sigmoidCrossEntropy('l', y, p, null, LossReduce.SUM);
    const got = values(sd.calculateGradients({}, 'y')['y'] as NDArray);
    expect(mismatches('slopes', got, [-2, -1, 3], sameDtype.float64)).toEqual([]);
  });
});
