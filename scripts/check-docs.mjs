// SPDX-License-Identifier: Apache-2.0
// Walks everything that the package's entries export and fails where a docstring does not follow the template of CONTRIBUTING.md,
// where no test mentions a name, or where an @example does not compile and run. Needs dist/. Last line: the counts.
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import ts from 'typescript';
import { files, root } from './tools.mjs';
import { ENTRIES } from './write-esm.mjs';

// Ours alone, so there is no source to name.
const noSource = new Set(['backend', 'simd', 'version']);
const tagOrder = ['param', 'returns', 'throws', 'example', 'see'];

const { options } = ts.parseJsonConfigFileContent(
  ts.readConfigFile(path.join(root, 'tsconfig.json'), ts.sys.readFile).config,
  ts.sys,
  root,
);
const entries = ENTRIES.map((entry) => path.join(root, 'lib', entry, 'index.ts'));
const program = ts.createProgram(entries, options);
const checker = program.getTypeChecker();
const tests = files('test', /\.ts$/)
  .map((file) => readFileSync(path.join(root, file), 'utf8'))
  .join('\n');

const inLib = (node) => node.getSourceFile().fileName.startsWith(path.join(root, 'lib'));
const isHidden = (declaration) =>
  (declaration.name !== undefined && ts.isPrivateIdentifier(declaration.name)) ||
  (ts.getCombinedModifierFlags(declaration) & (ts.ModifierFlags.Private | ts.ModifierFlags.Protected)) !== 0 ||
  ts.getJSDocTags(declaration).some((tag) => tag.tagName.text === 'internal');
/** What a name stands for: behind `export { name } from`, `{ name }` in an object, `static Name = SomeClass`. */
function resolved(symbol) {
  if (symbol.flags & ts.SymbolFlags.Alias) return checker.getAliasedSymbol(symbol);
  const shorthand = symbol.declarations?.find(ts.isShorthandPropertyAssignment);
  if (shorthand) return resolved(checker.getShorthandAssignmentValueSymbol(shorthand));
  const type = symbol.flags & ts.SymbolFlags.Property && checker.getTypeOfSymbol(symbol);
  return type && type.getConstructSignatures().length > 0 ? type.symbol : symbol;
}

// --- What is public: exports, and the members of classes, interfaces and objects among them ---------------------------

/** Everything to check: { name, symbol, kind, owner, declaration }; of interfaces and types only the first line. */
function publicItems() {
  const items = [];
  const seen = new Set();
  const add = (item) => {
    item.symbol = resolved(item.symbol);
    const declaration = item.symbol.declarations?.find(inLib);
    if (!declaration || seen.has(declaration) || isHidden(declaration)) return;
    seen.add(declaration);
    items.push({ ...item, declaration });
    if (item.kind === 'class' || item.kind === 'interface') {
      addMembers(checker.getDeclaredTypeOfSymbol(item.symbol), item);
    }
    if (item.kind === 'class' || (item.kind === 'value' && !item.owner)) {
      addMembers(checker.getTypeOfSymbol(item.symbol), item, item.kind === 'class');
    }
  };
  const addMembers = (type, owner, isStatic = false) => {
    const symbols = checker.getPropertiesOfType(type);
    owner.members = [...(owner.members ?? []), ...symbols.map((symbol) => symbol.name)];
    for (const symbol of symbols) {
      // Well-known symbols ("__@dispose@123") are documented by what they stand for.
      if (symbol.name === 'prototype' || symbol.name.startsWith('__')) continue;
      // An entry of an enumeration, such as Activation.RELU, is documented by its class.
      if (isStatic && checker.getTypeOfSymbol(symbol) === checker.getDeclaredTypeOfSymbol(owner.symbol)) continue;
      add({ name: `${owner.name}.${symbol.name}`, symbol, kind: kindOf(resolved(symbol), owner), owner });
    }
  };
  const modules = entries.map((entry) => checker.getSymbolAtLocation(program.getSourceFile(entry)));
  for (const symbol of modules.flatMap((module) => checker.getExportsOfModule(module))) {
    add({ name: symbol.name, symbol, kind: kindOf(resolved(symbol)) });
  }
  return items;
}

function kindOf(symbol, owner) {
  if (symbol.flags & ts.SymbolFlags.Class) return 'class';
  if (symbol.flags & ts.SymbolFlags.Interface) return 'interface';
  if (symbol.flags & (ts.SymbolFlags.TypeAlias | ts.SymbolFlags.Enum)) return 'type';
  if (owner?.kind === 'interface') return 'type';
  return checker.getTypeOfSymbol(symbol).getCallSignatures().length > 0 ? 'callable' : 'value';
}

// --- What a docstring must hold -------------------------------------------------------------------------------------

