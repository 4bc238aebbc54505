// SPDX-License-Identifier: Apache-2.0
// The public exports of 'simdloss/testing', nothing else.
export { CheckError } from './check-error';
export {
  checkGradient,
  type GradientCheckOptions,
  type GradientElement,
  type GradientReport,
} from './check-gradient';
export { checkLoss, type LossCheckOptions, type LossReport, type RuleResult } from './check-loss';
export type { CheckOptions, LabelKind } from './problem';
