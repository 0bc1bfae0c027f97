// Starts a worker in workerd, and a Synap for it.

import { Miniflare } from 'miniflare';
import { bundle } from '../bundle.js';
import type { Env } from '../workers/env.js';

export interface Settings {
  env?: Env;
  /** Which of the runtime's changes are in effect: those up to this day, and these. */
  compatibilityDate?: string;
  compatibilityFlags?: string[];
}

/** Bundles a worker for workerd, and starts it there. Rejects with what the runtime says, when it does not start. */
export async function startWorker(
  program: string,
  { env, compatibilityDate = '2026-01-01', compatibilityFlags = ['nodejs_als'] }: Settings = {},
) {
  const { code } = await bundle(program, 'workerd');
  let log = '';
  const read = (stream: NodeJS.ReadableStream) =>
    stream.on('data', chunk => {
      log += chunk;
    });
  const miniflare = new Miniflare({
    modules: [{ type: 'ESModule', path: 'worker.js', contents: code }],
    bindings: { ...env },
    compatibilityDate,
    compatibilityFlags,
    // Miniflare's own socket gives out a streamed answer in one piece.
    unsafeDirectSockets: [{}],
    handleRuntimeStdio: (stdout: NodeJS.ReadableStream, stderr: NodeJS.ReadableStream) =>
      void [stdout, stderr].map(read),
    telemetry: { enabled: false },
  });
  try {
    const { href: url } = await miniflare.unsafeGetDirectURL();
    return {
      url,
      /** What the worker has written to its console. */
      log: () => log,
      [Symbol.asyncDispose]: () => miniflare.dispose(),
    };
  } catch (error) {
    await miniflare.dispose().catch(() => {});
    throw new Error(`workerd did not start: ${log}`, { cause: error });
  }
}

/** A worker of test/edge/workers. */
export const program = (name: string) => `export { default } from './test/edge/workers/${name}.ts';`;
