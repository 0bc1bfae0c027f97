import { createServer, type ServerResponse } from 'node:http';
import { json } from 'node:stream/consumers';
import { setTimeout as sleep } from 'node:timers/promises';
import { listen } from '../listen.js';

/** A request to `/chat/completions`, as far as a script looks at it. */
export interface ChatRequest {
  model: string;
  stream?: boolean;
  messages: { role: string; content: unknown; tool_calls?: unknown[] }[];
  tools?: unknown[];
  [field: string]: unknown;
}

/** What the model answers: text in pieces, calls of tools, or an error. */
export interface ModelReply {
  text?: string | string[];
  toolCalls?: { id?: string; name: string; arguments: object }[];
  /** Default `stop`, or `tool_calls` when there are some. */
  finishReason?: string;
  usage?: { prompt_tokens: number; completion_tokens: number };
  /** The model that answers, when it is another than the requested one. */
  model?: string;
  /** Milliseconds before the first piece, and before each further one. */
  delayMs?: number;
  /** An HTTP status instead of an answer. A retry is allowed at once. */
  status?: number;
  /** Close the connection after so many pieces. */
  breakAfter?: number;
}

export type ModelScript = (request: ChatRequest, index: number) => ModelReply | Promise<ModelReply>;

/**
 * A model server that speaks OpenAI's chat-completions protocol over HTTP, with SSE, and answers as a script says: what an
 * app's tests can talk to instead of a provider.
 *
 * @param options.port 0, the default, picks a free one
 * @throws Error (its `name` is `LocalSynapError`) the port is in use
 *
 * @example
 * ```ts
 * await using model = await scriptedModel(() => ({ text: ['Air scatters blue light ', 'more than red.'] }));
 * const openai = createOpenAI({ baseURL: model.url, apiKey: 'scripted' });
 * ```
 */
export async function scriptedModel(script: ModelScript, { port = 0 }: { port?: number } = {}) {
  const requests: ChatRequest[] = [];
  const server = createServer(async (request, response) => {
    const body = (await json(request)) as ChatRequest;
    requests.push(body);
    const reply = await script(body, requests.length - 1);
    if (reply.status !== undefined) {
      response.writeHead(reply.status, { 'content-type': 'application/json', 'retry-after-ms': '1' });
      response.end(JSON.stringify({ error: { message: `scripted ${reply.status}`, type: 'scripted' } }));
    } else if (body.stream) await stream(response, body, reply);
    else await answer(response, body, reply);
  });
  const bound = await listen(server, port, '127.0.0.1');
  return {
    /** What goes into a provider's `baseURL`. */
    url: `http://127.0.0.1:${bound}/v1`,
    requests,
    async close() {
      server.closeAllConnections();
      await new Promise(resolve => server.close(resolve));
    },
    async [Symbol.asyncDispose]() {
      await this.close();
    },
  };
}

// Each id is used once, as by a provider: LangGraph treats two messages of one id as the same.
let answers = 0;

function head({ model }: ChatRequest, reply: ModelReply, object: string, id: string) {
  return { id, object, created: 1_760_000_000, model: reply.model ?? model };
}

function toolCalls({ toolCalls = [] }: ModelReply) {
  return toolCalls.map((call, index) => ({
    index,
    id: call.id ?? `call_${index}`,
    type: 'function',
    function: { name: call.name, arguments: JSON.stringify(call.arguments) },
  }));
}

function finishReason(reply: ModelReply): string {
  return reply.finishReason ?? (reply.toolCalls?.length ? 'tool_calls' : 'stop');
}

function usage({ usage = { prompt_tokens: 10, completion_tokens: 5 } }: ModelReply) {
  return { ...usage, total_tokens: usage.prompt_tokens + usage.completion_tokens };
}

async function answer(response: ServerResponse, request: ChatRequest, reply: ModelReply): Promise<void> {
  await sleep(reply.delayMs ?? 0);
  const calls = toolCalls(reply);
  const message = {
    role: 'assistant',
    content: [reply.text ?? null].flat().join('') || null,
    ...(calls.length > 0 && { tool_calls: calls }),
  };
  response.writeHead(200, { 'content-type': 'application/json' });
  response.end(
    JSON.stringify({
      ...head(request, reply, 'chat.completion', `chatcmpl-${++answers}`),
      choices: [{ index: 0, message, finish_reason: finishReason(reply) }],
      usage: usage(reply),
    }),
  );
}

async function stream(response: ServerResponse, request: ChatRequest, reply: ModelReply): Promise<void> {
  response.writeHead(200, { 'content-type': 'text/event-stream' });
  const common = head(request, reply, 'chat.completion.chunk', `chatcmpl-${++answers}`);
  const send = (choices: object[], more: object = {}) =>
    void response.write(`data: ${JSON.stringify({ ...common, choices, ...more })}\n\n`);
  let sent = 0;
  send([{ index: 0, delta: { role: 'assistant', content: '' }, finish_reason: null }]);
  for (const piece of [reply.text ?? []].flat()) {
    if (reply.breakAfter !== undefined && sent++ >= reply.breakAfter) return void response.destroy();
    await sleep(reply.delayMs ?? 0);
    if (response.destroyed) return;
    send([{ index: 0, delta: { content: piece }, finish_reason: null }]);
  }
  const calls = toolCalls(reply);
  if (calls.length > 0) send([{ index: 0, delta: { tool_calls: calls }, finish_reason: null }]);
  send([{ index: 0, delta: {}, finish_reason: finishReason(reply) }]);
  send([], { usage: usage(reply) });
  response.end('data: [DONE]\n\n');
}
