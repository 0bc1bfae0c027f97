import { beforeEach, describe, expect, it, onTestFinished, test, vi } from 'vitest';
import { DatabaseFileError, type DatabaseProblem } from '../../src/internal/sqlite/errors.js';
import { FileHealth } from '../../src/outbox/sqlite/file-health.js';

let now = 0;
beforeEach(() => {
  now = 0;
  vi.spyOn(Date, 'now').mockImplementation(() => now);
  onTestFinished(() => void vi.restoreAllMocks());
});

function health() {
  const log: string[] = [];
  const say = (line: string) => void log.push(line);
  const logger = { info: say, warn: say, error: say };
  const health = new FileHealth('/x/outbox.db');
  return {
    health,
    log,
    failed: (problem: DatabaseProblem) =>
      health.failed(new DatabaseFileError(problem, `/x/outbox.db is ${problem}: do this`), logger),
    worked: (inMemory = 0) => health.worked(inMemory, logger),
  };
}

test.each<[DatabaseProblem, number]>([
  ['locked', 1000],
  ['full', 5000],
  ['inaccessible', 5000],
  ['failed', 5000],
  ['foreign', 60_000],
  ['newer', 60_000],
  ['damaged', 60_000],
  ['not_sqlite', 60_000],
])('a file that is %s is tried again after %d ms', (problem, ms) => {
  const { health: file, failed } = health();
  failed(problem);
  expect(file.state).toBe(problem);
  now = ms - 1;
  expect(file.mayTry).toBe(false);
  now = ms;
  expect(file.mayTry).toBe(true);
});

test('a try before the time does not put the next one off', () => {
  const { health: file, failed } = health();
  failed('locked');
  now = 999;
  failed('locked');
  now = 1000;
  expect(file.mayTry).toBe(true);
});

test('a file that works is healthy, and may be tried at once', () => {
  const { health: file, failed, worked } = health();
  failed('damaged');
  worked();
  expect([file.state, file.mayTry]).toEqual(['healthy', true]);
});

describe('the log', () => {
  it('says what is wrong, and what it means', () => {
    const { log, failed } = health();
    failed('full');
    expect(log).toEqual([
      'outbox file /x/outbox.db is full: do this. Until then new messages wait in memory, and are lost if the process ends before they are delivered',
    ]);
  });

  it.each([
    [0, 'outbox file recovered (/x/outbox.db)'],
    [1, 'outbox file recovered; moving 1 in-memory message into it (/x/outbox.db)'],
    [12, 'outbox file recovered; moving 12 in-memory messages into it (/x/outbox.db)'],
  ])('says that it has recovered, with %d messages in memory', (inMemory, line) => {
    const { log, failed, worked } = health();
    failed('full');
    worked(inMemory);
    expect(log.slice(1)).toEqual([line]);
  });

  it('says nothing of a file that was healthy all the time', () => {
    const { log, worked } = health();
    worked(3);
    expect(log).toEqual([]);
  });

  it('names each problem once, as long as the file does not work', () => {
    const { log, failed } = health();
    for (const problem of ['locked', 'full', 'locked', 'full'] as const) {
      failed(problem);
      now += 100_000;
    }
    expect(log).toHaveLength(2);
  });

  it('is silent about a file that fails and works again and again, for a minute', () => {
    const { log, failed, worked } = health();
    for (now = 0; now < 60_000; now += 5000) {
      failed('locked');
      worked();
    }
    expect(log).toHaveLength(2);
    failed('locked');
    expect(log).toHaveLength(3);
  });
});
