// SPDX-License-Identifier: Apache-2.0
import {
  Adam,
  type AdamOptions,
  type At,
  type Batch,
  type DataSet,
  type FitOptions,
  type History,
  type IUpdater,
  type Listener,
  Loss,
  LossCurve,
  type NDArray,
  Nesterovs,
  type NesterovsOptions,
  nd,
  SameDiff,
  ScoreListener,
  type SDVariable,
  Sgd,
  TrainingConfig,
  type TrainingConfigBuilder,
  type TrainingData,
  WeightInit,
} from '../../lib';
import { type Expected, errBuffer, errDtype, errOption, errRange, errShape, expectError } from '../support/errors';
import { readCases } from '../support/golden';
import { values } from '../support/library';
import { literal, mismatches } from '../support/tolerance';

/** What a promise was rejected with, raised; nothing otherwise. */
async function outcome(promise: Promise<unknown>): Promise<() => void> {
  try {
    await promise;
    return () => {};
  } catch (error) {
    return () => {
      throw error;
    };
  }
}

/** Loss `mean((x w - y)^2)` of a line through the origin. */
function line(dtype: 'float32' | 'float64' = 'float64') {
  const sd = SameDiff.create();
  const x = sd.placeHolder('x', dtype, [-1, 1]);
  const y = sd.placeHolder('y', dtype, [-1, 1]);
  const w = sd.var('w', nd.zeros([1, 1], dtype));
  const loss = x.mmul(w).sub(y).square().mean('loss');
  sd.setLossVariables(loss);
  return { sd, x, y, w, loss, weight: () => sd.arrayOf('w').getDouble(0) };
}

/** Of a line of slope 3. */
const batch = (...xs: number[]): Batch => ({ x: xs.map((x) => [x]), y: xs.map((x) => [3 * x]) });

const updaters = { Sgd, Nesterovs, Adam } as const;

describe('updaters', () => {
  test.each<{ title: string; make: () => unknown; expected: Expected }>([
    { title: 'a name', make: () => new Sgd('fast' as never), expected: errOption('Sgd', 'learningRate', 'fast') },
    { title: 'a rate below 0', make: () => new Sgd(-1), expected: errRange('learningRate', '-1') },
    { title: 'no rate', make: () => new Sgd(Number.NaN), expected: errRange('learningRate', 'NaN') },
    { title: 'an endless rate', make: () => new Adam(Infinity), expected: errRange('learningRate', 'Infinity') },
    { title: 'two numbers for one', make: () => new Sgd(...([1, 2] as never)), expected: errOption('Sgd', '1', '2') },
    { title: 'a momentum of 1', make: () => new Nesterovs(0.1, 1), expected: errRange('momentum', '1') },
    { title: 'a beta of 1', make: () => new Adam({ beta2: 1 }), expected: errRange('beta2', '1') },
    { title: 'an epsilon below 0', make: () => new Adam(1, 0, 0, -1), expected: errRange('epsilon', '-1') },
    {
      title: 'an unknown option',
      make: () => new Adam({ learnRate: 1 } as AdamOptions),
      expected: errOption('Adam', 'learningRate', 'learnRate'),
    },
  ])('reject $title', ({ make, expected }) => expectError(make, expected));

  test('have the defaults of ND4J', () => {
    expect({ ...new Sgd() }).toEqual({ learningRate: 1e-3, stateSize: 0 });
    expect({ ...new Nesterovs() }).toEqual({ learningRate: 0.1, momentum: 0.9, stateSize: 1 });
    expect({ ...new Adam() }).toEqual({ learningRate: 1e-3, beta1: 0.9, beta2: 0.999, epsilon: 1e-8, stateSize: 2 });
  });

  test('take numbers in order, or by name', () => {
    expect(new Adam(1, 0.5, 0.25, 0.125)).toEqual(
      new Adam({ learningRate: 1, beta1: 0.5, beta2: 0.25, epsilon: 0.125 }),
    );
    expect(new Nesterovs(0.5)).toEqual(new Nesterovs({ learningRate: 0.5, momentum: 0.9 }));
    const options: NesterovsOptions = { learningRate: 0.5 };
    expect(new Nesterovs(options).learningRate).toBe(0.5);
    expect(new Sgd(0.5)).toEqual(new Sgd({ learningRate: 0.5 }));
  });

  interface Golden {
    readonly updater: keyof typeof updaters;
    readonly options: AdamOptions;
    readonly regularization: {
      readonly l1?: number;
      readonly l2?: number;
      readonly weightDecay?: [coefficient: number, applyLearningRate: boolean];
    };
    readonly start: readonly number[];
    readonly gradients: readonly (readonly number[])[];
    readonly steps: readonly (readonly number[])[];
  }

  const layouts: readonly { layout: string; make: (start: NDArray) => NDArray }[] = [
    { layout: 'without gaps', make: (start) => start.dup() },
    { layout: 'of a column', make: (start) => nd.zeros([3, 2], start.dtype).columns(1).reshape(3).assign(start) },
    { layout: 'of a transposed matrix', make: (start) => nd.zeros([3, 1], start.dtype).transpose().assign(start) },
  ];

  test.each(
    readCases<Golden>('pytorch/updaters.jsonl').flatMap((golden) =>
      layouts.flatMap((row) => (['float32', 'float64'] as const).map((dtype) => ({ ...golden, ...row, dtype }))),
    ),
  )(
    '$updater $options $regularization: the steps of PyTorch, $dtype, $layout',
    async ({ updater, options, regularization, make, dtype, ...golden }) => {
      const sd = SameDiff.create();
      const w = sd.var('w', make(nd.array(golden.start, dtype)));
      const g = sd.placeHolder('g', dtype, w.shape);
      // Its gradient is g.
      sd.setLossVariables(w.mul(g));
      const data = golden.gradients.map((gradient) => ({ g: nd.array(gradient, dtype).reshape(w.shape) }));
      const steps: number[][] = [];
      const { l1, l2, weightDecay } = regularization;
      const config = TrainingConfig.builder().updater(new updaters[updater](options));
      if (l1 !== undefined) config.l1(l1);
      if (l2 !== undefined) config.l2(l2);
      if (weightDecay !== undefined) config.weightDecay(...weightDecay);
      sd.setTrainingConfig(config.build());
      await sd.fit(data, 1, { iterationDone: () => void steps.push(values(sd.arrayOf(w))) });
      const wrong = steps.flatMap((step, i) => mismatches(`step ${i}`, step, golden.steps[i] ?? [], literal[dtype]));
      expect([steps.length, ...wrong]).toEqual([golden.steps.length]);
    },
  );
});

