import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vitest/config';

export default defineConfig({
  resolve: {
    // package.json says where it is in dist/; the tests run src/.
    alias: { '#http': fileURLToPath(new URL('src/synap/http.ts', import.meta.url)) },
  },
  test: {
    include: ['test/**/*.test.ts'],
    // Those are for `npm run test:long`.
    exclude: ['**/node_modules/**', 'test/**/*.long.test.ts'],
    // Much of the time goes by in waiting, for processes and clocks.
    maxWorkers: '100%',
    // Only what hangs takes so long: a machine that is slow, or busy with other things, must not fail a test.
    testTimeout: process.env.SYNAP_TEST_RUNS === 'full' ? 900_000 : 120_000,
    hookTimeout: 120_000,
    expect: { poll: { timeout: 60_000 } },
  },
});
