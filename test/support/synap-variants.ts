// How Synap, or what stands before it, behaves beside the specification.

import type { WireMessage } from '../../src/synap/messages.js';
import { chance } from './fault-schedule.js';

/**
 * - `specification`: as the specification page says.
 * - `strict B2C`: refuses a `customer_id`.
 * - `required B2C`: wants a `customer_id` that is the user's id.
 * - `newer errors`: errors in all three forms, and a code instead of words.
 * - `odd batch answers`: what became of a batch is told in other forms, and in another order; sometimes it is left open.
 * - `captive portal`: for some requests in a row, a page of HTML with 200.
 * - `suspended account`: for some requests in a row, everything is refused.
 * - `firewall`: a page of HTML for requests with a text that it dislikes.
 */
export const SYNAP_VARIANTS = [
  'specification',
  'strict B2C',
  'required B2C',
  'newer errors',
  'odd batch answers',
  'captive portal',
  'suspended account',
  'firewall',
] as const;

export type SynapVariant = (typeof SYNAP_VARIANTS)[number];

/** What the firewall dislikes. */
export const DISLIKED = 'DROP TABLE';

/** An answer to a request that stored nothing. */
export interface Refusal {
  readonly status: number;
  readonly body: string;
  readonly html?: boolean;
}

const PAGE = '<!doctype html><title>Blocked</title>';

/** So many requests in a row meet a portal or a suspended account, of each hundred. */
const IN_A_ROW = 12;

/** What a variant refuses as a whole; undefined: it does not. */
export function refusalOf(
  variant: SynapVariant,
  seed: number,
  index: number,
  messages: readonly WireMessage[],
): Refusal | undefined {
  const isInWindow = index % 100 >= 40 && index % 100 < 40 + IN_A_ROW;
  const badCustomer = messages.find(message => problemOf(variant, message) !== undefined);
  if (badCustomer) return { status: 400, body: errorBody(seed, index, 400, problemOf(variant, badCustomer)) };
  if (variant === 'captive portal' && isInWindow) return { status: 200, body: PAGE, html: true };
  if (variant === 'suspended account' && isInWindow)
    return { status: 403, body: errorBody(seed, index, 403, 'this account is suspended') };
  if (variant === 'firewall' && messages.some(({ content }) => content.includes(DISLIKED))) {
    const statuses = [403, 404, 405, 406, 451];
    const status = statuses[Math.floor(chance(seed, index, 'status') * statuses.length)] ?? 403;
    return { status, body: PAGE, html: true };
  }
  return undefined;
}

function problemOf(variant: SynapVariant, { customer_id, user_id }: WireMessage): string | undefined {
  if (variant === 'strict B2C' && customer_id !== undefined)
    return "customer_id is not accepted: this instance has user_context_isolation='equals_customer'";
  if (variant === 'required B2C' && customer_id !== user_id)
    return "customer_id is required: pass the user's id (user_context_isolation='equals_customer')";
  return undefined;
}

/** An error's body in one of the three forms. */
export function errorBody(seed: number, index: number, status: number, message = `faulty: ${status}`): string {
  const form = Math.floor(chance(seed, index, 'form of the error') * 3);
  if (form === 0) return JSON.stringify({ detail: message });
  if (form === 1) return JSON.stringify({ detail: { code: 'some_code', message } });
  return JSON.stringify({ error: message, code: 'SOME_CODE', details: {} });
}

interface Receipt {
  readonly message_id: string;
  readonly conversation_id: string;
}

/** An answer to a batch that was stored, in an odd form. `leavesOpen`: nobody can tell from it what was stored. */
export function oddBatchAnswer(
  seed: number,
  index: number,
  messages: readonly WireMessage[],
  receipts: readonly Receipt[],
): { body: unknown; leavesOpen: boolean } {
  const total = receipts.length;
  const conversations = new Set(messages.map(message => message.conversation_id));
  const shuffled = (results: readonly object[]) =>
    results.toSorted((a, b) => order(seed, index, a) - order(seed, index, b));
  switch (Math.floor(chance(seed, index, 'form of the answer') * 7)) {
    case 0:
      return { body: { total, succeeded: total, failed: 0 }, leavesOpen: false };
    case 1:
      return { body: { success: true }, leavesOpen: false };
    case 2:
      return {
        body: {
          total,
          succeeded: total,
          failed: 0,
          results: shuffled(receipts.map((receipt, n) => ({ index: n, ...receipt }))),
        },
        leavesOpen: false,
      };
    case 3: {
      // Only where the ids of the conversations tell which result is whose.
      const results = conversations.size === total ? shuffled(receipts) : receipts;
      return { body: { total, succeeded: total, failed: 0, results }, leavesOpen: false };
    }
    case 4:
      return { body: { total, succeeded: total, failed: 0, results: receipts.map(() => ({})) }, leavesOpen: false };
    case 5:
      // It says that two are not stored, and not which.
      return { body: { total, succeeded: total - 2, failed: 2, results: receipts }, leavesOpen: true };
    default:
      return { body: { total, succeeded: total, failed: 0, results: receipts.map(() => null) }, leavesOpen: true };
  }
}

function order(seed: number, index: number, result: object): number {
  return chance(seed, index, JSON.stringify(result));
}

/** What `GET /api/v1/auth/whoami` says. */
export function whoamiOf(variant: SynapVariant): Record<string, string> {
  if (variant === 'specification') return {};
  const isolation: Record<string, string> =
    variant === 'strict B2C' ? { user_context_isolation: 'equals_customer' } : {};
  return { client_id: 'client', instance_id: 'instance', ...isolation };
}
