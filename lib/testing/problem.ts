// SPDX-License-Identifier: Apache-2.0
// What a loss is checked on: arguments that were given, or drawn.
import type { IActivation } from '../activations/iactivation';
import { resolveActivation } from '../activations/resolve';
import { type ArrayInput, type Shape, toView } from '../array-input';
import { optionError, shapeError } from '../errors';
import type { ActivationInput, ILossFunction, MaskInput } from '../losses/iloss-function';
import { nd } from '../ndarray/nd';
import { NDArray } from '../ndarray/ndarray';
import { readFlag, readNames } from '../options';
import type { FloatDtype } from '../outputs';
import { Random, readSeed } from '../random';

/**
 * Labels to be drawn: `normal` of mean 0 and deviation 1, `positive` from 0.1 to 3, `binary` 0 or 1, `sign` -1 or 1,
 * `oneHot` and `distribution` along the last axis, `classes` an index of a column for each example.
 */
export type LabelKind = 'normal' | 'positive' | 'binary' | 'sign' | 'oneHot' | 'distribution' | 'classes';

/** What both checks take. */
export interface CheckOptions {
  /** An object, an `Activation`, or its name in any case; identity if not given. */
  readonly activation?: ActivationInput | undefined;
  /** Of preOutput, where that is drawn: that of the labels, or `[6, 4]`, if not given. */
  readonly shape?: Shape | undefined;
  /** As the loss takes them, or what to draw; `normal` if not given. */
  readonly labels?: ArrayInput | LabelKind | undefined;
  /** As the loss takes it; drawn, of mean 0 and deviation 1, if not given. */
  readonly preOutput?: ArrayInput | undefined;
  /** Is the gradient that of the mean over the rows? That of the sum if not given, as all built-in losses have it. */
  readonly average?: boolean | undefined;
  /** Of what is drawn, a whole number from 0 on; 0 if not given. */
  readonly seed?: number | undefined;
  /** Throws where the check fails; true if not given. With false look at `passed` of the report. */
  readonly throws?: boolean | undefined;
}

const NAMES = ['activation', 'shape', 'labels', 'preOutput', 'average', 'seed', 'throws'];

/** A loss and what it is called with: arrays of which each call gets copies. */
export class Problem {
  constructor(
    readonly loss: ILossFunction,
    readonly activation: IActivation,
    readonly labels: NDArray,
    readonly preOutput: NDArray,
    readonly mask: NDArray | null,
    /** Is the gradient that of the mean? */
    readonly average: boolean,
  ) {}

  /** The same problem with other arrays. */
  with({ labels = this.labels, preOutput = this.preOutput, mask = this.mask }: Partial<Problem>): Problem {
    return new Problem(this.loss, this.activation, labels, preOutput, mask, this.average);
  }

  /** The same numbers in another dtype; class indices keep theirs. */
  in(dtype: FloatDtype): Problem {
    const cast = (array: NDArray) => (array.dtype.startsWith('float') ? array.castTo(dtype) : array);
    return this.with({
      labels: cast(this.labels),
      preOutput: this.preOutput.castTo(dtype),
      mask: this.mask && cast(this.mask),
    });
  }

  get rows(): number {
    return this.preOutput.size(0);
  }

  /** Is there one row of the first axis after the other? As the loss counts them, leading axes are rows too. */
  get examples(): number {
    return this.preOutput.length / Math.max(1, this.columns);
  }

  get columns(): number {
    return this.preOutput.rank > 1 ? this.preOutput.size(-1) : 1;
  }

  /** Copies of the arguments, as all methods take them. */
  arguments(): [NDArray, NDArray, IActivation, NDArray | null] {
    return [this.labels.dup(), this.preOutput.dup(), this.activation, this.mask?.dup() ?? null];
  }

  score(average = false): number {
    return this.loss.computeScore(...this.arguments(), average);
  }

  scoreArray(): number[] {
    return numbersOf(this.loss.computeScoreArray(...this.arguments()), 'score array');
  }

  gradient(): number[] {
    return numbersOf(this.loss.computeGradient(...this.arguments()), 'gradient');
  }

  /** The gradient of the sum. */
  gradientOfSum(): number[] {
    const factor = this.average ? this.examples : 1;
    return this.gradient().map((value) => value * factor);
  }

  toString(): string {
    const { loss, activation, preOutput } = this;
    return `${loss.name()} with ${activation}, ${preOutput.dtype} [${preOutput.shape.join(', ')}]`;
  }
}

/** The elements of a result, row-major. */
export function numbersOf(result: ArrayInput, name: string): number[] {
  const { data, shape, strides } = toView(result, name, 'float64');
  return Array.from(new NDArray(data, shape, strides).dup().data, Number);
}

