// SPDX-License-Identifier: Apache-2.0
// Random expressions, as the library computes them and as the oracle does, operation by operation; their gradients, for
// inputs and for what lies between, against the oracle's values of the symbolic gradient, and against differences.
import fc from 'fast-check';
import { type NDArray, nd } from '../../lib';
import type { Node } from '../../lib/samediff/graph';
import { SameDiff } from '../../lib/samediff/samediff';
import type { SDVariable } from '../../lib/samediff/variable';
import { evaluate } from '../reference/graph-oracle';
import type { FloatDtype, Tensor } from '../support/golden';
import { Random } from '../support/random';
import { againstOracle, largest, mismatches } from '../support/tolerance';

const RUNS = process.env['SIMDLOSS_FULL'] === '1' ? 10_000 : 300;

/** One operation: which, and numbers that choose its operands. */
type Choice = readonly [op: number, first: number, second: number, third: number];

interface Expression {
  readonly rows: number;
  readonly cols: number;
  readonly depth: number;
  readonly seed: number;
  readonly choices: readonly Choice[];
}

/** Functions whose values stay small and whose slopes stay finite, so that errors say something. */
const unary: readonly ((x: SDVariable) => SDVariable)[] = [
  (x) => x.neg(),
  (x) => x.abs(),
  (x) => x.tanh(),
  (x) => x.sigmoid(),
  (x) => x.softplus(),
  (x) => x.relu(),
  (x) => x.erf(),
  (x) => x.tanh().square(),
  (x) => x.tanh().exp(),
  (x) => x.tanh().expm1(),
  (x) => x.square().add(1).log(),
  (x) => x.square().log1p(),
  (x) => x.square().add(1).sqrt(),
  (x) => x.square().add(0.5).reciprocal(),
  (x) => x.square().add(1).pow(0.7),
  (x) => x.clip(-0.75, 1.25),
  (x) => x.abs().sub(x.abs().clip(0, 0.75)),
  (x) => x.mul(0.5).add(1).sub(0.25),
  (x) => x.rsub(2),
];

const binary: readonly ((x: SDVariable, y: SDVariable) => SDVariable)[] = [
  (x, y) => x.add(y),
  (x, y) => x.sub(y),
  (x, y) => x.tanh().mul(y),
  (x, y) => x.div(y.square().add(1)),
  (x, y) => x.squaredDifference(y).log1p(),
  (x, y) => x.sameDiff.math.min(x, y),
  (x, y) => x.sameDiff.math.max(x, y),
];

/** Over one axis, or all. */
const reductions: readonly ((x: SDVariable, axes: number[]) => SDVariable)[] = [
  (x, axes) => x.mean(...axes, { keepDims: true }),
  (x, axes) => x.tanh().sum(...axes, { keepDims: true }),
  (x, axes) => x.max(...axes, { keepDims: true }),
  (x, axes) => x.min(...axes, { keepDims: true }),
  (x, axes) => x.logSumExp(...axes, { keepDims: true }),
  (x, axes) => x.tanh().norm2(...axes, { keepDims: true }),
  (x, axes) => x.sub(x.mean(...axes, { keepDims: true })),
];

/** The whole array in another form. */
const shapes: readonly ((x: SDVariable, by: number) => SDVariable)[] = [
  (x, by) => x.sameDiff.nn.softmax(x, by % x.rank),
  (x, by) => x.sameDiff.nn.logSoftmax(x, by % x.rank),
  (x) => x.transpose(),
  (x) => x.reshape(-1),
  (x) => (x.rank === 2 ? x.reshape(x.shape[1] as number, x.shape[0] as number) : x),
  (x) => (x.rank === 2 ? x.mmul(x.transpose()).tanh() : x),
  (x, by) => (x.rank > 0 ? x.sum(by % x.rank) : x),
];

const broadcasts = (a: readonly number[], b: readonly number[]): boolean =>
  [...a.keys()].every((i) => {
    const [p = 1, q = 1] = [a[a.length - 1 - i], b[b.length - 1 - i]];
    return p === q || p === 1 || q === 1;
  });

