// SPDX-License-Identifier: Apache-2.0
// This package, called in each way it offers; and the hand-written loops beside it.
import path from 'node:path';
import * as simdloss from 'simdloss';
import {
  Activation,
  type BindOptions,
  type BoundLoss,
  defineLoss,
  getNumThreads,
  type ILossFunction,
  type LayerGradientsOptions,
  LossBinaryXENT,
  LossCosineProximity,
  LossHinge,
  LossKLD,
  LossL1,
  LossL2,
  LossMAE,
  LossMCXENT,
  LossMixtureDensity,
  LossMSE,
  LossMultiLabel,
  LossPoisson,
  LossSparseMCXENT,
  nd,
  OutputLayer,
} from 'simdloss';
import { HuberLoss } from '../../examples/huber-loss';
import { type Cell, isMatmul, type Task } from './cells';
import type { Contender, MakeContender } from './contender';
import type { Floats, Inputs } from './inputs';
import { root } from './install';
import {
  LOOPS,
  linearCrossEntropy,
  multiply,
  multiplyLeftTransposed,
  multiplyRightTransposed,
  sparseCrossEntropy,
} from './plain-loops';

/** What every built-in loss has. */
interface Loss extends ILossFunction {
  bind(call: BindOptions): BoundLoss;
}

/** A loss of one's own, as an expression. */
const huber = () =>
  defineLoss('Huber', (labels, output) => {
    const error = output.sub(labels).abs();
    const near = error.clip(0, 1);
    return near.square().mul(0.5).add(error.sub(near));
  });

/** Loss and activation of a task. Clips are off: scores are compared with exact ones. */
const PAIRS: Partial<Record<Task, () => readonly [Loss, Activation]>> = {
  ce: () => [new LossMCXENT({ softmaxClipEps: 0 }), Activation.SOFTMAX],
  sce: () => [new LossSparseMCXENT({ softmaxClipEps: 0 }), Activation.SOFTMAX],
  bce: () => [new LossBinaryXENT({ clipEps: 0 }), Activation.SIGMOID],
  mse: () => [new LossMSE(), Activation.IDENTITY],
  l1: () => [new LossL1(), Activation.IDENTITY],
  l2sig: () => [new LossL2(), Activation.SIGMOID],
  maetanh: () => [new LossMAE(), Activation.TANH],
  poisson: () => [new LossPoisson(), Activation.SOFTPLUS],
  kld: () => [new LossKLD(), Activation.SOFTMAX],
  hinge: () => [new LossHinge(), Activation.TANH],
  huber: () => [huber(), Activation.IDENTITY],
  cosine: () => [new LossCosineProximity(), Activation.IDENTITY],
  multilabel: () => [new LossMultiLabel(), Activation.IDENTITY],
  mdn: () => [new LossMixtureDensity(), Activation.IDENTITY],
};

const like = (array: Floats, length = array.length): Floats =>
  array instanceof Float32Array ? new Float32Array(length) : new Float64Array(length);

/** The calls of a loss: its arguments are views of the caller's arrays, made once. */
function lossCall(cell: Cell, inputs: Inputs) {
  const pair = PAIRS[cell.task];
  if (pair === undefined) return undefined;
  const [loss, activation] = pair();
  const { n, c, d } = cell;
  const preOutput = nd.create(inputs.z, [n, c]);
  const labels = cell.task === 'sce' ? nd.create(inputs.k, [n]) : nd.create(inputs.y, [n, d > 0 ? d : c]);
  return { loss, activation, preOutput, labels };
}

const plainAnswer = (result: unknown) => {
  const { score, gradient } = result as { score: number; gradient: { data: Floats } };
  return { score, gradient: [gradient.data] };
};

const plain: MakeContender = (cell, inputs) => {
  if (cell.task === 'linear') return outputLayer(cell, inputs);
  if (isMatmul(cell)) return product(cell, inputs);
  const call = lossCall(cell, inputs);
  if (call === undefined) return undefined;
  const { loss, activation, preOutput, labels } = call;
  return { run: () => loss.computeGradientAndScore(labels, preOutput, activation), answer: plainAnswer };
};

