// SPDX-License-Identifier: Apache-2.0
// Runs plans: arrays in, arrays out.
import { allocateData, type TypedArray, toMatrix, toView } from '../array-input';
import { checkClasses } from '../class-labels';
import { check, codeOf, dtypeCodes, native, type Program } from '../native';
import { NDArray } from '../ndarray/ndarray';
import type { FloatDtype } from '../outputs';
import { type Node, numberOf } from './graph';
import { onNumbers } from './numbers';
import type { Plan, Step } from './plan';
import type { ProgramCode, ProgramInput } from './program';
import type { Region, Space } from './regions';
import { countOf, type Sizes } from './shapes';

/** A program that the addon holds, with the numbers of its calls. */
export interface Compiled {
  readonly program: Program;
  readonly frame: Float64Array;
}

/** The native program; its code is the library's own, so it is always good. */
export function compile({ code, constants, inputs, outputs, sums }: ProgramCode, region: Region): Compiled {
  const program = native.createProgram(code, constants);
  if (program === undefined) throw new Error('a program that the addon does not take');
  const frame = new Float64Array(3 + 3 * inputs.length + outputs.length + sums.length);
  frame[0] = region.rows;
  frame[1] = region.cols;
  return { program, frame };
}

/** One plan, ready to run in one dtype. */
export class Executor {
  private readonly compiled = new Map<Step, Compiled>();

  constructor(
    private readonly plan: Plan,
    private readonly dtype: FloatDtype,
  ) {}

  /** The roots' values. `arrayOf`: the array of an input of the graph. */
  run(arrayOf: (input: Node) => NDArray): NDArray[] {
    return this.compute(arrayOf).map((array, i) => result(array, (this.plan.roots[i] as Node).shape, this.dtype));
  }

  /** The same as they come: single sums in float64, what repeats in its own shape. */
  compute(arrayOf: (input: Node) => NDArray): NDArray[] {
    const { plan, dtype } = this;
    const arrays = new Map<Node, NDArray>();
    for (const [leaf, input] of plan.inputs) arrays.set(leaf, arrayOf(input));
    for (const step of plan.steps) {
      if (step.kind === 'program') this.runProgram(step, arrays);
      else if (step.kind === 'kernel') arrays.set(step.node, runKernel(step.node, arrays, dtype));
      else arrays.set(step.node, runNumber(step.node, arrays));
    }
    return plan.roots.map((root) => arrayFor(root, arrays));
  }

  private runProgram(step: Step & { kind: 'program' }, arrays: Map<Node, NDArray>): void {
    const { program: code, region } = step;
    let compiled = this.compiled.get(step);
    if (compiled === undefined) {
      compiled = compile(code, region);
      this.compiled.set(step, compiled);
    }
    const { program, frame } = compiled;
    const { inputs, outputs, sums } = code;
    const passed: TypedArray[] = [];
    frame[2] = dtypeCodes[this.dtype];
    let at = 3;
    for (const input of inputs) {
      const { data, rowStride, colStride } = operandOf(input, region, arrays, this.dtype);
      frame[at++] = codeOf(data);
      frame[at++] = rowStride;
      frame[at++] = colStride;
      passed.push(data);
    }
    for (const { result: node, kind } of outputs) {
      const array = new NDArray(allocateData(this.dtype, countOf(node.shape), 'result'), node.shape);
      frame[at++] = kind === 'row' ? 1 : region.cols;
      passed.push(array.data);
      arrays.set(node, array);
    }
    check(native.runProgram(program, frame, ...passed));
    for (const { result: node } of sums)
      arrays.set(node, new NDArray(Float64Array.of(frame[at++] as number), node.shape));
  }
}

/** An array as a program reads it. */
export interface ProgramOperand {
  readonly data: TypedArray;
  readonly rowStride: number;
  readonly colStride: number;
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

function operandOf(
  { node, space }: ProgramInput,
  region: Region,
  arrays: ReadonlyMap<Node, NDArray>,
  dtype: FloatDtype,
): ProgramOperand {
  if (node === 'columnIndex') return { data: columnIndex(region.cols, dtype), rowStride: 0, colStride: 1 };
  return operand(arrayFor(node, arrays), space, region);
}

/** An array as a program reads it, in place if its memory allows. */
export function operand(array: NDArray, space: Space, { rows, cols }: Region): ProgramOperand {
  const size = [
    space === 'element' || space === 'row' ? rows : 1,
    space === 'element' || space === 'column' ? cols : 1,
  ];
  const { data, rowStride } = toMatrix(toView(array.reshape(size), 'array', 'float32'));
  if (space === 'element') return { data, rowStride, colStride: 1 };
  return { data, rowStride: space === 'row' ? rowStride : 0, colStride: space === 'column' ? 1 : 0 };
}

function arrayFor(node: Node, arrays: ReadonlyMap<Node, NDArray>): NDArray {
  return arrays.get(node) ?? new NDArray(Float64Array.of(numberOf(node) as number), []);
}

/** What a root gives: numbers were kept in float64, and what repeats has its shape now. */
function result(array: NDArray, shape: Sizes, dtype: FloatDtype): NDArray {
  const typed = array.length === 1 && array.dtype === 'float64' && dtype === 'float32' ? array.castTo(dtype) : array;
  return typed.reshape(shape);
}

function runNumber(node: Node, arrays: ReadonlyMap<Node, NDArray>): NDArray {
  const operands = node.inputs.map((input) => arrayFor(input, arrays).getDouble(0));
  return new NDArray(Float64Array.of((onNumbers[node.op] as (...x: number[]) => number)(...operands)), node.shape);
}

// --- Kernels on whole arrays ---

function runKernel(node: Node, arrays: ReadonlyMap<Node, NDArray>, dtype: FloatDtype): NDArray {
  const inputs = node.inputs.map((input) => arrayFor(input, arrays));
  const [a, b] = inputs as [NDArray, NDArray];
  switch (node.op) {
    case 'mmul': {
      const { transposeA, transposeB } = node.attributes as { transposeA: boolean; transposeB: boolean };
      const [x, y] = [floats(a, dtype), floats(b, dtype)];
      return (transposeA ? x.transpose() : x).mmul(transposeB ? y.transpose() : y);
    }
    case 'permute':
      return permuted(a, node.attributes['axes'] as Sizes);
    case 'broadcastLike':
      return new NDArray(allocateData(a.dtype, countOf(node.shape), 'result'), node.shape).assign(a);
    case 'classIndex':
      checkClasses(
        toMatrix(toView(a.reshape(a.length, 1), 'labels', 'float32')),
        node.attributes['classes'] as number,
        node.attributes['name'] as string,
      );
      return a;
    default:
      throw new Error(`no kernel for ${node.op}`);
  }
}

function floats(array: NDArray, dtype: FloatDtype): NDArray {
  return array.dtype === dtype ? array : array.castTo(dtype);
}

/** A view with the axes in another order. */
function permuted({ data, shape, strides }: NDArray, axes: Sizes): NDArray {
  return new NDArray(
    data,
    axes.map((axis) => shape[axis] as number),
    axes.map((axis) => strides[axis] as number),
  );
}
