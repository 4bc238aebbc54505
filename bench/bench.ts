// SPDX-License-Identifier: Apache-2.0
// Measures this package beside its peers, in one run; bench/README.md says what and how.
//
//   npm run bench [-- options]           with what Node alone can run
//   npm run bench:peers [-- options]     with PyTorch, JAX, NumPy and ONNX Runtime too
//   npm run bench -- --report            the report again, from the results of an earlier run
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { CELLS, pickCells } from './suite/cells';
import { nodePeers, pythonPeers, root, streamTest } from './suite/install';
import { readMachine } from './suite/machine';
import { ratioTables, writeReport } from './suite/report';
import type { Results } from './suite/results';
import { runRounds, threadCountsOf } from './suite/rounds';

const USAGE = `Options:
  --cells LIST      cells by id or its beginning, * for anything (ce,mse-1Mx1,*-f64); --list shows all
  --peers LIST      contenders by the beginning of their names (js,simdloss,torch)
  --rounds N        how often each is measured (3)
  --seconds S       for how long each time (0.3)
  --wait S          the most seconds to wait, in all, for other programs to leave the cores alone (300)
  --python          also the peers in Python: what bench:peers sets
  --node-peers DIR  a folder whose node_modules has @tensorflow/tfjs (or SIMDLOSS_BENCH_NODE)
  --venv DIR        a virtual environment with the Python peers (or SIMDLOSS_BENCH_VENV)
  --merge           add the rounds to the results that are there
  --report          measure nothing: write the report of the results that are there
  --out DIR         where results and report go: docs for a whole run with --python, --merge and --report; else build/bench
  --list            the cells' ids`;

function readOptions() {
  const { values } = parseArgs({
    options: {
      cells: { type: 'string', default: '' },
      peers: { type: 'string', default: '' },
      rounds: { type: 'string', default: '3' },
      seconds: { type: 'string', default: '0.3' },
      wait: { type: 'string', default: '300' },
      python: { type: 'boolean', default: false },
      'node-peers': { type: 'string' },
      venv: { type: 'string' },
      merge: { type: 'boolean', default: false },
      report: { type: 'boolean', default: false },
      out: { type: 'string' },
      list: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  });
  const words = (text: string) => text.split(',').filter((word) => word !== '');
  const number = (name: 'rounds' | 'seconds' | 'wait', least: number) => {
    const value = Number(values[name]);
    if (!(value >= least)) throw new Error(`--${name}: a number from ${least} on, not ${values[name]}`);
    return value;
  };
  const cells = words(values.cells);
  const peers = words(values.peers);
  const isWhole = values.python && cells.length === 0 && peers.length === 0;
  return {
    ...values,
    cells,
    peers,
    rounds: Math.round(number('rounds', 1)),
    seconds: number('seconds', 0.001),
    wait: number('wait', 0),
    nodePeers: values['node-peers'] ?? process.env['SIMDLOSS_BENCH_NODE'],
    venv: values.venv ?? process.env['SIMDLOSS_BENCH_VENV'],
    out: path.resolve(values.out ?? path.join(root, isWhole || values.merge || values.report ? 'docs' : 'build/bench')),
  };
}

const needsPeer = (peers: readonly string[], beginning: RegExp) =>
  peers.length === 0 || peers.some((peer) => beginning.test(peer));

async function main(): Promise<void> {
  const options = readOptions();
  if (options.help) return console.log(USAGE);
  if (options.list) return console.log(CELLS.map(({ id }) => id).join('\n'));
  const file = path.join(options.out, 'performance', 'results.json');
  const load = () => JSON.parse(readFileSync(file, 'utf8')) as Results;
  if (options.report) return writeReport(load(), options.out);

  const cells = pickCells(options.cells);
  if (cells.length === 0) throw new Error(`no cell is called ${options.cells.join(' or ')}; --list shows all`);
  const { peers } = options;
  const setup = {
    node: needsPeer(peers, /^t/) ? await nodePeers(options.nodePeers) : undefined,
    python: options.python && needsPeer(peers, /^(numpy|torch|jax|ort)/) ? await pythonPeers(options.venv) : undefined,
    stream: needsPeer(peers, /^s/) ? streamTest() : undefined,
  };
  const machine = readMachine(setup.node, setup.python);
  const old = options.merge && existsSync(file) ? load() : undefined;
  if (old && (old.machine.cpu !== machine.cpu || old.machine.target !== machine.target)) {
    throw new Error(`--merge: the results are of ${old.machine.cpu} on ${old.machine.target}; start anew without it`);
  }
  const begin = new Date();
  let results: Results = { machine, runs: [], cells: {} };
  const { rounds, seconds, wait } = options;
  const rows = old?.cells ?? {};
  await runRounds({ cells, peers, rounds, seconds, wait }, setup, threadCountsOf(machine.threads), rows, (round) => {
    const run = {
      date: begin.toISOString().slice(0, 10),
      rounds: round,
      seconds,
      cells: options.cells.join(', ') || 'all',
      peers: peers.join(', ') || 'all',
      minutes: Math.round((Date.now() - begin.getTime()) / 6e3) / 10,
    };
    const versions = { ...old?.machine.versions, ...machine.versions };
    results = { machine: { ...machine, versions }, runs: [...(old?.runs ?? []), run], cells: rows };
    mkdirSync(path.dirname(file), { recursive: true });
    writeFileSync(file, `${JSON.stringify(results, null, 1)}\n`);
  });
  writeReport(results, options.out);
  console.log(ratioTables(results).join('\n'));
  console.log(`Report: ${path.relative(process.cwd(), path.join(options.out, 'performance.md'))}`);
}

main().catch((error: unknown) => {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
});
