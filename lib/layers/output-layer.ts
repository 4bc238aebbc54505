// SPDX-License-Identifier: Apache-2.0
import { ActivationSoftmax } from '../activations/activation-softmax';
import type { IActivation } from '../activations/iactivation';
import { resolveActivation } from '../activations/resolve';
import { type ArrayInput, isSameShape, type MatrixView, makeMatrix, toMatrix, toView, type View } from '../array-input';
import { describe, dtypeError, optionError, rangeError, shapeError } from '../errors';
import { columnSums, type Factor, gemm } from '../gemm';
import { LossFunction } from '../loss-function';
import { asColumn, BaseLoss, isPerExample } from '../losses/base-loss';
import type { ActivationInput, ILossFunction, MaskInput } from '../losses/iloss-function';
import { LossSparseMCXENT } from '../losses/loss-sparse-mcxent';
import { nd } from '../ndarray/nd';
import { NDArray } from '../ndarray/ndarray';
import { readNames } from '../options';
import { allocate, type FloatDtype, namedOutputs, type Output, vectorOutput } from '../outputs';
import { labelsOf, linearCrossEntropy } from './fused-linear-cross-entropy';
import { initialWeights, readWeightInit, WeightInit } from './weight-init';

/**
 * From so many outputs and rows on a layer of sparse cross entropy never holds its logits. Against the three products
 * apart, on one thread: 1.01 times as fast at 256 rows x 256 x 2000, 1.10 x 4096, 1.20 x 8000; 0.91 at 256 x 1024 x 4096,
 * 1.36 x 16000; 1.2 at 16 x 256 x 4096, 0.66 at one row.
 */
const FUSED_COLUMNS = 4096;
const FUSED_ROWS = 16;

/** What `OutputLayer.computeGradientAndScore` returns. */
export interface LayerGradients {
  /** The loss of the batch divided by its rows. */
  score: number;
  /** dL/dW of the sum, `[nIn, nOut]`. */
  gradientW: NDArray;
  /** dL/db of the sum, `[nOut]`; `[0]` for a layer without bias. */
  gradientB: NDArray;
  /** dL/dx of the sum, the shape of x: for the layer below. */
  epsilon: NDArray;
}

const gradientNames = ['gradientW', 'gradientB', 'epsilon'] as const;
type GradientName = (typeof gradientNames)[number];

/** Options of `OutputLayer.computeGradientAndScore`. */
export interface LayerGradientsOptions {
  /** Arrays of yours for the gradients, any of them: of the result's shape and dtype, or typed arrays of its length. */
  readonly out?: { readonly [K in GradientName]?: ArrayInput | undefined } | undefined;
}

/** The gradients to be filled. */
type LayerOutputs = Readonly<Record<GradientName, Output>>;

interface Settings {
  loss: ILossFunction;
  nIn?: number;
  nOut?: number;
  activation?: IActivation;
  weightInit: WeightInit;
  seed: number;
  biasInit: number;
  hasBias: boolean;
  dtype: FloatDtype;
}

/**
 * Sets up an `OutputLayer`, method by method; `build` makes it. Known to users as `OutputLayer.Builder`.
 *
 * @example
 * ```ts
 * import { Activation, LossFunction, OutputLayer } from 'simdloss';
 * const builder = new OutputLayer.Builder(LossFunction.MSE).nIn(4).nOut(1).activation(Activation.IDENTITY);
 * builder.build().W.shape; // [4, 1]
 * ```
 * @see DL4J `org.deeplearning4j.nn.conf.layers.OutputLayer.Builder`
 */
export class OutputLayerBuilder {
  private readonly settings: Settings;

  /**
   * @param loss a loss object, or one of `LossFunction`
   * @throws TypeError ERR_OPTION for anything else
   */
  constructor(loss: ILossFunction | LossFunction) {
    const object = loss instanceof LossFunction ? loss.getILossFunction() : loss;
    if (typeof object?.computeGradientAndScore !== 'function') {
      throw optionError('loss', 'a loss object or a LossFunction', loss);
    }
    this.settings = {
      loss: object,
      weightInit: WeightInit.XAVIER,
      seed: 0,
      biasInit: 0,
      hasBias: true,
      dtype: 'float32',
    };
  }

