// SPDX-License-Identifier: Apache-2.0
import { type ArrayInput, type Dtype, isDtype, type Shape } from '../array-input';
import { keptIn } from '../bounded-map';
import { dtypeError, optionError, shapeError } from '../errors';
import { initialWeights, readWeightInit, type WeightInit } from '../layers/weight-init';
import type { RandomOptions } from '../ndarray/nd';
import type { NDArray } from '../ndarray/ndarray';
import { SDBaseOps } from './base-ops';
import { Expansion } from './expansion';
import { Graph, type Node, reachable, setNamer } from './graph';
import type { History, Listener } from './listeners';
import { SDLoss } from './loss';
import { SDMath } from './math';
import { SDNN } from './nn';
import { type Input, readArray, Session } from './session';
import { UNKNOWN } from './shapes';
import { Simplifier } from './simplifier';
import { type FitOptions, readFitOptions, readListeners, Training, type TrainingData } from './training';
import { TrainingConfig } from './training-config';
import { type Expression, type Placeholders, SDVariable, type Term, type VariableType } from './variable';

/** Sets of results that are kept ready to be computed again. */
const MOST_SESSIONS = 64;

/**
 * A graph of array expressions that is differentiated exactly and runs as fused SIMD code.
 *
 * @example
 * ```ts
 * import { nd, SameDiff } from 'simdloss';
 * const sd = SameDiff.create();
 * const x = sd.placeHolder('x', 'float32', [-1, 2]);
 * const w = sd.var('w', nd.array([[1], [2]]));
 * x.mmul(w).sum().rename('total');
 * sd.output({ x: [[1, 1], [2, 0]] }, 'total')['total']?.toArray(); // 5
 * ```
 * @see ND4J `org.nd4j.autodiff.samediff.SameDiff`
 */
export class SameDiff extends SDBaseOps {
  /** @internal What is written. */
  readonly graph = new Graph();
  private readonly expansion = new Expansion(new Simplifier(this.graph));
  private readonly inputs = new Map<Node, Input>();
  private readonly named = new Map<string, SDVariable>();
  private readonly sessions = new Map<string, Session>();
  private readonly counts = new Map<string, number>();
  private losses: SDVariable[] = [];
  private training: Training | undefined;
  private listeners: readonly Listener[] = [];

  /** Activations and layers. */
  readonly nn = new SDNN(this);
  /** Functions of elements. */
  readonly math = new SDMath(this);
  /** Losses. */
  readonly loss = new SDLoss(this);

  private constructor() {
    super();
  }

  /** An empty graph. */
  static create(): SameDiff {
    return new SameDiff();
  }

  // --- Inputs ---

  /**
   * An array that is given whenever the graph runs.
   *
   * @param name one that no other variable of the graph has
   * @param dtype of the arrays: float32 and float64, or whole numbers, for labels and masks
   * @param shape sizes, -1 for those that vary
   * @returns the variable
   * @throws TypeError ERR_OPTION for a name that is taken, ERR_DTYPE for no dtype; RangeError ERR_SHAPE for sizes that
   * can't be
   * @example
   * ```ts
   * import { SameDiff } from 'simdloss';
   * SameDiff.create().placeHolder('x', 'float32', [-1, 784]).shape; // [-1, 784]
   * ```
   */
  placeHolder(name: string, dtype: Dtype, shape: Shape): SDVariable {
    if (!isDtype(dtype)) throw dtypeError('dtype', "a dtype, as 'float32'", dtype);
    if (!Array.isArray(shape) || shape.some((size) => !Number.isSafeInteger(size) || size < UNKNOWN)) {
      throw shapeError('shape', 'whole numbers from -1 on', shape);
    }
    return this.input(name, 'PLACEHOLDER', dtype, [...shape], undefined);
  }

