// SPDX-License-Identifier: Apache-2.0
// output, calculateGradients and calculateGradientsAndOutputs: what they reject, and results that are the caller's own.
import { type NDArray, nd, SameDiff } from '../../lib';
import { type Expected, errDtype, errOption, errShape, expectError } from '../support/errors';
import { values } from '../support/library';

/** Losses `mean((x w + b)^2)` and `sum(w^2)`. */
function graph() {
  const sd = SameDiff.create();
  const x = sd.placeHolder('x', 'float64', [-1, 2]);
  const w = sd.var('w', nd.array([[1], [2]], 'float64'));
  const b = sd.var('b', nd.array([3], 'float64'));
  const y = x.mmul(w).add('y', b);
  sd.setLossVariables(y.square().mean('fit'), w.square().sum('penalty'));
  return { sd, x, w, b, y };
}

const x = nd.array([[1, 1]], 'float64'); // y = 6

describe('variables', () => {
  test.each<{ title: string; run: (sd: SameDiff) => unknown; expected: Expected }>([
    { title: 'getVariable: an unknown name', run: (sd) => sd.getVariable('v'), expected: errOption('variable', 'v') },
    { title: 'getVariable: no text', run: (sd) => sd.getVariable(7 as never), expected: errOption('variable', '7') },
    { title: 'arrayOf: an unknown name', run: (sd) => sd.arrayOf('v'), expected: errOption('variable', 'v') },
    { title: 'arrayOf: a placeholder', run: (sd) => sd.arrayOf('x'), expected: errOption('parameter', 'x') },
    { title: 'arrayOf: an expression', run: (sd) => sd.arrayOf('y'), expected: errOption('parameter') },
    { title: 'arrayOf: nothing', run: (sd) => sd.arrayOf(undefined as never), expected: errOption('variable') },
    {
      title: 'setLossVariables: another graph’s',
      run: (sd) => sd.setLossVariables(graph().y),
      expected: errOption('same graph', 'y'),
    },
    { title: 'setLossVariables: a number', run: (sd) => sd.setLossVariables(7 as never), expected: errDtype('7') },
    { title: 'a name that is taken', run: (sd) => sd.var('x', [1]), expected: errOption('name', 'x') },
    { title: 'an empty name', run: (sd) => sd.placeHolder('', 'float32', []), expected: errOption('name') },
    {
      title: 'a parameter of whole numbers',
      run: (sd) => sd.var('v', Int32Array.of(1)),
      expected: errDtype('v', 'int32'),
    },
    { title: 'a parameter of nothing', run: (sd) => sd.var('v', undefined as never), expected: errDtype('v') },
    { title: 'a size', run: (sd) => sd.placeHolder('v', 'float32', [-2]), expected: errShape('shape', '-2') },
    { title: 'a dtype', run: (sd) => sd.placeHolder('v', 'float' as never, [1]), expected: errDtype('dtype', 'float') },
  ])('$title', ({ run, expected }) => {
    const { sd } = graph();
    const names = sd.variables().map((variable) => variable.name());
    expectError(() => run(sd), expected);
    expect(sd.variables().map((variable) => variable.name())).toEqual(names);
    expect(sd.getLossVariables().map((loss) => loss.name())).toEqual(['fit', 'penalty']);
  });

  test('are found by name, in their order', () => {
    const { sd, w, b, y } = graph();
    expect(sd.trainableVariables()).toEqual([w, b]);
    expect([sd.hasVariable('w'), sd.hasVariable('v'), sd.getVariable('y')]).toEqual([true, false, y]);
    expect(sd.variables().map(({ variableType }) => variableType)).toEqual(
      expect.arrayContaining(['PLACEHOLDER', 'ARRAY']),
    );
    expect(sd.nn.relu(w.sub(1.5)).eval().toArray()).toEqual([[0], [0.5]]);
  });

  test('keep the arrays they are given, and make plain numbers one', () => {
    const sd = SameDiff.create();
    const [data, array] = [Float32Array.of(1, 2), nd.array([3, 4])];
    const sum = sd
      .var('data', data)
      .add(sd.var('array', array))
      .add(sd.constant('list', [5, 6]));
    data[0] = 10;
    array.assign(20);
    expect(sum.eval().toArray()).toEqual([35, 28]);
    expect([sd.arrayOf('data').data, sd.arrayOf('array')]).toEqual([data, array]);
  });
});

