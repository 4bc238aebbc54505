// SPDX-License-Identifier: Apache-2.0
// The random tests in their long form: fast-check prints the seed of what fails. Arguments: patterns of files, all of them if
// none is given; `--record` puts what ran into docs/reliability.md.
import { mkdirSync, readFileSync, rmSync } from 'node:fs';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { record } from './reliability.mjs';
import { root, tool } from './tools.mjs';

const FILES = ['test/fuzz/arguments', 'test/fuzz/values', 'test/samediff/random-graphs'];

const { values, positionals } = parseArgs({ allowPositionals: true, options: { record: { type: 'boolean' } } });
const report = path.join(root, 'build', 'fuzz.json');
mkdirSync(path.dirname(report), { recursive: true });
rmSync(report, { force: true });
const chosen = positionals.length > 0 ? positionals : FILES;
// One test takes as long as it takes.
const args = ['--json', '--outputFile', report, '--testTimeout', '86400000', ...chosen];
const { ok } = await tool('jest', args, { live: true, env: { SIMDLOSS_FULL: '1' } });
process.exitCode = ok ? 0 : 1;

if (values.record) {
  const { testResults } = JSON.parse(readFileSync(report, 'utf8'));
  // Tests that say how many cases they try: "title: 10000 of them".
  const rows = testResults.flatMap(({ assertionResults }) =>
    assertionResults.flatMap(({ fullName, status, duration }) => {
      const [, what, count] = /^(.*): (\d+) of them$/.exec(fullName) ?? [];
      if (what === undefined) return [];
      const tried = `${Number(count).toLocaleString('en')} cases, ${(duration / 1000).toFixed(0)} s`;
      return [{ section: 'fuzz', what, tried, result: status, command: 'npm run fuzz' }];
    }),
  );
  record(rows);
}
