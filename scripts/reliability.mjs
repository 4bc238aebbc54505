// SPDX-License-Identifier: Apache-2.0
// docs/reliability.md, written from docs/reliability.json: what was tried on the way to trust, each row by the command that
// reproduces it. As a script it writes the page again.
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { arch, platform } from 'node:os';
import path from 'node:path';
import { isMain, root } from './tools.mjs';

const data = path.join(root, 'docs', 'reliability.json');
const page = path.join(root, 'docs', 'reliability.md');

/** Sections of the page, in order, by the key that rows name. */
const SECTIONS = {
  platforms: 'Platforms: the packed package, installed offline',
  numbers: 'Numbers under stress',
  fuzz: 'Fuzzing',
  sanitizers: 'Sanitizers',
  soak: 'Load, leaks, and ends',
};

const HEAD = `# Reliability

Written by the commands in the last column, each of which tries its rows again and puts them here. What is tried in every run of
\`npm test\` besides: golden values and properties of every loss on every SIMD target, the native tests under address and
undefined-behaviour sanitizers, transferred, shrunk and shared buffers, terminated workers.

macOS, and Windows on arm64, run in the weekly workflow alone: here \`npm run prebuild:all\` only looks into their addons.
`;

const rows = () => (existsSync(data) ? JSON.parse(readFileSync(data, 'utf8')) : []);

function render(list) {
  const sections = Object.entries(SECTIONS).flatMap(([key, title]) => {
    const own = list.filter(({ section }) => section === key);
    if (own.length === 0) return [];
    const lines = own.map((row) => `| ${row.what} | ${row.tried} | ${row.result} | ${row.on} | \`${row.command}\` |`);
    return [
      `\n## ${title}\n\n| what | tried | result | on | command |\n| --- | --- | --- | --- | --- |\n${lines.join('\n')}\n`,
    ];
  });
  return HEAD + sections.join('');
}

/** Puts rows `{ section, what, tried, result, command }` in the place of those of the same section and name. */
export function record(added) {
  const on = `Node ${process.versions.node}, ${platform()} ${arch()}, ${new Date().toISOString().slice(0, 10)}`;
  const isNew = (row) => added.some(({ section, what }) => section === row.section && what === row.what);
  const list = [...rows().filter((row) => !isNew(row)), ...added.map((row) => ({ ...row, on }))];
  const key = ({ section, what }) => `${Object.keys(SECTIONS).indexOf(section)} ${what}`;
  list.sort((a, b) => key(a).localeCompare(key(b)));
  writeFileSync(data, `${JSON.stringify(list, null, 2)}\n`);
  writeFileSync(page, render(list));
}

if (isMain(import.meta.url)) writeFileSync(page, render(rows()));
