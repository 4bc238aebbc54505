// SPDX-License-Identifier: Apache-2.0
import { ActivationCube } from '../activations/activation-cube';
import { ActivationELU } from '../activations/activation-elu';
import { ActivationGELU } from '../activations/activation-gelu';
import { ActivationHardSigmoid } from '../activations/activation-hard-sigmoid';
import { ActivationHardTanH } from '../activations/activation-hard-tanh';
import { ActivationIdentity } from '../activations/activation-identity';
import { ActivationLReLU } from '../activations/activation-lrelu';
import { ActivationMish } from '../activations/activation-mish';
import { ActivationRationalTanh } from '../activations/activation-rational-tanh';
import { ActivationRectifiedTanh } from '../activations/activation-rectified-tanh';
import { ActivationReLU } from '../activations/activation-relu';
import { ActivationReLU6 } from '../activations/activation-relu6';
import { ActivationRReLU } from '../activations/activation-rrelu';
import { ActivationSELU } from '../activations/activation-selu';
import { ActivationSigmoid } from '../activations/activation-sigmoid';
import { ActivationSoftPlus } from '../activations/activation-soft-plus';
import { ActivationSoftSign } from '../activations/activation-soft-sign';
import { ActivationSwish } from '../activations/activation-swish';
import { ActivationTanH } from '../activations/activation-tanh';
import { ActivationThresholdedReLU } from '../activations/activation-thresholded-relu';
import type { NativeActivation } from '../activations/native-activation';
import type { Graph, Node } from './graph';
import type { SameDiff } from './samediff';
import { readAxes } from './shapes';
import { type Expression, type Named, type SDVariable, splitName } from './variable';

/** The class of an activation of an element. */
type ActivationClass<Options extends readonly unknown[]> = new (...options: Options) => NativeActivation;

class PreciseGELU extends ActivationGELU {
  constructor() {
    super({ precise: true });
  }
}

/**
 * Activations and layers as functions of variables: `sd.nn`.
 *
 * The activations are those of the classes, with their options, values and slopes at kinks: `sd.nn.elu(x, 0.5)` is
 * `new ActivationELU(0.5)`. A name for the result may stand first.
 *
 * @example
 * ```ts
 * import { SameDiff } from 'simdloss';
 * const sd = SameDiff.create();
 * const x = sd.placeHolder('x', 'float64', [2]);
 * sd.nn.leakyRelu('y', x, 0.5).eval({ x: [-2, 2] }).toArray(); // [-1, 2]
 * ```
 * @see ND4J `org.nd4j.autodiff.samediff.ops.SDNN`
 */
export class SDNN {
  /** @internal */
  constructor(private readonly sameDiff: SameDiff) {}

  // --- Activations of an element ---

  /**
   * `x^3`.
   *
   * @param args a name, which may be left out, and x, of any shape
   * @returns a variable of the shape of x
   * @throws TypeError ERR_OPTION for a name that is taken, a variable of another graph or an option that is unknown,
   * ERR_DTYPE for no variable
   * @example
   * ```ts
   * import { SameDiff } from 'simdloss';
   * const sd = SameDiff.create();
   * sd.nn.cube(sd.constant('x', [2, 3])).eval().toArray(); // [8, 27]
   * ```
   */
  cube(...args: Named<[x: SDVariable]>): SDVariable {
    return this.activation(ActivationCube, args);
  }

  /** `x` from 0 on, `alpha (e^x - 1)` below, alpha 1 if not given; otherwise as `cube`. */
  elu(...args: Named<[x: SDVariable, alpha?: number]>): SDVariable {
    return this.activation(ActivationELU, args);
  }

  /** `x sigmoid(1.702 x)`; otherwise as `cube`. */
  gelu(...args: Named<[x: SDVariable]>): SDVariable {
    return this.activation(ActivationGELU, args);
  }

