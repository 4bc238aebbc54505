// SPDX-License-Identifier: Apache-2.0
// Labels that are class indices.
import type { MatrixView } from './array-input';
import { rangeError } from './errors';

/** Throws unless the labels, one a row, are whole numbers from 0 to `classes - 1`. */
export function checkClasses(labels: MatrixView, classes: number, name: string): void {
  const { data, rows, rowStride } = labels;
  for (let row = 0, at = 0; row < rows; row++, at += rowStride) {
    const label = Number(data[at]);
    if (!(label >= 0 && label < classes && Number.isInteger(label))) throw badLabel(labels, row, classes, name);
  }
}

/** The error of a label that is no class index. */
export function badLabel(labels: MatrixView, row: number, classes: number, name = 'labels'): RangeError {
  return rangeError(
    `${name}: row ${row}`,
    `a class index from 0 to ${classes - 1}`,
    labels.data[row * labels.rowStride],
  );
}
