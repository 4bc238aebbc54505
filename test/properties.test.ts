// SPDX-License-Identifier: Apache-2.0
// What must hold between calls, for every loss in both dtypes: no expected values, and no tolerance where none is due.
import { Activation, type ArrayInput, type IActivation, NDArray, type TypedArray } from '../lib';
import { evaluate, type Problem } from './reference/oracle';
import type { FloatDtype } from './support/golden';
import { activationOf, floats, lossOf, values } from './support/library';
import {
  activationRows,
  type Call,
  callFor,
  type LossRow,
  lossRows,
  makeProblem,
  masksFor,
  pairedActivation,
  title,
} from './support/problems';
import { Random } from './support/random';
import { againstOracle, mismatches, sameDtype } from './support/tolerance';

/** Two AVX-512 vectors of float32 and 3: every tail of every target. */
const longest = 2 * 16 + 3;

/** Everything that a loss says of one call, as plain numbers. */
interface Results {
  readonly score: number;
  readonly average: number;
  readonly scoreArray: readonly number[];
  readonly gradient: readonly number[];
}

function run({ loss, activation, labels, z, mask }: LooseCall): Results {
  const average = loss.computeGradientAndScore(labels, z, activation, mask, true);
  return {
    score: loss.computeScore(labels, z, activation, mask),
    average: average.score,
    scoreArray: loss.name() === 'LossFMeasure()' ? [] : values(loss.computeScoreArray(labels, z, activation, mask)),
    gradient: values(average.gradient),
  };
}

/** A call whose arrays may take any form. */
type LooseCall = Omit<Call, 'labels' | 'z' | 'mask'> & {
  readonly labels: ArrayInput;
  readonly z: ArrayInput;
  readonly mask: ArrayInput | null;
};

/** The same numbers, but for how their sums were taken. */
function expectClose(got: Results, want: Results, dtype: FloatDtype): void {
  const magnitude = want.scoreArray.reduce((total, value) => total + Math.abs(value), Math.abs(want.score));
  const ofScore = { ...sameDtype[dtype], absolute: sameDtype[dtype].relative * magnitude };
  expect([
    ...mismatches('score', [got.score], [want.score], ofScore),
    ...mismatches('scoreArray', got.scoreArray, want.scoreArray, sameDtype[dtype]),
    ...mismatches('gradient', got.gradient, want.gradient, sameDtype[dtype]),
  ]).toEqual([]);
}

/** A matrix inside a larger one of NaN: `before` elements first, rows `stride` apart. */
function embed(dtype: FloatDtype, list: readonly number[], rows: number, cols: number, before: number, stride: number) {
  const data = floats(dtype, new Array<number>(before + rows * stride + 5).fill(Number.NaN));
  const view = data.subarray(before);
  for (let i = 0; i < rows; i++) for (let j = 0; j < cols; j++) view[i * stride + j] = list[i * cols + j] as number;
  const inside = (index: number): boolean => {
    const [row, column] = [Math.floor((index - before) / stride), (index - before) % stride];
    return index >= before && row < rows && column < cols;
  };
  return {
    array: new NDArray(view, [rows, cols], [stride, 1]),
    /** Elements around the matrix that were written to. */
    spoilt: () => Array.from(data.keys()).filter((index) => !inside(index) && !Number.isNaN(data[index])),
  };
}

/** The numbers as a typed array of a class. */
function typed(Class: TypedArrayClass, list: readonly number[]): TypedArray {
  return Class === BigInt64Array || Class === BigUint64Array
    ? Class.from(list.map(BigInt))
    : (Class as Float64ArrayConstructor).from(list);
}

const typedArrayClasses = [
  Int8Array,
  Uint8Array,
  Uint8ClampedArray,
  Int16Array,
  Uint16Array,
  Int32Array,
  Uint32Array,
  Float32Array,
  Float64Array,
  BigInt64Array,
  BigUint64Array,
] as const;
type TypedArrayClass = (typeof typedArrayClasses)[number];

