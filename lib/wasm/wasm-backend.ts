// SPDX-License-Identifier: Apache-2.0
// The addon's exports over the WebAssembly module: the same numbers in the block, copies of the arrays in its memory.
import { type Dtype, dtypeOf, type TypedArray } from '../array-input';
import type { AsyncCall, BoundCall, NativeAddon, Program, Result } from '../native';
import { Arena, type Exports, Heap, instantiate, type Measures, type StatusCode } from './module';
import { bytesOf, type Layout, lengthOf, type Part, type Passed, Spans } from './spans';

type Optional = TypedArray | undefined;
type Entry = (measures: Measures) => StatusCode;

const OUT_OF_MEMORY = 2;
const BAD_ARGUMENT = 3;
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
  /** Slots that a call writes. */
  private readonly results: readonly number[];
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
    this.spans = new Spans(this.heap, exports.spans(), sizes);
    this.blockAt = exports.block() / 8;
    this.block = new Float64Array(Object.keys(this.tables.slots).length);
    this.results = ['score', 'badRow', 'badPosition'].map((slot) => this.tables.slots[slot] as number);
    this.programs = new FinalizationRegistry((program) => exports.releaseProgram(program));
  }

  addon(): NativeAddon {
    const { exports, tables } = this;
    const call =
      (entry: Entry) =>
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
      usesChainCode: () => false,
      useChainCode: () => undefined,
      physicalCores: () => 1,
      numThreads: () => this.threads,
      setNumThreads: (count) => {
        this.threads = count;
      },
    };
  }

  // --- Calls with their numbers in the block ---

  private call(entry: Entry, arrays: readonly Optional[], block: Float64Array): Result {
    this.writeBlock(block);
    const passed = this.passedIn(block, arrays);
    const layout = this.measure(entry, passed);
    if (typeof layout === 'number') return layout;
    return this.reported(this.run(entry, arrays, layout));
  }

  /** What a call touches of its arrays, or the status of one that can't be run. */
  private measure(entry: Entry, passed: readonly Passed[]): Layout | StatusCode {
    this.spans.write(passed);
    const status = entry(1);
    return status === 0 ? this.spans.layout(passed) : status;
  }

  /** Runs a measured call, whose numbers and spans are written, over copies of the arrays. */
  private run(entry: Entry, arrays: readonly Optional[], { parts, bytes }: Layout): StatusCode {
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

  /** The status of a call that has run, its results in the block. */
  private reported(status: StatusCode): Result {
    const { doubles } = this.heap;
    for (const at of this.results) this.block[at] = doubles[this.blockAt + at] as number;
    return status === 0 ? undefined : status;
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
    const passed = this.passedIn(block, arrays);
    const layout = this.measure(this.exports.loss, passed);
    if (typeof layout === 'number') return undefined;
    const run = (): Result => {
      this.writeBlock(block);
      // lib/ has seen that every array is as long as it was.
      this.spans.write(passed);
      return this.reported(this.run(this.exports.loss, arrays, layout));
    };
    return kept({ run });
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
    const entry = this.programEntry(program, frame);
    if (entry === undefined) return OUT_OF_MEMORY;
    const layout = this.measure(entry, this.passed(arrays));
    if (typeof layout === 'number') return layout;
    const status = this.run(entry, arrays, layout);
    this.readFrame(frame);
    return status === 0 ? undefined : status;
  }

  /** The program over a copy of its frame; undefined where there is no memory. */
  private programEntry(program: Program, frame: Float64Array): Entry | undefined {
    const memory = this.frames.take(frame.byteLength);
    if (memory === 0) return undefined;
    this.heap.doubles.set(frame, memory / 8);
    return (measures) => this.exports.runProgram(handleOf(program).address, memory, frame.length, measures);
  }

  private readFrame(frame: Float64Array): void {
    const first = this.frames.take(frame.byteLength) / 8;
    frame.set(this.heap.doubles.subarray(first, first + frame.length));
  }

  private passed(arrays: readonly TypedArray[]): Passed[] {
    return arrays.map((array) => ({ length: lengthOf(array), dtype: this.codes[dtypeOf(array) as Dtype] }));
  }

  private bindProgram(program: Program, frame: Float64Array, arrays: readonly TypedArray[]): BoundCall | undefined {
    const own = frame.slice();
    const passed = this.passed(arrays);
    const measuring = this.programEntry(program, own);
    const layout = measuring === undefined ? OUT_OF_MEMORY : this.measure(measuring, passed);
    if (typeof layout === 'number') return undefined;
    const run = (): Result => {
      const entry = this.programEntry(program, own);
      if (entry === undefined) return OUT_OF_MEMORY;
      this.spans.write(passed);
      // The module puts the first sum where the score is.
      return this.reported(this.run(entry, arrays, layout));
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
    return this.prepare(passed, { rows, cols: gradient ? cols : 1, dtype }, this.exports.loss, () => {
      this.writeBlock(block);
      return this.exports.beginLoss();
    });
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
      (measures) => this.exports.runProgram(address, memory, own.length, measures),
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
    measure: Entry,
    begin: () => number,
  ): AsyncCall | number {
    const layout = this.measure(measure, passed);
    if (typeof layout === 'number') return layout;
    const { parts, bytes } = layout;
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
