// SPDX-License-Identifier: Apache-2.0
// Losses of one's own, from expressions: those of built-in losses give what these give, and all that the others don't
// have is checked here: what an expression may be, what is kept, batch-wise expressions.
import {
  Activation,
  ActivationELU,
  type ActivationInput,
  ActivationRReLU,
  type ArrayInput,
  defineLoss,
  type FloatDtype,
  type IActivation,
  type ILossFunction,
  type LossDefinition,
  LossL2,
  LossSparseMCXENT,
  NDArray,
  nd,
  OutputLayer,
  SameDiff,
  SameDiffLoss,
  type SameDiffLossOptions,
  type SDVariable,
  setNumThreads,
  Transforms,
} from '../../lib';
import type { Problem } from '../reference/oracle';
import { bits } from '../support/bits';
import { runProgram } from '../support/child';
import { errBuffer, errDtype, errOption, errRange, errShape, expectError } from '../support/errors';
import { values } from '../support/library';
import {
  activationRows,
  callFor,
  type LossRow,
  lossRows,
  makeProblem,
  masksFor,
  pairedActivation,
  title,
} from '../support/problems';
import { Random } from '../support/random';
import { Squares } from '../support/squares';
import { differences, literal, mismatches, sameDtype } from '../support/tolerance';

const squares: LossDefinition = (labels, output) => output.squaredDifference(labels);
const perExample: LossDefinition = (labels, output) => output.squaredDifference(labels).sum(1);
const [labels, z] = [nd.rand([4, 3], { seed: 1 }), nd.randn([4, 3], { seed: 2 })];

describe('definitions that are none', () => {
  const none = undefined as unknown as LossDefinition;
  test.each([
    { what: 'no name', make: () => defineLoss('', squares), says: ['name', 'a text'] },
    { what: 'a name that is no text', make: () => defineLoss(5 as never, squares), says: ['name', '5'] },
    { what: 'no function', make: () => defineLoss('mine', none), says: ['mine', 'a function', 'undefined'] },
    { what: 'an unknown option', make: () => defineLoss('mine', squares, { mask: 1 } as never), says: ['mask'] },
    {
      what: 'labels of no kind',
      make: () => defineLoss('mine', squares, { labels: 'sparse' as never }),
      says: ['labels', 'classes', 'sparse'],
    },
    {
      what: 'weights that are none',
      make: () => defineLoss('mine', squares, { weights: 'w' as never }),
      says: ['weights'],
    },
  ])('$what', ({ make, says }) => {
    expectError(make, errOption(...says));
  });
});

describe('expressions that are no loss', () => {
  const score = (define: LossDefinition, options?: SameDiffLossOptions) => () =>
    defineLoss('mine', define, options).computeScore(options?.labels === 'rows' ? [1, 2, 3, 4] : labels, z, 'identity');
  const other = SameDiff.create();
  test.each([
    { what: 'a number', run: score(() => 1 as never), expected: errOption('mine', 'an expression', '1') },
    { what: 'nothing', run: score(() => undefined as never), expected: errOption('mine', 'an expression') },
    {
      what: 'an expression of another graph',
      run: score(() => other.placeHolder('x', 'float32', [-1, 3])),
      expected: errOption('mine', 'of the graph', 'x'),
    },
    {
      what: 'a placeholder of its own',
      run: score((_, output, sd) => output.mul(sd.placeHolder('x', 'float32', [3]))),
      expected: errOption('mine', 'placeholder x'),
    },
    { what: 'a single number', run: score((_, output) => output.mean()), expected: errShape('mine', '[-1, 3]', '[]') },
    {
      what: 'a score a column',
      run: score((_, output) => output.sum(0)),
      expected: errShape('mine', '[-1, 3]', '[3]'),
    },
    {
      what: 'a score of all elements in a row',
      run: score((_, output) => output.reshape(-1)),
      expected: errShape('mine', '[-1, 3]'),
    },
    {
      what: 'a mean over the batch that repeats no more',
      run: score((_, output) => output.mean(0, { keepDims: true })),
      expected: errShape('mine', '[1, 3]'),
    },
    {
      what: 'labels that do not go with the output',
      run: score((y, output, sd) => output.sub(y).mul(sd.constant([1, 2]))),
      expected: errShape('mul'),
    },
    {
      what: 'an array with rows of its own',
      run: score((y, output, sd) => output.sub(y).mul(sd.constant(nd.ones([4, 3])))),
      expected: errShape('mul', '[-1, 3]', '[4, 3]'),
    },
    {
      what: 'values where there are none yet',
      run: score((y, output) => output.mul(y.eval({ labels: [[1, 2, 3]] }).sumNumber())),
      expected: errOption('labels', 'in calls alone'),
    },
    {
      what: 'no definition at all',
      run: () => Reflect.construct(SameDiffLoss, []).computeScore(labels, z, 'identity'),
      expected: errOption('SameDiffLoss()', 'a method defineLoss', 'undefined'),
    },
    {
      what: 'a promise of one',
      run: score((async () => undefined) as never),
      expected: errOption('mine', 'an expression', 'a Promise'),
    },
  ])('$what', ({ run, expected }) => {
    expectError(run, expected);
  });

  test('one that throws is asked again', () => {
    let asked = 0;
    const loss = defineLoss('late', (y, output) => {
      asked += 1;
      if (asked === 1) throw new Error('not yet');
      return output.sub(y).square();
    });
    expect(() => loss.computeScore(labels, z, 'identity')).toThrow('not yet');
    expect(loss.computeScore(labels, z, 'identity')).toBe(
      defineLoss('squares', squares).computeScore(labels, z, 'identity'),
    );
    expect(asked).toBe(2);
  });

  test('what the definition throws passes unchanged', async () => {
    const mine = new Error('mine');
    const loss = defineLoss('thrower', () => {
      throw mine;
    });
    expect(() => loss.computeScore(labels, z, 'identity')).toThrow(mine);
    await expect(loss.computeGradientAsync(labels, z, 'identity')).rejects.toBe(mine);
    expect(() => loss.bind({ labels, preOutput: z, activation: 'identity' })).toThrow(mine);
  });
});

