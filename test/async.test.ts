// SPDX-License-Identifier: Apache-2.0
// Calls off the event loop: the same errors and bits as on it, the order they settle in, aborts, and memory that changes.
import {
  Activation,
  type ArrayInput,
  type AsyncOptions,
  backend,
  type IActivation,
  type ILossFunction,
  LossFMeasure,
  LossL1,
  LossMCXENT,
  LossMSE,
  LossSparseMCXENT,
  NDArray,
  nd,
} from '../lib';
import type { NativeLoss } from '../lib/losses/native-loss';
import { native } from '../lib/native';
import { bits } from './support/bits';
import { errBuffer, errOption, expectError } from './support/errors';
import type { FloatDtype } from './support/golden';
import { floats, lossOf } from './support/library';
import { activationRows, callFor, lossRows, makeProblem, masksFor, pairedActivation, title } from './support/problems';
import { Random } from './support/random';

interface Arguments {
  readonly loss: ILossFunction;
  readonly labels: ArrayInput;
  readonly z: ArrayInput;
  readonly activation: unknown;
  readonly mask?: ArrayInput | null;
  readonly average?: unknown;
  readonly options?: unknown;
}

const methods = ['computeScore', 'computeScoreArray', 'computeGradient', 'computeGradientAndScore'] as const;
type Method = (typeof methods)[number];
const hasAverage = (method: Method): boolean => method === 'computeScore' || method === 'computeGradientAndScore';

function invoke(method: Method | `${Method}Async`, given: Arguments): unknown {
  const { loss, labels, z, activation, mask, average, options } = given;
  const call = loss as unknown as Record<string, (...args: unknown[]) => unknown>;
  const last = hasAverage(method.replace('Async', '') as Method) ? [average, options] : [options];
  return call[method]?.(labels, z, activation, mask, ...last);
}

/** Raises what a promise was rejected with, for `expectError`. */
async function outcome(promise: unknown): Promise<() => unknown> {
  return (promise as Promise<unknown>).then(
    (value) => () => value,
    (error: unknown) => () => {
      throw error;
    },
  );
}

/** An error as plain facts; undefined for none. */
function facts(run: () => unknown): unknown {
  try {
    run();
    return undefined;
  } catch (error) {
    const { name, message, code } = error as Error & { code?: string };
    return { name, message, code };
  }
}

/** As scripts/test.mjs builds it for hosts like Electron: no result's buffer is the addon's own memory. */
const { SIMDLOSS_PREBUILD = '' } = process.env;
const copiesResults = SIMDLOSS_PREBUILD.endsWith('no-external-buffers');

const turn = () => new Promise<void>((resolve) => setImmediate(resolve));
const small = { labels: nd.rand([2, 3], { seed: 1 }), z: nd.randn([2, 3], { seed: 2 }) };
/** Of several slices and chunks. */
const large = { labels: nd.rand([700, 1000], { seed: 1 }), z: nd.randn([700, 1000], { seed: 2 }) };
const asNative = (loss: ILossFunction) => loss as NativeLoss;

function own(change: Partial<IActivation> = {}): IActivation {
  return {
    getActivation: (z) => z.muli(2),
    backprop: (_, epsilon) => [epsilon.mul(2), null],
    numParams: () => 0,
    toString: () => 'own',
    ...change,
  };
}

function detached(): Float32Array {
  const data = new Float32Array(6);
  structuredClone(data.buffer, { transfer: [data.buffer] });
  return data;
}

