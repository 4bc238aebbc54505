// SPDX-License-Identifier: Apache-2.0
import type { ArrayInput } from '../array-input';
import { shapeError } from '../errors';
import { NDArray } from './ndarray';
import type { BinaryOp } from './strided';

/** `f` of each element; `toFloat`: whole numbers give float32. */
function unary(name: string, x: ArrayInput, dup: boolean, toFloat: boolean, f: (x: number) => number): NDArray {
  return NDArray.from(x, name).map(name, f, toFloat, dup);
}

function binary(name: string, op: BinaryOp, x: ArrayInput, other: ArrayInput | number, dup: boolean): NDArray {
  const array = NDArray.from(x, name);
  return dup ? array.binary(name, op, other) : array.binaryInPlace(name, op, other);
}

/**
 * Absolute values.
 *
 * Formula: `y = |x|`
 *
 * @param x an array of any shape and dtype
 * @param dup false: write to x itself and return it; true, as if not given: a new array
 * @returns an array of x's shape and dtype
 * @throws TypeError ERR_DTYPE for what is no array; RangeError ERR_BUFFER for detached memory
 * @example
 * ```ts
 * import { nd, Transforms } from 'simdloss';
 * Transforms.abs(nd.array([-1, 2])).toArray(); // [1, 2]
 * ```
 * @see ND4J `Transforms.abs`
 */
function abs(x: ArrayInput, dup = true): NDArray {
  return unary('abs', x, dup, false, Math.abs);
}

/**
 * Negatives.
 *
 * Formula: `y = -x`
 *
 * @param x an array of any shape and dtype
 * @param dup false: write to x itself and return it; true, as if not given: a new array
 * @returns an array of x's shape and dtype
 * @throws TypeError ERR_DTYPE for what is no array; RangeError ERR_BUFFER for detached memory
 * @example
 * ```ts
 * import { nd, Transforms } from 'simdloss';
 * Transforms.neg(nd.array([-1, 2])).toArray(); // [1, -2]
 * ```
 * @see ND4J `Transforms.neg`
 */
function neg(x: ArrayInput, dup = true): NDArray {
  return binary('neg', 'mul', x, -1, dup);
}

/**
 * Signs.
 *
 * Formula: `y = 1` for `x > 0`, `-1` for `x < 0`, x itself for 0 and NaN
 *
 * @param x an array of any shape and dtype
 * @param dup false: write to x itself and return it; true, as if not given: a new array
 * @returns an array of x's shape and dtype
 * @throws TypeError ERR_DTYPE for what is no array; RangeError ERR_BUFFER for detached memory
 * @example
 * ```ts
 * import { nd, Transforms } from 'simdloss';
 * Transforms.sign(nd.array([-3, 0, 2])).toArray(); // [-1, 0, 1]
 * ```
 * @see ND4J `Transforms.sign`
 */
function sign(x: ArrayInput, dup = true): NDArray {
  return unary('sign', x, dup, false, Math.sign);
}

/**
 * The nearest whole numbers below.
 *
 * Formula: `y = floor(x)`
 *
 * @param x an array of any shape and dtype
 * @param dup false: write to x itself and return it; true, as if not given: a new array
 * @returns an array of x's shape and dtype
 * @throws TypeError ERR_DTYPE for what is no array; RangeError ERR_BUFFER for detached memory
 * @example
 * ```ts
 * import { nd, Transforms } from 'simdloss';
 * Transforms.floor(nd.array([-1.5, 1.5])).toArray(); // [-2, 1]
 * ```
 * @see ND4J `Transforms.floor`
 */
function floor(x: ArrayInput, dup = true): NDArray {
  return unary('floor', x, dup, false, Math.floor);
}

