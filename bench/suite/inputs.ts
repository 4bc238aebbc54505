// SPDX-License-Identifier: Apache-2.0
// A cell's inputs and its float64 reference, written once as raw little-endian files that every contender reads.
//
// z `[n, c]` outputs before the activation, y labels, k class indices (int32), x `[n, d]`, w `[d, c]`, b `[c]`.
// reference.f64 holds the gradient of the sum over the batch; NaN where an answer is not compared: beside a kink, where
// one rounding decides the sign, and in the rows of a large product that would take too long.
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { type Cell, type CellDtype, elements } from './cells';

export type Floats = Float32Array | Float64Array;
export type InputName = 'z' | 'y' | 'k' | 'x' | 'w' | 'b';
export interface Inputs {
  readonly z: Floats;
  readonly y: Floats;
  readonly k: Int32Array;
  readonly x: Floats;
  readonly w: Floats;
  readonly b: Floats;
}
export interface Reference {
  readonly score: number | null;
  /** The score with probabilities clamped to [1e-5, 1], as LossKLD is defined. */
  readonly clampedScore?: number;
  readonly gradient: Float64Array;
}

const NAMES: readonly InputName[] = ['z', 'y', 'k', 'x', 'w', 'b'];
const arrays = { float32: Float32Array, float64: Float64Array };

/** Numbers in [0, 1), the same everywhere: mulberry32. */
function uniform(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}

// --- Inputs ------------------------------------------------------------------------------------------------------

function makeInputs(cell: Cell): Partial<Inputs> {
  const { task, n, c, d } = cell;
  const random = uniform([...cell.id].reduce((sum, letter) => Math.imul(sum, 31) + letter.charCodeAt(0), 7));
  const normal = () => Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
  const fill = (length: number, next: () => number): Floats => {
    const array = new arrays[cell.dtype](length);
    for (let i = 0; i < length; i++) array[i] = next();
    return array;
  };
  const indices = () => Int32Array.from({ length: n }, () => Math.floor(random() * c));
  const poisson = (mean: number) => {
    let count = 0;
    for (let p = random(); p > Math.exp(-mean); p *= random()) count += 1;
    return count;
  };

  if (task === 'linear' || task.startsWith('matmul')) {
    const layer = { x: fill(n * d, normal), w: fill(d * c, () => normal() / Math.sqrt(d)) };
    if (task === 'linear') return { ...layer, b: fill(c, normal), k: indices() };
    return { ...layer, y: fill(n * c, normal) };
  }
  const z = fill(n * c, () => 2 * normal());
  switch (task) {
    case 'sce':
      return { z, k: indices() };
    case 'ce': {
      const y = fill(n * c, () => 0);
      indices().forEach((k, row) => {
        y[row * c + k] = 1;
      });
      return { z, y };
    }
    case 'kld': {
      const y = fill(n * c, () => Math.exp(normal()));
      for (let row = 0; row < n; row++) {
        const part = y.subarray(row * c, (row + 1) * c);
        const sum = (part as Float64Array).reduce((total, value) => total + value, 0);
        for (let j = 0; j < c; j++) part[j] = (part[j] as number) / sum;
      }
      return { z, y };
    }
    case 'mdn':
      return { z: fill(n * c, normal), y: fill(n * d, normal) };
    case 'bce':
      return { z, y: fill(n * c, () => (random() < 0.5 ? 1 : 0)) };
    case 'multilabel':
      return { z, y: fill(n * c, () => (random() < 0.1 ? 1 : 0)) };
    case 'hinge':
      return { z, y: fill(n * c, () => (random() < 0.5 ? 1 : -1)) };
    case 'l2sig':
      return { z, y: fill(n * c, random) };
    case 'maetanh':
      return { z, y: fill(n * c, () => 2 * random() - 1) };
    case 'poisson':
      return { z, y: fill(n * c, () => poisson(3)) };
    default:
      return { z, y: fill(n * c, normal) };
  }
}

// --- The reference: textbook formulas that are stable, in float64 ------------------------------------------------