const withOut: MakeContender = (cell, inputs) => {
  if (cell.task === 'linear') {
    const { x, w, b } = inputs;
    return outputLayer(cell, inputs, { out: { gradientW: like(w), gradientB: like(b), epsilon: like(x) } });
  }
  const call = lossCall(cell, inputs);
  if (call === undefined) return undefined;
  const { loss, activation, preOutput, labels } = call;
  const options = { out: nd.create(like(inputs.z), preOutput.shape) };
  return {
    run: () => loss.computeGradientAndScore(labels, preOutput, activation, null, false, options),
    answer: plainAnswer,
  };
};

const bound: MakeContender = (cell, inputs) => {
  const call = lossCall(cell, inputs);
  if (call === undefined) return undefined;
  const gradient = like(inputs.z);
  const { loss, activation, preOutput, labels } = call;
  const handle = loss.bind({ labels, preOutput, activation, gradient });
  return { run: () => handle.run(), answer: (score) => ({ score: score as number, gradient: [gradient] }) };
};

const asynchronous: MakeContender = (cell, inputs) => {
  const call = lossCall(cell, inputs);
  if (call === undefined) return undefined;
  const { loss, activation, preOutput, labels } = call;
  const options = { out: nd.create(like(inputs.z), preOutput.shape) };
  const method = (loss as unknown as Record<string, unknown>)['computeGradientAndScoreAsync'];
  if (typeof method !== 'function') return undefined;
  return {
    run: () => method.call(loss, labels, preOutput, activation, null, false, options),
    isAsync: true,
    answer: plainAnswer,
  };
};

/** The same loss of one's own as a class, operation by operation. Its gradient is that of the mean over the rows. */
const composed: MakeContender = (cell, inputs) => {
  const call = lossCall(cell, inputs);
  if (cell.task !== 'huber' || call === undefined) return undefined;
  const { preOutput, labels } = call;
  const loss = new HuberLoss(1);
  const activation = Activation.IDENTITY.getActivationFunction();
  return {
    run: () => loss.computeGradientAndScore(labels, preOutput, activation, null, false),
    answer: (result) => {
      const { score, gradient } = result as ReturnType<typeof loss.computeGradientAndScore>;
      return { score, gradient: [gradient.mul(cell.n).data as Floats] };
    },
  };
};

/** Score, dx, dW and db by an OutputLayer. */
function outputLayer({ n, c, d, dtype }: Cell, { x, w, b, k }: Inputs, options?: LayerGradientsOptions): Contender {
  const loss = new LossSparseMCXENT({ softmaxClipEps: 0 });
  const layer = new OutputLayer.Builder(loss).nIn(d).nOut(c).activation(Activation.SOFTMAX).dataType(dtype).build();
  layer.W = nd.create(w, [d, c]);
  layer.b = nd.create(b, [c]);
  const input = nd.create(x, [n, d]);
  return {
    run: () => layer.computeGradientAndScore(input, k, null, options),
    answer: (result) => {
      const { score, epsilon, gradientW, gradientB } = result as ReturnType<typeof layer.computeGradientAndScore>;
      return { score: score * n, gradient: [epsilon, gradientW, gradientB].map(({ data }) => data as Floats) };
    },
  };
}

/** The same without the logits in memory. */
const fused: MakeContender = (cell, { x, w, b, k }) => {
  const call = (simdloss as unknown as Record<string, unknown>)['fusedLinearCrossEntropy'];
  if (cell.task !== 'linear' || typeof call !== 'function') return undefined;
  const { n, c, d } = cell;
  const options = { x: nd.create(x, [n, d]), W: nd.create(w, [d, c]), b: nd.create(b, [c]), labels: k };
  return {
    run: () => call(options),
    answer: (result) => {
      const { score, ...rest } = result as { score: number } & Record<string, { data: Floats }>;
      const gradient = ['gradientX', 'gradientW', 'gradientB'].map((name) => rest[name]?.data as Floats);
      return { score, gradient };
    },
  };
};

