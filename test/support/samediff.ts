// SPDX-License-Identifier: Apache-2.0
// Graphs run in both ways: by the library, and operation by operation by the oracle.
import { NDArray, type SameDiff } from '../../lib';
import type { Node } from '../../lib/samediff/graph';
import { evaluate } from '../reference/graph-oracle';
import type { FloatDtype, Tensor } from './golden';
import { values } from './library';

/** Arrays for the inputs of a graph, by name. */
export type Arrays = Readonly<Record<string, NDArray>>;

/** The values of nodes, flat, as one of the two computes them. */
export type Run = (sd: SameDiff, nodes: readonly Node[], arrays: Arrays) => number[][];

const tensorOf = (array: NDArray): Tensor => ({ shape: array.shape, data: values(array).map(Number) });

/** The two. */
export const runs: Readonly<Record<'oracle' | 'library', Run>> = {
  oracle: (sd, nodes, arrays) =>
    evaluate(sd.expand(nodes), (input) => {
      const name = String(input.attributes['name']);
      return tensorOf(arrays[name] ?? sd.arrayOf(name));
    }).map(({ data }) => [...data]),
  library: (sd, nodes, arrays) => sd.run(nodes, arrays).map(values),
};

/** Whole numbers of any dtype, or floats. */
export function typed(dtype: FloatDtype | 'int32', { shape, data }: Tensor): NDArray {
  const Class = { float32: Float32Array, float64: Float64Array, int32: Int32Array }[dtype];
  return new NDArray(Class.from(data), shape);
}
