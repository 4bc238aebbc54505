// SPDX-License-Identifier: Apache-2.0
// Who is told of a training as it goes on, and what is left of it.
import { optionError, rangeError } from '../errors';
import { readInteger } from '../options';
import type { SameDiff } from './samediff';
import type { Batch } from './training';

/** Where a training is: counted from 0 since the training configuration was set, over all calls of `fit`. */
export interface At {
  /** How many epochs are done. */
  readonly epoch: number;
  /** How many batches are done. */
  readonly iteration: number;
}

/**
 * The loss variables' values for a batch, or their means over an epoch. One that is no single number counts by the sum of
 * its elements.
 *
 * @example
 * ```ts
 * import { Loss } from 'simdloss';
 * new Loss(['data', 'penalty'], [0.5, 0.25]).totalLoss(); // 0.75
 * ```
 * @see ND4J `org.nd4j.autodiff.listeners.Loss`
 */
export class Loss {
  /** The names of the loss variables. */
  readonly lossNames: readonly string[];
  /** Their values. */
  readonly losses: readonly number[];

  /**
   * @param lossNames names of loss variables
   * @param losses as many values
   */
  constructor(lossNames: readonly string[], losses: readonly number[]) {
    this.lossNames = lossNames;
    this.losses = losses;
  }

  /** The sum of all. */
  totalLoss(): number {
    return this.losses.reduce((sum, loss) => sum + loss, 0);
  }

  /**
   * One of them.
   *
   * @param name of a loss variable
   * @returns its value
   * @throws TypeError ERR_OPTION for another name
   * @example
   * ```ts
   * import { Loss } from 'simdloss';
   * new Loss(['data', 'penalty'], [0.5, 0.25]).getLoss('penalty'); // 0.25
   * ```
   */
  getLoss(name: string): number {
    const loss = this.losses[this.lossNames.indexOf(name)];
    if (loss === undefined) throw optionError('loss', `one of ${this.lossNames.join(', ')}`, name);
    return loss;
  }
}

/** A call that may take its time: training waits. */
type MaybePromise<Value> = Value | Promise<Value>;

/**
 * Is told of a training as it goes on; every method may be left out, and may return a promise, for which training waits.
 *
 * @example
 * ```ts
 * import { type Listener, nd, SameDiff, Sgd } from 'simdloss';
 * const patience: Listener = {
 *   epochEnd: (_sd, _at, lossCurve) => (lossCurve.lastMeanLoss() < 0.5 ? 'STOP' : 'CONTINUE'),
 * };
 * const sd = SameDiff.create();
 * sd.setLossVariables(sd.var('w', nd.array([1])).square());
 * const history = await sd.fit({ data: [{}], epochs: 100, updater: new Sgd(0.1), listeners: [patience] });
 * history.trainingEpochs(); // 3
 * ```
 * @see ND4J `org.nd4j.autodiff.listeners.Listener`, `ListenerResponse`
 */
export interface Listener {
  /** Before the first batch of an epoch. */
  epochStart?(sd: SameDiff, at: At): MaybePromise<void>;
  /** Before a batch. */
  iterationStart?(sd: SameDiff, at: At, batch: Batch): MaybePromise<void>;
  /**
   * After a batch: the parameters have made their step.
   *
   * @param sd the graph
   * @param at where the training was before the batch
   * @param batch its arrays
   * @param loss the losses before the step
   * @example
   * ```ts
   * import { type Listener } from 'simdloss';
   * const trace: Listener = { iterationDone: (_sd, at, _batch, loss) => console.log(at.iteration, loss.totalLoss()) };
   * ```
   */
  iterationDone?(sd: SameDiff, at: At, batch: Batch, loss: Loss): MaybePromise<void>;
  /**
   * After the last batch of an epoch.
   *
   * @param sd the graph
   * @param at the epoch that is done, and how many batches are
   * @param lossCurve the epochs of this call of `fit` so far
   * @param epochTimeMillis how long the epoch took, in milliseconds
   * @returns 'STOP' to end the training
   * @throws what it likes: the promise of `fit` rejects with it
   * @example
   * ```ts
   * import { type Listener } from 'simdloss';
   * const stop: Listener = { epochEnd: (_sd, _at, curve) => (curve.lastMeanLoss() < 0.1 ? 'STOP' : 'CONTINUE') };
   * ```
   */
  epochEnd?(
    sd: SameDiff,
    at: At,
    lossCurve: LossCurve,
    epochTimeMillis: number,
    // biome-ignore lint/suspicious/noConfusingVoidType: a method that returns nothing goes on.
  ): MaybePromise<'CONTINUE' | 'STOP' | void>;
}

