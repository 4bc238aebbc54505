// SPDX-License-Identifier: Apache-2.0
// Every row of the specification's section 6 and of the table of errors: class, code, message, and nothing written.
import {
  Activation,
  ActivationPReLU,
  ActivationRReLU,
  type IActivation,
  type ILossFunction,
  LossBinaryXENT,
  LossFMeasure,
  LossFunction,
  LossHinge,
  LossMCXENT,
  LossMixtureDensity,
  LossMSE,
  LossSparseMCXENT,
  NDArray,
  nd,
  OutputLayer,
  simd,
  WeightInit,
} from '../lib';
import { type Expected, errBuffer, errDtype, errOption, errRange, errShape, expectError } from './support/errors';
import { lossClasses, lossOf, values } from './support/library';

/** The arguments of one call; a row of the table replaces those that are bad. */
interface Arguments {
  readonly loss: ILossFunction;
  readonly labels: unknown;
  readonly preOutput: unknown;
  readonly activation: unknown;
  readonly mask: unknown;
  readonly average: unknown;
  readonly out: unknown;
}

interface Row {
  readonly title: string;
  readonly with: () => Partial<Arguments>;
  readonly expected: Expected;
  /** Methods that reject; the gradient's two if an `out` is given, all but the average's if not said. */
  readonly methods?: readonly Method[];
}

const methods = ['computeScore', 'computeScoreArray', 'computeGradient', 'computeGradientAndScore'] as const;
type Method = (typeof methods)[number];
const gradients: readonly Method[] = ['computeGradient', 'computeGradientAndScore'];
const averages: readonly Method[] = ['computeScore', 'computeGradientAndScore'];

const z = (): NDArray =>
  nd.array([
    [1, 2, 3],
    [-1, 0, 1],
  ]);

function invoke(method: Method, { loss, labels, preOutput, activation, mask, average, out }: Arguments): unknown {
  const call = loss as unknown as Record<Method, (...args: unknown[]) => unknown>;
  const options = out === undefined ? undefined : { out };
  return method === 'computeScore' || method === 'computeGradientAndScore'
    ? call[method](labels, preOutput, activation, mask, average, options)
    : call[method](labels, preOutput, activation, mask, options);
}

/** A view of a buffer that was transferred away. */
function detached(): Float32Array {
  const data = Float32Array.from([1, 2, 3, 4, 5, 6]);
  structuredClone(data.buffer, { transfer: [data.buffer] });
  return data;
}

/** A view of a buffer that shrank under it. */
function shrunk(): { data: Float32Array; shape: number[] } {
  const Resizable = ArrayBuffer as unknown as new (
    size: number,
    options: object,
  ) => ArrayBuffer & { resize(size: number): void };
  const buffer = new Resizable(24, { maxByteLength: 24 });
  const array = { data: new Float32Array(buffer), shape: [2, 3] };
  buffer.resize(8);
  return array;
}

/** Two arrays of the given shape over one memory, `distance` elements apart. */
function overlapping(distance: number): [NDArray, NDArray] {
  const data = new Float32Array(20);
  return [new NDArray(data.subarray(0, 6), [2, 3]), new NDArray(data.subarray(distance, distance + 6), [2, 3])];
}

/** An activation of the user, sound but for what is given. */
function own(methods: Partial<IActivation>): IActivation {
  return {
    getActivation: (z) => z,
    backprop: (_, epsilon) => [epsilon, null],
    numParams: () => 0,
    toString: () => 'own',
    ...methods,
  };
}

const sparse = () => ({ loss: new LossSparseMCXENT(), activation: 'softmax' });
const column = (list: readonly number[]) => new NDArray(Float64Array.from(list), [list.length, 1]);

