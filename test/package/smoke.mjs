// SPDX-License-Identifier: Apache-2.0
// What an installed package must do on every runtime: plain JavaScript over its public entries, no test framework.
// Its last line is "N passed, N failed". The argument, if given, is the backend that must run. In a browser, scripts/
// browser.mjs serves it.
import { calls } from './calls.mjs';

let passed = 0;
let failed = 0;

async function test(name, body) {
  try {
    await body();
    passed++;
  } catch (error) {
    failed++;
    console.error(`${name}: ${error.stack}`);
  }
}

function equal(got, expected) {
  const [a, b] = [got, expected].map((value) => JSON.stringify(value));
  if (a !== b) throw new Error(`expected ${b}, got ${a}`);
}

function close(got, expected, tolerance) {
  if (got.length !== expected.length) throw new Error(`expected ${expected.length} elements, got ${got.length}`);
  got.forEach((value, i) => {
    if (Object.is(value, expected[i])) return; // Infinity and NaN too
    const difference = Math.abs(value - expected[i]);
    if (!(difference <= tolerance * (1 + Math.abs(expected[i])))) {
      throw new Error(`element ${i}: expected ${expected[i]}, got ${value}`);
    }
  });
}

function expectThrow(code, body) {
  let thrown;
  try {
    body();
  } catch (error) {
    thrown = error;
  }
  equal(thrown?.code, code);
}

const outside = typeof process === 'object'; // of a browser

function runtime() {
  if (!outside) return /\w*Chrome\/[\d.]+/.exec(navigator.userAgent)?.[0] ?? navigator.userAgent;
  const { bun, deno, node } = process.versions;
  const name = (bun && `Bun ${bun}`) || (deno && `Deno ${deno}`) || `Node ${node}`;
  return `${name}, ${process.platform} ${process.arch}`;
}
console.log(`on ${runtime()}`);

// The first to load the package, so that it would be unloaded with the worker.
if (outside) {
  await test('a worker that comes and goes', async () => {
    const { Worker } = await import('node:worker_threads');
    const worker = new Worker(new URL('worker.mjs', import.meta.url));
    const ended = new Promise((resolve, reject) => worker.on('exit', resolve).on('error', reject));
    const score = await new Promise((resolve, reject) => worker.on('message', resolve).on('error', reject));
    equal(score > 0, true);
    await ended;
  });
}

const simdloss = await import('simdloss');
const wasm = await import('simdloss/wasm');
const entries = [['simdloss/wasm', wasm]];
if (outside) {
  entries.push(['simdloss', simdloss]);
  await test('require', async () => {
    const { createRequire } = await import('node:module');
    entries.push(['require', createRequire(import.meta.url)('simdloss')]);
  });
  await test('the package is the installed one', () => {
    const installed = new URL('node_modules/simdloss/', import.meta.url).href;
    equal(import.meta.resolve('simdloss').slice(0, installed.length), installed);
  });
}

const wanted = outside ? process.argv[2] : 'wasm';
await test('backend', () => {
  if (wanted) equal(simdloss.backend, wanted);
  equal(wasm.backend, 'wasm');
});

for (const [name, { Activation, LossMCXENT, nd, simd, SameDiff, version }] of entries) {
  await test(`${name}: README`, async () => {
    equal(typeof version, 'string');
    equal(simd.supported.includes(simd.target), true);
    const logits = nd.array([
      [2, 1, -1],
      [0, 3, 1],
    ]);
    const labels = nd.array([
      [1, 0, 0],
      [0, 0, 1],
    ]);
    const loss = new LossMCXENT();
    const { score, gradient } = loss.computeGradientAndScore(labels, logits, Activation.SOFTMAX);
    close([score], [2.518858], 1e-6);
    close([...gradient.data], [-0.294615, 0.259496, 0.035119, 0.04201, 0.843795, -0.885805], 1e-5);
    equal(await loss.computeScoreAsync(labels, logits, Activation.SOFTMAX), score);
  });
  await test(`${name}: SameDiff`, () => {
    const sd = SameDiff.create();
    const x = sd.placeHolder('x', 'float32', [-1, 3]);
    const loss = sd.loss.softmaxCrossEntropy('loss', sd.constant('y', nd.array([[0, 0, 1]])), x, null);
    close([...loss.gradient(x).eval({ x: [[1, 2, 3]] }).data], [0.090031, 0.244728, -0.334759], 1e-5);
  });
  await test(`${name}: errors`, () => {
    const loss = new LossMCXENT();
    expectThrow('ERR_SHAPE', () => loss.computeScore([[1, 0]], [[1, 2, 3]], 'softmax'));
    expectThrow('ERR_OPTION', () => loss.computeScore([[1, 0]], [[1, 2]], 'no activation'));
  });
}

// Every loss with every activation, on the two backends; in a browser, beside what the server's computed.
const expected = outside ? calls(simdloss) : await expectedOfServer();
for (const [i, { name, tolerance, values }] of calls(wasm).entries()) {
  await test(name, () => close(values, expected[i].values, tolerance));
}

async function expectedOfServer() {
  const numbers = new Float64Array(await (await fetch('/expected')).arrayBuffer());
  let at = 0;
  return calls(wasm).map(({ values }) => {
    at += values.length;
    return { values: numbers.subarray(at - values.length, at) };
  });
}

// Off the event loop, in slices: the bits of the plain call.
for (const [name, { LossMCXENT, nd }] of entries) {
  await test(`${name}: a call of several slices`, async () => {
    const [labels, output] = [nd.rand([1500, 300], { seed: 1 }), nd.randn([1500, 300], { seed: 2 })];
    const loss = new LossMCXENT();
    const plain = loss.computeGradientAndScore(labels, output, 'softmax');
    const later = await loss.computeGradientAndScoreAsync(labels, output, 'softmax');
    equal(later.score, plain.score);
    const [a, b] = [later, plain].map(({ gradient }) => new Uint32Array(gradient.data.buffer));
    equal(
      a.every((bits, i) => bits === b[i]),
      true,
    );
  });
}

console.log(`${passed} passed, ${failed} failed`);
if (outside) process.exitCode = failed === 0 ? 0 : 1;