/** Elements this close to a kink are not compared. */
const KINK = 1e-6;
const sigmoid = (z: number) => (z >= 0 ? 1 / (1 + Math.exp(-z)) : Math.exp(z) / (1 + Math.exp(z)));
const softplus = (z: number) => Math.max(z, 0) + Math.log1p(Math.exp(-Math.abs(z)));
const clamped = (p: number) => Math.min(1, Math.max(1e-5, p));

/** Loss and slope of one element. */
const ELEMENTWISE: Partial<Record<Cell['task'], (z: number, y: number, c: number) => [number, number]>> = {
  bce: (z, y) => [softplus(z) - z * y, sigmoid(z) - y],
  mse: (z, y, c) => [(z - y) ** 2 / c, (2 * (z - y)) / c],
  l1: (z, y) => [Math.abs(z - y), Math.sign(z - y)],
  huber: (z, y) => {
    const size = Math.abs(z - y);
    return [size <= 1 ? size ** 2 / 2 : size - 0.5, Math.min(size, 1) * Math.sign(z - y)];
  },
  l2sig: (z, y) => [(sigmoid(z) - y) ** 2, 2 * (sigmoid(z) - y) * sigmoid(z) * sigmoid(-z)],
  maetanh: (z, y, c) => {
    const e = Math.tanh(z) - y;
    return [Math.abs(e) / c, Math.abs(e) < KINK ? Number.NaN : (Math.sign(e) * Math.cosh(z) ** -2) / c];
  },
  poisson: (z, y) => [softplus(z) - y * Math.log(softplus(z)), (1 - y / softplus(z)) * sigmoid(z)],
  hinge: (z, y) => {
    const margin = 1 - y * Math.tanh(z);
    return [Math.max(0, margin), Math.abs(margin) < KINK ? Number.NaN : margin > 0 ? -y * Math.cosh(z) ** -2 : 0];
  },
};

/** Log-probabilities of one row, in place. */
function logSoftmax(z: Float64Array): Float64Array {
  const max = z.reduce((a, b) => Math.max(a, b), Number.NEGATIVE_INFINITY);
  const log = Math.log(z.reduce((sum, value) => sum + Math.exp(value - max), 0));
  return z.map((value) => value - max - log);
}
const dot = (a: Float64Array, b: Float64Array) => a.reduce((sum, value, j) => sum + value * (b[j] as number), 0);

/** Score and slopes of one row. */
type RowFormula = (z: Float64Array, y: Float64Array, width: number) => { score: number; slope: Float64Array };
const ROWWISE: Partial<Record<Cell['task'], RowFormula>> = {
  ce: (z, y) => {
    const log = logSoftmax(z);
    const total = y.reduce((sum, value) => sum + value, 0);
    return { score: -dot(log, y), slope: log.map((value, j) => Math.exp(value) * total - (y[j] as number)) };
  },
  kld: (z, y) => {
    const log = logSoftmax(z);
    const total = y.reduce((sum, value) => sum + value, 0);
    const entropy = y.reduce((sum, value) => sum + value * Math.log(value), 0);
    return { score: entropy - dot(log, y), slope: log.map((value, j) => Math.exp(value) * total - (y[j] as number)) };
  },
  cosine: (z, y) => {
    const a = Math.sqrt(dot(z, z));
    const b = Math.sqrt(dot(y, y));
    const cos = dot(z, y) / (a * b);
    return { score: -cos, slope: z.map((value, j) => ((cos * value) / a - (y[j] as number) / b) / a) };
  },
  multilabel: (z, y) => {
    const isLabel = y.map((value) => (value === 1 ? 1 : 0));
    const count = isLabel.reduce((sum, value) => sum + value, 0);
    const pairs = count * (z.length - count);
    if (pairs === 0) return { score: 0, slope: z.map(() => 0) };
    const low = z.reduce((sum, value, j) => sum + (isLabel[j] === 1 ? Math.exp(-value) : 0), 0);
    const high = z.reduce((sum, value, j) => sum + (isLabel[j] === 1 ? 0 : Math.exp(value)), 0);
    const slope = z.map((value, j) => (isLabel[j] === 1 ? -Math.exp(-value) * high : Math.exp(value) * low) / pairs);
    return { score: (low * high) / pairs, slope };
  },
  mdn: (z, y, d) => {
    const k = z.length / (d + 2);
    const alpha = logSoftmax(z.slice(0, k));
    const distance = alpha.map((_, i) =>
      y.reduce((sum, value, j) => sum + (value - (z[2 * k + i * d + j] as number)) ** 2, 0),
    );
    const terms = alpha.map((log, i) => {
      const sigma = z[k + i] as number;
      return log - d * (0.5 * Math.log(2 * Math.PI) + sigma) - 0.5 * (distance[i] as number) * Math.exp(-2 * sigma);
    });
    const share = logSoftmax(terms).map(Math.exp);
    const slope = new Float64Array(z.length);
    share.forEach((pi, i) => {
      const precision = Math.exp(-2 * (z[k + i] as number));
      slope[i] = Math.exp(alpha[i] as number) - pi;
      slope[k + i] = -pi * ((distance[i] as number) * precision - d);
      for (let j = 0; j < d; j++) {
        slope[2 * k + i * d + j] = -pi * precision * ((y[j] as number) - (z[2 * k + i * d + j] as number));
      }
    });
    const max = terms.reduce((a, b) => Math.max(a, b), Number.NEGATIVE_INFINITY);
    return { score: -max - Math.log(terms.reduce((sum, term) => sum + Math.exp(term - max), 0)), slope };
  },
};