/** The shape of a result. */
export const shapeOf = (result: ArrayInput, name: string): readonly number[] => toView(result, name, 'float64').shape;

/** The problem that a caller's options mean, in float64; and the options, whose names are checked. */
export function readProblem<Options extends CheckOptions>(
  owner: string,
  loss: ILossFunction,
  options: Options,
  more: readonly string[],
): { problem: Problem; given: Options; random: Random; throws: boolean } {
  if (typeof loss?.computeGradient !== 'function') throw optionError('loss', 'a loss object', loss);
  const given = readNames(options, owner, [...NAMES, ...more]) as Partial<Options> as Options;
  const random = new Random(readSeed(given.seed ?? 0));
  const { labels = 'normal' } = given;
  const preOutput =
    given.preOutput === undefined
      ? draw(given.shape ?? shapeFor(labels), () => random.normal())
      : asFloat64(given.preOutput, 'preOutput');
  if (preOutput.length === 0) throw shapeError('preOutput', 'at least one element', preOutput.shape);
  const problem = new Problem(
    loss,
    resolveActivation(given.activation ?? 'identity'),
    typeof labels === 'string' ? drawLabels(labels, preOutput, random) : asFloat64(labels, 'labels'),
    preOutput,
    null,
    readFlag('average', given.average, false),
  );
  return { problem, given, random, throws: readFlag('throws', given.throws, true) };
}

const shapeFor = (labels: ArrayInput | LabelKind): Shape =>
  typeof labels === 'string' ? [6, 4] : shapeOf(labels, 'labels');

/** A copy in float64; whole numbers stay what they are. */
function asFloat64(input: ArrayInput, name: string): NDArray {
  const { data, shape, strides } = toView(input, name, 'float64');
  const array = new NDArray(data, shape, strides).dup();
  return array.dtype === 'float32' || name === 'preOutput' ? array.castTo('float64') : array;
}

/** Numbers that are exact in float32: both dtypes are given the same ones. */
function draw(shape: Shape, next: (place: number) => number): NDArray {
  const array = nd.zeros(shape, 'float64');
  for (let i = 0; i < array.length; i++) array.data[i] = Math.fround(next(i));
  return array;
}

const uniform = (random: Random, low: number, high: number): number => low + (high - low) * random.float64();
const coin = (random: Random): number => (random.float64() < 0.5 ? 0 : 1);

const LABELS: Readonly<Record<LabelKind, (preOutput: NDArray, random: Random) => NDArray>> = {
  normal: (preOutput, random) => draw(preOutput.shape, () => random.normal()),
  positive: (preOutput, random) => draw(preOutput.shape, () => uniform(random, 0.1, 3)),
  binary: (preOutput, random) => draw(preOutput.shape, () => coin(random)),
  sign: (preOutput, random) => draw(preOutput.shape, () => 2 * coin(random) - 1),
  oneHot: (preOutput, random) => {
    const chosen = LABELS.classes(preOutput, random);
    const columns = preOutput.size(-1);
    return draw(preOutput.shape, (i) => (chosen.data[Math.floor(i / columns)] === i % columns ? 1 : 0));
  },
  distribution: (preOutput, random) => {
    const parts = LABELS.positive(preOutput, random);
    return parts.div(parts.sum(-1, { keepDims: true }));
  },
  classes: (preOutput, random) => {
    const leading = preOutput.shape.slice(0, -1);
    return draw([...leading, 1], () => Math.floor(random.float64() * preOutput.size(-1)));
  },
};

function drawLabels(kind: LabelKind, preOutput: NDArray, random: Random): NDArray {
  if (!Object.hasOwn(LABELS, kind)) throw optionError('labels', `one of ${Object.keys(LABELS).join(', ')}`, kind);
  return LABELS[kind](preOutput, random);
}

/** Kinds of masks to be drawn. */
export type MaskKind = 'example' | 'output';

/** The shape of a mask. */
export const maskShape = ({ preOutput }: Problem, kind: MaskKind): Shape =>
  kind === 'output' || preOutput.rank === 1 ? preOutput.shape : [...preOutput.shape.slice(0, -1), 1];

/** A mask of a kind: `value(i)` for the i-th example or output. */
export const maskOf = (problem: Problem, kind: MaskKind, value: (place: number) => number): NDArray =>
  draw(maskShape(problem, kind), value);

/** The mask that a caller gave, or asks to draw. */
export function readMask(problem: Problem, mask: MaskInput | MaskKind, random: Random): NDArray | null {
  if (mask === undefined || mask === null) return null;
  if (mask === 'example' || mask === 'output') {
    return maskOf(problem, mask, () => [0, 0.5, 1, 2][Math.floor(4 * random.float64())] as number);
  }
  if (typeof mask === 'string') throw optionError('mask', 'an array, example or output', mask);
  return asFloat64(mask, 'mask');
}
