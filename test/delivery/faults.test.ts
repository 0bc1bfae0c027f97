import { describe, expect, it } from 'vitest';
import { sqliteOutbox } from '../../src/outbox/sqlite/index.js';
import { NO_PROBLEMS, problemsOf, type SaidMessage } from '../support/fault-checker.js';
import { balanced } from '../support/recorder.js';
import { runs } from '../support/runs.js';
import { turns } from '../support/turns.js';
import { deliverAll, PASSING, recorderOn, SEED, sayTurns, temporaryFile } from './faulty-recorder.js';

const TURNS = runs(400, 1000);
const OUTAGES = runs(3, 5);

it('through a Synap that fails in every way, with eight requests in flight, all arrives whole and in order', async () => {
  await using file = await temporaryFile();
  const outbox = sqliteOutbox({ path: file.path });
  await deliverAll({ outbox, maxInFlight: 8, batch: { maxMessages: 10, lingerMs: 5 } }, 2000, 200);
});

describe('a Synap that refuses', () => {
  it('requests of more than 7 messages gets smaller ones', async () => {
    await using on = await recorderOn({ faults: PASSING, maxMessages: 7 });
    const said = await sayTurns(on.recorder, TURNS, 50);
    expect(await on.recorder.flush({ timeoutMs: 100_000 })).toMatchObject({ pending: 0, deadLettered: 0 });
    expect(problemsOf(said, on.synap), `seed ${SEED}`).toEqual(NO_PROBLEMS);
    expect(on.losses).toEqual([]);
  });

  it('some messages for what is in them gets all others', async () => {
    const poison = [
      { marker: 'question 77', status: 422 },
      { marker: 'answer 5', status: 413 },
    ] as const;
    await using on = await recorderOn({ faults: PASSING, poison });
    const said = await sayTurns(on.recorder, TURNS, 50);
    const isBad = ({ content }: SaidMessage) => poison.some(({ marker }) => content.includes(marker));
    await on.recorder.flush({ timeoutMs: 100_000 });
    const good = said.filter(message => !isBad(message));
    expect(problemsOf(good, on.synap), `seed ${SEED}`).toEqual(NO_PROBLEMS);
    const bad = said.length - good.length;
    expect(balanced(on.recorder)).toMatchObject({ delivered: good.length, deadLettered: bad });
    expect(new Set(on.losses.map(({ messageKey }) => messageKey)).size).toBe(bad);
    expect(on.losses.map(({ reason }) => reason)).toEqual(Array(bad).fill('rejected'));
  });
});

describe('a Synap that fails', () => {
  it('on one message for ever gets all that does not come after it in its conversation', async () => {
    await using on = await recorderOn({ faults: PASSING, poison: [{ marker: 'answer 120', status: 500 }] });
    const said = await sayTurns(on.recorder, TURNS, 100);
    const at = said.findIndex(({ content }) => content === 'answer 120');
    const waits = (message: SaidMessage, place: number) =>
      place >= at && message.conversationId === said[at]?.conversationId;
    const free = said.filter((message, place) => !waits(message, place));
    await expect.poll(() => on.recorder.stats().delivered).toBe(free.length);
    expect(problemsOf(free, on.synap), `seed ${SEED}`).toEqual(NO_PROBLEMS);
    const { pending, inFlight } = balanced(on.recorder);
    expect(pending + inFlight).toBe(said.length - free.length);
    expect(on.losses).toEqual([]);
  });

  it('in an outage, and in what comes before and after it, gets everything', async () => {
    await using on = await recorderOn({ faults: PASSING }, { maxInFlight: 4 });
    const said: SaidMessage[] = [];
    for (let outage = 0; outage < OUTAGES; outage++) {
      said.push(...(await sayTurns(on.recorder, 200, 20, `${outage}.`)));
      await on.synap.down();
      said.push(...(await sayTurns(on.recorder, 200, 20, `${outage}, down.`)));
      // Turns for an attempt or two; none is needed.
      await turns();
      await on.synap.up();
    }
    expect(await on.recorder.flush({ timeoutMs: 100_000 })).toMatchObject({ pending: 0, deadLettered: 0 });
    expect(problemsOf(said, on.synap), `seed ${SEED}`).toEqual(NO_PROBLEMS);
    expect(on.losses).toEqual([]);
  });
});
