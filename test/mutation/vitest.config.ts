import { defineConfig } from 'vitest/config';
import { sources } from '../sources.ts';

export default defineConfig({
  resolve: { alias: sources },
  // A mutant that waits for ever is one that is noticed.
  test: { include: ['test/**/*.test.ts'], testTimeout: 5_000 },
});
