// SPDX-License-Identifier: Apache-2.0
// The activations of `sd.nn` beside those of the specification.
import type { SameDiff, SDVariable } from '../../lib';
import type { Params } from '../reference/oracle';

/** A method of `sd.nn`, the specification's activation, and the places where its slope jumps. */
export interface NnRow {
  readonly method: string;
  readonly of: (sd: SameDiff, x: SDVariable) => SDVariable;
  readonly activation: string;
  readonly params?: Params;
  readonly kinks?: readonly number[];
}

const alpha = [0.25, -0.5, 0, 1.5];

export const nnRows: readonly NnRow[] = [
  { method: 'cube', of: (sd, x) => sd.nn.cube(x), activation: 'CUBE' },
  { method: 'elu', of: (sd, x) => sd.nn.elu(x), activation: 'ELU', kinks: [0] },
  { method: 'elu(0.5)', of: (sd, x) => sd.nn.elu(x, 0.5), activation: 'ELU', params: { alpha: 0.5 }, kinks: [0] },
  { method: 'gelu', of: (sd, x) => sd.nn.gelu(x), activation: 'GELU' },
  { method: 'preciseGelu', of: (sd, x) => sd.nn.preciseGelu(x), activation: 'GELU', params: { precise: true } },
  { method: 'hardSigmoid', of: (sd, x) => sd.nn.hardSigmoid(x), activation: 'HARDSIGMOID', kinks: [-2.5, 2.5] },
  { method: 'hardTanh', of: (sd, x) => sd.nn.hardTanh(x), activation: 'HARDTANH', kinks: [-1, 1] },
  { method: 'identity', of: (sd, x) => sd.nn.identity(x), activation: 'IDENTITY' },
  { method: 'leakyRelu', of: (sd, x) => sd.nn.leakyRelu(x), activation: 'LEAKYRELU', kinks: [0] },
  {
    method: 'leakyRelu(0.2)',
    of: (sd, x) => sd.nn.leakyRelu(x, 0.2),
    activation: 'LEAKYRELU',
    params: { alpha: 0.2 },
    kinks: [0],
  },
  { method: 'mish', of: (sd, x) => sd.nn.mish(x), activation: 'MISH' },
  {
    method: 'prelu',
    of: (sd, x) => sd.nn.prelu(x, sd.constant(alpha)),
    activation: 'PRELU',
    params: { alpha },
    kinks: [0],
  },
  { method: 'rationalTanh', of: (sd, x) => sd.nn.rationalTanh(x), activation: 'RATIONALTANH' },
  { method: 'rectifiedTanh', of: (sd, x) => sd.nn.rectifiedTanh(x), activation: 'RECTIFIEDTANH', kinks: [0] },
  { method: 'relu', of: (sd, x) => sd.nn.relu(x), activation: 'RELU', kinks: [0] },
  {
    method: 'relu({ max, threshold, negativeSlope })',
    of: (sd, x) => sd.nn.relu(x, { max: 1.5, threshold: 0.25, negativeSlope: 0.125 }),
    activation: 'RELU',
    params: { max: 1.5, threshold: 0.25, negativeSlope: 0.125 },
    kinks: [0.25, 1.5],
  },
  { method: 'relu6', of: (sd, x) => sd.nn.relu6(x), activation: 'RELU6', kinks: [0, 6] },
  { method: 'rrelu', of: (sd, x) => sd.nn.rrelu(x), activation: 'RRELU', kinks: [0] },
  {
    method: 'rrelu(0.25, 0.5)',
    of: (sd, x) => sd.nn.rrelu(x, 0.25, 0.5),
    activation: 'RRELU',
    params: { l: 0.25, u: 0.5 },
    kinks: [0],
  },
  { method: 'selu', of: (sd, x) => sd.nn.selu(x), activation: 'SELU', kinks: [0] },
  { method: 'sigmoid', of: (sd, x) => sd.nn.sigmoid(x), activation: 'SIGMOID' },
  { method: 'softmax', of: (sd, x) => sd.nn.softmax(x), activation: 'SOFTMAX' },
  { method: 'softplus', of: (sd, x) => sd.nn.softplus(x), activation: 'SOFTPLUS' },
  { method: 'softsign', of: (sd, x) => sd.nn.softsign(x), activation: 'SOFTSIGN' },
  { method: 'swish', of: (sd, x) => sd.nn.swish(x), activation: 'SWISH' },
  { method: 'tanh', of: (sd, x) => sd.nn.tanh(x), activation: 'TANH' },
  { method: 'thresholdRelu', of: (sd, x) => sd.nn.thresholdRelu(x), activation: 'THRESHOLDEDRELU', kinks: [1] },
  {
    method: 'thresholdRelu(0.25)',
    of: (sd, x) => sd.nn.thresholdRelu(x, 0.25),
    activation: 'THRESHOLDEDRELU',
    params: { theta: 0.25 },
    kinks: [0.25],
  },
];