describe('an updater of your own', () => {
  const updater = (parts: Partial<IUpdater>): IUpdater => ({
    stateSize: 1,
    rate: () => 1,
    applyUpdater: (gradient, _rate, state) => [gradient, state as SDVariable],
    ...parts,
  });

  test.each<{ title: string; given: IUpdater; expected: Expected }>([
    { title: 'of no kind', given: {} as IUpdater, expected: errOption('updater', 'new Adam') },
    { title: 'with half an array of state', given: updater({ stateSize: 0.5 }), expected: errOption('updater') },
    {
      title: 'that gives no list',
      given: updater({ applyUpdater: (g) => g as never }),
      expected: errOption('updater'),
    },
    {
      title: 'that forgets its state',
      given: updater({ applyUpdater: (gradient) => [gradient] }),
      expected: errOption('updater', '1 arrays of state'),
    },
    {
      title: 'that gives more than a parameter has',
      given: updater({ applyUpdater: (g, _, m) => [g.mul(g.sameDiff.constant([1, 2, 3])), m as SDVariable] }),
      expected: errShape('updater', '[1, 1]', '[1, 3]'),
    },
    {
      title: 'whose rate is none',
      given: updater({ rate: () => 'fast' as never }),
      expected: errOption('updater', 'rate', 'fast'),
    },
  ])('$title is rejected', async ({ given, expected }) => {
    const { sd, weight } = line();
    expectError(await outcome(sd.fit({ data: [batch(1)], updater: given })), expected);
    expect(weight()).toBe(0);
  });

  test('has its rate from where training is, and its state from step to step', async () => {
    const { sd, weight } = line();
    const seen: At[] = [];
    const counting = updater({
      rate: (at) => {
        seen.push(at);
        return at.iteration;
      },
      // Counts its steps, and takes steps of rate + 10 * count.
      applyUpdater: (gradient, rate, count) => {
        const next = (count as SDVariable).add(1);
        return [gradient.mul(0).sub(next.mul(10)).sub(rate), next];
      },
    });
    await sd.fit({ data: [batch(1), batch(2)], epochs: 2, updater: counting });
    expect(seen).toEqual([0, 1, 2, 3].map((iteration) => ({ epoch: iteration >> 1, iteration })));
    expect(weight()).toBe(10 + 20 + 30 + 40 + (0 + 1 + 2 + 3));
  });

  test('may trade its arrays', async () => {
    const { sd, weight } = line();
    // The gradients of the step before last.
    const late = updater({ stateSize: 2, applyUpdater: (g, _, a, b) => [a as SDVariable, b as SDVariable, g] });
    await sd.fit({ data: [batch(1), batch(1), batch(1), batch(1)], updater: late });
    expect(weight()).toBe(6 + 6);
  });
});