describe('bad calls', () => {
  const [perOutput, byRow] = [defineLoss('perOutput', squares), defineLoss('byRow', perExample)];
  const classes = defineLoss('classes', (y, output) => output.gather(y).neg(), { labels: 'classes' });
  const wide = defineLoss('wide', (y, output) => output.sub(y).square(), { labels: 'rows' });
  const weighted = defineLoss('weighted', perExample, { weights: [1, 2, 3] });
  const short = defineLoss('short', squares, { weights: [1, 2] });
  const overlap = new Float32Array(20);
  const view = (at: number) => new NDArray(overlap.subarray(at, at + 12), [4, 3]);
  const held = new NDArray(overlap.subarray(0, 3));
  const holding = defineLoss('holding', (y, output, sd) => output.sub(y).mul(sd.constant(held)));
  test.each([
    {
      what: 'labels of another shape',
      run: () => perOutput.computeScore(nd.ones([4, 2]), z, 'tanh'),
      expected: errShape('labels', '[4, 3]'),
    },
    {
      what: 'a mask per output of scores per example',
      run: () => byRow.computeScore(labels, z, 'tanh', nd.ones([4, 3])),
      expected: errShape('mask', '[4, 1]', 'byRow'),
    },
    {
      what: 'weights of scores per example',
      run: () => weighted.computeScore(labels, z, 'tanh'),
      expected: errOption('weights', 'weighted'),
    },
    {
      what: 'weights of another length',
      run: () => short.computeScore(labels, z, 'tanh'),
      expected: errShape('weights', '3'),
    },
    {
      what: 'class indices as one-hot',
      run: () => classes.computeScore(labels, z, 'tanh'),
      expected: errShape('labels', '[4]'),
    },
    {
      what: 'a class index out of range',
      run: () => classes.computeScore([0, 1, 2, 3], z, 'tanh'),
      expected: errRange('labels: row 3', '0 to 2', '3'),
    },
    {
      what: 'a class index below 0',
      run: () => classes.computeScore(BigInt64Array.of(0n, -1n, 0n, 0n), z, 'tanh'),
      expected: errRange('labels: row 1', '-1'),
    },
    {
      what: 'a fraction of a class',
      run: () => classes.computeScore([0, 1, 0.5, 0], z, 'tanh'),
      expected: errRange('labels: row 2', '0.5'),
    },
    {
      what: 'labels with fewer rows',
      run: () => wide.computeScore(nd.ones([3, 1]), z, 'tanh'),
      expected: errShape('labels', '[4]', '[3, 1]'),
    },
    {
      what: 'labels without columns',
      run: () => wide.computeScore(nd.ones([4, 0]), z, 'tanh'),
      expected: errShape('labels', 'at least one column', '[4, 0]'),
    },
    {
      what: 'an out of another dtype',
      run: () => perOutput.computeGradient(labels, z, 'tanh', null, { out: new Float64Array(12) }),
      expected: errDtype('out'),
    },
    {
      what: 'an out that overlaps an input',
      run: () => perOutput.computeGradient(labels, view(0), 'tanh', null, { out: view(1) }),
      expected: errBuffer('out'),
    },
    {
      what: 'an out that overlaps a constant',
      run: () => holding.computeGradient(labels, z, 'tanh', null, { out: view(1) }),
      expected: errBuffer('out'),
    },
    {
      what: 'an unknown option',
      run: () => perOutput.computeScore(labels, z, 'tanh', null, false, { into: z } as never),
      expected: errOption('into'),
    },
    {
      what: 'a mean over no rows',
      run: () => perOutput.computeScore(nd.ones([0, 3]), nd.ones([0, 3]), 'tanh', null, true),
      expected: errShape('preOutput'),
    },
  ])('$what', ({ run, expected }) => {
    expectError(run, expected);
  });
});

interface Written {
  readonly row: LossRow;
  readonly define: LossDefinition;
  readonly options?: SameDiffLossOptions;
  readonly perExample?: true;
}

/** A row of the table of losses, and the same maths as an expression. */
function written(
  loss: string,
  define: LossDefinition,
  { params, ...more }: Partial<Written> & Pick<LossRow, 'params'> = {},
): Written {
  const row = lossRows.find((each) => each.loss === loss) as LossRow;
  return { row: params === undefined ? row : { ...row, params }, define, ...more };
}

const columns = (x: SDVariable): number => x.shape[1] as number;
const logit: LossDefinition = (y, a) =>
  y
    .mul(a.log())
    .add(y.rsub(1).mul(a.rsub(1).log()))
    .neg();
