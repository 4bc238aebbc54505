// SPDX-License-Identifier: Apache-2.0
// Runs all contenders over all cells, in rounds: each round visits each cell, and in it each contender in turn, so that
// all of them see the machine in the same minutes.
import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, existsSync, mkdirSync, openSync, readFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import path from 'node:path';
import { createInterface, type Interface } from 'node:readline';
import { simd } from 'simdloss';
import { type Cell, elements, isProduct, readsPerWrite } from './cells';
import { type Floats, prepare, type Reference, readFloats, readReference } from './inputs';
import { root } from './install';
import { isOwn, type Row, withRound } from './results';
import type { Reply, Request } from './worker';

export interface Setup {
  /** Where TensorFlow.js is. */
  readonly node: string | undefined;
  /** The Python that has the other peers. */
  readonly python: string | undefined;
  /** The compiled stream test. */
  readonly stream: string | undefined;
}

export interface Plan {
  readonly cells: readonly Cell[];
  /** Beginnings of contenders' names; all without. */
  readonly peers: readonly string[];
  readonly rounds: number;
  /** For each contender in each cell and round. */
  readonly seconds: number;
  /** The most seconds to wait, in all, for other programs to leave the cores alone. */
  readonly wait: number;
}

interface Entrant {
  readonly name: string;
  readonly threads: number;
  readonly command: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  /** A new process for each measurement: what V8 learned on one cell must not slow another. */
  readonly isFresh?: boolean;
  /** Cells it takes part in. */
  readonly joins?: (cell: Cell) => boolean;
}

const WORKER = [process.execPath, '--expose-gc', '--max-old-space-size=8192', path.join(__dirname, 'worker.js')];
const isLinear = (cell: Cell) => cell.task === 'linear';
const isHuber = (cell: Cell) => cell.task === 'huber';
const CALL_COST = (cell: Cell) => elements(cell) <= 320 && (cell.task === 'mse' || cell.task === 'ce');

/** All contenders that this machine has, one for each number of threads. */
export function entrants({ node, python, stream }: Setup, threadCounts: readonly number[], peers: readonly string[]) {
  const list: Entrant[] = [];
  const add = (name: string, command: readonly string[], threads: readonly number[], rest: Partial<Entrant> = {}) =>
    list.push(
      ...threads.map((count) => ({ name, threads: count, command: [...command, name, String(count)], ...rest })),
    );
  for (const name of ['crossing', 'allocation']) add(name, WORKER, [1], { isFresh: true, joins: CALL_COST });
  add('js', WORKER, [1], { isFresh: true });
  for (const form of ['', '-out', '-bound', '-async']) add(`simdloss${form}`, WORKER, threadCounts, { isFresh: true });
  add('simdloss-fused', WORKER, threadCounts, { isFresh: true, joins: isLinear });
  add('simdloss-ndarray', WORKER, threadCounts, { isFresh: true, joins: isHuber });
  if (simd.target !== 'AVX2' && simd.supported.includes('AVX2')) {
    add('simdloss-bound-avx2', WORKER, [1], { isFresh: true, env: { SIMDLOSS_TARGET: 'AVX2' } });
  }
  if (node !== undefined) for (const name of ['tfjs-cpu', 'tfjs-wasm']) add(name, WORKER, [1]);
  if (python !== undefined) {
    const worker = [python, path.join(root, 'bench', 'peers', 'worker.py')];
    add('numpy', worker, [1]);
    add('numpy', worker, threadCounts.slice(1), { joins: isProduct });
    for (const name of ['torch', 'torch-compile', 'torch-compile-gv', 'jax', 'ort']) add(name, worker, threadCounts);
    add('torch-chunked', worker, threadCounts, { joins: isLinear });
  }
  if (stream !== undefined)
    for (const name of ['stream', 'stream-nt', 'stream-huber']) add(name, [stream], threadCounts);
  return list.filter(({ name }) => peers.length === 0 || peers.some((peer) => name.startsWith(peer)));
}

const ENDED = '@{"error":"its process ended: build/bench/errors.log may say why"}';

/** A process that answers line by line. */
class Worker {
  private readonly child: ChildProcess;
  private readonly lines: Interface;
  private readonly waiting: ((line: string) => void)[] = [];
  hasEnded = false;