  /** `0.5 x (1 + tanh(sqrt(2 / pi) (x + 0.044715 x^3)))`; otherwise as `cube`. */
  preciseGelu(...args: Named<[x: SDVariable]>): SDVariable {
    return this.activation(PreciseGELU, args);
  }

  /** `0.2 x + 0.5` within [0, 1]; otherwise as `cube`. */
  hardSigmoid(...args: Named<[x: SDVariable]>): SDVariable {
    return this.activation(ActivationHardSigmoid, args);
  }

  /** `x` within [-1, 1]; otherwise as `cube`. */
  hardTanh(...args: Named<[x: SDVariable]>): SDVariable {
    return this.activation(ActivationHardTanH, args);
  }

  /** `x`; otherwise as `cube`. */
  identity(...args: Named<[x: SDVariable]>): SDVariable {
    return this.activation(ActivationIdentity, args);
  }

  /** `x` from 0 on, `alpha x` below, alpha 0.01 if not given; otherwise as `cube`. */
  leakyRelu(...args: Named<[x: SDVariable, alpha?: number]>): SDVariable {
    return this.activation(ActivationLReLU, args);
  }

  /** `log(sigmoid(x))`, finite for every finite x; otherwise as `cube`. */
  logSigmoid(...args: Named<[x: SDVariable]>): SDVariable {
    return this.of(args, (g, [x]) => g.log(g.sigmoid(x)));
  }

  /** `x tanh(softplus(x))`; otherwise as `cube`. */
  mish(...args: Named<[x: SDVariable]>): SDVariable {
    return this.activation(ActivationMish, args);
  }

  /** `x` from 0 on, `alpha x` below; alpha is a variable that broadcasts with x, and has a gradient. Otherwise as `cube`. */
  prelu(...args: Named<[x: SDVariable, alpha: SDVariable]>): SDVariable {
    return this.of(args, (g, [x, alpha]) => g.select(g.binary('le', 0, x), x, g.mul(alpha, x)));
  }

  /** `1.7159` times an approximation of `tanh(2 x / 3)`; otherwise as `cube`. */
  rationalTanh(...args: Named<[x: SDVariable]>): SDVariable {
    return this.activation(ActivationRationalTanh, args);
  }

  /** `max(0, tanh(x))`; otherwise as `cube`. */
  rectifiedTanh(...args: Named<[x: SDVariable]>): SDVariable {
    return this.activation(ActivationRectifiedTanh, args);
  }

  /** `max(0, x)`, or what the options of ActivationReLU make of it; otherwise as `cube`. */
  relu(...args: Named<[x: SDVariable, ...ConstructorParameters<typeof ActivationReLU>]>): SDVariable {
    return this.activation(ActivationReLU, args);
  }

  /** `x` within [0, 6]; otherwise as `cube`. */
  relu6(...args: Named<[x: SDVariable]>): SDVariable {
    return this.activation(ActivationReLU6, args);
  }

  /** `x` from 0 on, `(l + u) / 2 x` below, l 1/8 and u 1/3 if not given: without the noise. Otherwise as `cube`. */
  rrelu(...args: Named<[x: SDVariable, l?: number, u?: number]>): SDVariable {
    return this.activation(ActivationRReLU, args);
  }

  /** `lambda x` above 0, `lambda alpha (e^x - 1)` below; otherwise as `cube`. */
  selu(...args: Named<[x: SDVariable]>): SDVariable {
    return this.activation(ActivationSELU, args);
  }

  /** `1 / (1 + e^-x)`; otherwise as `cube`. */
  sigmoid(...args: Named<[x: SDVariable]>): SDVariable {
    return this.activation(ActivationSigmoid, args);
  }

  /** `log(1 + e^x)`; otherwise as `cube`. */
  softplus(...args: Named<[x: SDVariable]>): SDVariable {
    return this.activation(ActivationSoftPlus, args);
  }

  /** `x / (1 + |x|)`; otherwise as `cube`. */
  softsign(...args: Named<[x: SDVariable]>): SDVariable {
    return this.activation(ActivationSoftSign, args);
  }

