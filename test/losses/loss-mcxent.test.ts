// SPDX-License-Identifier: Apache-2.0
import { LossMCXENT, LossNegativeLogLikelihood, LossSparseMCXENT, nd } from '../../lib';
import { describeLoss } from '../support/describe-loss';
import { errOption, errRange } from '../support/errors';
import { values } from '../support/library';
import { Random } from '../support/random';
import { literal, mismatches } from '../support/tolerance';

// One loss under two names.
for (const Class of [LossMCXENT, LossNegativeLogLikelihood]) {
  describeLoss({
    Class,
    name: Class.name,
    bad: [
      { title: 'an unknown option', args: [{ nothing: 1 }], expected: errOption('nothing') },
      { title: 'weights that are no array', args: [{ weights: 1 }], expected: errOption('weights') },
      {
        title: 'a softmaxClipEps below 0',
        args: [{ softmaxClipEps: -0.1 }],
        expected: errRange('softmaxClipEps', '-0.1'),
      },
      {
        title: 'a softmaxClipEps above a half',
        args: [{ softmaxClipEps: 0.51 }],
        expected: errRange('softmaxClipEps', '0.51'),
      },
      { title: 'a softmaxClipEps of text', args: [{ softmaxClipEps: '0' }], expected: errOption('softmaxClipEps') },
    ],
    forms: [[], [{}], [{ softmaxClipEps: 1e-10 }], [1e-10], [[1, 1]], [{ weights: [1, 1] }], [1e-10, [[1, 1]]]],
    cases: [
      {
        title: 'one-hot rows',
        activation: 'softmax',
        labels: [
          [0, 1],
          [1, 0],
        ],
        preOutput: [
          [1, 2],
          [0, 0],
        ],
        score: 1.0064088680781682,
        scoreArray: [0.3132616875182228, Math.LN2],
        gradient: [
          [0.2689414213699951, -0.2689414213699951],
          [-0.5, 0.5],
        ],
      },
      {
        title: 'a soft row that does not sum to 1',
        activation: 'softmax',
        labels: [[0.5, 0.25]],
        preOutput: [[1, -1]],
        score: 0.5951960082822294,
        scoreArray: [0.5951960082822294],
        gradient: [[0.16059780848341185, -0.16059780848341185]],
      },
      {
        title: 'class weights',
        args: [{ weights: [0.5, 2] }],
        activation: 'softmax',
        labels: [
          [0, 1],
          [1, 0],
        ],
        preOutput: [
          [1, 2],
          [0, 0],
        ],
        score: 0.9730969653164183,
        scoreArray: [0.6265233750364456, 0.34657359027997264],
        gradient: [
          [0.5378828427399902, -0.5378828427399902],
          [-0.25, 0.25],
        ],
      },
      {
        title: 'a mask per output',
        activation: 'softmax',
        labels: [[0.5, 0.25, 0.25]],
        preOutput: [[0, 1, 2]],
        mask: [[1, 0, 2]],
        score: 1.4076059644443804,
        scoreArray: [1.4076059644443804],
        gradient: [[-0.40996942682961957, 0.24472847105479764, 0.1652409557748219]],
      },
      {
        title: 'saturated logits, clipped in the score alone',
        activation: 'softmax',
        labels: [
          [1, 0],
          [0, 1],
        ],
        preOutput: [
          [0, 1000],
          [0, 1000],
        ],
        score: 23.025850930040455,
        scoreArray: [23.025850929940457, 1.00000000005e-10],
        gradient: [
          [-1, 1],
          [0, 0],
        ],
      },
      {
        title: 'saturated logits, exact',
        args: [{ softmaxClipEps: 0 }],
        activation: 'softmax',
        labels: [
          [1, 0],
          [0, 1],
        ],
        preOutput: [
          [0, 1000],
          [0, 1000],
        ],
        score: 1000,
        scoreArray: [1000, 0],
        gradient: [
          [-1, 1],
          [0, 0],
        ],
      },
      {
        title: 'one column',
        activation: 'softmax',
        labels: [[1]],
        preOutput: [[5]],
        score: 1.00000000005e-10,
        scoreArray: [1.00000000005e-10],
        gradient: [[0]],
      },
      {
        title: 'sigmoid, whose log does not underflow',
        activation: 'sigmoid',
        labels: [[1, 0.5]],
        preOutput: [[-1000, 2]],
        score: 1000.0634640055215,
        scoreArray: [1000.0634640055215],
        gradient: [[-1, -0.05960146101105878]],
      },
      {
        title: 'a label of 0 at an output of 0',
        activation: 'relu',
        labels: [[0, 1]],
        preOutput: [[-1, 2]],
        score: -Math.LN2,
        scoreArray: [-Math.LN2],
        gradient: [[0, -0.5]],
      },
    ],
  });
}