const rows: readonly Row[] = [
  // --- Shapes ---
  {
    title: 'labels of another shape',
    with: () => ({ labels: nd.zeros([2, 4]) }),
    expected: errShape('labels', '[2, 3]', '[2, 4]'),
  },
  {
    title: 'labels with fewer rows',
    with: () => ({ labels: nd.zeros([1, 3]) }),
    expected: errShape('labels', '[2, 3]', '[1, 3]'),
  },
  {
    title: 'labels of another rank',
    with: () => ({ labels: nd.zeros([6]) }),
    expected: errShape('labels', '[2, 3]', '[6]'),
  },
  { title: 'a mask with too many rows', with: () => ({ mask: nd.ones([3, 1]) }), expected: errShape('mask', '[3, 1]') },
  {
    title: 'a mask that would broadcast',
    with: () => ({ mask: nd.ones([1, 1]) }),
    expected: errShape('mask', '[1, 1]'),
  },
  { title: 'a mask per column', with: () => ({ mask: nd.ones([1, 3]) }), expected: errShape('mask', '[1, 3]') },
  { title: 'a mask of columns', with: () => ({ mask: nd.ones([2, 2]) }), expected: errShape('mask', '[2, 2]') },
  { title: 'a mask of columns as a vector', with: () => ({ mask: nd.ones([3]) }), expected: errShape('mask', '[3]') },
  ...['LossCosineProximity', 'LossMultiLabel'].map(
    (name): Row => ({
      title: `a mask per output for ${name}`,
      with: () => ({ loss: lossOf(name), mask: nd.ones([2, 3]) }),
      expected: errShape('mask', '[2, 3]'),
    }),
  ),
  {
    title: 'a mask per output for LossMixtureDensity',
    with: () => ({ loss: new LossMixtureDensity(1), labels: nd.zeros([2, 1]), mask: nd.ones([2, 3]) }),
    expected: errShape('mask', '[2, 3]'),
  },
  {
    title: 'a mask per output for LossFMeasure',
    with: () => ({
      loss: new LossFMeasure(),
      labels: nd.zeros([2, 2]),
      preOutput: nd.zeros([2, 2]),
      mask: nd.ones([2, 2]),
    }),
    expected: errShape('mask', '[2, 2]'),
    methods: ['computeScore', ...gradients],
  },
  {
    title: 'no columns',
    with: () => ({ labels: nd.zeros([2, 0]), preOutput: nd.zeros([2, 0]) }),
    expected: errShape('preOutput', 'column', '[2, 0]'),
  },
  {
    title: 'no columns and no rows',
    with: () => ({ labels: nd.zeros([0, 0]), preOutput: nd.zeros([0, 0]) }),
    expected: errShape('preOutput', 'column', '[0, 0]'),
  },
  {
    title: 'a mean over no rows',
    with: () => ({ labels: nd.zeros([0, 3]), preOutput: nd.zeros([0, 3]), average: true }),
    expected: errShape('preOutput', 'row', '[0, 3]'),
    methods: averages,
  },
  {
    title: 'too few weights',
    with: () => ({ loss: new LossMSE([1, 2]) }),
    expected: errShape('weights', '3', '2'),
  },
  {
    title: 'too many weights',
    with: () => ({ loss: new LossMCXENT(new Float64Array(4)), activation: 'softmax' }),
    expected: errShape('weights', '3', '4'),
  },
  {
    title: 'F-measure of three columns',
    with: () => ({ loss: new LossFMeasure() }),
    expected: errShape('preOutput', 'two columns', '[2, 3]'),
    methods: ['computeScore', ...gradients],
  },
  {
    title: 'mixtures that do not divide the columns',
    with: () => ({ loss: new LossMixtureDensity(), labels: nd.zeros([2, 2]) }),
    expected: errShape('preOutput', '[2, 3]'),
  },
  {
    title: 'mixtures of another width',
    with: () => ({ loss: new LossMixtureDensity({ mixtures: 2 }), labels: nd.zeros([2, 1]) }),
    expected: errShape('preOutput', 'mixtures 2', '[2, 3]'),
  },
  {
    title: 'labels that are not as wide as labelWidth',
    with: () => ({ loss: new LossMixtureDensity({ mixtures: 1, labelWidth: 1 }), labels: nd.zeros([2, 2]) }),
    expected: errShape('labels', '1', '2'),
  },
  {
    title: 'sparse labels with a row too many',
    with: () => ({ ...sparse(), labels: column([0, 1, 2]) }),
    expected: errShape('labels', '[2', '[3, 1]'),
  },
  {
    title: 'one-hot rows as sparse labels',
    with: () => ({ ...sparse(), labels: nd.zeros([2, 3]) }),
    expected: errShape('labels', '[2', '[2, 3]'),
  },
  { title: 'ragged rows', with: () => ({ labels: [[1, 2, 3], [4]] }), expected: errShape('labels', '3', '1') },
  {
    title: 'a shape with a negative axis',
    with: () => ({ preOutput: { data: new Float32Array(6), shape: [2, -3] } }),
    expected: errShape('preOutput', '-3'),
  },
  {
    title: 'a shape with a fraction',
    with: () => ({ preOutput: { data: new Float32Array(6), shape: [2, 2.5] } }),
    expected: errShape('preOutput', '2.5'),
  },
  {
    title: 'out of another shape',
    with: () => ({ out: nd.zeros([3, 2]) }),
    expected: errShape('out', '[2, 3]', '[3, 2]'),
    methods: gradients,
  },
  {
    title: 'PReLU slopes of another length',
    with: () => ({ activation: new ActivationPReLU([0.1, 0.2]) }),
    expected: errShape('alpha', '3', '2'),
  },
  // --- Kinds ---
  ...[
    undefined,
    null,
    5,
    'labels',
    Symbol('labels'),
    true,
    {},
    () => 1,
    new Map(),
    new DataView(new ArrayBuffer(8)),
  ].map(
    (value): Row => ({
      title: `labels that are no array: ${String(value)} (${typeof value})`,
      with: () => ({ labels: value }),
      expected: errDtype('labels', 'array'),
    }),
  ),
  { title: 'preOutput that is no array', with: () => ({ preOutput: 'z' }), expected: errDtype('preOutput', 'array') },
  { title: 'a mask that is no array', with: () => ({ mask: 1 }), expected: errDtype('mask', 'array') },
  {
    title: 'labels of text',
    with: () => ({
      labels: [
        ['1', '2', '3'],
        [4, 5, 6],
      ],
    }),
    expected: errDtype('labels', 'number'),
  },
  {
    title: 'data that is no typed array',
    with: () => ({ labels: { data: [1, 2, 3, 4, 5, 6], shape: [2, 3] } }),
    expected: errDtype('labels'),
  },
  ...[Int32Array, Uint8Array].map(
    (Class): Row => ({
      title: `preOutput of ${Class.name}`,
      with: () => ({ preOutput: { data: new Class(6), shape: [2, 3] } }),
      expected: errDtype('preOutput', 'float32 or float64'),
    }),
  ),
  {
    title: 'preOutput of BigInt64Array',
    with: () => ({ preOutput: { data: new BigInt64Array(6), shape: [2, 3] } }),
    expected: errDtype('preOutput', 'float32 or float64', 'int64'),
  },
  {
    title: 'out of another dtype',
    with: () => ({ out: nd.zeros([2, 3], 'float64') }),
    expected: errDtype('out', 'float32', 'float64'),
    methods: gradients,
  },
  {
    title: 'a bare out of another dtype',
    with: () => ({ out: new Float64Array(6) }),
    expected: errDtype('out', 'float32', 'float64'),
    methods: gradients,
  },
  {
    title: 'out of numbers',
    with: () => ({
      out: [
        [0, 0, 0],
        [0, 0, 0],
      ],
    }),
    expected: errDtype('out'),
    methods: gradients,
  },
  {
    title: 'an activation that is none',
    with: () => ({ activation: {} }),
    expected: errDtype('activationFn', 'activation'),
  },
  // --- Ranges ---
  ...[
    { label: 3, says: '3' },
    { label: -1, says: '-1' },
    { label: 1.7, says: '1.7' },
    { label: Number.NaN, says: 'NaN' },
    { label: Infinity, says: 'Infinity' },
    { label: 2 ** 32, says: '4294967296' },
  ].map(
    ({ label, says }): Row => ({
      title: `the class ${label} of three`,
      with: () => ({ ...sparse(), labels: column([0, label]) }),
      expected: errRange('labels', 'row 1', '2', says),
    }),
  ),
  {
    title: 'a BigInt class beyond 2^53',
    with: () => ({ ...sparse(), labels: new NDArray(BigInt64Array.of(0n, 2n ** 62n + 1n), [2, 1]) }),
    expected: errRange('labels', 'row 1', '4611686018427387905'),
  },
  {
    title: 'a BigInt class that is 0 in its low half',
    with: () => ({ ...sparse(), labels: new NDArray(BigUint64Array.of(2n ** 32n, 0n), [2, 1]) }),
    expected: errRange('labels', 'row 0', '4294967296'),
  },
  // --- Memory ---
  ...(['labels', 'preOutput', 'mask'] as const).map(
    (name): Row => ({
      title: `${name} that were transferred away`,
      with: () => ({ [name]: { data: detached(), shape: [2, 3] } }),
      expected: errBuffer(name),
    }),
  ),
  {
    title: 'a bare array that was transferred away',
    with: () => ({ preOutput: detached() }),
    expected: errBuffer('preOutput'),
  },
  { title: 'preOutput that shrank', with: () => ({ preOutput: shrunk() }), expected: errBuffer('preOutput') },
  { title: 'labels that shrank', with: () => ({ labels: shrunk() }), expected: errBuffer('labels') },
  {
    title: 'out that was transferred away',
    with: () => ({ out: detached() }),
    expected: errBuffer('out'),
    methods: gradients,
  },
  { title: 'out that shrank', with: () => ({ out: shrunk() }), expected: errBuffer('out'), methods: gradients },
  {
    title: 'data shorter than its shape',
    with: () => ({ labels: { data: new Float32Array(5), shape: [2, 3] } }),
    expected: errBuffer('labels', '6', '5'),
  },
  {
    title: 'data shorter than its strides',
    with: () => ({ preOutput: { data: new Float32Array(9), shape: [2, 3], strides: [7, 1] } }),
    expected: errBuffer('preOutput', '10', '9'),
  },
  {
    title: 'an out that is too small',
    with: () => ({ out: new Float32Array(5) }),
    expected: errBuffer('out', '6', '5'),
    methods: gradients,
  },
  ...[1, 3, 5].map(
    (distance): Row => ({
      title: `out ${distance} elements after preOutput`,
      with: () => {
        const [preOutput, out] = overlapping(distance);
        return { preOutput, out };
      },
      expected: errBuffer('out', 'overlap'),
      methods: gradients,
    }),
  ),
  {
    title: 'out over labels',
    with: () => {
      const [labels] = overlapping(0);
      return { labels, out: labels };
    },
    expected: errBuffer('out', 'overlap'),
    methods: gradients,
  },
  {
    title: 'out over a mask of bytes',
    with: () => {
      const out = new Float32Array(6);
      return { mask: { data: new Uint8Array(out.buffer, 20, 2), shape: [2] }, out };
    },
    expected: errBuffer('out', 'overlap'),
    methods: gradients,
  },
  {
    title: 'out over PReLU slopes',
    with: () => {
      const out = new Float32Array(6);
      return { activation: new ActivationPReLU(new NDArray(out.subarray(3), [3])), out };
    },
    expected: errBuffer('out', 'overlap'),
    methods: gradients,
  },
  {
    title: 'out over preOutput with another stride',
    with: () => {
      const data = new Float32Array(20);
      return { preOutput: new NDArray(data, [2, 3]), out: new NDArray(data, [2, 3], [4, 1]) };
    },
    expected: errBuffer('out', 'overlap'),
    methods: gradients,
  },
  {
    title: 'out with columns apart',
    with: () => ({ out: new NDArray(new Float32Array(12), [2, 3], [6, 2]) }),
    expected: errBuffer('out', 'rows'),
    methods: gradients,
  },
  // --- A user's activation ---
  {
    title: 'an activation that changes the shape',
    with: () => ({ activation: own({ getActivation: (z) => z.reshape(3, 2) }) }),
    expected: errShape('activation output', '[2, 3]', '[3, 2]'),
  },
  {
    title: 'an activation that returns whole numbers',
    with: () => ({ activation: own({ getActivation: () => nd.zeros([2, 3], 'int32') }) }),
    expected: errDtype('activation output', 'int32'),
  },
  {
    title: 'an activation that returns nothing',
    with: () => ({ activation: own({ getActivation: () => undefined as never }) }),
    expected: errDtype('activation output', 'undefined'),
  },
  {
    title: 'an activation whose gradient has another shape',
    with: () => ({ activation: own({ backprop: (_, epsilon) => [epsilon.reshape(6), null] }) }),
    expected: errShape('activation gradient', '[2, 3]', '[6]'),
    methods: gradients,
  },
  // --- Options ---
  {
    title: 'an unknown activation',
    with: () => ({ activation: 'softmx' }),
    expected: errOption('activation', 'softmx'),
  },
  {
    title: 'no activation',
    with: () => ({ activation: undefined }),
    expected: errOption('activationFn', 'activation'),
  },
  {
    title: 'F-measure per row',
    with: () => ({ loss: new LossFMeasure(), labels: nd.zeros([2, 1]), preOutput: nd.zeros([2, 1]) }),
    expected: errOption('computeScoreArray', 'LossFMeasure'),
    methods: ['computeScoreArray'],
  },
];

