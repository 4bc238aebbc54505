// SPDX-License-Identifier: Apache-2.0
// How gradients become steps: each formula once, as an expression, for every dtype and array.
import { readArguments, readNumber } from '../options';
import type { At } from './listeners';
import type { SDVariable } from './variable';

/**
 * Turns gradients into what is subtracted from parameters. `Sgd`, `Nesterovs` and `Adam` are such, and any object of yours
 * can be one: `applyUpdater` writes the formula as an expression, which is compiled once for each parameter.
 *
 * @example
 * ```ts
 * import { type IUpdater, nd, SameDiff } from 'simdloss';
 * const rmsProp: IUpdater = {
 *   stateSize: 1,
 *   rate: () => 0.1,
 *   applyUpdater(gradient, rate, mean) {
 *     const next = mean.mul(0.9).add(gradient.square().mul(0.1));
 *     return [gradient.mul(rate).div(next.sqrt().add(1e-8)), next];
 *   },
 * };
 * const sd = SameDiff.create();
 * sd.setLossVariables(sd.var('w', nd.array([1, -1])).square());
 * await sd.fit({ data: [{}], updater: rmsProp });
 * sd.arrayOf('w'); // [0.684, -0.684]
 * ```
 * @see ND4J `org.nd4j.linalg.learning.config.IUpdater`, `org.nd4j.linalg.learning.GradientUpdater`
 */
export interface IUpdater {
  /** How many arrays it keeps for a parameter, each of its shape; they begin as zeros. */
  readonly stateSize: number;
  /** What weight decay is multiplied by, unless it is told otherwise; 1 if there is none. */
  readonly learningRate?: number | undefined;
  /** The number that the step of an iteration gets as `rate`. */
  rate(at: At): number;
  /**
   * The step's formula.
   *
   * @param gradient of the loss, the parameter's shape
   * @param rate what `rate` gave for the iteration, a single number
   * @param state what the last step left, `stateSize` arrays of the parameter's shape
   * @returns what is subtracted from the parameter, then the state that the next step gets
   * @throws TypeError ERR_OPTION for variables of another graph
   * @example
   * ```ts
   * import { SameDiff, Sgd } from 'simdloss';
   * const sd = SameDiff.create();
   * const [step] = new Sgd().applyUpdater(sd.constant('g', [1, 2]), sd.constant('rate', 0.5));
   * step.eval(); // [0.5, 1]
   * ```
   */
  applyUpdater(
    gradient: SDVariable,
    rate: SDVariable,
    ...state: SDVariable[]
  ): readonly [update: SDVariable, ...state: SDVariable[]];
}

const LARGEST = Number.MAX_VALUE;
/** The largest number below 1. */
const BELOW_ONE = 1 - 2 ** -53;

/**
 * Plain gradient descent.
 *
 * Formula: `w -= learningRate * g`.
 *
 * @example
 * ```ts
 * import { Sgd } from 'simdloss';
 * new Sgd(0.1).learningRate; // 0.1
 * ```
 * @see ND4J `org.nd4j.linalg.learning.config.Sgd`
 */
export class Sgd implements IUpdater {
  /** What gradients are multiplied by. */
  readonly learningRate: number;
  /** None. */
  readonly stateSize = 0;

  /**
   * @param args `learningRate` = 1e-3, from 0 on; or an object with that name
   * @throws TypeError ERR_OPTION for an unknown name or no number; RangeError ERR_RANGE for a number out of range
   */
  constructor(...args: [learningRate?: number] | [options: { readonly learningRate?: number | undefined }]) {
    const { learningRate } = readArguments('Sgd', args, ['learningRate'], ['learningRate']);
    this.learningRate = readNumber('learningRate', learningRate, 1e-3, 0, LARGEST);
  }

  rate(_at: At): number {
    return this.learningRate;
  }

  applyUpdater(gradient: SDVariable, rate: SDVariable): [SDVariable] {
    return [gradient.mul(rate)];
  }
}

/** Options of `Nesterovs`. */
export interface NesterovsOptions {
  /** What gradients are multiplied by, from 0 on; 0.1 if not given. */
  readonly learningRate?: number | undefined;
  /** How much of a step the next one repeats, from 0 to below 1; 0.9 if not given. */
  readonly momentum?: number | undefined;
}

/**
 * Gradient descent with Nesterov's momentum.
 *
 * Formula: `v' = momentum * v - learningRate * g`, `w += (1 + momentum) v' - momentum * v`.
 *
 * @example
 * ```ts
 * import { Nesterovs } from 'simdloss';
 * new Nesterovs({ momentum: 0.95 }).momentum; // 0.95
 * ```
 * @see ND4J `org.nd4j.linalg.learning.config.Nesterovs`; Sutskever et al. 2013
 */
