// SPDX-License-Identifier: Apache-2.0
// Training: batches in, steps of the parameters, until the epochs are done.
import type { ArrayInput } from '../array-input';
import { optionError, shapeError } from '../errors';
import { readSignal, throwIfAborted } from '../losses/async-call';
import { allocateArray, type NDArray } from '../ndarray/ndarray';
import { readInteger } from '../options';
import { nextTurn } from '../runtime';
import { reachable } from './graph';
import { type At, History, type Listener, Loss, LossCurve } from './listeners';
import { ParameterStep, penaltiesOf } from './parameter-step';
import type { SameDiff } from './samediff';
import type { Session } from './session';
import type { TrainingConfig } from './training-config';
import type { IUpdater } from './updaters';
import type { Placeholders, SDVariable } from './variable';

/**
 * Arrays for one step: by the names of placeholders; or of a training configuration with mappings, a `DataSet`.
 *
 * @example
 * ```ts
 * import { type Batch, nd } from 'simdloss';
 * const batch: Batch = { x: nd.zeros([64, 784]), y: nd.zeros([64, 10]) };
 * ```
 * @see ND4J `org.nd4j.linalg.dataset.MultiDataSet`
 */
export type Batch = Placeholders | DataSet;

/** Arrays for the placeholders that a training configuration maps: where it maps several, as many in a list. */
export interface DataSet {
  /** Of the placeholders of `dataSetFeatureMapping`. */
  readonly features: ArrayInput | readonly ArrayInput[];
  /** Of the placeholders of `dataSetLabelMapping`. */
  readonly labels?: ArrayInput | readonly ArrayInput[] | undefined;
}

/** Batches in order, each perhaps a promise. */
type Batches = Iterable<Batch | Promise<Batch>> | AsyncIterable<Batch>;

/** The batches of every epoch; or a function of the epoch, counted from 0, that gives them. */
export type TrainingData = Batches | ((epoch: number) => Batches);

/** What `SameDiff.fit` takes. */
export interface FitOptions {
  /** Read anew for every epoch: an array, or a function that returns what a generator makes. */
  readonly data: TrainingData;
  /** How often the data is gone through; 1 if not given. */
  readonly epochs?: number | undefined;
  /** In place of a training configuration; the same object goes on where the last call of `fit` ended. */
  readonly updater?: IUpdater | undefined;
  /** Are told of epochs and batches. */
  readonly listeners?: readonly Listener[] | undefined;
  /** Ends the training when the next batch has come, before its step: the promise rejects with the reason. */
  readonly signal?: AbortSignal | undefined;
}

/** After so many milliseconds of training the event loop gets a turn. */
const TURN = 10;

/** What is computed of a batch: the sum of each loss, then the gradient of each parameter. */
interface Computation {
  /** Of losses, then of penalties. */
  readonly lossNames: readonly string[];
  readonly steps: readonly ParameterStep[];
  readonly session: Session;
  readonly outs: readonly NDArray[];
}

/** The training of a graph: how far it is, and what the updater keeps. */
export class Training {
  private epoch = 0;
  private iteration = 0;
  isRunning = false;
  private readonly steps = new Map<SDVariable, ParameterStep>();

  constructor(
    private readonly sd: SameDiff,
    readonly config: TrainingConfig,
  ) {}

  async fit(options: FitOptions): Promise<History> {
    const { data, listeners = [], signal } = options;
    const epochs = readInteger('epochs', options.epochs, 1) ?? 1;
    const computation = this.computation();
    if (this.isRunning) throw optionError('fit', 'a graph that is not being trained', 'a second call');
    throwIfAborted(signal);
    this.isRunning = true;
    try {
      const begin = performance.now();
      const losses: Loss[] = [];
      let isDone = false;
      for (let i = 0; i < epochs && !isDone; i++) {
        const epochBegin = performance.now();
        const at = this.at();
        for (const listener of listeners) await listener.epochStart?.(this.sd, at);
        losses.push(await this.trainEpoch(typeof data === 'function' ? data(i) : data, computation, listeners, signal));
        const curve = new LossCurve([...losses]);
        const time = performance.now() - epochBegin;
        for (const listener of listeners) {
          const response = await listener.epochEnd?.(this.sd, { ...at, iteration: this.iteration }, curve, time);
          isDone ||= response === 'STOP';
        }
        this.epoch++;
      }
      return new History(new LossCurve(losses), performance.now() - begin);
    } finally {
      this.isRunning = false;
    }
  }