describe('a rejected call says why and changes nothing', () => {
  test.each(rows.map((row) => [row.title, row] as const))('%s', (_, row) => {
    for (const method of row.methods ?? methods) {
      const preOutput = z();
      const fresh: Arguments = {
        loss: new LossMSE(),
        labels: nd.zeros([2, 3]),
        preOutput,
        activation: Activation.IDENTITY,
        mask: null,
        average: false,
        out: gradients.includes(method) ? nd.full([2, 3], 7) : undefined,
      };
      const args = { ...fresh, ...row.with() };
      const bytes = () => [args.out, args.preOutput, args.labels].map(snapshot);
      const before = bytes();
      expectError(() => invoke(method, args), row.expected);
      expect(bytes()).toEqual(before);
    }
  });

  test('a bad label in the last of many rows', () => {
    const labels = new Int32Array(5000);
    labels[4999] = 4;
    const preOutput = nd.ones([5000, 4]);
    const loss = new LossSparseMCXENT();
    const args = [new NDArray(labels, [5000, 1]), preOutput, 'softmax', null] as const;
    expectError(() => loss.computeGradient(...args, { out: preOutput }), errRange('labels', 'row 4999', '3', '4'));
    expect(values(preOutput)).toEqual(new Array(20_000).fill(1));
  });
});

