// SPDX-License-Identifier: Apache-2.0
// Results as Markdown and SVG.
import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { oneThread, verdicts } from './aims';
import { CELLS, type Cell, elements, isProduct, sizeOf, TASKS, type Task, titleOf } from './cells';
import { type Bar, barChart, lineChart, type Series } from './chart';
import { root } from './install';
import { bestStream, type Entry, entries, isPeer, isWrong, type Results, ratioToBest, timeOf } from './results';

const digits = (value: number, count = 3) => {
  const rounded = Number(value.toPrecision(count));
  return Math.abs(rounded) >= 1e5 || (rounded !== 0 && Math.abs(rounded) < 1e-3)
    ? value.toExponential(count - 1)
    : String(rounded);
};
const ratioText = (value: number | undefined) =>
  value === undefined ? '' : value >= 10 ? value.toFixed(0) : value.toFixed(value >= 1 ? 1 : 2);
const timeText = (value: number | undefined) => (value === undefined ? '' : digits(value));

function table(head: readonly string[], align: string, rows: readonly (readonly string[])[]): string[] {
  const rule = [...align].map((side) => (side === 'l' ? '---' : '--:'));
  return [head, rule, ...rows].map((cells) => `| ${cells.join(' | ')} |`);
}

/** Own forms of call, and the columns they are shown in. */
const FORMS = [
  ['simdloss', 'plain'],
  ['simdloss-out', '`out`'],
  ['simdloss-bound', 'bound'],
  ['simdloss-async', 'async'],
  ['simdloss-fused', 'fused'],
  ['simdloss-ndarray', 'NDArrays'],
] as const;

const measuredCells = (results: Results) =>
  CELLS.flatMap((cell) => {
    const rows = results.cells[cell.id];
    return rows === undefined ? [] : [{ cell, rows }];
  });

/** The table of ratios of some cells. */
function ratios(results: Results, cells: readonly Cell[]): string[] {
  const measured = measuredCells(results).filter(({ cell }) => cells.includes(cell));
  const hasStream = measured.some(({ cell, rows }) => elements(cell) > 1e5 && bestStream(rows, 1));
  const forms = FORMS.filter(([name]) => measured.some(({ rows }) => timeOf(rows, name, 1) !== undefined));
  const lines = measured.map(({ cell, rows }) => {
    const best = ratioToBest(rows);
    const threads = best?.own.threads ?? 1;
    // Small problems stay in the first cache, where nothing is limited by memory.
    const stream = elements(cell) > 1e5 ? bestStream(rows, threads) : undefined;
    return [
      titleOf(cell),
      best ? `${best.peer.name}, ${best.peer.threads}` : '',
      timeText(best?.peer.us),
      ...forms.map(([name]) => timeText(timeOf(rows, name, threads))),
      `**${ratioText(best?.ratio)}**`,
      ratioText(oneThread(rows)),
      ratioText(best && over(timeOf(rows, 'js', 1), best.own.us)),
      ...(hasStream ? [best && stream ? `${((100 * stream.us) / best.own.us).toFixed(0)} %` : ''] : []),
    ];
  });
  const head = [
    'cell',
    'best peer, threads',
    'its us',
    ...forms.map(([, title]) => `${title} us`),
    'ratio',
    'one thread',
    'plain loop',
  ];
  if (hasStream) head.push('of the stream');
  return table(head, `ll${'r'.repeat(head.length - 2)}`, lines);
}

const over = (a: number | undefined, b: number | undefined) => (a === undefined || b === undefined ? undefined : a / b);

function aims(results: Results): string[] {
  const rows = verdicts(results).map(({ title, atLeast, cells }) => {
    const reached = cells.filter(({ ratio }) => ratio >= atLeast);
    const worst = cells.reduce((a, b) => (b.ratio < a.ratio ? b : a));
    const missed = cells.filter(({ ratio }) => ratio < atLeast).map(({ id, ratio }) => `${id} ${digits(ratio, 2)}`);
    const lowest = `${digits(worst.ratio, 3)} in ${worst.id} (${worst.detail})`;
    const verdict = missed.length === 0 ? 'reached' : `${reached.length} of ${cells.length}`;
    return [title, verdict, digits(atLeast, 2), lowest, missed.length > 1 ? missed.join(', ') : ''];
  });
  return table(['aim', 'reached', 'ratio at least', 'lowest', 'below'], 'llrll', rows);
}