  /**
   * A parameter: its gradient is computed, and `fit` updates it.
   *
   * @param name one that no other variable of the graph has
   * @param array its value; typed arrays and NDArrays of floats are kept, not copied, and read whenever the graph runs
   * @param init how it begins, instead of an array: one of `WeightInit`
   * @param shape then its sizes: `[nIn, nOut]`, or any for `WeightInit.ZERO`
   * @param options `seed` = a new one each time, `dtype` = float32
   * @returns the variable
   * @throws TypeError ERR_OPTION for a name that is taken, or for options that can't be; ERR_DTYPE for no array of floats;
   * RangeError ERR_SHAPE for sizes that can't be, ERR_RANGE for a seed that can't be
   * @example
   * ```ts
   * import { nd, SameDiff, WeightInit } from 'simdloss';
   * const sd = SameDiff.create();
   * sd.var('W', WeightInit.XAVIER, [784, 10], { seed: 1 }).shape; // [784, 10]
   * sd.var('b', nd.zeros([10])).shape; // [10]
   * ```
   */
  var(name: string, array: ArrayInput): SDVariable;
  var(name: string, init: WeightInit, shape: Shape, options?: RandomOptions): SDVariable;
  var(name: string, value: ArrayInput | WeightInit, shape?: Shape, options?: RandomOptions): SDVariable {
    const array =
      typeof value === 'string'
        ? initialWeights(readWeightInit(name, value), shape as Shape, options)
        : readArray(value, name);
    const { dtype } = array;
    if (dtype !== 'float32' && dtype !== 'float64') throw dtypeError(name, 'float32 or float64', dtype);
    return this.input(name, 'VARIABLE', dtype, array.shape, array);
  }

  /**
   * An array, or a number, that stays as it is.
   *
   * @param name one that no other variable of the graph has; may be left out
   * @param value an array of any dtype, which is kept, not copied, unless it is of plain numbers; or a number
   * @returns the variable
   * @throws TypeError ERR_OPTION for a name that is taken, ERR_DTYPE for no array
   * @example
   * ```ts
   * import { SameDiff } from 'simdloss';
   * const sd = SameDiff.create();
   * sd.constant('c', [1, 2]).mul(sd.constant(10)).eval(); // [10, 20]
   * ```
   */
  constant(value: ArrayInput | number): SDVariable;
  constant(name: string, value: ArrayInput | number): SDVariable;
  constant(...args: [ArrayInput | number] | [string, ArrayInput | number]): SDVariable {
    const [name, value] = args.length === 1 ? [undefined, args[0]] : args;
    if (typeof value === 'number') return this.make(name, this.graph.constant(value), 'CONSTANT');
    const array = readArray(value, name ?? 'constant');
    return this.input(name ?? this.freshName('constant'), 'CONSTANT', array.dtype, array.shape, array);
  }

  // --- Variables ---

  /**
   * The variable of a name.
   *
   * @param name of a variable of the graph
   * @returns the variable
   * @throws TypeError ERR_OPTION where there is none
   * @example
   * ```ts
   * import { SameDiff } from 'simdloss';
   * const sd = SameDiff.create();
   * sd.var('w', [1, 2]).square('squares');
   * sd.getVariable('squares').shape; // [2]
   * ```
   */
  getVariable(name: string): SDVariable {
    const variable = this.named.get(name);
    if (variable === undefined) throw optionError('variable', 'the name of a variable of the graph', name);
    return variable;
  }

  /**
   * Tells whether there is a variable of a name.
   *
   * @param name any
   * @returns is there?
   * @example
   * ```ts
   * import { SameDiff } from 'simdloss';
   * SameDiff.create().hasVariable('w'); // false
   * ```
   */
  hasVariable(name: string): boolean {
    return this.named.has(name);
  }

  /** All variables, in the order in which they were made. */
  variables(): SDVariable[] {
    return [...this.named.values()];
  }

  /** The parameters, in the order in which they were made. */
  trainableVariables(): SDVariable[] {
    return this.variables().filter(({ variableType }) => variableType === 'VARIABLE');
  }

  /**
   * The array of a parameter or constant: its own, not a copy. What is written there counts from the next run on.
   *
   * @param variable a parameter or a constant, or its name
   * @returns the array
   * @throws TypeError ERR_OPTION for another variable, or an unknown name
   * @example
   * ```ts
   * import { SameDiff } from 'simdloss';
   * const sd = SameDiff.create();
   * const w = sd.var('w', [1, 2]);
   * sd.arrayOf(w).assign(3);
   * w.sum().eval(); // 6
   * ```
   */
  arrayOf(variable: SDVariable | string): NDArray {
    const { node } = variable instanceof SDVariable ? variable : this.getVariable(variable);
    const array = this.inputs.get(node)?.array;
    if (array === undefined) throw optionError('variable', 'a parameter or a constant', String(variable));
    return array;
  }

  // --- Running ---

  /**
   * Computes variables.
   *
   * @param placeholders an array for each placeholder that they depend on
   * @param names of the variables
   * @returns their values by name, each an array of its own
   * @throws TypeError ERR_OPTION for an unknown name or a missing placeholder; RangeError ERR_SHAPE for arrays that do not
   * fit, ERR_BUFFER for memory that is gone
   * @example
   * ```ts
   * import { SameDiff } from 'simdloss';
   * const sd = SameDiff.create();
   * const x = sd.placeHolder('x', 'float32', [-1]);
   * x.sum('sum');
   * x.max('largest');
   * const { sum, largest } = sd.output({ x: [1, 5, 3] }, 'sum', 'largest');
   * [sum?.toArray(), largest?.toArray()]; // [9, 5]
   * ```
   */
  output(placeholders: Placeholders, ...names: (string | readonly string[])[]): Record<string, NDArray> {
    const variables = names.flat().map((name) => this.getVariable(name));
    return this.byName(variables, this.evaluate(variables, placeholders));
  }

