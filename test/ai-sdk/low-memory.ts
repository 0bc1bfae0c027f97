// Answers of a size that nobody keeps in memory.

import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { expect } from 'vitest';
import { wrapAISDK } from '../../src/ai-sdk/index.js';
import { recorderOn } from '../support/recorder.js';
import { MAJORS, type Major, type SDK } from './majors.js';

const ai7 = MAJORS[2] as Major;
const KIB = 1024;
const MIB = 1024 * KIB;

setFlagsFromString('--expose-gc');
const gc = runInNewContext('gc') as () => void;

type LowMemory = { experimental_streamTextLowMemory: SDK['streamText'] };

function bigModel(bytes: number): never {
  const pieces = bytes / KIB;
  return new ai7.Mock({
    doStream: async () => {
      let sent = -1;
      const stream = new ReadableStream({
        pull(controller) {
          if (sent === -1) controller.enqueue({ type: 'text-start', id: '0' });
          // Each is a string of its own.
          else if (sent < pieces) controller.enqueue({ type: 'text-delta', id: '0', delta: `${sent}`.padEnd(KIB) });
          else if (sent === pieces) controller.enqueue({ type: 'text-end', id: '0' });
          else {
            const usage = { inputTokens: { total: 1 }, outputTokens: { total: 1 } };
            controller.enqueue({ type: 'finish', finishReason: { unified: 'stop', raw: 'stop' }, usage });
            controller.close();
          }
          sent++;
        },
      });
      return { stream };
    },
  }) as never;
}

/** How much the heap has grown when nearly all of an answer is read, in bytes. */
async function growth(sdk: SDK, bytes: number): Promise<number> {
  const { experimental_streamTextLowMemory } = sdk as unknown as LowMemory;
  gc();
  const before = process.memoryUsage().heapUsed;
  const result = experimental_streamTextLowMemory({ model: bigModel(bytes), prompt: 'Go' });
  let read = 0;
  let after = before;
  for await (const piece of result.textStream) {
    read += piece.length;
    if (read === bytes - KIB) {
      gc();
      after = process.memoryUsage().heapUsed;
    }
  }
  expect(read).toBe(bytes);
  return after - before;
}

/** The heap over an answer, beside that of the SDK alone; what is recorded of it is the head of it that a message can hold. */
export async function staysSmall(mebibytes: number): Promise<void> {
  const bytes = mebibytes * MIB;
  await using on = await recorderOn();
  await growth(ai7.sdk, MIB);
  const plain = await growth(ai7.sdk, bytes);
  const wrapped = await growth(wrapAISDK(ai7.sdk, on.recorder), bytes);
  expect(wrapped - plain).toBeLessThan(4 * MIB);
  await on.recorder.flush();
  expect(on.synap.stored[1]?.metadata).toMatchObject({ status: 'complete', truncated: true, original_length: bytes });
}
