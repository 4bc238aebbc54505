// SPDX-License-Identifier: Apache-2.0

import { optionError } from '../errors';
import { ActivationCube } from './activation-cube';
import { ActivationELU } from './activation-elu';
import { ActivationGELU } from './activation-gelu';
import { ActivationHardSigmoid } from './activation-hard-sigmoid';
import { ActivationHardTanH } from './activation-hard-tanh';
import { ActivationIdentity } from './activation-identity';
import { ActivationLReLU } from './activation-lrelu';
import { ActivationMish } from './activation-mish';
import { ActivationRationalTanh } from './activation-rational-tanh';
import { ActivationRectifiedTanh } from './activation-rectified-tanh';
import { ActivationReLU } from './activation-relu';
import { ActivationReLU6 } from './activation-relu6';
import { ActivationRReLU } from './activation-rrelu';
import { ActivationSELU } from './activation-selu';
import { ActivationSigmoid } from './activation-sigmoid';
import { ActivationSoftPlus } from './activation-soft-plus';
import { ActivationSoftSign } from './activation-soft-sign';
import { ActivationSoftmax } from './activation-softmax';
import { ActivationSwish } from './activation-swish';
import { ActivationTanH } from './activation-tanh';
import { ActivationThresholdedReLU } from './activation-thresholded-relu';
import type { IActivation } from './iactivation';

/**
 * The activations by name, in ND4J's order; each gives an object with default parameters.
 *
 * @example
 * ```ts
 * import { Activation } from 'simdloss';
 * Activation.SOFTMAX.getActivationFunction(); // a new ActivationSoftmax
 * Activation.fromString('softmax') === Activation.SOFTMAX; // true
 * ```
 * @see ND4J `org.nd4j.linalg.activations.Activation`
 */
export class Activation {
  private static readonly all: Activation[] = [];

  static readonly CUBE = new Activation('CUBE', () => new ActivationCube());
  static readonly ELU = new Activation('ELU', () => new ActivationELU());
  static readonly HARDSIGMOID = new Activation('HARDSIGMOID', () => new ActivationHardSigmoid());
  static readonly HARDTANH = new Activation('HARDTANH', () => new ActivationHardTanH());
  static readonly IDENTITY = new Activation('IDENTITY', () => new ActivationIdentity());
  static readonly LEAKYRELU = new Activation('LEAKYRELU', () => new ActivationLReLU());
  static readonly RATIONALTANH = new Activation('RATIONALTANH', () => new ActivationRationalTanh());
  static readonly RELU = new Activation('RELU', () => new ActivationReLU());
  static readonly RELU6 = new Activation('RELU6', () => new ActivationReLU6());
  static readonly RRELU = new Activation('RRELU', () => new ActivationRReLU());
  static readonly SIGMOID = new Activation('SIGMOID', () => new ActivationSigmoid());
  static readonly SOFTMAX = new Activation('SOFTMAX', () => new ActivationSoftmax());
  static readonly SOFTPLUS = new Activation('SOFTPLUS', () => new ActivationSoftPlus());
  static readonly SOFTSIGN = new Activation('SOFTSIGN', () => new ActivationSoftSign());
  static readonly TANH = new Activation('TANH', () => new ActivationTanH());
  static readonly RECTIFIEDTANH = new Activation('RECTIFIEDTANH', () => new ActivationRectifiedTanh());
  static readonly SELU = new Activation('SELU', () => new ActivationSELU());
  static readonly SWISH = new Activation('SWISH', () => new ActivationSwish());
  static readonly THRESHOLDEDRELU = new Activation('THRESHOLDEDRELU', () => new ActivationThresholdedReLU());
  static readonly GELU = new Activation('GELU', () => new ActivationGELU());
  static readonly MISH = new Activation('MISH', () => new ActivationMish());

  private instance: IActivation | undefined;

  private constructor(
    private readonly label: string,
    private readonly make: () => IActivation,
  ) {
    Activation.all.push(this);
  }

  /** @internal One object for all calls that name the activation; only for those that keep no state in it. */
  get shared(): IActivation {
    this.instance ??= this.make();
    return this.instance;
  }

  /** All values, in ND4J's order. */
  static values(): readonly Activation[] {
    return [...Activation.all];
  }

  /**
   * The activation of a name.
   *
   * @param name the name, in any case
   * @returns the enum value
   * @throws TypeError ERR_OPTION for an unknown name
   * @example
   * ```ts
   * import { Activation } from 'simdloss';
   * Activation.fromString('leakyrelu') === Activation.LEAKYRELU; // true
   * ```
   */
  static fromString(name: string): Activation {
    const label = typeof name === 'string' ? name.toUpperCase() : name;
    const found = Activation.all.find((value) => value.label === label);
    if (found === undefined) {
      throw optionError('activation', `one of ${Activation.all.map((value) => value.label).join(', ')}`, name);
    }
    return found;
  }

  /** A new activation with default parameters. */
  getActivationFunction(): IActivation {
    return this.make();
  }

  /** The name, as in `SOFTMAX`. */
  name(): string {
    return this.label;
  }

  /** The same as `name()`. */
  toString(): string {
    return this.label;
  }
}
