// Each way in which Synap was seen or is said to behave, with everything else that fails meanwhile.

import { describe, expect, it } from 'vitest';
import { memoryOutbox } from '../../src/index.js';
import { sqliteOutbox } from '../../src/outbox/sqlite/index.js';
import { NO_PROBLEMS, problemsOf, type SaidMessage } from '../support/fault-checker.js';
import { balanced } from '../support/recorder.js';
import { runs } from '../support/runs.js';
import { DISLIKED, SYNAP_VARIANTS } from '../support/synap-variants.js';
import { PASSING, recorderOn, SEED, sayTurns, temporaryFile } from './faulty-recorder.js';

const TURNS = runs(250, 5000);
const CONVERSATIONS = 50;

/** Every 60th turn has the text that a firewall dislikes; to the others it is one like any other. */
const prefix = (n: number) => (n % 60 === 17 ? `${DISLIKED} ` : '');

describe.each(SYNAP_VARIANTS)(
  'through a Synap of the kind "%s", all that it takes arrives once and in order',
  variant => {
    it.each([
      ['memory', 1, false],
      ['memory, with four requests at once', 4, false],
      ['a file', 1, true],
    ])('from %s', async (_, maxInFlight, isDurable) => {
      await using file = await temporaryFile();
      const outbox = isDurable ? sqliteOutbox({ path: file.path }) : memoryOutbox();
      const options = { outbox, maxInFlight, customerId: 'acme', batch: { maxMessages: 20, lingerMs: 5 } };
      // A message that a batch names as refused, and that meets a suspended account in the very next request, is a dead letter.
      const faults = variant === 'suspended account' ? { ...PASSING, partial: 0 } : PASSING;
      await using on = await recorderOn({ variant, faults }, options);
      const said = await sayTurns(on.recorder, TURNS, CONVERSATIONS, prefix);
      // Those that a firewall dislikes at the very end would have nothing behind them to tell.
      said.push(...(await sayTurns(on.recorder, CONVERSATIONS, CONVERSATIONS, 'last ')));
      expect(await on.recorder.flush({ timeoutMs: 100_000 })).toMatchObject({ pending: 0 });
      const isBad = ({ content }: SaidMessage) => variant === 'firewall' && content.includes(DISLIKED);
      const good = said.filter(message => !isBad(message));
      const bad = said.length - good.length;
      expect(problemsOf(good, on.synap), `seed ${SEED}`).toEqual(NO_PROBLEMS);
      expect(balanced(on.recorder)).toMatchObject({ delivered: good.length, deadLettered: bad, expired: 0 });
      expect(on.losses.map(({ reason }) => reason)).toEqual(Array(bad).fill('rejected'));
      expect(customersOf(on.synap.stored.map(({ message }) => message))).toEqual(CUSTOMERS[variant] ?? ['acme']);
    });
  },
);

/** Those of the messages as they are stored, where it is not what the app has said; the app's own stays in the metadata. */
const CUSTOMERS: Partial<Record<(typeof SYNAP_VARIANTS)[number], unknown[]>> = {
  'strict B2C': [{ external: 'acme' }],
  'required B2C': ['ada', { external: 'acme' }],
};

function customersOf(messages: readonly { customer_id?: string; metadata?: Record<string, unknown> }[]): unknown[] {
  const customers = new Set(messages.map(message => message.customer_id).filter(id => id !== undefined));
  const external = new Set(
    messages.map(({ metadata }) => metadata?.external_customer_id).filter(id => id !== undefined),
  );
  return [...customers, ...[...external].map(id => ({ external: id }))];
}
