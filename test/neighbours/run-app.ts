// The observability tools, and how a program is run beside one.

import { execFile } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type ModelReply, type ModelScript, scriptedModel } from '../support/scripted-model.js';
import { scriptedSynap } from '../support/scripted-synap.js';

/** What stands beside the app, and what loads it. */
export interface Neighbour {
  readonly esm: readonly string[];
  readonly cjs: readonly string[];
  readonly env?: Record<string, string>;
  /** What it calls a call of the SDK. */
  readonly call?: RegExp;
  /** It reads a stream to its end by itself. */
  readonly readsOn?: boolean;
}

export type Way = 'alone' | 'wrapAISDK' | 'wrapModel' | 'both' | 'handler';

/** What a program reports, and what Synap got of it. */
export interface Outcome {
  /** What the app got, by case. */
  readonly app: Record<string, unknown>;
  /** The properties of the app's models that are no longer what they were, by case. */
  readonly changed: Record<string, string[]>;
  readonly spans: Record<string, string[]>;
  readonly records: Record<string, object[]>;
  /** The requests to the provider. */
  readonly requests: object[];
  readonly output: string;
}

const file = (name: string) => `./neighbours/${name}.js`;

const DATADOG = {
  DD_TRACE_EXPERIMENTAL_EXPORTER: 'log',
  DD_INSTRUMENTATION_TELEMETRY_ENABLED: 'false',
  DD_REMOTE_CONFIGURATION_ENABLED: 'false',
  DD_TRACE_STARTUP_LOGS: 'false',
  DD_CRASHTRACKING_ENABLED: 'false',
  DD_SERVICE: 'app',
  DD_LLMOBS_ENABLED: 'true',
  DD_LLMOBS_ML_APP: 'app',
};

export const NEIGHBOURS = {
  nobody: { esm: [], cjs: [] },
  'dd-trace': {
    esm: ['--import', 'dd-trace/initialize.mjs', '--import', file('datadog')],
    cjs: ['--require', 'dd-trace/init', '--import', file('datadog')],
    env: DATADOG,
    call: /generateText$|ChatOpenAI$/,
  },
  '@sentry/node': {
    esm: ['--import', file('sentry')],
    cjs: ['--import', file('sentry')],
    readsOn: true,
    call: /invoke_agent/,
  },
  OpenTelemetry: {
    esm: ['--import', file('otel')],
    cjs: ['--import', file('otel')],
    // It traces AI SDK 5 and 6 only where the app enables it.
    call: /generateText|invoke_agent/,
  },
  'dd-trace and @sentry/node': {
    esm: ['--import', 'dd-trace/initialize.mjs', '--import', file('sentry')],
    cjs: ['--require', 'dd-trace/init', '--import', file('sentry')],
    env: DATADOG,
    readsOn: true,
    call: /invoke_agent/,
  },
  'braintrust’s hook': {
    esm: ['--import', 'braintrust/hook.mjs', '--import', file('braintrust-hook')],
    cjs: ['--import', 'braintrust/hook.mjs', '--import', file('braintrust-hook')],
    readsOn: true,
    call: /generateText/,
  },
  'langsmith, by the environment': {
    esm: ['--import', file('langsmith-tracing')],
    cjs: [],
    env: { LANGSMITH_TRACING: 'true', LANGSMITH_API_KEY: 'key', LANGCHAIN_CALLBACKS_BACKGROUND: 'false' },
    call: /^llm ChatOpenAI/,
  },
  'PostHog’s handler': { esm: ['--import', file('posthog-handler')], cjs: [], call: /generation/ },
  'PostHog’s handler, after ours': {
    esm: ['--import', file('posthog-handler')],
    cjs: [],
    env: { ORDER: 'ours first' },
    call: /generation/,
  },
  'langfuse’s handler': { esm: ['--import', file('langfuse')], cjs: [], call: /ChatOpenAI/ },
  ...inBothOrders('langsmith', /^chain/),
  ...inBothOrders('braintrust', /generateText/),
  ...inBothOrders('posthog', /generation/),
} satisfies Record<string, Neighbour>;

