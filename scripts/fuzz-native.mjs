// SPDX-License-Identifier: Apache-2.0
// libFuzzer over what the addon calls, under AddressSanitizer and UndefinedBehaviorSanitizer: binding/fuzz. Needs Clang with its
// runtime library (Debian: clang, libclang-rt-dev); CXX names another. Arguments: `--seconds 600`; `--record` puts what ran into
// docs/reliability.md. What it finds to be worth trying again is kept in build/fuzzer/corpus, a crash in build/fuzzer.
import { mkdirSync } from 'node:fs';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { record } from './reliability.mjs';
import { root, run } from './tools.mjs';

const { values } = parseArgs({ options: { seconds: { type: 'string', default: '600' }, record: { type: 'boolean' } } });
const folder = path.join(root, 'build', 'fuzzer');
const corpus = path.join(folder, 'corpus');
mkdirSync(corpus, { recursive: true });

const compiler = `-DCMAKE_CXX_COMPILER=${process.env.CXX ?? 'clang++'}`;
const options = ['-DCMAKE_BUILD_TYPE=Debug', '-DSIMDLOSS_FUZZ=ON', '-DSIMDLOSS_SANITIZE=address,undefined'];
for (const args of [
  ['-S', root, '-B', folder, compiler, ...options],
  ['--build', folder, '--target', 'fuzzer', '--parallel', '2'],
]) {
  if (!(await run('cmake', args, { live: true })).ok) throw new Error(`cmake ${args.join(' ')}`);
}

let output = '';
const limits = [
  `-max_total_time=${values.seconds}`,
  '-max_len=400',
  '-timeout=20',
  '-rss_limit_mb=4096',
  '-print_final_stats=1',
];
const { ok } = await run(path.join(folder, 'fuzzer'), [...limits, `-artifact_prefix=${folder}/`, corpus], {
  onLine: (line) => {
    output += `${line}\n`;
    if (!line.startsWith('NEW_FUNC')) console.log(line);
  },
});
process.exitCode = ok ? 0 : 1;
if (values.record && ok) {
  const executions = Number(/number_of_executed_units: (\d+)/.exec(output)?.[1]);
  const features = [...output.matchAll(/ft: (\d+)/g)].pop()?.[1];
  record([
    {
      section: 'fuzz',
      what: 'native calls and programs from bytes, libFuzzer',
      tried: `${executions.toLocaleString('en')} executions, ${values.seconds} s, every SIMD target, ${features} features`,
      result: 'no error of AddressSanitizer or UndefinedBehaviorSanitizer',
      command: 'npm run fuzz:native',
    },
  ]);
}
