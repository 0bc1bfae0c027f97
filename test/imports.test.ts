import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, it } from 'vitest';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const BIOME = join(ROOT, 'node_modules/@biomejs/biome/bin/biome');

// biome.json has the rule: a folder that it no longer matches would be free to import anything.
const REFUSED = [
  ['src/internal/x.ts', '../synap/errors.js'],
  ['src/internal/sqlite/x.ts', '../../outbox/outbox.js'],
  ['src/synap/x.ts', '../delivery/relay.js'],
  ['src/delivery/x.ts', '../recorder/turn.js'],
  ['src/delivery/x.ts', '../outbox/memory-outbox.js'],
  ['src/outbox/sqlite/x.ts', '../../recorder/intake.js'],
  ['src/recorder/x.ts', '../ai-sdk/run.js'],
  ['src/recorder/x.ts', '../cli/output.js'],
  ['src/ai-sdk/x.ts', '../langchain/runs.js'],
  ['src/langchain/history/x.ts', '../../ai-sdk/run.js'],
  ['src/cli/x.ts', '../../local/src/index.js'],
  ['src/x.ts', 'synap-recorder-local'],
  ['src/x.ts', 'commander'],
  ['local/src/x.ts', '../../src/index.js'],
  ['local/src/cli/import/x.ts', '../../../../src/recorder/identity.js'],
  ['local/src/x.ts', 'synap-recorder/dist/delivery/relay.js'],
  ['local/src/x.ts', 'undici'],
] as const;

const ALLOWED = [
  ['src/ai-sdk/x.ts', '../recorder/turn.js'],
  ['src/recorder/x.ts', '../outbox/outbox.js'],
  ['src/outbox/sqlite/x.ts', '../../delivery/loss.js'],
  ['src/delivery/x.ts', '../outbox/outbox.js'],
  ['src/delivery/x.ts', '../synap/errors.js'],
  ['src/synap/x.ts', '../internal/json.js'],
  ['src/cli/x.ts', '../recorder/recorder.js'],
  ['local/src/x.ts', 'synap-recorder/wire'],
  ['local/src/x.ts', './store/search.js'],
] as const;

const project = mkdtempSync(join(tmpdir(), 'synap-recorder-imports-'));
afterAll(() => rmSync(project, { recursive: true, force: true }));

/** The same folder, with a file for each import: no two of them share one. */
const placeOf = (file: string, from: string) => file.replace('x.ts', `x-${from.replaceAll(/\W+/g, '-')}.ts`);

let said = '';

beforeAll(() => {
  for (const file of ['biome.json', '.gitignore', 'package.json', 'local/package.json'])
    cpSync(join(ROOT, file), join(project, file), { recursive: true });
  for (const [file, from] of [...REFUSED, ...ALLOWED]) {
    const place = join(project, placeOf(file, from));
    mkdirSync(dirname(place), { recursive: true });
    writeFileSync(place, `export type { Anything } from '${from}';\n`);
  }
  const biome = [BIOME, 'lint', '--max-diagnostics=none', '--colors=off'];
  const { stdout, stderr } = spawnSync(process.execPath, biome, { cwd: project, encoding: 'utf8' });
  said = stdout + stderr;
});

const complaint = (file: string, from: string) =>
  new RegExp(`^${placeOf(file, from)}:\\S+ lint/\\w+/no(RestrictedImports|UndeclaredDependencies) `, 'm');

it.each(REFUSED)('the lint refuses %s to import %s', (file, from) => {
  expect(said).toMatch(complaint(file, from));
});

it.each(ALLOWED)('the lint lets %s import %s', (file, from) => {
  expect(said).toMatch(/Checked \d+ files/);
  expect(said).not.toMatch(complaint(file, from));
});
