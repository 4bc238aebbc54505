// SPDX-License-Identifier: Apache-2.0
// Runs plans: arrays in, arrays out.

import { isContiguous, isSameShape, type TypedArray, toMatrix, toView } from '../array-input';
import { checkClasses } from '../class-labels';
import { ctcLoss, ctcLossGradient } from '../losses/ctc-loss';
import { check, codeOf, dtypeCodes, native, type Program } from '../native';
import { allocateArray, multiplyInto, NDArray } from '../ndarray/ndarray';
import type { FloatDtype } from '../outputs';
import { type Node, numberOf } from './graph';
import { isKept, layOut, scratchMemory } from './memory';
import { onNumbers } from './numbers';
import type { Plan, Step } from './plan';
import type { ProgramCode } from './program';
import { isStructural, type Region } from './regions';
import { countOf, type Sizes, type Space } from './shapes';

/** A program that the addon holds, with the numbers of its calls. */
export interface Compiled {
  readonly program: Program;
  readonly frame: Float64Array;
}

/** The native program; its code is the library's own. */
export function compile({ code, constants, inputs, outputs, sums }: ProgramCode, region: Region): Compiled {
  const program = native.createProgram(code, constants);
  if (program === undefined) throw new Error('not a program');
  const frame = new Float64Array(3 + 3 * inputs.length + outputs.length + sums.length);
  frame[0] = region.rows;
  frame[1] = region.cols;
  return { program, frame };
}

/** What a node comes to; a caller's array only while a run lasts. */
interface Slot {
  array: NDArray;
}

const EMPTY = new NDArray(new Float64Array(0));

/** One plan, ready to run in one dtype. */
export class Executor {
  private readonly slots = new Map<Node, Slot>();
  private readonly leaves: readonly { readonly slot: Slot; readonly input: Node }[];
  private readonly roots: readonly {
    readonly slot: Slot;
    readonly shape: Sizes;
    /** `repeat`: given, but to another root before. */
    readonly source: 'given' | 'repeat' | 'input' | 'number';
  }[];
  private readonly inner: readonly { readonly slot: Slot; readonly node: Node; readonly at: number }[];
  /** `root`: which root the value is, not only a view of it; or -1. */
  private readonly given: readonly { readonly slot: Slot; readonly node: Node; readonly root: number }[];
  private readonly tasks: readonly (() => void)[];
  private readonly bytes: number;
  private memory: ArrayBuffer | undefined;
  /** Is it safe to write where inputs lie? */
  private readonly isInPlace: boolean;

  constructor(
    plan: Plan,
    private readonly dtype: FloatDtype,
  ) {
    const { inputs, roots, steps } = plan;
    const { inner, bytes, given, ownerOf } = layOut(plan, dtype === 'float32' ? 4 : 8);
    this.leaves = [...inputs].map(([leaf, input]) => ({ slot: this.slotOf(leaf), input }));
    const owners = roots.map(ownerOf);
    this.roots = roots.map((node, i) => {
      const owner = owners[i] as Node;
      const isFirst = owners.indexOf(owner) === i;
      const source = given.includes(owner) ? (isFirst ? 'given' : 'repeat') : inputs.has(owner) ? 'input' : 'number';
      return { slot: this.slotOf(node), shape: node.shape, source };
    });
    this.inner = inner.map(({ node, at }) => ({ slot: this.slotOf(node), node, at }));
    this.given = given.map((node) => ({ slot: this.slotOf(node), node, root: roots.indexOf(node) }));
    this.tasks = steps.map((step) => this.task(step));
    this.bytes = bytes;
    // A single program reads each element before it writes it.
    this.isInPlace =
      steps.length === 1 && steps[0]?.kind === 'program' && this.roots.every(({ source }) => source === 'given');
  }

  /**
   * The roots' values, in memory of their own.
   *
   * `arrayOf`: the array of an input of the graph; `outs`: arrays for the roots' values, where there is one. An out may be
   * the array of an input.
   */
  run(arrayOf: (input: Node) => NDArray, outs: readonly (NDArray | undefined)[] = []): NDArray[] {
    const values = this.compute(arrayOf, outs).map((array, i) => {
      const { shape, source } = this.roots[i] as (typeof this.roots)[number];
      if (source === 'number') return Number(array.data[0]);
      const isOwn = source === 'given' || (source === 'repeat' && outs[i] !== undefined);
      const own = isOwn ? array : array.dup();
      return isSameShape(own.shape, shape) ? own : own.reshape(shape);
    });
    return values.map((value, i) => {
      const out = outs[i];
      if (out !== undefined) return value === out ? out : out.assign(value);
      if (typeof value !== 'number') return value;
      const data = this.dtype === 'float32' ? Float32Array.of(value) : Float64Array.of(value);
      return new NDArray(data, this.roots[i]?.shape);
    });
  }

