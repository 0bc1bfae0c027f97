import type { Tenancy } from '../../synap/messages.js';
import { VERSION } from '../../version.js';
import { type Check, ok, skipped, warning, wrong } from './check.js';
import { codeOf, since } from './network.js';

const SECOND = 1000;
const TIMEOUT_MS = 10 * SECOND;
/** Beyond this, certificates and tokens begin to be refused, and transcripts to be dated wrongly. */
const MAX_SKEW_MS = 60 * SECOND;
const SLOW_MS = 2 * SECOND;

export interface ServiceOptions {
  baseUrl: string;
  apiKey: string | undefined;
  /** The tenancy that the app is written for. */
  tenancy: Tenancy | undefined;
}

interface Answer {
  status: number;
  body: unknown;
  /** The server's clock, in milliseconds since 1970. */
  date: number | undefined;
  ms: number;
}

/** Looks whether what answers there is Synap, and takes the key. */
export async function checkService({ baseUrl, apiKey, tenancy }: ServiceOptions): Promise<Check[]> {
  const health = await get(`${baseUrl}/health`);
  const checks = [checkHealth(health), checkClock(health)];
  if (apiKey === undefined)
    return [...checks, skipped('account', 'there is no key to ask with'), skipped('tenancy', 'not known')];
  const whoami = await get(`${baseUrl}/api/v1/auth/whoami`, { authorization: `Bearer ${apiKey}` });
  return [...checks, checkAccount(whoami), checkTenancy(whoami, tenancy)];
}

async function get(url: string, headers: Record<string, string> = {}): Promise<Answer | string> {
  const begun = performance.now();
  try {
    const response = await fetch(url, {
      headers: { ...headers, 'user-agent': `synap-recorder/${VERSION}` },
      redirect: 'manual',
      signal: AbortSignal.timeout(TIMEOUT_MS),
    });
    const text = await response.text();
    const date = Date.parse(response.headers.get('date') ?? '');
    return {
      status: response.status,
      body: parse(text),
      date: Number.isNaN(date) ? undefined : date,
      ms: performance.now() - begun,
    };
  } catch (error) {
    return `no answer (${codeOf(error)}, ${since(begun)})`;
  }
}

function checkHealth(answer: Answer | string): Check {
  const advice = 'check that SYNAP_BASE_URL is the address of Synap';
  if (typeof answer === 'string') return wrong('health', answer, advice);
  const { status, ms } = answer;
  const finding = `/health answers ${status} (${Math.round(ms)} ms)`;
  if (status >= 500) return wrong('health', finding, 'Synap has trouble: messages wait in the outbox meanwhile');
  if (status < 200 || status > 299) return wrong('health', finding, advice);
  return ms > SLOW_MS ? warning('health', finding, 'that is slow: check the network') : ok('health', finding);
}

function checkClock(answer: Answer | string): Check {
  if (typeof answer === 'string' || answer.date === undefined)
    return skipped('clock', 'the server did not tell its time');
  // The header has whole seconds, and was written some time between the question and the answer.
  const skew = Date.now() - answer.ms / 2 - (answer.date + SECOND / 2);
  const seconds = Math.round(Math.abs(skew) / SECOND);
  if (Math.abs(skew) <= MAX_SKEW_MS) return ok('clock', `agrees with the server's to ${Math.max(1, seconds)} s`);
  const finding = `is ${seconds} s ${skew > 0 ? 'ahead of' : 'behind'} the server's`;
  return wrong('clock', finding, "let this machine's clock be set over the network (NTP)");
}

function checkAccount(answer: Answer | string): Check {
  if (typeof answer === 'string') return skipped('account', 'the server does not answer');
  const { status } = answer;
  if (status >= 200 && status <= 299) return ok('account', 'the key is accepted');
  if (status === 401 || status === 403)
    return wrong(
      'account',
      `the key is refused (${status})`,
      'check that SYNAP_API_KEY is a key of this very Synap, and not revoked',
    );
  if (status === 402) return wrong('account', 'the account is out of credits (402)', 'top it up');
  if (status === 404)
    return warning(
      'account',
      'the server can not say whose key it is (404)',
      'check that SYNAP_BASE_URL is the address of Synap',
    );
  if (status === 429) return warning('account', 'the rate limit is reached (429)', 'try again in a minute');
  return wrong('account', `asking who the key belongs to got ${status}`, 'try again later');
}

function checkTenancy(answer: Answer | string, wanted: Tenancy | undefined): Check {
  const told = typeof answer === 'string' ? undefined : tenancyOf(answer.body);
  if (told === undefined) return skipped('tenancy', 'the server did not tell');
  if (wanted !== undefined && wanted !== told)
    return wrong(
      'tenancy',
      `is ${told}, and not ${wanted}`,
      `use the key of a ${wanted} instance, or set tenancy to ${told}`,
    );
  return ok(
    'tenancy',
    told === 'b2b' ? 'b2b: every message needs a customerId' : 'b2c: the customer is resolved from the user',
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