  /**
   * The gradients of the sum of all loss variables.
   *
   * @param placeholders an array for each placeholder that the losses depend on
   * @param names of the variables to differentiate for: parameters, placeholders, or any that the losses are made from
   * @returns the gradients by the variables' names, each an array of its own
   * @throws TypeError ERR_OPTION for an unknown name, a missing placeholder, or a graph without loss variables; RangeError
   * ERR_SHAPE for arrays that do not fit, ERR_BUFFER for memory that is gone
   * @example
   * ```ts
   * import { SameDiff } from 'simdloss';
   * const sd = SameDiff.create();
   * sd.setLossVariables(sd.var('w', [3, 4]).square());
   * sd.calculateGradients({}, 'w')['w']; // [6, 8]
   * ```
   */
  calculateGradients(placeholders: Placeholders, ...names: (string | readonly string[])[]): Record<string, NDArray> {
    return this.calculateGradientsAndOutputs(placeholders, [], names.flat()).gradients;
  }

  /**
   * The gradients of the sum of all loss variables, and values of variables, in one run.
   *
   * @param placeholders an array for each placeholder that the losses and the outputs depend on
   * @param outputs names of the variables to compute
   * @param gradients names of the variables to differentiate for
   * @returns `outputs` and `gradients`, each by the variables' names
   * @throws TypeError ERR_OPTION for an unknown name, a missing placeholder, or a graph without loss variables; RangeError
   * ERR_SHAPE for arrays that do not fit
   * @example
   * ```ts
   * import { nd, SameDiff } from 'simdloss';
   * const sd = SameDiff.create();
   * sd.setLossVariables(sd.var('w', nd.array([3, 4])).square().sum('loss'));
   * const { outputs, gradients } = sd.calculateGradientsAndOutputs({}, ['loss'], ['w']);
   * [outputs['loss']?.toArray(), gradients['w']?.toArray()]; // [25, [6, 8]]
   * ```
   */
  calculateGradientsAndOutputs(
    placeholders: Placeholders,
    outputs: readonly string[],
    gradients: readonly string[],
  ): { readonly outputs: Record<string, NDArray>; readonly gradients: Record<string, NDArray> } {
    const values = this.variablesOf('outputs', outputs);
    const wrt = this.variablesOf('gradients', gradients);
    const [losses, of, to] = [this.losses, values, wrt].map((list) => idsOf(list.map(({ node }) => node)));
    const session = this.session(`gradients ${losses} ${of} ${to}`, () => [
      ...values.map(({ node }) => node),
      ...this.gradientNodes(wrt),
    ]);
    const arrays = session.run(placeholders);
    return {
      outputs: this.byName(values, arrays),
      gradients: this.byName(wrt, arrays.slice(values.length)),
    };
  }

  /**
   * Says which variables `calculateGradients` and `fit` differentiate, in place of all outputs of `sd.loss`.
   *
   * @param losses variables or their names
   * @throws TypeError ERR_OPTION for an unknown name, or a variable of another graph
   * @example
   * ```ts
   * import { SameDiff } from 'simdloss';
   * const sd = SameDiff.create();
   * sd.setLossVariables(sd.var('w', [3, 4]).square('squares'));
   * sd.getLossVariables().map((loss) => loss.name()); // ['squares']
   * ```
   */
  setLossVariables(...losses: (SDVariable | string)[]): void {
    this.losses = losses.map((loss) => (typeof loss === 'string' ? this.getVariable(loss) : this.own(loss)));
    this.chosen = true;
  }

  /** The loss variables. */
  getLossVariables(): SDVariable[] {
    return [...this.losses];
  }

  private chosen = false;

  // --- Training ---

  /**
   * Says how `fit` trains. Training begins anew: what an updater kept of earlier steps is gone, the parameters stay.
   *
   * @param config made by `TrainingConfig.builder()`
   * @throws TypeError ERR_OPTION for anything else, or while the graph is being trained
   * @example
   * ```ts
   * import { Adam, SameDiff, TrainingConfig } from 'simdloss';
   * const sd = SameDiff.create();
   * sd.setTrainingConfig(TrainingConfig.builder().updater(new Adam(1e-3)).build());
   * sd.getTrainingConfig()?.minimize; // true
   * ```
   */
  setTrainingConfig(config: TrainingConfig): void {
    if (!(config instanceof TrainingConfig)) throw optionError('config', 'a TrainingConfig', config);
    if (this.training?.isRunning) throw optionError('config', 'a graph that is not being trained', 'another one');
    this.training = new Training(this, config);
  }