  /** The same as they come: single sums in float64, what repeats in its own shape, some only until the next run. */
  compute(arrayOf: (input: Node) => NDArray, outs: readonly (NDArray | undefined)[] = []): NDArray[] {
    for (const { slot, input } of this.leaves) slot.array = arrayOf(input);
    this.place();
    const canFill = this.fillable(outs);
    for (const { slot, node, root } of this.given) {
      const out = outs[root];
      slot.array = out !== undefined && canFill(out) ? out : allocateArray(this.dtype, node.shape);
    }
    for (const task of this.tasks) task();
    const values = this.roots.map(({ slot }) => slot.array);
    // Nothing that is the callers' is kept.
    for (const { slot } of this.leaves) slot.array = EMPTY;
    for (const { slot } of this.given) slot.array = EMPTY;
    if (this.memory !== undefined && !isKept(this.memory)) this.unplace();
    return values;
  }

  private place(): void {
    const memory = scratchMemory(this.bytes);
    if (memory === this.memory) return;
    const Data = this.dtype === 'float32' ? Float32Array : Float64Array;
    for (const { slot, node, at } of this.inner) {
      slot.array = new NDArray(new Data(memory, at, countOf(node.shape)), node.shape);
    }
    this.memory = memory;
  }

  private unplace(): void {
    for (const { slot } of this.inner) slot.array = EMPTY;
    this.memory = undefined;
  }

  /** Which arrays can be filled while steps still read inputs? */
  private fillable(outs: readonly (NDArray | undefined)[]): (out: NDArray) => boolean {
    const buffers = outs.length === 0 || this.isInPlace ? [] : this.leaves.map(({ slot }) => slot.array.data.buffer);
    return (out) => out.dtype === this.dtype && !buffers.includes(out.data.buffer);
  }

  private slotOf(node: Node): Slot {
    let slot = this.slots.get(node);
    if (slot === undefined) {
      const value = numberOf(node);
      slot = { array: value === undefined ? EMPTY : new NDArray(Float64Array.of(value), []) };
      this.slots.set(node, slot);
    }
    return slot;
  }

  private task(step: Step): () => void {
    if (step.kind === 'program') return this.programTask(step.program, step.region);
    const { node } = step;
    const slot = this.slotOf(node);
    const operands = node.inputs.map((input) => this.slotOf(input));
    if (step.kind === 'kernel') {
      return () => {
        slot.array = runKernel(
          node,
          operands.map(({ array }) => array),
          slot.array,
        );
      };
    }
    const result = new Float64Array(1);
    const f = onNumbers[node.op] as (...x: number[]) => number;
    slot.array = new NDArray(result, node.shape);
    return () => {
      result[0] = f(...operands.map(({ array }) => Number(array.data[0])));
    };
  }

  private programTask(code: ProgramCode, region: Region): () => void {
    // Whatever has elements of no elements is a number in the plan.
    if (region.rows * region.cols === 0) return () => undefined;
    const { program, frame } = compile(code, region);
    frame[2] = dtypeCodes[this.dtype];
    const inputs = code.inputs.map(({ node, space }) => {
      if (node !== 'columnIndex') return { slot: this.slotOf(node), space };
      return { slot: { array: new NDArray(columnIndex(region.cols, this.dtype), [region.cols]) }, space };
    });
    const outputs = code.outputs.map(({ result, kind }) => ({
      slot: this.slotOf(result),
      space: kind === 'columnSum' ? ('column' as const) : kind === 'row' ? ('row' as const) : ('element' as const),
    }));
    const sums = code.sums.map(({ result }) => {
      const sum = new Float64Array(1);
      this.slotOf(result).array = new NDArray(sum, result.shape);
      return sum;
    });
    return () => {
      const passed: TypedArray[] = [];
      let at = 3;
      for (const { slot, space } of inputs) {
        const { data, rowStride, colStride } = operand(slot.array, space, region);
        frame[at++] = codeOf(data);
        frame[at++] = rowStride;
        frame[at++] = colStride;
        passed.push(data);
      }
      for (const { slot, space } of outputs) {
        const { data, rowStride, copied } = operand(slot.array, space, region);
        if (copied) slot.array = new NDArray(data, slot.array.shape);
        frame[at++] = space === 'column' ? region.cols : rowStride;
        passed.push(data);
      }
      check(native.runProgram(program, frame, ...passed));
      for (const sum of sums) sum[0] = frame[at++] as number;
    };
  }
}

