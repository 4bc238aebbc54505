// SPDX-License-Identifier: Apache-2.0
// What the project wants to reach, and how far it is: each aim is a ratio in cells of the bench.
import { CELLS, type Cell, elements, isMatmul, isProduct } from './cells';
import { bestOwn, bestPeer, bestStream, type Results, type Rows, ratioToBest, timeOf } from './results';

/** What a cell comes to against an aim: `ratio` should be at least `atLeast`. */
type Measure = (rows: Rows, threads: number, cell: Cell) => { ratio: number; detail: string } | undefined;

interface Aim {
  readonly title: string;
  readonly atLeast: number;
  readonly cells: readonly string[];
  readonly measure: Measure;
}

const us = (time: number) => `${Number(time.toPrecision(3))} us`;
const over = (a: number | undefined, b: number | undefined, detail: string) =>
  a === undefined || b === undefined ? undefined : { ratio: a / b, detail };

/** Against the fastest peer at its best, with as many threads as that one used. */
const againstPeers: Measure = (rows) => {
  const found = ratioToBest(rows);
  return (
    found && {
      ratio: found.ratio,
      detail: `${found.peer.key} ${us(found.peer.us)}, ${found.own.key} ${us(found.own.us)}`,
    }
  );
};

const form =
  (own: string, peer: string): Measure =>
  (rows) =>
    over(timeOf(rows, peer, 1), timeOf(rows, own, 1), `${own} ${us(timeOf(rows, own, 1) ?? 0)}`);

/** The stream test's time for the same bytes, as a share of this package's. */
const againstStream =
  (all: boolean): Measure =>
  (rows, most) => {
    const threads = all ? most : 1;
    const stream = bestStream(rows, threads);
    const own = bestOwn(rows, threads);
    return (
      stream && own && { ratio: stream.us / own.us, detail: `${stream.key} ${us(stream.us)}, ${own.key} ${us(own.us)}` }
    );
  };

const ofTorch: Measure = (rows, most) => {
  const torch = [1, most].map((threads) => ({
    threads,
    us: timeOf(rows, 'torch', threads) ?? Number.POSITIVE_INFINITY,
  }));
  const best = torch.reduce((a, b) => (b.us < a.us ? b : a));
  const own = bestOwn(rows, best.threads);
  if (!Number.isFinite(best.us) || !own) return undefined;
  return { ratio: best.us / own.us, detail: `torch/${best.threads} ${us(best.us)}, ${own.key} ${us(own.us)}` };
};

const LIMIT_MIB = 8;
/** 8 MiB over the memory of one call beyond its gradients. */
const memory: Measure = (rows, _, cell) => {
  const peak = rows['simdloss-fused/1']?.peak_mib;
  if (peak === undefined) return undefined;
  const { n, c, d } = cell;
  const extra = Math.max(0, peak - ((n * d + d * c + c) * 4) / 2 ** 20);
  return { ratio: LIMIT_MIB / Math.max(extra, 1e-3), detail: `${extra.toFixed(1)} MiB` };
};

const large = CELLS.filter((cell) => cell.dtype === 'float32' && elements(cell) > 1e6 && !isProduct(cell));
const float64 = CELLS.filter((cell) => cell.dtype === 'float64' && !isProduct(cell)).map(({ id }) => id);
const streams = ['mse-1024x1000', 'mse-1Mx1', 'mse-8192x1000', 'l1-1024x1000', 'l1-1Mx1'];

