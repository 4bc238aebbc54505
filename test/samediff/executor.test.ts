// SPDX-License-Identifier: Apache-2.0
// What runs plans: whose memory results and the values between steps lie in, and when a plan is made anew.
import { type NDArray, nd } from '../../lib';
import { SameDiff } from '../../lib/samediff/samediff';
import type { Session } from '../../lib/samediff/session';
import type { SDVariable } from '../../lib/samediff/variable';
import { evaluate } from '../reference/graph-oracle';
import { errBuffer, expectError } from '../support/errors';
import { values } from '../support/library';
import { againstOracle, mismatches } from '../support/tolerance';

/** Two layers, whose gradients take products, programs and numbers. */
function network(hidden: number) {
  const sd = SameDiff.create();
  const x = sd.placeHolder('x', 'float32', [-1, 3]);
  const w = sd.var('w', nd.randn([3, hidden], { seed: 1 }));
  const v = sd.var('v', nd.randn([hidden, 2], { seed: 2 }));
  const h = x.mmul(w).tanh();
  const loss = h.mmul(v).square().mean('loss');
  sd.setLossVariables(loss);
  return { sd, x, w, v, h, loss };
}

const input = (rows: number, seed: number): NDArray => nd.randn([rows, 3], { seed });

test('a buffer that was detached is an error, and the next run is right', () => {
  const { sd, loss } = network(4);
  const x = input(5, 3);
  const expected = loss.eval({ x: x.dup() }).toArray();
  const gone = x.dup();
  structuredClone(gone.data, { transfer: [gone.data.buffer as ArrayBuffer] });
  expectError(() => sd.output({ x: gone }, 'loss'), errBuffer());
  expect(loss.eval({ x }).toArray()).toBe(expected);
});

test('one run after the other gives what each gives alone', () => {
  const { sd, w, v, h, loss } = network(4);
  const nodes = [h.node, loss.node, ...sd.gradientNodes([w, v])];
  for (const rows of [5, 64, 5, 1, 0, 64]) {
    const x = input(rows, rows);
    const arrays = new Map([w, v].map((variable) => [variable.node, sd.arrayOf(variable)]));
    const wanted = evaluate(sd.expand(nodes), (node) => {
      const array = arrays.get(node) ?? x;
      return { shape: array.shape, data: values(array) };
    });
    const got = sd.run(nodes, { x });
    expect(got.map(({ shape }) => shape)).toEqual(wanted.map(({ shape }) => shape));
    const wrong = got.flatMap((array, i) =>
      mismatches(`${rows} rows: ${i}`, values(array), wanted[i]?.data ?? [], againstOracle.float32),
    );
    expect(wrong).toEqual([]);
  }
});

describe('results', () => {
  test('stay as they are', () => {
    const { sd, h, loss } = network(4);
    const all = () => sd.run([h.node, loss.node, sd.getVariable('w').node], { x: input(5, 3) });
    const first = all();
    const before = first.map(values);
    for (const result of all()) result.assign(0);
    sd.run([h.node], { x: input(5, 4) });
    expect(first.map(values)).toEqual(before);
  });

  test.each([
    { title: 'an input', of: (x: NDArray) => x, node: 'x' },
    { title: 'an input transposed', of: (x: NDArray) => x.transpose(), node: 'transposed' },
    { title: 'an input in another shape', of: (x: NDArray) => x.reshape(-1), node: 'flat' },
  ])('of $title are copies', ({ of, node }) => {
    const { sd, x } = network(4);
    x.transpose().rename('transposed');
    x.reshape('flat', -1);
    const array = input(5, 3);
    const result = sd.output({ x: array }, node)[node] as NDArray;
    expect(result.toArray()).toEqual(of(array).toArray());
    const before = values(result);
    array.assign(0);
    expect(values(result)).toEqual(before);
  });
});

