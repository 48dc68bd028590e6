// @ts-check
'use strict';

const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');

const globalSetup = path.join(__dirname, 'test', 'support', 'global-setup.ts');
const globalTeardown = path.join(__dirname, 'test', 'support', 'global-teardown.ts');

/** @type {import('jest').Config} */
module.exports = {
  testMatch: ['<rootDir>/test/{unit,integration,contract,e2e,chaos}/**/*.test.ts'],
  // Fails a file that leaves a socket, timer, worker or child process behind; `forceExit` would hide it.
  testEnvironment: '<rootDir>/test/support/leak-checking.environment.ts',
  transform: { '\\.ts$': ['@swc/jest', require('./scripts/swc.options.js')] },
  moduleFileExtensions: ['ts', 'js', 'json', 'node'],
  modulePathIgnorePatterns: ['<rootDir>/dist/', '<rootDir>/.kindred/'],
  ...(fs.existsSync(globalSetup) && { globalSetup }),
  ...(fs.existsSync(globalTeardown) && { globalTeardown }),
  // Each worker may hold a database, a vector server and a model: more than four only compete.
  maxWorkers: Math.min(4, os.availableParallelism()),
  // Only so that a test that hangs ends: a machine that is busy must not fail one that works.
  testTimeout: 600_000,
  errorOnDeprecated: true,
};