describe('fit rejects', () => {
  const sgd = new Sgd(0.1);
  const train = (options: object) => () => line().sd.fit({ data: [batch(1)], updater: sgd, ...options } as FitOptions);

  test.each<{ title: string; call: () => Promise<unknown>; expected: Expected }>([
    { title: 'no data', call: train({ data: undefined }), expected: errOption('data', 'iterable', 'undefined') },
    {
      title: 'a function that returns none',
      call: train({ data: () => 7 }),
      expected: errOption('data', 'iterable', '7'),
    },
    { title: 'no batch', call: train({ data: [] }), expected: errOption('data', 'batch') },
    { title: 'a batch that is none', call: train({ data: [7] }), expected: errOption('data', '7') },
    {
      title: 'a batch of no rows',
      call: train({ data: [{ x: nd.zeros([0, 1]), y: nd.zeros([0, 1]) }] }),
      expected: errShape('batch: x', 'at least one row', '[0, 1]'),
    },
    { title: 'a batch of nothing', call: train({ data: [batch()] }), expected: errShape('batch: x', '[]') },
    { title: 'a missing array', call: train({ data: [{ x: [[1]] }] }), expected: errOption('y', 'placeholder') },
    { title: 'a shape', call: train({ data: [{ x: [[1]], y: [1] }] }), expected: errShape('y', '[-1, 1]', '[1]') },
    {
      title: 'a dtype',
      call: train({ data: [{ x: [[1]], y: nd.zeros([1, 1]) }] }),
      expected: errDtype('y', 'float64', 'float32'),
    },
    { title: 'half an epoch', call: train({ epochs: 0.5 }), expected: errRange('epochs', '0.5') },
    { title: 'no epoch', call: train({ epochs: 0 }), expected: errRange('epochs', '0') },
    { title: 'epochs in words', call: train({ epochs: 'two' }), expected: errOption('epochs', 'two') },
    { title: 'an unknown option', call: train({ epoch: 2 }), expected: errOption('fit', 'epochs', 'epoch') },
    { title: 'a listener that is no object', call: train({ listeners: [7] }), expected: errOption('listeners', '7') },
    {
      title: 'a listener whose method is none',
      call: train({ listeners: [{ iterationDone: 7 }] }),
      expected: errOption('listeners', 'iterationDone', '7'),
    },
    { title: 'a signal that is none', call: train({ signal: 7 }), expected: errOption('signal', 'AbortSignal', '7') },
    { title: 'listeners that are no list', call: train({ listeners: {} }), expected: errOption('listeners') },
    { title: 'nothing', call: () => line().sd.fit(undefined as never), expected: errOption('fit', 'undefined') },
    {
      title: 'options twice',
      call: () => line().sd.fit({ data: [batch(1)], updater: sgd } as never, 2),
      expected: errOption('fit', '2'),
    },
    {
      title: 'no updater',
      call: () => line().sd.fit([batch(1)]),
      expected: errOption('fit', 'updater', 'setTrainingConfig'),
    },
    {
      title: 'a graph without losses',
      call: () => SameDiff.create().fit({ data: [{}], updater: sgd }),
      expected: errOption('loss', 'none'),
    },
    {
      title: 'losses of nothing to learn',
      call: () => {
        const sd = SameDiff.create();
        sd.var('w', [1]);
        sd.setLossVariables(sd.constant([1]).square());
        return sd.fit({ data: [{}], updater: sgd });
      },
      expected: errOption('loss', 'sd.var'),
    },
    {
      title: 'a parameter whose elements share memory',
      call: () => {
        const sd = SameDiff.create();
        sd.setLossVariables(sd.var('w', nd.create(Float32Array.of(1), [3], { strides: [0] })).square());
        return sd.fit({ data: [{}], updater: sgd });
      },
      expected: errBuffer('w', 'strides [0]'),
    },
  ])('$title', async ({ call, expected }) => expectError(await outcome(call()), expected));

  test('a second call while the first runs', async () => {
    const { sd } = line();
    const first = sd.fit({ data: [batch(1)], updater: sgd });
    expectError(await outcome(sd.fit([batch(1)])), errOption('fit', 'being trained'));
    await first;
    await sd.fit([batch(1)]);
  });

  test("what fails in a caller's hands, with the caller's error; whole steps stay", async () => {
    const { sd, weight } = line();
    function* broken() {
      yield batch(1);
      throw new Error('no more');
    }
    await expect(sd.fit({ data: broken, updater: sgd })).rejects.toThrow('no more');
    expect(weight()).toBeCloseTo(0.6, 12);
    const listener = { iterationDone: () => Promise.reject(new Error('full disk')) };
    await expect(sd.fit([batch(1)], 1, listener)).rejects.toThrow('full disk');
    await sd.fit([batch(1)]);
  });

  test('a generator that has ended', async () => {
    const { sd } = line();
    const generate = function* () {
      yield batch(1);
    };
    expectError(await outcome(sd.fit({ data: generate(), epochs: 2, updater: sgd })), errOption('data', 'generator'));
    await sd.fit({ data: generate, epochs: 2, updater: sgd });
  });

  test('with the reason of an abort', async () => {
    const { sd } = line();
    const controller = new AbortController();
    const listener: Listener = {
      iterationDone(_, { iteration }) {
        if (iteration === 2) controller.abort('enough');
      },
    };
    const { signal } = controller;
    const data = [batch(1), batch(2)];
    const steps: number[] = [];
    listener.iterationStart = (_, { iteration }) => void steps.push(iteration);
    await expect(sd.fit({ data, epochs: 9, updater: sgd, listeners: [listener], signal })).rejects.toBe('enough');
    expect(steps).toEqual([0, 1, 2]);
  });
});

