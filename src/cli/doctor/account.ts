import { type Credits, creditsFromWire, whoamiFromWire } from '../../synap/account.js';
import { InsufficientCreditsError } from '../../synap/errors.js';
import type { Tenancy } from '../../synap/messages.js';
import type { SynapEndpoint } from '../../synap/request.js';
import { type Answer, isJsonSuccess, strangerOf } from './answer.js';
import { type Check, ok, skipped, warning, wrong } from './check.js';

const TOP_UP = 'top it up';

/** Whether an answer says who one is: with a client, an instance, or how users and customers belong together. */
export function isIdentity({ response, body, ...rest }: Answer): boolean {
  return isJsonSuccess({ response, body, ...rest }) && Object.keys(whoamiFromWire(body)).length > 0;
}

export function checkAccount(answer: Answer | string, synap: SynapEndpoint): Check {
  if (typeof answer === 'string') return wrong('account', answer, 'try again later');
  const { status } = answer;
  const stranger = strangerOf(answer);
  if (stranger) return wrong('account', stranger.finding, stranger.advice);
  if (isIdentity(answer)) return ok('account', `the key is accepted${idsOf(answer.body)}`);
  const noSynap = (why: string) =>
    wrong('account', `this is no Synap: ${why}`, 'check that SYNAP_BASE_URL is the address of Synap');
  if (status >= 200 && status <= 299) return noSynap(`/api/v1/auth/whoami answers ${status}, but not whose key it is`);
  if (status === 404) return noSynap('it has no /api/v1/auth/whoami (404)');
  const stopped = stopOf(answer, synap);
  if (stopped) return wrong('account', `the account is out of credits (${status})`, stopped);
  if (status === 401 || status === 403)
    return wrong(
      'account',
      `the key is refused (${status})`,
      'check that SYNAP_API_KEY belongs to this address, and is not revoked',
    );
  if (status === 429) return warning('account', 'the rate limit is reached (429)', 'try again in a minute');
  return wrong('account', `/api/v1/auth/whoami: got ${status}`, 'try again later');
}

export function checkTenancy(answer: Answer, wanted: Tenancy | undefined): Check {
  const actual = whoamiFromWire(answer.body).tenancy;
  if (actual === undefined) return skipped('tenancy', 'the server does not say');
  if (wanted !== undefined && wanted !== actual)
    return wrong(
      'tenancy',
      `is ${actual}, and not ${wanted}`,
      `use the key of a ${wanted} instance, or set tenancy to ${actual}`,
    );
  return ok(
    'tenancy',
    actual === 'b2b' ? 'b2b: every message needs a customerId' : 'b2c: the customer is resolved from the user',
  );
}

export function checkCredits(answer: Answer | string, synap: SynapEndpoint): Check {
  if (typeof answer === 'string') return skipped('credits', 'the server does not say');
  const stopped = stopOf(answer, synap);
  if (stopped) return wrong('credits', `the account is out of credits (${answer.status})`, stopped);
  const credits = isJsonSuccess(answer) ? creditsFromWire(answer.body) : {};
  const { balanceCredits: balance, minimumRequiredCredits: least = 0, plan, status } = credits;
  const known = [
    balance === undefined ? undefined : `${balance} credits`,
    plan === undefined ? undefined : `plan ${plan}`,
    status === undefined ? undefined : status,
  ].filter(fact => fact !== undefined);
  if (known.length === 0) return skipped('credits', 'the server does not say');
  const finding = known.join(', ');
  if (balance === undefined || (balance > 0 && balance >= least)) return ok('credits', finding);
  return wrong('credits', `${finding}: Synap takes nothing with fewer than ${Math.max(1, least)}`, topUp(credits));
}

function idsOf(body: unknown): string {
  const { clientId, instanceId } = whoamiFromWire(body);
  const ids = [clientId && `client ${clientId}`, instanceId && `instance ${instanceId}`].filter(Boolean);
  return ids.length === 0 ? '' : ` (${ids.join(', ')})`;
}

/** What to do about a refusal for want of credits; undefined where it is for something else. */
function stopOf({ status, request, response }: Answer, synap: SynapEndpoint): string | undefined {
  if (status < 400) return undefined;
  const error = synap.errorOf(response, request);
  return InsufficientCreditsError.is(error) ? topUp(error) : undefined;
}

function topUp({
  recoveryUrl,
  upgradeUrl,
  manageUrl,
}: Pick<Credits, 'recoveryUrl' | 'upgradeUrl' | 'manageUrl'>): string {
  const url = [recoveryUrl, upgradeUrl, manageUrl].find(
    address => address !== undefined && /^https:\/\//.test(address),
  );
  return url === undefined ? TOP_UP : `${TOP_UP}: ${url}`;
}
