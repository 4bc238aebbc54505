// SPDX-License-Identifier: Apache-2.0
// Constructor arguments of losses and activations, in all the forms they come in.
import { optionError, rangeError } from './errors';

/** Is this an array of numbers in any of the library's forms? */
export function isArrayLike(value: unknown): value is object {
  return (
    typeof value === 'object' &&
    value !== null &&
    (Array.isArray(value) || ArrayBuffer.isView(value) || 'data' in value)
  );
}

/**
 * Sorts positional arguments and an options object into one record: an array becomes `arrayName`, the i-th number
 * `numberNames[i]`, any other object gives its own properties, whose names must be among `names`.
 */
export function readArguments(
  owner: string,
  args: readonly unknown[],
  names: readonly string[],
  numberNames: readonly string[],
  arrayName?: string,
): Record<string, unknown> {
  const result: Record<string, unknown> = {};
  let numbers = 0;
  for (const argument of args) {
    if (argument === undefined || argument === null) continue;
    if (typeof argument === 'number') {
      const name = numberNames[numbers++];
      if (name === undefined) throw optionError(owner, `at most ${numberNames.length} numbers`, argument);
      result[name] = argument;
    } else if (isArrayLike(argument)) {
      if (arrayName === undefined) throw optionError(owner, describeOptions(names), 'an array');
      result[arrayName] = argument;
    } else if (typeof argument === 'object') {
      for (const key of Object.keys(argument)) {
        if (!names.includes(key)) throw optionError(`${owner} option`, describeOptions(names), key);
        const value = (argument as Record<string, unknown>)[key];
        if (value !== undefined) result[key] = value;
      }
    } else {
      throw optionError(owner, describeOptions(names), argument);
    }
  }
  return result;
}

function describeOptions(names: readonly string[]): string {
  return names.length === 0 ? 'no options' : `one of ${names.join(', ')}`;
}

/** A number within [low, high], or `fallback` when not given. */
export function readNumber(
  name: string,
  value: unknown,
  fallback: number,
  low = Number.NEGATIVE_INFINITY,
  high = Number.POSITIVE_INFINITY,
): number {
  if (value === undefined) return fallback;
  if (typeof value !== 'number') throw optionError(name, 'a number', value);
  if (!(value >= low && value <= high)) throw rangeError(name, describeRange(low, high), value);
  return value;
}

function describeRange(low: number, high: number): string {
  if (low === Number.NEGATIVE_INFINITY && high === Number.POSITIVE_INFINITY) return 'a number';
  return `a number in [${low}, ${high}]`;
}

/** A whole number from `low` on, or undefined when not given. */
export function readInteger(name: string, value: unknown, low: number): number | undefined {
  if (value === undefined) return undefined;
  if (typeof value !== 'number') throw optionError(name, 'a whole number', value);
  if (!Number.isSafeInteger(value) || value < low) throw rangeError(name, `a whole number from ${low} on`, value);
  return value;
}

/** A flag, or `fallback` when not given. */
export function readFlag(name: string, value: unknown, fallback: boolean): boolean {
  if (value === undefined) return fallback;
  if (typeof value !== 'boolean') throw optionError(name, 'true or false', value);
  return value;
}

/** The own properties of an object, whose names must be among `known`. */
export function readNames(from: object, owner: string, known: readonly string[]): Record<string, unknown> {
  if (typeof from !== 'object') throw optionError(owner, `an object with ${known.join(', ')}`, from);
  const values: Record<string, unknown> = {};
  for (const key of Object.keys(from)) {
    if (!known.includes(key)) throw optionError(owner, `one of ${known.join(', ')}`, key);
    values[key] = (from as Record<string, unknown>)[key];
  }
  return values;
}