const cosine: LossDefinition = (y, a, sd) => {
  const [least, dot] = [sd.constant(1e-5), y.mul(a).sum(1)];
  const norm = (x: SDVariable) => x.norm2(1);
  const atLeast = (x: SDVariable) => x.sub(least).relu().add(least);
  return dot.div(atLeast(norm(y)).mul(atLeast(norm(a)))).neg();
};
const ranking: LossDefinition = (y, a) => {
  const positive = y.eq(1);
  const count = (x: SDVariable) => x.sum(1);
  const sums = a
    .neg()
    .exp()
    .mul(positive)
    .sum(1)
    .mul(a.exp().mul(positive.rsub(1)).sum(1));
  const pairs = count(positive).mul(count(positive.rsub(1)));
  // No pairs, no loss.
  return sums.div(pairs.add(pairs.eq(0)));
};

const table: readonly Written[] = [
  written('LossL2', squares),
  written('LossL2', perExample, { perExample: true }),
  written('LossMSE', (y, a) => a.squaredDifference(y).div(columns(a))),
  written('LossMSE', (y, a) => a.squaredDifference(y).mean(1), { perExample: true }),
  written('LossL1', (y, a) => a.sub(y).abs()),
  written('LossMAE', (y, a) => a.sub(y).abs().mean(-1, { keepDims: true }), { perExample: true }),
  written('LossMAPE', (y, a) =>
    a
      .sub(y)
      .div(y)
      .abs()
      .mul(100 / columns(a)),
  ),
  written('LossMSLE', (y, a) => a.add(1).div(y.add(1)).log().square().div(columns(a))),
  written('LossHinge', (y, a) => y.mul(a).rsub(1).relu()),
  written('LossSquaredHinge', (y, a) => y.mul(a).rsub(1).relu().square()),
  written('LossPoisson', (y, a) => a.sub(y.mul(a.log()))),
  written('LossWasserstein', (y, a) => y.mul(a).mean(1), { perExample: true }),
  written('LossBinaryXENT', logit, { params: { clipEps: 0 } }),
  written('LossMCXENT', (y, a) => y.mul(a.log()).neg(), { params: { softmaxClipEps: 0 } }),
  written('LossMCXENT', (y, a) => y.mul(a.log()).sum(1).neg(), { params: { softmaxClipEps: 0 }, perExample: true }),
  written('LossSparseMCXENT', (y, a) => a.log().gather(y).neg(), {
    params: { softmaxClipEps: 0 },
    options: { labels: 'classes' },
    perExample: true,
  }),
  written('LossCosineProximity', cosine, { perExample: true }),
  written('LossMultiLabel', ranking, { perExample: true }),
];

/** Everything that a loss says of a call, to the bit. */
function all({ loss, labels: y, z: preOutput, activation, mask }: LooseCall): unknown[] {
  const given = [y, preOutput, activation, mask] as const;
  return [
    loss.computeScore(...given),
    loss.computeScoreArray(...given),
    loss.computeGradient(...given),
    loss.computeGradientAndScore(...given),
  ].map(bits);
}

/** The rows again and again, as many as make several chunks. */
function repeated(problem: Problem, times: number): Problem {
  const again = (list: readonly number[]) => new Array<readonly number[]>(times).fill(list).flat();
  const { rows, labels: y, preOutput, mask } = problem;
  return { ...problem, rows: rows * times, labels: again(y), preOutput: again(preOutput), mask: mask && again(mask) };
}

interface LooseCall {
  readonly loss: SameDiffLoss;
  readonly labels: ArrayInput;
  readonly z: NDArray;
  readonly activation: IActivation | string;
  readonly mask: ArrayInput | null;
}