function pick<Value>(values: readonly Value[], number: number): Value {
  return values[number % values.length] as Value;
}

/** The graph of an expression, its inputs, and its last variable made a number. */
function build({ rows, cols, depth, seed, choices }: Expression, dtype: FloatDtype) {
  const sd = SameDiff.create();
  const random = new Random(seed);
  const inputs = new Map<string, Tensor>();
  let drawn = 0;
  const input = (name: string, shape: number[]) => {
    // Exact in float32; near odd eighths, away from kinks at multiples of a quarter; no two of one magnitude, for ties.
    const count = shape.reduce((a, b) => a * b, 1);
    const data = random.list(count, () => (2 * random.below(12) - 11) / 8 + ++drawn * 2 ** -16);
    inputs.set(name, { shape, data });
    return sd.placeHolder(name, dtype, shape);
  };
  const made = [
    input('x', [rows, cols]),
    input('y', [rows, cols]),
    input('r', [rows, 1]),
    input('c', [1, cols]),
    input('v', [cols]),
    input('s', []),
    input('t', [depth, rows, cols]),
  ];
  for (const [op, first, second, third] of choices) {
    const x = pick(made, first);
    const partners = made.filter((y) => broadcasts(x.shape, y.shape));
    switch (op % 8) {
      case 0:
      case 1:
        made.push(pick(unary, third)(x));
        break;
      case 2:
      case 3:
      case 4:
        made.push(pick(binary, third)(x, pick(partners, second)));
        break;
      case 5: {
        const axes = x.rank === 0 || second % 4 === 0 ? [] : [second % x.rank];
        if (x.rank > 0) made.push(pick(reductions, third)(x, axes));
        break;
      }
      case 6:
        if (x.rank > 0) made.push(pick(shapes, third)(x, second));
        break;
      default: {
        const condition = pick(made.slice(0, 7), second).lt(0.375);
        const fits = made.filter((y) => broadcasts(x.shape, y.shape) && broadcasts(condition.shape, y.shape));
        if (!broadcasts(condition.shape, x.shape) || fits.length === 0) break;
        const y = pick(fits, third);
        if (y.rank + x.rank + condition.rank > 0) made.push(sd.where(x, y, condition));
      }
    }
    const last = made[made.length - 1] as SDVariable;
    if (last.shape.reduce((a, b) => a * b, 1) > 2000) made.pop();
  }
  return { sd, inputs, made, loss: (made[made.length - 1] as SDVariable).mean() };
}

const arrayOf = ({ shape, data }: Tensor, dtype: FloatDtype): NDArray =>
  nd.create(dtype === 'float32' ? Float32Array.from(data) : Float64Array.from(data), shape);

/** What gradients are for: inputs, and what lies between them and the loss. */
const targets = ({ sd, made }: ReturnType<typeof build>): SDVariable[] => [
  ...['x', 'r', 'c', 't', 's'].map((name) => sd.getVariable(name)),
  ...made.slice(7).slice(-4, -1),
];

/** What differs. */
function check(expression: Expression, dtype: FloatDtype): string[] {
  const built = build(expression, dtype);
  const { sd, inputs, made, loss } = built;
  const given = Object.fromEntries([...inputs].map(([name, tensor]) => [name, arrayOf(tensor, dtype)]));
  const bind = (node: { readonly attributes: Readonly<Record<string, unknown>> }) =>
    inputs.get(node.attributes['name'] as string) as Tensor;
  const results = [...new Set([...made.slice(-3), loss])];
  const wrt = dtype === 'float64' ? targets(built) : [];
  const gradients = wrt.map((variable) => loss.gradient(variable));
  const got = sd.evaluate([...results, ...gradients], given);
  const nodes = (variables: readonly SDVariable[]) => variables.map(({ node }) => node);
  // Values of what is written, so that what makes it simpler is tried too.
  const want = [...evaluate(nodes(results), bind), ...evaluate(sd.expand(nodes(gradients)), bind)];
  // Errors are those of the largest terms, whatever cancels.
  const all = evaluate(nodes(made), bind);
  const scale = 1 + Math.max(...all.map(({ data }) => largest(data)));
  const { relative, absolute } = againstOracle[dtype];
  const tolerance = { relative: 8 * relative, absolute: 64 * scale * scale * absolute };
  const places = [...results.map(String), ...wrt.map((variable) => `gradient of ${variable.name()}: ${variable}`)];
  return places.flatMap((place, i) => {
    const array = (got[i] as NDArray).reshape(-1);
    const numbers = Array.from({ length: array.length }, (_, k) => array.getDouble(k));
    const { shape, data } = want[i] as Tensor;
    if (String((got[i] as NDArray).shape) !== String(shape))
      return [`${dtype} ${place}: shape [${(got[i] as NDArray).shape}], not [${shape}]`];
    return mismatches(`${dtype} ${place}`, numbers, data, tolerance);
  });
}

