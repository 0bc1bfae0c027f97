// The processes of an app that all record into one Synap.

import type { Recorder, RecorderOptions } from '../../../src/index.js';
import { SynapCallbackHandler, type SynapCallbackHandlerOptions } from '../../../src/langchain/index.js';
import { recorderOn } from '../../support/recorder.js';
import { lineOf } from '../support.js';

/** What the app of a case works with. In the run without a recorder there is no handler, and `config` is empty. */
export interface Situation {
  readonly config: { callbacks?: SynapCallbackHandler[] };
  readonly handler: SynapCallbackHandler | undefined;
  readonly recorder: Recorder | undefined;
  /** Another handler of the same recorder. */
  another(): Pick<Situation, 'config' | 'handler'>;
  /** Another process: a recorder and a handler of its own, in front of the same Synap. What was recorded before has arrived. */
  process(): Promise<Situation>;
}

export interface ProcessOptions {
  readonly options?: SynapCallbackHandlerOptions;
  readonly recorderOptions?: RecorderOptions;
}

/** The situation of a run without a recorder. */
export function withoutHandler(): Situation {
  const none: Situation = {
    config: {},
    handler: undefined,
    recorder: undefined,
    another: () => none,
    process: async () => none,
  };
  return none;
}

/** The processes of an app: each has a recorder and a handler of its own, and all of them the same Synap. */
export class Processes implements AsyncDisposable {
  readonly notices: string[] = [];
  readonly #options: ProcessOptions;
  readonly #started: Awaited<ReturnType<typeof recorderOn>>[] = [];
  readonly #handlers: SynapCallbackHandler[] = [];

  constructor(options: ProcessOptions = {}) {
    this.#options = options;
  }

  async start(): Promise<Situation> {
    for (const { recorder } of this.#started) await recorder.flush();
    const shared = this.#started[0] && { baseUrl: this.#started[0].synap.url };
    const on = await recorderOn(undefined, { conversationId: 'chat', ...shared, ...this.#options.recorderOptions });
    this.#started.push(on);
    const another = () => {
      const write = (notice: string) => void this.notices.push(notice);
      const handler = new SynapCallbackHandler(on.recorder, {
        logger: { info: write, warn: write, error: write },
        ...this.#options.options,
      });
      this.#handlers.push(handler);
      return { handler, config: { callbacks: [handler] } };
    };
    return { ...another(), recorder: on.recorder, another, process: () => this.start() };
  }

  /** What Synap has got. What two processes send under one key counts once: Synap tells it apart by that. */
  get messages() {
    const stored = this.#started[0]?.synap.stored ?? [];
    if (this.#started.length === 1) return stored;
    const byKey = new Map(stored.toReversed().map(message => [message.metadata?.message_key, message]));
    return stored.filter(message => byKey.get(message.metadata?.message_key) === message);
  }

  lines(): string[] {
    return this.messages.map(lineOf);
  }

  async transcript(): Promise<string[]> {
    for (const { recorder } of this.#started) await recorder.flush();
    return this.lines();
  }

  close(): void {
    for (const handler of this.#handlers) handler.close();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.close();
    for (const on of this.#started.toReversed()) await on[Symbol.asyncDispose]();
  }
}
