import { StringOutputParser } from '@langchain/core/output_parsers';
import { ChatPromptTemplate, MessagesPlaceholder } from '@langchain/core/prompts';
import { type Runnable, RunnableWithMessageHistory } from '@langchain/core/runnables';
import { startLocalSynap } from 'synap-recorder-local';
import { conversationUuid, createRecorder, type RecorderOptions } from '../../src/index.js';
import {
  SynapCallbackHandler,
  type SynapCallbackHandlerOptions,
  SynapChatMessageHistory,
} from '../../src/langchain/index.js';
import { drain, lineOf, ScriptedModel } from './support.js';

/** A recorder in front of a local Synap, and what is in there. */
export async function on(options: RecorderOptions = {}, handlerOptions: SynapCallbackHandlerOptions = {}) {
  const synap = await startLocalSynap({ strictB2c: true });
  const recorder = createRecorder({
    apiKey: synap.apiKey,
    baseUrl: synap.url,
    userId: 'ada',
    rateLimit: false,
    batch: { lingerMs: 5 },
    logger: false,
    ...options,
  });
  const handler = new SynapCallbackHandler(recorder, { logger: false, ...handlerOptions });
  const read = { apiKey: synap.apiKey, baseUrl: synap.url };
  const history = (conversationId = 'chat') => new SynapChatMessageHistory(recorder, { conversationId, read });
  return {
    recorder,
    read,
    handler,
    history,
    async stored(conversationId = 'chat') {
      await recorder.flush();
      const id = conversationUuid(conversationId, { userId: 'ada' });
      const answer = await fetch(`${synap.url}/v1/conversations/${id}/messages?limit=200`, {
        headers: { authorization: `Bearer ${synap.apiKey}` },
      });
      const { messages = [] } = (await answer.json()) as {
        messages?: { role: string; content: string; metadata: Record<string, unknown> }[];
      };
      return messages;
    },
    async transcript(conversationId = 'chat') {
      return (await this.stored(conversationId)).map(lineOf);
    },
    async [Symbol.asyncDispose]() {
      handler.close();
      await recorder.close({ timeoutMs: 500 });
      await synap.close();
    },
  };
}

export type On = Awaited<ReturnType<typeof on>>;

export const lines = async (history: SynapChatMessageHistory) =>
  (await history.getMessages()).map(message => `${message.getType()}: ${message.content}`);

export const echo = () => new ScriptedModel(messages => `Re: ${messages.at(-1)?.content}`);
export const prompt = ChatPromptTemplate.fromMessages([new MessagesPlaceholder('history'), ['human', '{question}']]);

/** A chatbot, and what its model was shown. */
export function chatbot({ history }: On, { parsed = false } = {}) {
  const model = echo();
  const chain = new RunnableWithMessageHistory({
    runnable: (parsed ? prompt.pipe(model).pipe(new StringOutputParser()) : prompt.pipe(model)) as Runnable,
    getMessageHistory: id => history(id),
    inputMessagesKey: 'question',
    historyMessagesKey: 'history',
  });
  return { chain, shown: () => model.prompts.map(messages => messages.map(message => message.content)) };
}

export const ways: [name: string, ask: (chain: Runnable, input: object, config: object) => Promise<unknown>][] = [
  ['invoke', (chain, input, config) => chain.invoke(input, config)],
  ['stream', (chain, input, config) => drain(chain.stream(input, config))],
];
