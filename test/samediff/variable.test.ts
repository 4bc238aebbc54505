// SPDX-License-Identifier: Apache-2.0
// Variables: what each method computes, beside the same on plain numbers, in both dtypes; names, shapes and types.
import {
  type AxesArguments,
  type Named,
  nd,
  type Placeholders,
  SameDiff,
  type SDVariable,
  type Term,
  type VariableType,
} from '../../lib';
import { type Expected, errDtype, errOption, errRange, errShape, expectError } from '../support/errors';
import { array, values } from '../support/library';
import { againstOracle, mismatches } from '../support/tolerance';

const dtypes = ['float32', 'float64'] as const;
const xs = [
  [0.5, -1.25, 2],
  [-0.75, 3, 0],
];
const ys = [
  [2, -1.25, 0.5],
  [1.5, -2, 4],
];

/** The inputs x and y, `[2, 3]`, and their arrays. */
function inputs(dtype: (typeof dtypes)[number]) {
  const sd = SameDiff.create();
  const given: Placeholders = { x: nd.array(xs, dtype), y: nd.array(ys, dtype) };
  return { sd, x: sd.placeHolder('x', dtype, [-1, 3]), y: sd.placeHolder('y', dtype, [-1, 3]), given };
}

describe('bad arguments', () => {
  const { sd, x, y } = inputs('float32');
  const options = (given: unknown) => () => x.sum(given as number);
  const rows: readonly { readonly title: string; readonly call: () => unknown; readonly expected: Expected }[] = [
    { title: 'a text', call: () => x.add('name', '1' as never), expected: errDtype('a variable', '1') },
    {
      title: 'a variable of another graph',
      call: () => x.mul(inputs('float32').y),
      expected: errOption('same graph', 'y'),
    },
    { title: 'a name that is taken', call: () => x.exp('y'), expected: errOption('name', 'y') },
    { title: 'a name that another variable has', call: () => x.rename('y'), expected: errOption('name', 'y') },
    { title: 'a name that is no text', call: () => x.rename(7 as never), expected: errOption('name', '7') },
    { title: 'an unknown option', call: options({ keepdims: true }), expected: errOption('keepDims', 'keepdims') },
    { title: 'a list of axes', call: options([0]), expected: errOption('keepDims', '0') },
    { title: 'an axis that is no whole number', call: options(0.5), expected: errRange('axes', '0.5') },
    { title: 'an axis too far', call: options(2), expected: errRange('axes', 'from -2 to 1', '2') },
    { title: 'axes that are not all', call: () => x.transpose(0), expected: errShape('axes', '2 axes') },
    { title: 'bounds in the wrong order', call: () => x.clip(1, -1), expected: errRange('clip', '-1') },
    { title: 'a bound that is NaN', call: () => x.clip(Number.NaN, 1), expected: errRange('clip', 'NaN') },
    { title: 'no bound', call: () => x.clip(0, undefined as never), expected: errDtype('undefined') },
    { title: 'labels of no class', call: () => x.gather(y).eval({ x: xs, y: ys }), expected: errShape('labels') },
  ];
  test.each(rows)('$title', ({ call, expected }) => {
    expectError(call, expected);
  });

  test('leave the graph as it was', () => {
    expect(sd.variables().map((variable) => variable.name())).toEqual(['x', 'y']);
  });
});

