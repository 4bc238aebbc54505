// SPDX-License-Identifier: Apache-2.0
// Calls off the event loop. They start in the order they were made, a few of them hold memory, one computes. What must
// happen on the event loop is cut into slices: reading the arguments' memory, and writing `out`.
import type { OutOption } from '../activations/iactivation';
import type { MatrixView, TypedArray } from '../array-input';
import { bufferError, optionError } from '../errors';
import { type AsyncCall, failureOf, native, type Result, slots, writeDtypes } from '../native';
import { NDArray } from '../ndarray/ndarray';
import { allocate, type FloatDtype, type Output } from '../outputs';
import { nextTurn } from '../runtime';

/** Bytes copied in one turn of the event loop: 0.1 ms, 0.3 ms where the system has to make the memory first. */
const SLICE_BYTES = 2 ** 20;
/**
 * Calls that hold memory at once: one that computes, one whose result is copied out, and two whose arguments are copied
 * in, so that the cores need not wait for the event loop. All others wait without.
 */
const MOST_CALLS = 4;
/** Bytes that they hold together; a larger call runs alone. Three of 8192 x 1000 float32. */
const MOST_BYTES = 256 * 2 ** 20;
/** Calls that compute at once: each uses all cores already, and libuv's other threads are for files and names. */
const MOST_RUNNING = 1;
/**
 * Smaller results are copied into ordinary buffers, as those over native memory can't be transferred to other threads.
 * Copying makes a call take 1.2 times as long for 256 KiB, 2.4 times for 512.
 */
const LEAST_TAKEN_BYTES = 256 * 2 ** 10;

const { block } = native;

/** Options of the methods off the event loop. */
export interface AsyncOptions extends OutOption {
  /** Gives the call up: its promise rejects with the signal's reason at once, and `out` is left as it is. */
  readonly signal?: AbortSignal | undefined;
}

/** A checked call, as it waits for its turn. */
export interface QueuedCall {
  /** What the kernel reads: the arrays that `begin` passes, in their order. */
  readonly inputs: readonly (TypedArray | undefined)[];
  /** Memory that it takes, at most. */
  readonly bytes: number;
  /** Makes the native call. */
  readonly begin: () => AsyncCall | number;
  /** The score of a call that has run; throws its error. */
  readonly score: (status: Result) => number;
  /** The array asked for, besides the score. */
  readonly result: QueuedResult | undefined;
}

/** An array that a call computes. */
export interface QueuedResult {
  readonly dtype: FloatDtype;
  readonly shape: readonly number[];
  readonly rows: number;
  readonly cols: number;
  /** The caller's `out`, where given. */
  readonly out: Output | undefined;
}

/** What a call came to. */
export interface Settled {
  readonly score: number;
  readonly array: NDArray | undefined;
}

/** Reads the options, each once; throws the reason of a signal that has aborted. */
export function readAsyncOptions(options: unknown): { out: unknown; signal: AbortSignal | undefined } {
  if (options === undefined || options === null) return { out: undefined, signal: undefined };
  if (typeof options !== 'object') throw optionError('options', 'an object', options);
  const read: Record<string, unknown> = {};
  for (const key of Object.keys(options)) {
    if (key !== 'out' && key !== 'signal') throw optionError('options', 'the names out and signal', key);
    read[key] = (options as Record<string, unknown>)[key];
  }
  const signal = readSignal(read['signal']);
  throwIfAborted(signal);
  return { out: read['out'], signal };
}

/** A signal, or undefined when not given. */
export function readSignal(value: unknown): AbortSignal | undefined {
  const signal = value ?? undefined;
  if (signal !== undefined && !isSignal(signal)) throw optionError('signal', 'an AbortSignal', signal);
  return signal;
}

/** Of any realm. */
function isSignal(value: unknown): value is AbortSignal {
  const signal = value as AbortSignal;
  return (
    typeof value === 'object' && typeof signal.aborted === 'boolean' && typeof signal.addEventListener === 'function'
  );
}

/** Throws the reason of a signal that has aborted. */
export function throwIfAborted(signal: AbortSignal | undefined): void {
  if (signal?.aborted) throw signal.reason;
}

/** Bytes of a matrix without its gaps. */
export function bytesOf(matrix: MatrixView | undefined): number {
  return matrix === undefined ? 0 : matrix.rows * matrix.cols * matrix.data.BYTES_PER_ELEMENT;
}

// --- The queue ---

/** Lets calls pass in order, as many at once as fit. */
class Gate {
  private calls = 0;
  private bytes = 0;
  private readonly waiting: { readonly bytes: number; readonly enter: () => void }[] = [];

  constructor(
    private readonly mostCalls: number,
    private readonly mostBytes: number,
  ) {}

  /** Resolves when it is the call's turn. */
  enter(bytes: number): Promise<void> {
    return new Promise((enter) => {
      this.waiting.push({ bytes, enter });
      this.admit();
    });
  }

  leave(bytes: number): void {
    this.calls -= 1;
    this.bytes -= bytes;
    this.admit();
  }

