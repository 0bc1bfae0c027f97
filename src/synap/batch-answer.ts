import * as z from 'zod/v4';
import { isObject } from '../internal/guards.js';
import { type BatchItem, readBatchItem } from './batch-item.js';
import { matchItems } from './match-items.js';
import { type BatchItemResult, type BatchResult, type ReadAnswer, receipt, type WireMessage } from './messages.js';

// A number, a text of digits, or a list of what is counted.
const count = z
  .union([
    z.number().min(0).refine(Number.isInteger),
    z
      .string()
      .trim()
      .regex(/^\d{1,9}$/)
      .transform(Number),
    z.array(z.unknown()).transform(({ length }) => length),
  ])
  .optional()
  .catch(undefined);
const wireCounts = z.object({ total: count, succeeded: count, failed: count });

type Counts = z.output<typeof wireCounts>;

const REFUSED = 'refused without a reason';

/** What a message's item says, or why nothing of it is known. */
type Fate = { readonly item: BatchItem } | { readonly unknown: string };

/**
 * Reads the answer to a batch, whose status has said 2xx: each message is accepted, refused, or `unknown`. What the answer
 * leaves open counts as neither.
 *
 * - Without results: all are accepted, unless the counts say otherwise; all are refused, where the counts say so; else open,
 *   also where counts or results are in a form that can't be read.
 * - With results: each message has the item that is its own ({@link matchItems}), and what that says ({@link readBatchItem}).
 * - Counts that contradict the results: nothing counts as accepted; what is refused by name stays refused.
 *
 * @param mask makes the server's words fit for an error
 */
export function batchFromWire(
  { body: whole, unread }: ReadAnswer,
  sent: readonly WireMessage[],
  mask: (texts: readonly string[]) => readonly string[],
): BatchResult {
  const body = unwrapped(whole);
  const counts = wireCounts.parse(isObject(body) ? body : {});
  const results = listOf(body, counts.succeeded === sent.length);
  const fates = results === undefined ? withoutResults(body, counts, sent) : withResults(results, counts, sent);
  const items = resultsOf(fates, sent, mask);
  const failed = items.filter(item => item.error !== undefined).length;
  const unknown = items.filter(item => item.unknown !== undefined).length;
  return {
    total: sent.length,
    succeeded: sent.length - failed - unknown,
    failed,
    ...(unknown > 0 && { unknown }),
    results: items,
    ...(unread !== undefined && { unread }),
  };
}

/** What tells a batch's answer from the envelope around it. */
const OWN_FIELDS = ['results', ...Object.keys(wireCounts.shape)];
/** Where a list of results was seen under another name. */
const OTHER_LISTS = ['data', 'result', 'items', 'responses'];

/** Some gateways put an answer into an envelope. */
function unwrapped(body: unknown): unknown {
  const isOwn = (value: unknown) => isObject(value) && OWN_FIELDS.some(name => name in value);
  if (!isObject(body) || isOwn(body)) return body;
  return [body.data, body.result].find(isOwn) ?? body;
}

/** An empty list, where all have succeeded, is one that nothing was put into. */
function listOf(body: unknown, allSucceeded: boolean): readonly unknown[] | undefined {
  const results = isObject(body) ? (body.results ?? otherListOf(body)) : body;
  return Array.isArray(results) && !(results.length === 0 && allSucceeded) ? results : undefined;
}

function otherListOf(body: Readonly<Record<string, unknown>>): unknown {
  return OTHER_LISTS.map(name => body[name]).find(
    list => Array.isArray(list) && list.length > 0 && list.every(item => isObject(item)),
  );
}

/** Whether an answer says something about its messages in a form that can't be read. */
function isUnreadable(body: unknown, counts: Counts): boolean {
  if (!isObject(body)) return false;
  const { results } = body;
  if (isObject(results) && Object.keys(results).length > 0) return true;
  return (['total', 'succeeded', 'failed'] as const).some(
    name => counts[name] === undefined && body[name] !== undefined && body[name] !== null,
  );
}

function withoutResults(body: unknown, { total, succeeded, failed }: Counts, sent: readonly WireMessage[]): Fate[] {
  const all = (fate: Fate) => sent.map(() => fate);
  const { length } = sent;
  const contradicted = total !== undefined && total !== length;
  if (!contradicted && failed === length && (succeeded ?? 0) === 0)
    return all({ item: { verdict: 'refused', reason: REFUSED } });
  if (isObject(body) && readBatchItem(body).verdict === 'refused')
    return all({ unknown: 'Synap answered 2xx with an error for the whole batch' });
  if (isUnreadable(body, { total, succeeded, failed }))
    return all({ unknown: 'what Synap answered about the batch can not be read' });
  if (!contradicted && (failed ?? 0) === 0 && (succeeded ?? length) === length)
    return all({ item: { verdict: 'accepted' } });
  return all({
    unknown: `Synap answered ${shown({ total, succeeded, failed })} for ${length} messages, without results`,
  });
}

function withResults(results: readonly unknown[], counts: Counts, sent: readonly WireMessage[]): Fate[] {
  const items = results.map(readBatchItem);
  const fates = matchItems(items, sent).map((item): Fate => {
    if (typeof item === 'string') return { unknown: item };
    return item.verdict === 'unreadable' ? { unknown: 'its result can not be read' } : { item };
  });
  const contradiction = contradictionOf(counts, items, fates);
  if (contradiction === undefined) return fates;
  return fates.map(fate => ('item' in fate && fate.item.verdict === 'accepted' ? { unknown: contradiction } : fate));
}

/** Why no message may count as accepted; undefined where the counts, as far as there are any, agree with the results. */
function contradictionOf(counts: Counts, items: readonly BatchItem[], fates: readonly Fate[]): string | undefined {
  const { total, succeeded, failed } = counts;
  const { length } = fates;
  const refused = items.filter(({ verdict }) => verdict === 'refused').length;
  const accepted = fates.filter(fate => 'item' in fate && fate.item.verdict === 'accepted').length;
  // A refusal that is nobody's may be that of a message that has no result.
  const told = Math.min(refused, length - accepted);
  const agrees =
    (total ?? length) === length &&
    Math.max(failed ?? 0, refused) <= told &&
    (succeeded ?? accepted) >= accepted &&
    (succeeded === undefined || failed === undefined || succeeded + failed === length);
  if (agrees) return undefined;
  return `Synap answered ${shown(counts)} for ${length} messages, with ${items.length} results of which ${refused} are refusals`;
}

function shown(counts: Counts): string {
  return Object.entries(counts)
    .filter(([, value]) => value !== undefined)
    .map(([name, value]) => `${name} ${value}`)
    .join(', ');
}

function resultsOf(
  fates: readonly Fate[],
  sent: readonly WireMessage[],
  mask: (texts: readonly string[]) => readonly string[],
): BatchItemResult[] {
  const reasons = [...new Set(fates.flatMap(fate => ('item' in fate ? (fate.item.reason ?? []) : [])))];
  const texts = reasons.length === 0 ? [] : mask(reasons);
  const masked = new Map(reasons.map((reason, index) => [reason, texts[index]]));
  return fates.map((fate, index): BatchItemResult => {
    if ('unknown' in fate) return { unknown: fate.unknown };
    const { verdict, reason, body } = fate.item;
    if (verdict === 'refused') return { error: masked.get(reason ?? '') || REFUSED };
    return { conversationId: sent[index]?.conversation_id ?? '', ...receipt(body) };
  });
}