describe('results in arrays that are given', () => {
  const { sd, w, h } = network(4);
  const next = w.sub(w.square().mul(0.5));
  const session = sd.sessionOf([next.node, h.node]);

  test.each([
    { title: 'without gaps', make: (like: NDArray) => like.dup() },
    {
      title: 'of columns',
      make: ({ shape: [rows = 0, cols = 0] }: NDArray) => nd.ones([rows, cols + 3]).columns(1, cols + 1),
    },
    { title: 'transposed', make: ({ shape: [rows = 0, cols = 0] }: NDArray) => nd.ones([cols, rows]).transpose() },
    { title: 'of float64', make: ({ shape }: NDArray) => nd.ones([...shape], 'float64') },
  ])('$title', ({ make }) => {
    const data = { x: input(5, 3) };
    const wanted = session.run(data);
    const outs = wanted.map(make);
    expect(session.run(data, outs)).toEqual(outs);
    expect(outs.map(values)).toEqual(wanted.map(values));
    // The memory between their elements still holds ones, as these do now.
    for (const out of outs) expect(new Set(out.assign(1).data as Float32Array)).toEqual(new Set([1]));
  });

  test.each([
    { title: 'one program', roots: [next] },
    { title: 'steps that go on reading', roots: [next, h] },
    { title: 'what was', roots: [next, w] },
  ])('in place of an input, with $title', ({ roots }) => {
    const data = { x: input(5, 3) };
    const kept = sd.arrayOf('w');
    const before = kept.dup();
    const wanted = roots.map(({ node }) => sd.run([node], data)[0] as NDArray);
    const last = wanted.map((array) => array.dup());
    const of = sd.sessionOf(roots.map(({ node }) => node));
    of.run(data, [kept, ...last.slice(1)]);
    expect([kept, ...last.slice(1)].map(values)).toEqual(wanted.map(values));
    kept.assign(before);
  });

  test('two that trade places', () => {
    const swap = SameDiff.create();
    const [a, b] = [swap.var('a', nd.array([1, 2])), swap.var('b', nd.array([3, 4]))];
    swap.sessionOf([b.node, a.node]).run({}, [swap.arrayOf(a), swap.arrayOf(b)]);
    expect([a, b].map((each) => swap.arrayOf(each).toArray())).toEqual([
      [3, 4],
      [1, 2],
    ]);
  });
});

test('a plan is kept for each of the last sets of shapes', () => {
  const { sd, h } = network(4);
  const session: object = sd.sessionOf([h.node]);
  const plans = () => Reflect.get(session, 'compiled') as { executor: object }[];
  const run = (rows: number) => {
    (session as Session).run({ x: input(rows, 1) });
    return plans()[0]?.executor;
  };
  const first = run(1);
  expect(run(2)).not.toBe(first);
  expect(run(1)).toBe(first);
  for (let rows = 2; rows <= 16; rows++) run(rows);
  expect(run(1)).toBe(first);
  for (let rows = 2; rows <= 40; rows++) run(rows);
  expect(plans().length).toBe(16);
  expect(run(1)).not.toBe(first);
});

test('values too large to be kept between runs', () => {
  const sd = SameDiff.create();
  const x = sd.placeHolder('x', 'float32', [-1, 2]);
  const y = sd.placeHolder('y', 'float32', [2, -1]);
  const sum = x.mmul(y).square().sum();
  const size = 4200;
  const data = { x: nd.ones([size, 2]), y: nd.ones([2, size]) };
  for (let i = 0; i < 2; i++) expect(sum.eval(data).toArray()).toBe(4 * size * size);
});

// A row's largest of what is the same along it is that itself, which an input may hold.
describe('sums of rows that are alike', () => {
  test.each([
    { title: 'largest', reduce: (x: SDVariable) => x.max(1), want: 1.25 },
    { title: 'largest, and an output of it', reduce: (x: SDVariable) => x.max(1, { keepDims: true }), want: 1.25 },
    { title: 'smallest', reduce: (x: SDVariable) => x.min(1), want: 1.25 },
    { title: 'sum', reduce: (x: SDVariable) => x.sum(1), want: 3.75 },
    { title: 'mean', reduce: (x: SDVariable) => x.mean(1), want: 1.25 },
  ])('$title', ({ reduce, want }) => {
    const sd = SameDiff.create();
    const [x, r] = [sd.placeHolder('x', 'float32', [2, 3]), sd.placeHolder('r', 'float32', [2, 1])];
    const of = reduce(sd.where(r, r, x.lt(0)));
    const given = { x: nd.zeros([2, 3]), r: nd.create(Float32Array.of(2, -0.75), [2, 1]) };
    expect(sd.evaluate([of.sum()], given).map((a) => a.getDouble(0))).toEqual([want]);
    expect(sd.evaluate([of, of.sum(), of.square().sum()], given).map((a) => a.getDouble(0))[1]).toBe(want);
  });
});
