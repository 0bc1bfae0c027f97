import type { Settlement } from '../outbox.js';

/** Settlements that could not be written to the file yet, by account. */
export class OwedSettlements {
  readonly #owed = new Map<string, Map<string, Settlement>>();

  get accounts(): readonly string[] {
    return [...this.#owed.keys()];
  }

  add(account: string, settlements: readonly Settlement[]): void {
    if (settlements.length === 0) return;
    const owed = this.#owed.get(account) ?? new Map<string, Settlement>();
    this.#owed.set(account, owed);
    for (const settlement of settlements) owed.set(settlement.key, settlement);
  }

  has(account: string, key: string): boolean {
    return this.#owed.get(account)?.has(key) ?? false;
  }

  of(account: string): readonly Settlement[] {
    return [...(this.#owed.get(account)?.values() ?? [])];
  }

  written(account: string): void {
    this.#owed.delete(account);
  }
}
