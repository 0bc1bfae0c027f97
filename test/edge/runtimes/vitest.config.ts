import { defineConfig } from 'vitest/config';
import { sources } from '../../sources.ts';

export default defineConfig({
  resolve: { alias: sources },
  test: {
    include: ['*.spec.ts'],
    // It looks for a newer Deno now and then, and says so among what a program says.
    env: { DENO_NO_UPDATE_CHECK: '1' },
    testTimeout: 120_000,
    hookTimeout: 120_000,
    expect: { poll: { timeout: 60_000 } },
  },
});