describe.each(dtypes)('values, %s', (dtype) => {
  const { x, y, given } = inputs(dtype);
  const flat = { x: xs.flat(), y: ys.flat() };
  const close = (of: SDVariable, want: readonly number[], shape: readonly number[]) => {
    const got = of.eval(given);
    expect(got.shape).toEqual(shape);
    expect(got.dtype).toBe(dtype);
    expect(mismatches(of.name(), values(got), want, againstOracle[dtype])).toEqual([]);
  };

  test.each<readonly [string, SDVariable, (a: number) => number]>([
    ['neg', x.neg(), (a) => -a],
    ['abs', x.abs(), Math.abs],
    ['sign', x.sign(), Math.sign],
    ['square', x.square(), (a) => a * a],
    ['sqrt', x.sqrt(), Math.sqrt],
    ['reciprocal', x.reciprocal(), (a) => 1 / a],
    ['exp', x.exp(), Math.exp],
    ['expm1', x.expm1(), Math.expm1],
    ['log', x.log(), Math.log],
    ['log1p', x.log1p(), Math.log1p],
    ['floor', x.floor(), Math.floor],
    ['sigmoid', x.sigmoid(), (a) => 1 / (1 + Math.exp(-a))],
    ['tanh', x.tanh(), Math.tanh],
    ['softplus', x.softplus(), (a) => Math.log1p(Math.exp(a))],
    ['relu', x.relu(), (a) => Math.max(a, 0)],
    ['clip', x.clip(-1, 2), (a) => Math.min(Math.max(a, -1), 2)],
    ['clip to one value', x.clip(1, 1), () => 1],
    ['clip above', x.clip(-Infinity, 1), (a) => Math.min(a, 1)],
    ['clip of a size', x.abs().clip(-2, 1), (a) => Math.min(Math.abs(a), 1)],
    ['clip of a size from below', x.abs().clip(0.75, 1), (a) => Math.min(Math.max(Math.abs(a), 0.75), 1)],
    ['a size beyond a bound', x.abs().sub(x.abs().clip(0, 1)), (a) => Math.max(Math.abs(a) - 1, 0)],
    [
      'a size beyond another bound',
      x.abs().sub(x.clip(-2, 1).abs()),
      (a) => Math.max(Math.abs(a) - (a < 0 ? 2 : 1), 0),
    ],
  ])('%s', (_, of, want) => {
    close(of, flat.x.map(want), [2, 3]);
  });

  test('a size and a bound that are not finite, or 0', () => {
    const sizes = [0, -0, 1, -1, 3, Infinity, -Infinity, Number.NaN];
    const of = (high: number) => {
      const size = SameDiff.create().constant(nd.array(sizes, dtype)).abs();
      return [size.clip(0, high), size.sub(size.clip(0, high))].map((each) => values(each.eval()));
    };
    expect(of(1)).toEqual([
      [0, 0, 1, 1, 1, 1, 1, Number.NaN],
      [0, 0, 0, 0, 2, Infinity, Infinity, Number.NaN],
    ]);
    expect(of(0)).toEqual([
      [0, 0, 0, 0, 0, 0, 0, Number.NaN],
      [0, 0, 1, 1, 3, Infinity, Infinity, Number.NaN],
    ]);
    expect(of(Infinity)).toEqual([
      [0, 0, 1, 1, 3, Infinity, Infinity, Number.NaN],
      [0, 0, 0, 0, 0, Number.NaN, Number.NaN, Number.NaN],
    ]);
  });

  test('erf', () => {
    // Python's math.erf.
    const known = [
      0.5204998778130465, -0.9229001282564582, 0.9953222650189527, -0.7111556336535151, 0.9999779095030014, 0,
    ];
    close(x.erf(), known, [2, 3]);
  });

  test.each<readonly [string, (x: SDVariable, y: Term) => SDVariable, (a: number, b: number) => number]>([
    ['add', (a, b) => a.add(b), (a, b) => a + b],
    ['sub', (a, b) => a.sub(b), (a, b) => a - b],
    ['mul', (a, b) => a.mul(b), (a, b) => a * b],
    ['div', (a, b) => a.div(b), (a, b) => a / b],
    ['rsub', (a, b) => a.rsub(b), (a, b) => b - a],
    ['rdiv', (a, b) => a.add(4).rdiv(b), (a, b) => b / (a + 4)],
    ['pow', (a, b) => a.abs().add(1).pow(b), (a, b) => (Math.abs(a) + 1) ** b],
    ['squaredDifference', (a, b) => a.squaredDifference(b), (a, b) => (a - b) ** 2],
    ['lt', (a, b) => a.lt(b), (a, b) => Number(a < b)],
    ['lte', (a, b) => a.lte(b), (a, b) => Number(a <= b)],
    ['gt', (a, b) => a.gt(b), (a, b) => Number(a > b)],
    ['gte', (a, b) => a.gte(b), (a, b) => Number(a >= b)],
    ['eq', (a, b) => a.eq(b), (a, b) => Number(a === b)],
    ['neq', (a, b) => a.neq(b), (a, b) => Number(a !== b)],
  ])('%s, of variables, numbers, and what repeats', (_, of, want) => {
    close(
      of(x, y),
      flat.x.map((a, i) => want(a, flat.y[i] as number)),
      [2, 3],
    );
    close(
      of(x, -1.25),
      flat.x.map((a) => want(a, -1.25)),
      [2, 3],
    );
    const row = y.max(1, { keepDims: true });
    close(
      of(x, row),
      flat.x.map((a, i) => want(a, Math.max(...(ys[Math.floor(i / 3)] as number[])))),
      [2, 3],
    );
    const column = y.sum(0);
    close(
      of(x, column),
      flat.x.map((a, i) => want(a, (ys[0]?.[i % 3] as number) + (ys[1]?.[i % 3] as number))),
      [2, 3],
    );
  });

  const columns = [0, 1, 2].map((j) => xs.map((row) => row[j] as number));
  const sum = (list: readonly number[]) => list.reduce((a, b) => a + b, 0);
  test.each<readonly [string, (...axes: AxesArguments) => SDVariable, (list: readonly number[]) => number]>([
    ['sum', (...axes) => x.sum(...axes), sum],
    ['mean', (...axes) => x.mean(...axes), (list) => sum(list) / list.length],
    ['max', (...axes) => x.max(...axes), (list) => Math.max(...list)],
    ['min', (...axes) => x.min(...axes), (list) => Math.min(...list)],
    ['norm1', (...axes) => x.norm1(...axes), (list) => sum(list.map(Math.abs))],
    ['norm2', (...axes) => x.norm2(...axes), (list) => Math.hypot(...list)],
    ['logSumExp', (...axes) => x.logSumExp(...axes), (list) => Math.log(sum(list.map(Math.exp)))],
  ])('%s, over every axis', (_, of, want) => {
    close(of(), [want(flat.x)], []);
    close(of(0, 1), [want(flat.x)], []);
    close(of(1), xs.map(want), [2]);
    close(of(-1, { keepDims: true }), xs.map(want), [2, 1]);
    close(of(0), columns.map(want), [3]);
    close(of(-2, { keepDims: true }), columns.map(want), [1, 3]);
    close(of({ keepDims: true }), [want(flat.x)], [1, 1]);
  });

  test('matrices, and other shapes', () => {
    const products = xs.flatMap((a) => ys.map((b) => sum(a.map((value, j) => value * (b[j] as number)))));
    close(x.mmul(y.transpose()), products, [2, 2]);
    close(x.transpose(), columns.flat(), [3, 2]);
    close(x.permute(1, 0), columns.flat(), [3, 2]);
    close(x.reshape(3, 2), flat.x, [3, 2]);
    close(x.reshape([-1]), flat.x, [6]);
  });

  test.each(['int32', 'float32', 'float64'] as const)('gather by labels of %s', (type) => {
    const { sd, x: of } = inputs(dtype);
    const classes = sd.placeHolder('classes', type, [-1]);
    const picked = of.gather(classes);
    const run = (list: number[]) =>
      picked.eval({ ...given, classes: type === 'int32' ? Int32Array.from(list) : nd.array(list, type) });
    expect(picked.shape).toEqual([-1, 1]);
    expect(run([2, 0]).toArray()).toEqual([[2], [-0.75]]);
    expectError(() => run([3, 0]), errRange('classes', '3'));
    expectError(() => run([-1, 0]), errRange('classes', '-1'));
    const slopes = of
      .gather(classes)
      .gradient(of)
      .eval({ ...given, classes: type === 'int32' ? Int32Array.of(2, 0) : nd.array([2, 0], type) });
    expect(slopes.toArray()).toEqual([
      [0, 0, 1],
      [1, 0, 0],
    ]);
  });
});

