// SPDX-License-Identifier: Apache-2.0
// Two charts as SVG: lines over a logarithmic grid, and bars around a ratio of 1.

export interface Series {
  readonly name: string;
  readonly color: string;
  readonly dashed?: boolean;
  readonly bold?: boolean;
  readonly points: readonly (readonly [number, number])[];
}

export interface Bar {
  readonly label: string;
  readonly ratio: number;
  readonly note: string;
  readonly color: string;
}

const FONT = 'font-family="system-ui, -apple-system, Segoe UI, Helvetica, Arial, sans-serif"';
const INK = '#24292f';
const MUTED = '#57606a';
const GRID = '#e4e8ec';

const escaped = (text: string) => text.replace(/&/g, '&amp;').replace(/</g, '&lt;').replace(/>/g, '&gt;');
const round = (value: number) => Math.round(value * 10) / 10;

interface TextStyle {
  readonly size?: number;
  readonly color?: string;
  readonly anchor?: 'start' | 'middle' | 'end';
  readonly weight?: number;
}
function text(x: number, y: number, content: string, style: TextStyle = {}): string {
  const { size = 12, color = INK, anchor = 'start', weight = 400 } = style;
  const place = `x="${round(x)}" y="${round(y)}" text-anchor="${anchor}"`;
  return `<text ${place} font-size="${size}" font-weight="${weight}" fill="${color}">${escaped(content)}</text>`;
}
const line = (x1: number, y1: number, x2: number, y2: number, color: string, width = 1) =>
  `<line x1="${round(x1)}" y1="${round(y1)}" x2="${round(x2)}" y2="${round(y2)}" stroke="${color}" stroke-width="${width}"/>`;