const calls = {
  output: (sd: SameDiff, placeholders: object, ...names: string[]) => sd.output(placeholders as never, ...names),
  calculateGradients: (sd: SameDiff, placeholders: object, ...names: string[]) =>
    sd.calculateGradients(placeholders as never, ...names),
  calculateGradientsAndOutputs: (sd: SameDiff, placeholders: object, ...names: string[]) =>
    sd.calculateGradientsAndOutputs(placeholders as never, [], names),
};
const rows = Object.entries(calls).map(([method, call]) => ({ method, call }));

describe.each(rows)('$method', ({ call }) => {
  test.each<{ title: string; run: (sd: SameDiff) => unknown; expected: Expected }>([
    { title: 'an unknown name', run: (sd) => call(sd, { x }, 'v'), expected: errOption('variable', 'v') },
    { title: 'no name', run: (sd) => call(sd, { x }, undefined as never), expected: errOption('variable') },
    { title: 'no placeholders', run: (sd) => call(sd, undefined as never, 'w', 'y'), expected: errOption('x') },
    { title: 'null for them', run: (sd) => call(sd, null as never, 'y'), expected: errOption('placeholders', 'null') },
    { title: 'a number for them', run: (sd) => call(sd, 7 as never, 'y'), expected: errOption('placeholders', '7') },
    { title: 'a missing one', run: (sd) => call(sd, {}, 'y'), expected: errOption('x', 'placeholder', 'undefined') },
    { title: 'one of null', run: (sd) => call(sd, { x: null }, 'y'), expected: errDtype('x', 'null') },
    { title: 'a rank', run: (sd) => call(sd, { x: x.reshape(2) }, 'y'), expected: errShape('x', '[-1, 2]', '[2]') },
    { title: 'a size', run: (sd) => call(sd, { x: [[1, 2, 3]] }, 'y'), expected: errShape('x', '[-1, 2]', '[1, 3]') },
    { title: 'ragged rows', run: (sd) => call(sd, { x: [[1, 2], [3]] }, 'y'), expected: errShape('x') },
    { title: 'a dtype', run: (sd) => call(sd, { x: x.castTo('float32') }, 'y'), expected: errDtype('x', 'float64') },
    { title: 'a text', run: (sd) => call(sd, { x: 'x' }, 'y'), expected: errDtype('x') },
  ])('rejects $title', ({ run, expected }) => {
    const { sd } = graph();
    expectError(() => run(sd), expected);
  });

  test('takes what the graph does not need, and nothing for what is not needed', () => {
    const { sd } = graph();
    expect(Object.keys(call(sd, { x, more: [1] }, 'y'))).not.toEqual([]);
    expect(call(sd, { x })).toBeDefined();
  });
});

test('gradients of no loss, and outputs that are no list, are rejected', () => {
  const sd = SameDiff.create();
  sd.var('w', [1]);
  expectError(() => sd.calculateGradients({}, 'w'), errOption('loss', 'setLossVariables'));
  expectError(() => sd.calculateGradientsAndOutputs({}, ['w'], ['w']), errOption('loss', 'setLossVariables'));
  expectError(() => graph().sd.calculateGradientsAndOutputs({ x }, 'y' as never, ['w']), errOption('outputs', 'y'));
  expectError(() => graph().sd.calculateGradientsAndOutputs({ x }, ['y'], 'w' as never), errOption('gradients', 'w'));
});

test('the gradients are those of the sum of the losses', () => {
  const { sd } = graph();
  const gradients = sd.calculateGradients({ x }, 'w', 'b', 'x', 'y');
  // 2 y x + 2 w, 2 y, 2 y w, 2 y.
  expect(Object.entries(gradients).map(([name, array]) => [name, array.toArray()])).toEqual([
    ['w', [[14], [16]]],
    ['b', [12]],
    ['x', [[12, 24]]],
    ['y', [[12]]],
  ]);
  const both = sd.calculateGradientsAndOutputs({ x }, ['fit', 'y', 'penalty'], ['w', 'b']);
  expect(Object.entries(both.outputs).map(([name, array]) => [name, array.toArray()])).toEqual([
    ['fit', 36],
    ['y', [[6]]],
    ['penalty', 5],
  ]);
  expect(Object.keys(both.gradients)).toEqual(['w', 'b']);
  expect(values(both.gradients['w'] as NDArray)).toEqual([14, 16]);
});

test('a loss that does not depend on a variable leaves it a gradient of zeros', () => {
  const { sd } = graph();
  sd.setLossVariables('penalty');
  expect(sd.calculateGradients({ x }, 'x')['x']?.toArray()).toEqual([[0, 0]]);
});

