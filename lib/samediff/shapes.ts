// SPDX-License-Identifier: Apache-2.0
// Shapes with sizes that are known only when a graph runs: a negative number stands for each, the same for the same size.
import { describe, rangeError, shapeError } from '../errors';

/** What users write and see for a size that is not known yet. */
export const UNKNOWN = -1;

export type Sizes = readonly number[];

/** Are all sizes known? */
export function isKnown(shape: Sizes): boolean {
  return shape.every((size) => size >= 0);
}

/** Are the two certainly equal? */
export function isSame(a: Sizes, b: Sizes): boolean {
  return a.length === b.length && a.every((size, axis) => size === b[axis] && size !== UNKNOWN);
}

/** How many elements; -1 where a size is unknown. */
export function countOf(shape: Sizes): number {
  return isKnown(shape) ? shape.reduce((product, size) => product * size, 1) : UNKNOWN;
}

/** The axes of a shape along which another, aligned at the last axis, repeats to it. */
export function repeatedAxes(shape: Sizes, of: Sizes): number[] {
  const lead = shape.length - of.length;
  return [...shape.keys()].filter((axis) => axis < lead || (of[axis - lead] === 1 && shape[axis] !== 1));
}

/** The shape as users see it. */
export function publicShape(shape: Sizes): Sizes {
  return shape.map((size) => Math.max(size, UNKNOWN));
}

/**
 * The shape of `a` and `b` broadcast together: aligned at the last axis, a size of 1 repeats. `unknown` gives the size of
 * two that are not known.
 */
export function broadcast(a: Sizes, b: Sizes, what: () => string, unknown: (p: number, q: number) => number): Sizes {
  const rank = Math.max(a.length, b.length);
  return Array.from({ length: rank }, (_, axis) => {
    const p = a[axis - rank + a.length] ?? 1;
    const q = b[axis - rank + b.length] ?? 1;
    if (p === q || q === 1) return p;
    if (p === 1) return q;
    if (p < 0 && q < 0) return unknown(p, q);
    if (p < 0 || q < 0) return Math.max(p, q);
    throw shapeError(
      what(),
      'shapes that broadcast',
      [a, b].map((shape) => describe(publicShape(shape))).join(' and '),
    );
  });
}

/** Axes from 0 on, in order, each once; negative ones count from the end; none: all. */
export function readAxes(axes: readonly unknown[], rank: number, name: string): number[] {
  if (axes.length === 0) return Array.from({ length: rank }, (_, axis) => axis);
  const read = axes.map((axis) => {
    if (!Number.isInteger(axis) || (axis as number) < -rank || (axis as number) >= rank) {
      throw rangeError(name, `axes from ${-rank} to ${rank - 1}`, axis);
    }
    return (axis as number) < 0 ? (axis as number) + rank : (axis as number);
  });
  if (new Set(read).size < read.length) throw rangeError(name, 'each axis once', axes);
  return read.sort((a, b) => a - b);
}

/** The shape with size 1 along the axes. */
export function reduced(shape: Sizes, axes: readonly number[]): Sizes {
  return shape.map((size, axis) => (axes.includes(axis) ? 1 : size));
}

/** The shape without the axes. */
export function without(shape: Sizes, axes: readonly number[]): Sizes {
  return shape.filter((_, axis) => !axes.includes(axis));
}

/** The shape with axes of size 1 more, where they will be, in order. */
export function withAxes(shape: Sizes, axes: readonly number[]): Sizes {
  const sizes = [...shape];
  for (const axis of axes) sizes.splice(axis, 0, 1);
  return sizes;
}

/** Relative to rows of the last axis: a value each element, row, column, or one. */
export type Space = 'scalar' | 'column' | 'row' | 'element';

/** How an operand goes with the elements of a shape; undefined where it repeats along other axes. */
export function spaceOf(operand: Sizes, shape: Sizes): Space | undefined {
  const count = countOf(operand);
  if (count === countOf(shape)) return 'element';
  if (count === 1) return 'scalar';
  const cols = shape[shape.length - 1] as number;
  const lead = shape.length - operand.length;
  const last = operand[operand.length - 1];
  if (last === 1 && shape.slice(0, -1).every((size, axis) => size === (operand[axis - lead] ?? 1))) return 'row';
  return count === cols && last === cols ? 'column' : undefined;
}
