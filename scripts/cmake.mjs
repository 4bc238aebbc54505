// SPDX-License-Identifier: Apache-2.0
import { availableParallelism } from 'node:os';
import { tool } from './tools.mjs';

/** Runs cmake-js with one line per file compiled; compiler messages are shown whole. */
export async function cmake(title, ...args) {
  let first = true;
  const progress = (line) => {
    const step = /^(\[[^\]]+\]) (?:Building|Linking) .*?([^ /]+)$/.exec(line);
    if (!step) return;
    if (first) console.log(`build: ${title}`);
    first = false;
    console.log(`  ${step[1]} ${step[2].replace(/\.o(bj)?$/, '')}`);
  };
  const cpus = String(availableParallelism());
  const { ok, output } = await tool('cmake-js', ['build', '--log-level', 'error', '--parallel', cpus, ...args], {
    onLine: progress,
  });
  if (!ok || output.includes('warning:')) console.error(output);
  return ok;
}
