import { utc } from './format.js';

/** A moment, in UTC until the page's script says it in the reader's own time. */
export function Time({ iso, style }: { iso: string; style: 'relative' | 'clock' | 'full' }) {
  return (
    <time datetime={iso} data-style={style}>
      {utc(iso)}
    </time>
  );
}