describe('bad calls reject as the plain ones throw', () => {
  const mse = { loss: new LossMSE(), ...small, activation: 'identity' };
  const wide = new Float32Array(12);
  const rows: readonly { readonly what: string; readonly call: Arguments }[] = [
    { what: 'labels of another shape', call: { ...mse, labels: nd.zeros([2, 4]) } },
    { what: 'labels that are none', call: { ...mse, labels: 'labels' as unknown as ArrayInput } },
    { what: 'a preOutput of whole numbers', call: { ...mse, z: nd.zeros([2, 3], 'int32') } },
    { what: 'a mask of another shape', call: { ...mse, mask: nd.ones([1, 3]) } },
    { what: 'an unknown activation', call: { ...mse, activation: 'none' } },
    { what: 'an average that is no truth value', call: { ...mse, average: 1 } },
    { what: 'a mean over no rows', call: { ...mse, labels: nd.zeros([0, 3]), z: nd.zeros([0, 3]), average: true } },
    { what: 'a detached preOutput', call: { ...mse, z: { data: detached(), shape: [2, 3] } } },
    { what: 'options that are none', call: { ...mse, options: 5 } },
    { what: 'an out of another dtype', call: { ...mse, options: { out: new Float64Array(6) } } },
    { what: 'an out that is too short', call: { ...mse, options: { out: new Float32Array(1) } } },
    {
      what: 'an out that overlaps the labels',
      call: {
        ...mse,
        labels: new NDArray(wide.subarray(1, 7), [2, 3]),
        options: { out: wide.subarray(3, 9) },
      },
    },
    {
      what: 'a class index out of range',
      call: { ...mse, loss: new LossSparseMCXENT(), labels: Int32Array.of(0, 3), activation: 'softmax' },
    },
    {
      what: 'a class index out of range, int64',
      call: { ...mse, loss: new LossSparseMCXENT(), labels: BigInt64Array.of(0n, 2n ** 40n), activation: 'softmax' },
    },
    {
      what: 'a score array of a loss without',
      call: { loss: new LossFMeasure(), labels: nd.ones([2, 1]), z: nd.ones([2, 1]), activation: 'sigmoid' },
    },
    {
      what: 'an activation of a user that gives another shape',
      call: { ...mse, activation: own({ getActivation: () => nd.zeros([1, 1]) }) },
    },
    {
      what: 'an activation of a user that throws',
      call: {
        ...mse,
        activation: own({
          getActivation: () => {
            throw new Error('mine');
          },
        }),
      },
    },
  ];
  test.each(rows)('$what', async ({ call }) => {
    let rejected = 0;
    for (const method of methods) {
      const expected = facts(() => invoke(method, call));
      const promise = invoke(`${method}Async`, call);
      expect(promise).toBeInstanceOf(Promise);
      expect(facts(await outcome(promise))).toEqual(expected);
      if (expected !== undefined) rejected += 1;
    }
    expect(rejected).toBeGreaterThan(0);
  });

  test('a class index out of range leaves out as it is', async () => {
    const labels = new Int32Array(700);
    labels[650] = 1000;
    const out = new Float32Array(large.z.length).fill(7);
    const promise = new LossSparseMCXENT().computeGradientAsync(labels, large.z, 'softmax', null, { out });
    await expect(promise).rejects.toThrow('labels: row 650: expected a class index from 0 to 999, got 1000');
    expect(out.every((value) => value === 7)).toBe(true);
  });

  test.each([
    { what: 'an unknown option', options: { into: small.z }, says: ['options', 'out and signal', 'into'] },
    { what: 'a signal that is none', options: { signal: { aborted: 0 } }, says: ['signal', 'an AbortSignal'] },
    { what: 'a signal of a number', options: { signal: 1 }, says: ['signal', 'an AbortSignal', '1'] },
  ])('$what', async ({ options, says }) => {
    for (const method of methods) {
      const promise = invoke(`${method}Async`, { ...mse, options });
      expectError(await outcome(promise), errOption(...says));
    }
  });
});

