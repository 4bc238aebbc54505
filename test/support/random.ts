// SPDX-License-Identifier: Apache-2.0

/** Numbers from a seed, the same on every machine. */
export class Random {
  #state: number;

  constructor(seed: number | string) {
    let state = 0x9e3779b9;
    for (const character of String(seed))
      state = Math.imul(state ^ character.charCodeAt(0), 0x85ebca6b) ^ (state >>> 13);
    this.#state = state;
  }

  /** Uniform in [low, high), by Mulberry32. */
  uniform(low = 0, high = 1): number {
    this.#state = (this.#state + 0x6d2b79f5) | 0;
    let t = Math.imul(this.#state ^ (this.#state >>> 15), this.#state | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return low + (high - low) * (((t ^ (t >>> 14)) >>> 0) / 2 ** 32);
  }

  /** A whole number from 0 to below `limit`. */
  below(limit: number): number {
    return Math.floor(this.uniform(0, limit));
  }

  /** One of the values. */
  pick<Value>(values: readonly Value[]): Value {
    return values[this.below(values.length)] as Value;
  }

  /** As many values as asked. */
  list<Value>(length: number, make: (i: number) => Value): Value[] {
    return Array.from({ length }, (_, i) => make(i));
  }

  /** A permutation of 0 .. length - 1. */
  permutation(length: number): number[] {
    const order = Array.from({ length }, (_, i) => i);
    for (let i = length - 1; i > 0; i--) {
      const j = this.below(i + 1);
      [order[i], order[j]] = [order[j] as number, order[i] as number];
    }
    return order;
  }
}
