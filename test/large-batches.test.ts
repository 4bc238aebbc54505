// SPDX-License-Identifier: Apache-2.0
// Gradients larger than the caches are written past them, in whole lines of memory, wherever the array begins.
import { defineLoss, LossKLD, LossMCXENT, LossMSE, LossSparseMCXENT, NDArray } from '../lib';
import { Random } from './support/random';

// Those of a batch; of half of it they go through the caches.
const streamedBytes = 12 * 2 ** 20;
const around = 40;

const huber = defineLoss('huber', (labels, output) => {
  const size = output.sub(labels).abs();
  const small = size.clip(0, 1);
  return small.square().mul(0.5).add(size.sub(small));
});

const rows = [
  { title: 'MSE', loss: new LossMSE(), activation: 'identity', cols: 1000 },
  { title: 'MSE + sigmoid', loss: new LossMSE(), activation: 'sigmoid', cols: 37 },
  { title: 'MSE, one column', loss: new LossMSE(), activation: 'tanh', cols: 1 },
  { title: 'Huber by defineLoss', loss: huber, activation: 'identity', cols: 1000 },
  { title: 'Huber by defineLoss, one column', loss: huber, activation: 'sigmoid', cols: 1 },
  { title: 'cross entropy', loss: new LossMCXENT(), activation: 'softmax', cols: 1000 },
  { title: 'cross entropy, few classes', loss: new LossMCXENT(), activation: 'softmax', cols: 10 },
  { title: 'KLD', loss: new LossKLD(), activation: 'softmax', cols: 203 },
  { title: 'sparse cross entropy', loss: new LossSparseMCXENT(), activation: 'softmax', cols: 999, sparse: true },
] as const;

describe.each([
  { dtype: 'float32', array: Float32Array, offsets: [0, 1, 7, 12] },
  { dtype: 'float64', array: Float64Array, offsets: [0, 1, 6] },
] as const)('$dtype', ({ array, offsets }) => {
  // The same numbers over and over: millions of them take their time.
  const random = new Random('large batches');
  const few = new array(4099).map(() => random.uniform());
  const numbers = (length: number) => {
    const x = new array(length);
    for (let i = 0; i < length; i += few.length) x.set(few.subarray(0, length - i), i);
    return x;
  };

  test.each(rows)('$title', ({ loss, activation, cols, ...row }) => {
    const half = Math.ceil((streamedBytes / array.BYTES_PER_ELEMENT / cols + 2) / 2);
    const n = 2 * half - 1;
    const [z, y] = [numbers(n * cols + 1).subarray(1), numbers(n * cols)];
    const classes = Int32Array.from({ length: n }, (_, i) => i % cols);
    const rowsOf = (x: typeof z, from: number, to: number) =>
      new NDArray(x.subarray(from * cols, to * cols), [to - from, cols]);
    const compute = (from: number, to: number, gradient: typeof z) => {
      const labels = 'sparse' in row ? classes.subarray(from, to) : rowsOf(y, from, to);
      loss.computeGradient(labels, rowsOf(z, from, to), activation, undefined, { out: rowsOf(gradient, from, to) });
    };
    const bytes = (x: typeof z) => Buffer.from(x.buffer, x.byteOffset, x.byteLength);

    const expected = new array(n * cols);
    compute(0, half, expected);
    compute(half, n, expected);
    const memory = new array(n * cols + around);
    for (const offset of offsets) {
      memory.fill(7);
      const gradient = memory.subarray(offset, offset + n * cols);
      compute(0, n, gradient);
      expect(bytes(gradient).equals(bytes(expected))).toBe(true);
      expect([...memory.subarray(0, offset), ...memory.subarray(offset + n * cols)]).toEqual(new Array(around).fill(7));
    }
  });
});
