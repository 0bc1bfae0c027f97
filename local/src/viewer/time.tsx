import { utc } from './format.js';

/** A time, in UTC until the page's script converts it to the reader's time zone. */
export function Time({ iso, style }: { iso: string; style: 'relative' | 'clock' | 'full' }) {
  return (
    <time datetime={iso} data-style={style}>
      {utc(iso)}
    </time>
  );
}
