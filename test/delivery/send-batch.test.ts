import { describe, expect, it } from 'vitest';
import { failureOf } from '../../src/delivery/decide.js';
import { type Sender, sendBatch } from '../../src/delivery/send-batch.js';
import { Suspects } from '../../src/delivery/suspects.js';
import { safeLogger } from '../../src/internal/logger.js';
import { aClaim, errors } from './failures.js';

interface BatchAnswer {
  refused?: string[];
  open?: string[];
  unread?: string;
  accepted?: boolean;
}

type Answer = (contents: string[]) => BatchAnswer | undefined;

const noSuspects = () => new Suspects(safeLogger(false));

/** Sends messages named m0, m1, … through a Synap that answers, or throws, as the test says. */
async function send(
  count: number,
  answer: Answer = () => undefined,
  { suspects = noSuspects(), chats = [] as string[], alone = [] as string[] } = {},
) {
  const requests: string[][] = [];
  const events: string[] = [];
  const named = (entries: Iterable<{ key: string }>) => [...entries].map(({ key }) => key).join(' ');
  const handle = (messages: readonly { content: string }[], onAccepted: (() => void) | undefined) => {
    const contents = messages.map(({ content }) => content);
    requests.push(contents);
    const { refused = [], open = [], unread, accepted = false } = answer(contents) ?? {};
    if (accepted) onAccepted?.();
    return { refused, open, unread };
  };
  const sender: Sender = {
    conversation: {
      async recordMessagesBatch(messages, options) {
        const { refused, open, unread } = handle(messages, options?.onAccepted);
        const results = messages.map(({ content }) => {
          if (open.includes(content)) return { unknown: 'leaves it open' };
          return refused.includes(content) ? { error: 'no' } : {};
        });
        return { results, unread } as never;
      },
      async recordMessage(message, options) {
        return handle([message], options?.onAccepted) as never;
      },
    },
    signal: new AbortController().signal,
    suspects,
    goesAlone: ({ key }) => alone.includes(key),
    before: async entries => void events.push(`before ${named(entries)}`),
    beforeSending: async () => {},
    refusedSingly: () => events.push('refused singly'),
    accepted: entries => events.push(`accepted ${named(entries)}`),
    notAccepted: entries => events.push(`not accepted ${named(entries)}`),
    acceptedUnread: why => events.push(`unread: ${why}`),
  };
  const entries = Array.from({ length: count }, (_, n) => {
    const claim = aClaim(`m${n}`, chats[n] ?? `c${n}`);
    return { ...claim, message: { ...claim.message, content: `m${n}` } };
  });
  const outcomes = await sendBatch(entries, sender);
  expect(outcomes.map(({ entry }) => entry)).toEqual(entries);
  return { requests, events, types: outcomes.map(({ type }) => type), outcomes };
}

const refuses =
  (error: unknown, ...contents: string[]): Answer =>
  sent => {
    if (sent.some(content => contents.includes(content))) throw error;
    return undefined;
  };

describe('a batch', () => {
  it('of nothing is not sent', async () => {
    expect(await send(0)).toMatchObject({ requests: [], types: [] });
  });

  it('of one message is sent as a single message', async () => {
    expect(await send(1, () => ({ unread: 'no JSON', accepted: true }))).toMatchObject({
      requests: [['m0']],
      types: ['delivered'],
      events: ['before m0', 'accepted m0', 'unread: no JSON'],
    });
  });

  it('is sent in one request, after it was announced', async () => {
    expect(await send(2, () => ({ unread: 'no JSON', accepted: true }))).toMatchObject({
      requests: [['m0', 'm1']],
      types: ['delivered', 'delivered'],
      events: ['before m0 m1', 'accepted m0 m1', 'unread: no JSON', 'not accepted '],
    });
  });

  it.each([
    ['a 503', errors.unavailable(), 'unclear'],
    ['a rate limit', errors.rateLimit(), 'held'],
    ['a refused key', errors.account, 'held'],
    ['a 421', errors.passing, 'unclear'],
  ])('that meets %s is not sent again by halves', async (_, error, type) => {
    const { requests, types, events, outcomes } = await send(3, refuses(error, 'm1'));
    expect(requests).toHaveLength(1);
    expect(types).toEqual([type, type, type]);
    expect(events).toEqual(['before m0 m1 m2', 'not accepted m0 m1 m2']);
    expect(outcomes).toMatchObject(outcomes.map(() => ({ failure: { error } })));
  });
});

