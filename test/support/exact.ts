// SPDX-License-Identifier: Apache-2.0
// Errors over golden/exact in units of `eps * scale`: what the tests bound and scripts/accuracy.mjs tabulates.
import { type ExactActivation, type ExactLarge, type ExactLoss, expand, type FloatDtype, readCases } from './golden';
import { activationOf, array, floats, lossOf, values } from './library';
import { largeSum } from './tolerance';

/** The error of one field of one case. */
export interface Measurement {
  readonly id: string;
  /** Loss or activation. */
  readonly subject: string;
  readonly dtype: FloatDtype;
  readonly field: string;
  /** The worst element's error in units of `eps * scale`; Infinity for a wrong NaN or infinity. */
  readonly units: number;
  /** The worst element. */
  readonly worst: string;
  /** Elements of which something is claimed. */
  readonly count: number;
}

const eps = { float32: 2 ** -24, float64: 2 ** -53 } as const;
/** Results below the smallest normal number may be flushed to 0. */
const tiny = { float32: 2 ** -126, float64: 2 ** -1022 } as const;

/** A scale of NaN: nothing is claimed. */
function unitsOf(got: number, want: number, scale: number, dtype: FloatDtype): number {
  if (got === want || Number.isNaN(scale) || (Number.isNaN(got) && Number.isNaN(want))) return 0;
  const error = Math.abs(got - want) - tiny[dtype];
  if (error <= 0) return 0;
  return Number.isFinite(error) ? error / (eps[dtype] * Math.max(scale, Math.abs(want))) : Infinity;
}

interface Subject {
  readonly id: string;
  readonly dtype: FloatDtype;
}

function measure(
  subject: string,
  { id, dtype }: Subject,
  field: string,
  got: readonly number[],
  want: readonly number[],
  scale: (i: number) => number,
): Measurement {
  let units = got.length === want.length ? 0 : Infinity;
  let worst = got.length === want.length ? '' : `${got.length} values, expected ${want.length}`;
  for (let i = 0; i < want.length && got.length === want.length; i++) {
    const here = unitsOf(got[i] as number, want[i] as number, scale(i), dtype);
    if (!(here > units)) continue;
    units = here;
    worst = `[${i}] ${got[i]}, expected ${want[i]} (scale ${scale(i)})`;
  }
  const count = want.filter((_, i) => !Number.isNaN(scale(i))).length;
  return { id, subject, dtype, field, units, worst, count };
}

const item = (list: readonly number[]) => (i: number) => list[i] as number;
/** A score is a float64 number; arrays are compared in their own dtype. */
const rounded = (dtype: FloatDtype, list: readonly number[]) => Array.from(floats(dtype, list));

/** The errors of one case of losses.jsonl: score, average, score per row, gradient, and both at once. */
export function measureLoss(golden: ExactLoss): Measurement[] {
  const { loss: name, dtype, scoreArray } = golden;
  const loss = lossOf(name, golden.lossParams, golden.weights);
  const activation = activationOf(golden.activation, golden.activationParams);
  const labels = array(dtype, golden.labels);
  const z = array(dtype, golden.preOutput);
  const mask = golden.mask && array(dtype, golden.mask);
  const rows = golden.preOutput.shape.length === 1 ? z.length : z.length / z.size(z.rank - 1);
  const of = (field: string, got: readonly number[], want: readonly number[], scale: (i: number) => number) =>
    measure(name, golden, field, got, want, scale);

  const both = loss.computeGradientAndScore(labels, z, activation, mask, true);
  const wantGradient = rounded(dtype, golden.gradient);
  const result = [
    of('score', [loss.computeScore(labels, z, activation, mask)], [golden.score], () => golden.scoreScale),
    // F-measure's average is its score.
    of('scoreAverage', [both.score], [golden.scoreAverage], () => golden.scoreScale / (scoreArray === null ? 1 : rows)),
    of('gradient', values(loss.computeGradient(labels, z, activation, mask)), wantGradient, item(golden.gradientScale)),
    of('gradientAndScore', values(both.gradient), wantGradient, item(golden.gradientScale)),
  ];
  if (scoreArray === null) return result;
  const scores = values(loss.computeScoreArray(labels, z, activation, mask));
  return [...result, of('scoreArray', scores, rounded(dtype, scoreArray), item(golden.scoreArrayScale))];
}

/** The errors of one case of activations.jsonl: in place, out of place, and backprop with the parameters' gradient. */
export function measureActivation(golden: ExactActivation): Measurement[] {
  const { activation: name, dtype, parameterGradient } = golden;
  const activation = activationOf(name, golden.activationParams);
  const z = array(dtype, golden.in);
  const [dz, dparams] = activation.backprop(z, array(dtype, golden.epsilon));
  const forward = values(activation.getActivation(z.dup(), false));
  const result = [
    measure(name, golden, 'forward', forward, rounded(dtype, golden.forward), item(golden.forwardScale)),
    measure(name, golden, 'backprop', values(dz), rounded(dtype, golden.backprop), item(golden.backpropScale)),
  ];
  if (parameterGradient === undefined) return result;
  const largest = Math.max(...parameterGradient.map(Math.abs));
  const got = dparams === null ? [] : values(dparams);
  return [...result, measure(name, golden, 'parameterGradient', got, rounded(dtype, parameterGradient), () => largest)];
}

/** The errors of one case of large.jsonl, in units of what it allows: score, average and the gradient's checksums. */
export function measureLarge(golden: ExactLarge): Measurement[] {
  const { loss: name, dtype, gradientChecksum: checksum } = golden;
  const loss = lossOf(name, golden.lossParams, golden.weights);
  const activation = activationOf(golden.activation, golden.activationParams);
  const labels = array(dtype, expand(golden.labels));
  const z = array(dtype, expand(golden.preOutput));
  const mask = golden.mask && array(dtype, expand(golden.mask));
  const { score, gradient } = loss.computeGradientAndScore(labels, z, activation, mask);
  let [sum, sumAbs, weighted] = [0, 0, 0];
  values(gradient).forEach((g, i) => {
    sum += g;
    sumAbs += Math.abs(g);
    weighted += g * (1 + (i % 7));
  });
  const of = (field: string, got: number, want: number, scale: number): Measurement => {
    const units = Math.abs(got - want) / (largeSum[dtype].relative * scale);
    const worst = `${got}, expected ${want}`;
    return {
      id: golden.id,
      subject: name,
      dtype,
      field,
      units: Number.isNaN(units) ? Infinity : units,
      worst,
      count: 1,
    };
  };
  const average = loss.computeScore(labels, z, activation, mask, true);
  return [
    of('score', score, golden.score, Math.abs(golden.score)),
    of('scoreAverage', average, golden.scoreAverage, Math.abs(golden.scoreAverage)),
    of('gradient sum', sum, checksum.sum, checksum.sumAbs),
    of('gradient sumAbs', sumAbs, checksum.sumAbs, checksum.sumAbs),
    of('gradient weighted', weighted, checksum.weighted, 7 * checksum.sumAbs),
  ];
}

/** The cases of the three files; of another folder for cases beyond the golden ones. */
export const exactLosses = (folder = 'exact') => readCases<ExactLoss>(`${folder}/losses.jsonl`);
export const exactActivations = (folder = 'exact') => readCases<ExactActivation>(`${folder}/activations.jsonl`);
export const exactLarge = (folder = 'exact') => readCases<ExactLarge>(`${folder}/large.jsonl`);