/** The functions behind a symbol: what users see of them (overloads, or the one), and all of them with bodies. */
function functionsOf(symbol) {
  const functions = (symbol.declarations ?? []).flatMap((declaration) => {
    if (ts.isClassDeclaration(declaration)) {
      return declaration.members.filter((member) => ts.isConstructorDeclaration(member) && !isHidden(member));
    }
    const initializer = declaration.initializer;
    if (initializer && (ts.isArrowFunction(initializer) || ts.isFunctionExpression(initializer))) return [initializer];
    return ts.isFunctionLike(declaration) ? [declaration] : [];
  });
  const overloads = functions.filter((declaration) => !declaration.body);
  return { visible: overloads.length > 0 ? overloads : functions, bodies: functions.filter(({ body }) => body) };
}

const throwing = new Map();
/** Whether a function of lib/ has a throw, or calls one that does. */
function canThrow(declaration) {
  if (!throwing.has(declaration)) {
    throwing.set(declaration, false); // While it is looked at: a recursive call adds nothing.
    const found = (node) =>
      ts.isThrowStatement(node) ||
      ((ts.isCallExpression(node) || ts.isNewExpression(node)) && calls(node.expression)) ||
      ts.forEachChild(node, found) === true;
    throwing.set(declaration, declaration.body !== undefined && found(declaration.body));
  }
  return throwing.get(declaration);
}
function calls(expression) {
  const symbol = checker.getSymbolAtLocation(expression);
  return symbol !== undefined && functionsOf(resolved(symbol)).bodies.some((body) => inLib(body) && canThrow(body));
}

const tagText = (tag) => ts.displayPartsToString(tag.text);

/** What is wrong with an item's docstring, as texts. */
function faults({ name, symbol, kind, owner }) {
  const text = ts.displayPartsToString(symbol.getDocumentationComment(checker)).trim();
  const tags = symbol.getJsDocTags(checker);
  const problems = [];
  const need = (condition, problem) => condition || problems.push(problem);
  const has = (tag) => tags.some((each) => each.name === tag && tagText(each).trim() !== '');

  const line = text.split('\n\n')[0];
  need(/[.:]$/.test(line), text === '' ? 'no docstring' : 'its first line does not end with a period');
  if (kind === 'type' || kind === 'interface' || (kind === 'value' && owner)) return problems;

  const { visible, bodies } = functionsOf(symbol);
  const parameters = visible.flatMap((declaration) => [...declaration.parameters]);
  // One line is enough for a member without parameters, and for one that is `as` a sibling that has the whole docstring.
  const sibling = /\bas `(\w+)`/.exec(text)?.[1];
  if (owner && (parameters.length === 0 || owner.members.includes(sibling))) return problems;

  const order = tags.map((tag) => tagOrder.indexOf(tag.name)).filter((place) => place >= 0);
  const ordered = order.every((place, i) => i === 0 || place >= order[i - 1]);
  need(ordered, `its tags are not in the order ${tagOrder.join(', ')}`);
  need(has('example') || isPlainConstant(symbol, kind), 'no @example');
  need(owner || has('see') || noSource.has(name), 'no @see that names its source');
  if (kind === 'class') {
    const instance = checker.getDeclaredTypeOfSymbol(symbol);
    const computes = ['computeScore', 'getActivation', 'activate'].some((method) => instance.getProperty(method));
    need(!computes || /Formula: `|```text/.test(text), 'no formula ("Formula: `...`" or a ```text block)');
  }

  // A constructor has a docstring of its own.
  const constructorTags = (declaration) => checker.getSignatureFromDeclaration(declaration)?.getJsDocTags() ?? [];
  const callTags = kind === 'class' ? [...tags, ...visible.flatMap(constructorTags)] : tags;
  const documented = callTags.map((tag) => tag.name === 'param' && /^\s*_?(\w+)\s+\S/.exec(tagText(tag))?.[1]);
  for (const { name: parameter } of parameters) {
    if (!ts.isIdentifier(parameter) || parameter.text === 'this') continue;
    const plain = parameter.text.replace(/^_/, '');
    need(documented.includes(plain), `no @param ${plain} with its meaning`);
  }
  if (kind === 'callable') {
    const results = checker.getTypeOfSymbol(symbol).getCallSignatures();
    const silent = results.every((result) => result.getReturnType().flags & (ts.TypeFlags.Void | ts.TypeFlags.Never));
    need(silent || has('returns'), 'no @returns');
  }
  const throws = callTags.some((tag) => tag.name === 'throws');
  need(throws || parameters.length === 0 || !bodies.some(canThrow), 'can throw, no @throws');
  return problems;
}

/** `version` and the like: the line says it all. */
function isPlainConstant(symbol, kind) {
  const primitive = ts.TypeFlags.StringLike | ts.TypeFlags.NumberLike | ts.TypeFlags.Union;
  return kind === 'value' && (checker.getTypeOfSymbol(symbol).flags & primitive) !== 0;
}

// --- Examples: compiled with the project's own strictness, then run against dist/ ------------------------------------

