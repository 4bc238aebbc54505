// SPDX-License-Identifier: Apache-2.0
// Where there is no memory for a result, a call throws: in a process that may have so much and no more. What is left is
// too little for a result and enough for V8, which ends the process where it finds none itself.
import { spawnSync } from 'node:child_process';
import path from 'node:path';

const limit = 6_000_000; // KiB of address space

const script = `
  const { readFileSync } = require('node:fs');
  const { Activation, LossHuber, LossMSE, nd } = require('./lib');
  const z = nd.zeros([100_000, 1000]); // 390,625 KiB
  const calls = {
    gradient: () => new LossMSE().computeGradient(z, z, 'tanh'),
    expression: () => new LossHuber().computeGradient(z, z, 'tanh'),
    activation: () => Activation.TANH.getActivationFunction().backprop(z, z)[0],
    zeros: () => nd.zeros([100_000, 1000]),
    async: () => new LossMSE().computeGradientAsync(z, z, 'tanh'),
  };
  const inUse = () => Number(/VmSize:\\s*(\\d+)/.exec(readFileSync('/proc/self/status', 'utf8'))[1]);
  const held = [];
  while (inUse() < ${limit - 350_000}) held.push(new ArrayBuffer(50 << 20));
  (async () => {
    for (const [name, call] of Object.entries(calls)) {
      const error = await Promise.resolve().then(call).catch((error) => error);
      console.log(name, error.constructor.name, error.code?.slice(0, 4), new LossMSE().computeScore([[1, 3]], [[1, 1]], 'identity'));
    }
  })();
`;

test.each(process.platform === 'linux' ? ['linux'] : [])(
  'a call without memory for its result throws, and the process goes on: %s',
  () => {
    const node = `"${process.execPath}" -r ./scripts/register-ts.cjs -e "$SCRIPT"`;
    const { stdout, stderr, status } = spawnSync('sh', ['-c', `ulimit -v ${limit}; exec ${node}`], {
      cwd: path.join(__dirname, '..'),
      // A sanitizer, and WebAssembly, have more address space to themselves.
      env: { PATH: process.env['PATH'], SCRIPT: script, SIMDLOSS_BACKEND: 'native', SIMDLOSS_NUM_THREADS: '1' },
      encoding: 'utf8',
    });
    const want = ['gradient', 'expression', 'activation', 'zeros', 'async'].map((name) => `${name} RangeError ERR_ 2`);
    expect({ status, stderr, lines: stdout.trim().split('\n') }).toEqual({ status: 0, stderr: '', lines: want });
  },
);
