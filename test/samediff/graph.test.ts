// SPDX-License-Identifier: Apache-2.0
// Graphs: shapes that do not fit, told when a graph is made or when it runs; that nothing is there twice; what is made
// simpler, how it reads then, and that its values stay what was written, for every kind of number.
import { nd, SameDiff, type SDVariable } from '../../lib';
import { evaluate } from '../reference/graph-oracle';
import { type Expected, errDtype, errRange, errShape, expectError } from '../support/errors';
import { values } from '../support/library';
import { mismatches, sameDtype } from '../support/tolerance';

describe('shapes that do not fit', () => {
  type Inputs = Readonly<Record<'x' | 'y' | 'r' | 't' | 's', SDVariable>> & { readonly sd: SameDiff };
  const shapes = { x: [2, 3], y: [4, 3], r: [2, 2], t: [2, 3, 4], s: [] };

  /** The inputs, their sizes known or not; x as the variable `hidden` that is made from it. */
  function inputs(known: boolean): Inputs {
    const sd = SameDiff.create();
    const placed = Object.entries(shapes).map(([name, shape]) => {
      const sizes = known ? shape : shape.map(() => -1);
      return [name, sd.placeHolder(name, 'float64', sizes)] as const;
    });
    const { x, ...others } = Object.fromEntries(placed) as Omit<Inputs, 'sd'>;
    return { sd, x: x.tanh('hidden'), ...others };
  }

  interface Row {
    readonly title: string;
    readonly of: (inputs: Inputs) => SDVariable;
    readonly expected: Expected;
  }

  const always: readonly Row[] = [
    {
      title: 'operands',
      of: ({ x, y }) => x.add(y),
      expected: errShape('add', 'hidden [2, 3]', 'y [4, 3]', 'broadcast'),
    },
    { title: 'operands of another rank', of: ({ x, t }) => t.mul(x), expected: errShape('mul', 't', 'hidden') },
    { title: 'operands of a comparison', of: ({ x, y }) => x.lt(y), expected: errShape('lt', 'hidden', 'y') },
    { title: 'a choice', of: ({ sd, x, y }) => sd.where(x, y, x.gt(0)), expected: errShape('where', 'hidden', 'y') },
    {
      title: 'factors',
      of: ({ x, r }) => x.mmul(r),
      expected: errShape('mmul', 'hidden [2, 3]', 'r [2, 2]', '3 rows', '2'),
    },
    {
      title: 'a number of elements',
      of: ({ x }) => x.reshape(4, 2),
      expected: errShape('reshape', 'hidden', '6 elements', '[4, 2]'),
    },
    {
      title: 'what is left of a size',
      of: ({ x }) => x.reshape(-1, 4),
      expected: errShape('reshape', 'hidden', '6', '4'),
    },
    {
      title: 'labels of a loss',
      of: ({ sd, x, y }) => sd.loss.meanSquaredError(x, y, null),
      expected: errShape('labels'),
    },
    {
      title: 'weights of a loss',
      of: ({ sd, x, r }) => sd.loss.meanSquaredError(x, x, r),
      expected: errShape('weights'),
    },
  ];
  const whenMade: readonly Row[] = [
    { title: 'no matrix', of: ({ x, t }) => t.mmul(x), expected: errShape('mmul', 'two matrices', 't') },
    { title: 'labels that are no column', of: ({ x, t }) => x.gather(t), expected: errShape('gather', 't', '[n, 1]') },
    { title: 'a gather of no matrix', of: ({ t, x }) => t.gather(x), expected: errShape('gather', 't', 'a matrix') },
    { title: 'two open sizes', of: ({ x }) => x.reshape(-1, -1), expected: errShape('reshape', 'at most one') },
    { title: 'a size that is none', of: ({ x }) => x.reshape(1.5), expected: errShape('reshape', '1.5') },
    { title: 'an axis too far', of: ({ x }) => x.sum(2), expected: errRange('axes', '2') },
    { title: 'an axis too far from the end', of: ({ x }) => x.mean(-3), expected: errRange('axes', '-3') },
    { title: 'an axis twice', of: ({ x }) => x.max(0, -2), expected: errRange('axes', 'once') },
    { title: 'axes that are not all', of: ({ x }) => x.transpose(0, 0), expected: errShape('axes', 'each') },
    { title: 'an axis to put in', of: ({ sd, x }) => sd.expandDims(x, 3), expected: errRange('axis', '3') },
    {
      title: 'rows of a number',
      of: ({ sd, s }) => sd.loss.softmaxCrossEntropy(s, s, null),
      expected: errShape('s', 'axis'),
    },
    { title: 'a softmax of a number', of: ({ sd, s }) => sd.nn.softmax(s), expected: errRange('dimension') },
    { title: 'no operand', of: ({ x }) => x.add(undefined as never), expected: errDtype('variable', 'undefined') },
  ];

  test.each(always)('$title, known', ({ of, expected }) => {
    expectError(() => of(inputs(true)), expected);
  });

  test.each(whenMade)('$title', ({ of, expected }) => {
    expectError(() => of(inputs(true)), expected);
    expectError(() => of(inputs(false)), { ...expected, says: [] });
  });

  test.each(always)('$title, when it runs', ({ of, expected }) => {
    const variable = of(inputs(false));
    const arrays = Object.entries(shapes).map(([name, shape]) => [name, nd.ones(shape, 'float64')] as const);
    expectError(() => variable.eval(Object.fromEntries(arrays)), expected);
  });

  test('of two sizes that are not known, equal ones fit', () => {
    const { x, y } = inputs(false);
    const [a, b] = [nd.ones([2, 3], 'float64'), nd.ones([1, 3], 'float64')];
    expect(x.add(y).shape).toEqual([-1, -1]);
    expect(x.add(y).eval({ x: a, y: b }).shape).toEqual([2, 3]);
  });
});