test('other losses count from the next call on', () => {
  const { sd } = graph();
  const gradient = () => sd.calculateGradients({ x }, 'b')['b']?.toArray();
  expect(gradient()).toEqual([12]);
  sd.setLossVariables('penalty');
  expect(gradient()).toEqual([0]);
  sd.setLossVariables('y', 'y');
  expect(gradient()).toEqual([2]);
});

/** Arrays whose memory must not be one another's. */
function expectApart(arrays: readonly NDArray[]): void {
  const before = arrays.map((array) => values(array));
  arrays.forEach((array, i) => {
    array.assign(-(i + 1));
    arrays.forEach((other, j) => {
      if (j > i) expect(values(other)).toEqual(before[j]);
    });
  });
}

describe.each(['float32', 'float64'] as const)('results are arrays of their own, %s', (dtype) => {
  const make = () => {
    const sd = SameDiff.create();
    const a = sd.var(
      'a',
      nd.array(
        [
          [1, 2],
          [3, 4],
        ],
        dtype,
      ),
    );
    const b = sd.constant(
      'b',
      nd.array(
        [
          [5, 6],
          [7, 8],
        ],
        dtype,
      ),
    );
    const p = sd.placeHolder('p', dtype, [2, 2]);
    return { sd, a, b, p };
  };

  test.each<{ title: string; results: (graph: ReturnType<typeof make>, p: NDArray) => Record<string, NDArray> }>([
    { title: 'inputs', results: ({ sd }, p) => sd.output({ p }, 'a', 'b', 'p') },
    {
      title: 'inputs in other shapes',
      results: ({ sd, a, b, p }, array) => {
        for (const each of [a, b, p]) {
          each.reshape(`${each.name()} flat`, 4);
          each.transpose(`${each.name()} turned`);
        }
        return sd.output(
          { p: array },
          sd.variables().map((variable) => variable.name()),
        );
      },
    },
    {
      title: 'the same expression under two names',
      results: ({ sd, a, p }, array) => {
        a.add('one', p);
        a.add('two', p);
        a.add(p).reshape('flat', 4);
        a.add(p).transpose('turned');
        return sd.output({ p: array }, 'one', 'two', 'flat', 'turned');
      },
    },
    {
      title: 'sums under two names',
      results: ({ sd, a, p }, array) => {
        a.mul(p).sum('one');
        a.mul(p).sum('two');
        a.mul(p).sum('column', 0);
        a.mul(p).sum('again', 0);
        return sd.output({ p: array }, 'one', 'two', 'column', 'again');
      },
    },
    {
      title: 'products under two names',
      results: ({ sd, a, p }, array) => {
        a.mmul('one', p);
        a.mmul('two', p);
        return sd.output({ p: array }, 'one', 'two');
      },
    },
    {
      title: 'equal gradients',
      results: ({ sd, a, b, p }, array) => {
        sd.setLossVariables(a.add(b).add(p).square());
        return sd.calculateGradients({ p: array }, 'a', 'b', 'p');
      },
    },
    {
      title: 'a gradient that is an input',
      results: ({ sd, a, p }, array) => {
        sd.setLossVariables(a.mul(p));
        return sd.calculateGradients({ p: array }, 'a', 'p');
      },
    },
    {
      title: 'an output that is a gradient',
      results: ({ sd, a, p }, array) => {
        sd.setLossVariables(a.mul(p));
        a.mul('twice', 2).sum('number');
        const { outputs, gradients } = sd.calculateGradientsAndOutputs({ p: array }, ['a', 'p', 'twice'], ['a', 'p']);
        return { ...outputs, da: gradients['a'] as NDArray, dp: gradients['p'] as NDArray };
      },
    },
    {
      title: 'one name twice',
      results: ({ sd, a }, array) => {
        const first = sd.output({ p: array }, 'a');
        return { first: first['a'] as NDArray, second: a.eval({ p: array }) };
      },
    },
  ])('$title', ({ results }) => {
    const built = make();
    const p = nd.array(
      [
        [9, 10],
        [11, 12],
      ],
      dtype,
    );
    const found = Object.values(results(built, p));
    expect(found.length).toBeGreaterThan(1);
    expectApart([...found, built.sd.arrayOf('a'), built.sd.arrayOf('b'), p]);
  });

  test('those of an earlier run', () => {
    const { sd, a, p } = make();
    a.exp().mmul(p.add(1)).sum('s', 0);
    a.mul(p).sum('n');
    const run = (value: number) => sd.output({ p: nd.full([2, 2], value, dtype) }, 's', 'n', 'a');
    const first = run(1);
    const before = Object.values(first).map(values);
    run(2);
    expect(Object.values(first).map(values)).toEqual(before);
  });
});