describe('the same bits as the plain calls', () => {
  /** All four methods, one after the other as a user awaits them, and all at once. */
  async function expectSame(call: Arguments): Promise<void> {
    const used = methods.filter((method) => method !== 'computeScoreArray' || !(call.loss instanceof LossFMeasure));
    const expected = used.map((method) => bits(invoke(method, call)));
    for (const [i, method] of used.entries()) expect(bits(await invoke(`${method}Async`, call))).toEqual(expected[i]);
    const together = await Promise.all(used.map((method) => invoke(`${method}Async`, call)));
    expect(together.map(bits)).toEqual(expected);
  }

  const someActivations = ['SOFTMAX', 'SIGMOID', 'PRELU'];
  test.each(lossRows.map((row) => ({ row, name: title(row.loss, row.params) })))('$name', async ({ row }) => {
    const random = new Random(row.loss);
    const activations = activationRows.filter(({ activation }) => someActivations.includes(activation));
    for (const dtype of ['float32', 'float64'] as const) {
      for (const activation of [pairedActivation(row), ...activations]) {
        // A user's labels: right for the loss, whatever the activation gives.
        const mask = random.pick(masksFor(row));
        const weighted = row.weighted === true && random.below(2) === 1;
        const paired = makeProblem(row, pairedActivation(row), random, { rows: 11, width: 4, mask, weighted });
        const { cols } = paired;
        const params = typeof activation.params === 'function' ? activation.params(cols) : (activation.params ?? {});
        const problem = { ...paired, activation: activation.activation, activationParams: params };
        const { loss, activation: object, labels, z, mask: given } = callFor(problem, dtype);
        for (const average of [false, true]) {
          await expectSame({ loss, labels, z, activation: object, mask: given, average });
        }
      }
    }
  });

  /** A view of columns in a wider array. */
  const columns = (array: NDArray): NDArray => {
    const wider = nd.full([array.size(0), array.size(1) + 3], Number.NaN, array.dtype as FloatDtype);
    const view = wider.columns(2, 2 + array.size(1));
    return view.assign(array);
  };
  const [y, z] = [large.labels, large.z];
  const onShared = (array: NDArray) =>
    new NDArray(new Float32Array(new SharedArrayBuffer(4 * array.length)), array.shape).assign(array);
  const forms: readonly (Partial<Arguments> & { readonly form: string })[] = [
    { form: 'views of columns', labels: columns(y), z: columns(z) },
    { form: 'one row', labels: y.rows(3, 4), z: z.rows(5, 6) },
    { form: 'no rows', labels: y.rows(0, 0), z: z.rows(0, 0) },
    { form: 'a column of a wide array', labels: columns(y).columns(0, 1), z: z.columns(7, 8) },
    { form: 'transposed arrays', labels: y.transpose(), z: z.transpose() },
    { form: 'numbers', labels: small.labels.toArray() as number[][], z: small.z.toArray() as number[][] },
    { form: 'three axes', labels: y.reshape(7, 100, 1000), z: z.reshape(7, 100, 1000) },
    { form: 'one row that repeats', labels: new NDArray(y.data, [700, 1000], [0, 1]), z },
    { form: 'a preOutput that repeats', labels: y, z: new NDArray(z.data, [700, 1000], [0, 1]) },
    { form: 'labels of another dtype', labels: y.castTo('uint8'), z },
    { form: 'a mask per example', labels: y, z, mask: nd.rand([700], { seed: 3 }) },
    { form: 'a mask per example in a view', labels: y, z, mask: z.columns(3, 4) },
    { form: 'a mask per output', labels: columns(y), z, mask: columns(nd.rand([700, 1000], { seed: 3 })) },
    { form: 'an array as labels and as preOutput', labels: z, z },
    { form: 'shared memory', labels: onShared(y), z: onShared(z), mask: onShared(z) },
    { form: 'shared labels', labels: onShared(y), z },
    { form: 'a shared preOutput', labels: y, z: onShared(z) },
    { form: 'a view of shared memory', labels: onShared(y).columns(1, 500), z: onShared(z).columns(2, 501) },
  ];
  test.each(forms)('$form', async ({ form: _, ...given }) => {
    for (const loss of [new LossMSE(), new LossMCXENT()]) {
      await expectSame({ loss, activation: 'softmax', ...(given as Pick<Arguments, 'labels' | 'z'>) });
    }
  });

  test.each([Uint8Array, Int32Array, Float64Array, BigInt64Array, BigUint64Array])(
    'class indices in an %p',
    async (Labels) => {
      const list = Array.from({ length: 700 }, (_, i) => (i * 7) % 256);
      const from = (Labels as unknown as { from(values: unknown[]): Int32Array }).from;
      const labels = from.call(Labels, Labels.name.startsWith('Big') ? list.map(BigInt) : list);
      const loss = new LossSparseMCXENT({ ignoreIndex: 5, weights: nd.rand([1000], { seed: 4 }) });
      await expectSame({ loss, labels, z, activation: 'softmax', mask: nd.rand([700], { seed: 3 }) });
    },
  );

  test('an activation of a user, on the event loop', async () => {
    await expectSame({ loss: new LossMSE(), ...small, activation: own() });
    let ran = false;
    const activation = own({
      getActivation: (values) => {
        ran = true;
        return values;
      },
    });
    const promise = new LossMSE().computeScoreAsync(small.labels, small.z, activation);
    expect(ran).toBe(false);
    await promise;
    expect(ran).toBe(true);
  });

  test('a result that comes back is read where it is', async () => {
    const loss = new LossMSE();
    const first = await loss.computeGradientAsync(y, z, 'identity');
    const before = native.poolBytes();
    await expectSame({ loss, labels: first, z: first, activation: 'identity' });
    expect(await loss.computeScoreAsync(first, first, 'identity')).toBe(0);
    const scores = [loss.computeScoreAsync(first, first, 'tanh'), loss.computeScoreAsync(first, first, 'tanh')];
    const expected = loss.computeScore(first, first, 'tanh');
    expect(await Promise.all(scores)).toEqual([expected, expected]);
    // Of WebAssembly no result stays in the module's memory.
    expect(before > 0).toBe(backend === 'native');
  });

  test('shared memory and earlier results are not copied', async () => {
    // Of a size that no other test has made blocks of.
    const shared = () => new NDArray(new Float32Array(new SharedArrayBuffer(4 * 3001000)), [3001, 1000]);
    const [labels, output] = [shared().addi(1), shared().addi(3)];
    const before = native.poolBytes();
    const score = await new LossMSE().computeScoreAsync(labels, output, 'identity');
    expect(native.poolBytes()).toBeLessThanOrEqual(before); // blocks of collected results may go meanwhile
    expect(score).toBe(new LossMSE().computeScore(labels, output, 'identity'));
    const gradient = await new LossMSE().computeGradientAsync(labels, output, 'identity');
    const held = native.poolBytes();
    await new LossMSE().computeScoreAsync(gradient.columns(1, 900), gradient.columns(2, 901), 'identity');
    expect(native.poolBytes() <= held).toBe(!copiesResults);
  });
});

