import { httpTransport } from '#http';
import { isObject, text } from '../../internal/guards.js';
import type { Tenancy } from '../../synap/messages.js';
import { checkAccount, checkCredits, checkTenancy, isIdentity } from './account.js';
import { type Answer, asker, impossiblePath, isJsonSuccess, strangerOf } from './answer.js';
import { type Check, ok, skipped, warning, wrong } from './check.js';
import type { Endpoint } from './settings.js';

const SECOND = 1000;
/** Beyond this, certificates and tokens begin to be refused, and transcripts to be dated wrongly. */
const MAX_SKEW_MS = 60 * SECOND;
const SLOW_MS = 2 * SECOND;

const ADDRESS = 'check that SYNAP_BASE_URL is the address of Synap';

/** Checks whether what answers there is Synap, and accepts the key. `wanted` is what the app is written for. */
export async function checkService({ synap, hasKey, proxy }: Endpoint, wanted: Tenancy | undefined): Promise<Check[]> {
  const transport = httpTransport(synap.origin, { proxy });
  const ask = asker(synap, transport);
  try {
    const answer = await ask('/health', { anonymous: true });
    // Many a host answers alike to whatever it is asked.
    const impossible = typeof answer === 'string' ? answer : await ask(impossiblePath(), { anonymous: true });
    const health = checkHealth(answer, impossible);
    const checks = [health.check, checkClock(answer)];
    if (!hasKey) return [...checks, ...notAsked('there is no key to ask with')];
    // A stranger is not shown the key.
    if (!health.isSynap) return [...checks, ...notAsked('this is no Synap')];
    const whoami = await ask('/api/v1/auth/whoami', { anonymous: false });
    const account = checkAccount(whoami, synap);
    if (typeof whoami === 'string' || !isIdentity(whoami)) return [...checks, account, ...unknown('not known')];
    const credits = await ask('/v1/credits/balance', { anonymous: false });
    return [...checks, account, checkTenancy(whoami, wanted), checkCredits(credits, synap)];
  } finally {
    await transport.close();
  }
}

function notAsked(why: string): Check[] {
  return [skipped('account', why), ...unknown(why)];
}

function unknown(why: string): Check[] {
  return [skipped('tenancy', why), skipped('credits', why)];
}

/** `isSynap`: nothing shows that it is something else. */
function checkHealth(answer: Answer | string, impossible: Answer | string): { check: Check; isSynap: boolean } {
  if (typeof answer === 'string') return { check: wrong('health', answer, ADDRESS), isSynap: false };
  const { status, ms, body } = answer;
  const finding = `/health answers ${status} (${Math.round(ms)} ms)`;
  const stranger = strangerOf(answer);
  const noSynap = (why: string, advice = ADDRESS) => ({
    check: wrong('health', `this is no Synap: ${why}`, advice),
    isSynap: false,
  });
  if (stranger) return noSynap(stranger.finding, stranger.advice);
  if (status === 403)
    return noSynap('it refuses /health (403), as a firewall does', 'let the firewall pass this machine');
  if (status === 429) return { check: warning('health', finding, 'try again in a minute'), isSynap: true };
  if (status >= 500) {
    const advice = 'Synap fails now; messages wait in the outbox until it recovers';
    return { check: wrong('health', finding, advice), isSynap: true };
  }
  if (status < 200 || status > 299) return noSynap(`/health answers ${status}`);
  if (!isJsonSuccess(answer)) return noSynap(`/health answers ${status}, but with no JSON`);
  if (!isObject(body) || text(body.status) === undefined) return noSynap('/health answers JSON without a status');
  if (typeof impossible !== 'string' && impossible.status >= 200 && impossible.status <= 299)
    return noSynap(`it answers ${impossible.status} to an address that nobody has`);
  const check = ms > SLOW_MS ? warning('health', finding, 'it is slow: check the network') : ok('health', finding);
  return { check, isSynap: true };
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
