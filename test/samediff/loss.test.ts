// SPDX-License-Identifier: Apache-2.0
// `sd.loss` against golden/nd4j and golden/exact: outputs, gradients for predictions and for weights, by the oracle and by
// the library; what it rejects first.
import { type NDArray, SameDiff, type SDVariable } from '../../lib';
import { errShape, expectError } from '../support/errors';
import { type FloatDtype, groupBy, readCases, readFaults, type Tensor } from '../support/golden';
import { runs, typed } from '../support/samediff';
import {
  exactField,
  exactFromOne,
  largest,
  mismatches,
  nd4j,
  nd4jFloat32Constants,
  type Tolerance,
} from '../support/tolerance';

type Options = Readonly<Record<string, number | boolean>>;

/** A line of golden/nd4j/samediff.jsonl and edge-samediff.jsonl. */
interface Nd4jCase {
  readonly id: string;
  readonly op: string;
  readonly params: Options & { readonly lossReduce?: string };
  readonly dtype: FloatDtype;
  readonly labelsDtype?: 'int32';
  readonly labels: Tensor;
  readonly predictions: Tensor;
  readonly weights: Tensor | null;
  readonly output: Tensor | null;
  readonly gradient: Tensor | null;
  readonly weightsGradient: Tensor | null;
  readonly error: string | null;
  readonly note?: string;
}

/** A line of golden/exact/samediff.jsonl. */
interface ExactCase {
  readonly id: string;
  readonly loss: string;
  readonly options: Options;
  readonly lossReduce: string | null;
  readonly dtype: FloatDtype;
  readonly labels: Tensor | null;
  readonly predictions: Tensor;
  readonly weights: Tensor | readonly number[] | number | null;
  readonly output: readonly number[] | number;
  readonly gradient: readonly number[];
}

/** A call with what it should give; fields that are not compared are left out. */
interface Case {
  readonly id: string;
  readonly op: string;
  readonly options: Options;
  readonly lossReduce: string | undefined;
  readonly dtype: FloatDtype;
  readonly labels: Tensor | null;
  readonly labelsDtype: FloatDtype | 'int32';
  readonly predictions: Tensor;
  readonly weights: Tensor | number | null;
  readonly output?: readonly number[] | undefined;
  readonly gradient?: readonly number[] | undefined;
  readonly weightsGradient?: readonly number[] | undefined;
}

/** The graph of a call, its loss, and its arrays; shapes known when it is made, or -1. */
function build(golden: Case, known: boolean) {
  const { op, options, dtype, labels, weights, lossReduce } = golden;
  const sd = SameDiff.create();
  const arrays: Record<string, NDArray> = {};
  const place = (name: string, tensor: Tensor, type: FloatDtype | 'int32') => {
    arrays[name] = typed(type, tensor);
    return sd.placeHolder(name, type, known ? tensor.shape : tensor.shape.map(() => -1));
  };
  const p = place('p', golden.predictions, dtype);
  const y = labels && place('y', labels, golden.labelsDtype);
  const w = typeof weights === 'object' && weights !== null ? place('w', weights, dtype) : weights;
  const call = sd.loss[op as 'meanSquaredError'] as (...args: unknown[]) => SDVariable;
  const args = {
    l2Loss: [p],
    sparseSoftmaxCrossEntropy: [p, y],
    weightedCrossEntropyWithLogits: [y, p, w],
  }[op] ?? [y, p, w, lossReduce, options];
  return { sd, arrays, loss: call.apply(sd.loss, ['loss', ...args]) };
}

/** Of the cases of golden/exact/samediff. */
const exactTolerance = ({ op, dtype }: Case): Tolerance => (op === 'cosineDistance' ? exactFromOne : exactField)[dtype];

/** What a call gives that it should not, as text. */
function faultsOf(
  golden: Case,
  run: keyof typeof runs,
  known: boolean,
  toleranceOf: (golden: Case, field: string) => Tolerance,
): string[] {
  const { sd, arrays, loss } = build(golden, known);
  const fields = { output: loss.node, gradient: gradientOf(sd, 'p'), weightsGradient: gradientOf(sd, 'w') };
  const wanted = Object.entries(fields).flatMap(([field, node]) => {
    const want = golden[field as keyof typeof fields];
    return want === undefined || node === undefined ? [] : [{ field, node, want }];
  });
  const got = runs[run](
    sd,
    wanted.map(({ node }) => node),
    arrays,
  );
  return wanted.flatMap(({ field, want }, i) =>
    mismatches(`${golden.id} ${field}`, got[i] ?? [], want, toleranceOf(golden, field)),
  );
}

const faults = readFaults();

