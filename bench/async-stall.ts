// SPDX-License-Identifier: Apache-2.0
// How long a large batch keeps the event loop from its work: the longest time between two turns of a loop of setImmediate
// while the call runs, on the event loop and off it, and what perf_hooks sees.
//
//   node scripts/run.mjs bench/async-stall [--rows 8192] [--cols 1000] [--rounds 10]
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { parseArgs } from 'node:util';
import { Activation, LossMCXENT, NDArray, nd, simd } from 'simdloss';

const { values } = parseArgs({
  options: {
    rows: { type: 'string', default: '8192' },
    cols: { type: 'string', default: '1000' },
    rounds: { type: 'string', default: '10' },
  },
});
const shape = [Number(values.rows), Number(values.cols)];
const loss = new LossMCXENT();
const z = nd.randn(shape, { seed: 1 });
const labels = nd.rand(shape, { seed: 2 });
const out = new Float32Array(z.length);
const sharedMemory = (from: NDArray) =>
  new NDArray(new Float32Array(new SharedArrayBuffer(4 * from.length)), from.shape).assign(from);
const [sharedZ, sharedLabels] = [sharedMemory(z), sharedMemory(labels)];

const CONTENDERS = {
  'on the event loop': () => loss.computeGradientAndScore(labels, z, Activation.SOFTMAX, null, false, { out }),
  'async, with out': () => loss.computeGradientAndScoreAsync(labels, z, Activation.SOFTMAX, null, false, { out }),
  'async, fresh result': () => loss.computeGradientAndScoreAsync(labels, z, Activation.SOFTMAX),
  'async, SharedArrayBuffers': () => loss.computeGradientAndScoreAsync(sharedLabels, sharedZ, Activation.SOFTMAX),
  'async, 8 at once': () =>
    Promise.all(Array.from({ length: 8 }, () => loss.computeGradientAndScoreAsync(labels, z, Activation.SOFTMAX))),
  'nothing but the loop': () => new Promise((resolve) => setTimeout(resolve, 20)),
};

/** Milliseconds. */
interface Stall {
  /** The longest time between two turns. */
  readonly stall: number;
  /** The longest delay of a timer, as perf_hooks measures it. */
  readonly seen: number;
  /** How long the call was under way. */
  readonly took: number;
}

async function stallOf(run: () => unknown): Promise<Stall> {
  const histogram = monitorEventLoopDelay({ resolution: 1 });
  let going = true;
  let stall = 0;
  let last = performance.now();
  const turn = () => {
    const now = performance.now();
    stall = Math.max(stall, now - last);
    last = now;
    if (going) setImmediate(turn);
  };
  setImmediate(turn);
  histogram.enable();
  await new Promise((resolve) => setTimeout(resolve, 5));
  stall = 0;
  histogram.reset();
  const begin = performance.now();
  await run();
  const took = performance.now() - begin;
  await new Promise((resolve) => setTimeout(resolve, 2));
  going = false;
  histogram.disable();
  return { stall, seen: histogram.max / 1e6, took };
}

async function main(): Promise<void> {
  console.log(`Node ${process.version}, kernels on ${simd.target}, float32 ${shape.join(' x ')}; milliseconds\n`);
  console.log('| call | longest stall: median | worst | by perf_hooks, worst | call: median |');
  console.log('|---|--:|--:|--:|--:|');
  for (const [name, run] of Object.entries(CONTENDERS)) {
    await run();
    const rounds: Stall[] = [];
    for (let i = 0; i < Number(values.rounds); i++) rounds.push(await stallOf(run));
    const sorted = (key: keyof Stall) => rounds.map((round) => round[key]).sort((a, b) => a - b);
    const median = (list: number[]) => list[list.length >> 1] as number;
    const cells = [
      median(sorted('stall')),
      sorted('stall').at(-1) as number,
      sorted('seen').at(-1) as number,
      median(sorted('took')),
    ];
    console.log(`| ${name} | ${cells.map((cell) => cell.toFixed(2)).join(' | ')} |`);
  }
}

main().then(undefined, (error: unknown) => {
  console.error(error);
  process.exitCode = 1;
});
