// SPDX-License-Identifier: Apache-2.0
// The exported types: each as a user would write it. The type checker reads this file, jest runs it.
import {
  Activation,
  type ActivationInput,
  ActivationTanH,
  type ArrayInput,
  type BinaryCrossEntropyOptions,
  type CrossEntropyOptions,
  type Dtype,
  type ErrorCode,
  type FloatDtype,
  type GradientAndScore,
  type IActivation,
  type ILossFunction,
  type LayerGradients,
  LossBinaryXENT,
  LossL1,
  LossL2,
  LossMCXENT,
  LossMSE,
  LossNegativeLogLikelihood,
  LossSparseMCXENT,
  type MaskInput,
  NDArray,
  type NestedNumbers,
  nd,
  type OutOption,
  OutputLayer,
  type OutputLayerBuilder,
  type RandomOptions,
  type ReduceArguments,
  type ReduceOptions,
  type Shape,
  type SparseCrossEntropyOptions,
  Transforms,
  type TypedArray,
} from '../lib';
import { type CheckOptions, checkGradient, checkLoss, type LabelKind } from '../lib/testing';
import { expectError } from './support/errors';
import { values } from './support/library';
import { mismatches, sameDtype } from './support/tolerance';

const floatDtypes = ['float32', 'float64'] as const satisfies readonly FloatDtype[];

/** One array of every dtype; a dtype that is missing does not compile. */
const arrays = {
  float32: Float32Array.of(1, 2),
  float64: Float64Array.of(1, 2),
  int8: Int8Array.of(1, 2),
  uint8: Uint8Array.of(1, 2),
  uint8c: Uint8ClampedArray.of(1, 2),
  int16: Int16Array.of(1, 2),
  uint16: Uint16Array.of(1, 2),
  int32: Int32Array.of(1, 2),
  uint32: Uint32Array.of(1, 2),
  int64: BigInt64Array.of(1n, 2n),
  uint64: BigUint64Array.of(1n, 2n),
} satisfies Record<Dtype, TypedArray>;

test.each(Object.entries(arrays))('Dtype, TypedArray: %s', (dtype, data) => {
  const array = new NDArray(data);
  expect([array.dtype, array.data, array.toArray()]).toEqual([dtype, data, [1, 2]]);
});

test.each<{ code: ErrorCode; error: typeof RangeError | typeof TypeError; call: () => unknown }>([
  { code: 'ERR_SHAPE', error: RangeError, call: () => nd.zeros([2]).add(nd.zeros([3])) },
  { code: 'ERR_DTYPE', error: TypeError, call: () => nd.array('1' as never) },
  { code: 'ERR_RANGE', error: RangeError, call: () => nd.zeros([2]).at(2) },
  { code: 'ERR_BUFFER', error: RangeError, call: () => nd.create(new Float32Array(3), [4]) },
  { code: 'ERR_OPTION', error: TypeError, call: () => Activation.fromString('none') },
])('ErrorCode: $code', ({ code, error, call }) => {
  expectError(call, { code, error, says: [] });
});

test('Shape, NestedNumbers', () => {
  const nested: NestedNumbers = [
    [[1], [2]],
    [[3], [4]],
  ];
  const shape: Shape = nd.array(nested).shape;
  expect(shape).toEqual([2, 2, 1]);
  expect(nd.zeros(shape).toArray()).toEqual([
    [[0], [0]],
    [[0], [0]],
  ]);
});

test('ArrayInput: every form of the same array', () => {
  const data = Float32Array.of(3, 5);
  const forms: readonly ArrayInput[] = [
    nd.create(data, [2, 1]),
    { data, shape: [2, 1] },
    { data, dims: [2, 1] },
    { data: Float32Array.of(3, 0, 5), shape: [2, 1], strides: [2, 1] },
    data,
    [3, 5],
    [[3], [5]],
  ];
  expect(forms.map((form) => new LossL2().computeScore([[2], [3]], form, 'identity'))).toEqual(forms.map(() => 5));
});

test('ActivationInput: an object, an enum value, a name', () => {
  const own: IActivation = {
    getActivation: (input) => input.assign(Transforms.tanh(input)),
    backprop: (input, epsilon) => [epsilon.div(values(input).map((z) => Math.cosh(z) ** 2)), null],
    numParams: () => 0,
    toString: () => 'own',
  };
  const forms: readonly ActivationInput[] = [Activation.TANH, 'tanh', 'TanH', new ActivationTanH(), own];
  const z = nd.array([0.5, -1], 'float64');
  for (const form of forms) {
    const gradient = values(new LossL2().computeGradient([0, 0], z, form));
    const expected = [0.5, -1].map((x) => (2 * Math.tanh(x)) / Math.cosh(x) ** 2);
    expect(mismatches(String(form), gradient, expected, sameDtype.float64)).toEqual([]);
  }
});

