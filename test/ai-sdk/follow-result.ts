import * as fc from 'fast-check';
import { expect, it } from 'vitest';
import { type Answer, answers, NATIVE, type Read, run, witness } from './far-end.js';
import type { Major } from './majors.js';

/** The property: reader against record, and app against plain. */
export function followsReaders(major: Major, numRuns: number): void {
  it(`the record is what the readers got, in ${numRuns} answers`, { timeout: 900_000 }, async () => {
    const on = witness(major);
    await fc.assert(
      fc.asyncProperty(answers(), async answer => {
        const { read, recorded } = await on.run(answer);
        if (read.how === 'stalled') return;
        // Nobody reads on after an abort that the source did not hear: then the recorder waits for a moment.
        if (recorded().length === 0 && read.text !== '') await expect.poll(recorded).toHaveLength(1);
        const [message, ...others] = recorded();
        expect(others).toEqual([]);
        if (answer.reader === 'consumeStream') return;
        const isAhead = NATIVE.has(answer.reader) && (answer.end === 'leaves' || read.how.startsWith('failed'));
        if (isAhead) expect((message?.content ?? '').startsWith(read.text)).toBe(true);
        else expect(message?.content ?? '').toBe(read.text);
        if (message) expect(statuses(answer, read), JSON.stringify(read)).toContain(message.metadata?.status);
      }),
      { numRuns, endOnFailure: true },
    );
    await on.recorder.close({ timeoutMs: 0 });
  });

  it(`the app gets what it gets without a recorder, in ${numRuns} answers`, { timeout: 900_000 }, async () => {
    const on = witness(major);
    // What depends on clocks differs by chance; and how far native code has read ahead when something cuts it off, by one
    // turn of the microtask queue.
    const inTurns = answers().filter(
      ({ gap, slowMs, reader, end }) =>
        !gap.endsWith('ms') && slowMs === 0 && !(NATIVE.has(reader) && (end === 'leaves' || end.startsWith('abort'))),
    );
    await fc.assert(
      fc.asyncProperty(inTurns, async answer => {
        const plain = await run(major.sdk, major, answer);
        const { recorded: _, ...wrapped } = await on.run(answer);
        if (JSON.stringify(wrapped) === JSON.stringify(plain)) return;
        // What differs from one run to the next without a recorder is nobody's doing.
        const again = await run(major.sdk, major, answer);
        if (JSON.stringify(again) === JSON.stringify(plain)) expect(wrapped).toEqual(plain);
      }),
      { numRuns, endOnFailure: true },
    );
    await on.recorder.close({ timeoutMs: 0 });
  });
}

/** The statuses that an answer may have, by what its reader saw of its end. */
function statuses({ end, transform, words, reader }: Answer, { how, text }: Read): string[] {
  const isWhole = text === words.join('');
  // Of two readers, one may have met the end that the other has left before.
  const both = reader === 'two readers' || reader === 'tee';
  if (how === 'left' && both) return ['abandoned', 'complete', 'error'];
  if (how === 'left') return isWhole || NATIVE.has(reader) ? ['abandoned', 'complete'] : ['abandoned'];
  if (transform === 'throws' || transform === 'stops') return ['complete', 'error', 'aborted'];
  if (end.startsWith('abort')) return isWhole ? ['aborted', 'complete'] : ['aborted'];
  if (end === 'complete' || end === 'leaves') return ['complete'];
  return isWhole ? ['complete', 'error'] : ['error'];
}
