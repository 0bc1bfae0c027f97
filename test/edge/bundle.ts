// Bundles a program as an edge platform would.

import { fileURLToPath } from 'node:url';
import { type OutputChunk, rolldown } from 'rolldown';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const PROGRAM = `${ROOT}program.js`;

/** The conditions by which bundlers for a runtime choose a package's entry, beside `import` and `default`. */
export const CONDITIONS = {
  workerd: ['workerd', 'worker', 'browser'],
  'edge-light': ['edge-light', 'worker', 'browser'],
  deno: ['deno'],
  bun: ['bun'],
  browser: ['browser'],
};

export type Runtime = keyof typeof CONDITIONS;

/**
 * Bundles a program that imports the package by its name, as an app's bundler would: all in one file, but for what Node.js
 * has built in.
 */
export async function bundle(
  program: string,
  runtime: Runtime | 'node',
  { format = 'esm', external = [] }: { format?: 'esm' | 'cjs'; external?: RegExp[] } = {},
): Promise<OutputChunk> {
  const build = await rolldown({
    input: PROGRAM,
    cwd: ROOT,
    platform: 'neutral',
    external: [/^node:/, ...external],
    logLevel: 'silent',
    resolve: {
      conditionNames: [...(runtime === 'node' ? ['node'] : CONDITIONS[runtime]), 'import', 'default'],
      mainFields: ['browser', 'module', 'main'],
      aliasFields: [['browser']],
    },
    plugins: [
      { name: 'program', resolveId: id => (id === PROGRAM ? id : null), load: id => (id === PROGRAM ? program : null) },
    ],
  });
  const { output } = await build.generate({ format, codeSplitting: false });
  await build.close();
  return output[0];
}