describe('nothing is there twice', () => {
  const sd = SameDiff.create();
  const [x, y] = [sd.placeHolder('x', 'float32', [2, 3]), sd.placeHolder('y', 'float32', [2, 3])];
  test.each([
    { title: 'the same operation', a: x.tanh(), b: x.tanh() },
    { title: 'operands in another order', a: x.mul(y), b: y.mul(x) },
    { title: 'numbers', a: x.add(-0.5), b: x.add(-0.5) },
    { title: 'a gradient', a: x.exp().gradient(x), b: x.exp().gradient(x) },
  ])('$title', ({ a, b }) => {
    expect(a.node).toBe(b.node);
    expect(a.name()).not.toBe(b.name());
  });

  test.each([
    { title: '0 and -0', a: x.mul(0), b: x.mul(-0) },
    { title: 'operands of a difference', a: x.sub(y), b: y.sub(x) },
    { title: 'inputs of one value', a: sd.constant('a', [1]), b: sd.constant('b', [1]) },
    { title: 'axes', a: x.sum(0), b: x.sum(1) },
    { title: 'options', a: sd.nn.elu(x, 1), b: sd.nn.elu(x, 2) },
  ])('$title are apart', ({ a, b }) => {
    expect(a.node).not.toBe(b.node);
  });
});

