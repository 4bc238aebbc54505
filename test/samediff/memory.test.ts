// SPDX-License-Identifier: Apache-2.0
// Memory does not grow over many runs: what is used after garbage collection, at half of the runs and at their end.
import { backend } from '../../lib';
import { runProgram } from '../support/child';

/** With SIMDLOSS_FULL=1 there are ten times as many: a million runs of a graph. */
const TIMES = process.env['SIMDLOSS_FULL'] === '1' ? 10 : 1;

/** Of the program below: `run(i)` is measured; a promise is waited for. */
interface Row {
  readonly title: string;
  readonly runs: number;
  readonly run: string;
}

/** Young objects' share of RSS is the same from the start; V8 of Node 24 lets it grow by 60 MiB. */
const FIXED = { NODE_OPTIONS: '--max-semi-space-size=1' };

const PROGRAM = `
  const { SameDiff, Adam, defineLoss } = lib;
  const network = () => {
    const sd = SameDiff.create();
    const x = sd.placeHolder('x', 'float32', [-1, 10]);
    const w = sd.var('w', nd.randn([10, 10], { seed: 1 }));
    sd.setLossVariables(x.mmul(w).softplus().square().sum('loss'));
    return sd;
  };
  const all = nd.randn([100, 10], { seed: 2 });
  const x = all.rows(0, 8);
  const sd = network();
  const many = network();
  for (let i = 0; i < 100; i++) many.getVariable('loss').mul('y' + i, i);
  const step = (arrays) => sd.calculateGradientsAndOutputs(arrays, ['loss'], ['w', 'x']);
  const used = async () => {
    for (let i = 0; i < 3; i++) { gc(); await turn(); }
    const { heapUsed, external, rss } = process.memoryUsage();
    return [heapUsed, external, rss].map((bytes) => bytes / 2 ** 20);
  };
  const grown = async (runs, run) => {
    let half;
    for (let i = 0; i < runs; i++) {
      await run(i);
      // What is native is given back between turns.
      if (i % 1000 === 0) await turn();
      if (i === runs >> 1) half = await used();
    }
    const end = await used();
    console.log(JSON.stringify(end.map((mebibytes, i) => mebibytes - half[i])));
  };
`;

test.each<Row>([
  { title: 'the same graph and shapes', runs: 1e5, run: 'step({ x })' },
  { title: 'shapes that change: plans come and go', runs: 5e3, run: 'step({ x: all.rows(0, 1 + (i % 100)) })' },
  { title: 'many outputs of one graph', runs: 2e3, run: 'many.output({ x }, "y" + (i % 100))' },
  { title: 'a new graph each time', runs: 5e3, run: 'network().calculateGradients({ x }, "w")' },
  {
    title: 'a new loss each time',
    runs: 5e3,
    run: 'defineLoss("l", (y, a) => a.sub(y).square()).computeGradient(x, x, "tanh")',
  },
  { title: 'arrays of plain numbers', runs: 2e4, run: 'step({ x: [[1, 2, 3, 4, 5, 6, 7, 8, 9, i]] })' },
  { title: 'calls that fail', runs: 2e4, run: '{ try { step({ x: [[i]] }); } catch {} }' },
  {
    title: 'steps of a training',
    runs: 500,
    run: 'sd.fit({ data: Array(100).fill({ x }), updater: new Adam(1e-3), listeners: [{ iterationDone() {} }] })',
  },
  {
    title: 'trainings that end in an error',
    runs: 2e3,
    run: 'sd.fit({ data: [{ x }, { x: [[i]] }], updater: new Adam(1e-3) }).catch(() => {})',
  },
])(
  '$title',
  async ({ runs, run }) => {
    const [heap, external, rss] = JSON.parse(
      await runProgram(`${PROGRAM} await grown(${TIMES * runs}, (i) => ${run});`, FIXED),
    ) as [number, number, number];
    // MiB: what V8 keeps of code and of free pages comes and goes.
    expect(heap).toBeLessThan(1);
    // The memory of WebAssembly grows by a MiB at a time.
    expect(external).toBeLessThan(backend === 'wasm' ? 4 : 1);
    expect(rss).toBeLessThan(32);
  },
  600_000,
);
