// SPDX-License-Identifier: Apache-2.0
import { spawnSync } from 'node:child_process';
import path from 'node:path';
import { LossMCXENT, simd } from '../lib';
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

describe('SIMDLOSS_TARGET', () => {
  const load = (target: string) =>
    spawnSync(process.execPath, ['-r', './scripts/register-ts.cjs', '-p', `require('./lib').simd.target`], {
      cwd: path.join(__dirname, '..'),
      env: { ...process.env, SIMDLOSS_TARGET: target },
      encoding: 'utf8',
    });

  test.each([{ name: simd.supported[0] as string }, { name: simd.supported.at(-1) as string }])(
    '$name is taken',
    ({ name }) => {
      expect(load(name).stdout.trim()).toBe(name);
    },
  );

  test('a name that is no target fails loudly', () => {
    const { status, stderr } = load('MMX');
    expect(status).not.toBe(0);
    for (const part of ['SIMDLOSS_TARGET', 'MMX', 'SCALAR', 'ERR_OPTION']) expect(stderr).toContain(part);
  });
});
