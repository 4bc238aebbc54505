// SPDX-License-Identifier: Apache-2.0
// Where an expression that is too much for one program is cut: values that become arrays, which go from one to the next.
import type { Node } from './graph';
import { type Cone, keyOf, type Wanted } from './program';
import { isStructural } from './regions';

/** What a program of native/program.h may have. */
export const MOST_INPUTS = 64;
export const MOST_OUTPUTS = 8;
export const MOST_SUMS = 16;
export const MOST_REGISTERS = 1024;

/** So many values need no more registers than there are: to some belongs a copy. */
const MOST_VALUES = 480;

/** The nodes of the cone at which it falls into parts, each of which a program can compute. */
export function cutsOf(cone: Cone): Set<Node> {
  const cuts = new Set<Node>();
  // How full a program would be that makes a value and what no value before has counted among its own.
  const loads = new Map<number, number>();
  const take = (key: number): number => {
    const load = loads.get(key) ?? 0;
    loads.set(key, 0);
    return load;
  };
  for (const wanted of cone.values) {
    const parts = cone
      .operandsOf(wanted)
      .map((operand) => ({ operand, load: take(keyOf(operand)) }))
      .sort((a, b) => a.load - b.load);
    let load = cone.leaves.has(wanted[0]) ? 1 / MOST_INPUTS : 1 / MOST_VALUES;
    for (const { load: part } of parts) load += part;
    while (load > 1) {
      const { operand, load: part } = parts.pop() as (typeof parts)[number];
      cuts.add(computed(operand));
      load += 1 / MOST_INPUTS - part;
    }
    loads.set(keyOf(wanted), load);
  }
  return cuts;
}

/** What is computed, of what only has it in another shape. */
function computed([node]: Wanted): Node {
  let of = node;
  while (isStructural(of) || of.op === 'broadcastLike') of = of.inputs[0] as Node;
  return of;
}
