import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';

/** A file that the pages use. It is the same for everybody, so it needs no session. */
export interface Asset {
  body: string;
  type: string;
  /** An entity tag: a browser that asks again gets 304 Not Modified. */
  etag: string;
}

const SCRIPTS = [
  'plain',
  'sign-in',
  'list',
  'conversation',
  'common',
  'theme',
  'times',
  'keys',
  'live',
  'markup',
  'session',
  'copying',
  'fresh',
];
const STYLES = ['colours', 'base', 'controls', 'parts', 'list', 'about', 'messages', 'markdown'];

const read = (path: string) => readFileSync(new URL(path, import.meta.url), 'utf8');

const SOURCES: Record<string, { type: string; read(): string }> = {
  'viewer.css': {
    type: 'text/css; charset=utf-8',
    read: () => STYLES.map(name => read(`./assets/${name}.css`)).join('\n'),
  },
  'icon.svg': { type: 'image/svg+xml', read: () => read('./assets/icon.svg') },
  ...Object.fromEntries(
    SCRIPTS.map(name => [
      `${name}.js`,
      { type: 'text/javascript; charset=utf-8', read: () => read(`./client/${name}.js`) },
    ]),
  ),
};

const loaded = new Map<string, Asset>();

/** A file by its name; undefined for any other name. */
export function asset(name: string): Asset | undefined {
  const source = Object.hasOwn(SOURCES, name) ? SOURCES[name] : undefined;
  if (source === undefined) return undefined;
  const known = loaded.get(name);
  if (known) return known;
  const body = source.read();
  const etag = `"${createHash('sha256').update(body).digest('base64url').slice(0, 22)}"`;
  const made = { body, type: source.type, etag };
  loaded.set(name, made);
  return made;
}
