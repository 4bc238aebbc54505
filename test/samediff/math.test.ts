// SPDX-License-Identifier: Apache-2.0
// `sd.math` and the operations of the graph itself: each is the method of its first variable, and makes the same node.
import { nd, SameDiff, type SDBaseOps, type SDMath, type SDVariable } from '../../lib';
import { type Expected, errDtype, errOption, errRange, errShape, expectError } from '../support/errors';

const sd = SameDiff.create();
// What the functions are declared to be.
const [math, base]: [SDMath, SDBaseOps] = [sd.math, sd];
const x = sd.placeHolder('x', 'float64', [2, 3]);
const y = sd.placeHolder('y', 'float64', [2, 3]);
const labels = sd.placeHolder('labels', 'int32', [2]);
const column = sd.placeHolder('column', 'float64', [2, 1]);

describe('bad arguments', () => {
  const theirs = SameDiff.create().placeHolder('theirs', 'float64', [2, 3]);
  const rows: readonly { readonly title: string; readonly call: () => unknown; readonly expected: Expected }[] = [
    { title: 'no variable', call: () => math.abs(1 as never), expected: errDtype('abs', 'a variable', '1') },
    { title: 'nothing', call: () => math.exp(undefined as never), expected: errDtype('exp', 'undefined') },
    { title: 'an array', call: () => math.add([[1]] as never, x), expected: errDtype('add', 'a variable') },
    { title: 'no operand', call: () => math.mul(x, undefined as never), expected: errDtype('a variable', 'undefined') },
    { title: 'a text as operand', call: () => math.max(x, '1' as never), expected: errDtype('a variable', '1') },
    {
      title: 'an operand of another graph',
      call: () => math.sub(x, theirs),
      expected: errOption('same graph', 'theirs'),
    },
    { title: 'a variable of another graph', call: () => math.log(theirs), expected: errOption('same graph', 'theirs') },
    { title: 'a name that is taken', call: () => math.neg('x', y), expected: errOption('name', 'x') },
    { title: 'an empty name', call: () => math.neg('', y), expected: errOption('name', 'a text') },
    { title: 'shapes', call: () => math.div(x, sd.reshape(y, 3, 2)), expected: errShape('div', 'x [2, 3]', '[3, 2]') },
    { title: 'no bounds', call: () => math.clipByValue(x, undefined as never, 1), expected: errDtype('undefined') },
    { title: 'bounds that are none', call: () => math.clipByValue(x, y as never, 1), expected: errDtype('clip', 'y') },
    { title: 'bounds in the wrong order', call: () => math.clipByValue(x, 1, 0), expected: errRange('clip', '0') },
    { title: 'an axis', call: () => base.sum(x, 2), expected: errRange('axes', '2') },
    { title: 'an axis of no size 1', call: () => base.squeeze(x, 0), expected: errShape('squeeze of x', 'size 1') },
    {
      title: 'a condition that stands first',
      call: () => base.where(x.gt(0), x, 0),
      expected: errOption('where', 'the last of x, y, condition', 'lt'),
    },
    { title: 'no condition', call: () => base.where(x, y, undefined as never), expected: errDtype('undefined') },
  ];
  test.each(rows)('$title', ({ call, expected }) => {
    expectError(call, expected);
  });
});

