// SPDX-License-Identifier: Apache-2.0
// Matrix products and column sums on the native kernels; shapes and dtypes have been checked by the callers.
import type { MatrixView, TypedArray } from './array-input';
import { check, native, slots, writeDtypes } from './native';
import { type GemmCall, setGemm } from './ndarray/ndarray';
import type { Output } from './outputs';

/** A factor of a product, or its transpose. */
export interface Factor {
  readonly matrix: MatrixView;
  readonly transpose: boolean;
}

function run(call: GemmCall, bias: TypedArray | undefined): void {
  const block = native.block;
  block[slots.m] = call.m;
  block[slots.n] = call.n;
  block[slots.k] = call.k;
  block[slots.lda] = call.lda;
  block[slots.ldb] = call.ldb;
  block[slots.ldc] = call.ldc;
  block[slots.transposeA] = call.transposeA ? 1 : 0;
  block[slots.transposeB] = call.transposeB ? 1 : 0;
  writeDtypes(call.a, call.b, call.c, bias);
  check(native.gemm(call.a, call.b, call.c, bias));
}

/** out = a b + bias. */
export function gemm(a: Factor, b: Factor, out: Pick<Output, 'data' | 'rowStride'>, bias?: TypedArray): void {
  const call: GemmCall = {
    m: a.transpose ? a.matrix.cols : a.matrix.rows,
    k: a.transpose ? a.matrix.rows : a.matrix.cols,
    n: b.transpose ? b.matrix.rows : b.matrix.cols,
    a: a.matrix.data as Float32Array,
    lda: a.matrix.rowStride,
    transposeA: a.transpose,
    b: b.matrix.data as Float32Array,
    ldb: b.matrix.rowStride,
    transposeB: b.transpose,
    c: out.data as Float32Array,
    ldc: out.rowStride,
  };
  run(call, bias);
}

/** The sums of each column of x. */
export function columnSums(x: MatrixView, out: TypedArray): void {
  const block = native.block;
  block[slots.rows] = x.rows;
  block[slots.cols] = x.cols;
  block[slots.inputStride] = x.rowStride;
  writeDtypes(x.data, out);
  check(native.columnSums(x.data, out));
}

// NDArray.mmul of float arrays runs on the kernels too.
setGemm((call) => run(call, undefined));