/** The values behind an argument, whatever it is. */
function snapshot(value: unknown): unknown {
  const data = (value as { data?: unknown } | null | undefined)?.data ?? value;
  if (!ArrayBuffer.isView(data) || data instanceof DataView) return String(value);
  // By index: a detached array has no iterator.
  return Array.from({ length: (data as Float32Array).length }, (_, i) => (data as Float32Array)[i]);
}

describe('constructors and builders', () => {
  const none = undefined as never;
  const table: readonly { title: string; call: () => unknown; expected: Expected }[] = [
    ...Object.entries(lossClasses).map(([name, Class]) => ({
      title: `an unknown option of ${name}`,
      call: () => new (Class as new (options: unknown) => unknown)({ clipEpsilon: 1 }),
      expected: errOption('clipEpsilon'),
    })),
    {
      title: 'weights where there are none',
      call: () => new LossHinge({ weights: [1] } as never),
      expected: errOption('weights'),
    },
    {
      title: 'weights in their place where there are none',
      call: () => new LossHinge([1] as never),
      expected: errOption('LossHinge'),
    },
    {
      title: 'weights that are no array',
      call: () => new LossMSE({ weights: 'all' } as never),
      expected: errOption('weights'),
    },
    {
      title: 'weights of rows',
      call: () => new LossMSE({ weights: [[1], [2]] }),
      expected: errShape('weights', '[2, 1]'),
    },
    ...[-1e-9, 0.6, Number.NaN, Infinity].flatMap((value) => [
      {
        title: `clipEps ${value}`,
        call: () => new LossBinaryXENT({ clipEps: value }),
        expected: errRange('clipEps', '0.5', String(value)),
      },
      {
        title: `softmaxClipEps ${value}`,
        call: () => new LossMCXENT({ softmaxClipEps: value }),
        expected: errRange('softmaxClipEps', '0.5', String(value)),
      },
    ]),
    ...[0, -1, Number.NaN, Infinity].map((value) => ({
      title: `beta ${value}`,
      call: () => new LossFMeasure(value),
      expected: errRange('beta', String(value)),
    })),
    { title: 'no mixtures', call: () => new LossMixtureDensity(0), expected: errRange('mixtures', '0') },
    { title: 'half a mixture', call: () => new LossMixtureDensity(1.5), expected: errRange('mixtures', '1.5') },
    {
      title: 'an option of another kind',
      call: () => new LossBinaryXENT({ clipEps: '0' as never }),
      expected: errOption('clipEps', 'number'),
    },
    {
      title: 'an ignored class that is no whole number',
      call: () => new LossSparseMCXENT({ ignoreIndex: 1.5 }),
      expected: errRange('ignoreIndex', '1.5'),
    },
    { title: 'PReLU without slopes', call: () => new ActivationPReLU(none), expected: errOption('alpha') },
    {
      title: 'bounds in the wrong order',
      call: () => new ActivationRReLU({ l: 0.5, u: 0.25 }),
      expected: errRange('l', '0.25', '0.5'),
    },
    {
      title: 'an unknown activation',
      call: () => Activation.fromString('softmx'),
      expected: errOption('softmx', 'SOFTMAX'),
    },
    {
      title: 'an unknown target',
      call: () => simd.force('MMX'),
      expected: errOption('target', simd.supported[0] as string, 'MMX'),
    },
    { title: 'a layer of no loss', call: () => new OutputLayer.Builder({} as never), expected: errOption('loss') },
    {
      title: 'a layer without an activation',
      call: () => new OutputLayer.Builder(LossFunction.MSE).nIn(2).nOut(1).build(),
      expected: errOption('activation'),
    },
    {
      title: 'a layer without nIn',
      call: () => new OutputLayer.Builder(LossFunction.MSE).nOut(1).activation('identity').build(),
      expected: errOption('nIn'),
    },
    {
      title: 'a layer without nOut',
      call: () => new OutputLayer.Builder(LossFunction.MSE).nIn(1).activation('identity').build(),
      expected: errOption('nOut'),
    },
    {
      title: 'an unknown weightInit',
      call: () => new OutputLayer.Builder(LossFunction.MSE).weightInit('BIG' as never),
      expected: errOption('weightInit', WeightInit.XAVIER, 'BIG'),
    },
    {
      title: 'an unknown option of a call',
      call: () => new LossMSE().computeGradient([[1]], [[1]], 'identity', null, { output: 1 } as never),
      expected: errOption('out', 'output'),
    },
  ];

  test.each(table.map((row) => [row.title, row] as const))('%s', (_, { call, expected }) => {
    expectError(call, expected);
  });
});

