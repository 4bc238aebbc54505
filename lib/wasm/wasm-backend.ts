// SPDX-License-Identifier: Apache-2.0
// The addon's exports over the WebAssembly module: the same numbers in the block, copies of the arrays in its memory.
import { type Dtype, dtypeOf, type TypedArray } from '../array-input';
import type { AsyncCall, BoundCall, NativeAddon, Program, Result } from '../native';
import { Arena, type Exports, Heap, instantiate, type Measures, type StatusCode } from './module';
import { bytesOf, lengthOf, type Part, type Passed, Spans } from './spans';

type Optional = TypedArray | undefined;

const OUT_OF_MEMORY = 2;
const BAD_ARGUMENT = 3;
/** Spans of binding/wasm/exports.cc. */
const MOST_SPANS = 72;
/** A row that does not follow the last one costs as long as copying this many bytes. */
const BYTES_OF_MISS = 512;

/** A call with a block or frame of its own, which is run again and again. */
interface Kept {
  run(): Result;
}

interface ProgramHandle {
  readonly address: number;
}

/** A call off the event loop: copies of its inputs, its result, without gaps. */
interface Pending {
  readonly memory: number;
  readonly bytes: number;
  readonly inputs: readonly (Part & { done: number })[];
  /** The result: a part of the memory. */
  readonly output: { readonly address: number; readonly rows: number; readonly cols: number; readonly dtype: number };
  copiedOut: number;
  /** Begins the run: the address of its slices. */
  readonly begin: () => number;
  status: StatusCode;
  score: number;
  badRow: number;
  released: boolean;
}

type Tables = Record<'slots' | 'losses' | 'activations' | 'dtypes' | 'opcodes' | 'targets', Record<string, number>>;

function readNames(text: string): Tables {
  const tables: Tables = { slots: {}, losses: {}, activations: {}, dtypes: {}, opcodes: {}, targets: {} };
  for (const line of text.trim().split('\n')) {
    const [table, name, number] = line.split(' ') as [keyof Tables, string, string];
    tables[table][name] = Number(number);
  }
  return tables;
}

/** Each dtype's code by its name in JavaScript, and the bytes of an element by code. */
function readDtypes(dtypes: Record<string, number>): { codes: Record<Dtype, number>; sizes: number[] } {
  const codes: Record<string, number> = {};
  const sizes: number[] = [0];
  for (const [name, code] of Object.entries(dtypes)) {
    codes[name.toLowerCase()] = code;
    sizes[code] = Number(/\d+$/.exec(name)?.[0]) / 8;
  }
  codes['uint8c'] = codes['uint8'] as number;
  return { codes, sizes };
}

/** A backend over the module of these bytes. `nextTurn` lets the event loop turn between two slices of a call. */
export function wasmBackend(bytes: Uint8Array<ArrayBuffer>, nextTurn: () => Promise<unknown>): NativeAddon {
  const exports = instantiate(bytes);
  return new WasmBackend(exports, nextTurn).addon();
}

class WasmBackend {
  private readonly heap: Heap;
  private readonly arrays: Arena;
  private readonly frames: Arena;
  private readonly tables: Tables;
  private readonly codes: Record<Dtype, number>;
  private readonly sizes: readonly number[];
  private readonly spans: Spans;
  private readonly blockAt: number;
  /** What JavaScript writes; the module has a copy. */
  private readonly block: Float64Array;
  private readonly programs: FinalizationRegistry<number>;
  private threads = 0;
  private pending = 0;

  constructor(
    private readonly exports: Exports,
    private readonly nextTurn: () => Promise<unknown>,
  ) {
    this.heap = new Heap(exports);
    this.arrays = new Arena(this.heap);
    this.frames = new Arena(this.heap);
    this.tables = readNames(this.heap.text(exports.names()));
    const { codes, sizes } = readDtypes(this.tables.dtypes);
    this.codes = codes;
    this.sizes = sizes;
    this.spans = new Spans(this.heap, exports.spans(), MOST_SPANS, sizes);
    this.blockAt = exports.block() / 8;
    this.block = new Float64Array(Object.keys(this.tables.slots).length);
    this.programs = new FinalizationRegistry((program) => exports.releaseProgram(program));
  }

