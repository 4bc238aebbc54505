// SPDX-License-Identifier: Apache-2.0
// What defineLoss() says of labels and output, as score, score array and gradient of preOutput: one program of
// native/program.h where that can be, steps on the event loop otherwise.
import type { NativeActivation } from '../activations/native-activation';
import type { MatrixView, TypedArray } from '../array-input';
import { keptIn } from '../bounded-map';
import { checkClasses } from '../class-labels';
import { optionError, shapeError } from '../errors';
import { check, codeOf, dtypeCodes, failureOf, native, type Program, type Result, Status, slots } from '../native';
import { NDArray } from '../ndarray/ndarray';
import type { FloatDtype, Output } from '../outputs';
import { columnIndex, compile, Executor, operand } from '../samediff/executor';
import { gradients } from '../samediff/gradient';
import { BINARY, type Node, numberOf, type Op, reachable, UNARY } from '../samediff/graph';
import { onNumbers } from '../samediff/numbers';
import { makePlan, type Plan } from '../samediff/plan';
import type { ProgramCode } from '../samediff/program';
import type { Region } from '../samediff/regions';
import { SameDiff } from '../samediff/samediff';
import { isSame, type Sizes, type Space } from '../samediff/shapes';
import { Simplifier } from '../samediff/simplifier';
import { specialize } from '../samediff/specialize';
import { SDVariable } from '../samediff/variable';
import type { KeptCall, ThreadCall } from './base-loss';

const { block } = native;

/** The arrays of a call. */
export type LossArrays = readonly [
  preOutput: MatrixView,
  labels: MatrixView,
  mask: MatrixView | undefined,
  weights: MatrixView | undefined,
  alpha: MatrixView | undefined,
];

/** What the graph calls them. */
const NAMES = ['preOutput', 'labels', 'mask', 'weights', 'alpha'] as const;
const LABELS = 1;

/** What a call computes, as bits. */
export const SCORE = 1;
export const GRADIENT = 2;
export const SCORE_ARRAY = 4;

/** How a mask goes with preOutput. */
export type MaskKind = 'none' | 'example' | 'output';

/** A call of a kind, compiled. */
export interface CompiledLoss {
  run(arrays: LossArrays, dtype: FloatDtype, gradient: Output | undefined, scoreArray: TypedArray | undefined): number;
  keep(
    arrays: LossArrays,
    dtype: FloatDtype,
    gradient: Output | undefined,
    scoreArray: TypedArray | undefined,
  ): KeptCall;
  /** Undefined where it has to run on the event loop. */
  queue(arrays: LossArrays, dtype: FloatDtype): ThreadCall | undefined;
}

/** Numbers of rows for which a batch-wise expression is kept compiled. */
const MOST_ROWS = 16;
/** Two numbers of rows that no size of an expression is: what comes out the same for both is so for all. */
const ANY_ROWS = [1_000_003, 1_000_033] as const;

/** Operations whose elements depend on their own operands' elements alone. */
const ELEMENTWISE = new Set<Op>([...UNARY, ...BINARY, 'select', 'activation', 'slope', 'clip', 'detach']);

/** What `defineLoss` came to for one activation and numbers of columns. */
export class LossExpression {
  /** Arrays that the expression holds. */
  readonly constants: ReadonlyMap<Node, NDArray>;
  /** Is it a score per example, rather than one per output? */
  readonly perExample: boolean;
  private readonly graph: Simplifier;
  private readonly preOutput: Node;
  private readonly labels: Node;
  private readonly alpha: Node | undefined;
  /** `[n, 1]` or `[n, c]`. */
  private readonly loss: Node;
  private readonly kinds = new Map<number, Kind>();

