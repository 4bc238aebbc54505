// SPDX-License-Identifier: Apache-2.0
// Expressions as text.
import type { Node, Op } from './graph';

/** Infix operators, and how tightly they bind. */
const INFIX: Readonly<Record<string, readonly [sign: string, binds: number]>> = {
  lt: ['<', 1],
  le: ['<=', 1],
  eq: ['==', 1],
  ne: ['!=', 1],
  add: ['+', 2],
  sub: ['-', 2],
  mul: ['*', 3],
  div: ['/', 3],
  pow: ['^', 5],
};
/** Printed as what they hold. */
const TRANSPARENT = new Set<Op>(['broadcastLike', 'sumLike', 'fit', 'detach', 'withSlope', 'kept']);
const PREFIX = 4;
const CALL = 6;

/** An expression on one line, inputs by their names. */
export function print(node: Node): string {
  return text(node)[0];
}

function text(node: Node): [string, binds: number] {
  const { op, inputs, attributes } = node;
  if (op === 'input') return [String(attributes['name']), CALL];
  if (op === 'number') {
    const value = attributes['value'] as number;
    return [Object.is(value, -0) ? '-0' : String(value), value < 0 ? PREFIX : CALL];
  }
  // How a value repeats, and that it is summed where it did, goes without saying.
  if (TRANSPARENT.has(op)) return text(inputs[0] as Node);
  const infix = INFIX[op];
  if (infix !== undefined) {
    const [sign, binds] = infix;
    const [first, second] = inputs as [Node, Node];
    // Factors that are numbers stand first.
    const [left, right] = op === 'mul' && second.op === 'number' ? [second, first] : [first, second];
    // x + -1 is x - 1.
    const value = right.op === 'number' ? (right.attributes['value'] as number) : 0;
    if (op === 'add' && value < 0) return [`${inner(left, binds)} - ${-value}`, binds];
    return [`${inner(left, binds)} ${sign} ${inner(right, op === 'add' || op === 'mul' ? binds : binds + 1)}`, binds];
  }
  if (op === 'neg') return [`-${inner(inputs[0] as Node, PREFIX)}`, PREFIX];
  const listed = Object.entries(attributes)
    .filter(([name]) => name !== 'kernel')
    .map(([name, value]) => `${name} = ${Array.isArray(value) ? `[${value}]` : value}`);
  const args = [...inputs.map((input) => print(input)), ...(isPlain(attributes['params']) ? [] : listed)];
  return [`${nameOf(node)}(${args.join(', ')})`, CALL];
}

function inner(node: Node, least: number): string {
  const [body, binds] = text(node);
  return binds < least ? `(${body})` : body;
}

const isPlain = (params: unknown): boolean => Array.isArray(params) && params.every((value) => value === 0);

function nameOf({ op, attributes }: Node): string {
  if (op === 'select') return 'where';
  const kernel = attributes['kernel'];
  if (kernel === undefined) return op;
  return `${String(kernel).toLowerCase()}${op === 'slope' ? "'" : ''}`;
}