describe.each(table.map((each) => ({ ...each, name: `${each.row.loss}${each.perExample ? ' per example' : ''}` })))(
  '$name',
  ({ row, define, options, perExample: byRow, name }) => {
    const masks = masksFor(byRow ? { ...row, coupled: true } : row);
    const make = (weights: readonly number[] | null | undefined) =>
      defineLoss(name, define, weights ? { ...options, weights: [...weights] } : options);

    test.each(
      activationRows.map((activation) => ({ activation, title: title(activation.activation, activation.params) })),
    )('as the built-in one with $title', ({ activation }) => {
      const bad = masks.flatMap((mask) =>
        (row.weighted && !byRow ? [false, true] : [false]).flatMap((weighted) => {
          const random = new Random(`${name} ${activation.activation} ${mask} ${weighted}`);
          const problem = makeProblem(row, activation, random, { rows: 5, width: 7, mask, weighted });
          const custom = make(problem.weights);
          return (['float32', 'float64'] as const).flatMap((dtype) => {
            const { loss, labels: y, z: preOutput, activation: object, mask: m } = callFor(problem, dtype);
            const [got, want] = [custom, loss].map((each) => ({
              ...each.computeGradientAndScore(y, preOutput, object, m, true),
              scores: each.computeScoreArray(y, preOutput, object, m),
            })) as [Results, Results];
            const scores = values(want.scores);
            const magnitude = scores.reduce((total, value) => total + Math.abs(value), 0);
            const ofScore = { relative: 0, absolute: sameDtype[dtype].relative * magnitude };
            return [
              ...mismatches('score', [got.score], [want.score], ofScore),
              ...mismatches('scores', values(got.scores), scores, sameDtype[dtype]),
              ...mismatches('gradient', values(got.gradient), values(want.gradient), sameDtype[dtype]),
            ].map((text) => `${dtype}, mask ${mask}, weights ${weighted}: ${text}`);
          });
        }),
      );
      expect(bad).toEqual([]);
    });

    describe('the same bits', () => {
      const calls = (['float32', 'float64'] as const).flatMap((dtype) =>
        [pairedActivation(row), ...activationRows.filter(({ activation }) => activation === 'SOFTMAX')].map(
          (activation) => {
            const random = new Random(`${name} ${dtype}`);
            const weighted = row.weighted === true && !byRow;
            const sizes = { rows: 130, width: 11, mask: random.pick(masks), weighted };
            const problem = repeated(makeProblem(row, activation, random, sizes), 30);
            return { ...callFor(problem, dtype), loss: make(problem.weights), dtype };
          },
        ),
      );

      test('in views, whose surroundings stay', () => {
        for (const { dtype, ...call } of calls) {
          const embedded = (array: NDArray) => {
            const wide = nd.full([array.size(0), array.size(1) + 5], Number.NaN, dtype);
            return [wide, wide.columns(2, 2 + array.size(1)).assign(array)] as const;
          };
          const want = all(call);
          const [[, preOutput], [, y], [outside, out]] = [embedded(call.z), embedded(call.labels), embedded(call.z)];
          const mask = call.mask && embedded(call.mask)[1];
          const viewed = { ...call, z: preOutput, labels: y, mask };
          expect(all(viewed)).toEqual(want);
          call.loss.computeGradient(y, preOutput, call.activation, mask, { out });
          expect(bits(out)).toEqual(want[2]);
          const around = [outside.columns(0, 2), outside.columns(2 + out.size(1), 5 + out.size(1))].flatMap(values);
          expect(around.every(Number.isNaN)).toBe(true);
        }
      });

      test('in place, and in three axes', () => {
        for (const call of calls) {
          const { loss, labels: y, z: preOutput, activation, mask } = call;
          const want = all(call);
          const place = preOutput.dup();
          const both = loss.computeGradientAndScore(y, place, activation, mask, false, { out: place });
          expect(both.gradient).toBe(place);
          expect(bits(both)).toEqual(want[3]);
          const folded = (array: NDArray) => array.reshape(39, 100, array.size(1));
          const cube = loss.computeGradientAndScore(folded(y), folded(preOutput), activation, mask && folded(mask));
          expect(cube.gradient.shape).toEqual(folded(preOutput).shape);
          expect(bits({ ...cube, gradient: cube.gradient.reshape(preOutput.shape) })).toEqual(want[3]);
        }
      });

      test('bound, again and again', () => {
        for (const { loss, labels: y, z: preOutput, activation, mask, dtype } of calls) {
          const gradient = nd.zeros(preOutput.shape as number[], dtype);
          const scoreArray = nd.zeros([3900, 1], dtype);
          const given = { labels: y, preOutput, activation, mask };
          const [alone, both] = [loss.bind(given), loss.bind({ ...given, gradient, scoreArray, average: true })];
          for (let i = 0; i < 3; i++) {
            const want = loss.computeGradientAndScore(y, preOutput, activation, mask, true);
            expect(alone.run() / 3900).toBe(want.score);
            expect(both.run()).toBe(want.score);
            expect(bits(gradient)).toEqual(bits(want.gradient));
            expect(bits(scoreArray)).toEqual(bits(loss.computeScoreArray(y, preOutput, activation, mask)));
            preOutput.muli(0.9);
          }
        }
      });

      test('off the event loop, for any number of threads', async () => {
        for (const call of calls) {
          const { loss, labels: y, z: preOutput, activation, mask } = call;
          const want = all(call);
          const given = [y, preOutput, activation, mask] as const;
          for (const threads of [1, 2, 3, 8]) {
            setNumThreads(threads);
            expect(all(call)).toEqual(want);
            const later = await Promise.all<unknown>([
              loss.computeScoreAsync(...given),
              loss.computeScoreArrayAsync(...given),
              loss.computeGradientAsync(...given),
              loss.computeGradientAndScoreAsync(...given),
            ]);
            expect(later.map(bits)).toEqual(want);
          }
        }
      });
    });
  },
);

interface Results {
  readonly score: number;
  readonly scores: NDArray;
  readonly gradient: NDArray;
}

describe('masks', () => {
  const mask = [1, 0, 0.5, 0];
  const spoilt = (array: NDArray, at: (i: number) => boolean) => {
    const list = values(array).map((value, i) => (at(i) ? Number.NaN : value));
    return new NDArray(Float32Array.from(list), array.shape);
  };

  test.each([
    { what: 'a score per output', define: squares },
    { what: 'a score per example', define: perExample },
    { what: 'a row that hangs together', define: cosine },
  ])('NaN in a masked row stays out: $what', ({ define }) => {
    const loss = defineLoss('masked', define);
    const isMasked = (i: number) => mask[Math.floor(i / 3)] === 0;
    for (const activation of ['identity', 'tanh', 'softmax']) {
      const call = { loss, labels, z, activation, mask };
      const clean = all(call);
      expect(all({ ...call, labels: spoilt(labels, isMasked), z: spoilt(z, isMasked) })).toEqual(clean);
      const gradient = values(loss.computeGradient(labels, spoilt(z, isMasked), activation, mask));
      expect(gradient.filter((value, i) => isMasked(i) && value !== 0)).toEqual([]);
    }
  });

  test('NaN in a masked output stays out; with softmax its logit still counts', () => {
    const loss = defineLoss('masked', squares);
    const outputs = nd.array([1, 0, 2, 1, 0, 1, 0, 0.5, 1, 1, 1, 0]).reshape(4, 3);
    const isMasked = (i: number) => outputs.getDouble(i) === 0;
    for (const activation of ['identity', 'tanh', 'softmax']) {
      const call = { loss, labels, z, activation, mask: outputs };
      const logits = activation === 'softmax' ? z : spoilt(z, isMasked);
      expect(all({ ...call, labels: spoilt(labels, isMasked), z: logits })).toEqual(all(call));
    }
    const gradient = values(loss.computeGradient(labels, z, 'softmax', outputs));
    expect(gradient.every((value) => value !== 0)).toBe(true);
  });
});

