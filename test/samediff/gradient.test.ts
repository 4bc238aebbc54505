// SPDX-License-Identifier: Apache-2.0
// Gradients for whatever a variable stands for: what was written, however it is simplified; against differences of the
// oracle, which knows no simplification. How they are printed.
import { nd, SameDiff, type SDVariable } from '../../lib';
import type { Node } from '../../lib/samediff/graph';
import { evaluate } from '../reference/graph-oracle';
import { activationNames, backward } from '../reference/oracle';
import { nnRows } from '../support/activations';
import { errDtype, errOption, expectError } from '../support/errors';
import type { Tensor } from '../support/golden';
import { array, values } from '../support/library';
import { Random } from '../support/random';
import { mixedSlopeOf, slopeOf } from '../support/slopes';
import { againstOracle, differences, mismatches, secondDifferences } from '../support/tolerance';

/** A graph with inputs x and y `[2, 3]`, r `[2, 1]` and s, a single number, all away from kinks. */
function inputs() {
  const sd = SameDiff.create();
  const random = new Random('inputs of gradients');
  const tensors = new Map<string, Tensor>();
  const place = (name: string, shape: number[]): SDVariable => {
    const count = shape.reduce((a, b) => a * b, 1);
    tensors.set(name, { shape, data: random.list(count, () => random.uniform(0.2, 0.9) * random.pick([-1, 1])) });
    return sd.placeHolder(name, 'float64', shape);
  };
  const [x, y, r, s] = [place('x', [2, 3]), place('y', [2, 3]), place('r', [2, 1]), place('s', [])] as const;
  return { sd, x, y, r, s, tensors };
}

type Inputs = ReturnType<typeof inputs>;

describe('what has no gradient', () => {
  const { sd, x } = inputs();
  const other = SameDiff.create().placeHolder('theirs', 'float32', [2]);
  const ctc = () => {
    const logits = sd.var('logits', nd.zeros([1, 2, 3]));
    const [labels, one, two] = [sd.constant([[1]]), sd.constant([1]), sd.constant([2])];
    return sd.loss.ctcLoss(labels, logits, one, two).gradient(logits).square().gradient(logits);
  };
  test.each([
    {
      title: 'for a variable of another graph',
      call: () => x.gradient(other),
      expected: errOption('gradient', 'theirs'),
    },
    { title: 'for no variable', call: () => x.gradient(2 as never), expected: errDtype('gradient', 'a variable', '2') },
    { title: 'the second one of ctcLoss', call: ctc, expected: errOption('gradient', 'ctcLoss') },
  ])('$title', ({ call, expected }) => {
    expectError(call, expected);
  });
});