  /**
   * Sets the columns of the input; required.
   *
   * @param columns a whole number from 1 on
   * @returns the builder
   * @throws RangeError ERR_RANGE for anything else
   * @example
   * ```ts
   * import { Activation, LossMSE, OutputLayer } from 'simdloss';
   * const builder = new OutputLayer.Builder(new LossMSE()).nIn(4).nOut(1);
   * builder.activation(Activation.IDENTITY).build().W.shape; // [4, 1]
   * ```
   */
  nIn(columns: number): this {
    this.settings.nIn = readCount('nIn', columns);
    return this;
  }

  /**
   * Sets the columns of the output; required.
   *
   * @param columns a whole number from 1 on
   * @returns the builder
   * @throws RangeError ERR_RANGE for anything else
   * @example
   * ```ts
   * import { Activation, LossMSE, OutputLayer } from 'simdloss';
   * const builder = new OutputLayer.Builder(new LossMSE()).nIn(4).nOut(1);
   * builder.activation(Activation.IDENTITY).build().b.shape; // [1]
   * ```
   */
  nOut(columns: number): this {
    this.settings.nOut = readCount('nOut', columns);
    return this;
  }

  /**
   * Sets the activation; required.
   *
   * @param activation an object, an `Activation`, or its name in any case
   * @returns the builder
   * @throws TypeError ERR_OPTION for an unknown name, ERR_DTYPE for an object that is no activation
   * @example
   * ```ts
   * import { Activation, LossMSE, OutputLayer } from 'simdloss';
   * const builder = new OutputLayer.Builder(new LossMSE()).nIn(4).nOut(1);
   * builder.activation(Activation.TANH).build().activation.toString(); // 'tanh'
   * ```
   */
  activation(activation: ActivationInput): this {
    this.settings.activation = resolveActivation(activation);
    return this;
  }

  /**
   * Sets how the weights begin; XAVIER if not said.
   *
   * @param init one of `WeightInit`
   * @returns the builder
   * @throws TypeError ERR_OPTION for anything else
   * @example
   * ```ts
   * import { Activation, LossMSE, OutputLayer, WeightInit } from 'simdloss';
   * const builder = new OutputLayer.Builder(new LossMSE()).nIn(2).nOut(1).activation(Activation.IDENTITY);
   * builder.weightInit(WeightInit.ZERO).build().W; // [[0], [0]]
   * ```
   */
  weightInit(init: WeightInit): this {
    this.settings.weightInit = readWeightInit('weightInit', init);
    return this;
  }

  /**
   * Sets the seed of the weights; 0 if not said.
   *
   * @param seed a whole number from 0 on: the same seed gives the same weights everywhere
   * @returns the builder
   * @throws RangeError ERR_RANGE for anything else
   * @example
   * ```ts
   * import { Activation, LossMSE, OutputLayer } from 'simdloss';
   * const builder = new OutputLayer.Builder(new LossMSE()).nIn(2).nOut(1).activation(Activation.IDENTITY);
   * builder.seed(7).build().W.at(0, 0) === builder.seed(7).build().W.at(0, 0); // true
   * ```
   */
  seed(seed: number): this {
    if (!Number.isSafeInteger(seed) || seed < 0) throw rangeError('seed', 'a whole number from 0 on', seed);
    this.settings.seed = seed;
    return this;
  }

  /**
   * Sets what each bias begins as; 0 if not said.
   *
   * @param value any number
   * @returns the builder
   * @throws TypeError ERR_OPTION for anything else
   * @example
   * ```ts
   * import { Activation, LossMSE, OutputLayer } from 'simdloss';
   * const builder = new OutputLayer.Builder(new LossMSE()).nIn(2).nOut(1).activation(Activation.IDENTITY);
   * builder.biasInit(0.5).build().b; // [0.5]
   * ```
   */
  biasInit(value: number): this {
    if (typeof value !== 'number') throw optionError('biasInit', 'a number', value);
    this.settings.biasInit = value;
    return this;
  }

