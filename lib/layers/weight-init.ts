// SPDX-License-Identifier: Apache-2.0
import { nd } from '../ndarray/nd';
import type { NDArray } from '../ndarray/ndarray';
import type { FloatDtype } from '../outputs';

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

/** Fresh weights. */
export function initialWeights(init: WeightInit, nIn: number, nOut: number, seed: number, dtype: FloatDtype): NDArray {
  const shape = [nIn, nOut];
  const normal = (variance: number) => nd.randn(shape, { seed, dtype }).muli(Math.sqrt(variance));
  switch (init) {
    case 'XAVIER':
      return normal(2 / (nIn + nOut));
    case 'RELU':
      return normal(2 / nIn);
    case 'NORMAL':
      return normal(1 / nIn);
    case 'UNIFORM':
      return nd
        .rand(shape, { seed, dtype })
        .muli(2)
        .subi(1)
        .muli(1 / Math.sqrt(nIn));
    case 'ZERO':
      return nd.zeros(shape, dtype);
  }
}
