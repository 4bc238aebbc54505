// SPDX-License-Identifier: Apache-2.0
// Every case of test/golden/nd4j but the fields that its faults.jsonl names: there the specification differs on purpose.
import { Activation, NDArray, OutputLayer } from '../lib';
import {
  type FloatDtype,
  groupBy,
  type Nd4jActivation,
  type Nd4jLayer,
  type Nd4jLoss,
  readCases,
  readFaults,
} from './support/golden';
import { activationOf, array, floats, lossClasses, lossOf, values } from './support/library';
import { mismatches, nd4j, nd4jFloat32Constants, type Tolerance } from './support/tolerance';

const faults = readFaults();
const float32Constants = new Set(['GELU', 'HARDSIGMOID', 'RATIONALTANH', 'LEAKYRELU']);

function toleranceFor(dtype: FloatDtype, activation: string): Tolerance {
  return dtype === 'float64' && float32Constants.has(activation) ? nd4jFloat32Constants : nd4j[dtype];
}

/** Compares the fields of a case that ND4J computes as specified. */
function compare(
  { id, dtype, activation }: { readonly id: string; readonly dtype: FloatDtype; readonly activation: string },
  fields: Readonly<
    Record<string, readonly [want: readonly number[] | number | null, got: () => readonly number[] | number]>
  >,
): string[] {
  const tolerance = toleranceFor(dtype, activation);
  const faulty = faults.get(id) ?? {};
  return Object.entries(fields).flatMap(([field, [want, got]]) => {
    if (field in faulty) return [];
    if (want === null) return [`${id} ${field}: ND4J threw, and faults.jsonl does not say so`];
    return mismatches(`${id} ${field}`, [got()].flat(), [want].flat(), tolerance);
  });
}

/** Losses that couple a row take no mask per output. */
const rowCoupled = new Set(['LossCosineProximity', 'LossMultiLabel', 'LossMixtureDensity', 'LossFMeasure']);

function checkLoss(golden: Nd4jLoss): string[] {
  const { dtype, labelsDtype } = golden;
  const loss = lossOf(golden.loss, golden.lossParams, golden.weights);
  const activation = activationOf(golden.activation, golden.activationParams);
  const labels =
    labelsDtype === undefined
      ? array(dtype, golden.labels)
      : new NDArray(Int32Array.from(golden.labels.data), golden.labels.shape);
  const z = array(dtype, golden.preOutput);
  const mask = golden.mask && array(dtype, golden.mask);
  const perOutput = mask !== null && mask.size(1) > 1;
  if (rowCoupled.has(golden.loss) && perOutput) {
    expect(() => loss.computeScore(labels, z, activation, mask)).toThrow(
      expect.objectContaining({ code: 'ERR_SHAPE' }),
    );
    expect(() => loss.computeGradient(labels, z, activation, mask)).toThrow(
      expect.objectContaining({ code: 'ERR_SHAPE' }),
    );
    return [];
  }
  const both = loss.computeGradientAndScore(labels, z, activation, mask, true);
  return [
    ...compare(golden, {
      score: [golden.score, () => loss.computeScore(labels, z, activation, mask)],
      scoreAverage: [golden.scoreAverage, () => both.score],
      gradient: [golden.gradient, () => values(both.gradient)],
    }),
    ...(golden.loss === 'LossFMeasure'
      ? []
      : compare(golden, {
          scoreArray: [golden.scoreArray, () => values(loss.computeScoreArray(labels, z, activation, mask))],
        })),
  ];
}

describe.each(Object.keys(lossClasses))('%s', (name) => {
  const cases = readCases<Nd4jLoss>(`nd4j/${name}.jsonl`);

  test.each(groupBy(cases, ({ activation, dtype }) => `${activation} ${dtype}`))('%s', (_, group) => {
    expect(group.flatMap(checkLoss)).toEqual([]);
  });
});

describe('activations', () => {
  const cases = readCases<Nd4jActivation>('nd4j/activations.jsonl');

  test.each(groupBy(cases, ({ activation }) => activation))('%s', (_, group) => {
    const bad = group.flatMap((golden) => {
      const { dtype, input, epsilon, parameterGradient } = golden;
      const activation = activationOf(golden.activation, golden.activationParams);
      const z = array(dtype, input);
      const [dz, dparams] = activation.backprop(z, array(dtype, { shape: input.shape, data: epsilon }));
      return [
        ...compare(golden, {
          forward: [golden.forward, () => values(activation.getActivation(z.dup(), false))],
          backprop: [golden.backprop, () => values(dz)],
        }),
        ...(parameterGradient === null
          ? []
          : compare(golden, {
              parameterGradient: [parameterGradient.data, () => (dparams === null ? [] : values(dparams))],
            })),
      ];
    });
    expect(bad).toEqual([]);
  });
});

describe('OutputLayer', () => {
  const cases = readCases<Nd4jLayer>('nd4j/outputlayer.jsonl');

  test.each(groupBy(cases, ({ loss, activation, dtype }) => `${loss} ${activation} ${dtype}`))('%s', (_, group) => {
    const bad = group.flatMap((golden) => {
      const { dtype } = golden;
      const [nIn, nOut] = golden.W.shape as [number, number];
      const layer = new OutputLayer.Builder(lossOf(golden.loss))
        .nIn(nIn)
        .nOut(nOut)
        .activation(Activation.fromString(golden.activation))
        .dataType(dtype)
        .build();
      layer.W = array(dtype, golden.W);
      layer.b = new NDArray(floats(dtype, golden.b), [nOut]);
      const x = array(dtype, golden.input);
      const mask = golden.mask && array(dtype, golden.mask);
      const result = layer.computeGradientAndScore(x, array(dtype, golden.labels), mask);
      return compare(golden, {
        output: [golden.output, () => values(layer.activate(x))],
        score: [golden.score, () => result.score],
        gradientW: [golden.gradientW.data, () => values(result.gradientW)],
        gradientB: [golden.gradientB.data, () => values(result.gradientB)],
        epsilon: [golden.epsilon.data, () => values(result.epsilon)],
      });
    });
    expect(bad).toEqual([]);
  });
});