  /** `x sigmoid(x)`; otherwise as `cube`. */
  swish(...args: Named<[x: SDVariable]>): SDVariable {
    return this.activation(ActivationSwish, args);
  }

  /** `tanh(x)`; otherwise as `cube`. */
  tanh(...args: Named<[x: SDVariable]>): SDVariable {
    return this.activation(ActivationTanH, args);
  }

  /** `x` above theta, 1 if not given, else 0; otherwise as `cube`. */
  thresholdRelu(...args: Named<[x: SDVariable, theta?: number]>): SDVariable {
    return this.activation(ActivationThresholdedReLU, args);
  }

  // --- Over an axis ---

  /**
   * `e^x / sum(e^x)` along an axis.
   *
   * @param args a name, which may be left out; x, of rank 1 or more; the axis, the last one if not given
   * @returns a variable of the shape of x
   * @throws RangeError ERR_RANGE for an axis that x lacks; TypeError as `cube`
   * @example
   * ```ts
   * import { SameDiff } from 'simdloss';
   * const sd = SameDiff.create();
   * sd.nn.softmax(sd.constant('x', [[0, 1], [0, 1]]), 0).eval().toArray(); // [[0.5, 0.5], [0.5, 0.5]]
   * ```
   */
  softmax(...args: Named<[x: SDVariable, dimension?: number]>): SDVariable {
    return this.along(args, (g, x) => g.softmax(x));
  }

  /** `x - log(sum(e^x))` along an axis; otherwise as `softmax`. */
  logSoftmax(...args: Named<[x: SDVariable, dimension?: number]>): SDVariable {
    return this.along(args, (g, x) => g.logSoftmax(x));
  }

  // --- Layers ---

  /**
   * `x w + b`.
   *
   * @param args a name, which may be left out; x, `[n, in]`; w, `[in, out]`; b, `[out]`, which may be left out
   * @returns a variable `[n, out]`
   * @throws RangeError ERR_SHAPE for shapes that do not fit; TypeError as `cube`
   * @example
   * ```ts
   * import { SameDiff } from 'simdloss';
   * const sd = SameDiff.create();
   * const [x, w, b] = [sd.constant('x', [[1, 2]]), sd.var('w', [[3], [4]]), sd.var('b', [5])];
   * sd.nn.linear(x, w, b).eval().toArray(); // [[16]]
   * ```
   */
  linear(...args: Named<[x: SDVariable, w: SDVariable, b?: SDVariable]>): SDVariable {
    const [name, [x, w, b = 0]] = splitName<[x: SDVariable, w: SDVariable, b?: SDVariable]>(args);
    return this.sameDiff.express(name, [x, w, b], (g, [input, weights, bias]) => g.add(g.mmul(input, weights), bias));
  }

  // --- How they are made ---

  private activation<Options extends readonly unknown[]>(
    Class: ActivationClass<Options>,
    args: Named<[x: SDVariable, ...options: Options]>,
  ): SDVariable {
    const [name, [x, ...options]] = splitName<[x: SDVariable, ...options: Options]>(args);
    const { kernel, params } = new Class(...options);
    return this.sameDiff.express(name, [x], (g, [node]) => g.activation(kernel, params, node));
  }

  private along(args: Named<[x: SDVariable, dimension?: number]>, f: (g: Graph, x: Node) => Node): SDVariable {
    const [name, [x, dimension = -1]] = splitName<[x: SDVariable, dimension?: number]>(args);
    return this.sameDiff.express(name, [x], (g, [node]) =>
      g.overLast(node, readAxes([dimension], node.shape.length, 'dimension'), (moved) => f(g, moved)),
    );
  }

  private of<Operands extends readonly SDVariable[]>(args: Named<Operands>, make: Expression<Operands>): SDVariable {
    return this.sameDiff.express(...splitName<Operands>(args), make);
  }
}
