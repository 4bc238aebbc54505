// SPDX-License-Identifier: Apache-2.0
// How many threads work on a call: what sets it, and that nothing but the time depends on it.
import { availableParallelism } from 'node:os';
import {
  type ArrayInput,
  backend,
  getNumThreads,
  type IActivation,
  LossFMeasure,
  LossMCXENT,
  nd,
  setNumThreads,
} from '../lib';
import { describe as printed } from '../lib/errors';
import type { NativeLoss } from '../lib/losses/native-loss';
import { bits } from './support/bits';
import { runProgram } from './support/child';
import { errRange, expectError } from './support/errors';
import { activationOf, lossOf } from './support/library';
import { callFor, lossRows, makeProblem, masksFor, pairedActivation, title } from './support/problems';
import { Random } from './support/random';

const threads = getNumThreads();
afterEach(() => setNumThreads(threads));

describe('setNumThreads', () => {
  const wrong = [0, -0, -1, 1.5, Number.NaN, Number.POSITIVE_INFINITY, 1025, 2 ** 32 + 1, 2 ** 53, '2', 2n, true];
  test.each([...wrong, null, undefined, [2], {}, { valueOf: () => 2 }].map((count) => ({ count })))(
    'of $count throws and changes nothing',
    ({ count }) => {
      expectError(() => setNumThreads(count as number), errRange('count', 'a whole number from 1 to 1024'));
      expect(getNumThreads()).toBe(threads);
    },
  );

  test.each([1, 2, 3, 8, 1024])('of %p is what getNumThreads returns', (count) => {
    expect(setNumThreads(count)).toBeUndefined();
    expect(getNumThreads()).toBe(count);
  });
});

describe('SIMDLOSS_NUM_THREADS', () => {
  const print = 'console.log(lib.getNumThreads());';
  const inChild = (count: string | undefined, body = print) => runProgram(body, { SIMDLOSS_NUM_THREADS: count });

  test.each(['0', '-1', '1.5', 'two', ' ', '1025', '2 threads'])('of "%s" fails loudly', async (count) => {
    const expected = `SIMDLOSS_NUM_THREADS: expected a whole number from 1 to 1024, got ${printed(count)}`;
    await expect(inChild(count)).rejects.toThrow(expected);
  });

  test.each(['1', '3', '1024'])('of "%s" is taken', async (count) => {
    expect(await inChild(count)).toBe(count);
  });

  test.each([{ count: undefined }, { count: '' }])('of $count: as many as there are cores', async ({ count }) => {
    const cores = Number(await inChild(count));
    expect(cores).toBeGreaterThanOrEqual(1);
    expect(cores).toBeLessThanOrEqual(availableParallelism());
  });

  test('gives way to setNumThreads, whose number is that of every worker', async () => {
    const body = `
      const { once } = require('node:events');
      const { Worker } = require('node:worker_threads');
      lib.setNumThreads(5);
      const worker = new Worker(\`
        require('./scripts/register-ts.cjs');
        const lib = require('./lib');
        const seen = lib.getNumThreads();
        lib.setNumThreads(2);
        require('node:worker_threads').parentPort.postMessage(seen);
      \`, { eval: true });
      const [seen] = await once(worker, 'message');
      console.log(seen, lib.getNumThreads());
    `;
    // Each worker has a WebAssembly module of its own.
    expect(await inChild('3', body)).toBe(backend === 'wasm' ? '3 5' : '5 2');
  });
});

