const SECOND = 1000;
const MINUTE = 60 * SECOND;

const numbers = new Intl.NumberFormat('en-US', { maximumFractionDigits: 0 });
const compactNumbers = new Intl.NumberFormat('en-US', { notation: 'compact', maximumFractionDigits: 1 });

/** `12,345` */
export function count(value: number): string {
  return numbers.format(value);
}

/** `12.3K`, for where there is little space. */
export function compact(value: number): string {
  return compactNumbers.format(value);
}

const MAX_NAME = 120;

/** A name or an id on one line, cut if it is long. */
export function short(name: string): string {
  return name.length > MAX_NAME ? `${name.slice(0, MAX_NAME).toWellFormed()}…` : name;
}

/** `1 turn`, `2 turns` */
export function counted(value: number, one: string, many = `${one}s`): string {
  return `${count(value)} ${value === 1 ? one : many}`;
}

/** `820 ms`, `1.2 s`, `14 s`, `2 min 5 s` */
export function duration(ms: number): string {
  if (ms < SECOND) return `${Math.round(ms)} ms`;
  if (ms < 9950) return `${(ms / SECOND).toFixed(1)} s`;
  if (ms < MINUTE - SECOND / 2) return `${Math.round(ms / SECOND)} s`;
  const seconds = Math.round(ms / SECOND);
  return seconds % 60 === 0 ? `${count(seconds / 60)} min` : `${count(Math.floor(seconds / 60))} min ${seconds % 60} s`;
}

/** `2026-05-03 14:22 UTC`: shown until the page's script converts it to the reader's time zone. */
export function utc(iso: string): string {
  return `${iso.slice(0, 10)} ${iso.slice(11, 16)} UTC`;
}
