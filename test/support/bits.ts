// SPDX-License-Identifier: Apache-2.0
import { createHash } from 'node:crypto';
import { NDArray } from '../../lib';

/** A result as what compares fast, to the bit. */
export function bits(result: unknown): unknown {
  if (typeof result === 'number') return result;
  if (result instanceof NDArray) {
    const { buffer, byteOffset, byteLength } = result.dup().data;
    const hash = createHash('sha1').update(new Uint8Array(buffer, byteOffset, byteLength));
    return { shape: result.shape, dtype: result.dtype, hash: hash.digest('hex') };
  }
  const { score, gradient } = result as { score: number; gradient: NDArray };
  return { score, gradient: bits(gradient) };
}