const LISTED: readonly Aim[] = [
  {
    title: 'softmax + cross entropy, large: 2.5 times as fast as the best peer',
    atLeast: 2.5,
    cells: ['ce-1024x1000', 'ce-8192x1000', 'ce-64x50257'],
    measure: againstPeers,
  },
  {
    title: 'softmax + sparse cross entropy, large: 2 times the best peer',
    atLeast: 2,
    cells: ['sce-1024x1000', 'sce-64x50257'],
    measure: againstPeers,
  },
  {
    title: 'sigmoid + binary cross entropy, softplus + Poisson: 3 times the best peer',
    atLeast: 3,
    cells: ['bce-1024x1000', 'bce-1Mx1', 'poisson-1024x1000'],
    measure: againstPeers,
  },
  {
    title: 'tanh + MAE, tanh + hinge, softmax + KLD: 2.5 times the best peer',
    atLeast: 2.5,
    cells: ['maetanh-1024x1000', 'hinge-1024x1000', 'kld-1024x1000'],
    measure: againstPeers,
  },
  { title: 'sigmoid + L2: 1.5 times the best peer', atLeast: 1.5, cells: ['l2sig-1024x1000'], measure: againstPeers },
  { title: 'cosine proximity: 2 times the best peer', atLeast: 2, cells: ['cosine-1024x1000'], measure: againstPeers },
  { title: 'float64: 2 times the best peer', atLeast: 2, cells: float64, measure: againstPeers },
  {
    title: 'MSE and L1, one thread: 95 % of the speed of the stream test',
    atLeast: 0.95,
    cells: streams,
    measure: againstStream(false),
  },
  {
    title: 'MSE and L1, all threads: 95 % of the speed of the stream test',
    atLeast: 0.95,
    cells: streams,
    measure: againstStream(true),
  },
  {
    title: 'softmax + cross entropy of ten classes: 8 times the best peer',
    atLeast: 8,
    cells: ['ce-256x10', 'ce-1024x10'],
    measure: againstPeers,
  },
  {
    title: 'softmax + cross entropy 32 x 10, bound: 10 times the plain loop',
    atLeast: 10,
    cells: ['ce-32x10'],
    measure: form('simdloss-bound', 'js'),
  },
  {
    title: 'softmax + cross entropy 32 x 10, with `out`: 4 times the plain loop',
    atLeast: 4,
    cells: ['ce-32x10'],
    measure: form('simdloss-out', 'js'),
  },
  {
    title: 'softmax + cross entropy 32 x 10, plain call: 2 times the plain loop',
    atLeast: 2,
    cells: ['ce-32x10'],
    measure: form('simdloss', 'js'),
  },
  {
    title: 'MSE 32 x 10, bound: 3 times the plain loop',
    atLeast: 3,
    cells: ['mse-32x10'],
    measure: form('simdloss-bound', 'js'),
  },
  {
    title: 'a Huber loss by defineLoss, bound: 5 times the class of NDArray operations',
    atLeast: 5,
    cells: ['huber-1024x1000', 'huber-1Mx1'],
    measure: form('simdloss-bound', 'simdloss-ndarray'),
  },
  {
    title: 'the same: 1 / 1.5 of the speed of a kernel fused by hand',
    atLeast: 1 / 1.5,
    cells: ['huber-1024x1000', 'huber-1Mx1'],
    measure: form('simdloss-bound', 'stream-huber'),
  },
  {
    title: 'two threads: 1.7 times one, where two cores are free',
    atLeast: 1.7,
    cells: ['ce-8192x1000'],
    measure: (rows) => {
      const [one, two] = [bestOwn(rows, 1), bestOwn(rows, 2)];
      return one && two && { ratio: one.us / two.us, detail: `${us(one.us)}, ${us(two.us)}` };
    },
  },
  {
    title: 'AVX2 on a processor with AVX-512: at least 1 / 2.2 of its speed',
    atLeast: 1 / 2.2,
    cells: large.map(({ id }) => id),
    measure: form('simdloss-bound-avx2', 'simdloss-bound'),
  },
  {
    title: 'linear layer + cross entropy over 32000 classes: no slower than the best peer',
    atLeast: 1,
    cells: ['linear-1024x256x32000'],
    measure: againstPeers,
  },
  {
    title: 'the same: less than 8 MiB of memory beyond the gradients',
    atLeast: 1,
    cells: ['linear-1024x256x32000'],
    measure: memory,
  },
  {
    title: 'matrix products: 70 % of the speed of PyTorch',
    atLeast: 0.7,
    cells: CELLS.filter(isMatmul).map(({ id }) => id),
    measure: ofTorch,
  },
];

const covered = new Set(LISTED.filter(({ measure }) => measure === againstPeers).flatMap(({ cells }) => cells));
const AIMS: readonly Aim[] = [
  ...LISTED,
  {
    title: 'every other cell but 1 x 1: no peer is faster, the plain loop included',
    atLeast: 1,
    cells: CELLS.filter((cell) => !covered.has(cell.id) && !isMatmul(cell) && elements(cell) > 1).map(({ id }) => id),
    measure: againstPeers,
  },
];

export interface Verdict {
  readonly title: string;
  readonly atLeast: number;
  readonly cells: readonly { readonly id: string; readonly ratio: number; readonly detail: string }[];
}

/** The aims whose cells were measured. */
export function verdicts({ cells, machine }: Results): Verdict[] {
  return AIMS.flatMap(({ title, atLeast, cells: ids, measure }) => {
    const measured = ids.flatMap((id) => {
      const cell = CELLS.find((candidate) => candidate.id === id);
      const rows = cells[id];
      const found = cell && rows && measure(rows, machine.threads, cell);
      return found ? [{ id, ...found }] : [];
    });
    return measured.length > 0 ? [{ title, atLeast, cells: measured }] : [];
  });
}

/** How many times as fast with one thread each, or undefined. */
export function oneThread(rows: Rows): number | undefined {
  const [peer, own] = [bestPeer(rows, 1), bestOwn(rows, 1)];
  return peer && own && peer.us / own.us;
}
