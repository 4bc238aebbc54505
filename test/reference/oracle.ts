// SPDX-License-Identifier: Apache-2.0
// The specification as plain float64 code: one element at a time, no kernels, nothing of the library.

/** Options of losses and activations, by the specification's names; PReLU's alpha is one number a column. */
export type Params = Readonly<Record<string, number | boolean | string | readonly number[]>>;

/** One problem: row-major matrices as flat lists. */
export interface Problem {
  readonly loss: string;
  readonly lossParams?: Params;
  readonly activation: string;
  readonly activationParams?: Params;
  readonly rows: number;
  readonly cols: number;
  /** `rows * cols` values; class indices, one a row, for LossSparseMCXENT; `rows * labelWidth` for LossMixtureDensity. */
  readonly labels: readonly number[];
  readonly preOutput: readonly number[];
  /** None, one value a row, or one an element. */
  readonly mask?: readonly number[] | null | undefined;
  readonly weights?: readonly number[] | null | undefined;
}

/** What a loss returns; F-measure has no score per row. */
export interface Result {
  readonly score: number;
  readonly scoreArray: readonly number[] | null;
  readonly gradient: readonly number[];
}

// --- Arithmetic -------------------------------------------------------------------------------------------------------
const sum = (values: readonly number[]): number => values.reduce((total, value) => total + value, 0);
const dot = (x: readonly number[], y: readonly number[]): number => sum(x.map((value, i) => value * at(y, i)));
const clamp = (x: number, low: number, high: number): number => (x < low ? low : x > high ? high : x);
const norm = (x: readonly number[]): number => Math.hypot(...x);

/** x[i], which the caller knows to be there. */
function at(x: readonly number[], i: number): number {
  const value = x[i];
  if (value === undefined) throw new Error(`no element ${i} of ${x.length}`);
  return value;
}

/** A term whose coefficient is 0 is absent, whatever it multiplies. */
const term = (coefficient: number, value: number): number => (coefficient === 0 ? 0 : coefficient * value);

/** A mask of 0 selects: not even NaN gets through. Any other value multiplies. */
const masked = (mask: number, value: number): number => (mask === 0 ? 0 : mask * value);

/** The limit of a product in which one factor vanishes faster than the other grows. */
const vanishing = (x: number, y: number): number => (x === 0 || y === 0 ? 0 : x * y);

// --- Activations ------------------------------------------------------------------------------------------------------
/** f and f' of one element; `p` holds the parameters, PReLU's already picked by column. */
interface Elementwise {
  readonly value: (z: number, p: Readonly<Record<string, number>>) => number;
  readonly slope: (z: number, p: Readonly<Record<string, number>>) => number;
}

const sigmoid = (z: number): number => (z >= 0 ? 1 / (1 + Math.exp(-z)) : Math.exp(z) / (1 + Math.exp(z)));
const softplus = (z: number): number => Math.max(z, 0) + Math.log1p(Math.exp(-Math.abs(z)));
/** tanh' = 4 e^2 / (1 + e^2)^2 with e = exp(-|z|). */
const tanhSlope = (z: number): number => 4 / (Math.exp(z) + Math.exp(-z)) ** 2;

/** GELU is z sigmoid(v): the default has v = 1.702 z; 0.5 (1 + tanh u) = sigmoid(2 u) gives the precise one. */
function geluExponent(z: number, precise: boolean): [v: number, slope: number] {
  if (!precise) return [1.702 * z, 1.702];
  const root = 2 * Math.sqrt(2 / Math.PI);
  return [root * (z + 0.044715 * z ** 3), root * (1 + 3 * 0.044715 * z * z)];
}

const gelu = (precise: boolean): Elementwise => ({
  value: (z) => vanishing(z, sigmoid(geluExponent(z, precise)[0])),
  slope: (z) => {
    const [v, slope] = geluExponent(z, precise);
    return sigmoid(v) + vanishing(vanishing(sigmoid(v), sigmoid(-v)), z * slope);
  },
});