  constructor(entrant: Entrant, setup: Setup, errorLog: number) {
    const { command, threads, env } = entrant;
    const [program = '', ...args] = command;
    const count = String(threads);
    // Settings of the machine for its own libraries are no part of the comparison.
    const { OPENBLAS_CORETYPE: _, OPENBLAS_L2_SIZE: __, SIMDLOSS_TARGET: ___, ...rest } = process.env;
    this.child = spawn(program, args, {
      stdio: ['pipe', 'pipe', errorLog],
      env: {
        ...rest,
        OMP_NUM_THREADS: count,
        MKL_NUM_THREADS: count,
        OPENBLAS_NUM_THREADS: count,
        SIMDLOSS_NUM_THREADS: count,
        SIMDLOSS_BENCH_NODE: setup.node ?? '',
        JAX_PLATFORMS: 'cpu',
        TORCHINDUCTOR_CACHE_DIR: path.join(root, 'build', 'bench', 'inductor'),
        ...env,
      },
    });
    this.lines = createInterface({ input: this.child.stdout as NodeJS.ReadableStream });
    // Libraries print too: answers begin with @, those of the stream test with a digit.
    this.lines.on('line', (line) => {
      if (/^[@\d]/.test(line)) this.waiting.shift()?.(line);
    });
    const end = () => {
      this.hasEnded = true;
      for (const answer of this.waiting.splice(0)) answer(ENDED);
    };
    this.child.on('error', end);
    this.lines.on('close', end);
    this.child.stdin?.on('error', end);
  }

  get pid(): number {
    return this.child.pid ?? 0;
  }

  ask(line: string): Promise<string> {
    if (this.hasEnded) return Promise.resolve(ENDED);
    return new Promise((resolve) => {
      this.waiting.push(resolve);
      this.child.stdin?.write(`${line}\n`);
    });
  }

  end(): Promise<void> {
    return new Promise((resolve) => {
      if (this.hasEnded) resolve();
      else this.lines.once('close', () => resolve());
      this.child.stdin?.end();
    });
  }
}

// --- Other programs on the machine ------------------------------------------------------------------------------------

/** Seconds of all cores that all programs used, and that one process did; undefined where the system doesn't tell. */
function cpuSeconds(pid?: number): { all: number; own: number } | undefined {
  if (!existsSync('/proc/stat')) return undefined;
  const fields = (readFileSync('/proc/stat', 'utf8').split('\n')[0] ?? '').split(/\s+/).map(Number);
  const sum = (indices: readonly number[], list: readonly number[]) =>
    indices.reduce((total, i) => total + (list[i] ?? 0), 0) / 100;
  let own = 0;
  if (pid !== undefined) {
    try {
      own = sum(
        [11, 12, 13, 14],
        readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.split(' ').map(Number) ?? [],
      );
    } catch {
      // It has ended.
    }
  }
  return { all: sum([1, 2, 3, 6, 7, 8], fields), own };
}

const sleep = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

/** Waits until the cores are left alone: 2 s at most, and `budget` seconds in all. */
class Quiet {
  waited = 0;
  constructor(private readonly budget: number) {}

  async wait(): Promise<void> {
    for (let i = 0; i < 20 && this.waited < this.budget; i++) {
      const before = cpuSeconds();
      if (before === undefined) return;
      await sleep(100);
      if ((cpuSeconds()?.all ?? 0) - before.all < 0.04) return;
      this.waited += 0.1;
    }
  }
}

// --- Checks -------------------------------------------------------------------------------------------------------

