// SPDX-License-Identifier: Apache-2.0
// The package as users get it: packed, installed offline and without scripts into an empty project, run. What must be in
// it: with `--all` the addon of every platform, else of this one. With `--record` into docs/reliability.md.
import { cpSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { fileOf, prebuilt } from './prebuild.mjs';
import { record } from './reliability.mjs';
import { isMain, npm, root, run } from './tools.mjs';

const MOST_BYTES = 12 * 2 ** 20;

const folder = path.join(root, 'build', 'pack');
/** Where the package is installed. */
export const project = path.join(folder, 'project');

function fail(message) {
  throw new Error(`test-pack: ${message}`);
}

/** Packs a folder's package into build/pack/. */
async function pack(from) {
  const { ok, output } = await npm(['pack', '--ignore-scripts', '--json', '--pack-destination', folder, from]);
  if (!ok) fail(output);
  const packed = JSON.parse(output.slice(output.indexOf('[')))[0];
  return { ...packed, file: path.join(folder, packed.filename) };
}

function checkContents({ files, size, unpackedSize, filename }, wanted) {
  const paths = new Set(files.map((file) => file.path));
  const missing = [...wanted, 'dist/index.js', 'dist/index.mjs', 'dist/index.d.ts', 'dist/wasm.mjs', 'dist/wasm.cjs']
    .concat(['LICENSE', 'README.md', 'prebuilds/LICENSES.txt'])
    .filter((file) => !paths.has(file));
  if (missing.length > 0) fail(`missing in ${filename}: ${missing.join(', ')}`);
  const { scripts } = JSON.parse(readFileSync(path.join(root, 'package.json'), 'utf8'));
  for (const name of ['preinstall', 'install', 'postinstall']) if (name in scripts) fail(`there is a script ${name}`);
  if (paths.has('binding.gyp')) fail('npm would compile a binding.gyp');
  if (size > MOST_BYTES) fail(`${filename} has ${size} bytes, more than ${MOST_BYTES}`);
  const MiB = (bytes) => `${(bytes / 2 ** 20).toFixed(2)} MiB`;
  const summary = `${filename}, ${MiB(size)}, ${MiB(unpackedSize)} unpacked, ${files.length} files`;
  console.log(`pack: ${summary}`);
  return summary;
}

/** An empty project with the package in it, from nothing but the tarballs. */
async function install(tarballs) {
  rmSync(project, { recursive: true, force: true });
  mkdirSync(project, { recursive: true });
  writeFileSync(path.join(project, 'package.json'), '{ "private": true }\n');
  // In place of the repository's, whose paths Bun would follow to lib/.
  writeFileSync(path.join(project, 'tsconfig.json'), '{}\n');
  // A cache of its own: nothing that this machine has seen before.
  const cache = path.join(folder, 'cache');
  rmSync(cache, { recursive: true, force: true });
  const flags = ['--offline', '--ignore-scripts', '--no-audit', '--no-fund', '--cache', cache, '--prefix', project];
  const { ok, output } = await npm(['install', ...flags, ...tarballs]);
  if (!ok) fail(output);
  cpSync(path.join(root, 'test', 'package'), project, { recursive: true });
}

/** Runs the smoke test; prints what it came to. */
async function smoke(name, env, args = []) {
  const { ok, output } = await run(process.execPath, [path.join(project, 'smoke.mjs'), ...args], { env });
  const counts = /\d+ passed, \d+ failed\s*$/.exec(output)?.[0].trim();
  console.log(`pack: ${name}: ${counts ?? 'failed'}`);
  if (!ok || counts === undefined) fail(output);
  return output;
}

const libc = process.report.getReport().header.glibcVersionRuntime ? 'glibc' : 'musl';
/** The addon of this machine. */
const own = fileOf([process.platform, process.arch, ...(process.platform === 'linux' ? [libc] : [])].join('-'));

/** Packs and installs the package, with the addons that `wanted` names: what was packed, in words. */
export async function installPackage(wanted = [own, prebuilt[0]]) {
  mkdirSync(folder, { recursive: true });
  const packed = await pack(root);
  const summary = checkContents(packed, wanted);
  const loader = await pack(path.join(root, 'node_modules', 'node-gyp-build'));
  await install([packed.file, loader.file]);
  return summary;
}

async function testPack() {
  const all = process.argv.includes('--all');
  const summary = await installPackage(all ? prebuilt : undefined);
  await smoke('the addon', { SIMDLOSS_BACKEND: 'native' }, ['native']);
  await smoke('WebAssembly', { SIMDLOSS_BACKEND: 'wasm' }, ['wasm']);
  rmSync(path.join(project, 'node_modules', 'simdloss', own));
  const output = await smoke('without an addon', {}, ['wasm']);
  for (const part of ['no addon', path.dirname(own), 'SIMDLOSS_BACKEND']) {
    if (!output.includes(part)) fail(`the warning does not name ${part}: ${output}`);
  }
  rmSync(folder, { recursive: true });
  if (!process.argv.includes('--record')) return;
  record([
    {
      section: 'platforms',
      what: `an empty project, with ${all ? "every platform's addon" : "this platform's addon alone"}`,
      tried: 'install with --offline --ignore-scripts; smoke test on native, on wasm, and with the addon removed',
      result: `no failure; ${summary}`,
      command: `npm run test:pack${all ? ' -- --all' : ''}`,
    },
  ]);
}

if (isMain(import.meta.url)) await testPack();
