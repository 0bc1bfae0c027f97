// Runs an example program against a local Synap and a scripted model.

import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { type LocalSynap, type LocalSynapOptions, startLocalSynap } from 'synap-recorder-local';
import { conversationUuid } from '../../src/index.js';
import { type ModelScript, scriptedModel } from './scripted-model.js';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));

/** The conversation that the README's programs speak of. */
export const CHAT = conversationUuid('chat-42', { userId: 'ada' });

export interface RunOptions {
  /** What runs it: this Node.js, or another command. */
  runtime?: readonly string[];
  /** What the local Synap is. Default: a strict B2C one. */
  synap?: LocalSynapOptions;
  /** Called before it runs: it may record what was said earlier, and say where Synap is instead. */
  before?: (synap: LocalSynap) => Promise<{ synapUrl?: string } | undefined>;
}

/**
 * Runs a program as the README's reader would, with a key, an address and a model in the environment, and answers what
 * it said and what was recorded.
 */
export async function runProgram(
  file: string,
  script: ModelScript,
  { runtime = [process.execPath], synap: options = { strictB2c: true }, before }: RunOptions = {},
) {
  const [command = '', ...parameters] = runtime;
  await using synap = await startLocalSynap(options);
  await using model = await scriptedModel(script);
  const { synapUrl = synap.url } = (await before?.(synap)) ?? {};
  const { stdout, stderr } = await promisify(execFile)(command, [...parameters, file], {
    cwd: ROOT,
    timeout: 100_000,
    env: {
      ...process.env,
      SYNAP_BASE_URL: synapUrl,
      SYNAP_API_KEY: synap.apiKey,
      OPENAI_BASE_URL: model.url,
      OPENAI_API_KEY: 'scripted',
    },
  });
  const answer = await fetch(`${synap.url}/v1/conversations/${CHAT}/messages`, {
    headers: { authorization: `Bearer ${synap.apiKey}` },
  });
  const { messages = [] } = (await answer.json()) as {
    messages?: { role: string; content: string; metadata: Record<string, unknown> }[];
  };
  return { stdout, stderr, messages, requests: model.requests };
}
