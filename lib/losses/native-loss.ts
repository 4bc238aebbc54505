// SPDX-License-Identifier: Apache-2.0
// The base of all built-in losses: their calls of the native kernels.
import type { NativeActivation } from '../activations/native-activation';
import type { MatrixView, TypedArray } from '../array-input';
import { badLabel } from '../class-labels';
import { failureOf, type LossKernel, native, type Result, Status, slots, writeDtypes } from '../native';
import type { Output } from '../outputs';
import { BaseLoss, type Inputs, type KeptCall, type LossTraits, type ThreadCall, type Wanted } from './base-loss';

/** What tells one built-in loss from another. */
export interface NativeLossTraits extends LossTraits {
  readonly kernel: LossKernel;
  /** The loss of an element is divided by the number of columns. */
  readonly meanOverColumns?: boolean;
}

const { block } = native;

/** A loss that runs on the native kernels. */
export abstract class NativeLoss extends BaseLoss {
  private readonly kernel: number;
  private readonly meanOverColumns: boolean;

  /** @internal */
  protected constructor(traits: NativeLossTraits, args: readonly unknown[]) {
    super(traits, args);
    this.kernel = native.losses[traits.kernel];
    this.meanOverColumns = traits.meanOverColumns === true;
  }

  /** Writes the loss's own numbers to the call block. */
  protected writeOptions(_block: Float64Array, _inputs: { z: MatrixView; labelCols: number }): void {}

  protected override compute(
    inputs: Inputs,
    activation: NativeActivation,
    wantScore: boolean,
    gradient: Output | undefined,
    scoreArray: TypedArray | undefined,
  ): number {
    const weights = this.weights?.data;
    const alpha = this.write(inputs, activation, wantScore, gradient);
    const { z, labels, mask } = inputs;
    writeDtypes(z.data, labels.data, mask?.data, weights, alpha, gradient?.data, scoreArray);
    const status = native.loss(z.data, labels.data, mask?.data, weights, alpha, gradient?.data, scoreArray);
    return scoreOf(status, labels, z.cols);
  }

  protected override keep(
    inputs: Inputs,
    activation: NativeActivation,
    gradient: Output | undefined,
    scoreArray: TypedArray | undefined,
  ): KeptCall {
    const weights = this.weights?.data;
    const alpha = this.write(inputs, activation, true, gradient);
    const { z, labels, mask } = inputs;
    const arrays = [z.data, labels.data, mask?.data, weights, alpha, gradient?.data, scoreArray] as const;
    writeDtypes(...arrays);
    const call = native.bind(...arrays);
    if (call === undefined) throw failureOf(Status.BAD_ARGUMENT);
    return { arrays, run: () => scoreOf(native.runBound(call), labels, z.cols) };
  }

  protected override queue(inputs: Inputs, activation: NativeActivation, wanted: Wanted): ThreadCall {
    const { z, labels, mask } = inputs;
    const alpha = activation.alphaFor(z.cols);
    const arrays = [z.data, labels.data, mask?.data, this.weights?.data, alpha?.data] as const;
    const begin = () => {
      this.write(inputs, activation, wanted === 'score' || wanted === 'gradientAndScore', undefined);
      block[slots.wantGradient] = wanted === 'gradient' || wanted === 'gradientAndScore' ? 1 : 0;
      block[slots.wantScoreArray] = wanted === 'scoreArray' ? 1 : 0;
      writeDtypes(...arrays);
      return native.asyncCall(...arrays);
    };
    return { inputs: arrays, begin, score: (status) => scoreOf(status, labels, z.cols) };
  }

  /** Writes the numbers of a call to the call block; returns the activation's array where it has one. */
  private write(
    inputs: Inputs,
    activation: NativeActivation,
    wantScore: boolean,
    gradient: Output | undefined,
  ): TypedArray | undefined {
    const { z, labels, mask } = inputs;
    // Whatever reads a caller's objects comes before the first number, as a getter may call the library.
    const alpha = activation.alphaFor(z.cols);
    block[slots.loss] = this.kernel;
    block[slots.rows] = z.rows;
    block[slots.cols] = z.cols;
    block[slots.labelCols] = inputs.labelCols;
    block[slots.scale] = this.meanOverColumns ? 1 / z.cols : 1;
    block[slots.mixtures] = 1;
    block[slots.hasIgnore] = 0;
    block[slots.sparse] = this.sparse ? 1 : 0;
    block[slots.wantScore] = wantScore ? 1 : 0;
    block[slots.inputStride] = z.rowStride;
    block[slots.labelStride] = labels.rowStride;
    block[slots.maskRowStride] = mask === undefined ? 0 : mask.rowStride;
    block[slots.maskColStride] = inputs.maskPerExample ? 0 : 1;
    block[slots.outStride] = gradient === undefined ? z.cols : gradient.rowStride;
    this.writeOptions(block, inputs);
    activation.write(alpha);
    return alpha?.data;
  }
}

/** The score of a call that has run; throws its error. */
function scoreOf(status: Result, labels: MatrixView, classes: number): number {
  if (status === undefined) return block[slots.score] as number;
  throw status === Status.BAD_LABEL ? badLabel(labels, block[slots.badRow] as number, classes) : failureOf(status);
}
