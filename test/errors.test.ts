// SPDX-License-Identifier: Apache-2.0
import { bufferError, describe as describeValue, dtypeError, optionError, rangeError, shapeError } from '../lib/errors';
import { NDArray } from '../lib/ndarray/ndarray';

function revoked(target: object): object {
  const { proxy, revoke } = Proxy.revocable(target, {});
  revoke();
  return proxy;
}

const hostile = new Proxy(
  {},
  {
    get() {
      throw new Error('get');
    },
    getPrototypeOf() {
      throw new Error('getPrototypeOf');
    },
  },
);

describe('errors', () => {
  test.each([
    { make: shapeError, Type: RangeError, code: 'ERR_SHAPE' },
    { make: dtypeError, Type: TypeError, code: 'ERR_DTYPE' },
    { make: rangeError, Type: RangeError, code: 'ERR_RANGE' },
    { make: bufferError, Type: RangeError, code: 'ERR_BUFFER' },
    { make: optionError, Type: TypeError, code: 'ERR_OPTION' },
  ])('$code', ({ make, Type, code }) => {
    const error = make('labels', '[2, 3]', [2, 4]);
    expect(error).toBeInstanceOf(Type);
    expect(error.code).toBe(code);
    expect(error.message).toBe('labels: expected [2, 3], got [2, 4]');
    expect(error.stack).toContain('errors.test');
    expect(error.stack).not.toContain(make.name);
  });

  test.each([
    // Objects that fight back.
    { title: 'a revoked array', value: revoked([]), text: 'an object that cannot be read' },
    { title: 'a revoked object', value: revoked({}), text: 'an object that cannot be read' },
    { title: 'throwing traps', value: hostile, text: 'an object that cannot be read' },
    { title: 'an array of them', value: [hostile], text: 'an object that cannot be read' },
    { title: 'no prototype', value: Object.create(null), text: 'an object' },
    { title: 'a constructor that is none', value: { constructor: 5 }, text: 'an object' },
    { title: 'an NDArray that is none', value: new (class NDArray {})(), text: 'a NDArray' },
    {
      title: 'a name that is no name',
      value: Object.create({ constructor: Object.defineProperty(() => 1, 'name', { value: 'a b' }) }),
      text: 'an object',
    },
    // Large things.
    {
      title: 'a huge array',
      value: new Array(2 ** 32 - 1),
      text: '[undefined, undefined, undefined, undefined, undefined, undefined, undefined, undefined, ... 4294967295 in all]',
    },
    { title: 'a huge text', value: 'a'.repeat(1e6), text: `${'a'.repeat(120)}...` },
    { title: 'a huge bigint', value: 1n << 100000n, text: 'a bigint beyond 64 bits' },
    { title: 'a huge symbol', value: Symbol('a'.repeat(1e6)), text: `Symbol(${'a'.repeat(113)}...` },
    // Plain values.
    { title: 'undefined', value: undefined, text: 'undefined' },
    { title: 'null', value: null, text: 'null' },
    { title: 'true', value: true, text: 'true' },
    { title: 'NaN', value: Number.NaN, text: 'NaN' },
    { title: 'minus zero', value: -0, text: '-0' },
    { title: 'a fraction', value: 2.5, text: '2.5' },
    { title: 'a bigint', value: -7n, text: '-7n' },
    { title: 'a function', value: () => 1, text: 'a function' },
    { title: 'a symbol', value: Symbol('s'), text: 'Symbol(s)' },
    // Texts: words as they are, all else in quotes.
    { title: 'words', value: 'memory that overlaps', text: 'memory that overlaps' },
    { title: 'a number as text', value: '5', text: '"5"' },
    { title: 'NaN as text', value: 'NaN', text: '"NaN"' },
    { title: 'no text', value: '', text: '""' },
    { title: 'lines', value: 'a\nb', text: '"a\\nb"' },
    // Objects.
    { title: 'no elements', value: [], text: '[]' },
    { title: 'a shape', value: [2, 3], text: '[2, 3]' },
    { title: 'mixed elements', value: [1, 'x', null, {}], text: '[1, x, null, an object]' },
    { title: 'rows', value: [[1, 2], [[3]]], text: '[[1, 2], an array of 1]' },
    { title: 'a typed array', value: new Float32Array(5), text: 'Float32Array(5)' },
    { title: 'a DataView', value: new DataView(new ArrayBuffer(8)), text: 'a DataView' },
    { title: 'a map', value: new Map(), text: 'a Map' },
    { title: 'an array buffer', value: new ArrayBuffer(8), text: 'an ArrayBuffer' },
    { title: 'an NDArray', value: new NDArray(new Float32Array(6), [2, 3]), text: 'float32 [2, 3]' },
  ])('describes $title', ({ value, text }) => {
    expect(describeValue(value)).toBe(text);
  });
});
