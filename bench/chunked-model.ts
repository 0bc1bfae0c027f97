// A model of each major of the AI SDK that answers in so many chunks, as fast as it is read.

import * as ai7 from 'ai';
import { MockLanguageModelV4 } from 'ai/test';
import * as ai5 from 'ai5';
import { MockLanguageModelV2 } from 'ai5/test';
import * as ai6 from 'ai6';
import { MockLanguageModelV3 } from 'ai6/test';

export const majors = [
  { name: 'ai 5', ai: ai5 as unknown as typeof ai7, Mock: MockLanguageModelV2, nested: false },
  { name: 'ai 6', ai: ai6 as unknown as typeof ai7, Mock: MockLanguageModelV3, nested: true },
  { name: 'ai 7', ai: ai7, Mock: MockLanguageModelV4, nested: true },
];
export type Major = (typeof majors)[number];
export type Model = Exclude<ai7.LanguageModel, string>;

export function modelOf({ Mock, nested }: Major, chunks: number): Model {
  const usage = nested
    ? { inputTokens: { total: 1 }, outputTokens: { total: 1 } }
    : { inputTokens: 1, outputTokens: 1, totalTokens: 2 };
  const finishReason = nested ? { unified: 'stop', raw: 'stop' } : 'stop';
  const doStream = async () => {
    let sent = -2;
    const stream = new ReadableStream({
      pull(controller) {
        sent++;
        if (sent < 0) controller.enqueue({ type: 'text-start', id: '0' });
        else if (sent < chunks) controller.enqueue({ type: 'text-delta', id: '0', delta: 'word ' });
        else if (sent === chunks) controller.enqueue({ type: 'text-end', id: '0' });
        else {
          controller.enqueue({ type: 'finish', finishReason, usage });
          controller.close();
        }
      },
    });
    return { stream };
  };
  return new (Mock as new (options: object) => unknown)({ doStream }) as Model;
}
