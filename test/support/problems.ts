// SPDX-License-Identifier: Apache-2.0
// One table of losses and one of activations, and random problems from them that keep away from kinks and poles.
import type { IActivation, ILossFunction, NDArray } from '../../lib';
import { forward, type Params, type Problem } from '../reference/oracle';
import type { FloatDtype } from './golden';
import { activationOf, array, lossOf } from './library';
import type { Random } from './random';

/** A loss with the inputs it is meant for. */
export interface LossRow {
  readonly loss: string;
  readonly params?: Params;
  /** The activation it is paired with as a rule. */
  readonly activation: string;
  /** Couples a row or the batch: no mask per output. */
  readonly coupled?: true;
  readonly weighted?: true;
  /** Outputs where the loss is smooth. */
  readonly outputs: readonly [low: number, high: number];
  /** A label for output `a`. */
  readonly label: (random: Random, a: number) => number;
  /** Columns of preOutput and of the labels for a width; the width itself if not given. */
  readonly columns?: (width: number) => readonly [z: number, labels: number];
}

/** An activation and the places where its slope jumps. */
export interface ActivationRow {
  readonly activation: string;
  readonly params?: Params | ((cols: number) => Params);
  readonly kinks?: readonly number[];
}

/** Masks by kind; a kind with fractions holds a negative value too. */
export const maskKinds = ['none', 'example', 'exampleFraction', 'output', 'outputFraction'] as const;
export type MaskKind = (typeof maskKinds)[number];

const anywhere = [-Infinity, Infinity] as const;
const positive = [0.05, Infinity] as const;
const probability = [0.05, 0.95] as const;
const sign = (random: Random): number => random.pick([-1, 1]);
const real = (random: Random): number => random.uniform(-2, 2);
/** A label at a distance from the output, as the absolute error has a kink between them. */
const apart = (random: Random, a: number): number => a + sign(random) * random.uniform(0.1, 2);

/** The label of the two that keeps `1 - y a` away from 0. */
function hingeLabel(random: Random, a: number): number {
  const y = sign(random);
  return Math.abs(1 - y * a) > 0.05 ? y : -y;
}

/** A label away from 0 and from the output. */
function percentageLabel(random: Random, a: number): number {
  const y = random.pick([-1, 1]) * random.uniform(0.5, 2);
  return Math.abs(y - a) > 0.1 ? y : -y;
}