/** How far an answer is from the reference. */
function compare(reference: Reference, score: string | null | undefined, gradient: Floats, own: boolean) {
  let largest = 0;
  let worst = 0;
  let notFinite = 0;
  const { length } = reference.gradient;
  if (gradient.length !== length) return { error: `a gradient of ${gradient.length} elements, not ${length}` };
  for (let i = 0; i < length; i++) {
    const expected = reference.gradient[i] as number;
    if (Number.isNaN(expected)) continue;
    const error = Math.abs((gradient[i] as number) - expected);
    if (!Number.isFinite(error)) notFinite += 1;
    else if (error > worst) worst = error;
    if (Math.abs(expected) > largest) largest = Math.abs(expected);
  }
  const result = { gradientError: largest > 0 ? worst / largest : worst, notFinite };
  const expected = own ? (reference.clampedScore ?? reference.score) : reference.score;
  if (expected === null || score === null || score === undefined) return result;
  const scoreError = Math.abs(Number(score) - expected) / Math.max(Math.abs(expected), Number.MIN_VALUE);
  return Number.isFinite(scoreError) ? { ...result, scoreError } : { ...result, notFinite: notFinite + 1 };
}

/** This package's own answers must be right: the relative errors that are let through. */
const OWN_ERROR = { float32: { score: 1e-6, gradient: 5e-6 }, float64: { score: 1e-12, gradient: 5e-12 } };

function checkOwn(cell: Cell, key: string, row: Row): void {
  const limit = OWN_ERROR[cell.dtype];
  const { scoreError = 0, gradientError = 0, notFinite = 0, error } = row;
  if (error === undefined && scoreError <= limit.score && gradientError <= limit.gradient && notFinite === 0) return;
  const found = error ?? `score off by ${scoreError}, gradient by ${gradientError}, ${notFinite} not finite`;
  throw new Error(`${key} is wrong in ${cell.id}: ${found}`);
}

// --- The rounds ---------------------------------------------------------------------------------------------------

/** Cells large enough for the peak of one call to mean something. */
const takesPeak = (cell: Cell) => elements(cell) > 2e6;
/** Seconds a call: one round is enough. */
const isSlow = (name: string, cell: Cell) =>
  (name === 'tfjs-cpu' && elements(cell) * Math.max(cell.d, 1) >= 1e6) || (name === 'tfjs-wasm' && takesPeak(cell));

const streamBytes = (cell: Cell) => elements(cell) * (cell.dtype === 'float32' ? 4 : 8);

