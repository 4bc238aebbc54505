// SPDX-License-Identifier: Apache-2.0

import type { ILossFunction } from './losses/iloss-function';
import { LossBinaryXENT } from './losses/loss-binary-xent';
import { LossCosineProximity } from './losses/loss-cosine-proximity';
import { LossHinge } from './losses/loss-hinge';
import { LossKLD } from './losses/loss-kld';
import { LossL1 } from './losses/loss-l1';
import { LossL2 } from './losses/loss-l2';
import { LossMAE } from './losses/loss-mae';
import { LossMAPE } from './losses/loss-mape';
import { LossMCXENT } from './losses/loss-mcxent';
import { LossMSE } from './losses/loss-mse';
import { LossMSLE } from './losses/loss-msle';
import { LossNegativeLogLikelihood } from './losses/loss-negative-log-likelihood';
import { LossPoisson } from './losses/loss-poisson';
import { LossSparseMCXENT } from './losses/loss-sparse-mcxent';
import { LossSquaredHinge } from './losses/loss-squared-hinge';
import { LossWasserstein } from './losses/loss-wasserstein';

/**
 * The losses by name, in ND4J's order; a loss object of your own says the same with its options.
 *
 * @example
 * ```ts
 * import { LossFunction } from 'simdloss';
 * LossFunction.MSE.getILossFunction(); // a new LossMSE
 * ```
 * @see ND4J `org.nd4j.linalg.lossfunctions.LossFunctions.LossFunction`
 */
export class LossFunction {
  private static readonly all: LossFunction[] = [];

  static readonly MSE = new LossFunction('MSE', () => new LossMSE());
  static readonly L1 = new LossFunction('L1', () => new LossL1());
  static readonly XENT = new LossFunction('XENT', () => new LossBinaryXENT());
  static readonly MCXENT = new LossFunction('MCXENT', () => new LossMCXENT());
  static readonly SPARSE_MCXENT = new LossFunction('SPARSE_MCXENT', () => new LossSparseMCXENT());
  static readonly SQUARED_LOSS = new LossFunction('SQUARED_LOSS', () => new LossMSE());
  static readonly RECONSTRUCTION_CROSSENTROPY = new LossFunction('RECONSTRUCTION_CROSSENTROPY', () => new LossKLD());
  static readonly NEGATIVELOGLIKELIHOOD = new LossFunction(
    'NEGATIVELOGLIKELIHOOD',
    () => new LossNegativeLogLikelihood(),
  );
  static readonly COSINE_PROXIMITY = new LossFunction('COSINE_PROXIMITY', () => new LossCosineProximity());
  static readonly HINGE = new LossFunction('HINGE', () => new LossHinge());
  static readonly SQUARED_HINGE = new LossFunction('SQUARED_HINGE', () => new LossSquaredHinge());
  static readonly KL_DIVERGENCE = new LossFunction('KL_DIVERGENCE', () => new LossKLD());
  static readonly MEAN_ABSOLUTE_ERROR = new LossFunction('MEAN_ABSOLUTE_ERROR', () => new LossMAE());
  static readonly L2 = new LossFunction('L2', () => new LossL2());
  static readonly MEAN_ABSOLUTE_PERCENTAGE_ERROR = new LossFunction(
    'MEAN_ABSOLUTE_PERCENTAGE_ERROR',
    () => new LossMAPE(),
  );
  static readonly MEAN_SQUARED_LOGARITHMIC_ERROR = new LossFunction(
    'MEAN_SQUARED_LOGARITHMIC_ERROR',
    () => new LossMSLE(),
  );
  static readonly POISSON = new LossFunction('POISSON', () => new LossPoisson());
  static readonly WASSERSTEIN = new LossFunction('WASSERSTEIN', () => new LossWasserstein());

  private constructor(
    private readonly label: string,
    private readonly make: () => ILossFunction,
  ) {
    LossFunction.all.push(this);
  }

  /** All values, in ND4J's order. */
  static values(): readonly LossFunction[] {
    return [...LossFunction.all];
  }

  /** A new loss with default options. */
  getILossFunction(): ILossFunction {
    return this.make();
  }

  /** The name, as in `MCXENT`. */
  name(): string {
    return this.label;
  }

  /** The same as `name()`. */
  toString(): string {
    return this.label;
  }
}
