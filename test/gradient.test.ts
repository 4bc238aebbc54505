// SPDX-License-Identifier: Apache-2.0
// Every loss x activation x mask x weights x dtype: the gradient is the derivative of the score.
import { evaluate, type Problem } from './reference/oracle';
import { values } from './support/library';
import { activationRows, callFor, type LossRow, lossRows, makeProblem, masksFor, title } from './support/problems';
import { Random } from './support/random';
import { slopeOf } from './support/slopes';
import { againstOracle, differences, mismatches } from './support/tolerance';

/** The part of a problem whose score an element of row `i` moves: the row, or the batch. */
function partAround(problem: Problem, i: number): { part: Problem; first: number } {
  const { rows, cols, labels, preOutput, mask } = problem;
  if (problem.loss === 'LossFMeasure') return { part: problem, first: 0 };
  const slice = (list: readonly number[]) => list.slice((i * list.length) / rows, ((i + 1) * list.length) / rows);
  const part = { ...problem, rows: 1, labels: slice(labels), preOutput: slice(preOutput), mask: mask && slice(mask) };
  return { part, first: i * cols };
}

/** dL/dz by five-point differences of the oracle's score. */
function differentiate(problem: Problem): number[] {
  return problem.preOutput.map((z, i) => {
    const { part, first } = partAround(problem, Math.floor(i / problem.cols));
    return slopeOf((move) => {
      const preOutput = [...part.preOutput];
      preOutput[i - first] = z + move;
      return evaluate({ ...part, preOutput }).score;
    });
  });
}

function check(problem: Problem): string[] {
  const [single, double] = [callFor(problem, 'float32'), callFor(problem, 'float64')];
  const want = double.loss.computeGradientAndScore(double.labels, double.z, double.activation, double.mask);
  const got = single.loss.computeGradientAndScore(single.labels, single.z, single.activation, single.mask);
  const gradient = values(want.gradient);
  return [
    ...mismatches('float64 gradient', gradient, differentiate(problem), differences),
    ...mismatches('float64 score', [want.score], [evaluate(problem).score], againstOracle.float64),
    ...mismatches('float32 gradient', values(got.gradient), gradient, againstOracle.float32),
    ...mismatches('float32 score', [got.score], [want.score], againstOracle.float32),
  ];
}

describe.each(lossRows.map((row): [string, LossRow] => [title(row.loss, row.params), row]))('%s', (_, loss) => {
  test.each(activationRows.map((row) => [title(row.activation, row.params), row] as const))(
    '%s',
    (name, activation) => {
      const bad = masksFor(loss).flatMap((mask) =>
        (loss.weighted ? [false, true] : [false]).flatMap((weighted) => {
          const random = new Random(`${loss.loss} ${name} ${mask} ${weighted}`);
          const problem = makeProblem(loss, activation, random, { rows: 2, width: 4, mask, weighted });
          return check(problem).map((text) => `mask ${mask}, weights ${weighted}: ${text}`);
        }),
      );
      expect(bad).toEqual([]);
    },
  );
});
