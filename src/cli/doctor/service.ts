import { httpTransport } from '#http';
import { NetworkError } from '../../synap/errors.js';
import type { Tenancy } from '../../synap/messages.js';
import { deadlineIn } from '../../synap/request.js';
import type { HttpTransport } from '../../synap/transport.js';
import { type Check, ok, skipped, warning, wrong } from './check.js';
import { since } from './network.js';
import type { Endpoint } from './settings.js';

const SECOND = 1000;
const TIMEOUT_MS = 10 * SECOND;
/** Beyond this, certificates and tokens begin to be refused, and transcripts to be dated wrongly. */
const MAX_SKEW_MS = 60 * SECOND;
const SLOW_MS = 2 * SECOND;

interface Answer {
  status: number;
  body: unknown;
  /** The server's clock, in milliseconds since 1970. */
  date: number | undefined;
  ms: number;
}

/** Checks whether what answers there is Synap, and accepts the key. `wanted` is what the app is written for. */
export async function checkService({ synap, hasKey }: Endpoint, wanted: Tenancy | undefined): Promise<Check[]> {
  const transport = httpTransport(synap.origin);
  try {
    const health = await get(synap, transport, '/health', { anonymous: true });
    const checks = [checkHealth(health), checkClock(health)];
    if (!hasKey) return [...checks, skipped('account', 'there is no key to ask with'), skipped('tenancy', 'not known')];
    const whoami = await get(synap, transport, '/api/v1/auth/whoami', { anonymous: false });
    return [...checks, checkAccount(whoami), checkTenancy(whoami, wanted)];
  } finally {
    await transport.close();
  }
}

/** An answer, or why there was none. */
async function get(
  synap: Endpoint['synap'],
  transport: HttpTransport,
  path: string,
  { anonymous }: { anonymous: boolean },
): Promise<Answer | string> {
  const begun = performance.now();
  try {
    const answer = await synap.ask(transport, { path, anonymous, deadline: deadlineIn(TIMEOUT_MS) });
    const date = Date.parse(answer.header('date') ?? '');
    return {
      status: answer.status,
      body: parse(answer.body),
      date: Number.isNaN(date) ? undefined : date,
      ms: performance.now() - begun,
    };
  } catch (error) {
    if (!NetworkError.is(error)) throw error;
    return `no answer (${error.message}; ${since(begun)})`;
  }
}

function checkHealth(answer: Answer | string): Check {
  const advice = 'check that SYNAP_BASE_URL is the address of Synap';
  if (typeof answer === 'string') return wrong('health', answer, advice);
  const { status, ms } = answer;
  const finding = `/health answers ${status} (${Math.round(ms)} ms)`;
  if (status >= 500) return wrong('health', finding, 'Synap fails now; messages wait in the outbox until it recovers');
  if (status < 200 || status > 299) return wrong('health', finding, advice);
  return ms > SLOW_MS ? warning('health', finding, 'it is slow: check the network') : ok('health', finding);
}

function checkClock(answer: Answer | string): Check {
  if (typeof answer === 'string' || answer.date === undefined)
    return skipped('clock', 'the server sends no Date header');
  // The header has whole seconds, and was written some time between the question and the answer.
  const skew = Date.now() - answer.ms / 2 - (answer.date + SECOND / 2);
  const seconds = Math.round(Math.abs(skew) / SECOND);
  if (Math.abs(skew) <= MAX_SKEW_MS) return ok('clock', `agrees with the server's to ${Math.max(1, seconds)} s`);
  const finding = `is ${seconds} s ${skew > 0 ? 'ahead of' : 'behind'} the server's`;
  return wrong('clock', finding, "set this machine's clock by NTP");
}

function checkAccount(answer: Answer | string): Check {
  if (typeof answer === 'string') return skipped('account', 'the server does not answer');
  const { status } = answer;
  if (status >= 200 && status <= 299) return ok('account', 'the key is accepted');
  if (status === 401 || status === 403)
    return wrong(
      'account',
      `the key is refused (${status})`,
      'check that SYNAP_API_KEY belongs to this address, and is not revoked',
    );
  if (status === 402) return wrong('account', 'the account is out of credits (402)', 'top it up');
  if (status === 404)
    return warning(
      'account',
      'the server has no /api/v1/auth/whoami (404)',
      'check that SYNAP_BASE_URL is the address of Synap',
    );
  if (status === 429) return warning('account', 'the rate limit is reached (429)', 'try again in a minute');
  return wrong('account', `/api/v1/auth/whoami: got ${status}`, 'try again later');
}

function checkTenancy(answer: Answer | string, wanted: Tenancy | undefined): Check {
  const actual = typeof answer === 'string' ? undefined : tenancyOf(answer.body);
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

function tenancyOf(body: unknown): Tenancy | undefined {
  const { tenancy } = (typeof body === 'object' && body !== null ? body : {}) as { tenancy?: unknown };
  return tenancy === 'b2b' || tenancy === 'b2c' ? tenancy : undefined;
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
