import type { Tenancy } from 'synap-recorder';
import { v5 as uuidv5 } from 'uuid';

// Made up once: the same user has the same customer on every machine and after every restart.
const NAMESPACE = '0d9a6c5e-2f0b-4f0e-9c6b-6f1c9a3f7b52';

/**
 * The customer a message belongs to. A B2C instance resolves it from the user, and leaves a given one as it is; a B2B
 * instance takes it from the message or, where that says nothing, from the conversation. Undefined when a B2B instance
 * can't tell.
 */
export function resolveCustomer(
  tenancy: Tenancy,
  userId: string,
  given: string | undefined,
  ofConversation: string | undefined,
): string | undefined {
  if (tenancy === 'b2b') return given ?? ofConversation;
  return given ?? `customer_${uuidv5(userId, NAMESPACE)}`;
}
