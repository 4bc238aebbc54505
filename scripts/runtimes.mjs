// SPDX-License-Identifier: Apache-2.0
// Runtimes to try the package on: from npm and PyPI, into build/runtimes/; emulators and loaders are the system's.
import { spawnSync } from 'node:child_process';
import { copyFileSync, existsSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { fileOf } from './prebuild.mjs';
import { npm, root, run } from './tools.mjs';

/** Where they are. */
export const folder = path.join(root, 'build', 'runtimes');

const answers = (command) => spawnSync(command, ['--version'], { stdio: 'ignore' }).status === 0;

const folderOf = (from) => path.join(folder, from.replaceAll(/[^A-Za-z0-9.]+/g, '-'));

/** The folder of a package of npm, installed the first time; or why there is none, as `missing`. */
async function fromNpm(from, file) {
  const prefix = folderOf(from);
  const place = path.join(prefix, 'node_modules', from.replace(/(?<=.)@.*$/, ''));
  if (existsSync(path.join(place, file))) return { place };
  mkdirSync(prefix, { recursive: true });
  writeFileSync(path.join(prefix, 'package.json'), '{ "private": true }\n');
  const flags = ['--prefix', prefix, '--force', '--ignore-scripts', '--no-audit', '--no-fund', '--no-save'];
  const { ok, output } = await npm(['install', ...flags, from]);
  return ok ? { place } : { missing: output.trim().split('\n')[0] };
}

/** The same of a wheel, which is for another system than this one. */
async function fromPyPI({ wheel, platform, file, libraries }) {
  const place = folderOf(`${wheel}-${platform}`);
  if (existsSync(path.join(place, file))) return { place };
  const python = (...args) => run('python3', ['-m', ...args]);
  const quiet = ['--quiet', '--disable-pip-version-check', '--no-deps', '--only-binary', ':all:'];
  const got = await python('pip', 'download', ...quiet, '--platform', platform, '--dest', place, wheel);
  if (!got.ok) return { missing: got.output.trim().split('\n')[0] };
  const archive = readdirSync(place).find((name) => name.endsWith('.whl'));
  const unpacked = await python('zipfile', '-e', path.join(place, archive), place);
  if (!unpacked.ok) return { missing: unpacked.output };
  // A zip has no modes; the libraries have names of their own, by which only this Node finds them.
  spawnSync('chmod', ['+x', path.join(place, file)]);
  for (const name of readdirSync(path.join(place, libraries))) {
    const plain = name.replace(/-[0-9a-f]+\.so\.(\d+).*$/, '.so.$1');
    copyFileSync(path.join(place, libraries, name), path.join(place, libraries, plain));
  }
  return { place };
}

/** What comes before the runtime's own arguments, or why it can't run here, as `missing`. */
export async function commandOf(row) {
  const { from, file, runner, runnerArgs = [], target, needs, rename, hint } = row;
  const tools = row.browser ?? runner;
  const tool = tools?.find(answers);
  if (tools !== undefined && tool === undefined) return { missing: `no ${tools[0]} (Debian: ${hint})` };
  if (row.browser !== undefined) return { command: [tool] };
  if (needs !== undefined && !existsSync(needs)) return { missing: `no ${needs} (Debian: ${hint})` };
  if (target !== undefined && !existsSync(path.join(root, fileOf(target)))) {
    return { missing: `no ${fileOf(target)} (npm run prebuild:all ${target})` };
  }
  const { place, missing } = from === undefined ? await fromPyPI(row) : await fromNpm(from, file);
  if (missing !== undefined) return { missing: `not installed: ${missing}` };
  let program = path.join(place, file);
  if (rename !== undefined) {
    copyFileSync(program, path.join(path.dirname(program), rename));
    program = path.join(path.dirname(program), rename);
  }
  return { command: tool === undefined ? [program] : [tool, ...runnerArgs, program] };
}

/** Where the libraries are that the distribution would have. */
export async function libraryEnv({ libraryPath }) {
  if (libraryPath === undefined) return {};
  const { place } = await fromPyPI(libraryPath);
  return { LD_LIBRARY_PATH: path.join(place ?? '', libraryPath.libraries) };
}