  private async trainEpoch(
    batches: unknown,
    computation: Computation,
    listeners: readonly Listener[],
    signal: AbortSignal | undefined,
  ): Promise<Loss> {
    const { lossNames } = computation;
    const totals = lossNames.map(() => 0);
    let count = 0;
    let turn = performance.now();
    for await (const batch of readBatches(batches)) {
      throwIfAborted(signal);
      const at = this.at();
      for (const listener of listeners) await listener.iterationStart?.(this.sd, at, batch);
      const losses = this.step(batch, computation);
      for (const [i, loss] of losses.entries()) totals[i] = (totals[i] as number) + loss;
      count++;
      if (listeners.length > 0) {
        const loss = new Loss(lossNames, losses);
        for (const listener of listeners) await listener.iterationDone?.(this.sd, at, batch, loss);
      }
      if (performance.now() - turn > TURN) {
        await nextTurn();
        turn = performance.now();
      }
    }
    if (count === 0)
      throw optionError('data', 'at least one batch in every epoch', 'none; a generator ends with the first');
    return new Loss(
      lossNames,
      totals.map((total) => total / count),
    );
  }

  /** One step of all parameters. Returns losses and penalties before it. */
  private step(batch: Batch, { steps, session, outs }: Computation): number[] {
    const losses = session
      .run(checkRows(this.placeholders(batch)), outs)
      .slice(0, -steps.length)
      .map((sum) => sum.getDouble(0));
    const penalties = sumOfEach(steps.map((step) => step.penalties()));
    const at = this.at();
    const rate = this.config.updater.rate(at);
    if (typeof rate !== 'number') throw optionError('updater', 'a number as rate', rate);
    for (const step of steps) step.run(rate);
    this.iteration++;
    return [...losses, ...penalties];
  }

  private at(): At {
    return { epoch: this.epoch, iteration: this.iteration };
  }

  /** What the graph's losses are now, and the parameters that they depend on. */
  private computation(): Computation {
    const { sd, config } = this;
    for (const mapping of ['dataSetFeatureMapping', 'dataSetLabelMapping'] as const) {
      for (const name of config[mapping]) {
        const isPlaceholder = sd.hasVariable(name) && sd.getVariable(name).variableType === 'PLACEHOLDER';
        if (!isPlaceholder) throw optionError(mapping, 'the name of a placeholder', name);
      }
    }
    const losses = sd.getLossVariables();
    const used = new Set(reachable(losses.map(({ node }) => node)));
    const parameters = sd.trainableVariables().filter(({ node }) => used.has(node));
    const gradients = sd.gradientNodes(parameters);
    if (parameters.length === 0) throw optionError('loss', 'a loss that depends on a variable of sd.var', 'none');
    const steps = parameters.map((parameter) => this.stepOf(parameter));
    const sums = losses.map(({ node }) => sd.graph.sum(node, [...node.shape.keys()]));
    return {
      lossNames: [...losses.map((loss) => loss.name()), ...penaltiesOf(config).map(({ name }) => name)],
      steps,
      session: sd.sessionOf([...sums, ...gradients]),
      outs: [...sums.map(({ shape }) => allocateArray('float64', shape)), ...steps.map(({ gradient }) => gradient)],
    };
  }

