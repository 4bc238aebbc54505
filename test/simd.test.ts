// SPDX-License-Identifier: Apache-2.0
import { spawnSync } from 'node:child_process';
import path from 'node:path';
import { backend, LossMCXENT, simd } from '../lib';
import { runProgram } from './support/child';
import { values } from './support/library';
import { callFor, lossRows, makeProblem, pairedActivation } from './support/problems';
import { Random } from './support/random';
import { mismatches, sameDtype } from './support/tolerance';

const chosen = simd.target;
afterEach(() => simd.force(chosen));

test('runs on a target that the CPU has, the best unless one is named', () => {
  expect(simd.supported).toContain('SCALAR');
  expect(new Set(simd.supported).size).toBe(simd.supported.length);
  expect(simd.target).toBe(process.env['SIMDLOSS_TARGET'] || simd.supported.at(-1));
});

test('every target gives the same results but for rounding', () => {
  const results = simd.supported.map((target) => {
    simd.force(target);
    expect(simd.target).toBe(target);
    return lossRows.flatMap((row) => {
      const problem = makeProblem(row, pairedActivation(row), new Random(row.loss), { rows: 9, width: 37 });
      const { loss, labels, z, activation } = callFor(problem, 'float64');
      return [values(loss.computeGradient(labels, z, activation))];
    });
  });
  const [first, ...others] = results as [number[][], ...number[][][]];
  for (const other of others) {
    expect(
      other.flatMap((gradient, i) => mismatches(`gradient ${i}`, gradient, first[i] ?? [], sameDtype.float64)),
    ).toEqual([]);
  }
});

test('an unknown target throws and changes nothing', () => {
  for (const name of ['', 'MMX', undefined, 3]) expect(() => simd.force(name as string)).toThrow(TypeError);
  expect(simd.target).toBe(chosen);
  expect(new LossMCXENT().computeScore([[0, 1]], [[0, 0]], 'softmax')).toBeCloseTo(Math.log(2), 6);
});

/** A property of `simd` in a process with that environment and those options. */
const load = (property: keyof typeof simd, env: NodeJS.ProcessEnv, options: readonly string[] = []) =>
  spawnSync(
    process.execPath,
    [...options, '-r', './scripts/register-ts.cjs', '-p', `require('./lib').simd.${property}`],
    { cwd: path.join(__dirname, '..'), env: { ...process.env, ...env }, encoding: 'utf8' },
  );

describe('SIMDLOSS_TARGET', () => {
  test.each([{ name: simd.supported[0] as string }, { name: simd.supported.at(-1) as string }])(
    '$name is taken',
    ({ name }) => {
      expect(load('target', { SIMDLOSS_TARGET: name }).stdout.trim()).toBe(name);
    },
  );

  test('a name that is no target fails loudly', () => {
    const { status, stderr } = load('target', { SIMDLOSS_TARGET: 'MMX' });
    expect(status).not.toBe(0);
    for (const part of ['SIMDLOSS_TARGET', 'MMX', 'SCALAR', 'ERR_OPTION']) expect(stderr).toContain(part);
  });
});

describe('machine code of expressions', () => {
  const hasCode = (target: string) => target === 'AVX2' || target === 'AVX3';

  test('is that of the target, if there is one', () => {
    for (const target of simd.supported) {
      simd.force(target);
      expect(simd.jit).toBe(hasCode(target) && process.env['SIMDLOSS_JIT'] !== '0');
    }
  });

  test.each([
    { name: 'SIMDLOSS_JIT=0', env: { SIMDLOSS_JIT: '0' }, options: [], jit: false },
    // Which has no WebAssembly.
    ...(backend === 'native'
      ? [{ name: '--jitless', env: { SIMDLOSS_JIT: '' }, options: ['--jitless'], jit: false }]
      : []),
    { name: 'SIMDLOSS_JIT=1', env: { SIMDLOSS_JIT: '1' }, options: [], jit: hasCode(chosen) },
  ])('$name', ({ env, options, jit }) => {
    expect(load('jit', env, options).stdout.trim()).toBe(String(jit));
  });

  test('a value that is neither fails loudly', () => {
    const { status, stderr } = load('jit', { SIMDLOSS_JIT: 'off' });
    expect(status).not.toBe(0);
    for (const part of ['SIMDLOSS_JIT', '0 or 1', 'off', 'ERR_OPTION']) expect(stderr).toContain(part);
  });

  test('gives what the interpreter gives, gradients to the bit', async () => {
    const program = `
      const loss = lib.defineLoss('all', (y, z, sd) => {
        const e = z.sub(y), size = e.abs();
        const far = sd.math.max(size.sub(0.25), e.neg().div(3));
        return sd.where(e.square().mul(0.5), far, size.lt(0.75))
          .add(sd.math.sign(e).mul(sd.math.sqrt(size.add(0.125)))).add(sd.math.floor(e.mul(4)));
      });
      const numbers = (f) => nd.create(Float32Array.from({ length: 77 * 9 }, (_, i) => f(i)), [77, 9]);
      const { score, gradient } = loss.computeGradientAndScore(
        numbers((i) => Math.sin(i)), numbers((i) => (i % 50 === 7 ? NaN : 2 * Math.cos(3 * i))), 'identity');
      console.log(JSON.stringify([score, gradient.toArray().map((row) => row.map(String))]));`;
    const coded = await runProgram(program, { SIMDLOSS_JIT: '1' });
    expect(coded).toContain('NaN');
    expect(coded).toBe(await runProgram(program, { SIMDLOSS_JIT: '0' }));
  });
});
