// SPDX-License-Identifier: Apache-2.0
// README.md and the pages kept honest: their programs compile and print what their comments say, their tables and links
// name what exists.
import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import ts from 'typescript';
import * as lib from '../lib';
import * as testing from '../lib/testing';

const root = path.join(__dirname, '..');
const PAGES = ['README.md', 'docs/custom-losses.md', 'docs/samediff.md'].map((page) => ({
  page,
  text: readFileSync(path.join(root, page), 'utf8'),
}));
const [{ text }] = PAGES as [(typeof PAGES)[number]];
const ENTRIES: Readonly<Record<string, unknown>> = { simdloss: lib, 'simdloss/testing': testing };
const programs = PAGES.flatMap(({ page, text: all }) =>
  [...all.matchAll(/^```ts\n([\s\S]*?)^```/gm)].map(([, code = ''], i) => ({
    page,
    code,
    file: path.join(root, `${path.basename(page, '.md')}-${i + 1}.mts`),
    title: /^(const|class) \w+/m.exec(code)?.[0] ?? 'nothing',
  })),
);

/** Programs may wait for promises. */
const AsyncFunction = (async () => {}).constructor as FunctionConstructor;

test('the programs compile as strictly as the library', () => {
  const { config } = ts.readConfigFile(path.join(root, 'tsconfig.json'), ts.sys.readFile);
  const { options } = ts.parseJsonConfigFileContent(config, ts.sys, root);
  const host = ts.createCompilerHost(options);
  const { readFile, fileExists } = host;
  const codeOf = (name: string) => programs.find(({ file }) => file === name)?.code;
  host.readFile = (name) => codeOf(name) ?? readFile(name);
  host.fileExists = (name) => codeOf(name) !== undefined || fileExists(name);
  const files = programs.map(({ file }) => file);
  const program = ts.createProgram(files, options, host);
  const diagnostics = files.flatMap((file) => ts.getPreEmitDiagnostics(program, program.getSourceFile(file)));
  expect(diagnostics.map(({ messageText }) => ts.flattenDiagnosticMessageText(messageText, ' '))).toEqual([]);
  expect(files.length).toBeGreaterThanOrEqual(2);
});

test.each(programs)('$page: the program of $title prints what its comments say', async ({ code }) => {
  // `console.log(value); // 2.5` compares; other lines print, and are only run.
  const checked = code.replace(/^console\.log\((.*)\); *\/\/ (.*)$/gm, 'same($1, `$2`);');
  const { outputText } = ts.transpileModule(checked, {
    compilerOptions: { module: ts.ModuleKind.CommonJS, target: ts.ScriptTarget.ES2022 },
  });
  const wrong: string[] = [];
  let count = 0;
  const same = (value: unknown, comment: string) => {
    count += 1;
    const [literal = 'no number'] = /^(\[.*\]|-?[\d.]+)/.exec(comment) ?? [];
    const want = literal.match(/-?\d+(\.\d+)?/g) ?? [];
    const got = [value].flat(3) as number[];
    const near = (number: string, i: number) =>
      Math.abs((got[i] as number) - Number(number)) <= 0.5001 * 10 ** -(number.split('.')[1]?.length ?? 0);
    if (want.length === 0 || want.length !== got.length || !want.every(near)) wrong.push(`${got}: ${comment}`);
  };
  const run = new AsyncFunction('require', 'exports', 'console', 'same', outputText);
  await run((name: string) => ENTRIES[name] ?? require(name), {}, { log: () => {} }, same);
  // Calls off the event loop settle in order: those of the program before this one.
  await new lib.LossMSE().computeScoreAsync([0], Float32Array.of(0), 'identity');
  expect(wrong).toEqual([]);
  expect(count).toBeGreaterThan(0);
});

const rows = text.split('\n').filter((line) => line.startsWith('|'));

const lossFunctions = Object.values(lib).filter(
  (value) => typeof value === 'function' && /^Loss/.test(value.name) && 'computeScore' in (value.prototype ?? {}),
);

test('the table of losses has every class', () => {
  const listed = rows.flatMap((row) => /^\| `(Loss\w+)`/.exec(row)?.[1] ?? []);
  expect(listed.sort()).toEqual(
    Object.keys(lib)
      .filter((name) => lossFunctions.some((Class) => Class === (lib as Record<string, unknown>)[name]))
      .sort(),
  );
});

test('the table of activations has every class, with its name in the enumeration', () => {
  const listed = rows.flatMap((row) => {
    const [, name = '', Class] = /^\| (?:`(\w+)` )?\| `(Activation\w+)`/.exec(row) ?? [];
    return Class === undefined ? [] : [{ name, Class }];
  });
  const named = lib.Activation.values().map((value) => ({
    name: value.name(),
    Class: value.getActivationFunction().constructor.name,
  }));
  const byClass = (a: { Class: string }, b: { Class: string }) => (a.Class < b.Class ? -1 : 1);
  expect(listed.sort(byClass)).toEqual([...named, { name: '', Class: 'ActivationPReLU' }].sort(byClass));
});

test.each(PAGES)('links of $page lead to files', ({ page, text: all }) => {
  const links = [...all.matchAll(/\]\((?!https?:)([^)#]+)/g)].map(([, link = '']) => link);
  expect(links.length).toBeGreaterThan(0);
  expect(links.filter((link) => !existsSync(path.join(root, path.dirname(page), link)))).toEqual([]);
});

test('the page on losses of one’s own has the class of examples/huber-loss.ts', () => {
  const example = readFileSync(path.join(root, 'examples', 'huber-loss.ts'), 'utf8');
  const body = example.slice(example.indexOf('/**')).replace('export class', 'class');
  expect(PAGES[1]?.text).toContain(body);
});
