import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vitest/config';

export default defineConfig({
  resolve: {
    // package.json says where it is in dist/; the tests run src/.
    alias: { '#http': fileURLToPath(new URL('src/synap/http.ts', import.meta.url)) },
  },
  test: {
    include: ['test/**/*.test.ts'],
    // Much of the time goes by in waiting, for processes and clocks.
    maxWorkers: '100%',
    testTimeout: 20_000,
    hookTimeout: 20_000,
    // Two busy cores may take their time over what is quick elsewhere.
    expect: { poll: { timeout: 10_000 } },
  },
});