describe('gradients for a variable between', () => {
  /** A variable, and what is made from it. */
  interface Between {
    readonly m: (inputs: Inputs) => SDVariable;
    readonly loss: (m: SDVariable, inputs: Inputs) => SDVariable;
  }
  interface Row extends Between {
    readonly title: string;
    /** The same for the oracle, which has no gradients. */
    readonly plain?: Between;
  }
  const rows: readonly Row[] = [
    { title: 'a multiple of which is taken', m: ({ x }) => x.mul(2), loss: (m) => m.mul(3) },
    { title: 'that is negated again', m: ({ x }) => x.neg(), loss: (m) => m.neg().exp() },
    { title: 'whose magnitude is taken', m: ({ x }) => x.neg(), loss: (m) => m.abs().mul(m) },
    { title: 'whose sign is taken', m: ({ x }) => x.neg(), loss: (m) => m.sign().mul(m) },
    { title: 'that is negated and squared', m: ({ x }) => x.neg(), loss: (m) => m.square() },
    { title: 'a magnitude that is squared', m: ({ x }) => x.abs(), loss: (m) => m.square() },
    { title: 'a difference that is turned', m: ({ x, y }) => x.sub(y), loss: (m) => m.neg().exp() },
    { title: 'a difference, squared', m: ({ x, y }) => y.sub(x), loss: (m) => m.square() },
    { title: 'a difference, its magnitude', m: ({ x, y }) => y.sub(x), loss: (m) => m.abs().mul(m) },
    { title: 'to which a number is added', m: ({ x }) => x.add(1), loss: (m) => m.add(2).tanh() },
    { title: 'that is subtracted', m: ({ x }) => x.neg(), loss: (m, { y }) => y.sub(m).exp() },
    { title: 'twice', m: ({ x }) => x.exp(), loss: (m) => m.add(m).mul(m) },
    { title: 'that is squared by itself', m: ({ x }) => x.tanh(), loss: (m) => m.mul(m) },
    { title: 'that is divided', m: ({ x }) => x.neg(), loss: (m, { y }) => m.div(y).exp() },
    { title: 'softmax under log', m: ({ sd, x }) => sd.nn.softmax(x), loss: (m) => m.log() },
    { title: 'sigmoid under log', m: ({ x }) => x.sigmoid(), loss: (m) => m.log() },
    { title: 'logSoftmax under exp', m: ({ sd, x }) => sd.nn.logSoftmax(x), loss: (m) => m.exp() },
    { title: 'softmax, 1 less it', m: ({ sd, x }) => sd.nn.softmax(x), loss: (m) => m.rsub(1).log() },
    { title: 'sigmoid, 1 less it', m: ({ x }) => x.sigmoid(), loss: (m) => m.rsub(1).log() },
    { title: 'exp, 1 less it', m: ({ x }) => x.exp(), loss: (m) => m.rsub(1).square() },
    { title: 'softmax to a power', m: ({ sd, x }) => sd.nn.softmax(x), loss: (m) => m.pow(0.7) },
    { title: 'to the power 3', m: ({ x }) => x.exp(), loss: (m) => m.pow(3) },
    { title: 'to the power 1', m: ({ x }) => x.exp(), loss: (m, { x }) => m.pow(1).mul(x) },
    { title: 'the smaller of it and itself', m: ({ x }) => x.exp(), loss: (m, { sd }) => sd.math.min(m, m).square() },
    {
      title: 'a factor of a choice',
      m: ({ sd, x, y }) => sd.where(x, 0, y.gt(0)),
      loss: (m, { y }) => m.mul(y).mul(m),
    },
    {
      title: 'half of a choice',
      m: ({ sd, x, y }) => sd.where(x.square(), 0, y.gt(0)),
      loss: (m, { sd, y }) => m.add(sd.where(0, y, y.gt(0))).exp(),
    },
    { title: 'a choice of numbers', m: ({ sd, y }) => sd.where(2, y, y.gt(0)), loss: (m) => m.mul(3).add(1).square() },
    { title: 'that is summed with a factor', m: ({ x }) => x.mul(2), loss: (m) => m.sum(1).square() },
    { title: 'that is negated and summed', m: ({ x }) => x.neg(), loss: (m) => m.sum().exp() },
    { title: 'the sum of an axis of size 1', m: ({ r }) => r.sum(1, { keepDims: true }), loss: (m, { r }) => m.mul(r) },
    { title: 'the maximum of an axis of size 1', m: ({ r }) => r.max(1), loss: (m, { r }) => m.exp().add(r.square()) },
    { title: 'the sum of a number', m: ({ s }) => s.sum(), loss: (m, { s }) => m.mul(s).exp() },
    {
      title: 'without an axis, put in again',
      m: ({ sd, r }) => sd.squeeze(r, 1),
      loss: (m, { sd }) => sd.expandDims(m, 1).exp(),
    },
    { title: 'in another shape', m: ({ x }) => x.reshape(3, 2), loss: (m) => m.reshape(2, 3).exp() },
    { title: 'in its own shape', m: ({ x }) => x.reshape(2, 3), loss: (m, { x }) => m.mul(x) },
    { title: 'transposed twice', m: ({ x }) => x.transpose(), loss: (m) => m.transpose().exp() },
    { title: 'not transposed', m: ({ x }) => x.permute(0, 1), loss: (m, { x }) => m.mul(x) },
    { title: 'identity', m: ({ sd, x }) => sd.nn.identity(x), loss: (m, { x }) => m.mul(x) },
    { title: 'identity of a multiple', m: ({ x }) => x.mul(2), loss: (m, { sd }) => sd.nn.identity(m).mul(m) },
    { title: 'that repeats', m: ({ r }) => r.neg(), loss: (m, { x }) => m.mul(x).exp() },
    {
      title: 'a number beside the same number',
      m: ({ sd }) => sd.constant(0.5),
      loss: (m, { x }) => m.mul(x).add(0.5).exp(),
    },
    { title: 'a product of matrices', m: ({ x, y }) => x.mmul(y.transpose()), loss: (m) => m.neg().tanh() },
    { title: 'norm', m: ({ x }) => x.norm2(1), loss: (m) => m.square() },
    { title: 'mean', m: ({ x }) => x.mean(0), loss: (m, { x }) => x.sub(m).square() },
    { title: 'logSumExp', m: ({ x }) => x.logSumExp(1, { keepDims: true }), loss: (m, { x }) => x.sub(m).exp() },
    {
      title: 'that a gradient depends on',
      m: ({ x }) => x.mul(2),
      loss: (m, { x }) => m.pow(3).gradient(x).square(),
      plain: { m: ({ x }) => x.mul(2), loss: (m) => m.square().mul(6).square() },
    },
    {
      title: 'that a gradient for another one depends on',
      m: ({ x }) => x.neg(),
      loss: (m) => {
        const k = m.mul(2);
        return k.pow(3).gradient(k).mul(k);
      },
      plain: { m: ({ x }) => x.neg(), loss: (m) => m.mul(2).pow(3).mul(3) },
    },
    {
      title: 'a gradient',
      m: ({ x }) => x.neg().pow(3).gradient(x),
      loss: (m) => m.square(),
      plain: { m: ({ x }) => x.square().mul(-3), loss: (m) => m.square() },
    },
    { title: 'that the loss does not depend on', m: ({ y }) => y.neg(), loss: (_, { x }) => x.exp() },
    { title: 'the loss itself', m: ({ x }) => x.neg().exp(), loss: (m) => m },
  ];

  const drawn = ({ shape }: SDVariable, name: string): Tensor => {
    const random = new Random(name);
    return {
      shape,
      data: random.list(
        shape.reduce((a, b) => a * b, 1),
        () => random.uniform(-1, 1),
      ),
    };
  };
  const scaled = ({ shape, data }: Tensor, h: number): Tensor => ({ shape, data: data.map((value) => h * value) });

  /** The loss, a number, and what there is to move. */
  function build({ m: make, loss: from }: Between) {
    const all = inputs();
    const m = make(all);
    const result = from(m, all);
    const weights = drawn(result, 'weights');
    return { ...all, m, loss: result.mul(all.sd.constant('weights', array('float64', weights))).sum(), weights };
  }

  /** The slope for m along q, for x along p and m along q, and for m along q twice. */
  function slopes({ sd, x, m, loss, tensors }: ReturnType<typeof build>, p: Tensor, q: Tensor): number[] {
    const along = (of: SDVariable, direction: Tensor) => of.mul(sd.constant(array('float64', direction))).sum();
    const given = Object.fromEntries([...tensors].map(([name, tensor]) => [name, array('float64', tensor)]));
    const results = [
      along(loss.gradient(m), q),
      along(along(loss.gradient(x), p).gradient(m), q),
      along(along(loss.gradient(m), q).gradient(m), q),
    ];
    return sd.evaluate(results, given).map((result) => result.getDouble(0));
  }

  /** The same by differences of the oracle. */
  function wantedSlopes({ x, m, loss, tensors, weights }: ReturnType<typeof build>, p: Tensor, q: Tensor): number[] {
    const bind = ({ attributes: { name } }: Node): Tensor => tensors.get(String(name)) ?? weights;
    const score = (...moves: [Node, Tensor][]) => evaluate([loss.node], bind, new Map(moves))[0]?.data[0] as number;
    return [
      slopeOf((h) => score([m.node, scaled(q, h)])),
      mixedSlopeOf((h, k) => score([x.node, scaled(p, h)], [m.node, scaled(q, k)])),
      mixedSlopeOf((h, k) => score([m.node, scaled(q, h + k)])),
    ];
  }

  test.each(rows)('$title', ({ plain, ...row }) => {
    const built = build(row);
    const [p, q] = [drawn(built.x, 'p'), drawn(built.m, 'q')];
    const [first, mixed, second] = slopes(built, p, q) as [number, number, number];
    const wanted = wantedSlopes(plain === undefined ? built : build(plain), p, q) as [number, number, number];
    expect([
      ...mismatches('first', [first], [wanted[0]], differences),
      ...mismatches('mixed, second', [mixed, second], wanted.slice(1), secondDifferences),
    ]).toEqual([]);
  });
});

