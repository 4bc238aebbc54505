// SPDX-License-Identifier: Apache-2.0
// Every loss with every activation: the same calls for each backend and each runtime, to compare what they give.

const rows = 23;
const cols = 17;

function inputs(dtype) {
  const of = (f) => ({ data: dtype.from({ length: rows * cols }, (_, i) => f(i)), shape: [rows, cols] });
  return {
    output: of((i) => 0.3 + 0.25 * Math.sin(i * 1.7)),
    soft: of((i) => (i % cols === i % 7 ? 1 : 0.01)),
    sparse: { data: Int32Array.from({ length: rows }, (_, i) => i % cols), shape: [rows, 1] },
  };
}

/** Rows `{ name, tolerance, values }`, score and gradient of each. */
export function calls({ LossFunction, Activation }) {
  return [
    { dtype: Float32Array, tolerance: 2e-5 },
    { dtype: Float64Array, tolerance: 1e-12 },
  ].flatMap(({ dtype, tolerance }) => {
    const { output, soft, sparse } = inputs(dtype);
    return LossFunction.values().flatMap((kind) => {
      const labels = kind.name() === 'SPARSE_MCXENT' ? sparse : soft;
      const activations = Activation.values().filter((each) => each.name() !== 'RRELU'); // random
      return activations.map((activation) => {
        const loss = kind.getILossFunction();
        const { score, gradient } = loss.computeGradientAndScore(labels, output, activation);
        const name = `${kind.name()}, ${activation.name()}, ${dtype.name}`;
        return { name, tolerance, values: [score, ...gradient.data] };
      });
    });
  });
}