  addon(): NativeAddon {
    const { exports, tables } = this;
    const call =
      (entry: (measures: Measures) => StatusCode) =>
      (...arrays: readonly Optional[]): Result =>
        this.call(entry, arrays, this.block);
    return {
      block: this.block,
      slots: tables.slots as NativeAddon['slots'],
      losses: tables.losses as NativeAddon['losses'],
      activations: tables.activations as NativeAddon['activations'],
      dtypes: tables.dtypes,
      opcodes: tables.opcodes,
      loss: call(exports.loss),
      activation: call(exports.activation),
      preluParameterGradient: call(exports.preluParameterGradient),
      gemm: call(exports.gemm),
      columnSums: call(exports.columnSums),
      linearCrossEntropy: call(exports.linearCrossEntropy),
      ctcLoss: call(exports.ctcLoss),
      bind: (...arrays) => this.bind(arrays),
      runBound: (bound) => (bound as unknown as Kept).run(),
      createProgram: (code, constants) => this.createProgram(code, constants),
      runProgram: (program, frame, ...arrays) => this.runProgram(program, frame, arrays),
      bindProgram: (program, frame, ...arrays) => this.bindProgram(program, frame, arrays),
      asyncCall: (...inputs) => this.asyncLoss(inputs),
      asyncProgram: (program, frame, ...inputs) => this.asyncProgram(program, frame, inputs),
      asyncCopyIn: (call, ...inputs) => this.copyIn(pendingOf(call), inputs),
      asyncRun: (call) => this.runInSlices(pendingOf(call)),
      asyncResult: (call) => this.resultOf(pendingOf(call)),
      asyncCopyOut: (call, out) => this.copyOut(pendingOf(call), out),
      // No buffer of JavaScript's lies in the module's memory.
      asyncTake: () => undefined,
      asyncRelease: (call) => this.release(pendingOf(call)),
      poolBytes: () => this.pending,
      targets: () => Object.keys(tables.targets),
      target: () => Object.entries(tables.targets).find(([, index]) => index === exports.target())?.[0] as string,
      forceTarget: (name) => {
        const index = Object.hasOwn(tables.targets, name) ? tables.targets[name] : undefined;
        return index !== undefined && Boolean(exports.forceTarget(index));
      },
      physicalCores: () => 1,
      numThreads: () => this.threads,
      setNumThreads: (count) => {
        this.threads = count;
      },
    };
  }

  // --- Calls with their numbers in the block ---

  private call(entry: (measures: Measures) => StatusCode, arrays: readonly Optional[], block: Float64Array): Result {
    this.writeBlock(block);
    const status = this.run(entry, arrays, this.passedIn(block, arrays));
    this.readResults();
    return status === 0 ? undefined : status;
  }

  /** Runs an entry over copies of the arrays. */
  private run(
    entry: (measures: Measures) => StatusCode,
    arrays: readonly Optional[],
    passed: readonly Passed[],
  ): StatusCode {
    this.spans.write(passed);
    const measured = entry(1);
    if (measured !== 0) return measured;
    const { parts, bytes } = this.spans.parts(passed);
    const memory = this.arrays.take(bytes);
    if (memory === 0) return OUT_OF_MEMORY;
    this.spans.place(parts, memory);
    for (const { index, bytes, offset, reads } of parts) {
      if (reads) this.heap.bytes.set(bytesOf(arrays[index] as TypedArray, 0, bytes), memory + offset);
    }
    const status = entry(0);
    // The module's memory may have grown meanwhile. A call that failed has written nothing.
    for (const { index, bytes, offset, writes } of status === 0 ? parts : []) {
      const from = memory + offset;
      if (writes) bytesOf(arrays[index] as TypedArray, 0, bytes).set(this.heap.bytes.subarray(from, from + bytes));
    }
    this.arrays.trim();
    return status;
  }

  private writeBlock(block: Float64Array): void {
    this.heap.doubles.set(block, this.blockAt);
  }

  private readResults(): void {
    const { doubles } = this.heap;
    for (const slot of ['score', 'badRow', 'badPosition']) {
      const at = this.tables.slots[slot] as number;
      this.block[at] = doubles[this.blockAt + at] as number;
    }
  }

  /** What a block says of its call's arrays: a hexadecimal digit each, the first one lowest. */
  private passedIn(block: Float64Array, arrays: readonly Optional[]): Passed[] {
    let dtypes = block[this.tables.slots['dtypes'] as number] as number;
    return arrays.map((array) => {
      const dtype = dtypes % 16;
      dtypes = (dtypes - dtype) / 16;
      return dtype === 0 || array === undefined ? { length: 0, dtype: 0 } : { length: lengthOf(array), dtype };
    });
  }