describe('activations of what is not an input', () => {
  const inner: readonly {
    readonly title: string;
    readonly of: (x: SDVariable) => SDVariable;
    readonly slope: number;
    readonly shift: number;
  }[] = [
    { title: 'x', of: (x) => x, slope: 1, shift: 0 },
    { title: '-x', of: (x) => x.neg(), slope: -1, shift: 0 },
    { title: '2 x', of: (x) => x.mul(2), slope: 2, shift: 0 },
    { title: 'x + 1', of: (x) => x.add(1), slope: 1, shift: 1 },
  ];

  test('all activations are here', () => {
    expect(new Set(nnRows.map(({ activation }) => activation))).toEqual(new Set(activationNames));
  });

  describe.each(nnRows)('$method', ({ of: make, activation, params = {}, kinks = [] }) => {
    test.each(inner)('of $title', ({ of, slope, shift }) => {
      const random = new Random(`${activation} ${slope} ${shift}`);
      const isSmooth = (w: number) => kinks.every((kink) => Math.abs(w - kink) > 0.05);
      const draw = (): number => [random.uniform(-3, 3)].find(isSmooth) ?? draw();
      const ws = random.list(8, draw);
      const [c, d] = [random.list(8, () => random.uniform(-1, 1)), random.list(8, () => random.uniform(-1, 1))];
      const firstAt = (w: readonly number[]): number[] => backward(activation, params, 4, w, c);
      const first = firstAt(ws);
      // The slope of the gradient along d is symmetric.
      const second = ws.map((_, i) =>
        slopeOf((h) =>
          firstAt(ws.map((w, j) => (i === j ? w + h : w))).reduce((sum, g, j) => sum + g * (d[j] as number), 0),
        ),
      );
      const sd = SameDiff.create();
      const constant = (data: readonly number[]) => sd.constant(array('float64', { shape: [2, 4], data }));
      const x = constant(ws.map((w) => (w - shift) / slope));
      const m = of(x);
      const loss = make(sd, m).mul(constant(c));
      const along = (gradient: SDVariable) => gradient.mul(constant(d));
      const rows = [
        { name: 'dL/dx', got: loss.gradient(x), want: first.map((g) => slope * g), tolerance: againstOracle.float64 },
        { name: 'dL/dm', got: loss.gradient(m), want: first, tolerance: againstOracle.float64 },
        {
          name: 'd2L/dx2',
          got: along(loss.gradient(x)).gradient(x),
          want: second.map((g) => slope * slope * g),
          tolerance: differences,
        },
        {
          name: 'd2L/dx dm',
          got: along(loss.gradient(x)).gradient(m),
          want: second.map((g) => slope * g),
          tolerance: differences,
        },
        { name: 'd2L/dm2', got: along(loss.gradient(m)).gradient(m), want: second, tolerance: differences },
      ];
      const bad = rows.flatMap(({ name, got, want, tolerance }) =>
        mismatches(name, values(got.eval()), want, tolerance),
      );
      expect(bad).toEqual([]);
    });
  });
});

