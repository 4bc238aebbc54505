// SPDX-License-Identifier: Apache-2.0
// One contender in a process of its own: `worker.js NAME THREADS`, one JSON request a line on stdin, its answer on
// stdout. peers/worker.py speaks the same.
import { closeSync, openSync, readFileSync, writeFileSync, writeSync } from 'node:fs';
import { createInterface } from 'node:readline';
import type { Cell } from './cells';
import type { Answer, Contender, MakeContender } from './contender';
import { readInputs } from './inputs';
import { measure, type Timing } from './measure';
import { CONTENDERS } from './simdloss';
import { makeTfjs } from './tfjs';

export interface Request {
  readonly cell: Cell;
  /** Where the inputs are. */
  readonly folder: string;
  /** How long to measure; 0: not at all. */
  readonly seconds: number;
  /** Where to write the gradient, to be checked. */
  readonly check?: string;
  /** Measure the memory of one call. */
  readonly memory?: boolean;
}

export interface Reply extends Partial<Timing> {
  readonly skip?: boolean;
  readonly error?: string;
  /** As text: JSON has no NaN. Null where there is no score. */
  readonly score?: string | null;
  /** MiB by which one call lifts the resident peak. */
  readonly peak_mib?: number;
}

function status(key: string): number {
  const found = new RegExp(`${key}:\\s+(\\d+)`).exec(readFileSync('/proc/self/status', 'utf8'));
  return Number(found?.[1]) / 1024;
}

/** Linux alone tells the peak of one call. */
async function peakOf({ run, release }: Contender): Promise<number | undefined> {
  try {
    (globalThis as { gc?: () => void }).gc?.();
    writeFileSync('/proc/self/clear_refs', '5');
    const before = status('VmRSS');
    const result = await run();
    const peak = status('VmHWM') - before;
    release?.(result);
    return peak;
  } catch {
    return undefined;
  }
}

function writeGradient(file: string, { gradient }: Answer): void {
  const out = openSync(file, 'w');
  for (const part of gradient) writeSync(out, new Uint8Array(part.buffer, part.byteOffset, part.byteLength));
  closeSync(out);
}

async function handle(make: MakeContender, request: Request): Promise<Reply> {
  const { cell, folder, seconds, check, memory } = request;
  const contender = await make(cell, readInputs(cell, folder));
  if (!contender) return { skip: true };
  let reply: Reply = {};
  if (memory) {
    await contender.run();
    const peak = await peakOf(contender);
    if (peak !== undefined) reply = { ...reply, peak_mib: peak };
  }
  if (check !== undefined && contender.answer) {
    const result = await contender.run();
    const answer = contender.answer(result);
    writeGradient(check, answer);
    contender.release?.(result);
    reply = { ...reply, score: answer.score === null ? null : String(answer.score) };
  }
  return seconds > 0 ? { ...reply, ...(await measure(contender, seconds)) } : reply;
}

async function main(): Promise<void> {
  const [name = ''] = process.argv.slice(2);
  const make = CONTENDERS[name] ?? makeTfjs(name);
  for await (const line of createInterface({ input: process.stdin })) {
    let reply: Reply;
    try {
      reply = await handle(make, JSON.parse(line));
    } catch (error) {
      reply = { error: String(error).slice(0, 200) };
    }
    process.stdout.write(`@${JSON.stringify(reply)}\n`);
  }
}

void main();
