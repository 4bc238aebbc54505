// SPDX-License-Identifier: Apache-2.0
// libFuzzer over what the addon calls, under AddressSanitizer and UndefinedBehaviorSanitizer: binding/fuzz. Needs Clang with its
// runtime library (Debian: clang, libclang-rt-dev); CXX names another. Arguments: `--seconds 600`; `--record` puts what ran into
// docs/reliability.md; `--keep` puts into binding/fuzz/corpus.txt, from which it starts, those inputs that reach every branch
// that was found. The rest stays in build/fuzzer/corpus, a crash in build/fuzzer.
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { record } from './reliability.mjs';
import { root, run } from './tools.mjs';

const { values } = parseArgs({
  options: { seconds: { type: 'string', default: '600' }, record: { type: 'boolean' }, keep: { type: 'boolean' } },
});
const folder = path.join(root, 'build', 'fuzzer');
const corpus = path.join(folder, 'corpus');
mkdirSync(corpus, { recursive: true });
// A line for each input, in hexadecimal: the native tests run them all.
const kept = path.join(root, 'binding', 'fuzz', 'corpus.txt');
for (const [i, line] of readFileSync(kept, 'utf8').trim().split('\n').entries()) {
  if (line.startsWith('#')) continue;
  writeFileSync(path.join(corpus, `kept-${i}`), Buffer.from(line, 'hex'));
}

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
if (values.keep && ok) {
  const least = path.join(folder, 'least');
  rmSync(least, { recursive: true, force: true });
  mkdirSync(least);
  // Branches alone, not how often they were taken: a tenth of the inputs.
  const options = ['-set_cover_merge=1', '-use_counters=0', '-max_len=160'];
  if (!(await run(path.join(folder, 'fuzzer'), [...options, least, corpus], { live: true })).ok)
    throw new Error('merge');
  const lines = readdirSync(least).map((name) => readFileSync(path.join(least, name)).toString('hex'));
  writeFileSync(kept, `# npm run fuzz:native -- --keep\n${lines.sort().join('\n')}\n`);
}
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
