import { spawn } from 'node:child_process';
import { cp, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Client } from '@langchain/langgraph-sdk';
import { vi } from 'vitest';
import { type ModelScript, scriptedModel } from '../../support/scripted-model.js';
import { scriptedSynap } from '../../support/scripted-synap.js';

const HERE = import.meta.dirname;
const ROOT = join(HERE, '../../..');
const PACKAGES = join(HERE, '../node_modules');

/** LangGraph's own server with the app's graphs, a scripted model that they ask, and a scripted Synap that they record to. */
export async function langgraphServer({ signIn }: { signIn: boolean }) {
  let script: ModelScript = ({ messages }) => ({ text: ['Re: ', String(messages.at(-1)?.content)] });
  const synap = await scriptedSynap();
  const model = await scriptedModel((request, index) => script(request, index));
  const folder = await makeApp(signIn);
  const port = await freePort();
  const cli = join(PACKAGES, '@langchain/langgraph-cli/dist/cli/cli.mjs');
  const server = spawn(process.execPath, [cli, 'dev', '--port', String(port), '--no-browser', '--no-reload'], {
    cwd: folder,
    // It starts processes of its own: they end with their group.
    detached: true,
    stdio: ['ignore', 'pipe', 'pipe'],
    env: {
      ...process.env,
      LANGGRAPH_CLI_NO_ANALYTICS: '1',
      OPENAI_API_KEY: 'scripted',
      OPENAI_BASE_URL: model.url,
      SYNAP_API_KEY: 'k',
      SYNAP_BASE_URL: synap.url,
    },
  });
  let output = '';
  for (const stream of [server.stdout, server.stderr])
    stream.on('data', chunk => {
      output += chunk;
    });
  const apiUrl = `http://localhost:${port}`;
  const ended = new Promise(resolve => server.once('close', resolve));
  await vi
    .waitFor(() => fetch(`${apiUrl}/info`), { timeout: 100_000, interval: 100 })
    .catch(() => {
      throw new Error(`LangGraph's server did not start: ${output}`);
    });
  return {
    synap,
    model,
    /** What it wrote so far. */
    output: () => output,
    /** A client, of a user where there is a sign-in. */
    client: (user?: string) =>
      new Client({
        apiUrl,
        apiKey: null,
        defaultHeaders: user === undefined ? {} : { authorization: `Bearer ${user}` },
      }),
    /** What the model answers from now on. */
    answers(next: ModelScript) {
      script = next;
    },
    async [Symbol.asyncDispose]() {
      if (server.pid !== undefined) process.kill(-server.pid, 'SIGTERM');
      await ended;
      await model.close();
      await synap.close();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

export type LanggraphServer = Awaited<ReturnType<typeof langgraphServer>>;

async function makeApp(signIn: boolean): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'synap-langgraph-'));
  const packages = join(folder, 'node_modules');
  await cp(join(HERE, 'app'), folder, { recursive: true });
  for (const part of ['package.json', 'dist'])
    await cp(join(ROOT, part), join(packages, 'synap-recorder', part), { recursive: true });
  // Of core there is one copy, as an app has it.
  for (const name of ['@langchain', 'zod']) await symlink(join(PACKAGES, name), join(packages, name));
  for (const name of ['limiter', 'undici', 'uuid'])
    await symlink(join(ROOT, 'node_modules', name), join(packages, name));
  await writeFile(join(folder, 'package.json'), JSON.stringify({ name: 'app', private: true, type: 'module' }));
  // The one that the docs show.
  await cp(join(ROOT, 'examples/langgraph-server.ts'), join(folder, 'example.ts'));
  const graphs = {
    example: './example.ts:chat',
    chat: './graph.js:chat',
    ask: './graph.js:ask',
    plain: './graph.js:plain',
  };
  const config = { node_version: '22', graphs, env: {}, ...(signIn && { auth: { path: './auth.js:auth' } }) };
  await writeFile(join(folder, 'langgraph.json'), JSON.stringify(config));
  return folder;
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>(resolve => server.listen(0, 'localhost', resolve));
  const { port } = server.address() as { port: number };
  await new Promise(resolve => server.close(resolve));
  return port;
}
