import { defineConfig } from 'vitest/config';
import { sources } from './test/sources.ts';

export default defineConfig({
  resolve: { alias: sources },
  test: {
    include: ['test/**/*.test.ts', 'local/test/**/*.test.ts'],
    // Much of the time goes by in waiting, for processes and clocks.
    maxWorkers: '100%',
    testTimeout: 20_000,
    hookTimeout: 20_000,
    // Two busy cores may take their time over what is quick elsewhere.
    expect: { poll: { timeout: 10_000 } },
  },
});