function page(width: number, height: number, title: string, subtitle: string, body: readonly string[]): string {
  return `${[
    '<!-- SPDX-License-Identifier: Apache-2.0 -->',
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" ${FONT} role="img">`,
    `<title>${escaped(title)}</title>`,
    `<rect width="${width}" height="${height}" rx="8" fill="#ffffff"/>`,
    text(24, 34, title, { size: 16, weight: 600 }),
    text(24, 54, subtitle, { color: MUTED }),
    ...body,
    '</svg>',
  ].join('\n')}\n`;
}

const SUFFIXES = ['', 'k', 'M', 'G'];
/** 1000 as 1k, 0.01 as 0.01. */
function short(value: number): string {
  if (value < 1000) return String(Number(value.toPrecision(3)));
  const power = Math.min(3, Math.floor(Math.log10(value) / 3));
  return `${Number((value / 1000 ** power).toPrecision(3))}${SUFFIXES[power]}`;
}

/** Ends of lines, pushed apart so that their names don't overlap. */
function spread(wanted: readonly number[], gap: number, low: number, high: number): number[] {
  const order = wanted.map((y, i) => ({ y, i })).sort((a, b) => a.y - b.y);
  const placed: number[] = [];
  let last = low - gap;
  for (const { y, i } of order) {
    last = Math.max(y, last + gap);
    placed[i] = last;
  }
  let next = high + gap;
  for (const { i } of [...order].reverse()) {
    next = Math.min(placed[i] ?? 0, next - gap);
    placed[i] = next;
  }
  return placed;
}

/** Lines over logarithmic axes, named at their right ends. */
export function lineChart(title: string, subtitle: string, xTitle: string, series: readonly Series[]): string {
  const [width, height] = [860, 480];
  const [left, right, top, bottom] = [64, 660, 80, 424];
  const all = series.flatMap(({ points }) => points);
  const decades = (values: readonly number[]) =>
    [Math.floor(Math.log10(Math.min(...values))), Math.ceil(Math.log10(Math.max(...values)))] as const;
  const [x0, x1] = [Math.log10(Math.min(...all.map(([x]) => x))), Math.log10(Math.max(...all.map(([x]) => x)))];
  const [y0, y1] = decades(all.map(([, y]) => y));
  const toX = (value: number) => left + ((Math.log10(value) - x0) / (x1 - x0)) * (right - left);
  const toY = (value: number) => bottom - ((Math.log10(value) - y0) / (y1 - y0)) * (bottom - top);

  const body: string[] = [];
  for (let power = y0; power <= y1; power++) {
    const y = toY(10 ** power);
    body.push(
      line(left, y, right, y, GRID),
      text(left - 8, y + 4, short(10 ** power), { color: MUTED, anchor: 'end' }),
    );
  }
  for (const x of [...new Set(all.map(([value]) => value))].sort((a, b) => a - b)) {
    body.push(line(toX(x), top, toX(x), bottom, GRID));
  }
  let free = Number.NEGATIVE_INFINITY;
  for (const x of [...new Set(all.map(([value]) => value))].sort((a, b) => a - b)) {
    if (toX(x) - free < 34) continue;
    free = toX(x);
    body.push(text(toX(x), bottom + 20, short(x), { color: MUTED, anchor: 'middle' }));
  }
  body.push(text((left + right) / 2, bottom + 42, xTitle, { color: MUTED, anchor: 'middle' }));

  const ends = series.map(({ points }) => toY(points[points.length - 1]?.[1] ?? 1));
  const labels = spread(ends, 16, top, bottom);
  series.forEach(({ name, color, dashed, bold, points }, i) => {
    const path = points.map(([x, y], j) => `${j === 0 ? 'M' : 'L'}${round(toX(x))} ${round(toY(y))}`).join(' ');
    const stroke = `stroke="${color}" stroke-width="${bold ? 3 : 1.8}" stroke-linejoin="round" stroke-linecap="round"`;
    body.push(`<path d="${path}" fill="none" ${stroke}${dashed ? ' stroke-dasharray="6 5"' : ''}/>`);
    for (const [x, y] of points) {
      body.push(`<circle cx="${round(toX(x))}" cy="${round(toY(y))}" r="${bold ? 4 : 3}" fill="${color}"/>`);
    }
    const end = points[points.length - 1];
    if (end === undefined) return;
    const label = labels[i] ?? 0;
    body.push(line(toX(end[0]) + 6, ends[i] ?? 0, right + 18, label, color, 0.8));
    body.push(text(right + 22, label + 4, name, { color, weight: bold ? 700 : 500 }));
  });
  return page(width, height, title, subtitle, body);
}

/** Bars from 1 to a ratio, over a logarithmic axis. */
export function barChart(title: string, subtitle: string, bars: readonly Bar[]): string {
  const step = 24;
  const [width, left, right, top] = [860, 264, 640, 92];
  const bottom = top + bars.length * step;
  const low = Math.min(0.5, ...bars.map(({ ratio }) => ratio));
  const high = Math.max(4, ...bars.map(({ ratio }) => ratio)) * 1.1;
  const toX = (value: number) => left + (Math.log(value / low) / Math.log(high / low)) * (right - left);
  const body: string[] = [];
  for (const tick of [0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 50, 100, 200, 500, 1000]) {
    if (tick < low || tick > high) continue;
    body.push(line(toX(tick), top - 8, toX(tick), bottom, tick === 1 ? MUTED : GRID, tick === 1 ? 1.5 : 1));
    body.push(text(toX(tick), top - 14, `${tick}x`, { size: 11, color: MUTED, anchor: 'middle' }));
  }
  bars.forEach(({ label, ratio, note, color }, i) => {
    const y = top + i * step;
    const [from, to] = [toX(Math.min(1, ratio)), toX(Math.max(1, ratio))];
    body.push(text(left - 12, y + 16, label, { size: 11.5, anchor: 'end' }));
    const box = `x="${round(from)}" y="${y + 4}" width="${round(Math.max(1, to - from))}" height="${step - 8}"`;
    body.push(`<rect ${box} rx="2" fill="${color}"/>`);
    body.push(text(to + 6, y + 16, `${Number(ratio.toPrecision(2))}x`, { weight: 600 }));
    body.push(text(width - 24, y + 16, note, { size: 11, color: MUTED, anchor: 'end' }));
  });
  return page(width, bottom + 24, title, subtitle, body);
}
