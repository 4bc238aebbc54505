// SPDX-License-Identifier: Apache-2.0
// Derivatives by differences.

/** The slope of a score at 0 by five-point differences: the error is that of `differences` in tolerance.ts. */
export function slopeOf(score: (move: number) => number, step = 3e-4): number {
  const apart = (h: number) => score(h * step) - score(-h * step);
  return (8 * apart(1) - apart(2)) / (12 * step);
}

/** The mixed second derivative at 0: that of `secondDifferences`. */
export function mixedSlopeOf(score: (first: number, second: number) => number): number {
  const step = 1e-3;
  return slopeOf((first) => slopeOf((second) => score(first, second), step), step);
}
