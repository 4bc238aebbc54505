// SPDX-License-Identifier: Apache-2.0
// The check of gradients: passes on right ones, tells wrong ones apart, takes kinks for what they are.
import { defineLoss, type IActivation, LossL1, LossL2, LossMCXENT, type NDArray, nd } from '../../lib';
import {
  CheckError,
  checkGradient,
  type GradientCheckOptions,
  type GradientElement,
  type GradientReport,
} from '../../lib/testing';
import { type Expected, errDtype, errOption, errRange, errShape, expectError } from '../support/errors';
import { activationRows, callFor, lossRows, makeProblem, title } from '../support/problems';
import { Random } from '../support/random';
import { Squares } from '../support/squares';

const squares = defineLoss('squares', (labels, output) => output.sub(labels).square());

test.each<{ what: string; options: unknown; loss?: unknown; expected: Expected }>([
  { what: 'no loss', loss: {}, options: {}, expected: errOption('loss') },
  { what: 'an unknown option', options: { h: 1 }, expected: errOption('checkGradient', 'step', 'h') },
  { what: 'options that are none', options: 5, expected: errOption('checkGradient', '5') },
  { what: 'a step of 0', options: { step: 0 }, expected: errRange('step', '0') },
  { what: 'a tolerance that is no number', options: { tolerance: '1' }, expected: errOption('tolerance') },
  { what: 'an unknown activation', options: { activation: 'none' }, expected: errOption('none') },
  { what: 'labels of no kind', options: { labels: 'sparse' }, expected: errOption('labels', 'oneHot', 'sparse') },
  { what: 'labels that are none', options: { labels: 5 }, expected: errDtype('labels', '5') },
  { what: 'a mask of no kind', options: { mask: 'row' }, expected: errOption('mask', 'example', 'row') },
  { what: 'a seed below 0', options: { seed: -1 }, expected: errRange('seed', '-1') },
  { what: 'throws that is no flag', options: { throws: 0 }, expected: errOption('throws', '0') },
  { what: 'no elements', options: { shape: [0, 3] }, expected: errShape('preOutput', '[0, 3]') },
  { what: 'labels of another shape', options: { labels: [[1, 2]], shape: [3, 2] }, expected: errShape('labels') },
])('rejects $what', ({ loss = squares, options, expected }) => {
  expectError(() => checkGradient(loss as typeof squares, options as GradientCheckOptions), expected);
});

test.each(lossRows.map((row) => ({ ...row, name: title(row.loss, row.params) })))('passes $name', (row) => {
  const mask = row.coupled ? 'exampleFraction' : 'outputFraction';
  const failed = activationRows.flatMap((activation) => {
    const random = new Random(`${row.loss} ${activation.activation}`);
    const weighted = row.weighted === true;
    const problem = makeProblem(row, activation, random, { rows: 2, width: 4, mask, weighted });
    const { loss, activation: object, labels, z, mask: array } = callFor(problem, 'float32');
    const report = checkGradient(loss, { activation: object, labels, preOutput: z, mask: array, throws: false });
    return report.passed ? [] : [String(report)];
  });
  expect(failed).toEqual([]);
});

test.each<GradientCheckOptions>([
  {},
  { shape: [1, 1] },
  { shape: [5] },
  { shape: [2, 3, 4], mask: 'example' },
  { mask: 'output', labels: 'sign', activation: 'softmax' },
  { labels: [[1, 2]], mask: [0.5] },
  { preOutput: Float32Array.of(1, 2, 3), seed: 5 },
  { labels: nd.ones([2, 2], 'int32'), average: false },
])('draws what is not given: %o', (options) => {
  for (const loss of [squares, new LossL2()]) {
    const report = checkGradient(loss, options);
    expect(report).toMatchObject({ passed: true, hint: '' });
    expect(report.worst.index.every((place) => place >= 0)).toBe(true);
    // The same again.
    expect(String(checkGradient(loss, options))).toBe(String(report));
  }
  expect(checkGradient(squares, { shape: [5, 4] }).elements).toBe(20);
});

/** A loss of squares whose gradient is changed. */
class Wrong extends Squares {
  constructor(private readonly change: (gradient: NDArray) => NDArray) {
    super();
  }

  override computeGradient(labels: NDArray, preOutput: NDArray, f: IActivation, mask: NDArray | null = null): NDArray {
    return this.change(super.computeGradient(labels, preOutput, f, mask));
  }
}

