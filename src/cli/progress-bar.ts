import { columns, harmlessLine } from './terminal.js';

const REDRAW_MS = 200;
const LINE_MS = 5000;
const WIDTH = 24;

/** How far something has come. */
export interface Progress {
  /** From 0 to 1; undefined when the end isn't known. */
  readonly share: number | undefined;
  /** The same in words. */
  readonly words: string;
}

/** Says on stderr how far something has come: a bar on a terminal, a plain line now and then anywhere else. */
export class ProgressBar {
  readonly #read: () => Progress;
  readonly #timer: NodeJS.Timeout;
  readonly #tty = process.stderr.isTTY === true;
  #shown = '';

  constructor(read: () => Progress) {
    this.#read = read;
    this.#timer = setInterval(() => (this.#tty ? this.#draw() : this.#say()), this.#tty ? REDRAW_MS : LINE_MS);
    this.#timer.unref();
  }

  /** A line of its own, above the bar. */
  note(text: string): void {
    this.#erase();
    process.stderr.write(`${harmlessLine(text)}\n`);
    if (this.#tty) this.#draw();
  }

  end(): void {
    clearInterval(this.#timer);
    this.#erase();
  }

  #draw(): void {
    const { share, words } = this.#read();
    const bar = share === undefined ? '' : `${'█'.repeat(Math.floor(share * WIDTH)).padEnd(WIDTH, '░')} `;
    this.#erase();
    this.#shown = `${bar}${words}`.slice(0, columns(process.stderr) - 1);
    process.stderr.write(this.#shown);
  }

  #say(): void {
    const { words } = this.#read();
    if (words === this.#shown) return;
    this.#shown = words;
    process.stderr.write(`${words}\n`);
  }

  #erase(): void {
    if (!this.#tty || this.#shown === '') return;
    process.stderr.write('\r\x1b[K');
    this.#shown = '';
  }
}
