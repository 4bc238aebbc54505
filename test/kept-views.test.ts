// SPDX-License-Identifier: Apache-2.0
// What is kept from one call to the next must never outlive what it was made of, whatever a caller does meanwhile.
import {
  Activation,
  ActivationPReLU,
  ActivationTanH,
  type ArrayInput,
  LossL2,
  LossMCXENT,
  NDArray,
  nd,
  type TypedArray,
} from '../lib';
import { errBuffer, errDtype, errShape, expectError } from './support/errors';
import { values } from './support/library';

const loss = new LossL2();
const zeros = nd.zeros([2, 3]);
/** The sum of squares. */
const score = (array: ArrayInput, labels: ArrayInput = zeros) => loss.computeScore(labels, array, 'identity');
/** An array that the library has read before. */
const seen = (data: TypedArray = Float32Array.of(1, 2, 3, 4, 5, 6)): NDArray => {
  const array = new NDArray(data, [2, 3]);
  score(array);
  return array;
};
type Mutable = { -readonly [K in keyof NDArray]: NDArray[K] };

describe('an NDArray between two calls', () => {
  test('whose buffer was transferred away', () => {
    const array = seen();
    structuredClone(null, { transfer: [array.data.buffer as ArrayBuffer] });
    expectError(() => score(array), errBuffer('preOutput', 'detached'));
    expectError(() => loss.computeScore(array, zeros, 'identity'), errBuffer('labels'));
    expectError(() => loss.computeGradient(zeros, zeros, 'identity', array), errBuffer('mask'));
    expectError(() => loss.computeGradient(zeros, zeros, 'identity', null, { out: array }), errBuffer('out'));
    expectError(() => new ActivationTanH().getActivation(array), errBuffer('input'));
  });

  test('of no elements whose buffer was transferred away', () => {
    const array = new NDArray(new Float32Array(0), [0, 3]);
    const none = nd.zeros([0, 3]);
    expect(score(array, none)).toBe(0);
    structuredClone(null, { transfer: [array.data.buffer as ArrayBuffer] });
    expectError(() => score(array, none), errBuffer('preOutput'));
  });

  test('whose buffer shrank, and grew again', () => {
    const Resizable = ArrayBuffer as unknown as new (
      size: number,
      options: object,
    ) => ArrayBuffer & { resize(size: number): void };
    const buffer = new Resizable(24, { maxByteLength: 24 });
    const array = seen(new Float32Array(buffer));
    buffer.resize(20);
    expectError(() => score(array), errBuffer('preOutput', '6', '5'));
    buffer.resize(24);
    expect(score(array)).toBe(0);
  });

  test('that was given other memory', () => {
    const array = seen() as Mutable;
    array.data = Float32Array.of(3, 0, 0, 0, 0, 0);
    expect(score(array)).toBe(9);
    array.data = new Float32Array(5);
    expectError(() => score(array), errBuffer('preOutput', '6', '5'));
    array.data = new Uint8Array(6) as TypedArray;
    expectError(() => score(array), errDtype('preOutput', 'uint8'));
  });

  test('whose shape or strides were written to', () => {
    const array = seen() as Mutable;
    (array.shape as number[])[0] = 1;
    expectError(() => score(array), errShape('labels', '[1, 3]', '[2, 3]'));
    (array.shape as number[])[0] = 3;
    expectError(() => score(array), errBuffer('preOutput', '9', '6'));
    (array.shape as number[])[0] = 2;
    (array.strides as number[])[0] = 0; // the first row twice
    expect(score(array)).toBe(2 * (1 + 4 + 9));
    array.strides = [3, 1];
    expect(score(array)).toBe(1 + 4 + 9 + 16 + 25 + 36);
    array.shape = [6];
    expectError(() => score(array), errShape('preOutput', '1 strides'));
  });

  test('whose elements changed, transposed or not', () => {
    for (const array of [nd.ones([2, 3]), nd.ones([3, 2]).transpose()]) {
      expect(score(array)).toBe(6);
      array.muli(2);
      expect(score(array)).toBe(24);
    }
  });

  test('that a proxy stands before', () => {
    const array = seen();
    const read: (string | symbol)[] = [];
    const proxy = new Proxy(array, {
      get(target, name) {
        read.push(name);
        return name === 'data' ? new Float32Array(6) : Reflect.get(target, name);
      },
    });
    expect(score(proxy)).toBe(0);
    expect(read).toEqual(['data', 'shape', 'strides', 'offset']);
  });
});

