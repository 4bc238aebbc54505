// SPDX-License-Identifier: Apache-2.0
import {
  Activation,
  ActivationTanH,
  type IActivation,
  type LayerGradientsOptions,
  LossFMeasure,
  LossFunction,
  LossL2,
  LossMCXENT,
  LossMSE,
  LossSparseMCXENT,
  NDArray,
  nd,
  OutputLayer,
  WeightInit,
} from '../lib';
import { errBuffer, errDtype, errOption, errRange, errShape, expectError } from './support/errors';
import { floats, values } from './support/library';
import { Random } from './support/random';
import { differences, mismatches, sameDtype } from './support/tolerance';

const builder = () => new OutputLayer.Builder(new LossMCXENT()).nIn(3).nOut(2).activation(Activation.SOFTMAX);

describe('bad settings', () => {
  const layer = builder().build();
  const x = nd.ones([4, 3]);
  const y = nd.ones([4, 2]);
  const mask = Float32Array.of(1, 0, 1, 1);
  const memory = new Float32Array(13).subarray(0, 6);
  test.each([
    { title: 'nIn of 0', call: () => builder().nIn(0), expected: errRange('nIn', '0') },
    { title: 'half an nOut', call: () => builder().nOut(1.5), expected: errRange('nOut', '1.5') },
    {
      title: 'a dtype that is not computed in',
      call: () => builder().dataType('int32' as never),
      expected: errDtype('dataType', 'float32 or float64', 'int32'),
    },
    { title: 'a negative seed', call: () => builder().seed(-1), expected: errRange('seed', '-1') },
    { title: 'a bias of text', call: () => builder().biasInit('0' as never), expected: errOption('biasInit') },
    { title: 'an unknown activation', call: () => builder().activation('softmx'), expected: errOption('softmx') },
    {
      title: 'W of another shape',
      call: () => {
        layer.W = nd.zeros([2, 3]);
      },
      expected: errShape('W', '[3, 2]', '[2, 3]'),
    },
    {
      title: 'W of another dtype',
      call: () => {
        layer.W = nd.zeros([3, 2], 'float64');
      },
      expected: errDtype('W', 'float32', 'float64'),
    },
    {
      title: 'b of another length',
      call: () => {
        layer.b = nd.zeros([3]);
      },
      expected: errShape('b', '[2]', '[3]'),
    },
    {
      title: 'x of other columns',
      call: () => layer.activate(nd.zeros([4, 2])),
      expected: errShape('x', '3', '[4, 2]'),
    },
    {
      title: 'x of another dtype',
      call: () => layer.activate(nd.zeros([4, 3], 'float64')),
      expected: errDtype('x', 'float32', 'float64'),
    },
    {
      title: 'labels of other columns',
      call: () => layer.computeGradientAndScore(x, nd.zeros([4, 3])),
      expected: errShape('labels', '[4, 2]', '[4, 3]'),
    },
    {
      title: 'no rows',
      call: () => layer.computeGradientAndScore(nd.zeros([0, 3]), nd.zeros([0, 2])),
      expected: errShape(),
    },
    {
      title: 'an unknown option',
      call: () => layer.computeGradientAndScore(x, y, null, { into: {} } as never),
      expected: errOption('options', 'into'),
    },
    {
      title: 'a name that is no gradient',
      call: () => layer.computeGradientAndScore(x, y, null, { out: { gradientX: x } as never }),
      expected: errOption('out', 'gradientX'),
    },
    ...[
      {
        title: 'out of another shape',
        out: { gradientW: nd.zeros([2, 3]) },
        expected: errShape('gradientW', '[3, 2]'),
      },
      {
        title: 'out of another dtype',
        out: { epsilon: new Float64Array(12) },
        expected: errDtype('epsilon', 'float32', 'float64'),
      },
      { title: 'out that is too short', out: { gradientB: new Float32Array(1) }, expected: errBuffer('gradientB') },
      {
        title: 'out with gaps',
        out: { gradientB: new NDArray(new Float32Array(4), [2], [2]) },
        expected: errBuffer('gradientB', 'contiguous'),
      },
      { title: 'out over x', out: { epsilon: x }, expected: errBuffer('epsilon', 'overlaps') },
      { title: 'out over the labels', out: { gradientB: y.data.subarray(2, 4) }, expected: errBuffer('gradientB') },
      { title: 'out over the mask', out: { gradientB: mask.subarray(0, 2) }, expected: errBuffer('gradientB') },
      { title: 'out over W', out: { gradientW: layer.W }, expected: errBuffer('gradientW', 'overlaps') },
      { title: 'out over b', out: { gradientB: layer.b }, expected: errBuffer('gradientB', 'overlaps') },
      {
        title: 'out over another out',
        out: { gradientW: memory, epsilon: new Float32Array(memory.buffer, 0, 12) },
        expected: errBuffer('epsilon', 'overlaps'),
      },
    ].map(({ title, out, expected }) => ({
      title,
      call: () => layer.computeGradientAndScore(x, y, mask, { out: out as LayerGradientsOptions['out'] }),
      expected,
    })),
    {
      title: 'a score per example that the loss has not',
      call: () =>
        new OutputLayer.Builder(new LossFMeasure())
          .nIn(3)
          .nOut(1)
          .activation('sigmoid')
          .build()
          .scoreExamples(x, nd.zeros([4, 1])),
      expected: errOption('computeScoreArray'),
    },
  ])('$title', ({ call, expected }) => {
    expectError(call, expected);
  });
});

