// SPDX-License-Identifier: Apache-2.0

import type { ActivationInput } from '../losses/iloss-function';
import { Activation } from './activation';
import type { IActivation } from './iactivation';
import { checkActivation, NativeActivation } from './native-activation';

/** The activation that a caller means by an object, an enum value, or a name. */
export function resolveActivation(value: ActivationInput): IActivation {
  if (NativeActivation.isMade(value)) return value;
  if (value instanceof Activation) return value.shared;
  if (typeof value === 'string') return Activation.fromString(value).shared;
  return checkActivation(value);
}
