// SPDX-License-Identifier: Apache-2.0
// A mixture density network on data where one x has several y: the inverse of x = y + 0.3 sin(2 pi y) + noise, the
// example of Bishop 1994. A network that predicts one number can only give the mean of the branches.
import {
  Activation,
  ActivationTanH,
  type ILossFunction,
  LossMixtureDensity,
  LossMSE,
  type NDArray,
  nd,
  OutputLayer,
} from 'simdloss';
import { Adam, DenseLayer } from './support/network';

const N = 1000;
const MIXTURES = 4;
const STEPS = 3000;

const uniform = nd.rand([N, 1], { seed: 1 });
const noise = nd.rand([N, 1], { seed: 2 }).subi(0.5).muli(0.1);
const x = nd.create(
  Float32Array.from({ length: N }, (_, i) => {
    const value = uniform.at(i, 0);
    return value + 0.3 * Math.sin(2 * Math.PI * value) + noise.at(i, 0);
  }),
  [N, 1],
);
const y = uniform;

function train(loss: ILossFunction, nOut: number): (points: NDArray) => number[][] {
  const hidden = new DenseLayer({ nIn: 1, nOut: 24, activation: new ActivationTanH(), seed: 3 });
  // Steep slopes that begin all over [0, 1]: the branches end abruptly.
  hidden.W.muli(10);
  hidden.b.assign(nd.rand([24], { seed: 5 }).muli(hidden.W.reshape(24)).negi());
  const output = new OutputLayer.Builder(loss).nIn(24).nOut(nOut).activation(Activation.IDENTITY).seed(4).build();
  const adam = new Adam([hidden.W, hidden.b, output.W, output.b], 5e-3);
  let score = 0;
  for (let step = 0; step < STEPS; step++) {
    const h = hidden.activate(x);
    const result = output.computeGradientAndScore(h, y);
    adam.update([...hidden.backprop(result.epsilon), result.gradientW, result.gradientB], N);
    score = result.score;
    if (step % 1000 === 0) console.log(`  step ${String(step).padStart(4)}: score ${score.toFixed(4)}`);
  }
  console.log(`  step ${STEPS}: score ${score.toFixed(4)}`);
  return (points) => output.activate(hidden.activate(points)).toArray() as number[][];
}

console.log('one number for each x (MSE):');
const single = train(new LossMSE(), 1);
console.log(`\na mixture of ${MIXTURES} Gaussians for each x (mixture density):`);
const mixture = train(new LossMixtureDensity(MIXTURES), 3 * MIXTURES);

console.log('\n   x   one number   the mixture: share, mean and width of each Gaussian that counts');
const points = nd.array([[0.1], [0.3], [0.45], [0.5], [0.55], [0.7], [0.9]]);
const means = single(points);
mixture(points).forEach((row, i) => {
  const alpha = row.slice(0, MIXTURES).map(Math.exp);
  const total = alpha.reduce((sum, value) => sum + value, 0);
  const parts = alpha
    .map((value, k) => ({
      share: value / total,
      width: Math.exp(row[MIXTURES + k] as number),
      mean: row[2 * MIXTURES + k] as number,
    }))
    .filter(({ share }) => share > 0.05)
    .sort((p, q) => p.mean - q.mean)
    .map(({ share, mean, width }) => `${(100 * share).toFixed(0)} % ${mean.toFixed(2)} ±${width.toFixed(2)}`);
  console.log(`  ${points.at(i, 0).toFixed(2)}    ${means[i]?.[0]?.toFixed(2)}        ${parts.join('   ')}`);
});
console.log(
  '\nwhere one x has several y, the one number is their mean; the mixture has each branch, its share and its width',
);
