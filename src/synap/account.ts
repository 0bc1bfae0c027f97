import * as z from 'zod/v4';
import { isNumber, isObject } from '../internal/guards.js';
import type { Tenancy } from './messages.js';
import { aNumber, aText, readFields, someFields } from './read-fields.js';

/** Whose key it is. What Synap does not say is absent. */
export interface Whoami {
  clientId?: string;
  instanceId?: string;
  /** `b2b`: each message belongs to a tenant, its `customerId`. `b2c`: users are their own customers. */
  tenancy?: Tenancy;
}

/** What an account has left. What Synap does not say is absent. */
export interface Credits {
  balanceCredits?: number;
  /** With fewer, Synap takes nothing. */
  minimumRequiredCredits?: number;
  plan?: string;
  /** For example `active`. */
  status?: string;
  /** Where to top up. */
  recoveryUrl?: string;
  upgradeUrl?: string;
  manageUrl?: string;
}

const identity = someFields({ clientId: aText, instanceId: aText });

export function whoamiFromWire(body: unknown): Whoami {
  const tenancy = tenancyOf(body);
  return { ...readFields(identity, body), ...(tenancy && { tenancy }) };
}

// `tenancy` is what a local Synap says.
const wireTenancy = z.object({ user_context_isolation: aText, tenancy: aText });

function tenancyOf(body: unknown): Tenancy | undefined {
  const { user_context_isolation: isolation, tenancy } = wireTenancy.safeParse(body).data ?? {};
  if (isolation === 'equals_customer') return 'b2c';
  if (isolation === 'strict') return 'b2b';
  return tenancy === 'b2b' || tenancy === 'b2c' ? tenancy : undefined;
}

const credits = someFields({
  balanceCredits: aNumber,
  minimumRequiredCredits: aNumber,
  plan: aText,
  status: aText,
  recoveryUrl: aText,
  upgradeUrl: aText,
  manageUrl: aText,
});

/** No document says what the balance is called. */
const BALANCE_NAMES = ['balance_credits', 'balance', 'credits', 'credits_remaining', 'available_credits'];

export function creditsFromWire(body: unknown): Credits {
  const fields = isObject(body) ? body : {};
  const balance = BALANCE_NAMES.map(name => fields[name]).find(isNumber);
  return { ...readFields(credits, body), ...(balance !== undefined && { balanceCredits: balance }) };
}
