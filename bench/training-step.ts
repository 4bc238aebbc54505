// SPDX-License-Identifier: Apache-2.0
// A training step of two layers, softmax cross entropy and Adam: as expressions of SameDiff, by OutputLayer and the layer and
// updater of examples/, and operation by operation with NDArrays. All in turn; milliseconds a step, minimum and median.
//
//   node scripts/run.mjs bench/training-step [--rounds 20]
import { parseArgs } from 'node:util';
import {
  Activation,
  ActivationReLU,
  Adam,
  LossMCXENT,
  type NDArray,
  nd,
  OutputLayer,
  SameDiff,
  simd,
  Transforms,
  WeightInit,
} from 'simdloss';
import { DenseLayer, Adam as PlainAdam } from '../examples/support/network';

const { values } = parseArgs({ options: { rounds: { type: 'string', default: '20' } } });
const STEPS = 20;
const RATE = 1e-3;
const OUT = 10;

interface Task {
  readonly rows: number;
  readonly nIn: number;
  readonly hidden: number;
}

/** Runs so many steps on a batch. */
type Train = (x: NDArray, y: NDArray) => unknown;

function samediff({ nIn, hidden }: Task): Train {
  const sd = SameDiff.create();
  const [x, y] = [sd.placeHolder('x', 'float32', [-1, nIn]), sd.placeHolder('y', 'float32', [-1, OUT])];
  const [W1, b1] = [sd.var('W1', WeightInit.RELU, [nIn, hidden]), sd.var('b1', WeightInit.ZERO, [hidden])];
  const [W2, b2] = [sd.var('W2', WeightInit.XAVIER, [hidden, OUT]), sd.var('b2', WeightInit.ZERO, [OUT])];
  const logits = x.mmul(W1).add(b1).relu().mmul(W2).add(b2);
  sd.loss.softmaxCrossEntropy('loss', y, logits, null);
  const updater = new Adam(RATE);
  return (x, y) => sd.fit({ data: Array(STEPS).fill({ x, y }), updater });
}

function layers({ rows, nIn, hidden }: Task): Train {
  const first = new DenseLayer({ nIn, nOut: hidden, activation: new ActivationReLU() });
  const builder = new OutputLayer.Builder(new LossMCXENT()).nIn(hidden).nOut(OUT);
  const output = builder.activation(Activation.SOFTMAX).build();
  const adam = new PlainAdam([first.W, first.b, output.W, output.b], RATE);
  return (x, y) => {
    for (let step = 0; step < STEPS; step++) {
      const { gradientW, gradientB, epsilon } = output.computeGradientAndScore(first.activate(x), y);
      adam.update([...first.backprop(epsilon), gradientW, gradientB], rows);
    }
  };
}

function operations({ rows, nIn, hidden }: Task): Train {
  const weights = (m: number, n: number) => nd.randn([m, n]).muli(Math.sqrt(2 / m));
  const [W1, b1, W2, b2] = [weights(nIn, hidden), nd.zeros([hidden]), weights(hidden, OUT), nd.zeros([OUT])];
  const parameters = [W1, b1, W2, b2].map((w) => ({ w, m: nd.zeros(w.shape), v: nd.zeros(w.shape) }));
  let t = 0;
  return (x, y) => {
    for (let step = 0; step < STEPS; step++) {
      const z = x.mmul(W1).add(b1);
      const h = Transforms.relu(z);
      const logits = h.mmul(W2).add(b2);
      const shifted = logits.sub(logits.max(1).reshape(rows, 1));
      const e = Transforms.exp(shifted);
      const d2 = e.div(e.sum(1).reshape(rows, 1)).sub(y).div(rows);
      const d1 = d2.mmul(W2.transpose()).mul(z.gt(0));
      const gradients = [x.transpose().mmul(d1), d1.sum(0), h.transpose().mmul(d2), d2.sum(0)];
      t += 1;
      const rate = (RATE * Math.sqrt(1 - 0.999 ** t)) / (1 - 0.9 ** t);
      parameters.forEach(({ w, m, v }, i) => {
        const g = gradients[i] as NDArray;
        m.muli(0.9).addi(g.mul(0.1));
        v.muli(0.999).addi(g.mul(g).muli(0.001));
        w.subi(m.mul(rate).div(Transforms.sqrt(v).add(1e-8)));
      });
    }
  };
}

async function row(task: Task): Promise<string> {
  const x = nd.rand([task.rows, task.nIn], { seed: 1 });
  const y = nd.zeros([task.rows, OUT]);
  for (let i = 0; i < task.rows; i++) y.putScalar([i, i % OUT], 1);
  const contenders = [samediff, layers, operations].map((make) => ({ train: make(task), times: [] as number[] }));
  for (let round = 0; round < Number(values.rounds); round++) {
    for (const { train, times } of contenders) {
      const begin = performance.now();
      await train(x, y);
      times.push((performance.now() - begin) / STEPS);
    }
  }
  const [fused, ...others] = contenders.map(({ times }) => times.sort((a, b) => a - b));
  const text = (times: readonly number[] = []) =>
    [times[0], times[times.length >> 1]].map((time) => (time as number).toFixed(3)).join(' | ');
  const ratios = others.map((times) => ((times[0] as number) / (fused?.[0] as number)).toFixed(1));
  const { rows, nIn, hidden } = task;
  return `| ${rows} x ${nIn} x ${hidden} x ${OUT} | ${[fused, ...others].map(text).join(' | ')} | ${ratios.join(' | ')} |`;
}

async function main(): Promise<void> {
  console.log(`Node ${process.version}, kernels on ${simd.target}, float32; milliseconds a step, minimum and median\n`);
  console.log(
    '| rows x in x hidden x out | SameDiff | | layers | | operations | | layers / SameDiff | operations / SameDiff |',
  );
  console.log(`|---|${'--:|'.repeat(8)}`);
  for (const [rows, nIn, hidden] of [
    [64, 784, 96],
    [32, 20, 32],
    [1024, 100, 256],
  ] as const) {
    console.log(await row({ rows, nIn, hidden }));
  }
}

main();
