export default {
  testEnvironment: 'node',
  testMatch: ['<rootDir>/test/**/*.test.ts'],
  extensionsToTreatAsEsm: ['.ts'],
  transform: {
    '^.+\\.ts$': ['@swc/jest', { jsc: { parser: { syntax: 'typescript' }, target: 'es2022' } }],
  },
  globalSetup: '<rootDir>/test/helpers/global-setup.ts',
  modulePathIgnorePatterns: ['<rootDir>/dist/'],
  watchPathIgnorePatterns: ['<rootDir>/dist/', '<rootDir>/data/'],
  maxWorkers: 2,
  // a worker keeps the modules of all files it has run; collecting that garbage costs more than a new worker
  workerIdleMemoryLimit: '1GB',
  testTimeout: 60_000,
};
