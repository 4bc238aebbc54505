// SPDX-License-Identifier: Apache-2.0
// The classifier of digits.ts as expressions: SameDiff differentiates, fuses and trains them. The number of epochs may
// be given: node scripts/run.mjs examples/digits-samediff 2
import { Adam, type Batch, type Listener, SameDiff, TrainingConfig, WeightInit } from 'simdloss';
import { expectAccuracy, loadDigits, PIXELS, progressBar, report } from './support/digits';
import { gather, shuffled } from './support/network';

const EPOCHS = Number(process.argv[2] ?? 8);
const BATCH = 64;

const { training, heldOut } = loadDigits();
const n = training.labels.length;
const batches = Math.floor(n / BATCH);

const sd = SameDiff.create();
const x = sd.placeHolder('x', 'float32', [-1, PIXELS]);
const labels = sd.placeHolder('labels', 'int32', [-1]);
const W1 = sd.var('W1', WeightInit.RELU, [PIXELS, 96], { seed: 1 });
const b1 = sd.var('b1', WeightInit.ZERO, [96]);
const W2 = sd.var('W2', WeightInit.XAVIER, [96, 10], { seed: 2 });
const b2 = sd.var('b2', WeightInit.ZERO, [10]);
const logits = x.mmul(W1).add(b1).relu().mmul(W2).add('logits', b2);
sd.setLossVariables(sd.loss.sparseSoftmaxCrossEntropy(logits, labels).mean('score'));

/** The batches of an epoch, in an order of its own. */
function* shuffledBatches(epoch: number): Generator<Batch> {
  const order = shuffled(n, 100 + epoch);
  for (let batch = 0; batch < batches; batch++) {
    const rows = order.slice(batch * BATCH, (batch + 1) * BATCH);
    yield { x: gather(training.x, rows), labels: Int32Array.from(rows, (row) => training.labels[row] as number) };
  }
}

async function main(): Promise<void> {
  const scores: number[] = [];
  const progress = progressBar(EPOCHS * batches);
  const listener: Listener = {
    iterationDone(_sd, { epoch }, _batch, loss) {
      scores.push(loss.totalLoss());
      progress.increment(1, { epoch: epoch + 1, score: loss.totalLoss().toFixed(4) });
    },
  };
  sd.setTrainingConfig(TrainingConfig.builder().updater(new Adam(2e-3)).build());
  const history = await sd.fit(shuffledBatches, EPOCHS, listener);
  progress.stop();

  const accuracy = report(scores, logits.eval({ x: heldOut.x }), heldOut);
  const milliseconds = history.trainingTimeMillis();
  console.log(
    `\ntrained in ${(milliseconds / 1000).toFixed(1)} s, ${(milliseconds / scores.length).toFixed(2)} ms a batch of ${BATCH}`,
  );
  expectAccuracy(accuracy, EPOCHS >= 8 ? 93 : 80);
}

main().catch((error) => {
  console.error(error);
  process.exitCode = 1;
});
