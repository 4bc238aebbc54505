// SPDX-License-Identifier: Apache-2.0
// The best that a developer writes by hand: one fused loop a loss over flat typed arrays, score and gradient at once.

/** Softmax cross entropy of dense labels. */
export function softmaxCrossEntropy(
  labels: Float32Array,
  logits: Float32Array,
  gradient: Float32Array,
  n: number,
  c: number,
): number {
  let score = 0;
  for (let i = 0; i < n; i++) {
    const begin = i * c;
    const end = begin + c;
    let max = Number.NEGATIVE_INFINITY;
    for (let k = begin; k < end; k++) if ((logits[k] as number) > max) max = logits[k] as number;
    let sum = 0;
    let total = 0;
    let dot = 0;
    for (let k = begin; k < end; k++) {
      const z = (logits[k] as number) - max;
      const e = Math.exp(z);
      gradient[k] = e;
      sum += e;
      total += labels[k] as number;
      dot += (labels[k] as number) * z;
    }
    score += total * Math.log(sum) - dot;
    const share = total / sum;
    for (let k = begin; k < end; k++) gradient[k] = (gradient[k] as number) * share - (labels[k] as number);
  }
  return score;
}

/** Binary cross entropy from the logit. */
export function sigmoidBinaryCrossEntropy(
  labels: Float32Array,
  logits: Float32Array,
  gradient: Float32Array,
  n: number,
  c: number,
): number {
  let score = 0;
  for (let k = 0; k < n * c; k++) {
    const z = logits[k] as number;
    const y = labels[k] as number;
    const e = Math.exp(-Math.abs(z));
    score += (z > 0 ? z : 0) - z * y + Math.log1p(e);
    gradient[k] = (z >= 0 ? 1 / (1 + e) : e / (1 + e)) - y;
  }
  return score;
}

/** Mean squared error over the columns. */
export function meanSquaredError(
  labels: Float32Array,
  outputs: Float32Array,
  gradient: Float32Array,
  n: number,
  c: number,
): number {
  let score = 0;
  const slope = 2 / c;
  for (let k = 0; k < n * c; k++) {
    const e = (outputs[k] as number) - (labels[k] as number);
    score += e * e;
    gradient[k] = slope * e;
  }
  return score / c;
}
