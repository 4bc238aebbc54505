// SPDX-License-Identifier: Apache-2.0
// All tests, in order, each step with its counts; the last line sums them. Arguments: `--full` (every SIMD target, every
// float32 bit pattern, the addon under sanitizers), names of steps to run alone (lint build package docs native jest).
import { readFileSync, rmSync } from 'node:fs';
import path from 'node:path';
import { build } from './build.mjs';
import { buildOrSayWhyNot, isWasmBuilt } from './build-wasm.mjs';
import { cmake } from './cmake.mjs';
import { lint } from './lint.mjs';
import { npm, root, run, tool } from './tools.mjs';

const full = process.argv.includes('--full');
const chosen = process.argv.slice(2).filter((argument) => argument !== '--full');
if (full) process.env.SIMDLOSS_FULL = '1';
// The steps choose the target themselves.
delete process.env.SIMDLOSS_TARGET;

const none = { passed: 0, failed: 0 };
// Named again at the end, where the output is long.
const failures = [];
const count = (ok) => (ok ? { passed: 1, failed: 0 } : { passed: 0, failed: 1 });
const sum = (results) =>
  results.reduce((a, b) => ({ passed: a.passed + b.passed, failed: a.failed + b.failed }), { passed: 0, failed: 0 });

/** A program that ends with "N passed, N failed"; its output is shown where it failed. */
function counted({ ok, output }) {
  const found = /(\d+) passed, (\d+) failed\s*$/.exec(output);
  const result = found ? { passed: Number(found[1]), failed: Number(found[2]) } : count(ok);
  if (!ok) console.error(output);
  return ok || result.failed > 0 ? result : sum([result, count(false)]);
}

/** What would be published, as its users' tools see it. */
async function packed() {
  if (!isWasmBuilt()) {
    console.log('  package: not run, it is not whole without WebAssembly');
    return none;
  }
  const { ok, output } = await npm(['pack', '--silent', '--pack-destination', 'build']);
  if (!ok) {
    console.error(output);
    return count(false);
  }
  const tarball = `build/${output.trim().split('\n').pop()}`;
  const results = [];
  for (const [name, ...args] of [
    ['publint', tarball, '--strict'],
    // Resolution as of node10 knows no entry but the main one.
    ['@arethetypeswrong/cli', tarball, '--no-emoji', '--profile', 'node16'],
  ]) {
    const check = await tool(name, args);
    if (!check.ok) console.error(check.output);
    results.push(count(check.ok));
  }
  rmSync(path.join(root, tarball));
  return sum(results);
}

const docs = async () => counted(await run(process.execPath, ['scripts/check-docs.mjs']));

/**
 * The native tests under sanitizers, all compiled with warnings as errors, the addon too. With --full they walk every
 * float32 bit pattern besides, without sanitizers: that takes an hour as it is.
 */
async function native() {
  const sanitized = {
    SIMDLOSS_SANITIZE: 'address,undefined',
    // Where node-gyp-build looks for an addon when SIMDLOSS_PREBUILD is build/asan.
    CMAKE_LIBRARY_OUTPUT_DIRECTORY: path.join(root, 'build', 'asan', 'build', 'Release'),
  };
  const results = [await nativeTests('asan', ['--debug'], sanitized, '')];
  if (full) results.push(await nativeTests('full', [], {}, '1'));
  return sum(results);
}

async function nativeTests(folder, args, options, walkAll) {
  const defines = Object.entries({ SIMDLOSS_TESTS: 'ON', SIMDLOSS_WERROR: 'ON', ...options });
  const flags = defines.map(([name, value]) => `--CD${name}=${value}`);
  const compiled = await cmake(`native tests, build/${folder}`, '--out', `build/${folder}`, ...args, ...flags);
  if (!compiled) return count(false);
  const program = path.join(root, 'build', folder, 'native_tests');
  return sum([count(true), counted(await run(program, [], { env: { SIMDLOSS_FULL: walkAll } }))]);
}

