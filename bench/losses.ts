// SPDX-License-Identifier: Apache-2.0
// Score and gradient in one call: this package beside the best plain JavaScript loop, as ratios. Both run in this process,
// turn about; the minimum of many rounds counts, as the machine may be busy with other things.
//
//   npm run bench [-- --seconds 0.2]     time spent on each cell, default 0.5
import { parseArgs } from 'node:util';
import { Activation, LossBinaryXENT, LossMCXENT, LossMSE, nd, simd } from 'simdloss';
import { meanSquaredError, sigmoidBinaryCrossEntropy, softmaxCrossEntropy } from './plain-loops';

const { values } = parseArgs({ options: { seconds: { type: 'string', default: '0.5' } } });
const budget = Number(values.seconds) * 1e3;

const PAIRS = [
  {
    name: 'softmax + MCXENT',
    loss: new LossMCXENT({ softmaxClipEps: 0 }),
    activation: Activation.SOFTMAX,
    plain: softmaxCrossEntropy,
  },
  {
    name: 'sigmoid + BinaryXENT',
    loss: new LossBinaryXENT({ clipEps: 0 }),
    activation: Activation.SIGMOID,
    plain: sigmoidBinaryCrossEntropy,
  },
  { name: 'identity + MSE', loss: new LossMSE(), activation: Activation.IDENTITY, plain: meanSquaredError },
];
const SHAPES: readonly (readonly [number, number])[] = [
  [32, 10],
  [1024, 1000],
];

/** Microseconds a call of each contender: the minimum over rounds taken in turn. */
function race(contenders: readonly (() => unknown)[]): number[] {
  const best = contenders.map(() => Number.POSITIVE_INFINITY);
  const calls = contenders.map((run) => {
    for (let i = 0; i < 50; i++) run();
    const begin = performance.now();
    run();
    // Rounds of about 2 ms: long against the clock's resolution, short against the machine's other work.
    return Math.max(1, Math.round(2 / Math.max(performance.now() - begin, 1e-4)));
  });
  const end = performance.now() + budget;
  do {
    contenders.forEach((run, i) => {
      const begin = performance.now();
      const count = calls[i] ?? 1;
      for (let k = 0; k < count; k++) run();
      best[i] = Math.min(best[i] ?? 0, ((performance.now() - begin) * 1e3) / count);
    });
  } while (performance.now() < end);
  return best;
}

console.log(`Node ${process.version}, kernels on ${simd.target}, float32, one thread; microseconds a call (minimum)\n`);
console.log('| loss | shape | plain loop | simdloss | with out | bound | ratio | ratio with out | ratio bound |');
console.log('|---|---|--:|--:|--:|--:|--:|--:|--:|');
for (const { name, loss, activation, plain } of PAIRS) {
  for (const [n, c] of SHAPES) {
    const logits = nd.randn([n, c], { seed: 1 }).muli(2).data as Float32Array;
    const labels = nd.rand([n, c], { seed: 2 }).data as Float32Array;
    const z = nd.create(logits, [n, c]);
    const y = nd.create(labels, [n, c]);
    const gradient = new Float32Array(n * c);
    const out = nd.zeros([n, c]);
    const expected = plain(labels, logits, gradient, n, c);
    const got = loss.computeGradientAndScore(y, z, activation, null, false, { out });
    const error = Math.abs(got.score - expected) / Math.abs(expected);
    // Both round to float32: relative to the largest slope.
    const largest = gradient.reduce((max, value) => Math.max(max, Math.abs(value)), 0);
    const worst = gradient.reduce(
      (max, value, i) => Math.max(max, Math.abs(value - out.getDouble(Math.floor(i / c), i % c)) / largest),
      0,
    );
    if (!(error < 1e-6 && worst < 1e-6)) {
      throw new Error(`${name} ${n}x${c}: score off by ${error}, gradient by ${worst}`);
    }
    const bound = loss.bind({ labels: y, preOutput: z, activation, gradient: out });
    const times = race([
      () => plain(labels, logits, gradient, n, c),
      () => loss.computeGradientAndScore(y, z, activation),
      () => loss.computeGradientAndScore(y, z, activation, null, false, { out }),
      () => bound.run(),
    ]);
    const [loop = 0, ...ours] = times;
    const cells = [...times.map((us) => us.toPrecision(3)), ...ours.map((us) => (loop / us).toFixed(1))];
    console.log(`| ${name} | ${n}x${c} | ${cells.join(' | ')} |`);
  }
}
