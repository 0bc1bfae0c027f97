import { describe, expect, it, vi } from 'vitest';
import type { AnswerReader, ReaderOwner } from '../../src/ai-sdk/answer-reader.js';
import { StreamHints } from '../../src/ai-sdk/stream-hints.js';
import { ElementReader, PartReader } from '../../src/ai-sdk/stream-readers.js';

const hints = new StreamHints();
const text = (words: unknown) => ({ type: 'text-delta', text: words });
const contentOf = (reader: AnswerReader, index = 0) => {
  // As its owner asks after each part.
  reader.steerings(hints);
  return reader.answerTo(index, hints).content;
};

function aReader(Reader: new (owner: ReaderOwner) => AnswerReader = PartReader) {
  const events: string[] = [];
  const errors: unknown[] = [];
  const owner: ReaderOwner = {
    opened: () => void events.push('opened'),
    heard: reader => void events.push(`heard ${reader.length}`),
    readerEnded: (_, end, error) => {
      events.push(end);
      errors.push(error);
    },
    collected: () => void events.push('collected'),
  };
  return { reader: new Reader(owner), owner, events, errors };
}

describe('a reader of an answer', () => {
  it('is none before it asks for a part', () => {
    const { reader, events } = aReader();
    expect([reader.isReading, reader.isWaiting, events]).toEqual([false, false, []]);
  });

  it('is opened once, with the first part that it asks for', () => {
    const { reader, events } = aReader();
    reader.reading();
    reader.reading();
    expect([reader.isReading, reader.isWaiting, events]).toEqual([true, true, ['opened']]);
  });

  it('waits until all that it has asked for is there', () => {
    const { reader } = aReader();
    reader.reading();
    reader.reading();
    reader.part(text('Hi'));
    expect(reader.isWaiting).toBe(true);
    reader.part(text('Hi'));
    expect(reader.isWaiting).toBe(false);
  });

  it('waits no more where it has taken its question back', () => {
    const { reader } = aReader();
    reader.reading();
    reader.released();
    expect([reader.isWaiting, reader.isReading]).toEqual([false, true]);
  });

  it('tells its owner of each part, once it has it', () => {
    const { reader, events } = aReader();
    reader.part(text('Hi'));
    reader.part(text(' you'));
    expect(events).toEqual(['heard 2', 'heard 6']);
    expect([reader.length, contentOf(reader)]).toEqual([6, 'Hi you']);
  });

  it('goes on after a part that can’t be read, and after an owner that throws', () => {
    const { reader, owner } = aReader();
    const heard = vi.spyOn(owner, 'heard').mockImplementation(() => {
      throw new Error('boom');
    });
    reader.part(null);
    reader.part(text('Hi'));
    expect([contentOf(reader), heard.mock.calls.length]).toEqual(['Hi', 1]);
  });

  it.each(['done', 'left', 'failed'] as const)('tells its owner how it ended: %s', end => {
    const { reader, events, errors } = aReader();
    const error = new Error('boom');
    reader.reading();
    reader[end](error as never);
    expect(events).toEqual(['opened', end]);
    expect(errors).toEqual([end === 'failed' ? error : undefined]);
    expect([reader.isReading, reader.isWaiting]).toEqual([false, false]);
  });

  it('survives an owner that throws at its beginning or its end', () => {
    const { reader, owner } = aReader();
    for (const name of ['opened', 'readerEnded'] as const)
      vi.spyOn(owner, name).mockImplementation(() => {
        throw new Error('boom');
      });
    expect(() => {
      reader.reading();
      reader.done();
    }).not.toThrow();
  });

  it('has left where it is collected, unless it never read', () => {
    const [looked, read] = [aReader(), aReader()];
    read.reader.reading();
    for (const { reader } of [looked, read]) reader.collected();
    expect([looked.events, read.events]).toEqual([[], ['opened', 'left']]);
  });

  it('knows that it has the whole by the word of its stream only', () => {
    const { reader } = aReader();
    reader.part(text('Hi'));
    expect(reader.hasWhole(hints)).toBe(false);
    reader.part({ type: 'finish' });
    expect(reader.hasWhole(hints)).toBe(true);
  });

  it('dates its last part of text, and nothing that has none', () => {
    const { reader } = aReader();
    for (const part of [text(''), text(7), { type: 'tool-call', toolName: 'weather' }, { type: 'source' }])
      reader.part(part);
    expect(reader.lastPartAt).toBeUndefined();
    const before = performance.now();
    reader.part(text('Hi'));
    expect(reader.lastPartAt).toBeGreaterThanOrEqual(before);
  });

  it('dates a file, which is a part of the answer', () => {
    const { reader } = aReader();
    reader.part({ type: 'file', file: { mediaType: 'image/png' } });
    expect(reader.lastPartAt).toBeGreaterThan(0);
    expect(reader.answerTo(0, hints)).toMatchObject({
      content: '[image: image/png]',
      attachments: [{ mediaType: 'image/png' }],
    });
  });

  it('takes no piece that is no text', () => {
    const { reader } = aReader();
    for (const odd of [7, undefined, { words: 'Hi' }]) reader.part(text(odd));
    expect([reader.length, contentOf(reader)]).toEqual([0, '']);
  });

  it('tells texts before and after a tool apart, and names it', () => {
    const { reader } = aReader();
    reader.part(text('Let me see.'));
    reader.part({ type: 'tool-call', toolName: 'weather' });
    reader.part({ type: 'tool-call', toolName: 7 });
    reader.part(text('It rains.'));
    expect([contentOf(reader), reader.mentionedTo(0).toolNames]).toEqual(['Let me see.\n\nIt rains.', ['weather']]);
  });

  it('keeps no more names and sources than are recorded', () => {
    const { reader } = aReader();
    for (let n = 0; n < 201; n++) {
      reader.part({ type: 'tool-call', toolName: `tool-${n}` });
      reader.part({ type: 'source', url: `https://example.com/${n}` });
    }
    expect([reader.mentionedTo(0).toolNames.length, reader.mentionedTo(0).sources.length]).toEqual([200, 200]);
  });

  it('has what the user says into the answer, and after how much of it', () => {
    const { reader } = aReader();
    reader.part(text('One'));
    reader.part({ type: 'steering-message', message: { content: 'And?' } });
    reader.part(text('Two'));
    expect(reader.steerings(hints)).toMatchObject([{ at: 3, said: { content: 'And?' } }]);
    expect([contentOf(reader, 0), contentOf(reader, 1)]).toEqual(['One', 'Two']);
  });
});