/** The code with `value; // 2.5` made a check: a number, an array, a string or a truth value after `//` must be right. */
function withChecks(code) {
  const source = ts.createSourceFile('example.mts', code, ts.ScriptTarget.Latest);
  let result = code;
  for (const statement of [...source.statements].reverse().filter(ts.isExpressionStatement)) {
    const [comment] = ts.getTrailingCommentRanges(code, statement.end) ?? [];
    const text = comment && code.slice(comment.pos + 2, comment.end).trim();
    const literal = /^(-?\d+(\.\d+)?(e-?\d+)?|\[.*\]|'[^']*'|true|false)(?=$|[,;:]| [^-+*/^=])/.exec(text ?? '')?.[0];
    if (!literal) continue;
    const expression = statement.expression.getText(source);
    const check = `expectSame(${expression}, ${JSON.stringify(literal)});`;
    result = result.slice(0, statement.getStart(source)) + check + result.slice(statement.end);
  }
  return result;
}

/** Throws where a value is not what its comment says, to the digits that the comment gives. */
globalThis.expectSame = (value, literal) => {
  const numbers = literal.startsWith("'") ? null : literal.match(/-?\d+(\.\d+)?(e-?\d+)?/g);
  const plain = (_key, each) => each?.toArray?.() ?? (ArrayBuffer.isView(each) ? Array.from(each) : each);
  const got = String(JSON.stringify(value, plain));
  const found = numbers && got.match(/-?\d+(\.\d+)?(e-?\d+)?/g);
  const near = (text, i) => {
    const unit = 10 ** -(text.split('.')[1]?.length ?? 0);
    return text.includes('e') ? Number(found[i]) === Number(text) : Math.abs(found[i] - text) < 1.001 * unit;
  };
  const same = numbers ? found?.length === numbers.length && numbers.every(near) : got === literal.replaceAll("'", '"');
  if (!same) throw new Error(`its comment says ${literal}, the value is ${got}`);
};

async function runExamples(items) {
  const folder = path.join(root, 'build', 'doc-examples');
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  const examples = new Map(); // By text: what many classes inherit runs once.
  for (const { name, symbol } of items) {
    const texts = symbol.getJsDocTags(checker).filter((tag) => tag.name === 'example');
    texts.map(tagText).forEach((text, i) => {
      const code = /```ts\n([\s\S]*?)```/.exec(text)?.[1];
      // Numbered: names may differ in case alone.
      const file = path.join(folder, `${examples.size}-${name}-${i + 1}.mts`);
      if (!examples.has(text)) examples.set(text, { name: `${name}, example ${i + 1}`, code, file });
    });
  }
  const runnable = [...examples.values()].filter(({ code }) => /from 'simdloss(\/testing)?'/.test(code));
  for (const { file, code } of runnable) writeFileSync(file, `${code}\nexport {};\n`);

  const loose = { ...options, noUnusedLocals: false, noUnusedParameters: false };
  const checked = ts.createProgram(
    runnable.map(({ file }) => file),
    loose,
  );
  const log = console.log;
  const results = [];
  for (const example of examples.values()) {
    const problems = [];
    if (!runnable.includes(example)) {
      problems.push("is no ```ts block that imports from 'simdloss'");
    } else {
      for (const diagnostic of ts.getPreEmitDiagnostics(checked, checked.getSourceFile(example.file))) {
        problems.push(`does not compile: ${ts.flattenDiagnosticMessageText(diagnostic.messageText, ' ')}`);
      }
      const script = example.file.replace(/\.mts$/, '.mjs');
      const compilerOptions = { target: ts.ScriptTarget.ES2022, module: ts.ModuleKind.ESNext };
      writeFileSync(script, ts.transpileModule(withChecks(example.code), { compilerOptions }).outputText);
      console.log = () => {};
      await import(pathToFileURL(script).href).catch((error) => problems.push(`does not run: ${error}`));
      console.log = log;
    }
    results.push({ name: example.name, problems });
  }
  return results;
}

// --------------------------------------------------------------------------------------------------------------------

const items = publicItems();
const results = items.map((item) => {
  const problems = faults(item);
  const word = item.name.split('.').pop();
  if (!new RegExp(`\\b${word}\\b`).test(tests)) problems.push('no test mentions it');
  const { line } = ts.getLineAndCharacterOfPosition(item.declaration.getSourceFile(), item.declaration.getStart());
  const where = path.relative(root, item.declaration.getSourceFile().fileName);
  return { name: `${where}:${line + 1} ${item.name}`, problems };
});
results.push(...(await runExamples(items)));

const faulty = results.filter(({ problems }) => problems.length > 0);
for (const { name, problems } of faulty) console.log(`${name}: ${problems.join('; ')}`);
console.log(`${results.length - faulty.length} passed, ${faulty.length} failed`);
process.exitCode = faulty.length === 0 && results.length > 0 ? 0 : 1;
