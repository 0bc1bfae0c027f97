import { cookies } from 'next/headers';

const YEAR_IN_SECONDS = 365 * 24 * 60 * 60;

/** Knows a browser again by a cookie nobody can guess. An app with accounts asks its session here. */
export async function currentUserId(): Promise<string> {
  const jar = await cookies();
  const userId = jar.get('guest')?.value ?? crypto.randomUUID();
  jar.set('guest', userId, { httpOnly: true, sameSite: 'lax', maxAge: YEAR_IN_SECONDS });
  return userId;
}