describe('out', () => {
  const loss = new LossMCXENT();
  const [y, z] = [large.labels, large.z];
  const expected = loss.computeGradientAndScore(y, z, 'softmax');
  const scores = loss.computeScoreArray(y, z, 'softmax');

  test('an array is filled and returned itself', async () => {
    const out = nd.zeros([700, 1000]);
    expect(await loss.computeGradientAsync(y, z, 'softmax', null, { out })).toBe(out);
    expect(bits(out)).toEqual(bits(expected.gradient));
    const column = nd.zeros([700, 1]);
    expect(await loss.computeScoreArrayAsync(y, z, 'softmax', null, { out: column })).toBe(column);
    expect(bits(column)).toEqual(bits(scores));
  });

  test('a typed array, on shared memory too', async () => {
    for (const out of [new Float32Array(700000), new Float32Array(new SharedArrayBuffer(2800000))]) {
      const result = await loss.computeGradientAndScoreAsync(y, z, 'softmax', null, false, { out });
      expect(result.gradient.data).toBe(out);
      expect(bits(result)).toEqual(bits(expected));
    }
  });

  test('a view of rows a stride apart, and nothing between them', async () => {
    const wide = nd.full([700, 1005], 7);
    await loss.computeGradientAsync(y, z, 'softmax', null, { out: wide.columns(3, 1003) });
    expect(bits(wide.columns(3, 1003))).toEqual(bits(expected.gradient));
    expect([wide.columns(0, 3).sumNumber(), wide.columns(1003).sumNumber()]).toEqual([3 * 7 * 700, 2 * 7 * 700]);
    const column = nd.full([700, 3], 7).columns(1, 2);
    await loss.computeScoreArrayAsync(y, z, 'softmax', null, { out: column });
    expect(bits(column)).toEqual(bits(scores));
  });

  test('preOutput itself', async () => {
    const inPlace = z.dup();
    const result = await loss.computeGradientAndScoreAsync(y, inPlace, 'softmax', null, false, { out: inPlace });
    expect(result.gradient).toBe(inPlace);
    expect(bits(result)).toEqual(bits(expected));
  });

  test('an earlier result, in place', async () => {
    const earlier = await loss.computeGradientAsync(y, z, 'softmax');
    const again = loss.computeGradient(y, earlier, 'softmax');
    await loss.computeGradientAsync(y, earlier, 'softmax', null, { out: earlier });
    expect(bits(earlier)).toEqual(bits(again));
  });
});

