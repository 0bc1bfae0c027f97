import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vitest/config';

// Pages in a real Chromium, served by the built package. On their own, so that `npm test` needs no browser.
export default defineConfig({
  root: fileURLToPath(new URL('.', import.meta.url)),
  test: {
    include: ['*.spec.ts'],
    testTimeout: 120_000,
    hookTimeout: 120_000,
    // A browser a file is as much as two cores take.
    maxWorkers: 2,
    expect: { poll: { timeout: 60_000 } },
  },
});