  private admit(): void {
    for (let next = this.waiting[0]; next !== undefined; next = this.waiting[0]) {
      const fits = this.calls < this.mostCalls && this.bytes + next.bytes <= this.mostBytes;
      if (!fits && this.calls > 0) return;
      this.waiting.shift();
      this.calls += 1;
      this.bytes += next.bytes;
      next.enter();
    }
  }
}

const memory = new Gate(MOST_CALLS, MOST_BYTES);
const kernel = new Gate(MOST_RUNNING, Number.POSITIVE_INFINITY);

// --- Slices ---

let copied = 0;
let copiers: (() => void)[] = [];

function nextSlice(): void {
  const woken = copiers;
  copied = 0;
  copiers = [];
  for (const wake of woken) wake();
}

/** Calls `copy` until it says 0, a slice in each turn of the event loop, all calls' copies together. */
async function inSlices(copy: () => number, name: string, signal?: AbortSignal): Promise<void> {
  for (;;) {
    while (copied >= SLICE_BYTES) await new Promise<void>((wake) => copiers.push(wake));
    throwIfAborted(signal);
    // Enough for an element.
    block[slots.mostBytes] = Math.max(SLICE_BYTES - copied, 8);
    const bytes = copy();
    if (bytes < 0) throw bufferError(name, 'memory until the call has settled', 'a buffer that was detached or shrunk');
    if (bytes === 0) return;
    if (copied === 0) nextTurn().then(nextSlice);
    copied += bytes;
  }
}

// --- A call ---

/** Runs a call when its turn comes. The promise settles on an abort at once; what is under way ends by itself. */
export function runQueued(call: QueuedCall, signal: AbortSignal | undefined): Promise<Settled> {
  return abortable(signal, async (commit) => {
    await memory.enter(call.bytes);
    let running: AsyncCall | undefined;
    try {
      throwIfAborted(signal);
      const begun = call.begin();
      if (typeof begun === 'number') throw failureOf(begun);
      running = begun;
      await inSlices(() => native.asyncCopyIn(begun, ...call.inputs), 'input', signal);
      await compute(running, signal);
      const score = call.score(native.asyncResult(running));
      // From here on `out` is written: it is too late for an abort.
      commit();
      return { score, array: call.result && (await deliver(running, call.result)) };
    } finally {
      if (running !== undefined) native.asyncRelease(running);
      memory.leave(call.bytes);
    }
  });
}

/** Runs JavaScript in a turn of its own, when the calls before it have begun. */
export function runOnEventLoop<T>(run: () => T, signal: AbortSignal | undefined): Promise<T> {
  return abortable(signal, async () => {
    await memory.enter(0);
    try {
      await nextTurn();
      throwIfAborted(signal);
      return run();
    } finally {
      memory.leave(0);
    }
  });
}

/** Settles as `work` does, or rejects when the signal aborts before `commit`. */
function abortable<T>(signal: AbortSignal | undefined, work: (commit: () => void) => Promise<T>): Promise<T> {
  if (signal === undefined) return work(() => {});
  return new Promise((resolve, reject) => {
    const commit = onAbort(signal, () => reject(signal.reason));
    work(commit).then(resolve, reject).finally(commit);
  });
}

/** What each signal's abort gives up. One listener a signal: Node warns of a leak where there are more than ten. */
const aborts = new WeakMap<AbortSignal, { readonly calls: Set<() => void>; readonly abort: () => void }>();

/** Calls `give` when the signal aborts, unless the function that it returns was called before. */
function onAbort(signal: AbortSignal, give: () => void): () => void {
  let entry = aborts.get(signal);
  if (entry === undefined) {
    const calls = new Set<() => void>();
    const abort = () => {
      for (const each of calls) each();
    };
    entry = { calls, abort };
    aborts.set(signal, entry);
    signal.addEventListener('abort', abort, { once: true });
  }
  const { calls, abort } = entry;
  calls.add(give);
  return () => {
    if (!calls.delete(give) || calls.size > 0) return;
    aborts.delete(signal);
    signal.removeEventListener('abort', abort);
  };
}

function copyOut(call: AsyncCall, { data, rowStride }: Output): number {
  block[slots.outStride] = rowStride;
  writeDtypes(undefined, data);
  return native.asyncCopyOut(call, data);
}

async function compute(call: AsyncCall, signal: AbortSignal | undefined): Promise<void> {
  await kernel.enter(0);
  try {
    throwIfAborted(signal);
    await native.asyncRun(call);
  } finally {
    kernel.leave(0);
  }
  throwIfAborted(signal);
}

/** The result in `out`, or in a fresh array. */
async function deliver(call: AsyncCall, result: QueuedResult): Promise<NDArray> {
  const { dtype, shape, rows, cols } = result;
  const bytes = rows * cols * (dtype === 'float32' ? 4 : 8);
  if (result.out === undefined && bytes >= LEAST_TAKEN_BYTES) {
    const buffer = native.asyncTake(call);
    if (buffer !== undefined) return new NDArray(floatsOver(buffer, dtype), shape);
  }
  const output = result.out ?? allocate(dtype, shape, rows, cols);
  await inSlices(() => copyOut(call, output), 'out');
  return output.array;
}

function floatsOver(buffer: ArrayBuffer, dtype: FloatDtype): Float32Array | Float64Array {
  return dtype === 'float32' ? new Float32Array(buffer) : new Float64Array(buffer);
}
