// SPDX-License-Identifier: Apache-2.0
// What masks and class weights cost: score and gradient of a bound call, one thread, in microseconds and as a multiple of
// the same call without. A fifth of the rows, or of the outputs, is masked.
//
//   node scripts/run.mjs bench/masks [--seconds 1]     time spent on each row, default 1
import { parseArgs } from 'node:util';
import { Activation, type BindOptions, LossBinaryXENT, LossMCXENT, LossMSE, nd, setNumThreads, simd } from 'simdloss';
import { race } from './suite/race';

const { values } = parseArgs({ options: { seconds: { type: 'string', default: '1' } } });

const LOSSES = [
  { name: 'identity + MSE', Loss: LossMSE, activation: Activation.IDENTITY },
  { name: 'sigmoid + BinaryXENT', Loss: LossBinaryXENT, activation: Activation.SIGMOID },
  { name: 'softmax + MCXENT', Loss: LossMCXENT, activation: Activation.SOFTMAX },
];
const SHAPES = [
  [1024, 10],
  [64, 1000],
  [1024, 1000],
] as const;
const columns = ['none', 'per example', 'per output', 'weights'];

setNumThreads(1);
console.log(`Node ${process.version}, kernels on ${simd.target}, float32; microseconds (minimum)\n`);
console.log(`| loss | shape | ${columns.join(' | ')} |`);
console.log(`|---|---|${'--:|'.repeat(columns.length)}`);
for (const { name, Loss, activation } of LOSSES) {
  for (const [n, c] of SHAPES) {
    const preOutput = nd.randn([n, c], { seed: 1 });
    const labels = nd.rand([n, c], { seed: 2 });
    const calls = Math.max(1, Math.floor(1e6 / (n * c)));
    const keep = (shape: number[]) => nd.rand(shape, { seed: 3 }).gt(0.2);
    const bound = (loss: InstanceType<typeof Loss>, mask?: BindOptions['mask']) => {
      const call = loss.bind({ labels, preOutput, activation, mask: mask ?? null, gradient: nd.zeros([n, c]) });
      return () => {
        for (let i = 0; i < calls; i++) call.run();
      };
    };
    const contenders = {
      none: bound(new Loss()),
      'per example': bound(new Loss(), keep([n, 1])),
      'per output': bound(new Loss(), keep([n, c])),
      weights: bound(new Loss(nd.rand([c], { seed: 4 }))),
    };
    const times = race(contenders, Number(values.seconds), calls);
    const cells = columns.map((column) => {
      const ratio = (times[column] ?? 0) / (times['none'] ?? 1);
      return `${(times[column] ?? 0).toFixed(1)} (${ratio.toFixed(2)})`;
    });
    console.log(`| ${name} | ${n}x${c} | ${cells.join(' | ')} |`);
  }
}
