// SPDX-License-Identifier: Apache-2.0
// The exports of binding/wasm/exports.cc, and the module's memory.

/** Of the language's own WebAssembly object, what is used here. */
declare const WebAssembly: {
  Module: new (bytes: Uint8Array<ArrayBuffer>) => object;
  Instance: new (module: object, imports: object) => { readonly exports: unknown };
};

/** An address in the module's memory; 0 is none. */
export type Address = number;
/** 0 is OK, else native/status.h. */
export type StatusCode = number;
/** 1: nothing is run, the spans tell which memory the call would touch. */
export type Measures = 0 | 1;

export interface Exports {
  readonly memory: { readonly buffer: ArrayBuffer };
  _initialize(): void;
  block(): Address;
  spans(): Address;
  names(): Address;
  allocate(bytes: number): Address;
  release(memory: Address): void;
  loss(measures: Measures): StatusCode;
  activation(measures: Measures): StatusCode;
  preluParameterGradient(measures: Measures): StatusCode;
  gemm(measures: Measures): StatusCode;
  columnSums(measures: Measures): StatusCode;
  linearCrossEntropy(measures: Measures): StatusCode;
  ctcLoss(measures: Measures): StatusCode;
  createProgram(code: Address, size: number, constants: Address, count: number): Address;
  releaseProgram(program: Address): void;
  runProgram(program: Address, frame: Address, length: number, measures: Measures): StatusCode;
  packOutput(program: Address, frame: Address, length: number): boolean | number;
  beginLoss(): Address;
  beginProgram(program: Address, frame: Address, length: number): Address;
  step(slices: Address): boolean | number;
  finish(slices: Address): StatusCode;
  target(): number;
  forceTarget(target: number): boolean | number;
}

/** The C library's way to print, which nothing here does: "no such function". */
const noSystem = () => 52;
const imports = { wasi_snapshot_preview1: { fd_close: noSystem, fd_seek: noSystem, fd_write: noSystem } };

/** Compiled at once, without a turn of the event loop: the library is ready when its import is. */
export function instantiate(bytes: Uint8Array<ArrayBuffer>): Exports {
  const { exports } = new WebAssembly.Instance(new WebAssembly.Module(bytes), imports);
  (exports as Exports)._initialize();
  return exports as Exports;
}

/** What can't be had: as much as the module's memory ever holds. */
const MOST_BYTES = 2 ** 32 - 2 ** 16;

/** The module's memory. Views of it are gone when it grows: they are made anew, and never kept by others. */
export class Heap {
  private bytesView = new Uint8Array(0);
  private wordsView = new Uint32Array(0);
  private doublesView = new Float64Array(0);

  constructor(private readonly exports: Exports) {}

  get bytes(): Uint8Array {
    this.refresh();
    return this.bytesView;
  }

  get words(): Uint32Array {
    this.refresh();
    return this.wordsView;
  }

  get doubles(): Float64Array {
    this.refresh();
    return this.doublesView;
  }

  /** Memory on a 64-byte boundary; 0 where there is none. */
  allocate(bytes: number): Address {
    // Of no bytes, libraries may give none.
    return bytes > MOST_BYTES ? 0 : this.exports.allocate(Math.max(bytes, 1)) >>> 0;
  }

  release(memory: Address): void {
    this.exports.release(memory);
  }

  /** Characters of one byte up to a zero. */
  text(from: Address): string {
    const { bytes } = this;
    let text = '';
    for (let at = from; bytes[at] !== 0; at++) text += String.fromCharCode(bytes[at] as number);
    return text;
  }

  private refresh(): void {
    const { buffer } = this.exports.memory;
    if (this.bytesView.buffer === buffer) return;
    this.bytesView = new Uint8Array(buffer);
    this.wordsView = new Uint32Array(buffer);
    this.doublesView = new Float64Array(buffer);
  }
}

/** Memory that one call after the other uses: as large as the largest of them needed, but for very large ones. */
export class Arena {
  private memory: Address = 0;
  private size = 0;

  /** Kept between calls, at most. */
  private static readonly MOST_KEPT = 64 * 2 ** 20;

  constructor(private readonly heap: Heap) {}

  /** At least so many bytes, whose contents are lost by the next call; 0 where there is no memory. */
  take(bytes: number): Address {
    if (bytes > this.size || this.memory === 0) {
      this.drop();
      this.memory = this.heap.allocate(bytes);
      this.size = this.memory === 0 ? 0 : bytes;
    }
    return this.memory;
  }

  /** The call has ended. */
  trim(): void {
    if (this.size > Arena.MOST_KEPT) this.drop();
  }

  private drop(): void {
    if (this.memory !== 0) this.heap.release(this.memory);
    this.memory = 0;
    this.size = 0;
  }
}