describe("the caller's own errors pass unchanged", () => {
  const own = new Error('mine');
  const fail = (): never => {
    throw own;
  };
  const table: readonly { title: string; args: () => Partial<Arguments> }[] = [
    {
      title: 'a getter of data',
      args: () => ({
        labels: {
          get data() {
            return fail();
          },
          shape: [2, 3],
        },
      }),
    },
    {
      title: 'a getter of shape',
      args: () => ({
        labels: {
          data: new Float32Array(6),
          get shape() {
            return fail();
          },
        },
      }),
    },
    { title: 'a proxy', args: () => ({ preOutput: new Proxy({}, { get: fail, has: fail, getPrototypeOf: fail }) }) },
    {
      title: 'an activation',
      args: () => ({ activation: { getActivation: fail, backprop: fail, numParams: () => 0 } as IActivation }),
    },
  ];

  test.each(table.map((row) => [row.title, row] as const))('%s', (_, { args }) => {
    for (const method of methods) {
      const good = {
        loss: new LossMSE(),
        labels: z(),
        preOutput: z(),
        activation: 'identity',
        mask: null,
        average: false,
        out: undefined,
      };
      let thrown: unknown;
      try {
        invoke(method, { ...good, ...args() });
      } catch (caught) {
        thrown = caught;
      }
      expect(thrown).toBe(own);
    }
  });
});

