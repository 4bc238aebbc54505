// SPDX-License-Identifier: Apache-2.0
import { Random, readSeed } from '../lib/random';
import { errOption, errRange, expectError } from './support/errors';

describe('random numbers', () => {
  test.each([
    { seed: -1, expected: errRange('seed', '-1') },
    { seed: 0.5, expected: errRange('seed', '0.5') },
    { seed: Number.NaN, expected: errRange('seed', 'NaN') },
    { seed: 2 ** 53, expected: errRange('seed', '2^53') },
    { seed: '7', expected: errOption('seed', '"7"') },
    { seed: null, expected: errOption('seed', 'null') },
  ])('the seed $seed is rejected', ({ seed, expected }) => {
    expectError(() => readSeed(seed), expected);
  });

  test('are those of the published xoshiro128**', () => {
    const random = Random.ofState([1, 2, 3, 4]);
    const first = [11520, 0, 5927040, 70819200, 2031721883, 1637235492, 1287239034, 3734860849, 3729100597, 4258142804];
    expect(Array.from(first, () => random.uint32())).toEqual(first);
  });

  test('differ for seeds that differ in any bit', () => {
    const seeds = [0, ...Array.from({ length: 53 }, (_, bit) => 2 ** bit), 2 ** 53 - 1];
    const firsts = seeds.map((seed) => {
      const random = new Random(seed);
      return `${random.uint32()} ${random.uint32()}`;
    });
    expect(new Set(firsts).size).toBe(seeds.length);
  });

  test('of seeds in a row look independent', () => {
    // The mean of the first number of 4096 seeds has deviation sqrt(1/12) / 64 = 0.0045.
    let sum = 0;
    for (let seed = 0; seed < 4096; seed++) sum += new Random(seed).float64();
    expect(Math.abs(sum / 4096 - 0.5)).toBeLessThan(0.018);
  });

  test('in [0, 1) are multiples of their step', () => {
    const random = new Random(1);
    for (let i = 0; i < 1000; i++) {
      const [single, double] = [random.float32(), random.float64()];
      expect([Math.fround(single), Number.isInteger(single * 2 ** 24), Number.isInteger(double * 2 ** 53)]).toEqual([
        single,
        true,
        true,
      ]);
      expect(Math.min(single, double)).toBeGreaterThanOrEqual(0);
      expect(Math.max(single, double)).toBeLessThan(1);
    }
  });

  test('are drawn anew without a seed', () => {
    expect(Number.isSafeInteger(readSeed(undefined))).toBe(true);
    expect(readSeed(2 ** 53 - 1)).toBe(2 ** 53 - 1);
  });
});
