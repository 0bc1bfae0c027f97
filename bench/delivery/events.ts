// Numbered events, to be found again in whatever a sender makes of them.

const EVENT = /event-(\d{6})/g;

/** The text of the n-th event: its number stands in it once, whatever the sender wraps around it. */
export function eventText(n: number, length = 0): string {
  return `event-${String(n).padStart(6, '0')}`.padEnd(length, ' words');
}

/** The numbers of the events in a request, in order. */
export function eventsIn(body: string): number[] {
  return Array.from(body.matchAll(EVENT), ([, n]) => Number(n));
}
