// SPDX-License-Identifier: Apache-2.0
// Compiles and runs a TypeScript program of examples/ or bench/: `node scripts/run.mjs examples/<name>`.
import { existsSync } from 'node:fs';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { files, root, tool } from './tools.mjs';

const [name = ''] = process.argv.splice(2, 1);
if (!existsSync(path.join(root, `${name}.ts`))) {
  const programs = ['examples', 'bench'].flatMap((folder) => files(folder, /^[^/]+\/[^/]+\.ts$/));
  console.error(`There is no ${name}.ts. Give one of:\n${programs.map((file) => `  ${file.slice(0, -3)}`).join('\n')}`);
  process.exit(1);
}
const { ok, output } = await tool('typescript', ['--project', 'tsconfig.examples.json']);
if (!ok) {
  console.error(output);
  process.exit(1);
}
await import(pathToFileURL(path.join(root, 'build', 'js', `${name}.js`)).href);