  /** How `fit` trains; undefined where it has not been said. */
  getTrainingConfig(): TrainingConfig | undefined {
    return this.training?.config;
  }

  /**
   * Sets listeners of every call of `fit`; those that a call is given are told after them.
   *
   * @param listeners in place of the ones before
   * @throws TypeError ERR_OPTION for what is no listener
   * @example
   * ```ts
   * import { SameDiff, ScoreListener } from 'simdloss';
   * SameDiff.create().setListeners(new ScoreListener(100));
   * ```
   */
  setListeners(...listeners: Listener[]): void {
    this.listeners = readListeners(listeners);
  }

  /**
   * Trains the parameters that the loss variables depend on, batch after batch, in place in their arrays.
   *
   * A batch has arrays by the placeholders' names; with a training configuration that maps features and labels it is a
   * `DataSet`. Batches may differ in rows, and may be promises; one of no rows is an error. Gradients are those of the sum of the loss variables, with
   * nothing divided by the rows: that is the losses' to do, as a mean does. The event loop gets a turn every 10 ms, and
   * between batches the graph may be used, as in a listener.
   *
   * A later call goes on where the last one ended: updaters keep their state, unless another configuration or updater is
   * given. After an error or an abort the parameters are those after the last whole batch.
   *
   * @param options `data`, `epochs`, `updater` (in place of a training configuration), `listeners` and `signal`; or, as
   * arguments:
   * @param data an iterable of batches, or a function of the epoch that returns one
   * @param epochs how often it is gone through, 1 if not given
   * @param listeners are told of epochs and batches
   * @returns a promise of the mean losses of the epochs
   * @throws TypeError ERR_OPTION for an option that can't be, an epoch without batches, no updater, no loss that depends on a
   * parameter, or a graph that is being trained; RangeError and TypeError as `output`, for batches; all as rejections
   * @example
   * ```ts
   * import { nd, SameDiff, Sgd } from 'simdloss';
   * const sd = SameDiff.create();
   * const [x, y] = [sd.placeHolder('x', 'float32', [-1, 1]), sd.placeHolder('y', 'float32', [-1, 1])];
   * const w = sd.var('w', nd.zeros([1, 1]));
   * sd.setLossVariables(x.mmul(w).sub(y).square().mean());
   * const data = [{ x: [[1], [2]], y: [[3], [6]] }];
   * const history = await sd.fit({ data, epochs: 20, updater: new Sgd(0.1) });
   * history.lossCurve().meanLoss()[0]; // 22.5
   * sd.arrayOf(w); // [[3]]
   * ```
   */
  fit(options: FitOptions): Promise<History>;
  fit(data: TrainingData, epochs?: number, ...listeners: Listener[]): Promise<History>;
  async fit(data: FitOptions | TrainingData, epochs?: number, ...listeners: Listener[]): Promise<History> {
    const options = readFitOptions(data, epochs, listeners);
    const { updater } = options;
    if (updater !== undefined && updater !== this.training?.config.updater) {
      this.setTrainingConfig(TrainingConfig.builder().updater(updater).build());
    }
    if (this.training === undefined) throw optionError('fit', 'an updater, or setTrainingConfig before', 'none');
    return this.training.fit({ ...options, listeners: [...this.listeners, ...(options.listeners ?? [])] });
  }

  // --- For the variables, the namespaces and the losses ---

  /** @internal Counts a variable among the losses, unless they have been chosen. */
  addLoss(variable: SDVariable): SDVariable {
    if (!this.chosen) this.losses.push(variable);
    return variable;
  }

  /** @internal The values of variables. */
  evaluate(variables: readonly SDVariable[], placeholders: Placeholders = {}): NDArray[] {
    return this.run(
      variables.map((variable) => this.own(variable).node),
      placeholders,
    );
  }

  /** @internal The gradients of the losses, in the shapes of the variables. */
  gradientNodes(variables: readonly SDVariable[]): Node[] {
    if (this.losses.length === 0) throw optionError('loss', 'a variable of sd.loss, or setLossVariables', 'none');
    const losses = this.losses.map(({ node }) => node);
    return this.gradientsOf(
      losses,
      variables.map(({ node }) => node),
    );
  }

