// SPDX-License-Identifier: Apache-2.0
import { Activation, LossMultiLabel } from '../../lib';
import { describeLoss } from '../support/describe-loss';
import { errOption } from '../support/errors';
import type { FloatDtype } from '../support/golden';
import { array, values } from '../support/library';
import { Random } from '../support/random';
import { exactField } from '../support/tolerance';

describeLoss({
  Class: LossMultiLabel,
  name: 'LossMultiLabel',
  bad: [
    { title: 'an unknown option', args: [{ nothing: 1 }], expected: errOption('nothing') },
    { title: 'a number', args: [1], expected: errOption() },
    { title: 'weights', args: [{ weights: [1, 2] }], expected: errOption('weights') },
    { title: 'an array', args: [[1, 2]], expected: errOption() },
  ],
  forms: [[], [{}]],
  cases: [
    {
      title: 'pairs of a positive and a negative',
      activation: 'identity',
      labels: [
        [1, 0, 0],
        [1, 1, 0],
      ],
      preOutput: [
        [0.5, 0.25, -1],
        [0, 1, 2],
      ],
      score: 5.554634435304765,
      scoreArray: [0.5009654716099173, 5.0536689636948475],
      gradient: [
        [-0.5009654716099173, 0.38940039153570244, 0.11156508007421491],
        [-3.694528049465325, -1.3591409142295225, 5.0536689636948475],
      ],
    },
    {
      title: 'rows without a pair',
      activation: 'identity',
      labels: [
        [1, 1],
        [0, 0],
      ],
      preOutput: [
        [0.5, 0.25],
        [1, 2],
      ],
      score: 0,
      scoreArray: [0, 0],
      gradient: [
        [0, 0],
        [0, 0],
      ],
    },
    {
      title: 'a high level of outputs',
      activation: 'identity',
      labels: [[1, 0]],
      preOutput: [[10000, 10000.5]],
      score: 1.6487212707001282,
      scoreArray: [1.6487212707001282],
      gradient: [[-1.6487212707001282, 1.6487212707001282]],
    },
    {
      title: 'sigmoid and a mask per example',
      activation: 'sigmoid',
      labels: [[1, 0]],
      preOutput: [[0.5, -0.5]],
      mask: [[0.5]],
      score: 0.3913841020683975,
      scoreArray: [0.3913841020683975],
      gradient: [[-0.09197671688276117, 0.09197671688276117]],
    },
  ],
});

// Where outputs lie near each other one exponential serves an element, elsewhere two; wide rows are worked through in the
// lanes of their dtype, narrow ones several at a time.
describe('rows of any span', () => {
  const spans = [0.5, 20, 29, 31, 80, 299, 301, 700].flatMap((span) => [
    { title: `${span} apart`, span, level: 0 },
    { title: `${span} apart, at a high level`, span, level: 300 },
    { title: `${span} apart, at a low level`, span, level: -5000 },
  ]);
  describe.each([3, 40])('%d outputs', (cols) => {
    const random = new Random(7);
    const rows = spans.map(({ span, level }) => ({
      labels: Array.from({ length: cols }, (_, j) => (j % 3 === 1 ? 1 : 0)),
      // Multiples of 1/64, exact in both dtypes.
      preOutput: Array.from(
        { length: cols },
        (_, j) => level + Math.round((j === 0 ? 0 : random.uniform()) * span * 64) / 64,
      ),
    }));
    const compute = (dtype: FloatDtype, chosen: typeof rows) => {
      const matrix = (data: number[][]) => array(dtype, { shape: [chosen.length, cols], data: data.flat() });
      const labels = matrix(chosen.map((row) => row.labels));
      const preOutput = matrix(chosen.map((row) => row.preOutput));
      const loss = new LossMultiLabel();
      return {
        scores: values(loss.computeScoreArray(labels, preOutput, Activation.IDENTITY)),
        gradient: values(loss.computeGradient(labels, preOutput, Activation.IDENTITY)),
      };
    };
    test.each(['float32', 'float64'] as const)('%s: each as if it were alone', (dtype) => {
      const alone = rows.map((row) => compute(dtype, [row]));
      expect(compute(dtype, rows)).toEqual({
        scores: alone.flatMap(({ scores }) => scores),
        gradient: alone.flatMap(({ gradient }) => gradient),
      });
    });
    test('float32: as float64 within the units of exact values', () => {
      const [of32, of64] = [compute('float32', rows), compute('float64', rows)];
      for (const field of ['scores', 'gradient'] as const) {
        of64[field].forEach((want, i) => {
          const rounded = Math.fround(want);
          const allowed = Number.isFinite(rounded) ? exactField.float32.relative * Math.abs(want) + 2 ** -149 : 0;
          const got = of32[field][i] as number;
          expect(Object.is(got, rounded) || Math.abs(got - want) <= allowed ? [] : [field, i, got, want]).toEqual([]);
        });
      }
    });
  });
});
