// SPDX-License-Identifier: Apache-2.0
// CTC against ND4J, exact arithmetic and PyTorch, and by what must not change its results.
import { getNumThreads, NDArray, nd, setNumThreads } from '../../lib';
import { type CtcLossCall, ctcLoss, ctcLossGradient } from '../../lib/losses/ctc-loss';
import { bits } from '../support/bits';
import { type Expected, errBuffer, errDtype, errOption, errRange, errShape, expectError } from '../support/errors';
import { type FloatDtype, readCases, readFaults, type Tensor } from '../support/golden';
import { array, floats, values } from '../support/library';
import { Random } from '../support/random';
import { differences, exactLargest, literal, mismatches, nd4j, sameDtype } from '../support/tolerance';

const dtypes = ['float32', 'float64'] as const;

interface Problem {
  readonly labels: Tensor;
  readonly logits: Tensor;
  readonly labelLengths: readonly number[];
  readonly logitLengths: readonly number[];
  readonly blankIndex?: number | undefined;
  readonly upstream?: readonly number[] | undefined;
}

function callOf({ labels, logits, ...rest }: Problem, dtype: FloatDtype): CtcLossCall {
  return { ...rest, labels: new NDArray(Int32Array.from(labels.data), labels.shape), logits: array(dtype, logits) };
}

/** Both forms, whose scores must be the same to the bit. */
function compute(problem: Problem, dtype: FloatDtype): { scores: number[]; gradient: number[] } {
  const call = callOf(problem, dtype);
  const { labels, logits, labelLengths, logitLengths, blankIndex } = call;
  const { scores, gradient } = ctcLossGradient(call);
  expect([scores.shape, gradient.shape]).toEqual([[problem.labels.shape[0]], problem.logits.shape]);
  expect(bits(ctcLoss(labels, logits, labelLengths, logitLengths, { blankIndex }))).toEqual(bits(scores));
  return { scores: values(scores), gradient: values(gradient) };
}

/** Logits, and labels other than the blank, of all lengths up to these. */
function randomProblem(random: Random, b: number, steps: number, classes: number, most: number, blank = 0): Problem {
  const label = () => (blank + 1 + random.below(classes - 1)) % classes;
  return {
    labels: { shape: [b, most], data: random.list(b * most, label) },
    logits: {
      shape: [b, steps, classes],
      data: random.list(b * steps * classes, () => Math.fround(random.uniform(-3, 3))),
    },
    labelLengths: random.list(b, (i) => (i === 0 ? most : random.below(most + 1))),
    logitLengths: random.list(b, (i) => (i === 0 ? steps : random.below(steps + 1))),
    blankIndex: blank,
  };
}