describe('an abort', () => {
  const loss = new LossMSE();

  test('before the call: nothing is read', async () => {
    const reason = new Error('mine');
    const labels = {
      get data(): Float32Array {
        throw new Error('read');
      },
      shape: [2, 3],
    };
    for (const method of methods) {
      const options = { signal: AbortSignal.abort(reason) };
      const call = { loss, labels, z: small.z, activation: 'identity', options };
      await expect(invoke(`${method}Async`, call)).rejects.toBe(reason);
    }
  });

  test('at any time: the reason at once, out left alone', async () => {
    let aborted = 0;
    for (let turns = 0; turns < 12; turns++) {
      const controller = new AbortController();
      const out = new Float32Array(large.z.length).fill(7);
      const options: AsyncOptions = { out, signal: controller.signal };
      const promise = loss.computeGradientAsync(large.labels, large.z, 'tanh', null, options);
      let settled = false;
      const ended = promise.then(
        () => true,
        () => false,
      );
      ended.then(() => {
        settled = true;
      });
      for (let i = 0; i < turns; i++) await turn();
      const late = settled;
      controller.abort(turns);
      if (!late) {
        await Promise.race([ended, turn().then(turn)]);
        if ((await outcome(promise)) && !(await ended)) {
          aborted += 1;
          await expect(promise).rejects.toBe(turns);
          // A call that comes later has run: so the other has ended.
          await loss.computeScoreAsync(large.labels, large.z, 'tanh');
          expect(out.every((value) => value === 7)).toBe(true);
          continue;
        }
      }
      // Too late: the result is whole.
      expect((await promise).data).toBe(out);
      expect(bits(await promise)).toEqual(bits(loss.computeGradient(large.labels, large.z, 'tanh')));
    }
    expect(aborted).toBeGreaterThan(1);
  });

  test('while queued: the calls behind it go on', async () => {
    const controller = new AbortController();
    const score = (signal?: AbortSignal) =>
      loss.computeScoreAsync(large.labels, large.z, 'tanh', null, false, { signal });
    const first = score();
    const given = Array.from({ length: 20 }, () => score(controller.signal));
    const last = score();
    controller.abort();
    for (const promise of given) await expect(promise).rejects.toBe(controller.signal.reason);
    expect(await last).toBe(await first);
  });

  test('of an activation of a user: it is never called', async () => {
    const controller = new AbortController();
    const activation = own({
      getActivation: () => {
        throw new Error('called');
      },
    });
    const options = { signal: controller.signal };
    const promise = loss.computeScoreAsync(small.labels, small.z, activation, null, false, options);
    controller.abort('enough');
    await expect(promise).rejects.toBe('enough');
    await turn();
  });

  test('one signal of many calls: no warning of a leak, and none', async () => {
    const { signal } = new AbortController();
    const listening = new Set<unknown>();
    signal.addEventListener = (_: string, listener: unknown) => listening.add(listener);
    signal.removeEventListener = (_: string, listener: unknown) => listening.delete(listener);
    const promises = Array.from({ length: 20 }, () =>
      loss.computeGradientAsync(small.labels, small.z, 'identity', null, { signal }),
    );
    expect(listening.size).toBe(1);
    await Promise.all(promises);
    expect(listening.size).toBe(0);
    await expect(
      new LossSparseMCXENT().computeScoreAsync([5, 5], small.z, 'softmax', null, false, { signal }),
    ).rejects.toThrow('row 0');
    await turn();
    expect(listening.size).toBe(0);
  });
});

