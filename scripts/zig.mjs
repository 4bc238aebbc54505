// SPDX-License-Identifier: Apache-2.0
// zig compiles C++ for WebAssembly and for every platform from one machine. It comes from PyPI, into build/zig/.
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import path from 'node:path';
import { cmake } from './cmake.mjs';
import { root, run } from './tools.mjs';

const VERSION = '0.17.1';

const folder = path.join(root, 'build', 'zig');
const python = path.join(folder, process.platform === 'win32' ? 'Scripts/python.exe' : 'bin/python');

/** Why zig can't be had here, after trying; undefined where it can. */
export async function withoutZig() {
  const found = existsSync(python) || spawnSync('python3', ['-c', 'import venv, ensurepip']).status === 0;
  if (!found) return 'python3 with venv and pip is missing (Debian: python3-venv)';
  return zig().then(
    () => undefined,
    (error) => error.message,
  );
}

/** zig's program, installed the first time; throws where that fails. */
export async function zig() {
  const question = 'import os, ziglang; print(os.path.dirname(ziglang.__file__))';
  const ask = () => spawnSync(python, ['-c', question], { encoding: 'utf8' });
  if (ask().status !== 0) {
    console.log(`zig: installing ziglang ${VERSION} into build/zig/ (80 MB)`);
    for (const [command, args] of [
      ['python3', ['-m', 'venv', folder]],
      [python, ['-m', 'pip', 'install', '--quiet', '--disable-pip-version-check', `ziglang==${VERSION}`]],
    ]) {
      const { ok, output } = await run(command, args);
      if (!ok) throw new Error(`zig: ${output}`);
    }
  }
  return path.join(ask().stdout.trim(), process.platform === 'win32' ? 'zig.exe' : 'zig');
}

/** Builds for a target of zig's in a folder below build/. True where it succeeded. */
export async function zigBuild(title, target, out, defines = {}) {
  const all = {
    CMAKE_TOOLCHAIN_FILE: path.join(root, 'cmake', 'zig.cmake'),
    SIMDLOSS_ZIG: await zig(),
    SIMDLOSS_ZIG_TARGET: target,
    ...defines,
  };
  // Compiled files and zig's own libraries, by target: minutes that are spent once.
  process.env.ZIG_GLOBAL_CACHE_DIR ??= path.join(root, 'build', 'zig-cache');
  process.env.ZIG_LOCAL_CACHE_DIR ??= process.env.ZIG_GLOBAL_CACHE_DIR;
  return cmake(title, '--out', out, ...Object.entries(all).map(([name, value]) => `--CD${name}=${value}`));
}
