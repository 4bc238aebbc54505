// SPDX-License-Identifier: Apache-2.0
// Which backend loads: the addon, WebAssembly in its place, or none, with what was tried and what to do.
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { describe as printed } from '../lib/errors';
import { runProgram } from './support/child';

const root = path.join(__dirname, '..');
const nothing = mkdtempSync(path.join(tmpdir(), 'simdloss-'));
afterAll(() => rmSync(nothing, { recursive: true }));

/** Tells what computes, its targets, and what was warned of. */
const REPORT = `
  const warnings = [];
  process.on('warning', ({ message }) => warnings.push(message));
  await turn();
  const score = new lib.LossMSE().computeScore([[1]], [[3]], 'identity');
  console.log(JSON.stringify({ backend: lib.backend, targets: lib.simd.supported, score, warnings }));
`;
// Whatever target this run is on, WebAssembly has its own.
const report = async (env: NodeJS.ProcessEnv) =>
  JSON.parse(await runProgram(REPORT, { SIMDLOSS_TARGET: undefined, ...env }));
/** An environment without an addon. */
const noAddon = (wanted = '') => ({ SIMDLOSS_PREBUILD: nothing, SIMDLOSS_BACKEND: wanted });

test.each(['gpu', 'Native', ' '])('SIMDLOSS_BACKEND of "%s" fails loudly', async (wanted) => {
  const expected = `SIMDLOSS_BACKEND: expected native or wasm, got ${printed(wanted)}`;
  await expect(report({ SIMDLOSS_BACKEND: wanted })).rejects.toThrow(expected);
});

test('an addon that is asked for and does not load fails loudly', async () => {
  const error = await report(noAddon('native')).catch((rejected: Error) => rejected.message);
  for (const part of [path.join(nothing, 'build', 'Release'), path.join(nothing, 'prebuilds'), 'What helps']) {
    expect(error).toContain(part);
  }
  expect(error).not.toContain('simdloss.wasm');
});

test('the addon loads without a warning', async () => {
  expect(await report({ SIMDLOSS_BACKEND: '' })).toMatchObject({ backend: 'native', score: 4, warnings: [] });
});

// scripts/test.mjs says so where it is not built.
if (existsSync(path.join(root, 'prebuilds', 'wasm', 'simdloss.wasm'))) {
  test('WebAssembly that is asked for loads without a warning', async () => {
    const targets = ['SCALAR', 'WASM'];
    expect(await report(noAddon('wasm'))).toEqual({ backend: 'wasm', targets, score: 4, warnings: [] });
  });

  test('without an addon WebAssembly computes, with one warning', async () => {
    const { backend, score, warnings } = await report(noAddon());
    expect({ backend, score }).toEqual({ backend: 'wasm', score: 4 });
    expect(warnings).toHaveLength(1);
    for (const part of [path.join(nothing, 'build', 'Release'), 'prebuilds', 'What helps', 'SIMDLOSS_BACKEND=wasm']) {
      expect(warnings[0]).toContain(part);
    }
  });
}