describe('what is legal though odd', () => {
  test('one class for sparse labels of rank 1', () => {
    const loss = new LossSparseMCXENT({ softmaxClipEps: 0 });
    expect(loss.computeScore([0, 0], [3, 4], 'softmax')).toBe(0);
    expectError(() => loss.computeScore([0, 1], [3, 4], 'softmax'), errRange('labels', 'row 1', '1'));
  });

  test('an ignored class as a BigInt', () => {
    const loss = new LossSparseMCXENT({ ignoreIndex: -(2n ** 40n) });
    const labels = new NDArray(BigInt64Array.of(-(2n ** 40n), 1n), [2, 1]);
    expect(values(loss.computeScoreArray(labels, nd.zeros([2, 3], 'float64'), 'softmax'))).toEqual([0, Math.log(3)]);
  });

  test('NaN, infinities and -0 inside the data', () => {
    const loss = new LossMSE();
    const score = (value: number) => loss.computeScore([[0]], [[value]], 'identity');
    expect([score(Number.NaN), score(Infinity), score(-Infinity), score(-0)]).toEqual([
      Number.NaN,
      Infinity,
      Infinity,
      0,
    ]);
  });

  test('views of one buffer that touch but do not overlap', () => {
    const data = new Float32Array(12).fill(1);
    const [preOutput, out] = [new NDArray(data.subarray(0, 6), [2, 3]), new NDArray(data.subarray(6), [2, 3])];
    expect(new LossMSE().computeGradient(nd.zeros([2, 3]), preOutput, 'identity', null, { out })).toBe(out);
    expect(values(preOutput)).toEqual([1, 1, 1, 1, 1, 1]);
  });

  test('negative weights, and labels and preOutput that are one array', () => {
    const data = nd.array([[1, 2]]);
    expect(new LossMSE([-1, -1]).computeScore(data, data, 'identity')).toBe(0);
  });
});