describe('a gradient that is wrong', () => {
  test.each([
    { what: 'in its sign', change: (g: NDArray) => g.neg(), hint: 'The sign is wrong' },
    { what: 'by a factor', change: (g: NDArray) => g.mul(2), hint: 'All of it is 2 times what it should be' },
    { what: 'by a millionth', change: (g: NDArray) => g.mul(1 + 3e-6), hint: 'All of it is 1.000003 times' },
    { what: 'as it is 0', change: (g: NDArray) => g.mul(0), hint: 'It is 0 everywhere' },
    { what: 'as it is of the mean', change: (g: NDArray) => g.div(6), hint: 'of the mean over the rows' },
    { what: 'in one element', change: (g: NDArray) => g.putScalar([4, 1], 7), hint: '', index: [4, 1] },
    { what: 'as it is NaN', change: (g: NDArray) => g.putScalar([0, 3], Number.NaN), hint: '', index: [0, 3] },
    { what: 'as it is infinite', change: (g: NDArray) => g.putScalar([2, 0], 1 / 0), hint: '', index: [2, 0] },
  ])('$what', ({ change, hint, index }) => {
    const report = checkGradient(new Wrong(change), { throws: false });
    expect(report).toMatchObject({ passed: false, elements: 24, hint: expect.stringContaining(hint) });
    if (hint === '') expect(report.hint).toBe('');
    if (index !== undefined) expect(report.worst.index).toEqual(index);
    expect(report.worst.relativeError).toBeGreaterThan(1e-6);
  });

  test('throws, with the report', () => {
    let thrown: unknown;
    try {
      checkGradient(new Wrong((gradient) => gradient.neg()));
    } catch (error) {
      thrown = error;
    }
    expect(thrown).toBeInstanceOf(CheckError);
    const { name, message, report } = thrown as CheckError;
    expect(name).toBe('CheckError');
    expect(message).toMatch(
      /^Gradient of Wrong\(\) with identity, float64 \[6, 4\]: relative error 2 at .* sign is wrong\.$/,
    );
    const { worst } = report as GradientReport;
    const { analytic, numeric }: GradientElement = worst;
    expect(analytic).toBeCloseTo(-numeric, 6);
  });

  test('in its shape', () => {
    expectError(
      () => checkGradient(new Wrong((gradient) => gradient.sum(1))),
      errShape('gradient of Wrong()', '[6, 4]'),
    );
  });

  test('by more than the tolerance says', () => {
    const wrong = new Wrong((gradient) => gradient.mul(1.01));
    expect([0.1, 0.001].map((tolerance) => checkGradient(wrong, { tolerance, throws: false }).passed)).toEqual([
      true,
      false,
    ]);
  });
});

test('a gradient of the mean passes as one, that of the sum then does not', () => {
  const mean = new Wrong((gradient) => gradient.div(6));
  expect(checkGradient(mean, { average: true }).passed).toBe(true);
  const sum = checkGradient(new Squares(), { average: true, throws: false });
  expect(sum).toMatchObject({ passed: false, hint: expect.stringContaining('of the sum over the rows') });
});

describe('kinks', () => {
  const at = { labels: [[1, 2, 3]], preOutput: [[1, 2 + 1e-5, 3 - 1e-4]] };

  test('any slope between those of the two sides is right, and a kink beside an element does not matter', () => {
    expect(checkGradient(new LossL1(), at).passed).toBe(true);
    // A jump of the second derivative, and one of the first.
    expect(checkGradient(squares, { labels: [[0, 1]], preOutput: [[0, 0]], activation: 'relu' }).passed).toBe(true);
  });

  test.each([2, -1.5])('a slope of %d beyond them is wrong', (slope) => {
    const loss = new LossL1();
    const wrong = {
      ...{ computeScore: loss.computeScore.bind(loss), computeScoreArray: loss.computeScoreArray.bind(loss) },
      computeGradient: () => nd.array([[slope, 1, -1]]),
      computeGradientAndScore: loss.computeGradientAndScore.bind(loss),
      name: () => 'wrong',
    };
    const report = checkGradient(wrong, { ...at, throws: false });
    expect(report).toMatchObject({
      passed: false,
      worst: { index: [0, 0], numeric: expect.closeTo(Math.sign(slope), 6) },
    });
  });
});

test('arguments are the caller’s own: a loss that writes to them changes no other call, nor what it was given', () => {
  const preOutput = nd.randn([3, 2], { seed: 1 });
  const before = preOutput.toArray();
  class Writer extends Squares {
    override computeGradient(labels: NDArray, z: NDArray, f: IActivation): NDArray {
      const gradient = super.computeGradient(labels, z, f);
      labels.muli(0);
      z.muli(0);
      return gradient;
    }
  }
  expect(checkGradient(new Writer(), { preOutput }).passed).toBe(true);
  expect(preOutput.toArray()).toEqual(before);
});

test('the docs’ softmax in a loss of one’s own', () => {
  const own = defineLoss('ce', (labels, output) => labels.mul(output.log()).neg());
  for (const loss of [own, new LossMCXENT({ softmaxClipEps: 0 })]) {
    expect(checkGradient(loss, { activation: 'softmax', labels: 'distribution', mask: 'example' }).passed).toBe(true);
  }
});