/** tanh(softplus z) and 1 minus it, from q = exp(-|z|). */
function tanhOfSoftplus(z: number): [value: number, complement: number] {
  const q = Math.exp(-Math.abs(z));
  return z >= 0
    ? [(1 + 2 * q) / (1 + 2 * q + 2 * q * q), (2 * q * q) / (1 + 2 * q + 2 * q * q)]
    : [(q * q + 2 * q) / (q * q + 2 * q + 2), 2 / (q * q + 2 * q + 2)];
}

/** x, d - 1 and d of tanh_approx, whose value is (d - 1) / d. */
function rational(z: number): [x: number, excess: number] {
  const x = Math.abs((2 * z) / 3);
  return [x, x + x * x + 1.41645 * x ** 4];
}

const seluAlpha = 1.6732632423543772;
const seluLambda = 1.0507009873554805;
const meanSlope = (p: Readonly<Record<string, number>>): number => ((p['l'] ?? 1 / 8) + (p['u'] ?? 1 / 3)) / 2;
const leaky = (alpha: (p: Readonly<Record<string, number>>) => number): Elementwise => ({
  value: (z, p) => (z >= 0 ? z : alpha(p) * z),
  slope: (z, p) => (z >= 0 ? 1 : alpha(p)),
});

const elementwise: Readonly<Record<string, Elementwise>> = {
  CUBE: { value: (z) => z ** 3, slope: (z) => 3 * z * z },
  ELU: {
    value: (z, p) => (z >= 0 ? z : (p['alpha'] ?? 1) * Math.expm1(z)),
    slope: (z, p) => (z >= 0 ? 1 : (p['alpha'] ?? 1) * Math.exp(z)),
  },
  GELU: {
    value: (z, p) => gelu(Boolean(p['precise'])).value(z, p),
    slope: (z, p) => gelu(Boolean(p['precise'])).slope(z, p),
  },
  HARDSIGMOID: {
    value: (z) => clamp((z + 2.5) / 5, 0, 1),
    slope: (z) => (Math.abs(z) <= 2.5 ? 0.2 : 0),
  },
  HARDTANH: { value: (z) => clamp(z, -1, 1), slope: (z) => (Math.abs(z) <= 1 ? 1 : 0) },
  IDENTITY: { value: (z) => z, slope: () => 1 },
  LEAKYRELU: leaky((p) => p['alpha'] ?? 0.01),
  MISH: {
    value: (z) => vanishing(z, tanhOfSoftplus(z)[0]),
    slope: (z) => {
      const [value, complement] = tanhOfSoftplus(z);
      return value + vanishing(z, complement * (1 + value) * sigmoid(z));
    },
  },
  PRELU: leaky((p) => p['alpha'] ?? nan),
  RATIONALTANH: {
    value: (z) => 1.7159 * Math.sign(z) * (1 / (1 + 1 / rational(z)[1])),
    slope: (z) => {
      const [x, excess] = rational(z);
      return excess === Infinity
        ? 0
        : (((1.7159 * 2) / 3) * (1 + 2 * x + 4 * 1.41645 * x ** 3)) / (1 + excess) / (1 + excess);
    },
  },
  RECTIFIEDTANH: { value: (z) => (z > 0 ? Math.tanh(z) : 0), slope: (z) => (z > 0 ? tanhSlope(z) : 0) },
  RELU: {
    value: (z, p) =>
      z >= (p['threshold'] ?? 0)
        ? Math.min(z, p['max'] ?? Infinity)
        : (p['negativeSlope'] ?? 0) * (z - (p['threshold'] ?? 0)),
    slope: (z, p) => {
      const { threshold = 0, negativeSlope = 0, max = Infinity } = p;
      if (z === 0 && threshold === 0 && negativeSlope === 0) return 0;
      return z < threshold ? negativeSlope : z < max ? 1 : 0;
    },
  },
  RELU6: { value: (z) => clamp(z, 0, 6), slope: (z) => (z > 0 && z < 6 ? 1 : 0) },
  RRELU: leaky(meanSlope),
  SELU: {
    value: (z) => seluLambda * (z > 0 ? z : seluAlpha * Math.expm1(z)),
    slope: (z) => seluLambda * (z > 0 ? 1 : seluAlpha * Math.exp(z)),
  },
  SIGMOID: { value: sigmoid, slope: (z) => sigmoid(z) * sigmoid(-z) },
  SOFTPLUS: { value: softplus, slope: sigmoid },
  SOFTSIGN: {
    value: (z) => (Math.abs(z) === Infinity ? Math.sign(z) : z / (1 + Math.abs(z))),
    slope: (z) => (1 + Math.abs(z)) ** -2,
  },
  SWISH: {
    value: (z) => vanishing(z, sigmoid(z)),
    slope: (z) => sigmoid(z) + vanishing(vanishing(sigmoid(z), sigmoid(-z)), z),
  },
  TANH: { value: Math.tanh, slope: tanhSlope },
  THRESHOLDEDRELU: {
    value: (z, p) => (z > (p['theta'] ?? 1) ? z : 0),
    slope: (z, p) => (z > (p['theta'] ?? 1) ? 1 : 0),
  },
};

