import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vitest/config';
import { sources } from './test/sources.ts';

export default defineConfig({
  resolve: { alias: sources },
  test: {
    include: ['test/**/*.test.ts', 'local/test/**/*.test.ts'],
    setupFiles: [fileURLToPath(new URL('test/support/mocked-time.ts', import.meta.url))],
    // Those are for `npm run test:long` and `npm run test:commands`.
    exclude: ['**/node_modules/**', '**/*.long.test.ts', 'test/cli/**', 'local/test/cli/**'],
    // Much of the time goes by in waiting, for processes and clocks.
    maxWorkers: '150%',
    // Only what hangs takes so long: a machine that is slow, or busy with other things, must not fail a test.
    testTimeout: process.env.SYNAP_TEST_RUNS === 'full' ? 900_000 : 120_000,
    hookTimeout: 120_000,
    expect: { poll: { timeout: 60_000 } },
  },
});