  /** @internal The gradients of the sum of all elements of nodes. */
  gradientsOf(outputs: readonly Node[], wrt: readonly Node[]): Node[] {
    const nodes = wrt.map((each) => this.graph.gradient(outputs, each));
    // What has none is told now.
    this.expand(nodes);
    return nodes;
  }

  /** @internal Nodes as they are computed. */
  expand(nodes: readonly Node[]): Node[] {
    return this.expansion.of(nodes);
  }

  /** @internal Values of nodes. */
  run(nodes: readonly Node[], placeholders: Placeholders = {}): NDArray[] {
    return this.sessionOf(nodes).run(placeholders);
  }

  /** @internal What computes nodes again and again. */
  sessionOf(nodes: readonly Node[]): Session {
    return this.session(`values ${idsOf(nodes)}`, () => nodes);
  }

  /** @internal The same, kept by a key that says which ones. */
  session(key: string, nodesOf: () => readonly Node[]): Session {
    return keptIn(this.sessions, key, MOST_SESSIONS, () => {
      const nodes = nodesOf();
      const roots = this.expand(nodes);
      const inputsOf = (of: readonly Node[]) =>
        reachable(of).flatMap((node) => (node.op === 'input' ? this.inputOf(node) : []));
      // What is written tells the dtype, were it of inputs that nothing depends on in the end.
      const isDouble = inputsOf(nodes).some(({ dtype }) => dtype === 'float64');
      return new Session(roots, inputsOf(roots), isDouble ? 'float64' : 'float32');
    });
  }

  /** What stands behind an input: that of an expression of a loss is known to the loss alone. */
  private inputOf(node: Node): Input {
    const input = this.inputs.get(node);
    if (input === undefined)
      throw optionError(String(node.attributes['name']), 'a value, which it has in calls alone', 'none');
    return input;
  }

  /** @internal A variable for a node. */
  make(name: string | undefined, node: Node, type: VariableType = 'ARRAY', op: string = node.op): SDVariable {
    const label = name ?? this.freshName(op);
    const variable = new SDVariable(this, label, node, type);
    this.take(label, variable);
    return variable;
  }

  /** @internal A variable for an expression of operands. */
  express<const Operands extends readonly Term[]>(
    name: string | undefined,
    operands: Operands,
    make: Expression<Operands>,
  ): SDVariable {
    const nodes = operands.map((operand) => this.nodeOf(operand)) as { [I in keyof Operands]: Node };
    return this.make(name, make(this.graph, nodes));
  }

  /** @internal The node of an operand. */
  nodeOf(term: Term, name = 'operand'): Node {
    if (typeof term === 'number') return this.graph.number(term);
    return this.own(term, name).node;
  }

  /** @internal Gives a name to a variable. */
  take(name: string, variable: SDVariable): void {
    if (typeof name !== 'string' || name === '') throw optionError('name', 'a text', name);
    if (this.named.has(name)) throw optionError('name', 'one that no other variable has', name);
    this.named.set(name, variable);
    setNamer(variable.node, variable);
  }

  /** @internal */
  release(name: string): void {
    this.named.delete(name);
  }

  /** @internal The variable, once it is seen to be one of this graph. */
  own(variable: SDVariable, name = 'operand'): SDVariable {
    if (!(variable instanceof SDVariable)) throw dtypeError(name, 'a variable or a number', variable);
    if (variable.sameDiff !== this) throw optionError(name, 'a variable of the same graph', variable.name());
    return variable;
  }

  private input(name: string, type: VariableType, dtype: Dtype, shape: Shape, array: NDArray | undefined): SDVariable {
    if (this.named.has(name)) throw optionError('name', 'one that no other variable has', name);
    const variable = this.make(name, this.graph.input(name, shape), type);
    this.inputs.set(variable.node, { variable, dtype, array });
    return variable;
  }

  private freshName(op: string): string {
    for (;;) {
      const count = this.counts.get(op) ?? 0;
      this.counts.set(op, count + 1);
      const name = count === 0 ? op : `${op}_${count}`;
      if (!this.named.has(name)) return name;
    }
  }

  private variablesOf(what: string, names: readonly string[]): SDVariable[] {
    if (!Array.isArray(names)) throw optionError(what, 'a list of names', names);
    return names.map((name) => this.getVariable(name));
  }

  private byName(variables: readonly SDVariable[], arrays: readonly NDArray[]): Record<string, NDArray> {
    return Object.fromEntries(variables.map((variable, i) => [variable.name(), arrays[i] as NDArray]));
  }
}

function idsOf(nodes: readonly Node[]): string {
  return nodes.map(({ id }) => id).join();
}