/** What a call costs where there is next to nothing to compute. */
function callCost(results: Results): string[] {
  const names = [
    ['js', 'plain loop'],
    ['crossing', 'empty call into native code'],
    ['allocation', 'memory for the result'],
    ['simdloss-bound', '`bind`, `run()`'],
    ['simdloss-out', 'call with `out`'],
    ['simdloss', 'plain call'],
    ['simdloss-async', 'async call'],
  ] as const;
  const cells = measuredCells(results).filter(({ rows }) => timeOf(rows, 'crossing', 1) !== undefined);
  if (cells.length === 0) return [];
  const lines = names
    .filter(([name]) => cells.some(({ rows }) => timeOf(rows, name, 1) !== undefined))
    .map(([name, title]) => [title, ...cells.map(({ rows }) => nanoseconds(timeOf(rows, name, 1)))]);
  return table(['ns a call', ...cells.map(({ cell }) => titleOf(cell))], `l${'r'.repeat(cells.length)}`, lines);
}
const nanoseconds = (us: number | undefined) => (us === undefined ? '' : digits(us * 1e3));

const OWN_COLOR = '#0969da';
/** Colours stay with their contender, in every chart. */
const LINES: readonly (readonly [title: string, color: string, names: readonly string[], style?: Partial<Series>])[] = [
  ['PyTorch', '#d1491b', ['torch', 'torch-compile', 'torch-compile-gv']],
  ['JAX', '#8250df', ['jax']],
  ['ONNX Runtime', '#1a7f37', ['ort']],
  ['NumPy', '#b08800', ['numpy']],
  ['TensorFlow.js wasm', '#bf3989', ['tfjs-wasm']],
  ['TensorFlow.js cpu', '#e085b9', ['tfjs-cpu']],
  ['plain JavaScript loop', '#424a53', ['js']],
  ['stream', '#8c959f', ['stream', 'stream-nt'], { dashed: true }],
];

/** Time per element against size: the peers at their best, this package on one thread and on all. */
function sizeChart(results: Results, task: Task): string | undefined {
  // A single column says the same about the size as a thousand of them.
  const cells = measuredCells(results)
    .filter(({ cell }) => cell.task === task && cell.dtype === 'float32' && cell.c > 1)
    .sort((a, b) => elements(a.cell) - elements(b.cell));
  if (cells.length < 3) return undefined;
  const line = (name: string, color: string, belongs: (entry: Entry) => boolean, style?: Partial<Series>): Series[] => {
    const points = cells.flatMap(({ cell, rows }): [number, number][] => {
      const best = entries(rows).find(belongs);
      return best ? [[elements(cell), (best.us * 1e3) / elements(cell)]] : [];
    });
    return points.length >= 3 ? [{ name, color, points, ...style }] : [];
  };
  const all = results.machine.threads;
  const own = (threads: number) => (entry: Entry) => entry.name === 'simdloss-bound' && entry.threads === threads;
  const series = [
    ...(all > 1 ? line(`simdloss, ${all} threads`, OWN_COLOR, own(all), { bold: true }) : []),
    ...line('simdloss, one thread', all > 1 ? '#54aeff' : OWN_COLOR, own(1), { bold: true }),
    ...LINES.flatMap(([name, color, names, style]) => line(name, color, (entry) => names.includes(entry.name), style)),
  ];
  const subtitle =
    'ns per element, float32, score and gradient; others at their best of eager, compiled and threads; lower is better';
  return lineChart(TASKS[task], subtitle, `elements (${cells.map(({ cell }) => sizeOf(cell)).join(', ')})`, series);
}