  private stepOf(parameter: SDVariable): ParameterStep {
    let step = this.steps.get(parameter);
    if (step === undefined) {
      step = new ParameterStep(parameter.name(), this.sd.arrayOf(parameter), this.config);
      this.steps.set(parameter, step);
    }
    return step;
  }

  private placeholders(batch: Batch): Placeholders {
    const { dataSetFeatureMapping: features, dataSetLabelMapping: labels } = this.config;
    if (typeof batch !== 'object' || batch === null) throw optionError('data', 'batches of arrays by name', batch);
    if (features.length + labels.length === 0) return batch as Placeholders;
    const dataSet = batch as Partial<DataSet>;
    return { ...mapped('features', features, dataSet.features), ...mapped('labels', labels, dataSet.labels) };
  }
}

/** A mean over no rows would make all parameters NaN. */
function checkRows(arrays: Placeholders): Placeholders {
  for (const [name, array] of Object.entries(arrays)) {
    const { shape, length } = Object(array) as { readonly shape?: unknown; readonly length?: unknown };
    if ((Array.isArray(shape) ? shape[0] : length) === 0) throw shapeError(`batch: ${name}`, 'at least one row', array);
  }
  return arrays;
}

function sumOfEach(lists: readonly (readonly number[])[]): readonly number[] {
  return lists.reduce((sums, list) => sums.map((sum, i) => sum + (list[i] as number)));
}

/** Arrays by the names that they are mapped to. */
function mapped(what: string, names: readonly string[], given: DataSet['labels']): Placeholders {
  const arrays = names.length === 1 ? [given] : given;
  if (names.length > 0 && (!Array.isArray(arrays) || arrays.length !== names.length || arrays[0] === undefined)) {
    throw optionError(
      what,
      names.length === 1 ? `an array for ${names[0]}` : `a list of ${names.length} arrays`,
      given,
    );
  }
  return Object.fromEntries(names.map((name, i) => [name, (arrays as readonly ArrayInput[])[i] as ArrayInput]));
}

const METHODS = ['epochStart', 'iterationStart', 'iterationDone', 'epochEnd'] as const;
const OPTIONS: readonly string[] = ['data', 'epochs', 'updater', 'listeners', 'signal'];

/** A list of listeners, checked. */
export function readListeners(listeners: unknown): readonly Listener[] {
  if (!Array.isArray(listeners)) throw optionError('listeners', 'a list of objects', listeners);
  for (const listener of listeners) {
    if (typeof listener !== 'object' || listener === null) throw optionError('listeners', 'objects', listener);
    for (const method of METHODS) {
      const given: unknown = listener[method];
      if (given !== undefined && typeof given !== 'function') {
        throw optionError(`listeners: ${method}`, 'a method', given);
      }
    }
  }
  return listeners;
}

/** The options of `fit`, in either form. */
export function readFitOptions(
  data: FitOptions | TrainingData,
  epochs: number | undefined,
  listeners: readonly Listener[],
): FitOptions {
  const isData = typeof data === 'function' || isIterable(data);
  const options = (isData ? { data, epochs, listeners } : data) as FitOptions;
  if (typeof options !== 'object' || options === null) throw optionError('fit', 'data, or an object of options', data);
  if (!isData && (epochs ?? listeners[0]) !== undefined) {
    throw optionError('fit', 'nothing after an object of options', epochs ?? listeners[0]);
  }
  for (const name of Object.keys(options)) {
    if (!OPTIONS.includes(name)) throw optionError('fit option', `one of ${OPTIONS.join(', ')}`, name);
  }
  readListeners(options.listeners ?? []);
  readSignal(options.signal);
  return options;
}

function isIterable(value: unknown): value is Batches {
  const { [Symbol.asyncIterator]: turns, [Symbol.iterator]: all } = Object(value);
  return typeof (turns ?? all) === 'function';
}

function readBatches(batches: unknown): Batches {
  if (isIterable(batches)) return batches;
  throw optionError('data', 'an iterable of batches, or a function that returns one', batches);
}