describe('simplification', () => {
  const special = [0, -0, 1, -1, 0.5, -2.5, 1e-300, -1e300, 700, -700, Infinity, -Infinity, NaN];
  const other = [2, -0.5, 0, NaN, Infinity, -1];
  const sd = SameDiff.create();
  const cols = special.length;
  const x = sd.constant(
    'x',
    nd.array(
      other.map(() => special),
      'float64',
    ),
  );
  const y = sd.constant(
    'y',
    nd.array(
      other.map((value) => special.map(() => value)),
      'float64',
    ),
  );
  const r = sd.constant(
    'r',
    nd.array(
      other.map((value) => [value]),
      'float64',
    ),
  );
  const s = sd.constant('s', 3);

  interface Row {
    readonly of: SDVariable;
    readonly text: string;
    /** Better than what was written, where that loses what it stands for. */
    readonly better?: true;
  }
  const rows: readonly Row[] = [
    { of: x.neg().neg(), text: 'x' },
    { of: x.sub(y).neg(), text: 'y - x' },
    { of: x.neg().abs(), text: 'abs(x)' },
    { of: x.abs().abs(), text: 'abs(x)' },
    { of: x.square().abs(), text: 'square(x)' },
    { of: x.exp().abs(), text: 'exp(x)' },
    { of: y.sub(x).abs(), text: 'abs(x - y)' },
    { of: x.abs().square(), text: 'square(x)' },
    { of: x.neg().square(), text: 'square(x)' },
    { of: y.sub(x).square(), text: 'square(x - y)' },
    { of: x.neg().sign(), text: '-sign(x)' },
    { of: y.sub(x).sign(), text: '-sign(x - y)' },
    { of: x.add(0), text: 'x' },
    { of: x.rsub(0), text: '-x' },
    { of: x.sub(0), text: 'x' },
    { of: x.sub(2), text: 'x - 2' },
    { of: x.add(y.neg()), text: 'x - y' },
    { of: x.neg().add(y), text: 'y - x' },
    { of: x.sub(y.neg()), text: 'x + y' },
    { of: x.add(x), text: '2 * x' },
    { of: x.add(1).add(2), text: 'x + 3' },
    { of: x.mul(2).mul(3), text: '6 * x' },
    { of: x.mul(1), text: 'x' },
    { of: x.mul(-1), text: '-x' },
    { of: x.neg().mul(y), text: '-(x * y)' },
    { of: x.mul(y.neg()), text: '-(x * y)' },
    { of: x.mul(x), text: 'square(x)' },
    { of: x.div(1), text: 'x' },
    { of: x.div(-1), text: '-x' },
    { of: x.neg().div(y), text: '-(x / y)' },
    { of: x.pow(0), text: '1' },
    { of: x.pow(1), text: 'x' },
    { of: x.pow(2), text: 'square(x)' },
    { of: x.pow(3), text: 'x * square(x)' },
    { of: x.abs().pow(0.5), text: 'sqrt(abs(x))' },
    { of: x.pow(-1), text: 'reciprocal(x)' },
    { of: sd.math.min(x, x), text: 'x' },
    { of: sd.math.max(x, x), text: 'x' },
    { of: sd.where(x, y, 1), text: 'x' },
    { of: sd.where(x, y, 0), text: 'y' },
    { of: sd.where(r, r, x), text: 'r' },
    { of: sd.where(2, 1, x.gt(0)).mul(3), text: 'where(6, 3, 0 < x)' },
    { of: sd.where(x, 1, x.gt(0)).add(2), text: 'where(x + 2, 3, 0 < x)' },
    { of: s.mul(2).add(x), text: 'x + 6' },
    { of: s.sub(3).exp(), text: '1' },
    { of: sd.nn.identity(x), text: 'x' },
    { of: x.sum(1).neg().neg(), text: 'squeeze(sum(x, axes = [1]), axes = [1])' },
    { of: x.mul(2).sum(1, { keepDims: true }), text: '2 * sum(x, axes = [1])' },
    { of: x.neg().sum(1, { keepDims: true }), text: '-sum(x, axes = [1])' },
    { of: r.sum(1, { keepDims: true }), text: 'r' },
    { of: r.max(1, { keepDims: true }), text: 'r' },
    { of: sd.expandDims(sd.squeeze(r, 1), 1), text: 'r' },
    { of: sd.squeeze(sd.expandDims(x, 0), 0), text: 'x' },
    { of: x.reshape(-1).reshape(other.length, cols), text: 'x' },
    { of: x.transpose().transpose(), text: 'x' },
    { of: sd.nn.logSoftmax(x).exp(), text: 'softmax(x)' },
    // 0 times what may be infinite, or over what may be 0, is not 0; a number is what it is.
    { of: sd.where(x, 0, x.gt(0)).mul(y), text: 'y * where(x, 0, 0 < x)' },
    { of: sd.where(x, 0, x.gt(0)).div(y), text: 'where(x, 0, 0 < x) / y' },
    { of: sd.where(x, 0, x.gt(0)).div(0), text: 'where(x / 0, NaN, 0 < x)' },
    { of: sd.where(0, x, x.gt(0)).mul(Infinity), text: 'where(NaN, Infinity * x, 0 < x)' },
    { of: sd.where(0, x, x.gt(0)).mul(-2), text: 'where(-0, -2 * x, 0 < x)' },
    { of: sd.where(1, x, x.gt(0)).neg(), text: 'where(-1, -x, 0 < x)' },
    { of: sd.where(x, 0, x.gt(0)).add(sd.where(0, y, x.gt(0))), text: 'where(x, y, 0 < x)' },
    // What underflows, or is near 1.
    { of: sd.nn.softmax(x).log(), text: 'logSoftmax(x)', better: true },
    { of: x.sigmoid().log(), text: '-softplus(-x)', better: true },
    { of: x.sigmoid().rsub(1), text: 'sigmoid(-x)', better: true },
    { of: sd.nn.softmax(x).rsub(1), text: '-expm1(logSoftmax(x))', better: true },
    { of: x.exp().rsub(1), text: '-expm1(x)', better: true },
    { of: x.sigmoid().pow(0.7), text: 'exp(-(0.7 * softplus(-x)))', better: true },
    { of: x.sigmoid().pow(0.5), text: 'exp(-(0.5 * softplus(-x)))', better: true },
    { of: x.exp().log(), text: 'x', better: true },
  ];

  test.each(['sigmoid', 'tanh'] as const)('the slope of %s is even', (name) => {
    expect(x.neg()[name]().gradient(x).toString()).toBe(`-${name}'(x)`);
  });

  test.each(rows.map((row) => [row.text, row] as const))('%s', (_, { of, text, better }) => {
    expect(of.toString()).toBe(text);
    const bind = () => ({ shape: [], data: [] });
    const arrays = new Map([x, y, r].map((variable) => [variable.node, sd.arrayOf(variable)]));
    const [written, simpler] = evaluate([of.node, ...sd.expand([of.node])], (node) => {
      const array = arrays.get(node);
      return array === undefined ? bind() : { shape: array.shape, data: [...(array.data as Float64Array)] };
    });
    expect(simpler?.shape).toEqual(written?.shape);
    const [a, b] = [written?.data ?? [], simpler?.data ?? []];
    // Where both are finite they are equal.
    const isCompared = (i: number) => !better || (Number.isFinite(a[i]) && Math.abs(a[i] as number) > 1e-3);
    const wanted = a.filter((_, i) => isCompared(i));
    expect(
      mismatches(
        text,
        b.filter((_, i) => isCompared(i)),
        wanted,
        sameDtype.float64,
      ),
    ).toEqual([]);
  });
});

