// SPDX-License-Identifier: Apache-2.0
// Builds what is out of date: build/Release/simdloss.node by CMake, dist/ by TypeScript. Arguments: native, lib.
import { rmSync } from 'node:fs';
import path from 'node:path';
import { bundleWasm, isWasmBuilt } from './build-wasm.mjs';
import { cmake } from './cmake.mjs';
import { changed, files, isMain, root, tool } from './tools.mjs';

async function buildLib() {
  // Folders too: removing a file changes only its folder.
  const sources = files('lib').flatMap((file) => [file, path.dirname(file)]);
  sources.push('tsconfig.json', 'tsconfig.build.json', 'scripts/write-esm.mjs');
  const last = 'dist/index.mjs';
  if (sources.every((source) => changed(source) < changed(last))) return true;
  console.log('build: dist/');
  rmSync(path.join(root, 'dist'), { recursive: true, force: true });
  const { ok, output } = await tool('typescript', ['--project', 'tsconfig.build.json']);
  if (!ok) {
    console.error(output);
    return false;
  }
  const { writeEsm } = await import('./write-esm.mjs');
  writeEsm();
  if (isWasmBuilt()) await bundleWasm();
  return true;
}

/** True where all of it succeeded. */
export async function build(parts = ['native', 'lib']) {
  if (parts.includes('native') && !(await cmake('the addon'))) return false;
  return !parts.includes('lib') || buildLib();
}

if (isMain(import.meta.url)) {
  const parts = process.argv.slice(2);
  process.exitCode = (await build(parts.length > 0 ? parts : undefined)) ? 0 : 1;
}
