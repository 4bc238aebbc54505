// SPDX-License-Identifier: Apache-2.0
import { optionError, shapeError } from '../errors';
import { readArguments, readInteger } from '../options';
import type { Node } from './graph';
import {
  type Formula,
  formulas,
  LossReduce,
  l2Loss,
  namesOf,
  readOptions,
  sparseSoftmaxCrossEntropy,
  type Values,
  weightedCrossEntropyWithLogits,
  weightedLoss,
} from './loss-formulas';
import type { SameDiff } from './samediff';
import { type Named, type SDVariable, splitName } from './variable';

/**
 * Arguments of the losses with weights: the arrays, and then weights, one for all losses, or an array that repeats to them;
 * none: all 1. The reduction may be left out: `MEAN_BY_NONZERO_WEIGHT_COUNT`. The option is a value, or an object with its
 * name.
 */
export type WeightedArguments<Inputs extends readonly unknown[], Arrays, Option = never> =
  | [
      ...inputs: Inputs,
      weights?: Arrays | number | null | undefined,
      lossReduce?: LossReduce | undefined,
      option?: Option | undefined,
    ]
  | [...inputs: Inputs, weights: Arrays | number | null, option: Option];

/** Those of a loss of labels and predictions. */
export type LossArguments<Arrays, Option = never> = WeightedArguments<
  [labels: Arrays, predictions: Arrays],
  Arrays,
  Option
>;
/** Those of `gaussianNLLLoss`: variances in the shape of the predictions, or one a row, `[n, 1]`. */
export type GaussianNLLArguments<Arrays> = WeightedArguments<
  [labels: Arrays, predictions: Arrays, variances: Arrays],
  Arrays,
  GaussianNLLOption
>;
/** Those of `marginRankingLoss`: labels 1 where the first input should be the larger, -1 where the second. */
export type MarginRankingArguments<Arrays> = WeightedArguments<
  [labels: Arrays, input1: Arrays, input2: Arrays],
  Arrays,
  MarginRankingOption
>;
/** Those of `tripletMarginLoss`, rows of one shape. */
export type TripletMarginArguments<Arrays> = WeightedArguments<
  [anchor: Arrays, positive: Arrays, negative: Arrays],
  Arrays,
  TripletMarginOption
>;

/** Options of `cosineDistance`: the axis of the vectors, the last one if not given. */
export type CosineDistanceOption = number | { readonly dimension?: number };
/** Options of `huberLoss`: where it becomes linear, 1 if not given. */
export type HuberOption = number | { readonly delta?: number };
/** Options of `smoothL1Loss`: where it becomes linear, 1 if not given; 0: everywhere. */
export type SmoothL1Option = number | { readonly beta?: number };
/** Options of `gaussianNLLLoss`: whether `log(2 pi) / 2` is added, false; the least variance, 1e-6. */
export type GaussianNLLOption = boolean | { readonly full?: boolean; readonly epsilon?: number };
/** Options of `logLoss`: what is added under the logarithms, 1e-7 if not given. */
export type LogLossOption = number | { readonly epsilon?: number };
/** Options of `logPoisson`: whether the terms of the labels alone are added, false if not given. */
export type LogPoissonOption = boolean | { readonly full?: boolean };
/** Options of `multiMarginLoss`: the power, 1 or 2, 1 if not given; the margin, 1. */
export type MultiMarginOption = number | { readonly p?: 1 | 2; readonly margin?: number };
/** Options of `marginRankingLoss`: the margin, 0 if not given. */
export type MarginRankingOption = number | { readonly margin?: number };
/**
 * Options of `tripletMarginLoss`: the margin, from 0 on, 1 if not given; p, from 1 to Infinity: the norm, 2; swap: the
 * distance of positive and negative counts where it is the smaller one, false.
 */
export type TripletMarginOption = number | { readonly margin?: number; readonly p?: number; readonly swap?: boolean };
/** Options of the cross entropies: how much of the labels is spread over all classes, in [0, 1], 0 if not given. */
export type SmoothingOption = number | { readonly labelSmoothing?: number };
/**
 * Options of the focal losses: alpha, a factor of all classes, from 0 on, or with sigmoid the share of the positive labels,
 * in [0, 1], -1 for none, 0.25 if not given; gamma, from 0 on, 2: how much less a good output counts.
 */
