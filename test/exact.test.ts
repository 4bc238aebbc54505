// SPDX-License-Identifier: Apache-2.0
// Every case of test/golden/exact, by the rule of its README.
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { simd } from '../lib';
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

/** Measurements above what docs/accuracy.md says of the target, which has no column of some. */
function aboveDocumented(measurements: readonly Measurement[]): string[] {
  const lines = readFileSync(path.join(__dirname, '..', 'docs', 'accuracy.md'), 'utf8').split('\n');
  const cellsOf = (line = ''): string[] => line.split('|').map((cell) => cell.trim());
  return groupBy(measurements, ({ subject, dtype }) => `${subject} ${dtype}`).flatMap(([title, group]) => {
    const [subject, dtype] = title.split(' ') as [string, string];
    const row = lines.findIndex((line) => line.startsWith(`| ${subject} |`));
    const head = lines.findLastIndex((line, i) => i < row && /^\| (loss|activation) \|/.test(line));
    const column = cellsOf(lines[head]).indexOf(`${dtype} ${simd.target}`);
    const documented = Number(cellsOf(lines[row])[column] ?? Infinity);
    return beyond(documented + 0.005, group);
  });
}

test('losses and activations no worse than docs/accuracy.md says', () => {
  expect(aboveDocumented(exactLosses().flatMap(measureLoss))).toEqual([]);
  expect(aboveDocumented(exactActivations().flatMap(measureActivation))).toEqual([]);
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
