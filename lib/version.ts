// SPDX-License-Identifier: Apache-2.0

/** The package's version, as in package.json. */
export const version: string = (require('../package.json') as { version: string }).version;

/** What the kernels run on: `native`, the addon. */
export const backend: 'native' | 'wasm' = 'native';
