// Requests to the viewer, as a browser sends them.

import { request } from 'node:http';
import type { LocalSynap } from '../../src/index.js';

export interface PageAnswer {
  status: number;
  headers: Record<string, string | string[] | undefined>;
  text: string;
}

/** A request with any header, as fetch would not let it through. */
export function send(
  local: Pick<LocalSynap, 'url'>,
  path: string,
  { method = 'GET', headers = {}, body }: { method?: string; headers?: Record<string, string>; body?: string } = {},
): Promise<PageAnswer> {
  return new Promise((resolve, reject) => {
    const outgoing = request(local.url + path, { method, headers, agent: false }, response => {
      let text = '';
      response.setEncoding('utf8').on('data', chunk => {
        text += chunk;
      });
      response.on('end', () => resolve({ status: response.statusCode ?? 0, headers: response.headers, text }));
    });
    outgoing.on('error', reject).end(body);
  });
}

export const BROWSER = { accept: 'text/html,*/*' };

/** Hands in a token or a key as the page does, and answers with the cookie that came back, if one did. */
export async function signIn(local: LocalSynap, token = tokenOf(local.viewerUrl())): Promise<string | undefined> {
  const { headers } = await send(local, '/session', {
    method: 'POST',
    headers: { 'content-type': 'application/json', origin: local.url, 'sec-fetch-site': 'same-origin' },
    body: JSON.stringify({ token }),
  });
  return cookieOf(headers['set-cookie']);
}

export function tokenOf(link: string): string {
  return new URL(link).hash.replace('#sign-in=', '');
}

export function cookieOf(header: string | string[] | undefined): string | undefined {
  return [header].flat()[0]?.split(';')[0];
}
