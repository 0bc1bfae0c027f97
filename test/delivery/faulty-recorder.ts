import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect } from 'vitest';
import { createRecorder, type Loss, type Recorder, type RecorderOptions } from '../../src/index.js';
import { NO_PROBLEMS, problemsOf, type SaidMessage } from '../support/fault-checker.js';
import { evenly, type FaultWeights } from '../support/fault-schedule.js';
import { type FaultySynapOptions, faultySynap } from '../support/faulty-synap.js';
import { balanced } from '../support/recorder.js';

/** With it, each of the faults below strikes within the first 400 requests. */
const USUAL_SEED = 3;
export const SEED = Number(process.env.FAULT_SEED ?? USUAL_SEED);

/** Every fault that passes by itself within a second: about one request in six meets one. */
export const PASSING: FaultWeights = {
  ...evenly(['late', '500', '502 html', '503', '200 broken json', '201', '204', 'partial', 'wrong count'], 0.01),
  ...evenly(['closed before reading', 'closed after reading', 'closed after storing', 'closed in answer'], 0.015),
  '429 bare': 0.01,
  ...evenly(['429 seconds', '429 date'], 0.001),
  ...evenly(['drip', 'silent'], 0.002),
};

/** A recorder that is quick to try again, in front of a faulty Synap. */
export async function recorderOn(synapOptions: FaultySynapOptions, options: RecorderOptions = {}) {
  const synap = await faultySynap({ seed: SEED, ...synapOptions });
  const losses: Loss[] = [];
  const recorder = createRecorder({
    apiKey: 'test-key',
    baseUrl: synap.url,
    userId: 'ada',
    logger: false,
    rateLimit: false,
    batch: { lingerMs: 5 },
    retry: { baseMs: 2, maxMs: 50 },
    timeoutMs: 500,
    onLoss: loss => void losses.push(loss),
    ...options,
  });
  return {
    synap,
    recorder,
    losses,
    async [Symbol.asyncDispose]() {
      await recorder.close({ timeoutMs: 0 });
      await synap.close();
    },
  };
}

/** Says `turns` turns in turn over the conversations, no faster than they are taken. Answers with what was said. */
export async function sayTurns(
  recorder: Recorder,
  turns: number,
  conversations: number,
  prefix: string | ((n: number) => string) = '',
) {
  const said: SaidMessage[] = [];
  for (let n = 0; n < turns; n++) {
    const turn = recorder.turn({ conversationId: `chat-${n % conversations}` });
    const { conversationId = '' } = turn;
    const begin = typeof prefix === 'string' ? prefix : prefix(n);
    const [question, answer] = [`${begin}question ${n}`, `${begin}answer ${n}`];
    turn.user(question);
    turn.complete({ content: answer, model: 'gpt-5' });
    said.push({ conversationId, content: question }, { conversationId, content: answer });
    if (n % 100 === 99) while (waiting(recorder) > 5000) await sleep(2);
  }
  return said;
}

function waiting(recorder: Recorder): number {
  const { pending, inFlight } = recorder.stats();
  return pending + inFlight;
}

/** Says so many turns, and sees them all arrive: once, in order, with nothing lost. */
export async function deliverAll(options: RecorderOptions, turns: number, conversations: number, faults = PASSING) {
  await using on = await recorderOn({ faults }, options);
  const said = await sayTurns(on.recorder, turns, conversations);
  expect(await on.recorder.flush({ timeoutMs: 800_000 })).toMatchObject({ pending: 0, deadLettered: 0 });
  expect(problemsOf(said, on.synap), `seed ${SEED}`).toEqual(NO_PROBLEMS);
  expect(balanced(on.recorder)).toMatchObject({ accepted: said.length, delivered: said.length, refused: {} });
  expect(on.losses).toEqual([]);
  if (SEED !== USUAL_SEED) return;
  const struck = new Set(on.synap.requests.map(({ fault }) => fault));
  expect([...struck], 'a fault never struck').toEqual(expect.arrayContaining(Object.keys(faults)));
}

/** A path for a file, in a folder that is gone at the end. */
export async function temporaryFile() {
  const directory = await mkdtemp(join(tmpdir(), 'synap-faults-'));
  return {
    path: join(directory, 'outbox.sqlite'),
    [Symbol.asyncDispose]: () => rm(directory, { recursive: true, force: true }),
  };
}
