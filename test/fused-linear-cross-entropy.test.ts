// SPDX-License-Identifier: Apache-2.0
import { spawnSync } from 'node:child_process';
import {
  Activation,
  backend,
  type FusedLinearCrossEntropyCall,
  fusedLinearCrossEntropy,
  type LinearCrossEntropyGradients,
  LossSparseMCXENT,
  NDArray,
  nd,
  OutputLayer,
} from '../lib';
import { errBuffer, errDtype, errOption, errRange, errShape, expectError } from './support/errors';
import { floats, values } from './support/library';
import { Random } from './support/random';
import { literal, mismatches, sameDtype } from './support/tolerance';

type Call = FusedLinearCrossEntropyCall;

describe('bad input', () => {
  const good = { x: nd.ones([4, 3]), W: nd.ones([3, 5]), labels: Int32Array.of(0, 1, 2, 4) };
  const shared = new Float32Array(15);
  test.each<{ title: string; call: Record<string, unknown>; expected: ReturnType<typeof errShape> }>([
    { title: 'no x', call: { x: undefined }, expected: errOption('x') },
    { title: 'no W', call: { W: null }, expected: errOption('W') },
    { title: 'no labels', call: { labels: undefined }, expected: errOption('labels') },
    { title: 'an unknown name', call: { w: good.W }, expected: errOption('w') },
    { title: 'an unknown gradient', call: { out: { gradientV: good.W } }, expected: errOption('gradientV') },
    { title: 'an out that is no object', call: { out: 3 }, expected: errOption('out') },
    { title: 'x that is no array', call: { x: 'x' }, expected: errDtype('x') },
    {
      title: 'x of whole numbers',
      call: { x: new NDArray(new Int32Array(12), [4, 3]) },
      expected: errDtype('x', 'int32'),
    },
    { title: 'x of rank 1', call: { x: new Float32Array(3) }, expected: errShape('x', '[3]') },
    { title: 'x without columns', call: { x: nd.zeros([4, 0]) }, expected: errShape('x', '[4, 0]') },
    {
      title: 'W of another dtype',
      call: { W: nd.ones([3, 5], 'float64') },
      expected: errDtype('W', 'float32', 'float64'),
    },
    { title: 'W of other rows', call: { W: nd.ones([4, 5]) }, expected: errShape('W', '[3, c]', '[4, 5]') },
    { title: 'W without columns', call: { W: nd.ones([3, 0]) }, expected: errShape('W', '[3, 0]') },
    { title: 'W of rank 3', call: { W: nd.ones([1, 3, 5]) }, expected: errShape('W', '[1, 3, 5]') },
    { title: 'b of another length', call: { b: nd.ones([4]) }, expected: errShape('b', '[5]', '[4]') },
    { title: 'b as a column', call: { b: nd.ones([5, 1]) }, expected: errShape('b', '[5, 1]') },
    { title: 'b of another dtype', call: { b: nd.ones([5], 'float64') }, expected: errDtype('b', 'float64') },
    { title: 'weights of another length', call: { weights: [1, 2] }, expected: errShape('weights', '5', '2') },
    { title: 'weights that are no array', call: { weights: 2 }, expected: errOption('weights') },
    { title: 'half an ignoreIndex', call: { ignoreIndex: 0.5 }, expected: errRange('ignoreIndex', '0.5') },
    { title: 'an ignoreIndex of text', call: { ignoreIndex: '1' }, expected: errOption('ignoreIndex') },
    { title: 'too few labels', call: { labels: Int32Array.of(0, 1) }, expected: errShape('labels', '[4]', '[2]') },
    { title: 'one-hot labels', call: { labels: nd.ones([4, 5]) }, expected: errShape('labels', '[4, 5]') },
    {
      title: 'a label out of range',
      call: { labels: Int32Array.of(0, 5, 2, 4) },
      expected: errRange('labels: row 1', '0 to 4', '5'),
    },
    { title: 'half a label', call: { labels: [0, 1, 1.5, 4] }, expected: errRange('labels: row 2', '1.5') },
    {
      title: 'a gradient of another shape',
      call: { out: { gradientW: nd.zeros([5, 3]) } },
      expected: errShape('out.gradientW', '[3, 5]', '[5, 3]'),
    },
    {
      title: 'a gradient of another dtype',
      call: { out: { gradientX: new Float64Array(12) } },
      expected: errDtype('out.gradientX', 'float32', 'float64'),
    },
    { title: 'a gradient over x', call: { out: { gradientX: good.x } }, expected: errBuffer('out.gradientX') },
    {
      title: 'two gradients in one place',
      call: { b: nd.ones([5]), out: { gradientW: shared, gradientB: shared.subarray(0, 5) } },
      expected: errBuffer('out.gradientB'),
    },
    {
      title: 'a gradient of b without b',
      call: { out: { gradientB: new Float32Array(5) } },
      expected: errShape('out.gradientB'),
    },
  ])('$title', ({ call, expected }) => {
    const merged = { ...good, ...call };
    if (call['x'] === undefined && 'x' in call) (merged as Record<string, unknown>)['x'] = undefined;
    expectError(() => fusedLinearCrossEntropy(merged as unknown as Call), expected);
    expect(values(good.x)).toEqual(new Array(12).fill(1));
  });

  test('no object at all', () => {
    expectError(() => fusedLinearCrossEntropy(undefined as never), errOption('call'));
  });
});