describe('labels', () => {
  test('rows of another width', () => {
    // Quantiles 0.1, 0.5 and 0.9 of one label.
    const pinball = defineLoss(
      'pinball',
      (y, output, sd) => {
        const e = y.sub(output);
        const over = e.relu().mul(sd.constant([0.1, 0.5, 0.9]));
        return over.add(
          e
            .neg()
            .relu()
            .mul(sd.constant([0.9, 0.5, 0.1])),
        );
      },
      { labels: 'rows' },
    );
    const row = [1, 2, 3];
    const outputs = nd.array([row, row]);
    const score = 0.1 * 1.5 + 0.5 * 0.5 + 0.1 * 0.5 + 0.9 * 1 + 0.5 * 2 + 0.1 * 3;
    for (const y of [nd.array([[2.5], [0]]), nd.array([2.5, 0])]) {
      expect(mismatches('score', [pinball.computeScore(y, outputs, 'identity')], [score], literal.float32)).toEqual([]);
      const gradient = values(pinball.computeGradient(y, outputs, 'identity'));
      expect(mismatches('gradient', gradient, [-0.1, -0.5, 0.1, 0.9, 0.5, 0.1], literal.float32)).toEqual([]);
    }
    const cube = pinball.computeScore(nd.array([2.5, 0]).reshape(2, 1, 1), outputs.reshape(2, 1, 3), 'identity');
    expect(mismatches('score', [cube], [score], literal.float32)).toEqual([]);
    const pair = defineLoss('pair', (y, output) => output.sum(1).sub(y.sum(1)).square(), { labels: 'rows' });
    const two = nd.array([
      [1, 1],
      [2, 2],
    ]);
    expect(pair.computeScoreArray(two, outputs, 'identity').toArray()).toEqual([[16], [4]]);
  });

  test.each([Uint8Array, Int32Array, Float64Array, BigInt64Array])('class indices in an %p', async (Labels) => {
    const loss = defineLoss('classes', (y, output) => output.log().gather(y).neg(), { labels: 'classes' });
    const as = (label: number) => (Labels.name.startsWith('Big') ? BigInt(label) : label) as never;
    const indices = (Labels as unknown as { from(list: unknown[]): Int32Array }).from([0, 2, 1, 1].map(as));
    const call = { loss, labels: indices, z, activation: 'softmax', mask: null };
    const want = all({ ...call, labels: [0, 2, 1, 1] });
    expect(all(call)).toEqual(want);
    expect(bits(await loss.computeGradientAsync(indices, z, 'softmax'))).toEqual(want[2]);
    const bound = loss.bind({ labels: indices, preOutput: z, activation: 'softmax' });
    expect(bound.run()).toBe(want[0]);
    indices[2] = as(3);
    expectError(() => bound.run(), errRange('labels: row 2', '3'));
    await expect(loss.computeScoreAsync(indices, z, 'softmax')).rejects.toThrow('labels: row 2');
  });
});

describe('batch-wise expressions, which take several steps', () => {
  const centred = defineLoss('centred', (y, output) => output.sub(output.mean(0)).squaredDifference(y));
  const byHand = (y: NDArray, a: NDArray) => {
    const e = a.sub(a.mean(0)).sub(y);
    return e.mul(e);
  };

  test.each(['float32', 'float64'] as const)('in %s', async (dtype) => {
    const [y, preOutput] = [nd.rand([4, 3], { seed: 1, dtype }), nd.randn([4, 3], { seed: 2, dtype })];
    const want = byHand(y, preOutput);
    const call = { loss: centred, labels: y, z: preOutput, activation: 'identity', mask: null };
    const given = [y, preOutput, 'identity'] as const;
    const { score, gradient: slopes } = centred.computeGradientAndScore(...given);
    const scores = values(centred.computeScoreArray(...given));
    const moved = values(preOutput).map((value, i) => {
      const h = 1e-4;
      const at = (x: number) =>
        byHand(y.castTo('float64'), preOutput.castTo('float64').dup().putScalar(i, x)).sumNumber();
      return (at(value + h) - at(value - h)) / (2 * h);
    });
    expect([
      ...mismatches('score', [score], [want.sumNumber()], sameDtype[dtype]),
      ...mismatches('scores', scores, values(want.sum(1)), sameDtype[dtype]),
      ...mismatches('gradient', values(slopes), moved, dtype === 'float64' ? differences : sameDtype.float32),
    ]).toEqual([]);
    const expected = all(call);
    const later = [
      centred.computeScoreAsync(...given),
      centred.computeScoreArrayAsync(...given),
      centred.computeGradientAsync(...given),
      centred.computeGradientAndScoreAsync(...given),
    ];
    expect((await Promise.all<unknown>(later)).map(bits)).toEqual(expected);
    const [gradient, scoreArray] = [nd.zeros([4, 3], dtype), nd.zeros([4, 1], dtype)];
    const bound = centred.bind({ labels: y, preOutput, activation: 'identity', gradient, scoreArray });
    expect([bound.run(), gradient, scoreArray].map(bits)).toEqual([expected[0], expected[2], expected[1]]);
    const place = preOutput.dup();
    centred.computeGradient(y, place, 'identity', null, { out: place });
    expect(bits(place)).toEqual(expected[2]);
  });

  test('with masks, whose rows have gradient 0, for any number of rows, none too', () => {
    for (const rows of [1, 2, 3, 40, 0]) {
      const [y, preOutput] = [nd.rand([rows, 3], { seed: 1 }), nd.randn([rows, 3], { seed: 2 })];
      const mask = Array.from({ length: rows }, (_, i) => (i % 2 === 0 ? 2 : 0));
      const { score, gradient } = centred.computeGradientAndScore(y, preOutput, 'tanh', nd.array(mask));
      const outputs = Transforms.tanh(preOutput);
      const scores = rows === 0 ? [] : values(byHand(y, outputs).sum(1));
      const want = scores.reduce((sum, value, i) => sum + value * (mask[i] as number), 0);
      expect(mismatches('score', [score], [want], sameDtype.float32)).toEqual([]);
      expect(values(gradient).filter((value, i) => mask[Math.floor(i / 3)] === 0 && value !== 0)).toEqual([]);
    }
  });

  test('whose rows matter, in one program for each number of them', () => {
    const mean = defineLoss('mean', (y, output, sd) =>
      output.squaredDifference(y).div(sd.constant(1).add(y.mul(0)).sum(0)),
    );
    for (const rows of [4, 2, 3, 4]) {
      const [y, preOutput] = [labels.rows(0, rows), z.rows(0, rows)];
      const want = [new LossL2().computeScore(y, preOutput, 'identity', null, true)];
      expect(mismatches('score', [mean.computeScore(y, preOutput, 'identity')], want, sameDtype.float32)).toEqual([]);
    }
  });

  test('linear ones, whose gradient is the labels, and those of one column', () => {
    const linear = defineLoss('linear', (y, output) => y.mul(output));
    expect(linear.computeGradient(labels, z, 'identity').toArray()).toEqual(labels.toArray());
    const constant = defineLoss('constant', (y) => y);
    expect(constant.computeGradient(labels, z, 'tanh').toArray()).toEqual(nd.zeros([4, 3]).toArray());
    const column = nd.ones([5, 1]);
    for (const vector of [column, column.reshape(5)]) {
      const { score, gradient } = linear.computeGradientAndScore(vector, vector, 'identity', vector);
      expect([score, gradient.shape, values(gradient)]).toEqual([5, vector.shape, [1, 1, 1, 1, 1]]);
    }
  });
});

