// SPDX-License-Identifier: Apache-2.0
// Random calls of every loss with every activation against the oracle: sizes, dtypes, layouts, masks, weights, places for
// the result, threads, and the three ways to call. fast-check prints the seed of a failure.
import fc from 'fast-check';
import { type ArrayInput, getNumThreads, type IActivation, type LossMSE, NDArray, nd, setNumThreads } from '../../lib';
import { evaluate } from '../reference/oracle';
import type { FloatDtype } from '../support/golden';
import { floats, values } from '../support/library';
import { activationRows, callFor, lossRows, makeProblem, maskKinds, masksFor } from '../support/problems';
import { Random } from '../support/random';
import { againstOracle, mismatches } from '../support/tolerance';

const RUNS = process.env['SIMDLOSS_FULL'] === '1' ? 20_000 : 400;

/** An array in another form of the same numbers. */
const layouts: Readonly<Record<string, (array: NDArray) => ArrayInput>> = {
  plain: (array) => array,
  object: ({ data, shape }) => ({ data, dims: shape }),
  nested: (array) => array.toArray() as number[][],
  'rows apart': (array) => {
    const [rows, cols] = array.shape as [number, number];
    return nd
      .zeros([rows, cols + 5], array.dtype)
      .columns(3, 3 + cols)
      .assign(array);
  },
  transposed: (array) => array.transpose().dup().transpose(),
  'odd offset': (array) => {
    const data = floats(array.dtype as FloatDtype, [Number.NaN, ...values(array)]).subarray(1);
    return new NDArray(data, array.shape);
  },
  'shared memory': (array) => {
    const memory = new SharedArrayBuffer(array.length * 8) as unknown as ArrayBuffer;
    const data = array.dtype === 'float32' ? new Float32Array(memory) : new Float64Array(memory);
    return new NDArray(data, array.shape).assign(array);
  },
};
const layout = fc.constantFrom(...Object.keys(layouts));

const calls = fc.record({
  loss: fc.constantFrom(...lossRows),
  activation: fc.constantFrom(...activationRows),
  dtype: fc.constantFrom<FloatDtype>('float32', 'float64'),
  seed: fc.nat(),
  rows: fc.oneof(fc.integer({ min: 1, max: 70 }), fc.constant(130)),
  width: fc.oneof(fc.integer({ min: 1, max: 70 }), fc.constantFrom(127, 300)),
  mask: fc.constantFrom(...maskKinds),
  weighted: fc.boolean(),
  average: fc.boolean(),
  layouts: fc.tuple(layout, layout, layout),
  out: fc.constantFrom('fresh', 'given', 'in place'),
  way: fc.constantFrom('plain', 'bound', 'async'),
  threads: fc.integer({ min: 1, max: 3 }),
});

interface LooseCall {
  readonly loss: LossMSE;
  readonly activation: IActivation;
  readonly labels: ArrayInput;
  readonly z: ArrayInput;
  readonly mask: ArrayInput | null;
}

/** What the library says of a call. */
async function results(
  { loss, labels, z, activation, mask }: LooseCall,
  { average, out, way }: { readonly average: boolean; readonly out: string; readonly way: string },
): Promise<{ score: number; gradient: number[] }> {
  const to = out === 'in place' ? z : out === 'given' ? NDArray.from(z, 'z').dup() : undefined;
  const options = to === undefined ? undefined : { out: to };
  if (way === 'bound') {
    const gradient = to ?? NDArray.from(z, 'z').dup();
    const score = loss.bind({ labels, preOutput: z, activation, mask, average, gradient }).run();
    return { score, gradient: values(NDArray.from(gradient, 'gradient')) };
  }
  const { score, gradient } =
    way === 'async'
      ? await loss.computeGradientAndScoreAsync(labels, z, activation, mask, average, options)
      : loss.computeGradientAndScore(labels, z, activation, mask, average, options);
  return { score, gradient: values(gradient) };
}

const threads = getNumThreads();
afterAll(() => setNumThreads(threads));

test(`random calls agree with the oracle: ${RUNS} of them`, async () => {
  const property = fc.asyncProperty(calls, async (given) => {
    const { loss: row, activation, dtype, seed, width, weighted, average } = given;
    // The oracle is slow.
    const rows = Math.min(given.rows, Math.floor(3000 / width));
    const mask = masksFor(row).includes(given.mask) ? given.mask : 'none';
    const options = { rows, width, mask, weighted: weighted && row.weighted === true };
    const problem = makeProblem(row, activation, new Random(seed), options);
    const call = callFor(problem, dtype);
    const formed = (array: NDArray, i: number): ArrayInput => {
      const form = given.layouts[i] as string;
      // Nested numbers would be float32.
      const make = layouts[form === 'nested' && i === 0 && dtype === 'float64' ? 'plain' : form];
      return (make as (array: NDArray) => ArrayInput)(array);
    };
    const arrays = { z: formed(call.z, 0), labels: formed(call.labels, 1), mask: call.mask && formed(call.mask, 2) };
    // What has to be copied is nothing to be bound to, nor to be written to.
    const isCopied = given.layouts.map((form) => form === 'nested' || form === 'transposed');
    const way = isCopied.includes(true) && given.way === 'bound' ? 'plain' : given.way;
    const out = isCopied[0] && given.out === 'in place' ? 'given' : given.out;
    setNumThreads(given.threads);
    const got = await results({ ...call, ...arrays, loss: call.loss as LossMSE }, { average, out, way });
    const want = evaluate(problem);
    const scale = average && row.loss !== 'LossFMeasure' ? rows : 1;
    const magnitude = (want.scoreArray ?? [want.score]).reduce((total, value) => total + Math.abs(value), 0) / scale;
    const tolerance = againstOracle[dtype];
    expect([
      ...mismatches('score', [got.score], [want.score / scale], {
        relative: 0,
        absolute: tolerance.relative * magnitude,
      }),
      ...mismatches('gradient', got.gradient, want.gradient, tolerance),
    ]).toEqual([]);
  });
  await fc.assert(property, { numRuns: RUNS });
});