  /**
   * Sets whether the layer has a bias; true if not said.
   *
   * @param has false for `a = f(x W)`
   * @returns the builder
   * @throws TypeError ERR_OPTION for anything else
   * @example
   * ```ts
   * import { Activation, LossMSE, OutputLayer } from 'simdloss';
   * const builder = new OutputLayer.Builder(new LossMSE()).nIn(2).nOut(1).activation(Activation.IDENTITY);
   * builder.hasBias(false).build().b.shape; // [0]
   * ```
   */
  hasBias(has: boolean): this {
    if (typeof has !== 'boolean') throw optionError('hasBias', 'true or false', has);
    this.settings.hasBias = has;
    return this;
  }

  /**
   * Sets the dtype of parameters and results; float32 if not said.
   *
   * @param dtype `float32` or `float64`
   * @returns the builder
   * @throws TypeError ERR_DTYPE for anything else
   * @example
   * ```ts
   * import { Activation, LossMSE, OutputLayer } from 'simdloss';
   * const builder = new OutputLayer.Builder(new LossMSE()).nIn(2).nOut(1).activation(Activation.IDENTITY);
   * builder.dataType('float64').build().W.dtype; // 'float64'
   * ```
   */
  dataType(dtype: FloatDtype): this {
    if (dtype !== 'float32' && dtype !== 'float64') throw dtypeError('dataType', 'float32 or float64', dtype);
    this.settings.dtype = dtype;
    return this;
  }

  /**
   * Makes the layer; the builder may be used again.
   *
   * @returns a layer with parameters of its own
   * @throws TypeError ERR_OPTION where nIn, nOut or the activation is not set
   */
  build(): OutputLayer {
    const { nIn, nOut, activation } = this.settings;
    if (nIn === undefined) throw optionError('nIn', 'to be set before build()', nIn);
    if (nOut === undefined) throw optionError('nOut', 'to be set before build()', nOut);
    if (activation === undefined) throw optionError('activation', 'to be set before build()', activation);
    return OutputLayer.of({ ...this.settings, nIn, nOut, activation });
  }
}

/**
 * The output layer of a network: a dense layer, its activation and its loss.
 *
 * Formula: `a = f(x W + b)`; with `delta = dL/dz` of the sum, `dW = x^T delta`, `db = sum_i delta_i`,
 * `epsilon = delta W^T`; the score is divided by the rows, the gradients are not.
 *
 * @example
 * ```ts
 * import { Activation, LossMCXENT, nd, OutputLayer } from 'simdloss';
 * const layer = new OutputLayer.Builder(new LossMCXENT()).nIn(2).nOut(3).activation(Activation.SOFTMAX).build();
 * const { score, gradientW, gradientB } = layer.computeGradientAndScore(nd.array([[1, 2]]), nd.array([[0, 1, 0]]));
 * layer.W.subi(gradientW.mul(0.1));
 * layer.b.subi(gradientB.mul(0.1));
 * ```
 * @see DL4J `org.deeplearning4j.nn.conf.layers.OutputLayer`
 */
export class OutputLayer {
  /** Begins a layer, as `new OutputLayer.Builder(loss)`. */
  static readonly Builder = OutputLayerBuilder;

  /** The loss. */
  readonly loss: ILossFunction;
  /** The activation. */
  readonly activation: IActivation;
  /** Columns of the input. */
  readonly nIn: number;
  /** Columns of the output. */
  readonly nOut: number;
  /** Dtype of parameters and results. */
  readonly dtype: FloatDtype;
  private weights: NDArray;
  private bias: NDArray;
  /** Memory for the logits of a batch, of the last one's size; not held while in use. */
  private logits: Output | undefined;

  /** @internal For the builder alone. */
  static of(settings: Required<Settings>): OutputLayer {
    return new OutputLayer(settings);
  }

  private constructor(settings: Required<Settings>) {
    this.loss = settings.loss;
    this.activation = settings.activation;
    this.nIn = settings.nIn;
    this.nOut = settings.nOut;
    this.dtype = settings.dtype;
    this.weights = initialWeights(settings.weightInit, [this.nIn, this.nOut], {
      seed: settings.seed,
      dtype: this.dtype,
    });
    // No bias is a bias of no elements: updates of it in place do nothing.
    this.bias = nd.full([settings.hasBias ? this.nOut : 0], settings.biasInit, this.dtype);
  }

