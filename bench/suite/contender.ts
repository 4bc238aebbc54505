// SPDX-License-Identifier: Apache-2.0
// What is timed: how a contender runs a cell.
import type { Cell } from './cells';
import type { Floats, Inputs } from './inputs';

/** One call's answer: the score of the sum over the batch, and its gradient in one or more parts. */
export interface Answer {
  readonly score: number | null;
  readonly gradient: readonly Floats[];
}

export interface Contender {
  /** What is timed: leaves score and gradient. */
  run(): unknown;
  /** `run` returns a promise. */
  readonly isAsync?: boolean;
  /** Reads what `run` left; none for what computes nothing. */
  answer?(result: unknown): Answer;
  /** Frees a result. */
  release?(result: unknown): void;
}

/** Makes the contender of a cell; undefined where it has nothing to offer. */
export type MakeContender = (cell: Cell, inputs: Inputs) => Contender | undefined | Promise<Contender | undefined>;
