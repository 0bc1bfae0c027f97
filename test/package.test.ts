import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { VERSION } from '../src/version.js';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const sources = readdirSync(`${ROOT}src`, { recursive: true, encoding: 'utf8' }).filter(file => /\.tsx?$/.test(file));
const importsOf = (file: string) =>
  [...readFileSync(`${ROOT}src/${file}`, 'utf8').matchAll(/^(?:import|export)\s(type\s)?[^;]*?from '([^']+)'/gm)].map(
    ([, type, from]) => ({ type: type !== undefined, from: from ?? '' }),
  );

describe('the package', () => {
  it('says the same version everywhere', () => {
    expect(JSON.parse(readFileSync(`${ROOT}package.json`, 'utf8')).version).toBe(VERSION);
  });

  // Adapters → recorder → delivery → synap. What stands to the right never imports what stands to its left.
  it.each([
    ['synap', ['recorder', 'delivery', 'ai-sdk', 'langchain', 'local', 'cli']],
    ['delivery', ['recorder', 'ai-sdk', 'langchain', 'local', 'cli']],
    ['recorder', ['ai-sdk', 'langchain', 'local', 'cli']],
    ['ai-sdk', ['langchain', 'local', 'cli', 'delivery']],
    ['langchain', ['ai-sdk', 'local', 'cli']],
    ['local', ['recorder', 'delivery', 'ai-sdk', 'langchain', 'cli']],
  ])('%s imports nothing that is built on it', (room, forbidden) => {
    for (const file of sources.filter(file => file.startsWith(`${room}/`)))
      for (const { from } of importsOf(file))
        for (const other of forbidden) expect(`${file}: ${from}`).not.toContain(`/${other}/`);
  });

  it('imports frameworks only in their adapters, and ai for its types only', () => {
    for (const file of sources)
      for (const { type, from } of importsOf(file)) {
        if (/^(ai|@ai-sdk\/.*)$/.test(from)) expect(type, `${file}: ${from}`).toBe(true);
        if (from.startsWith('@langchain/')) expect(file).toMatch(/^langchain\//);
      }
  });
});