/** An array as a program reads it. */
export interface ProgramOperand {
  readonly data: TypedArray;
  readonly rowStride: number;
  readonly colStride: number;
  /** Is it not the array's own memory? */
  readonly copied: boolean;
}

const columnIndices = new Map<FloatDtype, Float32Array | Float64Array>();

/** 0, 1, ... : kept, and made longer when it has to be. */
export function columnIndex(cols: number, dtype: FloatDtype): TypedArray {
  let kept = columnIndices.get(dtype);
  if (kept === undefined || kept.length < cols) {
    kept = dtype === 'float32' ? new Float32Array(cols) : new Float64Array(cols);
    for (let i = 0; i < cols; i++) kept[i] = i;
    columnIndices.set(dtype, kept);
  }
  return kept;
}

/** An array as a program reads it, in place if its memory allows. */
export function operand(array: NDArray, space: Space, { cols }: Region): ProgramOperand {
  const matrix = toMatrix(toView(array, 'array', 'float32'));
  const { data, rowStride, copied } = matrix;
  const hasNoGaps = matrix.rows <= 1 || rowStride === matrix.cols;
  if (space === 'scalar') return { data, rowStride: 0, colStride: 0, copied };
  if (space === 'element' && matrix.cols === cols) return { data, rowStride, colStride: 1, copied };
  if (space === 'row' && matrix.cols === 1) return { data, rowStride, colStride: 0, copied };
  if (!hasNoGaps) return { ...operand(array.dup(), space, { rows: 0, cols }), copied: true };
  if (space === 'column') return { data, rowStride: 0, colStride: 1, copied };
  return space === 'row'
    ? { data, rowStride: 1, colStride: 0, copied }
    : { data, rowStride: cols, colStride: 1, copied };
}

// --- Kernels on whole arrays ---

/** `out` is an array of the node's shape to fill; of a step that makes none, nothing. */
function runKernel(node: Node, inputs: readonly NDArray[], out: NDArray): NDArray {
  const [a, b] = inputs as [NDArray, NDArray];
  switch (node.op) {
    case 'mmul': {
      const { transposeA, transposeB } = node.attributes as { transposeA: boolean; transposeB: boolean };
      const result = withoutGaps(out);
      const [x, y] = [a.castTo(out.dtype), b.castTo(out.dtype)];
      multiplyInto(transposeA ? x.transpose() : x, transposeB ? y.transpose() : y, result);
      return result;
    }
    case 'broadcastLike':
      return out.assign(a);
    case 'permute':
      return permuted(a, node.attributes['axes'] as Sizes);
    case 'classIndex':
      checkClasses(
        toMatrix(toView(a.reshape(a.length, 1), 'labels', 'float32')),
        node.attributes['classes'] as number,
        node.attributes['name'] as string,
      );
      return a;
    case 'ctc':
    case 'ctcGradient': {
      const [logits, labels, labelLengths, logitLengths, upstream] = [a.castTo(out.dtype), ...inputs.slice(1)] as [
        NDArray,
        NDArray,
        NDArray,
        NDArray,
        NDArray,
      ];
      const blankIndex = node.attributes['blankIndex'] as number;
      const result = withoutGaps(out);
      if (node.op === 'ctc') return ctcLoss(labels, logits, labelLengths, logitLengths, { blankIndex, out: result });
      const outs = { gradient: result };
      return ctcLossGradient({ labels, logits, labelLengths, logitLengths, blankIndex, upstream, out: outs }).gradient;
    }
    default:
      if (isStructural(node)) return a.reshape(node.shape);
      throw new Error(`no kernel for ${node.op}`);
  }
}

/** An array that a kernel can fill: this one, or one that is copied to it. */
function withoutGaps(out: NDArray): NDArray {
  return isContiguous(out.shape, out.strides) ? out : allocateArray(out.dtype, out.shape);
}

/** A view with the axes in another order. */
function permuted({ data, shape, strides }: NDArray, axes: Sizes): NDArray {
  return new NDArray(
    data,
    axes.map((axis) => shape[axis] as number),
    axes.map((axis) => strides[axis] as number),
  );
}