const expressions: fc.Arbitrary<Expression> = fc.record({
  rows: fc.constantFrom(1, 2, 3, 5, 17),
  cols: fc.constantFrom(1, 2, 3, 10, 33),
  depth: fc.constantFrom(1, 2, 3),
  seed: fc.nat(1_000_000),
  choices: fc.array(fc.tuple(fc.nat(7), fc.nat(50), fc.nat(50), fc.nat(50)), { minLength: 1, maxLength: 12 }),
});

describe.each(['float64', 'float32'] as const)('random expressions, %s', (dtype) => {
  it(`agree with the oracle: ${RUNS} of them`, () => {
    fc.assert(
      fc.property(expressions, (expression) => {
        expect(check(expression, dtype)).toEqual([]);
      }),
      { numRuns: RUNS },
    );
  });
});

/** The slope on either side by differences; undefined where they differ, beside a kink. */
function difference(score: (h: number) => number): number | undefined {
  const h = 1e-4;
  const [left2, left, middle, right, right2] = [-2 * h, -h, 0, h, 2 * h].map(score) as [
    number,
    number,
    number,
    number,
    number,
  ];
  const slopes = [(left - left2) / h, (middle - left) / h, (right - middle) / h, (right2 - right) / h];
  // The slopes of a smooth function change evenly, but for h^2 times its third derivative; a kink among a mean of many
  // makes a small step.
  const changes = slopes.slice(1).map((slope, i) => slope - (slopes[i] as number));
  const unevenness = Math.max(...changes) - Math.min(...changes);
  const slope = (left2 - 8 * left + 8 * right - right2) / (12 * h);
  return unevenness > 2e-6 * (1 + Math.abs(slope)) ? undefined : slope;
}

it(`gradients of random expressions agree with differences: ${Math.ceil(RUNS / 10)} of them`, () => {
  fc.assert(
    fc.property(expressions, (expression) => {
      const built = build(expression, 'float64');
      const { sd, inputs, loss } = built;
      const given = Object.fromEntries([...inputs].map(([name, tensor]) => [name, arrayOf(tensor, 'float64')]));
      const bind = (node: Node) => inputs.get(node.attributes['name'] as string) as Tensor;
      const wrt = targets(built);
      const got = sd.evaluate(
        wrt.map((variable) => loss.gradient(variable)),
        given,
      );
      const bad = wrt.flatMap((variable, i) => {
        const gradient = (got[i] as NDArray).reshape(-1);
        const at = expression.seed % gradient.length;
        const score = (h: number) => {
          const data = Array.from({ length: gradient.length }, (_, k) => (k === at ? h : 0));
          const moves = new Map([[variable.node, { shape: variable.shape, data }]]);
          return (evaluate([loss.node], bind, moves)[0] as Tensor).data[0] as number;
        };
        const want = difference(score);
        const slope = gradient.getDouble(at);
        return want === undefined || Math.abs(slope - want) <= 1e-5 * (1 + Math.abs(want))
          ? []
          : [`${variable.name()} = ${variable}: ${slope}, not ${want}`];
      });
      expect(bad).toEqual([]);
    }),
    { numRuns: Math.ceil(RUNS / 10) },
  );
});
