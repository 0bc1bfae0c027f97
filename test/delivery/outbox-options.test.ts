// What is wrong with an outbox is said where it is made, not when the first message is there.

import { describe, expect, it } from 'vitest';
import { createRecorder, InvalidInputError, memoryOutbox } from '../../src/index.js';
import { sqliteOutbox } from '../../src/outbox/sqlite/index.js';

describe('an option', () => {
  it.each<[string, string, unknown]>([
    ['maxBytes', 'memoryOutbox: maxBytes: ', { maxBytes: Number.NaN }],
    ['maxBytes', 'memoryOutbox: maxBytes: ', { maxBytes: 0 }],
    ['maxBytes', 'memoryOutbox: maxBytes: ', { maxBytes: '1MB' }],
    ['maxMessages', 'memoryOutbox: maxMessages: ', { maxMessages: -1 }],
    ['maxMessages', 'memoryOutbox: maxMessages: ', { maxMessages: null }],
    ['maxMessage', 'memoryOutbox: maxMessage: is no option; did you mean maxMessages?', { maxMessage: 5 }],
    ['max_bytes', 'memoryOutbox: max_bytes: is no option; did you mean maxBytes?', { max_bytes: 5 }],
    ['path', 'memoryOutbox: path: is no option; there are maxMessages, maxBytes', { path: 'a' }],
    ['options', 'memoryOutbox: options: ', 5],
    ['options', 'memoryOutbox: options: ', null],
  ])('%s of memoryOutbox that is wrong is named', (field, message, options) => {
    const make = () => memoryOutbox(options as never);
    expect(make).toThrow(InvalidInputError);
    expect(make).toThrow(expect.objectContaining({ field, message: expect.stringContaining(message) }));
  });

  it('of memoryOutbox may be Infinity: then there is no limit', () => {
    const outbox = memoryOutbox({ maxMessages: Number.POSITIVE_INFINITY, maxBytes: Number.POSITIVE_INFINITY });
    expect(outbox.fullness()).toBe(0);
  });

  it.each([
    ['maxByte', 'did you mean maxBytes?'],
    ['leaseMS', 'did you mean leaseMs?'],
    ['durable', 'there are path, durability, maxBytes, maxMessages, leaseMs'],
    ['durabilty', 'did you mean durability?'],
  ])('%s of sqliteOutbox is unknown: %s', (name, advice) => {
    expect(() => sqliteOutbox({ path: 'a', [name]: 1 } as never)).toThrow(
      `sqliteOutbox: ${name}: is no option; ${advice}`,
    );
  });
});

it.each([
  ['file:///var/lib/outbox.db', 'must be a path, not a URL'],
  ['a\0b', 'must not hold a NUL character'],
  [':memory:', 'must be a file'],
])('the path %j of sqliteOutbox is refused', (path, advice) => {
  expect(() => sqliteOutbox({ path })).toThrow(`sqliteOutbox: path: ${advice}`);
});

describe('an outbox', () => {
  const own = (changes: object) => ({ ...memoryOutbox(), ...changes });
  it.each<[string, unknown, string]>([
    ['without put', own({ put: undefined }), 'has no put(): an outbox needs put, claim,'],
    ['without several methods', own({ claim: 1, close: null }), 'has no claim(), close()'],
    ['with an odd method', own({ adopt: 'no' }), 'adopt() must be a function'],
    ['that does not say whether it is durable', own({ durable: undefined }), 'durable must be true or false'],
    ['that was not made', sqliteOutbox, 'is a function, not an outbox: call it'],
    ['that is still to come', Promise.resolve(memoryOutbox()), 'is a promise: await it'],
    ['that is a path', './outbox.db', 'must be an outbox, e.g. outbox: sqliteOutbox'],
    ['that is empty', {}, 'has no put(), claim()'],
  ])('%s is refused', (_, outbox, message) => {
    const make = () => createRecorder({ apiKey: 'k', outbox: outbox as never, logger: false });
    expect(make).toThrow(InvalidInputError);
    expect(make).toThrow(expect.objectContaining({ field: 'outbox', message: expect.stringContaining(message) }));
  });

  it('that has its methods from a class is taken', async () => {
    const outbox = Object.create(memoryOutbox()) as ReturnType<typeof memoryOutbox>;
    const recorder = createRecorder({ apiKey: 'k', outbox, logger: false });
    await recorder.close();
  });
});
