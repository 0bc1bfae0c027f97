const NEXT = `Next.js ends the process by itself soon after a signal, and waits only for what \`after\` is given: createRecorder({ waitUntil: after }), with after from 'next/server'`;
const NITRO = `Nitro ends the process by itself soon after a signal, and waits only for its hooks. In a plugin: nitroApp.hooks.hook('close', () => recorder.close())`;

let wasAdvised = false;

/**
 * @returns once, what to write where a framework ends the process so soon after a signal that listening to it, too, may not be
 *   enough; undefined where none is seen to
 */
export function adviceOnSignals(): string | undefined {
  const advice = wasAdvised ? undefined : adviceFor();
  if (advice) wasAdvised = true;
  return advice;
}

function adviceFor(): string | undefined {
  try {
    const { env } = process;
    // Set by the server of Next.js 13 to 16 when it starts, and by nothing else: not by a build or a server of the app's own.
    if (env.__NEXT_PRIVATE_ORIGIN && !env.NEXT_MANUAL_SIG_HANDLE) return NEXT;
    // Nitro 2, and so Nuxt, puts it ahead of every server that it bundles for Node.js.
    const { _importMeta_ } = globalThis as { _importMeta_?: { url?: unknown } };
    if (_importMeta_?.url === 'file:///_entry.js' && !env.NITRO_SHUTDOWN_DISABLED) return NITRO;
  } catch {
    // No process, or none that can be asked.
  }
  return undefined;
}
