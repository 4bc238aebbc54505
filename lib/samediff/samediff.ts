// SPDX-License-Identifier: Apache-2.0
import { type ArrayInput, type Dtype, isDtype, type Shape } from '../array-input';
import { dtypeError, optionError, shapeError } from '../errors';
import type { NDArray } from '../ndarray/ndarray';
import { gradients } from './gradient';
import { Graph, type Node, reachable } from './graph';
import { type Input, readArray, Session } from './session';
import { UNKNOWN } from './shapes';
import { type Placeholders, SDVariable, type Term, type VariableType } from './variable';

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
export class SameDiff {
  /** @internal */
  readonly graph = new Graph();
  private readonly inputs = new Map<Node, Input>();
  private readonly named = new Map<string, SDVariable>();
  private readonly sessions = new Map<string, Session>();
  private readonly counts = new Map<string, number>();
  private losses: SDVariable[] = [];

  private constructor() {}

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
   * @param array its value; an NDArray of floats is kept, not copied, and read whenever the graph runs
   * @returns the variable
   * @throws TypeError ERR_OPTION for a name that is taken, ERR_DTYPE for no array of floats
   */
  var(name: string, array: ArrayInput): SDVariable {
    const value = readArray(array, name);
    if (value.dtype !== 'float32' && value.dtype !== 'float64')
      throw dtypeError(name, 'float32 or float64', value.dtype);
    return this.input(name, 'VARIABLE', value.dtype, value.shape, value);
  }

  /**
   * An array, or a number, that stays as it is.
   *
   * @param name one that no other variable of the graph has; may be left out
   * @param value an array of any dtype, kept if it is an NDArray; or a number
   * @returns the variable
   * @throws TypeError ERR_OPTION for a name that is taken, ERR_DTYPE for no array
   */
  constant(value: ArrayInput | number): SDVariable;
  constant(name: string, value: ArrayInput | number): SDVariable;
  constant(...args: [ArrayInput | number] | [string, ArrayInput | number]): SDVariable {
    const [name, value] = args.length === 1 ? [undefined, args[0]] : args;
    if (typeof value === 'number') return this.make(name, this.graph.number(value), 'CONSTANT');
    const array = readArray(value, name ?? 'constant');
    return this.input(name ?? this.freshName('constant'), 'CONSTANT', array.dtype, array.shape, array);
  }

  // --- Variables ---

  /** The variable of a name. @throws TypeError ERR_OPTION where there is none */
  getVariable(name: string): SDVariable {
    const variable = this.named.get(name);
    if (variable === undefined) throw optionError('variable', 'the name of a variable of the graph', name);
    return variable;
  }

  /** Is there a variable of this name? */
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

  /** The array of a parameter or constant: its own, not a copy. */
  arrayOf(variable: SDVariable | string): NDArray {
    const { node } = typeof variable === 'string' ? this.getVariable(variable) : variable;
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
   * @returns their values by name
   * @throws TypeError ERR_OPTION for an unknown name or a missing placeholder; RangeError ERR_SHAPE for arrays that do not
   * fit
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
   * @returns the gradients by the variables' names
   * @throws TypeError ERR_OPTION for an unknown name, a missing placeholder, or a graph without loss variables
   */
  calculateGradients(placeholders: Placeholders, ...names: (string | readonly string[])[]): Record<string, NDArray> {
    const variables = names.flat().map((name) => this.getVariable(name));
    const key = `gradients ${idsOf(this.losses.map(({ node }) => node))} ${idsOf(variables.map(({ node }) => node))}`;
    return this.byName(variables, this.session(key, () => this.gradientNodes(variables)).run(placeholders));
  }

  /**
   * Says which variables `calculateGradients` and `fit` differentiate, in place of all outputs of `sd.loss`.
   *
   * @param losses variables or their names
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
    const { graph } = this;
    const one = graph.number(1);
    const nodes = variables.map(({ node }) => node);
    const found = gradients(
      graph,
      this.losses.map(({ node }) => [node, one] as const),
      nodes,
    );
    return nodes.map((node, i) => graph.broadcastLike(found[i] ?? 0, node));
  }

  /** @internal Values of nodes. */
  run(nodes: readonly Node[], placeholders: Placeholders = {}): NDArray[] {
    return this.session(`values ${idsOf(nodes)}`, () => nodes).run(placeholders);
  }

  /** @internal What computes nodes again and again, kept by a key that says which ones. */
  session(key: string, nodesOf: () => readonly Node[]): Session {
    const { sessions } = this;
    let session = sessions.get(key);
    if (session === undefined) {
      session = this.newSession(nodesOf());
      const [oldest] = sessions.keys();
      if (sessions.size >= MOST_SESSIONS && oldest !== undefined) sessions.delete(oldest);
      sessions.set(key, session);
    }
    return session;
  }

  /** @internal What computes nodes again and again. */
  newSession(nodes: readonly Node[]): Session {
    return new Session(
      nodes,
      reachable(nodes).flatMap((node) => this.inputs.get(node) ?? []),
    );
  }

  /** @internal A variable for a node. */
  make(name: string | undefined, node: Node, type: VariableType = 'ARRAY'): SDVariable {
    const label = name ?? this.freshName(node.op);
    const variable = new SDVariable(this, label, node, type);
    this.take(label, variable);
    return variable;
  }

  /** @internal The node of an operand. */
  nodeOf(term: Term): Node {
    if (typeof term === 'number') return this.graph.number(term);
    return this.own(term).node;
  }

  /** @internal Gives a name to a variable. */
  take(name: string, variable: SDVariable): void {
    if (typeof name !== 'string' || name === '') throw optionError('name', 'a text', name);
    if (this.named.has(name)) throw optionError('name', 'one that no other variable has', name);
    this.named.set(name, variable);
  }

  /** @internal */
  release(name: string): void {
    this.named.delete(name);
  }

  private own(variable: SDVariable): SDVariable {
    if (!(variable instanceof SDVariable)) throw dtypeError('operand', 'a variable or a number', variable);
    if (variable.sameDiff !== this) throw optionError('operand', 'a variable of the same graph', variable.name());
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

  private byName(variables: readonly SDVariable[], arrays: readonly NDArray[]): Record<string, NDArray> {
    return Object.fromEntries(variables.map((variable, i) => [variable.name(), arrays[i] as NDArray]));
  }
}

function idsOf(nodes: readonly Node[]): string {
  return nodes.map(({ id }) => id).join();
}
