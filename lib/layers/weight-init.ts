// SPDX-License-Identifier: Apache-2.0
import type { Shape } from '../array-input';
import { optionError, shapeError } from '../errors';
import { nd, type RandomOptions } from '../ndarray/nd';
import type { NDArray } from '../ndarray/ndarray';

/**
 * How the weights `[nIn, nOut]` of a layer begin.
 *
 * Formula: XAVIER `N(0, 2 / (nIn + nOut))`, RELU `N(0, 2 / nIn)`, NORMAL `N(0, 1 / nIn)` (mean, variance), UNIFORM
 * `U(-1 / sqrt(nIn), 1 / sqrt(nIn))`, ZERO `0`.
 *
 * @example
 * ```ts
 * import { WeightInit } from 'simdloss';
 * WeightInit.XAVIER; // 'XAVIER'
 * ```
 * @see DL4J `org.deeplearning4j.nn.weights.WeightInit`; Glorot & Bengio 2010; He et al. 2015
 */
export const WeightInit = {
  XAVIER: 'XAVIER',
  RELU: 'RELU',
  ZERO: 'ZERO',
  NORMAL: 'NORMAL',
  UNIFORM: 'UNIFORM',
} as const;

/** One of the names of `WeightInit`. */
export type WeightInit = (typeof WeightInit)[keyof typeof WeightInit];

/** One of the names, checked. */
export function readWeightInit(name: string, init: unknown): WeightInit {
  if (typeof init === 'string' && Object.hasOwn(WeightInit, init)) return init as WeightInit;
  throw optionError(name, `one of ${Object.keys(WeightInit).join(', ')}`, init);
}

/** Fresh weights: of a matrix `[nIn, nOut]`; zeros of any shape. */
export function initialWeights(init: WeightInit, shape: Shape, options?: RandomOptions): NDArray {
  // Drawn all the same: so its arguments are checked.
  if (init === 'ZERO') return nd.rand(shape, options).assign(0);
  if (!Array.isArray(shape) || shape.length !== 2) throw shapeError('shape', '[nIn, nOut]', shape);
  const [nIn, nOut] = shape as [number, number];
  const normal = (variance: number) => nd.randn(shape, options).muli(Math.sqrt(variance));
  switch (init) {
    case 'XAVIER':
      return normal(2 / (nIn + nOut));
    case 'RELU':
      return normal(2 / nIn);
    case 'NORMAL':
      return normal(1 / nIn);
    case 'UNIFORM':
      return nd
        .rand(shape, options)
        .muli(2)
        .subi(1)
        .muli(1 / Math.sqrt(nIn));
  }
}