  private bind(arrays: readonly Optional[]): BoundCall | undefined {
    const block = this.block.slice();
    this.writeBlock(block);
    this.spans.write(this.passedIn(block, arrays));
    if (this.exports.loss(1) !== 0) return undefined;
    return kept({ run: () => this.call(this.exports.loss, arrays, block) });
  }

  // --- Programs ---

  private createProgram(code: Int32Array, constants: Float64Array): Program | undefined {
    const bytes = Math.ceil(code.byteLength / 8) * 8;
    const memory = this.arrays.take(bytes + constants.byteLength);
    if (memory === 0) return undefined;
    this.heap.bytes.set(bytesOf(code, 0, code.byteLength), memory);
    this.heap.bytes.set(bytesOf(constants, 0, constants.byteLength), memory + bytes);
    const address = this.exports.createProgram(memory, code.length, memory + bytes, constants.length);
    if (address === 0) return undefined;
    const handle: ProgramHandle = { address };
    this.programs.register(handle, address);
    return handle as unknown as Program;
  }

  private runProgram(program: Program, frame: Float64Array, arrays: readonly TypedArray[]): Result {
    const { address } = handleOf(program);
    const memory = this.frames.take(frame.byteLength);
    if (memory === 0) return OUT_OF_MEMORY;
    this.heap.doubles.set(frame, memory / 8);
    const entry = (measures: Measures) => this.exports.runProgram(address, memory, frame.length, measures);
    const status = this.run(entry, arrays, this.passed(arrays));
    frame.set(this.heap.doubles.subarray(memory / 8, memory / 8 + frame.length));
    return status === 0 ? undefined : status;
  }

  private passed(arrays: readonly TypedArray[]): Passed[] {
    return arrays.map((array) => ({ length: lengthOf(array), dtype: this.codes[dtypeOf(array) as Dtype] }));
  }

  private bindProgram(program: Program, frame: Float64Array, arrays: readonly TypedArray[]): BoundCall | undefined {
    const own = frame.slice();
    const { address } = handleOf(program);
    const memory = this.frames.take(own.byteLength);
    if (memory === 0) return undefined;
    this.heap.doubles.set(own, memory / 8);
    this.spans.write(this.passed(arrays));
    if (this.exports.runProgram(address, memory, own.length, 1) !== 0) return undefined;
    const run = (): Result => {
      const status = this.runProgram(program, own, arrays);
      // The module has put the first sum there.
      this.readResults();
      return status;
    };
    return kept({ run });
  }

  // --- Calls off the event loop ---

  private asyncLoss(inputs: readonly Optional[]): AsyncCall | number {
    const block = this.block.slice();
    const { slots } = this.tables;
    const number = (slot: string) => block[slots[slot] as number] as number;
    const [rows, cols] = [number('rows'), number('cols')];
    const passed = this.passedIn(block, inputs);
    const dtype = passed[0]?.dtype as number;
    const none = { length: 0, dtype: 0 };
    const gradient = number('wantGradient') !== 0 && rows !== 0;
    const scores = !gradient && number('wantScoreArray') !== 0 && rows !== 0;
    block[slots['outStride'] as number] = cols;
    passed.push(gradient ? { length: rows * cols, dtype } : none, scores ? { length: rows, dtype } : none);
    this.writeBlock(block);
    return this.prepare(
      passed,
      { rows, cols: gradient ? cols : 1, dtype },
      () => this.exports.loss(1),
      () => {
        this.writeBlock(block);
        return this.exports.beginLoss();
      },
    );
  }

  private asyncProgram(program: Program, frame: Float64Array, inputs: readonly TypedArray[]): AsyncCall | number {
    const { address } = handleOf(program);
    const own = frame.slice();
    const write = (): number => {
      const memory = this.frames.take(own.byteLength);
      if (memory !== 0) this.heap.doubles.set(own, memory / 8);
      return memory;
    };
    const memory = write();
    if (memory === 0) return OUT_OF_MEMORY;
    this.spans.write(this.passed(inputs));
    if (!this.exports.packOutput(address, memory, own.length)) return BAD_ARGUMENT;
    own.set(this.heap.doubles.subarray(memory / 8, memory / 8 + own.length));
    const [rows, cols] = ['rows', 'cols'].map(
      (slot) => this.heap.doubles[this.blockAt + (this.tables.slots[slot] as number)] as number,
    ) as [number, number];
    const dtype = own[2] as number;
    return this.prepare(
      [...this.passed(inputs), ...(cols === 0 ? [] : [{ length: rows * cols, dtype }])],
      { rows, cols, dtype },
      () => this.exports.runProgram(address, memory, own.length, 1),
      () => {
        const frame = write();
        // Asked of the handle, which keeps the program while its call is under way.
        return frame === 0 ? 0 : this.exports.beginProgram(handleOf(program).address, frame, own.length);
      },
    );
  }

