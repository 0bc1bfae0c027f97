import type { RecordMessageInput, Tenancy } from 'synap-recorder';
import { v5 as uuidv5 } from 'uuid';

// Generated once: the same user has the same customer on every machine and after every restart.
const NAMESPACE = '0d9a6c5e-2f0b-4f0e-9c6b-6f1c9a3f7b52';

/**
 * The customer a message belongs to. A B2C instance resolves it from the user, and keeps one that the message names; a B2B
 * instance takes it from the message or, where that says nothing, from the conversation. Undefined when neither
 * says one.
 */
export function resolveCustomer(
  tenancy: Tenancy,
  userId: string,
  ofMessage: string | undefined,
  ofConversation: string | undefined,
): string | undefined {
  if (tenancy === 'b2b') return ofMessage ?? ofConversation;
  return ofMessage ?? `customer_${uuidv5(userId, NAMESPACE)}`;
}

/** What is wrong with the customer of a message, or with its absence; undefined when nothing is. */
export function customerProblem(tenancy: Tenancy, customerId: string | null | undefined): string | undefined {
  if (tenancy !== 'b2b' || customerId != null) return undefined;
  return 'customer_id is missing: a B2B instance needs the tenant of every message';
}

/** What a B2C instance says to a customer, where it refuses one. */
export const CUSTOMER_REFUSED =
  "customer_id is not accepted: this instance has user_context_isolation='equals_customer', so a user is their own customer";

/**
 * A message as it is imported into a B2C instance: without a customer that another one has resolved from the user. The
 * instance resolves its own; what the app named itself stays.
 */
export function withoutResolvedCustomer(message: RecordMessageInput): RecordMessageInput {
  const { customerId, ...rest } = message;
  return customerId === resolveCustomer('b2c', message.userId, undefined, undefined) ? rest : message;
}
