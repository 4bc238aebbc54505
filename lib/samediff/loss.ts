// SPDX-License-Identifier: Apache-2.0
import { optionError, shapeError } from '../errors';
import { readArguments, readInteger } from '../options';
import type { Node } from './graph';
import {
  type Formula,
  formulas,
  LossReduce,
  l2Loss,
  sparseSoftmaxCrossEntropy,
  weightedCrossEntropyWithLogits,
  weightedLoss,
} from './loss-formulas';
import type { SameDiff } from './samediff';
import { type Named, type SDVariable, splitName } from './variable';

/**
 * Arguments of the losses with weights. Weights: one for all losses, or an array that repeats to them; none: all 1. The
 * reduction may be left out: `MEAN_BY_NONZERO_WEIGHT_COUNT`. The option is a value, or an object with its name.
 */
export type LossArguments<Arrays, Option = never> =
  | [
      labels: Arrays,
      predictions: Arrays,
      weights?: Arrays | number | null | undefined,
      lossReduce?: LossReduce | undefined,
      option?: Option | undefined,
    ]
  | [labels: Arrays, predictions: Arrays, weights: Arrays | number | null, option: Option];

/** Options of `cosineDistance`: the axis of the vectors, the last one if not given. */
export type CosineDistanceOption = number | { readonly dimension?: number };
/** Options of `huberLoss`: where it becomes linear, 1 if not given. */
export type HuberOption = number | { readonly delta?: number };
/** Options of `logLoss`: what is added under the logarithms, 1e-7 if not given. */
export type LogLossOption = number | { readonly epsilon?: number };
/** Options of `logPoisson`: whether the terms of the labels alone are added, false if not given. */
export type LogPoissonOption = boolean | { readonly full?: boolean };
/** Options of the cross entropies: how much of the labels is spread over all classes, in [0, 1], 0 if not given. */
export type SmoothingOption = number | { readonly labelSmoothing?: number };
/** Options of `ctcLoss`: the class that stands for none, 0 if not given. */
export type CtcOption = number | { readonly blankIndex?: number };

/** The losses with weights and a reduction. */
export type LossName = keyof typeof formulas;

/**
 * Losses as functions of variables: `sd.loss`. Each result is a loss variable, whose sum `calculateGradients` and `fit`
 * differentiate. A name for it may stand first.
 *
 * @example
 * ```ts
 * import { LossReduce, SameDiff } from 'simdloss';
 * const sd = SameDiff.create();
 * const y = sd.placeHolder('y', 'float32', [-1, 2]);
 * const p = sd.placeHolder('p', 'float32', [-1, 2]);
 * const loss = sd.loss.huberLoss('loss', y, p, null, LossReduce.SUM, { delta: 2 });
 * loss.eval({ y: [[0, 0]], p: [[1, 5]] }).toArray(); // 8.5
 * sd.calculateGradients({ y: [[0, 0]], p: [[1, 5]] }, 'p')['p']?.toArray(); // [[1, 2]]
 * ```
 * @see ND4J `org.nd4j.autodiff.samediff.ops.SDLoss`
 */
export class SDLoss {
  /** @internal */
  constructor(private readonly sameDiff: SameDiff) {}

  // --- Of elements ---

  /**
   * `|p - y|`.
   *
   * @param args a name, which may be left out; labels y and predictions p, of one shape; weights, none if not given: null,
   * a number, or a variable of the losses' rank that repeats to them; the reduction, `MEAN_BY_NONZERO_WEIGHT_COUNT` if not
   * given; the option of the loss, if it has one: its value, or an object with its name
   * @returns a number or, of `LossReduce.NONE`, the losses
   * @throws RangeError ERR_SHAPE for shapes that do not fit, when it is made or when it runs; ERR_RANGE for an option
   * @throws TypeError ERR_OPTION for an unknown option or reduction, a name that is taken, or a variable of another graph;
   * ERR_DTYPE for no variable
   * @example
   * ```ts
   * import { SameDiff } from 'simdloss';
   * const sd = SameDiff.create();
   * sd.loss.absoluteDifference(sd.constant('y', [1, 2]), sd.constant('p', [2, 4]), null).eval().toArray(); // 1.5
   * ```
   */
  absoluteDifference(...args: Named<LossArguments<SDVariable>>): SDVariable {
    return this.weighted('absoluteDifference', args);
  }

  /** `max(0, 1 - (2 y - 1) p)`, of labels 0 and 1; slope 0 at the kink. Otherwise as `absoluteDifference`. */
  hingeLoss(...args: Named<LossArguments<SDVariable>>): SDVariable {
    return this.weighted('hingeLoss', args);
  }

  /** `e^2 / 2` for `e = |p - y|` up to delta, `delta e - delta^2 / 2` beyond; otherwise as `absoluteDifference`. */
  huberLoss(...args: Named<LossArguments<SDVariable, HuberOption>>): SDVariable {
    return this.weighted('huberLoss', args);
  }