async function jestOnce(name, env, patterns = []) {
  console.log(`  jest, ${name}`);
  const report = path.join(root, 'build', `jest-${name}.json`);
  rmSync(report, { force: true });
  const { ok } = await tool('jest', ['--json', '--outputFile', report, '--silent', ...patterns], { live: true, env });
  let result = count(false);
  try {
    const found = JSON.parse(readFileSync(report, 'utf8'));
    // A suite that does not load is a failure, and so is a test that is skipped.
    const failed = found.numFailedTests + found.numRuntimeErrorTestSuites + found.numPendingTests + found.numTodoTests;
    result = { passed: found.numPassedTests, failed };
    failures.push(...failuresOf(found).map((failure) => `${name}: ${failure}`));
  } catch {
    console.error(`  jest left no report for ${name}`);
  }
  return ok || result.failed > 0 ? result : sum([result, count(false)]);
}

function failuresOf(report) {
  return report.testResults.flatMap((file) => {
    const failed = file.assertionResults.filter((test) => test.status !== 'passed');
    if (failed.length === 0 && file.status === 'failed') return [`${path.relative(root, file.name)}: ${file.message}`];
    return failed.map(
      ({ fullName, status, failureMessages: [message = ''] }) =>
        `${path.relative(root, file.name)}: ${fullName}: ${status}\n${message.slice(0, 1000)}`,
    );
  });
}

/**
 * The whole suite once per SIMD target: the scalar one, AVX2 and the best; all that the processor has with --full; and on
 * WebAssembly.
 */
async function jest() {
  const question = "JSON.stringify(['target', 'supported'].map((name) => require('./dist').simd[name]))";
  const asked = await run(process.execPath, ['-p', question]);
  if (!asked.ok) {
    console.error(asked.output);
    return count(false);
  }
  const [best, supported] = JSON.parse(asked.output);
  const wanted = full ? supported : [...new Set(['SCALAR', 'AVX2', best])];
  const results = [];
  for (const target of wanted) {
    if (supported.includes(target)) results.push(await jestOnce(target, { SIMDLOSS_TARGET: target }));
    else console.log(`  jest, ${target}: not run, this processor lacks it`);
  }
  if (isWasmBuilt()) results.push(await jestOnce('WASM', { SIMDLOSS_BACKEND: 'wasm' }));
  else console.log('  jest, WASM: not run, the module was not built');
  results.push(await jestWithoutExternalBuffers());
  if (full && process.platform === 'linux') results.push(await jestSanitized());
  return sum(results);
}

/** Calls off the event loop, whose results no buffer of JavaScript may be: Electron's rule. */
async function jestWithoutExternalBuffers() {
  const built = await cmake('the addon without external buffers', '--target', 'simdloss_no_external_buffers');
  if (!built) return count(false);
  const env = { SIMDLOSS_PREBUILD: path.join(root, 'build', 'no-external-buffers') };
  return jestOnce('no-external-buffers', env, ['test/async']);
}

/** The suite with the sanitized addon: the sanitizer also watches the memory that JavaScript's arrays are made of. */
async function jestSanitized() {
  const { output } = await run(process.env.CXX ?? 'c++', ['-print-file-name=libasan.so']);
  return jestOnce('sanitizers', {
    LD_PRELOAD: output.trim(),
    ASAN_OPTIONS: 'detect_leaks=0',
    SIMDLOSS_PREBUILD: path.join(root, 'build', 'asan'),
  });
}

/** The addon, dist/, and the WebAssembly module where it can be built: zig comes from PyPI. */
async function everything() {
  if (!(await build())) return count(false);
  const missing = await buildOrSayWhyNot();
  if (missing !== undefined) console.log(`  WebAssembly: not built, ${missing}`);
  return sum([count(true), missing === undefined ? count(true) : none]);
}

const steps = { lint, build: everything, package: packed, docs, native, jest };
const results = [];
for (const [name, step] of Object.entries(steps)) {
  if (chosen.length > 0 && !chosen.includes(name)) continue;
  console.log(`test: ${name}`);
  const start = performance.now();
  const result = await step().catch((error) => {
    console.error(error);
    return count(false);
  });
  results.push({ name, ...result, seconds: ((performance.now() - start) / 1000).toFixed(1) });
}
for (const failure of failures) console.error(failure);
console.table(results);
const { passed, failed } = sum(results);
process.exitCode = failed === 0 && passed > 0 ? 0 : 1;
console.log(`${passed} passed, ${failed} failed`);
