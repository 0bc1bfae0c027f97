// Installs and starts the apps of examples/apps.

import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { rm } from 'node:fs/promises';
import { delimiter, dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { startLocalSynap } from 'synap-recorder-local';
import { expect } from 'vitest';
import { type ModelScript, scriptedModel } from '../support/scripted-model.js';

const run = promisify(execFile);

const folderOf = (app: string) => fileURLToPath(new URL(`../../examples/apps/${app}/`, import.meta.url));

// What a test runner says to Node, and what a developer may have set.
const KEPT_BACK = new Set(['NODE_ENV', 'NODE_OPTIONS', 'SYNAP_API_KEY', 'OPENAI_API_KEY']);

const baseEnv = {
  ...Object.fromEntries(Object.entries(process.env).filter(([name]) => !KEPT_BACK.has(name))),
  // This Node, for everything that says `node`.
  PATH: [dirname(process.execPath), process.env.PATH].join(delimiter),
  NEXT_TELEMETRY_DISABLED: '1',
};

/** Installs an app as its reader would, with the package as it was built last, and type-checks it. */
export async function install(app: string): Promise<void> {
  // npm does not look whether what it copied has changed since.
  await rm(`${folderOf(app)}node_modules/synap-recorder`, { recursive: true, force: true });
  const flags = ['--no-package-lock', '--ignore-scripts', '--no-audit', '--no-fund', '--prefer-offline'];
  await inApp(app, 'npm', ['install', ...flags]);
  await inApp(app, 'npm', ['run', 'types']);
}

/** Runs a program in an app's folder to its end. */
export async function inApp(app: string, program: string, args: string[]): Promise<void> {
  await run(program, args, { cwd: folderOf(app), env: baseEnv, timeout: 280_000 }).catch(error => {
    throw new Error(`${app}: ${program} ${args.join(' ')} failed:\n${error.stdout}\n${error.stderr}`);
  });
}

/** Starts an app with `node`, and a scripted model and a local Synap in its environment. */
export async function startApp(app: string, args: string[], script: ModelScript) {
  const synap = await startLocalSynap({ strictB2c: true });
  const model = await scriptedModel(script);
  const child = spawn(process.execPath, args, {
    cwd: folderOf(app),
    env: {
      ...baseEnv,
      PORT: '0',
      SYNAP_BASE_URL: synap.url,
      SYNAP_API_KEY: synap.apiKey,
      OPENAI_BASE_URL: model.url,
      OPENAI_API_KEY: 'scripted',
    },
  });
  const said = { stdout: '', stderr: '' };
  for (const name of ['stdout', 'stderr'] as const)
    child[name].setEncoding('utf8').on('data', (text: string) => {
      said[name] += text;
    });
  const exited = once(child, 'exit') as Promise<[code: number | null, signal: NodeJS.Signals | null]>;
  return {
    child,
    said,
    model,
    /** What the app listens on, once it has said so. */
    async url(): Promise<string> {
      await expect.poll(() => addressIn(said.stdout) ?? failedStart(child, said)).toBeDefined();
      return addressIn(said.stdout) ?? '';
    },
    /** Sends the signal, if one is given, and waits for the end: the exit code, or the signal that ended it. */
    async end(signal?: NodeJS.Signals): Promise<number | NodeJS.Signals | null> {
      if (signal) child.kill(signal);
      const [code, endedBy] = await exited;
      return code ?? endedBy;
    },
    /** What was recorded, conversation by conversation, in the order of their users. */
    transcripts: () => readTranscripts(synap),
    async [Symbol.asyncDispose]() {
      if (child.exitCode === null && child.signalCode === null) child.kill('SIGKILL');
      await exited;
      await model.close();
      await synap.close();
    },
  };
}

function addressIn(stdout: string): string | undefined {
  return /http:\/\/localhost:\d+/.exec(stdout)?.[0];
}

function failedStart({ exitCode }: ChildProcess, { stderr }: { stderr: string }): undefined {
  if (exitCode !== null) throw new Error(`the app ended with ${exitCode} before it listened:\n${stderr}`);
}

interface Message {
  readonly role: string;
  readonly content: string;
  readonly metadata: Record<string, unknown>;
}

interface Transcript {
  readonly conversationId: string;
  readonly userId: string;
  readonly messages: readonly Message[];
  /** The messages as one reads them: `assistant (aborted): …`. */
  readonly lines: readonly string[];
}

async function readTranscripts({ url, apiKey }: { url: string; apiKey: string }): Promise<Transcript[]> {
  const read = async <T>(path: string): Promise<T> => {
    const response = await fetch(`${url}/v1/conversations${path}`, { headers: { authorization: `Bearer ${apiKey}` } });
    return (await response.json()) as T;
  };
  const { conversations } = await read<{ conversations: { conversation_id: string; user_id: string }[] }>('');
  const transcripts = await Promise.all(
    conversations.map(async ({ conversation_id, user_id }) => {
      const { messages } = await read<{ messages: Message[] }>(`/${conversation_id}/messages`);
      return { conversationId: conversation_id, userId: user_id, messages, lines: messages.map(lineOf) };
    }),
  );
  return transcripts.sort((a, b) => a.userId.localeCompare(b.userId));
}

function lineOf({ role, content, metadata }: Message): string {
  const { status } = metadata;
  return `${role}${status === undefined || status === 'complete' ? '' : ` (${status})`}: ${content}`;
}

/** An answer that takes so long that a client can go away in the middle of it. */
export const LONG_ANSWER = { text: Array.from({ length: 600 }, (_, n) => `w${n} `), delayMs: 50 };

/** Sends a question, reads what comes until `enough` says so, and hangs up. */
export async function hangUp(url: string, init: RequestInit, enough: (text: string) => boolean): Promise<void> {
  const browser = new AbortController();
  const response = await fetch(url, { ...init, signal: browser.signal });
  let text = '';
  try {
    for await (const piece of response.body?.pipeThrough(new TextDecoderStream()) ?? []) {
      text += piece;
      if (enough(text)) browser.abort();
    }
  } catch {
    // The browser's own abort.
  }
  expect(browser.signal.aborted).toBe(true);
}
