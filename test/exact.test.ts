// SPDX-License-Identifier: Apache-2.0
// Every case of test/golden/exact, by the rule of its README.
import {
  exactActivations,
  exactLarge,
  exactLosses,
  type Measurement,
  measureActivation,
  measureLarge,
  measureLoss,
} from './support/exact';
import { groupBy } from './support/golden';
import { lossOf } from './support/library';
import { exactUnits } from './support/tolerance';

/** Measurements beyond the limit, as text. */
function beyond(limit: number, measurements: readonly Measurement[]): string[] {
  return measurements
    .filter(({ units }) => !(units <= limit))
    .map(({ id, field, units, worst }) => `${id} ${field}${worst}: ${units} units`);
}

describe('losses within 8 units of scale', () => {
  test.each(groupBy(exactLosses(), ({ loss, dtype }) => `${loss} ${dtype}`))('%s', (_, cases) => {
    expect(beyond(exactUnits, cases.flatMap(measureLoss))).toEqual([]);
  });
});

describe('activations within 8 units of scale', () => {
  test.each(groupBy(exactActivations(), ({ activation }) => activation))('%s', (_, cases) => {
    expect(beyond(exactUnits, cases.flatMap(measureActivation))).toEqual([]);
  });
});

describe('extremes, one at a time, within 8 units of scale', () => {
  const losses = exactLosses('exact/extremes');
  test.each(groupBy(losses, ({ loss }) => loss))('%s', (_, cases) => {
    expect(beyond(exactUnits, cases.flatMap(measureLoss))).toEqual([]);
  });

  test('activations', () => {
    expect(beyond(exactUnits, exactActivations('exact/extremes').flatMap(measureActivation))).toEqual([]);
  });
});

describe('sums over 1e5 elements', () => {
  test.each(exactLarge().map((golden) => [golden.id, golden] as const))('%s', (_, golden) => {
    expect(beyond(1, measureLarge(golden))).toEqual([]);
  });
});

test('F-measure has no score per row', () => {
  const call = () => lossOf('LossFMeasure').computeScoreArray([[1]], [[0.5]], 'IDENTITY');
  expect(call).toThrow(TypeError);
  expect(call).toThrow(expect.objectContaining({ code: 'ERR_OPTION' }));
});