/**
 * The nearest whole numbers above.
 *
 * Formula: `y = ceil(x)`
 *
 * @param x an array of any shape and dtype
 * @param dup false: write to x itself and return it; true, as if not given: a new array
 * @returns an array of x's shape and dtype
 * @throws TypeError ERR_DTYPE for what is no array; RangeError ERR_BUFFER for detached memory
 * @example
 * ```ts
 * import { nd, Transforms } from 'simdloss';
 * Transforms.ceil(nd.array([-1.5, 1.5])).toArray(); // [-1, 2]
 * ```
 * @see ND4J `Transforms.ceil`
 */
function ceil(x: ArrayInput, dup = true): NDArray {
  return unary('ceil', x, dup, false, Math.ceil);
}

/**
 * The nearest whole numbers, halves away from 0.
 *
 * Formula: `y = sign(x) floor(|x| + 1/2)`
 *
 * @param x an array of any shape and dtype
 * @param dup false: write to x itself and return it; true, as if not given: a new array
 * @returns an array of x's shape and dtype
 * @throws TypeError ERR_DTYPE for what is no array; RangeError ERR_BUFFER for detached memory
 * @example
 * ```ts
 * import { nd, Transforms } from 'simdloss';
 * Transforms.round(nd.array([-1.5, 0.4, 2.5])).toArray(); // [-2, 0, 3]
 * ```
 * @see ND4J `Transforms.round`; C `round`
 */
function round(x: ArrayInput, dup = true): NDArray {
  return unary('round', x, dup, false, (v) => {
    // Not floor(|v| + 1/2), whose sum rounds up below 1/2.
    const whole = Math.trunc(v);
    return Math.abs(v - whole) >= 0.5 ? whole + Math.sign(v) : whole;
  });
}

/**
 * Square roots.
 *
 * Formula: `y = sqrt(x)`, NaN for x below 0
 *
 * @param x an array of any shape and dtype
 * @param dup false: write to x itself and return it; true, as if not given: a new array
 * @returns an array of x's shape and dtype, float32 for whole numbers
 * @throws TypeError ERR_DTYPE for what is no array, or whole numbers in place; RangeError ERR_BUFFER for detached memory
 * @example
 * ```ts
 * import { nd, Transforms } from 'simdloss';
 * Transforms.sqrt(nd.array([4, 9])).toArray(); // [2, 3]
 * ```
 * @see ND4J `Transforms.sqrt`
 */
function sqrt(x: ArrayInput, dup = true): NDArray {
  return unary('sqrt', x, dup, true, Math.sqrt);
}

/**
 * Powers of e.
 *
 * Formula: `y = e^x`
 *
 * @param x an array of any shape and dtype
 * @param dup false: write to x itself and return it; true, as if not given: a new array
 * @returns an array of x's shape and dtype, float32 for whole numbers
 * @throws TypeError ERR_DTYPE for what is no array, or whole numbers in place; RangeError ERR_BUFFER for detached memory
 * @example
 * ```ts
 * import { nd, Transforms } from 'simdloss';
 * Transforms.exp(nd.array([0, 1])).toArray(); // [1, 2.718...]
 * ```
 * @see ND4J `Transforms.exp`
 */
function exp(x: ArrayInput, dup = true): NDArray {
  return unary('exp', x, dup, true, Math.exp);
}

/**
 * Powers of e less 1, exact near 0.
 *
 * Formula: `y = e^x - 1`
 *
 * @param x an array of any shape and dtype
 * @param dup false: write to x itself and return it; true, as if not given: a new array
 * @returns an array of x's shape and dtype, float32 for whole numbers
 * @throws TypeError ERR_DTYPE for what is no array, or whole numbers in place; RangeError ERR_BUFFER for detached memory
 * @example
 * ```ts
 * import { nd, Transforms } from 'simdloss';
 * Transforms.expm1(nd.array([0, 1])).toArray(); // [0, 1.718...]
 * ```
 * @see ND4J `Transforms.expm1`
 */
function expm1(x: ArrayInput, dup = true): NDArray {
  return unary('expm1', x, dup, true, Math.expm1);
}

