// Changes modules in small ways, one at a time, and looks whether their own unit tests notice.
//
//   npm run test:mutation                         every module in modules/*.json
//   npm run test:mutation -- decide settlements   those whose path contains one of these words
//
// modules/*.json: a source file → the test files that must notice. Ends with 1 where fewer than 85 % of a module's
// mutants are killed. It prints each survivor: a changed line that no test noticed.

import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { LogLevel, MutantResult } from '@stryker-mutator/api/core';
import { Stryker } from '@stryker-mutator/core';

const LEAST_KILLED = 0.85;

const lists = new URL('modules/', import.meta.url);
const modules = readdirSync(lists).flatMap(list =>
  Object.entries(JSON.parse(readFileSync(new URL(list, lists), 'utf8')) as Record<string, string[]>),
);
const words = process.argv.slice(2);
const chosen = modules.filter(([module]) => words.length === 0 || words.some(word => module.includes(word)));
if (chosen.length === 0) {
  console.error(`No module in test/mutation/modules/ has a path that contains ${words.join(' or ')}`);
  process.exit(2);
}

process.chdir(fileURLToPath(new URL('../..', import.meta.url)));

const table: { module: string; killed: number; total: number; percent: number }[] = [];
const survivors: string[] = [];
for (const [module, testFiles] of chosen) {
  // Not as the option testFiles: with it, mutants of what a module does while it is loaded are never active.
  process.env.MUTATION_TESTS = testFiles.join(' ');
  const mutants = await new Stryker({
    mutate: [module],
    testRunner: 'vitest',
    vitest: { configFile: 'test/mutation/vitest.config.ts', related: false },
    // What is named is read by TypeScript's JavaScript API, which TypeScript 7 does not have.
    tsconfigFile: 'none.json',
    ignorePatterns: [
      '**',
      '!package.json',
      '!local',
      '!local/package.json',
      '!src/**',
      '!test/**/*.ts',
      'node_modules',
    ],
    concurrency: 2,
    reporters: ['progress-append-only'],
    logLevel: 'warn' as LogLevel,
    coverageAnalysis: 'perTest',
    timeoutMS: 10_000,
    cleanTempDir: 'always',
    allowEmpty: true,
  }).runMutationTest();
  const counted = mutants.filter(({ status }) => status !== 'Ignored' && status !== 'CompileError');
  const killed = counted.filter(({ status }) => status === 'Killed' || status === 'Timeout').length;
  table.push({ module, killed, total: counted.length, percent: percentOf(killed, counted.length) });
  survivors.push(...counted.filter(({ status }) => status !== 'Killed' && status !== 'Timeout').map(describe));
}

if (survivors.length > 0) console.log(`Survivors:\n${survivors.join('\n')}\n`);
console.table(table);
process.exitCode = table.every(({ percent }) => percent >= LEAST_KILLED * 100) ? 0 : 1;

function percentOf(killed: number, total: number): number {
  return total === 0 ? 100 : Math.floor((killed / total) * 1000) / 10;
}

function describe({ fileName, location: { start, end }, mutatorName, replacement, status }: MutantResult): string {
  const lines = readFileSync(fileName, 'utf8').split('\n');
  const line = lines[start.line - 1] ?? '';
  const changed =
    start.line === end.line ? line.slice(start.column - 1, end.column - 1) : `${line.slice(start.column - 1)} …`;
  const place = `${fileName.slice(process.cwd().length + 1)}:${start.line}`;
  return `  ${place} ${status} ${mutatorName}: ${changed.trim()} → ${replacement?.replace(/\s+/g, ' ')}`;
}