test('initial weights: shapes, seeds and spreads', () => {
  const table = [
    { init: WeightInit.XAVIER, deviation: Math.sqrt(2 / 150) },
    { init: WeightInit.RELU, deviation: Math.sqrt(2 / 100) },
    { init: WeightInit.NORMAL, deviation: Math.sqrt(1 / 100) },
    { init: WeightInit.UNIFORM, deviation: 0.1 / Math.sqrt(3) },
    { init: WeightInit.ZERO, deviation: 0 },
  ];
  for (const { init, deviation } of table) {
    const make = (seed: number) =>
      new OutputLayer.Builder(LossFunction.MSE)
        .nIn(100)
        .nOut(50)
        .activation('identity')
        .weightInit(init)
        .seed(seed)
        .build();
    const layer = make(1);
    const weights = values(layer.W);
    expect([layer.W.shape, layer.b.shape, layer.W.dtype]).toEqual([[100, 50], [50], 'float32']);
    expect(values(layer.b)).toEqual(new Array(50).fill(0));
    expect(values(make(1).W)).toEqual(weights);
    if (deviation > 0) expect(values(make(2).W)).not.toEqual(weights);
    const spread = Math.sqrt(weights.reduce((total, value) => total + value * value, 0) / weights.length);
    // 5000 draws: within five standard errors of the deviation.
    expect(Math.abs(spread - deviation)).toBeLessThanOrEqual((5 * deviation) / Math.sqrt(2 * 5000));
  }
});

