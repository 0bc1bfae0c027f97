import { setImmediate as soon } from 'node:timers/promises';
import type { CallbackManagerForLLMRun } from '@langchain/core/callbacks/manager';
import { BaseChatModel } from '@langchain/core/language_models/chat_models';
import { AIMessage, AIMessageChunk, type BaseMessage } from '@langchain/core/messages';
import { ChatGenerationChunk, type ChatResult } from '@langchain/core/outputs';
import type { RecorderOptions } from '../../src/index.js';
import { SynapCallbackHandler, type SynapCallbackHandlerOptions } from '../../src/langchain/index.js';
import { recorderOn } from '../support/recorder.js';

/** Whether these tests run on the old line of core, where some things are not there. */
export const isOldCore = process.env.LANGCHAIN_LINE === '0.3';

/** What a scripted model answers. */
export interface Reply {
  /** A string is streamed word by word, a list piece by piece. */
  text?: string | string[];
  /** Blocks instead of a text. */
  content?: { type: string; [field: string]: unknown }[];
  toolCalls?: { name: string; args?: Record<string, unknown>; id?: string }[];
  usage?: { input_tokens: number; output_tokens: number };
  id?: string;
  /** Thrown after the text. */
  error?: Error;
  /** Waited for after the text. */
  wait?: Promise<unknown>;
  /** As most providers do it: each piece is given out before it is reported. */
  reportsLate?: boolean;
}

type Script = (messages: BaseMessage[], index: number) => Reply | string;

/** A chat model that answers as a script says, streamed or not. */
export class ScriptedModel extends BaseChatModel {
  readonly prompts: BaseMessage[][] = [];
  readonly #script: Script;
  readonly #fields: object;

  constructor(script: Script | (Reply | string)[], fields: object = {}) {
    super(fields);
    this.#fields = fields;
    this.#script = Array.isArray(script) ? (_, index) => script[Math.min(index, script.length - 1)] ?? '' : script;
  }

  _llmType(): string {
    return 'scripted';
  }

  override bindTools(): this {
    return this;
  }

  override getLsParams() {
    return { ls_model_type: 'chat' as const, ls_provider: 'scripted', ls_model_name: 'scripted-1' };
  }

  #next(messages: BaseMessage[]): Reply {
    this.prompts.push(messages);
    const reply = this.#script(messages, this.prompts.length - 1);
    return typeof reply === 'string' ? { text: reply } : reply;
  }

  async _generate(messages: BaseMessage[]): Promise<ChatResult> {
    const reply = this.#next(messages);
    await soon();
    await reply.wait;
    if (reply.error) throw reply.error;
    const text = [reply.text ?? ''].flat().join('');
    const message = new AIMessage({
      content: (reply.content as never) ?? text,
      ...(reply.id !== undefined && { id: reply.id }),
      tool_calls: callsOf(reply),
      ...usageOf(reply),
    });
    return { generations: [{ text, message, generationInfo: { finish_reason: finish(reply) } }] };
  }

  override async *_streamResponseChunks(
    messages: BaseMessage[],
    _options: this['ParsedCallOptions'],
    manager?: CallbackManagerForLLMRun,
  ): AsyncGenerator<ChatGenerationChunk> {
    const reply = this.#next(messages);
    const id = reply.id === undefined ? {} : { id: reply.id };
    async function* send(fields: object, text = '') {
      const message = new AIMessageChunk({ content: text, ...id, ...fields });
      const chunk = new ChatGenerationChunk({ text, message });
      const report = () => manager?.handleLLMNewToken(text, undefined, undefined, undefined, undefined, { chunk });
      if (!reply.reportsLate) await report();
      yield chunk;
      if (reply.reportsLate) await report();
    }
    await soon();
    for (const block of reply.content ?? []) yield* send({ content: [block] }, String(block.text ?? ''));
    const { text = [] } = reply;
    for (const piece of typeof text === 'string' ? text.split(/(?<= )/) : text) {
      await soon();
      yield* send({}, piece);
    }
    await reply.wait;
    if (reply.error) throw reply.error;
    // Block 0 is the text.
    const calls = callsOf(reply).map(({ name, args, id }, index) => ({
      name,
      args: JSON.stringify(args),
      id,
      index: index + 1,
    }));
    if (calls.length > 0) yield* send({ tool_call_chunks: calls });
    yield* send({ ...usageOf(reply), response_metadata: { finish_reason: finish(reply) } });
  }

  override getName(): string {
    return (this.#fields as { name?: string }).name ?? 'ScriptedModel';
  }
}

function callsOf({ toolCalls = [] }: Reply) {
  return toolCalls.map(({ name, args = {}, id = `call-${name}` }) => ({
    name,
    args,
    id,
    type: 'tool_call' as const,
  }));
}

function usageOf({ usage }: Reply) {
  return usage && { usage_metadata: { ...usage, total_tokens: usage.input_tokens + usage.output_tokens } };
}

function finish({ toolCalls }: Reply): string {
  return toolCalls?.length ? 'tool_calls' : 'stop';
}

/** A handler in front of a recorder and a scripted Synap. */
export async function handlerOn(options: SynapCallbackHandlerOptions = {}, recorderOptions: RecorderOptions = {}) {
  const on = await recorderOn(undefined, { conversationId: 'chat', ...recorderOptions });
  const notices: string[] = [];
  const write = (message: string) => void notices.push(message);
  const handler = new SynapCallbackHandler(on.recorder, {
    logger: { info: write, warn: write, error: write },
    ...options,
  });
  return {
    ...on,
    handler,
    notices,
    config: { callbacks: [handler] },
    /** Everything that was recorded, as `role: content`, or `role (status): content` where it did not end well. */
    async transcript() {
      await on.recorder.flush();
      return on.synap.stored.map(lineOf);
    },
    async [Symbol.asyncDispose]() {
      handler.close();
      await on[Symbol.asyncDispose]();
    },
  };
}

export type On = Awaited<ReturnType<typeof handlerOn>>;

interface Line {
  role: string;
  content: string;
  metadata?: Record<string, unknown> | undefined;
}

export function lineOf({ role, content, metadata }: Line): string {
  const status = metadata?.status;
  return status !== undefined && status !== 'complete' ? `${role} (${status}): ${content}` : `${role}: ${content}`;
}

/** Reads a stream to its end. */
export async function drain<T>(stream: AsyncIterable<T> | Promise<AsyncIterable<T>>): Promise<T[]> {
  const chunks: T[] = [];
  for await (const chunk of await stream) chunks.push(chunk);
  return chunks;
}

/** A promise and how to settle it. */
export function gate() {
  return Promise.withResolvers<void>();
}