describe('bad input', () => {
  const good = {
    labels: [
      [1, 2],
      [3, -1],
    ],
    logits: nd.zeros([2, 5, 4]),
    labelLengths: [2, 1],
    logitLengths: [5, 3],
  };
  const rows: readonly { title: string; call: Record<string, unknown>; expected: Expected }[] = [
    { title: 'no labels', call: { labels: undefined }, expected: errOption('labels', 'undefined') },
    { title: 'no logits', call: { logits: null }, expected: errOption('logits', 'null') },
    { title: 'no labelLengths', call: { labelLengths: undefined }, expected: errOption('labelLengths') },
    { title: 'no logitLengths', call: { logitLengths: undefined }, expected: errOption('logitLengths') },
    { title: 'logits that are no array', call: { logits: 'logits' }, expected: errDtype('logits') },
    {
      title: 'whole logits',
      call: { logits: new NDArray(new Int32Array(40), [2, 5, 4]) },
      expected: errDtype('logits', 'int32'),
    },
    { title: 'logits of rank 2', call: { logits: nd.zeros([5, 4]) }, expected: errShape('logits', '[5, 4]') },
    {
      title: 'logits without classes',
      call: { logits: nd.zeros([2, 5, 0]) },
      expected: errShape('logits', '[2, 5, 0]'),
    },
    { title: 'labels of rank 1', call: { labels: [1, 2] }, expected: errShape('labels', '[2, labels]', '[2]') },
    {
      title: 'labels of other examples',
      call: { labels: [[1, 2]] },
      expected: errShape('labels', '[2, labels]', '[1, 2]'),
    },
    { title: 'labels of two lengths', call: { labels: [[1, 2], [3]] }, expected: errShape('labels') },
    { title: 'too few labelLengths', call: { labelLengths: [2] }, expected: errShape('labelLengths', '[2]', '[1]') },
    { title: 'logitLengths of rank 2', call: { logitLengths: [[5, 3]] }, expected: errShape('logitLengths', '[1, 2]') },
    {
      title: 'more labels than there are',
      call: { labelLengths: [3, 1] },
      expected: errRange('labelLengths: example 0', '0 to 2', '3'),
    },
    {
      title: 'a negative number of labels',
      call: { labelLengths: [2, -1] },
      expected: errRange('labelLengths: example 1', '-1'),
    },
    {
      title: 'half a label more',
      call: { labelLengths: [1.5, 1] },
      expected: errRange('labelLengths: example 0', '1.5'),
    },
    {
      title: 'more steps than there are',
      call: { logitLengths: BigInt64Array.of(5n, 6n) },
      expected: errRange('logitLengths: example 1', '0 to 5', '6n'),
    },
    {
      title: 'NaN steps',
      call: { logitLengths: [Number.NaN, 3] },
      expected: errRange('logitLengths: example 0', 'NaN'),
    },
    {
      title: 'a label out of range',
      call: {
        labels: [
          [1, 4],
          [3, 0],
        ],
      },
      expected: errRange('labels: example 0, position 1', '0 to 3', 'got 4'),
    },
    {
      title: 'padding that counts',
      call: { labelLengths: [2, 2] },
      expected: errRange('labels: example 1, position 1', '-1'),
    },
    {
      title: 'the blank as a label',
      call: { blankIndex: 3 },
      expected: errRange('labels: example 1, position 0', 'blank, 3'),
    },
    {
      title: 'half a label',
      call: {
        labels: [
          [1, 2.5],
          [3, 0],
        ],
      },
      expected: errRange('example 0, position 1', '2.5'),
    },
    { title: 'a blank beyond the classes', call: { blankIndex: 4 }, expected: errRange('blankIndex', '0 to 3', '4') },
    { title: 'a negative blank', call: { blankIndex: -1 }, expected: errRange('blankIndex', '-1') },
    { title: 'half a blank', call: { blankIndex: 0.5 }, expected: errRange('blankIndex', '0.5') },
    { title: 'a blank of text', call: { blankIndex: '0' }, expected: errOption('blankIndex') },
  ];
  const merged = (call: Record<string, unknown>) => ({ ...good, ...call }) as unknown as CtcLossCall;

  test.each(rows)('$title', ({ call, expected }) => {
    const { labels, logits, labelLengths, logitLengths, blankIndex } = merged(call);
    const scores = new Float32Array(2).fill(7);
    const gradient = new Float32Array(40).fill(7);
    expectError(() => ctcLoss(labels, logits, labelLengths, logitLengths, { blankIndex, out: scores }), expected);
    expectError(() => ctcLossGradient({ ...merged(call), out: { scores, gradient } }), expected);
    expect([...scores, ...gradient]).toEqual(new Array(42).fill(7));
  });

  test('an option of another name', () => {
    const { labels, logits, labelLengths, logitLengths } = good;
    const call = (options: unknown) => () => ctcLoss(labels, logits, labelLengths, logitLengths, options as object);
    expectError(call({ blank: 0 }), errOption('options', 'blankIndex', 'blank'));
    expectError(call({ upstream: [1, 1] }), errOption('options', 'upstream'));
    expectError(call(0), errOption('options', '0'));
    expectError(call({ out: new Float32Array(3) }), errShape('out', '2', '3'));
    expectError(call({ out: new Float64Array(2) }), errDtype('out', 'float32', 'float64'));
    expectError(call({ out: (logits.data as Float32Array).subarray(0, 2) }), errBuffer('out', 'memory of its own'));
  });

  const memory = new Float32Array(42);
  const more: readonly { title: string; call: Record<string, unknown>; expected: Expected }[] = [
    { title: 'a name that is unknown', call: { label: good.labels }, expected: errOption('call', 'label') },
    { title: 'a result that is unknown', call: { out: { score: memory } }, expected: errOption('out', 'score') },
    { title: 'results that are no object', call: { out: 3 }, expected: errOption('out', '3') },
    { title: 'too few factors', call: { upstream: [1] }, expected: errShape('upstream', '[2]', '[1]') },
    { title: 'a factor for all', call: { upstream: 1 }, expected: errDtype('upstream', '1') },
    {
      title: 'a gradient of another shape',
      call: { out: { gradient: nd.zeros([2, 4, 5]) } },
      expected: errShape('out.gradient', '[2, 5, 4]', '[2, 4, 5]'),
    },
    {
      title: 'a gradient over the scores',
      call: { out: { scores: memory.subarray(3, 5), gradient: memory.subarray(2) } },
      expected: errBuffer('out.gradient', 'or logits exactly'),
    },
    {
      title: 'a gradient over the factors',
      call: { upstream: memory.subarray(0, 2), out: { gradient: memory.subarray(1, 41) } },
      expected: errBuffer('out.gradient'),
    },
    {
      title: 'scores over the factors',
      call: { upstream: memory.subarray(0, 2), out: { scores: memory.subarray(1, 3) } },
      expected: errBuffer('out.scores'),
    },
  ];
  test.each(more)('$title', ({ call, expected }) => {
    expectError(() => ctcLossGradient(merged(call)), expected);
  });

  test('no object at all', () => {
    expectError(() => ctcLossGradient(undefined as never), errOption('call', 'undefined'));
  });
});

