const REDRAW_MS = 200;
const LINE_MS = 5000;
const WIDTH = 24;

/** How far something has come. */
export interface Progress {
  readonly done: number;
  readonly total: number;
}

/** Says on stderr how far something has come: a bar on a terminal, a plain line now and then anywhere else. */
export class ProgressBar {
  readonly #read: () => Progress;
  readonly #unit: string;
  readonly #timer: NodeJS.Timeout;
  readonly #tty = process.stderr.isTTY === true;
  #shown = '';

  constructor(read: () => Progress, unit: string) {
    this.#read = read;
    this.#unit = unit;
    this.#timer = setInterval(() => this.#show(), this.#tty ? REDRAW_MS : LINE_MS);
    this.#timer.unref();
    if (this.#tty) this.#show();
  }

  end(): void {
    clearInterval(this.#timer);
    if (this.#tty) process.stderr.write('\r\x1b[K');
  }

  #show(): void {
    const { done, total } = this.#read();
    const share = total === 0 ? 1 : done / total;
    const words = `${done} of ${total} ${this.#unit}`;
    const bar = `${'█'.repeat(Math.floor(share * WIDTH)).padEnd(WIDTH, '░')} ${words}`;
    const text = this.#tty ? `\r\x1b[K${bar}` : `${words}\n`;
    if (text === this.#shown) return;
    this.#shown = text;
    process.stderr.write(text);
  }
}
