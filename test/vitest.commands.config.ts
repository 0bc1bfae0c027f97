import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vitest/config';
import everyday from '../vitest.config.js';

// The command lines of both packages: each test starts processes.
export default defineConfig({
  ...everyday,
  root: fileURLToPath(new URL('..', import.meta.url)),
  test: {
    ...everyday.test,
    include: ['test/cli/**/*.test.ts', 'local/test/cli/**/*.test.ts'],
    exclude: ['**/node_modules/**', '**/*.long.test.ts'],
  },
});