const dtypes: readonly FloatDtype[] = ['float32', 'float64'];
const titled = lossRows.map((row): [string, LossRow] => [title(row.loss, row.params), row]);

describe.each(dtypes)('%s', (dtype) => {
  describe.each(titled)('%s', (name, row) => {
    const paired = pairedActivation(row);
    const sparse = row.loss === 'LossSparseMCXENT';
    const random = new Random(`${name} ${dtype}`);
    const make = (options: Partial<Parameters<typeof makeProblem>[3]> = {}, activation = paired): Problem =>
      makeProblem(row, activation, random, { rows: 7, width: 5, ...options });
    const withLists = (problem: Problem, change: Partial<Problem>) => callFor({ ...problem, ...change }, dtype);

    // 300: longer than a tile, where rows may be left out as a whole.
    test.each([5, 300])('a mask of 0 and 1 leaves rows out, width %i', (width) => {
      const problem = make({ width });
      const kept = [1, 0, 0, 1, 1, 0, 1];
      const pick = (list: readonly number[]): number[] => {
        const size = list.length / problem.rows;
        return list.filter((_, i) => kept[Math.floor(i / size)] === 1);
      };
      const got = run(withLists(problem, { mask: kept }));
      const subset = run(
        withLists(problem, { rows: 4, labels: pick(problem.labels), preOutput: pick(problem.preOutput) }),
      );
      expectClose({ ...got, scoreArray: pick(got.scoreArray), gradient: pick(got.gradient) }, subset, dtype);
      expect(got.gradient.filter((_, i) => kept[Math.floor(i / problem.cols)] === 0).every((g) => g === 0)).toBe(true);
    });

    test('masks and weights of one are none', () => {
      const problem = make();
      const plain = run(callFor(problem, dtype));
      for (const kind of masksFor(row).filter((mask) => mask === 'example' || mask === 'output')) {
        const size = kind === 'example' ? problem.rows : problem.preOutput.length;
        expectClose(run(withLists(problem, { mask: new Array<number>(size).fill(1) })), plain, dtype);
      }
      if (row.weighted)
        expectClose(run(withLists(problem, { weights: problem.preOutput.slice(0, 5).fill(1) })), plain, dtype);
    });

    test('a mask per example is that mask in every column', () => {
      if (row.coupled) {
        const call = callFor(make({ width: 4 }), dtype);
        if (call.z.size(1) === 1) return expect(run({ ...call, mask: call.z.mul(0).add(1) })).toEqual(run(call));
        return expect(() => run({ ...call, mask: call.z })).toThrow(expect.objectContaining({ code: 'ERR_SHAPE' }));
      }
      const problem = make({ mask: 'exampleFraction' });
      const spread = (problem.mask ?? []).flatMap((value) => new Array<number>(problem.cols).fill(value));
      expectClose(run(withLists(problem, { mask: spread })), run(callFor(problem, dtype)), dtype);
    });

    test('the score is the sum of the score array', () => {
      if (row.loss === 'LossFMeasure') {
        const { loss, labels, z, activation } = callFor(make(), dtype);
        return expect(() => loss.computeScoreArray(labels, z, activation)).toThrow(TypeError);
      }
      for (const mask of masksFor(row)) {
        const { score, scoreArray } = run(callFor(make({ mask, weighted: row.weighted === true }), dtype));
        const sum = scoreArray.reduce((total, value) => total + value, 0);
        const magnitude = scoreArray.reduce((total, value) => total + Math.abs(value), 0);
        const allowed = { relative: 0, absolute: sameDtype[dtype].relative * magnitude };
        expect(mismatches(`score, mask ${mask}`, [score], [sum], allowed)).toEqual([]);
      }
    });

    test('the average is the score over all rows', () => {
      const { score, average } = run(callFor(make({ mask: 'example' }), dtype));
      expect(average).toBe(row.loss === 'LossFMeasure' ? score : score / 7);
    });

    test('rows may come in any order', () => {
      const problem = make({ mask: 'exampleFraction', weighted: row.weighted === true });
      const order = random.permutation(problem.rows);
      const permute = (list: readonly number[]): number[] => {
        const size = list.length / problem.rows;
        return order.flatMap((i) => list.slice(i * size, (i + 1) * size));
      };
      const { labels, preOutput, mask } = problem;
      const permuted = { labels: permute(labels), preOutput: permute(preOutput), mask: permute(mask ?? []) };
      const want = run(callFor(problem, dtype));
      const moved = { ...want, scoreArray: permute(want.scoreArray), gradient: permute(want.gradient) };
      expectClose(run(withLists(problem, permuted)), moved, dtype);
    });

    test('both at once are the two calls to the bit, every time', () => {
      for (const mask of masksFor(row)) {
        const {
          loss,
          activation,
          labels,
          z,
          mask: m,
        } = callFor(make({ mask, weighted: row.weighted === true }), dtype);
        const score = loss.computeScore(labels, z, activation, m);
        const gradient = values(loss.computeGradient(labels, z, activation, m));
        for (let repeat = 0; repeat < 2; repeat++) {
          const both = loss.computeGradientAndScore(labels, z, activation, m);
          expect([both.score, ...values(both.gradient)]).toEqual([score, ...gradient]);
        }
      }
    });

    // From 0 rows or 1 column to two vectors and 3, and across blocks: results of the right size, right values.
    const sizes = [
      ...Array.from({ length: longest }, (_, i) => ({ rows: 2, width: i + 1 })),
      ...Array.from({ length: longest + 1 }, (_, rows) => ({ rows, width: 1 })),
      ...Array.from({ length: longest + 1 }, (_, rows) => ({ rows, width: 3 })),
      { rows: 3, width: 255 },
      { rows: 2, width: 257 },
      { rows: 300, width: 2 },
      { rows: 130, width: 10 },
    ];
    const sized = row.activation === 'SOFTMAX' ? ['SOFTMAX', 'SIGMOID'] : [row.activation, 'SOFTMAX'];
    test.each(sized)('any number of rows and columns, with %s', (activation) => {
      const table = activationRows.find((candidate) => candidate.activation === activation);
      const bad = sizes.flatMap(({ rows, width }) => {
        const problem = make({ rows, width }, table);
        const call = callFor(problem, dtype);
        const want = evaluate(problem);
        const { loss, labels, z } = call;
        const { array: out, spoilt } = embed(dtype, problem.preOutput, rows, problem.cols, 3, problem.cols + 2);
        const { score } = loss.computeGradientAndScore(labels, z, call.activation, null, false, { out });
        const scores = want.scoreArray === null ? null : values(loss.computeScoreArray(labels, z, call.activation));
        const magnitude =
          want.scoreArray === null ? 1 : want.scoreArray.reduce((total, value) => total + Math.abs(value), 0);
        const tolerance = againstOracle[dtype];
        const ofScore = { relative: 0, absolute: tolerance.relative * magnitude };
        return [
          ...mismatches('score', [score], [want.score], ofScore),
          ...mismatches('scoreArray', scores ?? [], want.scoreArray ?? [], tolerance),
          ...mismatches('gradient', values(out), want.gradient, tolerance),
          ...(spoilt().length > 0 ? [`wrote outside of out: ${spoilt()}`] : []),
        ].map((text) => `${rows} x ${width}: ${text}`);
      });
      expect(bad).toEqual([]);
    });

    test('views with offsets and strides give the same bits, and nothing is written but out', () => {
      for (const mask of masksFor(row)) {
        const problem = make({ mask });
        const { rows, cols, labels, preOutput } = problem;
        const call = callFor(problem, dtype);
        const want = run(call);
        const labelCols = labels.length / rows;
        const maskCols = (problem.mask?.length ?? 0) / rows;
        const z = embed(dtype, preOutput, rows, cols, 1, cols + 3);
        const y = embed(dtype, labels, rows, labelCols, 3, labelCols + 1);
        const m = problem.mask ? embed(dtype, problem.mask, rows, maskCols, 2, maskCols + 5) : null;
        const out = embed(dtype, preOutput, rows, cols, 5, cols + 7);
        const views = { ...call, labels: y.array, z: z.array, mask: m?.array ?? null };
        expect(run(views)).toEqual(want);
        views.loss.computeGradient(views.labels, views.z, views.activation, views.mask, { out: out.array });
        expect(values(out.array)).toEqual(want.gradient);
        expect([...z.spoilt(), ...y.spoilt(), ...(m?.spoilt() ?? []), ...out.spoilt()]).toEqual([]);
        expect([values(z.array), values(y.array)]).toEqual([values(call.z), values(call.labels)]);
      }
    });

    test('columns apart and transposed arrays are read through a copy', () => {
      const problem = make();
      const { rows, cols, labels, preOutput } = problem;
      const call = callFor(problem, dtype);
      const labelCols = labels.length / rows;
      const transpose = (list: readonly number[], columns: number): ArrayInput => ({
        data: floats(
          dtype,
          list.map((_, k) => list[(k % rows) * columns + Math.floor(k / rows)] as number),
        ),
        shape: [rows, columns],
        strides: [1, rows],
      });
      const apart: ArrayInput = {
        data: floats(
          dtype,
          preOutput.flatMap((value) => [value, Number.NaN]),
        ),
        dims: [rows, cols],
        strides: [2 * cols, 2],
      };
      const want = run(call);
      expect(run({ ...call, z: transpose(preOutput, cols), labels: transpose(labels, labelCols) })).toEqual(want);
      expect(run({ ...call, z: apart })).toEqual(want);
    });

    test('labels, masks and weights of every dtype', () => {
      const problem = make({ mask: 'example' });
      const { rows, cols, mask } = problem;
      const labels = sparse
        ? problem.labels
        : problem.labels.map((_, i) => (row.loss === 'LossMAPE' ? 1 + (i % 2) : i % 2));
      const weights = row.weighted ? random.list(cols, () => 1 + random.below(3)) : null;
      const call = withLists(problem, { labels, weights });
      const want = run(call);
      for (const Class of typedArrayClasses) {
        const y = new NDArray(typed(Class, labels), [rows, labels.length / rows]);
        const m = new NDArray(typed(Class, mask ?? []), [rows, 1]);
        const loss = weights ? lossOf(row.loss, { ...row.params, weights: typed(Class, weights) as never }) : call.loss;
        expect([Class.name, run({ ...call, loss, labels: y, mask: m })]).toEqual([Class.name, want]);
      }
    });

    test('labels, masks and weights are rounded to the dtype of preOutput', () => {
      const problem = make({ mask: 'exampleFraction', weighted: row.weighted === true });
      if (sparse)
        return expect(run(callFor(problem, dtype))).toEqual(
          run({ ...callFor(problem, dtype), labels: new NDArray(Float64Array.from(problem.labels), [7, 1]) }),
        );
      const nudge = (list: readonly number[]): number[] => list.map((value) => value * (1 + 2 ** -30));
      const { rows, labels, mask, weights } = problem;
      const nudged = { labels: nudge(labels), mask: nudge(mask ?? []), weights: weights && nudge(weights) };
      const call = withLists(problem, nudged);
      const y = new NDArray(Float64Array.from(nudged.labels), [rows, labels.length / rows]);
      const m = new NDArray(Float64Array.from(nudged.mask), [rows, 1]);
      expect(run({ ...call, labels: y, mask: m })).toEqual(run(call));
      if (dtype === 'float32') expect(run(call)).toEqual(run(callFor(problem, dtype)));
    });

    test('nested arrays of plain numbers take the dtype of preOutput', () => {
      const problem = make({ mask: 'example' });
      const call = callFor(problem, dtype);
      const nested = { ...call, labels: call.labels.toArray() as number[][], mask: call.mask?.toArray() as number[][] };
      expect(run(nested)).toEqual(run(call));
      if (dtype === 'float32') expect(run({ ...nested, z: call.z.toArray() as number[][] })).toEqual(run(call));
    });

    test('returns the out that it was given, filled', () => {
      const { loss, labels, z, activation } = callFor(make(), dtype);
      const want = values(loss.computeGradient(labels, z, activation));
      const out = z.dup();
      expect(loss.computeGradient(labels, z, activation, null, { out })).toBe(out);
      expect(values(out)).toEqual(want);
      out.muli(0);
      expect(loss.computeGradientAndScore(labels, z, activation, null, false, { out }).gradient).toBe(out);
      expect(values(out)).toEqual(want);
      const bare = floats(dtype, new Array<number>(z.length).fill(0));
      const wrapped = loss.computeGradient(labels, z, activation, null, { out: bare });
      expect(wrapped.data).toBe(bare);
      expect([wrapped.shape, Array.from(bare)]).toEqual([z.shape, want]);
      if (row.loss === 'LossFMeasure') return;
      const scores = new NDArray(floats(dtype, new Array<number>(7).fill(0)), [7, 1]);
      expect(loss.computeScoreArray(labels, z, activation, null, { out: scores })).toBe(scores);
      expect(values(scores)).toEqual(values(loss.computeScoreArray(labels, z, activation)));
      const apart = embed(dtype, values(scores), 7, 1, 2, 3);
      expect(loss.computeScoreArray(labels, z, activation, null, { out: apart.array })).toBe(apart.array);
      expect([values(apart.array), apart.spoilt()]).toEqual([values(scores), []]);
    });

    test.each(sized)('in place on preOutput with %s', (activation) => {
      const problem = make(
        { mask: 'exampleFraction' },
        activationRows.find((table) => table.activation === activation),
      );
      const call = callFor(problem, dtype);
      const { loss, labels, z, mask } = call;
      const want = loss.computeGradientAndScore(labels, z, call.activation, mask);
      const { rows, cols, preOutput } = problem;
      const strided = embed(dtype, preOutput, rows, cols, 3, cols + 4);
      for (const place of [z.dup(), strided.array]) {
        const got = loss.computeGradientAndScore(labels, place, call.activation, mask, false, { out: place });
        expect(got.gradient).toBe(place);
        expect([got.score, values(place)]).toEqual([want.score, values(want.gradient)]);
      }
      expect(strided.spoilt()).toEqual([]);
    });

    test('ranks 1 to 4', () => {
      const problem = make({ rows: 6, mask: 'exampleFraction' });
      const { cols, labels: y, preOutput, mask } = problem;
      const call = callFor(problem, dtype);
      const want = run(call);
      const labelCols = y.length / 6;
      const as = (list: readonly number[], shape: readonly number[]) => new NDArray(floats(dtype, list), shape);
      for (const leading of [
        [2, 3],
        [1, 6],
        [2, 1, 3],
      ]) {
        const z = as(preOutput, [...leading, cols]);
        const labels = as(y, [...leading, labelCols]);
        for (const shape of [leading, [...leading, 1], [6], [6, 1]]) {
          expect(run({ ...call, z, labels, mask: as(mask ?? [], shape) })).toEqual(want);
        }
        expect(call.loss.computeGradient(labels, z, call.activation).shape).toEqual(z.shape);
        const maskRows = embed(dtype, mask ?? [], 2, 3, 1, 5).array;
        if (leading.length === 2 && leading[0] === 2) expect(run({ ...call, z, labels, mask: maskRows })).toEqual(want);
        if (sparse) expect(run({ ...call, z, labels: as(y, leading), mask: as(mask ?? [], leading) })).toEqual(want);
        if (row.loss === 'LossFMeasure') continue;
        expect(call.loss.computeScoreArray(labels, z, call.activation).shape).toEqual([6, 1]);
      }
      if (row.loss === 'LossMixtureDensity') {
        // Labels of one column may come as a vector.
        const narrow = callFor(make({ width: 1 }), dtype);
        return expect(run({ ...narrow, labels: narrow.labels.reshape(7) })).toEqual(run(narrow));
      }
      const column = make({ width: 1 });
      const columnCall = callFor(column, dtype);
      const flat = { ...columnCall, z: as(column.preOutput, [7]), labels: as(column.labels, [7]) };
      expect(run(flat)).toEqual(run(columnCall));
      expect(flat.loss.computeGradient(flat.labels, flat.z, flat.activation).shape).toEqual([7]);
    });

    test('NaN in a masked place stays out', () => {
      const problem = make();
      const { rows, labels, preOutput } = problem;
      const spoil = (list: readonly number[], at: (i: number) => boolean) =>
        list.map((v, i) => (at(i) ? Number.NaN : v));
      const mask = [1, 0, 1, 0.5, 0, 1, 2];
      const masked = (size: number) => (i: number) => mask[Math.floor((i * rows) / size)] === 0;
      const spoilt = {
        labels: sparse ? labels : spoil(labels, masked(labels.length)),
        preOutput: spoil(preOutput, masked(preOutput.length)),
        mask,
      };
      expect(run(withLists(problem, spoilt))).toEqual(run(withLists(problem, { mask })));
      if (row.coupled || sparse) return;
      // Per output; with softmax a masked logit stays in the normaliser, so only its label may be NaN.
      for (const activation of ['SOFTMAX', 'SIGMOID']) {
        const outputMask = preOutput.map((_, i) => (i % 3 === 0 ? 0 : 1));
        const isMasked = (i: number) => outputMask[i] === 0;
        const clean = { activation, mask: outputMask };
        const z = activation === 'SOFTMAX' ? preOutput : spoil(preOutput, isMasked);
        const dirty = { ...clean, labels: spoil(labels, isMasked), preOutput: z };
        expect(run(withLists(problem, dirty))).toEqual(run(withLists(problem, clean)));
      }
    });

    test('NaN spoils its row and no other', () => {
      if (row.loss === 'LossFMeasure') {
        const call = callFor(make(), dtype);
        (call.z.data as Float64Array).fill(Number.NaN, call.z.length - 1);
        return expect(run(call).score).toBeNaN();
      }
      const problem = make();
      const preOutput = [...problem.preOutput];
      preOutput[2 * problem.cols] = Number.NaN;
      const [got, want] = [run(withLists(problem, { preOutput })), run(callFor(problem, dtype))];
      const others = (list: readonly number[]) => list.filter((_, i) => Math.floor((i * 7) / list.length) !== 2);
      expect(others(got.gradient)).toEqual(others(want.gradient));
      expect(others(got.scoreArray)).toEqual(others(want.scoreArray));
      const ignored = sparse && problem.labels[2] === row.params?.['ignoreIndex'];
      if (ignored) return expect(got.scoreArray[2]).toBe(0);
      expect([got.score, got.scoreArray[2], got.gradient[2 * problem.cols]]).toEqual([
        Number.NaN,
        Number.NaN,
        Number.NaN,
      ]);
    });

    test('softmax does not feel a shift', () => {
      const problem = make({ mask: 'exampleFraction' }, { activation: 'SOFTMAX' });
      // Multiples of 1/64, so that shifted logits are exact.
      const preOutput = problem.preOutput.map((value) => Math.round(value * 64) / 64);
      const shifted = preOutput.map((value, i) => value + 1024 * (Math.floor(i / problem.cols) - 3));
      expect(run(withLists(problem, { preOutput: shifted }))).toEqual(run(withLists(problem, { preOutput })));
    });

    test('activations by object, enum value and name, and an object of the user', () => {
      const { loss, labels, z, activation, mask } = callFor(make({ mask: 'exampleFraction' }), dtype);
      const want = run({ loss, labels, z, activation, mask });
      const before = values(z);
      const value = Activation.fromString(row.activation);
      for (const form of [value, value.getActivationFunction(), row.activation, row.activation.toLowerCase()]) {
        expect(run({ loss, labels, z, mask, activation: form as IActivation })).toEqual(want);
      }
      const own: IActivation = {
        getActivation: (input) => activation.getActivation(input),
        backprop: (input, epsilon) => activation.backprop(input, epsilon),
        numParams: () => 0,
        toString: () => 'own',
      };
      const got = run({ loss, labels, z, mask, activation: own });
      // Through the loss with identity: log f(z) loses what its closed form keeps, but no more on these inputs.
      expectClose(got, want, dtype);
      expect(values(z)).toEqual(before);
    });

    test('no rows: score 0 and empty results, but no mean', () => {
      const { loss, labels, z, activation } = callFor(make({ rows: 0 }), dtype);
      expect([z.length, loss.computeScore(labels, z, activation)]).toEqual([0, 0]);
      expect(loss.computeGradient(labels, z, activation).shape).toEqual(z.shape);
      expect(() => loss.computeScore(labels, z, activation, null, true)).toThrow(
        expect.objectContaining({ code: 'ERR_SHAPE' }),
      );
      if (row.loss !== 'LossFMeasure') expect(loss.computeScoreArray(labels, z, activation).shape).toEqual([0, 1]);
    });
  });

  test.each(['LossMCXENT', 'LossNegativeLogLikelihood'])('%s of one-hot rows is sparse', (name) => {
    const random = new Random(name);
    const row = lossRows.find(({ loss }) => loss === 'LossSparseMCXENT') as LossRow;
    for (const activation of activationRows.filter((table) => ['SOFTMAX', 'SIGMOID'].includes(table.activation))) {
      const problem = makeProblem(row, activation, random, {
        rows: 9,
        width: 5,
        mask: 'exampleFraction',
        weighted: true,
      });
      const labels = problem.labels.flatMap((label) => [0, 1, 2, 3, 4].map((j) => Number(j === label)));
      const oneHot = callFor({ ...problem, loss: name, labels }, dtype);
      expectClose(run(callFor(problem, dtype)), run(oneHot), dtype);
    }
  });

  test('an ignored row is a masked one', () => {
    const random = new Random('ignore');
    const row = lossRows.find(({ loss }) => loss === 'LossSparseMCXENT') as LossRow;
    const problem = makeProblem(row, { activation: 'SOFTMAX' }, random, { rows: 9, width: 5 });
    const labels = problem.labels.map((label, i) => (i % 3 === 0 ? -1 : label));
    const mask = labels.map((label) => Number(label !== -1));
    const ignoring = callFor({ ...problem, lossParams: { ignoreIndex: -1 }, labels }, dtype);
    const masked = callFor({ ...problem, mask }, dtype);
    expectClose(run(ignoring), run(masked), dtype);
    const bigints = new NDArray(BigInt64Array.from(labels.map(BigInt)), [9, 1]);
    expect(run({ ...ignoring, labels: bigints })).toEqual(run(ignoring));
  });
});

