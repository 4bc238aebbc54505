// SPDX-License-Identifier: Apache-2.0
// The expressions of a region as a program of native/program.h: values in spaces, passes over each block of rows,
// instructions in the order of native stages, and registers.
import { type Node, operandsFirst } from './graph';
import { isStructural, type Place, type Region, sumOver } from './regions';
import { countOf, type Space, spaceOf } from './shapes';

/** What a program gives. */
export type SinkKind = 'element' | 'row' | 'sum' | 'columnSum';

export interface Sink {
  readonly kind: SinkKind;
  /** What is computed, or summed. */
  readonly node: Node;
  /** The node that the result is. */
  readonly result: Node;
  readonly place: Place;
}

/** What a program reads: a node's array, or the index of each column. */
export interface ProgramInput {
  readonly node: Node | 'columnIndex';
  readonly space: Space;
}

/** A program and what goes in and out, in the order of its arrays. */
export interface ProgramCode {
  readonly code: Int32Array;
  readonly constants: Float64Array;
  readonly inputs: readonly ProgramInput[];
  /** Output arrays: elements, rows and sums of columns; then single sums. */
  readonly outputs: readonly Sink[];
  readonly sums: readonly Sink[];
  /** Of the space that has the most. */
  readonly registers: number;
}

/** A value of the program. */
interface Value {
  readonly id: number;
  readonly space: Space;
  readonly op: string;
  args: readonly Value[];
  readonly params: readonly number[];
  readonly source: ProgramInput | undefined;
  /** How often it is read. */
  uses: number;
  /** When it is computed, of values a row and an element. */
  pass: number;
  /** The last pass that reads it. */
  lastPass: number;
  /** Reduced over each row: kept for the whole block. */
  reduced: boolean;
  /** Where it lies, as instructions say it; 0 while it has no place. */
  operand: number;
}

// Spaces of native/program.h.
const TILE = 1;
const BLOCK = 2;
const ROW = 3;
const COLUMN = 4;
const SCALAR = 5;
const INPUT = 6;
const OUTPUT = 7;
const SUM = 8;
const COLUMN_SUM = 9;

const SPACES: readonly Space[] = ['scalar', 'column', 'row', 'element'];
/** Inputs by kind: an element, a row, a column, one. */
const INPUT_KINDS: Readonly<Record<Space, number>> = { element: 0, row: 1, column: 2, scalar: 3 };
const NO_PARAMS: readonly number[] = [];

const pack = (space: number, index: number): number => space * 65536 + index;

/** -0 is not 0. */
const textOf = (numbers: readonly number[]): string => numbers.map((x) => (Object.is(x, -0) ? '-0' : x)).join();

/** A node's operation as native/program.h calls it. */
function nativeName(op: string): string {
  return op.charAt(0).toUpperCase() + op.slice(1);
}

/** Nodes to values, each once. */
class Values {
  readonly inputs: ProgramInput[] = [];
  private readonly made = new Map<string, Value>();
  private readonly found = new Map<number, Value>();
  private count = 0;

  constructor(
    private readonly region: Region,
    /** Is the node an array by the time the program runs? */
    private readonly isArray: (node: Node) => boolean,
  ) {}

  /** Can the node be computed in the region, with a value per `space`? Its operands become arrays where they can't. */
  canMake(node: Node, space: Space): boolean {
    const sum = sumOver(node);
    if (sum !== undefined) {
      const { rows, cols } = sum.region;
      return sum.kind === 'rows' && space === 'row' && rows === this.region.rows && cols === this.region.cols;
    }
    if (isStructural(node)) return true;
    // Columns of another region have other indices.
    const isIndexed = node.inputs.some(({ op }) => op === 'columnIndex');
    if (isIndexed && (space === 'row' || space === 'scalar' || node.shape.at(-1) !== this.region.cols)) return false;
    if (space === 'element') return this.spreads(node);
    return node.inputs.every((input) => {
      const of = spaceOf(input.shape, node.shape);
      return of === 'element' || of === 'scalar';
    });
  }

