// SPDX-License-Identifier: Apache-2.0
// Drawings for the terminal.

/** A curve of `height` lines; values are averaged to at most `width` columns. */
export function curve(values: readonly number[], { width = 64, height = 8 } = {}): string {
  const columns = Math.min(width, values.length);
  const means = Array.from({ length: columns }, (_, i) => {
    const part = values.slice(
      Math.floor((i * values.length) / columns),
      Math.floor(((i + 1) * values.length) / columns),
    );
    return part.reduce((sum, value) => sum + value, 0) / part.length;
  });
  const top = Math.max(...means);
  const bottom = Math.min(...means);
  const level = means.map((value) => Math.round(((value - bottom) / (top - bottom || 1)) * (height - 1)));
  const lines: string[] = [];
  for (let row = height - 1; row >= 0; row--) {
    const label = row === height - 1 ? top : row === 0 ? bottom : null;
    const text = level.map((value) => (value === row ? '●' : value > row ? '·' : ' ')).join('');
    lines.push(`${(label === null ? '' : label.toFixed(3)).padStart(8)} ┤${text}`);
  }
  return lines.join('\n');
}

/** A bar of up to `width` characters for a share from 0 to 1 (full above). */
export function bar(share: number, width = 30): string {
  return '█'.repeat(Math.round(Math.min(1, share) * width)).padEnd(width, '░');
}

/** A grey picture with values from 0 to 1 as lines of characters, two picture rows a line. */
export function picture(pixels: ArrayLike<number>, size: number): string[] {
  const shades = ' .:-=+*#%@';
  const lines: string[] = [];
  for (let y = 0; y < size; y += 2) {
    let line = '';
    for (let x = 0; x < size; x++) {
      const value = Math.max(pixels[y * size + x] ?? 0, pixels[(y + 1) * size + x] ?? 0);
      line += shades[Math.min(shades.length - 1, Math.floor(value * shades.length))];
    }
    lines.push(line);
  }
  return lines;
}

/** Blocks of lines next to each other. */
export function sideBySide(blocks: readonly (readonly string[])[], gap = '  '): string {
  const height = Math.max(...blocks.map((lines) => lines.length));
  const widths = blocks.map((lines) => Math.max(...lines.map((line) => line.length)));
  return Array.from({ length: height }, (_, row) =>
    blocks.map((lines, i) => (lines[row] ?? '').padEnd(widths[i] ?? 0)).join(gap),
  ).join('\n');
}
