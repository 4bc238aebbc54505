// SPDX-License-Identifier: Apache-2.0
// lib/runtime.ts for browsers and edge runtimes: WebAssembly alone, its bytes part of the program, nothing of Node.
import type { Backend } from '../runtime';
import bytes from './simdloss.wasm';
import { wasmBackend } from './wasm-backend';

/** Put in by scripts/build-wasm.mjs. */
declare const SIMDLOSS_VERSION: string;

/** The package's version, as in package.json. */
export const version: string = SIMDLOSS_VERSION;

/** There is no environment. */
export function environment(_name: string): undefined {
  return undefined;
}

/** WebAssembly is all there is. */
export function isJitless(): boolean {
  return true;
}

declare const MessageChannel: new () => {
  readonly port1: { onmessage: (() => void) | null };
  readonly port2: { postMessage(message: unknown): void };
};

function makeNextTurn(): (callback: () => void) => void {
  // Node's own; elsewhere a message's turn, which comes at once: browsers make timers in a row wait 4 ms.
  if (typeof setImmediate === 'function') return setImmediate;
  const waiting: (() => void)[] = [];
  const { port1, port2 } = new MessageChannel();
  port1.onmessage = () => waiting.shift()?.();
  return (callback) => {
    waiting.push(callback);
    port2.postMessage(null);
  };
}

const onNextTurn = makeNextTurn();

/** Lets the event loop turn. */
export function nextTurn(): Promise<void> {
  return new Promise((resolve) => onNextTurn(resolve));
}

/** The module has one thread. */
export const parallelism = (): number => 1;

export const load = (): Backend => ({ addon: wasmBackend(bytes, nextTurn), backend: 'wasm' });
