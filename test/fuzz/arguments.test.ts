// SPDX-License-Identifier: Apache-2.0
// Every public function with arguments that no caller should pass: it returns, or throws a TypeError or RangeError with a
// code, and then nothing is written. A crash would end the test itself. fast-check prints the seed of a failure.
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import fc from 'fast-check';
import * as lib from '../../lib';
import { type Activation, type ILossFunction, NDArray, nd, SameDiff, Transforms } from '../../lib';
import { hostile, OwnError } from '../support/hostile';
import { activationClasses, lossClasses } from '../support/library';

const RUNS = process.env['SIMDLOSS_FULL'] === '1' ? 200_000 : 6_000;

/** A function, and arguments that it takes. */
interface Target {
  readonly name: string;
  readonly call: (...args: never[]) => unknown;
  readonly args: () => unknown[];
}

const matrix = () => nd.array([[1, 0.5], [0.25, 1]]); // biome-ignore format: one line
const labelsOf = (name: string) => (name === 'LossSparseMCXENT' ? Int32Array.of(1, 0) : matrix());
const method = (object: object, name: string) => (object as Record<string, (...args: never[]) => unknown>)[name];

function lossTargets(name: string): Target[] {
  const Class = lossClasses[name as keyof typeof lossClasses] as unknown as new (options?: object) => ILossFunction;
  const make = () => new Class(name === 'LossMixtureDensity' ? { mixtures: 1, labelWidth: 0 } : undefined);
  const given = () => [labelsOf(name), matrix(), lib.Activation.SIGMOID, null];
  const out = () => ({ out: nd.zeros([2, 2]) });
  const calls: Readonly<Record<string, () => unknown[]>> = {
    computeScore: () => [...given(), true],
    computeScoreArray: () => [...given()],
    computeGradient: () => [...given(), out()],
    computeGradientAndScore: () => [...given(), true, out()],
    computeScoreAsync: () => [...given(), true],
    computeGradientAndScoreAsync: () => [...given(), false, out()],
    bind: () => [{ labels: labelsOf(name), preOutput: matrix(), activation: 'tanh', gradient: nd.zeros([2, 2]) }],
  };
  return [
    { name: `new ${name}`, call: ((options: never) => new Class(options)) as Target['call'], args: () => [{}] },
    ...Object.entries(calls).map(([of, args]) => ({
      name: `${name}.${of}`,
      call: (...args: never[]) => {
        const loss = make();
        const result = method(loss, of)?.call(loss, ...args);
        return of === 'bind' ? (result as { run(): number }).run() : result;
      },
      args,
    })),
  ];
}

function activationTargets(name: string): Target[] {
  const Class = activationClasses[name as keyof typeof activationClasses] as unknown as new (
    options?: object,
  ) => ReturnType<Activation['getActivationFunction']>;
  const make = () => new Class(name === 'PRELU' ? { alpha: [0.1, 0.2] } : undefined);
  const out = () => ({ out: nd.zeros([2, 2]) });
  return [
    { name: `new ${name}`, call: ((options: never) => new Class(options)) as Target['call'], args: () => [{}] },
    {
      name: `${name}.getActivation`,
      call: (...args: never[]) => make().getActivation(...(args as unknown as [never, never])),
      args: () => [matrix(), false, out()],
    },
    {
      name: `${name}.backprop`,
      call: (...args: never[]) => make().backprop(...(args as unknown as [never, never, never])),
      args: () => [matrix(), matrix(), out()],
    },
  ];
}

/** What the library's own files alone may call: methods marked so, and private ones. */
const internal = new Set(
  ['ndarray', 'samediff'].flatMap((folder) =>
    readdirSync(path.join(__dirname, '../../lib', folder)).flatMap((file) => {
      const text = readFileSync(path.join(__dirname, '../../lib', folder, file), 'utf8');
      const marked = /@internal(?:(?!\*\/)[\s\S])*\*\/\s+(?:static |readonly )*(\w+)|private (?:static )?(\w+)/g;
      return [...text.matchAll(marked)].map(([, first, second]) => first ?? second);
    }),
  ),
);

/** The public methods of an object. */
function methodTargets(title: string, make: () => object): Target[] {
  const sample = make();
  const names = new Set<string>();
  for (let at = sample; at !== Object.prototype && at !== Function.prototype && at; at = Object.getPrototypeOf(at)) {
    for (const name of Object.getOwnPropertyNames(at)) names.add(name);
  }
  const callable = [...names].filter((name) => {
    const descriptor = describeProperty(sample, name);
    return typeof descriptor?.value === 'function' && name !== 'constructor' && !internal.has(name);
  });
  return callable.map((name) => ({
    name: `${title}.${name}`,
    call: (...args: never[]) => {
      const object = make();
      return method(object, name)?.call(object, ...args);
    },
    args: () => [matrix(), 1, 0],
  }));
}