  /** Weights `[nIn, nOut]`; may be updated in place, or assigned: an array of this shape and dtype is kept, not copied. */
  get W(): NDArray {
    return this.weights;
  }

  set W(value: ArrayInput) {
    this.weights = this.parameter('W', value, [this.nIn, this.nOut]);
  }

  /** Bias `[nOut]`, or `[0]` for a layer without; may be updated in place, or assigned. */
  get b(): NDArray {
    return this.bias;
  }

  set b(value: ArrayInput) {
    this.bias = this.parameter('b', value, this.bias.shape);
  }

  /**
   * The activated outputs.
   *
   * @param x inputs `[n, nIn]`, or of higher rank with nIn columns, of the layer's dtype
   * @returns `[n, nOut]`
   * @throws RangeError ERR_SHAPE for another number of columns
   * @throws TypeError ERR_DTYPE for another dtype
   * @example
   * ```ts
   * import { LossMSE, OutputLayer } from 'simdloss';
   * const layer = new OutputLayer.Builder(new LossMSE()).nIn(2).nOut(1).activation('identity').biasInit(3).build();
   * layer.W = [[1], [2]];
   * layer.activate([[10, 20]]); // [[53]]
   * ```
   */
  activate(x: ArrayInput): NDArray {
    return this.activation.getActivation(this.preOutput(this.input(x)).array, false);
  }

  /**
   * Score and gradients of a batch.
   *
   * @param x inputs `[n, nIn]`, or of higher rank with nIn columns, of the layer's dtype
   * @param labels as the loss takes them
   * @param mask per example or per output, as the loss takes it; none if not given
   * @param options `out`: arrays of the results' shapes and dtype, or typed arrays of their lengths, that are filled and
   * returned, where given. With options the layer also keeps the memory of its logits for the next batch of that size
   * @returns the score divided by the rows, and the gradients of the sum
   * @throws RangeError ERR_SHAPE for shapes that do not fit together, or no rows; ERR_BUFFER for an `out` that overlaps
   * another array
   * @throws TypeError ERR_DTYPE for another dtype; ERR_OPTION for an unknown name
   * @example
   * ```ts
   * import { LossMSE, OutputLayer } from 'simdloss';
   * const layer = new OutputLayer.Builder(new LossMSE()).nIn(2).nOut(1).activation('identity').build();
   * layer.W = [[1], [2]];
   * const { score, gradientW, gradientB, epsilon } = layer.computeGradientAndScore([[10, 20]], [[49]]);
   * score; // 1: of 50 instead of 49
   * gradientW; // [[20], [40]]
   * gradientB; // [2]
   * epsilon; // [[2, 4]]
   * ```
   */
  computeGradientAndScore(
    x: ArrayInput,
    labels: ArrayInput,
    mask?: MaskInput,
    options?: LayerGradientsOptions,
  ): LayerGradients {
    const given = this.input(x);
    const out = this.outputs(given, labels, mask, options);
    const score = this.fused(given, labels, mask, out) ?? this.unfused(given, labels, mask, out, options !== undefined);
    return {
      score,
      gradientW: out.gradientW.array,
      gradientB: out.gradientB.array,
      epsilon: out.epsilon.array,
    };
  }

  /**
   * The loss of each example.
   *
   * @param x inputs `[n, nIn]`, or of higher rank with nIn columns, of the layer's dtype
   * @param labels as the loss takes them
   * @param mask per example or per output, as the loss takes it; none if not given
   * @returns `[n, 1]`
   * @throws RangeError ERR_SHAPE for shapes that do not fit together
   * @throws TypeError ERR_DTYPE for another dtype; ERR_OPTION for a loss without a score per example
   * @example
   * ```ts
   * import { LossMSE, OutputLayer } from 'simdloss';
   * const layer = new OutputLayer.Builder(new LossMSE()).nIn(2).nOut(1).activation('identity').build();
   * layer.W = [[1], [2]];
   * layer.scoreExamples([[10, 20], [0, 1]], [[49], [5]]); // [[1], [9]]
   * ```
   */
  scoreExamples(x: ArrayInput, labels: ArrayInput, mask?: MaskInput): NDArray {
    const z = this.preOutput(this.input(x)).array;
    if (this.loss instanceof BaseLoss) return this.loss.computeScoreArray(labels, z, this.activation, mask);
    const given = mask === undefined || mask === null ? null : asNDArray(mask, 'mask', this.dtype);
    const scores = this.loss.computeScoreArray(asNDArray(labels, 'labels', this.dtype), z, this.activation, given);
    return scores.reshape(scores.length, 1);
  }

