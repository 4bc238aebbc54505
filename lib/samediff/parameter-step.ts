// SPDX-License-Identifier: Apache-2.0
// The step of one parameter: penalties and the updater's formula, as expressions of a graph of its own.
import { allocateData, repeatsElements } from '../array-input';
import { bufferError, describe, optionError, shapeError } from '../errors';
import { allocateArray, NDArray } from '../ndarray/ndarray';
import { SameDiff } from './samediff';
import type { Session } from './session';
import { isSame } from './shapes';
import type { TrainingConfig } from './training-config';
import type { SDVariable } from './variable';

/** What is added to the losses for each parameter, so that it stays small. */
interface Penalty {
  /** As ND4J calls it. */
  readonly name: string;
  readonly coefficient: 'l1' | 'l2' | 'weightDecay';
  readonly score: (w: SDVariable) => SDVariable;
}

const PENALTIES: readonly Penalty[] = [
  { name: 'L1Regularization', coefficient: 'l1', score: (w) => w.norm1() },
  { name: 'L2Regularization', coefficient: 'l2', score: (w) => w.square().sum().mul(0.5) },
  { name: 'WeightDecay', coefficient: 'weightDecay', score: (w) => w.square().sum().mul(0.5) },
];

/** Those that count. */
export function penaltiesOf(config: TrainingConfig): readonly Penalty[] {
  return PENALTIES.filter(({ coefficient }) => config[coefficient] > 0);
}

/** The step of one parameter, with the arrays it takes: the gradient, the rate, and what the updater keeps. */
export class ParameterStep {
  readonly gradient: NDArray;
  private readonly rate: NDArray;
  private readonly session: Session;
  private readonly outs: readonly NDArray[];
  private readonly penaltySession: Session;
  private readonly scores: readonly NDArray[];

  constructor(name: string, parameter: NDArray, config: TrainingConfig) {
    const { dtype, shape, strides } = parameter;
    if (repeatsElements(shape, strides)) {
      throw bufferError(name, 'a parameter whose elements have memory of their own', `strides [${strides}]`);
    }
    this.gradient = allocateArray(dtype, shape);
    this.rate = new NDArray(allocateData(dtype, 1, 'rate'), []);
    const { updater } = config;
    const arrays = Array.from({ length: updater.stateSize }, () => allocateArray(dtype, shape));
    const sd = SameDiff.create();
    const w = sd.var('parameter', parameter);
    const state = arrays.map((array, i) => sd.var(`state${i}`, array));
    const penalties = penaltiesOf(config).map(({ coefficient, score }) => ({
      isDecay: coefficient === 'weightDecay',
      score: score(w).mul(config[coefficient]),
    }));
    const withSlopes = (to: SDVariable, isDecay: boolean, factor: number): SDVariable =>
      penalties
        .filter((penalty) => penalty.isDecay === isDecay)
        .reduce((sum, { score }) => sum.add(score.gradient(w).mul(factor)), to);
    const gradient = sd.var('gradient', this.gradient);
    const results: unknown = updater.applyUpdater(
      withSlopes(config.minimize ? gradient : gradient.neg(), false, 1),
      sd.var('rate', this.rate),
      ...state,
    );
    if (!Array.isArray(results) || results.length !== 1 + state.length) {
      throw optionError('updater', `a list of the step and ${state.length} arrays of state`, results);
    }
    const { graph } = sd;
    const [step, ...next] = results.map((result) => {
      const node = sd.nodeOf(result);
      if (isSame(graph.broadcast('updater', [node, w.node]), shape))
        return sd.make(undefined, graph.broadcastLike(node, w.node));
      throw shapeError('updater', `results of shape ${describe(shape)}`, node.shape);
    });
    const decayRate = config.applyLearningRate ? (updater.learningRate ?? 1) : 1;
    const moved = w.sub(withSlopes(step as SDVariable, true, decayRate));
    this.session = sd.sessionOf([moved, ...next].map(({ node }) => node));
    this.outs = [parameter, ...arrays];
    this.scores = penalties.map(() => allocateArray('float64', []));
    this.penaltySession = sd.sessionOf(penalties.map(({ score }) => score.node));
  }

  /** What the parameter adds to the losses, for each penalty. */
  penalties(): number[] {
    if (this.scores.length === 0) return [];
    return this.penaltySession.run({}, this.scores).map((score) => score.getDouble(0));
  }

  /** Moves the parameter along the gradient. */
  run(rate: number): void {
    this.rate.assign(rate);
    this.session.run({}, this.outs);
  }
}
