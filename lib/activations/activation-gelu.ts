// SPDX-License-Identifier: Apache-2.0
import { readFlag } from '../options';
import { NativeActivation } from './native-activation';

/**
 * Gaussian error linear unit, in one of its two approximations.
 *
 * Formula: `f(z) = z sigmoid(1.702 z)`; `precise`: `f(z) = 0.5 z (1 + tanh(sqrt(2 / pi) (z + 0.044715 z^3)))`.
 *
 * @example
 * ```ts
 * import { ActivationGELU, nd } from 'simdloss';
 * new ActivationGELU({ precise: true }).getActivation(nd.array([-1, 2])); // [-0.159, 1.955]
 * ```
 * @see ND4J `org.nd4j.linalg.activations.impl.ActivationGELU`; Hendrycks & Gimpel 2016, "Gaussian error linear units"; PyTorch `GELU` with
 * `approximate='tanh'` is the precise form
 */
export class ActivationGELU extends NativeActivation {
  /** @internal */
  readonly kernel: 'GELU' | 'GELUPrecise';
  /** Whether it is the tanh form. */
  readonly precise: boolean;

  /**
   * @param options `precise`: the tanh form, false if not given; or that flag alone, as ND4J has it
   * @throws TypeError ERR_OPTION for an unknown option, or one that is no boolean
   */
  constructor(options?: boolean | { readonly precise?: boolean }) {
    super();
    const given = typeof options === 'boolean' ? { precise: options } : options;
    const { precise } = NativeActivation.read({ options: ['precise'] }, 'ActivationGELU', [given]);
    this.precise = readFlag('precise', precise, false);
    this.kernel = this.precise ? 'GELUPrecise' : 'GELU';
  }

  toString(): string {
    return `gelu(precise=${this.precise})`;
  }
}
