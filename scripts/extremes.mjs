// SPDX-License-Identifier: Apache-2.0
// Every loss with every activation at every extreme, against exact values, on every SIMD target or on WebAssembly: no NaN and no
// infinity where the exact value is finite, and no row that another one spoils. test/golden/exact/extremes.py makes the
// cases, with Python and mpmath, in some minutes. Arguments: `--every 10` tries a tenth of them; `--record` puts what ran
// into docs/reliability.md.
import { createRequire } from 'node:module';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { record } from './reliability.mjs';
import { root, run } from './tools.mjs';

const { values } = parseArgs({
  options: { every: { type: 'string', default: '1' }, record: { type: 'boolean' }, cases: { type: 'string' } },
});
const folder = path.resolve(root, values.cases ?? 'build/extremes');
if (values.cases === undefined) {
  const script = path.join(root, 'test', 'golden', 'exact', 'extremes.py');
  const made = await run('python3', [script, '--every', values.every, '--out', folder], { live: true });
  if (!made.ok) throw new Error('no cases: `pip install mpmath gmpy2`?');
}

const require = createRequire(import.meta.url);
require('./register-ts.cjs');
const { backend, simd } = require('../lib');
const exact = require('../test/support/exact');
const { exactUnits } = require('../test/support/tolerance');

/** Results beyond the stated error, and how many were compared. */
function tryAll(cases, measure) {
  const bad = [];
  let compared = 0;
  for (const target of simd.supported) {
    simd.force(target);
    for (const golden of cases) {
      for (const { id, field, units, worst, count } of measure(golden)) {
        compared += count;
        if (!(units <= exactUnits)) bad.push(`${target} ${id} ${field}${worst}: ${units} units`);
      }
    }
  }
  return { bad, compared };
}

const losses = exact.exactLosses(folder);
const activations = exact.exactActivations(folder);
const tried = [tryAll(losses, exact.measureLoss), tryAll(activations, exact.measureActivation)];
const bad = tried.flatMap((result) => result.bad);
const compared = tried.reduce((sum, result) => sum + result.compared, 0);
for (const line of bad.slice(0, 100)) console.error(line);
const result = `${compared.toLocaleString('en')} results compared on ${simd.supported.join(', ')}: ${bad.length === 0 ? 'all' : `all but ${bad.length}`} within ${exactUnits} units`;
console.log(`${losses.length} + ${activations.length} cases: ${result}`);
process.exitCode = bad.length === 0 ? 0 : 1;
if (values.record && bad.length === 0) {
  const what = `extremes, ${backend}`;
  const cases = `${losses.length.toLocaleString('en')} batches of losses, ${activations.length} of activations: denormal to largest, infinite, NaN, in logits, labels, masks, weights, epsilon`;
  record([{ section: 'numbers', what, tried: cases, result, command: 'npm run extremes' }]);
}