  /** Where the gradients go: memory of their own, checked before anything is computed. */
  private outputs(
    { view, matrix }: { view: View; matrix: MatrixView },
    labels: ArrayInput,
    mask: MaskInput,
    options: LayerGradientsOptions | undefined,
  ): LayerOutputs {
    const { dtype, nIn, nOut, bias } = this;
    const { out } = readNames(options ?? {}, 'options', ['out']);
    const outs = readNames(out ?? {}, 'out', gradientNames);
    const inputs = [matrix];
    if (Object.keys(outs).length > 0) {
      inputs.push(this.weightMatrix(), toMatrix(toView(labels, 'labels', dtype)));
      if (mask !== undefined && mask !== null) inputs.push(toMatrix(toView(mask, 'mask', dtype)));
      if (bias.length > 0) inputs.push(toMatrix(toView(bias, 'b', dtype)));
    }
    const output = namedOutputs<GradientName>(outs, dtype, inputs);
    return {
      gradientW: output('gradientW', [nIn, nOut], nIn, nOut),
      gradientB: vectorOutput(output, 'gradientB', bias.length),
      epsilon: output('epsilon', view.shape, matrix.rows, nIn),
    };
  }

  /** By the three products, with the logits of the batch. */
  private unfused(
    given: { view: View; matrix: MatrixView },
    labels: ArrayInput,
    mask: MaskInput,
    out: LayerOutputs,
    keepLogits: boolean,
  ): number {
    const input = withoutMasked(given, mask, this.dtype);
    // The gradient takes their place where the loss is the library's, which hands them to nobody; a class of the user's
    // gets NDArrays. Taken while in use: an activation of the user's may call this layer.
    const kept = this.logits;
    this.logits = undefined;
    const z = this.preOutput(input, kept);
    const { score, gradient } =
      this.loss instanceof BaseLoss
        ? this.loss.computeGradientAndScore(labels, z.array, this.activation, mask, true, { out: z.array })
        : this.loss.computeGradientAndScore(
            asNDArray(labels, 'labels', this.dtype),
            z.array,
            this.activation,
            mask === undefined || mask === null ? null : asNDArray(mask, 'mask', this.dtype),
            true,
          );
    const delta = this.matrixOf(gradient, 'gradient', input.matrix.rows, this.nOut);
    gemm({ matrix: input.matrix, transpose: true }, { matrix: delta, transpose: false }, out.gradientW);
    gemm({ matrix: delta, transpose: false }, { matrix: this.weightMatrix(), transpose: true }, out.epsilon);
    if (this.bias.length > 0) columnSums(delta, out.gradientB.data);
    if (keepLogits && this.loss instanceof BaseLoss) this.logits = z;
    return score;
  }

  /** The score of sparse cross entropy of very many classes, without the logits; undefined where that does not apply. */
  private fused(
    { view, matrix }: { view: View; matrix: MatrixView },
    labels: ArrayInput,
    mask: MaskInput,
    { gradientW, gradientB, epsilon: gradientX }: LayerOutputs,
  ): number | undefined {
    const { loss, dtype, nOut } = this;
    const { rows } = matrix;
    const sparse = loss instanceof LossSparseMCXENT && loss.constructor === LossSparseMCXENT;
    if (!sparse || !(this.activation instanceof ActivationSoftmax) || nOut < FUSED_COLUMNS || rows < FUSED_ROWS)
      return undefined;
    if (loss.weights !== null && loss.weights.length !== nOut) return undefined;
    const leading = view.shape.slice(0, -1);
    let maskMatrix: MatrixView | undefined;
    if (mask !== undefined && mask !== null) {
      const maskView = toView(mask, 'mask', dtype);
      if (!isPerExample(maskView.shape, [...leading, nOut], rows)) return undefined;
      maskMatrix = asColumn(toMatrix(maskView), rows);
    }
    const labelMatrix = labelsOf(labels, leading, rows, dtype);
    const bias = this.bias.length > 0 ? this.bias.data : undefined;
    const out = { gradientX, gradientW, gradientB };
    return linearCrossEntropy(loss, matrix, this.weightMatrix(), bias, labelMatrix, maskMatrix, out) / rows;
  }

