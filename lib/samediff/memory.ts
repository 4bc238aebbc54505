// SPDX-License-Identifier: Apache-2.0
// Where the values of a plan's steps lie.
import { allocateData } from '../array-input';
import type { Node } from './graph';
import type { Plan, Step } from './plan';
import { isStructural } from './regions';
import { countOf } from './shapes';

/** What the steps of a plan need memory for. */
export interface Layout {
  /** Values that only other steps read, and where each lies. */
  readonly inner: readonly { readonly node: Node; readonly at: number }[];
  /** Of all inner values together: a value takes the place of one that no step reads any more. */
  readonly bytes: number;
  /** Values that are given out: those of roots. */
  readonly given: readonly Node[];
  /** The value in whose memory another lies: its own, where it is no view. */
  ownerOf(node: Node): Node;
}

/** Of memory. */
interface Piece {
  readonly at: number;
  readonly size: number;
}

/** Of the cache, in bytes. */
const LINE = 64;

/** Finds a place for every value. */
export function layOut({ steps, roots }: Plan, bytesPerElement: number): Layout {
  const viewed = new Map<Node, Node>();
  for (const step of steps) {
    if (step.kind === 'kernel' && isView(step.node)) viewed.set(step.node, step.node.inputs[0] as Node);
  }
  const ownerOf = (node: Node): Node => {
    let owner = node;
    for (let of = viewed.get(owner); of !== undefined; of = viewed.get(owner)) owner = of;
    return owner;
  };
  const owners = new Set(roots.map(ownerOf));
  const lastReads = new Map<Node, number>();
  steps.forEach((step, i) => {
    for (const node of readsOf(step)) lastReads.set(ownerOf(node), i);
  });
  const ends: Piece[][] = steps.map(() => []);
  const given: Node[] = [];
  const inner: { readonly node: Node; readonly at: number }[] = [];
  const free: Piece[] = [];
  let bytes = 0;
  steps.forEach((step, i) => {
    for (const node of makesOf(step)) {
      if (owners.has(node)) {
        given.push(node);
        continue;
      }
      const size = Math.ceil((countOf(node.shape) * bytesPerElement) / LINE) * LINE;
      const found = free.findIndex((piece) => piece.size === size);
      const [piece = { at: bytes, size }] = found < 0 ? [] : free.splice(found, 1);
      inner.push({ node, at: piece.at });
      ends[lastReads.get(node) ?? -1]?.push(piece);
      if (found < 0) bytes += size;
    }
    free.push(...(ends[i] as Piece[]));
  });
  return { inner, bytes, given, ownerOf };
}

/** Does a kernel's result lie in the memory of its operand? */
function isView(node: Node): boolean {
  return node.op === 'permute' || node.op === 'classIndex' || isStructural(node);
}

function readsOf(step: Step): readonly Node[] {
  if (step.kind !== 'program') return step.node.inputs;
  return step.program.inputs.flatMap(({ node }) => (node === 'columnIndex' ? [] : [node]));
}

/** What it makes in memory of its own. */
function makesOf(step: Step): readonly Node[] {
  if (step.kind === 'program') return step.program.outputs.map(({ result }) => result);
  return step.kind === 'number' || isView(step.node) ? [] : [step.node];
}

/** So many bytes are kept from run to run. */
const MOST_KEPT = 2 ** 26;
let kept = new ArrayBuffer(0);

/** Memory for the inner values of one run; no run begins within another. */
export function scratchMemory(bytes: number): ArrayBuffer {
  if (bytes <= kept.byteLength) return kept;
  // At least twice as much: what plans still hold of smaller ones is never more than the one that is kept.
  const size = Math.max(bytes, Math.min(2 * kept.byteLength, MOST_KEPT));
  const { buffer } = allocateData('uint8', size, 'values between the steps');
  if (size <= MOST_KEPT) kept = buffer as ArrayBuffer;
  return buffer as ArrayBuffer;
}

/** Is it what the next run will get too? */
export const isKept = (memory: ArrayBuffer): boolean => memory === kept;