describe('fit', () => {
  test('steps along the gradient of the losses’ sum', async () => {
    const { sd, w, weight } = line();
    // Two losses: one of a number, one of an element each.
    sd.setLossVariables('loss', w.square('penalty'));
    const history = await sd.fit({ data: [batch(1, 2)], updater: new Sgd(0.1) });
    // mean((3 x)^2) = 22.5; its gradient -2 * mean(3 x^2) = -15.
    expect(weight()).toBeCloseTo(1.5, 14);
    expect(history.lossCurve().losses()[0]).toEqual(new Loss(['loss', 'penalty'], [22.5, 0]));
  });

  test('counts losses of several elements by their sum', async () => {
    const sd = SameDiff.create();
    const w = sd.var('w', nd.array([1, 2, 3], 'float64'));
    sd.setLossVariables(w.square('squares'));
    const history = await sd.fit({ data: [{}], updater: new Sgd(0.25) });
    expect(history.lossCurve().lastMeanLoss('squares')).toBe(14);
    expect(sd.arrayOf(w).toArray()).toEqual([0.5, 1, 1.5]);
  });

  test('reports losses in float64', async () => {
    const sd = SameDiff.create();
    const w = sd.var('w', nd.array([1, 0, 0]));
    sd.setLossVariables(w.mean());
    const history = await sd.fit({ data: [{}], updater: new Sgd(0) });
    expect(history.lossCurve().lastMeanLoss()).toBe(1 / 3);
  });

  test('goes up where it does not minimize', async () => {
    const { sd, weight } = line();
    sd.setTrainingConfig(TrainingConfig.builder().updater(new Sgd(0.1)).minimize(false).build());
    await sd.fit([batch(1)]);
    expect(weight()).toBeCloseTo(-0.6, 14);
  });

  test('leaves alone what no loss depends on, and constants', async () => {
    const { sd } = line();
    const spare = sd.var('spare', [1]);
    const fixed = sd.constant('fixed', [2]);
    await sd.fit({ data: [batch(1)], updater: new Adam(1) });
    expect([spare, fixed].map((variable) => values(sd.arrayOf(variable)))).toEqual([[1], [2]]);
  });

  test('trains parameters of both dtypes in one graph', async () => {
    const sd = SameDiff.create();
    const [a, b] = [sd.var('a', nd.array([1, 2], 'float32')), sd.var('b', nd.array([3, 4], 'float64'))];
    sd.setLossVariables(a.mul(b));
    await sd.fit({ data: [{}], updater: new Sgd(0.5) });
    expect([a, b].map((each) => sd.arrayOf(each).toArray())).toEqual([
      [-0.5, 0],
      [2.5, 3],
    ]);
    expect(sd.arrayOf(a).dtype).toBe('float32');
  });

  test('takes parameters from the losses as they are when it is called', async () => {
    const { sd, loss, x, weight } = line();
    await sd.fit({ data: [batch(1)], updater: new Sgd(0.1) });
    const before = weight();
    const bias = sd.var('bias', nd.zeros([1], 'float64'));
    sd.setLossVariables(x.mean().mul(bias).add(loss));
    await sd.fit([batch(1)]);
    expect(weight()).toBeCloseTo(before + 0.2 * (3 - before), 14);
    expect(sd.arrayOf(bias).toArray()).toEqual([-0.1]);
  });

  const batches = [batch(1, 2, 3), batch(4)];
  test.each<{ title: string; data: TrainingData }>([
    { title: 'a list', data: batches },
    { title: 'a list of promises', data: batches.map((each) => Promise.resolve(each)) },
    { title: 'a set', data: new Set(batches) },
    { title: 'a function', data: () => batches },
    {
      title: 'an asynchronous generator',
      data: async function* () {
        yield* batches;
      },
    },
  ])('takes $title, whose last batch may be smaller', async ({ data }) => {
    const { sd, weight } = line();
    const history: History = await sd.fit({ data, epochs: 3, updater: new Sgd(0.05) });
    let [w, last] = [0, 0];
    for (let epoch = 0; epoch < 3; epoch++) {
      last = 0;
      for (const square of [14 / 3, 16]) {
        last += ((3 - w) ** 2 * square) / 2;
        w += 0.05 * 2 * square * (3 - w);
      }
    }
    expect(weight()).toBeCloseTo(w, 12);
    expect(history.lossCurve().lastMeanLoss()).toBeCloseTo(last, 12);
  });

  test('tells a function of the epoch', async () => {
    const epochs: number[] = [];
    const data = (epoch: number) => {
      epochs.push(epoch);
      return [batch(epoch)];
    };
    await line().sd.fit({ data, epochs: 3, updater: new Sgd(0.1) });
    expect(epochs).toEqual([0, 1, 2]);
  });

  test('goes on where it ended, unless it is told otherwise', async () => {
    const data = [batch(1), batch(2)];
    const adam = new Adam(0.1);
    const weightAfter = async (...calls: ((sd: SameDiff) => Promise<unknown>)[]) => {
      const { sd, weight } = line();
      for (const call of calls) await call(sd);
      return weight();
    };
    const whole = await weightAfter((sd) => sd.fit({ data, epochs: 4, updater: adam }));
    const twice = [2, 2].map((epochs) => (sd: SameDiff) => sd.fit({ data, epochs, updater: adam }));
    expect(await weightAfter(...twice)).toBe(whole);
    const [first] = twice as [(sd: SameDiff) => Promise<unknown>];
    expect(await weightAfter(first, (sd) => sd.fit(data, 2))).toBe(whole);
    expect(await weightAfter(first, (sd) => sd.fit({ data, epochs: 2, updater: new Adam(0.1) }))).not.toBe(whole);
    const config = TrainingConfig.builder().updater(adam).build();
    const reset = async (sd: SameDiff) => sd.setTrainingConfig(config);
    expect(await weightAfter(first, reset, (sd) => sd.fit(data, 2))).not.toBe(whole);
  });

  test('gives the event loop a turn', async () => {
    const { sd } = line();
    let turns = 0;
    let isDone = false;
    const turn = () => {
      turns++;
      if (!isDone) setImmediate(turn);
    };
    setImmediate(turn);
    const data = function* () {
      for (let i = 0; i < 1e6 && turns < 3; i++) yield batch(1);
    };
    await sd.fit({ data, updater: new Sgd(0.1) });
    isDone = true;
    expect(turns).toBeGreaterThan(2);
  });

  test('finds the line of a regression', async () => {
    const sd = SameDiff.create();
    const x = sd.placeHolder('x', 'float32', [-1, 3]);
    const y = sd.placeHolder('y', 'float32', [-1, 1]);
    const w = sd.var('w', WeightInit.XAVIER, [3, 1], { seed: 1 });
    const b = sd.var('b', WeightInit.ZERO, [1]);
    sd.setLossVariables(x.mmul(w).add(b).sub(y).square().mean());
    const features = nd.randn([50, 3], { seed: 2 });
    const labels = features.mmul([[1], [-2], [3]]).add(0.5);
    const data = [0, 16, 32, 48].map((from) => {
      const to = Math.min(from + 16, 50);
      return { x: features.rows(from, to), y: labels.rows(from, to) };
    });
    for (const updater of [new Sgd(0.1), new Nesterovs(0.01), new Adam(0.05)]) {
      sd.arrayOf(w).assign(0);
      const history = await sd.fit({ data, epochs: 100, updater });
      expect(history.lossCurve().lastMeanLoss()).toBeLessThan(1e-6);
      expect(mismatches('w', values(sd.arrayOf(w)), [1, -2, 3], { relative: 1e-3, absolute: 0 })).toEqual([]);
      expect(mismatches('b', values(sd.arrayOf(b)), [0.5], { relative: 2e-3, absolute: 0 })).toEqual([]);
    }
  });
});