describe('a batch with a message that Synap refuses', () => {
  it('is sent by halves, in order, until that message is alone', async () => {
    const { requests, types } = await send(5, refuses(errors.message, 'm3'));
    expect(requests).toEqual([['m0', 'm1', 'm2', 'm3', 'm4'], ['m0', 'm1', 'm2'], ['m3', 'm4'], ['m3'], ['m4']]);
    expect(types).toEqual(['delivered', 'delivered', 'delivered', 'dead', 'delivered']);
  });

  it('does not send the second half once the first was stopped, which would change the order', async () => {
    const { requests, types, outcomes } = await send(4, sent => {
      if (sent.length === 4) throw errors.message;
      if (sent.includes('m1')) throw errors.unavailable();
      return undefined;
    });
    expect(requests).toEqual([
      ['m0', 'm1', 'm2', 'm3'],
      ['m0', 'm1'],
    ]);
    expect(types).toEqual(['unclear', 'unclear', 'held', 'held']);
    expect(outcomes).toMatchObject(outcomes.map(() => ({ failure: { kind: 'unavailable' } })));
  });
});

describe('a message that its batch was answered without', () => {
  it.each([
    ['that is taken alone, is delivered', undefined, 'delivered'],
    ['that is refused alone, is a dead letter', errors.message, 'dead'],
    ['that is forbidden alone, is refused', errors.unsure, 'refused'],
    ['whose key is refused, waits', errors.account, 'held'],
    ['that meets a 503, is sent again', errors.unavailable(), 'unclear'],
  ])('is sent alone: one %s', async (_, error, type) => {
    const { requests, types } = await send(3, sent => {
      if (sent.length === 3) return { refused: ['m1'] };
      if (error) throw error;
      return undefined;
    });
    expect(requests).toEqual([['m0', 'm1', 'm2'], ['m1']]);
    expect(types).toEqual(['delivered', type, 'delivered']);
  });

  it('is no longer taken for accepted', async () => {
    const { events } = await send(3, sent => {
      if (sent.length === 1) throw errors.message;
      return { refused: ['m1'], accepted: true };
    });
    expect(events).toEqual(['before m0 m1 m2', 'accepted m0 m1 m2', 'not accepted m1', 'before m1', 'not accepted m1']);
  });

  it('waits when one before it was stopped', async () => {
    const { requests, types, events } = await send(4, sent => {
      if (sent.length > 1) return { refused: ['m1', 'm3'] };
      throw errors.rateLimit();
    });
    expect(requests).toEqual([['m0', 'm1', 'm2', 'm3'], ['m1']]);
    expect(types).toEqual(['delivered', 'held', 'delivered', 'held']);
    expect(events).toContain('refused singly');
  });

  it.each([
    ['for good', errors.message],
    ['and may be to blame', errors.unsure],
  ])('and is refused alone %s changes no order', async (_, error) => {
    const { events } = await send(2, sent => {
      if (sent.length > 1) return { refused: ['m1'] };
      throw error;
    });
    expect(events).not.toContain('refused singly');
  });
});

it('a client that answers with nothing has taken a single message', async () => {
  const entry = aClaim('k');
  const sender = {
    conversation: { recordMessage: async () => undefined },
    signal: new AbortController().signal,
    suspects: noSuspects(),
    goesAlone: () => false,
    before: async () => {},
    notAccepted: () => {},
  } as unknown as Sender;
  expect(await sendBatch([entry], sender)).toEqual([{ entry, type: 'delivered' }]);
});

it('a request that was never allowed to go is no error of its messages', async () => {
  const sender = {
    suspects: noSuspects(),
    goesAlone: () => false,
    before: async () => {
      throw errors.notSent;
    },
    notAccepted: () => {},
  } as unknown as Sender;
  const outcomes = await sendBatch([aClaim('a'), aClaim('b')], sender);
  expect(outcomes).toMatchObject([
    { type: 'unclear', failure: { maybeStored: false } },
    { type: 'unclear', failure: { maybeStored: false } },
  ]);
});