  /** Do the operands that repeat do so along the region's rows or columns? */
  private spreads(node: Node): boolean {
    const { rows, cols } = this.region;
    const last = node.shape[node.shape.length - 1] ?? 1;
    return node.inputs.every((input) => {
      const space = spaceOf(input.shape, node.shape);
      return space === 'element' || space === 'scalar' || (last === cols && rows * cols === countOf(node.shape));
    });
  }

  /** The value of a node, found once: a graph has more paths than nodes. */
  of(node: Node, space: Space): Value {
    const { found } = this;
    const wanted: Wanted = [node, space];
    if (!found.has(keyOf(wanted))) {
      const order = operandsFirst(
        [wanted],
        keyOf,
        (each) => operandsOf(each, this.isArray),
        (key) => found.has(key),
      );
      for (const each of order) found.set(keyOf(each), this.find(...each));
    }
    return found.get(keyOf(wanted)) as Value;
  }

  /** From the values of its operands. */
  private find(node: Node, space: Space): Value {
    if (node.op === 'number') return this.value('Constant', 'scalar', [], [node.attributes['value'] as number]);
    if (node.op === 'columnIndex') return this.input('columnIndex', node.shape.at(-1) === 1 ? 'scalar' : 'column');
    if (this.isArray(node)) return this.input(node, space);
    const sum = sumOver(node);
    if (sum !== undefined) return this.reduction(node, sum.region.cols);
    const args = node.inputs.map((input) => this.of(input, operandSpace(node, input, space)));
    if (isStructural(node) || node.op === 'broadcastLike') return args[0] as Value;
    if (node.op !== 'activation' && node.op !== 'slope') return this.elements(nativeName(node.op), args);
    const kernel = node.attributes['kernel'] as string;
    const params = node.attributes['params'] as readonly number[];
    return this.elements(node.op === 'slope' ? `${kernel}.Slope` : kernel, args, params);
  }

  /** An operation on each element, in the smallest space that its operands allow. */
  private elements(op: string, args: readonly Value[], params?: readonly number[]): Value {
    const space = joinOf(args);
    const whole = space === 'element' ? args.map((arg) => (arg.space === 'row' ? this.spread(arg) : arg)) : args;
    return this.value(op, space, whole, params);
  }

  /** A value for each element, for instructions that need one. */
  spread(value: Value): Value {
    return value.space === 'element' ? value : this.copy(value, 'element');
  }

  /** A second copy, in a place of its own. */
  copyAgain(value: Value): Value {
    return this.make('Copy', value.space, [value], NO_PARAMS, undefined);
  }

  /** The value, computed once more. */
  again({ op, space, args, params }: Value): Value {
    return this.make(op, space, args, params, undefined);
  }

  /** The value once more, in a space that holds it. */
  copy(value: Value, space: Space): Value {
    return this.value(value.space === 'row' && space === 'element' ? 'Expand' : 'Copy', space, [value]);
  }

  private reduction(node: Node, cols: number): Value {
    const [summand] = node.inputs as [Node];
    const arg = this.of(summand, operandSpace(node, summand, 'row'));
    const isSum = node.op === 'sum';
    // What is the same along a row needs no loop over it.
    if (arg.space === 'row' || arg.space === 'scalar') {
      return isSum ? this.elements('Mul', [arg, this.value('Constant', 'scalar', [], [cols])]) : arg;
    }
    return this.value(isSum ? 'row sum' : 'row max', 'row', [this.spread(arg)]);
  }

  private input(node: Node | 'columnIndex', space: Space): Value {
    const id = node === 'columnIndex' ? node : node.id;
    const key = `input ${id} ${space}`;
    const known = this.made.get(key);
    if (known !== undefined) return known;
    const source: ProgramInput = { node, space };
    this.inputs.push(source);
    const value = this.make('input', space, [], NO_PARAMS, source);
    this.made.set(key, value);
    return value;
  }

  private value(op: string, space: Space, args: readonly Value[], params: readonly number[] = NO_PARAMS): Value {
    let key = op;
    for (const arg of args) key += ` ${arg.id}`;
    if (params.length > 0) key += ` (${textOf(params)})`;
    let value = this.made.get(key);
    if (value === undefined) {
      value = this.make(op, space, args, params, undefined);
      this.made.set(key, value);
    }
    return value;
  }

