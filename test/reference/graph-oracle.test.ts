// SPDX-License-Identifier: Apache-2.0
// What the oracle has of its own, against numbers from elsewhere: erf from Python's math, the rest by hand.
import { Graph, type Node } from '../../lib/samediff/graph';
import type { Tensor } from '../support/golden';
import { literal, mismatches } from '../support/tolerance';
import { evaluate } from './graph-oracle';

const matrix: Tensor = { shape: [2, 3], data: [1, 2, 3, 4, 5, 6] };

/** f of one input. */
function run(f: (g: Graph, x: Node) => Node, x: Tensor): Tensor {
  const graph = new Graph();
  return evaluate([f(graph, graph.input('x', x.shape))], () => x)[0] as Tensor;
}

test.each([
  [0, 0],
  [1e-300, 1.1283791670955126e-300],
  [0.5, 0.5204998778130465],
  [-1, -0.8427007929497149],
  [2.999999, 0.999977909363748],
  [3, 0.9999779095030014],
  [-5.5, -0.9999999999999927],
  [Infinity, 1],
])('erf of %d', (x, expected) => {
  const { data } = run((g, node) => g.unary('erf', node), { shape: [], data: [x] });
  expect(mismatches('erf', data, [expected], literal.float64)).toEqual([]);
});

test.each([
  { title: 'transposes', f: (g: Graph, x: Node) => g.permute(x, [1, 0]), shape: [3, 2], data: [1, 4, 2, 5, 3, 6] },
  { title: 'sums columns', f: (g: Graph, x: Node) => g.sum(x, [0]), shape: [1, 3], data: [5, 7, 9] },
  { title: 'finds the largest of rows', f: (g: Graph, x: Node) => g.maximum(x, [1]), shape: [2, 1], data: [3, 6] },
  {
    title: 'repeats rows and columns',
    f: (g: Graph, x: Node) => g.add(g.maximum(x, [1]), g.columnIndex(x)),
    shape: [2, 3],
    data: [3, 4, 5, 6, 7, 8],
  },
  {
    title: 'multiplies x x^T',
    f: (g: Graph, x: Node) => g.mmul(x, x, false, true),
    shape: [2, 2],
    data: [14, 32, 32, 77],
  },
  {
    title: 'multiplies x^T x',
    f: (g: Graph, x: Node) => g.mmul(x, x, true, false),
    shape: [3, 3],
    data: [17, 22, 27, 22, 29, 36, 27, 36, 45],
  },
  {
    title: 'gathers',
    f: (g: Graph, x: Node) => g.gather(x, g.sum(g.binary('le', x, 1), [1])),
    shape: [2, 1],
    data: [2, 4],
  },
])('$title', ({ f, shape, data }) => {
  expect(run(f, matrix)).toEqual({ shape, data });
});