describe('names', () => {
  test('stand first, or are made of the operation', () => {
    const { sd, x } = inputs('float32');
    const named: Named<[other: Term]> = ['doubled', 2];
    expect(x.mul(...named).name()).toBe('doubled');
    expect([x.exp(), x.exp(), x.sum('exp_2', 0), x.exp()].map((variable) => variable.name())).toEqual([
      'exp',
      'exp_1',
      'exp_2',
      'exp_3',
    ]);
    expect(sd.getVariable('doubled').toString()).toBe('2 * x');
  });

  test('can be changed, and are free again', () => {
    const { sd, x, y } = inputs('float64');
    const m = x.add('m', y);
    expect(m.rename('n')).toBe(m);
    expect(sd.hasVariable('m')).toBe(false);
    expect(sd.getVariable('n')).toBe(m);
    expect(x.sub('m', y).name()).toBe('m');
    expect(m.eval({ x: nd.ones([1, 3], 'float64'), y: nd.ones([1, 3], 'float64') }).toArray()).toEqual([[2, 2, 2]]);
  });

  test('are those of errors, as they are now', () => {
    const { sd, x, y } = inputs('float64');
    const m = x.add('m', y).rename('n');
    expectError(
      () => m.mmul(sd.constant(array('float64', { shape: [2, 2], data: [1, 2, 3, 4] }))),
      errShape('mmul of n [?, 3]'),
    );
  });
});

test.each<readonly [VariableType, (sd: SameDiff) => SDVariable, number[]]>([
  ['PLACEHOLDER', (sd) => sd.placeHolder('p', 'float32', [-1, 2]), [-1, 2]],
  ['VARIABLE', (sd) => sd.var('v', [1, 2]), [2]],
  ['CONSTANT', (sd) => sd.constant([[1, 2]]), [1, 2]],
  ['CONSTANT', (sd) => sd.constant(3), []],
  ['ARRAY', (sd) => sd.constant(3).exp(), []],
])('%s, its shape and rank', (variableType, make, shape) => {
  const sd = SameDiff.create();
  const variable = make(sd);
  expect(variable.variableType).toBe(variableType);
  expect(variable.shape).toEqual(shape);
  expect(variable.rank).toBe(shape.length);
  expect(variable.sameDiff).toBe(sd);
});
