// SPDX-License-Identifier: Apache-2.0
// What a graph of known shapes takes to compute: programs of regions, kernels on whole arrays, and numbers, in levels.
import { rangeError } from '../errors';
import type { Node } from './graph';
import { leavesOf, makeProgram, type ProgramCode, type Sink } from './program';
import { isKernel, isScalarStep, isStructural, Places, type Region, sumOver } from './regions';
import type { Sizes } from './shapes';
import { Simplifier } from './simplifier';
import { specialize } from './specialize';

/** What a program of native/program.h may have. */
const MOST_INPUTS = 64;
const MOST_OUTPUTS = 8;
const MOST_SUMS = 16;

/** One thing to do. */
export type Step =
  | { readonly kind: 'program'; readonly region: Region; readonly program: ProgramCode }
  | { readonly kind: 'kernel'; readonly node: Node }
  | { readonly kind: 'number'; readonly node: Node };

/** All there is to do. */
export interface Plan {
  readonly steps: readonly Step[];
  /** What each root became. */
  readonly roots: readonly Node[];
  /** Which input of the graph each leaf is. */
  readonly inputs: ReadonlyMap<Node, Node>;
}

/** Plans the roots for inputs of these shapes. */
export function makePlan(
  roots: readonly Node[],
  shapeOf: (input: Node) => Sizes,
  opcodes: Readonly<Record<string, number>>,
): Plan {
  const inputs = new Map<Node, Node>();
  const made = specialize(roots, new Simplifier(), shapeOf, inputs);
  return { steps: new Planner(opcodes).plan(made), roots: made, inputs };
}

/** Plans nodes of one graph: each that has to be an array gets a level, one above those that it is made from. */
class Planner {
  private readonly places = new Places();
  private readonly levels = new Map<Node, number>();

  constructor(private readonly opcodes: Readonly<Record<string, number>>) {}

  plan(roots: readonly Node[]): Step[] {
    for (const root of roots) this.levelOf(root);
    const steps: { readonly level: number; readonly step: Step }[] = [];
    // Programs of one region and one level are one.
    const programs = new Map<string, { readonly level: number; readonly region: Region; readonly sinks: Sink[] }>();
    for (const [node, level] of this.levels) {
      if (node.op === 'input' || node.op === 'number') continue;
      const kind = stepOf(node);
      if (kind !== 'program') {
        steps.push({ level, step: { kind, node } });
        continue;
      }
      const sink = this.sinkOf(node);
      const key = `${level} ${sink.place.region.rows} ${sink.place.region.cols}`;
      const program = programs.get(key);
      if (program === undefined) programs.set(key, { level, region: sink.place.region, sinks: [sink] });
      else program.sinks.push(sink);
    }
    for (const { level, region, sinks } of programs.values()) {
      const isArray = (node: Node) => (this.levels.get(node) ?? level) < level;
      for (const program of this.programsOf(sinks, isArray))
        steps.push({ level, step: { kind: 'program', region, program } });
    }
    return steps.sort((a, b) => a.level - b.level).map(({ step }) => step);
  }

  /** One program, or several where one would have too much going in or out. */
  private programsOf(sinks: readonly Sink[], isArray: (node: Node) => boolean): ProgramCode[] {
    const program = makeProgram(sinks, isArray, this.opcodes);
    const { inputs, outputs, sums } = program;
    if (inputs.length <= MOST_INPUTS && outputs.length <= MOST_OUTPUTS && sums.length <= MOST_SUMS) return [program];
    if (sinks.length === 1) throw rangeError('expression', `at most ${MOST_INPUTS} arrays`, inputs.length);
    const half = sinks.length >> 1;
    return [sinks.slice(0, half), sinks.slice(half)].flatMap((part) => this.programsOf(part, isArray));
  }

  private levelOf(node: Node): number {
    let level = this.levels.get(node);
    if (level === undefined) {
      level = 0;
      for (const leaf of this.leavesOf(node)) level = Math.max(level, this.levelOf(leaf) + 1);
      this.levels.set(node, level);
    }
    return level;
  }

  /** The arrays that a node is made from. */
  private leavesOf(node: Node): Iterable<Node> {
    if (node.inputs.length === 0) return [];
    if (stepOf(node) !== 'program') return node.inputs;
    const { node: computed, place } = this.sinkOf(node);
    return leavesOf(computed, place, (each) => isArrayByNature(each));
  }

  /** What a program computes for a node: of a sum over all rows, what is summed. */
  private sinkOf(result: Node): Sink {
    const sum = sumOver(result);
    const [summand] = result.inputs as [Node];
    if (sum?.kind === 'columns') {
      return { kind: 'columnSum', node: summand, result, place: { region: sum.region, space: 'element' } };
    }
    if (sum?.kind === 'total') return { kind: 'sum', node: summand, result, place: this.places.orFlat(summand) };
    const place = this.places.orFlat(result);
    return { kind: place.space, node: result, result, place };
  }
}

/** What kind of step makes the node an array. */
function stepOf(node: Node): Step['kind'] {
  if (isScalarStep(node)) return 'number';
  return isKernel(node) || isView(node) ? 'kernel' : 'program';
}

/** An array in another shape. */
function isView(node: Node): boolean {
  const [of] = node.inputs;
  return isStructural(node) && of !== undefined && (isArrayByNature(of) || isView(of));
}

function isArrayByNature(node: Node): boolean {
  if (node.op === 'input' || isKernel(node) || isScalarStep(node)) return true;
  const sum = sumOver(node);
  return sum !== undefined && sum.kind !== 'rows';
}
