// SPDX-License-Identifier: Apache-2.0
import type { Shape } from '../array-input';
import { dtypeError, optionError, shapeError } from '../errors';
import { isComparison, label, type Node } from './graph';
import { publicShape, readAxes } from './shapes';
import { type AxesArguments, type Expression, type Named, SDVariable, splitName, type Term } from './variable';

/** Methods of variables that make variables. */
export type Method = {
  [K in keyof SDVariable]: SDVariable[K] extends (...args: never) => SDVariable ? K : never;
}[keyof SDVariable];

/**
 * The operations that a graph itself has: methods of variables as functions, with a name for the result standing first if
 * there is one.
 *
 * @example
 * ```ts
 * import { SameDiff } from 'simdloss';
 * const sd = SameDiff.create();
 * const x = sd.constant('x', [[1, 2], [3, 4]]);
 * sd.max(x, 1).eval().toArray(); // [2, 4]
 * sd.where(x, 0, x.gt(2)).eval().toArray(); // [[0, 0], [3, 4]]
 * ```
 * @see ND4J `org.nd4j.autodiff.samediff.ops.SDBaseOps`
 */
export abstract class SDBaseOps {
  /** @internal The node of an operand, which `name` stands for in errors. */
  abstract nodeOf(term: Term, name?: string): Node;

  /** @internal A variable for an expression of operands. */
  abstract express<const Operands extends readonly Term[]>(
    name: string | undefined,
    operands: Operands,
    make: Expression<Operands>,
  ): SDVariable;

  /** @internal A method of the first operand, before which the result's name may stand. */
  call(method: Method, args: readonly unknown[]): SDVariable {
    const [name, [x, ...rest]] = splitName<[x: SDVariable, ...rest: unknown[]]>(args as [SDVariable]);
    if (!(x instanceof SDVariable)) throw dtypeError(method, 'a variable', x);
    this.nodeOf(x, method);
    return (x[method] as (...args: unknown[]) => SDVariable)(...(name === undefined ? rest : [name, ...rest]));
  }

  // --- Over axes ---

  /**
   * The sum over axes.
   *
   * @param args a name, which may be left out; x; axes, negative ones from the end, none for all; `{ keepDims: true }`
   * keeps them with size 1
   * @returns a variable without the axes
   * @throws RangeError ERR_RANGE for an axis that x lacks; TypeError ERR_DTYPE for no variable, ERR_OPTION for a name that
   * is taken or a variable of another graph
   * @example
   * ```ts
   * import { SameDiff } from 'simdloss';
   * const sd = SameDiff.create();
   * sd.sum(sd.constant('x', [[1, 2], [3, 4]]), 0).eval().toArray(); // [4, 6]
   * ```
   */
  sum(...args: Named<[x: SDVariable, ...axes: AxesArguments]>): SDVariable {
    return this.call('sum', args);
  }

  /** The mean over axes; otherwise as `sum`. */
  mean(...args: Named<[x: SDVariable, ...axes: AxesArguments]>): SDVariable {
    return this.call('mean', args);
  }

  /** The largest element over axes, or of a variable and another one the larger of both; otherwise as `sum`. */
  max(...args: Named<[x: SDVariable, ...axes: AxesArguments] | [x: SDVariable, y: SDVariable]>): SDVariable {
    return this.extreme('max', args);
  }

  /** The smallest element over axes, or of a variable and another one the smaller of both; otherwise as `sum`. */
  min(...args: Named<[x: SDVariable, ...axes: AxesArguments] | [x: SDVariable, y: SDVariable]>): SDVariable {
    return this.extreme('min', args);
  }

  /** The sum of magnitudes over axes; otherwise as `sum`. */
  norm1(...args: Named<[x: SDVariable, ...axes: AxesArguments]>): SDVariable {
    return this.call('norm1', args);
  }

  /** The Euclidean norm over axes; otherwise as `sum`. */
  norm2(...args: Named<[x: SDVariable, ...axes: AxesArguments]>): SDVariable {
    return this.call('norm2', args);
  }

  // --- Of two, which broadcast: 1 or 0 ---

  /**
   * `x < y`, 1 or 0, without a gradient.
   *
   * @param args a name, which may be left out; x; y, a variable or a number
   * @returns a variable of the shape that both broadcast to
   * @throws RangeError ERR_SHAPE for shapes that do not broadcast; TypeError as `sum`
   * @example
   * ```ts
   * import { SameDiff } from 'simdloss';
   * const sd = SameDiff.create();
   * sd.lt(sd.constant('x', [1, 2]), 2).eval().toArray(); // [1, 0]
   * ```
   */
  lt(...args: Named<[x: SDVariable, y: Term]>): SDVariable {
    return this.call('lt', args);
  }

  /** `x <= y`; otherwise as `lt`. */
  lte(...args: Named<[x: SDVariable, y: Term]>): SDVariable {
    return this.call('lte', args);
  }

  /** `x > y`; otherwise as `lt`. */
  gt(...args: Named<[x: SDVariable, y: Term]>): SDVariable {
    return this.call('gt', args);
  }

  /** `x >= y`; otherwise as `lt`. */
  gte(...args: Named<[x: SDVariable, y: Term]>): SDVariable {
    return this.call('gte', args);
  }

  /** `x == y`; otherwise as `lt`. */
  eq(...args: Named<[x: SDVariable, y: Term]>): SDVariable {
    return this.call('eq', args);
  }

  /** `x != y`; otherwise as `lt`. */
  neq(...args: Named<[x: SDVariable, y: Term]>): SDVariable {
    return this.call('neq', args);
  }