  constructor(
    name: string,
    define: (sd: SameDiff, layerInput: SDVariable, labels: SDVariable) => SDVariable,
    activation: NativeActivation,
    cols: number,
    labelCols: number,
  ) {
    const sd = SameDiff.create();
    const g = new Simplifier(sd.graph);
    this.graph = g;
    this.preOutput = g.input('preOutput', [-1, cols]);
    const [rows] = this.preOutput.shape as [number];
    this.labels = g.input('labels', [rows, labelCols]);
    this.alpha = activation.kernel === 'PReLU' ? g.input('alpha', [cols]) : undefined;
    const output = sd.make('layerInput', this.activated(activation));
    const loss: unknown = define(sd, output, sd.make('labels', this.labels, 'PLACEHOLDER'));
    if (!(loss instanceof SDVariable)) throw optionError(name, 'an expression as loss', loss);
    if (loss.sameDiff !== sd) throw optionError(name, 'an expression of the graph that it was given', loss.name());
    const [node] = sd.expand([loss.node]) as [Node];
    this.constants = constantsOf(sd, node, name, [this.preOutput, this.labels, this.alpha]);
    const shape = this.shapeOf(node);
    const isColumn = isSame(shape, [ANY_ROWS[0]]) || isSame(shape, [ANY_ROWS[0], 1]);
    if (!isColumn && !isSame(shape, [ANY_ROWS[0], cols])) {
      throw shapeError(name, `a score per example, [-1] or [-1, 1], or per output, [-1, ${cols}]`, loss.shape);
    }
    this.perExample = isColumn && cols > 1;
    this.loss = shape.length === 1 ? g.expandDims(node, [1]) : node;
  }

  /** What computes calls of a kind: `wanted` are bits, at least one. */
  for(mask: MaskKind, weighted: boolean, wanted: number, rows: number): CompiledLoss {
    const key = wanted + 8 * (mask === 'none' ? 0 : mask === 'example' ? 1 : 2) + (weighted ? 24 : 0);
    let kind = this.kinds.get(key);
    if (kind === undefined) {
      const roots = this.roots(mask, weighted, wanted);
      const [first, second] = ANY_ROWS.map((any) => this.program(roots, wanted, any));
      const ofAnyRows = second !== undefined && first?.isSame(second) ? first : undefined;
      kind = { roots, ofAnyRows, byRows: new Map() };
      this.kinds.set(key, kind);
    }
    return kind.ofAnyRows ?? this.forRows(kind, wanted, rows);
  }

  private forRows({ roots, byRows }: Kind, wanted: number, rows: number): CompiledLoss {
    return keptIn(
      byRows,
      rows,
      MOST_ROWS,
      () => this.program(roots, wanted, rows) ?? new LossSteps(this.plan(roots, rows), wanted, this.constants),
    );
  }

  private activated(activation: NativeActivation): Node {
    const { graph: g, preOutput: z, alpha } = this;
    if (alpha !== undefined) return g.select(g.binary('lt', z, 0), g.mul(alpha, z), z);
    return activation.kernel === 'Softmax' ? g.softmax(z) : g.activation(activation.kernel, activation.params, z);
  }

  /** The nodes to compute, in the order of the bits of `wanted`. */
  private roots(mask: MaskKind, weighted: boolean, wanted: number): Node[] {
    const { graph: g, preOutput: z } = this;
    const [rows, cols] = z.shape as [number, number];
    const m = mask === 'none' ? undefined : g.input('mask', [rows, mask === 'example' ? 1 : cols]);
    const weightedLoss = weighted ? g.mul(this.loss, g.input('weights', [cols])) : this.loss;
    const isOut = m === undefined ? 0 : g.binary('eq', m, 0);
    const loss = m === undefined ? weightedLoss : g.select(isOut, 0, g.mul(m, weightedLoss));
    const roots: Node[] = [];
    if (wanted & SCORE) roots.push(g.sum(loss, [0, 1]));
    if (wanted & GRADIENT) {
      const [found = g.number(0)] = gradients(g, [[loss, g.number(1)]], [z]);
      // What is masked out has gradient 0 whatever the chain rule makes of a NaN there; but the outputs of a row that
      // depend on each other go on doing so.
      const isAlone = mask === 'example' || isElementwise(this.loss, z);
      const isDone = found.op === 'select' && found.inputs[0] === isOut && numberOf(found.inputs[1] as Node) === 0;
      roots.push(g.broadcastLike(isAlone && !isDone ? g.select(isOut, 0, found) : found, z));
    }
    if (wanted & SCORE_ARRAY) roots.push(g.sum(loss, [1]));
    return roots;
  }