/** Matrix products by NDArray.mmul. */
function product({ task, n, c, d }: Cell, inputs: Inputs): Contender {
  const x = nd.create(inputs.x, [n, d]);
  const w = nd.create(inputs.w, [d, c]);
  const delta = nd.create(inputs.y, [n, c]);
  const [a, b] = task === 'matmul' ? [x, w] : task === 'matmul-tn' ? [x.transpose(), delta] : [delta, w.transpose()];
  return {
    run: () => a.mmul(b),
    answer: (result) => ({ score: null, gradient: [(result as typeof x).data as Floats] }),
  };
}

/** The library's own files, for what its layer uses and users don't. */
const internal = (file: string) =>
  require(path.join(root, 'dist', file)) as Record<string, (...args: unknown[]) => unknown>;

/** The matrix products as OutputLayer calls them: into memory that is there. */
const productWithOut: MakeContender = ({ task, n, c, d, dtype }, inputs) => {
  const { gemm } = internal('gemm.js');
  const { toMatrix, toView } = internal('array-input.js');
  const { allocate } = internal('outputs.js');
  if (!gemm || !toMatrix || !toView || !allocate) return undefined;
  const factor = (data: Floats, shape: readonly number[], transpose: boolean) => ({
    matrix: toMatrix(toView(nd.create(data, shape), 'factor', dtype)),
    transpose,
  });
  const x = factor(inputs.x, [n, d], task === 'matmul-tn');
  const w = factor(inputs.w, [d, c], task === 'matmul-nt');
  const delta = factor(inputs.y, [n, c], false);
  const [a, b] = task === 'matmul' ? [x, w] : task === 'matmul-tn' ? [x, delta] : [delta, w];
  const shape = [task === 'matmul-tn' ? d : n, task === 'matmul-nt' ? d : c];
  const out = allocate(dtype, shape, ...shape) as { data: Floats };
  return { run: () => gemm(a, b, out), answer: () => ({ score: null, gradient: [out.data] }) };
};

/** The plain loops. */
const loops: MakeContender = (cell, inputs) => {
  const { task, n, c, d } = cell;
  if (isMatmul(cell)) {
    const multiplication = {
      matmul: multiply,
      'matmul-tn': multiplyLeftTransposed,
      'matmul-nt': multiplyRightTransposed,
    };
    const { x, w, y } = inputs;
    const [a, b, length] = task === 'matmul' ? [x, w, n * c] : task === 'matmul-tn' ? [x, y, d * c] : [y, w, n * d];
    const run = multiplication[task as keyof typeof multiplication];
    const out = like(x, length);
    return { run: () => run(a, b, out, n, d, c), answer: () => ({ score: null, gradient: [out] }) };
  }
  if (task === 'linear') {
    // Half a minute a call where the layer is wide.
    if (n * d * c > 1e9) return undefined;
    const { x, w, b } = inputs;
    const gradients = [like(x), like(w), like(b)] as const;
    const delta = like(x, n * c);
    return {
      run: () => linearCrossEntropy(inputs, gradients, delta),
      answer: (score) => ({ score: score as number, gradient: gradients }),
    };
  }
  const { z, y, k } = inputs;
  const gradient = like(z);
  const answer = (score: unknown) => ({ score: score as number, gradient: [gradient] });
  if (task === 'sce') return { run: () => sparseCrossEntropy(k, z, gradient, n, c), answer };
  const loop = LOOPS[task];
  return loop && { run: () => loop(y, z, gradient, n, c, d), answer };
};

/** What a call costs before it computes: crossing to native code and back, and memory for the result. */
const crossing: MakeContender = () => ({ run: () => getNumThreads() });
const allocation: MakeContender = (_, { z }) => ({ run: () => like(z) });

export const CONTENDERS: Readonly<Record<string, MakeContender>> = {
  js: loops,
  crossing,
  allocation,
  simdloss: plain,
  'simdloss-out': (cell, inputs) => (isMatmul(cell) ? productWithOut(cell, inputs) : withOut(cell, inputs)),
  'simdloss-bound': bound,
  'simdloss-bound-avx2': bound,
  'simdloss-async': asynchronous,
  'simdloss-fused': fused,
  'simdloss-ndarray': composed,
};
