// SPDX-License-Identifier: Apache-2.0
// A loss of one's own: the port of examples/huber-loss.ts against the definition of Huber's loss, alone and in a layer.
import { HuberLoss } from '../examples/huber-loss';
import { Activation, NDArray, nd, OutputLayer } from '../lib';
import { floats, values } from './support/library';
import { Random } from './support/random';
import { mismatches, sameDtype } from './support/tolerance';

type Matrix = readonly (readonly number[])[];

const sigmoid = (z: number) => 1 / (1 + Math.exp(-z));
const rows = [
  { name: 'IDENTITY', f: (z: number) => z, slope: () => 1 },
  { name: 'TANH', f: Math.tanh, slope: (z: number) => 1 / Math.cosh(z) ** 2 },
  { name: 'SIGMOID', f: sigmoid, slope: (z: number) => sigmoid(z) * sigmoid(-z) },
].flatMap((row) =>
  [0.3, 1].flatMap((delta) => (['float32', 'float64'] as const).map((dtype) => ({ ...row, delta, dtype }))),
);

const sum = (list: readonly number[]) => list.reduce((total, value) => total + value, 0);
const transpose = (a: Matrix): Matrix => (a[0] as readonly number[]).map((_, j) => a.map((row) => row[j] as number));
const product = (a: Matrix, b: Matrix): Matrix =>
  a.map((row) => transpose(b).map((column) => sum(row.map((value, k) => value * (column[k] as number)))));

/** Huber's loss by its definition: `e^2 / 2` up to delta, beyond the tangent `delta (|e| - delta / 2)`; gradient of the mean. */
function expected(y: Matrix, z: Matrix, { f, slope, delta }: (typeof rows)[number]) {
  const each = (term: (e: number, z: number) => number): Matrix =>
    z.map((row, i) => row.map((value, j) => term(f(value) - (y[i]?.[j] as number), value)));
  const inside = (e: number) => Math.abs(e) <= delta;
  const scores = each((e) => (inside(e) ? e ** 2 / 2 : delta * (Math.abs(e) - delta / 2))).map(sum);
  const gradient = each((e, value) => ((inside(e) ? e : delta * Math.sign(e)) * slope(value)) / z.length);
  return { scores, score: sum(scores), gradient, branches: new Set(each((e) => Number(inside(e))).flat()).size };
}

const [n, inputs, columns] = [7, 4, 3];
const random = new Random('huber');
const draw = (height: number, width: number): Matrix =>
  random.list(height, () => random.list(width, () => Math.fround(random.uniform(-2, 2))));

describe.each(rows)('$name, delta $delta, $dtype', (row) => {
  const { name, f, delta, dtype } = row;
  const loss = new HuberLoss(delta);
  const array = (matrix: Matrix) => new NDArray(floats(dtype, matrix.flat()), [matrix.length, matrix[0]?.length ?? 0]);
  const differences = (got: Record<string, number | NDArray>, want: Record<string, number | Matrix>) =>
    Object.entries(want).flatMap(([field, value]) => {
      const found = got[field];
      const list = found instanceof NDArray ? values(found) : [found as number];
      return mismatches(field, list, [value].flat(2) as number[], sameDtype[dtype]);
    });

  test('alone', () => {
    const [z, y] = [draw(n, columns), draw(n, columns)];
    const want = expected(y, z, row);
    expect(want.branches).toBe(2);
    const call = [array(y), array(z), Activation.fromString(name).getActivationFunction(), null] as const;
    const both = loss.computeGradientAndScore(...call, true);
    const got = {
      score: loss.computeScore(...call),
      mean: loss.computeScore(...call, true),
      scores: loss.computeScoreArray(...call),
      gradient: loss.computeGradient(...call),
      'score of both': both.score,
      'gradient of both': both.gradient,
    };
    const { score, scores, gradient } = want;
    const mean = score / n;
    expect(
      differences(got, {
        score,
        mean,
        scores: [scores],
        gradient,
        'score of both': mean,
        'gradient of both': gradient,
      }),
    ).toEqual([]);
    expect(values(call[1])).toEqual(z.flat());
  });

  test('in a layer', () => {
    const [x, w, b, y] = [draw(n, inputs), draw(inputs, columns), draw(1, columns), draw(n, columns)];
    const z = product(x, w).map((line) => line.map((value, j) => value + (b[0]?.[j] as number)));
    const builder = new OutputLayer.Builder(loss).nIn(inputs).nOut(columns).activation(name).dataType(dtype);
    const layer = builder.build();
    [layer.W, layer.b] = [array(w), array(b)];
    const { score, scores, gradient } = expected(y, z, row);
    const got = {
      ...layer.computeGradientAndScore(array(x), array(y)),
      scores: layer.scoreExamples(array(x), array(y)),
      outputs: layer.activate(array(x)),
    };
    expect(
      differences(got, {
        score: score / n,
        gradientW: product(transpose(x), gradient),
        gradientB: [transpose(gradient).map(sum)],
        epsilon: product(gradient, transpose(w)),
        scores: [scores],
        outputs: z.map((line) => line.map(f)),
      }),
    ).toEqual([]);
  });
});

test('a layer hands plain labels to a custom loss as an NDArray, and scores by example as a column', () => {
  const layer = new OutputLayer.Builder(new HuberLoss(1)).nIn(2).nOut(1).activation(Activation.IDENTITY).build();
  const x = [
    [1, 2],
    [3, 4],
  ];
  const labels = [[1], [2]];
  const plain = layer.computeGradientAndScore(x, labels);
  const arrays = layer.computeGradientAndScore(x, nd.array(labels));
  expect(plain.score).toBe(arrays.score);
  expect(layer.scoreExamples(x, labels).shape).toEqual([2, 1]);
});