/** All losses, those with options also with these set. */
export const lossRows: readonly LossRow[] = [
  { loss: 'LossMCXENT', activation: 'SOFTMAX', weighted: true, outputs: positive, label: (r) => r.uniform(0.1, 1) },
  {
    loss: 'LossMCXENT',
    params: { softmaxClipEps: 0 },
    activation: 'SOFTMAX',
    weighted: true,
    outputs: positive,
    label: (r) => r.below(2),
  },
  { loss: 'LossSparseMCXENT', activation: 'SOFTMAX', weighted: true, outputs: positive, label: () => 0 },
  {
    loss: 'LossSparseMCXENT',
    params: { ignoreIndex: 0, softmaxClipEps: 0 },
    activation: 'SOFTMAX',
    weighted: true,
    outputs: positive,
    label: () => 0,
  },
  {
    loss: 'LossNegativeLogLikelihood',
    activation: 'SOFTMAX',
    weighted: true,
    outputs: positive,
    label: (r) => r.uniform(),
  },
  { loss: 'LossBinaryXENT', activation: 'SIGMOID', weighted: true, outputs: probability, label: (r) => r.below(2) },
  {
    loss: 'LossBinaryXENT',
    params: { clipEps: 0 },
    activation: 'SIGMOID',
    weighted: true,
    outputs: probability,
    label: (r) => r.uniform(),
  },
  { loss: 'LossHinge', activation: 'TANH', outputs: anywhere, label: hingeLabel },
  { loss: 'LossSquaredHinge', activation: 'TANH', outputs: anywhere, label: hingeLabel },
  {
    loss: 'LossFMeasure',
    params: { beta: 2 },
    activation: 'SIGMOID',
    coupled: true,
    outputs: probability,
    label: (r) => r.uniform(),
    columns: (width) => (width % 2 === 0 ? [2, 2] : [1, 1]),
  },
  { loss: 'LossMultiLabel', activation: 'SIGMOID', coupled: true, outputs: anywhere, label: (r) => r.below(2) },
  { loss: 'LossMSE', activation: 'IDENTITY', weighted: true, outputs: anywhere, label: real },
  { loss: 'LossL2', activation: 'IDENTITY', weighted: true, outputs: anywhere, label: real },
  { loss: 'LossMAE', activation: 'IDENTITY', weighted: true, outputs: anywhere, label: apart },
  { loss: 'LossL1', activation: 'IDENTITY', weighted: true, outputs: anywhere, label: apart },
  {
    loss: 'LossMSLE',
    activation: 'SOFTPLUS',
    weighted: true,
    outputs: [-0.8, Infinity],
    label: (r) => r.uniform(0, 3),
  },
  { loss: 'LossMAPE', activation: 'IDENTITY', weighted: true, outputs: anywhere, label: percentageLabel },
  { loss: 'LossPoisson', activation: 'SOFTPLUS', outputs: positive, label: (r) => r.below(4) },
  { loss: 'LossKLD', activation: 'SOFTMAX', outputs: probability, label: (r) => r.uniform(0.1, 0.9) },
  { loss: 'LossCosineProximity', activation: 'IDENTITY', coupled: true, outputs: anywhere, label: real },
  { loss: 'LossWasserstein', activation: 'IDENTITY', outputs: anywhere, label: sign },
  {
    loss: 'LossMixtureDensity',
    params: { mixtures: 2 },
    activation: 'IDENTITY',
    coupled: true,
    outputs: [-1.5, 1.5],
    label: real,
    columns: (width) => [2 * (width + 2), width],
  },
];

/** All activations, those with options also with these set. */
export const activationRows: readonly ActivationRow[] = [
  { activation: 'CUBE' },
  { activation: 'ELU', kinks: [0] },
  { activation: 'ELU', params: { alpha: 0.5 }, kinks: [0] },
  { activation: 'GELU' },
  { activation: 'GELU', params: { precise: true } },
  { activation: 'HARDSIGMOID', kinks: [-2.5, 2.5] },
  { activation: 'HARDTANH', kinks: [-1, 1] },
  { activation: 'IDENTITY' },
  { activation: 'LEAKYRELU', params: { alpha: 0.2 }, kinks: [0] },
  { activation: 'MISH' },
  {
    activation: 'PRELU',
    params: (cols) => ({ alpha: Array.from({ length: cols }, (_, j) => (j % 7) / 8 - 0.25) }),
    kinks: [0],
  },
  { activation: 'RATIONALTANH' },
  { activation: 'RECTIFIEDTANH', kinks: [0] },
  { activation: 'RELU', kinks: [0] },
  { activation: 'RELU', params: { max: 1.5, threshold: 0.25, negativeSlope: 0.125 }, kinks: [0.25, 1.5] },
  { activation: 'RELU6', kinks: [0, 6] },
  { activation: 'RRELU', params: { l: 0.25, u: 0.5 }, kinks: [0] },
  { activation: 'SELU', kinks: [0] },
  { activation: 'SIGMOID' },
  { activation: 'SOFTMAX' },
  { activation: 'SOFTPLUS' },
  { activation: 'SOFTSIGN' },
  { activation: 'SWISH' },
  { activation: 'TANH' },
  { activation: 'THRESHOLDEDRELU', params: { theta: 0.25 }, kinks: [0.25] },
];

/** What a row is called in a test's name. */
export function title(name: string, params: Params | ((cols: number) => Params) = {}): string {
  return typeof params === 'function' || Object.keys(params).length === 0 ? name : `${name} ${JSON.stringify(params)}`;
}

