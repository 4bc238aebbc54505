// SPDX-License-Identifier: Apache-2.0
// What the library takes from Node, Bun or Deno. lib/wasm/runtime.ts takes its place in browsers.
import { readFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import path from 'node:path';
import { optionError } from './errors';
import type { NativeAddon } from './native';
import { wasmBackend } from './wasm/wasm-backend';

/** What the kernels run on. */
export interface Backend {
  readonly addon: NativeAddon;
  readonly backend: 'native' | 'wasm';
}

const root = path.join(__dirname, '..');

/** A variable of the environment; undefined where it is empty. */
export function environment(name: string): string | undefined {
  return process.env[name] || undefined;
}

/** Has the runtime been told to make no machine code? */
export function isJitless(): boolean {
  return [...process.execArgv, process.env['NODE_OPTIONS']].some((option) => option?.includes('--jitless'));
}

/** Lets the event loop turn. */
export function nextTurn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

/** How many threads can run at once. */
export const parallelism: () => number = availableParallelism;

/** The package's version, as in package.json. */
export const version: string = (require('../package.json') as { version: string }).version;

const wasmFile = path.join(root, 'prebuilds', 'wasm', 'simdloss.wasm');

const RESULT = {
  none: `nothing to compute with on ${process.platform} ${process.arch}.`,
  wasm: `no addon for ${process.platform} ${process.arch}; WebAssembly computes, slower and on one thread.`,
};

/** What to do. */
const HELP = [
  'What helps:',
  '  node_modules made on another system, or with files left out: install again on this one',
  '  a platform without a prebuilt addon: "npm run build" in a clone of the repository',
  '  SIMDLOSS_BACKEND=wasm in the environment: WebAssembly, without this message',
].join('\n');

function loadNative(): Backend {
  return { addon: require('node-gyp-build')(root) as NativeAddon, backend: 'native' };
}

function loadWasm(): Backend {
  return { addon: wasmBackend(new Uint8Array(readFileSync(wasmFile)), nextTurn), backend: 'wasm' };
}

/**
 * The addon; where none loads, the WebAssembly module, with a warning. SIMDLOSS_BACKEND, `native` or `wasm`, allows only
 * one of the two.
 */
export function load(): Backend {
  const wanted = environment('SIMDLOSS_BACKEND');
  if (wanted !== undefined && wanted !== 'native' && wanted !== 'wasm') {
    throw optionError('SIMDLOSS_BACKEND', 'native or wasm', wanted);
  }
  const tried: string[] = [];
  const attempt = (backend: 'native' | 'wasm', where: readonly string[], open: () => Backend): Backend | undefined => {
    if (wanted !== undefined && wanted !== backend) return undefined;
    try {
      return open();
    } catch (error) {
      tried.push(...where.map((place) => `  ${place}`), `    ${(error as Error).message.split('\n')[0]}`);
      return undefined;
    }
  };
  const folders = ['build/Release', 'build/Debug', `prebuilds/${process.platform}-${process.arch}`];
  // As node-gyp-build looks for it.
  const from = environment('SIMDLOSS_PREBUILD') ?? root;
  const addon = attempt(
    'native',
    folders.map((folder) => path.join(from, folder)),
    loadNative,
  );
  if (addon !== undefined) return addon;
  const wasm = attempt('wasm', [wasmFile], loadWasm);
  const report = () => `simdloss: ${RESULT[wasm === undefined ? 'none' : 'wasm']} Tried:\n${tried.join('\n')}\n${HELP}`;
  if (wasm === undefined) throw new Error(report());
  if (tried.length > 0) process.emitWarning(report());
  return wasm;
}