describe('a training configuration', () => {
  test.each<{ title: string; make: () => unknown; expected: Expected }>([
    { title: 'no updater', make: () => TrainingConfig.builder().build(), expected: errOption('updater', 'undefined') },
    {
      title: 'a name as updater',
      make: () => TrainingConfig.builder().updater('adam' as never),
      expected: errOption('updater', 'new Adam', 'adam'),
    },
    {
      title: 'no name of features',
      make: () => TrainingConfig.builder().dataSetFeatureMapping(),
      expected: errOption('dataSetFeatureMapping', 'none'),
    },
    {
      title: 'a number as a name',
      make: () => TrainingConfig.builder().dataSetLabelMapping(7 as never),
      expected: errOption('dataSetLabelMapping', '7'),
    },
    {
      title: 'a name to minimize',
      make: () => TrainingConfig.builder().minimize('loss' as never),
      expected: errOption('minimize', 'true or false', 'loss'),
    },
    { title: 'l1 below 0', make: () => TrainingConfig.builder().l1(-1), expected: errRange('l1', '-1') },
    { title: 'l1 of NaN', make: () => TrainingConfig.builder().l1(Number.NaN), expected: errRange('l1', 'NaN') },
    { title: 'l2 of a word', make: () => TrainingConfig.builder().l2('a' as never), expected: errOption('l2', 'a') },
    { title: 'no l2', make: () => TrainingConfig.builder().l2(undefined as never), expected: errOption('l2') },
    {
      title: 'an endless decay',
      make: () => TrainingConfig.builder().weightDecay(Infinity),
      expected: errRange('coefficient', 'Infinity'),
    },
    {
      title: 'a word for the learning rate',
      make: () => TrainingConfig.builder().weightDecay(1, 'yes' as never),
      expected: errOption('applyLearningRate', 'yes'),
    },
    {
      title: 'something else for one',
      make: () => SameDiff.create().setTrainingConfig({ updater: new Sgd() } as never),
      expected: errOption('config', 'TrainingConfig'),
    },
  ])('rejects $title', ({ make, expected }) => expectError(make, expected));

  const builder = (): TrainingConfigBuilder => TrainingConfig.builder().updater(new Sgd(0.1));

  test('is what its builder was told', () => {
    const config = builder().dataSetFeatureMapping('x', 'z').dataSetLabelMapping('y').build();
    expect({ ...config }).toEqual({
      updater: new Sgd(0.1),
      dataSetFeatureMapping: ['x', 'z'],
      dataSetLabelMapping: ['y'],
      minimize: true,
      l1: 0,
      l2: 0,
      weightDecay: 0,
      applyLearningRate: true,
    });
    expect(builder().l1(1).l2(2).weightDecay(3, false).build()).toMatchObject({
      l1: 1,
      l2: 2,
      weightDecay: 3,
      applyLearningRate: false,
    });
    const { sd } = line();
    expect(sd.getTrainingConfig()).toBeUndefined();
    sd.setTrainingConfig(config);
    expect(sd.getTrainingConfig()).toBe(config);
  });

  test.each([
    {
      title: 'features and labels',
      config: builder().dataSetFeatureMapping('x').dataSetLabelMapping('y').build(),
      data: { features: [[1], [2]], labels: [[3], [6]] },
    },
    {
      title: 'several of them',
      config: builder().dataSetFeatureMapping('x', 'y').build(),
      data: {
        features: [
          [[1], [2]],
          [[3], [6]],
        ],
      },
    },
  ])('maps $title', async ({ config, data }) => {
    const { sd, weight } = line();
    sd.setTrainingConfig(config);
    await sd.fit([data]);
    expect(weight()).toBeCloseTo(1.5, 14);
  });

  test.each<{ title: string; data: Partial<DataSet>; expected: Expected }>([
    { title: 'no features', data: { labels: [[1]] }, expected: errOption('features', 'an array for x', 'undefined') },
    { title: 'no labels', data: { features: [[1]] }, expected: errOption('labels', 'an array for y', 'undefined') },
  ])('rejects $title', async ({ data, expected }) => {
    const { sd } = line();
    sd.setTrainingConfig(builder().dataSetFeatureMapping('x').dataSetLabelMapping('y').build());
    expectError(await outcome(sd.fit([data as Batch])), expected);
  });

  test.each<{ title: string; config: TrainingConfig; expected: Expected }>([
    {
      title: 'features of no placeholder',
      config: builder().dataSetFeatureMapping('x', 'image').build(),
      expected: errOption('dataSetFeatureMapping', 'placeholder', 'image'),
    },
    {
      title: 'labels of a parameter',
      config: builder().dataSetLabelMapping('w').build(),
      expected: errOption('dataSetLabelMapping', 'placeholder', 'w'),
    },
  ])('rejects $title', async ({ config, expected }) => {
    const { sd } = line();
    sd.setTrainingConfig(config);
    expectError(await outcome(sd.fit([batch(1)])), expected);
  });

  test('rejects another number of features', async () => {
    const { sd } = line();
    sd.setTrainingConfig(builder().dataSetFeatureMapping('x', 'y').build());
    expectError(await outcome(sd.fit([{ features: [[[1]]] }])), errOption('features', '2 arrays'));
  });
});

