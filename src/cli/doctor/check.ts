/** What one look has found. */
export interface Check {
  readonly name: string;
  /** `skipped`: it can't be told, because of what is wrong elsewhere, or because nobody asked. */
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
