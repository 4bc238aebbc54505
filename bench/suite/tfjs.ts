// SPDX-License-Identifier: Apache-2.0
// TensorFlow.js, from $SIMDLOSS_BENCH_NODE/node_modules: it is no dependency of the package, so what is used of it is
// declared here.
import { createRequire } from 'node:module';
import path from 'node:path';
import { type Cell, isMatmul } from './cells';
import type { Contender, MakeContender } from './contender';
import type { Floats, Inputs } from './inputs';

type Unary = () => Tensor;
type Binary = (other: Tensor) => Tensor;
type Reduce = (axis?: number, keepDims?: boolean) => Tensor;
interface Tensor {
  readonly add: Binary;
  readonly sub: Binary;
  readonly mul: Binary;
  readonly div: Binary;
  readonly exp: Unary;
  readonly log: Unary;
  readonly neg: Unary;
  readonly relu: Unary;
  readonly sigmoid: Unary;
  readonly softplus: Unary;
  readonly sqrt: Unary;
  readonly square: Unary;
  readonly tanh: Unary;
  readonly toFloat: Unary;
  readonly sum: Reduce;
  readonly logSumExp: Reduce;
  reshape(shape: number[]): Tensor;
  slice(begin: number[], size: number[]): Tensor;
  expandDims(axis: number): Tensor;
  dataSync(): Float32Array;
  dispose(): void;
}
type LossFunction = (labels: Tensor, output: Tensor, weights: undefined, ...rest: number[]) => Tensor;
interface Tfjs {
  readonly losses: Record<
    'softmaxCrossEntropy' | 'sigmoidCrossEntropy' | 'meanSquaredError' | 'absoluteDifference' | 'huberLoss',
    LossFunction
  >;
  readonly Reduction: { readonly SUM: number };
  tensor2d(data: Floats, shape: number[]): Tensor;
  tensor1d(data: Floats | Int32Array, dtype?: string): Tensor;
  scalar(value: number): Tensor;
  oneHot(indices: Tensor, depth: number): Tensor;
  logSoftmax(z: Tensor): Tensor;
  matMul(a: Tensor, b: Tensor, transposeA?: boolean, transposeB?: boolean): Tensor;
  tidy<T>(run: () => T): T;
  valueAndGrads(f: (...inputs: Tensor[]) => Tensor): (inputs: Tensor[]) => { value: Tensor; grads: Tensor[] };
  setBackend(name: string): Promise<boolean>;
  enableProdMode(): void;
  ready(): Promise<void>;
}

async function load(backend: string): Promise<Tfjs> {
  const folder = process.env['SIMDLOSS_BENCH_NODE'] ?? '.';
  const require = createRequire(path.resolve(folder, 'index.js'));
  const tf = require('@tensorflow/tfjs') as Tfjs;
  if (backend === 'wasm') {
    const wasm = require('@tensorflow/tfjs-backend-wasm') as { setWasmPaths(folder: string): void };
    const home = path.dirname(require.resolve('@tensorflow/tfjs-backend-wasm/package.json'));
    wasm.setWasmPaths(path.join(home, 'wasm-out') + path.sep);
  }
  await tf.setBackend(backend);
  tf.enableProdMode();
  await tf.ready();
  return tf;
}

