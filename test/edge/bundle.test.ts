// A bundle of the package for an edge runtime.

import { describe, expect, it } from 'vitest';
import { bundle, CONDITIONS, type Runtime } from './bundle.js';

const runtimes = Object.keys(CONDITIONS) as Runtime[];
const entries = ['synap-recorder', 'synap-recorder/ai-sdk', 'synap-recorder/langchain'];

describe.each(runtimes)('for %s', runtime => {
  it.each(entries)('%s imports nothing of Node.js but AsyncLocalStorage', async entry => {
    const { imports, dynamicImports } = await bundle(`export * from '${entry}';`, runtime);
    expect([...imports, ...dynamicImports].filter(name => name !== 'node:async_hooks')).toEqual([]);
  });

  it('a bundle contains the package only: it sends by fetch, and leaves undici and SQLite out', async () => {
    const { moduleIds } = await bundle(`export * from 'synap-recorder';`, runtime);
    const modules = moduleIds.map(id => id.replace(/^.*\/(?=node_modules|dist)/, ''));
    expect(modules).toContain('dist/synap/http.edge.js');
    expect(modules).not.toContain('dist/synap/http.js');
    expect(modules.filter(id => /undici|sqlite|\/local\/|\/cli\//.test(id))).toEqual([]);
  });

  it('looks into process only after asking whether there is one', async () => {
    const { modules } = await bundle(entries.map((entry, n) => `export * as e${n} from '${entry}';`).join(''), runtime);
    const careless = Object.entries(modules).filter(([id, { code }]) => {
      const statements = (code ?? '').replaceAll(/\/\*[\s\S]*?\*\/|\/\/.*/g, '');
      // listened() asks for those that listen to it.
      const asks = statements.includes('typeof process') || statements.includes('listened(');
      return !id.includes('node_modules') && statements.includes('process.') && !asks;
    });
    expect(careless.map(([id]) => id)).toEqual([]);
  });
});

it('for Node.js, the package sends by undici', async () => {
  const { resolve } = import.meta;
  const client = new URL('../../dist/synap/client.js', import.meta.url).href;
  expect(resolve('#http', client)).toBe(new URL('../../dist/synap/http.js', import.meta.url).href);
});