  /** Sizes of the graph's inputs for a number of rows. */
  private sizesFor(rows: number): (input: Node) => Sizes {
    const [any] = this.preOutput.shape;
    return (input) => this.constants.get(input)?.shape ?? input.shape.map((size) => (size === any ? rows : size));
  }

  /** The shape of a node for any number of rows. */
  private shapeOf(node: Node): Sizes {
    try {
      return (specialize([node], new Simplifier(), this.sizesFor(ANY_ROWS[0]), new Map())[0] as Node).shape;
    } catch (error) {
      // Rows that an array of the expression has, and a batch need not have.
      if (error instanceof RangeError) error.message = error.message.replaceAll(String(ANY_ROWS[0]), '-1');
      throw error;
    }
  }

  private plan(roots: readonly Node[], rows: number): Plan {
    return makePlan(roots, this.sizesFor(rows), native.opcodes);
  }

  private program(roots: readonly Node[], wanted: number, rows: number): LossProgram | undefined {
    return LossProgram.of(this.plan(roots, rows), wanted, rows, this.constants);
  }
}

/** Calls that compute the same of the same kinds of arrays. */
interface Kind {
  readonly roots: readonly Node[];
  /** Where the number of rows does not matter. */
  readonly ofAnyRows: CompiledLoss | undefined;
  readonly byRows: Map<number, CompiledLoss>;
}

/** The arrays behind the inputs of an expression that are not the loss's own. */
function constantsOf(
  sd: SameDiff,
  loss: Node,
  name: string,
  own: readonly (Node | undefined)[],
): ReadonlyMap<Node, NDArray> {
  const variables = new Map(sd.variables().map((variable) => [variable.node, variable]));
  const constants = new Map<Node, NDArray>();
  for (const node of reachable([loss])) {
    if (node.op !== 'input' || own.includes(node)) continue;
    const variable = variables.get(node) as SDVariable;
    if (variable.variableType === 'PLACEHOLDER') {
      throw optionError(name, 'an expression of labels, output and constants', `the placeholder ${variable.name()}`);
    }
    constants.set(node, sd.arrayOf(variable));
  }
  return constants;
}

/** Does each element of `node` depend on its own element of `of` alone? */
function isElementwise(node: Node, of: Node): boolean {
  const varying = new Set([of]);
  for (const each of reachable([node])) {
    if (!each.inputs.some((input) => varying.has(input))) continue;
    if (!ELEMENTWISE.has(each.op) || !isSame(each.shape, of.shape)) return false;
    varying.add(each);
  }
  return true;
}

/** An input of a program: one of a call's arrays, by its place, or an array of the expression's own. */
interface Source {
  readonly from: number | Pick<MatrixView, 'data' | 'rowStride'>;
  readonly space: Space;
}

/** Labels that have to be class indices. */
interface ClassCheck {
  readonly classes: number;
  readonly name: string;
}

/** A call that is one program. */
class LossProgram implements CompiledLoss {
  private readonly program: Program;
  private readonly frame: Float64Array;

  private constructor(
    private readonly code: ProgramCode,
    private readonly region: Region,
    private readonly sources: readonly Source[],
    private readonly hasGradientFirst: boolean,
    private readonly checks: readonly ClassCheck[],
    private readonly scoreOf: (sum: number) => number,
  ) {
    ({ program: this.program, frame: this.frame } = compile(code, region));
    sources.forEach(({ space }, i) => {
      this.frame[5 + 3 * i] = space === 'element' || space === 'column' ? 1 : 0;
    });
  }

