// SPDX-License-Identifier: Apache-2.0
// The kernels as TypeScript sees them: the typed surface of the addon and of the WebAssembly module, and status codes as
// errors.
import { type Dtype, dtypeOf, type TypedArray } from './array-input';
import { bufferError, optionError, rangeError } from './errors';
import { environment, isJitless, load } from './runtime';

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
  | 'wantGradient'
  | 'wantScoreArray'
  | 'mostBytes'
  | 'dtypes'
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
  | 'steps'
  | 'blank'
  | 'labelLengthStride'
  | 'logitLengthStride'
  | 'upstreamStride'
  | 'scoreStride'
  | 'score'
  | 'badRow'
  | 'badPosition';

type Optional = TypedArray | undefined;

/** A call that the addon keeps; freed when it is collected. */
export type BoundCall = { readonly boundCall: unique symbol };

/** A call off the event loop, with memory of its own. */
export type AsyncCall = { readonly asyncCall: unique symbol };

/** A checked program of native/program.h; freed when it is collected. */
export type Program = { readonly program: unique symbol };

/** What a call came to: undefined for OK. */
export type Result = number | undefined;

/** The addon's exports. Each call reads its numbers and the dtypes of its arrays from `block`. */
export interface NativeAddon {
  readonly block: Float64Array;
  readonly slots: Readonly<Record<Slot, number>>;
  readonly losses: Readonly<Record<LossKernel, number>>;
  readonly activations: Readonly<Record<ActivationKernel, number>>;
  readonly dtypes: Readonly<Record<string, number>>;
  /** Operations of programs by name: 'Add', 'Mul.Add', 'Sigmoid.Slope' ... */
  readonly opcodes: Readonly<Record<string, number>>;
  loss(
    preOutput: TypedArray,
    labels: TypedArray,
    mask: Optional,
    weights: Optional,
    alpha: Optional,
    gradient: Optional,
    scoreArray: Optional,
  ): Result;
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
  runBound(call: BoundCall): Result;
  /**
   * The arguments of `loss`, read with the numbers in `block`, where wantGradient or wantScoreArray asks for an array; a
   * status where it can't be run.
   */
  asyncCall(
    preOutput: TypedArray,
    labels: TypedArray,
    mask: Optional,
    weights: Optional,
    alpha: Optional,
  ): AsyncCall | number;
  /** Copies up to mostBytes on of the inputs: returns how many, 0 at the end, -1 where an array's memory is gone. */
  asyncCopyIn(call: AsyncCall, ...inputs: readonly Optional[]): number;
  /** Runs a call whose inputs are copied on a thread of libuv's pool. */
  asyncRun(call: AsyncCall): Promise<undefined>;
  /** What the run came to, as `loss`. */
  asyncResult(call: AsyncCall): Result;
  /** As `asyncCopyIn`, of the gradient or the score array, to rows of outStride. */
  asyncCopyOut(call: AsyncCall, out: TypedArray): number;
  /** The gradient or the score array itself; undefined where the runtime has no buffers over such memory. */
  asyncTake(call: AsyncCall): ArrayBuffer | undefined;
  /** Lets go of the call's memory; what was taken stays. */
  asyncRelease(call: AsyncCall): void;
  activation(input: TypedArray, epsilon: Optional, alpha: Optional, out: TypedArray): Result;
  preluParameterGradient(input: TypedArray, epsilon: TypedArray, alpha: TypedArray, out: TypedArray): Result;
  gemm(a: TypedArray, b: TypedArray, c: TypedArray, bias: Optional): Result;
  columnSums(x: TypedArray, out: TypedArray): Result;
  linearCrossEntropy(
    x: TypedArray,
    w: TypedArray,
    bias: Optional,
    labels: TypedArray,
    mask: Optional,
    weights: Optional,
    gradientX: TypedArray,
    gradientW: TypedArray,
    gradientBias: Optional,
  ): Result;
  /** A program from its encoding (native/program.h); undefined where it is none. */
  createProgram(code: Int32Array, constants: Float64Array): Program | undefined;
  /**
   * Runs a program over its inputs and outputs. `frame`: rows, cols, code of the dtype to compute in; code, row stride and
   * column stride (0 or 1) of each input; row stride of each output; the sums, filled by the call.
   */
  runProgram(program: Program, frame: Float64Array, ...arrays: readonly TypedArray[]): Result;
  /** The arguments of `runProgram`, read and kept, for `runBound`, which reports the first sum. */
  bindProgram(program: Program, frame: Float64Array, ...arrays: readonly TypedArray[]): BoundCall | undefined;
  /** As `asyncCall`, of a program with one output at most, which is the call's result; it reports the first sum. */
  asyncProgram(program: Program, frame: Float64Array, ...inputs: readonly TypedArray[]): AsyncCall | number;
  ctcLoss(
    logits: TypedArray,
    labels: TypedArray,
    labelLengths: TypedArray,
    logitLengths: TypedArray,
    upstream: Optional,
    scores: TypedArray,
    gradient: Optional,
  ): Result;
  /** Bytes that calls off the event loop and their results hold, in all environments. */
  poolBytes(): number;
  targets(): string[];
  target(): string;
  forceTarget(name: string): boolean;
  usesChainCode(): boolean;
  useChainCode(use: boolean): void;
  physicalCores(): number;
  numThreads(): number;
  setNumThreads(count: number): void;
}