/** Names of all activations. */
export const activationNames: readonly string[] = [...Object.keys(elementwise), 'SOFTMAX'];

/** An output a = f(z) with what its logarithm needs: neither log a nor f'/a underflows with a. */
interface Output {
  readonly a: number;
  /** 1 - a and 1 + a. */
  readonly b: number;
  readonly c: number;
  readonly logA: number;
  readonly logB: number;
  /** f', f' / a, f' / b; of no meaning for softmax. */
  readonly g: number;
  readonly gOverA: number;
  readonly gOverB: number;
}

/** dL/da = direct + overA / a + overB / (1 - a): divisions that the chain rule may cancel. */
interface Slope {
  readonly direct: number;
  readonly overA?: number;
  readonly overB?: number;
}

function columnParams(params: Params, column: number): Record<string, number> {
  return Object.fromEntries(
    Object.entries(params).map(([name, value]) => [name, Number(Array.isArray(value) ? at(value, column) : value)]),
  );
}

const nan = Number.NaN;
const notANumber: Output = { a: nan, b: nan, c: nan, logA: nan, logB: nan, g: nan, gOverA: nan, gOverB: nan };

/** log(sum exp): the largest gives the 1 of log1p, so that the sum is exact near 0 too. */
function logSumExp(values: readonly number[]): number {
  const top = Math.max(...values);
  const largest = values.indexOf(top);
  return top === -Infinity
    ? top
    : top + Math.log1p(sum(values.map((value, j) => (j === largest ? 0 : Math.exp(value - top)))));
}

function softmax(z: readonly number[]): Output[] {
  if (z.some((value) => Number.isNaN(value) || value === Infinity)) return z.map(() => notANumber);
  const top = Math.max(...z);
  const total = logSumExp(z.map((value) => value - top));
  return z.map((value, k) => {
    const logA = value - top - total;
    const a = Math.exp(logA);
    const logB = a < 0.5 ? Math.log1p(-a) : logSumExp(z.filter((_, j) => j !== k).map((other) => other - top)) - total;
    return { ...notANumber, a, b: Math.exp(logB), c: 1 + a, logA, logB };
  });
}

function outputOf(activation: string, params: Record<string, number>, z: number): Output {
  const f = elementwise[activation];
  if (f === undefined) throw new Error(`no activation ${activation}`);
  if (Number.isNaN(z)) return notANumber;
  const [a, g] = [f.value(z, params), f.slope(z, params)];
  if (activation === 'SIGMOID') {
    return { a, b: sigmoid(-z), c: 1 + a, logA: -softplus(-z), logB: -softplus(z), g, gOverA: sigmoid(-z), gOverB: a };
  }
  const tail = activation === 'SOFTPLUS' && z < -700; // softplus z = e^z there, and e^z underflows
  return {
    a,
    b: activation === 'TANH' ? 2 * sigmoid(-2 * z) : 1 - a,
    c: activation === 'TANH' ? 2 * sigmoid(2 * z) : 1 + a,
    logA: tail ? z : Math.log(a),
    logB: Math.log1p(-a),
    g,
    gOverA: tail ? 1 : g / a,
    gOverB: g / (1 - a),
  };
}

