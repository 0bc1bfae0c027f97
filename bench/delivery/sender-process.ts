// One sender in a process of its own, as the benchmark sees it.

import { type ChildProcess, spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import type { Readable, Writable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import type { SenderName, SynapSettings } from './senders.ts';

const PROGRAM = fileURLToPath(new URL('sender-program.ts', import.meta.url));

/** What a sender is to do in a process of its own. */
export interface Job {
  sender: SenderName;
  settings?: SynapSettings | undefined;
  url: string;
  directory: string;
  events: number;
  /** Length of each event's text, in characters. */
  length?: number;
  /** All in one loop; with a turn of the event loop after every 50; or so many a second. */
  feed: 'at once' | 'yielding' | number;
  /** Flushed, and closed when asked to; or not even flushed: left to end by itself, by an exit, by a signal. */
  end: 'closed' | 'itself' | 'exit' | 'SIGTERM';
}

/** What the process says on its file descriptor 3, a line each. */
export type Report = 'recording' | 'recorded' | 'flushed' | 'error' | { lost: number };

export interface Exit {
  code: number | null;
  signal: NodeJS.Signals | null;
  /** From its last event to its end. */
  lived: number;
  killed: boolean;
}

/** A process with one sender in it. */
export class SenderProcess {
  /** How many lost events it reported, each or by number. */
  lost = 0;
  /** Whether it reported any failure: a log line, an error event, a flush that rejected. */
  failed = false;
  /** When it began to record, on `performance.now()`'s clock. */
  recordingAt = 0;
  recordedAt = 0;
  flushed = false;
  /** What it wrote to its standard streams. */
  log = '';
  readonly exited: Promise<Exit>;
  readonly #child: ChildProcess;
  #killed = false;

  constructor(job: Job, env: NodeJS.ProcessEnv = {}) {
    this.#child = spawn(process.execPath, [PROGRAM, JSON.stringify(job)], {
      stdio: ['pipe', 'pipe', 'pipe', 'pipe'],
      env: { ...process.env, ...env },
    });
    const [, stdout, stderr, reports] = this.#child.stdio;
    for (const stream of [stdout, stderr] as Readable[])
      stream.setEncoding('utf8').on('data', text => {
        this.failed = true;
        this.log += text;
      });
    createInterface({ input: reports as Readable }).on('line', line => this.#onReport(JSON.parse(line)));
    this.exited = new Promise(resolve => {
      let endedAt = 0;
      this.#child.on('exit', () => {
        endedAt = performance.now();
      });
      // After it all streams are read.
      this.#child.on('close', (code, signal) =>
        resolve({ code, signal, lived: endedAt - this.recordedAt, killed: this.#killed }),
      );
    });
  }

  signal(signal: NodeJS.Signals): void {
    this.#child.kill(signal);
  }

  /** Asks it to close its sender and end; gives it so many milliseconds for that. */
  finish(withinMs: number): Promise<Exit> {
    (this.#child.stdin as Writable).end();
    return this.endWithin(withinMs);
  }

  /** Waits for its end, and brings it about if it takes longer. */
  async endWithin(ms: number): Promise<Exit> {
    const timer = setTimeout(() => {
      this.#killed = true;
      this.#child.kill('SIGKILL');
    }, ms);
    const exit = await this.exited;
    clearTimeout(timer);
    return exit;
  }

  #onReport(report: Report): void {
    if (typeof report === 'object') this.lost += report.lost;
    else if (report === 'error') this.failed = true;
    else if (report === 'flushed') this.flushed = true;
    else if (report === 'recording') this.recordingAt = performance.now();
    else this.recordedAt = performance.now();
  }
}
