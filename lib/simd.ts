// SPDX-License-Identifier: Apache-2.0
import { optionError } from './errors';
import { native } from './native';

/**
 * The instruction set that runs, by Highway's name: `AVX3`, `AVX2`, `SSE2`, `NEON`, `SCALAR`.
 *
 * The best target of the CPU is chosen at load, or the one that the environment variable `SIMDLOSS_TARGET` names.
 *
 * @example
 * ```ts
 * import { simd } from 'simdloss';
 * simd.supported.includes(simd.target); // true
 * ```
 * @see Highway, `hwy/targets.h`
 */
export const simd = {
  /** The target that every kernel of the process runs on. */
  get target(): string {
    return native.target();
  },
  /** The targets that this CPU runs, slowest first. */
  get supported(): readonly string[] {
    return native.targets();
  },
  /**
   * Runs every kernel of the process on a target from now on: for tests, and not while another thread computes.
   *
   * @param name one of `supported`
   * @throws TypeError ERR_OPTION for a target that is not
   * @example
   * ```ts
   * import { simd } from 'simdloss';
   * const best = simd.target;
   * simd.force('SCALAR');
   * simd.target; // 'SCALAR'
   * simd.force(best);
   * ```
   */
  force(name: string): void {
    if (typeof name !== 'string' || !native.forceTarget(name)) {
      throw optionError('target', `one of ${native.targets().join(', ')}`, name);
    }
  },
};
