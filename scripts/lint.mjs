// SPDX-License-Identifier: Apache-2.0
// Format and lint of both languages, and types. `--write` mends what can be mended.
import { accessSync, chmodSync, constants } from 'node:fs';
import { createRequire } from 'node:module';
import { files, isMain, run, tool } from './tools.mjs';

const biome = (write) => tool('@biomejs/biome', ['check', '--error-on-warnings', ...(write ? ['--write'] : [])]);

function clangFormat(write) {
  const { clangFormatPath } = createRequire(import.meta.url)('clang-format-node');
  try {
    accessSync(clangFormatPath, constants.X_OK);
  } catch {
    // The package's install script would do this; dependencies are installed without running scripts.
    chmodSync(clangFormatPath, 0o755);
  }
  const sources = ['native', 'binding'].flatMap((folder) => files(folder, /\.(h|cc)$/));
  return run(clangFormatPath, [...(write ? ['-i'] : ['--dry-run', '--Werror', '--ferror-limit=1']), ...sources]);
}

const types = () => tool('typescript', ['--project', 'tsconfig.json']);

/** Runs all checks; shows what they found. C++ is linted by its compiler: the tests build with warnings as errors. */
export async function lint(write = false) {
  let passed = 0;
  const checks = { biome, 'clang-format': clangFormat, types };
  for (const [name, check] of Object.entries(checks)) {
    const { ok, output } = await check(write);
    if (ok) passed += 1;
    else console.error(`${output}\n${name} found the above; \`npm run format\` mends formatting.`);
  }
  return { passed, failed: Object.keys(checks).length - passed };
}

if (isMain(import.meta.url)) {
  const { failed } = await lint(process.argv.includes('--write'));
  process.exitCode = failed === 0 ? 0 : 1;
}