test('MaskInput: none, per example, per output', () => {
  const rows: readonly { mask: MaskInput; score: number }[] = [
    { mask: null, score: 10 },
    { mask: undefined, score: 10 },
    { mask: [1, 0], score: 3 },
    { mask: [[1], [0.5]], score: 6.5 },
    { mask: Uint8Array.of(0, 1), score: 7 },
    {
      mask: [
        [0, 1],
        [1, 0],
      ],
      score: 5,
    },
  ];
  for (const { mask, score } of rows) {
    expect(
      new LossL1().computeScore(
        nd.zeros([2, 2]),
        [
          [1, 2],
          [3, 4],
        ],
        'identity',
        mask,
      ),
    ).toBe(score);
  }
});

test('ILossFunction, GradientAndScore', () => {
  const loss: ILossFunction = new LossMSE();
  const result: GradientAndScore = loss.computeGradientAndScore([[1, 2]], [[2, 4]], 'identity');
  expect([result.score, values(result.gradient), loss.name()]).toEqual([2.5, [1, 2], 'LossMSE()']);
});

test('OutOption: an array that comes back, or a typed array behind the result', () => {
  const options: OutOption & { out: NDArray } = { out: nd.zeros([1, 2]) };
  expect(new LossMSE().computeGradient([[1, 2]], [[2, 4]], 'identity', null, options)).toBe(options.out);
  const bare = { out: new Float32Array(2) } satisfies OutOption;
  expect(new LossMSE().computeGradient([[1, 2]], [[2, 4]], 'identity', null, bare).data).toBe(bare.out);
  expect([values(options.out), [...bare.out]]).toEqual([
    [1, 2],
    [1, 2],
  ]);
});

describe('options', () => {
  const weights = [1, 2, 3];

  test.each([LossMCXENT, LossNegativeLogLikelihood, LossSparseMCXENT])('CrossEntropyOptions: %p', (Loss) => {
    const options: CrossEntropyOptions = { softmaxClipEps: 1e-3, weights };
    const loss = new Loss(options);
    expect([loss.softmaxClipEps, loss.weights?.toArray()]).toEqual([1e-3, weights]);
    // @ts-expect-error: a name that is none
    expect(() => new Loss({ softmaxClip: 1e-3 })).toThrow(TypeError);
  });

  test('SparseCrossEntropyOptions', () => {
    const forms: readonly SparseCrossEntropyOptions[] = [{ ignoreIndex: -100 }, { ignoreIndex: -100n, weights }];
    expect(forms.map((options) => new LossSparseMCXENT(options).ignoreIndex)).toEqual([-100n, -100n]);
    // @ts-expect-error: another loss's option
    expect(() => new LossMCXENT({ ignoreIndex: 0 })).toThrow(TypeError);
  });

  test('BinaryCrossEntropyOptions', () => {
    const options: BinaryCrossEntropyOptions = { clipEps: 0.25, weights };
    const loss = new LossBinaryXENT(options);
    expect([loss.clipEps, loss.weights?.toArray()]).toEqual([0.25, weights]);
  });

  test('RandomOptions', () => {
    const options: RandomOptions = { seed: 3, dtype: 'float64' };
    expect(nd.rand([2, 3], options).dtype).toBe('float64');
    expect(nd.randn([2, 3], options).toArray()).toEqual(nd.randn([2, 3], options).toArray());
    // @ts-expect-error: a dtype that is not drawn in
    expect(() => nd.rand([2], { dtype: 'int32' })).toThrow(TypeError);
  });

  test('ReduceArguments, ReduceOptions', () => {
    const options: ReduceOptions = { keepDims: true };
    const rows: readonly { args: ReduceArguments; shape: Shape }[] = [
      { args: [], shape: [] },
      { args: [1], shape: [2, 4] },
      { args: [0, -1], shape: [3] },
      { args: [1, options], shape: [2, 1, 4] },
      { args: [options], shape: [1, 1, 1] },
    ];
    for (const { args, shape } of rows) expect(nd.ones([2, 3, 4]).sum(...args).shape).toEqual(shape);
  });
});

test.each(floatDtypes)('OutputLayerBuilder, LayerGradients, FloatDtype: %s', (dtype) => {
  const builder: OutputLayerBuilder = new OutputLayer.Builder(new LossL2()).nIn(2).nOut(1);
  const layer: OutputLayer = builder.activation('identity').dataType(dtype).build();
  layer.W = nd.array([[1], [2]], dtype);
  const gradients: LayerGradients = layer.computeGradientAndScore(nd.array([[3, 4]], dtype), [[10]]);
  const { score, gradientW, gradientB, epsilon } = gradients;
  expect([score, gradientW.toArray(), gradientB.toArray(), epsilon.toArray()]).toEqual([1, [[6], [8]], [2], [[2, 4]]]);
  expect([layer.dtype, gradientW.dtype, gradientB.dtype, epsilon.dtype]).toEqual([dtype, dtype, dtype, dtype]);
});

test.each<LabelKind>(['normal', 'binary', 'sign'])('CheckOptions, LabelKind: %s', (labels) => {
  const options: CheckOptions = { labels, activation: 'tanh', shape: [3, 2], seed: 7 };
  expect([checkGradient(new LossL2(), options).passed, checkLoss(new LossL2(), options).passed]).toEqual([true, true]);
});
