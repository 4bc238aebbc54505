// SPDX-License-Identifier: Apache-2.0
// Bound calls: checked once, run many times, over what the buffers hold at each run.
import {
  Activation,
  type BindOptions,
  BoundLoss,
  LossFMeasure,
  LossMCXENT,
  LossMSE,
  LossSparseMCXENT,
  nd,
} from '../lib';
import { errBuffer, errDtype, errOption, errRange, errShape, expectError } from './support/errors';
import { lossClasses } from './support/library';

const y = nd.rand([5, 3], { seed: 1 });
const z = nd.randn([5, 3], { seed: 2 });
const call = { labels: y, preOutput: z, activation: Activation.IDENTITY };

describe('bad calls', () => {
  test.each([
    { what: 'labels of another shape', change: { labels: nd.zeros([5, 2]) }, expected: errShape('labels', '[5, 3]') },
    { what: 'nested labels', change: { labels: y.toArray() as number[][] }, expected: errBuffer('labels') },
    {
      what: 'a transposed preOutput',
      change: { preOutput: nd.zeros([3, 5]).transpose() },
      expected: errBuffer('preOutput'),
    },
    {
      what: 'a gradient of float64',
      change: { gradient: nd.zeros([5, 3], 'float64') },
      expected: errDtype('gradient'),
    },
    { what: 'a gradient over the labels', change: { gradient: y }, expected: errBuffer('gradient') },
    {
      what: 'score array within the gradient',
      change: { gradient: z, scoreArray: (z.data as Float32Array).subarray(0, 5) },
      expected: errBuffer('scoreArray'),
    },
    { what: 'an unknown name', change: { out: z }, expected: errOption('out', 'gradient') },
    {
      what: 'an activation of a user',
      change: { activation: { getActivation: () => z, backprop: () => [z, null], numParams: () => 0 } },
      expected: errOption('activation'),
    },
  ])('$what', ({ change, expected }) => {
    expectError(() => new LossMSE().bind({ ...call, ...change } as BindOptions), expected);
  });

  test('a score array of a loss without', () => {
    const one = { labels: nd.ones([2, 1]), preOutput: nd.ones([2, 1]), activation: 'identity' };
    expectError(() => new LossFMeasure().bind({ ...one, scoreArray: nd.ones([2, 1]) }), errOption('scoreArray'));
  });

  test('a mean over no rows', () => {
    const none = { ...call, labels: nd.zeros([0, 3]), preOutput: nd.zeros([0, 3]), average: true };
    expectError(() => new LossMSE().bind(none), errShape('row'));
    expect(new LossMSE().bind({ ...none, average: false }).run()).toBe(0);
  });
});

describe('runs', () => {
  test.each(Object.keys(lossClasses))('%s: the same bits as the plain calls', (name) => {
    const coupled = { LossFMeasure: [5, 2], LossMixtureDensity: [5, 3] } as Record<string, number[]>;
    const shape = coupled[name] ?? [5, 4];
    const labelShape = name === 'LossSparseMCXENT' ? [5] : name === 'LossMixtureDensity' ? [5, 1] : shape;
    for (const dtype of ['float32', 'float64'] as const) {
      const loss = new (lossClasses[name as keyof typeof lossClasses] as new () => LossMSE)();
      const preOutput = nd.rand(shape, { seed: 3, dtype }).addi(0.1);
      const labels = nd.rand(labelShape, { seed: 4, dtype }).muli(2);
      labels.assign(nd.array(Array.from(labels.data as Float32Array, Math.floor), 'float32').reshape(...labelShape));
      if (name === 'LossMAPE' || name === 'LossMSLE') labels.addi(1);
      const mask = nd.array([1, 0, 2, 1, 0.5]);
      const gradient = nd.zeros(shape, dtype);
      const scores = nd.zeros([5, 1], dtype);
      const rows = loss instanceof LossFMeasure ? {} : { scoreArray: scores };
      const bound = loss.bind({ labels, preOutput, activation: 'SIGMOID', mask, gradient, average: true, ...rows });
      for (let i = 0; i < 2; i++) {
        const plain = loss.computeGradientAndScore(labels, preOutput, 'SIGMOID', mask, true);
        expect(bound.run()).toBe(plain.score);
        expect(gradient.toArray()).toEqual(plain.gradient.toArray());
        if (!(loss instanceof LossFMeasure)) {
          const expected = loss.computeScoreArray(labels, preOutput, 'SIGMOID', mask);
          expect(scores.toArray()).toEqual(expected.toArray());
        }
        preOutput.muli(0.5); // the next run sees it
      }
    }
  });

  test('in place on preOutput', () => {
    const buffer = z.dup();
    const expected = new LossMCXENT().computeGradientAndScore(y, z, Activation.SOFTMAX);
    const bound = new LossMCXENT().bind({ labels: y, preOutput: buffer, activation: 'softmax', gradient: buffer });
    expect(bound.run()).toBe(expected.score);
    expect(buffer.toArray()).toEqual(expected.gradient.toArray());
  });

  test('a label that went out of range is an error, and the gradient is as it was', () => {
    const labels = Int32Array.of(0, 1, 2, 0, 1);
    const gradient = nd.full([5, 3], 7);
    const bound = new LossSparseMCXENT().bind({ labels, preOutput: z, activation: 'softmax', gradient });
    labels[3] = 3;
    expectError(() => bound.run(), errRange('row 3', '3'));
    expect(gradient.sumNumber()).toBe(105);
    labels[3] = 2;
    expect(bound.run()).toBeGreaterThan(0);
  });
});

describe('buffers that change', () => {
  test.each(['labels', 'preOutput', 'mask', 'gradient'])('%s detached between bind and run', (name) => {
    const arrays: Record<string, Float32Array> = {
      labels: new Float32Array(6),
      preOutput: new Float32Array(6),
      mask: new Float32Array(6).fill(1),
      gradient: new Float32Array(6),
    };
    const shaped = Object.fromEntries(Object.entries(arrays).map(([key, data]) => [key, { data, shape: [2, 3] }]));
    const bound = new LossMSE().bind({ ...shaped, activation: 'identity' } as unknown as BindOptions);
    expect(bound.run()).toBe(0);
    structuredClone(null, { transfer: [(arrays[name] as Float32Array).buffer as ArrayBuffer] });
    expectError(() => bound.run(), errBuffer('6', '0'));
  });

  test('detached behind a length of its own', () => {
    const data = new Float32Array(6);
    Object.defineProperty(data, 'length', { value: 6 });
    const shaped = { data, shape: [2, 3] };
    const bound = new LossMSE().bind({ labels: nd.zeros([2, 3]), preOutput: shaped, activation: 'identity' });
    structuredClone(null, { transfer: [data.buffer] });
    expectError(() => bound.run(), errBuffer('6', '0'));
  });

  test('disposed of', () => {
    const bound = new LossMSE().bind(call);
    expect(bound).toBeInstanceOf(BoundLoss);
    expect(bound.run()).toBeGreaterThan(0);
    bound.dispose();
    bound.dispose();
    expectError(() => bound.run(), errOption('run', 'disposed'));
    const other = new LossMSE().bind(call);
    other[Symbol.dispose]();
    expectError(() => other.run(), errOption('run', 'disposed'));
  });
});
