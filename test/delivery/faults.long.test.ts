import { describe, it } from 'vitest';
import { sqliteOutbox } from '../../src/outbox/sqlite/index.js';
import { runs } from '../support/runs.js';
import { deliverAll, temporaryFile } from './faulty-recorder.js';

const TURNS = runs(15_000, 50_000);

describe(`through a Synap that fails in every way, ${2 * TURNS} messages of 1000 conversations`, () => {
  it('arrive whole and in order from memory', async () => {
    await deliverAll({}, TURNS, 1000);
  });

  it('arrive whole and in order from a file', async () => {
    await using file = await temporaryFile();
    await deliverAll({ outbox: sqliteOutbox({ path: file.path }) }, TURNS, 1000);
  });
});

describe('with eight requests in flight, 10,000 messages', () => {
  it('arrive whole and in order from memory', async () => {
    await deliverAll({ maxInFlight: 8, batch: { maxMessages: 10, lingerMs: 5 } }, 5000, 200);
  });

  it('arrive whole and in order from a file', async () => {
    await using file = await temporaryFile();
    const outbox = sqliteOutbox({ path: file.path });
    await deliverAll({ outbox, maxInFlight: 8, batch: { maxMessages: 10, lingerMs: 5 } }, 5000, 200);
  });
});

describe('with eight requests in flight, 4000 messages', () => {
  it('arrive whole and in order where a few conversations say it all', async () => {
    await deliverAll({ maxInFlight: 8, batch: { maxMessages: 10, lingerMs: 5 } }, 2000, 3);
  });
});
