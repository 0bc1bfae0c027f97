import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vitest/config';

export default defineConfig({
  resolve: {
    alias: {
      '#http': fileURLToPath(new URL('../../src/synap/http.ts', import.meta.url)),
      '#diagnostics': fileURLToPath(new URL('../../src/internal/diagnostics.ts', import.meta.url)),
    },
  },
  test: {
    include: ['*.spec.ts'],
    globalSetup: './install-recorder.ts',
    maxWorkers: '100%',
    testTimeout: 240_000,
    hookTimeout: 240_000,
  },
});