const rows: readonly { readonly of: (...name: [string?]) => SDVariable; readonly same: SDVariable }[] = [
  { of: (...n) => math.abs(...(n as []), x), same: x.abs() },
  { of: (...n) => math.sign(...(n as []), x), same: x.sign() },
  { of: (...n) => math.neg(...(n as []), x), same: x.neg() },
  { of: (...n) => math.square(...(n as []), x), same: x.square() },
  { of: (...n) => math.cube(...(n as []), x), same: sd.nn.cube(x) },
  { of: (...n) => math.sqrt(...(n as []), x), same: x.sqrt() },
  { of: (...n) => math.exp(...(n as []), x), same: x.exp() },
  { of: (...n) => math.expm1(...(n as []), x), same: x.expm1() },
  { of: (...n) => math.log(...(n as []), x), same: x.log() },
  { of: (...n) => math.log1p(...(n as []), x), same: x.log1p() },
  { of: (...n) => math.erf(...(n as []), x), same: x.erf() },
  { of: (...n) => math.floor(...(n as []), x), same: x.floor() },
  { of: (...n) => math.reciprocal(...(n as []), x), same: x.reciprocal() },
  { of: (...n) => math.clipByValue(...(n as []), x, -1, 1), same: x.clip(-1, 1) },
  { of: (...n) => math.add(...(n as []), x, y), same: x.add(y) },
  { of: (...n) => math.sub(...(n as []), x, 2), same: x.sub(2) },
  { of: (...n) => math.mul(...(n as []), x, y), same: x.mul(y) },
  { of: (...n) => math.div(...(n as []), x, y), same: x.div(y) },
  { of: (...n) => math.rsub(...(n as []), x, 1), same: x.rsub(1) },
  { of: (...n) => math.rdiv(...(n as []), x, y), same: y.div(x) },
  { of: (...n) => math.pow(...(n as []), x, y), same: x.pow(y) },
  { of: (...n) => math.squaredDifference(...(n as []), x, y), same: x.squaredDifference(y) },
  { of: (...n) => math.min(...(n as []), x, y), same: base.min(x, y) },
  { of: (...n) => math.max(...(n as []), x, y), same: base.max(x, y) },
  { of: (...n) => math.logSumExp(...(n as []), x, 1), same: x.logSumExp(1) },
  { of: (...n) => base.sum(...(n as []), x, 0), same: x.sum(0) },
  { of: (...n) => base.mean(...(n as []), x, 1, { keepDims: true }), same: x.mean(1, { keepDims: true }) },
  { of: (...n) => base.max(...(n as []), x, 1), same: x.max(1) },
  { of: (...n) => base.min(...(n as []), x), same: x.min() },
  { of: (...n) => base.norm1(...(n as []), x, -1), same: x.norm1(1) },
  { of: (...n) => base.norm2(...(n as []), x, 0), same: x.norm2(0) },
  { of: (...n) => base.lt(...(n as []), x, y), same: x.lt(y) },
  { of: (...n) => base.lte(...(n as []), x, y), same: x.lte(y) },
  { of: (...n) => base.gt(...(n as []), x, y), same: y.lt(x) },
  { of: (...n) => base.gte(...(n as []), x, y), same: y.lte(x) },
  { of: (...n) => base.eq(...(n as []), x, 1), same: x.eq(1) },
  { of: (...n) => base.neq(...(n as []), x, 1), same: x.neq(1) },
  { of: (...n) => base.mmul(...(n as []), x, y.transpose()), same: x.mmul(y.transpose()) },
  { of: (...n) => base.transpose(...(n as []), x), same: x.transpose(1, 0) },
  { of: (...n) => base.permute(...(n as []), x, 1, 0), same: x.permute(-1, 0) },
  { of: (...n) => base.reshape(...(n as []), x, [3, 2]), same: x.reshape(3, -1) },
  { of: (...n) => base.expandDims(...(n as []), labels, -1), same: base.expandDims(labels, 1) },
  { of: (...n) => base.squeeze(...(n as []), column, 1), same: base.squeeze(column, -1) },
  { of: (...n) => base.where(...(n as []), x, 0, x.gt(0)), same: base.where(x, 0, x.gt(0)) },
];

test.each(rows.map((row) => [String(row.same), row] as const))('%s', (_, { of, same }) => {
  expect(of().node).toBe(same.node);
  const name = `named ${same.name()}`;
  const named = of(name);
  expect(named.node).toBe(same.node);
  expect(named.name()).toBe(name);
  expect(sd.getVariable(name)).toBe(named);
});

test('a number may stand first where nothing tells the two apart', () => {
  expect(math.max(0, x).node).toBe(math.max(x, 0).node);
  expect(
    math
      .min(1, x)
      .eval({
        x: nd.array(
          [
            [0, 1, 2],
            [3, -4, 5],
          ],
          'float64',
        ),
      })
      .toArray(),
  ).toEqual([
    [0, 1, 1],
    [1, -4, 1],
  ]);
});
