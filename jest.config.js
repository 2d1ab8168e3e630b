// Suites are split by what they cost: `npm run check` runs unit; `npm test` runs all of them.
const suite = (name, timeoutSeconds, more = {}) => ({
  displayName: name,
  testMatch: [`<rootDir>/tests/${name}/**/*.test.ts`],
  testEnvironment: 'node',
  extensionsToTreatAsEsm: ['.ts'],
  transform: { '^.+\\.ts$': ['@swc/jest', { jsc: { parser: { syntax: 'typescript' }, target: 'es2022' } }] },
  globals: { TEST_TIMEOUT_MS: timeoutSeconds * 1000 },
  setupFilesAfterEnv: ['<rootDir>/tests/rig/timeout.js'],
  ...more,
});

export default {
  projects: [
    suite('unit', 20),
    suite('integration', 60),
    suite('cluster', 300),
    suite('e2e', 300, { globalSetup: '<rootDir>/tests/rig/install-program.js' }),
  ],
};
