// SPDX-License-Identifier: Apache-2.0
// The WebAssembly module, prebuilds/wasm/simdloss.wasm, from the same C++ as the addon; and dist/wasm.mjs with
// dist/wasm.cjs, the whole library on it in one file each, for browsers.
import { copyFileSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { writeLicences } from './licences.mjs';
import { changed, isMain, root } from './tools.mjs';
import { withoutZig, zigBuild } from './zig.mjs';

const wasmFile = 'prebuilds/wasm/simdloss.wasm';

/** The module. True where it succeeded. */
export async function buildWasm() {
  const out = 'build/wasm';
  if (!(await zigBuild('WebAssembly', 'wasm32-wasi', out, { SIMDLOSS_WASM: 'ON' }))) return false;
  mkdirSync(path.join(root, path.dirname(wasmFile)), { recursive: true });
  copyFileSync(path.join(root, out, 'simdloss.wasm'), path.join(root, wasmFile));
  await writeLicences();
  return true;
}

/** Takes lib/wasm/runtime.ts for lib/runtime.ts. */
const inBrowsers = {
  name: 'in browsers',
  setup(build) {
    build.onResolve({ filter: /\/runtime$/ }, ({ resolveDir }) => {
      return resolveDir.endsWith('wasm') ? undefined : { path: path.join(root, 'lib', 'wasm', 'runtime.ts') };
    });
    build.onResolve({ filter: /\.wasm$/ }, () => ({ path: path.join(root, wasmFile) }));
  },
};

/** Is there a module? */
export const isWasmBuilt = () => changed(wasmFile) !== 0;

/** The library for browsers. The module's bytes are in the file: no bundler, server or fetch has to find a second one. */
export async function bundleWasm() {
  const { build } = await import('esbuild');
  const { version } = JSON.parse(readFileSync(path.join(root, 'package.json'), 'utf8'));
  for (const [format, extension] of [
    ['esm', 'mjs'],
    ['cjs', 'cjs'],
  ]) {
    await build({
      absWorkingDir: root,
      entryPoints: ['lib/index.ts'],
      outfile: `dist/wasm.${extension}`,
      bundle: true,
      format,
      platform: 'neutral',
      target: 'es2022',
      minifySyntax: true,
      minifyWhitespace: true,
      loader: { '.wasm': 'binary' },
      define: { SIMDLOSS_VERSION: JSON.stringify(version) },
      plugins: [inBrowsers],
    });
    writeFileSync(
      path.join(root, 'dist', `wasm.d.${extension === 'mjs' ? 'mts' : 'cts'}`),
      "export * from './index.js';\n",
    );
  }
}

/** Both, or the reason why they can't be built here. Throws where they should be and are not. */
export async function buildOrSayWhyNot() {
  const missing = await withoutZig();
  if (missing !== undefined) return missing;
  if (!(await buildWasm())) throw new Error('build: WebAssembly failed');
  await bundleWasm();
  return undefined;
}

if (isMain(import.meta.url)) {
  const missing = await buildOrSayWhyNot();
  if (missing !== undefined) console.error(`build: no WebAssembly: ${missing}`);
  process.exitCode = missing === undefined ? 0 : 1;
}