/**
 * Writes the loss every few batches, and the mean loss of every epoch.
 *
 * @example
 * ```ts
 * import { nd, SameDiff, ScoreListener, Sgd } from 'simdloss';
 * const sd = SameDiff.create();
 * sd.setLossVariables(sd.var('w', nd.array([1])).square());
 * const lines: string[] = [];
 * const listener = new ScoreListener(10, (line) => lines.push(line));
 * await sd.fit({ data: [{}], updater: new Sgd(0.1), listeners: [listener] });
 * lines[0]; // 'Loss at epoch 0, iteration 0: 1.0000'
 * ```
 * @see ND4J `org.nd4j.autodiff.listeners.impl.ScoreListener`
 */
export class ScoreListener implements Listener {
  private readonly frequency: number;
  private readonly log: (line: string) => void;

  /**
   * @param frequency how many batches it is from line to line, a whole number from 1 on
   * @param log takes the lines; `console.log` if not given
   * @throws RangeError ERR_RANGE or TypeError ERR_OPTION for another frequency, TypeError ERR_OPTION for no function
   */
  constructor(frequency = 10, log: (line: string) => void = console.log) {
    this.frequency = readInteger('frequency', frequency, 1) as number;
    if (typeof log !== 'function') throw optionError('log', 'a function', log);
    this.log = log;
  }

  iterationDone(_sd: SameDiff, { epoch, iteration }: At, _batch: Batch, loss: Loss): void {
    if (iteration % this.frequency !== 0) return;
    this.log(`Loss at epoch ${epoch}, iteration ${iteration}: ${loss.totalLoss().toPrecision(5)}`);
  }

  epochEnd(_sd: SameDiff, { epoch, iteration }: At, lossCurve: LossCurve, epochTimeMillis: number): void {
    const mean = lossCurve.lastMeanLoss().toPrecision(5);
    this.log(`Epoch ${epoch} complete on iteration ${iteration}: mean loss ${mean}, ${epochTimeMillis.toFixed(0)} ms`);
  }
}

/**
 * The mean losses of epochs: over their batches, each of which counts the same, however few rows the last one has.
 *
 * @example
 * ```ts
 * import { Loss, LossCurve } from 'simdloss';
 * const curve = new LossCurve([new Loss(['data'], [0.5]), new Loss(['data'], [0.25])]);
 * curve.meanLoss(); // [0.5, 0.25]
 * curve.lastMeanLoss('data'); // 0.25
 * ```
 * @see ND4J `org.nd4j.autodiff.listeners.records.LossCurve`
 */
export class LossCurve {
  private readonly epochs: readonly Loss[];

  /**
   * @param losses the mean losses of each epoch, at least one
   * @throws RangeError ERR_RANGE for none
   */
  constructor(losses: readonly Loss[]) {
    if (losses.length === 0) throw rangeError('losses', 'at least one epoch', losses);
    this.epochs = losses;
  }

  /** The mean losses of each epoch. */
  losses(): readonly Loss[] {
    return this.epochs;
  }

  /**
   * The mean loss of each epoch.
   *
   * @param name of a loss variable; the sum of all if not given
   * @returns a number an epoch
   * @throws TypeError ERR_OPTION for another name
   * @example
   * ```ts
   * import { Loss, LossCurve } from 'simdloss';
   * new LossCurve([new Loss(['data', 'penalty'], [0.5, 0.25])]).meanLoss('penalty'); // [0.25]
   * ```
   */
  meanLoss(name?: string): number[] {
    return this.epochs.map((loss) => (name === undefined ? loss.totalLoss() : loss.getLoss(name)));
  }

  /** The mean loss of the last epoch; otherwise as `meanLoss`. */
  lastMeanLoss(name?: string): number {
    return this.meanLoss(name).at(-1) as number;
  }
}

/**
 * What is left of a call of `fit`.
 *
 * @example
 * ```ts
 * import { nd, SameDiff, Sgd } from 'simdloss';
 * const sd = SameDiff.create();
 * sd.setLossVariables(sd.var('w', nd.array([1])).square());
 * const history = await sd.fit({ data: [{}], epochs: 3, updater: new Sgd(0.25) });
 * history.lossCurve().meanLoss(); // [1, 0.25, 0.0625]
 * ```
 * @see ND4J `org.nd4j.autodiff.listeners.records.History`
 */
export class History {
  private readonly curve: LossCurve;
  private readonly milliseconds: number;

  /** @internal Made by `fit`. */
  constructor(curve: LossCurve, milliseconds: number) {
    this.curve = curve;
    this.milliseconds = milliseconds;
  }

  /** The mean losses of the epochs. */
  lossCurve(): LossCurve {
    return this.curve;
  }

  /** How many epochs there were. */
  trainingEpochs(): number {
    return this.curve.losses().length;
  }

  /** How long it took, in milliseconds. */
  trainingTimeMillis(): number {
    return this.milliseconds;
  }
}