/** The ratio against the best peer, cell by cell. */
function ratioChart(results: Results): string | undefined {
  const bars = measuredCells(results).flatMap(({ cell, rows }): Bar[] => {
    const best = ratioToBest(rows);
    if (!best || elements(cell) === 1 || cell.task.startsWith('matmul')) return [];
    const color = best.ratio >= 1 ? (cell.dtype === 'float32' ? OWN_COLOR : '#54aeff') : '#d1491b';
    const label = `${titleOf(cell)}${cell.dtype === 'float64' ? ', float64' : ''}`;
    return [
      {
        label: label.replace('cross entropy', 'CE').replace('linear layer + sparse', 'layer +'),
        ratio: best.ratio,
        note: `${best.peer.name}, ${best.peer.threads}`,
        color,
      },
    ];
  });
  if (bars.length === 0) return undefined;
  const subtitle =
    'times as fast as the best peer (right: which, and its threads), with as many threads as that one used';
  return barChart('simdloss against the best peer', subtitle, bars);
}

/** Every contender of every cell. */
function details(results: Results): string {
  const out = [
    '# Every contender in every cell',
    '',
    'Written by `npm run bench:peers`; the summary is [performance.md](../performance.md). Minimum over all rounds, median of the',
    'best round; spread: slowest round by fastest; busy: cores that other programs used meanwhile. Errors are relative: of the',
    "gradient to its largest element. Peak: MiB by which one call lifts the process's resident memory, its result included.",
    '',
  ];
  for (const { cell, rows } of measuredCells(results)) {
    out.push(`## ${cell.id}`, '', `${titleOf(cell)}, ${cell.dtype}`, '');
    const hasPeak = Object.values(rows).some(({ peak_mib }) => peak_mib !== undefined);
    const lines = entries(rows).map(({ name, threads, us, row }) => {
      const minima = row.rounds.map(({ min_us }) => min_us);
      const busy = row.rounds.flatMap((round) => (round.busy === undefined ? [] : [round.busy]));
      return [
        name,
        String(threads),
        digits(us, 4),
        timeText(row.median_us),
        digits((us * 1e3) / elements(cell)),
        (Math.max(...minima) / us).toFixed(2),
        busy.length > 0 ? (busy.reduce((a, b) => a + b) / busy.length).toFixed(1) : '',
        errorText(row.scoreError),
        `${errorText(row.gradientError)}${isPeer(name) && isWrong(row) ? ' wrong' : ''}`,
        ...(hasPeak ? [row.peak_mib === undefined ? '' : digits(row.peak_mib)] : []),
      ];
    });
    const head = [
      'contender',
      'threads',
      'min us',
      'median us',
      'ns/element',
      'spread',
      'busy',
      'score error',
      'gradient error',
    ];
    if (hasPeak) head.push('peak MiB');
    out.push(...table(head, `l${'r'.repeat(head.length - 1)}`, lines));
    const failed = Object.entries(rows).filter(([, { error }]) => error !== undefined);
    if (failed.length > 0) out.push('', ...failed.map(([key, { error }]) => `- ${key}: ${error}`));
    out.push('');
  }
  return out.join('\n');
}
const errorText = (value: number | undefined) =>
  value === undefined ? '' : value === 0 ? '0' : value.toExponential(1);

/** Groups of cells, each a table. */
const GROUPS: readonly (readonly [title: string, (cell: Cell) => boolean])[] = [
  ['Losses, float32', (cell) => cell.dtype === 'float32' && !isProduct(cell)],
  ['Losses, float64', (cell) => cell.dtype === 'float64' && !isProduct(cell)],
  ['Linear layer, float32 and float64', (cell) => cell.task === 'linear'],
  ['Matrix products of a layer', (cell) => cell.task.startsWith('matmul')],
];

/** The tables of ratios: what a run prints. */
export function ratioTables(results: Results): string[] {
  return GROUPS.flatMap(([title, belongs]) => {
    const cells = measuredCells(results).flatMap(({ cell }) => (belongs(cell) ? [cell] : []));
    return cells.length > 0 ? [`### ${title}`, '', ...ratios(results, cells), ''] : [];
  });
}

