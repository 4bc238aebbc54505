// SPDX-License-Identifier: Apache-2.0
// From a fresh clone to a working package: checks the prerequisites, installs the dependencies, builds what is out of
// date. Runs before `npm test` and `npm start`; does nothing, quickly, where nothing is to do.
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { build } from './build.mjs';
import { npm, root } from './tools.mjs';

const answers = (command) => spawnSync(command, ['--version'], { stdio: 'ignore' }).status === 0;

/** How to install something here: its Debian and Fedora packages, its commands for macOS and Windows. */
function how(debian, fedora, mac, windows) {
  if (process.platform === 'darwin') return mac;
  if (process.platform === 'win32') return windows;
  return `sudo apt-get install ${debian} (Debian, Ubuntu) or sudo dnf install ${fedora} (Fedora)`;
}

function missingPrerequisites() {
  const missing = [];
  if (Number.parseInt(process.versions.node, 10) < 20) {
    missing.push(`Node 20 or later (this is ${process.versions.node}): https://nodejs.org`);
  }
  if (!answers('cmake')) {
    missing.push(`CMake: ${how('cmake', 'cmake', 'brew install cmake', 'winget install Kitware.CMake')}`);
  }
  const compilers = [process.env.CXX, 'c++', 'g++', 'clang++'].filter(Boolean);
  if (!compilers.some(answers)) {
    missing.push(
      `a C++17 compiler, GCC or Clang: ${how('g++', 'gcc-c++', 'xcode-select --install', 'winget install LLVM.LLVM')}`,
    );
  }
  if (process.platform === 'linux' && !answers('make') && !answers('ninja')) {
    missing.push(`make or ninja: ${how('make', 'make')}`);
  }
  return missing;
}

/** Whether node_modules holds what package-lock.json asks for. Times say nothing: a clone or a checkout changes them. */
function installed() {
  const record = path.join(root, 'node_modules', '.package-lock.json');
  if (!existsSync(record)) return false;
  const packagesOf = (file) => JSON.parse(readFileSync(file, 'utf8')).packages;
  const present = packagesOf(record);
  return Object.entries(packagesOf(path.join(root, 'package-lock.json'))).every(
    ([where, { version, optional }]) => where === '' || optional || present[where]?.version === version,
  );
}

const missing = missingPrerequisites();
if (missing.length > 0) {
  console.error(`simdloss cannot be built here. Please install:\n${missing.map((line) => `  - ${line}`).join('\n')}`);
  process.exit(1);
}
if (!installed()) {
  console.log('setup: installing the dependencies (npm ci)');
  const { ok, output } = await npm(['ci', '--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error']);
  if (!ok) {
    console.error(`${output}\nsimdloss: npm ci failed (see above). It needs the npm registry.`);
    process.exit(1);
  }
}
process.exit((await build()) ? 0 : 1);
