// SPDX-License-Identifier: Apache-2.0
import { optionError } from '../errors';
import { readFlag, readNumber } from '../options';
import type { IUpdater } from './updaters';

/** What a training configuration says. */
interface Settings {
  readonly updater?: IUpdater;
  readonly features?: readonly string[];
  readonly labels?: readonly string[];
  readonly minimize?: boolean;
  readonly l1?: number;
  readonly l2?: number;
  readonly weightDecay?: number;
  readonly applyLearningRate?: boolean;
}

/**
 * How a graph is trained: the updater, penalties of large parameters, and which placeholders the arrays of a data set go to.
 *
 * @example
 * ```ts
 * import { Adam, TrainingConfig } from 'simdloss';
 * const config = TrainingConfig.builder()
 *   .updater(new Adam(1e-3))
 *   .dataSetFeatureMapping('x')
 *   .dataSetLabelMapping('y')
 *   .build();
 * config.dataSetLabelMapping; // ['y']
 * ```
 * @see ND4J `org.nd4j.autodiff.samediff.TrainingConfig`
 */
export class TrainingConfig {
  /** Makes steps of gradients. */
  readonly updater: IUpdater;
  /** The placeholders that features go to. Without any, batches name their placeholders. */
  readonly dataSetFeatureMapping: readonly string[];
  /** The placeholders that labels go to. */
  readonly dataSetLabelMapping: readonly string[];
  /** Whether steps lessen the losses. */
  readonly minimize: boolean;
  /** What the sum of the parameters' magnitudes counts among the losses. */
  readonly l1: number;
  /** What half the sum of their squares counts. */
  readonly l2: number;
  /** The share of each parameter that a step takes off. */
  readonly weightDecay: number;
  /** Whether it is that share times the learning rate. */
  readonly applyLearningRate: boolean;

  /** @internal Made by its builder. */
  constructor(settings: Settings) {
    this.updater = readUpdater(settings.updater);
    this.dataSetFeatureMapping = settings.features ?? [];
    this.dataSetLabelMapping = settings.labels ?? [];
    this.minimize = settings.minimize ?? true;
    this.l1 = settings.l1 ?? 0;
    this.l2 = settings.l2 ?? 0;
    this.weightDecay = settings.weightDecay ?? 0;
    this.applyLearningRate = settings.applyLearningRate ?? true;
  }

  /** Sets a configuration up, method by method. */
  static builder(): TrainingConfigBuilder {
    return new TrainingConfigBuilder();
  }
}

/**
 * Sets up a `TrainingConfig`; `build` makes it.
 *
 * @example
 * ```ts
 * import { Sgd, TrainingConfig } from 'simdloss';
 * TrainingConfig.builder().updater(new Sgd(0.1)).build().minimize; // true
 * ```
 * @see ND4J `org.nd4j.autodiff.samediff.TrainingConfig.Builder`
 */
export class TrainingConfigBuilder {
  private settings: Settings = {};

  /**
   * Sets what makes steps of gradients; required.
   *
   * @param updater `Sgd`, `Nesterovs`, `Adam`, or one of your own
   * @returns the builder
   * @throws TypeError ERR_OPTION for anything else
   * @example
   * ```ts
   * import { Adam, TrainingConfig } from 'simdloss';
   * TrainingConfig.builder().updater(new Adam()).build().updater.stateSize; // 2
   * ```
   */
  updater(updater: IUpdater): this {
    return this.with({ updater: readUpdater(updater) });
  }

  /**
   * Sets the placeholders that the features of a data set go to. Without it, batches name their placeholders.
   *
   * @param names of placeholders
   * @returns the builder
   * @throws TypeError ERR_OPTION for no name
   * @example
   * ```ts
   * import { Adam, TrainingConfig } from 'simdloss';
   * const builder = TrainingConfig.builder().updater(new Adam());
   * builder.dataSetFeatureMapping('image', 'age').build().dataSetFeatureMapping; // ['image','age']
   * ```
   */
  dataSetFeatureMapping(...names: string[]): this {
    return this.with({ features: readNames('dataSetFeatureMapping', names) });
  }