/** A neighbour that is wrapped around the SDK or a model, as we are. */
function inBothOrders<N extends string>(name: N, call: RegExp) {
  const order = (ORDER: string): Neighbour => ({
    esm: ['--import', file(name)],
    cjs: ['--import', file(name)],
    env: { ORDER },
    call,
  });
  return {
    [`${name}, inside`]: order('ours around theirs'),
    [`${name}, outside`]: order('theirs around ours'),
  } as { [Name in `${N}, inside` | `${N}, outside`]: Neighbour };
}

/** Runs a program with a scripted model and a scripted Synap. */
export async function runApp(program: string, { esm, cjs, env }: Neighbour, way: Way, cases = ''): Promise<Outcome> {
  await using synap = await scriptedSynap();
  await using model = await scriptedModel(answers());
  await using collector = await silentServer();
  const folder = mkdtempSync(join(tmpdir(), 'synap-neighbours-'));
  const reportFile = join(folder, 'report.json');
  const flags = program.endsWith('.cjs') ? cjs : esm;
  try {
    const output = await new Promise<string>((resolve, reject) =>
      execFile(
        process.execPath,
        [...flags, program],
        {
          cwd: import.meta.dirname,
          timeout: 110_000,
          env: {
            PATH: process.env.PATH,
            HOME: folder,
            NODE_ENV: 'production',
            DD_TRACE_AGENT_URL: collector.url,
            COLLECTOR_URL: collector.url,
            LANGSMITH_ENDPOINT: collector.url,
            SYNAP_BASE_URL: synap.url,
            SYNAP_API_KEY: 'test-key',
            MODEL_URL: model.url,
            REPORT: reportFile,
            WAY: way,
            CASES: cases,
            ...env,
          },
        },
        (error, stdout, stderr) =>
          error ? reject(new Error(`${error.message}\n${stdout}`)) : resolve(stdout + stderr),
      ),
    );
    const { app, changed, spans } = JSON.parse(readFileSync(reportFile, 'utf8'));
    return { app, changed, spans, records: byConversation(synap.stored), requests: model.requests, output };
  } finally {
    rmSync(folder, { recursive: true });
  }
}

const METADATA = ['status', 'finish_reason', 'model', 'provider', 'tool_calls', 'steps', 'total_tokens', 'error'];

function byConversation(stored: { role: string; content: string; metadata?: unknown }[]) {
  const records: Record<string, object[]> = {};
  for (const { role, content, metadata } of stored) {
    const all = metadata as Record<string, unknown>;
    const known = METADATA.filter(name => all[name] !== undefined).map(name => [name, all[name]]);
    const name = String(all.external_conversation_id ?? 'no conversation');
    records[name] = [...(records[name] ?? []), { role, content, ...Object.fromEntries(known) }];
  }
  return records;
}

/** Answers as the user's last words say. */
function answers(): ModelScript {
  const failed = new Set<string>();
  return ({ messages }): ModelReply => {
    const last = messages.at(-1);
    const prompt = wordsOf(messages.findLast(({ role }) => role === 'user')?.content);
    if (last?.role === 'tool') return { text: ['It is ', 'sunny.'] };
    if (prompt.startsWith('Weather'))
      return { text: 'Let me see. ', toolCalls: [{ name: 'weather', arguments: { city: 'Oslo' } }] };
    if (prompt.startsWith('Refuse')) return { status: 400 };
    if (prompt.startsWith('Fail once') && !failed.has(prompt)) return failed.add(prompt) && { status: 500 };
    if (prompt.startsWith('Break')) return { text: ['Air ', 'scatters ', 'light'], breakAfter: 2, delayMs: 50 };
    if (prompt.startsWith('Slow')) return { text: ['One ', 'two ', 'three'], delayMs: 200 };
    if (prompt.startsWith('Object')) return { text: ['{"city":', '"Oslo"}'] };
    return { text: ['An answer ', `to “${prompt}”`] };
  };
}

function wordsOf(content: unknown): string {
  if (typeof content === 'string') return content;
  return (content as { text?: string }[]).map(({ text = '' }) => text).join('');
}

/** Stands where a neighbour would send to: takes everything, and says of itself what Datadog's agent says. */
async function silentServer() {
  const server = createServer((request, response) => {
    request.resume();
    response.writeHead(200, { 'content-type': 'application/json' });
    response.end(JSON.stringify({ endpoints: ['/v0.4/traces', '/evp_proxy/v2/', '/evp_proxy/v4/'] }));
  });
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise(resolve => server.close(resolve));
    },
  };
}
