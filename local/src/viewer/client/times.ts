const MINUTE = 60;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

const clock = new Intl.DateTimeFormat(undefined, { hour: '2-digit', minute: '2-digit' });
const day = new Intl.DateTimeFormat(undefined, { day: 'numeric', month: 'short' });
const year = new Intl.DateTimeFormat(undefined, { day: 'numeric', month: 'short', year: 'numeric' });
const full = new Intl.DateTimeFormat(undefined, { dateStyle: 'medium', timeStyle: 'short' });
const exact = new Intl.DateTimeFormat(undefined, { dateStyle: 'full', timeStyle: 'medium' });
const ago = new Intl.RelativeTimeFormat(undefined, { numeric: 'auto', style: 'short' });

/** Says the times of a part of the page in the reader's own time and words. */
export function localizeTimes(part: ParentNode = document): void {
  for (const element of part.querySelectorAll('time')) {
    const date = new Date(element.dateTime);
    if (Number.isNaN(date.getTime())) continue;
    element.textContent = say(date, element.dataset.style);
    element.title = exact.format(date);
  }
}

/** Keeps "2 minutes ago" true. */
export function keepTimes(): void {
  localizeTimes();
  setInterval(() => {
    if (!document.hidden) localizeTimes();
  }, MINUTE * 1000);
}

function say(date: Date, style: string | undefined): string {
  const now = new Date();
  if (style === 'full') return full.format(date);
  if (style === 'clock')
    return isSameDay(date, now) ? clock.format(date) : `${dayOf(date, now)}, ${clock.format(date)}`;
  const seconds = Math.round((now.getTime() - date.getTime()) / 1000);
  if (seconds < 45) return 'just now';
  if (seconds < HOUR) return ago.format(-Math.max(1, Math.round(seconds / MINUTE)), 'minute');
  if (seconds < DAY && isSameDay(date, now)) return ago.format(-Math.round(seconds / HOUR), 'hour');
  if (seconds < 2 * DAY) return `${ago.format(isSameDay(date, now) ? 0 : -1, 'day')}, ${clock.format(date)}`;
  return dayOf(date, now);
}

function dayOf(date: Date, now: Date): string {
  return (date.getFullYear() === now.getFullYear() ? day : year).format(date);
}

function isSameDay(a: Date, b: Date): boolean {
  return a.toDateString() === b.toDateString();
}