/** Cells' rows by id; `save` is called after each round. */
export async function runRounds(
  plan: Plan,
  setup: Setup,
  threadCounts: readonly number[],
  cells: Record<string, Record<string, Row>>,
  save: (round: number) => void,
): Promise<void> {
  const scratch = path.join(root, 'build', 'bench');
  mkdirSync(path.join(scratch, 'data'), { recursive: true });
  const errorLog = openSync(path.join(scratch, 'errors.log'), 'w');
  const gradientFile = path.join(scratch, 'gradient.bin');
  const contenders = entrants(setup, threadCounts, plan.peers);
  const workers = new Map<Entrant, Worker>();
  const quiet = new Quiet(plan.wait);

  /** Asks the contender's process, its own for this once where it should be fresh. */
  const ask = async (entrant: Entrant, line: string, isTimed: boolean): Promise<{ line: string; busy?: number }> => {
    let worker = entrant.isFresh ? undefined : workers.get(entrant);
    if (worker === undefined || worker.hasEnded) {
      worker = new Worker(entrant, setup, errorLog);
      if (!entrant.isFresh) workers.set(entrant, worker);
    }
    if (isTimed) await quiet.wait();
    const begin = performance.now();
    const before = cpuSeconds(worker.pid);
    const answer = await worker.ask(line);
    const after = cpuSeconds(worker.pid);
    const wall = (performance.now() - begin) / 1e3;
    if (entrant.isFresh) await worker.end();
    if (!before || !after || !isTimed) return { line: answer };
    const busy = Math.max(0, after.all - before.all - (after.own - before.own)) / wall;
    return { line: answer, busy: Math.round(busy * 100) / 100 };
  };

  const update = (cell: Cell, { name, threads }: Entrant, change: (row: Row) => Row) => {
    cells[cell.id] ??= {};
    const rows = cells[cell.id] as Record<string, Row>;
    rows[`${name}/${threads}`] = change(rows[`${name}/${threads}`] ?? { rounds: [] });
  };
  const offers = new Set<string>();
  const offerOf = (cell: Cell, { name, threads }: Entrant) => `${cell.id} ${name}/${threads}`;

  /** Compiles what is compiled and checks the answer: in a timed round all is ready. */
  const prepareCell = async (cell: Cell) => {
    const folder = prepare(cell, path.join(scratch, 'data'));
    const reference = readReference(folder);
    for (const entrant of contenders) {
      const { name, threads, joins } = entrant;
      if (name.startsWith('stream') || (joins && !joins(cell))) continue;
      const request: Request = { cell, folder, seconds: 0, check: gradientFile, memory: takesPeak(cell) };
      const reply = JSON.parse((await ask(entrant, JSON.stringify(request), false)).line.slice(1)) as Reply;
      if (reply.skip) continue;
      const { error, score, peak_mib } = reply;
      let found: Partial<Row> = error === undefined ? {} : { error };
      if (error === undefined && score !== undefined) {
        const gradient = readFloats(gradientFile, cell.dtype);
        found = compare(reference, score, gradient, isOwn(name));
      }
      const peak = peak_mib === undefined ? {} : { peak_mib };
      update(cell, entrant, ({ rounds, min_us, median_us }) => ({
        rounds,
        ...(min_us === undefined || median_us === undefined ? {} : { min_us, median_us }),
        ...found,
        ...peak,
      }));
      if (isOwn(name)) checkOwn(cell, `${name}/${threads}`, cells[cell.id]?.[`${name}/${threads}`] as Row);
      if (found.error === undefined) offers.add(offerOf(cell, entrant));
      else console.error(`bench: ${name}/${threads} in ${cell.id}: ${found.error}`);
    }
  };

  const timeCell = async (cell: Cell, round: number) => {
    const folder = path.join(scratch, 'data', cell.id);
    const { seconds } = plan;
    for (const entrant of contenders) {
      if (entrant.name.startsWith('stream')) {
        const isFused = entrant.name === 'stream-huber';
        const kind = isFused ? 3 : readsPerWrite(cell);
        if (kind === 0 || (isFused && (!isHuber(cell) || cell.dtype !== 'float32'))) continue;
        const nontemporal = entrant.name === 'stream-nt' ? 1 : 0;
        const line = `${kind} ${streamBytes(cell)} ${entrant.threads} ${nontemporal} ${seconds}`;
        const answer = (await ask(entrant, line, true)).line;
        const [median_us = 0, min_us = 0, calls = 0] = answer.split(' ').map(Number);
        if (!(min_us > 0)) throw new Error(`the stream test answered ${answer}`);
        update(cell, entrant, (row) => withRound(row, { min_us, median_us, calls }));
        continue;
      }
      if (!offers.has(offerOf(cell, entrant)) || (round > 1 && isSlow(entrant.name, cell))) continue;
      const { line, busy } = await ask(entrant, JSON.stringify({ cell, folder, seconds } satisfies Request), true);
      const { min_us, median_us, calls, error } = JSON.parse(line.slice(1)) as Reply;
      if (min_us === undefined || median_us === undefined || calls === undefined) {
        update(cell, entrant, (row) => ({ ...row, error: error ?? 'no answer' }));
        continue;
      }
      const taken = { min_us, median_us, calls };
      update(cell, entrant, (row) => withRound(row, busy === undefined ? taken : { ...taken, busy }));
    }
  };

  const begin = performance.now();
  const progress = (what: string) => {
    const minutes = ((performance.now() - begin) / 6e4).toFixed(1);
    console.error(`bench: ${what} (${minutes} min, waited ${quiet.waited.toFixed(0)} s)`);
  };
  try {
    for (const [i, cell] of plan.cells.entries()) {
      await prepareCell(cell);
      progress(`prepared ${i + 1} of ${plan.cells.length}, ${cell.id}`);
    }
    for (let round = 1; round <= plan.rounds; round++) {
      for (const [i, cell] of plan.cells.entries()) {
        await timeCell(cell, round);
        progress(`round ${round} of ${plan.rounds}, cell ${i + 1} of ${plan.cells.length}, ${cell.id}`);
      }
      save(round);
    }
  } finally {
    for (const worker of workers.values()) await worker.end();
    closeSync(errorLog);
  }
}

/** One thread, and all physical cores. */
export const threadCountsOf = (threads: number): readonly number[] => [
  ...new Set([1, Math.min(threads, availableParallelism())]),
];