/**
 * Natural logarithms.
 *
 * Formula: `y = log x`, -Infinity for 0, NaN below
 *
 * @param x an array of any shape and dtype
 * @param dup false: write to x itself and return it; true, as if not given: a new array
 * @returns an array of x's shape and dtype, float32 for whole numbers
 * @throws TypeError ERR_DTYPE for what is no array, or whole numbers in place; RangeError ERR_BUFFER for detached memory
 * @example
 * ```ts
 * import { nd, Transforms } from 'simdloss';
 * Transforms.log(nd.array([1, 2])).toArray(); // [0, 0.693...]
 * ```
 * @see ND4J `Transforms.log`
 */
function log(x: ArrayInput, dup = true): NDArray {
  return unary('log', x, dup, true, Math.log);
}

/**
 * Natural logarithms of 1 more, exact near 0.
 *
 * Formula: `y = log(1 + x)`
 *
 * @param x an array of any shape and dtype
 * @param dup false: write to x itself and return it; true, as if not given: a new array
 * @returns an array of x's shape and dtype, float32 for whole numbers
 * @throws TypeError ERR_DTYPE for what is no array, or whole numbers in place; RangeError ERR_BUFFER for detached memory
 * @example
 * ```ts
 * import { nd, Transforms } from 'simdloss';
 * Transforms.log1p(nd.array([0, 1])).toArray(); // [0, 0.693...]
 * ```
 * @see ND4J `Transforms.log1p`
 */
function log1p(x: ArrayInput, dup = true): NDArray {
  return unary('log1p', x, dup, true, Math.log1p);
}

/**
 * Logistic sigmoids.
 *
 * Formula: `y = 1 / (1 + e^-x)`
 *
 * @param x an array of any shape and dtype
 * @param dup false: write to x itself and return it; true, as if not given: a new array
 * @returns an array of x's shape and dtype, float32 for whole numbers
 * @throws TypeError ERR_DTYPE for what is no array, or whole numbers in place; RangeError ERR_BUFFER for detached memory
 * @example
 * ```ts
 * import { nd, Transforms } from 'simdloss';
 * Transforms.sigmoid(nd.array([0, 2])).toArray(); // [0.5, 0.880...]
 * ```
 * @see ND4J `Transforms.sigmoid`
 */
function sigmoid(x: ArrayInput, dup = true): NDArray {
  return unary('sigmoid', x, dup, true, (v) => {
    // e^-|x| never overflows: sigmoid(-x) = e^-x / (1 + e^-x).
    const e = Math.exp(-Math.abs(v));
    return v >= 0 ? 1 / (1 + e) : e / (1 + e);
  });
}

/**
 * Hyperbolic tangents.
 *
 * Formula: `y = tanh x`
 *
 * @param x an array of any shape and dtype
 * @param dup false: write to x itself and return it; true, as if not given: a new array
 * @returns an array of x's shape and dtype, float32 for whole numbers
 * @throws TypeError ERR_DTYPE for what is no array, or whole numbers in place; RangeError ERR_BUFFER for detached memory
 * @example
 * ```ts
 * import { nd, Transforms } from 'simdloss';
 * Transforms.tanh(nd.array([0, 2])).toArray(); // [0, 0.964...]
 * ```
 * @see ND4J `Transforms.tanh`
 */
function tanh(x: ArrayInput, dup = true): NDArray {
  return unary('tanh', x, dup, true, Math.tanh);
}

/**
 * Smooth ramps.
 *
 * Formula: `y = log(1 + e^x)`
 *
 * @param x an array of any shape and dtype
 * @param dup false: write to x itself and return it; true, as if not given: a new array
 * @returns an array of x's shape and dtype, float32 for whole numbers
 * @throws TypeError ERR_DTYPE for what is no array, or whole numbers in place; RangeError ERR_BUFFER for detached memory
 * @example
 * ```ts
 * import { nd, Transforms } from 'simdloss';
 * Transforms.softplus(nd.array([0, 1000])).toArray(); // [0.693..., 1000]
 * ```
 * @see ND4J `Transforms.softPlus`
 */
