// SPDX-License-Identifier: Apache-2.0
// Results as they are kept in results.json, and what is read from them.
import type { Machine } from './machine';

export interface Round {
  readonly min_us: number;
  readonly median_us: number;
  readonly calls: number;
  /** Cores that other programs used meanwhile. */
  readonly busy?: number;
}

/** One contender with its threads in one cell. */
export interface Row {
  readonly rounds: readonly Round[];
  /** Best of all rounds. */
  readonly min_us?: number;
  /** Of the best round. */
  readonly median_us?: number;
  /** Relative error of the score. */
  readonly scoreError?: number;
  /** Largest error of the gradient, relative to its largest element. */
  readonly gradientError?: number;
  /** Elements of the gradient, or the score, that are NaN or infinite. */
  readonly notFinite?: number;
  /** MiB by which one call lifts the resident peak. */
  readonly peak_mib?: number;
  readonly error?: string;
}

export interface Run {
  readonly date: string;
  readonly rounds: number;
  readonly seconds: number;
  readonly cells: string;
  readonly peers: string;
  readonly minutes: number;
}

export interface Results {
  readonly machine: Machine;
  readonly runs: readonly Run[];
  /** By cell id, then by `name/threads`. */
  readonly cells: Record<string, Record<string, Row>>;
}

export type Rows = Readonly<Record<string, Row>>;

export interface Entry {
  readonly key: string;
  readonly name: string;
  readonly threads: number;
  readonly us: number;
  readonly row: Row;
}

export const isOwn = (name: string): boolean => name.startsWith('simdloss');
export const isStream = (name: string): boolean => name.startsWith('stream');
/** What computes nothing, or on purpose not as well as it could. */
const ASIDE = ['crossing', 'allocation', 'simdloss-bound-avx2', 'simdloss-ndarray'];
export const isPeer = (name: string): boolean => !isOwn(name) && !isStream(name) && !ASIDE.includes(name);

/** Answers further off than this are wrong, and don't count. */
const WRONG = 0.01;
export const isWrong = ({ scoreError = 0, gradientError = 0, notFinite = 0 }: Row): boolean =>
  !(scoreError <= WRONG && gradientError <= WRONG && notFinite === 0);

/** Measured rows, fastest first. */
export function entries(rows: Rows): Entry[] {
  return Object.entries(rows)
    .flatMap(([key, row]) => {
      const [name = '', threads = '1'] = key.split('/');
      return row.min_us === undefined ? [] : [{ key, name, threads: Number(threads), us: row.min_us, row }];
    })
    .sort((a, b) => a.us - b.us);
}

export function timeOf(rows: Rows, name: string, threads: number): number | undefined {
  return rows[`${name}/${threads}`]?.min_us;
}

/** The fastest peer whose answer is right. */
export function bestPeer(rows: Rows, threads?: number): Entry | undefined {
  return entries(rows).find(
    (entry) => isPeer(entry.name) && !isWrong(entry.row) && (threads === undefined || entry.threads === threads),
  );
}

/** The fastest of this package's synchronous calls. */
export function bestOwn(rows: Rows, threads: number): Entry | undefined {
  return entries(rows).find(
    ({ name, threads: own }) => isOwn(name) && !ASIDE.includes(name) && name !== 'simdloss-async' && own === threads,
  );
}

/** The faster of the stream tests, with ordinary and with streaming stores. */
export function bestStream(rows: Rows, threads: number): Entry | undefined {
  return entries(rows).find((entry) => isStream(entry.name) && entry.threads === threads);
}

/** How many times as fast this package is as the best peer at its best, with as many threads as that peer used. */
export function ratioToBest(rows: Rows): { peer: Entry; own: Entry; ratio: number } | undefined {
  const peer = bestPeer(rows);
  const own = peer && bestOwn(rows, peer.threads);
  return peer && own && { peer, own, ratio: peer.us / own.us };
}

/** A row with one more round. */
export function withRound(row: Row, round: Round): Row {
  const rounds = [...row.rounds, round];
  const best = rounds.reduce((a, b) => (b.min_us < a.min_us ? b : a));
  return { ...row, rounds, min_us: best.min_us, median_us: best.median_us };
}
