// SPDX-License-Identifier: Apache-2.0
// Which nodes of a graph of known shapes are computed together: a region is a matrix over whose rows one program runs.
import { type Node, numberOf, reachable } from './graph';
import { onNumbers } from './numbers';
import { countOf, type Sizes, spaceOf } from './shapes';

export interface Region {
  readonly rows: number;
  readonly cols: number;
}

/** Where a node's values come about. */
export interface Place {
  readonly region: Region;
  readonly space: 'row' | 'element';
}

const STRUCTURAL = new Set(['squeeze', 'expandDims', 'reshape']);
/** Whole arrays, made by a step of their own. */
const KERNELS = new Set(['mmul', 'permute', 'classIndex', 'ctc', 'ctcGradient']);

/** Does the flat order of the elements stay? */
export const isStructural = (node: Node): boolean => STRUCTURAL.has(node.op);

export function isKernel(node: Node): boolean {
  // Repeating along a middle axis is no program's.
  const isOdd = node.op === 'broadcastLike' && spaceOf((node.inputs[0] as Node).shape, node.shape) === undefined;
  return isOdd || KERNELS.has(node.op);
}

/** A shape as rows of the last axis. */
function matrixOf(shape: Sizes): Region {
  const cols = shape[shape.length - 1] ?? 1;
  return { rows: countOf(shape.slice(0, -1)), cols };
}

/** A sum over all rows of a region: of everything, or of each column. */
export function sumOver(
  node: Node,
): { readonly kind: 'total' | 'rows' | 'columns'; readonly region: Region } | undefined {
  if (node.op !== 'sum' && node.op !== 'maximum') return undefined;
  const { shape } = node.inputs[0] as Node;
  const axes = node.attributes['axes'] as Sizes;
  const kept = countOf(node.shape);
  const over = countOf(shape) / Math.max(kept, 1);
  const first = shape.findIndex((size) => size !== 1);
  if (node.op === 'sum' && kept === 1) return { kind: 'total', region: matrixOf(shape) };
  return axes.includes(first) && node.op === 'sum'
    ? { kind: 'columns', region: { rows: over, cols: kept } }
    : { kind: 'rows', region: { rows: kept, cols: over } };
}

/** Where nodes come about, each found once. */
export class Places {
  private readonly places = new Map<Node, Place | undefined>();

  /** The region of a node; undefined for what has none of its own: leaves, kernels and sums over rows. */
  of(node: Node): Place | undefined {
    const { places } = this;
    if (!places.has(node)) {
      for (const each of reachable([node], (of) => !places.has(of)))
        if (!places.has(each)) places.set(each, this.find(each));
    }
    return places.get(node);
  }

  /** The same, or the flat array. */
  orFlat(node: Node): Place {
    const place = this.of(node);
    if (place !== undefined) return place;
    const region = matrixOf(node.shape);
    // One long row could not be cut for threads.
    return { region: region.rows === 1 ? { rows: region.cols, cols: 1 } : region, space: 'element' };
  }

  /** From the places of its operands. */
  private find(node: Node): Place | undefined {
    if (node.inputs.length === 0 || isKernel(node) || isScalarStep(node)) return undefined;
    const sum = sumOver(node);
    if (sum !== undefined) return sum.kind === 'rows' ? { region: sum.region, space: 'row' } : undefined;
    if (isStructural(node)) return this.places.get(node.inputs[0] as Node);
    const spaces = node.inputs.map((input) => spaceOf(input.shape, node.shape));
    const isIndexed = node.inputs.some(({ op }) => op === 'columnIndex');
    if (isIndexed || spaces.includes('row') || spaces.includes('column'))
      return { region: matrixOf(node.shape), space: 'element' };
    const places = node.inputs.filter((_, i) => spaces[i] === 'element').map((input) => this.places.get(input));
    return places.find((place) => place?.space === 'row') ?? places.find((place) => place !== undefined);
  }
}

const scalarSteps = new WeakMap<Node, boolean>();

/** A number that follows from sums over everything: computed in JavaScript, in float64. */
export function isScalarStep(node: Node): boolean {
  if (!isOnNumbers(node)) return false;
  if (!scalarSteps.has(node)) {
    const open = reachable([node], (of) => isOnNumbers(of) && !scalarSteps.has(of));
    for (const each of open) if (isOnNumbers(each)) scalarSteps.set(each, followsFromSums(each));
  }
  return scalarSteps.get(node) as boolean;
}

const isOnNumbers = ({ op, shape }: Node): boolean => op in onNumbers && countOf(shape) === 1;

function followsFromSums({ inputs }: Node): boolean {
  const isSum = (input: Node) => sumOver(input)?.kind === 'total' || scalarSteps.get(input) === true;
  const isLeaf = (input: Node) => numberOf(input) !== undefined || input.op === 'input';
  return inputs.some(isSum) && inputs.every((input) => isSum(input) || isLeaf(input));
}
