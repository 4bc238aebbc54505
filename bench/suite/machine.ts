// SPDX-License-Identifier: Apache-2.0
// What the results depend on, without what tells one machine from another of its kind.
import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { cpus } from 'node:os';
import path from 'node:path';
import { getNumThreads, simd } from 'simdloss';

export interface Machine {
  readonly cpu: string;
  readonly cores: number;
  /** Threads that a call of this package uses at most, if nothing is set. */
  readonly threads: number;
  /** The instruction set its kernels run on. */
  readonly target: string;
  readonly versions: Readonly<Record<string, string>>;
}

/** `AMD EPYC, family 25 model 1`: a name alone may stand for several generations. */
function cpuName(): string {
  const name = cpus()[0]?.model.trim() || process.arch;
  if (!existsSync('/proc/cpuinfo')) return name;
  const info = readFileSync('/proc/cpuinfo', 'utf8');
  const [family, model] = ['cpu family', 'model'].map((key) => new RegExp(`^${key}\\s*: (\\d+)`, 'm').exec(info)?.[1]);
  return family === undefined ? name : `${name}, family ${family} model ${model}`;
}

function versionOf(command: string, ...args: string[]): string | undefined {
  try {
    return execFileSync(command, args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }).trim();
  } catch {
    return undefined;
  }
}

const PYTHON_VERSIONS = `
PEERS = "numpy", "torch", "jax", "optax", "onnxruntime"
import importlib.metadata, json, platform
names = {d.metadata["Name"]: d.version for d in importlib.metadata.distributions()}
print(json.dumps({"python": platform.python_version(), **{n: v for n, v in names.items() if n in PEERS}}))`;

/** `nodePeers` and `python`: where the peers are, where they are. */
export function readMachine(nodePeers: string | undefined, python: string | undefined): Machine {
  const versions: Record<string, string> = { node: process.versions.node };
  const compiler = versionOf('cc', '-dumpfullversion', '-dumpversion');
  if (compiler !== undefined) versions['cc'] = compiler;
  for (const name of ['@tensorflow/tfjs', '@tensorflow/tfjs-backend-wasm']) {
    const file = path.join(nodePeers ?? '', 'node_modules', name, 'package.json');
    if (nodePeers !== undefined && existsSync(file)) versions[name] = JSON.parse(readFileSync(file, 'utf8')).version;
  }
  if (python !== undefined) Object.assign(versions, JSON.parse(versionOf(python, '-c', PYTHON_VERSIONS) ?? '{}'));
  return { cpu: cpuName(), cores: cpus().length, threads: getNumThreads(), target: simd.target, versions };
}