function softplus(x: ArrayInput, dup = true): NDArray {
  // log(1 + e^x) = max(x, 0) + log(1 + e^-|x|), which never overflows.
  return unary('softplus', x, dup, true, (v) => Math.max(v, 0) + Math.log1p(Math.exp(-Math.abs(v))));
}

/**
 * Ramps.
 *
 * Formula: `y = max(x, 0)`
 *
 * @param x an array of any shape and dtype
 * @param dup false: write to x itself and return it; true, as if not given: a new array
 * @returns an array of x's shape and dtype
 * @throws TypeError ERR_DTYPE for what is no array; RangeError ERR_BUFFER for detached memory
 * @example
 * ```ts
 * import { nd, Transforms } from 'simdloss';
 * Transforms.relu(nd.array([-1, 2])).toArray(); // [0, 2]
 * ```
 * @see ND4J `Transforms.relu`
 */
function relu(x: ArrayInput, dup = true): NDArray {
  return binary('relu', 'max', x, 0, dup);
}

/**
 * Softmax over the last axis.
 *
 * Formula: `y_k = e^(x_k) / sum_j e^(x_j)`; an element of -Infinity is 0, a row with Infinity or of -Infinity alone NaN
 *
 * @param x an array of rank 1 or more, of any dtype; each row of the last axis by itself
 * @param dup false: write to x itself and return it; true, as if not given: a new array
 * @returns an array of x's shape and dtype, float32 for whole numbers
 * @throws RangeError ERR_SHAPE for rank 0, ERR_BUFFER for detached memory; TypeError ERR_DTYPE for what is no array, or
 * whole numbers in place
 * @example
 * ```ts
 * import { nd, Transforms } from 'simdloss';
 * Transforms.softmax(nd.array([[0, 0], [1000, 0]])).toArray(); // [[0.5, 0.5], [1, 0]]
 * ```
 * @see ND4J `Transforms.softmax`; PyTorch `softmax(dim=-1)`
 */
function softmax(x: ArrayInput, dup = true): NDArray {
  const array = NDArray.from(x, 'softmax');
  if (array.rank === 0) throw shapeError('softmax', 'an array of rank 1 or more', array.shape);
  // In float64 between, rounded once at the end. Less the largest element nothing overflows.
  const rows = array.castTo('float64');
  const powers = array.size(-1) === 0 ? rows : exp(rows.sub(rows.max(-1, { keepDims: true })), false);
  const result = powers.div(powers.sum(-1, { keepDims: true }));
  return dup ? result.castTo(array.dtype === 'float64' ? 'float64' : 'float32') : array.assignFloats('softmax', result);
}

/**
 * Powers.
 *
 * Formula: `y = x^exponent`
 *
 * @param x an array of any shape and dtype
 * @param exponent a number, or an array that broadcasts with x
 * @param dup false: write to x itself and return it; true, as if not given: a new array
 * @returns an array of the common shape and dtype, float32 for whole numbers
 * @throws RangeError ERR_SHAPE for shapes that do not broadcast, ERR_BUFFER for detached memory; TypeError ERR_DTYPE for
 * what is no array, or whole numbers in place
 * @example
 * ```ts
 * import { nd, Transforms } from 'simdloss';
 * Transforms.pow(nd.array([2, 3]), 2).toArray(); // [4, 9]
 * ```
 * @see ND4J `Transforms.pow`
 */
function pow(x: ArrayInput, exponent: ArrayInput | number, dup = true): NDArray {
  return binary('pow', 'pow', x, exponent, dup);
}

