// SPDX-License-Identifier: Apache-2.0
// What is measured: a task (a loss with its activation, a layer, a matrix product) at one size and dtype is a cell.

export type CellDtype = 'float32' | 'float64';

/** Titles of the tasks; a task's key also begins the ids of its cells. */
export const TASKS = {
  ce: 'softmax + cross entropy',
  sce: 'softmax + sparse cross entropy',
  bce: 'sigmoid + binary cross entropy',
  mse: 'MSE',
  l1: 'L1',
  l2sig: 'sigmoid + L2',
  maetanh: 'tanh + MAE',
  poisson: 'softplus + Poisson',
  kld: 'softmax + KLD',
  hinge: 'tanh + hinge',
  cosine: 'cosine proximity',
  huber: 'Huber, a custom loss',
  multilabel: 'multi-label ranking',
  mdn: 'mixture density',
  linear: 'linear layer + sparse cross entropy',
  matmul: 'x W',
  'matmul-tn': 'x^T delta',
  'matmul-nt': 'delta W^T',
} as const;

export type Task = keyof typeof TASKS;

export interface Cell {
  readonly id: string;
  readonly task: Task;
  /** Rows. */
  readonly n: number;
  /** Columns of the outputs. */
  readonly c: number;
  /** Inputs of a layer; label columns of a mixture; else 0. */
  readonly d: number;
  readonly dtype: CellDtype;
}

/** Tasks that read two numbers for each gradient element they write. */
const DENSE: readonly Task[] = [
  'ce',
  'bce',
  'mse',
  'l1',
  'l2sig',
  'maetanh',
  'poisson',
  'kld',
  'hinge',
  'cosine',
  'huber',
];

export const isMatmul = (cell: Cell): boolean => cell.task.startsWith('matmul');
export const isProduct = (cell: Cell): boolean => cell.task === 'linear' || isMatmul(cell);

/** Numbers read from memory for each number written: what the stream test imitates; 0 where memory is not the limit. */
export function readsPerWrite(cell: Cell): 0 | 1 | 2 {
  if (isProduct(cell)) return 0;
  return DENSE.includes(cell.task) || cell.task === 'multilabel' ? 2 : 1;
}

/** Elements of the outputs. */
export const elements = (cell: Cell): number => cell.n * cell.c;

/** `1024 x 1000`, or `1024 x 784 x 128`: rows, inputs, outputs. */
export function sizeOf({ n, c, d, task }: Cell): string {
  const rows = n === 1048576 ? '1M' : String(n);
  return d > 0 && task !== 'mdn' ? `${rows} x ${d} x ${c}` : `${rows} x ${c}`;
}

export const titleOf = (cell: Cell): string => `${TASKS[cell.task]} ${sizeOf(cell)}`;

function cell(task: Task, size: string, dtype: CellDtype, labelWidth = 0): Cell {
  const numbers = size.split('x').map((text) => (text === '1M' ? 1048576 : Number(text)));
  const [n = 1, second = 1, third] = numbers;
  const suffix = dtype === 'float64' ? '-f64' : '';
  const id = `${task}-${size}${suffix}`;
  return third === undefined
    ? { id, task, n, c: second, d: labelWidth, dtype }
    : { id, task, n, c: third, d: second, dtype };
}

const CROSS_ENTROPY = ['32x10', '256x10', '1024x10', '1024x1000', '8192x1000', '64x50257'];
const SIZES: Partial<Record<Task, readonly string[]>> = {
  ce: ['1x1', ...CROSS_ENTROPY],
  sce: CROSS_ENTROPY,
  bce: ['32x10', '1024x10', '1024x1000', '1Mx1'],
  mse: ['1x1', '32x10', '256x10', '1024x10', '1024x1000', '1Mx1', '8192x1000'],
  l1: ['1024x1000', '1Mx1'],
  huber: ['32x10', '1024x1000', '1Mx1'],
};
const LAYERS = ['128x256x10', '1024x256x1000', '1024x784x128'];
const PRODUCTS: readonly Task[] = ['matmul', 'matmul-tn', 'matmul-nt'];
const LOSSES: readonly Task[] = [...DENSE.slice(0, 1), 'sce', ...DENSE.slice(1), 'multilabel'];

export const CELLS: readonly Cell[] = [
  ...LOSSES.flatMap((task) => (SIZES[task] ?? ['1024x1000']).map((size) => cell(task, size, 'float32'))),
  cell('mdn', '1024x50', 'float32', 3),
  cell('mdn', '1024x1000', 'float32', 8),
  ...LOSSES.map((task) => cell(task, '1024x1000', 'float64')),
  cell('mdn', '1024x50', 'float64', 3),
  cell('linear', '1024x256x32000', 'float32'),
  ...LAYERS.map((size) => cell('linear', size, 'float32')),
  cell('linear', '1024x784x128', 'float64'),
  ...PRODUCTS.flatMap((task) => LAYERS.map((size) => cell(task, size, 'float32'))),
  ...LAYERS.map((size) => cell('matmul', size, 'float64')),
];

/** The cells with these ids, or whose ids go on with a dash after them; `*` stands for anything. All without words. */
export function pickCells(words: readonly string[]): readonly Cell[] {
  const patterns = words.map((word) => new RegExp(`^${word.replaceAll('*', '.*')}(-|$)`));
  return CELLS.filter(({ id }) => patterns.length === 0 || patterns.some((pattern) => pattern.test(id)));
}
