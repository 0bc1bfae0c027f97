import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vitest/config';
import everyday from '../vitest.config.js';

// What takes its time: kills at random, tens of thousands of messages, bounds of memory.
export default defineConfig({
  ...everyday,
  root: fileURLToPath(new URL('..', import.meta.url)),
  test: {
    ...everyday.test,
    include: ['test/**/*.long.test.ts', 'local/test/**/*.long.test.ts'],
    exclude: ['**/node_modules/**'],
    testTimeout: 900_000,
    expect: { poll: { timeout: 120_000 } },
  },
});
