// SPDX-License-Identifier: Apache-2.0
import { Activation } from '../../lib';
import { errOption, expectError } from '../support/errors';
import { activationClasses } from '../support/library';

const names = [
  'CUBE',
  'ELU',
  'HARDSIGMOID',
  'HARDTANH',
  'IDENTITY',
  'LEAKYRELU',
  'RATIONALTANH',
  'RELU',
  'RELU6',
  'RRELU',
  'SIGMOID',
  'SOFTMAX',
  'SOFTPLUS',
  'SOFTSIGN',
  'TANH',
  'RECTIFIEDTANH',
  'SELU',
  'SWISH',
  'THRESHOLDEDRELU',
  'GELU',
  'MISH',
] as const;

test('rejects names that are none', () => {
  for (const name of ['', 'softmx', 'PRELU', 'values'])
    expectError(() => Activation.fromString(name), errOption('activation', 'SOFTMAX'));
  expectError(() => Activation.fromString(undefined as never), errOption('activation', 'undefined'));
});

test('has the values of ND4J, in its order', () => {
  expect(Activation.values().map(String)).toEqual(names);
});

test.each(names)('%s', (name) => {
  const value = Activation[name];
  expect([Activation.fromString(name), Activation.fromString(name.toLowerCase())]).toEqual([value, value]);
  expect([value.name(), String(value)]).toEqual([name, name]);
  expect(value.getActivationFunction()).toBeInstanceOf(activationClasses[name]);
  expect(value.getActivationFunction()).not.toBe(value.getActivationFunction());
});
