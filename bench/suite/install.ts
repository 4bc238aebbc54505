// SPDX-License-Identifier: Apache-2.0
// Sets up what this package is compared with, in build/bench-peers. What can't be set up is left out, with a word.
import { spawnSync } from 'node:child_process';
import { copyFileSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { pathToFileURL } from 'node:url';

/** The repository; this file is compiled to build/js/bench/suite. */
export const root = path.join(__dirname, '..', '..', '..', '..');
const wanted = (file: string) => path.join(root, 'bench', 'peers', file);
const home = path.join(root, 'build', 'bench-peers');

/** Runs a program and lets its errors be seen; true where it succeeded. */
function succeeds(command: string, ...args: string[]): boolean {
  const { status, error } = spawnSync(command, args, { cwd: root, stdio: ['ignore', 'ignore', 'inherit'] });
  if (error) console.error(`bench: ${error.message}`);
  return status === 0;
}

/** Installs what `bench/peers/<file>` asks for, unless a record beside it shows that this was done. */
async function once(file: string, title: string, install: () => boolean | Promise<boolean>): Promise<boolean> {
  const record = path.join(home, `installed-${file}`);
  if (existsSync(record) && readFileSync(record, 'utf8') === readFileSync(wanted(file), 'utf8')) return true;
  console.error(`bench: installing ${title} into build/bench-peers`);
  mkdirSync(home, { recursive: true });
  if (!(await install())) {
    console.error(`bench: ${title} could not be installed (see above); it is left out`);
    return false;
  }
  writeFileSync(record, readFileSync(wanted(file)));
  return true;
}

/** The folder whose node_modules holds TensorFlow.js: `given`, or one that is filled here. */
export async function nodePeers(given: string | undefined): Promise<string | undefined> {
  if (given !== undefined) return path.resolve(given);
  const { npm } = (await import(pathToFileURL(path.join(root, 'scripts', 'tools.mjs')).href)) as {
    npm(args: readonly string[]): Promise<{ ok: boolean; output: string }>;
  };
  const isThere = await once('package.json', 'TensorFlow.js', async () => {
    copyFileSync(wanted('package.json'), path.join(home, 'package.json'));
    const quiet = ['--ignore-scripts', '--no-package-lock', '--no-audit', '--no-fund', '--loglevel=error'];
    const { ok, output } = await npm(['install', '--prefix', home, ...quiet]);
    if (!ok) console.error(output);
    return ok;
  });
  return isThere ? home : undefined;
}

/** A Python with the other peers: of the virtual environment `given`, or of one that is made here (about 6 GB). */
export async function pythonPeers(given: string | undefined): Promise<string | undefined> {
  const venv = given === undefined ? path.join(home, 'venv') : path.resolve(given);
  const python = path.join(venv, 'bin', 'python');
  if (given !== undefined) {
    if (existsSync(python)) return python;
    console.error(`bench: there is no bin/python in ${given}; the Python peers are left out`);
    return undefined;
  }
  const isThere = await once(
    'requirements.txt',
    'PyTorch, JAX, NumPy and ONNX Runtime (some GB)',
    () =>
      succeeds('python3', '-m', 'venv', venv) &&
      succeeds(python, '-m', 'pip', 'install', '--disable-pip-version-check', '-r', wanted('requirements.txt')),
  );
  return isThere ? python : undefined;
}

/** The stream test, compiled for this machine. */
export function streamTest(): string | undefined {
  const program = path.join(root, 'build', 'bench', 'stream');
  mkdirSync(path.dirname(program), { recursive: true });
  const source = path.join(root, 'bench', 'stream.c');
  const flags = ['-std=gnu11', '-O3', '-march=native', '-pthread'];
  if (succeeds(process.env['CC'] ?? 'cc', ...flags, source, '-o', program, '-lm')) return program;
  console.error('bench: the stream test could not be compiled; it is left out');
  return undefined;
}