  private make(
    op: string,
    space: Space,
    args: readonly Value[],
    params: readonly number[],
    source: ProgramInput | undefined,
  ): Value {
    return {
      id: this.count++,
      space,
      op,
      args,
      params,
      source,
      uses: 0,
      pass: 0,
      lastPass: 0,
      reduced: false,
      operand: 0,
    };
  }
}

/** The space of an operand of a node that is made with a value per `space`. */
function operandSpace(node: Node, input: Node, space: Space): Space {
  if (sumOver(node) !== undefined) return 'element';
  const of = isStructural(node) ? 'element' : (spaceOf(input.shape, node.shape) as Space);
  return of === 'element' ? space : of;
}

/** Rows and columns together make elements. */
function joinOf(args: readonly Value[]): Space {
  let join = 0;
  for (const { space } of args) {
    const next = SPACES.indexOf(space);
    join = join + next === 3 && join * next === 2 ? 3 : Math.max(join, next);
  }
  return SPACES[join] as Space;
}

/** A node, and the space in which its values are wanted. */
export type Wanted = readonly [node: Node, space: Space];

/** A number for each. */
export const keyOf = ([node, space]: Wanted): number => SPACES.length * node.id + SPACES.indexOf(space);

/** Of an array nothing else is wanted. */
function operandsOf([node, space]: Wanted, isArray: (node: Node) => boolean): Wanted[] {
  return isArray(node) ? [] : node.inputs.map((input) => [input, operandSpace(node, input, space)]);
}

/** What sinks of one region are made from. */
export interface Cone {
  /** Operands first. */
  readonly values: readonly Wanted[];
  /** The arrays among them, which are made before. */
  readonly leaves: ReadonlySet<Node>;
  operandsOf(wanted: Wanted): readonly Wanted[];
}

/** Where the sinks are computed, and the arrays that they need. */
export function coneOf(sinks: readonly Sink[], isArray: (node: Node) => boolean): Cone {
  const values = new Values((sinks[0] as Sink).place.region, isArray);
  const isOpen = ([node, space]: Wanted) => !isArray(node) && values.canMake(node, space);
  const isLeaf = (wanted: Wanted) => wanted[0].op !== 'number' && wanted[0].op !== 'columnIndex' && !isOpen(wanted);
  const operands = (wanted: Wanted) => (isLeaf(wanted) ? [] : operandsOf(wanted, isArray));
  const roots = sinks.map(({ node, place }): Wanted => [node, place.space]);
  const order = operandsFirst(roots, keyOf, operands, () => false);
  const leaves = new Set(order.filter(isLeaf).map(([node]) => node));
  return { values: order, leaves, operandsOf: operands };
}

/** The program of the sinks of one region. */
export function makeProgram(
  sinks: readonly Sink[],
  isArray: (node: Node) => boolean,
  opcodes: Readonly<Record<string, number>>,
): ProgramCode {
  const values = new Values((sinks[0] as Sink).place.region, isArray);
  const outputs = sinks.filter(({ kind }) => kind !== 'sum');
  const sums = sinks.filter(({ kind }) => kind === 'sum');
  const columnSums = sinks.filter(({ kind }) => kind === 'columnSum');
  // Outputs first: what the sums share with them is then stored where it has to be anyway.
  for (const { kind, node, place } of sinks) if (kind === 'element') values.of(node, place.space);
  const results = sinks.map((sink): Result => {
    const { space } = sink.place;
    const value = values.of(sink.node, space);
    const isSum = sink.kind === 'sum' || sink.kind === 'columnSum';
    const to =
      sink.kind === 'sum'
        ? pack(SUM, sums.indexOf(sink))
        : sink.kind === 'columnSum'
          ? pack(COLUMN_SUM, columnSums.indexOf(sink))
          : pack(OUTPUT, outputs.indexOf(sink));
    return { value: value.space === space ? value : values.copy(value, space), to, isSum };
  });
  const { code, constants, registers } = new Assembler(opcodes, values, results).assemble([
    outputs.length,
    sums.length,
    columnSums.length,
  ]);
  for (const { kind } of outputs) {
    // Kind, and which sum of columns.
    code.outputs.push(kind === 'element' ? 0 : kind === 'row' ? 1 : 2, 0);
  }
  columnSums.forEach((sink, i) => {
    code.outputs[2 * outputs.indexOf(sink) + 1] = i;
  });
  return {
    code: Int32Array.from([...code.header, ...code.inputs, ...code.outputs, ...code.body]),
    constants: Float64Array.from(constants),
    inputs: values.inputs,
    outputs,
    sums,
    registers,
  };
}