describe('classes', () => {
  class LogCosh extends SameDiffLoss {
    asked = 0;

    defineLoss(_sd: SameDiff, layerInput: SDVariable, y: SDVariable): SDVariable {
      this.asked += 1;
      const e = layerInput.sub(y).abs();
      return e.add(e.mul(-2).softplus()).sub(Math.LN2);
    }
  }

  test('have their name, and are asked once for each activation and number of columns', () => {
    const loss = new LogCosh();
    expect([loss.name(), String(loss), loss.weights]).toEqual(['LogCosh()', 'LogCosh()', null]);
    for (const activation of ['identity', new ActivationELU(0.5), new ActivationELU(0.5), 'identity']) {
      for (const rows of [1, 4]) {
        for (const mask of [null, nd.ones([rows])]) {
          const [y, preOutput] = [labels.rows(0, rows), z.rows(0, rows)];
          const { gradient } = loss.computeGradientAndScore(y, preOutput, activation, mask);
          if (activation !== 'identity') continue;
          const want = values(preOutput.sub(y)).map(Math.tanh);
          expect(mismatches('gradient', values(gradient), want, sameDtype.float32)).toEqual([]);
        }
      }
    }
    expect(loss.asked).toBe(2);
    loss.computeScore([[1]], nd.array([[1]]), 'identity');
    expect(loss.asked).toBe(3);
  });

  test('weights in every form that the built-in losses take', () => {
    const scores = [[1, 2, 3], nd.array([1, 2, 3]), nd.array([[1, 2, 3]]), { weights: [1, 2, 3] }].map((weights) =>
      new LogCosh(weights).computeScore(labels, z, 'tanh'),
    );
    expect(new Set(scores).size).toBe(1);
    const repeated = nd.ones([4, 1]).mul(nd.array([[1, 2, 3]]));
    const masked = new LogCosh().computeScore(labels, z, 'tanh', repeated);
    expect(mismatches('score', scores.slice(0, 1), [masked], sameDtype.float32)).toEqual([]);
  });
});

describe.each([
  { title: 'of outputs', define: squares },
  { title: 'of outputs, with a choice', define: ((y, a) => a.sub(y).abs().clip(0, 1).mul(y.exp())) as LossDefinition },
  { title: 'of rows', define: perExample },
  {
    title: 'of outputs and their row',
    define: ((y, a) => a.sub(y).div(a.norm2(1, { keepDims: true }))) as LossDefinition,
  },
])('a score $title has the same bits, whatever comes with it', ({ define }) => {
  test.each([
    { rows: 5000, cols: 3 },
    { rows: 64, cols: 1000 },
    { rows: 37, cols: 1001 },
    { rows: 3, cols: 40_000 },
  ])('$rows x $cols', ({ rows, cols }) => {
    const loss = defineLoss('mine', define);
    for (const dtype of ['float32', 'float64'] as const) {
      const preOutput = nd.randn([rows, cols], { seed: 1, dtype });
      const y = nd.rand([rows, cols], { seed: 2, dtype });
      for (const activation of [Activation.TANH, Activation.SOFTMAX]) {
        const given = { labels: y, preOutput, activation };
        const [gradient, scoreArray] = [nd.zeros([rows, cols], dtype), nd.zeros([rows, 1], dtype)];
        const score = loss.computeScore(y, preOutput, activation);
        const others = [{}, { gradient }, { scoreArray }, { gradient, scoreArray }];
        expect(others.map((outs) => loss.bind({ ...given, ...outs }).run())).toEqual(others.map(() => score));
        expect(loss.computeGradientAndScore(y, preOutput, activation).score).toBe(score);
        expect(bits(scoreArray)).toEqual(bits(loss.computeScoreArray(y, preOutput, activation)));
      }
    }
  });
});

