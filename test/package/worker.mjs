// SPDX-License-Identifier: Apache-2.0
// A worker of smoke.mjs: loads the package, keeps its threads busy, ends.
import { parentPort } from 'node:worker_threads';
import { LossMCXENT, nd } from 'simdloss';

const [labels, output] = [nd.rand([2000, 300], { seed: 1 }), nd.randn([2000, 300], { seed: 2 })];
parentPort.postMessage(new LossMCXENT().computeScore(labels, output, 'softmax'));
