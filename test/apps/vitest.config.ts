import { defineConfig } from 'vitest/config';
import { sources } from '../sources.ts';

// The apps are installed, and one of them is built: they take turns on the machine's cores.
export default defineConfig({
  resolve: { alias: sources },
  test: {
    include: ['*.spec.ts'],
    fileParallelism: false,
    testTimeout: 120_000,
    hookTimeout: 300_000,
    expect: { poll: { timeout: 60_000 } },
  },
});