test('an activation of the user', () => {
  const own: IActivation = {
    getActivation: (list) => list.muli(2),
    backprop: (_, epsilon) => [epsilon.mul(2), null],
    numParams: () => 0,
    toString: () => 'own',
  };
  const loss = defineLoss('squares', squares);
  const want = loss.computeGradientAndScore(labels, z.mul(2), 'identity');
  const got = loss.computeGradientAndScore(labels, z, own);
  expect([got.score, got.gradient.toArray()]).toEqual([want.score, want.gradient.mul(2).toArray()]);
  expectError(() => loss.bind({ labels, preOutput: z, activation: own }), errOption('activation'));
});

test('a constant is read where it is; detached it is an error', () => {
  const held = Float32Array.of(1, 2, 3);
  const loss = defineLoss('holding', (y, output, sd) => output.sub(y).mul(sd.constant(held)));
  const bound = loss.bind({ labels, preOutput: z, activation: 'identity' });
  const score = bound.run();
  expect(score).toBe(loss.computeScore(labels, z, 'identity'));
  held[0] = 100;
  expect(bound.run()).not.toBe(score);
  expect(bound.run()).toBe(loss.computeScore(labels, z, 'identity'));
  structuredClone(null, { transfer: [held.buffer] });
  expectError(() => bound.run(), errBuffer());
  expectError(() => loss.computeScore(labels, z, 'identity'), errBuffer());
});

test('labels and masks of every dtype, as a built-in loss takes them', () => {
  const numbers = [0, 1, 1, 0, 2, 1, 0, 0, 3, 1, 2, 1];
  const typed = [
    ...[Int8Array, Uint8Array, Uint8ClampedArray, Int16Array, Uint16Array, Int32Array, Uint32Array],
    ...[Float32Array, Float64Array],
  ].map((Class) => Class.from(numbers));
  const all12 = [...typed, BigInt64Array.from(numbers, BigInt), BigUint64Array.from(numbers, BigInt)];
  const [custom, builtIn] = [defineLoss('squares', squares), new LossL2()];
  for (const dtype of ['float32', 'float64'] as const) {
    const preOutput = z.castTo(dtype);
    for (const y of all12.map((data) => new NDArray(data, [4, 3]))) {
      for (const mask of [...all12.map((data) => new NDArray(data.subarray(0, 4))), y]) {
        const [got, want] = [custom, builtIn].map((loss) => loss.computeGradientAndScore(y, preOutput, 'tanh', mask));
        expect(mismatches('score', [got?.score ?? 0], [want?.score ?? 1], sameDtype[dtype])).toEqual([]);
        expect(
          mismatches('gradient', values(got?.gradient as NDArray), values(want?.gradient as NDArray), sameDtype[dtype]),
        ).toEqual([]);
      }
    }
  }
});

class SquaresByMethod extends SameDiffLoss {
  defineLoss(_sd: SameDiff, layerInput: SDVariable, y: SDVariable): SDVariable {
    return layerInput.squaredDifference(y);
  }
}

describe.each([
  { form: 'a definition', make: () => defineLoss('squares', squares) },
  { form: 'a class with defineLoss', make: () => new SquaresByMethod() },
  { form: 'a class of NDArray operations', make: () => new Squares() },
])('a layer takes $form', ({ make }) => {
  const layerOf = (loss: ILossFunction, activation: ActivationInput, dtype: FloatDtype) =>
    new OutputLayer.Builder(loss).nIn(2).nOut(3).activation(activation).seed(5).dataType(dtype).build();

  test.each(Activation.values().map((activation) => ({ activation, name: activation.name() })))(
    'with $name',
    ({ activation }) => {
      for (const dtype of ['float32', 'float64'] as const) {
        const x = nd.randn([4, 2], { seed: 7, dtype });
        const y = nd.rand([4, 3], { seed: 8, dtype });
        // Of a mask per output a class of one's own would have to know that softmax couples them.
        for (const mask of [null, nd.array([[1], [0], [0.5], [2]], dtype)]) {
          const [got, want] = [make(), new LossL2()].map((loss) => {
            // Slopes of RRELU are drawn anew in each pass that trains, but from the same seed.
            const given = activation === Activation.RRELU ? new ActivationRReLU({ l: 0.25, u: 0.25 }) : activation;
            const layer = layerOf(loss, given, dtype);
            const { score, gradientW, gradientB, epsilon } = layer.computeGradientAndScore(x, y, mask);
            return [score, gradientW, gradientB, epsilon, layer.scoreExamples(x, y, mask)].flatMap((result) =>
              typeof result === 'number' ? result : values(result),
            );
          });
          expect(mismatches('layer', got ?? [], want ?? [0], sameDtype[dtype])).toEqual([]);
        }
      }
    },
  );
});