describe('a message that may be refused for the account’s sake', () => {
  it('is found by halves, and stops none of the others', async () => {
    const { requests, types } = await send(5, refuses(errors.unsure, 'm3'));
    expect(requests).toEqual([
      ['m0', 'm1', 'm2', 'm3', 'm4'],
      ['m0', 'm1', 'm2'],
      ['m3', 'm4'],
      ['m3'],
      ['m4'],
      ['m3'],
    ]);
    expect(types).toEqual(['delivered', 'delivered', 'delivered', 'refused', 'delivered']);
  });

  it('holds the rest of its batch when three in a row are refused', async () => {
    const all = Array.from({ length: 8 }, (_, n) => `m${n}`);
    const { requests, types } = await send(8, refuses(errors.unsure, ...all));
    expect(requests.map(({ length }) => length)).toEqual([8, 4, 2, 1, 1, 2, 1]);
    expect(types).toEqual([...Array(3).fill('refused'), ...Array(5).fill('held')]);
  });

  it('is proven when it is refused once more, after another was taken', async () => {
    const suspects = noSuspects();
    const { requests } = await send(2, refuses(errors.unsure, 'm0'), { suspects });
    expect(requests).toEqual([['m0', 'm1'], ['m0'], ['m1'], ['m0']]);
    expect(suspects.isProven('m0')).toBe(true);
  });

  it('is delivered by its last try, if it was refused a moment before the account was restored', async () => {
    let requests = 0;
    const { types } = await send(3, () => {
      if (++requests <= 3) throw errors.unsure;
      return undefined;
    });
    expect(types).toEqual(['delivered', 'delivered', 'delivered']);
  });

  it('is not overtaken by a later one of its conversation', async () => {
    const suspects = noSuspects();
    let requests = 0;
    const sent = await send(
      4,
      () => {
        if (++requests <= 3) throw errors.unsure;
        return undefined;
      },
      { suspects, chats: ['a', 'a', 'b', 'b'] },
    );
    expect(sent.requests).toEqual([['m0', 'm1', 'm2', 'm3'], ['m0', 'm1'], ['m0'], ['m2', 'm3'], ['m0'], ['m1']]);
    expect(sent.types).toEqual(Array(4).fill('delivered'));
  });

  it('is not overtaken by its conversation where another suspect was accepted of late: refusals come and go', async () => {
    const suspects = noSuspects();
    suspects.refused(aClaim('other'), failureOf(errors.unsure), suspects.now());
    suspects.accepted([aClaim('other')], suspects.now());
    const { requests, types } = await send(3, refuses(errors.unsure, 'm0'), { suspects, chats: ['a', 'a', 'a'] });
    expect(requests).toEqual([['m0', 'm1', 'm2'], ['m0', 'm1'], ['m0']]);
    expect(types).toEqual(['refused', 'refused', 'refused']);
  });

  it('is told apart by a later one of its conversation, where there is no other', async () => {
    const suspects = noSuspects();
    const { requests, types } = await send(3, refuses(errors.unsure, 'm0'), { suspects, chats: ['a', 'a', 'a'] });
    expect(requests).toEqual([['m0', 'm1', 'm2'], ['m0', 'm1'], ['m0'], ['m1', 'm2'], ['m0']]);
    expect(types).toEqual(['refused', 'delivered', 'delivered']);
    expect(suspects.isProven('m0')).toBe(true);
  });

  it('and was, is delivered as soon as the account is restored', async () => {
    const suspects = noSuspects();
    const all = ['m0', 'm1', 'm2', 'm3'];
    expect((await send(4, refuses(errors.unsure, ...all), { suspects })).types).toContain('held');
    const restored = await send(4, undefined, { suspects });
    expect(restored.types).toEqual(Array(4).fill('delivered'));
    expect(restored.requests).toEqual([['m0'], ['m1', 'm2', 'm3']]);
    expect(suspects.blame).toBe('none');
  });

  it('does not keep new ones from being tried: the oldest first, then three more', async () => {
    const suspects = noSuspects();
    const all = Array.from({ length: 8 }, (_, n) => `m${n}`);
    await send(8, refuses(errors.unsure, ...all), { suspects });
    const { requests, types } = await send(8, refuses(errors.unsure, ...all), { suspects });
    expect(requests).toEqual([['m0'], ['m3'], ['m4'], ['m5']]);
    expect(types).toEqual([...Array(6).fill('refused'), 'held', 'held']);
  });

  it('costs two requests a round once the account is to blame', async () => {
    const suspects = noSuspects();
    const all = Array.from({ length: 20 }, (_, n) => `m${n}`);
    for (let n = 0; n < 4; n++) await send(20, refuses(errors.unsure, ...all), { suspects });
    expect(suspects.blame).toBe('account');
    const { requests } = await send(20, refuses(errors.unsure, ...all), { suspects });
    expect(requests).toEqual([['m0'], ['m10']]);
  });
});

