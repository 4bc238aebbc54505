// SPDX-License-Identifier: Apache-2.0
import type { SameDiff } from './samediff';
import { type AxesArguments, type Named, type SDVariable, splitName, type Term } from './variable';

/**
 * Functions of the elements of variables: `sd.math`. Each is the method of its first variable, with a name for the result
 * standing first if there is one.
 *
 * @example
 * ```ts
 * import { SameDiff } from 'simdloss';
 * const sd = SameDiff.create();
 * const x = sd.placeHolder('x', 'float64', [2]);
 * sd.math.square('y', x).eval({ x: [1, 2] }).toArray(); // [1, 4]
 * ```
 * @see ND4J `org.nd4j.autodiff.samediff.ops.SDMath`
 */
export class SDMath {
  /** @internal */
  constructor(private readonly sameDiff: SameDiff) {}

  // --- Of one variable ---

  /**
   * `|x|`; slope 0 at 0.
   *
   * @param args a name, which may be left out, and x, of any shape
   * @returns a variable of the shape of x
   * @throws TypeError ERR_OPTION for a name that is taken or a variable of another graph, ERR_DTYPE for no variable
   * @example
   * ```ts
   * import { SameDiff } from 'simdloss';
   * const sd = SameDiff.create();
   * sd.math.abs(sd.constant('x', [-1, 2])).eval().toArray(); // [1, 2]
   * ```
   */
  abs(...args: Named<[x: SDVariable]>): SDVariable {
    return this.sameDiff.call('abs', args);
  }

  /** -1, 0 or 1; no gradient. Otherwise as `abs`. */
  sign(...args: Named<[x: SDVariable]>): SDVariable {
    return this.sameDiff.call('sign', args);
  }

  /** `-x`; otherwise as `abs`. */
  neg(...args: Named<[x: SDVariable]>): SDVariable {
    return this.sameDiff.call('neg', args);
  }

  /** `x^2`; otherwise as `abs`. */
  square(...args: Named<[x: SDVariable]>): SDVariable {
    return this.sameDiff.call('square', args);
  }

  /** `x^3`; otherwise as `abs`. */
  cube(...args: Named<[x: SDVariable]>): SDVariable {
    return this.sameDiff.nn.cube(...args);
  }

  /** The square root, NaN below 0; otherwise as `abs`. */
  sqrt(...args: Named<[x: SDVariable]>): SDVariable {
    return this.sameDiff.call('sqrt', args);
  }

  /** `e^x`; otherwise as `abs`. */
  exp(...args: Named<[x: SDVariable]>): SDVariable {
    return this.sameDiff.call('exp', args);
  }

  /** `e^x - 1`, good near 0; otherwise as `abs`. */
  expm1(...args: Named<[x: SDVariable]>): SDVariable {
    return this.sameDiff.call('expm1', args);
  }

  /** The natural logarithm; of softmax and sigmoid in closed form. Otherwise as `abs`. */
  log(...args: Named<[x: SDVariable]>): SDVariable {
    return this.sameDiff.call('log', args);
  }

  /** `log(1 + x)`, good near 0; otherwise as `abs`. */
  log1p(...args: Named<[x: SDVariable]>): SDVariable {
    return this.sameDiff.call('log1p', args);
  }

  /** The error function; otherwise as `abs`. */
  erf(...args: Named<[x: SDVariable]>): SDVariable {
    return this.sameDiff.call('erf', args);
  }

  /** The largest whole number up to x; no gradient. Otherwise as `abs`. */
  floor(...args: Named<[x: SDVariable]>): SDVariable {
    return this.sameDiff.call('floor', args);
  }

  /** `1 / x`; otherwise as `abs`. */
  reciprocal(...args: Named<[x: SDVariable]>): SDVariable {
    return this.sameDiff.call('reciprocal', args);
  }

  /** `x` within [clipValueMin, clipValueMax]; slope 1 at the bounds. Otherwise as `abs`. */
  clipByValue(...args: Named<[x: SDVariable, clipValueMin: number, clipValueMax: number]>): SDVariable {
    return this.sameDiff.call('clip', args);
  }

  // --- Of two, which broadcast ---

  /**
   * `x + y`.
   *
   * @param args a name, which may be left out; x; y, a variable or a number
   * @returns a variable of the shape that both broadcast to
   * @throws RangeError ERR_SHAPE for shapes that do not broadcast; TypeError as `abs`
   * @example
   * ```ts
   * import { SameDiff } from 'simdloss';
   * const sd = SameDiff.create();
   * sd.math.add(sd.constant('x', [1, 2]), 10).eval().toArray(); // [11, 12]
   * ```
   */
  add(...args: Named<[x: SDVariable, y: Term]>): SDVariable {
    return this.sameDiff.call('add', args);
  }

  /** `x - y`; otherwise as `add`. */
  sub(...args: Named<[x: SDVariable, y: Term]>): SDVariable {
    return this.sameDiff.call('sub', args);
  }

  /** `x y`; otherwise as `add`. */
  mul(...args: Named<[x: SDVariable, y: Term]>): SDVariable {
    return this.sameDiff.call('mul', args);
  }

  /** `x / y`; otherwise as `add`. */
  div(...args: Named<[x: SDVariable, y: Term]>): SDVariable {
    return this.sameDiff.call('div', args);
  }

  /** `y - x`; otherwise as `add`. */
  rsub(...args: Named<[x: SDVariable, y: Term]>): SDVariable {
    return this.sameDiff.call('rsub', args);
  }

  /** `y / x`; otherwise as `add`. */
  rdiv(...args: Named<[x: SDVariable, y: Term]>): SDVariable {
    return this.sameDiff.call('rdiv', args);
  }

  /** `x^y`; otherwise as `add`. */
  pow(...args: Named<[x: SDVariable, y: Term]>): SDVariable {
    return this.sameDiff.call('pow', args);
  }

  /** `(x - y)^2`; otherwise as `add`. */
  squaredDifference(...args: Named<[x: SDVariable, y: Term]>): SDVariable {
    return this.sameDiff.call('squaredDifference', args);
  }

  /** The smaller of both; equal variables share the gradient, an equal number leaves 0. Otherwise as `add`. */
  min(...args: Named<[x: Term, y: Term]>): SDVariable {
    return this.sameDiff.express(...splitName<[x: Term, y: Term]>(args), (g, [x, y]) => g.min(x, y));
  }

  /** The larger of both; otherwise as `min`. */
  max(...args: Named<[x: Term, y: Term]>): SDVariable {
    return this.sameDiff.express(...splitName<[x: Term, y: Term]>(args), (g, [x, y]) => g.max(x, y));
  }

  // --- Over axes ---

  /**
   * `log(sum(e^x))` over axes, without overflow.
   *
   * @param args a name, which may be left out; x; axes, negative ones from the end, none for all; `{ keepDims: true }`
   * keeps them with size 1
   * @returns a variable without the axes
   * @throws RangeError ERR_RANGE for an axis that x lacks; TypeError as `abs`
   * @example
   * ```ts
   * import { SameDiff } from 'simdloss';
   * const sd = SameDiff.create();
   * sd.math.logSumExp(sd.constant('x', [0, 0])).eval().toArray(); // 0.6931
   * ```
   */
  logSumExp(...args: Named<[x: SDVariable, ...axes: AxesArguments]>): SDVariable {
    return this.sameDiff.call('logSumExp', args);
  }
}