test('a layer takes class indices, labels of another width, three axes and scores that cross rows', () => {
  const layerOf = (loss: ILossFunction) =>
    new OutputLayer.Builder(loss).nIn(2).nOut(3).activation('softmax').seed(5).build();
  const x = nd.randn([4, 2], { seed: 7 });
  const entropy = defineLoss('entropy', (y, output) => output.log().gather(y).neg(), { labels: 'classes' });
  const [own, builtIn] = [entropy, new LossSparseMCXENT({ softmaxClipEps: 0 })].map((loss) =>
    layerOf(loss).computeGradientAndScore(x, [0, 2, 1, 1], [1, 0, 1, 1]),
  );
  expect(own?.score).toBeCloseTo(builtIn?.score as number, 6);
  expect(
    mismatches('W', values(own?.gradientW as NDArray), values(builtIn?.gradientW as NDArray), sameDtype.float32),
  ).toEqual([]);
  const rows = defineLoss('rows', (y, output) => output.max(1).sub(y.sum(1)).square(), { labels: 'rows' });
  expect(layerOf(rows).scoreExamples(x, nd.ones([4, 7])).shape).toEqual([4, 1]);
  const flat = layerOf(defineLoss('squares', squares)).computeGradientAndScore(x, labels);
  const cube = layerOf(defineLoss('squares', squares)).computeGradientAndScore(
    x.reshape(2, 2, 2),
    labels.reshape(2, 2, 3),
  );
  expect([cube.score, bits(cube.gradientW), cube.epsilon.shape]).toEqual([flat.score, bits(flat.gradientW), [2, 2, 2]]);
  const centred = defineLoss('centred', (y, output) => output.sub(output.mean(0)).sub(y).square());
  expect(layerOf(centred).computeGradientAndScore(x, labels).gradientW.shape).toEqual([2, 3]);
});

test('off the event loop it can be given up, in one pass or in several', async () => {
  const definitions: readonly LossDefinition[] = [squares, (y, output) => output.sub(output.mean(0)).sub(y).square()];
  for (const define of definitions) {
    const loss = defineLoss('given up', define);
    const out = nd.full([4, 3], 7);
    const controller = new AbortController();
    const call = loss.computeGradientAsync(labels, z, 'tanh', null, { out, signal: controller.signal });
    controller.abort(new Error('enough'));
    await expect(call).rejects.toThrow('enough');
    await expect(
      loss.computeScoreAsync(labels, z, 'tanh', null, false, { signal: AbortSignal.abort() }),
    ).rejects.toThrow();
    expect(out.toArray()).toEqual(nd.full([4, 3], 7).toArray());
    expect(await loss.computeScoreAsync(labels, z, 'tanh')).toBe(loss.computeScore(labels, z, 'tanh'));
  }
});

test('a layer trains with it', () => {
  const huber = defineLoss('Huber', (y, output) => {
    const e = output.sub(y).abs();
    const q = e.clip(0, 1);
    return q.square().mul(0.5).add(e.sub(q));
  });
  const x = nd.randn([50, 2], { seed: 3 });
  const y = x.mmul(nd.array([[2], [-1]])).add(0.5);
  const layer = new OutputLayer.Builder(huber).nIn(2).nOut(1).activation(Activation.IDENTITY).build();
  const first = layer.computeGradientAndScore(x, y).score;
  for (let step = 0; step < 300; step++) {
    const { gradientW, gradientB } = layer.computeGradientAndScore(x, y);
    layer.W.subi(gradientW.mul(0.5 / 50));
    layer.b.subi(gradientB.mul(0.5 / 50));
  }
  expect(layer.computeGradientAndScore(x, y).score).toBeLessThan(first / 1000);
  expect(values(layer.W)).toEqual([expect.closeTo(2, 1), expect.closeTo(-1, 1)]);
  expect(layer.scoreExamples(x.toArray() as number[][], y).shape).toEqual([50, 1]);
});

test('memory does not grow over a million runs, nor over many activations and sizes', async () => {
  const output = await runProgram(`
    const square = (y, a) => a.sub(y).abs().clip(0, 1).square();
    const [huber, any] = [lib.defineLoss('Huber', square), lib.defineLoss('any', square)];
    const whole = lib.defineLoss('whole', (y, a) => a.sub(a.mean(0)).sub(y).square());
    const [labels, preOutput, gradient] = [nd.ones([4, 3]), nd.zeros([4, 3]), nd.zeros([4, 3])];
    const bound = huber.bind({ labels, preOutput, activation: 'tanh', gradient });
    const used = () => { gc(); const { heapUsed, external } = process.memoryUsage(); return heapUsed + external; };
    const grown = async (run, warm, times) => {
      for (let i = 0; i < warm; i++) run(i);
      await turn();
      const before = used();
      for (let i = 0; i < times; i++) run(warm + i);
      await turn();
      return (used() - before) / 2 ** 20;
    };
    const sized = (loss) => (i) => {
      const z = nd.ones([1 + i % 400, 2 + i % 90]);
      return loss.computeGradientAndScore(z, z, new lib.ActivationELU(i % 1000));
    };
    // WebAssembly takes its time.
    const times = lib.backend === 'wasm' ? 0.05 : 1;
    console.log(JSON.stringify([
      await grown(() => bound.run(), 1e5 * times, 1e6 * times),
      await grown(() => huber.computeGradientAndScore(labels, preOutput, 'tanh', null, false, { out: gradient }), 1e5 * times, 3e5 * times),
      await grown(sized(any), 300, 600),
      await grown(sized(whole), 300, 600),
    ]));
  `);
  // 600 plans would take tens of MiB.
  expect((JSON.parse(output) as number[]).filter((mebibytes) => mebibytes > 4)).toEqual([]);
});