describe('the same bits for any number of threads', () => {
  interface Arguments {
    readonly loss: NativeLoss;
    readonly activation: IActivation;
    readonly labels: ArrayInput;
    readonly z: ReturnType<typeof nd.zeros>;
    readonly mask?: ArrayInput | null;
  }

  /** Every method's result: plain, bound, and off the event loop. */
  async function all({ loss, activation, labels, z, mask = null }: Arguments): Promise<unknown> {
    const given = [labels, z, activation, mask] as const;
    const gradient = nd.zeros(z.shape as number[], z.dtype as 'float32');
    const rows = !(loss instanceof LossFMeasure);
    const score = loss.bind({ labels, preOutput: z, activation, mask, gradient }).run();
    const plain = [
      loss.computeScore(...given),
      loss.computeGradient(...given),
      loss.computeGradientAndScore(...given),
      ...(rows ? [loss.computeScoreArray(...given)] : []),
    ].map(bits);
    const later = [
      loss.computeScoreAsync(...given),
      loss.computeGradientAsync(...given),
      loss.computeGradientAndScoreAsync(...given),
      ...(rows ? [loss.computeScoreArrayAsync(...given)] : []),
    ];
    expect((await Promise.all<unknown>(later)).map(bits)).toEqual(plain);
    expect(bits({ score, gradient })).toEqual(plain[2]);
    return plain;
  }

  async function expectSame(call: Arguments): Promise<void> {
    setNumThreads(1);
    const expected = await all(call);
    for (const count of [2, 3, 8]) {
      setNumThreads(count);
      expect(await all(call)).toEqual(expected);
    }
  }

  test.each(lossRows.map((row) => ({ row, name: title(row.loss, row.params) })))('$name', async ({ row }) => {
    const random = new Random(row.loss);
    const mask = random.pick(masksFor(row));
    const weighted = row.weighted === true && random.below(2) === 1;
    // Several chunks, the last one not whole.
    const problem = makeProblem(row, pairedActivation(row), random, { rows: 700, width: 100, mask, weighted });
    for (const dtype of ['float32', 'float64'] as const) {
      const { loss, ...rest } = callFor(problem, dtype);
      await expectSame({ loss: loss as NativeLoss, ...rest });
    }
  });

  const shapes = [
    { shape: [200_000, 1] },
    { shape: [20_011, 37] },
    { shape: [64, 5000] },
    { shape: [3, 200_000] },
    { shape: [3200, 1000] }, // larger than the caches: its gradient is streamed
  ];
  test.each(shapes)('of shape $shape', async ({ shape }) => {
    const [labels, z, mask] = [nd.rand(shape, { seed: 1 }), nd.randn(shape, { seed: 2 }), nd.rand(shape, { seed: 3 })];
    await expectSame({ loss: lossOf('LossMCXENT') as NativeLoss, activation: activationOf('SOFTMAX'), labels, z });
    await expectSame({ loss: lossOf('LossMSE') as NativeLoss, activation: activationOf('TANH'), labels, z, mask });
  });

  test('that changes while calls are under way', async () => {
    const [labels, z] = [nd.rand([700, 1000], { seed: 1 }), nd.randn([700, 1000], { seed: 2 })];
    const loss = new LossMCXENT();
    const expected = bits(loss.computeGradientAndScore(labels, z, 'softmax'));
    let going = true;
    const changing = (async () => {
      for (let i = 0; going; i++) {
        setNumThreads(1 + (i % 8));
        await new Promise(setImmediate);
      }
    })();
    const calls = Array.from({ length: 20 }, () => loss.computeGradientAndScoreAsync(labels, z, 'softmax'));
    for (const result of await Promise.all(calls)) expect(bits(result)).toEqual(expected);
    going = false;
    await changing;
  });

  test('of several workers that compute at once', async () => {
    const output = await runProgram(`
      const { Worker } = require('node:worker_threads');
      const compute = \`
        const { createHash } = require('node:crypto');
        const hash = createHash('sha1');
        const [labels, z] = [lib.nd.rand([700, 1000], { seed: 1 }), lib.nd.randn([700, 1000], { seed: 2 })];
        for (let i = 0; i < 20; i++) {
          const { score, gradient } = new lib.LossMCXENT().computeGradientAndScore(labels, z, 'softmax');
          hash.update(String(score)).update(gradient.data);
          hash.update(lib.Transforms.tanh(z).data);
        }
        return hash.digest('hex');
      \`;
      lib.setNumThreads(1);
      const expected = new Function('lib', 'require', compute)(lib, require);
      lib.setNumThreads(3);
      const code = \`
        require('./scripts/register-ts.cjs');
        const result = new Function('lib', 'require', \${JSON.stringify(compute)})(require('./lib'), require);
        require('node:worker_threads').parentPort.postMessage(result);
      \`;
      const results = Array.from({ length: 4 }, () => new Promise((resolve, reject) => {
        new Worker(code, { eval: true }).once('message', resolve).once('error', reject);
      }));
      console.log((await Promise.all(results)).every((result) => result === expected));
    `);
    expect(output).toBe('true');
  });
});

test('threads without work sleep', async () => {
  const output = await runProgram(`
    const [labels, z] = [nd.rand([2000, 1000]), nd.randn([2000, 1000])];
    lib.setNumThreads(8);
    const idle = async () => {
      const before = process.cpuUsage();
      await new Promise((resolve) => setTimeout(resolve, 1000));
      const { user, system } = process.cpuUsage(before);
      return (user + system) / 1000;
    };
    for (let i = 0; i < 10; i++) new lib.LossMCXENT().computeGradient(labels, z, 'softmax');
    const afterPlain = await idle();
    await new lib.LossMCXENT().computeGradientAsync(labels, z, 'softmax');
    const afterAsync = await idle();
    console.log(afterPlain < 100 && afterAsync < 100 ? 'idle' : afterPlain + ' and ' + afterAsync + ' ms of work');
  `);
  expect(output).toBe('idle');
});
