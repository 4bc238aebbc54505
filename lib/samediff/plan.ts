// SPDX-License-Identifier: Apache-2.0
// What a graph of known shapes takes to compute: programs of regions, kernels on whole arrays, and numbers, in levels.
import { rangeError } from '../errors';
import { cutsOf, MOST_INPUTS, MOST_OUTPUTS, MOST_REGISTERS, MOST_SUMS } from './cuts';
import { type Node, operandsFirst } from './graph';
import { type Cone, coneOf, makeProgram, type ProgramCode, type Sink } from './program';
import { isKernel, isScalarStep, isStructural, Places, type Region, sumOver } from './regions';
import type { Sizes } from './shapes';
import { Simplifier } from './simplifier';
import { specialize } from './specialize';

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
  /** Arrays at which an expression is cut. */
  private readonly cuts = new Set<Node>();

  constructor(private readonly opcodes: Readonly<Record<string, number>>) {}

  plan(roots: readonly Node[]): Step[] {
    // What has too many registers for one program is cut, which makes other programs of what is beside it, too.
    for (;;) {
      const count = this.cuts.size;
      this.setLevels(roots);
      const steps = this.steps();
      if (this.cuts.size === count) return steps;
    }
  }

  private steps(): Step[] {
    const steps: { readonly level: number; readonly step: Step }[] = [];
    // Programs of one region and one level are one.
    const programs = new Map<string, { readonly level: number; readonly region: Region; readonly sinks: Sink[] }>();
    for (const [node, level] of this.levels) {
      if (node.op === 'input' || node.op === 'number') continue;
      const kind = this.stepOf(node);
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

  /** One program, or several where one would have too much going in or out, or none where it has to be cut. */
  private programsOf(sinks: readonly Sink[], isArray: (node: Node) => boolean): ProgramCode[] {
    const program = makeProgram(sinks, isArray, this.opcodes);
    const { inputs, outputs, sums, registers } = program;
    const isNarrow = inputs.length <= MOST_INPUTS && outputs.length <= MOST_OUTPUTS && sums.length <= MOST_SUMS;
    if (isNarrow && registers <= MOST_REGISTERS) return [program];
    if ((isNarrow || sinks.length === 1) && this.cut(coneOf(sinks, isArray), isArray)) return [];
    if (sinks.length === 1) throw rangeError('expression', 'one that falls into programs', 'one that does not');
    const half = sinks.length >> 1;
    return [sinks.slice(0, half), sinks.slice(half)].flatMap((part) => this.programsOf(part, isArray));
  }

  private setLevels(roots: readonly Node[]): void {
    const { levels } = this;
    levels.clear();
    const leaves = new Map<Node, readonly Node[]>();
    const leavesOf = (node: Node) => {
      const found = this.leavesOf(node);
      leaves.set(node, found);
      return found;
    };
    for (const node of operandsFirst(
      roots,
      (each) => each,
      leavesOf,
      () => false,
    )) {
      let level = 0;
      for (const leaf of leaves.get(node) as readonly Node[]) level = Math.max(level, (levels.get(leaf) as number) + 1);
      levels.set(node, level);
    }
  }

  /** The arrays that a node is made from. */
  private leavesOf(node: Node): readonly Node[] {
    if (node.inputs.length === 0) return [];
    if (this.stepOf(node) !== 'program') return node.inputs;
    // Of an array of its own, too, it is asked what it is made from.
    const isArray = (each: Node) => each !== node && this.isArray(each);
    for (;;) {
      const cone = coneOf([this.sinkOf(node)], isArray);
      if (cone.leaves.size <= MOST_INPUTS || !this.cut(cone, isArray)) return [...cone.leaves];
    }
  }

  /** Cuts a cone; false where there is nothing to cut. */
  private cut(cone: Cone, isArray: (node: Node) => boolean): boolean {
    const cuts = [...cutsOf(cone)].filter((node) => !isArray(node));
    for (const node of cuts) this.cuts.add(node);
    return cuts.length > 0;
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

  /** What kind of step makes the node an array. */
  private stepOf(node: Node): Step['kind'] {
    if (isScalarStep(node)) return 'number';
    return isKernel(node) || this.isView(node) ? 'kernel' : 'program';
  }

  /** An array in another shape. */
  private isView(node: Node): boolean {
    let of = node;
    while (isStructural(of) && !(of !== node && this.isArray(of))) of = of.inputs[0] as Node;
    return of !== node && this.isArray(of);
  }

  private isArray(node: Node): boolean {
    return this.cuts.has(node) || isArrayByNature(node);
  }
}

function isArrayByNature(node: Node): boolean {
  if (node.op === 'input' || isKernel(node) || isScalarStep(node)) return true;
  const sum = sumOver(node);
  return sum !== undefined && sum.kind !== 'rows';
}