export type FocalOption = number | { readonly alpha?: number; readonly gamma?: number };
/** Options of `poly1CrossEntropy`: the weight of `1 - a`, 1 if not given. */
export type Poly1Option = number | { readonly epsilon?: number };
/** Options of `generalizedCrossEntropy`: q in (0, 1], 0.7 if not given. */
export type GeneralizedCrossEntropyOption = number | { readonly q?: number };
/** Options of `diceLoss`: what is added above and below, from 0 on, 1 if not given. */
export type DiceOption = number | { readonly smooth?: number };
/** Options of `tverskyLoss`: the weights of false positives and false negatives, 0.5 each if not given, and smooth, 1. */
export type TverskyOption = number | { readonly alpha?: number; readonly beta?: number; readonly smooth?: number };
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

  /** `e^2 / (2 beta)` for `e = |p - y|` up to beta, `e - beta / 2` beyond; otherwise as `absoluteDifference`. */
  smoothL1Loss(...args: Named<LossArguments<SDVariable, SmoothL1Option>>): SDVariable {
    return this.weighted('smoothL1Loss', args);
  }

  /** `log(cosh(p - y))`, good near 0 and finite far from it; otherwise as `absoluteDifference`. */
  logCoshLoss(...args: Named<LossArguments<SDVariable>>): SDVariable {
    return this.weighted('logCoshLoss', args);
  }

  /**
   * `(log v + (p - y)^2 / v) / 2`, v the variance, but epsilon at least, with slope 0 below; full: plus `log(2 pi) / 2`.
   * Otherwise as `absoluteDifference`.
   */
  gaussianNLLLoss(...args: Named<GaussianNLLArguments<SDVariable>>): SDVariable {
    return this.weighted('gaussianNLLLoss', args);
  }

  /** `log(1 + e^(-y p))`, of labels -1 and 1; otherwise as `absoluteDifference`. */
  softMarginLoss(...args: Named<LossArguments<SDVariable>>): SDVariable {
    return this.weighted('softMarginLoss', args);
  }

  /** `max(0, margin - y (x1 - x2))`, of labels -1 and 1 and two inputs; otherwise as `absoluteDifference`. */
  marginRankingLoss(...args: Named<MarginRankingArguments<SDVariable>>): SDVariable {
    return this.weighted('marginRankingLoss', args);
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

  /**
   * The cross entropy of the sigmoid of logits p, times `alpha_y (1 - a_y)^gamma`, a_y the output of the label's side, alpha_y
   * alpha or `1 - alpha`. Otherwise as `absoluteDifference`.
   */
  sigmoidFocalLoss(...args: Named<LossArguments<SDVariable, FocalOption>>): SDVariable {
    return this.weighted('sigmoidFocalLoss', args);
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

  /** `-alpha sum(y (1 - a)^gamma log a)`, a the softmax of logits p; otherwise as `softmaxCrossEntropy`. */
  softmaxFocalLoss(...args: Named<LossArguments<SDVariable, FocalOption>>): SDVariable {
    return this.weighted('softmaxFocalLoss', args);
  }

  /** `sum(y (epsilon (1 - a) - log a))`, a the softmax of logits p; otherwise as `softmaxCrossEntropy`. */
  poly1CrossEntropy(...args: Named<LossArguments<SDVariable, Poly1Option>>): SDVariable {
    return this.weighted('poly1CrossEntropy', args);
  }

  /** `sum(y (1 - a^q) / q)`, a the softmax of logits p; otherwise as `softmaxCrossEntropy`. */
  generalizedCrossEntropy(...args: Named<LossArguments<SDVariable, GeneralizedCrossEntropyOption>>): SDVariable {
    return this.weighted('generalizedCrossEntropy', args);
  }

  /**
   * `max(0, margin - p_k + p_j)^p`, summed over the classes j but the one of the label, k, and divided by their number c;
   * one-hot labels. Otherwise as `softmaxCrossEntropy`.
   */
  multiMarginLoss(...args: Named<LossArguments<SDVariable, MultiMarginOption>>): SDVariable {
    return this.weighted('multiMarginLoss', args);
  }

  /**
   * `max(0, margin + |a - p| - |a - n|)` of the rows of anchor, positive and negative; the slope of a distance of 0 is 0.
   * Otherwise as `softmaxCrossEntropy`.
   */
  tripletMarginLoss(...args: Named<TripletMarginArguments<SDVariable>>): SDVariable {
    return this.weighted('tripletMarginLoss', args);
  }

  /**
   * `1 - (2 sum(y p) + smooth) / (sum y + sum p + smooth)` of probabilities p, 0 where that is 0 / 0. Otherwise
   * as `softmaxCrossEntropy`.
   */
  diceLoss(...args: Named<LossArguments<SDVariable, DiceOption>>): SDVariable {
    return this.weighted('diceLoss', args);
  }

  /**
   * `1 - (tp + smooth) / (tp + alpha fp + beta fn + smooth)` of probabilities p: `tp = sum(y p)`, `fp = sum((1 - y) p)`,
   * `fn = sum(y (1 - p))`; 0 where that is 0 / 0. Otherwise as `softmaxCrossEntropy`.
   */
  tverskyLoss(...args: Named<LossArguments<SDVariable, TverskyOption>>): SDVariable {
    return this.weighted('tverskyLoss', args);
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
    const blankIndex = readInteger('blankIndex', readNamed('ctcLoss', ['blankIndex'], option)['blankIndex'], 0) ?? 0;
    const inputs = Object.entries({ logits, labels, labelLengths, logitLengths }).map(([role, term]) =>
      sd.nodeOf(term, role),
    );
    const { shape } = inputs[0] as Node;
    if (shape.length !== 3) throw shapeError('logits', '[examples, steps, classes]', shape);
    return this.loss(name, 'ctcLoss', sd.graph.kernel('ctc', inputs, { blankIndex }, [shape[0] as number]));
  }

  // --- How they are made ---

  private weighted(
    op: LossName,
    args: Named<WeightedArguments<readonly SDVariable[], SDVariable, unknown>>,
  ): SDVariable {
    const { sameDiff: sd } = this;
    const [name, given] = splitName<readonly unknown[]>(args);
    const { arrays, weights, lossReduce, values } = readWeighted<SDVariable>(op, given);
    const nodes = Object.entries(arrays).map(([role, variable]) => sd.nodeOf(variable, role));
    const w = sd.nodeOf(weights ?? 1, 'weights');
    return this.loss(name, op, weightedLoss(sd.graph, formulas[op] as Formula, values, nodes, w, lossReduce));
  }

  private loss(name: string | undefined, op: string, node: Node): SDVariable {
    return this.sameDiff.addLoss(this.sameDiff.make(name, node, 'ARRAY', op));
  }
}

/** What the arguments of a loss are: its arrays by name, weights, the reduction, which may be left out, and its options. */
export function readWeighted<Arrays>(op: LossName, args: readonly unknown[]) {
  const loss = formulas[op] as Formula;
  const names = namesOf(loss);
  const [weights, ...rest] = args.slice(names.length);
  const isReduction = rest[0] === undefined || typeof rest[0] === 'string';
  const lossReduce = (isReduction ? rest.shift() : undefined) ?? LossReduce.MEAN_BY_NONZERO_WEIGHT_COUNT;
  if (!((lossReduce as string) in LossReduce)) {
    throw optionError('lossReduce', `one of ${Object.keys(LossReduce).join(', ')}`, lossReduce);
  }
  if (rest.length > 1) throw optionError(op, 'an option at most', rest[1]);
  return {
    arrays: Object.fromEntries(names.map((name, i) => [name, args[i] as Arrays])),
    weights: weights as Arrays | number | null | undefined,
    lossReduce: lossReduce as LossReduce,
    values: readOptions(loss.options, readNamed(op, Object.keys(loss.options), rest[0])),
  };
}

/** Options by name, the first of which may be given as it is. */
function readNamed(owner: string, names: readonly string[], given: unknown): Values {
  const isFlag = typeof given === 'boolean' && names[0] !== undefined;
  return readArguments(owner, [isFlag ? { [names[0] as string]: given } : given], names, names.slice(0, 1));
}
