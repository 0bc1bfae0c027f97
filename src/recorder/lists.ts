import { property } from '../internal/guards.js';
import type { JsonObject, JsonValue } from '../internal/json.js';
import { cutText } from './cut-text.js';
import { publicUrl } from './public-url.js';
import type { Attachment } from './turn-details.js';

/** How many entries of a list a message has. */
export const MAX_ENTRIES = 100;
// Of JSON, in UTF-8.
const MAX_LIST_BYTES = 16 * 1024;
const MAX_NAME = 200;
// Browsers and proxies take no more.
const MAX_URL = 2048;

const encoder = new TextEncoder();

/** The names of tools as metadata. `cut` is called where some of it is left out. */
export function toolNames(names: unknown, cut: () => void): string[] | undefined {
  return bounded(names, cut, name => {
    if (typeof name !== 'string') return undefined;
    return shortened(name, MAX_NAME, cut);
  });
}

/** Attachments as metadata. `cut` is called where some of it is left out. */
export function attachmentList(attachments: unknown, cut: () => void): JsonObject[] | undefined {
  return bounded(attachments, cut, attachment => {
    if (typeof attachment !== 'object' || attachment === null) return undefined;
    const part = (name: keyof Attachment) => property(attachment, name);
    const fields = {
      media_type: shortened(part('mediaType'), MAX_NAME, cut),
      filename: shortened(part('filename'), MAX_NAME, cut),
      url: urlOf(part('url'), cut),
    };
    return Object.fromEntries(Object.entries(fields).filter(([, value]) => value)) as JsonObject;
  });
}

/** Sources as metadata: one that has neither an address nor a title is none. `cut` is called where some of it is left out. */
export function sourceList(sources: unknown, cut: () => void): JsonObject[] | undefined {
  return bounded(sources, cut, source => {
    const fields = {
      url: urlOf(property(source, 'url'), cut),
      title: shortened(property(source, 'title'), MAX_NAME, cut),
    };
    const kept = Object.fromEntries(Object.entries(fields).filter(([, value]) => value)) as JsonObject;
    return Object.keys(kept).length === 0 ? undefined : kept;
  });
}

/**
 * The head of a list that an app hands over, so that an open turn holds no more of it than is recorded. One entry more
 * tells that there are more.
 */
export function headOf(list: unknown): unknown[] | undefined {
  const entries: unknown[] = [];
  const length = lengthOf(list);
  if (length === undefined) return undefined;
  for (let index = 0; index < length && index <= MAX_ENTRIES; index++) entries.push(property(list, String(index)));
  return entries;
}

function bounded<T extends JsonValue>(
  list: unknown,
  cut: () => void,
  read: (entry: unknown) => T | undefined,
): T[] | undefined {
  const entries = headOf(list) ?? [];
  if (entries.length > MAX_ENTRIES) cut();
  const kept: T[] = [];
  let bytes = 0;
  for (const entry of entries.slice(0, MAX_ENTRIES)) {
    const value = read(entry);
    if (value === undefined) continue;
    bytes += encoder.encode(JSON.stringify(value)).length + 1;
    if (bytes > MAX_LIST_BYTES) {
      cut();
      break;
    }
    kept.push(value);
  }
  return kept.length === 0 ? undefined : kept;
}

function shortened(value: unknown, most: number, cut: () => void): string | undefined {
  if (typeof value !== 'string' || value === '') return undefined;
  if (value.length > most) cut();
  return cutText(value, most).toWellFormed();
}

/** Where a file or a source is: of an URL that is too long, the query goes first. A data URL holds the file itself. */
function urlOf(value: unknown, cut: () => void): string | undefined {
  if (typeof value !== 'string' || !/^https?:/i.test(value)) return undefined;
  if (value.length <= MAX_URL) return publicUrl(value);
  cut();
  const base = /^[^?#]*/.exec(value.slice(0, MAX_URL + 1))?.[0] ?? '';
  return base.length > MAX_URL ? undefined : publicUrl(base);
}

function lengthOf(list: unknown): number | undefined {
  try {
    return Array.isArray(list) ? list.length : undefined;
  } catch {
    // A revoked proxy.
    return undefined;
  }
}