describe('activations', () => {
  const named = activationRows.map((row) => [title(row.activation, row.params), row] as const);

  describe.each(dtypes)('%s', (dtype) => {
    test.each(named)('%s: in place, out of place, views, ranks', (_, { activation: name, params }) => {
      const random = new Random(name);
      const cols = 5;
      const activation = activationOf(name, typeof params === 'function' ? params(cols) : params);
      const list = random.list(6 * cols, () => Math.fround(random.uniform(-3, 3)));
      const slopes = random.list(6 * cols, () => Math.fround(random.uniform(-2, 2)));
      const [z, epsilon] = [new NDArray(floats(dtype, list), [6, cols]), new NDArray(floats(dtype, slopes), [6, cols])];
      const place = z.dup();
      expect(activation.getActivation(place)).toBe(place);
      const want = values(place);
      const out = z.mul(0);
      expect(activation.getActivation(z, false, { out })).toBe(out);
      expect([values(out), values(z)]).toEqual([want, list]);

      const [dz, dparams] = activation.backprop(z, epsilon);
      expect([values(z), values(epsilon)]).toEqual([list, slopes]);
      expect(activation.numParams(cols)).toBe(name === 'PRELU' ? cols : 0);
      expect(dparams === null).toBe(name !== 'PRELU');
      const gradient = z.mul(0);
      expect(activation.backprop(z, epsilon, { out: gradient })[0]).toBe(gradient);
      expect(values(gradient)).toEqual(values(dz));
      const inPlace = z.dup();
      expect(activation.backprop(inPlace, epsilon, { out: inPlace })[0]).toBe(inPlace);
      expect(values(inPlace)).toEqual(values(dz));

      const wide = embed(dtype, list, 6, cols, 3, cols + 2);
      const wideSlopes = embed(dtype, slopes, 6, cols, 1, cols + 4);
      expect(values(activation.backprop(wide.array, wideSlopes.array)[0])).toEqual(values(dz));
      expect(activation.getActivation(wide.array)).toBe(wide.array);
      expect([values(wide.array), wide.spoilt(), wideSlopes.spoilt()]).toEqual([want, [], []]);
      for (const shape of [
        [2, 3, cols],
        [1, 2, 3, cols],
      ]) {
        const folded = new NDArray(floats(dtype, list), shape);
        expect(values(activation.backprop(folded, new NDArray(floats(dtype, slopes), shape))[0])).toEqual(values(dz));
        expect(values(activation.getActivation(folded))).toEqual(want);
        expect(folded.shape).toEqual(shape);
      }

      // Columns apart: through a copy, but in place all the same.
      const turned = z.transpose().dup().transpose();
      expect(turned.strides).toEqual([1, 6]);
      expect(values(activation.backprop(turned, epsilon)[0])).toEqual(values(dz));
      expect(activation.getActivation(turned)).toBe(turned);
      expect(values(turned)).toEqual(want);
    });

    test.each(named)('%s: any length', (_, { activation: name, params }) => {
      const random = new Random(name);
      for (let length = 0; length <= longest; length++) {
        const cols = name === 'SOFTMAX' || name === 'PRELU' ? Math.max(length, 1) : 1;
        const rows = cols === length ? 1 : length;
        const activation = activationOf(name, typeof params === 'function' ? params(cols) : params);
        const list = random.list(rows * cols, () => Math.fround(random.uniform(-3, 3)));
        const { array, spoilt } = embed(dtype, list, rows, cols, 1, cols);
        const epsilon = new NDArray(floats(dtype, list), [rows, cols]);
        const backprop = values(activation.backprop(array, epsilon)[0]);
        const forward = values(activation.getActivation(array));
        // Every element at its own place: as if alone, or as if its row were.
        const alone = list.flatMap((z, i) => {
          if (cols > 1) return [];
          const one = () => new NDArray(floats(dtype, [z]), [1, 1]);
          const own = activationOf(name, typeof params === 'function' ? params(1) : params);
          return [[own.getActivation(one()).at(0, 0), own.backprop(one(), one())[0].at(0, 0), i]];
        });
        if (cols === 1) expect(alone).toEqual(list.map((_, i) => [forward[i], backprop[i], i]));
        if (name === 'SOFTMAX' && length > 0) {
          expect(forward.reduce((total, p) => total + p, 0)).toBeCloseTo(1, dtype === 'float32' ? 5 : 12);
        }
        expect([forward.length, backprop.length, spoilt()]).toEqual([length, length, []]);
      }
    });
  });
});
