// SPDX-License-Identifier: Apache-2.0
// The tests that every activation's own file is made of: bad options first, then literal numbers in both dtypes.
import { Activation, type IActivation, NDArray } from '../../lib';
import { type Expected, expectError } from './errors';
import { floats, values } from './library';
import { literal, mismatches } from './tolerance';

/** f and f' at a point that is exact in float32. */
export type Point = readonly [z: number, value: number, slope: number];

/** An activation's tests. */
export interface ActivationSpecification {
  readonly Class: new (...args: never[]) => IActivation;
  readonly name: string;
  readonly bad: readonly { readonly title: string; readonly args: readonly unknown[]; readonly expected: Expected }[];
  /** The enum's name; none where it has none. */
  readonly value?: string;
  /** What `toString` gives for constructor arguments. */
  readonly texts: readonly { readonly args: readonly unknown[]; readonly text: string }[];
  /** Points for constructor arguments; of all forms that mean the same activation. */
  readonly tables: readonly { readonly forms: readonly (readonly unknown[])[]; readonly points: readonly Point[] }[];
}

/** Declares the tests of one elementwise activation. */
export function describeActivation({ Class, name, bad, value, texts, tables }: ActivationSpecification): void {
  const make = (args: readonly unknown[]): IActivation => new Class(...(args as never[]));

  describe(name, () => {
    test.each(bad.map((row) => [row.title, row] as const))('rejects %s', (_, { args, expected }) => {
      expectError(() => make(args), expected);
    });

    test.each(texts)('is $text', ({ args, text }) => {
      expect(String(make(args))).toBe(text);
    });

    if (value !== undefined) {
      test('has its enum value', () => {
        expect(Activation.fromString(value).getActivationFunction()).toBeInstanceOf(Class);
      });
    }

    for (const { forms, points } of tables) {
      test.each(forms.map((args) => [JSON.stringify(args), args] as const))('values and slopes of %s', (_, args) => {
        for (const dtype of ['float32', 'float64'] as const) {
          for (const [z, f, slope] of points) {
            const at = () => new NDArray(floats(dtype, [z]), [1, 1]);
            const one = new NDArray(floats(dtype, [1]), [1, 1]);
            expect([
              ...mismatches(`${dtype} f(${z})`, values(make(args).getActivation(at())), [f], literal[dtype]),
              ...mismatches(`${dtype} f'(${z})`, values(make(args).backprop(at(), one)[0]), [slope], literal[dtype]),
            ]).toEqual([]);
          }
        }
      });
    }

    test('NaN stays NaN', () => {
      const { forms } = tables[0] as { forms: readonly (readonly unknown[])[] };
      const at = () => new NDArray(Float32Array.of(Number.NaN), [1, 1]);
      const activation = make(forms[0] ?? []);
      expect(activation.getActivation(at()).at(0, 0)).toBeNaN();
      expect(activation.backprop(at(), new NDArray(Float32Array.of(1), [1, 1]))[0].at(0, 0)).toBeNaN();
    });
  });
}
