// @ts-check
'use strict';

/**
 * How TypeScript becomes JavaScript: the same for the build, the tests and the scripts, and equal to what
 * tsconfig.json asks of tsc. Decorator metadata stays off: every decorated type is written out.
 * @type {import('@swc/core').Options}
 */
module.exports = {
  swcrc: false,
  jsc: {
    target: 'es2022',
    parser: { syntax: 'typescript', decorators: true },
    transform: { legacyDecorator: true, decoratorMetadata: false, useDefineForClassFields: false },
    keepClassNames: true,
  },
  module: { type: 'commonjs', ignoreDynamic: true },
};
