// SPDX-License-Identifier: Apache-2.0
// Where there is no memory for a result, a call throws: in a process that may have so much and no more.
import { spawnSync } from 'node:child_process';
import path from 'node:path';

const script = `
  const { Activation, LossHuber, LossMSE, nd } = require('./lib');
  const z = nd.zeros([10_000, 1000]);
  const calls = {
    gradient: () => new LossMSE().computeGradient(z, z, 'tanh'),
    expression: () => new LossHuber().computeGradient(z, z, 'tanh'),
    activation: () => Activation.TANH.getActivationFunction().backprop(z, z)[0],
    zeros: () => nd.zeros([10_000, 1000]),
    async: () => new LossMSE().computeGradientAsync(z, z, 'tanh'),
  };
  const fill = async (call) => {
    const held = [];
    for (;;) held.push(await call());
  };
  (async () => {
    for (const [name, call] of Object.entries(calls)) {
      const error = await fill(call).catch((error) => error);
      console.log(name, error.constructor.name, error.code.slice(0, 4), new LossMSE().computeScore([[1, 3]], [[1, 1]], 'identity'));
      globalThis.gc();
    }
  })();
`;

test.each(process.platform === 'linux' ? ['linux'] : [])(
  'a call without memory for its result throws, and the process goes on: %s',
  () => {
    // V8's own share, 1.3 GB of addresses with Node 24, is fixed: where there is no more for it V8 ends the process.
    const heap = '--max-old-space-size=64 --min-semi-space-size=1 --max-semi-space-size=1';
    const node = `"${process.execPath}" --expose-gc ${heap} -r ./scripts/register-ts.cjs -e "$SCRIPT"`;
    const { stdout, stderr, status } = spawnSync('sh', ['-c', `ulimit -v 3000000; exec ${node}`], {
      cwd: path.join(__dirname, '..'),
      // A sanitizer, and WebAssembly, have more address space to themselves.
      env: { PATH: process.env['PATH'], SCRIPT: script, SIMDLOSS_BACKEND: 'native', SIMDLOSS_NUM_THREADS: '1' },
      encoding: 'utf8',
    });
    const want = ['gradient', 'expression', 'activation', 'zeros', 'async'].map((name) => `${name} RangeError ERR_ 2`);
    expect({ status, stderr, lines: stdout.trim().split('\n') }).toEqual({ status: 0, stderr: '', lines: want });
  },
);