describe('gradients of several variables at once', () => {
  test('are those of each alone', () => {
    const { sd, x, tensors } = inputs();
    const m = sd.nn.softmax(x).rename('m');
    sd.setLossVariables(m.log().mul(x).sum());
    const given = Object.fromEntries([...tensors].map(([name, tensor]) => [name, array('float64', tensor)]));
    const both = sd.calculateGradients(given, 'x', 'm');
    expect(both).toEqual({ ...sd.calculateGradients(given, 'x'), ...sd.calculateGradients(given, 'm') });
  });
});

describe('closed forms', () => {
  const far = [[1000, 0, -1000]];
  const rows: readonly {
    readonly title: string;
    readonly of: (sd: SameDiff, x: SDVariable) => SDVariable;
    readonly want: number[];
  }[] = [
    { title: 'log of softmax', of: (sd, x) => sd.nn.softmax(x).rename('m').log(), want: [-2, 1, 1] },
    { title: 'log of sigmoid', of: (_, x) => x.sigmoid().rename('m').log(), want: [0, 0.5, 1] },
    {
      title: 'log of 1 less sigmoid',
      of: (_, x) => x.sigmoid().rename('m').rsub(1).rename('n').log(),
      want: [-1, -0.5, 0],
    },
    { title: 'softmax to a power', of: (sd, x) => sd.nn.softmax(x).rename('m').pow(0.7), want: [0, 0, 0] },
  ];
  test.each(rows)('$title, behind names', ({ of, want }) => {
    const sd = SameDiff.create();
    const x = sd.constant(nd.array(far, 'float64'));
    expect(mismatches('gradient', values(of(sd, x).gradient(x).eval()), want, differences)).toEqual([]);
  });

  test.each([1, 2])('a norm of %i has slope 0 where it is 0', (cols) => {
    const sd = SameDiff.create();
    const x = sd.constant('x', nd.zeros([2, cols], 'float64'));
    expect(values(x.tanh().norm2(1).gradient(x).eval())).toEqual(new Array(2 * cols).fill(0));
  });

  test('what a mask takes out is 0, were it NaN', () => {
    const sd = SameDiff.create();
    const x = sd.constant('x', nd.array([-1, 0, 4], 'float64'));
    const m = x.log().rename('m');
    const loss = sd.where(m.mul(x.sqrt()), 0, x.gt(0));
    expect(values(loss.gradient(m).eval())).toEqual([0, 0, 2]);
    expect(values(loss.gradient(x).eval())).toEqual([0, 0, 0.5 + Math.log(4) / 4]);
  });
});

describe('as text', () => {
  const { x, y } = inputs();
  const m = x.mul(2);
  test.each([
    { title: 'of a square', of: x.sub(y).square().gradient(x), text: '2 * (x - y)' },
    { title: 'of tanh', of: x.tanh().gradient(x), text: "tanh'(x)" },
    { title: 'of a logarithm', of: x.log().mul(y).gradient(x), text: 'y / x' },
    {
      title: 'of the log of softmax',
      of: x.sameDiff.nn.softmax(x).log().gradient(x),
      text: '1 - softmax(x) * sum(1, axes = [1])',
    },
    { title: 'of what lies between', of: m.square().gradient(m), text: '4 * x' },
    { title: 'of the second order', of: x.square().mul(y).gradient(x).gradient(x), text: '2 * y' },
    { title: 'of what it does not depend on', of: x.gradient(y), text: '0' },
  ])('$title', ({ of, text }) => {
    expect(of.toString()).toBe(text);
  });
});
