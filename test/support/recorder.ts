// A recorder in front of a scripted Synap.

import { createRecorder, type Loss, type Recorder, type RecorderOptions } from '../../src/index.js';
import { type Script, scriptedSynap } from './scripted-synap.js';

/** A recorder in front of a scripted Synap, quick to send, and what it said and lost. */
export async function recorderOn(script?: Script, options: RecorderOptions = {}) {
  const synap = await scriptedSynap(script);
  const losses: Loss[] = [];
  const log: string[] = [];
  const write = (message: string) => void log.push(message);
  const recorder: Recorder = createRecorder({
    apiKey: 'test-key',
    baseUrl: synap.url,
    userId: 'ada',
    rateLimit: false,
    batch: { lingerMs: 5 },
    retry: { baseMs: 5, maxMs: 20 },
    logger: { info: write, warn: write, error: write },
    onLoss: loss => void losses.push(loss),
    ...options,
  });
  return {
    synap,
    recorder,
    losses,
    log,
    async [Symbol.asyncDispose]() {
      await recorder.close({ timeoutMs: 0 });
      await synap.close();
    },
  };
}

/** The stats of a recorder, checked: every accepted message is counted somewhere. */
export function balanced(recorder: Recorder) {
  const stats = recorder.stats();
  const { accepted, delivered, pending, held, inFlight, deadLettered, expired, lostAtShutdown, maybeLost } = stats;
  const sum = delivered + pending + held + inFlight + deadLettered + expired + lostAtShutdown + maybeLost;
  if (accepted !== sum) throw new Error(`the stats don't balance: accepted ${accepted}, accounted for ${sum}`);
  return stats;
}
