// SPDX-License-Identifier: Apache-2.0
// Calls off the event loop whose memory is taken away and collected, whose worker ends, and that are many: each in a
// process of its own, as what must not happen is a crash.
import { runProgram } from './support/child';

/** Arrays of several slices; \`take\` transfers a buffer away and collects what is left of it. */
const ARRAYS = `
  const rows = 2000, cols = 1000;
  const make = () => new Float32Array(rows * cols).fill(0.5);
  const shaped = (data) => ({ data, shape: [rows, cols] });
  const loss = new lib.LossMCXENT();
  const take = (data) => {
    try { structuredClone(data.buffer, { transfer: [data.buffer] }); } catch {}
    gc();
  };
`;

test('inputs transferred and collected at every step of a call', async () => {
  const output = await runProgram(`${ARRAYS}
    const expected = loss.computeScore(shaped(make()), shaped(make()), 'softmax');
    let whole = 0, rejected = 0;
    for (let turns = 0; turns < 25; turns++) {
      for (const name of ['labels', 'z']) {
        let arrays = { labels: make(), z: make() };
        const promise = loss.computeGradientAndScoreAsync(shaped(arrays.labels), shaped(arrays.z), 'softmax');
        const ended = promise.then(({ score }) => {
          if (score !== expected) throw new Error('wrong: ' + score);
          whole++;
        }, (error) => {
          if (error.code !== 'ERR_BUFFER') throw error;
          rejected++;
        });
        for (let i = 0; i < turns; i++) await turn();
        take(arrays[name]);
        arrays = undefined;
        gc();
        await ended;
      }
    }
    console.log(whole + rejected, whole > 0, rejected > 0);
  `);
  expect(output).toBe('50 true true');
});

test('buffers that shrink at every step of a call', async () => {
  const output = await runProgram(`${ARRAYS}
    let settled = 0;
    for (let turns = 0; turns < 25; turns++) {
      const size = rows * cols * 4;
      const buffers = [0, 1, 2].map(() => new ArrayBuffer(size, { maxByteLength: size }));
      const [labels, z, out] = buffers.map((buffer) => new Float32Array(buffer, 0, rows * cols).fill(0.5));
      const ended = loss.computeGradientAsync(shaped(labels), shaped(z), 'softmax', null, { out }).then(
        () => settled++,
        (error) => { if (error.code !== 'ERR_BUFFER') throw error; settled++; },
      );
      for (let i = 0; i < turns; i++) await turn();
      buffers[turns % 3].resize(0);
      gc();
      await ended;
    }
    console.log(settled);
  `);
  expect(output).toBe('25');
});

test('a result that is the input of the next call, then transferred and collected', async () => {
  const output = await runProgram(`${ARRAYS}
    const labels = shaped(make());
    let same = 0;
    for (let i = 0; i < 10; i++) {
      let first = await loss.computeGradientAsync(labels, shaped(make()), 'softmax');
      const expected = loss.computeScore(labels, first, 'softmax');
      // Settled at once, as where results are copied either may reject before the turns below are over.
      const both = [loss.computeScoreAsync(labels, first, 'softmax'), loss.computeScoreAsync(first, first, 'tanh')];
      const settled = Promise.allSettled(both);
      // The first call has begun by then, and reads the result in place.
      await turn();
      take(first.data);
      first = undefined;
      for (let k = 0; k < 3; k++) { gc(); await turn(); }
      const [got] = await settled;
      if (got.status === 'fulfilled' ? got.value === expected : got.reason.code === 'ERR_BUFFER') same++;
    }
    console.log(same);
  `);
  expect(output).toBe('10');
});