describe('penalties', () => {
  const parameters = () => {
    const sd = SameDiff.create();
    sd.setLossVariables(
      sd
        .var('a', nd.array([1, -2], 'float64'))
        .sum('loss')
        .add(sd.var('b', nd.array([3], 'float64'))),
    );
    return sd;
  };
  const builder = () => TrainingConfig.builder().updater(new Sgd(0.5));

  test('count among the losses', async () => {
    const sd = parameters();
    const [loss] = sd.getLossVariables();
    sd.setTrainingConfig(builder().l1(0.5).l2(0.25).weightDecay(0.125).build());
    const { lossNames, losses } = (await sd.fit([{}])).lossCurve().losses()[0] as Loss;
    // |1| + |-2| + |3| = 6; 1 + 4 + 9 = 14.
    expect([lossNames, losses]).toEqual([
      [loss?.name(), 'L1Regularization', 'L2Regularization', 'WeightDecay'],
      [2, 3, 0.25 * 7, 0.125 * 7],
    ]);
    // The step is half the gradient: 1 + 0.5 sign(w) + (0.25 + 0.125) w.
    expect(values(sd.arrayOf('a'))).toEqual([1 - 0.5 * 1.875, -2 - 0.5 * (0.5 - 0.75)]);
    expect(values(sd.arrayOf('b'))).toEqual([3 - 0.5 * (1.5 + 1.125)]);
  });

  test('lessen parameters whatever becomes of the losses', async () => {
    const sd = parameters();
    sd.setTrainingConfig(builder().l2(0.25).minimize(false).build());
    await sd.fit([{}]);
    expect(values(sd.arrayOf('a'))).toEqual([1 + 0.5 - 0.125, -2 + 0.5 + 0.25]);
  });

  test('decay by the whole coefficient for an updater without a learning rate', async () => {
    const sd = parameters();
    const still: IUpdater = { stateSize: 0, rate: () => 1, applyUpdater: (gradient) => [gradient.mul(0)] };
    sd.setTrainingConfig(TrainingConfig.builder().updater(still).weightDecay(0.25).build());
    await sd.fit([{}]);
    expect(values(sd.arrayOf('a'))).toEqual([0.75, -1.5]);
  });
});

