// What recording adds to streamText, against the noise of the machine: triples of plain, plain again and wrapped, in changing
// order. Run: npm run triples (CHUNKS=…, TRIPLES=… and WARM_UP=… for another answer, or a warmer one)

import type * as ai7 from 'ai';
import { createRecorder } from 'synap-recorder';
import { wrapAISDK, wrapModel } from 'synap-recorder/ai-sdk';
import { type Model, majors, modelOf } from './chunked-model.ts';

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
  const model = modelOf(major, CHUNKS);
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