describe('a reader whose stream goes on in two', () => {
  function forked() {
    const first = aReader();
    first.reader.reading();
    first.reader.part(text('One'));
    first.reader.part({ type: 'tool-call', toolName: 'weather' });
    first.reader.part({ type: 'source', url: 'https://example.com' });
    return { ...first, fork: first.reader.fork() };
  }

  it('is none any more, and has not left', () => {
    const { reader, events } = forked();
    expect([reader.isReading, reader.isWaiting]).toEqual([false, false]);
    expect(events.filter(event => !event.startsWith('heard'))).toEqual(['opened']);
  });

  it('hands on what it has read', () => {
    const { reader, fork } = forked();
    expect(fork).toBeInstanceOf(PartReader);
    expect([contentOf(fork), fork.mentionedTo(0).toolNames, fork.mentionedTo(0).sources, fork.lastPartAt]).toEqual([
      'One',
      ['weather'],
      [{ url: 'https://example.com', title: undefined }],
      reader.lastPartAt,
    ]);
    fork.part(text('Two'));
    expect([contentOf(fork), contentOf(reader)]).toEqual(['One\n\nTwo', 'One']);
  });

  it('tells the same owner of both', () => {
    const { fork, events } = forked();
    events.length = 0;
    fork.reading();
    fork.part(text('Two'));
    fork.left();
    expect(events).toEqual(['opened', 'heard 6', 'left']);
  });

  it('of values goes on with a list of its own', () => {
    const { reader } = aReader(ElementReader);
    reader.part('a');
    expect(contentOf(reader)).toBe('["a"]');
    const [left, right] = [reader.fork(), reader.fork()];
    left.part('b');
    expect([reader, left, right].map(each => contentOf(each))).toEqual(['["a"]', '["a","b"]', '["a"]']);
  });
});
