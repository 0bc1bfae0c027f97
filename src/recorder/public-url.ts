import { maskSecrets } from '../synap/mask-secrets.js';

// A page that fetches an image by its own address has that in a parameter: `/_next/image?url=https%3A%2F%2F…`.
const MAX_DEPTH = 2;

// Names of parameters in lower case, letters and digits only. Whoever has one of these is let in: signatures of S3, CloudFront,
// Google, Azure, Alibaba, Tencent and Akamai, tokens, keys and passwords. Without its signature, the rest of the first ones says nothing.
const SECRET =
  /signature|token|secret|passw|pwd|credential|auth(?!or)|apikey|accesskey|accessid|keypair|privatekey|subscriptionkey|hmac|jwt|assertion|ticket|hdn(?:ts|ea|tl)|rlkey|resourcekey|^(?:x(?:amz|goog|oss|cos|bz)|q(?:ak|sign))|^(?:pass|pw|bearer|sas|iks|upt|sig|sign|key|hm|oh|ncohc|otp|skoid|sktid)$/;
// Names that mean a secret only where their value may be one.
const MAYBE_SECRET =
  /^(?:code|state|s|st|sg|sid|sessid|session|sessionid|phpsessid|jsessionid|hash|policy|verify|md5)$/;
const MIN_SECRET = 16;

/**
 * A URL without what would let in everybody who reads it in a transcript: the user and password, and parameters that are
 * signatures, tokens or keys, in its query and its fragment.
 *
 * @example
 * ```ts
 * publicUrl('https://ada:pw@files.example/a.png?v=2&X-Amz-Signature=0f3a'); // 'https://files.example/a.png?v=2'
 * ```
 */
export function publicUrl(url: string, depth = 0): string {
  const [, base = '', query = '', fragment = ''] = /^([^?#]*)(\?[^#]*)?(#.*)?$/s.exec(url) ?? [];
  return maskSecrets(withoutSession(withoutUser(base)) + kept(query, depth) + kept(fragment, depth)).toWellFormed();
}

/** An address is parted from the user before it by the last @; a password may hold a slash that nobody has escaped. */
function withoutUser(base: string): string {
  const [, scheme = '', rest = ''] =
    /^((?:(?:https?|wss?|ftp):[/\\]*|(?:[a-z][a-z0-9+.-]*:)?[/\\]{2,}))(.*)$/is.exec(base) ?? [];
  if (scheme === '') return base;
  const slash = rest.search(/[/\\]/);
  const authority = slash < 0 ? rest : rest.slice(0, slash);
  const at = authority.lastIndexOf('@');
  if (at >= 0) return scheme + rest.slice(at + 1);
  const host = authority.startsWith('[') || /^[^:]*(?::\d{0,5})?$/.test(authority);
  return host ? base : scheme + rest.slice(rest.lastIndexOf('@') + 1);
}

/** Some servers keep a session in the path: `/a.png;jsessionid=0f3a`. */
function withoutSession(base: string): string {
  return base.replace(/;([^;/=]{1,100})=([^;/]*)/g, (all, name: string, value: string) =>
    isSecret(name, value) ? '' : all,
  );
}

/** A query or a fragment with its mark, without what is secret in it. */
function kept(part: string, depth: number): string {
  if (!part.includes('=')) return part;
  const [mark = ''] = part;
  // A fragment may be a path with a query of its own.
  const [, path = '', parameters = ''] = (mark === '#' && /^([^?=&]*\?)(.*)$/s.exec(part.slice(1))) || [
    '',
    '',
    part.slice(1),
  ];
  const pairs = parameters.split(/[&;]/);
  const open = pairs.flatMap(pair => {
    const at = pair.indexOf('=');
    if (at < 0) return [pair];
    const [name, value] = [pair.slice(0, at), pair.slice(at + 1)];
    return isSecret(name, value) ? [] : [`${name}=${nested(value, depth)}`];
  });
  const rest = open.filter(pair => pair !== '').join('&');
  return path + rest === '' ? '' : mark + path.replace(/\?$/, rest === '' ? '' : '?') + rest;
}

function isSecret(name: string, value: string): boolean {
  const letters = decoded(name)
    .replace(/^amp;/, '')
    .toLowerCase()
    .replace(/[^a-z0-9]/g, '');
  return SECRET.test(letters) || (MAYBE_SECRET.test(letters) && value.length >= MIN_SECRET);
}

function nested(value: string, depth: number): string {
  if (depth >= MAX_DEPTH) return value;
  const url = decoded(value);
  if (!/^https?:/i.test(url)) return value;
  const open = publicUrl(url, depth + 1);
  if (open === url) return value;
  return url === value ? open : encodeURIComponent(open);
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
