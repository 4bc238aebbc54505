// SPDX-License-Identifier: Apache-2.0
// Nodes that are computed together, again and again.
import { type ArrayInput, checkExtent, type Dtype, isSameShape, type Shape, toView } from '../array-input';
import { describe, dtypeError, optionError, shapeError } from '../errors';
import { native } from '../native';
import { NDArray } from '../ndarray/ndarray';
import type { FloatDtype } from '../outputs';
import { Executor } from './executor';
import type { Node } from './graph';
import { makePlan } from './plan';
import type { Placeholders, SDVariable } from './variable';

/** What stands behind an input of the graph. */
export interface Input {
  readonly variable: SDVariable;
  readonly dtype: Dtype;
  /** Undefined for a placeholder. */
  readonly array: NDArray | undefined;
}

/** Plans that are kept for each: for so many sets of shapes. */
const MOST_PLANS = 16;

interface Compiled {
  readonly dtype: FloatDtype;
  readonly shapes: readonly Shape[];
  readonly executor: Executor;
}

/** Nodes, the inputs they depend on, and a plan for each set of shapes that these had of late. */
export class Session {
  private readonly places: ReadonlyMap<Node, number>;
  /** The last one used is the first. */
  private readonly compiled: Compiled[] = [];

  constructor(
    private readonly roots: readonly Node[],
    private readonly inputs: readonly Input[],
    /** What is computed in at least. */
    private readonly dtype: FloatDtype,
  ) {
    this.places = new Map(inputs.map(({ variable }, i) => [variable.node, i]));
  }

  /** The nodes' values; in `outs` where there is one, which may be an array of the graph's. */
  run(placeholders: Placeholders = {}, outs?: readonly (NDArray | undefined)[]): NDArray[] {
    if (typeof placeholders !== 'object' || placeholders === null) {
      throw optionError('placeholders', 'an object of arrays by name', placeholders);
    }
    const arrays = this.inputs.map((input) => input.array ?? placed(input, placeholders));
    this.inputs.forEach(({ variable }, i) => {
      const { data, shape, strides } = arrays[i] as NDArray;
      checkExtent(data, shape, strides, variable.name());
    });
    return this.executorFor(arrays).run((input) => arrays[this.places.get(input) as number] as NDArray, outs);
  }

  private executorFor(arrays: readonly NDArray[]): Executor {
    const { compiled } = this;
    const dtype = this.dtype === 'float64' ? this.dtype : dtypeOf(arrays);
    const found = compiled.findIndex(
      (plan) =>
        plan.dtype === dtype && plan.shapes.every((shape, i) => isSameShape(shape, (arrays[i] as NDArray).shape)),
    );
    const [plan] = found < 0 ? [this.compile(arrays, dtype)] : found > 0 ? compiled.splice(found, 1) : compiled;
    if (found !== 0) compiled.unshift(plan as Compiled);
    if (compiled.length > MOST_PLANS) compiled.pop();
    return (plan as Compiled).executor;
  }

  private compile(arrays: readonly NDArray[], dtype: FloatDtype): Compiled {
    const shapes = arrays.map(({ shape }) => [...shape]);
    const plan = makePlan(this.roots, (input) => shapes[this.places.get(input) as number] as Shape, native.opcodes);
    return { dtype, shapes, executor: new Executor(plan, dtype) };
  }
}

function placed({ variable, dtype }: Input, placeholders: Placeholders): NDArray {
  const name = variable.name();
  const given = Object.hasOwn(placeholders, name) ? placeholders[name] : undefined;
  if (given === undefined) throw optionError(name, 'an array for the placeholder', given);
  const array = readArray(given, name, dtype);
  const { shape } = variable.node;
  const fits = shape.length === array.rank && shape.every((size, axis) => size < 0 || size === array.shape[axis]);
  if (!fits) throw shapeError(name, describe(variable.shape), array.shape);
  return array;
}

/** The caller's array; plain numbers become one of the dtype. */
export function readArray(value: ArrayInput, name: string, dtype?: Dtype): NDArray {
  if (NDArray.isMade(value)) {
    if (dtype !== undefined && value.dtype !== dtype) throw dtypeError(name, dtype, value.dtype);
    return value;
  }
  const view = toView(value, name, dtype === 'float64' ? 'float64' : 'float32');
  const array = new NDArray(view.data, view.shape, view.strides);
  if (dtype === undefined || array.dtype === dtype) return array;
  if (Array.isArray(value)) return array.castTo(dtype);
  throw dtypeError(name, dtype, array.dtype);
}

/** What a graph computes in. */
function dtypeOf(arrays: readonly NDArray[]): FloatDtype {
  return arrays.some(({ dtype }) => dtype === 'float64') ? 'float64' : 'float32';
}
