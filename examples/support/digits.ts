// SPDX-License-Identifier: Apache-2.0
// What the classifiers of handwritten digits share: the data, and what they show of a training.
import { SingleBar } from 'cli-progress';
import { Activation, LossSparseMCXENT, type NDArray, nd, simd } from 'simdloss';
import { shuffled } from './network';
import { bar, curve, picture, sideBySide } from './terminal';

/** Width and height of a picture. */
const SIZE = 28;
export const PIXELS = SIZE * SIZE;
const HELD_OUT = 2000;

/** Pictures `[n, 784]`, from 0 to 1, and the digit that each one shows. */
export interface Digits {
  readonly x: NDArray;
  readonly labels: Int32Array;
}

/** The 10,000 digits of the package `mnist` in a fixed random order, the last 2,000 apart. */
export function loadDigits(): { training: Digits; heldOut: Digits } {
  const files = Array.from({ length: 10 }, (_, digit): number[] => require(`mnist/src/digits/${digit}.json`).data);
  const digits = files.flatMap((data, label) =>
    Array.from({ length: Math.floor(data.length / PIXELS) }, (_, i) => ({
      label,
      pixels: data.slice(i * PIXELS, (i + 1) * PIXELS),
    })),
  );
  const pixels = new Float32Array(digits.length * PIXELS);
  const labels = new Int32Array(digits.length);
  shuffled(digits.length, 2026).forEach((place, row) => {
    pixels.set(digits[place]?.pixels ?? [], row * PIXELS);
    labels[row] = digits[place]?.label ?? 0;
  });
  const x = nd.create(pixels, [digits.length, PIXELS]);
  const n = digits.length - HELD_OUT;
  console.log(
    `${digits.length} handwritten digits, ${n} to learn from, ${HELD_OUT} held out; kernels on ${simd.target}\n`,
  );
  return {
    training: { x: x.rows(0, n), labels: labels.subarray(0, n) },
    heldOut: { x: x.rows(n, digits.length), labels: labels.subarray(n) },
  };
}

/** A bar that advances with every batch; its payload is `{ epoch, score }`. */
export function progressBar(batches: number): SingleBar {
  const progress = new SingleBar({
    format: 'training {bar} {percentage}% | epoch {epoch} | score {score}',
    barCompleteChar: '█',
    barIncompleteChar: '░',
    hideCursor: true,
    noTTYOutput: true,
    notTTYSchedule: 4000,
  });
  progress.start(batches, 0, { epoch: 1, score: '-' });
  return progress;
}

/** Shows scores over the training, and how well the held-out digits are read. Returns the percentage of right ones. */
export function report(scores: readonly number[], logits: NDArray, { x, labels }: Digits): number {
  console.log('\nscore over the training (cross entropy of a digit):');
  console.log(curve(scores));
  const read = (logits.toArray() as number[][]).map((row) => row.indexOf(Math.max(...row)));
  const accuracy = showAccuracy(read, labels);
  console.log('\nthe five digits that the network finds hardest (highest loss by example):');
  const losses = Array.from(new LossSparseMCXENT().computeScoreArray(labels, logits, Activation.SOFTMAX).data, Number);
  const worst = [...losses.keys()].sort((i, j) => (losses[j] ?? 0) - (losses[i] ?? 0)).slice(0, 5);
  console.log(
    sideBySide(
      worst.map((i) => [
        `is ${labels[i]}, read as ${read[i]}`,
        `loss ${losses[i]?.toFixed(2)}`,
        ...picture(x.rows(i, i + 1).data as Float32Array, SIZE),
      ]),
    ),
  );
  return accuracy;
}

function showAccuracy(read: readonly number[], labels: Int32Array): number {
  console.log(`\naccuracy on ${labels.length} digits not seen in training:`);
  let right = 0;
  for (let digit = 0; digit < 10; digit++) {
    const places = [...labels.keys()].filter((i) => labels[i] === digit);
    const hits = places.filter((i) => read[i] === digit).length;
    const share = hits / places.length;
    right += hits;
    console.log(`  ${digit}  ${bar(share)}  ${(100 * share).toFixed(1).padStart(5)} %  of ${places.length}`);
  }
  const accuracy = (100 * right) / labels.length;
  console.log(`  all${' '.repeat(32)}${accuracy.toFixed(1).padStart(5)} %`);
  return accuracy;
}

/** Makes the program fail where fewer digits are right than should be. */
export function expectAccuracy(accuracy: number, percentage: number): void {
  if (accuracy >= percentage) return;
  console.error(`expected at least ${percentage} % of the digits right`);
  process.exitCode = 1;
}
