// SPDX-License-Identifier: Apache-2.0
// Values that no caller should pass, each made anew: a value may be spoilt by being read.
import vm from 'node:vm';
import { Activation, LossMSE, NDArray, nd } from '../../lib';

/** What getters and conversions here throw: a caller's own error, which a call may let through. */
export class OwnError extends Error {}

const throws = (): never => {
  throw new OwnError('thrown by the caller');
};

/** A typed array whose memory is gone. */
export function detached(length = 4): Float32Array {
  const array = new Float32Array(length);
  structuredClone(array.buffer, { transfer: [array.buffer] });
  return array;
}

interface Resizable extends ArrayBuffer {
  resize(length: number): void;
}
type ResizableConstructor = new (length: number, options: { maxByteLength: number }) => Resizable;
const resizable = () => new (ArrayBuffer as unknown as ResizableConstructor)(16, { maxByteLength: 64 });

/** A typed array that was longer once. */
function shrunk(): Float32Array {
  const buffer = resizable();
  const array = new Float32Array(buffer, 0, 4);
  buffer.resize(4);
  return array;
}

/** An object that becomes another one each time a property is read. */
function fickle(): object {
  let reads = 0;
  return {
    get data() {
      return reads++ % 2 === 0 ? new Float32Array(4) : new Float64Array(1);
    },
    get shape() {
      return reads++ % 3 === 0 ? [2, 2] : [1000, 1000];
    },
  };
}

/** An array that detaches its own buffer when its shape is read. */
function selfDetaching(): object {
  const data = new Float32Array(4);
  return {
    data,
    get shape() {
      try {
        structuredClone(data.buffer, { transfer: [data.buffer] });
      } catch {}
      return [2, 2];
    },
  };
}

class OwnFloats extends Float32Array {
  override get length(): number {
    return 1e9;
  }
}

const shape = (...sizes: unknown[]): object => ({ data: new Float32Array(4), shape: sizes });
const strides = (...steps: unknown[]): object => ({ data: new Float32Array(4), shape: [2, 2], strides: steps });

/** Makers of values, by what they make. */
export const hostile: Readonly<Record<string, () => unknown>> = {
  undefined: () => undefined,
  null: () => null,
  NaN: () => Number.NaN,
  Infinity: () => Number.POSITIVE_INFINITY,
  '-0': () => -0,
  '-1': () => -1,
  fraction: () => 1.5,
  'a number beyond 32 bits': () => 2 ** 45,
  'a number beyond 53 bits': () => 2 ** 60,
  bigint: () => 10n ** 30n,
  string: () => 'constructor',
  'long string': () => 'x'.repeat(1e4),
  symbol: () => Symbol('s'),
  boolean: () => true,
  function: () => throws,
  date: () => new Date(0),
  'bare object': () => ({}),
  'object without a prototype': () => Object.create(null),
  __proto__: () => ({ __proto__: { data: new Float32Array(4), shape: [2, 2] } }),
  promise: () => Promise.resolve(1),
  'empty array': () => [],
  'empty row': () => [[]],
  'ragged rows': () => [[1, 2], [3]],
  'rows of text': () => [['1', '2']],
  'a hole': () => [new Array(3)],
  'an array in itself': () => {
    const array: unknown[] = [];
    array.push(array);
    return array;
  },
  'deep nesting': () => JSON.parse(`${'['.repeat(40)}1${']'.repeat(40)}`),
  'a long array': () => new Array(1e4),
  int8: () => Int8Array.of(1, -2, 3, 4),
  bigint64: () => BigInt64Array.of(1n, -(2n ** 62n), 3n, 4n),
  clamped: () => Uint8ClampedArray.of(1, 2, 3, 4),
  'empty typed array': () => new Float64Array(0),
  'data view': () => new DataView(new ArrayBuffer(16)),
  'array buffer': () => new ArrayBuffer(16),
  'shared memory': () => new Float32Array(new SharedArrayBuffer(16)),
  'another realm': () => vm.runInNewContext('new Float32Array(4)'),
  'another realm, nested': () => vm.runInNewContext('[[1, 2], [3, 4]]'),
  subclass: () => new OwnFloats(4),
  detached,
  shrunk,
  'growing memory': () => new Float32Array(resizable()),
  fickle,
  selfDetaching,
  'getters that throw': () => ({
    get data() {
      return throws();
    },
    get shape() {
      return throws();
    },
    get out() {
      return throws();
    },
  }),
  'conversions that throw': () => ({ valueOf: throws, toString: throws, [Symbol.toPrimitive]: throws }),
  'a proxy that throws': () => new Proxy({}, { get: throws, has: throws, ownKeys: throws, getPrototypeOf: throws }),
  'a proxy of an array': () => new Proxy(nd.zeros([2, 2]), {}),
  'a revoked proxy': () => {
    const { proxy, revoke } = Proxy.revocable({}, {});
    revoke();
    return proxy;
  },
  'a prototype': () => NDArray.prototype,
  'an array made by hand': () => Object.create(NDArray.prototype),
  'an activation made by hand': () => Object.create(Object.getPrototypeOf(Activation.TANH.getActivationFunction())),
  'a loss': () => new LossMSE(),
  'a frozen array': () => Object.freeze(nd.zeros([2, 2])),
  'no rows': () => nd.zeros([0, 2]),
  'no columns': () => nd.zeros([2, 0]),
  'rank 3': () => nd.zeros([2, 2, 2]),
  'rank 0': () => ({ data: new Float32Array(1), shape: [] }),
  'a shape too large': () => shape(2, 3),
  'a huge shape': () => shape(2 ** 31, 2 ** 31),
  'a shape beyond 53 bits': () => shape(2 ** 53, 2 ** 53, 0),
  'a negative shape': () => shape(-2, -2),
  'a shape of fractions': () => shape(0.5, 8),
  'a shape of NaN': () => shape(Number.NaN, 2),
  'a shape of text': () => shape('2', '2'),
  'a shape of objects': () => shape({ valueOf: throws }, 2),
  'negative strides': () => strides(-2, -1),
  'huge strides': () => strides(2 ** 40, 2 ** 40),
  'strides of NaN': () => strides(Number.NaN, 1),
  'overlapping rows': () => strides(0, 1),
  'a shape of rank 100': () => ({ data: new Float32Array(1), shape: new Array(100).fill(1) }),
  'a list of arrays': () => [new Float32Array(2), new Float32Array(2)],
  options: () => ({ out: detached(), average: 'yes', signal: {}, weights: shape(1e9), alpha: {}, seed: -1 }),
};
