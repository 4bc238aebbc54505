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

/** An expression has more paths than nodes: so many characters are printed of it. */
const MOST_TEXT = 2 ** 20;

/** Text, or an expression that gets brackets where it binds less than it should. */
type Piece = string | readonly [node: Node, least: number];

/** An expression on one line, inputs by their names. */
export function print(node: Node): string {
  let text = '';
  const left: Piece[] = [[node, 0]];
  for (let piece = left.pop(); piece !== undefined; piece = left.pop()) {
    if (typeof piece === 'string') {
      text += piece;
      continue;
    }
    if (text.length > MOST_TEXT) return `${text} ...`;
    const [of, least] = piece;
    const { pieces, binds } = piecesOf(shown(of));
    const all = binds < least ? ['(', ...pieces, ')'] : pieces;
    left.push(...[...all].reverse());
  }
  return text;
}

/** How a value repeats, and that it is summed where it did, goes without saying. */
function shown(node: Node): Node {
  let of = node;
  while (TRANSPARENT.has(of.op)) of = of.inputs[0] as Node;
  return of;
}

function piecesOf(node: Node): { readonly pieces: readonly Piece[]; readonly binds: number } {
  const { op, inputs, attributes } = node;
  if (op === 'input') return { pieces: [String(attributes['name'])], binds: CALL };
  if (op === 'number') {
    const value = attributes['value'] as number;
    return { pieces: [Object.is(value, -0) ? '-0' : String(value)], binds: value < 0 ? PREFIX : CALL };
  }
  const infix = INFIX[op];
  if (infix !== undefined) {
    const [sign, binds] = infix;
    const [first, second] = inputs as [Node, Node];
    // Factors that are numbers stand first.
    const [left, right] = op === 'mul' && second.op === 'number' ? [second, first] : [first, second];
    // x + -1 is x - 1.
    const value = right.op === 'number' ? (right.attributes['value'] as number) : 0;
    if (op === 'add' && value < 0) return { pieces: [[left, binds], ` - ${-value}`], binds };
    const isAssociative = op === 'add' || op === 'mul';
    return { pieces: [[left, binds], ` ${sign} `, [right, isAssociative ? binds : binds + 1]], binds };
  }
  if (op === 'neg') return { pieces: ['-', [inputs[0] as Node, PREFIX]], binds: PREFIX };
  const listed = Object.entries(attributes)
    .filter(([name]) => name !== 'kernel')
    .map(([name, value]) => `${name} = ${Array.isArray(value) ? `[${value}]` : value}`);
  // As it is written, with the condition last.
  const operands = op === 'select' ? [...inputs.slice(1), inputs[0] as Node] : inputs;
  const args: Piece[] = [
    ...operands.map((input): Piece => [input, 0]),
    ...(isPlain(attributes['params']) ? [] : listed),
  ];
  const separated = args.flatMap((arg, i): Piece[] => (i === 0 ? [arg] : [', ', arg]));
  return { pieces: [`${nameOf(node)}(`, ...separated, ')'], binds: CALL };
}

const isPlain = (params: unknown): boolean => Array.isArray(params) && params.every((value) => value === 0);

function nameOf({ op, attributes }: Node): string {
  if (op === 'select') return 'where';
  const kernel = attributes['kernel'];
  if (kernel === undefined) return op;
  return `${String(kernel).toLowerCase()}${op === 'slope' ? "'" : ''}`;
}
