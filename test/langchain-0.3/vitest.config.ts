import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vitest/config';
import { sources } from '../sources.ts';

const here = fileURLToPath(new URL('.', import.meta.url));

// LangChain, wherever it is imported, is the old line that is installed here. It has no package with createAgent.
const old = {
  name: 'langchain-0.3',
  enforce: 'pre' as const,
  resolveId(this: { resolve(id: string, from: string, options: object): unknown }, id: string) {
    if (id === 'langchain') return `${here}create-agent.ts`;
    return id.startsWith('@langchain/') ? this.resolve(id, `${here}package.json`, { skipSelf: true }) : null;
  },
};

export default defineConfig({
  plugins: [old as never],
  resolve: { alias: sources },
  test: {
    dir: fileURLToPath(new URL('..', import.meta.url)),
    include: ['langchain/**/*.test.ts', 'both/**/*.test.ts', 'langchain-0.3/*.spec.ts'],
    exclude: ['**/node_modules/**', '**/*.long.test.ts'],
    env: { LANGCHAIN_LINE: '0.3' },
    testTimeout: 120_000,
    hookTimeout: 120_000,
    expect: { poll: { timeout: 60_000 } },
  },
});
