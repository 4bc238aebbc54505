// SPDX-License-Identifier: Apache-2.0
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { backend, version } from '../lib';

test("the version is the package's", () => {
  const file = path.join(__dirname, '..', 'package.json');
  expect(version).toBe(JSON.parse(readFileSync(file, 'utf8')).version);
});

test('the kernels run on the addon, unless WebAssembly is asked for', () => {
  expect(backend).toBe(process.env['SIMDLOSS_BACKEND'] || 'native');
});
