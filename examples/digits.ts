// SPDX-License-Identifier: Apache-2.0
// Trains a classifier of handwritten digits: one hidden layer, and an OutputLayer with LossMCXENT and softmax.
import { Activation, ActivationReLU, type GradientAndScore, LossMCXENT, nd, OutputLayer } from 'simdloss';
import { expectAccuracy, loadDigits, PIXELS, progressBar, report } from './support/digits';
import { Adam, DenseLayer, gather, shuffled } from './support/network';

const EPOCHS = 8;
const BATCH = 64;

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

const { training, heldOut } = loadDigits();
const n = training.labels.length;
const oneHot = nd.zeros([n, 10]);
training.labels.forEach((label, row) => {
  oneHot.data[row * 10 + label] = 1;
});

const loss = new TimedLoss();
const hidden = new DenseLayer({ nIn: PIXELS, nOut: 96, activation: new ActivationReLU(), seed: 1 });
const output = new OutputLayer.Builder(loss).nIn(96).nOut(10).activation(Activation.SOFTMAX).seed(2).build();
const adam = new Adam([hidden.W, hidden.b, output.W, output.b], 2e-3);

const batches = Math.floor(n / BATCH);
const scores: number[] = [];
const progress = progressBar(EPOCHS * batches);
const begin = performance.now();
for (let epoch = 0; epoch < EPOCHS; epoch++) {
  const order = shuffled(n, 100 + epoch);
  for (let batch = 0; batch < batches; batch++) {
    const rows = order.slice(batch * BATCH, (batch + 1) * BATCH);
    const h = hidden.activate(gather(training.x, rows));
    const { score, gradientW, gradientB, epsilon } = output.computeGradientAndScore(h, gather(oneHot, rows));
    adam.update([...hidden.backprop(epsilon), gradientW, gradientB], BATCH);
    scores.push(score);
    progress.increment(1, { epoch: epoch + 1, score: score.toFixed(4) });
  }
}
const seconds = (performance.now() - begin) / 1000;
progress.stop();

const logits = hidden.activate(heldOut.x).mmul(output.W).add(output.b);
const accuracy = report(scores, logits, heldOut);
const share = (loss.milliseconds / 10 / seconds).toFixed(1);
console.log(
  `\ntrained in ${seconds.toFixed(1)} s; loss and gradient took ${loss.milliseconds.toFixed(0)} ms of it, ${share} %`,
);
expectAccuracy(accuracy, 93);
