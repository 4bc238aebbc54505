// SPDX-License-Identifier: Apache-2.0
// prebuilds/LICENSES.txt: the licences of what is linked into the addons and the WebAssembly module.
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { root } from './tools.mjs';
import { zig } from './zig.mjs';

const ours = (...parts) => path.join(root, ...parts);

/** Name, where it is linked in, files of the licence. `lib`: zig's sources of its libraries. */
const linked = (lib) => [
  ['Highway', 'everywhere; under the first of Apache-2.0 and BSD-3-Clause. Copyright Google LLC', [ours('LICENSE')]],
  ['node-addon-api', 'the addons', [ours('node_modules', 'node-addon-api', 'LICENSE.md')]],
  ['node-api-headers', 'the addons', [ours('node_modules', 'node-api-headers', 'LICENSE')]],
  ['libc++', 'everywhere', [path.join(lib, 'libcxx', 'LICENSE.TXT')]],
  ['libc++abi', 'everywhere', [path.join(lib, 'libcxxabi', 'LICENSE.TXT')]],
  ['libunwind', 'the addons', [path.join(lib, 'libunwind', 'LICENSE.TXT')]],
  ["zig's compiler runtime", 'everywhere', [path.join(lib, '..', 'LICENSE')]],
  ['mingw-w64', 'the addons for Windows', [path.join(lib, 'libc', 'mingw', 'COPYING')]],
  [
    'wasi-libc, with parts of musl and cloudlibc',
    'the WebAssembly module',
    ['LICENSE', 'LICENSE-MIT', 'LICENSE-APACHE-LLVM', path.join('libc-bottom-half', 'cloudlibc', 'LICENSE')].map(
      (file) => path.join(lib, 'libc', 'wasi', file),
    ),
  ],
];

/** Written once they are prebuilt. */
export async function writeLicences() {
  const lib = path.join(path.dirname(await zig()), 'lib');
  const sections = linked(lib).map(([name, where, files]) => {
    const texts = files.map((file) => readFileSync(file, 'utf8').trim());
    return [`=== ${name}: ${where} ===`, ...texts].join('\n\n');
  });
  mkdirSync(path.join(root, 'prebuilds'), { recursive: true });
  writeFileSync(path.join(root, 'prebuilds', 'LICENSES.txt'), `${sections.join('\n\n')}\n`);
}
