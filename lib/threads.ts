// SPDX-License-Identifier: Apache-2.0
// How many threads work on one call: one setting for the process.
import { rangeError } from './errors';
import { native } from './native';
import { environment, parallelism } from './runtime';

/** More than any machine has; a thread costs memory even where it has no work. */
const MOST_THREADS = 1024;

function isCount(value: unknown): value is number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 1 && value <= MOST_THREADS;
}

/**
 * Sets how many threads work on one call: the caller's, and others that the process keeps for it.
 *
 * Results are the same to the last bit for every number. Small problems use one thread whatever is set; the threads are
 * started by the first call that is large enough, sleep between calls, and are shared by all worker_threads. Without a
 * call of this the environment variable `SIMDLOSS_NUM_THREADS` decides, and without that the number of physical cores
 * that the process may use.
 *
 * @param count from 1 to 1024
 * @throws RangeError ERR_RANGE for anything else
 * @example
 * ```ts
 * import { getNumThreads, setNumThreads } from 'simdloss';
 * setNumThreads(1);
 * getNumThreads(); // 1
 * ```
 * @see PyTorch `torch.set_num_threads`
 */
export function setNumThreads(count: number): void {
  if (!isCount(count)) throw rangeError('count', `a whole number from 1 to ${MOST_THREADS}`, count);
  native.setNumThreads(count);
}

/**
 * How many threads work on one call.
 *
 * @returns what `setNumThreads` or the environment variable `SIMDLOSS_NUM_THREADS` set, or the number of physical cores
 * @example
 * ```ts
 * import { getNumThreads } from 'simdloss';
 * getNumThreads() >= 1; // true
 * ```
 * @see PyTorch `torch.get_num_threads`
 */
export function getNumThreads(): number {
  return native.numThreads();
}

function initialThreads(): number {
  const wanted = environment('SIMDLOSS_NUM_THREADS');
  if (wanted === undefined) {
    // Beyond the cores: newer versions of Node know a container's share of the processor.
    return Math.min(native.physicalCores(), parallelism(), MOST_THREADS);
  }
  const count = Number(wanted);
  if (!isCount(count)) {
    throw rangeError('SIMDLOSS_NUM_THREADS', `a whole number from 1 to ${MOST_THREADS}`, wanted);
  }
  return count;
}

// The first environment to load decides: a worker must not undo what the program has set.
if (native.numThreads() === 0) native.setNumThreads(initialThreads());
