import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    testTimeout: 20_000,
    hookTimeout: 20_000,
    // Two busy cores may take their time over what is quick elsewhere.
    expect: { poll: { timeout: 10_000 } },
  },
});
