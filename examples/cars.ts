// SPDX-License-Identifier: Apache-2.0
// Fits the fuel consumption of cars (cars.json of vega-datasets) with three losses side by side: MSE, MAE, and a Huber
// loss of one's own. A few wrong labels are mixed in: the squared error follows them, the other two hardly do.
import { readFileSync } from 'node:fs';
import path from 'node:path';
import {
  Activation,
  ActivationTanH,
  type ILossFunction,
  LossMAE,
  LossMSE,
  type NDArray,
  nd,
  OutputLayer,
  Transforms,
} from 'simdloss';
import { HuberLoss } from './huber-loss';
import { Adam, DenseLayer, shuffled } from './support/network';
import { bar } from './support/terminal';

const FEATURES = ['Cylinders', 'Displacement', 'Horsepower', 'Weight_in_lbs', 'Acceleration'];
const HELD_OUT = 92;
const WRONG = 12;
const STEPS = 500;

interface Car extends Record<string, unknown> {
  readonly Name: string;
  readonly Year: string;
}

// The package exports its charts' URLs alone; the data lie beside.
const file = path.join(path.dirname(require.resolve('vega-datasets')), '..', 'data', 'cars.json');
const complete = (car: Car) => [...FEATURES, 'Miles_per_Gallon'].every((name) => typeof car[name] === 'number');
const all = (JSON.parse(readFileSync(file, 'utf8')) as Car[]).filter(complete);
const cars = shuffled(all.length, 5).map((i) => all[i] as Car);
const n = cars.length - HELD_OUT;

const features = nd.array(
  cars.map((car) => [...FEATURES.map((name) => Number(car[name])), new Date(car.Year).getUTCFullYear()]),
);
const mean = features.rows(0, n).mean(0);
const distance = features.rows(0, n).sub(mean);
const x = features.sub(mean).div(Transforms.sqrt(distance.mul(distance).mean(0)));
const y = nd.array(cars.map((car) => [235.215 / Number(car['Miles_per_Gallon'])])); // miles per gallon to l/100 km

const labels = y.rows(0, n).dup();
for (let i = 0; i < WRONG; i++) labels.rows(i, i + 1).addi(40);

/** Predictions for the cars held out, of a small network that was trained with a loss. */
function train(loss: ILossFunction): NDArray {
  const hidden = new DenseLayer({ nIn: x.size(1), nOut: 16, activation: new ActivationTanH(), seed: 3 });
  const builder = new OutputLayer.Builder(loss).nIn(16).nOut(1).activation(Activation.IDENTITY).seed(4);
  const output = builder.biasInit(11).build();
  const adam = new Adam([hidden.W, hidden.b, output.W, output.b], 0.01);
  // The Huber port divides its gradient by the rows itself, the built-in losses leave that to the caller.
  const divisor = loss instanceof HuberLoss ? 1 : n;
  for (let step = 0; step < STEPS; step++) {
    const { gradientW, gradientB, epsilon } = output.computeGradientAndScore(hidden.activate(x.rows(0, n)), labels);
    adam.update([...hidden.backprop(epsilon), gradientW, gradientB], divisor);
  }
  return output.activate(hidden.activate(x.rows(n, cars.length)));
}

console.log(`${cars.length} cars, ${n} to learn from (${WRONG} of them with a wrong label), ${HELD_OUT} held out`);
console.log('litres per 100 km from cylinders, displacement, horsepower, weight, acceleration and year\n');

const losses = [new LossMSE(), new LossMAE(), new HuberLoss(1)];
const truth = y.rows(n, cars.length);
console.log('mean error on the cars held out:');
const predictions = losses.map((loss) => {
  const predicted = train(loss);
  const error = new LossMAE().computeScore(truth, predicted, Activation.IDENTITY, null, true);
  console.log(`  ${loss.name().padEnd(18)} ${bar(error / 4)} ${error.toFixed(2)} l/100 km`);
  return predicted;
});

const heads = ['measured', ...losses.map((loss) => loss.name())];
const line = (cells: string[]) => cells.map((cell, k) => cell.padStart(heads[k]?.length ?? 0)).join('   ');
console.log(`\n${'some of them:'.padEnd(28)} ${line(heads)}`);
for (let i = 0; i < 5; i++) {
  const numbers = [truth, ...predictions].map((array) => array.at(i, 0).toFixed(1));
  console.log(`  ${cars[n + i]?.Name.padEnd(26)} ${line(numbers)}`);
}