function outputsOf(activation: string, params: Params, z: readonly number[]): Output[] {
  if (activation === 'SOFTMAX') return softmax(z);
  const same = Object.values(params).some(Array.isArray) ? null : columnParams(params, 0);
  return z.map((value, column) => outputOf(activation, same ?? columnParams(params, column), value));
}

/** dL/dz of one row from dL/da. */
function backpropagate(activation: string, outputs: readonly Output[], slopes: readonly Slope[]): number[] {
  const slopeOf = (j: number): Required<Slope> => ({ direct: 0, overA: 0, overB: 0, ...slopes[j] });
  if (activation !== 'SOFTMAX') {
    return outputs.map(({ g, gOverA, gOverB }, j) => {
      const { direct, overA, overB } = slopeOf(j);
      return direct * g + term(overA, gOverA) + term(overB, gOverB);
    });
  }
  if (outputs.length === 1) return outputs.map(({ a }) => 0 * a);
  const all = outputs.map((_, j) => slopeOf(j));
  const pulls = all.map(({ direct, overA }, j) => direct * (outputs[j] as Output).a + overA);
  // p_k (u_k (1 - p_k) - sum over j != k of p_j u_j), with every p_j / p_j cancelled.
  return outputs.map(({ a, b, logA }, k) => {
    const { direct, overA, overB } = all[k] as Required<Slope>;
    let rest = 0;
    for (let j = 0; j < outputs.length; j++) {
      if (j === k) continue;
      const other = outputs[j] as Output;
      rest += a * at(pulls, j);
      const coefficient = (all[j] as Required<Slope>).overB * other.a;
      if (coefficient !== 0) rest += coefficient * Math.exp(logA - other.logB);
    }
    return direct * a * b + overA * b + overB * a - rest;
  });
}

/** f of a matrix. */
export function forward(activation: string, params: Params, cols: number, z: readonly number[]): number[] {
  return rowsOf(z, cols).flatMap((row) => outputsOf(activation, params, row).map(({ a }) => a));
}

/** dL/dz of a matrix from `epsilon` = dL/da. */
export function backward(
  activation: string,
  params: Params,
  cols: number,
  z: readonly number[],
  epsilon: readonly number[],
): number[] {
  const slopes = rowsOf(epsilon, cols);
  return rowsOf(z, cols).flatMap((row, i) => {
    const outputs = outputsOf(activation, params, row);
    return backpropagate(
      activation,
      outputs,
      outputs.map((_, j) => ({ direct: at(slopes[i] ?? [], j) })),
    );
  });
}

// --- Losses of an element ---------------------------------------------------------------------------------------------
/** l(y, a) and dl/da. */
interface Element extends Partial<Slope> {
  readonly loss: number;
}

/** y log a, which a label of 0 removes. */
const xlogy = (y: number, logA: number, a: number): number => (y === 0 && !Number.isNaN(a) ? 0 : y * logA);

const squared = (y: number, { a }: Output): Element => ({ loss: (y - a) ** 2, direct: 2 * (a - y) });
const absolute = (y: number, { a }: Output): Element => ({ loss: Math.abs(y - a), direct: Math.sign(a - y) });

function crossEntropy(y: number, { a, logA }: Output, params: Params, activation: string): Element {
  const e = Number(params['softmaxClipEps'] ?? 1e-10);
  const log = activation === 'SOFTMAX' ? clamp(logA, Math.log(e), Math.log1p(-e)) : logA;
  return { loss: -xlogy(y, log, a), overA: -y };
}

