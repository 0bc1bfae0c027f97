import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { createRecorder, type RecorderOptions } from '../../src/index.js';
import { sqliteOutbox } from '../../src/outbox/sqlite/index.js';
import { balanced } from '../support/recorder.js';
import { type Script, scriptedSynap } from '../support/scripted-synap.js';

/** Recorders on one file, as those of several processes would be. */
async function sharing(script?: Script) {
  const directory = mkdtempSync(join(tmpdir(), 'synap-recorder-shared-'));
  const synap = await scriptedSynap(script);
  const recorder = (options: RecorderOptions = {}) => {
    const made = createRecorder({
      apiKey: 'k',
      baseUrl: synap.url,
      userId: 'ada',
      outbox: sqliteOutbox({ path: join(directory, 'outbox.db'), leaseMs: 60_000 }),
      rateLimit: false,
      batch: { lingerMs: 1 },
      retry: { baseMs: 5, maxMs: 20 },
      logger: false,
      ...options,
    });
    onTestFinished(async () => {
      await made.close({ timeoutMs: 0 });
    });
    return made;
  };
  onTestFinished(async () => {
    await synap.close();
    rmSync(directory, { recursive: true, force: true });
  });
  return { synap, recorder };
}

describe('recorders that share a file', () => {
  it('flush what another sends for them, and tell the truth about it', async () => {
    const poison: Script = ({ messages }) =>
      messages.some(({ content }) => content === 'poison') ? { status: 422 } : undefined;
    const bothHavePut = Promise.withResolvers<void>();
    const { synap, recorder } = await sharing(async (...args) => {
      await bothHavePut.promise;
      return poison(...args) as undefined;
    });
    const first = recorder();
    for (let n = 0; n < 200; n++) first.turn({ conversationId: `a${n}` }).user(`a${n}`);
    await expect.poll(() => first.stats().inFlight).toBeGreaterThan(0);
    // The first one sends now; the second one only puts.
    const second = recorder();
    for (let n = 0; n < 50; n++) second.turn({ conversationId: `b${n}` }).user(n === 7 ? 'poison' : `b${n}`);
    bothHavePut.resolve();
    const result = await second.flush();
    expect(result.pending).toBe(0);
    expect(result.deadLettered).toBe(1);
    expect(result.delivered).toBeGreaterThanOrEqual(49);
    expect(balanced(second)).toMatchObject({ accepted: 250, delivered: 249, deadLettered: 1 });
    expect(balanced(first)).toMatchObject({ accepted: 250, delivered: 249, deadLettered: 1 });
    expect(new Set(synap.stored.map(message => message.content)).size).toBe(249);
    expect(synap.stored).toHaveLength(249);
  });

  it('take over from one that was closed with messages left', async () => {
    let down = true;
    const { synap, recorder } = await sharing(() => (down ? { status: 503 } : undefined));
    const first = recorder();
    first.turn({ conversationId: 'a' }).user('one');
    await expect.poll(() => synap.requests.length).toBeGreaterThan(0);
    await first.close({ timeoutMs: 0 });
    down = false;
    const second = recorder();
    second.turn({ conversationId: 'a' }).user('two');
    expect(await second.flush()).toMatchObject({ delivered: 2, pending: 0 });
    expect(synap.stored.map(message => message.content)).toEqual(['one', 'two']);
  });

  it('record a message that both are told of once', async () => {
    const { synap, recorder } = await sharing();
    const say = (made: ReturnType<typeof recorder>) =>
      made.turn({ conversationId: 'a' }).user('Hi', { messageId: 'message-1' });
    const first = recorder();
    say(first);
    await first.flush();
    const second = recorder();
    say(second);
    await second.flush();
    expect(synap.stored).toHaveLength(1);
    expect(balanced(second)).toMatchObject({ accepted: 1, delivered: 1 });
  });
});