describe('by hand', () => {
  const rows = [
    { title: 'one step', labels: [[1]], steps: 1, classes: 2, score: Math.log(2), gradient: [0.5, -0.5] },
    { title: 'no label', labels: [[]], steps: 1, classes: 2, score: Math.log(2), gradient: [-0.5, 0.5] },
    {
      title: 'a label of three paths',
      labels: [[1]],
      steps: 2,
      classes: 3,
      score: Math.log(3),
      gradient: [0, -1 / 3, 1 / 3, 0, -1 / 3, 1 / 3],
    },
    { title: 'no steps, no labels', labels: [[]], steps: 0, classes: 2, score: 0, gradient: [] },
    { title: 'no steps for a label', labels: [[1]], steps: 0, classes: 2, score: Infinity, gradient: [] },
    {
      title: 'no step for the blank between',
      labels: [[1, 1]],
      steps: 2,
      classes: 2,
      score: Infinity,
      gradient: [0, 0, 0, 0],
    },
  ];
  test.each(rows)('$title', ({ labels, steps, classes, score, gradient }) => {
    const shape = [1, labels[0]?.length ?? 0];
    const logits = { shape: [1, steps, classes], data: new Array<number>(steps * classes).fill(0) };
    const problem = {
      labels: { shape, data: labels.flat() },
      logits,
      labelLengths: [shape[1] as number],
      logitLengths: [steps],
    };
    for (const dtype of dtypes) {
      const got = compute(problem, dtype);
      expect([
        ...mismatches('score', got.scores, [score], literal[dtype]),
        ...mismatches('gradient', got.gradient, gradient, literal[dtype]),
      ]).toEqual([]);
    }
  });

  test('no examples', () => {
    const { scores, gradient } = ctcLossGradient({
      labels: nd.zeros([0, 3]),
      logits: nd.zeros([0, 4, 5]),
      labelLengths: [],
      logitLengths: [],
    });
    expect([scores.shape, gradient.shape]).toEqual([[0], [0, 4, 5]]);
  });
});

// --- Golden values ---------------------------------------------------------------------------------------------------

interface Nd4jCase {
  readonly id: string;
  readonly op: string;
  readonly params: { readonly blankIndex?: number };
  readonly dtype: FloatDtype;
  readonly labels: Tensor;
  readonly predictions: Tensor;
  readonly labelLengths: readonly number[];
  readonly logitLengths: readonly number[];
  readonly output: Tensor | null;
  readonly gradient: Tensor | null;
}