function binaryCrossEntropy(y: number, { a, b, logA, logB }: Output, params: Params): Element {
  const e = Number(params['clipEps'] ?? 1e-5);
  const outside = (x: number): boolean => x < e || x > 1 - e;
  const log = (x: number, logX: number): number => (x < e ? Math.log(e) : x > 1 - e ? Math.log1p(-e) : logX);
  return {
    loss: -xlogy(y, log(a, logA), a) - xlogy(1 - y, log(b, logB), b),
    direct: (outside(a) ? -y / clamp(a, e, 1 - e) : 0) + (outside(b) ? (1 - y) / clamp(b, e, 1 - e) : 0),
    overA: outside(a) ? 0 : -y,
    overB: outside(b) ? 0 : 1 - y,
  };
}

function hinge(power: 1 | 2) {
  return (y: number, { a, b, c }: Output): Element => {
    const margin = y === 1 ? b : y === -1 ? c : 1 - y * a;
    if (Number.isNaN(margin)) return { loss: margin, direct: margin };
    if (margin <= 0) return { loss: 0, direct: 0 };
    return power === 1 ? { loss: margin, direct: -y } : { loss: margin ** 2, direct: -2 * y * margin };
  };
}

/** log((a + 1) / (y + 1)); near 1 the ratio is 1 + (a - y) / (y + 1). */
function logRatio(y: number, a: number): number {
  const ratio = (a + 1) / (y + 1);
  return ratio > 0.5 && ratio < 2 ? Math.log1p((a - y) / (y + 1)) : Math.log(ratio);
}

const probability = (x: number): number => clamp(x, 1e-5, 1);

const elementLosses: Readonly<
  Record<string, (y: number, output: Output, params: Params, activation: string) => Element>
> = {
  LossMCXENT: crossEntropy,
  LossSparseMCXENT: crossEntropy,
  LossNegativeLogLikelihood: crossEntropy,
  LossBinaryXENT: binaryCrossEntropy,
  LossHinge: hinge(1),
  LossSquaredHinge: hinge(2),
  LossMSE: squared,
  LossL2: squared,
  LossMAE: absolute,
  LossL1: absolute,
  LossMSLE: (y, { a }) => ({ loss: logRatio(y, a) ** 2, direct: (2 * logRatio(y, a)) / (a + 1) }),
  LossMAPE: (y, { a }) => ({ loss: 100 * Math.abs((y - a) / y), direct: (100 * Math.sign(a - y)) / Math.abs(y) }),
  LossPoisson: (y, { a, logA }) => ({ loss: a - xlogy(y, logA, a), direct: 1, overA: -y }),
  LossKLD: (y, { a }) => ({ loss: probability(y) * Math.log(probability(y) / probability(a)), overA: -y }),
  LossWasserstein: (y, { a }) => ({ loss: y * a, direct: y }),
};
const meanOverColumns = new Set(['LossMSE', 'LossMAE', 'LossMSLE', 'LossMAPE', 'LossWasserstein']);

// --- Losses of a row --------------------------------------------------------------------------------------------------
/** The loss of a row and its slope in each output. */
interface Row {
  readonly loss: number;
  readonly slopes: readonly number[];
}

function cosineProximity(y: readonly number[], a: readonly number[]): Row {
  const e = 1e-5;
  const product = dot(y, a);
  const scale = Math.max(norm(y), e) * Math.max(norm(a), e);
  const pull = norm(a) >= e ? product / dot(a, a) : 0; // below e the norm is a constant
  return { loss: -product / scale, slopes: a.map((value, j) => -(at(y, j) - value * pull) / scale) };
}