/** A value and where it is wanted. */
interface Result {
  value: Value;
  readonly to: number;
  readonly isSum: boolean;
}

/** Operations that native code does one after the other on vectors in registers. All others go over a whole tile. */
const CHEAP = new Set(
  'Copy Neg Abs Sign Square Sqrt Floor Reciprocal Add Sub Mul Div Min Max Lt Le Eq Ne Select'.split(' '),
);

class Assembler {
  private readonly constants: number[] = [];
  private readonly constantsAt = new Map<string, number>();
  private readonly counts = { tile: 0, block: 0, row: 0, column: 0, scalar: 0 };
  private live: Value[] = [];
  private passes = 1;

  constructor(
    private readonly opcodes: Readonly<Record<string, number>>,
    private readonly values: Values,
    private readonly results: readonly Result[],
  ) {}

  assemble(sizes: readonly [outputs: number, sums: number, columnSums: number]) {
    this.countUses();
    // What is wanted twice, or read besides, or lies in an input, is copied to where it is wanted.
    for (const result of this.results) {
      const { value, isSum } = result;
      // What is reduced is there only after its pass.
      if (!isReduction(value) && (isSum || (value.uses === 1 && value.source === undefined))) continue;
      result.value = this.values.copyAgain(value);
    }
    this.countUses();
    this.schedule();
    const inputs = this.placeInputs();
    const scalars = this.section((value) => value.space === 'scalar');
    const columns = this.section((value) => value.space === 'column');
    const passes = Array.from({ length: this.passes }, (_, pass) => this.pass(pass));
    const body = [scalars, columns, ...passes].flat();
    const { tile, block, row, column, scalar } = this.counts;
    const header = [tile, block, row, column, scalar, inputs.length / 2, ...sizes, this.passes];
    const code = { header, inputs, outputs: [] as number[], body };
    return { code, constants: this.constants, registers: Math.max(...Object.values(this.counts)) };
  }

  private countUses(): void {
    for (const value of this.live) value.uses = 0;
    const seen = new Set<Value>();
    const stack = this.results.map(({ value }) => value);
    for (let value = stack.pop(); value !== undefined; value = stack.pop()) {
      value.uses++;
      if (seen.has(value)) continue;
      seen.add(value);
      for (const arg of value.args) stack.push(arg);
    }
    this.live = [...seen].sort((a, b) => a.id - b.id);
  }

  /** Each value in the latest pass that serves all that read it: what crosses from pass to pass takes memory. */
  private schedule(): void {
    const ready = new Map<Value, number>();
    for (const value of this.live) {
      let pass = 0;
      for (const arg of value.args) pass = Math.max(pass, (ready.get(arg) as number) + (isReduction(arg) ? 1 : 0));
      ready.set(value, pass);
      this.passes = Math.max(this.passes, pass + 1);
    }
    // Outputs of elements may lie where inputs do: they are written when no later pass reads elements.
    let lastTiles = 0;
    for (const value of this.live)
      if (value.space === 'element') lastTiles = Math.max(lastTiles, ready.get(value) as number);
    if (lastTiles === 0 && this.results.some(({ value, isSum }) => value.space === 'element' && !isSum))
      this.copyReduced();
    const last = this.passes - 1;
    const needed = new Map<Value, number>();
    const need = (value: Value, pass: number) => {
      needed.set(value, Math.min(needed.get(value) ?? pass, pass));
      value.lastPass = Math.max(value.lastPass, pass);
    };
    const lastOf = ({ space }: Value) => (space === 'element' ? lastTiles : last);
    for (const { value, isSum } of this.results) if (!isSum) need(value, lastOf(value));
    for (const value of [...this.live].reverse()) {
      value.pass = needed.get(value) ?? lastOf(value);
      // An input is reduced before an output may take its place.
      if (isReduction(value) && isInput(value.args[0])) value.pass = 0;
      for (const arg of value.args) {
        need(arg, isReduction(arg) ? value.pass - 1 : value.pass);
        if (isReduction(value)) arg.reduced = true;
      }
    }
    for (const { value, isSum } of this.results) if (isSum) value.lastPass = Math.max(value.lastPass, value.pass);
  }

