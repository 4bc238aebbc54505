// SPDX-License-Identifier: Apache-2.0
// The tests that every loss's own file is made of: bad options first, then literal numbers in both dtypes.
import { type ArrayInput, type ILossFunction, NDArray } from '../../lib';
import { type Expected, expectError } from './errors';
import { floats, values } from './library';
import { literal, mismatches } from './tolerance';

/** A call with its exact results; rows of labels and preOutput are exact in float32. */
export interface LossCase {
  readonly title: string;
  /** The constructor's arguments; none if not given. */
  readonly args?: readonly unknown[];
  readonly activation: string;
  readonly labels: readonly (readonly number[])[];
  readonly preOutput: readonly (readonly number[])[];
  readonly mask?: readonly (readonly number[])[];
  readonly score: number;
  /** Not for a loss of the batch. */
  readonly scoreArray?: readonly number[];
  readonly gradient: readonly (readonly number[])[];
}

/** A loss's tests. */
export interface LossSpecification {
  readonly Class: new (...args: never[]) => ILossFunction;
  readonly name: string;
  readonly bad: readonly { readonly title: string; readonly args: readonly unknown[]; readonly expected: Expected }[];
  /** Constructor arguments in all forms that mean the same loss. */
  readonly forms: readonly (readonly unknown[])[];
  readonly cases: readonly LossCase[];
}

/** Declares the tests of one loss. */
export function describeLoss({ Class, name, bad, forms, cases }: LossSpecification): void {
  const make = (args: readonly unknown[]): ILossFunction => new Class(...(args as never[]));
  const matrix = (dtype: 'float32' | 'float64', rows: readonly (readonly number[])[]): NDArray =>
    new NDArray(floats(dtype, rows.flat()), [rows.length, rows[0]?.length ?? 0]);

  describe(name, () => {
    test.each(bad.map((row) => [row.title, row] as const))('rejects %s', (_, { args, expected }) => {
      expectError(() => make(args), expected);
    });

    test('has its name', () => {
      expect([make([]).name(), String(make([]))]).toEqual([`${name}()`, `${name}()`]);
    });

    test('takes its options in every form', () => {
      const [first] = cases as readonly [LossCase];
      const labels = matrix('float64', first.labels);
      const z: ArrayInput = matrix('float64', first.preOutput);
      const scores = forms.map((args) => make(args).computeScore(labels, z, first.activation));
      expect(new Set(scores).size).toBe(1);
    });

    test.each(cases.map((row) => [row.title, row] as const))('%s', (_, row) => {
      const loss = make(row.args ?? []);
      for (const dtype of ['float32', 'float64'] as const) {
        const [labels, z] = [matrix(dtype, row.labels), matrix(dtype, row.preOutput)];
        const mask = row.mask && matrix(dtype, row.mask);
        const { score, gradient } = loss.computeGradientAndScore(labels, z, row.activation, mask);
        const scores = row.scoreArray && values(loss.computeScoreArray(labels, z, row.activation, mask));
        expect([
          ...mismatches(`${dtype} score`, [score], [row.score], literal[dtype]),
          ...mismatches(`${dtype} scoreArray`, scores ?? [], row.scoreArray ?? [], literal[dtype]),
          ...mismatches(`${dtype} gradient`, values(gradient), row.gradient.flat(), literal[dtype]),
        ]).toEqual([]);
      }
    });
  });
}