const gradientOf = (sd: SameDiff, name: string) =>
  sd.hasVariable(name) ? sd.gradientNodes([sd.getVariable(name)])[0] : undefined;

// --- The golden files as such calls ---

/** ND4J's edge cases that are not the specification: for those see the literal values below. */
const edgeFaults = new Set(['predictions of 0 and 1', 'labels of 0, 1 and 2, full']);

/** What ND4J's results are to the specified ones. */
function specified(golden: Nd4jCase, field: 'output' | 'gradient' | 'weightsGradient'): readonly number[] | undefined {
  const data = golden[field]?.data;
  const found = faults.get(golden.id);
  // The losses are the slopes of their weights.
  const fault = found?.[field] ?? (field === 'weightsGradient' ? found?.['output'] : undefined);
  if (golden.op !== 'meanPairwiseSquaredError') return fault === undefined ? data : undefined;
  // Twice the mean over pairs, and NaN where there is none.
  return data?.map((value) => (Number.isNaN(value) ? 0 : value / 2));
}

function fromNd4j(golden: Nd4jCase): Case {
  const { params, labelsDtype, dtype, note } = golden;
  const { lossReduce, ...options } = params;
  const isTwoArguments = note === 'two arguments: epsilon 0, no weights';
  return {
    ...golden,
    options: isTwoArguments ? { epsilon: 0 } : options,
    lossReduce: lossReduce === 'default' ? undefined : lossReduce,
    labelsDtype: labelsDtype ?? dtype,
    output: specified(golden, 'output'),
    gradient: specified(golden, 'gradient'),
    weightsGradient: specified(golden, 'weightsGradient'),
  };
}

function fromExact({ loss, lossReduce, weights, dtype, output, gradient, ...rest }: ExactCase): Case {
  return {
    ...rest,
    op: loss,
    dtype,
    labelsDtype: dtype,
    lossReduce: lossReduce ?? undefined,
    weights: Array.isArray(weights) ? { shape: [weights.length], data: weights } : (weights as Tensor | number | null),
    output: [output].flat().map((value) => rounded(value, dtype)),
    gradient: gradient.map((value) => rounded(value, dtype)),
  };
}

/** ND4J has the smoothing in float32; the terms of a weight for all cancel in a mean, as far as they may. */
function nd4jTolerance({ dtype, options, output = [] }: Case, field: string): Tolerance {
  const isSmoothed = dtype === 'float64' && (options['labelSmoothing'] ?? 0) !== 0;
  const { relative, absolute } = isSmoothed ? nd4jFloat32Constants : nd4j[dtype];
  return { relative, absolute: field === 'weightsGradient' ? absolute + relative * largest(output) : absolute };
}

const rounded = (value: number, dtype: FloatDtype): number => (dtype === 'float32' ? Math.fround(value) : value);

const nd4jCases = [...readCases<Nd4jCase>('nd4j/samediff.jsonl'), ...readCases<Nd4jCase>('nd4j/edge-samediff.jsonl')];
const taken = nd4jCases.filter(({ op, note = '' }) => op !== 'ctcLoss' && !edgeFaults.has(note));
const isRejected = ({ id, error }: Nd4jCase) => error !== null && faults.get(id) === undefined;
const exactCases = readCases<ExactCase>('exact/samediff.jsonl').filter(({ loss }) => loss !== 'ctcLoss');

describe('rejects what ND4J rejects', () => {
  const rejected = taken.filter(isRejected);

  test.each(rejected.map((golden) => [`${golden.id}: ${golden.note}`, golden] as const))('%s', (_, golden) => {
    for (const known of [true, false]) {
      const call = () => {
        const { sd, arrays } = build(fromNd4j(golden), known);
        sd.output(arrays, 'loss');
      };
      expectError(call, errShape(golden.weights === null ? 'labels' : 'weights'));
    }
  });
});

describe.each(['oracle', 'library'] as const)('by the %s', (run) => {
  describe.each([true, false])('shapes known: %s', (known) => {
    const specifiedCases = taken.filter((golden) => !isRejected(golden)).map(fromNd4j);

    test.each(groupBy(specifiedCases, ({ op, dtype }) => `${op} ${dtype}`))('ND4J, %s', (_, cases) => {
      expect(cases.flatMap((golden) => faultsOf(golden, run, known, nd4jTolerance))).toEqual([]);
    });

    test.each(groupBy(exactCases.map(fromExact), ({ op, dtype }) => `${op} ${dtype}`))('exact, %s', (_, cases) => {
      expect(cases.flatMap((golden) => faultsOf(golden, run, known, exactTolerance))).toEqual([]);
    });
  });
});
