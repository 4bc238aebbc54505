// SPDX-License-Identifier: Apache-2.0
// scripts/build-wasm.mjs makes the module's bytes part of the program.
declare module '*.wasm' {
  const bytes: Uint8Array<ArrayBuffer>;
  export default bytes;
}