/** The activation's row of the table that a loss is paired with. */
export function pairedActivation({ activation }: LossRow): ActivationRow {
  return activationRows.find((row) => row.activation === activation) as ActivationRow;
}

/** How a problem is to be made. */
export interface ProblemOptions {
  readonly rows: number;
  readonly width: number;
  readonly mask?: MaskKind;
  readonly weighted?: boolean;
}

/** A problem whose values are all exact in float32, so that both dtypes are given the same one. */
export function makeProblem(
  loss: LossRow,
  activation: ActivationRow,
  random: Random,
  options: ProblemOptions,
): Problem {
  const { rows, width, mask = 'none', weighted = false } = options;
  const [cols, labelCols] = loss.columns?.(width) ?? [width, width];
  const activationParams =
    typeof activation.params === 'function' ? activation.params(cols) : (activation.params ?? {});
  const preOutput = random.list(rows * cols, (i) => logit(loss, activation, activationParams, random, i % cols));
  const outputs = forward(activation.activation, activationParams, cols, preOutput);
  const labels =
    loss.loss === 'LossSparseMCXENT'
      ? random.list(rows, () => random.below(cols))
      : random.list(rows * labelCols, (i) =>
          Math.fround(loss.label(random, labelCols === cols ? (outputs[i] as number) : 0)),
        );
  return {
    loss: loss.loss,
    lossParams: loss.params ?? {},
    activation: activation.activation,
    activationParams,
    rows,
    cols,
    labels,
    preOutput,
    mask: maskOf(mask, rows, cols, random),
    weights: weighted ? random.list(cols, () => Math.fround(random.uniform(-0.5, 2))) : null,
  };
}

/** A logit away from the kinks, whose output is where the loss is smooth. */
function logit(
  loss: LossRow,
  { activation, kinks = [] }: ActivationRow,
  params: Params,
  random: Random,
  column: number,
): number {
  const own = Array.isArray(params['alpha']) ? { alpha: params['alpha'][column] as number } : params;
  for (;;) {
    const z = Math.fround(random.uniform(-2.5, 2.5));
    if (kinks.some((kink) => Math.abs(z - kink) < 0.05)) continue;
    if (activation === 'SOFTMAX') return z;
    const a = forward(activation, own, 1, [z])[0] as number;
    if (a >= loss.outputs[0] && a <= loss.outputs[1]) return z;
  }
}

function maskOf(kind: MaskKind, rows: number, cols: number, random: Random): number[] | null {
  if (kind === 'none') return null;
  const choices = kind.endsWith('Fraction') ? [0, 0.25, 1, 1.5, -0.5] : [0, 1];
  return random.list(kind.startsWith('example') ? rows : rows * cols, () => random.pick(choices));
}

/** The mask kinds that a loss takes. */
export function masksFor({ coupled }: LossRow): readonly MaskKind[] {
  return coupled ? maskKinds.filter((kind) => !kind.startsWith('output')) : maskKinds;
}

/** A problem as the library's objects. */
export interface Call {
  readonly loss: ILossFunction;
  readonly activation: IActivation;
  readonly labels: NDArray;
  readonly z: NDArray;
  readonly mask: NDArray | null;
}

/** Columns of labels without rows. */
function emptyLabelColumns({ loss, cols }: Problem): number {
  return loss === 'LossSparseMCXENT' ? 1 : loss === 'LossMixtureDensity' ? cols / 2 - 2 : cols;
}

/** The library's objects for a problem in a dtype. */
export function callFor(problem: Problem, dtype: FloatDtype): Call {
  const { rows, cols, labels, preOutput, mask = null, weights = null } = problem;
  const labelCols = rows > 0 ? labels.length / rows : emptyLabelColumns(problem);
  return {
    loss: lossOf(problem.loss, problem.lossParams, weights),
    activation: activationOf(problem.activation, problem.activationParams),
    labels: array(dtype, { shape: [rows, labelCols], data: labels }),
    z: array(dtype, { shape: [rows, cols], data: preOutput }),
    mask: mask && array(dtype, { shape: [rows, mask.length / rows], data: mask }),
  };
}
