import { describe, expect, it } from 'vitest';
import { WarnOnce } from '../../src/internal/warn-once.js';

function logOf() {
  const lines: string[] = [];
  const write = (line: string) => void lines.push(line);
  return { lines, logger: { info: write, warn: write, error: write } };
}

describe('WarnOnce', () => {
  it('warns of a topic once', () => {
    const { lines, logger } = logOf();
    const warnOnce = new WarnOnce(logger);
    for (const topic of ['a', 'a', 'b']) warnOnce.warn(topic, `of ${topic}`);
    expect(lines).toEqual(['of a', 'of b']);
  });

  it('warns once for all that are made for one owner, whatever their loggers, and again for another', () => {
    const [first, second] = [logOf(), logOf()];
    const owner = {};
    WarnOnce.of(owner, first.logger).warn('a', 'A');
    WarnOnce.of(owner, second.logger).warn('a', 'A');
    WarnOnce.of({}, second.logger).warn('a', 'A');
    expect([first.lines, second.lines]).toEqual([['A'], ['A']]);
  });

  it('keeps 1,000 topics at most, and warns of no further ones', () => {
    const { lines, logger } = logOf();
    const warnOnce = new WarnOnce(logger);
    for (let n = 0; n < 1010; n++) warnOnce.warn(`${n}`, `${n}`);
    expect(lines).toHaveLength(1000);
  });

  it('names what a function of the app throws or rejects with, and lets it reach nobody', async () => {
    const { lines, logger } = logOf();
    const warnOnce = new WarnOnce(logger);
    warnOnce.guard('onLoss', () => {
      throw new RangeError('secret');
    });
    warnOnce.guard('waitUntil', () => Promise.reject(new TypeError('secret')));
    await new Promise(resolve => setImmediate(resolve));
    expect(lines).toEqual(['onLoss threw: RangeError', 'waitUntil threw: TypeError']);
  });
});
