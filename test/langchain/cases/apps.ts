// What the apps of the cases are made of.

import { HumanMessage } from '@langchain/core/messages';
import { ChatPromptTemplate } from '@langchain/core/prompts';
import { tool } from '@langchain/core/tools';
import * as z from 'zod';
import { turns } from '../../support/turns.js';
import { type Reply, ScriptedModel } from '../support.js';

export { graphOf, type Node, saying } from '../graph-of.js';

export const model = (...replies: (Reply | string)[]) => new ScriptedModel(replies);

/** An answer that calls a tool. */
export const calling = (name: string, text = '', args: Record<string, unknown> = {}): Reply => ({
  text,
  toolCalls: [{ name, args }],
});

export const weather = tool(async () => 'sunny', { name: 'weather', description: 'w', schema: z.object({}) });

export const human = (content: string) => new HumanMessage(content);

export const ask = (content: string) => ({ messages: [new HumanMessage(content)] });

export const prompt = ChatPromptTemplate.fromTemplate('Say it shortly: {question}');

/** What a piece of a stream says, in whichever mode it is read. */
function pieceText(piece: unknown): string {
  if (typeof piece === 'string') return piece;
  const message = Array.isArray(piece) ? piece[0] : piece;
  return typeof message?.text === 'string' ? message.text : '';
}

/**
 * Reads a stream, and does `act` once it has read so many pieces with a text, when the model has gone as far as it can
 * without its reader.
 *
 * @returns what it has read by then
 */
export async function readThen<T>(
  stream: AsyncIterable<T> | Promise<AsyncIterable<T>>,
  pieces: number,
  act: () => void,
): Promise<string> {
  let text = '';
  let count = 0;
  try {
    for await (const piece of await stream) {
      if (pieceText(piece) === '') continue;
      text += pieceText(piece);
      if (++count !== pieces) continue;
      await turns(30);
      act();
      break;
    }
  } catch {}
  return text;
}

/** As {@link readThen}, but reads on until the stream says that it was stopped. What it gets by then is chance. */
export async function readOnAfter<T>(
  stream: AsyncIterable<T> | Promise<AsyncIterable<T>>,
  pieces: number,
  act: () => void,
): Promise<string> {
  let count = 0;
  try {
    for await (const piece of await stream) {
      if (pieceText(piece) === '' || ++count !== pieces) continue;
      await turns(30);
      act();
    }
    return 'read to its end';
  } catch (error) {
    return error instanceof Error ? error.name : 'something was thrown';
  }
}

/** The beginning of an answer: at least `from`, at most all of it. */
export function beginning(status: string, whole: string, from = ''): RegExp {
  const rest = whole.slice(from.length).match(/\S*\s?/g) ?? [];
  const optional = rest.filter(word => word !== '').reduceRight((tail, word) => `(?:${escaped(word)}${tail})?`, '');
  const end = status === '' ? '' : escaped(` (${status})`);
  return new RegExp(`^assistant${end}: ${escaped(from)}${optional}$`);
}

function escaped(text: string): string {
  return text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
}