describe('memory that changes meanwhile', () => {
  const loss = new LossL1();
  const names = ['labels', 'z', 'mask'] as const;
  const make = (): Record<(typeof names)[number], Float32Array> => ({
    labels: Float32Array.from(large.labels.data as Float32Array),
    z: Float32Array.from(large.z.data as Float32Array),
    mask: new Float32Array(large.z.length).fill(1),
  });
  const shaped = (data: Float32Array) => ({ data, shape: [700, 1000] });

  test.each(names)('%s detached right after the call, or some turns later', async (name) => {
    const expected = loss.computeScore(large.labels, large.z, 'identity');
    for (let turns = 0; turns < 8; turns++) {
      const arrays = make();
      const { labels, z, mask } = arrays;
      const promise = loss.computeScoreAsync(shaped(labels), shaped(z), 'identity', shaped(mask));
      const ended = outcome(promise);
      for (let i = 0; i < turns; i++) await turn();
      structuredClone(null, { transfer: [arrays[name].buffer as ArrayBuffer] });
      const result = await ended;
      if (turns === 0) expectError(result, errBuffer());
      // It may have been copied by then.
      else if (facts(result) === undefined) expect(result()).toBe(expected);
      else expectError(result, errBuffer('input', 'detached'));
    }
  });

  const Resizable = ArrayBuffer as unknown as new (
    size: number,
    options: object,
  ) => ArrayBuffer & { resize(size: number): void };

  test('an input that shrinks', async () => {
    for (let turns = 0; turns < 4; turns++) {
      const buffer = new Resizable(2800000, { maxByteLength: 2800000 });
      const z = { data: new Float32Array(buffer), shape: [700, 1000] };
      const ended = outcome(loss.computeScoreAsync(large.labels, z, 'identity'));
      for (let i = 0; i < turns; i++) await turn();
      buffer.resize(4096);
      const result = await ended;
      if (turns === 0 || facts(result) !== undefined) expectError(result, errBuffer());
    }
  });

  test.each([
    { what: 'detached', spoil: (buffer: ArrayBuffer) => structuredClone(null, { transfer: [buffer] }) },
    {
      what: 'shrunk',
      spoil: (buffer: ArrayBuffer) => (buffer as ArrayBuffer & { resize(size: number): void }).resize(64),
    },
  ])('an out that is $what', async ({ spoil }) => {
    const buffer = new Resizable(2800000, { maxByteLength: 2800000 });
    const out = new Float32Array(buffer, 0, 700000);
    const ended = outcome(loss.computeGradientAsync(large.labels, large.z, 'identity', null, { out }));
    spoil(buffer);
    expectError(await ended, errBuffer('out', 'detached or shrunk'));
    const column = new Resizable(2800, { maxByteLength: 2800 });
    const scores = { out: new Float32Array(column, 0, 700) };
    const other = outcome(loss.computeScoreArrayAsync(large.labels, large.z, 'identity', null, scores));
    spoil(column);
    expectError(await other, errBuffer('out', 'detached or shrunk'));
  });

  test('values that are written meanwhile: some count, none harm', async () => {
    const labels = new Int32Array(new SharedArrayBuffer(4 * 700));
    const promise = new LossSparseMCXENT().computeGradientAsync(labels, large.z, 'softmax');
    for (let i = 0; i < 20; i++) {
      labels.fill(i % 2 === 0 ? 2 ** 30 : 3);
      await turn();
    }
    labels.fill(3);
    await outcome(promise);
    expect(await new LossSparseMCXENT().computeScoreAsync(labels, large.z, 'softmax')).toBeGreaterThan(0);
  });
});

describe('many calls', () => {
  test('300 at once settle in order, in bounded memory', async () => {
    const loss = new LossMSE();
    const order: number[] = [];
    let most = 0;
    const calls = Array.from({ length: 300 }, async (_, i) => {
      const score = await loss.computeScoreAsync(large.labels, large.z, 'identity');
      most = Math.max(most, native.poolBytes());
      order.push(i);
      return score;
    });
    const waiting = native.poolBytes();
    const scores = await Promise.all(calls);
    expect(order).toEqual(Array.from(order.keys()));
    expect(new Set(scores)).toEqual(new Set([loss.computeScore(large.labels, large.z, 'identity')]));
    // Four of them hold their 2 * 2.7 MiB at a time, not 300.
    const each = 2 * 3 * 2 ** 20;
    expect(most).toBeLessThan(waiting + 5 * each);
  });

  test('the event loop turns while one runs', async () => {
    let turns = 0;
    let going = true;
    const count = async () => {
      for (; going; turns++) await turn();
    };
    const counting = count();
    await new LossMCXENT().computeGradientAsync(large.labels, large.z, Activation.SOFTMAX);
    going = false;
    await counting;
    expect(turns).toBeGreaterThan(3);
  });

  test('small ones among large ones', async () => {
    const loss = new LossMCXENT();
    const [expectedSmall, expectedLarge] = [small, large].map(({ labels, z }) =>
      loss.computeScore(labels, z, 'softmax'),
    );
    const scores = await Promise.all(
      Array.from({ length: 40 }, (_, i) => {
        const { labels, z } = i % 5 === 0 ? large : small;
        return loss.computeScoreAsync(labels, z, 'softmax');
      }),
    );
    expect(scores).toEqual(Array.from(scores, (_, i) => (i % 5 === 0 ? expectedLarge : expectedSmall)));
  });
});

test('floats of both dtypes come back in new arrays', async () => {
  for (const dtype of ['float32', 'float64'] as const) {
    const z = new NDArray(floats(dtype, new Array<number>(60000).fill(1)), [60, 1000]);
    const loss = asNative(lossOf('LossMSE'));
    const gradient = await loss.computeGradientAsync(nd.zeros([60, 1000], dtype), z, 'identity');
    expect(gradient.dtype).toBe(dtype);
    expect(gradient.data).toBeInstanceOf(dtype === 'float32' ? Float32Array : Float64Array);
  }
});
