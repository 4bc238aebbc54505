// SPDX-License-Identifier: Apache-2.0
// The library's objects from the names and plain lists that cases and tables hold.

import type { IActivation, ILossFunction, NDArray } from '../../lib';
import * as lib from '../../lib';
import type { Params } from '../reference/oracle';
import type { FloatDtype, Tensor } from './golden';

/** Every activation's class by its name in the cases. */
export const activationClasses = {
  CUBE: lib.ActivationCube,
  ELU: lib.ActivationELU,
  GELU: lib.ActivationGELU,
  HARDSIGMOID: lib.ActivationHardSigmoid,
  HARDTANH: lib.ActivationHardTanH,
  IDENTITY: lib.ActivationIdentity,
  LEAKYRELU: lib.ActivationLReLU,
  MISH: lib.ActivationMish,
  PRELU: lib.ActivationPReLU,
  RATIONALTANH: lib.ActivationRationalTanh,
  RECTIFIEDTANH: lib.ActivationRectifiedTanh,
  RELU: lib.ActivationReLU,
  RELU6: lib.ActivationReLU6,
  RRELU: lib.ActivationRReLU,
  SELU: lib.ActivationSELU,
  SIGMOID: lib.ActivationSigmoid,
  SOFTMAX: lib.ActivationSoftmax,
  SOFTPLUS: lib.ActivationSoftPlus,
  SOFTSIGN: lib.ActivationSoftSign,
  SWISH: lib.ActivationSwish,
  TANH: lib.ActivationTanH,
  THRESHOLDEDRELU: lib.ActivationThresholdedReLU,
} as const;

/** Every loss's class by its name. */
export const lossClasses = {
  LossMCXENT: lib.LossMCXENT,
  LossSparseMCXENT: lib.LossSparseMCXENT,
  LossNegativeLogLikelihood: lib.LossNegativeLogLikelihood,
  LossBinaryXENT: lib.LossBinaryXENT,
  LossHinge: lib.LossHinge,
  LossSquaredHinge: lib.LossSquaredHinge,
  LossFMeasure: lib.LossFMeasure,
  LossMultiLabel: lib.LossMultiLabel,
  LossMSE: lib.LossMSE,
  LossL2: lib.LossL2,
  LossMAE: lib.LossMAE,
  LossL1: lib.LossL1,
  LossMSLE: lib.LossMSLE,
  LossMAPE: lib.LossMAPE,
  LossPoisson: lib.LossPoisson,
  LossKLD: lib.LossKLD,
  LossCosineProximity: lib.LossCosineProximity,
  LossWasserstein: lib.LossWasserstein,
  LossMixtureDensity: lib.LossMixtureDensity,
} as const;

/** A typed array of a float dtype. */
export function floats(dtype: FloatDtype, values: readonly number[]): Float32Array | Float64Array {
  return dtype === 'float32' ? Float32Array.from(values) : Float64Array.from(values);
}

/** An array of a float dtype. */
export function array(dtype: FloatDtype, { shape, data }: Tensor): NDArray {
  return new lib.NDArray(floats(dtype, data), shape);
}

/** The values of an array, row-major. */
export function values(result: NDArray): number[] {
  return ([result.toArray()] as unknown[]).flat(Number.POSITIVE_INFINITY) as number[];
}

type Constructor<Class> = new (...args: never[]) => Class;

/** A loss by name; weights keep their float64 values. */
export function lossOf(name: string, params: Params = {}, weights?: readonly number[] | null): ILossFunction {
  const Class = lossClasses[name as keyof typeof lossClasses] as Constructor<ILossFunction>;
  const options = weights ? { ...params, weights: Float64Array.from(weights) } : params;
  return new Class(...([options] as never[]));
}

/** An activation by name. */
export function activationOf(name: string, params: Params = {}): IActivation {
  const Class = activationClasses[name as keyof typeof activationClasses] as Constructor<IActivation>;
  return new Class(...([params] as never[]));
}
