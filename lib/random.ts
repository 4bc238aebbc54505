// SPDX-License-Identifier: Apache-2.0
import { optionError, rangeError } from './errors';

/**
 * Numbers that look random, the same for the same seed on every machine: xoshiro128** 1.1 (Blackman and Vigna 2018,
 * "Scrambled linear pseudorandom number generators"), period 2^128 - 1.
 */
export class Random {
  private readonly state: Uint32Array;
  private spare: number | undefined;

  /** `seed`: a whole number from 0 to 2^53 - 1. Different seeds give different states. */
  constructor(seed: number) {
    const low = seed >>> 0;
    const high = Math.floor(seed / 2 ** 32);
    const a = mix(low + GOLDEN);
    const b = mix(low + 2 * GOLDEN);
    this.state = Uint32Array.of(a, b, mix(high + a), mix(high + b));
  }

  /** A generator in a given state, as the published test values have it. */
  static ofState(state: readonly number[]): Random {
    const random = new Random(0);
    random.state.set(state);
    return random;
  }

  /** A whole number below 2^32. */
  uint32(): number {
    const s = this.state;
    let [a = 0, b = 0, c = 0, d = 0] = s;
    const result = Math.imul(rotate(Math.imul(b, 5), 7), 9) >>> 0;
    const t = b << 9;
    c ^= a;
    d ^= b;
    b ^= c;
    a ^= d;
    c ^= t;
    d = rotate(d, 11);
    s[0] = a;
    s[1] = b;
    s[2] = c;
    s[3] = d;
    return result;
  }

  /** From [0, 1), one of 2^24 numbers: exact in float32. */
  float32(): number {
    return (this.uint32() >>> 8) * 2 ** -24;
  }

  /** From [0, 1), one of 2^53 numbers. */
  float64(): number {
    const high = this.uint32() >>> 5;
    return (high * 2 ** 26 + (this.uint32() >>> 6)) * 2 ** -53;
  }

  /** From the normal distribution of mean 0 and deviation 1 (Box and Muller 1958): two from two uniform numbers. */
  normal(): number {
    if (this.spare !== undefined) {
      const { spare } = this;
      this.spare = undefined;
      return spare;
    }
    // 1 - u is from (0, 1]: its logarithm is finite.
    const radius = Math.sqrt(-2 * Math.log(1 - this.float64()));
    const angle = 2 * Math.PI * this.float64();
    this.spare = radius * Math.sin(angle);
    return radius * Math.cos(angle);
  }
}

/** A seed as an option: a whole number from 0 on, or undefined for one drawn anew. */
export function readSeed(seed: unknown): number {
  if (seed === undefined) return Math.floor(Math.random() * 2 ** 53);
  if (typeof seed !== 'number') throw optionError('seed', 'a whole number', seed);
  if (!Number.isSafeInteger(seed) || seed < 0) throw rangeError('seed', 'a whole number from 0 to 2^53 - 1', seed);
  return seed;
}

const GOLDEN = 0x9e3779b9;

/** MurmurHash3's finaliser: one-to-one on 32 bits. */
function mix(value: number): number {
  let x = value >>> 0;
  x = Math.imul(x ^ (x >>> 16), 0x85ebca6b);
  x = Math.imul(x ^ (x >>> 13), 0xc2b2ae35);
  return (x ^ (x >>> 16)) >>> 0;
}

function rotate(x: number, bits: number): number {
  return (x << bits) | (x >>> (32 - bits));
}
