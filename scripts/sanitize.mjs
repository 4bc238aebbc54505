// SPDX-License-Identifier: Apache-2.0
// The native tests under sanitizers, and the suite on a sanitized addon. Arguments: names of rows to run alone; `--record` puts
// what ran into docs/reliability.md.
//   threads  the tests that use several threads, under ThreadSanitizer
//   memory   all of them under AddressSanitizer and UndefinedBehaviorSanitizer
//   guards   of these those whose arrays lie at pages that must not be touched
//   suite    jest on the addon that was built for `memory`, which also watches the memory of JavaScript's arrays
import { mkdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { cmake } from './cmake.mjs';
import { record } from './reliability.mjs';
import { root, run, tool } from './tools.mjs';

const { values, positionals } = parseArgs({ allowPositionals: true, options: { record: { type: 'boolean' } } });

const MEMORY_TEST = 'test/samediff/memory';

/** Builds the native tests, and the addon, in a folder below build/. */
async function built(folder, sanitizers) {
  const defines = {
    // As `npm test` has it, so that neither builds what the other has built.
    SIMDLOSS_TESTS: 'ON',
    SIMDLOSS_WERROR: 'ON',
    SIMDLOSS_SANITIZE: sanitizers,
    // Where node-gyp-build looks for an addon when SIMDLOSS_PREBUILD is the folder.
    CMAKE_LIBRARY_OUTPUT_DIRECTORY: path.join(root, 'build', folder, 'build', 'Release'),
  };
  const flags = Object.entries(defines).map(([name, value]) => `--CD${name}=${value}`);
  if (!(await cmake(`build/${folder}`, '--out', `build/${folder}`, '--debug', ...flags))) throw new Error(folder);
}

/** What all native tests of a folder wrote, once they ran. */
const whole = new Map();

async function runTests(folder, filter) {
  const result = whole.get(folder) ?? (await run(path.join(root, 'build', folder, 'native_tests'), [filter]));
  if (filter === '') whole.set(folder, result);
  return result;
}

/** Runs native tests whose names hold a text: how many or which, with how many checks, where. */
async function nativeTests(folder, filter, named = false) {
  const { ok, output } = await runTests(folder, filter);
  const tests = [...output.matchAll(/^ok +(\w+): (\d+) checks/gm)].filter(([, name]) => name.includes(filter));
  const checks = tests.reduce((sum, [, , count]) => sum + Number(count), 0);
  const [, targets] = /^on (.*)\n\d+ passed, 0 failed\s*$/m.exec(output) ?? [];
  if (!ok || targets === undefined) throw new Error(output);
  const which = named ? tests.map(([, name]) => name).join(', ') : `${tests.length} tests`;
  return `${which}: ${checks.toLocaleString('en')} checks on ${targets.replaceAll(' ', ', ')}`;
}

const ROWS = {
  threads: {
    what: 'thread pool and calls on several threads, ThreadSanitizer',
    async run() {
      const folder = path.join(root, 'build', 'tsan');
      const options = ['-DCMAKE_BUILD_TYPE=Debug', '-DSIMDLOSS_TESTS=ON', '-DSIMDLOSS_SANITIZE=thread'];
      for (const args of [
        ['-S', root, '-B', folder, ...options],
        ['--build', folder, '--target', 'native_tests', '--parallel', '2'],
      ]) {
        if (!(await run('cmake', args, { live: true })).ok) throw new Error(`cmake ${args.join(' ')}`);
      }
      return nativeTests('tsan', 'Threads');
    },
  },
  memory: {
    what: 'native tests, AddressSanitizer and UndefinedBehaviorSanitizer',
    async run() {
      await built('asan', 'address,undefined');
      return nativeTests('asan', '');
    },
  },
  guards: {
    what: 'pages that must not be touched before and behind every array',
    async run() {
      await built('asan', 'address,undefined');
      return nativeTests('asan', 'Guarded', true);
    },
  },
  suite: {
    what: 'jest on the sanitized addon, AddressSanitizer and UndefinedBehaviorSanitizer',
    async run() {
      await built('asan', 'address,undefined');
      const library = await run(process.env.CXX ?? 'c++', ['-print-file-name=libasan.so']);
      const report = path.join(root, 'build', 'jest-sanitized.json');
      mkdirSync(path.dirname(report), { recursive: true });
      let passed = 0;
      for (const { files, options } of [
        { files: ['--testPathIgnorePatterns', 'node_modules', MEMORY_TEST], options: '' },
        // What it measures is not to be what AddressSanitizer keeps to find later uses of it.
        {
          files: [MEMORY_TEST],
          options: ':quarantine_size_mb=1:thread_local_quarantine_size_kb=64:malloc_context_size=1',
        },
      ]) {
        const { ok } = await tool('jest', ['--json', '--outputFile', report, '--silent', ...files], {
          live: true,
          env: {
            LD_PRELOAD: library.output.trim(),
            ASAN_OPTIONS: `detect_leaks=0${options}`,
            SIMDLOSS_PREBUILD: path.join(root, 'build', 'asan'),
          },
        });
        if (!ok) throw new Error('jest failed');
        passed += JSON.parse(readFileSync(report, 'utf8')).numPassedTests;
      }
      return `${passed.toLocaleString('en')} tests`;
    },
  },
};

for (const [name, { what, run: attempt }] of Object.entries(ROWS)) {
  if (positionals.length > 0 && !positionals.includes(name)) continue;
  const tried = await attempt();
  console.log(`${what}: ${tried}`);
  const row = { section: 'sanitizers', what, tried, result: 'no error', command: `npm run sanitize -- ${name}` };
  if (values.record) record([row]);
}
