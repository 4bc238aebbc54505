// SPDX-License-Identifier: Apache-2.0
import type { GradientReport } from './check-gradient';
import type { LossReport } from './check-loss';

/**
 * What a check throws where a loss does not pass: its message is the report as text.
 *
 * @example
 * ```ts
 * import { LossL2 } from 'simdloss';
 * import { CheckError, checkGradient } from 'simdloss/testing';
 * try {
 *   checkGradient(new LossL2(), { average: true }); // but its gradient is that of the sum
 * } catch (error) {
 *   (error as CheckError).report.passed; // false
 * }
 * ```
 * @see PyTorch `torch.autograd.gradcheck.GradcheckError`
 */
export class CheckError extends Error {
  /** Tells it from other errors. */
  override readonly name = 'CheckError';

  /** What the check found. */
  readonly report: GradientReport | LossReport;

  /** @param report what the check found */
  constructor(report: GradientReport | LossReport) {
    super(String(report));
    this.report = report;
  }
}
