// SPDX-License-Identifier: Apache-2.0
// How long a large batch keeps the event loop from its work, on it and off it: the longest delay of a timer while the call
// runs. The last line is the machine's own: what other programs add.
//
//   node scripts/run.mjs bench/async-stall [--rows 8192] [--cols 1000] [--rounds 10]
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { setTimeout as sleep } from 'node:timers/promises';
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
  'nothing at all': () => sleep(40),
};

/** Runs once: the longest that a timer of 1 ms came late meanwhile, and how long it took, in milliseconds. */
async function delayOf(run: () => unknown): Promise<{ readonly late: number; readonly took: number }> {
  const histogram = monitorEventLoopDelay({ resolution: 1 });
  histogram.enable();
  await sleep(5);
  histogram.reset();
  await sleep(3); // the first tick after a reset is not counted
  const begin = performance.now();
  await run();
  const took = performance.now() - begin;
  await sleep(3);
  histogram.disable();
  return { late: histogram.max / 1e6 - 1, took };
}

async function main(): Promise<void> {
  console.log(`Node ${process.version}, kernels on ${simd.target}, float32 ${shape.join(' x ')}; milliseconds\n`);
  console.log('| call | longest stall, median | worst | call, median |');
  console.log('|---|--:|--:|--:|');
  for (const [name, run] of Object.entries(CONTENDERS)) {
    await run();
    const rounds: Awaited<ReturnType<typeof delayOf>>[] = [];
    for (let i = 0; i < Number(values.rounds); i++) rounds.push(await delayOf(run));
    const [late, took] = (['late', 'took'] as const).map((key) =>
      rounds.map((round) => round[key]).sort((a, b) => a - b),
    );
    const cells = [median(late), late?.at(-1), median(took)];
    console.log(`| ${name} | ${cells.map((cell) => cell?.toFixed(2)).join(' | ')} |`);
  }
}

const median = (sorted: readonly number[] = []) => sorted[sorted.length >> 1];

main().then(undefined, (error: unknown) => {
  console.error(error);
  process.exitCode = 1;
});
