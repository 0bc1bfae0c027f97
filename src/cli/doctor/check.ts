/** The result of one check. */
export interface Check {
  readonly name: string;
  /** `skipped`: not checked, because something else is wrong, or because nobody asked for it. */
  readonly status: 'ok' | 'warning' | 'wrong' | 'skipped';
  /** What is there, in one line; never the key. */
  readonly finding: string;
  /** What to do about it. */
  readonly advice?: string | undefined;
}

export function ok(name: string, finding: string): Check {
  return { name, status: 'ok', finding };
}

export function warning(name: string, finding: string, advice: string): Check {
  return { name, status: 'warning', finding, advice };
}

export function wrong(name: string, finding: string, advice: string): Check {
  return { name, status: 'wrong', finding, advice };
}

export function skipped(name: string, finding: string): Check {
  return { name, status: 'skipped', finding };
}
