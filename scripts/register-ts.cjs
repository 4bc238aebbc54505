// SPDX-License-Identifier: Apache-2.0
// Lets require() read TypeScript: transpiled in memory by the compiler that the tests use, types unchecked.
const { transformFileSync } = require('@swc/core');

require.extensions['.ts'] = (module, file) => {
  const { code } = transformFileSync(file, {
    jsc: { target: 'es2022', parser: { syntax: 'typescript' } },
    module: { type: 'commonjs' },
    sourceMaps: 'inline',
  });
  module._compile(code, file);
};