function multiLabel(y: readonly number[], a: readonly number[]): Row {
  const positive = y.map((value) => value === 1);
  const [ups, downs] = [a.filter((_, j) => positive[j]), a.filter((_, j) => !positive[j])];
  if (ups.length === 0 || downs.length === 0) return { loss: 0, slopes: a.map(() => 0) };
  // The double sum is a product of two sums, each taken relative to its largest term.
  const [low, high] = [Math.min(...ups), Math.max(...downs)];
  const fall = sum(ups.map((value) => Math.exp(low - value)));
  const rise = sum(downs.map((value) => Math.exp(value - high)));
  const loss = Math.exp(high - low + Math.log((rise * fall) / (ups.length * downs.length)));
  return {
    loss,
    slopes: a.map((value, j) =>
      positive[j] ? (-loss * Math.exp(low - value)) / fall : (loss * Math.exp(value - high)) / rise,
    ),
  };
}

function mixtureDensity(y: readonly number[], a: readonly number[], params: Params): Row {
  const d = y.length;
  const k = Number(params['mixtures'] ?? a.length / (d + 2));
  const alpha = softmax(a.slice(0, k));
  const logSigma = a.slice(k, 2 * k);
  const differences = logSigma.map((_, i) => y.map((value, j) => value - at(a, 2 * k + i * d + j)));
  const squares = differences.map((row, i) => dot(row, row) * Math.exp(-2 * at(logSigma, i)));
  const logs = alpha.map(
    ({ logA }, i) => logA - (d / 2) * Math.log(2 * Math.PI) - d * at(logSigma, i) - at(squares, i) / 2,
  );
  const top = Math.max(...logs);
  const share = softmax(logs).map(({ a: p }) => p);
  return {
    loss: top === -Infinity ? Infinity : -top - Math.log(sum(logs.map((value) => Math.exp(value - top)))),
    slopes: [
      ...alpha.map(({ a: p }, i) => p - at(share, i)),
      ...squares.map((value, i) => -at(share, i) * (value - d)),
      ...differences.flatMap((row, i) => row.map((value) => -at(share, i) * value * Math.exp(-2 * at(logSigma, i)))),
    ],
  };
}

const rowLosses: Readonly<Record<string, (y: readonly number[], a: readonly number[], params: Params) => Row>> = {
  LossCosineProximity: cosineProximity,
  LossMultiLabel: multiLabel,
  LossMixtureDensity: mixtureDensity,
};

/** Names of all losses. */
export const lossNames: readonly string[] = [...Object.keys(elementLosses), ...Object.keys(rowLosses), 'LossFMeasure'];

// --- The interface ----------------------------------------------------------------------------------------------------
function rowsOf(values: readonly number[], cols: number): number[][] {
  return Array.from({ length: cols === 0 ? 0 : values.length / cols }, (_, i) =>
    values.slice(i * cols, (i + 1) * cols),
  );
}

/** The mask as one value an element. */
function maskRows({ rows, cols, mask }: Problem): number[][] {
  if (mask === null || mask === undefined) return Array.from({ length: rows }, () => new Array<number>(cols).fill(1));
  if (mask.length === rows * cols && cols > 1) return rowsOf(mask, cols);
  return mask.map((value) => new Array<number>(cols).fill(value));
}

