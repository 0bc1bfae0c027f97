// Random graphs of LangGraph's: the transcript is what a reader of the graph's own streams and state would write down, and
// the app is the same with a handler and without.

import fc from 'fast-check';
import { describe, expect, it, vi } from 'vitest';
import { runs } from '../../support/runs.js';
import { turns } from '../../support/turns.js';
import { fitted } from '../cases/lines.js';
import { Processes, withoutHandler } from '../cases/processes.js';
import { isOldCore } from '../support.js';
import { BY_HAND } from './by-hand.js';
import { FEATURES, type Feature, type Session, sessions } from './plan.js';
import { runSession } from './run.js';
import { transcriptOf } from './transcript.js';

// An abort that LangChain does not report is known after 250 ms; everything else at once.
const PATIENCE_MS = 1000;
const HANGS_AFTER_MS = 10_000;

async function check(session: Session): Promise<void> {
  const plain = await runSession(session, withoutHandler());
  await using processes = new Processes(isLeftUnseen(session) ? { options: { idleMs: 200 } } : {});
  const noted = await runSession(session, await processes.start());
  for (const [index, { chunks, thrown }] of plain.entries()) {
    expect(noted[index]?.chunks, `what the reader of step ${index} gets`).toEqual(chunks);
    expect(noted[index]?.thrown, `what step ${index} throws`).toBe(thrown);
  }
  const wanted = transcriptOf(session.plan, noted);
  const matches = async () => {
    const lines = await processes.transcript();
    expect(lines).toEqual(fitted(wanted, lines));
  };
  await turns(20);
  await vi.waitFor(matches, { timeout: PATIENCE_MS, interval: 20 });
  // What is still open would be recorded now.
  processes.close();
  await matches();
}

/** Who leaves a graph of LangGraph's old line aborts nothing: then only silence tells. */
function isLeftUnseen({ steps }: Session): boolean {
  return isOldCore && steps.some(({ end }) => end.kind === 'break');
}

/** What goes together, each with what is needed to see it. */
const GROUPS: readonly (readonly Feature[])[] = [
  [],
  ['routers', 'steps behind the answer'],
  ['tools'],
  ['several messages'],
  ['steps behind the model'],
  ['approvals', 'handlers per request'],
  ['approvals', 'several messages', 'steps behind the answer', 'processes'],
  ['words of a resume', 'processes'],
  ['a tool that asks'],
  ['updates of the state'],
  ['edits'],
  ['handlers given twice', 'routers', 'tools'],
  ['repeated ids', 'routers'],
  ['repeated ids', 'words of a resume', 'updates of the state'],
  ['aborts', 'tools'],
  ['aborts', 'routers', 'steps behind the answer'],
  ['aborts', 'steps behind the model'],
  ['breaks'],
  ['slow readers', 'routers', 'tools'],
  ['errors', 'tools'],
  ['errors', 'routers', 'steps behind the answer'],
  FEATURES,
];

// Some of them, to look for what fails: names with commas between, or `all`.
const chosen = process.env.SYNAP_GRAPH_FEATURES;

describe('sessions made by hand', () => {
  for (const { name, session, transcript } of BY_HAND) {
    it(`${name}: what a person would write down`, async () => {
      const noted = await runSession(session, withoutHandler());
      const lines = transcriptOf(session.plan, noted);
      expect(lines.map(patternOf)).toEqual(transcript.map(patternOf));
    });
    it(name, () => check(session));
  }
});

// A pattern that allows nothing but one line is that line.
function patternOf(line: unknown): string {
  const source = line instanceof RegExp ? line.source : typeof line === 'string' ? line : JSON.stringify(line);
  return source.replace(/^\^|\$$/g, '').replace(/\\([.*+?^${}()|[\]\\])/g, '$1');
}

describe('random graphs', () => {
  const property = (features: readonly Feature[], numRuns: number) =>
    fc.assert(
      fc.asyncProperty(sessions(new Set(features)), session => check(session)),
      // A session that hangs fails, and is shrunk.
      { numRuns, timeout: HANGS_AFTER_MS },
    );

  if (chosen !== undefined) {
    const features = chosen === 'all' ? FEATURES : (chosen.split(',') as Feature[]);
    it(`with ${chosen}`, () => property(features, runs(100, 1000)));
  } else
    for (const features of GROUPS) {
      const name = features === FEATURES ? 'all there is' : features.join(', ') || 'questions and answers';
      it(`with ${name}`, () => property(features, features === FEATURES ? runs(10, 1000) : runs(2, 100)));
    }
});