  /** Inputs that are reduced in the one pass, which writes outputs that may lie in their place, are kept. */
  private copyReduced(): void {
    this.live = this.live.flatMap((value) => {
      const [arg] = value.args;
      if (!isReduction(value) || !isInput(arg)) return [value];
      const copy = this.values.copyAgain(arg as Value);
      copy.uses = 1;
      value.args = [copy];
      return [copy, value];
    });
  }

  private placeInputs(): number[] {
    const code: number[] = [];
    this.values.inputs.forEach((source, index) => {
      const { space } = source;
      const value = this.live.find((each) => each.source === source);
      const operand = space === 'element' ? pack(INPUT, index) : this.register(space);
      if (value !== undefined) value.operand = operand;
      code.push(INPUT_KINDS[space], space === 'element' ? 0 : operand % 65536);
    });
    return code;
  }

  private section(belongs: (value: Value) => boolean): number[] {
    const instructions = this.live
      .filter((value) => belongs(value) && !isReduction(value))
      .flatMap((value) => [...(isInput(value) ? [] : [this.instruction(value)]), ...this.sumsOf(value)]);
    return counted(instructions);
  }

  private pass(pass: number): number[] {
    const rows = this.section((value) => value.space === 'row' && value.pass === pass);
    const tiles = this.tiles(pass);
    const reductions: number[][] = [];
    for (const value of this.live) {
      if (!isReduction(value) || value.pass !== pass) continue;
      value.operand = this.register('row');
      reductions.push([value.op === 'row sum' ? 0 : 1, value.operand % 65536, (value.args[0] as Value).operand]);
    }
    return [...rows, ...tiles, ...counted(reductions)];
  }

  /** The instructions on elements; a register is free again after the last that reads it. */
  private tiles(pass: number): number[] {
    const values = this.again(inStages(this.live.filter((value) => value.space === 'element' && value.pass === pass)));
    const left = new Map<Value, number>();
    const free: number[] = [];
    const instructions: number[][] = [];
    for (const value of values) {
      if (value.source === undefined) {
        instructions.push(this.instruction(value, () => free.pop()));
        const kept = value.operand >= pack(TILE, 0) && value.operand < pack(BLOCK, 0);
        if (kept) left.set(value, value.uses);
        for (const arg of value.args) this.release(arg, left, free);
      }
      for (const sum of this.sumsOf(value)) {
        instructions.push(sum);
        this.release(value, left, free);
      }
    }
    return counted(instructions);
  }

  /** What one step makes of a value that is stored anyhow is made again where it would have to be stored and loaded. */
  private again(values: readonly Value[]): Value[] {
    return values.flatMap((value, i) => {
      const last = values[i - 1];
      const arg = value.args.find((each) => isStep(each) && each.uses > 1 && isWithin(each, value.pass));
      if (arg === undefined || value.args.includes(last as Value) || !CHEAP.has(value.op)) return [value];
      const copy = this.values.again(arg);
      copy.pass = copy.lastPass = value.pass;
      copy.uses = 1;
      arg.uses--;
      (arg.args[0] as Value).uses++;
      value.args = value.args.map((each) => (each === arg ? copy : each));
      return [copy, value];
    });
  }

  private release(value: Value, left: Map<Value, number>, free: number[]): void {
    const uses = left.get(value);
    if (uses === undefined) return;
    left.set(value, uses - 1);
    if (uses === 1) free.push(value.operand % 65536);
  }

  private instruction(value: Value, freeRegister: () => number | undefined = () => undefined): number[] {
    const [a = 0, b = 0, c = 0] = value.args.map((arg) => arg.operand);
    value.operand = this.place(value, freeRegister);
    return [this.opcodes[value.op] as number, value.operand, a, b, c, this.parameters(value.params)];
  }