  /** Sets the placeholders that the labels of a data set go to; otherwise as `dataSetFeatureMapping`. */
  dataSetLabelMapping(...names: string[]): this {
    return this.with({ labels: readNames('dataSetLabelMapping', names) });
  }

  /**
   * Sets whether steps lessen the losses; true if not said.
   *
   * @param minimize false to go up the gradient
   * @returns the builder
   * @throws TypeError ERR_OPTION for anything else
   * @example
   * ```ts
   * import { Sgd, TrainingConfig } from 'simdloss';
   * TrainingConfig.builder().updater(new Sgd()).minimize(false).build().minimize; // false
   * ```
   */
  minimize(minimize: boolean): this {
    return this.with({ minimize: readFlag('minimize', minimize, true) });
  }

  /**
   * Adds a penalty that draws parameters to 0: `l1 sum |w|` over all that are trained. The gradient of `l1 |w|` is added to
   * that of the losses before the updater sees it; the losses that listeners are told include it.
   *
   * @param l1 its factor, from 0 on
   * @returns the builder
   * @throws TypeError ERR_OPTION for no number, RangeError ERR_RANGE for one that can't be
   * @example
   * ```ts
   * import { Sgd, TrainingConfig } from 'simdloss';
   * TrainingConfig.builder().updater(new Sgd()).l1(1e-5).build().l1; // 1e-5
   * ```
   */
  l1(l1: number): this {
    return this.with({ l1: readFactor('l1', l1) });
  }

  /** Adds a penalty that keeps parameters small: `l2 / 2 sum w^2`; otherwise as `l1`. */
  l2(l2: number): this {
    return this.with({ l2: readFactor('l2', l2) });
  }

  /**
   * Has each step take off a share of the parameters, apart from what the updater makes of the gradient: with Adam this is
   * AdamW. Listeners are told `coefficient / 2 sum w^2`.
   *
   * Formula: `w -= step + learningRate coefficient w`, without the learning rate if it is not to be applied, or an updater
   * of your own has none.
   *
   * @param coefficient the share, from 0 on
   * @param applyLearningRate is it times the updater's learning rate? true if not given
   * @returns the builder
   * @throws TypeError ERR_OPTION for no number or no truth value, RangeError ERR_RANGE for a number that can't be
   * @example
   * ```ts
   * import { Adam, TrainingConfig } from 'simdloss';
   * TrainingConfig.builder().updater(new Adam(1e-3)).weightDecay(0.01).build().weightDecay; // 0.01
   * ```
   * @see Loshchilov & Hutter 2019
   */
  weightDecay(coefficient: number, applyLearningRate?: boolean): this {
    return this.with({
      weightDecay: readFactor('coefficient', coefficient),
      applyLearningRate: readFlag('applyLearningRate', applyLearningRate, true),
    });
  }

  /**
   * Makes the configuration; the builder may be used again.
   *
   * @returns the configuration
   * @throws TypeError ERR_OPTION without an updater
   * @example
   * ```ts
   * import { Sgd, TrainingConfig } from 'simdloss';
   * TrainingConfig.builder().updater(new Sgd()).build().dataSetFeatureMapping; // []
   * ```
   */
  build(): TrainingConfig {
    return new TrainingConfig(this.settings);
  }

  private with(settings: Settings): this {
    this.settings = { ...this.settings, ...settings };
    return this;
  }
}

function readUpdater(updater: unknown): IUpdater {
  const { stateSize, rate, applyUpdater } = (updater ?? {}) as Partial<IUpdater>;
  const isUpdater =
    Number.isSafeInteger(stateSize) &&
    (stateSize as number) >= 0 &&
    typeof rate === 'function' &&
    typeof applyUpdater === 'function';
  if (!isUpdater) throw optionError('updater', 'an updater, such as new Adam(1e-3)', updater);
  return updater as IUpdater;
}

function readFactor(name: string, value: unknown): number {
  if (value === undefined) throw optionError(name, 'a number', value);
  return readNumber(name, value, 0, 0, Number.MAX_VALUE);
}

function readNames(what: string, names: readonly unknown[]): readonly string[] {
  if (names.length === 0) throw optionError(what, 'at least one name', 'none');
  for (const name of names) if (typeof name !== 'string') throw optionError(what, 'names of placeholders', name);
  return names as readonly string[];
}
