// SPDX-License-Identifier: Apache-2.0
import { type ArrayInput, type MatrixView, makeMatrix, type TypedArray, toMatrix, toView } from '../array-input';
import { badLabel } from '../class-labels';
import { dtypeError, optionError, shapeError } from '../errors';
import { asColumn, describeIndexShape, isIndexShape } from '../losses/base-loss';
import { LossSparseMCXENT } from '../losses/loss-sparse-mcxent';
import { check, native, Status, slots, writeDtypes } from '../native';
import { NDArray } from '../ndarray/ndarray';
import { readNames } from '../options';
import { asFloat, type FloatDtype, namedOutputs, type Output, vectorOutput } from '../outputs';

/** What `fusedLinearCrossEntropy` takes. */
export interface FusedLinearCrossEntropyCall {
  /** Inputs `[n, d]`, or of higher rank with d columns, float32 or float64. */
  readonly x: ArrayInput;
  /** Weights `[d, c]`, of x's dtype. */
  readonly W: ArrayInput;
  /** Bias `[c]` or `[1, c]`, of x's dtype; none if not given. */
  readonly b?: ArrayInput | null | undefined;
  /** Class indices, one a row of x: its leading axes, with or without a last axis of 1; whole numbers of any dtype. */
  readonly labels: ArrayInput;
  /** Class weights, `[c]` or `[1, c]`, any sign; all 1 if not given. */
  readonly weights?: ArrayInput | undefined;
  /** Rows with this label count as left out, whatever x holds there. None if not given. */
  readonly ignoreIndex?: number | bigint | undefined;
  /** Arrays that the gradients are written to; fresh ones where not given. */
  readonly out?: { readonly [K in GradientName]?: ArrayInput | undefined } | undefined;
}

/** What `fusedLinearCrossEntropy` returns: score and gradients of the sum. */
export interface LinearCrossEntropyGradients {
  /** The sum of the rows' losses. */
  score: number;
  /** dL/dx, the shape of x. */
  gradientX: NDArray;
  /** dL/dW, `[d, c]`. */
  gradientW: NDArray;
  /** dL/db, `[c]`; `[0]` without b. */
  gradientB: NDArray;
}

type GradientName = 'gradientX' | 'gradientW' | 'gradientB';

const names = ['x', 'W', 'b', 'labels', 'weights', 'ignoreIndex', 'out'];
const gradientNames = ['gradientX', 'gradientW', 'gradientB'];

/**
 * Score and gradients of a dense layer with softmax and cross entropy, for very many classes: the logits `[n, c]` are
 * never held, only those of a few rows at a time.
 *
 * Formula: `L = -sum_i w_k log softmax(x_i W + b)_k`, `k` the label of row `i`; with `g = dL/d(x W + b)` the gradients are
 * `g W^T`, `x^T g` and the column sums of g. As LossSparseMCXENT with `softmaxClipEps` = 0 on the logits.
 *
 * @param call `x`, `W` and `labels`; `b`, `weights`, `ignoreIndex` and `out` if wanted
 * @returns the score and the gradients of the sum, not divided by the rows
 * @throws RangeError ERR_SHAPE for shapes that do not fit together, ERR_RANGE for a label that is no class index,
 * ERR_BUFFER for an `out` that overlaps another array
 * @throws TypeError ERR_DTYPE for dtypes that differ, ERR_OPTION for a name that is unknown or missing
 * @example
 * ```ts
 * import { fusedLinearCrossEntropy, nd } from 'simdloss';
 * const x = nd.array([[1, 0], [0, 1]]);
 * const W = nd.zeros([2, 4]);
 * const { score, gradientW } = fusedLinearCrossEntropy({ x, W, labels: Int32Array.of(0, 3) });
 * score; // 2 log 4
 * gradientW; // [[-0.75, 0.25, 0.25, 0.25], [0.25, 0.25, 0.25, -0.75]]
 * ```
 * @see Milakov & Gimelshein 2018, online softmax; Liger Kernel `LigerFusedLinearCrossEntropyLoss`; PyTorch
 * `nn.functional.linear_cross_entropy`
 */