describe.each(['float32', 'float64'] as const)('%s', (dtype) => {
  const random = new Random(`layer ${dtype}`);
  const matrix = (...shape: number[]) =>
    new NDArray(
      floats(
        dtype,
        random.list(
          shape.reduce((p, s) => p * s, 1),
          () => Math.fround(random.uniform(-1, 1)),
        ),
      ),
      shape,
    );

  test('gradients are those of x W + b: x^T delta, column sums, delta W^T', () => {
    for (const [n, nIn, nOut] of [
      [1, 1, 1],
      [5, 3, 2],
      [7, 17, 10],
      [33, 20, 35],
      [2, 64, 3],
    ] as const) {
      const layer = new OutputLayer.Builder(new LossMSE())
        .nIn(nIn)
        .nOut(nOut)
        .activation('tanh')
        .dataType(dtype)
        .biasInit(0.25)
        .build();
      layer.W = matrix(nIn, nOut);
      const [x, labels, w] = [matrix(n, nIn), matrix(n, nOut), layer.W];
      const y = values(labels);
      const at = (array: NDArray, i: number, j: number) => array.at(i, j) as number;
      const z = Array.from({ length: n * nOut }, (_, k) => {
        const [i, j] = [Math.floor(k / nOut), k % nOut];
        return Array.from({ length: nIn }, (_, q) => at(x, i, q) * at(w, q, j)).reduce(
          (total, value) => total + value,
          0.25,
        );
      });
      const delta = z.map(
        (value, k) => ((2 * (Math.tanh(value) - (y[k] as number))) / nOut) * (1 - Math.tanh(value) ** 2),
      );
      const row = (i: number, j: number) => delta[i * nOut + j] as number;
      const sum = (length: number, term: (i: number) => number) =>
        Array.from({ length }, (_, i) => term(i)).reduce((p, q) => p + q, 0);
      const result = layer.computeGradientAndScore(x, labels);
      const tolerance = { relative: 8 * sameDtype[dtype].relative, absolute: 0 };
      expect([
        ...mismatches('output', values(layer.activate(x)), z.map(Math.tanh), tolerance),
        ...mismatches(
          'W',
          values(result.gradientW),
          random.list(nIn * nOut, (k) => sum(n, (i) => at(x, i, Math.floor(k / nOut)) * row(i, k % nOut))),
          tolerance,
        ),
        ...mismatches(
          'b',
          values(result.gradientB),
          random.list(nOut, (j) => sum(n, (i) => row(i, j))),
          tolerance,
        ),
        ...mismatches(
          'epsilon',
          values(result.epsilon),
          random.list(n * nIn, (k) => sum(nOut, (j) => row(Math.floor(k / nIn), j) * at(w, k % nIn, j))),
          tolerance,
        ),
        ...mismatches(
          'score',
          [result.score],
          [sum(n * nOut, (k) => ((y[k] as number) - Math.tanh(z[k] as number)) ** 2) / nOut / n],
          tolerance,
        ),
      ]).toEqual([]);
      expect(values(layer.scoreExamples(x, labels)).length).toBe(n);
    }
  });

  test('sparse labels, masks, rank 3, and views of x', () => {
    const layer = new OutputLayer.Builder(new LossSparseMCXENT())
      .nIn(3)
      .nOut(4)
      .activation(Activation.SOFTMAX)
      .dataType(dtype)
      .seed(5)
      .build();
    const flat = matrix(6, 3);
    const x = new NDArray(flat.data, [2, 3, 3]);
    const labels = new NDArray(Int32Array.of(0, 1, 2, 3, 0, 1), [2, 3]);
    const mask = new NDArray(Uint8Array.of(1, 0, 1, 1, 1, 0), [2, 3]);
    const got = layer.computeGradientAndScore(x, labels, mask);
    const want = layer.computeGradientAndScore(flat, labels.reshape(6, 1), mask.reshape(6, 1));
    expect([got.score, values(got.gradientW), values(got.gradientB), values(got.epsilon)]).toEqual([
      want.score,
      values(want.gradientW),
      values(want.gradientB),
      values(want.epsilon),
    ]);
    expect([got.epsilon.shape, layer.activate(x).shape]).toEqual([
      [2, 3, 3],
      [2, 3, 4],
    ]);
    const wide = new NDArray(floats(dtype, new Array<number>(6 * 5).fill(Number.NaN)), [6, 5]);
    wide.columns(1, 4).assign(flat);
    expect(values(layer.activate(wide.columns(1, 4)))).toEqual(values(layer.activate(flat)));
  });
});

test.each([
  { title: 'dense labels', loss: new LossMCXENT(), nOut: 5, labels: nd.ones([20, 5]).div(5) },
  { title: 'sparse labels', loss: new LossSparseMCXENT(), nOut: 5, labels: nd.zeros([20, 1]) },
  { title: 'sparse labels of a wide layer', loss: new LossSparseMCXENT(), nOut: 4100, labels: nd.zeros([20, 1]) },
])('gradients in arrays of the caller: $title', ({ loss, nOut, labels }) => {
  const layer = new OutputLayer.Builder(loss).nIn(3).nOut(nOut).activation(Activation.SOFTMAX).seed(7).build();
  const random = new Random(4);
  const input = (rows: number) =>
    new NDArray(Float32Array.from(random.list(rows * 3, () => random.uniform(-1, 1))), [rows, 3]);
  const parts = (result: ReturnType<typeof layer.computeGradientAndScore>) =>
    [[result.score], ...[result.gradientW, result.gradientB, result.epsilon].map(values)] as const;
  const [first, second] = [input(20), input(20)];
  const want = [first, second].map((x) => parts(layer.computeGradientAndScore(x, labels)));
  const gradientW = nd.full([3, nOut], Number.NaN);
  const gradientB = new Float32Array(nOut).fill(Number.NaN);
  const epsilon = nd.full([20, 5], Number.NaN);
  const out = { gradientW, gradientB, epsilon: epsilon.columns(1, 4) };
  for (const i of [0, 1]) {
    const result = layer.computeGradientAndScore(i === 0 ? first : second, labels, undefined, { out });
    expect(result.gradientW).toBe(gradientW);
    expect(result.gradientB.data).toBe(gradientB);
    expect(result.epsilon).toBe(out.epsilon);
    expect(parts(result)).toEqual(want[i]);
    expect(values(epsilon).filter(Number.isNaN).length).toBe(40);
  }
  // Some of them, and batches of other sizes between.
  const few = layer.computeGradientAndScore(input(3), labels.rows(0, 3), null, { out: { gradientW } });
  expect(few.gradientW).toBe(gradientW);
  expect(few.epsilon.shape).toEqual([3, 3]);
  expect(parts(layer.computeGradientAndScore(first, labels, null, { out: {} }))).toEqual(want[0]);
});

