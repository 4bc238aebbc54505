// SPDX-License-Identifier: Apache-2.0
// Every tolerance of the tests: a few families, each with its reason.
import type { FloatDtype } from './golden';

/** An allowed error: relative to the largest magnitude in the field, plus what is rounding noise at any magnitude. */
export interface Tolerance {
  readonly relative: number;
  readonly absolute: number;
}

/** golden/exact: units of `eps * scale`. README: K = 8 suits a careful kernel; textbook code exceeds it in a tenth of the cases. */
export const exactUnits = 8;

/** golden/exact/samediff: the same, of the largest magnitude in the field. */
export const exactField: Readonly<Record<FloatDtype, Tolerance>> = {
  float32: { relative: exactUnits * 2 ** -24, absolute: 2 ** -126 },
  float64: { relative: exactUnits * 2 ** -53, absolute: 2 ** -1022 },
};

/** The same, of 1 less a sum, as cosineDistance: the sum's rounding stays when most of it is gone. */
export const exactFromOne: Readonly<Record<FloatDtype, Tolerance>> = {
  float32: { ...exactField.float32, absolute: exactField.float32.relative },
  float64: { ...exactField.float64, absolute: exactField.float64.relative },
};

/**
 * golden/exact/formula-losses and golden/pytorch/losses, of a row: an exponential multiplies the rounding of its argument,
 * and softmax's outputs keep the rounding of 1 however small they are, or short of 1.
 */
export function formulaRow(dtype: FloatDtype, activation: string, preOutput: readonly number[]): Tolerance {
  const { relative, absolute } = exactField[dtype];
  const eps = relative / exactUnits;
  if (activation === 'IDENTITY') return { relative: 3 * relative, absolute };
  const ofOutput = activation === 'SOFTMAX' ? 2 * relative : absolute;
  return { relative: relative + 2 * eps * largest(preOutput), absolute: ofOutput };
}

/** The oracle against golden/exact: Math's functions are good to a few roundings, and clarity comes before the last ones. */
export const oracleUnits = 8;

/** golden/exact/large: terms of one sign, so float64 partial sums leave the rounding of the terms alone. */
export const largeSum: Readonly<Record<FloatDtype, Tolerance>> = {
  float32: { relative: 1e-6, absolute: 0 },
  float64: { relative: 1e-13, absolute: 0 },
};

/** golden/nd4j: ND4J's own sums in the dtype are off by up to 7e-6 (float32). */
export const nd4j: Readonly<Record<FloatDtype, Tolerance>> = {
  float32: { relative: 2e-5, absolute: 1e-8 },
  float64: { relative: 1e-9, absolute: 1e-15 },
};

/** golden/nd4j, float64: these activations carry float32 constants in ND4J. */
export const nd4jFloat32Constants: Tolerance = { relative: 3e-7, absolute: 1e-15 };

/**
 * Two computations of one thing in the same dtype, whose roundings differ: 128 roundings of the field's largest, and
 * 16 of 1, the size of terms that may cancel to a small field in the tables of problems.
 */
export const sameDtype: Readonly<Record<FloatDtype, Tolerance>> = {
  float32: { relative: 128 * 2 ** -24, absolute: 16 * 2 ** -24 },
  float64: { relative: 128 * 2 ** -53, absolute: 16 * 2 ** -53 },
};

/** Literal numbers of well-conditioned cases: 16 roundings of the field's largest. */
export const literal: Readonly<Record<FloatDtype, Tolerance>> = {
  float32: { relative: 16 * 2 ** -24, absolute: 2 ** -126 },
  float64: { relative: 16 * 2 ** -53, absolute: 2 ** -1022 },
};

/** A result against the oracle's, or a float32 one against float64: conditioning up to some hundreds away from kinks. */
export const againstOracle: Readonly<Record<FloatDtype, Tolerance>> = {
  float32: { relative: 2e-5, absolute: 16 * 2 ** -24 },
  float64: { relative: 1e-12, absolute: 1e-13 },
};

/** A float64 gradient against the five-point differences of a score: h^4 f5 / 30 and eps * score / h, h = 3e-4. */
export const differences: Tolerance = { relative: 1e-7, absolute: 1e-11 };

/** A mixed second derivative against such differences of differences: 2 h^4 f6 / 30 and eps * score / h^2, h = 1e-3. */
export const secondDifferences: Tolerance = { relative: 1e-7, absolute: 1e-8 };

/** The largest finite magnitude of a field. */
export function largest(field: readonly number[]): number {
  let magnitude = 0;
  for (const value of field) if (Number.isFinite(value)) magnitude = Math.max(magnitude, Math.abs(value));
  return magnitude;
}

/**
 * Places where `got` is not `want` within the tolerance, as text: empty when all agree. NaN and the infinities must
 * be the same.
 */
export function mismatches(
  name: string,
  got: readonly number[],
  want: readonly number[],
  { relative, absolute }: Tolerance,
): string[] {
  if (got.length !== want.length) return [`${name}: ${got.length} values, expected ${want.length}`];
  const allowed = relative * largest(want) + absolute;
  const bad: string[] = [];
  for (let i = 0; i < want.length; i++) {
    const [g, w] = [got[i] as number, want[i] as number];
    if (Object.is(g, w) || g === w || Math.abs(g - w) <= allowed) continue;
    bad.push(`${name}[${i}]: ${g}, expected ${w} within ${allowed}`);
  }
  return bad;
}
