// SPDX-License-Identifier: Apache-2.0
// Every error for bad input: a TypeError or RangeError with a code, made here alone.

/**
 * What kind of mistake an error reports.
 *
 * | code | class | mistake |
 * |---|---|---|
 * | `ERR_SHAPE` | RangeError | shapes that differ or cannot be, weights or masks of a wrong shape, a mean over no rows |
 * | `ERR_DTYPE` | TypeError | not an array, an unsupported dtype, `out` of another dtype |
 * | `ERR_RANGE` | RangeError | a label, an option or an index out of range |
 * | `ERR_BUFFER` | RangeError | detached, shrunk, too small or overlapping memory |
 * | `ERR_OPTION` | TypeError | an unknown name, option or method, a required option that is missing |
 *
 * @example
 * ```ts
 * import { type ErrorCode, nd } from 'simdloss';
 * try {
 *   nd.zeros([2, 3]).add(nd.zeros([4]));
 * } catch (error) {
 *   (error as RangeError & { code: ErrorCode }).code; // 'ERR_SHAPE'
 * }
 * ```
 * @see Node.js, `errors`: `error.code`
 */
export type ErrorCode = 'ERR_SHAPE' | 'ERR_DTYPE' | 'ERR_RANGE' | 'ERR_BUFFER' | 'ERR_OPTION';

type Coded<E> = E & { code: ErrorCode };

/** Shapes that differ or cannot be. */
export function shapeError(name: string, expected: string, got: unknown): Coded<RangeError> {
  return build(RangeError, 'ERR_SHAPE', shapeError, name, expected, got);
}

/** Not an array, or of a dtype that does not fit. */
export function dtypeError(name: string, expected: string, got: unknown): Coded<TypeError> {
  return build(TypeError, 'ERR_DTYPE', dtypeError, name, expected, got);
}

/** A number out of range. */
export function rangeError(name: string, expected: string, got: unknown): Coded<RangeError> {
  return build(RangeError, 'ERR_RANGE', rangeError, name, expected, got);
}

/** Memory that is gone, too small, or shared where it must not be. */
export function bufferError(name: string, expected: string, got: unknown): Coded<RangeError> {
  return build(RangeError, 'ERR_BUFFER', bufferError, name, expected, got);
}

/** An unknown or missing name or option. */
export function optionError(name: string, expected: string, got: unknown): Coded<TypeError> {
  return build(TypeError, 'ERR_OPTION', optionError, name, expected, got);
}

function build<E extends Error>(
  Type: new (message: string) => E,
  code: ErrorCode,
  caller: (name: string, expected: string, got: unknown) => Error,
  name: string,
  expected: string,
  got: unknown,
): Coded<E> {
  // A name may be a caller's.
  const label = typeof name === 'string' ? name : describe(name);
  const error = Object.assign(new Type(`${label}: expected ${expected}, got ${describe(got)}`), { code });
  // The stack begins where the mistake was found, not here.
  Error.captureStackTrace(error, caller);
  return error;
}

const MAX_TEXT = 120;
const MAX_ITEMS = 8;

/** A value in a few words, for a message. Never throws, whatever proxies and getters do, and never reads much. */
export function describe(value: unknown): string {
  try {
    return describeValue(value, true);
  } catch {
    return 'an object that cannot be read';
  }
}

function describeValue(value: unknown, deep: boolean): string {
  switch (typeof value) {
    case 'string':
      return describeText(value);
    case 'number':
      return Object.is(value, -0) ? '-0' : String(value);
    case 'bigint':
      // A long one would take long to print.
      return BigInt.asIntN(64, value) === value ? `${value}n` : 'a bigint beyond 64 bits';
    case 'symbol':
      return clip(String(value));
    case 'function':
      return 'a function';
    case 'object':
      return value === null ? 'null' : describeObject(value, deep);
    default:
      return String(value);
  }
}

function describeObject(value: object, deep: boolean): string {
  if (Array.isArray(value)) return describeArray(value, deep);
  const name = className(value);
  if (ArrayBuffer.isView(value) && !(value instanceof DataView)) {
    return `${name}(${(value as unknown as ArrayLike<unknown>).length})`;
  }
  if (name === 'NDArray') {
    const { dtype, shape } = value as { dtype?: unknown; shape?: unknown };
    if (typeof dtype === 'string' && Array.isArray(shape)) return `${clip(dtype)} ${describeArray(shape, false)}`;
  }
  return /^[aeiou]/i.test(name) ? `an ${name}` : `a ${name}`;
}

/** `[2, 3]`, or the first elements and how many there are. */
function describeArray(value: readonly unknown[], deep: boolean): string {
  const { length } = value;
  if (!deep && length > 0 && typeof value[0] === 'object') return `an array of ${length}`;
  const items: string[] = [];
  for (let i = 0; i < Math.min(length, MAX_ITEMS); i++) items.push(describeValue(value[i], false));
  if (length > MAX_ITEMS) items.push(`... ${length} in all`);
  return `[${items.join(', ')}]`;
}

function className(value: object): string {
  const prototype: unknown = Object.getPrototypeOf(value);
  const made: unknown = prototype === null ? undefined : (prototype as { constructor?: unknown }).constructor;
  const name: unknown = typeof made === 'function' ? made.name : undefined;
  return typeof name === 'string' && /^[\w$]{1,60}$/.test(name) && name !== 'Object' ? name : 'object';
}

/** Words as they are; quoted what could be taken for another value, or is no plain text. */
function describeText(text: string): string {
  const literal = /^(NaN|Infinity|null|undefined|true|false)$/.test(text);
  return /^[A-Za-z][\x20-\x7e]*$/.test(clip(text)) && !literal ? clip(text) : JSON.stringify(clip(text));
}

function clip(text: string): string {
  return text.length > MAX_TEXT ? `${text.slice(0, MAX_TEXT)}...` : text;
}
