// SPDX-License-Identifier: Apache-2.0
// A graph for shapes that are known: made anew, and simplified again, in terms of what programs and kernels compute.
import { shapeError } from '../errors';
import { label, type Node, nameAs, numberOf, reachable } from './graph';
import { isBinary, remake } from './remake';
import { countOf, reduced, repeatedAxes, type Sizes, spaceOf } from './shapes';
import type { Simplifier } from './simplifier';

/** The nodes in `to`, with the shapes that `shapeOf` gives the inputs; `inputs` receives which input became which. */
export function specialize(
  roots: readonly Node[],
  to: Simplifier,
  shapeOf: (input: Node) => Sizes,
  inputs: Map<Node, Node>,
): Node[] {
  const made = new Map<Node, Node>();
  for (const node of reachable(roots)) {
    const args = repeated(
      to,
      node,
      node.inputs.map((input) => made.get(input) as Node),
    );
    let result: Node;
    if (node.op === 'input') {
      result = to.input(node.attributes['name'] as string, shapeOf(node));
      inputs.set(result, node);
    } else {
      result = lower(to, node, args);
      // Nothing is computed for no elements.
      if (countOf(result.shape) === 0) result = to.broadcastTo(to.number(0), result.shape);
    }
    nameAs(result, node);
    made.set(node, result);
  }
  return roots.map((root) => made.get(root) as Node);
}

/** The operands; in full those that repeat along other axes than the first ones or the last one. */
function repeated(g: Simplifier, { op }: Node, args: readonly Node[]): readonly Node[] {
  if (!isBinary(op) && op !== 'select') return args;
  const shape = g.broadcast(op === 'select' ? 'where' : op, args);
  return args.map((arg) => (spaceOf(arg.shape, shape) === undefined ? g.broadcastTo(arg, shape) : arg));
}

/** The operation in terms of others where it is none of programs and kernels. */
function lower(g: Simplifier, node: Node, args: readonly Node[]): Node {
  const { op, attributes } = node;
  const [a, b] = args as [Node, Node];
  switch (op) {
    case 'clip': {
      const [low, high] = [attributes['low'] as number, attributes['high'] as number];
      // What its slope is clipped to as well.
      return a.op === 'abs' && low <= 0 && high >= 0
        ? g.abs(clipped(g, a.inputs[0] as Node, -high, high))
        : clipped(g, a, low, high);
    }
    case 'sub':
      return beyond(g, a, b) ?? g.sub(a, b);
    case 'softmax': {
      if (countOf(a.shape) === 0) return a;
      const e = g.unary('exp', lessMaximum(g, a));
      return g.mul(e, g.unary('reciprocal', g.sum(e, lastAxis(a))));
    }
    case 'logSoftmax': {
      if (countOf(a.shape) === 0) return a;
      const rest = lessMaximum(g, a);
      return g.sub(rest, g.log(g.sum(g.unary('exp', rest), lastAxis(a))));
    }
    case 'logSumExp':
      if (a.shape.at(-1) === 0) return g.broadcastTo(g.number(Number.NEGATIVE_INFINITY), reduced(a.shape, lastAxis(a)));
      return g.add(g.maximum(a, lastAxis(a)), g.log(g.sum(g.unary('exp', lessMaximum(g, a)), lastAxis(a))));
    case 'sum':
    case 'maximum':
      return overAxes(g, op, a, attributes['axes'] as Sizes);
    case 'sumLike': {
      const axes = repeatedAxes(a.shape, b.shape);
      return g.squeeze(overAxes(g, 'sum', a, axes), axes.slice(0, a.shape.length - b.shape.length));
    }
    case 'detach':
    case 'withSlope':
      return a;
    case 'classIndex':
      // Of the other operand the width alone counts: it need not be an array for that.
      return g.kernel(op, [a], { ...attributes, classes: b.shape[b.shape.length - 1] as number }, a.shape);
    default:
      return remake(g, node, args);
  }
}

const clipped = (g: Simplifier, x: Node, low: number, high: number): Node => g.min(g.max(x, low), high);

/** `|x| - |clip(x, -high, high)|` as `|x - clip(x, -high, high)|`: the same bits. */
function beyond(g: Simplifier, a: Node, b: Node): Node | undefined {
  const [[x], [limited]] = [a.inputs, b.inputs];
  if (a.op !== 'abs' || b.op !== 'abs' || x === undefined || limited?.op !== 'min') return undefined;
  const high = limited.inputs.map(numberOf).find((number) => number !== undefined) ?? Number.NaN;
  return high >= 0 && clipped(g, x, -high, high) === limited ? g.abs(g.sub(x, limited)) : undefined;
}

const lastAxis = (x: Node): Sizes => [x.shape.length - 1];

function lessMaximum(g: Simplifier, x: Node): Node {
  return g.sub(x, g.maximum(x, lastAxis(x)));
}

/** What no elements come to. */
function ofNothing(g: Simplifier, op: 'sum' | 'maximum', x: Node, axes: Sizes): Node {
  if (op === 'maximum' && countOf(reduced(x.shape, axes)) > 0) {
    throw shapeError(`max of ${label(x)}`, 'at least one element along the reduced axes', x.shape);
  }
  return g.number(0);
}

/** A reduction over trailing axes, of a sum over leading ones too: other axes are brought there. */
function overAxes(g: Simplifier, op: 'sum' | 'maximum', x: Node, axes: Sizes): Node {
  if (countOf(x.shape) === 0) return g.broadcastTo(ofNothing(g, op, x, axes), reduced(x.shape, axes));
  const long = x.shape.map((_, axis) => axis).filter((axis) => x.shape[axis] !== 1);
  const over = long.filter((axis) => axes.includes(axis));
  const kept = long.filter((axis) => !axes.includes(axis));
  const isTrailing = kept.every((axis) => axis < (over[0] as number));
  const isLeading = over.every((axis) => axis < (kept[0] as number));
  if (over.length === 0) return g.reshape(x, reduced(x.shape, axes));
  if (op === 'sum' && (isTrailing || isLeading)) return g.sum(x, axes);
  const shape = reduced(x.shape, axes);
  if (isTrailing) {
    // A row of its own for each result.
    const count = countOf(shape);
    const rows = g.reshape(x, [count, countOf(x.shape) / Math.max(count, 1)]);
    return g.reshape(g[op](rows, [1]), shape);
  }
  const moved = g.permute(x, [...x.shape.keys()].filter((axis) => !over.includes(axis)).concat(over));
  return g.reshape(
    overAxes(
      g,
      op,
      moved,
      over.map((_, i) => x.shape.length - over.length + i),
    ),
    shape,
  );
}
