// SPDX-License-Identifier: Apache-2.0
import { optionError } from '../errors';
import { readFlag } from '../options';
import type { IUpdater } from './updaters';

/** What a training configuration says. */
interface Settings {
  readonly updater?: IUpdater;
  readonly features?: readonly string[];
  readonly labels?: readonly string[];
  readonly minimize?: boolean;
}

/**
 * How a graph is trained: the updater, and which placeholders the arrays of a data set go to.
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
  /** Do steps lessen the losses? */
  readonly minimize: boolean;

  /** @internal Made by its builder. */
  constructor({ updater, features = [], labels = [], minimize = true }: Settings) {
    this.updater = readUpdater(updater);
    this.dataSetFeatureMapping = features;
    this.dataSetLabelMapping = labels;
    this.minimize = minimize;
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
   * builder.dataSetFeatureMapping('image', 'age').build().dataSetFeatureMapping; // ["image", "age"]
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

function readNames(what: string, names: readonly unknown[]): readonly string[] {
  if (names.length === 0) throw optionError(what, 'at least one name', 'none');
  for (const name of names) if (typeof name !== 'string') throw optionError(what, 'names of placeholders', name);
  return names as readonly string[];
}
