import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vitest/config';
import { sources } from '../sources.ts';

const here = fileURLToPath(new URL('.', import.meta.url));

// LangChain, wherever it is imported, is what is installed here: of core there is one copy.
const installedHere = {
  name: 'langchain-packages',
  enforce: 'pre' as const,
  resolveId(this: { resolve(id: string, from: string, options: object): unknown }, id: string) {
    const own = id === 'langchain' || id.startsWith('@langchain/');
    return own ? this.resolve(id, `${here}package.json`, { skipSelf: true }) : null;
  },
};

export default defineConfig({
  plugins: [installedHere as never],
  resolve: { alias: sources },
  test: {
    include: ['**/*.spec.ts'],
    testTimeout: 120_000,
    hookTimeout: 120_000,
    expect: { poll: { timeout: 60_000 } },
    // Google's older packages leave a promise of their own unhandled when a stream breaks off or is stopped.
    onUnhandledError: error => !String(error.VITEST_TEST_PATH).endsWith('providers/google.spec.ts'),
  },
});
