// SPDX-License-Identifier: Apache-2.0
// What the scripts share. Plain Node: some of them run before anything is installed.
import { spawn } from 'node:child_process';
import { readdirSync, readFileSync, realpathSync, statSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

export const root = path.join(path.dirname(fileURLToPath(import.meta.url)), '..');

/** True for the script that was started, false for one that another imports. */
export const isMain = (url) => fileURLToPath(url) === realpathSync(process.argv[1]);

/**
 * Runs a command, in the repository's root if no other folder is named: `{ ok, output }`. Its output is kept; with `live`
 * the user sees it instead, and with `onLine` each line is handed on as it comes.
 */
export function run(command, args, { live = false, onLine, env = {}, cwd = root } = {}) {
  return new Promise((resolve) => {
    const child = spawn(command, args, {
      cwd,
      env: { ...process.env, ...env },
      stdio: live ? 'inherit' : ['ignore', 'pipe', 'pipe'],
    });
    let output = '';
    let line = '';
    const take = (text) => {
      output += text;
      const lines = (line + text).split('\n');
      line = lines.pop();
      for (const complete of lines) onLine?.(complete);
    };
    for (const stream of [child.stdout, child.stderr]) stream?.setEncoding('utf8').on('data', take);
    child.on('error', (error) => resolve({ ok: false, output: `${command}: ${error.message}\n` }));
    child.on('close', (code) => resolve({ ok: code === 0, output }));
  });
}

/** Runs the program of an installed npm package: no shell, so it is the same on every system. */
export function tool(name, args, options) {
  const folder = path.join(root, 'node_modules', name);
  const { bin } = JSON.parse(readFileSync(path.join(folder, 'package.json'), 'utf8'));
  const script = typeof bin === 'string' ? bin : Object.values(bin)[0];
  return run(process.execPath, [path.join(folder, script), ...args], options);
}

/** Runs npm: the one that started this script, where one did. */
export function npm(args, options) {
  const script = process.env.npm_execpath;
  if (script?.endsWith('.js')) return run(process.execPath, [script, ...args], options);
  return run(process.platform === 'win32' ? 'npm.cmd' : 'npm', args, options);
}

/** All files below a folder whose path matches, relative to the root, in a fixed order. */
export function files(folder, pattern = /./) {
  const relative = (entry) => path.relative(root, path.join(entry.parentPath ?? entry.path, entry.name));
  return readdirSync(path.join(root, folder), { withFileTypes: true, recursive: true })
    .filter((entry) => entry.isFile())
    .map((entry) => relative(entry).split(path.sep).join('/'))
    .filter((file) => pattern.test(file))
    .sort();
}

/** When a file changed last; 0 where there is none. */
export const changed = (file) => statSync(path.join(root, file), { throwIfNoEntry: false })?.mtimeMs ?? 0;