  /** `-y log(p + epsilon) - (1 - y) log(1 - p + epsilon)`, `0 log 0 = 0`; otherwise as `absoluteDifference`. */
  logLoss(...args: Named<LossArguments<SDVariable, LogLossOption>>): SDVariable {
    return this.weighted('logLoss', args);
  }

  /**
   * `e^p - y p`; full: plus `y log y - y + log(2 pi y) / 2`, nothing where y is 0. Otherwise as `absoluteDifference`.
   */
  logPoisson(...args: Named<LossArguments<SDVariable, LogPoissonOption>>): SDVariable {
    return this.weighted('logPoisson', args);
  }

  /** `(p - y)^2`; otherwise as `absoluteDifference`. */
  meanSquaredError(...args: Named<LossArguments<SDVariable>>): SDVariable {
    return this.weighted('meanSquaredError', args);
  }

  /**
   * `softplus(p) - y p` of logits p: the cross entropy of sigmoid, finite for every finite logit. Smoothing s makes labels
   * `y (1 - s) + s / 2`. Otherwise as `absoluteDifference`.
   */
  sigmoidCrossEntropy(...args: Named<LossArguments<SDVariable, SmoothingOption>>): SDVariable {
    return this.weighted('sigmoidCrossEntropy', args);
  }

  // --- Of rows ---

  /**
   * `1 - sum(y p)` along an axis, which is kept: the cosine distance of unit vectors. Otherwise as `absoluteDifference`.
   */
  cosineDistance(...args: Named<LossArguments<SDVariable, CosineDistanceOption>>): SDVariable {
    return this.weighted('cosineDistance', args);
  }

  /**
   * The mean of `(d_i - d_j)^2` over the pairs of a row of `d = p - y`, 0 for a single column; a loss and a weight a row.
   * Otherwise as `absoluteDifference`.
   */
  meanPairwiseSquaredError(...args: Named<LossArguments<SDVariable>>): SDVariable {
    return this.weighted('meanPairwiseSquaredError', args);
  }

  /**
   * `-sum(y log softmax(p))` of the logits of a row, finite for finite ones; a loss and a weight a row. Smoothing s makes
   * labels `y (1 - s) + s / c`. Otherwise as `absoluteDifference`.
   */
  softmaxCrossEntropy(...args: Named<LossArguments<SDVariable, SmoothingOption>>): SDVariable {
    return this.weighted('softmaxCrossEntropy', args);
  }

  // --- Without a reduction ---

  /**
   * `sum(x^2) / 2`.
   *
   * @param args a name, which may be left out, and x
   * @returns a number
   * @throws TypeError as `absoluteDifference`
   * @example
   * ```ts
   * import { SameDiff } from 'simdloss';
   * const sd = SameDiff.create();
   * sd.loss.l2Loss(sd.constant('x', [3, 4])).eval().toArray(); // 12.5
   * ```
   */
  l2Loss(...args: Named<[x: SDVariable]>): SDVariable {
    const [name, [x]] = splitName<[x: SDVariable]>(args);
    return this.loss(name, 'l2Loss', l2Loss(this.sameDiff.graph, this.sameDiff.nodeOf(x, 'x')));
  }

  /**
   * `-log softmax(logits)` at the label of each row.
   *
   * @param args a name, which may be left out; logits `[n, c]`, or of another rank; labels, class indices, without the last
   * axis
   * @returns a loss for each row, the shape of the labels
   * @throws RangeError ERR_SHAPE for shapes that do not fit, ERR_RANGE when it runs, for a label that is no class; TypeError
   * as `absoluteDifference`
   * @example
   * ```ts
   * import { SameDiff } from 'simdloss';
   * const sd = SameDiff.create();
   * const logits = sd.constant('logits', [[0, 0]]);
   * sd.loss.sparseSoftmaxCrossEntropy(logits, sd.constant('labels', [1])).eval().toArray(); // [0.6931]
   * ```
   */
  sparseSoftmaxCrossEntropy(...args: Named<[logits: SDVariable, labels: SDVariable]>): SDVariable {
    const [name, [logits, labels]] = splitName<[logits: SDVariable, labels: SDVariable]>(args);
    const { sameDiff: sd } = this;
    const node = sparseSoftmaxCrossEntropy(sd.graph, sd.nodeOf(logits, 'logits'), sd.nodeOf(labels, 'labels'));
    return this.loss(name, 'sparseSoftmaxCrossEntropy', node);
  }

  /**
   * `w y softplus(-p) + (1 - y) softplus(p)`: the cross entropy of sigmoid, with a weight on the positive labels.
   *
   * @param args a name, which may be left out; labels y and logits p, of one shape; weights, a number or one a column
   * @returns a loss for each element
   * @throws RangeError ERR_SHAPE for shapes that do not fit; TypeError as `absoluteDifference`
   * @example
   * ```ts
   * import { SameDiff } from 'simdloss';
   * const sd = SameDiff.create();
   * const [y, p] = [sd.constant('y', [0, 1]), sd.constant('p', [0, 0])];
   * sd.loss.weightedCrossEntropyWithLogits(y, p, 2).eval().toArray(); // [0.6931, 1.3863]
   * ```
   */
  weightedCrossEntropyWithLogits(
    ...args: Named<[labels: SDVariable, logits: SDVariable, weights: SDVariable | number]>
  ): SDVariable {
    const [name, [labels, logits, weights]] =
      splitName<[labels: SDVariable, logits: SDVariable, weights: SDVariable | number]>(args);
    const { sameDiff: sd } = this;
    const [y, p, w] = [sd.nodeOf(labels, 'labels'), sd.nodeOf(logits, 'logits'), sd.nodeOf(weights, 'weights')];
    const node = weightedCrossEntropyWithLogits(sd.graph, y, p, w);
    return this.loss(name, 'weightedCrossEntropyWithLogits', node);
  }

