// SPDX-License-Identifier: Apache-2.0
// examples/digits-samediff.ts learns to read digits: one epoch of the eight that it takes when nothing is said.
import { runProgram } from '../support/child';

test('the classifier of digits in SameDiff reads most digits after an epoch', async () => {
  const output = await runProgram("process.argv[2] = '1'; require('./examples/digits-samediff');");
  expect(output).toMatch(/^10000 handwritten digits, 8000 to learn from, 2000 held out/);
  const [, accuracy] = /all +(\d+\.\d) %/.exec(output) ?? [];
  expect(Number(accuracy)).toBeGreaterThan(85);
  expect(output).toMatch(/the five digits that the network finds hardest.*trained in \d/s);
});