  /** Memory for copies of what a call reads, and for its result. */
  private prepare(
    passed: readonly Passed[],
    result: { readonly rows: number; readonly cols: number; readonly dtype: number },
    measure: () => StatusCode,
    begin: () => number,
  ): AsyncCall | number {
    this.spans.write(passed);
    const measured = measure();
    if (measured !== 0) return measured;
    const { parts, bytes } = this.spans.parts(passed);
    const memory = this.heap.allocate(bytes);
    if (memory === 0) return OUT_OF_MEMORY;
    this.pending += bytes;
    const output = parts.find(({ writes }) => writes);
    const call: Pending = {
      memory,
      bytes,
      inputs: parts.filter(({ writes }) => !writes).map((part) => ({ ...part, done: 0 })),
      output: { ...result, rows: output === undefined ? 0 : result.rows, address: memory + (output?.offset ?? 0) },
      copiedOut: 0,
      begin: () => {
        this.spans.write(passed);
        this.spans.place(parts, memory);
        return begin();
      },
      status: 0,
      score: 0,
      badRow: 0,
      released: false,
    };
    return call as unknown as AsyncCall;
  }

  private copyIn(call: Pending, inputs: readonly Optional[]): number {
    const most = this.mostBytes();
    let spent = 0;
    for (const input of call.inputs) {
      const array = inputs[input.index] as TypedArray;
      const size = this.sizes[this.codes[dtypeOf(array) as Dtype]] as number;
      if (lengthOf(array) * size < input.bytes) return -1;
      const end = Math.min(input.bytes, input.done + most - spent);
      if (end <= input.done) continue;
      this.heap.bytes.set(bytesOf(array, input.done, end), call.memory + input.offset + input.done);
      spent += end - input.done;
      input.done = end;
    }
    return spent;
  }

  private async runInSlices(call: Pending): Promise<undefined> {
    await this.nextTurn();
    const slices = call.begin();
    if (slices === 0) {
      call.status = BAD_ARGUMENT;
      return;
    }
    while (this.exports.step(slices)) await this.nextTurn();
    call.status = this.exports.finish(slices);
    const { doubles } = this.heap;
    call.score = doubles[this.blockAt + (this.tables.slots['score'] as number)] as number;
    call.badRow = doubles[this.blockAt + (this.tables.slots['badRow'] as number)] as number;
  }

  private resultOf(call: Pending): Result {
    this.block[this.tables.slots['score'] as number] = call.score;
    this.block[this.tables.slots['badRow'] as number] = call.badRow;
    return call.status === 0 ? undefined : call.status;
  }

  /** Rows of the result to rows of `out`, outStride apart. */
  private copyOut(call: Pending, out: TypedArray): number {
    const { address, rows, cols, dtype } = call.output;
    if (rows === 0) return 0;
    const stride = this.block[this.tables.slots['outStride'] as number] as number;
    const fits = (rows - 1) * stride + cols <= lengthOf(out) && (rows === 1 || stride >= cols);
    if (!fits || this.codes[dtypeOf(out) as Dtype] !== dtype) return -1;
    const size = this.sizes[dtype] as number;
    const [most, total] = [this.mostBytes(), rows * cols];
    // Rows without gaps are one long row.
    const run = stride === cols ? total : cols;
    let spent = 0;
    while (call.copiedOut < total && spent + size <= most) {
      const [row, col] = [Math.floor(call.copiedOut / run), call.copiedOut % run];
      const count = Math.min(run - col, Math.floor((most - spent) / size));
      const from = address + call.copiedOut * size;
      const to = (row * stride + col) * size;
      bytesOf(out, to, to + count * size).set(this.heap.bytes.subarray(from, from + count * size));
      call.copiedOut += count;
      spent += count * size + (run === total ? 0 : BYTES_OF_MISS);
    }
    return spent;
  }

  private mostBytes(): number {
    return this.block[this.tables.slots['mostBytes'] as number] as number;
  }

  private release(call: Pending): void {
    if (call.released) return;
    call.released = true;
    this.pending -= call.bytes;
    this.heap.release(call.memory);
  }
}

const kept = (call: Kept): BoundCall => call as unknown as BoundCall;
const handleOf = (program: Program): ProgramHandle => program as unknown as ProgramHandle;
const pendingOf = (call: AsyncCall): Pending => call as unknown as Pending;