function describeProperty(object: object, name: string): PropertyDescriptor | undefined {
  for (let at: object | null = object; at; at = Object.getPrototypeOf(at)) {
    const found = Object.getOwnPropertyDescriptor(at, name);
    if (found) return found;
  }
  return undefined;
}

function variable(): object {
  const sd = SameDiff.create();
  return sd.placeHolder('x', 'float32', [2, 2]);
}

const targets: readonly Target[] = [
  ...Object.keys(lossClasses).flatMap(lossTargets),
  ...Object.keys(activationClasses).flatMap(activationTargets),
  ...methodTargets('NDArray', matrix),
  ...methodTargets('nd', () => nd),
  ...methodTargets('Transforms', () => Transforms),
  ...methodTargets('SDVariable', variable),
  ...methodTargets('SameDiff', () => SameDiff.create()),
  ...methodTargets('sd.math', () => SameDiff.create().math),
  ...methodTargets('sd.nn', () => SameDiff.create().nn),
  ...methodTargets('sd.loss', () => SameDiff.create().loss),
  ...methodTargets('loss', () => lib.loss),
  ...methodTargets('Activation', () => lib.Activation),
  ...methodTargets('LossFunction', () => lib.LossFunction),
  {
    name: 'new NDArray',
    call: (...a: never[]) => new NDArray(...(a as unknown as [never, never])),
    args: () => [new Float32Array(4), [2, 2]],
  },
  {
    name: 'fusedLinearCrossEntropy',
    call: (call: never) => lib.fusedLinearCrossEntropy(call),
    args: () => [{ x: matrix(), W: matrix(), b: nd.zeros([2]), labels: Int32Array.of(0, 1) }],
  },
  {
    name: 'OutputLayer',
    call: ((loss: never, nIn: never, nOut: never, activation: never, x: never, labels: never) => {
      const layer = new lib.OutputLayer.Builder(loss).nIn(nIn).nOut(nOut).activation(activation).build();
      return [layer.activate(x), layer.computeGradientAndScore(x, labels)];
    }) as Target['call'],
    args: () => [new lib.LossMSE(), 2, 2, lib.Activation.TANH, matrix(), matrix()],
  },
  {
    name: 'defineLoss',
    call: ((name: never, define: never, labels: never, z: never) =>
      lib.defineLoss(name, define).computeGradientAndScore(labels, z, 'tanh')) as Target['call'],
    args: () => ['l', (y: lib.SDVariable, a: lib.SDVariable) => a.sub(y).square(), matrix(), matrix()],
  },
];

/** A call: its target, and which of its arguments are replaced, by what. */
interface Attack {
  readonly target: number;
  readonly replaced: readonly { readonly place: number; readonly by: string; readonly key: number }[];
}

const attacks: fc.Arbitrary<Attack> = fc.record({
  target: fc.nat(targets.length - 1),
  replaced: fc.uniqueArray(
    fc.record({ place: fc.nat(5), by: fc.constantFrom(...Object.keys(hostile)), key: fc.nat(20) }),
    { minLength: 1, maxLength: 2, selector: ({ place }) => place },
  ),
});

/** An argument, or one property of it where it is a bag of options. */
function replace(args: unknown[], { place, by, key }: Attack['replaced'][number]): void {
  const value = (hostile[by] as () => unknown)();
  const bag = args[place] as Record<string, unknown> | undefined;
  const keys = bag && Object.getPrototypeOf(bag) === Object.prototype ? Object.keys(bag) : [];
  const isInside = keys.length > 0 && key % 2 === 0;
  args[place] = isInside ? { ...bag, [keys[(key >> 1) % keys.length] as string]: value } : value;
}

/** What of the arguments could be written to. */
function written(args: readonly unknown[]): number[][] {
  const arrays = args.flatMap((arg) => [arg, (arg as { out?: unknown } | null)?.out]);
  return arrays.filter((array) => array instanceof NDArray).map((array) => Array.from(array.data as Float32Array));
}

function isExpected(error: unknown): boolean {
  // The caller's own, and what the language throws of a revoked proxy.
  if (error instanceof OwnError || /revoked/.test(String((error as Error)?.message))) return true;
  const { code } = error as { code?: unknown };
  return (
    (error instanceof TypeError || error instanceof RangeError) && typeof code === 'string' && code.startsWith('ERR_')
  );
}

test(`no argument gets past the checks: ${RUNS} of them`, async () => {
  const attack = fc.asyncProperty(attacks, async ({ target: index, replaced }) => {
    const target = targets[index] as Target;
    const given = target.args();
    const before = written(given);
    const args = [...given];
    for (const change of replaced) replace(args, change);
    try {
      await target.call(...(args as never[]));
    } catch (error) {
      expect(written(given)).toEqual(before);
      if (!isExpected(error)) throw new Error(`${target.name}: ${(error as Error)?.stack ?? String(error)}`);
    }
  });
  await fc.assert(attack, { numRuns: RUNS });
});