/** The loss as TensorFlow.js has it, or composed of its operations where it has none. */
function lossOf(tf: Tfjs, { task, n, c, d }: Cell, { y, k }: Inputs): ((z: Tensor) => Tensor) | undefined {
  const { losses } = tf;
  const SUM = tf.Reduction.SUM;
  const labels = task === 'sce' ? tf.tensor1d(k, 'int32') : tf.tensor2d(y, [n, task === 'mdn' ? d : c]);
  const one = tf.scalar(1);
  const columns = tf.scalar(c);
  switch (task) {
    case 'ce':
      return (z) => losses.softmaxCrossEntropy(labels, z, undefined, 0, SUM);
    case 'sce':
      return (z) => losses.softmaxCrossEntropy(tf.oneHot(labels, c).toFloat(), z, undefined, 0, SUM);
    case 'bce':
      return (z) => losses.sigmoidCrossEntropy(labels, z, undefined, 0, SUM);
    case 'mse':
      return (z) => losses.meanSquaredError(labels, z, undefined, SUM).div(columns);
    case 'l1':
      return (z) => losses.absoluteDifference(labels, z, undefined, SUM);
    case 'huber':
      return (z) => losses.huberLoss(labels, z, undefined, 1, SUM);
    case 'l2sig':
      return (z) => losses.meanSquaredError(labels, z.sigmoid(), undefined, SUM);
    case 'maetanh':
      return (z) => losses.absoluteDifference(labels, z.tanh(), undefined, SUM).div(columns);
    case 'poisson':
      return (z) => {
        const a = z.softplus();
        return a.sub(labels.mul(a.log())).sum();
      };
    case 'kld':
      return (z) => labels.mul(labels.log().sub(tf.logSoftmax(z))).sum();
    case 'hinge':
      return (z) => one.sub(labels.mul(z.tanh())).relu().sum();
    case 'cosine':
      return (z) => {
        const norms = z.square().sum(1).sqrt().mul(labels.square().sum(1).sqrt());
        return labels.mul(z).sum(1).div(norms).sum().neg();
      };
    case 'multilabel': {
      const others = tf.tidy(() => one.sub(labels));
      const pairs = tf.tidy(() => labels.sum(1).mul(others.sum(1)));
      return (z) => z.neg().exp().mul(labels).sum(1).mul(z.exp().mul(others).sum(1)).div(pairs).sum();
    }
    case 'mdn': {
      const mixtures = c / (d + 2);
      const half = tf.scalar(0.5);
      const width = tf.scalar(d);
      const constant = tf.scalar(0.5 * d * Math.log(2 * Math.PI));
      return (z) => {
        const sigma = z.slice([0, mixtures], [n, mixtures]);
        const mu = z.slice([0, 2 * mixtures], [n, mixtures * d]).reshape([n, mixtures, d]);
        const distance = labels.expandDims(1).sub(mu).square().sum(2).mul(sigma.add(sigma).neg().exp());
        const alpha = tf.logSoftmax(z.slice([0, 0], [n, mixtures]));
        return alpha.sub(width.mul(sigma)).sub(constant).sub(half.mul(distance)).logSumExp(1).sum().neg();
      };
    }
    default:
      return undefined;
  }
}

function product(tf: Tfjs, { task, n, c, d }: Cell, { x, w, y }: Inputs): Contender {
  const X = tf.tensor2d(x, [n, d]);
  const W = tf.tensor2d(w, [d, c]);
  const delta = tf.tensor2d(y, [n, c]);
  const [a, b] = task === 'matmul' ? [X, W] : task === 'matmul-tn' ? [X, delta] : [delta, W];
  return {
    run: () => tf.matMul(a, b, task === 'matmul-tn', task === 'matmul-nt'),
    answer: (result) => ({ score: null, gradient: [(result as Tensor).dataSync()] }),
    release: (result) => (result as Tensor).dispose(),
  };
}

/** `tfjs-cpu` or `tfjs-wasm`. */
export function makeTfjs(name: string): MakeContender {
  const backend = name.slice('tfjs-'.length);
  let loaded: Promise<Tfjs> | undefined;
  return async (cell, inputs) => {
    // It has no float64, and takes the better part of a minute for one call of a wide layer.
    if (cell.dtype === 'float64' || cell.n * cell.d * cell.c > 1e9) return undefined;
    loaded ??= load(backend);
    const tf = await loaded;
    if (isMatmul(cell)) return product(tf, cell, inputs);
    const { n, c, d } = cell;
    let f: ((...inputs: Tensor[]) => Tensor) | undefined = lossOf(
      tf,
      cell.task === 'linear' ? { ...cell, task: 'sce' } : cell,
      inputs,
    );
    if (!f) return undefined;
    let variables: Tensor[];
    if (cell.task === 'linear') {
      const loss = f;
      f = (X, W, b) => loss(tf.matMul(X as Tensor, W as Tensor).add(b as Tensor));
      variables = [tf.tensor2d(inputs.x, [n, d]), tf.tensor2d(inputs.w, [d, c]), tf.tensor1d(inputs.b)];
    } else {
      variables = [tf.tensor2d(inputs.z, [n, c])];
    }
    const valueAndGrads = tf.valueAndGrads(f);
    return {
      run: () => {
        const { value, grads } = valueAndGrads(variables);
        const score = value.dataSync()[0] as number;
        value.dispose();
        return { score, grads };
      },
      answer: (result) => {
        const { score, grads } = result as { score: number; grads: Tensor[] };
        return { score, gradient: grads.map((tensor) => Float32Array.from(tensor.dataSync())) };
      },
      release: (result) => {
        for (const tensor of (result as { grads: Tensor[] }).grads) tensor.dispose();
      },
    };
  };
}