/**
 * The larger of two, elementwise.
 *
 * Formula: `y = max(x, other)`, NaN where either is
 *
 * @param x an array of any shape and dtype
 * @param other a number, or an array that broadcasts with x
 * @param dup false: write to x itself and return it; true, as if not given: a new array
 * @returns an array of the common shape and dtype
 * @throws RangeError ERR_SHAPE for shapes that do not broadcast, ERR_BUFFER for detached memory; TypeError ERR_DTYPE
 * @example
 * ```ts
 * import { nd, Transforms } from 'simdloss';
 * Transforms.max(nd.array([-1, 2]), 0).toArray(); // [0, 2]
 * ```
 * @see ND4J `Transforms.max`
 */
function max(x: ArrayInput, other: ArrayInput | number, dup = true): NDArray {
  return binary('max', 'max', x, other, dup);
}

/**
 * The smaller of two, elementwise.
 *
 * Formula: `y = min(x, other)`, NaN where either is
 *
 * @param x an array of any shape and dtype
 * @param other a number, or an array that broadcasts with x
 * @param dup false: write to x itself and return it; true, as if not given: a new array
 * @returns an array of the common shape and dtype
 * @throws RangeError ERR_SHAPE for shapes that do not broadcast, ERR_BUFFER for detached memory; TypeError ERR_DTYPE
 * @example
 * ```ts
 * import { nd, Transforms } from 'simdloss';
 * const error = Transforms.abs(nd.array([0.5, 3]));
 * Transforms.min(error, 1).toArray(); // [0.5, 1]: the quadratic part of a Huber loss
 * ```
 * @see ND4J `Transforms.min`
 */
function min(x: ArrayInput, other: ArrayInput | number, dup = true): NDArray {
  return binary('min', 'min', x, other, dup);
}

/**
 * Limited to a range.
 *
 * Formula: `y = min(max(x, low), high)`, NaN stays NaN
 *
 * @param x an array of any shape and dtype
 * @param low a number, or an array that broadcasts with x
 * @param high a number, or an array that broadcasts with x; it wins where it is below low
 * @param dup false: write to x itself and return it; true, as if not given: a new array
 * @returns an array of the common shape and dtype
 * @throws RangeError ERR_SHAPE for shapes that do not broadcast, ERR_BUFFER for detached memory; TypeError ERR_DTYPE
 * @example
 * ```ts
 * import { nd, Transforms } from 'simdloss';
 * Transforms.clip(nd.array([-2, 0.5, 3]), -1, 1).toArray(); // [-1, 0.5, 1]
 * ```
 * @see ND4J `org.nd4j.linalg.api.ops.impl.transforms.custom.ClipByValue`; NumPy `clip`
 */
function clip(x: ArrayInput, low: ArrayInput | number, high: ArrayInput | number, dup = true): NDArray {
  // Both limits are read before anything is written.
  const clipped = min(max(x, low), high);
  return dup ? clipped : NDArray.from(x, 'clip').assignFloats('clip', clipped);
}

/**
 * Elementwise functions of arrays, for losses of one's own.
 *
 * Formula: of each function, in its own description. Each computes in float64 and rounds once, to the array's dtype.
 *
 * @example
 * ```ts
 * import { nd, Transforms } from 'simdloss';
 * const difference = nd.array([[1, 4]]).sub([[0.5, 1]]);
 * const error = Transforms.abs(difference);
 * const quadratic = Transforms.min(error, 1);
 * quadratic.mul(quadratic).mul(0.5).add(error.sub(quadratic)).sumNumber(); // 2.625, the Huber loss
 * ```
 * @see ND4J `org.nd4j.linalg.ops.transforms.Transforms`
 */
export const Transforms = {
  abs,
  neg,
  sign,
  floor,
  ceil,
  round,
  sqrt,
  exp,
  expm1,
  log,
  log1p,
  sigmoid,
  tanh,
  softplus,
  relu,
  softmax,
  pow,
  max,
  min,
  clip,
} as const;