/** ND4J takes predictions for log-probabilities as they come, whose four decimals do not sum to 1: the same after a softmax. */
function normalised({ predictions, logitLengths, output, gradient }: Nd4jCase): {
  scores: number[];
  gradient: number[];
} {
  const [, steps, classes] = predictions.shape as [number, number, number];
  const p = predictions.data.map(Math.exp);
  const rowOf = (i: number) => Math.floor(i / classes);
  const sums = Array.from({ length: p.length / classes }, (_, row) =>
    p.slice(row * classes, (row + 1) * classes).reduce((sum, value) => sum + value, 0),
  );
  const scores = (output?.data ?? []).map((score, example) => {
    const own = sums.slice(example * steps, example * steps + (logitLengths[example] as number));
    return own.reduce((total, sum) => total + Math.log(sum), score);
  });
  const inside = (i: number) => rowOf(i) % steps < (logitLengths[Math.floor(rowOf(i) / steps)] as number);
  const change = (i: number) => (inside(i) ? (p[i] as number) / (sums[rowOf(i)] as number) - (p[i] as number) : 0);
  return { scores, gradient: (gradient?.data ?? []).map((slope, i) => slope + change(i)) };
}

describe('ND4J', () => {
  const faults = readFaults();
  const cases = readCases<Nd4jCase>('nd4j/samediff.jsonl').filter(({ op, id }) => op === 'ctcLoss' && !faults.has(id));
  test.each(cases.map((golden) => [golden.id, golden] as const))('%s', (_, golden) => {
    const { dtype, labels, predictions: logits, labelLengths, logitLengths, params } = golden;
    const got = compute({ labels, logits, labelLengths, logitLengths, ...params }, dtype);
    const want = normalised(golden);
    expect([
      ...mismatches('scores', got.scores, want.scores, nd4j[dtype]),
      ...mismatches('gradient', got.gradient, want.gradient, nd4j[dtype]),
    ]).toEqual([]);
  });
});

interface ExactCase {
  readonly id: string;
  readonly loss: string;
  readonly options: { readonly blank?: number };
  readonly dtype: FloatDtype;
  readonly labels: Tensor;
  readonly predictions: Tensor;
  readonly output: number;
  readonly gradient: readonly number[];
}

describe('exact arithmetic', () => {
  const cases = readCases<ExactCase>('exact/samediff.jsonl').filter(({ loss }) => loss === 'ctcLoss');
  test.each(cases.map((golden) => [golden.id, golden] as const))('%s', (_, golden) => {
    const { dtype, labels, predictions, options } = golden;
    const [count, [steps]] = [labels.data.length, predictions.shape as [number, number]];
    const problem: Problem = {
      labels: { ...labels, shape: [1, count] },
      logits: { ...predictions, shape: [1, ...predictions.shape] },
      labelLengths: [count],
      logitLengths: [steps],
      blankIndex: options.blank,
    };
    const got = compute(problem, dtype);
    expect([
      ...mismatches('score', got.scores, [...floats(dtype, [golden.output])], exactLargest[dtype]),
      ...mismatches('gradient', got.gradient, [...floats(dtype, golden.gradient)], exactLargest[dtype]),
    ]).toEqual([]);
  });
});

interface PyTorchCase extends Problem {
  readonly id: string;
  readonly scores: readonly number[];
  readonly gradient: readonly number[];
}

describe('PyTorch', () => {
  const cases = readCases<PyTorchCase>('pytorch/ctc.jsonl');
  test.each(cases.map((golden) => [golden.id, golden] as const))('%s', (_, { scores, gradient, id, ...problem }) => {
    for (const dtype of dtypes) {
      const got = compute(problem, dtype);
      expect([
        ...mismatches(`${dtype} scores`, got.scores, scores, nd4j[dtype]),
        ...mismatches(`${dtype} gradient`, got.gradient, gradient, nd4j[dtype]),
      ]).toEqual([]);
    }
  });
});

// --- Properties ------------------------------------------------------------------------------------------------------

test('the gradient is the derivative of the scores times their factors', () => {
  const random = new Random('ctc differences');
  const step = 3e-4;
  for (const [steps, classes, most, blank] of [
    [1, 2, 1, 0],
    [6, 4, 3, 2],
    [9, 3, 4, 0],
    [12, 20, 5, 19],
  ] as const) {
    const problem = { ...randomProblem(random, 2, steps, classes, most, blank), upstream: [1.5, -0.5] };
    problem.logitLengths = [steps, steps - 1];
    problem.labelLengths = [Math.min(most, steps), 0];
    const at = (i: number, h: number): number => {
      const data = problem.logits.data.map((z, j) => (i === j ? z + h * step : z));
      const { scores } = ctcLossGradient(callOf({ ...problem, logits: { ...problem.logits, data } }, 'float64'));
      return values(scores).reduce((sum, score, j) => sum + score * (problem.upstream[j] as number), 0);
    };
    const { scores, gradient } = compute(problem, 'float64');
    expect(scores.every(Number.isFinite)).toBe(true);
    const want = problem.logits.data.map((_, i) => (8 * (at(i, 1) - at(i, -1)) - (at(i, 2) - at(i, -2))) / (12 * step));
    expect(mismatches('gradient', gradient, want, differences)).toEqual([]);
  }
});

