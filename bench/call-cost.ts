// SPDX-License-Identifier: Apache-2.0
// What a call on small input costs around its kernel: the bare crossing into native code, the crossing with the arrays
// of a call, and the library's calls over it, beside the plain JavaScript loop. All in turn; the minimum of many rounds
// counts, in nanoseconds.
//
//   node scripts/run.mjs bench/call-cost [-- --seconds 0.5]     time spent on each row, default 1
import path from 'node:path';
import { parseArgs } from 'node:util';
import { Activation, LossMCXENT, LossMSE, type NDArray, nd, simd } from 'simdloss';
import { LOOPS } from './suite/plain-loops';
import { race } from './suite/race';

const { values } = parseArgs({ options: { seconds: { type: 'string', default: '1' } } });
const CALLS = 1000;

// The library's own addon, without its checks. A call reads its numbers where the last call of the library left them.
const addon = require('node-gyp-build')(path.dirname(require.resolve('simdloss/package.json'))) as {
  loss(...arrays: unknown[]): unknown;
  runBound(call?: unknown): unknown;
};

const PAIRS = [
  { name: 'identity + MSE', loss: new LossMSE(), activation: Activation.IDENTITY, plain: LOOPS.mse },
  {
    name: 'softmax + MCXENT',
    loss: new LossMCXENT({ softmaxClipEps: 0 }),
    activation: Activation.SOFTMAX,
    plain: LOOPS.ce,
  },
];
const SHAPES = [
  [1, 1],
  [32, 10],
] as const;

const columns = ['loop', 'crossing', 'native', 'bound', 'out', 'objects', 'fresh', 'score', 'array only'];
console.log(`Node ${process.version}, kernels on ${simd.target}, float32; nanoseconds a call (minimum)`);
console.log(`loop: the plain JavaScript loop; crossing: into native code and back, nothing done; native: with the arrays of
the call, all but the library's checks; bound: run(); out: computeGradientAndScore of NDArrays with out; objects: of
{ data, shape } with a bare out; fresh: with a new gradient; score: computeScore; array only: new Float32Array\n`);
console.log(`| loss | shape | ${columns.join(' | ')} | checks (out - native) |`);
console.log(`|---|---|${'--:|'.repeat(columns.length + 1)}`);
for (const { name, loss, activation, plain } of PAIRS) {
  for (const [n, c] of SHAPES) {
    const z = nd.randn([n, c], { seed: 1 });
    const y = nd.rand([n, c], { seed: 2 });
    const out = nd.zeros([n, c]);
    const [logits, labels, gradient] = [z, y, out].map((array: NDArray) => array.data as Float32Array) as [
      Float32Array,
      Float32Array,
      Float32Array,
    ];
    const preOutput = { data: logits, shape: [n, c] };
    const given = { data: labels, shape: [n, c] };
    const bound = loss.bind({ labels: y, preOutput: z, activation, gradient: out });
    const contenders = {
      loop: () => {
        for (let i = 0; i < CALLS; i++) plain?.(labels, logits, gradient, n, c, 0);
      },
      crossing: () => {
        for (let i = 0; i < CALLS; i++) addon.runBound();
      },
      bound: () => {
        for (let i = 0; i < CALLS; i++) bound.run();
      },
      out: () => {
        for (let i = 0; i < CALLS; i++) loss.computeGradientAndScore(y, z, activation, null, false, { out });
      },
      native: () => {
        for (let i = 0; i < CALLS; i++) {
          addon.loss(logits, labels, undefined, undefined, undefined, gradient, undefined);
        }
      },
      objects: () => {
        for (let i = 0; i < CALLS; i++) {
          loss.computeGradientAndScore(given, preOutput, activation, null, false, { out: gradient });
        }
      },
      fresh: () => {
        for (let i = 0; i < CALLS; i++) loss.computeGradientAndScore(y, z, activation);
      },
      score: () => {
        for (let i = 0; i < CALLS; i++) loss.computeScore(y, z, activation);
      },
      'array only': () => {
        let sink: Float32Array | undefined;
        for (let i = 0; i < CALLS; i++) sink = new Float32Array(n * c);
        return sink;
      },
    };
    const times = race(contenders, Number(values.seconds), CALLS);
    const nanoseconds = (column: string) => (times[column] ?? 0) * 1e3;
    const cells = columns.map((column) => nanoseconds(column).toFixed(0));
    const checks = nanoseconds('out') - nanoseconds('native');
    console.log(`| ${name} | ${n}x${c} | ${cells.join(' | ')} | ${checks.toFixed(0)} |`);
  }
}
