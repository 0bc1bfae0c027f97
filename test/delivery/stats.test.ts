import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createRecorder, type FlushResult, type Loss, memoryOutbox, type RecorderOptions } from '../../src/index.js';
import { NO_PROBLEMS, problemsOf, type SaidMessage } from '../support/fault-checker.js';
import { stopClock } from '../support/fault-clock.js';
import { evenly, FAULTS, type FaultWeights } from '../support/fault-schedule.js';
import { faultySynap } from '../support/faulty-synap.js';
import { balanced } from '../support/recorder.js';
import { runs } from '../support/runs.js';

const SECOND = 1000;
const MINUTE = 60 * SECOND;

const RUNS = runs(60, 600);

const clock = stopClock();

const POISON = [
  { marker: 'refused', status: 422 },
  { marker: 'fails', status: 500 },
] as const;

/** What an app, or the world, does next. */
type Step =
  | { do: 'say'; turns: number; conversations: number; kind: 'plain' | 'refused' | 'fails' | 'secret' | 'unredactable' }
  | { do: 'wait'; ms: number }
  | { do: 'flush'; timeoutMs: number }
  | { do: 'break'; faults: FaultWeights }
  | { do: 'heal' };

const steps = fc.array(
  fc.oneof(
    {
      weight: 4,
      arbitrary: fc.record({
        do: fc.constant('say' as const),
        turns: fc.integer({ min: 1, max: 20 }),
        conversations: fc.integer({ min: 1, max: 4 }),
        kind: fc.constantFrom('plain', 'plain', 'plain', 'refused', 'fails', 'secret', 'unredactable'),
      }),
    },
    {
      weight: 3,
      arbitrary: fc.record({
        do: fc.constant('wait' as const),
        ms: fc.constantFrom(10, SECOND, 10 * SECOND, 2 * MINUTE, 20 * MINUTE),
      }),
    },
    {
      weight: 1,
      arbitrary: fc.record({
        do: fc.constant('flush' as const),
        timeoutMs: fc.constantFrom(0, SECOND, 30 * SECOND),
      }),
    },
    {
      weight: 2,
      arbitrary: fc.record({
        do: fc.constant('break' as const),
        faults: fc
          .tuple(fc.subarray([...FAULTS], { minLength: 1 }), fc.constantFrom(0.3, 1))
          .map(([faults, share]) => evenly(faults, share / faults.length)),
      }),
    },
    { weight: 1, arbitrary: fc.record({ do: fc.constant('heal' as const) }) },
  ),
  { minLength: 1, maxLength: 20 },
);

const scenario = fc.record({
  seed: fc.nat(),
  maxInFlight: fc.integer({ min: 1, max: 4 }),
  maxMessages: fc.constantFrom(20, 10_000),
  steps: steps as fc.Arbitrary<Step[]>,
});

/** A recorder on a clock that stands still, and everything that was said to it. */
async function storyOn({ seed, ...options }: { seed: number; maxMessages: number } & RecorderOptions) {
  const synap = await faultySynap({ seed, poison: POISON, lateMs: 5 * SECOND });
  const said: SaidMessage[] = [];
  const losses: Loss[] = [];
  const recorder = createRecorder({
    apiKey: 'test-key',
    baseUrl: synap.url,
    userId: 'ada',
    logger: false,
    outbox: memoryOutbox({ maxMessages: options.maxMessages }),
    redact: message => {
      if (message.content.includes('unredactable')) throw new Error('no');
      return message.content.includes('secret') ? null : message;
    },
    onLoss: loss => void losses.push(loss),
    ...options,
  });
  const news = () => synap.requests.length + synap.stored.length + recorder.stats().delivered;

  /** Waits for a promise, at most `ms` of the clock's time. */
  async function waitFor<T>(promise: Promise<T>, ms: number): Promise<T> {
    let over = false;
    const done = () => {
      over = true;
    };
    promise.then(done, done);
    await clock.settle(news);
    for (let waited = 0; !over && waited <= ms; waited += ms / 5 + 1) await clock.advance(ms / 5 + 1, news);
    if (!over) throw new Error(`still waiting after ${ms} ms`);
    return promise;
  }

  return {
    synap,
    recorder,
    said,
    losses,
    async take(step: Step): Promise<void> {
      switch (step.do) {
        case 'say':
          for (let n = 0; n < step.turns; n++) {
            const turn = recorder.turn({ conversationId: `chat-${n % step.conversations}` });
            const { conversationId = '' } = turn;
            const [question, answer] = [`question ${said.length}`, `${step.kind} answer ${said.length}`];
            turn.user(question);
            turn.complete({ content: answer });
            said.push({ conversationId, content: question }, { conversationId, content: answer });
          }
          return clock.settle(news);
        case 'wait':
          return clock.advance(step.ms, news);
        case 'flush':
          await waitFor(recorder.flush({ timeoutMs: step.timeoutMs }), step.timeoutMs);
          return;
        case 'break':
          synap.faults = step.faults;
          return;
        case 'heal':
          synap.faults = false;
      }
    },
    async drain(): Promise<void> {
      synap.faults = false;
      // Messages that always fail are given up after 15 minutes at the earliest, and in a conversation one after another.
      for (let hours = 0; waiting() > 0 && hours < 48; hours += 0.25) await clock.advance(15 * MINUTE, news);
    },
    close: (timeoutMs: number): Promise<FlushResult> => waitFor(recorder.close({ timeoutMs }), timeoutMs),
    async [Symbol.asyncDispose]() {
      await waitFor(recorder.close({ timeoutMs: 0 }), SECOND);
      await synap.close();
    },
  };

  function waiting(): number {
    const { pending, held, inFlight } = recorder.stats();
    return pending + held + inFlight;
  }
}

