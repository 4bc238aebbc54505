// SPDX-License-Identifier: Apache-2.0
// The base of all built-in activations: checks, once, and the two methods.

import { type ArrayInput, isSameShape, type MatrixView, toMatrix, toView, type View } from '../array-input';
import { bufferError, describe, dtypeError, optionError, shapeError } from '../errors';
import { type ActivationKernel, check, native, slots, writeDtypes } from '../native';
import { NDArray } from '../ndarray/ndarray';
import { readArguments } from '../options';
import { allocate, asFloat, checkWritable, type FloatDtype, type Output, outOf, outputFor, overlaps } from '../outputs';
import type { IActivation, OutOption } from './iactivation';

const { block } = native;

/** How constructor arguments are read: option names, those that plain numbers set in order, and the one an array sets. */
export interface ActivationTraits {
  readonly options?: readonly string[];
  readonly numbers?: readonly string[];
  readonly array?: string;
}

/** Arrays of one call, checked. */
interface Inputs {
  readonly z: MatrixView;
  readonly view: View;
  readonly dtype: FloatDtype;
}

/** An activation that runs on the native kernels. */
export abstract class NativeActivation implements IActivation {
  // Of what the constructor made: an object that only has the prototype has no parameters.
  readonly #made = true;

  /** @internal Is this a built-in activation? */
  static isMade(value: unknown): value is NativeActivation {
    return typeof value === 'object' && value !== null && #made in value;
  }

  /** @internal The functor of native/kernels/activation-inl.h. */
  abstract readonly kernel: ActivationKernel;
  /** @internal Its parameters. */
  readonly params: readonly [number, number, number] = [0, 0, 0];
  private code: number | undefined;

  /** @internal */
  protected static read(traits: ActivationTraits, owner: string, args: readonly unknown[]): Record<string, unknown> {
    return readArguments(owner, args, traits.options ?? [], traits.numbers ?? [], traits.array);
  }

  abstract toString(): string;

  numParams(_inputSize: number): number {
    return 0;
  }

  getActivation(input: ArrayInput, _training = false, options?: OutOption): NDArray {
    const inputs = this.check(input);
    return this.forward(inputs, input, outOf(options), this, undefined);
  }

  backprop(input: ArrayInput, epsilon: ArrayInput, options?: OutOption): [NDArray, NDArray | null] {
    const inputs = this.check(input);
    return [this.backward(inputs, this.checkEpsilon(epsilon, inputs), outOf(options), this, undefined), null];
  }

  // --- For the losses ---

  /** @internal Writes the activation to the call block; `alpha` as `alphaFor` gives it. */
  write(alpha: MatrixView | undefined): void {
    this.code ??= native.activations[this.kernel];
    block[slots.activation] = this.code;
    block[slots.activationParam0] = this.params[0];
    block[slots.activationParam1] = this.params[1];
    block[slots.activationParam2] = this.params[2];
    block[slots.alphaStride] = alpha === undefined ? 0 : alpha.rowStride;
  }

  /** @internal The slopes below 0 of a kernel that reads them from an array, checked against the columns. */
  alphaFor(_cols: number): MatrixView | undefined {
    return undefined;
  }

  // --- Shared by the activations that do more ---

  /** @internal */
  protected check(input: ArrayInput): Inputs {
    const view = toView(input, 'input', 'float32');
    const dtype = asFloat(view.dtype, 'input');
    const z = toMatrix(view);
    if (z.cols === 0) throw shapeError('input', 'at least one column', view.shape);
    return { z, view, dtype };
  }

  /** @internal */
  protected checkEpsilon(epsilon: ArrayInput, inputs: Inputs): MatrixView {
    const view = toView(epsilon, 'epsilon', inputs.dtype);
    const { shape } = inputs.view;
    if (!isSameShape(view.shape, shape)) {
      throw shapeError('epsilon', `input's shape ${describe(shape)}`, view.shape);
    }
    return toMatrix(view);
  }

  /** @internal f(input) by `kernel`, into `out` or in place on the caller's array. */
  protected forward(
    inputs: Inputs,
    input: unknown,
    out: unknown,
    kernel: NativeActivation,
    slopes: MatrixView | undefined,
  ): NDArray {
    const { z, view, dtype } = inputs;
    const given = out !== undefined && out !== null;
    const alpha = slopes ?? kernel.alphaFor(z.cols);
    // Numbers have no memory to write to, and strides that don't fold to rows were copied.
    if (given || z.copied || Array.isArray(input)) {
      const result = given
        ? outputFor(out, dtype, view.shape, z.rows, z.cols, [z, alpha], z)
        : allocate(dtype, view.shape, z.rows, z.cols);
      run(kernel, z, undefined, alpha, result);
      if (given || !NDArray.isMade(input)) return result.array;
      return input.assign(result.array);
    }
    checkWritable(view, 'input');
    if (alpha !== undefined && overlaps(z, alpha)) {
      throw bufferError('input', 'memory apart from alpha', 'memory that overlaps it');
    }
    const array = NDArray.isMade(input) ? input : new NDArray(z.data, view.shape, view.strides);
    run(kernel, z, undefined, alpha, { data: z.data as Float32Array | Float64Array, rowStride: z.rowStride, array });
    return array;
  }

  /** @internal dL/dz by `kernel`. */
  protected backward(
    inputs: Inputs,
    epsilon: MatrixView,
    out: unknown,
    kernel: NativeActivation,
    slopes: MatrixView | undefined,
  ): NDArray {
    const { z, view, dtype } = inputs;
    const alpha = slopes ?? kernel.alphaFor(z.cols);
    const result = outputFor(out, dtype, view.shape, z.rows, z.cols, [z, epsilon, alpha], z);
    run(kernel, z, epsilon, alpha, result);
    return result.array;
  }
}

/** One native call over checked arrays. */
function run(
  kernel: NativeActivation,
  z: MatrixView,
  epsilon: MatrixView | undefined,
  alpha: MatrixView | undefined,
  out: Output,
): void {
  prepare(kernel, z, epsilon, alpha, out.rowStride);
  writeDtypes(z.data, epsilon?.data, alpha?.data, out.data);
  check(native.activation(z.data, epsilon?.data, alpha?.data, out.data));
}

/** Writes a call's numbers to the call block. */
export function prepare(
  kernel: NativeActivation,
  z: MatrixView,
  epsilon: MatrixView | undefined,
  alpha: MatrixView | undefined,
  outStride: number,
): void {
  block[slots.rows] = z.rows;
  block[slots.cols] = z.cols;
  block[slots.inputStride] = z.rowStride;
  block[slots.labelStride] = epsilon === undefined ? 0 : epsilon.rowStride;
  block[slots.outStride] = outStride;
  kernel.write(alpha);
}

/** An activation from what a caller passes: an object, an enum value, or a name. */
export function checkActivation(value: unknown): IActivation {
  if (value === undefined || value === null) throw optionError('activationFn', 'an activation', value);
  const activation = value as IActivation;
  const isForged = value instanceof NativeActivation && !NativeActivation.isMade(value);
  if (isForged || typeof activation.getActivation !== 'function' || typeof activation.backprop !== 'function') {
    throw dtypeError('activationFn', 'an activation: an object, an Activation or a name', value);
  }
  return activation;
}