function summary(results: Results, charts: readonly { file: string; title: string }[], folder: string): string {
  const { machine, runs } = results;
  const manual = path.relative(folder, path.join(root, 'bench', 'README.md'));
  const versions = Object.entries(machine.versions).map(([name, version]) => `${name} ${version}`);
  const ran = runs.map(({ date, rounds, seconds, cells, peers, minutes }) => {
    const part = cells === 'all' && peers === 'all' ? '' : ` (cells: ${cells}; peers: ${peers})`;
    return `${date}, ${rounds} round${rounds === 1 ? '' : 's'} of ${seconds} s${part}, ${minutes} min`;
  });
  const image = ({ file, title }: { file: string; title: string }) => [`![${title}](performance/${file})`, ''];
  const cost = callCost(results);
  return [
    '# Performance',
    '',
    'Written by `npm run bench:peers`. What is measured: one call that gives the score and the gradient of a batch, by this package,',
    'by the best loop one writes by hand in JavaScript, and by the libraries that people use for it on a CPU.',
    '',
    `- **Machine**: ${machine.cpu}; ${machine.cores} cores; kernels on ${machine.target}. ${versions.join(', ')}.`,
    `- **Threads**: this package with 1${machine.threads > 1 ? ` and with ${machine.threads}, one for each core` : ''}; peers the same, where they have threads. A time is compared`,
    '  with that of as many threads; a peer counts at its best, eager or compiled, on one thread or all.',
    '- **How**: all contenders in one run, each cell measured in rounds in which they take turns; the minimum over the rounds counts.',
    '  This package and the plain loop get a fresh process each time, so that V8 has seen nothing but the code at hand.',
    '- **Checked**: score and gradient of every contender against a float64 reference; one whose answer is wrong does not count.',
    '- **stream**: a C loop that reads two arrays and writes one of the same size, the physical limit for losses that compute little.',
    `- **Run**: ${ran.join('; ')}.`,
    '',
    'To reproduce: `npm run bench:peers` (some GB of Python packages, about an hour and a half), or `npm run bench` with Node alone;',
    `[bench/README.md](${manual}) has the options and says how each peer is called.`,
    '',
    '## Charts',
    '',
    ...charts.flatMap(image),
    '## Aims',
    '',
    'What the project wants to reach. Ratios are times of the other by times of this package, so more is better.',
    '',
    ...aims(results),
    '',
    '## Ratios',
    '',
    '**ratio**: the best peer by the fastest synchronous call of this package (plain, with `out`, or bound), with as many threads as',
    'the peer used; **one thread**: the same, of one-thread times alone; **plain loop**: the loop in JavaScript by this package;',
    '**of the stream**: the time of the stream test for the same bytes, as a share of ours. Times are microseconds a call.',
    '',
    ...ratioTables(results),
    ...(cost.length > 0 ? ['## What a call costs', '', ...cost, ''] : []),
    '## Every contender',
    '',
    '[performance/cells.md](performance/cells.md) has all times, with spread and errors; [performance/results.json](performance/results.json)',
    'has every round.',
    '',
  ].join('\n');
}

/** Writes performance.md, and its charts and tables beside it in performance/. */
export function writeReport(results: Results, folder: string): void {
  const home = path.join(folder, 'performance');
  mkdirSync(home, { recursive: true });
  const charts: { file: string; title: string }[] = [];
  const write = (file: string, title: string, content: string | undefined) => {
    if (content === undefined) return;
    writeFileSync(path.join(home, file), content);
    charts.push({ file, title });
  };
  write('ratios.svg', 'Ratio against the best peer in each cell', ratioChart(results));
  for (const task of ['ce', 'sce', 'bce', 'mse'] as const) {
    write(`${task}.svg`, `${TASKS[task]}: time per element against size`, sizeChart(results, task));
  }
  writeFileSync(path.join(home, 'cells.md'), details(results));
  writeFileSync(path.join(folder, 'performance.md'), summary(results, charts, folder));
}