type Story = Awaited<ReturnType<typeof storyOn>>;

/** Every message is in the stats and every loss was reported, once. */
function expectTrueStats({ recorder, said, losses, synap }: Story): void {
  const { accepted, refused, deadLettered, expired, lostAtShutdown, maybeLost, delivered } = balanced(recorder);
  expect(accepted + sum(Object.values(refused)), 'said = accepted + refused').toBe(said.length);
  expect(new Set(losses.map(({ messageKey }) => messageKey)).size, 'a loss was reported twice').toBe(losses.length);
  const reported: Record<string, number> = {};
  for (const { reason } of losses) reported[reason] = (reported[reason] ?? 0) + 1;
  const { rejected = 0, expired: givenUp = 0, shutdown = 0, maybe_lost = 0, ...others } = reported;
  expect({ rejected, givenUp, shutdown, maybe_lost, others }, 'the losses are those in the stats').toEqual({
    rejected: deadLettered,
    givenUp: expired,
    shutdown: lostAtShutdown,
    maybe_lost: maybeLost,
    others: refused,
  });

  const stored = new Set(synap.stored.map(({ message }) => message.content));
  expect(stored.size).toBeGreaterThanOrEqual(delivered);
  expect(stored.size, 'more was stored than may have been').toBeLessThanOrEqual(delivered + expired + maybeLost);
  const arrived = said.filter(({ content }) => stored.has(content));
  expect(problemsOf(arrived, synap)).toEqual(NO_PROBLEMS);
}

function sum(numbers: number[]): number {
  return numbers.reduce((a, b) => a + b, 0);
}

describe('a refused key or account', () => {
  it.each(['401', '402'] as const)('(%s) is asked about once a minute, and nothing is lost by it', async fault => {
    await using story = await storyOn({ seed: 1, maxMessages: 10_000 });
    await story.take({ do: 'break', faults: { [fault]: 1 } });
    await story.take({ do: 'say', turns: 100, conversations: 10, kind: 'plain' });
    await story.take({ do: 'wait', ms: 10 * MINUTE });
    expect(story.synap.requests.length).toBeGreaterThanOrEqual(5);
    expect(story.synap.requests.length).toBeLessThanOrEqual(11);
    await story.drain();
    expect(balanced(story.recorder)).toMatchObject({ accepted: 200, delivered: 200 });
    expectTrueStats(story);
  });

  it('now and then, among others, loses nothing', async () => {
    await using story = await storyOn({ seed: 1, maxMessages: 10_000, batch: { maxMessages: 5 } });
    await story.take({ do: 'break', faults: { ...evenly(['401', '402', '503', 'closed after storing'], 0.1) } });
    await story.take({ do: 'say', turns: 100, conversations: 10, kind: 'plain' });
    await story.take({ do: 'wait', ms: 20 * MINUTE });
    await story.drain();
    expect(balanced(story.recorder)).toMatchObject({ accepted: 200, delivered: 200 });
    expectTrueStats(story);
  });
});

describe('the stats', () => {
  it('balance after every step, and tell every loss when all is delivered', async () => {
    await fc.assert(
      fc.asyncProperty(scenario, async ({ steps, ...options }) => {
        await using story = await storyOn(options);
        for (const step of steps) {
          await story.take(step);
          balanced(story.recorder);
        }
        await story.drain();
        expect(balanced(story.recorder)).toMatchObject({
          pending: 0,
          held: 0,
          inFlight: 0,
          lostAtShutdown: 0,
          maybeLost: 0,
        });
        expectTrueStats(story);
      }),
      { numRuns: RUNS },
    );
  });

  it('balance after a close at any time, and tell every loss of it', async () => {
    const closing = fc.constantFrom(0, 100, 5 * SECOND, MINUTE);
    await fc.assert(
      fc.asyncProperty(scenario, closing, async ({ steps, ...options }, timeoutMs) => {
        await using story = await storyOn(options);
        for (const step of steps) await story.take(step);
        await story.close(timeoutMs);
        await story.take({ do: 'say', turns: 1, conversations: 1, kind: 'plain' });
        expect(balanced(story.recorder)).toMatchObject({ pending: 0, held: 0, inFlight: 0 });
        expectTrueStats(story);
      }),
      { numRuns: RUNS },
    );
  });
});