  /**
   * Connectionist temporal classification: `-log` of the probability that the classes of the steps, one drawn of each
   * step's softmax, become the labels once repeats are merged and blanks dropped; Infinity, with gradient 0, where they
   * can't.
   *
   * @param args a name, which may be left out; labels `[b, S]`, class indices; logits `[b, T, C]`; how many labels and how
   * many steps count of each example, `[b]` each; blankIndex, or an object with it: the class that stands for none, 0 if
   * not given
   * @returns a loss for each example, `[b]`
   * @throws RangeError ERR_SHAPE for shapes that do not fit, ERR_RANGE when it runs, for labels and lengths out of range;
   * TypeError as `absoluteDifference`
   * @example
   * ```ts
   * import { nd, SameDiff } from 'simdloss';
   * const sd = SameDiff.create();
   * const logits = sd.constant('logits', nd.zeros([1, 2, 3]));
   * const [labels, labelLengths, logitLengths] = [sd.constant([[1]]), sd.constant([1]), sd.constant([2])];
   * sd.loss.ctcLoss(labels, logits, labelLengths, logitLengths).eval().toArray(); // [1.0986]
   * ```
   */
  ctcLoss(
    ...args: Named<
      [
        labels: SDVariable,
        logits: SDVariable,
        labelLengths: SDVariable,
        logitLengths: SDVariable,
        blankIndex?: CtcOption,
      ]
    >
  ): SDVariable {
    const [name, [labels, logits, labelLengths, logitLengths, option]] =
      splitName<[SDVariable, SDVariable, SDVariable, SDVariable, CtcOption?]>(args);
    const { sameDiff: sd } = this;
    const blankIndex = readInteger('blankIndex', readOption('ctcLoss', 'blankIndex', option), 0) ?? 0;
    const inputs = Object.entries({ logits, labels, labelLengths, logitLengths }).map(([role, term]) =>
      sd.nodeOf(term, role),
    );
    const { shape } = inputs[0] as Node;
    if (shape.length !== 3) throw shapeError('logits', '[examples, steps, classes]', shape);
    return this.loss(name, 'ctcLoss', sd.graph.kernel('ctc', inputs, { blankIndex }, [shape[0] as number]));
  }

  // --- How they are made ---

  private weighted(op: LossName, args: Named<LossArguments<SDVariable, unknown>>): SDVariable {
    const { sameDiff: sd } = this;
    const [name, [labels, predictions, weights, ...rest]] = splitName<LossArguments<SDVariable, unknown>>(args);
    const { option, lossReduce } = readRest(op, formulas[op], rest);
    const y = sd.nodeOf(labels, 'labels');
    const p = sd.nodeOf(predictions, 'predictions');
    const w = sd.nodeOf(weights ?? 1, 'weights');
    return this.loss(name, op, weightedLoss(sd.graph, formulas[op].loss(option), y, p, w, lossReduce));
  }

  private loss(name: string | undefined, op: string, node: Node): SDVariable {
    return this.sameDiff.addLoss(this.sameDiff.make(name, node, 'ARRAY', op));
  }
}

/** The reduction, which may be left out, and the value of the option. */
export function readRest(
  owner: string,
  { option: optionName }: Formula,
  rest: readonly unknown[],
): { lossReduce: LossReduce; option: unknown } {
  const [first, ...others] = rest;
  const isReduction = first === undefined || typeof first === 'string';
  const lossReduce = isReduction
    ? (first ?? LossReduce.MEAN_BY_NONZERO_WEIGHT_COUNT)
    : LossReduce.MEAN_BY_NONZERO_WEIGHT_COUNT;
  if (!(lossReduce in LossReduce)) {
    throw optionError('lossReduce', `one of ${Object.keys(LossReduce).join(', ')}`, lossReduce);
  }
  const options = isReduction ? others : rest;
  if (options.length > 1) throw optionError(owner, 'an option at most', options[1]);
  return { lossReduce: lossReduce as LossReduce, option: readOption(owner, optionName, options[0]) };
}

/** The value of the one option, given as it is or in an object. */
export function readOption(owner: string, name: string | undefined, given: unknown): unknown {
  const names = name === undefined ? [] : [name];
  const option = typeof given === 'boolean' && name !== undefined ? { [name]: given } : given;
  const values = readArguments(owner, [option], names, names);
  return name === undefined ? undefined : values[name];
}
