// SPDX-License-Identifier: Apache-2.0
// A race of functions in one process, for the small benchmarks.

/**
 * The contenders in turn for so many seconds; of each the shortest time, in microseconds. `calls`: how often each calls
 * what it measures.
 */
export function race(
  contenders: Readonly<Record<string, () => unknown>>,
  seconds: number,
  calls = 1,
): Record<string, number> {
  const best: Record<string, number> = {};
  const end = performance.now() + seconds * 1e3;
  do {
    for (const [name, run] of Object.entries(contenders)) {
      const begin = performance.now();
      run();
      const time = ((performance.now() - begin) * 1e3) / calls;
      best[name] = Math.min(best[name] ?? time, time);
    }
  } while (performance.now() < end);
  return best;
}