describe('fit, as data and parameters change under it', () => {
  const sgd = new Sgd(0.25);

  test('NaN in a batch: losses and parameters are NaN, and nothing fails', async () => {
    const { sd, weight } = line();
    const lines: string[] = [];
    const history = await sd.fit({
      data: [batch(1), batch(Number.NaN), batch(1)],
      updater: sgd,
      listeners: [new ScoreListener(1, (text) => lines.push(text))],
    });
    expect(history.lossCurve().meanLoss()).toEqual([Number.NaN]);
    expect(weight()).toBeNaN();
    expect(lines.slice(0, 3).map((text) => text.split(': ')[1])).toEqual(['9.0000', 'NaN', 'NaN']);
  });

  test('parameters that a listener changes, or the caller between calls, are those of the next step', async () => {
    const { sd, weight } = line();
    const reset: Listener = { iterationStart: () => void sd.arrayOf('w').assign(1) };
    await sd.fit({ data: [batch(1), batch(1)], updater: sgd, listeners: [reset] });
    expect(weight()).toBe(2);
    sd.arrayOf('w').assign(5);
    await sd.fit([batch(1)]);
    expect(weight()).toBe(4);
  });

  test('batches that are made in the same memory', async () => {
    const { sd, weight } = line();
    const [x, y] = [nd.zeros([1, 1], 'float64'), nd.zeros([1, 1], 'float64')];
    const data = function* () {
      for (const value of [1, 2]) {
        x.assign(value);
        y.assign(3 * value);
        yield { x, y };
      }
    };
    const history = await sd.fit({ data, updater: new Sgd(0.125) });
    expect(history.lossCurve().lastMeanLoss()).toBe((9 + 4 * 2.25 ** 2) / 2);
    expect(weight()).toBe(3);
    expect([x.at(0, 0), y.at(0, 0)]).toEqual([2, 6]);
  });

  test('a class that is none: the steps before it stay', async () => {
    const sd = SameDiff.create();
    const z = sd.var('z', nd.zeros([1, 2], 'float64'));
    const labels = sd.placeHolder('labels', 'int32', [-1]);
    sd.setLossVariables(sd.loss.sparseSoftmaxCrossEntropy(z, labels).mean());
    const data = [{ labels: Int32Array.of(0) }, { labels: Int32Array.of(2) }];
    expectError(await outcome(sd.fit({ data, updater: sgd })), errRange('labels', 'row 0', '0 to 1', '2'));
    expect(values(sd.arrayOf('z'))).toEqual([0.125, -0.125]);
  });

  test('batches that do not go together', async () => {
    const { sd, weight } = line();
    const data = [{ x: [[1], [2]], y: [[3], [6], [9]] }];
    expectError(await outcome(sd.fit({ data, updater: sgd })), errShape('x', 'y', '[3, 1]', '[2, 1]'));
    expect(weight()).toBe(0);
  });

  const detach = ({ data }: NDArray) => void structuredClone(data.buffer, { transfer: [data.buffer as ArrayBuffer] });

  test('memory that is gone is named', async () => {
    const { sd } = line();
    const given = { x: nd.ones([1, 1], 'float64'), y: nd.ones([1, 1], 'float64') };
    detach(given.y);
    expectError(await outcome(sd.fit({ data: [given], updater: sgd })), errBuffer('y', 'detached'));
    expectError(() => sd.output(given, 'loss'), errBuffer('y', 'detached'));
    const losing: Listener = { iterationDone: () => detach(sd.arrayOf('w')) };
    const data = [batch(1), batch(1)];
    expectError(await outcome(sd.fit({ data, updater: sgd, listeners: [losing] })), errBuffer('w', 'detached'));
  });

  test('another configuration, while it runs, is rejected', async () => {
    const { sd, weight } = line();
    const first = sd.fit({ data: [batch(1)], updater: sgd });
    expectError(() => sd.setTrainingConfig(TrainingConfig.builder().updater(sgd).build()), errOption('being trained'));
    expectError(await outcome(sd.fit({ data: [batch(1)], updater: new Adam() })), errOption('being trained'));
    await first;
    expect(weight()).toBe(1.5);
    await sd.fit({ data: [batch(1)], updater: new Sgd(0) });
    expect(weight()).toBe(1.5);
  });

  test('a source is closed when training ends early', async () => {
    const { sd } = line();
    const closed: string[] = [];
    const source = async function* (name: string) {
      try {
        for (;;) yield batch(1);
      } finally {
        closed.push(name);
      }
    };
    const controller = new AbortController();
    const abort: Listener = { iterationDone: () => controller.abort('late') };
    const train = (name: string, listeners: Listener[], signal?: AbortSignal) =>
      sd.fit({ data: source(name), updater: sgd, listeners, signal });
    await expect(train('aborted', [abort], controller.signal)).rejects.toBe('late');
    await expect(train('failed', [{ iterationDone: () => Promise.reject(new Error('no')) }])).rejects.toThrow('no');
    await expect(train('not begun', [], AbortSignal.abort('early'))).rejects.toBe('early');
    expect(closed).toEqual(['aborted', 'failed']);
  });
});

describe('listeners', () => {
  test('are told in order, and waited for', async () => {
    const { sd } = line();
    const calls: unknown[] = [];
    const at = ({ epoch, iteration }: At) => `${epoch}:${iteration}`;
    const data = [batch(1), batch(2)];
    const listener: Listener = {
      epochStart: async (of, where) => {
        await new Promise((resolve) => setTimeout(resolve, 1));
        calls.push(['epochStart', of === sd, at(where)]);
      },
      iterationStart: (_, where, given) => void calls.push(['iterationStart', at(where), data.indexOf(given)]),
      iterationDone: (_, where, given, loss) =>
        void calls.push(['iterationDone', at(where), data.indexOf(given), loss.getLoss('loss')]),
      epochEnd: (_, where, curve, time) => void calls.push(['epochEnd', at(where), curve.meanLoss().length, time >= 0]),
    };
    await sd
      .fit(data, 2, listener)
      .catch(() => sd.fit({ data, epochs: 2, updater: new Sgd(0.125), listeners: [listener] }));
    // Slope 3: steps leave 3/4 of the error after x = 1, and none after x = 2.
    expect(calls).toEqual([
      ['epochStart', true, '0:0'],
      ['iterationStart', '0:0', 0],
      ['iterationDone', '0:0', 0, 9],
      ['iterationStart', '0:1', 1],
      ['iterationDone', '0:1', 1, 4 * 2.25 ** 2],
      ['epochEnd', '0:2', 1, true],
      ['epochStart', true, '1:2'],
      ['iterationStart', '1:2', 0],
      ['iterationDone', '1:2', 0, 0],
      ['iterationStart', '1:3', 1],
      ['iterationDone', '1:3', 1, 0],
      ['epochEnd', '1:4', 2, true],
    ]);
  });

  test('of the graph are told of every call, before those of the call', async () => {
    const { sd, w } = line();
    const told: string[] = [];
    const named = (name: string): Listener => ({ iterationDone: () => void told.push(name) });
    expectError(() => sd.setListeners(7 as never), errOption('listeners', '7'));
    expectError(() => sd.setListeners({ epochEnd: 'now' } as never), errOption('listeners', 'epochEnd', 'now'));
    sd.setListeners(named('first'), named('second'));
    await sd.fit({ data: [batch(1)], updater: new Sgd(0.125), listeners: [named('third')] });
    sd.setListeners(named('fourth'));
    await sd.fit([batch(1)]);
    sd.setListeners();
    await sd.fit([batch(1)]);
    expect(told).toEqual(['first', 'second', 'third', 'fourth']);
    expect(w.getArr()).toBe(sd.arrayOf('w'));
  });

  test('can end the training', async () => {
    const { sd } = line();
    const patience: Listener = { epochEnd: (_, { epoch }) => (epoch === 2 ? 'STOP' : 'CONTINUE') };
    const history = await sd.fit({ data: [batch(1)], epochs: 50, updater: new Sgd(0.1), listeners: [patience, {}] });
    expect(history.trainingEpochs()).toBe(3);
    expect(history.lossCurve().meanLoss().length).toBe(3);
    expect(history.trainingTimeMillis()).toBeGreaterThan(0);
  });

  test('can use the graph', async () => {
    const { sd, loss } = line();
    const seen: unknown[] = [];
    const validate: Listener = { epochEnd: () => void seen.push(loss.eval(batch(1) as never).toArray()) };
    await sd.fit({ data: [batch(1)], epochs: 2, updater: new Sgd(0.25), listeners: [validate] });
    expect(seen).toEqual([2.25, 0.5625]);
  });

  test.each<{ title: string; make: () => unknown; expected: Expected }>([
    { title: 'no batch', make: () => new ScoreListener(0), expected: errRange('frequency', '0') },
    { title: 'a word', make: () => new ScoreListener('often' as never), expected: errOption('frequency', 'often') },
    { title: 'no function', make: () => new ScoreListener(1, 'log' as never), expected: errOption('log', 'function') },
  ])('ScoreListener rejects $title', ({ make, expected }) => expectError(make, expected));

  test('ScoreListener writes losses', async () => {
    const lines: string[] = [];
    const listener = new ScoreListener(2, (text) => lines.push(text));
    const { sd } = line();
    await sd.fit({ data: [batch(1), batch(2), batch(1)], updater: new Sgd(0.125), listeners: [listener] });
    const took = /\d+ ms$/;
    expect(lines.map((text) => text.replace(took, 'n ms'))).toEqual([
      'Loss at epoch 0, iteration 0: 9.0000',
      'Loss at epoch 0, iteration 2: 0.0000',
      'Epoch 0 complete on iteration 3: mean loss 9.7500, n ms',
    ]);
  });
});

