// SPDX-License-Identifier: Apache-2.0
// Load and leaks, on the built package: many calls of every kind, many workers one after another, many calls at once from
// several workers, an interrupt in the middle. Fails where memory grows, a result differs or something does not end.
// Arguments: names of rows to run alone; `--scale 0.01` tries a hundredth of it; `--record` puts what ran into
// docs/reliability.md.
import { spawn } from 'node:child_process';
import { createRequire } from 'node:module';
import { setTimeout as sleep, setImmediate as turn } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads';
import { record } from './reliability.mjs';

const self = fileURLToPath(import.meta.url);
const lib = createRequire(import.meta.url)('../dist/index.js');
const { nd } = lib;

const LOSSES = [
  'LossMCXENT',
  'LossMSE',
  'LossBinaryXENT',
  'LossHinge',
  'LossKLD',
  'LossCosineProximity',
  'LossMultiLabel',
];
const mebibytes = (bytes) => bytes / 2 ** 20;

/** A round of calls of every kind; how many there were. */
function rounds() {
  const [labels, z, out] = [nd.rand([16, 10], { seed: 1 }), nd.randn([16, 10], { seed: 2 }), nd.zeros([16, 10])];
  const losses = LOSSES.map((name) => new lib[name]());
  const sparse = new lib.LossSparseMCXENT();
  const own = lib.defineLoss('Own', (y, a) => a.sub(y).square().mul(a.abs()));
  const classes = Int32Array.from({ length: 16 }, (_, i) => i % 10);
  const bound = losses.map((loss) => loss.bind({ labels, preOutput: z, activation: 'softmax', gradient: out }));
  const layer = new lib.OutputLayer.Builder(new lib.LossMSE()).nIn(10).nOut(10).activation('tanh').build();
  const calls = [
    ...losses.map((loss) => () => loss.computeGradientAndScore(labels, z, 'sigmoid')),
    ...losses.map((loss) => () => loss.computeGradient(labels, z, 'softmax', null, { out })),
    ...losses.map((loss) => () => loss.computeScoreArray(labels, z, 'tanh')),
    ...bound.map((call) => () => call.run()),
    () => sparse.computeGradientAndScore(classes, z, 'softmax'),
    () => own.computeGradientAndScore(labels, z, 'tanh'),
    () => lib.Activation.MISH.getActivationFunction().backprop(z, labels),
    () => layer.computeGradientAndScore(z, labels),
  ];
  const mistakes = [
    () => losses[0].computeScore(labels, nd.zeros([16, 9]), 'softmax'),
    () => losses[1].computeScore(labels, z, 'no such activation'),
    () => sparse.computeGradient(new Int32Array(16).fill(99), z, 'softmax'),
    () => losses[2].computeGradient(labels, z, 'sigmoid', null, { out: new Float64Array(3) }),
  ];
  const fails = (call) => {
    try {
      call();
    } catch (error) {
      return error.code.startsWith('ERR_');
    }
    return false;
  };
  return {
    run() {
      for (const call of calls) call();
      if (!mistakes.every(fails)) throw new Error('a mistake went through');
      return calls.length + mistakes.length;
    },
    async runAsync() {
      const controller = new AbortController();
      const options = { signal: controller.signal };
      const under = losses.map((loss) => loss.computeGradientAndScoreAsync(labels, z, 'softmax', null, false, options));
      under.push(sparse.computeGradientAsync(new Int32Array(16).fill(-1), z, 'softmax'));
      if (Math.random() < 0.5) controller.abort();
      await Promise.allSettled(under);
      return under.length;
    },
  };
}

async function memory() {
  for (let i = 0; i < 4; i++) {
    globalThis.gc();
    await turn();
  }
  const { rss, external, heapUsed } = process.memoryUsage();
  return {
    rss: mebibytes(rss),
    external: mebibytes(external),
    heap: mebibytes(heapUsed),
    handles: process.getActiveResourcesInfo().length,
  };
}

/** What memory was before and after, or what has grown. */
function compared(before, after) {
  const limits = { rss: 24, external: 2, heap: 2, handles: 0 };
  const grown = Object.keys(limits).filter((key) => after[key] - before[key] > limits[key]);
  const text = `RSS ${before.rss.toFixed(0)} → ${after.rss.toFixed(0)} MiB, external ${before.external.toFixed(1)} → ${after.external.toFixed(1)}, heap ${before.heap.toFixed(1)} → ${after.heap.toFixed(1)}, handles ${before.handles} → ${after.handles}`;
  if (grown.length > 0) throw new Error(`${grown.join(', ')} grew: ${text}`);
  return text;
}

/** Memory at half of the calls, and at their end: V8 and malloc take their time to grow to what they keep. */
async function mixedCalls(count) {
  const { run, runAsync } = rounds();
  let before;
  let done = 0;
  for (let i = 0; done < count; i++) {
    done += run();
    if (i % 64 === 0) done += await runAsync();
    if (before === undefined && done >= count / 2) before = await memory();
  }
  return { tried: `${done.toLocaleString('en')} calls`, result: compared(before, await memory()) };
}

