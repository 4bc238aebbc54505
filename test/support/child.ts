// SPDX-License-Identifier: Apache-2.0
// Programs in a process of their own, where a crash is seen, and garbage can be collected at will.
import { execFile } from 'node:child_process';
import path from 'node:path';

const root = path.join(__dirname, '..', '..');

/** What the library has for such a program, before its own lines. */
const PRELUDE = `
const lib = require('./lib');
const { native } = require('./lib/native');
const { nd, NDArray } = lib;
const turn = () => new Promise((resolve) => setImmediate(resolve));
`;

/**
 * Runs the body of an async function with the library, \`gc\` and \`turn()\` at hand, in this environment and \`env\`.
 *
 * @returns what it wrote; rejects where it failed or crashed
 */
export function runProgram(body: string, env: NodeJS.ProcessEnv = {}): Promise<string> {
  const code = `${PRELUDE}(async () => {${body}})().catch((error) => { console.error(error); process.exitCode = 1; });`;
  const args = ['--expose-gc', '--require', path.join(root, 'scripts', 'register-ts.cjs'), '--eval', code];
  return new Promise((resolve, reject) => {
    execFile(process.execPath, args, { cwd: root, env: { ...process.env, ...env } }, (error, stdout, stderr) => {
      if (error) reject(new Error(`${error.message}\n${error.signal ?? ''}\n${stderr}`));
      else resolve(stdout.trim());
    });
  });
}