describe('losses', () => {
  const curve = new LossCurve([new Loss(['a', 'b'], [1, 2]), new Loss(['a', 'b'], [0.5, 1])]);

  test('reject an unknown name, and no epoch', () => {
    expectError(() => new Loss(['a'], [1]).getLoss('b'), errOption('loss', 'a', 'b'));
    expectError(() => curve.meanLoss('c'), errOption('loss', 'a, b', 'c'));
    expectError(() => new LossCurve([]), errRange('losses'));
  });

  test('add up', () => {
    expect(curve.losses().map((loss) => [loss.getLoss('b'), loss.totalLoss()])).toEqual([
      [2, 3],
      [1, 1.5],
    ]);
    expect([curve.meanLoss(), curve.meanLoss('a')]).toEqual([
      [3, 1.5],
      [1, 0.5],
    ]);
    expect([curve.lastMeanLoss(), curve.lastMeanLoss('b')]).toEqual([1.5, 1]);
  });
});

describe('sd.var by its initial weights', () => {
  const sd = SameDiff.create();
  test.each<{ title: string; make: () => unknown; expected: Expected }>([
    {
      title: 'an unknown name',
      make: () => sd.var('v', 'SMALL' as never, [2, 2]),
      expected: errOption('XAVIER', 'SMALL'),
    },
    {
      title: 'no shape',
      make: () => sd.var('v', WeightInit.ZERO, undefined as never),
      expected: errShape('undefined'),
    },
    { title: 'a vector', make: () => sd.var('v', WeightInit.RELU, [3]), expected: errShape('[nIn, nOut]', '[3]') },
    {
      title: 'a seed',
      make: () => sd.var('v', WeightInit.ZERO, [3], { seed: -1 }),
      expected: errRange('seed', '-1'),
    },
    {
      title: 'a dtype',
      make: () => sd.var('v', WeightInit.XAVIER, [3, 3], { dtype: 'int8' as never }),
      expected: errDtype('int8'),
    },
    {
      title: 'an option',
      make: () => sd.var('v', WeightInit.XAVIER, [3, 3], { sead: 1 } as never),
      expected: errOption('sead'),
    },
  ])('rejects $title', ({ make, expected }) => expectError(make, expected));

  test.each([
    { init: WeightInit.XAVIER, deviation: Math.sqrt(2 / 500) },
    { init: WeightInit.RELU, deviation: Math.sqrt(2 / 300) },
    { init: WeightInit.NORMAL, deviation: Math.sqrt(1 / 300) },
    { init: WeightInit.UNIFORM, deviation: Math.sqrt(1 / 300 / 3) },
    { init: WeightInit.ZERO, deviation: 0 },
  ])('$init', ({ init, deviation }) => {
    const make = (seed: number) => {
      const graph = SameDiff.create();
      return graph.arrayOf(graph.var('w', init, [300, 200], { seed, dtype: 'float64' }));
    };
    const w = make(1);
    expect([w.shape, w.dtype]).toEqual([[300, 200], 'float64']);
    expect(w.norm2Number() / Math.sqrt(w.length)).toBeCloseTo(deviation, 3);
    expect(make(1).sub(w).norm2Number()).toBe(0);
    if (deviation > 0) expect(w.at(0, 0)).not.toBe(make(2).at(0, 0));
  });
});
