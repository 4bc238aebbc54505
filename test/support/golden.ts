// SPDX-License-Identifier: Apache-2.0
// The golden files as typed cases: test/golden/*/README.md say what is in them.
import { readFileSync } from 'node:fs';
import path from 'node:path';
import type { Params } from '../reference/oracle';

/** The dtypes that are computed in. */
export type FloatDtype = 'float32' | 'float64';

/** A row-major array of the files. */
export interface Tensor {
  readonly shape: readonly number[];
  readonly data: readonly number[];
}

interface LossCase {
  readonly id: string;
  readonly loss: string;
  readonly lossParams: Params;
  readonly activation: string;
  readonly activationParams: Params;
  readonly dtype: FloatDtype;
  readonly labels: Tensor;
  readonly preOutput: Tensor;
  readonly mask: Tensor | null;
  readonly weights: readonly number[] | null;
}

/** A line of exact/losses.jsonl: each result with the scale of the terms that meet in it. */
export interface ExactLoss extends LossCase {
  readonly score: number;
  readonly scoreAverage: number;
  readonly scoreArray: readonly number[] | null;
  readonly gradient: readonly number[];
  readonly scoreScale: number;
  readonly scoreArrayScale: readonly number[];
  readonly gradientScale: readonly number[];
}

/** A line of exact/activations.jsonl. */
export interface ExactActivation {
  readonly id: string;
  readonly activation: string;
  readonly activationParams: Params;
  readonly dtype: FloatDtype;
  readonly in: Tensor;
  readonly epsilon: Tensor;
  readonly forward: readonly number[];
  readonly forwardScale: readonly number[];
  readonly backprop: readonly number[];
  readonly backpropScale: readonly number[];
  readonly parameterGradient?: readonly number[];
}

/** A tensor given by formula: element i is `span * h + shift`, h a hash of i in [0, 1); with a step, 1 or 0. */
interface FormulaTensor {
  readonly shape: readonly number[];
  readonly formula: {
    readonly offset: number;
    readonly span: number;
    readonly shift: number;
    readonly step: number | null;
  };
}

/** A line of exact/large.jsonl. */
export interface ExactLarge extends Omit<LossCase, 'labels' | 'preOutput' | 'mask'> {
  readonly labels: FormulaTensor;
  readonly preOutput: FormulaTensor;
  readonly mask: FormulaTensor | null;
  readonly score: number;
  readonly scoreAverage: number;
  readonly gradientChecksum: { readonly sum: number; readonly sumAbs: number; readonly weighted: number };
}

/** A line of nd4j/Loss*.jsonl; a field whose method threw is null. */
export interface Nd4jLoss extends LossCase {
  readonly labelsDtype?: 'int32';
  readonly score: number | null;
  readonly scoreAverage: number | null;
  readonly scoreArray: readonly number[] | null;
  readonly gradient: readonly number[] | null;
}

/** A line of nd4j/activations.jsonl. */
export interface Nd4jActivation {
  readonly id: string;
  readonly activation: string;
  readonly activationParams: Params;
  readonly dtype: FloatDtype;
  readonly input: Tensor;
  readonly epsilon: readonly number[];
  readonly forward: readonly number[] | null;
  readonly backprop: readonly number[] | null;
  readonly parameterGradient: Tensor | null;
}

/** A line of nd4j/outputlayer.jsonl. */
export interface Nd4jLayer {
  readonly id: string;
  readonly loss: string;
  readonly activation: string;
  readonly dtype: FloatDtype;
  readonly input: Tensor;
  readonly W: Tensor;
  readonly b: readonly number[];
  readonly labels: Tensor;
  readonly mask: Tensor | null;
  readonly output: readonly number[];
  readonly score: number;
  readonly gradientW: Tensor;
  readonly gradientB: Tensor;
  readonly epsilon: Tensor;
}

/** A line of exact/formula-losses.jsonl and pytorch/losses.jsonl: a function of `sd.loss`, of outputs after the activation. */
export interface FormulaCase {
  readonly id: string;
  readonly loss: string;
  readonly options: Readonly<Record<string, unknown>>;
  readonly activation: string;
  /** The second one is preOutput. */
  readonly arrays: readonly Tensor[];
  /** Of each element, or of each row. */
  readonly losses: readonly number[];
  /** For each array; null for labels. */
  readonly gradients: readonly (readonly number[] | null)[];
}

/** Where such lines are. */
export const formulaFiles = ['exact/formula-losses.jsonl', 'pytorch/losses.jsonl'];

const folder = path.join(__dirname, '..', 'golden');
const special: Readonly<Record<string, number>> = { NaN: Number.NaN, Infinity, '-Infinity': -Infinity };

/** The cases of one file, by its path from test/golden; NaN and the infinities are strings there. */
export function readCases<Case>(file: string): Case[] {
  const lines = readFileSync(path.resolve(folder, file), 'utf8').trim().split('\n');
  return lines.map((line) =>
    JSON.parse(line, (key, value) => (typeof value === 'string' && key !== 'id' ? (special[value] ?? value) : value)),
  );
}

/** The fields of ND4J's files that are not what the specification asks for: id to field to fault. */
export function readFaults(): Map<string, Readonly<Record<string, string>>> {
  const lines = readCases<{ id: string; fields: Record<string, string> }>('nd4j/faults.jsonl');
  return new Map(lines.map(({ id, fields }) => [id, fields]));
}

/** The values of a tensor given by formula. */
export function expand({ shape, formula: { offset, span, shift, step } }: FormulaTensor): Tensor {
  const data = Array.from({ length: shape.reduce((product, size) => product * size, 1) }, (_, i) => {
    const value = span * ((Math.imul(i + offset, 2654435761) >>> 8) / 2 ** 24) + shift;
    return step === null ? value : Number(value >= step);
  });
  return { shape, data };
}

/** Cases by a key, in the order of their first one. */
export function groupBy<Case>(cases: readonly Case[], key: (item: Case) => string): [string, Case[]][] {
  const groups = new Map<string, Case[]>();
  for (const item of cases) {
    const group = groups.get(key(item));
    if (group === undefined) groups.set(key(item), [item]);
    else group.push(item);
  }
  return [...groups];
}

/** A matrix as rows. */
export const rowsOf = (list: readonly number[], cols: number): number[][] =>
  Array.from({ length: list.length / cols }, (_, i) => list.slice(i * cols, (i + 1) * cols));