  /**
   * The elements of x where the condition is not 0, else those of y. Neither is multiplied: what is not taken may be NaN.
   *
   * The condition stands last, as in ND4J; in NumPy it stands first.
   *
   * @param args a name, which may be left out; x, y and condition, variables or numbers that broadcast
   * @returns a variable of the shape that all three broadcast to
   * @throws RangeError ERR_SHAPE for shapes that do not broadcast; TypeError ERR_OPTION for a comparison that stands first,
   * unless a comparison stands last; otherwise as `sum`
   * @example
   * ```ts
   * import { SameDiff } from 'simdloss';
   * const sd = SameDiff.create();
   * const x = sd.constant('x', [0, 1]);
   * sd.where(5, x, x.eq(0)).eval().toArray(); // [5, 1]
   * ```
   */
  where(...args: Named<[x: Term, y: Term, condition: Term]>): SDVariable {
    const [name, operands] = splitName<[x: Term, y: Term, condition: Term]>(args);
    return this.express(name, operands, (g, [x, y, condition]) => {
      if (isComparison(x) && !isComparison(condition)) {
        throw optionError('where', 'a comparison as condition, the last of x, y, condition', `${label(x)} as x`);
      }
      return g.select(condition, x, y);
    });
  }

  // --- Shapes ---

  /**
   * The matrix product.
   *
   * @param args a name, which may be left out; x, `[m, k]`; y, `[k, n]`
   * @returns a variable `[m, n]`
   * @throws RangeError ERR_SHAPE for other shapes; TypeError as `sum`
   * @example
   * ```ts
   * import { SameDiff } from 'simdloss';
   * const sd = SameDiff.create();
   * sd.mmul(sd.constant('x', [[1, 2]]), sd.constant('y', [[3], [4]])).eval().toArray(); // [[11]]
   * ```
   */
  mmul(...args: Named<[x: SDVariable, y: SDVariable]>): SDVariable {
    return this.call('mmul', args);
  }

  /**
   * x with its axes in reverse order, or in the order given.
   *
   * @param args a name, which may be left out; x; each of its axes once, or none
   * @returns a variable of the sizes in that order
   * @throws RangeError ERR_SHAPE for axes that are not all of x once; TypeError as `sum`
   * @example
   * ```ts
   * import { SameDiff } from 'simdloss';
   * const sd = SameDiff.create();
   * sd.transpose(sd.constant('x', [[1, 2]])).eval().toArray(); // [[1], [2]]
   * ```
   */
  transpose(...args: Named<[x: SDVariable, ...axes: number[]]>): SDVariable {
    return this.call('transpose', args);
  }

  /** The same as `transpose`. */
  permute(...args: Named<[x: SDVariable, ...axes: number[]]>): SDVariable {
    return this.call('permute', args);
  }

  /**
   * The elements of x in row-major order in another shape.
   *
   * @param args a name, which may be left out; x; the sizes, one of which may be -1: what is left
   * @returns a variable of that shape
   * @throws RangeError ERR_SHAPE for a shape of another number of elements; TypeError as `sum`
   * @example
   * ```ts
   * import { SameDiff } from 'simdloss';
   * const sd = SameDiff.create();
   * sd.reshape(sd.constant('x', [1, 2]), 2, 1).eval().toArray(); // [[1], [2]]
   * ```
   */
  reshape(...args: Named<[x: SDVariable, ...shape: number[]] | [x: SDVariable, shape: Shape]>): SDVariable {
    return this.call('reshape', args);
  }

  /**
   * x with an axis of size 1 more.
   *
   * @param args a name, which may be left out; x; where the axis will be, from the end if it is negative
   * @returns a variable of one axis more
   * @throws RangeError ERR_RANGE for an axis that can't be; TypeError as `sum`
   * @example
   * ```ts
   * import { SameDiff } from 'simdloss';
   * const sd = SameDiff.create();
   * sd.expandDims(sd.constant('x', [1, 2]), 1).shape; // [2, 1]
   * ```
   */
  expandDims(...args: Named<[x: SDVariable, axis: number]>): SDVariable {
    const [name, [x, axis]] = splitName<[x: SDVariable, axis: number]>(args);
    return this.express(name, [x], (g, [node]) => g.expandDims(node, readAxes([axis], node.shape.length + 1, 'axis')));
  }

  /**
   * x without an axis of size 1.
   *
   * @param args a name, which may be left out; x; the axis, from the end if it is negative
   * @returns a variable of one axis less
   * @throws RangeError ERR_RANGE for an axis that x lacks, ERR_SHAPE for one of another size; TypeError as `sum`
   * @example
   * ```ts
   * import { SameDiff } from 'simdloss';
   * const sd = SameDiff.create();
   * sd.squeeze(sd.constant('x', [[1, 2]]), 0).shape; // [2]
   * ```
   */
  squeeze(...args: Named<[x: SDVariable, axis: number]>): SDVariable {
    const [name, [x, axis]] = splitName<[x: SDVariable, axis: number]>(args);
    return this.express(name, [x], (g, [node]) => {
      const axes = readAxes([axis], node.shape.length, 'axis');
      const size = node.shape[axes[0] as number];
      if (size !== 1) throw shapeError(`squeeze of ${label(node)}`, `axis ${axis} of size 1`, publicShape(node.shape));
      return g.squeeze(node, axes);
    });
  }

  private extreme(op: 'max' | 'min', args: readonly unknown[]): SDVariable {
    const [name, operands] = splitName<[x: SDVariable, y: SDVariable]>(args as [SDVariable, SDVariable]);
    if (!(operands[1] instanceof SDVariable)) return this.call(op, args);
    return this.express(name, operands, (g, [x, y]) => g[op](x, y));
  }
}
