import { readJsonBody } from '../body.js';
import { parseTranscript } from '../ingest-input.js';
import { parseBatch, parseBatchEntry, parseMessage } from '../input.js';
import { CUSTOMER_REFUSED } from '../tenancy.js';
import { receiptToWire } from '../wire.js';
import { onlyMethods, type Routes } from './routes.js';

const MESSAGE = '/v1/conversations/messages';
const BATCH = '/v1/conversations/messages/batch';
const INGEST = '/v1/conversations/ingest';

/** Recording: one message, many, and a whole transcript. */
export function addRecordRoutes(routes: Routes): void {
  const { app, store, authenticated, maxBodyBytes, strictB2c } = routes;

  app.post(MESSAGE, authenticated, async c => {
    const { value, problem } = parseMessage(await readJsonBody(c.req.raw, maxBodyBytes), store.tenancy);
    if (problem !== undefined) return c.json({ detail: problem }, 422);
    if (strictB2c && value.customerId !== undefined) return c.json({ detail: CUSTOMER_REFUSED }, 400);
    const outcome = store.record(value);
    if (outcome.status !== 'refused') return c.json(receiptToWire(outcome.receipt));
    const { code, reason } = outcome;
    return c.json({ detail: { code, message: reason } }, code === 'conversation_conflict' ? 409 : 422);
  });

  app.post(BATCH, authenticated, async c => {
    const { value, problem } = parseBatch(await readJsonBody(c.req.raw, maxBodyBytes));
    if (problem !== undefined) return c.json({ detail: problem }, 422);
    return c.json(recordBatch(routes, value));
  });

  app.post(INGEST, authenticated, async c => {
    const { value, problem } = parseTranscript(await readJsonBody(c.req.raw, maxBodyBytes), store.tenancy);
    if (problem !== undefined) return c.json({ detail: problem }, 422);
    if (strictB2c && value.messages[0]?.customerId !== undefined) return c.json({ detail: CUSTOMER_REFUSED }, 400);
    const outcome = store.ingest(value);
    if (outcome.status === 'conflict')
      return c.json({ detail: { code: 'transcript_conflict', message: outcome.reason } }, 409);
    const isNew = outcome.status === 'stored';
    return c.json({
      ingestion_id: outcome.ingestionId,
      conversation_id: value.conversationId,
      external_conversation_id: value.givenId,
      // The service's own word, though here it is stored already.
      status: isNew ? 'queued' : 'duplicate',
      turns_recorded: isNew ? value.messages.length : 0,
      // A local Synap keeps transcripts, and makes nothing of them.
      summary_status: 'skipped',
      queued_at: new Date().toISOString(),
    });
  });

  onlyMethods(routes, 'POST', [MESSAGE, BATCH, INGEST]);
}

function recordBatch({ store, strictB2c }: Routes, entries: readonly unknown[]) {
  const results = store.transaction(() =>
    entries.map(entry => {
      const { value, problem } = parseBatchEntry(entry);
      if (problem !== undefined) return { error: problem };
      if (strictB2c && value.customerId !== undefined) return { error: CUSTOMER_REFUSED };
      const outcome = store.record(value);
      if (outcome.status !== 'refused') return receiptToWire(outcome.receipt);
      return { error: `${outcome.code}: ${outcome.reason}` };
    }),
  );
  const failed = results.filter(result => 'error' in result).length;
  return { total: results.length, succeeded: results.length - failed, failed, results };
}
