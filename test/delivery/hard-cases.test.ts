import { afterEach, describe, expect, it, vi } from 'vitest';
import { createRecorder, memoryOutbox, type Outbox, type Recorder, SynapClient } from '../../src/index.js';
import { balanced, recorderOn } from '../support/recorder.js';
import { turns } from '../support/turns.js';

afterEach(() => {
  vi.restoreAllMocks();
});

const said = (on: { synap: { stored: { content: string }[] } }) => on.synap.stored.map(({ content }) => content);

function say(recorder: Recorder, text: string, conversationId = 'c'): void {
  recorder.turn({ conversationId }).user(text);
}

describe('a clock that is set back', () => {
  it.each([
    ['after a failure that is over', true],
    ['during one', false],
  ])('%s stops nothing', async (_, isOver) => {
    let calls = 0;
    vi.spyOn(Math, 'random').mockReturnValue(0.9);
    const retry = { baseMs: 500, maxMs: 500 };
    await using on = await recorderOn(() => (++calls === 1 ? { status: 503 } : undefined), { retry });
    say(on.recorder, 'before');
    await expect.poll(() => calls).toBe(1);
    if (isOver) await expect.poll(() => said(on)).toEqual(['before']);
    const now = Date.now;
    vi.spyOn(Date, 'now').mockImplementation(() => now() - 3_600_000);
    say(on.recorder, 'after');
    expect(await on.recorder.flush({ timeoutMs: 60_000 })).toMatchObject({ pending: 0 });
    expect(said(on)).toEqual(['before', 'after']);
  });
});

describe('what Synap refuses', () => {
  it.each([403, 404])('with %i by itself, though it took the rest of its batch, is a dead letter', async status => {
    await using on = await recorderOn(({ messages }) => {
      if (messages.length === 1) return messages[0]?.content === 'm3' ? { status } : undefined;
      const results = messages.map(({ content }, n) => (content === 'm3' ? { error: 'no' } : { message_id: `m${n}` }));
      return { json: { total: results.length, succeeded: results.length - 1, failed: 1, results } };
    });
    for (let n = 0; n < 10; n++) say(on.recorder, `m${n}`, `c${n}`);
    expect(await on.recorder.flush({ timeoutMs: 60_000 })).toEqual({ delivered: 9, pending: 0, deadLettered: 1 });
    expect(on.losses).toMatchObject([{ reason: 'rejected', error: { status } }]);
  });

  it('with 404 without having taken anything is no message’s fault', async () => {
    await using on = await recorderOn(() => ({ status: 404 }));
    say(on.recorder, 'm0');
    say(on.recorder, 'm1', 'c1');
    expect(await on.recorder.flush({ timeoutMs: 200 })).toEqual({ delivered: 0, pending: 2, deadLettered: 0 });
    expect(on.losses).toEqual([]);
  });
});

describe('close()', () => {
  it('does not send before the time that Synap has asked for, whatever came after', async () => {
    let answers = 0;
    const both = Promise.withResolvers<void>();
    await using on = await recorderOn(
      async (_, index, { response }) => {
        response.once('close', () => answers++);
        // The 503 comes when the 429 has been read.
        if (index === 0)
          void expect
            .poll(() => answers)
            .toBe(1)
            .then(() => turns())
            .then(both.resolve);
        else await both.promise;
        return index === 0 ? { status: 429, headers: { 'retry-after': '300' } } : { status: 503 };
      },
      { maxInFlight: 2, batch: { lingerMs: 1, maxMessages: 1 } },
    );
    say(on.recorder, 'm0', 'a');
    say(on.recorder, 'm1', 'b');
    await expect.poll(() => answers).toBe(2);
    await turns();
    await on.recorder.close({ timeoutMs: 300 });
    expect(on.synap.requests).toHaveLength(2);
  });

  it('ends what a client of the app’s would go on sending', async () => {
    const client = new SynapClient({ apiKey: 'k' });
    const calls: number[] = [];
    const answered = Promise.withResolvers<void>();
    vi.spyOn(client.conversation, 'recordMessagesBatch').mockImplementation(async messages => {
      calls.push(messages.length);
      await answered.promise;
      const results = messages.map(() => ({ error: 'no' }));
      return { total: 2, succeeded: 0, failed: 2, results } as never;
    });
    vi.spyOn(client.conversation, 'recordMessage').mockImplementation(async () => {
      calls.push(1);
      return {} as never;
    });
    const recorder = createRecorder({ client, userId: 'ada', logger: false, batch: { lingerMs: 1 } });
    say(recorder, 'm0', 'a');
    say(recorder, 'm1', 'b');
    await expect.poll(() => calls).toEqual([2]);
    await recorder.close({ timeoutMs: 0 });
    answered.resolve();
    await turns();
    expect(calls).toEqual([2]);
    expect(balanced(recorder)).toMatchObject({ lostAtShutdown: 0, maybeLost: 2 });
  });

  it('and flush() end in time, whatever the outbox does', async () => {
    const memory = memoryOutbox();
    const never = () => new Promise<never>(() => {});
    let isStuck = false;
    const outbox: Outbox = {
      ...memory,
      progress: position => (isStuck ? never() : memory.progress(position)),
      close: never,
    };
    await using on = await recorderOn(() => ({ status: 503 }), { outbox });
    say(on.recorder, 'm0');
    const flushed = on.recorder.flush({ timeoutMs: 200 });
    await expect.poll(() => on.synap.requests.length).toBeGreaterThan(0);
    isStuck = true;
    expect(await flushed).toMatchObject({ pending: 1 });
    await on.recorder.close({ timeoutMs: 200 });
    expect(on.log.at(-1)).toMatch(/could not be closed/);
  });

  it('leaves no dead letters to be sent again from memory', async () => {
    await using on = await recorderOn(() => ({ status: 422 }));
    say(on.recorder, 'm0');
    await on.recorder.close();
    await expect(on.recorder.deadLetters.replay()).rejects.toThrow('this outbox is closed');
    expect(balanced(on.recorder)).toMatchObject({ deadLettered: 1, pending: 0 });
  });
});

describe('what an app gives us, when it answers with a promise that fails,', () => {
  it('stays out of the app: onLoss', async () => {
    await using on = await recorderOn(() => ({ status: 422 }), {
      onLoss: async () => {
        throw new Error('metrics are down');
      },
    });
    say(on.recorder, 'm0');
    await on.recorder.flush();
    await expect.poll(() => on.log).toContain('[synap-recorder] onLoss threw: Error');
  });

  it('stays out of the app: the logger', async () => {
    const fail = async () => {
      throw new Error('the log is down');
    };
    await using on = await recorderOn(() => ({ status: 422 }), { logger: { info: fail, warn: fail, error: fail } });
    say(on.recorder, 'm0');
    expect(await on.recorder.flush()).toMatchObject({ deadLettered: 1 });
    await turns();
  });
});
