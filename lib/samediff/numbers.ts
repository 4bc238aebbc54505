// SPDX-License-Identifier: Apache-2.0
// Operations on single numbers, in float64: of constants when a graph is built, of sums when it has run.
import type { Op } from './graph';

type OnNumbers = (...operands: number[]) => number;

/** Those that need no kernel. */
export const onNumbers: Readonly<Partial<Record<Op, OnNumbers>>> = {
  neg: (a) => -a,
  abs: Math.abs,
  sign: Math.sign,
  square: (a) => a * a,
  sqrt: Math.sqrt,
  exp: Math.exp,
  expm1: Math.expm1,
  log: Math.log,
  log1p: Math.log1p,
  floor: Math.floor,
  reciprocal: (a) => 1 / a,
  add: (a, b) => a + b,
  sub: (a, b) => a - b,
  mul: (a, b) => a * b,
  div: (a, b) => a / b,
  min: Math.min,
  max: Math.max,
  pow: (a, b) => a ** b,
  lt: (a, b) => Number(a < b),
  le: (a, b) => Number(a <= b),
  eq: (a, b) => Number(a === b),
  ne: (a, b) => Number(a !== b),
  select: (c, a, b) => (c !== 0 ? a : b),
  squeeze: (a) => a,
  expandDims: (a) => a,
  reshape: (a) => a,
  broadcastLike: (a) => a,
};
