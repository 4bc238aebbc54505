// SPDX-License-Identifier: Apache-2.0
import * as lib from '../../lib';

const table = [
  { name: 'MSE', Class: lib.LossMSE },
  { name: 'L1', Class: lib.LossL1 },
  { name: 'XENT', Class: lib.LossBinaryXENT },
  { name: 'MCXENT', Class: lib.LossMCXENT },
  { name: 'SPARSE_MCXENT', Class: lib.LossSparseMCXENT },
  { name: 'SQUARED_LOSS', Class: lib.LossMSE },
  { name: 'RECONSTRUCTION_CROSSENTROPY', Class: lib.LossKLD },
  { name: 'NEGATIVELOGLIKELIHOOD', Class: lib.LossNegativeLogLikelihood },
  { name: 'COSINE_PROXIMITY', Class: lib.LossCosineProximity },
  { name: 'HINGE', Class: lib.LossHinge },
  { name: 'SQUARED_HINGE', Class: lib.LossSquaredHinge },
  { name: 'KL_DIVERGENCE', Class: lib.LossKLD },
  { name: 'MEAN_ABSOLUTE_ERROR', Class: lib.LossMAE },
  { name: 'L2', Class: lib.LossL2 },
  { name: 'MEAN_ABSOLUTE_PERCENTAGE_ERROR', Class: lib.LossMAPE },
  { name: 'MEAN_SQUARED_LOGARITHMIC_ERROR', Class: lib.LossMSLE },
  { name: 'POISSON', Class: lib.LossPoisson },
  { name: 'WASSERSTEIN', Class: lib.LossWasserstein },
] as const;

test('has the values of ND4J, in its order', () => {
  expect(lib.LossFunction.values().map(String)).toEqual(table.map(({ name }) => name));
});

test.each(table)('$name', ({ name, Class }) => {
  const value = lib.LossFunction[name];
  expect([value.name(), String(value)]).toEqual([name, name]);
  expect(value.getILossFunction()).toBeInstanceOf(Class);
  expect(value.getILossFunction()).not.toBe(value.getILossFunction());
});