export function fusedLinearCrossEntropy(call: FusedLinearCrossEntropyCall): LinearCrossEntropyGradients {
  if (typeof call !== 'object' || call === null) throw optionError('call', 'an object with x, W and labels', call);
  const { x, W, b, labels, weights, ignoreIndex, out } = readNames(call, 'call', names);
  for (const [name, value] of Object.entries({ x, W, labels })) {
    if (value === undefined || value === null) throw optionError(name, 'an array', value);
  }
  const outs = readNames(out ?? {}, 'out', gradientNames);
  const loss = new LossSparseMCXENT({ softmaxClipEps: 0, weights, ignoreIndex } as { softmaxClipEps: number });

  const xView = toView(x, 'x', 'float32');
  const dtype = asFloat(xView.dtype, 'x');
  const xMatrix = toMatrix(xView);
  if (xView.shape.length < 2 || xMatrix.cols === 0) throw shapeError('x', '[n, d] with a column or more', xView.shape);
  const depth = xMatrix.cols;
  const [wMatrix, wShape] = matrixOf(W, 'W', dtype);
  if (wShape.length !== 2 || wMatrix.rows !== depth || wMatrix.cols === 0) {
    throw shapeError('W', `[${depth}, c] with a column or more`, wShape);
  }
  const classes = wMatrix.cols;
  const bias = b === undefined || b === null ? undefined : biasOf(b, classes, dtype);
  if (loss.weights !== null && loss.weights.length !== classes) {
    throw shapeError('weights', `${classes} values, one a column of W`, loss.weights.length);
  }
  const labelMatrix = labelsOf(labels, xView.shape.slice(0, -1), xMatrix.rows, dtype);

  const output = namedOutputs<GradientName>(outs, dtype, [xMatrix, wMatrix, bias, labelMatrix]);
  const gradientX = output('gradientX', xView.shape, xMatrix.rows, depth);
  const gradientW = output('gradientW', [depth, classes], depth, classes);
  const gradientB = vectorOutput(output, 'gradientB', bias === undefined ? 0 : classes);
  const score = linearCrossEntropy(loss, xMatrix, wMatrix, bias?.data, labelMatrix, undefined, {
    gradientX,
    gradientW,
    gradientB,
  });
  return { score, gradientX: gradientX.array, gradientW: gradientW.array, gradientB: gradientB.array };
}

/** Labels as a column of indices, one a row along the axes `leading`. */
export function labelsOf(labels: unknown, leading: readonly number[], rows: number, dtype: FloatDtype): MatrixView {
  const view = toView(labels, 'labels', dtype);
  if (!isIndexShape(view.shape, leading)) throw shapeError('labels', describeIndexShape(leading), view.shape);
  return asColumn(toMatrix(view), rows);
}

/** The call itself: x and W of one dtype, labels and mask columns of x's rows, all checked. Returns the score. */
export function linearCrossEntropy(
  loss: LossSparseMCXENT,
  x: MatrixView,
  w: MatrixView,
  bias: TypedArray | undefined,
  labels: MatrixView,
  mask: MatrixView | undefined,
  out: { readonly [K in GradientName]: Pick<Output, 'data' | 'rowStride'> },
): number {
  const { block } = native;
  const weights = loss.weights?.data;
  block[slots.m] = x.rows;
  block[slots.n] = w.cols;
  block[slots.k] = x.cols;
  block[slots.lda] = x.rowStride;
  block[slots.ldb] = w.rowStride;
  block[slots.ldc] = out.gradientW.rowStride;
  block[slots.outStride] = out.gradientX.rowStride;
  block[slots.labelStride] = labels.rowStride;
  block[slots.maskRowStride] = mask === undefined ? 0 : mask.rowStride;
  loss.writeOptions(block);
  const arrays = [
    x.data,
    w.data,
    bias,
    labels.data,
    mask?.data,
    weights,
    out.gradientX.data,
    out.gradientW.data,
    bias === undefined ? undefined : out.gradientB.data,
  ] as const;
  writeDtypes(...arrays);
  const status = native.linearCrossEntropy(...arrays);
  if (status === Status.BAD_LABEL) throw badLabel(labels, block[slots.badRow] ?? 0, w.cols);
  check(status);
  return block[slots.score] ?? 0;
}

function matrixOf(input: unknown, name: string, dtype: FloatDtype): [MatrixView, readonly number[]] {
  const view = toView(input, name, dtype);
  if (view.dtype !== dtype) throw dtypeError(name, dtype, view.dtype);
  return [toMatrix(view), view.shape];
}

/** `[c]` or `[1, c]`, as contiguous elements. */
function biasOf(input: unknown, classes: number, dtype: FloatDtype): MatrixView {
  const view = toView(input, 'b', dtype);
  const { data, shape, strides } = view;
  if (view.dtype !== dtype) throw dtypeError('b', dtype, view.dtype);
  if (shape[shape.length - 1] !== classes || (shape.length !== 1 && !(shape.length === 2 && shape[0] === 1))) {
    throw shapeError('b', `[${classes}] or [1, ${classes}]`, shape);
  }
  const contiguous = strides[shape.length - 1] === 1;
  const values = contiguous ? data : new NDArray(data, shape, strides).dup().data;
  return makeMatrix(values, 1, classes, classes, dtype, !contiguous);
}
