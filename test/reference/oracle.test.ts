// SPDX-License-Identifier: Apache-2.0
import { type ExactActivation, type ExactLoss, readCases } from '../support/golden';
import { oracleUnits } from '../support/tolerance';
import { activationNames, backward, evaluate, forward, lossNames } from './oracle';

const eps = 2 ** -53;

/** Elements further from the exact value than the oracle may be, as text. */
function errors(id: string, got: readonly number[], want: readonly number[], scale: (i: number) => number): string[] {
  if (got.length !== want.length) return [`${id}: ${got.length} values, expected ${want.length}`];
  return want.flatMap((w, i) => {
    const g = got[i] as number;
    const same = g === w || (Number.isNaN(g) && Number.isNaN(w));
    const unit = eps * Math.max(scale(i), Math.abs(w));
    if (same || Math.abs(g - w) <= oracleUnits * unit + 2 ** -1022) return [];
    return [`${id}[${i}]: ${g}, expected ${w}: ${Math.abs(g - w) / unit} units`];
  });
}

describe('the oracle agrees with the exact values', () => {
  const losses = readCases<ExactLoss>('exact/losses.jsonl');
  const activations = readCases<ExactActivation>('exact/activations.jsonl');

  test.each(lossNames)('%s', (loss) => {
    const bad = losses
      .filter((golden) => golden.loss === loss)
      .flatMap((golden) => {
        const { id, preOutput, scoreArray } = golden;
        const cols = preOutput.shape.length === 1 ? 1 : (preOutput.shape.at(-1) as number);
        const got = evaluate({
          ...golden,
          rows: preOutput.data.length / cols,
          cols,
          labels: golden.labels.data,
          preOutput: preOutput.data,
          mask: golden.mask?.data,
        });
        return [
          ...errors(`${id} score`, [got.score], [golden.score], () => golden.scoreScale),
          ...errors(`${id} gradient`, got.gradient, golden.gradient, (i) => golden.gradientScale[i] as number),
          ...(scoreArray === null
            ? []
            : errors(`${id} scoreArray`, got.scoreArray ?? [], scoreArray, (i) => golden.scoreArrayScale[i] as number)),
        ];
      });
    expect(bad).toEqual([]);
  });

  test.each(activationNames)('%s', (activation) => {
    const bad = activations
      .filter((golden) => golden.activation === activation)
      .flatMap((golden) => {
        const { id, activationParams, in: z, epsilon } = golden;
        const cols = z.shape.at(-1) as number;
        return [
          ...errors(
            `${id} f`,
            forward(activation, activationParams, cols, z.data),
            golden.forward,
            (i) => golden.forwardScale[i] as number,
          ),
          ...errors(
            `${id} df`,
            backward(activation, activationParams, cols, z.data, epsilon.data),
            golden.backprop,
            (i) => golden.backpropScale[i] as number,
          ),
        ];
      });
    expect(bad).toEqual([]);
  });
});