const worker = (data) => new Worker(self, { workerData: data });
const ended = (thread) =>
  new Promise((resolve, reject) => {
    let message;
    thread.once('message', (value) => {
      message = value;
    });
    thread.once('error', reject);
    thread.once('exit', () => resolve(message));
  });

async function workersInSequence(count) {
  let before;
  let score;
  for (let i = 0; i < count; i++) {
    const got = await ended(worker({ task: 'one call' }));
    score ??= got;
    if (got !== score) throw new Error(`worker ${i}: ${got}, others ${score}`);
    if (i === Math.floor(count / 2)) before = await memory();
  }
  return { tried: `${count} workers, one after another`, result: compared(before, await memory()) };
}

async function callsAtOnce(seconds) {
  const before = await memory();
  const counts = await Promise.all([0, 1, 2, 3].map(() => ended(worker({ task: 'many calls', seconds }))));
  const total = counts.reduce((a, b) => a + b, 0);
  const { rss } = await memory();
  if (rss - before.rss > 300) throw new Error(`RSS grew from ${before.rss} to ${rss} MiB`);
  return {
    tried: `4 workers with 16 calls of 1000 x 100 each under way, ${seconds} s`,
    result: `${total.toLocaleString('en')} calls, all with the same bits; RSS ${before.rss.toFixed(0)} → ${rss.toFixed(0)} MiB`,
  };
}

/** An interrupt while calls are under way on and off the event loop. */
async function interrupted(times) {
  let slowest = 0;
  for (let i = 0; i < times; i++) {
    const child = spawn(process.execPath, [self, '--under-way'], { stdio: ['ignore', 'pipe', 'inherit'] });
    await new Promise((resolve) => child.stdout.once('data', resolve));
    await sleep(20 * (i % 10));
    const begin = performance.now();
    child.kill('SIGINT');
    const signal = await new Promise((resolve) => child.once('exit', (_code, name) => resolve(name)));
    if (signal !== 'SIGINT') throw new Error(`ended by ${signal}`);
    slowest = Math.max(slowest, performance.now() - begin);
  }
  if (slowest > 2000) throw new Error(`took ${slowest} ms to end`);
  return {
    tried: `SIGINT into 16 calls of 2000 x 1000, ${times} times`,
    result: `ended at once, the slowest in ${slowest.toFixed(0)} ms`,
  };
}

const ROWS = {
  'mixed calls': [mixedCalls, 1e7],
  'workers in sequence': [workersInSequence, 1000],
  'calls at once': [callsAtOnce, 60],
  interrupts: [interrupted, 50],
};

async function main() {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: { scale: { type: 'string', default: '1' }, record: { type: 'boolean' }, 'under-way': { type: 'boolean' } },
  });
  if (values['under-way']) return underWay();
  const rows = [];
  for (const [what, [run, amount]] of Object.entries(ROWS)) {
    if (positionals.length > 0 && !positionals.some((part) => what.includes(part))) continue;
    const begin = performance.now();
    const { tried, result } = await run(Math.max(1, Math.round(amount * Number(values.scale))));
    console.log(`${what}: ${tried} (${((performance.now() - begin) / 1000).toFixed(0)} s): ${result}`);
    rows.push({ section: 'soak', what, tried, result, command: `npm run soak -- '${what}'` });
  }
  if (values.record) record(rows);
}

function underWay() {
  const [labels, z] = [nd.rand([2000, 1000], { seed: 1 }), nd.randn([2000, 1000], { seed: 2 })];
  const loss = new lib.LossMCXENT();
  const again = () => loss.computeGradientAndScoreAsync(labels, z, 'softmax').then(again);
  for (let i = 0; i < 16; i++) again();
  console.log('under way');
}

const TASKS = {
  'one call': async () => {
    const [labels, z] = [nd.rand([300, 200], { seed: 1 }), nd.randn([300, 200], { seed: 2 })];
    const loss = new lib.LossMCXENT();
    const { score } = await loss.computeGradientAndScoreAsync(labels, z, 'softmax');
    return score + new lib.LossMSE().computeScore(labels, z, 'tanh');
  },
  'many calls': async ({ seconds }) => {
    const [labels, z] = [nd.rand([1000, 100], { seed: 1 }), nd.randn([1000, 100], { seed: 2 })];
    const loss = new lib.LossMCXENT();
    const want = loss.computeScore(labels, z, 'softmax');
    const end = performance.now() + seconds * 1e3;
    let done = 0;
    const chain = async () => {
      while (performance.now() < end) {
        const { score } = await loss.computeGradientAndScoreAsync(labels, z, 'softmax');
        if (score !== want) throw new Error(`${score}, expected ${want}`);
        done++;
      }
    };
    await Promise.all(Array.from({ length: 16 }, chain));
    return done;
  },
};

if (isMainThread) {
  main().catch((error) => {
    console.error(error);
    process.exitCode = 1;
  });
} else {
  TASKS[workerData.task](workerData).then((result) => parentPort.postMessage(result));
}
