// SPDX-License-Identifier: Apache-2.0
// The only file that loads the addon: its typed surface, and status codes as errors.
import path from 'node:path';
import type { TypedArray } from './array-input';
import { bufferError, optionError, rangeError } from './errors';

/** Kernels of native/loss.h. */
export type LossKernel =
  | 'CrossEntropy'
  | 'BinaryXENT'
  | 'Hinge'
  | 'SquaredHinge'
  | 'L2'
  | 'L1'
  | 'MSLE'
  | 'MAPE'
  | 'Poisson'
  | 'KLD'
  | 'Wasserstein'
  | 'CosineProximity'
  | 'MultiLabel'
  | 'MixtureDensity'
  | 'FMeasure';

/** Kernels of native/activation.h. */
export type ActivationKernel =
  | 'Identity'
  | 'Cube'
  | 'ELU'
  | 'GELU'
  | 'GELUPrecise'
  | 'HardSigmoid'
  | 'HardTanH'
  | 'LReLU'
  | 'Mish'
  | 'PReLU'
  | 'RationalTanh'
  | 'RectifiedTanh'
  | 'ReLU'
  | 'SELU'
  | 'Sigmoid'
  | 'SoftPlus'
  | 'SoftSign'
  | 'Swish'
  | 'TanH'
  | 'ThresholdedReLU'
  | 'Softmax';

/** Names of binding/call_block.h. */
export type Slot =
  | 'loss'
  | 'activation'
  | 'rows'
  | 'cols'
  | 'labelCols'
  | 'scale'
  | 'clip'
  | 'beta'
  | 'mixtures'
  | 'hasIgnore'
  | 'ignoreHigh'
  | 'ignoreLow'
  | 'activationParam0'
  | 'activationParam1'
  | 'activationParam2'
  | 'sparse'
  | 'wantScore'
  | 'inputStride'
  | 'labelStride'
  | 'maskRowStride'
  | 'maskColStride'
  | 'alphaStride'
  | 'outStride'
  | 'm'
  | 'n'
  | 'k'
  | 'lda'
  | 'ldb'
  | 'ldc'
  | 'transposeA'
  | 'transposeB'
  | 'score'
  | 'badRow';

type Optional = TypedArray | undefined;

/** A call that the addon keeps; freed when it is collected. */
export type BoundCall = { readonly boundCall: unique symbol };

/** A call off the event loop, with memory of its own. */
export type AsyncCall = { readonly asyncCall: unique symbol };

/** The addon's exports. Each call reads its numbers from `block`, and returns a status. */
export interface NativeAddon {
  readonly block: Float64Array;
  readonly slots: Readonly<Record<Slot, number>>;
  readonly losses: Readonly<Record<LossKernel, number>>;
  readonly activations: Readonly<Record<ActivationKernel, number>>;
  loss(
    preOutput: TypedArray,
    labels: TypedArray,
    mask: Optional,
    weights: Optional,
    alpha: Optional,
    gradient: Optional,
    scoreArray: Optional,
  ): number;
  /** The arguments of `loss`, read and kept with the numbers in `block`; undefined where `loss` would not run. */
  bind(
    preOutput: TypedArray,
    labels: TypedArray,
    mask: Optional,
    weights: Optional,
    alpha: Optional,
    gradient: Optional,
    scoreArray: Optional,
  ): BoundCall | undefined;
  /** Runs a bound call, whose arrays must be as long as they were. */
  runBound(call: BoundCall): number;
  /** The arguments of `loss`, read with the numbers in `block`, and the results wanted; a status where it can't be run. */
  asyncCall(
    preOutput: TypedArray,
    labels: TypedArray,
    mask: Optional,
    weights: Optional,
    alpha: Optional,
    gradient: undefined,
    scoreArray: undefined,
    wantGradient: boolean,
    wantScoreArray: boolean,
  ): AsyncCall | number;
  /** Copies up to `most` bytes on of the inputs: returns how many, 0 at the end, -1 where an array's memory is gone. */
  asyncCopyIn(
    call: AsyncCall,
    preOutput: TypedArray,
    labels: TypedArray,
    mask: Optional,
    weights: Optional,
    alpha: Optional,
    most: number,
  ): number;
  /** Runs a call whose inputs are copied on a thread of libuv's pool. */
  asyncRun(call: AsyncCall): Promise<undefined>;
  /** What the run came to, as `loss`. */
  asyncResult(call: AsyncCall): number;
  /** As `asyncCopyIn`, of the gradient or the score array. */
  asyncCopyOut(call: AsyncCall, isGradient: boolean, out: TypedArray, rowStride: number, most: number): number;
  /** The gradient or the score array itself; undefined where the runtime has no buffers over such memory. */
  asyncTake(call: AsyncCall, isGradient: boolean): ArrayBuffer | undefined;
  /** Lets go of the call's memory; what was taken stays. */
  asyncRelease(call: AsyncCall): void;
  /** Bytes that calls off the event loop and their results hold, in all environments. */
  poolBytes(): number;
  activation(input: TypedArray, epsilon: Optional, alpha: Optional, out: TypedArray): number;
  preluParameterGradient(input: TypedArray, epsilon: TypedArray, alpha: TypedArray, out: TypedArray): number;
  gemm(a: TypedArray, b: TypedArray, c: TypedArray, bias: Optional): number;
  columnSums(x: TypedArray, out: TypedArray): number;
  targets(): string[];
  target(): string;
  forceTarget(name: string): boolean;
  physicalCores(): number;
  numThreads(): number;
  setNumThreads(count: number): void;
}

/** What a native call came to: native/status.h. */
export const Status = { OK: 0, BAD_LABEL: 1, OUT_OF_MEMORY: 2, BAD_ARGUMENT: 3 } as const;

/** Raises what a native call could not do; a bad label is the loss's own to report. */
export function check(status: number): void {
  if (status === Status.OK) return;
  if (status === Status.OUT_OF_MEMORY) throw rangeError('memory', 'enough free memory for the call', 'none');
  throw bufferError('arguments', 'arrays as large as their shapes say', 'a buffer that changed during the call');
}

function load(): NativeAddon {
  const root = path.join(__dirname, '..');
  let addon: NativeAddon;
  try {
    addon = require('node-gyp-build')(root) as NativeAddon;
  } catch (cause) {
    throw new Error(`simdloss: no addon for this platform; build it with "npm run build" in ${root}. ${cause}`, {
      cause,
    });
  }
  const target = process.env['SIMDLOSS_TARGET'];
  if (target !== undefined && target !== '' && !addon.forceTarget(target)) {
    throw optionError('SIMDLOSS_TARGET', `one of ${addon.targets().join(', ')}`, target);
  }
  return addon;
}

/** The loaded addon. */
export const native: NativeAddon = load();

/** Where each number of a call goes in `native.block`. */
export const slots = native.slots;