it('a message that the answer to its batch leaves open may be stored, and the others are done', async () => {
  const { requests, types, events, outcomes } = await send(3, () => ({ open: ['m1'], accepted: true }));
  expect(requests).toHaveLength(1);
  expect(types).toEqual(['delivered', 'unclear', 'delivered']);
  expect(outcomes[1]).toMatchObject({ failure: { kind: 'unreadable', maybeStored: true } });
  expect(events).toContain('not accepted m1');
});

it('a message of which an answer could not be read goes alone, before the others', async () => {
  const { requests, types } = await send(3, undefined, { alone: ['m1'] });
  expect(requests).toEqual([['m1'], ['m0', 'm2']]);
  expect(types).toEqual(['delivered', 'delivered', 'delivered']);
});

describe('a message that is refused by itself right after others were accepted', () => {
  it('in the same answer, is to blame', async () => {
    const suspects = noSuspects();
    const { requests, types } = await send(
      3,
      sent => {
        if (sent.length > 1) return { refused: ['m1'] };
        throw errors.unsure;
      },
      { suspects },
    );
    expect(requests).toEqual([['m0', 'm1', 'm2'], ['m1']]);
    expect(types).toEqual(['delivered', 'refused', 'delivered']);
    expect([suspects.isProven('m1'), suspects.has('m0'), suspects.has('m2')]).toEqual([true, false, false]);
  });

  it('of the same batch, is to blame', async () => {
    const suspects = noSuspects();
    const { requests } = await send(2, refuses(errors.unsure, 'm1'), { suspects });
    expect(requests).toEqual([['m0', 'm1'], ['m0'], ['m1']]);
    expect(suspects.isProven('m1')).toBe(true);
  });

  it('of no batch that was refused before, is not to blame yet', async () => {
    const suspects = noSuspects();
    await send(1, undefined, { suspects });
    await send(1, refuses(errors.unsure, 'm0'), { suspects });
    expect(suspects.isProven('m0')).toBe(false);
  });
});

it('an error that says that the message is stored has delivered it, and that is an acceptance', async () => {
  const suspects = noSuspects();
  const stored = Object.assign(errors.unavailable(), { stored: 'yes' });
  suspects.refused(aClaim('before'), failureOf(errors.unsure), suspects.now());
  const { types } = await send(1, refuses(stored, 'm0'), { suspects });
  expect(types).toEqual(['delivered']);
  expect(suspects.isOnLastTry('before')).toBe(true);
});

it.each([
  ['left open', { open: ['m1'] }],
  ['taken alone', { refused: ['m1'] }],
])('a message that is %s may change its place with a later one of its conversation', async (_, first) => {
  const { events } = await send(2, sent => (sent.length > 1 ? first : undefined));
  expect(events).toContain('refused singly');
});

it('a last try is not made behind what was stopped', async () => {
  const { requests, types } = await send(3, sent => {
    if (sent.includes('m0')) throw errors.unsure;
    if (sent.includes('m2')) throw errors.rateLimit();
    return undefined;
  });
  expect(requests).toEqual([['m0', 'm1', 'm2'], ['m0', 'm1'], ['m0'], ['m1'], ['m2']]);
  expect(types).toEqual(['refused', 'delivered', 'held']);
});

it.each([undefined, {}, { results: null }])(
  'a client that answers a batch with %o has given no answer',
  async answer => {
    const sender = {
      conversation: { recordMessagesBatch: async () => answer },
      signal: new AbortController().signal,
      suspects: noSuspects(),
      goesAlone: () => false,
      before: async () => {},
      notAccepted: () => {},
    } as unknown as Sender;
    const outcomes = await sendBatch([aClaim('a'), aClaim('b')], sender);
    expect(outcomes.map(({ type }) => type)).toEqual(['unclear', 'unclear']);
  },
);
