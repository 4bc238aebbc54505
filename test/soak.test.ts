// SPDX-License-Identifier: Apache-2.0
// `npm run soak`, a hundredth of it: memory that grows, workers whose results differ and interrupts that hang make it fail.
import { execFile } from 'node:child_process';
import path from 'node:path';
import { promisify } from 'node:util';

const script = path.join(__dirname, '..', 'scripts', 'soak.mjs');

test('many calls of every kind, workers one after another, interrupts', async () => {
  const args = ['--expose-gc', script, '--scale', '0.01', 'mixed', 'sequence', 'interrupts'];
  const { stdout } = await promisify(execFile)(process.execPath, args);
  expect(stdout.match(/^[a-z ]+: .+ \(\d+ s\): /gm)).toHaveLength(3);
});
