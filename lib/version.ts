// SPDX-License-Identifier: Apache-2.0
export { backend } from './native';
export { version } from './runtime';
