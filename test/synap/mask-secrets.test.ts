import { describe, expect, it } from 'vitest';
import { maskSecrets } from '../../src/synap/mask-secrets.js';

// Put together here, so that no scanner of repositories takes them for keys that somebody lost.
const of = (...parts: string[]) => parts.join('');
const SECRET = 'Q7dR2mZ9xK4pL8vN1sT6';

const TEXTS: [string, string][] = [
  ['OpenAI', of('sk', '-proj-', SECRET)],
  ['Anthropic', of('sk', '-ant-api03-', SECRET)],
  ['Langfuse', of('pk', '-lf-', SECRET)],
  ['Stripe', of('sk', '_live_', SECRET)],
  ['xAI', of('xai', '-', SECRET)],
  ['Groq', of('gsk', '_', SECRET)],
  ['Google', of('AI', 'za', SECRET)],
  ['AWS', of('AK', 'IA', 'ABCDEFGHIJKLMNOP')],
  ['GitHub', of('gh', 'p_', SECRET)],
  ['Slack', of('xo', 'xb-1234-', SECRET)],
  ['Hugging Face', of('hf', '_', SECRET)],
  ['a JSON Web Token', of('ey', 'JhbGciOiJIUzI1NiJ9.eyJzdWIiOiIx', SECRET, '.', SECRET)],
  ['Cerebras', of('csk', '-', SECRET)],
  ['Fireworks', of('fw', '_', SECRET)],
  ['Together', of('tgp', '_v1_', SECRET)],
  ['Voyage', of('pa', '-', SECRET)],
  ['Pinecone', of('pcsk', '_', SECRET)],
  ['npm', of('npm', '_', SECRET)],
  ['SendGrid', of('SG', '.', SECRET, '.', SECRET)],
  ['Google, of the newer kind', of('AQ', '.', SECRET)],
  ['a key behind an escaped line break', of('said\\nsk', '-proj-', SECRET)],
  ['a key behind an escape of a URL', of('Bearer%20sk', '-proj-', SECRET)],
  ['a key behind an escaped character', of('\\u0022sk', '-proj-', SECRET)],
  ['a list of headers', of('[["x-api-key","', SECRET, '"]]')],
  ['a header that is named', of('invalid x-goog-api-key header ', SECRET)],
  ['a bearer', of('Bearer ', SECRET)],
  ['a header', of('Authorization: Basic ', SECRET)],
  ['a header as JSON', of('{"authorization":"Bearer ', SECRET, '"}')],
  ['a field of JSON', of('{"apiKey":"', SECRET, '"}')],
  ['a field of JSON in JSON', of('{\\"api_key\\":\\"', SECRET, '\\"}')],
  ['a parameter', of('api_key=', SECRET)],
  ['x-api-key', of('x-api-key: ', SECRET)],
  ['a token', of('token=', SECRET)],
  ['a password in a URL', of('https://ada:', SECRET, '@host/path')],
  ['a password with an @ in a URL', of('postgres://ada:p@', SECRET, '@host/path')],
  ['a signature of AWS', of('https://b.s3.aws.com/a.png?X-Amz-Date=1&X-Amz-Signature=', SECRET, '&x=1')],
  ['a signature of Azure', of('https://a.blob.net/c?sv=1&sig=', SECRET)],
  ['a signature of Google', of('https://storage/a?X-Goog-Signature=', SECRET)],
  ['a key in a URL', of('https://host/v1?key=', SECRET)],
  ['a token in the fragment of a URL', of('https://host/#access_token=', SECRET)],
  ['a private key', of('-----BEGIN RSA PRIVATE', ' KEY-----\n', SECRET, '\n-----END RSA PRIVATE', ' KEY-----')],
];

describe('a text', () => {
  it.each(TEXTS)('is recorded without the secret of %s, and with the rest', (_, text) => {
    const masked = maskSecrets(`before ${text} after`);
    expect(masked).not.toContain(SECRET);
    expect(masked).not.toContain('ABCDEFGHIJKLMNOP');
    expect(masked).toContain('***');
    expect(masked).toMatch(/^before .*after$/s);
  });

  it('is recorded without the secrets that are told', () => {
    expect(maskSecrets('key synap-odd is unknown', ['synap-odd', undefined, 'is'])).toBe('key *** is unknown');
  });

  it.each([
    'Rate limit reached for gpt-5 in organization org-42: try again in 20s. Visit https://platform.openai.com/account?tab=limits',
    'Unexpected token } in JSON at position 4',
    'Invalid signature',
    "Cannot read properties of undefined (reading 'key')",
    'The key: value pair is missing',
    'risk-adjusted task-oriented',
    'connect ECONNREFUSED 127.0.0.1:443',
  ])('without a secret stays as it is: %s', text => {
    expect(maskSecrets(text)).toBe(text);
  });
});
