// SPDX-License-Identifier: Apache-2.0
// The arrays of a call in the module's memory: what JavaScript says of them, copies of what the call touches.
import type { TypedArray } from '../array-input';
import type { Address, Heap } from './module';

// The getters themselves: a property of the caller's own, or a subclass, can't stand in for them.
const prototype: object = Object.getPrototypeOf(Uint8Array.prototype);
const getter = (name: string) => Object.getOwnPropertyDescriptor(prototype, name)?.get as (this: unknown) => unknown;
const lengthGetter = getter('length');
const bufferGetter = getter('buffer');
const byteOffsetGetter = getter('byteOffset');

/** Elements of an array; 0 where its memory is gone. */
export const lengthOf = (array: TypedArray): number => lengthGetter.call(array) as number;

/** Memory of an array: bytes begin .. end from its first. */
export function bytesOf(array: TypedArray, begin: number, end: number): Uint8Array {
  const offset = byteOffsetGetter.call(array) as number;
  return new Uint8Array(bufferGetter.call(array) as ArrayBuffer, offset + begin, end - begin);
}

/** The layout of `Span` (binding/arguments.h), in words of 4 bytes. */
const SPAN = { data: 0, length: 1, dtype: 2, uses: 3, extent: 4, words: 5 };
const READS = 1;
const WRITES = 2;
const MOST_WORD = 2 ** 32 - 1;
/** Of copies, as the kernels' vectors like it. */
const ALIGNMENT = 64;

/** An array of a call: none where dtype is 0. */
export interface Passed {
  readonly length: number;
  readonly dtype: number;
}

/** What a call touches of an array. */
export interface Part {
  /** Which array of the call. */
  readonly index: number;
  /** From the array's first element on. */
  readonly bytes: number;
  /** Where its copy is, from the first one on. */
  readonly offset: number;
  readonly reads: boolean;
  readonly writes: boolean;
}

/** All that a call touches, and the memory of the copies. */
export interface Layout {
  readonly parts: readonly Part[];
  readonly bytes: number;
}

export class Spans {
  /** How many were written last. */
  private written = 0;

  constructor(
    private readonly heap: Heap,
    private readonly address: Address,
    private readonly sizes: readonly number[],
  ) {}

  /** Says what arrays there are; their copies' places are not known yet. */
  write(arrays: readonly Passed[]): void {
    const { words } = this.heap;
    const first = this.address / 4;
    // What was there before must not be taken for an array.
    words.fill(0, first, first + this.written * SPAN.words);
    this.written = arrays.length;
    for (const [i, { length, dtype }] of arrays.entries()) {
      const at = first + i * SPAN.words;
      // Any address but 0, which is that of no array.
      words[at + SPAN.data] = ALIGNMENT;
      words[at + SPAN.length] = Math.min(length, MOST_WORD);
      words[at + SPAN.dtype] = dtype;
    }
  }

  /** What a call that measured would touch, one after the other. */
  layout(arrays: readonly Passed[]): Layout {
    const { words } = this.heap;
    const parts: Part[] = [];
    let offset = 0;
    for (const [index, { dtype }] of arrays.entries()) {
      const at = this.address / 4 + index * SPAN.words;
      if (dtype === 0) continue;
      const uses = words[at + SPAN.uses] as number;
      const bytes = (words[at + SPAN.extent] as number) * (this.sizes[dtype] as number);
      parts.push({ index, bytes, offset, reads: (uses & READS) !== 0, writes: (uses & WRITES) !== 0 });
      offset += Math.ceil(bytes / ALIGNMENT) * ALIGNMENT;
    }
    return { parts, bytes: offset };
  }

  /** Says where the copies are. */
  place(parts: readonly Part[], memory: Address): void {
    const { words } = this.heap;
    for (const { index, offset } of parts) {
      words[this.address / 4 + index * SPAN.words + SPAN.data] = memory + offset;
    }
  }
}