/** Rows of a large product's gradients that are compared. */
const SAMPLE = 16;

/** `out[j] += a b[j]` for a row. */
function axpy(a: number, b: Floats, begin: number, out: Float64Array): void {
  for (let j = 0; j < out.length; j++) out[j] = (out[j] as number) + a * (b[begin + j] as number);
}

/** `[dx, dW, db]` of a linear layer under cross entropy. */
function linear({ n, c, d }: Cell, { x, w, b, k }: Inputs): Reference {
  const rows = n * d * c > 1e9 ? SAMPLE : n;
  const weightRows = n * d * c > 1e9 ? SAMPLE : d;
  const gradient = new Float64Array(n * d + d * c + c).fill(Number.NaN);
  const dW = gradient.subarray(n * d, n * d + weightRows * c).fill(0);
  const db = gradient.subarray(n * d + d * c).fill(0);
  let score = 0;
  for (let i = 0; i < n; i++) {
    const z = Float64Array.from(b);
    for (let p = 0; p < d; p++) axpy(x[i * d + p] as number, w, p * c, z);
    const label = k[i] as number;
    const log = logSoftmax(z);
    score -= log[label] as number;
    const delta = log.map(Math.exp);
    delta[label] = (delta[label] as number) - 1;
    axpy(1, delta, 0, db);
    for (let p = 0; p < weightRows; p++) axpy(x[i * d + p] as number, delta, 0, dW.subarray(p * c, (p + 1) * c));
    for (let p = 0; i < rows && p < d; p++) {
      let sum = 0;
      for (let j = 0; j < c; j++) sum += (delta[j] as number) * (w[p * c + j] as number);
      gradient[i * d + p] = sum;
    }
  }
  return { score, gradient };
}

/** The product itself stands where others have a gradient; there is no score. */
function matmul({ task, n, c, d }: Cell, { x, w, y }: Inputs): Reference {
  const result = new Float64Array(task === 'matmul' ? n * c : task === 'matmul-tn' ? d * c : n * d);
  for (let i = 0; i < n; i++) {
    for (let p = 0; p < d; p++) {
      const value = x[i * d + p] as number;
      if (task === 'matmul') axpy(value, w, p * c, result.subarray(i * c, (i + 1) * c));
      else if (task === 'matmul-tn') axpy(value, y, i * c, result.subarray(p * c, (p + 1) * c));
      else {
        let sum = 0;
        for (let j = 0; j < c; j++) sum += (y[i * c + j] as number) * (w[p * c + j] as number);
        result[i * d + p] = sum;
      }
    }
  }
  return { score: null, gradient: result };
}

