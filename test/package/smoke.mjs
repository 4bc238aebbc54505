// SPDX-License-Identifier: Apache-2.0
// What an installed package must do on every runtime: plain JavaScript over its public entries, no test framework.
// Its last line is "N passed, N failed". The argument, if given, is the backend that must run.
import { createRequire } from 'node:module';
import * as simdloss from 'simdloss';
import * as wasm from 'simdloss/wasm';

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

const entries = [
  ['simdloss', simdloss],
  ['simdloss/wasm', wasm],
];
try {
  entries.push(['require', createRequire(import.meta.url)('simdloss')]);
} catch (error) {
  failed++;
  console.error(error);
}

const wanted = process.argv[2];
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

// Every loss with every activation, on the two backends.
for (const { name, dtype, tolerance } of [
  { name: 'float32', dtype: Float32Array, tolerance: 2e-5 },
  { name: 'float64', dtype: Float64Array, tolerance: 1e-12 },
]) {
  const [rows, cols] = [23, 17];
  const of = (f) => ({ data: dtype.from({ length: rows * cols }, (_, i) => f(i)), shape: [rows, cols] });
  const output = of((i) => 0.3 + 0.25 * Math.sin(i * 1.7));
  const soft = of((i) => (i % cols === i % 7 ? 1 : 0.01));
  for (const kind of simdloss.LossFunction.values().map((value) => value.name())) {
    const labels =
      kind === 'SPARSE_MCXENT'
        ? { data: Int32Array.from({ length: rows }, (_, i) => i % cols), shape: [rows, 1] }
        : soft;
    for (const activation of simdloss.Activation.values().map((value) => value.name())) {
      if (activation === 'RRELU') continue; // random
      await test(`${kind}, ${activation}, ${name}`, () => {
        const [a, b] = [simdloss, wasm].map(({ LossFunction, Activation }) => {
          const loss = LossFunction.values()
            .find((value) => value.name() === kind)
            .getILossFunction();
          const { score, gradient } = loss.computeGradientAndScore(labels, output, Activation.fromString(activation));
          return [score, ...gradient.data];
        });
        close(b, a, tolerance);
      });
    }
  }
}

// Off the event loop, in slices: the bits of the plain call.
for (const [name, { LossMCXENT, nd }] of entries) {
  await test(`${name}: a call of several slices`, async () => {
    const [labels, output] = [nd.rand([1500, 300], { seed: 1 }), nd.randn([1500, 300], { seed: 2 })];
    const loss = new LossMCXENT();
    const plain = loss.computeGradientAndScore(labels, output, 'softmax');
    const later = await loss.computeGradientAndScoreAsync(labels, output, 'softmax');
    equal(later.score, plain.score);
    equal(Buffer.compare(Buffer.from(later.gradient.data.buffer), Buffer.from(plain.gradient.data.buffer)), 0);
  });
}

console.log(`${passed} passed, ${failed} failed`);
process.exitCode = failed === 0 ? 0 : 1;
