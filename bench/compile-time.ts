// SPDX-License-Identifier: Apache-2.0
// How long expressions take from their definition to the first score and gradient, on small arrays, in milliseconds: the
// graph, its gradient, the plan for the shapes, the programs, and a run.
//
//   node scripts/run.mjs bench/compile-time [--seconds 1]     time spent on each expression, default 1
//
// first: in a new process; then, once V8 has compiled the compiler, minimum and median of: all of it (whole), the same
// graph with a number of rows that is new to it (new shape), with one that it has seen (again).
import { execFileSync } from 'node:child_process';
import { parseArgs } from 'node:util';
import { Activation, Adam, defineLoss, LossReduce, nd, SameDiff, type SDVariable, simd, WeightInit } from 'simdloss';

const { values } = parseArgs({ options: { seconds: { type: 'string', default: '1' }, first: { type: 'string' } } });

const COLS = 10;
const batchOf = (rows: number) => ({ y: nd.rand([rows, COLS], { seed: 1 }), z: nd.randn([rows, COLS], { seed: 2 }) });
const [batch, otherBatch] = [batchOf(8), batchOf(9)];
type Run = (arrays: typeof batch) => unknown;
type Define = (y: SDVariable, z: SDVariable, sd: SameDiff) => SDVariable;

function graphOf(define: Define): SameDiff {
  const sd = SameDiff.create();
  const y = sd.placeHolder('y', 'float32', [-1, COLS]);
  sd.setLossVariables(define(y, sd.placeHolder('z', 'float32', [-1, COLS]), sd).rename('loss'));
  return sd;
}

/** Score and gradient: for the variables that the expression makes, or else for z. */
function scoreAndGradient(define: Define): Run {
  const sd = graphOf(define);
  const trained = sd.trainableVariables().map((variable) => variable.name());
  const wrt = trained.length === 0 ? ['z'] : trained;
  return (arrays) => sd.calculateGradientsAndOutputs(arrays, ['loss'], wrt);
}

function huber(labels: SDVariable, output: SDVariable): SDVariable {
  const error = output.sub(labels).abs();
  const near = error.clip(0, 1);
  return near.square().mul(0.5).add(error.sub(near));
}

const focal: Define = (y, z, sd) => {
  const p = z.sigmoid();
  const miss = y.mul(p.rsub(1)).add(y.rsub(1).mul(p));
  return miss
    .square()
    .mul(sd.loss.sigmoidCrossEntropy(y, z, null, LossReduce.NONE))
    .mean();
};

const layers: Define = (y, x, sd) => {
  const [W1, b1] = [sd.var('W1', WeightInit.RELU, [COLS, 16]), sd.var('b1', WeightInit.ZERO, [16])];
  const [W2, b2] = [sd.var('W2', WeightInit.XAVIER, [16, COLS]), sd.var('b2', WeightInit.ZERO, [COLS])];
  return sd.loss.softmaxCrossEntropy(y, x.mmul(W1).add(b1).relu().mmul(W2).add(b2), null);
};

/** Each defines its expression anew. */
const EXPRESSIONS: Readonly<Record<string, () => Run>> = {
  Huber: () => scoreAndGradient((y, z) => huber(y, z).mean()),
  'Huber, defineLoss': () => {
    const loss = defineLoss('Huber', huber);
    return ({ y, z }) => loss.computeGradientAndScore(y, z, Activation.IDENTITY);
  },
  'softmax cross entropy': () => scoreAndGradient((y, z, sd) => sd.loss.softmaxCrossEntropy(y, z, null)),
  'sigmoid focal': () => scoreAndGradient(focal),
  'two layers, softmax cross entropy': () => scoreAndGradient(layers),
  'the same, a step of Adam': () => {
    const [sd, updater] = [graphOf(layers), new Adam()];
    return (arrays) => sd.fit({ data: [arrays], updater });
  },
};

async function timed(run: () => unknown): Promise<number> {
  const begin = performance.now();
  await run();
  return performance.now() - begin;
}

/** Minimum and median, of the later half: V8 has seen enough by then. */
function summary(times: readonly number[]): string {
  const sorted = times.slice(times.length >> 1).sort((a, b) => a - b);
  return [0, sorted.length >> 1].map((i) => (sorted[i] ?? Number.NaN).toFixed(3)).join(' | ');
}

async function row(name: string, define: () => Run): Promise<string> {
  const first = execFileSync(process.execPath, [__filename, '--first', name], { encoding: 'utf8' });
  const [whole, newShape, again]: number[][] = [[], [], []];
  for (const end = performance.now() + Number(values.seconds) * 1e3; performance.now() < end; ) {
    let run: Run = () => undefined;
    whole?.push(
      await timed(() => {
        run = define();
        return run(batch);
      }),
    );
    newShape?.push(await timed(() => run(otherBatch)));
    again?.push(await timed(() => run(batch)));
  }
  return `| ${[name, Number(first).toFixed(1), ...[whole, newShape, again].map((times) => summary(times ?? []))].join(' | ')} |`;
}

async function main(): Promise<void> {
  if (values.first !== undefined) {
    const define = EXPRESSIONS[values.first] as () => Run;
    console.log(await timed(() => define()(batch)));
    return;
  }
  console.log(`Node ${process.version}, kernels on ${simd.target}, float32 8x${COLS}; milliseconds\n`);
  console.log('| expression | first | whole, min | median | new shape, min | median | again, min | median |');
  console.log(`|---|${'--:|'.repeat(7)}`);
  for (const [name, define] of Object.entries(EXPRESSIONS)) console.log(await row(name, define));
}

main();
