// Where a word begins, also behind an escape of JSON, of a URL or of a log, the last letter of which is none of the word's.
const START = /(?:\b|(?<=%[0-9a-f]{2}|\\(?:[nrtbfv0]|u[0-9a-f]{4}|x[0-9a-f]{2})))/i.source;

function key(pattern: string): RegExp {
  return new RegExp(START + pattern, 'g');
}

/**
 * What keys and credentials look like in the texts of errors and in URLs. Each pattern is linear in the text, and keeps in
 * `$1` what may stay.
 */
const PATTERNS: readonly [RegExp, string][] = [
  [/-----BEGIN [A-Z ]{0,40}PRIVATE KEY-----[\s\S]*?(?:-----END [A-Z ]{0,40}PRIVATE KEY-----|$)/g, '***'],
  // https://user:password@host
  [/\b([a-z][a-z0-9+.-]{0,20}:\/\/)[^\s/?#"'<>]{1,500}@/gi, '$1***@'],
  // The same where nobody has escaped a / or a # of the password: in the addresses of databases, which have no query before an @.
  [/\b((?!https?:)[a-z][a-z0-9+.-]{0,20}:\/\/)[^\s"'<>:@/]{0,200}:[^\s"'<>@]{1,300}@/gi, '$1***@'],
  // Authorization: Bearer …, "authorization":"Basic …", x-api-key: …
  [
    /\b((?:proxy-)?authorization["']?\s{0,5}[:=]\s{0,5}["']?)(?:(?:bearer|basic|digest|token|negotiate|apikey)\s{1,5})?[^\s"',;]+/gi,
    '$1***',
  ],
  [/\b(bearer(?:\s|%20|\+){1,5}["']?)[A-Za-z0-9._~+/=*-]{6,}/gi, '$1***'],
  [/\b((?:set-)?cookie["']?\s{0,5}[:=]\s{0,5}["']?)[^\s"',]{1,4000}/gi, '$1***'],
  // "Incorrect API key provided: …", "the API key '…' is not valid": of any service, whatever its keys begin with.
  [
    /\b(api[ _-]?key(?:\s(?:provided|is|was|of|given|used|invalid|header))?["'\\]{0,3}\s{0,3}[:=,]?\s{0,3}["'`(\\]{0,3})[A-Za-z0-9_.*+/-]{16,}/gi,
    '$1***',
  ],
  // apiKey=…, "api_key":"…", client_secret=…, X-Amz-Signature=…
  [
    /((?:api[_-]?key|secret|secret[_-]?key|access[_-]?key(?:[_-]?id)?|subscription-key|account-?key|sharedaccesssignature|pass(?:word|wd)|(?:access|refresh|id|auth|session|security)[_-]?token|x-(?:amz|goog)-(?:signature|credential|security-token))(?:["'\\]{0,3}\s{0,5}[:=]\s{0,5}["'\\]{0,3}))[^\s"'\\&,;<>{}()]+/gi,
    '$1***',
  ],
  // The same in a URL's query, where the names are shorter.
  [/([?&;](?:sig|signature|token|key|auth|code|pwd|hmac|hdnts|st|se?cret|credential)=)[^\s"'&#<>]+/gi, '$1***'],
  // token=… elsewhere, where what follows is no word.
  [/\b((?:token|key|signature|sig|hmac)["']?\s{0,5}[:=]\s{0,5}["']?)[A-Za-z0-9+/_.~=-]{16,}/gi, '$1***'],
  // Keys by what they begin with: OpenAI, Anthropic, Stripe, xAI, Groq, Google, AWS, GitHub, GitLab, Slack, Hugging Face …
  [key('(?:sk|csk|pk|rk|xai|pplx|nvapi|tvly|glpat|sess|xox[abeoprs]|xapp)-[A-Za-z0-9_*.-]{6,}'), '***'],
  [key('(?:gsk|sk|pk|rk|pcsk|whsec|github_pat|gh[opusr]|lsv2|synap)_[A-Za-z0-9_*-]{8,}'), '***'],
  [key('(?:hf|r8|fw|npm|ntn|vck|jina|cfut|tgp_v1|dop_v1|lin_api)_[A-Za-z0-9_-]{16,}'), '***'],
  [key('(?:pa|fc)-[A-Za-z0-9_-]{20,}'), '***'],
  [key('dapi[0-9a-f]{32}'), '***'],
  [key('SG\\.[A-Za-z0-9_-]{10,}\\.[A-Za-z0-9_-]{10,}'), '***'],
  [key('AIza[A-Za-z0-9_-]{10,}'), '***'],
  [key('AQ\\.[A-Za-z0-9_-]{20,}'), '***'],
  [key('(?:AKIA|ASIA|ABIA|ACCA)[A-Z0-9]{12,}'), '***'],
  [key('ya29\\.[A-Za-z0-9_-]{10,}'), '***'],
  // The token of a Telegram bot and the secret of a Slack hook, in the path of an address.
  [/(\/bot)\d{6,}:[A-Za-z0-9_-]{20,}/g, '$1***'],
  [/(hooks\.slack\.com\/services\/)[A-Za-z0-9/_-]{10,}/g, '$1***'],
  // A JSON Web Token.
  [key('eyJ[A-Za-z0-9_-]{8,}\\.[A-Za-z0-9_-]{8,}(?:\\.[A-Za-z0-9_-]*)?'), '***'],
];

// A secret that is shorter stands in texts by chance.
const MIN_SECRET = 6;

/**
 * A text without the keys and credentials in it: what looks like one, and those of `secrets`. Its length bounds the
 * work, so cut what may be long before; see `cutBeforeMasking`.
 *
 * @example
 * ```ts
 * maskSecrets('Incorrect API key provided: sk-proj-abc123'); // 'Incorrect API key provided: ***'
 * maskSecrets('GET https://ada:pw@host/a?X-Amz-Signature=0f3a'); // 'GET https://***@host/a?X-Amz-Signature=***'
 * ```
 */
export function maskSecrets(text: string, secrets: readonly (string | undefined)[] = []): string {
  let masked = text;
  for (const secret of secrets)
    if (secret !== undefined && secret.length >= MIN_SECRET) masked = masked.replaceAll(secret, '***');
  for (const [pattern, kept] of PATTERNS) masked = masked.replace(pattern, kept);
  return masked;
}

/** The head of a long text, and never half of a word: of half a key nobody could tell that it is one. */
export function cutBeforeMasking(text: string, most: number): string {
  if (text.length <= most) return text;
  const head = text.slice(0, most);
  const whole = head.replace(/\S{1,500}$/, '');
  return whole === '' ? head : whole;
}
