import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { VERSION as LOCAL_VERSION } from '../local/src/version.js';
import { VERSION } from '../src/version.js';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const sources = readdirSync(`${ROOT}src`, { recursive: true, encoding: 'utf8' }).filter(file => /\.tsx?$/.test(file));
const importsOf = (file: string) =>
  [...readFileSync(`${ROOT}src/${file}`, 'utf8').matchAll(/^(?:import|export)\s(type\s)?[^;]*?from '([^']+)'/gm)].map(
    ([, type, from]) => ({ type: type !== undefined, from: from ?? '' }),
  );

describe('the package', () => {
  it('says the same version everywhere', () => {
    const local = JSON.parse(readFileSync(`${ROOT}local/package.json`, 'utf8'));
    expect(JSON.parse(readFileSync(`${ROOT}package.json`, 'utf8')).version).toBe(VERSION);
    expect(local).toMatchObject({ version: VERSION, dependencies: { 'synap-recorder': VERSION } });
    expect(LOCAL_VERSION).toBe(VERSION);
  });

  it('imports frameworks only in their adapters, and ai for its types only', () => {
    for (const file of sources)
      for (const { type, from } of importsOf(file)) {
        if (/^(ai|@ai-sdk\/.*)$/.test(from)) expect(type, `${file}: ${from}`).toBe(true);
        if (from.startsWith('@langchain/')) expect(file).toMatch(/^langchain\//);
      }
  });
});
