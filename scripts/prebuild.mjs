#!/usr/bin/env node
// SPDX-License-Identifier: Apache-2.0
// prebuilds/: the addon for every platform, from one Linux machine, by prebuildify, which runs this file in place of
// node-gyp, which runs cmake-js with zig. Arguments: some of the names in TARGETS; all if none are given.
import { existsSync, mkdirSync, statSync } from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import { promisify } from 'node:util';
import { buildWasm } from './build-wasm.mjs';
import { faultsOf } from './inspect-addon.mjs';
import { isMain, root } from './tools.mjs';
import { zigBuild } from './zig.mjs';

const require = createRequire(import.meta.url);

/** By platform, architecture and C library: zig's names. glibc 2.17 is that of RHEL 7. */
const TARGETS = {
  'linux-x64-glibc': 'x86_64-linux-gnu.2.17',
  'linux-arm64-glibc': 'aarch64-linux-gnu.2.17',
  'linux-x64-musl': 'x86_64-linux-musl',
  'linux-arm64-musl': 'aarch64-linux-musl',
  'darwin-x64': 'x86_64-macos.11.0',
  'darwin-arm64': 'aarch64-macos.11.0',
  'win32-x64': 'x86_64-windows-gnu',
  'win32-arm64': 'aarch64-windows-gnu',
};

/** Where prebuildify puts a target's addon. */
export function fileOf(name) {
  const [platform, arch, libc] = name.split('-');
  return path.join('prebuilds', `${platform}-${arch}`, `simdloss${libc ? `.${libc}` : ''}.node`);
}

/** All that belongs into the package. */
export const prebuilt = ['prebuilds/wasm/simdloss.wasm', ...Object.keys(TARGETS).map(fileOf)];

/** In place of node-gyp: the target in PREBUILD_TARGET, to build/Release of the current folder. */
async function inPlaceOfNodeGyp(name) {
  return zigBuild(name, TARGETS[name], path.join(process.cwd(), 'build'), {
    SIMDLOSS_NODE_API_DEF: require('node-api-headers').def_paths.node_api_def,
    CMAKE_JS_NODELIB_DEF: '',
  });
}

async function prebuild(name) {
  const [platform, arch, libc] = name.split('-');
  const cwd = path.join(root, 'build', 'prebuild', name);
  mkdirSync(cwd, { recursive: true });
  process.env.PREBUILD_TARGET = name;
  await promisify(require('prebuildify'))({
    name: 'simdloss',
    napi: true,
    targets: [process.versions.node],
    platform,
    arch,
    libc,
    tagLibc: libc !== undefined,
    cwd,
    out: root,
    nodeGyp: path.join(root, 'scripts', 'prebuild.mjs'),
  });
  const faults = faultsOf(name, path.join(root, fileOf(name)));
  if (faults.length > 0) throw new Error(`${name}: ${faults.join('; ')}`);
}

async function main(names) {
  const unknown = names.filter((name) => name !== 'wasm' && !(name in TARGETS));
  if (unknown.length > 0) throw new Error(`no target: ${unknown}; there are wasm, ${Object.keys(TARGETS).join(', ')}`);
  if (names.includes('wasm') && !(await buildWasm())) throw new Error('wasm: not built');
  for (const name of names.filter((each) => each !== 'wasm')) await prebuild(name);
  const table = prebuilt.map((file) => ({ file, KiB: existsSync(path.join(root, file)) ? sizeOf(file) : 'missing' }));
  console.table(table);
}

const sizeOf = (file) => Math.round(statSync(path.join(root, file)).size / 1024);

async function start() {
  const [first, ...more] = process.argv.slice(2);
  const inner = process.env.PREBUILD_TARGET;
  if (inner && first === 'rebuild') return inPlaceOfNodeGyp(inner);
  await main(first === undefined ? ['wasm', ...Object.keys(TARGETS)] : [first, ...more]);
  return first !== undefined || prebuilt.every((file) => existsSync(path.join(root, file)));
}

if (isMain(import.meta.url)) process.exitCode = (await start()) ? 0 : 1;
