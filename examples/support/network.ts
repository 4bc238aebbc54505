// SPDX-License-Identifier: Apache-2.0
// What a small network needs besides its output layer: a hidden layer, an optimiser, shuffled batches.
import { type IActivation, type NDArray, nd } from 'simdloss';

/** A dense layer without a loss: a = f(x W + b). */
export class DenseLayer {
  readonly activation: IActivation;
  readonly W: NDArray;
  readonly b: NDArray;
  private x = nd.zeros([0, 0]);
  private z = nd.zeros([0, 0]);

  constructor({
    nIn,
    nOut,
    activation,
    seed = 1,
  }: { nIn: number; nOut: number; activation: IActivation; seed?: number }) {
    this.activation = activation;
    this.W = nd.randn([nIn, nOut], { seed }).muli(Math.sqrt(2 / nIn));
    this.b = nd.zeros([nOut]);
  }

  /** Activated outputs; keeps what backprop needs. */
  activate(x: NDArray): NDArray {
    this.x = x;
    this.z = x.mmul(this.W).addi(this.b);
    return this.activation.getActivation(this.z.dup(), true);
  }

  /** Gradients of W and b from epsilon = dL/da. */
  backprop(epsilon: NDArray): [NDArray, NDArray] {
    const [delta] = this.activation.backprop(this.z, epsilon);
    return [this.x.transpose().mmul(delta), delta.sum(0)];
  }
}

/** Adam (Kingma & Ba 2014) over a list of parameters, updated in place. */
export class Adam {
  private readonly means: Float64Array[];
  private readonly squares: Float64Array[];
  private step = 0;

  constructor(
    private readonly parameters: readonly NDArray[],
    private readonly rate: number,
  ) {
    this.means = parameters.map((p) => new Float64Array(p.length));
    this.squares = parameters.map((p) => new Float64Array(p.length));
  }

  /** One step along gradients of the sum over `rows` rows. */
  update(gradients: readonly NDArray[], rows: number): void {
    const [beta1, beta2, epsilon] = [0.9, 0.999, 1e-8];
    this.step += 1;
    const rate = (this.rate * Math.sqrt(1 - beta2 ** this.step)) / (1 - beta1 ** this.step);
    this.parameters.forEach((parameter, k) => {
      const values = parameter.data as Float32Array;
      const gradient = gradients[k]?.data as Float32Array;
      const mean = this.means[k] as Float64Array;
      const square = this.squares[k] as Float64Array;
      for (let i = 0; i < mean.length; i++) {
        const g = (gradient[i] as number) / rows;
        const m = beta1 * (mean[i] as number) + (1 - beta1) * g;
        const v = beta2 * (square[i] as number) + (1 - beta2) * g * g;
        mean[i] = m;
        square[i] = v;
        values[i] = (values[i] as number) - (rate * m) / (Math.sqrt(v) + epsilon);
      }
    });
  }
}

/** Whole numbers from 0 to n - 1 in a random order that the seed fixes. */
export function shuffled(n: number, seed: number): number[] {
  const keys = nd.rand([n], { seed });
  return Array.from({ length: n }, (_, i) => i).sort((i, j) => keys.getDouble(i) - keys.getDouble(j));
}

/** The rows of a matrix that `indices` names, as a new matrix. */
export function gather(matrix: NDArray, indices: readonly number[]): NDArray {
  const cols = matrix.size(1);
  const from = matrix.data as Float32Array;
  const data = new Float32Array(indices.length * cols);
  indices.forEach((row, i) => {
    data.set(from.subarray(row * cols, (row + 1) * cols), i * cols);
  });
  return nd.create(data, [indices.length, cols]);
}