function makeReference(cell: Cell, inputs: Inputs): Reference {
  const { task, n, c, d } = cell;
  if (task === 'linear') return linear(cell, inputs);
  if (task.startsWith('matmul')) return matmul(cell, inputs);
  const gradient = new Float64Array(elements(cell));
  const formula = ELEMENTWISE[task];
  const rowFormula = ROWWISE[task === 'sce' ? 'ce' : task];
  let score = 0;
  let clampedScore = 0;
  for (let row = 0; row < n; row++) {
    const z = Float64Array.from(inputs.z.subarray(row * c, (row + 1) * c));
    if (formula) {
      for (let j = 0; j < c; j++) {
        const [term, slope] = formula(z[j] as number, inputs.y[row * c + j] as number, c);
        score += term;
        gradient[row * c + j] = slope;
      }
    } else if (rowFormula) {
      const width = task === 'mdn' ? d : c;
      const y = new Float64Array(width);
      if (task === 'sce') y[inputs.k[row] as number] = 1;
      else y.set(inputs.y.subarray(row * width, (row + 1) * width));
      const result = rowFormula(z, y, d);
      score += result.score;
      gradient.set(result.slope, row * c);
      if (task === 'kld') {
        const p = logSoftmax(z).map(Math.exp);
        clampedScore += y.reduce(
          (sum, value, j) => sum + clamped(value) * Math.log(clamped(value) / clamped(p[j] as number)),
          0,
        );
      }
    }
  }
  return task === 'kld' ? { score, clampedScore, gradient } : { score, gradient };
}

// --- Files -------------------------------------------------------------------------------------------------------

const bytes = (array: Floats | Int32Array) => new Uint8Array(array.buffer, array.byteOffset, array.byteLength);

/** The bytes of a file, in memory of their own. */
function readBytes(file: string): ArrayBuffer {
  const content = readFileSync(file);
  const copy = new Uint8Array(content.length);
  copy.set(content);
  return copy.buffer;
}

export const readFloats = (file: string, dtype: CellDtype): Floats => new arrays[dtype](readBytes(file));

export function readInputs(cell: Cell, folder: string): Inputs {
  const inputs: Partial<Record<InputName, Floats | Int32Array>> = {};
  for (const name of NAMES) {
    const file = path.join(folder, `${name}.bin`);
    if (!existsSync(file)) continue;
    inputs[name] = name === 'k' ? new Int32Array(readBytes(file)) : readFloats(file, cell.dtype);
  }
  return inputs as Partial<Inputs> as Inputs;
}

export function readReference(folder: string): Reference {
  const { score, clampedScore } = JSON.parse(readFileSync(path.join(folder, 'reference.json'), 'utf8')) as Reference;
  const gradient = new Float64Array(readBytes(path.join(folder, 'reference.f64')));
  return clampedScore === undefined ? { score, gradient } : { score, clampedScore, gradient };
}

/** Writes a cell's files where they are not there yet, or were made by another version of this program. */
export function prepare(cell: Cell, root: string): string {
  const folder = path.join(root, cell.id);
  const record = path.join(folder, 'reference.json');
  const version = createHash('sha256').update(readFileSync(__filename)).update(JSON.stringify(cell)).digest('hex');
  if (existsSync(record) && JSON.parse(readFileSync(record, 'utf8')).version === version) return folder;
  mkdirSync(folder, { recursive: true });
  const inputs = makeInputs(cell);
  for (const name of NAMES) {
    const array = inputs[name];
    if (array) writeFileSync(path.join(folder, `${name}.bin`), bytes(array));
  }
  const { gradient, ...scores } = makeReference(cell, inputs as Inputs);
  writeFileSync(path.join(folder, 'reference.f64'), bytes(gradient));
  writeFileSync(record, `${JSON.stringify({ version, ...scores })}\n`);
  return folder;
}