  /** The plan as one program over the rows; undefined where it takes more. */
  static of(
    { steps, roots, inputs }: Plan,
    wanted: number,
    rows: number,
    constants: ReadonlyMap<Node, NDArray>,
  ): LossProgram | undefined {
    const checks: ClassCheck[] = [];
    const labels = new Set<Node>();
    for (const step of steps) {
      if (step.kind !== 'kernel') continue;
      const [argument] = step.node.inputs as [Node];
      if (step.node.op !== 'classIndex' || placeOf(inputs.get(argument)) !== LABELS) return undefined;
      checks.push(step.node.attributes as unknown as ClassCheck);
      labels.add(step.node);
    }
    const [step, ...others] = steps.filter(({ kind }) => kind === 'program');
    if (step?.kind !== 'program' || others.length > 0 || step.region.rows !== rows) return undefined;
    const { program, region } = step;
    const sources: Source[] = [];
    for (const { node, space } of program.inputs) {
      const input = node === 'columnIndex' ? undefined : inputs.get(node);
      const constant = input && constants.get(input);
      const own =
        node === 'columnIndex'
          ? { data: columnIndex(region.cols, 'float64'), rowStride: 0 }
          : constant && operand(constant, space, region);
      const from = own ?? (labels.has(node as Node) ? LABELS : placeOf(input));
      if (from === undefined) return undefined;
      sources.push({ from, space });
    }
    const results = [...roots];
    const score = wanted & SCORE ? scoreFrom(results.shift() as Node, program.sums[0]?.result) : () => 0;
    const places = results.map((root) => program.outputs.findIndex(({ result }) => result === root));
    const isWhole = places.length === program.outputs.length && new Set(places).size === places.length;
    if (score === undefined || !isWhole || places.includes(-1) || program.sums.length > 1) return undefined;
    return new LossProgram(program, region, sources, places[0] === 0, checks, score);
  }

  /** Do the two do the same, but for the rows? */
  isSame(other: LossProgram): boolean {
    const text = ({ code, region, sources, scoreOf }: LossProgram) =>
      [code.code, code.constants, region.cols, sources.map(({ space }) => space), scoreOf(1)].join();
    return text(this) === text(other);
  }

  run(arrays: LossArrays, dtype: FloatDtype, gradient: Output | undefined, scoreArray: TypedArray | undefined): number {
    this.check(arrays);
    const { program, frame } = this;
    check(native.runProgram(program, frame, ...this.write(arrays, dtype, gradient, scoreArray)));
    return this.scoreOf(frame[frame.length - 1] as number);
  }

  keep(
    arrays: LossArrays,
    dtype: FloatDtype,
    gradient: Output | undefined,
    scoreArray: TypedArray | undefined,
  ): KeptCall {
    const passed = this.write(arrays, dtype, gradient, scoreArray);
    const call = native.bindProgram(this.program, this.frame, ...passed);
    if (call === undefined) throw failureOf(Status.BAD_ARGUMENT);
    const run = (): number => {
      this.check(arrays);
      return this.result(native.runBound(call));
    };
    return { arrays: passed, run };
  }

  queue(arrays: LossArrays, dtype: FloatDtype): ThreadCall {
    this.check(arrays);
    return {
      inputs: this.write(arrays, dtype),
      begin: () => native.asyncProgram(this.program, this.frame, ...this.write(arrays, dtype)),
      score: (status) => this.result(status),
    };
  }

  /** The score of a call that was kept, and has run. */
  private result(status: Result): number {
    check(status);
    return this.scoreOf(block[slots.score] as number);
  }

  private check(arrays: LossArrays): void {
    for (const { classes, name } of this.checks) checkClasses(arrays[LABELS], classes, name);
  }

