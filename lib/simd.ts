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
   * Whether the cheap operations of expressions (`SameDiff`, `defineLoss`) run as machine code, made when an expression is
   * compiled: on AVX2 and AVX3, where the system grants memory for it; elsewhere they are interpreted. The elements of
   * results are the same to the bit, sums to the rounding.
   *
   * `SIMDLOSS_JIT=0` in the environment, or Node's `--jitless`, forbids it.
   */
  get jit(): boolean {
    return native.usesChainCode();
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