test('a plain object is read anew by each call', () => {
  const object = { data: Float32Array.of(1, 2, 3, 4, 5, 6), shape: [2, 3] };
  expect(score(object)).toBe(91);
  object.shape[0] = 1;
  expectError(() => score(object), errShape('labels', '[1, 3]', '[2, 3]'));
  object.shape[0] = 2;
  object.data = new Float32Array(6);
  expect(score(object)).toBe(0);
});

test('a subclass whose length lies', () => {
  class Long extends Float32Array {
    override get length(): number {
      return 6;
    }
  }
  const long = new Long(5);
  expectError(() => score({ data: long, shape: [2, 3] }), errBuffer('6 elements', '5'));
  expectError(() => score(new NDArray(long, [2, 3])), errBuffer('6 elements', '5'));
  expectError(
    () => loss.bind({ labels: zeros, preOutput: { data: long, shape: [2, 3] }, activation: 'identity' }),
    errBuffer('6 elements', '5'),
  );
});

describe('a getter that calls the library while a call is being checked', () => {
  const other = () => {
    const softmax = new LossMCXENT();
    softmax.computeGradientAndScore(nd.ones([7, 5]), nd.ones([7, 5], 'float64'), Activation.SOFTMAX, null, true);
    new ActivationTanH().backprop(nd.ones([4, 4]), nd.ones([4, 4]));
  };
  const reentrant = (data: Float32Array) => ({
    get data() {
      other();
      return data;
    },
    get shape() {
      other();
      return [2, 3];
    },
  });
  const z = Float32Array.of(-1, 2, -3, 4, -5, 6);
  const y = new Float32Array(6).fill(1);

  test('in arrays', () => {
    const expected = loss.computeGradientAndScore(new NDArray(y, [2, 3]), new NDArray(z, [2, 3]), 'tanh');
    const options = { out: reentrant(new Float32Array(6)) };
    const got = loss.computeGradientAndScore(reentrant(y), reentrant(z), 'tanh', reentrant(y), false, options);
    expect(got.score).toBe(expected.score);
    expect(values(got.gradient)).toEqual(values(expected.gradient));
  });

  test('in slopes and weights', () => {
    const preOutput = new NDArray(z, [2, 3]);
    const labels = new NDArray(y, [2, 3]);
    const make = () => ({ prelu: new ActivationPReLU([0.1, 0.2, 0.3]), weighted: new LossL2([1, 2, 3]) });
    const plain = make();
    const hostile = make();
    for (const array of [hostile.prelu.alpha, hostile.weighted.weights as NDArray]) {
      const { data } = array;
      Object.defineProperty(array, 'data', {
        get() {
          other();
          return data;
        },
      });
    }
    const run = ({ prelu, weighted }: typeof plain) => {
      const { score: total, gradient } = weighted.computeGradientAndScore(labels, preOutput, prelu);
      const bound = weighted.bind({ labels, preOutput, activation: prelu }).run();
      const forward = prelu.getActivation(preOutput, false, { out: new Float32Array(6) });
      const backward = prelu.backprop(preOutput, labels).map((array) => values(array as NDArray));
      return [total, bound, values(gradient), values(forward), backward];
    };
    expect(run(hostile)).toEqual(run(plain));
  });
});

test('memory does not grow over a million runs, or many calls', () => {
  const preOutput = nd.ones([4, 3]);
  const labels = nd.zeros([4, 3]);
  const out = nd.zeros([4, 3]);
  const bound = loss.bind({ labels, preOutput, activation: 'identity', gradient: out });
  const options = { out };
  const grown = (run: () => unknown, times: number): number => {
    for (let i = 0; i < 1e4; i++) run();
    const before = process.memoryUsage();
    for (let i = 0; i < times; i++) run();
    const after = process.memoryUsage();
    return Math.max(after.heapUsed - before.heapUsed, after.external - before.external);
  };
  // Less than a scavenge away from what was there.
  const few = 40 * 2 ** 20;
  expect(grown(() => bound.run(), 1e6)).toBeLessThan(few);
  expect(
    grown(() => loss.computeGradientAndScore(labels, preOutput, 'identity', null, false, options), 3e5),
  ).toBeLessThan(few);
});
