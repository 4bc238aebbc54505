// SPDX-License-Identifier: Apache-2.0
// The clock: microseconds a call, as the minimum and the median over many groups of calls.
import type { Contender } from './contender';

export interface Timing {
  readonly min_us: number;
  readonly median_us: number;
  readonly calls: number;
}

/** Results go here, so that nothing is optimised away. */
export let sink: unknown;

const now = () => performance.now() * 1e3;

/** Runs `count` calls; a promise where the contender's are. */
function repeat({ run, release, isAsync }: Contender, count: number): void | Promise<void> {
  if (isAsync) return repeatAsync(run, count);
  if (release === undefined) for (let i = 0; i < count; i++) sink = run();
  else {
    for (let i = 0; i < count; i++) {
      sink = run();
      release(sink);
    }
  }
}

async function repeatAsync(run: () => unknown, count: number): Promise<void> {
  for (let i = 0; i < count; i++) sink = await run();
}

const WARM_UP_US = 1e5;
/** Groups of calls take at least this long: long against the clock's resolution. */
const GROUP_US = 100;

export async function measure(contender: Contender, seconds: number): Promise<Timing> {
  const budget = seconds * 1e6;
  let begin = now();
  await repeat(contender, 1);
  const first = now() - begin;
  // Warm up, for V8 compiles what has run for a while; not for long where a call takes seconds.
  begin = now();
  let warm = 0;
  for (; warm < 2 || now() - begin < WARM_UP_US; warm++) {
    if (warm > 0 && (first > 2e6 || now() - begin > 3e6)) break;
    await repeat(contender, 1);
  }
  const group = Math.max(1, Math.floor(GROUP_US / Math.max((now() - begin) / warm, 1e-3)));
  const times: number[] = [];
  begin = now();
  while (now() - begin < budget || times.length < 5) {
    if (now() - begin > 4e6 && times.length >= 3) break;
    const start = now();
    const pending = repeat(contender, group);
    if (pending) await pending;
    times.push((now() - start) / group);
  }
  times.sort((a, b) => a - b);
  return { min_us: times[0] ?? 0, median_us: times[times.length >> 1] ?? 0, calls: times.length * group };
}