// docs/accuracy.md, where the numbers end.
describe.each([
  { dtype: 'float32', largest: 2 ** 127 * (2 - 2 ** -23) },
  { dtype: 'float64', largest: Number.MAX_VALUE },
] as const)('labels of a row that add up to $largest in $dtype', ({ dtype, largest }) => {
  const run = (label: number, cols: number) => {
    const row = (value: number) => Array.from({ length: cols }, () => value);
    const labels = nd.array([row(1 / cols), row(label), row(1 / cols)], dtype);
    const call = [labels, nd.zeros([3, cols], dtype), 'softmax'] as const;
    const loss = new LossMCXENT();
    return { gradient: loss.computeGradient(...call), scores: values(loss.computeScoreArray(...call)) };
  };

  test.each([2, 8, 256])('%d columns', (cols) => {
    const log = Math.log(cols);
    const label = (largest / cols / Math.max(1, log)) * (1 - 2 ** -10);
    const { gradient, scores } = run(label, cols);
    expect(mismatches('scores', scores, [log, label * log * cols, log], literal[dtype])).toEqual([]);
    expect(values(gradient).every((slope) => Math.abs(slope) <= label * cols * 2 ** -20)).toBe(true);
  });

  test.each([2, 8, 256])('no row beside one beyond is spoilt, %d columns', (cols) => {
    const { gradient, scores } = run((largest / cols) * 1.25, cols);
    const log = Math.log(cols);
    const beside = [scores[0] as number, scores[2] as number];
    expect(mismatches('scores', beside, [log, log], literal[dtype])).toEqual([]);
    expect(values(gradient.rows(0, 1)).every((slope) => Math.abs(slope) < 2 ** -20)).toBe(true);
    expect(values(gradient.rows(2, 3)).every((slope) => Math.abs(slope) < 2 ** -20)).toBe(true);
  });
});

// Short rows are worked on a vector of them at a time. Expected: each row as if the others were common ones, to the bit.
describe.each([
  { dtype: 'float32', tiny: 2 ** -149, largest: 2 ** 127 * (2 - 2 ** -23) },
  { dtype: 'float64', tiny: 2 ** -1074, largest: Number.MAX_VALUE },
] as const)('rows side by side in $dtype', ({ dtype, tiny, largest }) => {
  const random = new Random(5);
  const kinds: ((column: number) => number)[] = [
    () => random.uniform(-3, 3),
    () => random.uniform(-30, 30),
    () => random.uniform(-1, 1) * tiny * 100,
    () => random.uniform(-3, 3) * 10 ** (random.below(10) - 6),
    (column) => (column === 1 ? 1000 : random.uniform(-3, 3)),
    (column) => -60 * column,
    (column) => (column % 2 === 0 ? largest : -largest),
    (column) => (column === 2 ? Number.POSITIVE_INFINITY : random.uniform(-3, 3)),
    (column) => (column === 0 ? Number.NEGATIVE_INFINITY : random.uniform(-3, 3)),
    (column) => (column === 0 ? Number.NaN : random.uniform(-3, 3)),
    () => Number.NEGATIVE_INFINITY,
    () => 7,
  ];
  const rows = 37;

  test.each([1, 2, 3, 4, 5, 7, 8, 10, 12, 16, 17, 24, 25, 32, 33, 48, 64])('%d columns', (cols) => {
    const lists = (make: (row: number, column: number) => number, width = cols) =>
      random.list(rows, (i) => random.list(width, (j) => make(i, j)));
    // Two vectors of common rows, then one of any kind after another.
    const kind = random.list(rows, (i) => (i < 8 ? kinds[0] : random.pick(kinds)) as (column: number) => number);
    const common = lists(() => random.uniform(-3, 3));
    const z = lists((i, j) => (kind[i] as (column: number) => number)(j));
    const classes = random.list(rows, () => random.below(cols));
    const soft = nd.array(
      lists(() => random.uniform()),
      dtype,
    );
    const calls = [
      {
        loss: new LossMCXENT(),
        labels: nd.array(
          lists((i, j) => (classes[i] === j ? 1 : 0)),
          dtype,
        ),
      },
      { loss: new LossMCXENT({ softmaxClipEps: 0 }), labels: soft },
      { loss: new LossMCXENT({ weights: random.list(cols, () => random.uniform()) }), labels: soft },
      {
        loss: new LossSparseMCXENT(),
        labels: nd.array(
          lists((i) => classes[i] as number, 1),
          dtype,
        ),
      },
    ];
    const factors = nd.array(
      lists((i) => i % 3, 1),
      dtype,
    );
    for (const mask of [null, factors]) {
      for (const { loss, labels } of calls) {
        const run = (logits: number[][]) => {
          const call = [labels, nd.array(logits, dtype), 'softmax', mask] as const;
          const gradient = values(loss.computeGradient(...call));
          return values(loss.computeScoreArray(...call)).map((score, i) => [
            score,
            ...gradient.slice(i * cols, (i + 1) * cols),
          ]);
        };
        expect(run(z)).toEqual(
          random.list(rows, (i) => run(common.map((row, k) => (k === i ? (z[i] as number[]) : row)))[i]),
        );
      }
    }
  });
});