test('shared memory that another thread writes meanwhile', async () => {
  const output = await runProgram(`${ARRAYS}
    const { Worker } = require('node:worker_threads');
    const labels = new Int32Array(new SharedArrayBuffer(4 * rows));
    const z = new Float32Array(new SharedArrayBuffer(4 * rows * cols));
    const worker = new Worker(\`
      const [labels, z] = require('node:worker_threads').workerData;
      for (let i = 0; ; i++) { labels.fill(i % 3 === 0 ? -2147483648 : i % cols); z.fill(i); }
    \`.replace('cols', cols), { eval: true, workerData: [labels, z] });
    const sparse = new lib.LossSparseMCXENT();
    let settled = 0;
    for (let i = 0; i < 20; i++) {
      await sparse.computeGradientAndScoreAsync(labels, shaped(z), 'softmax').catch((error) => {
        if (error.code !== 'ERR_RANGE') throw error;
      });
      settled++;
    }
    await worker.terminate();
    console.log(settled);
  `);
  expect(output).toBe('20');
});

test('workers that are terminated at every step of a call', async () => {
  const output = await runProgram(`
    const { Worker } = require('node:worker_threads');
    const code = \`
      require('./scripts/register-ts.cjs');
      const { LossMCXENT, nd } = require('./lib');
      const { parentPort } = require('node:worker_threads');
      const shape = [2000, 1000];
      const shared = new Float32Array(new SharedArrayBuffer(8000000));
      const [labels, z] = [nd.zeros(shape), nd.create(shared, shape)];
      (async () => {
        const loss = new LossMCXENT();
        let first = await loss.computeGradientAsync(labels, z, 'softmax');
        for (;;) {
          const calls = [first, z, labels].map((z) => loss.computeGradientAsync(labels, z, 'softmax'));
          parentPort.postMessage('began');
          [first] = await Promise.all(calls);
        }
      })();
    \`;
    for (let i = 0; i < 12; i++) {
      const worker = new Worker(code, { eval: true });
      await new Promise((resolve, reject) => worker.once('message', resolve).once('error', reject));
      for (let k = 0; k < i; k++) await turn();
      await worker.terminate();
      gc();
    }
    // What they held has come back, and the pool works on.
    const score = await new lib.LossMSE().computeScoreAsync([1], Float32Array.of(3), 'identity');
    console.log(score, native.poolBytes() < 300 * 2 ** 20);
  `);
  expect(output).toBe('4 true');
});

test('a process that exits while calls are under way', async () => {
  const output = await runProgram(`${ARRAYS}
    for (let i = 0; i < 6; i++) loss.computeGradientAsync(shaped(make()), shaped(make()), 'softmax').catch(() => {});
    for (let i = 0; i < 6; i++) await turn();
    console.log('exit');
    process.exit();
  `);
  expect(output).toBe('exit');
});

test('no memory grows over 10,000 calls, settled, rejected and aborted', async () => {
  const output = await runProgram(`
    const loss = new lib.LossMCXENT();
    const sparse = new lib.LossSparseMCXENT();
    // Results of this size are buffers over native memory.
    const [labels, z] = [nd.zeros([100, 1000]), nd.zeros([100, 1000])];
    const bad = new Int32Array(100).fill(-1);
    const round = async (count) => {
      for (let i = 0; i < count; i += 4) {
        const controller = new AbortController();
        const options = { signal: controller.signal };
        const calls = [
          loss.computeGradientAsync(labels, z, 'softmax'),
          loss.computeScoreArrayAsync(labels, z, 'softmax', null, options),
          sparse.computeGradientAsync(bad, z, 'softmax'),
          loss.computeGradientAndScoreAsync(labels, z, 'softmax', null, true, options),
        ];
        if (i % 8 === 0) controller.abort();
        await Promise.allSettled(calls);
      }
      for (let i = 0; i < 4; i++) { gc(); await turn(); }
      return process.memoryUsage().rss / 2 ** 20;
    };
    const before = await round(2000);
    const after = await round(10000);
    console.log(after - before < 40 ? 'bounded' : before + ' MiB grew to ' + after);
  `);
  expect(output).toBe('bounded');
});