  /** Writes the numbers of a call to the frame; returns its arrays. */
  private write(arrays: LossArrays, dtype: FloatDtype, gradient?: Output, scoreArray?: TypedArray): TypedArray[] {
    const { frame, sources, hasGradientFirst } = this;
    const passed: TypedArray[] = [];
    frame[0] = arrays[0].rows;
    frame[2] = dtypeCodes[dtype];
    let at = 3;
    for (const { from, space } of sources) {
      const { data, rowStride } = typeof from === 'number' ? (arrays[from] as MatrixView) : from;
      frame[at] = codeOf(data);
      frame[at + 1] = space === 'element' || space === 'row' ? rowStride : 0;
      at += 3;
      passed.push(data);
    }
    const put = (data: TypedArray | undefined, stride: number) => {
      if (data === undefined) return;
      frame[at++] = stride;
      passed.push(data);
    };
    if (hasGradientFirst) put(gradient?.data, gradient?.rowStride ?? 0);
    put(scoreArray, 1);
    if (!hasGradientFirst) put(gradient?.data, gradient?.rowStride ?? 0);
    return passed;
  }
}

/** Which of a call's arrays an input of the graph is. */
function placeOf(input: Node | undefined): number | undefined {
  const place = NAMES.indexOf(input?.attributes['name'] as (typeof NAMES)[number]);
  return place < 0 ? undefined : place;
}

/** A score from the one sum that it is made from; undefined where it is made from more. */
function scoreFrom(node: Node, sum: Node | undefined): ((sum: number) => number) | undefined {
  if (node === sum) return (value) => value;
  const fixed = numberOf(node);
  if (fixed !== undefined) return () => fixed;
  const f = onNumbers[node.op];
  const operands = node.inputs.map((input) => scoreFrom(input, sum));
  if (f === undefined || !operands.every((operand) => operand !== undefined)) return undefined;
  return (value) => f(...operands.map((operand) => operand(value)));
}

/** A call that takes several steps, one after the other on the event loop. */
class LossSteps implements CompiledLoss {
  private readonly executors = new Map<FloatDtype, Executor>();

  constructor(
    private readonly plan: Plan,
    private readonly wanted: number,
    private readonly constants: ReadonlyMap<Node, NDArray>,
  ) {}

  run(arrays: LossArrays, dtype: FloatDtype, gradient: Output | undefined, scoreArray: TypedArray | undefined): number {
    // Nothing to compute, and a mean over no rows is none.
    if (arrays[0].rows === 0) return 0;
    let executor = this.executors.get(dtype);
    if (executor === undefined) {
      executor = new Executor(this.plan, dtype);
      this.executors.set(dtype, executor);
    }
    const results = executor.compute((input) => this.constants.get(input) ?? arrayOf(input, arrays));
    const score = this.wanted & SCORE ? (results.shift() as NDArray).getDouble(0) : 0;
    if (gradient !== undefined) gradient.array.assign((results.shift() as NDArray).reshape(gradient.array.shape));
    if (scoreArray !== undefined)
      new NDArray(scoreArray).assign((results.shift() as NDArray).reshape(scoreArray.length));
    return score;
  }

  keep(
    arrays: LossArrays,
    dtype: FloatDtype,
    gradient: Output | undefined,
    scoreArray: TypedArray | undefined,
  ): KeptCall {
    const kept = [...arrays.map((matrix) => matrix?.data), gradient?.data, scoreArray];
    return { arrays: kept, run: () => this.run(arrays, dtype, gradient, scoreArray) };
  }

  queue(): undefined {
    return undefined;
  }
}

/** The array of an input, in the input's shape. */
function arrayOf(input: Node, arrays: LossArrays): NDArray {
  const { data, rows, cols, rowStride } = arrays[placeOf(input) as number] as MatrixView;
  return input.shape.length === 1 ? new NDArray(data, [cols]) : new NDArray(data, [rows, cols], [rowStride, 1]);
}