  private input(x: ArrayInput): { view: View; matrix: MatrixView } {
    const view = toView(x, 'x', this.dtype);
    if (view.dtype !== this.dtype) throw dtypeError('x', this.dtype, view.dtype);
    const matrix = toMatrix(view);
    if (view.shape.length < 2 || matrix.cols !== this.nIn) throw shapeError('x', `[n, ${this.nIn}]`, view.shape);
    return { view, matrix };
  }

  /** z = x W + b, in the memory of another batch's where it fits. */
  private preOutput({ view, matrix }: { view: View; matrix: MatrixView }, reuse?: Output): Output {
    const shape = [...view.shape.slice(0, -1), this.nOut];
    const z =
      reuse !== undefined && isSameShape(reuse.array.shape, shape)
        ? reuse
        : allocate(this.dtype, shape, matrix.rows, this.nOut);
    const x: Factor = { matrix, transpose: false };
    gemm(x, { matrix: this.weightMatrix(), transpose: false }, z, this.bias.length > 0 ? this.bias.data : undefined);
    return z;
  }

  private weightMatrix(): MatrixView {
    return toMatrix(toView(this.weights, 'W', this.dtype));
  }

  private matrixOf(array: NDArray, name: string, rows: number, cols: number): MatrixView {
    const view = toView(array, name, this.dtype);
    if (view.dtype !== this.dtype) throw dtypeError(name, this.dtype, view.dtype);
    const matrix = toMatrix(view);
    if (matrix.rows !== rows || matrix.cols !== cols) throw shapeError(name, `[${rows}, ${cols}]`, view.shape);
    return matrix;
  }

  private parameter(name: string, value: ArrayInput, shape: readonly number[]): NDArray {
    const view = toView(value, name, this.dtype);
    if (view.dtype !== this.dtype) throw dtypeError(name, this.dtype, view.dtype);
    const row = shape.length === 1 && view.shape.length === 2 && view.shape[0] === 1 && view.shape[1] === shape[0];
    const same = isSameShape(view.shape, shape);
    if (!same && !row) throw shapeError(name, describe(shape), view.shape);
    if (NDArray.isMade(value) && same && view.strides[shape.length - 1] === 1) return value;
    const array = new NDArray(view.data, shape, row ? [1] : view.strides);
    return view.strides[view.strides.length - 1] === 1 ? array : array.dup();
  }
}

/** The input with rows of 0 where a mask per example is 0: what is masked out must not reach dW, NaN neither. */
function withoutMasked(
  input: { view: View; matrix: MatrixView },
  mask: MaskInput,
  dtype: FloatDtype,
): { view: View; matrix: MatrixView } {
  if (mask === undefined || mask === null) return input;
  const { view, matrix } = input;
  const maskView = toView(mask, 'mask', dtype);
  if (!isPerExample(maskView.shape, view.shape, matrix.rows)) return input;
  const values = new NDArray(maskView.data, maskView.shape, maskView.strides).dup().data;
  if (!values.some((value) => Number(value) === 0)) return input;
  const data = new NDArray(matrix.data, [matrix.rows, matrix.cols], [matrix.rowStride, 1]).dup().data;
  for (let row = 0; row < matrix.rows; row++) {
    if (Number(values[row]) === 0) (data as Float32Array).fill(0, row * matrix.cols, (row + 1) * matrix.cols);
  }
  return { view, matrix: makeMatrix(data, matrix.rows, matrix.cols, matrix.cols, matrix.dtype, true) };
}

/** The caller's array as an NDArray over its memory. */
function asNDArray(input: ArrayInput, name: string, dtype: FloatDtype): NDArray {
  if (NDArray.isMade(input)) return input;
  const { data, shape, strides } = toView(input, name, dtype);
  return new NDArray(data, shape, strides);
}

function readCount(name: string, value: number): number {
  if (!Number.isSafeInteger(value) || value < 1) throw rangeError(name, 'a whole number from 1 on', value);
  return value;
}
