import { defineConfig } from 'vitest/config';
import { sources } from '../sources.ts';

export default defineConfig({
  resolve: { alias: sources },
  // A mutant that waits for ever is one that is noticed.
  test: { include: process.env.MUTATION_TESTS?.split(' '), testTimeout: 5_000 },
});
