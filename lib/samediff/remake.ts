// SPDX-License-Identifier: Apache-2.0
// A node once more, by another builder and of other operands.
import type { ActivationKernel } from '../native';
import { BINARY, type Binary, type Graph, makeNow, type Node, reachable, UNARY, type Unary } from './graph';
import type { Sizes } from './shapes';

const unary = new Set<string>(UNARY);
const binary = new Set<string>(BINARY);

export const isBinary = (op: string): op is Binary => binary.has(op);
export const isUnary = (op: string): op is Unary => unary.has(op);

/** The same operation; of an input, that input. */
export function remake(g: Graph, node: Node, args: readonly Node[]): Node {
  const { op, attributes } = node;
  const [a, b, c] = args as [Node, Node, Node];
  const axes = attributes['axes'] as Sizes;
  if (isUnary(op)) return g.unary(op, a);
  if (isBinary(op)) return g.binary(op, a, b);
  switch (op) {
    case 'input':
      return node;
    case 'number':
      return g.number(attributes['value'] as number);
    case 'columnIndex':
      return g.columnIndex(args.length === 0 ? node : a);
    case 'select':
      return g.select(a, b, c);
    case 'clip':
      return g.clip(a, attributes['low'] as number, attributes['high'] as number);
    case 'activation':
    case 'slope':
      return g.activation(attributes['kernel'] as ActivationKernel, attributes['params'] as Sizes, a, op);
    case 'softmax':
    case 'logSoftmax':
    case 'logSumExp':
      return g[op](a);
    case 'sum':
    case 'maximum':
    case 'squeeze':
    case 'expandDims':
    case 'permute':
      return g[op](a, axes);
    case 'reshape':
      return g.reshape(a, attributes['shape'] as Sizes);
    case 'reshapeLike':
      return g.reshapeLike(a, b);
    case 'broadcastLike':
      return args.length === 1 ? g.broadcastTo(a, node.shape) : g.broadcastLike(a, b);
    case 'sumLike':
      return g.sumLike(a, a, b);
    case 'size':
      return g.sizeOf(a, axes);
    case 'fit':
      return g.fit(a, b, attributes['name'] as string, attributes['repeats'] as boolean);
    case 'mmul':
      return g.mmul(a, b, attributes['transposeA'] as boolean, attributes['transposeB'] as boolean);
    case 'detach':
      return g.detach(a);
    case 'withSlope':
      return g.withSlope(a, b, c);
    case 'later':
      return makeNow(g, node, args);
    case 'kept':
      return g.kept(a, attributes['id'] as number);
    case 'classIndex':
    case 'ctcGradient':
      return g.kernel(op, args, attributes, a.shape);
    case 'ctc':
      return g.kernel(op, args, attributes, [a.shape[0] as number]);
    default:
      throw new Error(`no rule for ${op}`);
  }
}

/** The root with nodes replaced in all that it is made from. */
export function replaced(g: Graph, root: Node, by: ReadonlyMap<Node, Node>): Node {
  const made = new Map(by);
  for (const node of reachable([root], (each) => !by.has(each))) {
    if (made.has(node)) continue;
    const inputs = node.inputs.map((input) => made.get(input) as Node);
    made.set(node, inputs.every((input, i) => input === node.inputs[i]) ? node : remake(g, node, inputs));
  }
  return made.get(root) as Node;
}
