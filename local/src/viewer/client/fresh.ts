import { byId } from './markup.js';

/** The button that says how much is new out of the reader's sight, and leads there. */
export class Fresh {
  readonly #one: string;
  readonly #many: string;
  #count = 0;

  constructor(one: string, many: string, show: () => void) {
    this.#one = one;
    this.#many = many;
    byId('fresh')?.addEventListener('click', show);
  }

  add(count: number): void {
    this.#count += count;
    const label = this.#count === 1 ? this.#one : this.#many;
    this.#say(`${this.#count} new ${label}`);
  }

  /** So much is new that the page is better loaded anew. */
  reload(): void {
    this.#say(`Many new ${this.#many}`);
  }

  clear(): void {
    this.#count = 0;
    const button = byId('fresh');
    if (button?.parentElement) button.parentElement.hidden = true;
  }

  #say(text: string): void {
    const button = byId('fresh');
    const label = button?.querySelector('span');
    if (!button?.parentElement || !label) return;
    label.textContent = text;
    button.parentElement.hidden = false;
  }
}
