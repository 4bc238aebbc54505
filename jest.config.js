// SPDX-License-Identifier: Apache-2.0
/** @type {import('jest').Config} */
module.exports = {
  testEnvironment: 'node',
  roots: ['<rootDir>/test'],
  testMatch: ['**/*.test.ts'],
  modulePathIgnorePatterns: ['<rootDir>/test/golden/'],
  moduleNameMapper: { '^simdloss$': '<rootDir>/lib/index.ts', '^simdloss/testing$': '<rootDir>/lib/testing/index.ts' },
  transform: { '\\.ts$': ['@swc/jest', { jsc: { target: 'es2022', parser: { syntax: 'typescript' } } }] },
  collectCoverageFrom: ['<rootDir>/lib/**/*.ts'],
  testTimeout: 120_000,
};
