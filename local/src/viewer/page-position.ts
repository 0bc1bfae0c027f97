/** Where a page is: how far it has come, and how often somebody had been forgotten when it was made. */
export interface PagePosition {
  seq: number;
  forgettings: number;
}

/** The address of a page's events. Its script adds how far it has come. */
export function eventsPath(path: string, { forgettings }: PagePosition): string {
  return `${path}${path.includes('?') ? '&' : '?'}forgettings=${forgettings}`;
}