test('an activation that calls its own layer does not disturb it', () => {
  const make = (activation: IActivation) => {
    const layer = new OutputLayer.Builder(new LossMSE()).nIn(2).nOut(1).activation(activation).build();
    layer.W = [[0.5], [-0.25]];
    return layer;
  };
  const tanh = new ActivationTanH();
  let inner: (() => unknown) | undefined;
  const layer = make({
    getActivation: (z, training) => {
      const call = inner;
      inner = undefined;
      call?.();
      return tanh.getActivation(z, training);
    },
    backprop: (z, epsilon) => tanh.backprop(z, epsilon),
    numParams: () => 0,
  });
  const [x, y] = [nd.array([[1, 2]]), nd.array([[0.25]])];
  const want = make(tanh).computeGradientAndScore(x, y);
  layer.computeGradientAndScore(x, y, null, { out: {} });
  inner = () => layer.computeGradientAndScore(nd.array([[9, 9]]), y, null, { out: {} });
  const got = layer.computeGradientAndScore(x, y, null, { out: {} });
  expect([got.score, values(got.gradientW), values(got.epsilon)]).toEqual([
    want.score,
    values(want.gradientW),
    values(want.epsilon),
  ]);
});

test('a layer without bias', () => {
  const layer = new OutputLayer.Builder(new LossL2())
    .nIn(2)
    .nOut(1)
    .activation('identity')
    .hasBias(false)
    .biasInit(3)
    .dataType('float64')
    .build();
  layer.W = nd.array([[1], [2]], 'float64');
  expect(values(layer.activate(nd.array([[3, 4]], 'float64')))).toEqual([11]);
  expect(values(layer.computeGradientAndScore(nd.array([[3, 4]], 'float64'), [[10]]).gradientW)).toEqual([6, 8]);
});

test('parameters may come as nested numbers, rows, and views', () => {
  const layer = builder().build();
  layer.W = [
    [1, 2],
    [3, 4],
    [5, 6],
  ];
  layer.b = [[7, 8]];
  expect([values(layer.W), values(layer.b), layer.b.shape]).toEqual([[1, 2, 3, 4, 5, 6], [7, 8], [2]]);
  const turned = nd.array([
    [1, 3, 5],
    [2, 4, 6],
  ]);
  layer.W = turned.transpose();
  const one = new OutputLayer.Builder(LossFunction.MSE).nIn(3).nOut(2).activation('identity').build();
  one.W = layer.W;
  expect(values(one.activate([[1, 1, 1]]))).toEqual([9, 12]);
});

test('W is kept, so that updates in place count; training lowers the score', () => {
  const layer = builder().dataType('float64').seed(1).build();
  const w = nd.zeros([3, 2], 'float64');
  layer.W = w;
  expect(layer.W).toBe(w);
  const [x, labels] = [
    nd.array(
      [
        [1, 0, 0],
        [0, 1, 0],
        [0, 0, 1],
      ],
      'float64',
    ),
    [
      [1, 0],
      [0, 1],
      [1, 0],
    ],
  ];
  const first = layer.computeGradientAndScore(x, labels).score;
  for (let step = 0; step < 50; step++) {
    const { gradientW, gradientB } = layer.computeGradientAndScore(x, labels);
    layer.W.subi(gradientW.mul(0.5));
    layer.b.subi(gradientB.mul(0.5));
  }
  expect(mismatches('first score', [first], [Math.log(2)], differences)).toEqual([]);
  expect(layer.computeGradientAndScore(x, labels).score).toBeLessThan(first / 10);
});

test('NaN in a row that is masked out stays out of every gradient', () => {
  const layer = new OutputLayer.Builder(new LossMCXENT()).nIn(2).nOut(3).activation('softmax').build();
  const rows = (values: number[][]) => nd.array(values);
  const masked = layer.computeGradientAndScore(
    rows([
      [1, 2],
      [Number.NaN, 1],
      [0, 1],
    ]),
    nd.eye(3),
    [1, 0, 1],
  );
  const clean = layer.computeGradientAndScore(
    rows([
      [1, 2],
      [0, 0],
      [0, 1],
    ]),
    nd.eye(3),
    [1, 0, 1],
  );
  expect(masked.score).toBe(clean.score);
  expect(masked.gradientW.toArray()).toEqual(clean.gradientW.toArray());
  expect(masked.gradientB.toArray()).toEqual(clean.gradientB.toArray());
  expect(masked.epsilon.toArray()).toEqual(clean.epsilon.toArray());
});