/** Score, score per row and dL/dz of the sum. */
export function evaluate(problem: Problem): Result {
  const { loss, lossParams = {}, activation, activationParams = {}, cols } = problem;
  const z = rowsOf(problem.preOutput, cols);
  let m = maskRows(problem);
  let y = rowsOf(problem.labels, problem.rows === 0 ? 1 : problem.labels.length / problem.rows);
  if (loss === 'LossSparseMCXENT') {
    const classes = problem.labels;
    m = m.map((row, i) => (classes[i] === lossParams['ignoreIndex'] ? row.map(() => 0) : row));
    y = classes.map((label) => Array.from({ length: cols }, (_, j) => (j === label ? 1 : 0)));
  }
  if (loss === 'LossFMeasure') return fMeasure(problem, y, z, m);

  const w = problem.weights ?? new Array<number>(cols).fill(1);
  const rows = z.map((logits, i) => {
    const outputs = outputsOf(activation, activationParams, logits);
    const [labels, mask] = [y[i] ?? [], m[i] ?? []];
    const { score, slopes } =
      loss in rowLosses ? coupledRow(outputs, labels, mask) : elementwiseRow(outputs, labels, mask);
    const gradient = backpropagate(activation, outputs, slopes);
    const reaches = (j: number): boolean =>
      activation === 'SOFTMAX' ? mask.some((value) => value !== 0) : mask[j] !== 0;
    return { score, gradient: gradient.map((value, j) => (reaches(j) ? value : 0)) };
  });
  const scoreArray = rows.map(({ score }) => score);
  return { score: sum(scoreArray), scoreArray, gradient: rows.flatMap(({ gradient }) => gradient) };

  function elementwiseRow(outputs: readonly Output[], labels: readonly number[], mask: readonly number[]) {
    const f = elementLosses[loss];
    if (f === undefined) throw new Error(`no loss ${loss}`);
    const divisor = meanOverColumns.has(loss) ? cols : 1;
    const elements = outputs.map((output, j) => f(at(labels, j), output, lossParams, activation));
    return {
      score: sum(elements.map((element, j) => masked(at(mask, j), at(w, j) * element.loss))) / divisor,
      slopes: elements.map(({ direct = 0, overA = 0, overB = 0 }, j) => {
        const factor = (value: number): number => masked(at(mask, j), at(w, j) * value) / divisor;
        const spoilt = Number.isNaN((outputs[j] as Output).a) && mask[j] !== 0;
        return { direct: spoilt ? nan : factor(direct), overA: factor(overA), overB: factor(overB) };
      }),
    };
  }

  function coupledRow(outputs: readonly Output[], labels: readonly number[], mask: readonly number[]) {
    const f = rowLosses[loss];
    if (f === undefined) throw new Error(`no loss ${loss}`);
    const a = outputs.map((output) => output.a);
    const { loss: score, slopes } = f(labels, a, lossParams);
    const spoilt = [...labels, ...a].some(Number.isNaN); // NaN anywhere spoils the row
    return {
      score: masked(at(mask, 0), spoilt ? nan : score),
      slopes: slopes.map((slope) => ({ direct: masked(at(mask, 0), spoilt ? nan : slope) })),
    };
  }
}

/** 1 - F over the whole batch; the last of one or two columns is the positive class. */
function fMeasure(problem: Problem, y: readonly number[][], z: readonly number[][], m: readonly number[][]): Result {
  const { activation, activationParams = {}, cols } = problem;
  const beta2 = Number(problem.lossParams?.['beta'] ?? 1) ** 2;
  const outputs = z.map((row) => outputsOf(activation, activationParams, row));
  const p = outputs.map((row) => (row[cols - 1] as Output).a);
  const q = y.map((row) => at(row, cols - 1));
  const mask = m.map((row) => at(row, 0));
  const truePositive = sum(mask.map((x, i) => masked(x, at(q, i) * at(p, i))));
  const falsePositive = sum(mask.map((x, i) => masked(x, (1 - at(q, i)) * at(p, i))));
  const falseNegative = sum(mask.map((x, i) => masked(x, at(q, i) * (1 - at(p, i)))));
  const numerator = (1 + beta2) * truePositive;
  const denominator = numerator + beta2 * falseNegative + falsePositive;
  if (numerator === 0 && denominator === 0)
    return { score: 0, scoreArray: null, gradient: problem.preOutput.map(() => 0) };
  const gradient = outputs.flatMap((row, i) => {
    const slope = -(((1 + beta2) * at(q, i)) / denominator - numerator / denominator ** 2);
    const slopes = row.map((_, j) => ({ direct: j === cols - 1 ? masked(at(mask, i), slope) : 0 }));
    return mask[i] === 0 ? row.map(() => 0) : backpropagate(activation, row, slopes);
  });
  // D - N is a sum of same-signed terms: 1 - F without the cancellation.
  return { score: (beta2 * falseNegative + falsePositive) / denominator, scoreArray: null, gradient };
}