test('a case by hand', () => {
  const { score, gradientX, gradientW, gradientB } = fusedLinearCrossEntropy({
    x: [[1, 2]],
    W: [
      [Math.log(2), 0],
      [0, 0],
    ],
    b: [0, 0],
    labels: [1],
  });
  expect([
    ...mismatches('score', [score], [Math.log(3)], literal.float32),
    ...mismatches('x', values(gradientX), [(2 / 3) * Math.log(2), 0], literal.float32),
    ...mismatches('W', values(gradientW), [2 / 3, -2 / 3, 4 / 3, -4 / 3], literal.float32),
    ...mismatches('b', values(gradientB), [2 / 3, -2 / 3], literal.float32),
  ]).toEqual([]);
});

describe.each(['float32', 'float64'] as const)('%s', (dtype) => {
  const random = new Random(`fused ${dtype}`);
  const matrix = (...shape: number[]) => {
    const length = shape.reduce((p, s) => p * s, 1);
    return new NDArray(
      floats(
        dtype,
        random.list(length, () => Math.fround(random.uniform(-1, 1))),
      ),
      shape,
    );
  };
  const problem = (n: number, d: number, c: number) => ({
    x: matrix(n, d),
    W: matrix(d, c),
    b: matrix(c),
    labels: Int32Array.from({ length: n }, () => random.below(c)),
  });

  /** The same through the logits. */
  function plain({ x, W, b, labels, weights, ignoreIndex }: Call & { x: NDArray; W: NDArray; b?: NDArray }) {
    const z = x.mmul(W);
    if (b !== undefined) z.addi(b);
    const loss = new LossSparseMCXENT({ softmaxClipEps: 0, weights, ignoreIndex } as object);
    const { score, gradient } = loss.computeGradientAndScore(labels, z, Activation.SOFTMAX);
    return { score, gradient, x: gradient.mmul(W.transpose()), W: x.transpose().mmul(gradient), b: gradient.sum(0) };
  }

  function differences(call: Call & { x: NDArray; W: NDArray; b?: NDArray }): string[] {
    const got = fusedLinearCrossEntropy(call);
    const want = plain(call);
    return [
      ...mismatches('score', [got.score], [want.score], sameDtype[dtype]),
      ...mismatches('x', values(got.gradientX), values(want.x), sameDtype[dtype]),
      ...mismatches('W', values(got.gradientW), values(want.W), sameDtype[dtype]),
      ...mismatches('b', values(got.gradientB), call.b === undefined ? [] : values(want.b), sameDtype[dtype]),
    ];
  }

  test('equals the layer, the loss and the products apart', () => {
    const shapes: [number, number, number][] = [
      [1, 1, 1],
      [1, 5, 300],
      [3, 2, 1],
      [49, 17, 97],
      [130, 64, 1001],
      [250, 3, 2500],
      [5, 700, 203],
    ];
    for (let i = 0; i < 12; i++) shapes.push([1 + random.below(80), 1 + random.below(60), 1 + random.below(900)]);
    for (const [n, d, c] of shapes) {
      const call = problem(n, d, c);
      const weights = random.list(c, () => random.uniform(-1, 2));
      const { b: _, ...without } = call;
      expect(differences(call)).toEqual([]);
      expect(differences(without)).toEqual([]);
      expect(differences({ ...call, weights, ignoreIndex: call.labels[0] as number })).toEqual([]);
    }
  });

  test('ignored rows are rows left out, whatever x holds there', () => {
    const call = problem(60, 9, 130);
    const kept = nd.create(call.x.dup().data, [60, 9]);
    const half = fusedLinearCrossEntropy({ ...call, x: kept.rows(0, 30), labels: call.labels.subarray(0, 30) });
    const labels = call.labels.map((label, i) => (i < 30 ? label : -7));
    kept.rows(30, 60).assign(Number.NaN);
    const whole = fusedLinearCrossEntropy({ ...call, x: kept, labels, ignoreIndex: -7 });
    expect(whole.score).toBe(half.score);
    expect(values(whole.gradientW)).toEqual(values(half.gradientW));
    expect(values(whole.gradientB)).toEqual(values(half.gradientB));
    expect(values(whole.gradientX)).toEqual([...values(half.gradientX), ...new Array<number>(270).fill(0)]);
  });

  test('weights of one are none; twice the weights, twice the result', () => {
    const call = problem(20, 6, 50);
    const none = fusedLinearCrossEntropy(call);
    const ones = fusedLinearCrossEntropy({ ...call, weights: new Array(50).fill(1) });
    const twos = fusedLinearCrossEntropy({ ...call, weights: new Array(50).fill(2) });
    const all = (result: LinearCrossEntropyGradients) =>
      [result.gradientX, result.gradientW, result.gradientB].flatMap(values);
    expect([ones.score, ...all(ones)]).toEqual([none.score, ...all(none)]);
    expect([twos.score, ...all(twos)]).toEqual([none.score, ...all(none)].map((value) => 2 * value));
  });

  test('views, higher ranks, labels of every kind, results into arrays', () => {
    const call = problem(12, 5, 40);
    const want = fusedLinearCrossEntropy(call);
    const wide = (inner: NDArray) => {
      const [rows, cols] = inner.shape as [number, number];
      const outer = nd.full([rows, cols + 3], Number.NaN, dtype);
      outer.columns(1, cols + 1).assign(inner);
      return outer.columns(1, cols + 1);
    };
    const gradientW = wide(nd.zeros([5, 40], dtype));
    const gradientX = floats(dtype, new Array(60).fill(7));
    const gradientB = nd.zeros([40], dtype);
    const got = fusedLinearCrossEntropy({
      x: new NDArray(call.x.data, [3, 4, 5]),
      W: wide(call.W),
      b: call.b.reshape(1, 40),
      labels: new NDArray(BigInt64Array.from(call.labels, BigInt), [3, 4, 1]),
      out: { gradientX, gradientW, gradientB },
    });
    expect(got.score).toBe(want.score);
    expect(got.gradientX.shape).toEqual([3, 4, 5]);
    expect([got.gradientW, got.gradientB]).toEqual([gradientW, gradientB]);
    expect(Array.from(gradientX)).toEqual(values(want.gradientX));
    expect(values(gradientW)).toEqual(values(want.gradientW));
    expect(values(gradientB)).toEqual(values(want.gradientB));
    const turned = fusedLinearCrossEntropy({ ...call, W: call.W.transpose().dup().transpose() });
    expect(values(turned.gradientW)).toEqual(values(want.gradientW));
  });

  test('no rows, all rows ignored', () => {
    for (const call of [
      { ...problem(0, 3, 4), labels: new Int32Array(0) },
      { ...problem(5, 3, 4), labels: new Int32Array(5).fill(9), ignoreIndex: 9 },
    ]) {
      const out = { gradientW: floats(dtype, new Array(12).fill(7)) };
      const { score, gradientX, gradientW, gradientB } = fusedLinearCrossEntropy({ ...call, out });
      expect([score, gradientX.shape, gradientB.shape]).toEqual([0, call.x.shape, [4]]);
      expect(values(gradientW)).toEqual(new Array(12).fill(0));
      expect(values(gradientX).every((value) => value === 0)).toBe(true);
    }
  });

  test('a wide OutputLayer: the same as the loss on its logits, clip and masks included', () => {
    const [n, nIn, nOut] = [18, 4, 4096];
    const loss = new LossSparseMCXENT({ softmaxClipEps: 1e-3, ignoreIndex: -1 });
    const layer = new OutputLayer.Builder(loss).nIn(nIn).nOut(nOut).activation('softmax').dataType(dtype).build();
    layer.W = matrix(nIn, nOut).muli(5);
    layer.b = matrix(nOut);
    const x = matrix(n, nIn);
    const labels = Int32Array.from({ length: n }, (_, i) => (i === 3 ? -1 : random.below(nOut)));
    for (const mask of [undefined, Float32Array.from({ length: n }, (_, i) => (i % 4) / 2)]) {
      const got = layer.computeGradientAndScore(x, labels, mask);
      const z = x.mmul(layer.W).addi(layer.b);
      const want = loss.computeGradientAndScore(labels, z, Activation.SOFTMAX, mask, true);
      expect([
        ...mismatches('score', [got.score], [want.score], sameDtype[dtype]),
        ...mismatches('b', values(got.gradientB), values(want.gradient.sum(0)), sameDtype[dtype]),
        ...mismatches('W', values(got.gradientW), values(x.transpose().mmul(want.gradient)), sameDtype[dtype]),
        ...mismatches(
          'epsilon',
          values(got.epsilon),
          values(want.gradient.mmul(layer.W.transpose())),
          sameDtype[dtype],
        ),
      ]).toEqual([]);
    }
  });
});

test('the logits of the batch are never in memory', () => {
  // [2048, 16000] of them would take 125 MiB. A process of its own, whose high-water mark nothing else has raised.
  const program = `
    const { fusedLinearCrossEntropy, nd } = require('./lib');
    const call = { x: nd.ones([2048, 8]), W: nd.ones([8, 16000]), labels: new Int32Array(2048) };
    const out = { gradientX: nd.ones([2048, 8]), gradientW: nd.ones([8, 16000]) };
    const before = process.resourceUsage().maxRSS;
    fusedLinearCrossEntropy({ ...call, out });
    console.log(process.resourceUsage().maxRSS - before);`;
  const { stdout, stderr } = spawnSync(process.execPath, ['-r', './scripts/register-ts.cjs', '-e', program], {
    encoding: 'utf8',
  });
  expect(stderr).toBe('');
  // 0 where the start of the process took more.
  expect(stdout).toMatch(/^\d+\n$/);
  // WebAssembly works on copies.
  expect(Number(stdout)).toBeLessThan((backend === 'wasm' ? 48 : 16) * 1024);
}, 60_000);