  /** Where the result of an instruction goes: straight to where it is wanted if nothing else reads it. */
  private place(value: Value, freeRegister: () => number | undefined): number {
    const result = value.uses === 1 ? this.results.find((each) => each.value === value) : undefined;
    if (result !== undefined && !(result.isSum && value.space === 'row')) return result.to;
    if (value.space !== 'element') return this.register(value.space);
    if (value.lastPass > value.pass || value.reduced) return pack(BLOCK, this.counts.block++);
    return pack(TILE, freeRegister() ?? this.counts.tile++);
  }

  /** Sums of a value that other instructions read too, or that an input holds. */
  private sumsOf(value: Value): number[][] {
    return this.results
      .filter((result) => result.isSum && result.value === value && value.operand !== result.to)
      .map(({ to }) => [this.opcodes['Sum'] as number, to, value.operand, 0, 0, 0]);
  }

  private register(space: Exclude<Space, 'element'>): number {
    return pack(space === 'row' ? ROW : space === 'column' ? COLUMN : SCALAR, this.counts[space]++);
  }

  private parameters(params: readonly number[]): number {
    if (params.length === 0) return 0;
    const three = [params[0] ?? 0, params[1] ?? 0, params[2] ?? 0];
    const key = textOf(three);
    const known = this.constantsAt.get(key) ?? this.constants.length;
    if (known === this.constants.length) this.constants.push(...three);
    this.constantsAt.set(key, known);
    return known;
  }
}

/**
 * The values of a pass in the order of their instructions: costly ones as early as they can be, along with an activation its
 * slope, which softplus has in the sigmoid; between them the others, as late as they can be, and what is copied at once.
 */
function inStages(values: readonly Value[]): Value[] {
  const stages = new Map<Value, number>();
  // Costly stages are odd.
  for (const value of values) {
    const isCheap = CHEAP.has(value.op) || value.source !== undefined;
    const first = Math.max(isCheap ? 0 : -1, ...value.args.map((arg) => stages.get(arg) ?? -1));
    stages.set(value, value.source !== undefined ? -1 : first + (isCheap === (first % 2 === 0) ? 0 : 1));
  }
  let last = 0;
  for (const stage of stages.values()) last = Math.max(last, stage);
  const latest = new Map<Value, number>();
  for (const value of [...values].reverse()) {
    let stage = stages.get(value) as number;
    if (value.source === undefined && stage % 2 === 0) stage = latest.get(value) ?? last + (last % 2);
    stages.set(value, stage);
    for (const arg of value.args)
      latest.set(arg, Math.min(latest.get(arg) ?? stage, stage % 2 === 0 ? stage : stage - 1));
  }
  const places = new Map<string, number>();
  const place = (value: Value): number => {
    if (value.op === 'Copy' && value.args[0]?.source === undefined) return place(value.args[0] as Value);
    if (CHEAP.has(value.op) || value.source !== undefined) return value.id;
    const [op] = value.op.split('.') as [string];
    const key = `${op === 'SoftPlus' ? 'Sigmoid' : op} ${value.args.map(({ id }) => id)} ${value.params}`;
    const known = places.get(key) ?? value.id;
    places.set(key, known);
    return known;
  };
  const order = new Map(values.map((value) => [value, place(value)]));
  const compare = (a: Value, b: Value, by: ReadonlyMap<Value, number>) => (by.get(a) as number) - (by.get(b) as number);
  return [...values].sort((a, b) => compare(a, b, stages) || compare(a, b, order) || a.id - b.id);
}

const isWithin = (value: Value, pass: number): boolean => value.pass === pass && value.lastPass === pass;

/** Is the value made in a step from one that lies in memory? */
function isStep({ op, space, reduced, args: [of] }: Value): boolean {
  const isCheapest = op === 'Abs' || op === 'Neg' || op === 'Square';
  return isCheapest && space === 'element' && !reduced && of !== undefined && (isInput(of) || of.uses > 1);
}

const isInput = (value: Value | undefined): boolean => value?.source !== undefined;

const isReduction = (value: Value): boolean => value.op === 'row sum' || value.op === 'row max';

/** How many, then the numbers of each. */
function counted(items: readonly (readonly number[])[]): number[] {
  return [items.length, ...items.flat()];
}
