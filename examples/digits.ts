// SPDX-License-Identifier: Apache-2.0
// Trains a classifier of handwritten digits: one hidden layer, and an OutputLayer with LossMCXENT and softmax.
import { SingleBar } from 'cli-progress';
import {
  Activation,
  ActivationReLU,
  type GradientAndScore,
  LossMCXENT,
  LossSparseMCXENT,
  type NDArray,
  nd,
  OutputLayer,
  simd,
} from 'simdloss';
import { Adam, DenseLayer, gather, shuffled } from './support/network';
import { bar, curve, picture, sideBySide } from './support/terminal';

const PIXELS = 28;
const HELD_OUT = 2000;
const EPOCHS = 8;
const BATCH = 64;

/** The 10,000 digits of the package `mnist`, in a fixed random order: pixels [n, 784] from 0 to 1, and labels [n]. */
function loadDigits(): { x: NDArray; labels: Int32Array } {
  const size = PIXELS * PIXELS;
  const files = Array.from({ length: 10 }, (_, digit): number[] => require(`mnist/src/digits/${digit}.json`).data);
  const digits = files.flatMap((data, label) =>
    Array.from({ length: Math.floor(data.length / size) }, (_, i) => ({
      label,
      pixels: data.slice(i * size, (i + 1) * size),
    })),
  );
  const pixels = new Float32Array(digits.length * size);
  const labels = new Int32Array(digits.length);
  shuffled(digits.length, 2026).forEach((place, row) => {
    pixels.set(digits[place]?.pixels ?? [], row * size);
    labels[row] = digits[place]?.label ?? 0;
  });
  return { x: nd.create(pixels, [digits.length, size]), labels };
}

/** Cross entropy that counts its own time. */
class TimedLoss extends LossMCXENT {
  milliseconds = 0;

  override computeGradientAndScore(...args: Parameters<LossMCXENT['computeGradientAndScore']>): GradientAndScore {
    const begin = performance.now();
    const result = super.computeGradientAndScore(...args);
    this.milliseconds += performance.now() - begin;
    return result;
  }
}

const { x, labels } = loadDigits();
const n = x.size(0) - HELD_OUT;
const oneHot = nd.zeros([labels.length, 10]);
labels.forEach((label, row) => {
  oneHot.data[row * 10 + label] = 1;
});
console.log(
  `${labels.length} handwritten digits, ${n} to learn from, ${HELD_OUT} held out; kernels on ${simd.target}\n`,
);

const loss = new TimedLoss();
const hidden = new DenseLayer({ nIn: PIXELS * PIXELS, nOut: 96, activation: new ActivationReLU(), seed: 1 });
const output = new OutputLayer.Builder(loss).nIn(96).nOut(10).activation(Activation.SOFTMAX).seed(2).build();
const adam = new Adam([hidden.W, hidden.b, output.W, output.b], 2e-3);

const batches = Math.floor(n / BATCH);
const scores: number[] = [];
const progressBar = new SingleBar({
  format: 'training {bar} {percentage}% | epoch {epoch} | score {score}',
  barCompleteChar: '█',
  barIncompleteChar: '░',
  hideCursor: true,
  noTTYOutput: true,
  notTTYSchedule: 4000,
});
progressBar.start(EPOCHS * batches, 0, { epoch: 1, score: '-' });
const begin = performance.now();
for (let epoch = 0; epoch < EPOCHS; epoch++) {
  const order = shuffled(n, 100 + epoch);
  for (let batch = 0; batch < batches; batch++) {
    const rows = order.slice(batch * BATCH, (batch + 1) * BATCH);
    const h = hidden.activate(gather(x, rows));
    const { score, gradientW, gradientB, epsilon } = output.computeGradientAndScore(h, gather(oneHot, rows));
    adam.update([...hidden.backprop(epsilon), gradientW, gradientB], BATCH);
    scores.push(score);
    progressBar.increment(1, { epoch: epoch + 1, score: score.toFixed(4) });
  }
}
const seconds = (performance.now() - begin) / 1000;
progressBar.stop();

const testX = x.rows(n, n + HELD_OUT);
const testLabels = labels.subarray(n);
const h = hidden.activate(testX);
const probabilities = output.activate(h).toArray() as number[][];
const predicted = probabilities.map((row) => row.indexOf(Math.max(...row)));

console.log('\nscore over the training (cross entropy of a digit):');
console.log(curve(scores));
console.log(`\naccuracy on ${HELD_OUT} digits not seen in training:`);
let right = 0;
for (let digit = 0; digit < 10; digit++) {
  let count = 0;
  let hits = 0;
  predicted.forEach((p, i) => {
    if (testLabels[i] !== digit) return;
    count += 1;
    if (p === digit) hits += 1;
  });
  right += hits;
  console.log(`  ${digit}  ${bar(hits / count)}  ${((100 * hits) / count).toFixed(1).padStart(5)} %  of ${count}`);
}
const accuracy = (100 * right) / HELD_OUT;
console.log(`  all${' '.repeat(32)}${accuracy.toFixed(1).padStart(5)} %`);

console.log('\nthe five digits that the network finds hardest (highest loss by example):');
const logits = h.mmul(output.W).add(output.b);
const perExample = Array.from(
  new LossSparseMCXENT().computeScoreArray(testLabels, logits, Activation.SOFTMAX).data,
  Number,
);
const worst = [...perExample.keys()].sort((i, j) => (perExample[j] ?? 0) - (perExample[i] ?? 0)).slice(0, 5);
console.log(
  sideBySide(
    worst.map((i) => [
      `is ${testLabels[i]}, read as ${predicted[i]}`,
      `loss ${perExample[i]?.toFixed(2)}`,
      ...picture(testX.rows(i, i + 1).data as Float32Array, PIXELS),
    ]),
  ),
);

const share = (loss.milliseconds / 10 / seconds).toFixed(1);
console.log(
  `\ntrained in ${seconds.toFixed(1)} s; loss and gradient took ${loss.milliseconds.toFixed(0)} ms of it, ${share} %`,
);
if (accuracy < 93) {
  console.error(`expected at least 93 % of the digits right`);
  process.exitCode = 1;
}