/** What a native call can fail with: native/status.h. */
export const Status = {
  BAD_LABEL: 1,
  OUT_OF_MEMORY: 2,
  BAD_ARGUMENT: 3,
  BAD_LABEL_LENGTH: 4,
  BAD_LOGIT_LENGTH: 5,
} as const;

/** The error of a native call that failed; a bad label or length is the loss's own to report. */
export function failureOf(status: number): Error {
  if (status === Status.OUT_OF_MEMORY) return rangeError('memory', 'enough free memory for the call', 'none');
  return bufferError('arguments', 'arrays as large as their shapes say', 'a buffer that changed during the call');
}

/** Raises what a native call could not do. */
export function check(status: Result): void {
  if (status !== undefined) throw failureOf(status);
}

/** Runs on the target that SIMDLOSS_TARGET names, if it does. */
function forceTarget(addon: NativeAddon): void {
  const target = environment('SIMDLOSS_TARGET');
  if (target === undefined || addon.forceTarget(target)) return;
  throw optionError('SIMDLOSS_TARGET', `one of ${addon.targets().join(', ')}`, target);
}

/** Machine code for expressions, unless SIMDLOSS_JIT or the runtime forbids it. */
function allowCode(addon: NativeAddon): void {
  const wanted = environment('SIMDLOSS_JIT');
  if (wanted !== undefined && wanted !== '0' && wanted !== '1') throw optionError('SIMDLOSS_JIT', '0 or 1', wanted);
  if (wanted === '0' || isJitless()) addon.useChainCode(false);
}

const loaded = load();
forceTarget(loaded.addon);
allowCode(loaded.addon);

/** The loaded addon, or the WebAssembly module in its place. */
export const native: NativeAddon = loaded.addon;

/** What the kernels run on: `native`, the addon; `wasm`, the WebAssembly module. */
export const backend: 'native' | 'wasm' = loaded.backend;

/** Where each number of a call goes in `native.block`. A copy: the addon's own is a dictionary, 7 ns a look-up. */
export const slots: Readonly<Record<Slot, number>> = Object.freeze({ ...native.slots });

const { block } = native;
const codes = native.dtypes;
/** The dtypes as the addon numbers them. */
export const dtypeCodes: Readonly<Record<Dtype, number>> = {
  float32: codes['Float32'] as number,
  float64: codes['Float64'] as number,
  int8: codes['Int8'] as number,
  uint8: codes['Uint8'] as number,
  uint8c: codes['Uint8'] as number,
  int16: codes['Int16'] as number,
  uint16: codes['Uint16'] as number,
  int32: codes['Int32'] as number,
  uint32: codes['Uint32'] as number,
  int64: codes['Int64'] as number,
  uint64: codes['Uint64'] as number,
};

/** The dtype of an array, 0 for none. */
export function codeOf(array: Optional): number {
  if (array === undefined) return 0;
  const dtype = dtypeOf(array) as Dtype;
  // The usual one by a comparison: a look-up by name takes 4 ns.
  return dtype === 'float32' ? dtypeCodes.float32 : dtypeCodes[dtype];
}

/**
 * Tells the addon the dtypes of a call's arrays, which it does not ask itself: for the very arrays of the call, whatever
 * their views say, and right before it, so that no other call comes between.
 */
export function writeDtypes(
  a: Optional,
  b?: Optional,
  c?: Optional,
  d?: Optional,
  e?: Optional,
  f?: Optional,
  g?: Optional,
  h?: Optional,
  i?: Optional,
): void {
  const low = codeOf(a) + 16 * codeOf(b) + 256 * codeOf(c) + 4096 * codeOf(d);
  const high = codeOf(e) + 16 * codeOf(f) + 256 * codeOf(g) + 4096 * (codeOf(h) + 16 * codeOf(i));
  block[slots.dtypes] = low + 65536 * high;
}