describe('what runs', () => {
  const batch = nd.array([1, 2, 3, 4, 5, 6, 7, 8]).reshape(2, 2, 2);

  test.each([
    { title: 'first and last axis', of: [2, 1], want: [14, 22] },
    { title: 'a middle axis', of: [2, 1, 2], want: [4, 6, 12, 14] },
    { title: 'the last axis', of: [2, 2, 1], want: [3, 7, 11, 15] },
    { title: 'the first axis', of: [2, 2], want: [6, 8, 10, 12] },
  ])('gradients over $title, with a size that is known when it runs', ({ of, want }) => {
    for (const rows of [2, -1]) {
      const sd = SameDiff.create();
      const x = sd.placeHolder('x', 'float32', [rows, 2, 2]);
      const s = sd.var('s', nd.ones(of));
      expect(values(x.mul(s).gradient(s).eval({ x: batch }))).toEqual(want);
    }
  });

  test('takes no time that grows with the paths through a graph', () => {
    const sd = SameDiff.create();
    let x = sd.var('x', nd.ones([2, 3]));
    for (let i = 0; i < 60; i++) x = x.mul(x.tanh());
    expect(values(x.eval())).toHaveLength(6);
    let y = sd.var('y', nd.ones([2, 3]));
    for (let i = 0; i < 20; i++) y = sd.nn.softmax(y);
    expect(values(y.eval())[0]).toBeCloseTo(1 / 3, 6);
  });

  test.each([
    { title: 'products', of: (x: SDVariable) => x.mul(1e30).mul(1e30), x: 1e-38, want: 1e22 },
    { title: 'small products', of: (x: SDVariable) => x.mul(1e-30).mul(1e-30), x: 1e30, want: 1e-30 },
    { title: 'sums', of: (x: SDVariable) => x.add(3e38).add(3e38), x: -3e38, want: 3e38 },
  ])('$title of numbers stay as they are written where they leave the range', ({ of, x, want }) => {
    const sd = SameDiff.create();
    const [got] = values(of(sd.var('x', nd.array([x]))).eval());
    expect((got as number) / want).toBeCloseTo(1, 5);
  });

  test('is float64 where an input is, though nothing depends on it', () => {
    const sd = SameDiff.create();
    const x = sd.var('x', nd.array([1, 2, 3], 'float64'));
    expect(x.mean().gradient(x).eval().dtype).toBe('float64');
    expect(values(x.mean().gradient(x).eval())).toEqual([1 / 3, 1 / 3, 1 / 3]);
  });
});
