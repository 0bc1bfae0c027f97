// What recording adds to streamText, against the noise of the machine: triples of plain, plain again and wrapped, in changing
// order. Run: npm run triples (CHUNKS=…, TRIPLES=… and WARM_UP=… for another answer, or a warmer one)

import * as ai7 from 'ai';
import { MockLanguageModelV4 } from 'ai/test';
import * as ai5 from 'ai5';
import { MockLanguageModelV2 } from 'ai5/test';
import * as ai6 from 'ai6';
import { MockLanguageModelV3 } from 'ai6/test';
import { createRecorder } from 'synap-recorder';
import { wrapAISDK, wrapModel } from 'synap-recorder/ai-sdk';

const CHUNKS = Number(process.env.CHUNKS ?? 2000);
const TRIPLES = Number(process.env.TRIPLES ?? 30);
const WARM_UP = Number(process.env.WARM_UP ?? 5);

const receipt = { messageId: 'm', conversationId: 'c', sessionId: 's', recordedAt: '' };
const client = {
  conversation: {
    recordMessage: async () => receipt,
    recordMessagesBatch: async (messages: readonly unknown[]) => ({
      total: messages.length,
      succeeded: messages.length,
      failed: 0,
      results: messages.map(() => receipt),
    }),
  },
};
const recorder = createRecorder({ client: client as never, userId: 'u', rateLimit: false, logger: false });

const majors = [
  { name: 'ai 5', ai: ai5 as unknown as typeof ai7, Mock: MockLanguageModelV2, nested: false },
  { name: 'ai 6', ai: ai6 as unknown as typeof ai7, Mock: MockLanguageModelV3, nested: true },
  { name: 'ai 7', ai: ai7, Mock: MockLanguageModelV4, nested: true },
];
type Model = Exclude<ai7.LanguageModel, string>;

function modelOf({ Mock, nested }: (typeof majors)[number]): Model {
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
        else if (sent < CHUNKS) controller.enqueue({ type: 'text-delta', id: '0', delta: 'word ' });
        else if (sent === CHUNKS) controller.enqueue({ type: 'text-end', id: '0' });
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

const median = (values: number[]) => [...values].sort((a, b) => a - b)[values.length >> 1] ?? Number.NaN;

/** The times to the first chunk and to the end of an answer, in ms. */
async function answer(sdk: typeof ai7, model: Model): Promise<{ first: number; whole: number }> {
  const started = performance.now();
  let first = 0;
  for await (const _ of sdk.streamText({ model, prompt: 'Go' }).textStream) first ||= performance.now() - started;
  return { first, whole: performance.now() - started };
}

console.log(`streamText over ${CHUNKS} chunks, medians of ${TRIPLES} triples\n`);
console.log('| | plain | A/A | wrapped | above A/A | first chunk above A/A |\n|---|---|---|---|---|---|');
for (const major of majors) {
  const model = modelOf(major);
  const wrapped = wrapAISDK(major.ai, recorder);
  const tapped = wrapModel(model, recorder);
  const ways: Record<string, () => Promise<{ first: number; whole: number }>> = {
    wrapAISDK: () => answer(wrapped, model),
    wrapModel: () => answer(major.ai, tapped),
  };
  for (const [way, ours] of Object.entries(ways)) {
    const variants = [() => answer(major.ai, model), () => answer(major.ai, model), ours];
    const triples: { first: number; whole: number }[][] = [];
    for (let round = -WARM_UP; round < TRIPLES; round++) {
      const triple: { first: number; whole: number }[] = [];
      // Whoever comes first in a round pays for what the round before has left.
      for (let n = 0; n < variants.length; n++) {
        const index = (n + Math.abs(round)) % variants.length;
        triple[index] = (await variants[index]?.()) ?? { first: 0, whole: 0 };
      }
      if (round >= 0) triples.push(triple);
    }
    const ratio = (index: number) => median(triples.map(t => (t[index]?.whole ?? 0) / (t[0]?.whole ?? 1)));
    const later = (index: number) => median(triples.map(t => (t[index]?.first ?? 0) - (t[0]?.first ?? 0)));
    const plain = median(triples.map(t => t[0]?.whole ?? 0));
    const cells = [plain.toFixed(1), ratio(1).toFixed(3), ratio(2).toFixed(3), (ratio(2) - ratio(1)).toFixed(3)];
    console.log(`| ${major.name}, ${way} | ${cells.join(' | ')} | ${(later(2) - later(1)).toFixed(3)} ms |`);
  }
}
await recorder.close();
process.exit(0);