test.each([
  {
    what: 'average that is no boolean',
    call: () => new LossMSE().computeScore([[1]], [[2]], 'identity', null, { out: [] } as unknown as boolean),
    expected: errOption('average'),
  },
  {
    what: 'a result that there is no memory for',
    call: () => {
      const repeated = { data: new Float32Array(1), shape: [2 ** 40, 1], strides: [0, 0] };
      return new LossMSE().computeGradient(repeated, repeated, 'identity');
    },
    expected: errShape('result'),
  },
  {
    what: 'a shape whose length is no count',
    call: () => {
      const shape = new Proxy([2], { get: (target, key) => (key === 'length' ? -1 : Reflect.get(target, key)) });
      return new LossMSE().computeScore({ data: new Float32Array(2), shape }, [1, 3], 'identity');
    },
    expected: errShape('labels'),
  },
  {
    what: 'activation outputs of another dtype',
    call: () =>
      new LossMSE().computeScoreArray([[1]], [[2]], {
        getActivation: (z) => z.castTo('float64'),
        backprop: (_, epsilon) => [epsilon, null],
        numParams: () => 0,
      }),
    expected: errDtype('activation output', 'float32'),
  },
  {
    what: 'PReLU in place over its own alpha',
    call: () => {
      const data = new Float32Array(6).fill(-1);
      return new ActivationPReLU(data.subarray(0, 2)).getActivation({ data, shape: [3, 2] });
    },
    expected: errBuffer('input', 'alpha'),
  },
  {
    what: 'a backprop that returns no pair',
    call: () =>
      new LossMSE().computeGradient([[1]], [[2]], {
        getActivation: (z) => z,
        backprop: (_, epsilon) => epsilon as never,
        numParams: () => 0,
      }),
    expected: errDtype('activation.backprop'),
  },
])('$what', ({ call, expected }) => expectError(call, expected));