export class Nesterovs implements IUpdater {
  /** What gradients are multiplied by. */
  readonly learningRate: number;
  /** How much of a step the next one repeats. */
  readonly momentum: number;
  /** v. */
  readonly stateSize = 1;

  /**
   * @param args `learningRate` = 0.1, from 0 on, `momentum` = 0.9, from 0 to below 1; or an object with these names
   * @throws TypeError ERR_OPTION for an unknown name or no number; RangeError ERR_RANGE for a number out of range
   */
  constructor(...args: [learningRate?: number, momentum?: number] | [options: NesterovsOptions]) {
    const names = ['learningRate', 'momentum'];
    const { learningRate, momentum } = readArguments('Nesterovs', args, names, names);
    this.learningRate = readNumber('learningRate', learningRate, 0.1, 0, LARGEST);
    this.momentum = readNumber('momentum', momentum, 0.9, 0, BELOW_ONE);
  }

  rate(_at: At): number {
    return this.learningRate;
  }

  applyUpdater(gradient: SDVariable, rate: SDVariable, ...[v]: [v: SDVariable]): [SDVariable, SDVariable] {
    const kept = v.mul(this.momentum);
    const next = kept.sub(gradient.mul(rate));
    return [kept.sub(next.mul(1 + this.momentum)), next];
  }
}

/** Options of `Adam`. */
export interface AdamOptions {
  /** About the size of a step, from 0 on; 1e-3 if not given. */
  readonly learningRate?: number | undefined;
  /** How much of the mean of the gradients stays, from 0 to below 1; 0.9 if not given. */
  readonly beta1?: number | undefined;
  /** How much of the mean of their squares stays, from 0 to below 1; 0.999 if not given. */
  readonly beta2?: number | undefined;
  /** Keeps steps small where gradients are all but 0, from 0 on; 1e-8 if not given. */
  readonly epsilon?: number | undefined;
}

/**
 * Adam: steps of about the learning rate in every coordinate.
 *
 * Formula, in iteration `t`, counted from 1:
 *
 * ```text
 * m' = beta1 m + (1 - beta1) g        v' = beta2 v + (1 - beta2) g^2
 * w -= learningRate sqrt(1 - beta2^t) / (1 - beta1^t) m' / (sqrt(v') + epsilon)
 * ```
 *
 * As in ND4J, epsilon is added before v is corrected for its beginning: PyTorch's is `epsilon / sqrt(1 - beta2^t)`.
 *
 * @example
 * ```ts
 * import { Adam } from 'simdloss';
 * new Adam({ learningRate: 0.002 }).beta2; // 0.999
 * ```
 * @see ND4J `org.nd4j.linalg.learning.config.Adam`; Kingma & Ba 2014, the form at the end of section 2
 */
export class Adam implements IUpdater {
  /** About the size of a step. */
  readonly learningRate: number;
  /** How much of the mean of the gradients stays. */
  readonly beta1: number;
  /** How much of the mean of their squares stays. */
  readonly beta2: number;
  /** Keeps steps small where gradients are all but 0. */
  readonly epsilon: number;
  /** m and v. */
  readonly stateSize = 2;

  /**
   * @param args `learningRate` = 1e-3 and `epsilon` = 1e-8 from 0 on, `beta1` = 0.9 and `beta2` = 0.999 from 0 to below 1:
   * in the order learningRate, beta1, beta2, epsilon; or an object with these names
   * @throws TypeError ERR_OPTION for an unknown name or no number; RangeError ERR_RANGE for a number out of range
   */
  constructor(
    ...args: [learningRate?: number, beta1?: number, beta2?: number, epsilon?: number] | [options: AdamOptions]
  ) {
    const names = ['learningRate', 'beta1', 'beta2', 'epsilon'];
    const { learningRate, beta1, beta2, epsilon } = readArguments('Adam', args, names, names);
    this.learningRate = readNumber('learningRate', learningRate, 1e-3, 0, LARGEST);
    this.beta1 = readNumber('beta1', beta1, 0.9, 0, BELOW_ONE);
    this.beta2 = readNumber('beta2', beta2, 0.999, 0, BELOW_ONE);
    this.epsilon = readNumber('epsilon', epsilon, 1e-8, 0, LARGEST);
  }

  rate({ iteration }: At): number {
    const t = iteration + 1;
    return (this.learningRate * Math.sqrt(1 - this.beta2 ** t)) / (1 - this.beta1 ** t);
  }

  applyUpdater(
    gradient: SDVariable,
    rate: SDVariable,
    ...[m, v]: [m: SDVariable, v: SDVariable]
  ): [SDVariable, SDVariable, SDVariable] {
    const mean = m.mul(this.beta1).add(gradient.mul(1 - this.beta1));
    const square = v.mul(this.beta2).add(gradient.square().mul(1 - this.beta2));
    return [mean.mul(rate).div(square.sqrt().add(this.epsilon)), mean, square];
  }
}