describe.each(dtypes)('%s', (dtype) => {
  const random = new Random(`ctc ${dtype}`);
  const problem = randomProblem(random, 7, 23, 11, 6);
  const plain = compute(problem, dtype);
  const [b, steps, classes] = problem.logits.shape as [number, number, number];

  test('what lies beyond the lengths changes nothing', () => {
    const [moreSteps, moreLabels] = [steps + 9, 6 + 5];
    const placeOf = (i: number) =>
      [Math.floor(i / moreSteps / classes), Math.floor(i / classes) % moreSteps, i % classes] as const;
    const logits = random.list(b * moreSteps * classes, (i) => {
      const [example, t, k] = placeOf(i);
      const inside = t < (problem.logitLengths[example] as number);
      return inside ? (problem.logits.data[(example * steps + t) * classes + k] as number) : Number.NaN;
    });
    const labels = random.list(b * moreLabels, (i) => {
      const [example, position] = [Math.floor(i / moreLabels), i % moreLabels];
      const inside = position < (problem.labelLengths[example] as number);
      return inside ? (problem.labels.data[example * 6 + position] as number) : -1 - random.below(100);
    });
    const got = compute(
      {
        ...problem,
        labels: { shape: [b, moreLabels], data: labels },
        logits: { shape: [b, moreSteps, classes], data: logits },
      },
      dtype,
    );
    expect(got.scores).toEqual(plain.scores);
    const want = got.gradient.map((_, i) => {
      const [example, t, k] = placeOf(i);
      return t < steps ? plain.gradient[(example * steps + t) * classes + k] : 0;
    });
    expect(got.gradient).toEqual(want);
  });

  test('a batch is its examples apart', () => {
    for (let i = 0; i < b; i++) {
      const part = <T>(list: readonly T[]) => list.slice((i * list.length) / b, ((i + 1) * list.length) / b);
      const alone = compute(
        {
          labels: { shape: [1, 6], data: part(problem.labels.data) },
          logits: { shape: [1, steps, classes], data: part(problem.logits.data) },
          labelLengths: part(problem.labelLengths),
          logitLengths: part(problem.logitLengths),
        },
        dtype,
      );
      expect(alone).toEqual({ scores: [plain.scores[i]], gradient: part(plain.gradient) });
    }
  });

  test('the names of the classes do not matter', () => {
    const order = random.permutation(classes); // class k becomes order[k]
    const back = order.map((_, k) => order.indexOf(k));
    const moved = (from: readonly number[]) =>
      from.map((_, i) => from[i - (i % classes) + (back[i % classes] as number)] as number);
    const got = compute(
      {
        ...problem,
        labels: { ...problem.labels, data: problem.labels.data.map((k) => order[k] as number) },
        logits: { ...problem.logits, data: moved(problem.logits.data) },
        blankIndex: order[0],
      },
      dtype,
    );
    expect([
      ...mismatches('scores', got.scores, plain.scores, sameDtype[dtype]),
      ...mismatches('gradient', got.gradient, moved(plain.gradient), sameDtype[dtype]),
    ]).toEqual([]);
  });

  test('a level of the logits does not matter, slopes of a step sum to 0', () => {
    const level = problem.logits.data.map((z, i) => z + 8 * (Math.floor(i / classes) % 3));
    const got = compute({ ...problem, logits: { ...problem.logits, data: level } }, dtype);
    expect([
      ...mismatches('scores', got.scores, plain.scores, sameDtype[dtype]),
      ...mismatches('gradient', got.gradient, plain.gradient, sameDtype[dtype]),
    ]).toEqual([]);
    const sums = Array.from({ length: b * steps }, (_, row) =>
      plain.gradient.slice(row * classes, (row + 1) * classes).reduce((sum, slope) => sum + slope, 0),
    );
    expect(mismatches('sums', sums, new Array(b * steps).fill(0), sameDtype[dtype])).toEqual([]);
  });

  test('NaN and Infinity spoil their example alone, -Infinity is a probability of 0', () => {
    for (const [value, spoils] of [
      [Number.NaN, true],
      [Infinity, true],
      [-Infinity, false],
    ] as const) {
      const data = [...problem.logits.data];
      data[5] = value;
      const got = compute({ ...problem, logits: { ...problem.logits, data } }, dtype);
      const length = steps * classes;
      expect(Number.isNaN(got.scores[0])).toBe(spoils);
      expect(got.gradient.slice(0, length).every(Number.isNaN)).toBe(spoils);
      if (!spoils) expect(got.gradient[5]).toBe(0);
      expect(got.scores.slice(1)).toEqual(plain.scores.slice(1));
      expect(got.gradient.slice(length)).toEqual(plain.gradient.slice(length));
    }
  });

  test('factors scale the gradient, 0 takes an example out', () => {
    const data = [...problem.logits.data];
    data[0] = Number.NaN;
    const upstream = [0, 2, -0.5, 1, 4, 0, -1];
    const got = compute({ ...problem, logits: { ...problem.logits, data }, upstream }, dtype);
    expect(got.gradient).toEqual(
      plain.gradient.map((slope, i) => {
        const factor = upstream[Math.floor(i / steps / classes)] as number;
        return factor === 0 ? 0 : slope * factor + 0; // no -0: beyond the lengths
      }),
    );
  });

  test('views, labels and lengths of every kind, results into arrays, in place', () => {
    const call = callOf(problem, dtype);
    const want = ctcLossGradient(call);
    const wide = (inner: NDArray) => {
      const shape = [...inner.shape.slice(0, -1), (inner.shape[inner.rank - 1] as number) + 3];
      const outer = nd.full(shape, Number.NaN, dtype);
      const view = new NDArray(outer.data.subarray(1) as Float32Array, inner.shape, outer.strides);
      return view.assign(inner);
    };
    const everyOther = (list: readonly number[]) =>
      new NDArray(Int16Array.from(list.flatMap((value) => [value, -7])), [list.length], [2]);
    const out = {
      scores: new NDArray(floats(dtype, new Array(2 * b).fill(7)), [b], [2]),
      gradient: wide(nd.zeros(problem.logits.shape as number[], dtype)),
    };
    const got = ctcLossGradient({
      ...call,
      labels: new NDArray(BigInt64Array.from(problem.labels.data, BigInt), problem.labels.shape),
      logits: wide(call.logits as NDArray),
      labelLengths: everyOther(problem.labelLengths),
      logitLengths: Float64Array.from(problem.logitLengths),
      upstream: Uint8Array.of(...new Array<number>(b).fill(1)),
      out,
    });
    expect([got.scores, got.gradient]).toEqual([out.scores, out.gradient]);
    expect([bits(got.scores), bits(got.gradient)]).toEqual([bits(want.scores), bits(want.gradient)]);
    expect(values(new NDArray(out.scores.data.subarray(1) as Float32Array, [b - 1], [2]))).toEqual(
      new Array(b - 1).fill(7),
    );

    const turned = (call.logits as NDArray).transpose().dup().transpose();
    expect(bits(ctcLossGradient({ ...call, logits: turned }).gradient)).toEqual(bits(want.gradient));
    const inPlace = (call.logits as NDArray).dup();
    expect(ctcLossGradient({ ...call, logits: inPlace, out: { gradient: inPlace } }).gradient).toBe(inPlace);
    expect(bits(inPlace)).toEqual(bits(want.gradient));
  });

  test('the same bits for any number of threads', () => {
    const threads = getNumThreads();
    const call = callOf(randomProblem(random, 40, 60, 17, 20), dtype);
    setNumThreads(1);
    const want = ctcLossGradient(call);
    for (const count of [2, 3, 8]) {
      setNumThreads(count);
      const got = ctcLossGradient(call);
      expect([bits(got.scores), bits(got.gradient)]).toEqual([bits(want.scores), bits(want.gradient)]);
    }
    setNumThreads(threads);
  });
});
