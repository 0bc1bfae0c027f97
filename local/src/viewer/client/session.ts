const TOKEN = /^#sign-in=([\w-]+)$/;

/**
 * Hands in the token of a link, if there is one in the address, and takes it out of there. Undefined when there is none,
 * else whether it was good.
 */
export async function handInToken(): Promise<boolean | undefined> {
  const [, token] = TOKEN.exec(location.hash) ?? [];
  if (token === undefined) return undefined;
  history.replaceState(null, '', location.pathname + location.search);
  const response = await fetch('/session', {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ token }),
  });
  return response.ok;
}
