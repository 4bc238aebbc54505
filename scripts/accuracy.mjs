// SPDX-License-Identifier: Apache-2.0
// Writes docs/accuracy.md: the worst error over test/golden/exact per loss, activation, dtype and SIMD target.
// With --cases DIR: prints the tables of other cases that generate.py wrote to DIR.
import { readFileSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import { parseArgs } from 'node:util';

const require = createRequire(import.meta.url);
require('./register-ts.cjs');
const { simd } = require('../lib');
const exact = require('../test/support/exact');

const { values: options } = parseArgs({ options: { cases: { type: 'string' } } });
const folder = options.cases === undefined ? undefined : path.resolve(options.cases);
const dtypes = ['float32', 'float64'];
const targets = [...simd.supported];

/** Measurements of every target, and how many cases they come from. */
function measureAll(cases, measure) {
  const measurements = targets.flatMap((target) => {
    simd.force(target);
    return cases.flatMap(measure).map((measurement) => ({ ...measurement, target }));
  });
  return { count: cases.length, measurements };
}

function worst(measurements) {
  return measurements.reduce((top, measurement) => (measurement.units > top.units ? measurement : top), {
    units: 0,
    id: '',
  });
}

const cell = (units) => (units >= 10 ? units.toFixed(0) : units.toFixed(2));

/** A table: a row for each subject, a column for each dtype and target, and the case that was worst. */
function table(head, measurements) {
  const columns = dtypes.flatMap((dtype) => targets.map((target) => ({ dtype, target })));
  const subjects = [...new Set(measurements.map(({ subject }) => subject))];
  const lines = [
    `| ${head} | ${columns.map(({ dtype, target }) => `${dtype} ${target}`).join(' | ')} | worst case |`,
    `|---|${columns.map(() => '---:|').join('')}---|`,
  ];
  for (const subject of subjects) {
    const own = measurements.filter((measurement) => measurement.subject === subject);
    const cells = columns.map(({ dtype, target }) =>
      cell(worst(own.filter((item) => item.dtype === dtype && item.target === target)).units),
    );
    const top = worst(own);
    lines.push(`| ${subject} | ${cells.join(' | ')} | ${top.id === '' ? 'exact' : `${top.id}, ${top.field}`} |`);
  }
  return lines.join('\n');
}

const losses = measureAll(exact.exactLosses(folder), exact.measureLoss);
const activations = measureAll(exact.exactActivations(folder), exact.measureActivation);
const large = measureAll(exact.exactLarge(folder), exact.measureLarge);
const top = worst([...losses.measurements, ...activations.measurements]);

const text = `# Accuracy

Measured by \`npm run accuracy\` over [test/golden/exact](../test/golden/exact/README.md): ${losses.count} cases of losses and ${activations.count} of activations, whose
results were computed in 400-digit arithmetic. The unit is \`eps * scale\`: eps = 2^-24 (float32) or 2^-53 (float64), and the scale of a
result is the size of the terms that meet in it, published with each case. The tests allow 8 units; textbook code exceeds that in a
tenth of the cases.

The worst error of all is **${cell(top.units)} units** (${top.id}, ${top.field}, on ${top.target}).

## Losses

Score, average, score array and gradient: the worst element of the worst case.

${table('loss', losses.measurements)}

## Activations

Forward, backprop, and PReLU's parameter gradient.

${table('activation', activations.measurements)}

## Sums over 1e5 elements

Score, average and checksums of the gradient, as parts of the error that is allowed: 1e-6 (float32) and 1e-13 (float64), relative.

${table('loss', large.measurements)}

## Where the numbers end

Cross entropy of softmax outputs (\`LossMCXENT\`, \`LossNegativeLogLikelihood\`; \`LossKLD\` in its gradient) adds up the weighted labels
\`t = m w y\` of a row in the dtype. With L its largest number, 3.4e38 or 1.8e308, score, row score and gradient of a row are within the
stated error as long as

- no \`w y\` nor \`m w y\` is beyond L, \`sum |t|\` is at most L: gradient and score;
- and \`sum |t log p|\` is at most L: the score. A row's score is a number of the dtype also where scores are summed in float64.

Beyond, that row's results may be infinite or NaN although the exact ones are finite: two float32 labels of 1.75e38 of equal logits give
Infinity, not 2.4e38 and slopes of 0. Other rows don't notice. Class indices as labels have one term a row, and this limit for
\`m w log p\` alone.
`;

if (folder === undefined) {
  const file = new URL('../docs/accuracy.md', import.meta.url);
  const before = (() => {
    try {
      return readFileSync(file, 'utf8');
    } catch {
      return '';
    }
  })();
  writeFileSync(file, text);
  console.log(
    `docs/accuracy.md ${before === text ? 'is as it was' : 'written'}: worst ${cell(top.units)} units, ${top.id} ${top.field}`,
  );
} else {
  console.log(text);
}
