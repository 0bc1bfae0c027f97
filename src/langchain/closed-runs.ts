// What starts inside a run that has ended does so within minutes. By then a busy server may have closed very many others.
const MAX_IDS = 250_000;

/**
 * The runs that have ended lately. An id is kept as a number made of its last digits, which are random in every kind of UUID: so a
 * quarter of a million takes a tenth of the memory that the texts would.
 */
export class ClosedRuns {
  #newer = new Set<number>();
  #older = new Set<number>();

  has(id: string): boolean {
    const number = numberOf(id);
    return this.#newer.has(number) || this.#older.has(number);
  }

  add(id: string): void {
    this.#newer.add(numberOf(id));
    if (this.#newer.size < MAX_IDS / 2) return;
    this.#older = this.#newer;
    this.#newer = new Set();
  }
}

/** 52 bits of an id; of one that is no UUID, a hash. */
function numberOf(id: string): number {
  const digits = id.slice(-14).replace('-', '');
  if (id.length === 36 && /^[0-9a-f]{13}$/i.test(digits)) return Number.parseInt(digits, 16);
  let hash = 7;
  for (let index = 0; index < id.length; index++) hash = (hash * 31 + id.charCodeAt(index)) % 0x1f_ffff_ffff_ffff;
  return hash;
}
